"""Certificates: energy that was claimed for a beneficiary, by its buyer or by the plant's owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from der_client.contracts.market_participation import EnergyRetired
from der_client.contracts.settlement import EnergyClaimed
from der_client.index.answers import Certificate
from der_client.index.reading import WHOLE, Part, same, table, where, within
from der_client.index.schema import EVENT_TABLES, blocks, events
from der_client.index.table import Table
from der_client.readings.slots import mask_slots

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Row

    from der_client.index.reading import Reader

_KINDS: Final = {
    "claim": (EVENT_TABLES[EnergyClaimed], "claim_id"),
    "retirement": (EVENT_TABLES[EnergyRetired], "retirement_id"),
}


def certificates(
    reader: Reader,
    *,
    beneficiary: str | None = None,
    from_day: date | None = None,
    to_day: date | None = None,
    asset_id: int | None = None,
    claimant: str | None = None,
    only: tuple[str, int] | None = None,
    page: Part = WHOLE,
) -> Table[Certificate]:
    """List certificates, oldest first; see ``Index.certificates``."""
    asset = table("asset")
    found: list[Certificate] = []
    for kind, (printed, number) in _KINDS.items():
        if only is not None and only[0] != kind:
            continue
        rows = (
            select(
                printed,
                *(events.c[name] for name in ("height", "txid", "event_index")),
                blocks.c.time,
                *(asset.c[name] for name in ("kind", "slot_seconds", "location", "region", "capacity_w")),
            )
            .join(events, events.c.id == printed.c.event_id)
            .join(blocks, blocks.c.height == events.c.height)
        )
        query = where(
            reader.with_plant(rows, printed.c.asset_id),
            same(printed.c.beneficiary, beneficiary),
            same(printed.c.asset_id, asset_id),
            same(printed.c.actor, claimant),
            within(printed.c.day, from_day, to_day),
            reader.printed(),
            None if only is None else printed.c[number] == only[1],
        )
        found += [_certificate(row, kind, number) for row in reader.all(page.of(query, printed.c.event_id))]
    found.sort(key=lambda certificate: certificate.event_id, reverse=page.newest_first)
    return Table(Certificate, found[: page.limit])


def _certificate(row: Row[Any], kind: str, number: str) -> Certificate:
    return Certificate(
        kind=kind,
        id=getattr(row, number),
        asset_id=row.asset_id,
        asset_kind=row.kind,
        day=row.day,
        mask=row.mask,
        slots=tuple(mask_slots(row.mask)),
        slot_seconds=row.slot_seconds,
        wh=row.wh,
        beneficiary=row.beneficiary,
        purpose=row.purpose,
        claimant=row.actor,
        payment_id=getattr(row, "payment_id", None),
        height=row.height,
        time=row.time,
        txid=row.txid,
        event_id=row.event_id,
        event_index=row.event_index,
        location=row.location,
        region=row.region,
        capacity_w=row.capacity_w,
    )
