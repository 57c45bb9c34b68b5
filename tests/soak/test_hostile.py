"""One pathological contract of each kind."""

from __future__ import annotations

from tests.soak.hostile import run

MOST_BYTES = 3 << 30


def test_pathological_contracts_do_not_harm_other_clients() -> None:
    report = run(rounds=1)
    assert report.problems == []
    assert report.transfers > 0
    assert report.statuses.keys() >= {"success", "abort_by_response"}
    assert report.peak_bytes < MOST_BYTES
