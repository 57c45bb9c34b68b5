"""Production by slot, day and month."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from der_client.contracts.production_tracking import DayState
from der_client.index.answers import DayBookRow, DayEnergy, MonthEnergy, SlotEnergy
from der_client.index.delivery import Deliveries
from der_client.index.reading import same, table, where, within
from der_client.index.schema import events, recordings
from der_client.index.table import Table
from der_client.readings.slots import day_start, mask_slots, slots_per_day

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Row

    from der_client.index.reading import Reader


def days(reader: Reader, asset_id: int | None, from_day: date, to_day: date) -> Table[DayEnergy]:
    """List the days with something recorded; see ``Index.production``."""
    rows = _rows(reader, "day", asset_id, from_day, to_day)
    slots = {of: slots_per_day(row.slot_seconds) for of, row in reader.by_asset("asset", asset_id).items()}
    feeds = {(row.asset_id, row.day): row for row in _rows(reader, "feed", asset_id, from_day, to_day)}
    books = {(row.asset_id, row.day): row for row in _rows(reader, "day_book", asset_id, from_day, to_day)}
    deliveries = Deliveries(reader, [(row.asset_id, row.day) for row in rows])

    def energy(row: Row[Any]) -> DayEnergy:
        feed, book = feeds.get((row.asset_id, row.day)), books.get((row.asset_id, row.day))
        return DayEnergy(
            asset_id=row.asset_id,
            day=row.day,
            state=row.state,
            wh=row.wh,
            slots_recorded=row.mask.bit_count(),
            slots_total=slots[row.asset_id],
            exported_wh=None if feed is None else feed.exported_wh,
            imported_wh=None if feed is None else feed.imported_wh,
            feed_verified=None if feed is None else feed.verified,
            deliverable_wh=deliveries.deliverable_wh(row.asset_id, row.day),
            sold_wh=0 if book is None else book.forward_funded_wh + book.spot_sold_wh,
            retired_wh=0 if book is None else book.retired_wh,
        )

    return Table(DayEnergy, map(energy, rows))


def months(reader: Reader, asset_id: int | None, from_day: date, to_day: date) -> Table[MonthEnergy]:
    """Sum days up by month; see ``Index.production``."""
    sums: defaultdict[tuple[int, date], list[int]] = defaultdict(lambda: [0] * 6)
    for row in _rows(reader, "day", asset_id, from_day, to_day):
        is_verified = row.state is DayState.VERIFIED
        own = sums[row.asset_id, row.day.replace(day=1)]
        for place, amount in enumerate((row.wh, row.wh if is_verified else 0, 1, int(is_verified))):
            own[place] += amount
    for row in _rows(reader, "day_book", asset_id, from_day, to_day):
        own = sums[row.asset_id, row.day.replace(day=1)]
        own[4] += row.forward_funded_wh + row.spot_sold_wh
        own[5] += row.retired_wh
    return Table(MonthEnergy, (MonthEnergy(*key, *sums[key]) for key in sorted(sums)))


def slots(reader: Reader, asset_id: int | None, from_day: date, to_day: date) -> Table[SlotEnergy]:
    """List every slot of the days with something recorded; see ``Index.production``."""
    lengths = {of: row.slot_seconds for of, row in reader.by_asset("asset", asset_id).items()}
    found: defaultdict[tuple[int, date], list[Row[Any]]] = defaultdict(list)
    query = where(
        select(recordings, events.c.txid).join(events, events.c.id == recordings.c.event_id),
        within(recordings.c.day, from_day, to_day),
        same(recordings.c.asset_id, asset_id),
        reader.printed(),
    )
    for row in reader.all(query.order_by(recordings.c.event_id)):
        found[row.asset_id, row.day].append(row)
    return Table(
        SlotEnergy, (slot for key in sorted(found) for slot in _slots_of_day(*key, lengths[key[0]], found[key]))
    )


def _slots_of_day(asset_id: int, day: date, slot_seconds: int, rows: list[Row[Any]]) -> Iterator[SlotEnergy]:
    by_slot: dict[int, tuple[Row[Any] | None, int | None]] = {}
    for recording in rows:
        known = dict(enumerate(recording.slot_wh or (), recording.first_slot or 0))
        by_slot |= {slot: (recording, known.get(slot)) for slot in mask_slots(recording.mask)}
    midnight = day_start(day)
    length = timedelta(seconds=slot_seconds)
    for slot in range(slots_per_day(slot_seconds)):
        row, wh = by_slot.get(slot, (None, None))
        start = midnight + slot * length
        source = None if row is None else _source(row)
        txid = None if row is None else row.txid
        yield SlotEnergy(asset_id, day, slot, start, start + length, wh, row is not None, source, txid)


def _source(row: Row[Any]) -> str:
    if row.root_id is not None:
        return "root"
    return "meter" if row.signed else "oracle"


def day_books(reader: Reader, asset_id: int | None, from_day: date, to_day: date) -> Table[DayBookRow]:
    """List how much of each day is open, funded, sold and retired; see ``Index.day_books``."""
    rows = _rows(reader, "day_book", asset_id, from_day, to_day)
    deliveries = Deliveries(reader, [(row.asset_id, row.day) for row in rows])
    return Table(
        DayBookRow,
        (
            DayBookRow(
                asset_id=row.asset_id,
                day=row.day,
                asset_epoch=row.epoch,
                forward_open_wh=row.forward_open_wh,
                forward_funded_wh=row.forward_funded_wh,
                spot_open_wh=row.spot_open_wh,
                spot_sold_wh=row.spot_sold_wh,
                retired_wh=row.retired_wh,
                deliverable_wh=deliveries.deliverable_wh(row.asset_id, row.day),
            )
            for row in rows
        ),
    )


def _rows(reader: Reader, name: str, asset_id: int | None, from_day: date, to_day: date) -> list[Row[Any]]:
    history = table(name)
    return list(reader.rows(name, within(history.c.day, from_day, to_day), same(history.c.asset_id, asset_id)))
