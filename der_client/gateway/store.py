"""A gateway's messages, in SQLite: on disk before they are acknowledged, and kept until they are on the chain."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import TYPE_CHECKING, Final, Self

from der_client.readings.signing import DayMessage
from der_client.stacks.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from os import PathLike

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS messages (
    id TEXT PRIMARY KEY,
    asset_id TEXT NOT NULL,
    day TEXT NOT NULL,
    message TEXT NOT NULL,
    source TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    txids TEXT NOT NULL DEFAULT '',
    received_at REAL NOT NULL,
    changed_at REAL NOT NULL,
    due_at REAL NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS messages_due ON messages (due_at) WHERE state = 'waiting';
"""
_VERSION: Final = 1


class MessageState(StrEnum):
    """The state of a message."""

    WAITING = "waiting"
    """It will be relayed, for the first time or again."""
    RECORDED = "recorded"
    """All of it is on the chain."""
    CONFLICTING = "conflicting"
    """The chain has other values; a verifier has to look into it."""
    UNCHECKED = "unchecked"
    """Its slots are on the chain, recorded together with others, so that nobody can compare them."""
    REFUSED = "refused"
    """The contract would refuse it, or did, for good."""

    @property
    def is_final(self) -> bool:
        """Whether nothing more is done for it."""
        return self is not MessageState.WAITING


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message that was taken.

    Attributes:
        id: The hash that the meter signed, in hexadecimal.
        message: The message.
        source: How it arrived, such as ``http`` or the topic.
        state: Its state.
        reason: The reason, for people.
        txids: The transactions that were sent for it.
        received_at: When it arrived, unix seconds.
    """

    id: str
    message: DayMessage
    source: str
    state: MessageState
    reason: str
    txids: tuple[str, ...]
    received_at: float


class MessageStore:
    """The messages of a gateway, in a file of its own; a context manager.

    Args:
        path: The file, created if it does not exist; ``":memory:"`` for tests.

    Raises:
        InvalidValueError: If the file is something else, or of a later version.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self._lock = Lock()
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")  # an acknowledged message survives a loss of power
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > _VERSION:
                raise InvalidValueError(f"{path} was written by a later version of the gateway")
            self._db.executescript(_SCHEMA)
            self._db.execute(f"PRAGMA user_version = {_VERSION}")
        except sqlite3.Error as error:
            raise InvalidValueError(f"{path} cannot be used as the gateway's store: {error}") from error

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def add(self, messages: Iterable[DayMessage], source: str) -> list[bool]:
        """Write messages to disk, all or none.

        Args:
            messages: The messages; each is identified by the hash that its meter signed.
            source: How they arrived.

        Returns:
            For each message, whether it is new.
        """
        now = time.time()
        rows = [
            {
                "id": message.digest.hex(),
                "asset_id": str(message.asset_id),
                "day": message.day.isoformat(),
                "message": message.to_json(),
                "source": source,
                "now": now,
            }
            for message in messages
        ]
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                added = [
                    self._db.execute(
                        "INSERT INTO messages "
                        "(id, asset_id, day, message, source, state, received_at, changed_at, due_at) "
                        "VALUES (:id, :asset_id, :day, :message, :source, 'waiting', :now, :now, :now) "
                        "ON CONFLICT (id) DO NOTHING",
                        row,
                    ).rowcount
                    == 1
                    for row in rows
                ]
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        return added

    def get(self, message_id: str) -> StoredMessage | None:
        """Return a message, or ``None`` if it never arrived."""
        with self._lock:
            row = self._db.execute(f"SELECT {_COLUMNS} FROM messages WHERE id = ?", (message_id,)).fetchone()  # noqa: S608
        return None if row is None else _message(row)

    def due(self, limit: int) -> list[StoredMessage]:
        """Return messages that are to be relayed now, the oldest first."""
        with self._lock:
            rows = self._db.execute(
                f"SELECT {_COLUMNS} FROM messages WHERE state = 'waiting' AND due_at <= ? ORDER BY due_at, received_at "  # noqa: S608
                "LIMIT ?",
                (time.time(), limit),
            ).fetchall()
        return [_message(row) for row in rows]

    def set_state(
        self,
        message_id: str,
        state: MessageState,
        reason: str = "",
        txids: Sequence[str] = (),
        *,
        again_in_s: float = 0,
    ) -> None:
        """Store the state of a message.

        Args:
            message_id: Its id.
            state: Its state.
            reason: The reason.
            txids: The transactions sent for it now; earlier ones are kept as well.
            again_in_s: When it is due again, if it waits.
        """
        now = time.time()
        with self._lock:
            row = self._db.execute("SELECT txids FROM messages WHERE id = ?", (message_id,)).fetchone()
            before = [] if row is None else row[0].split()
            both = " ".join(dict.fromkeys([*before, *txids]))
            self._db.execute(
                "UPDATE messages SET state = ?, reason = ?, txids = ?, changed_at = ?, due_at = ? WHERE id = ?",
                (str(state), reason, both, now, now + again_in_s, message_id),
            )

    def counts(self) -> dict[MessageState, int]:
        """Return how many messages are in each state."""
        with self._lock:
            rows = self._db.execute("SELECT state, count(*) FROM messages GROUP BY state").fetchall()
        found = {MessageState(state): int(count) for state, count in rows}
        return {state: found.get(state, 0) for state in MessageState}

    def forget(self, older_than_s: float) -> int:
        """Delete messages that need nothing more and have not changed for so long; return how many."""
        with self._lock:
            done = self._db.execute(
                "DELETE FROM messages WHERE state IN ('recorded', 'refused', 'unchecked') AND changed_at < ?",
                (time.time() - older_than_s,),
            )
        return done.rowcount


_COLUMNS: Final = "id, message, source, state, reason, txids, received_at"


def _message(row: tuple[str, str, str, str, str, str, float]) -> StoredMessage:
    message_id, message, source, state, reason, txids, received_at = row
    return StoredMessage(
        message_id,
        DayMessage.from_json(message),
        source,
        MessageState(state),
        reason,
        tuple(txids.split()),
        received_at,
    )
