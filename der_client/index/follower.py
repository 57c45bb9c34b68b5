"""Follows a chain: writes what is new, undoes what a fork replaced, and lets only one follower write at a time."""

from __future__ import annotations

import logging
import os
import socket
import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self

from sqlalchemy import func, insert, select, update

from der_client.index.chain_reader import ChainMovedError, ChainReader, Mark
from der_client.index.database import Database, read_about, write_about
from der_client.index.errors import IndexDatabaseError, LeaseHeldError
from der_client.index.schema import CONTRACT_OF_EVENT, blocks, events, lease
from der_client.index.writer import Writer, undo
from der_client.stacks.errors import NodeError
from der_client.stacks.network import networks_of_chain
from der_client.stacks.rpc.watching import SILENCE_S, pause_after_s

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path
    from threading import Event as Signal

    from sqlalchemy.engine import Connection

    from der_client.der import Der
    from der_client.index.chain_data import ChainBlock, FilledBlock
    from der_client.stacks.rpc.block_signals import BlockListener

_LOG: Final = logging.getLogger(__name__)
DEFAULT_LEASE_S: Final = 15.0
"""How long other followers wait for one that has stopped writing, s."""
_EVENTS_PER_BATCH: Final = 2_000
_FIRST_PAUSE_S: Final = 0.01
_LONGEST_PAUSE_S: Final = 0.5
_STOPPING_S: Final = 0.25
"""How long it may take to see that it has to end, s."""
_FAILURE_S: Final = 1.0
"""How soon, at most, a node that failed is asked again the first times, s."""
_MOST_MOVES: Final = 20
"""How many times in a row the chain may change while it is read before this is an error."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an index has got.

    Attributes:
        height: The newest block that it knows; -1 if none.
        block_time: That block's time; ``None`` if there is none.
        tip_height: The newest block of the chain.
        events: How many events were added.
        transactions: How many transactions were added.
        undone_from: The lowest height that a fork has replaced, if any.
    """

    height: int
    block_time: datetime | None
    tip_height: int
    events: int = 0
    transactions: int = 0
    undone_from: int | None = None


