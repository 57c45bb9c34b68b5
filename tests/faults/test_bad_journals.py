"""Journals that cannot be used: the error is clear, nothing is sent, and nothing is lost."""

from __future__ import annotations

import builtins
import sqlite3
from collections.abc import Iterator
from math import nan
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, make_url, update

from der_client.devnet import Devnet
from der_client.stacks.account import Account
from der_client.stacks.clarity import PrincipalValue
from der_client.stacks.errors import InvalidValueError, JournalError, MissingExtraError
from der_client.stacks.outbox import Job, JobState, Journal, Outbox
from der_client.stacks.outbox.schema import about, jobs
from der_client.stacks.rpc import Client
from der_client.stacks.transactions import TokenTransfer

from .conftest import new_database
from .proxy import FaultProxy
from .test_nonces import POST


def pay(payee: str, amount: int) -> Job:
    return Job(f"pay/{amount}", TokenTransfer(PrincipalValue(payee), amount), fee_ustx=1_000)


@pytest.fixture
def used(lasting_place: Any, account: Account, payee: str) -> Any:
    """A journal with one job, for the purpose "ours"."""
    with Outbox(account, lasting_place, purpose="ours") as outbox:
        outbox.add(pay(payee, 1))
    return lasting_place


def is_untouched(place: Any) -> bool:
    journal = Journal(place)
    entries = journal.entries()
    journal.close()
    return [(entry.key, entry.state) for entry in entries] == [("pay/1", JobState.QUEUED)]


def change(place: Any, name: str, value: str) -> None:
    journal = Journal(place)
    with journal._engine.begin() as connection:
        connection.execute(update(about).where(about.c.name == name).values(value=value))
    journal.close()


def test_a_journal_for_another_purpose_is_rejected(used: Any, account: Account, proxy: FaultProxy) -> None:
    with pytest.raises(JournalError, match=r"belongs to another purpose \(ours, not theirs\)"):
        Outbox(account, used, purpose="theirs")
    assert proxy.asked(*POST) == []
    assert is_untouched(used)


@pytest.mark.parametrize(("name", "value"), [("network", "1"), ("chain", "00" * 32)])
def test_a_journal_of_another_network_is_rejected(
    used: Any, account: Account, proxy: FaultProxy, name: str, value: str
) -> None:
    change(used, name, value)
    with pytest.raises(JournalError, match=f"belongs to another {name}"):
        Outbox(account, used, purpose="ours")
    assert proxy.asked(*POST) == []
    assert is_untouched(used)


def test_a_journal_of_another_devnet_is_rejected(used: Any) -> None:
    with Devnet(deploy_contracts=False, track_costs=False, start_time=1_790_000_000) as other:
        account = Account(other.accounts["wallet_1"].key, Client(other.url))
        with pytest.raises(JournalError, match="belongs to another chain"):
            Outbox(account, used, purpose="ours")


@pytest.mark.parametrize("version", ["2", "99999999999999999999", "new"])
def test_a_journal_of_a_newer_version_is_rejected(used: Any, account: Account, version: str) -> None:
    change(used, "version", version)
    with pytest.raises(JournalError, match="newer version of this library"):
        Outbox(account, used, purpose="ours")


def test_a_file_that_is_not_a_journal_is_left_unchanged(tmp_path: Path, account: Account) -> None:
    place = tmp_path / "journal.db"
    place.write_bytes(b"this is my diary " * 1_000)
    with pytest.raises(JournalError, match="file is not a database; it is not a journal"):
        Outbox(account, place)
    assert place.read_bytes() == b"this is my diary " * 1_000


def test_a_damaged_journal_is_reported(tmp_path: Path, account: Account, proxy: FaultProxy, payee: str) -> None:
    place = tmp_path / "journal.db"
    with Outbox(account, place) as outbox:
        outbox.add(*(pay(payee, amount) for amount in range(1, 200)))
    with sqlite3.connect(place) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(place.read_bytes())
    data[4_096:] = b"\xff" * (len(data) - 4_096)
    place.write_bytes(data)
    for left in tmp_path.glob("journal.db-*"):
        left.unlink()
    with pytest.raises(JournalError, match="damaged; restore a copy"):
        Outbox(account, place).step()
    assert proxy.asked(*POST) == []


