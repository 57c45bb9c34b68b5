"""Writes blocks into an index, and undoes them. Each call is part of one transaction of the database."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, select

from der_client.contracts.production_tracking import ProductionRecorded
from der_client.index import reducer
from der_client.index.bulk import insert_rows
from der_client.index.recordings import SlotsOfCall
from der_client.index.schema import (
    CONTRACT_OF_EVENT,
    EVENT_TABLES,
    blocks,
    events,
    recordings,
    transactions,
)
from der_client.index.versions import Versions, undo_above
from der_client.stacks.clarity import decode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

    from der_client.index.chain_data import ChainBlock, ChainTransaction, FilledBlock, Printed

_MOST_RESULT: Final = 2_000
"""Characters of a result that are kept as text."""
_DEEP: Final = 1_000
"""How far below the newest block those without prints are kept, to find where a fork began."""


class Writer:
    """Writes blocks.

    Attributes:
        event_count: How many events the index has.
    """

    def __init__(self) -> None:
        self.event_count = 0
        self._cleared_below = 0
        self._versions = Versions()
        self._rows: defaultdict[Table, list[dict[str, Any]]] = defaultdict(list)

    def read_count(self, connection: Connection) -> None:
        """Read how far the index has got: another process may have written, or this one may have failed to."""
        self.forget()
        self.event_count = connection.execute(select(func.coalesce(func.max(events.c.id), 0))).scalar_one()

    def forget(self) -> None:
        """Forget what was not written, and the whole state."""
        self._versions.forget()
        self._rows.clear()

    def write(self, connection: Connection, filled: Iterable[FilledBlock], tip: ChainBlock | None = None) -> None:
        """Write blocks.

        Args:
            connection: A transaction of the database.
            filled: Blocks above those that the index has, in order.
            tip: The newest block, if nothing was printed between the last of these and the tip.
        """
        filled = list(filled)
        self._versions.begin(connection)
        self._versions.load(
            wanted
            for each in filled
            for transaction in each.transactions
            for printed in transaction.printed
            for wanted in reducer.rows_read_by(printed.event)
        )
        for each in filled:
            self._add_block(each)
        last = filled[-1].block.height if filled else -1
        if tip is not None and tip.height > last:
            self._rows[blocks].append(_block_row(tip))
        for table, rows in self._rows.items():
            insert_rows(connection, table, rows)
        self._rows.clear()
        self._versions.flush()
        if tip is not None and tip.height - _DEEP > self._cleared_below:
            self._forget_empty_blocks(connection, tip.height - _DEEP)

    def _forget_empty_blocks(self, connection: Connection, below: int) -> None:
        """Forget old blocks in which nothing was printed: they only serve to find where a fork began."""
        printed = select(events.c.height).where(events.c.height == blocks.c.height)
        old = (blocks.c.height >= self._cleared_below) & (blocks.c.height < below)
        connection.execute(delete(blocks).where(old, ~printed.exists()))
        self._cleared_below = below

    def _add_block(self, filled: FilledBlock) -> None:
        height = filled.block.height
        self._versions.height = height
        self._rows[blocks].append(_block_row(filled.block))
        for transaction in filled.transactions:
            self._rows[transactions].append(_transaction_row(transaction, height))
            slots = SlotsOfCall(transaction)
            for printed in transaction.printed:
                self._add_event(transaction, printed, height, slots)

    def _add_event(self, transaction: ChainTransaction, printed: Printed, height: int, slots: SlotsOfCall) -> None:
        self.event_count += 1
        event = printed.event
        kind = type(event)
        fields = vars(event)
        self._rows[events].append(
            {
                "id": self.event_count,
                "height": height,
                "tx_index": transaction.tx_index,
                "event_index": printed.event_index,
                "txid": transaction.txid,
                "contract": CONTRACT_OF_EVENT[kind],
                "topic": kind.topic,
                "asset_id": fields.get("asset_id"),  # this and what follows: where the event has it
                "day": fields.get("day"),
                "offer_id": fields.get("offer_id"),
                "payment_id": fields.get("payment_id"),
                "actor": fields.get("actor"),
            }
        )
        self._rows[EVENT_TABLES[kind]].append({"event_id": self.event_count} | fields)
        if kind is ProductionRecorded:
            self._rows[recordings].append(_recording_row(self.event_count, event, slots))
        reducer.apply(self._versions, event)


def undo(connection: Connection, height: int) -> None:
    """Undo all blocks above a height, and what they changed.

    Args:
        connection: A transaction of the database.
        height: The height of the last block that stays; -1 if none does.
    """
    last = connection.execute(
        select(func.coalesce(func.max(events.c.id), 0)).where(events.c.height <= height)
    ).scalar_one()
    for table in EVENT_TABLES.values():
        connection.execute(delete(table).where(table.c.event_id > last))
    connection.execute(delete(recordings).where(recordings.c.event_id > last))
    for table in (events, transactions, blocks):
        connection.execute(delete(table).where(table.c.height > height))
    undo_above(connection, height)


def _block_row(block: ChainBlock) -> dict[str, Any]:
    return {
        "height": block.height,
        "hash": block.hash,
        "parent_hash": block.parent_hash,
        "time": block.time,
        "burn_height": block.burn_height,
    }


def _transaction_row(transaction: ChainTransaction, height: int) -> dict[str, Any]:
    cost = transaction.cost
    return {
        "txid": transaction.txid,
        "height": height,
        "tx_index": transaction.tx_index,
        "sender": transaction.sender,
        "contract_id": transaction.contract_id,
        "function": transaction.function,
        "status": transaction.status,
        "result": str(decode(transaction.result))[:_MOST_RESULT],
        "fee_ustx": transaction.fee_ustx,
        "read_count": cost and cost.read_count,
        "read_length": cost and cost.read_length_bytes,
        "runtime": cost and cost.runtime,
        "write_count": cost and cost.write_count,
        "write_length": cost and cost.write_length_bytes,
        "events": len(transaction.printed),
    }


def _recording_row(event_id: int, event: Any, slots: SlotsOfCall) -> dict[str, Any]:
    known = slots.of(event)
    return {
        "event_id": event_id,
        "asset_id": event.asset_id,
        "day": event.day,
        "signed": event.signed,
        "root_id": event.root_id,
        "mask": event.mask,
        "wh": event.wh,
        "first_slot": known and known.first_slot,
        "slot_wh": known and known.whs,
    }
