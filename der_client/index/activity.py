"""Events and transactions, a page at a time."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from der_client.index.answers import EventRow, TransactionRow
from der_client.index.reading import same, where
from der_client.index.schema import EVENT_TABLES, blocks, events, transactions
from der_client.index.table import Table, plain
from der_client.stacks.contract.events import EventRecord
from der_client.stacks.errors import InvalidValueError

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Row

    from der_client.index.reading import Reader

MOST_ROWS: Final = 10_000
"""How many rows are listed at once."""
_EVENT_OF_TOPIC: Final = {event.topic: event for event in EVENT_TABLES}


def events_of(
    reader: Reader,
    *,
    topic: str | None = None,
    asset_id: int | None = None,
    actor: str | None = None,
    offer_id: int | None = None,
    payment_id: int | None = None,
    day: date | None = None,
    txid: str | None = None,
    after: int = 0,
    before: int | None = None,
    limit: int = 100,
    newest_first: bool = False,
) -> Table[EventRow]:
    """List events; see ``Index.events``."""
    query = where(
        select(events, blocks.c.time).join(blocks, blocks.c.height == events.c.height),
        same(events.c.topic, topic),
        same(events.c.asset_id, asset_id),
        same(events.c.actor, actor),
        same(events.c.offer_id, offer_id),
        same(events.c.payment_id, payment_id),
        same(events.c.day, day),
        same(events.c.txid, txid),
        events.c.id > after,
        None if before is None else events.c.id < before,
    ).limit(_checked(limit))
    rows = reader.all(query.order_by(events.c.id.desc() if newest_first else events.c.id))
    printed = _printed(reader, rows)
    return Table(EventRow, (_event(row, printed[row.id]) for row in rows))


def records_of(
    reader: Reader, deployer: str, *, contract: str | None, topic: str | None, asset_id: int | None, limit: int
) -> tuple[EventRecord, ...]:
    """List the last events, typed; see ``Index.event_records``."""
    query = where(
        select(events, blocks.c.time).join(blocks, blocks.c.height == events.c.height),
        same(events.c.contract, contract),
        same(events.c.topic, topic),
        same(events.c.asset_id, asset_id),
    )
    rows = reader.all(query.order_by(events.c.id.desc()).limit(limit))
    printed = _printed(reader, rows)
    return tuple(
        EventRecord(
            event=_EVENT_OF_TOPIC[row.topic](**printed[row.id]),
            contract_id=f"{deployer}.{row.contract}",
            txid=row.txid,
            event_index=row.event_index,
            block_height=row.height,
            block_time=row.time,
        )
        for row in reversed(rows)
    )


def _event(row: Row[Any], printed: dict[str, Any]) -> EventRow:
    place = {name: getattr(row, name) for name in EventRow.__slots__ if name != "fields"}
    return EventRow(**place, fields=plain(printed))


def _printed(reader: Reader, rows: Any) -> dict[int, dict[str, Any]]:
    """Read what was printed, topic by topic."""
    by_topic: defaultdict[str, list[int]] = defaultdict(list)
    for row in rows:
        by_topic[row.topic].append(row.id)
    found: dict[int, dict[str, Any]] = {}
    for topic, ids in by_topic.items():
        table = EVENT_TABLES[_EVENT_OF_TOPIC[topic]]
        names = [column.name for column in table.columns if column.name != "event_id"]
        for first in range(0, len(ids), 500):
            for row in reader.all(select(table).where(table.c.event_id.in_(ids[first : first + 500]))):
                found[row.event_id] = {name: getattr(row, name) for name in names}
    return found


def transactions_of(
    reader: Reader,
    *,
    txid: str | None = None,
    sender: str | None = None,
    before_height: int | None = None,
    limit: int = 100,
) -> Table[TransactionRow]:
    """List transactions, newest first; see ``Index.transactions``."""
    query = where(
        select(transactions, blocks.c.time).join(blocks, blocks.c.height == transactions.c.height),
        None if txid is None else transactions.c.txid == txid.removeprefix("0x").lower(),
        same(transactions.c.sender, sender),
        None if before_height is None else transactions.c.height < before_height,
    )
    query = query.order_by(transactions.c.height.desc(), transactions.c.tx_index.desc()).limit(_checked(limit))
    names = TransactionRow.__slots__
    return Table(TransactionRow, (TransactionRow(*(getattr(row, name) for name in names)) for row in reader.all(query)))


def _checked(limit: int) -> int:
    if not 1 <= limit <= MOST_ROWS:
        raise InvalidValueError(f"limit must be 1 to {MOST_ROWS}, got {limit!r}")
    return limit