@pytest.fixture
def full(tmp_path: Path) -> Iterator[tuple[Journal, list[int]]]:
    """A journal on a disk whose size can be set, in pages."""
    journal = Journal(tmp_path / "journal.db")
    room = [1_000_000]

    @event.listens_for(journal._engine, "begin")
    def limit(connection: Any) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={room[0]}")

    yield journal, room
    journal.close()


def test_a_full_disk_is_reported_and_nothing_is_lost(
    full: tuple[Journal, list[int]], account: Account, chain: Devnet, proxy: FaultProxy, payee: str
) -> None:
    journal, room = full
    outbox = Outbox(account, journal, max_poll_s=0.02)
    outbox.add(*(pay(payee, amount) for amount in range(1, 26)))
    room[0] = 1  # SQLite keeps at least the current size of the file

    def fill() -> None:
        for start in range(1_000, 10_000, 100):
            outbox.step()
            outbox.add(*(pay(payee, amount) for amount in range(start, start + 100)))

    with pytest.raises(JournalError, match="full; free some space and start again; nothing is lost"):
        fill()
    sent = len(proxy.asked(*POST))
    assert sent <= len(journal.entries(JobState.SIGNED, JobState.SENT))
    room[0] = 1_000_000
    while journal.has_open():
        outbox.step()
        chain.mine()
    assert {entry.state for entry in journal.entries()} == {JobState.MINED}
    outbox.close()


def test_invalid_places_are_rejected(tmp_path: Path, account: Account) -> None:
    with pytest.raises(JournalError, match="there is no folder"):
        Outbox(account, tmp_path / "nowhere" / "journal.db")
    with pytest.raises(JournalError, match="a journal is a file or a postgresql:// URL, not a mysql:// one"):
        Outbox(account, "mysql://here")
    with pytest.raises(InvalidValueError, match="must be str or Path, got int; give a file or a postgresql:// URL"):
        Outbox(account, 5)  # type: ignore[arg-type]
    with pytest.raises(JournalError, match="cannot be opened"):
        Outbox(account, tmp_path)


def test_an_unreachable_server_is_reported_without_its_password(account: Account) -> None:
    with pytest.raises(JournalError, match="cannot be opened") as caught:
        Outbox(account, "postgresql://someone:secret@127.0.0.1:1/nothing")
    assert "secret" not in str(caught.value) + caught.value.journal


def test_a_missing_driver_is_reported(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_psycopg(name: str, *arguments: Any, **options: Any) -> Any:
        if name.split(".", maxsplit=1)[0] == "psycopg":
            raise ModuleNotFoundError(name="psycopg")
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_psycopg)
    with pytest.raises(MissingExtraError, match=r"pip install 'der-client\[postgres\]'"):
        Outbox(account, "postgresql://someone@127.0.0.1:1/nothing")


def test_a_new_journal_can_be_opened_twice_at_once(postgres: str) -> None:
    place = new_database(postgres)
    first, second = Journal(place), Journal(place)
    assert str(make_url(place).database) in first.name
    first.close()
    second.close()


@pytest.mark.parametrize("key", ["", "x" * 201, "two\nlines", None])
def test_invalid_keys_are_rejected(payee: str, key: Any) -> None:
    with pytest.raises(InvalidValueError, match="a job's key must have 1 to 200 printable characters"):
        Job(key, TokenTransfer(PrincipalValue(payee), 1))


@pytest.mark.parametrize(
    "options",
    [{"max_in_flight": 0}, {"max_in_flight": 26}, {"lease_s": 0}, {"look_s": nan}, {"raise_fee_after_s": "9"}],
)
def test_invalid_options_are_rejected(account: Account, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError, match=next(iter(options))):
        Outbox(account, **options)
    with pytest.raises(InvalidValueError, match="at least one Account"):
        Outbox([])


def test_a_damaged_job_is_named(used: Any) -> None:
    journal = Journal(used)
    with journal._engine.begin() as connection:
        connection.execute(update(jobs).values(fee_ustx="1.5"))
    with pytest.raises(JournalError, match=r"has a damaged job, pay/1, which cannot be read \(.*1\.5.*restore a copy"):
        journal.entries()
    journal.close()


def test_a_journal_in_memory_ends_when_it_is_closed(account: Account, payee: str) -> None:
    outbox = Outbox(account)
    outbox.add(pay(payee, 1))
    outbox.close()
    with pytest.raises(JournalError, match="the journal in memory ended when it was closed; open a new one"):
        outbox.find("pay/1")
