"""The runner of Rendezvous: a run can be repeated at any time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.rendezvous import __main__ as rendezvous

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

STAND_IN = (
    'console.log("now", Date.now(), new Date().getTime(), new Date(7).getTime(), process.argv.slice(3).join(" "));'
)


def test_the_current_time_is_always_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chain begins at the current time, so a failing run could otherwise not be repeated on another day."""
    stand_in = tmp_path / "stand-in.js"
    stand_in.write_text(STAND_IN)
    monkeypatch.setattr(rendezvous, "RENDEZVOUS", stand_in)
    outcome = rendezvous.run(rendezvous.Task("settlement", "test"), 5, 60)
    noon_ms = int(datetime(2026, 7, 1, 12, tzinfo=UTC).timestamp()) * 1000
    assert outcome.output == f"now {noon_ms} {noon_ms} 7 settlement test --runs=60 --seed=5 --bail\n"
