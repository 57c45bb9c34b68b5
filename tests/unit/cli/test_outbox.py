"""``der outbox`` lists, shows, retries and cancels the jobs of a journal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from der_client.stacks.clarity import BoolValue, OkValue, PrincipalValue, encode
from der_client.stacks.outbox import Job, Journal
from der_client.stacks.outbox.jobs import Sent
from der_client.stacks.outcome import read_outcome
from der_client.stacks.transactions import TokenTransfer

from .conftest import RunDer

SOMEBODY = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"
TXID = "ab" * 32


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A journal with a job in each state, in the folder where commands keep their journals."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = tmp_path / "der-client"
    folder.mkdir()
    place = folder / "keeper.db"
    journal = Journal(place)
    keys = ("rent/may", "rent/june", "rent/july", "rent/august")
    journal.add([Job(key, TokenTransfer(PrincipalValue(SOMEBODY), 7), note="flat 3") for key in keys])
    assert journal.lease(SOMEBODY, "me", 60)
    entries = journal.claim(SOMEBODY, "me", 2, 60)
    signed = [
        Sent(f"{number:02}" * 32, entry.id, entry.key, SOMEBODY, number, 200, b"raw", False, 0.0, 1)
        for number, entry in enumerate(entries)
    ]
    journal.record_signed("me", SOMEBODY, signed)
    outcome = read_outcome("success", encode(OkValue(BoolValue(value=True))), None)
    journal.record_turn(signed, [(signed[0], outcome, 12, "cd" * 32, 200)])
    june = journal.find("rent/july")
    assert june is not None
    journal.give_up(june, "the fee would be above the cap")
    journal.close()
    return place


def test_list_shows_jobs_and_counts(der: RunDer, place: Path) -> None:
    done = der("outbox", "list")
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert lines[0].split() == ["mined", "(success)", "rent/may", "00" * 32, "block", "12,", "200", "µSTX"]
    assert lines[1].split() == ["sent", "rent/june", "01" * 32]
    assert lines[2].split()[:3] == ["given", "up", "rent/july"]
    assert "above the cap" in lines[2]
    assert lines[3].split() == ["queued", "rent/august"]
    assert lines[4] == f"1 queued, 1 sent, 1 mined, 1 given up in {place}; fees of those shown: 200 µSTX"
    assert [line for line in der("outbox", "list", "--state", "failed").output.splitlines() if "rent" in line] == [
        lines[2]
    ]
    answer = json.loads(der("outbox", "list", "--state", "mined", "--json").output)
    assert [job["key"] for job in answer["jobs"]] == ["rent/may"]
    assert answer["counts"]["sent"] == 1


def test_show_prints_one_job(der: RunDer, place: Path) -> None:
    shown = der("outbox", "show", "rent/may", "--journal", place).output
    assert "(ok true)" in shown
    assert "flat 3" in shown
    assert json.loads(der("outbox", "show", "rent/may", "--json").output)["fee_ustx"] == 200


def test_jobs_can_be_retried_and_cancelled(der: RunDer, place: Path) -> None:
    assert der("outbox", "retry", "rent/july").exit_code == 0
    assert der("outbox", "cancel", "rent/august").exit_code == 0
    journal = Journal(place)
    states = {entry.key: str(entry.state) for entry in journal.entries()}
    journal.close()
    assert states == {"rent/may": "mined", "rent/june": "sent", "rent/july": "queued", "rent/august": "given up"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "rent/march"), "there is no job rent/march"),
        (("retry", "rent/may"), "job rent/may is mined (success): only what failed can be tried again"),
        (("cancel", "rent/june"), "job rent/june is sent: only what is queued can be cancelled"),
        (("list", "--state", "odd"), "or failed, not odd"),
        (("list", "--journal", "nowhere.db"), "there is no journal nowhere.db"),
    ],
)
def test_mistakes_are_reported(der: RunDer, place: Path, arguments: tuple[str, ...], words: str) -> None:
    done = der("outbox", *arguments)
    assert done.exit_code == 2
    assert words in " ".join(done.output.replace("│", " ").split())


def test_several_journals_or_none_are_reported(
    der: RunDer, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Journal(place.with_name("record.db")).close()
    done = der("outbox", "list")
    assert done.exit_code == 2
    assert "--journal" in done.output
    assert f"  {place.with_name('record.db')}" in done.output.splitlines()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "none"))
    assert "no journal exists yet" in der("outbox", "list").output


def test_a_file_that_is_not_a_journal_is_rejected(der: RunDer, tmp_path: Path) -> None:
    place = tmp_path / "diary"
    place.write_text("dear diary")
    done = der("outbox", "list", "--journal", place)
    assert done.exit_code == 1
    assert "it is not a journal" in done.stderr
