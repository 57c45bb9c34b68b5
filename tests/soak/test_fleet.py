"""A small fleet is recorded although the command is killed on the way; wrong records are detected."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.soak import fleet


def test_a_fleet_is_recorded_although_the_command_is_killed(tmp_path: Path) -> None:
    outcome = fleet.run(45, tmp_path, kill_at=0)
    assert outcome.problems == []
    assert outcome.kills == 1
    assert outcome.peak_mb > 0


def test_wrong_and_missing_days_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    full = (1 << 96) - 1
    rows: list[Any] = [
        SimpleNamespace(mask=full, wh=fleet.energy_wh(1)),
        SimpleNamespace(mask=full, wh=fleet.energy_wh(2) + 1),
        SimpleNamespace(mask=full >> 1, wh=fleet.energy_wh(3)),
        None,
    ]
    monkeypatch.setattr(fleet, "_rows", lambda *_: iter(enumerate(rows, 1)))
    der: Any = None
    assert fleet.compare(der, 4) == ["3 plants are not as in the file: [2, 3, 4]"]
    assert fleet.recorded(der, 4) == 3
