"""The gateway writes each message to disk once, before it acknowledges it, and keeps it until it is finished."""

import sqlite3
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from der_client.gateway import MessageState, MessageStore
from der_client.readings import DayMessage, DayReadings
from der_client.stacks.errors import InvalidValueError
from der_client.stacks.keys import PrivateKey

CONTRACT = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM.production-tracking"
KEY = PrivateKey.from_hex("01" * 32)


def message(number: int, key: PrivateKey | ec.EllipticCurvePrivateKey = KEY) -> DayMessage:
    readings = DayReadings(date(2026, 6, 30), 900, number, (5, 6))
    return DayMessage.sign(key, readings, contract=CONTRACT, asset_id=2**100, key_epoch=1, chain_id=0x80000000)


def test_added_messages_survive_a_killed_process(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    store = MessageStore(path)
    both = [message(0), message(2, ec.generate_private_key(ec.SECP256R1()))]
    assert store.add(both, "http") == [True, True]
    # The first store is not closed: a killed process leaves only what is on disk now.
    with MessageStore(path) as again:
        assert [each.message for each in again.due(10)] == both
        assert again.add(both, "mqtt") == [False, False]
        found = again.get(both[0].digest.hex())
        assert found is not None
        assert (found.source, found.state, found.txids) == ("http", MessageState.WAITING, ())
    store.close()


def test_a_message_waits_until_it_is_due_and_ends_as_recorded(tmp_path: Path) -> None:
    with MessageStore(tmp_path / "s") as store:
        first, second = message(0), message(2)
        store.add([first, second], "http")
        store.set_state(first.digest.hex(), MessageState.WAITING, "not over", ["aa"], again_in_s=1000)
        assert [each.message for each in store.due(10)] == [second]
        store.set_state(first.digest.hex(), MessageState.RECORDED, "", ["bb", "aa"])
        found = store.get(first.digest.hex())
        assert found is not None
        assert (found.state, found.txids) == (MessageState.RECORDED, ("aa", "bb"))
        assert store.counts() == dict.fromkeys(MessageState, 0) | {MessageState.WAITING: 1, MessageState.RECORDED: 1}
        assert store.get("00") is None
        assert store.forget(1000) == 0
        assert store.forget(-1) == 1
        assert store.counts()[MessageState.WAITING] == 1


def test_a_list_is_added_completely_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with MessageStore(tmp_path / "s") as store:

        def fail(self: DayMessage) -> str:
            raise RuntimeError("disk full")

        def rows() -> list[DayMessage]:
            return [message(0), message(2)]

        broken = rows()
        store._db.execute("CREATE TRIGGER full BEFORE INSERT ON messages WHEN (SELECT count(*) FROM messages) = 1 "
                          "BEGIN SELECT RAISE(FAIL, 'disk full'); END")  # fmt: skip
        with pytest.raises(sqlite3.Error, match="disk full"):
            store.add(broken, "http")
        assert store.counts()[MessageState.WAITING] == 0


def test_an_unrelated_file_or_a_later_version_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database at all, but long enough to be looked at" * 40)
    with pytest.raises(InvalidValueError, match="cannot be used as the gateway's store"):
        MessageStore(path)
    later = tmp_path / "later"
    MessageStore(later).close()
    with sqlite3.connect(later) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(InvalidValueError, match="later version"):
        MessageStore(later)