class Follower:
    """Keeps an index up to date with a chain.

    Several can run on one index, on several machines: one works, the others wait.

    Args:
        der: The contracts on a network.
        place: The index: a path (SQLite) or a URL (``postgresql://user:password@host/database``).
        rebuild: Whether to discard its content first.
        lease_s: How long others wait for this one after it is killed, s.

    Raises:
        IndexVersionError: If another version made it.
        IndexDatabaseError: If it cannot be opened, or indexes other contracts.
        MissingExtraError: If a Postgres database is named without the extra ``postgres``.
    """

    def __init__(self, der: Der, place: str | Path, *, rebuild: bool = False, lease_s: float = DEFAULT_LEASE_S) -> None:
        self._client = der.client
        self._reader = ChainReader(der.client, der.deployer)
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
        self._writer = Writer()
        self._marks: dict[str, Mark] | None = None  # None: still to be read from the database
        self._last: tuple[int, str] | None = None
        self._lease_s = lease_s
        self._renew_at = 0.0
        self._told = ""
        self._undescribed = 0
        self._database = Database(place, writable=True, rebuild=rebuild)
        try:
            self._belongs_to(network=str(der.client.network.chain_id), deployer=der.deployer)
        except BaseException:
            self._database.close()
            raise

    @property
    def place(self) -> str:
        """Where the index is, without a password."""
        return self._database.name

    def is_of_another_chain(self) -> bool:
        """Return whether it has events, and not even its first block is in the chain.

        A fork replaces only the last blocks. Following such a chain discards everything that is indexed.

        Raises:
            IndexDatabaseError: If the database fails.
            NodeError: If the API could not be read.
        """
        with self._database.transaction("be read") as connection:
            has_events = connection.execute(select(events.c.id).limit(1)).first() is not None
            first = connection.execute(select(blocks.c.height, blocks.c.hash).order_by(blocks.c.height)).first()
        return has_events and first is not None and self._reader.hash_at(first.height) != first.hash

    def run_once(
        self, on_progress: Callable[[Progress], object] | None = None, *, stop: Signal | None = None
    ) -> Progress:
        """Catch up with the chain, and return.

        Args:
            on_progress: Called after each batch, and when blocks were taken out.
            stop: Set this to end after the current batch.

        Raises:
            LeaseHeldError: If another indexer works on it.
            UnknownEventError: If a contract printed something that this version of the library does not know.
            IndexDatabaseError: If the database fails, or does not fit the chain.
            NodeError: If the API could not be read; what was written stays.
        """
        undone_from: int | None = None
        told: Progress | None = None
        new_events = new_transactions = 0
        for moves in range(_MOST_MOVES):
            if moves:
                # A replica may be behind, or a fork may continue.
                time.sleep(min(_FIRST_PAUSE_S * 2**moves, _LONGEST_PAUSE_S))
            tip = self._reader.tip()
            if self._marks is not None and self._last == (tip.height, tip.hash) and time.monotonic() < self._renew_at:
                return Progress(tip.height, tip.time, tip.height, new_events, new_transactions, undone_from)
            try:
                undone = self._undo_fork(tip)
                undone_from = min((height for height in (undone, undone_from) if height is not None), default=None)
                tip = self._newest(tip if undone is None else self._reader.tip())
                for progress in self._catch_up(tip):
                    new_events += progress.events
                    new_transactions += progress.transactions
                    total = replace(progress, events=new_events, transactions=new_transactions, undone_from=undone_from)
                    told = total
                    if on_progress is not None:
                        on_progress(total)
                    if stop is not None and stop.is_set():
                        return total
            except ChainMovedError as error:
                _LOG.info("reading again: %s", error)
                self._marks = None
                continue
            self._describe(new_events)
            total = Progress(tip.height, tip.time, tip.height, new_events, new_transactions, undone_from)
            if on_progress is not None and undone_from is not None and told != total:
                on_progress(total)  # blocks were taken out, and none came in their place yet
            return total
        raise IndexDatabaseError(
            "does not match the chain, or the chain kept changing: rebuild it with `der index --rebuild`",
            self._database.name,
        )

    def _describe(self, new_events: int) -> None:
        """Update SQLite's statistics, by which it plans queries; Postgres does this by itself."""
        self._undescribed += new_events
        if self._database.is_postgres or self._undescribed < max(_EVENTS_PER_BATCH, self._writer.event_count // 2):
            return
        with self._database.transaction("be written") as connection:
            connection.exec_driver_sql("ANALYZE")
        self._undescribed = 0

    def follow(
        self, stop: Signal, *, poll_s: float = 1.0, on_progress: Callable[[Progress], object] | None = None
    ) -> None:
        """Keep up with the chain until ``stop`` is set.

        A new block is read as soon as the API announces it over its WebSocket (extra ``stream``). Where it announces
        none, it is asked.

        Args:
            stop: Set this to end.
            poll_s: How often to look for a new block if none is announced, s.
            on_progress: Called when something was added or undone.

        Raises:
            UnknownEventError: If a contract printed something that this version of the library does not know.
            IndexDatabaseError: If the database fails, or does not fit the chain.
        """
        failures = 0
        with self._client.listen_for_blocks() as announced:
            while not stop.is_set():
                try:
                    height = self.run_once(on_progress, stop=stop).height
                except LeaseHeldError as error:
                    self._tell("waiting: %s", error)
                    stop.wait(poll_s)
                except NodeError as error:
                    failures += 1
                    self._tell("the node could not be read, trying again: %s", error)
                    stop.wait(pause_after_s(error, failures, min(poll_s, _FAILURE_S)))
                else:
                    failures, self._told = 0, ""
                    self._wait(announced, stop, height, poll_s)

    def _wait(self, announced: BlockListener, stop: Signal, height: int, poll_s: float) -> None:
        """Wait until it is time to look for blocks above a height; hold the lease meanwhile."""
        # One of several replicas of the API may announce what another does not have yet.
        is_trusted = announced.are_announced and announced.height <= height
        end = time.monotonic() + (max(poll_s, SILENCE_S) if is_trusted else poll_s)
        while not stop.is_set() and self._keeps_lease():
            left_s = end - time.monotonic()
            if left_s <= 0 or announced.wait(min(left_s, _STOPPING_S)):
                return

    def _keeps_lease(self) -> bool:
        """Hold the lease for longer when that is due; say whether it is still ours."""
        if time.monotonic() < self._renew_at:
            return True
        try:
            with self._database.transaction("be written") as connection:
                self._hold(connection)
        except (LeaseHeldError, ChainMovedError):
            return False
        return True

    def _tell(self, text: str, error: Exception) -> None:
        """Log why nothing is done, once for each change of the reason."""
        if str(error) != self._told:
            self._told = str(error)
            _LOG.warning(text, error)

    def close(self) -> None:
        """Let another indexer work, and close the connections."""
        try:
            with self._database.transaction("be written") as connection:
                connection.execute(update(lease).where(lease.c.owner == self._owner).values(until=0.0))
        except IndexDatabaseError as error:
            _LOG.info("the lease runs out by itself: %s", error)
        self._database.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def _belongs_to(self, **identity: str) -> None:
        with self._database.transaction("be opened") as connection:
            known = read_about(connection)
            for name, value in identity.items():
                if known.setdefault(name, value) != value:
                    raise IndexDatabaseError(
                        f"is for another {name} ({_named(name, known[name])}, not {_named(name, value)}): give another "
                        "index with --database, or rebuild this one with `der index --rebuild`",
                        self._database.name,
                    )
                write_about(connection, name, value)

    def _undo_fork(self, tip: ChainBlock) -> int | None:
        """Undo what is no longer in the chain.

        Args:
            tip: The newest block of the chain.

        Returns:
            The lowest height that was undone, or ``None``.

        Raises:
            ChainMovedError: If the API has later blocks, but not the last indexed one.
        """
        last = self._last
        if self._marks is None or time.monotonic() >= self._renew_at:
            with self._database.transaction("be read") as connection:
                self._hold(connection)
                if self._marks is None:
                    self._read_place(connection)
                last = self._last
        if last is None:
            return None
        found = self._reader.hash_at(last[0])
        if found == last[1]:
            return None
        if found is None and tip.height >= last[0]:  # one of several replicas of the API is behind
            raise ChainMovedError(f"the API knows block {tip.height}, but not block {last[0]}")
        ancestor = self._common_ancestor()
        with self._database.transaction("be written") as connection:
            self._hold(connection)
            undo(connection, ancestor)
            self._read_place(connection)
        _LOG.warning("a fork replaced the blocks above %s; they were undone", ancestor)
        return ancestor + 1

    def _newest(self, tip: ChainBlock) -> ChainBlock:
        """Return the newest block of the chain, or the last one that the index has where that is newer.

        Args:
            tip: What the API said. Meanwhile the chain may have grown, or one of several replicas is behind.

        Raises:
            ChainMovedError: If the chain does not have the last block of the index.
        """
        if self._last is None or tip.height > self._last[0]:
            return tip
        known = self._reader.block_at(self._last[0])
        if known is None or known.hash != self._last[1]:
            raise ChainMovedError(f"block {self._last[0]} was {self._last[1]} and is not any more")
        return known

    def _common_ancestor(self) -> int:
        """Return the height of the newest indexed block that is in the chain; -1 if none is."""
        with self._database.transaction("be read") as connection:
            known = connection.execute(select(blocks.c.height, blocks.c.hash).order_by(blocks.c.height)).all()
        low, high = 0, len(known)  # those before `low` are in the chain, those from `high` on are not
        while low < high:
            middle = (low + high) // 2
            height, block_hash = known[middle]
            if self._reader.hash_at(height) == block_hash:
                low = middle + 1
            else:
                high = middle
        return -1 if low == 0 else int(known[low - 1][0])

    def _read_place(self, connection: Connection) -> None:
        """Read from the database how far the index has got."""
        self._writer.read_count(connection)
        row = connection.execute(
            select(blocks.c.height, blocks.c.hash).order_by(blocks.c.height.desc()).limit(1)
        ).first()
        self._last = None if row is None else (row.height, row.hash)
        printed = select(events.c.contract, func.count()).group_by(events.c.contract)
        counts: dict[str, int] = {name: count for name, count in connection.execute(printed)}  # noqa: C416 - rows
        newest = select(func.max(events.c.id)).group_by(events.c.contract)
        lasts = {
            row.contract: (row.txid, row.event_index)
            for row in connection.execute(
                select(events.c.contract, events.c.txid, events.c.event_index).where(events.c.id.in_(newest))
            )
        }
        self._marks = {name: Mark(counts.get(name, 0), lasts.get(name)) for name in self._reader.contract_ids}

    def _catch_up(self, tip: ChainBlock) -> Iterator[Progress]:
        if self._last == (tip.height, tip.hash):
            return
        assert self._marks is not None  # noqa: S101 - `_undo_fork` comes first
        batch: list[FilledBlock] = []
        size = 0
        for filled in self._reader.blocks(dict(self._marks), tip):
            batch.append(filled)
            size += sum(len(transaction.printed) for transaction in filled.transactions)
            if size >= _EVENTS_PER_BATCH:
                yield self._write(batch, tip, size, is_last=False)
                batch, size = [], 0
        yield self._write(batch, tip, size, is_last=True)

    def _write(self, batch: list[FilledBlock], tip: ChainBlock, size: int, *, is_last: bool) -> Progress:
        self._reader.require(tip)
        try:
            with self._database.transaction("be written") as connection:
                self._hold(connection)
                self._writer.write(connection, batch, tip if is_last else None)
        except BaseException:
            self._marks = None
            self._writer.forget()
            raise
        last = tip if is_last else batch[-1].block
        self._last = (last.height, last.hash)
        self._advance(batch)
        transactions = sum(len(filled.transactions) for filled in batch)
        return Progress(last.height, last.time, tip.height, size, transactions)

    def _advance(self, batch: list[FilledBlock]) -> None:
        assert self._marks is not None  # noqa: S101 - used by this class only
        for filled in batch:
            for transaction in filled.transactions:
                for printed in transaction.printed:
                    name = CONTRACT_OF_EVENT[type(printed.event)]
                    mark = self._marks[name]
                    self._marks[name] = Mark(mark.printed + 1, (transaction.txid, printed.event_index))

    def _hold(self, connection: Connection) -> None:
        """Take the lease, or renew it.

        Raises:
            LeaseHeldError: If another has it.
        """
        now = self._database.now(connection)
        values: dict[str, Any] = {"owner": self._owner, "until": now + self._lease_s}
        row = connection.execute(select(lease).with_for_update()).one_or_none()
        is_ours = row is not None and row.owner == self._owner
        if row is not None and not is_ours and row.until > now:
            raise LeaseHeldError(f"is being written by another indexer ({row.owner})", self._database.name)
        if not is_ours and self._marks is not None:
            self._marks = None
            raise ChainMovedError("another indexer wrote or rebuilt it meanwhile")
        connection.execute((insert(lease) if row is None else update(lease)).values(id=1, **values))
        self._renew_at = time.monotonic() + self._lease_s / 3


def _named(kind: str, value: str) -> str:
    """Write a network's chain id with the names of the networks that have it, and anything else as it is."""
    if kind != "network" or not value.isdecimal():
        return value
    return " or ".join(network.name for network in networks_of_chain(int(value))) or f"chain id {value}"
