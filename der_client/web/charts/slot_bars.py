"""A day slot by slot: what was metered, what is known only as a sum, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from der_client.readings.slots import slots_per_day
from der_client.web.amounts import clock, power
from der_client.web.charts.scale import HEIGHT, Scale
from der_client.web.loads import spread

if TYPE_CHECKING:
    from collections.abc import Iterable

    from der_client.index.answers import SlotEnergy


@dataclass(frozen=True, slots=True)
class SlotBar:
    """One slot.

    Attributes:
        slot: Its number; 0 begins at midnight, UTC.
        kind: ``metered``; ``estimated`` where only the sum of several slots is known, spread evenly; ``gap``.
        wh: Its energy, Wh; ``None`` for a gap.
        y: Upper end.
        height: Height.
        from_time: When it begins, such as ``06:15``.
        to_time: When it ends.
        title: What it shows, in words.
        source: ``meter``, ``oracle`` or ``root``; ``None`` for a gap.
        txid: The transaction that recorded it.
    """

    slot: int
    kind: str
    wh: int | None
    y: int
    height: int
    from_time: str
    to_time: str
    title: str
    source: str | None
    txid: str | None


@dataclass(frozen=True, slots=True)
class DayChart:
    """The slots of a day as bars of mean power.

    Attributes:
        bars: One bar per slot.
        labels: Of the vertical axis, from the top.
        cap_y: The position of the export cap; ``None`` without one, or beyond the axis.
        gaps: How many slots are missing.
        estimates: How many slots are known only as part of a sum.
    """

    bars: tuple[SlotBar, ...]
    labels: list[str]
    cap_y: int | None
    gaps: int
    estimates: int


def day_chart(slots: Iterable[SlotEnergy], *, day_wh: int, slot_seconds: int, cap_w: int | None) -> DayChart:
    """Return the chart of one day of one plant.

    Args:
        slots: The slots of the day; missing ones are gaps.
        day_wh: Energy of the day, Wh; what the known slots do not account for is spread over those without a value.
        slot_seconds: Length of a slot, s.
        cap_w: The most power that could be exported then, W.
    """
    recorded = {each.slot: each for each in slots if each.recorded}
    unknown = [slot for slot, each in recorded.items() if each.wh is None]
    rest = max(0, day_wh - sum(each.wh or 0 for each in recorded.values()))
    shares = dict(zip(unknown, spread(rest, len(unknown)), strict=True))
    powers = {slot: shares.get(slot, each.wh or 0) * 3600 // slot_seconds for slot, each in recorded.items()}
    scale = Scale.over(max(powers.values(), default=0))
    bars = tuple(
        _bar(recorded[slot], shares.get(slot), slot_seconds, scale) if slot in recorded else _gap(slot, slot_seconds)
        for slot in range(slots_per_day(slot_seconds))
    )
    return DayChart(
        bars,
        scale.labels(power),
        None if cap_w is None or cap_w > scale.top else scale.y(cap_w),
        len(bars) - len(recorded),
        len(unknown),
    )


def _gap(slot: int, slot_seconds: int) -> SlotBar:
    begins, ends = _times(slot, slot_seconds)
    return SlotBar(slot, "gap", None, 0, HEIGHT, begins, ends, f"{begins} to {ends}: not recorded", None, None)


def _bar(each: SlotEnergy, share: int | None, slot_seconds: int, scale: Scale) -> SlotBar:
    """Return the bar of a recorded slot, with its share of a sum if its own energy is not known."""
    wh = (each.wh or 0) if share is None else share
    mean_w = wh * 3600 // slot_seconds
    begins, ends = _times(each.slot, slot_seconds)
    words = f"{wh:,} Wh, {power(mean_w)}" if share is None else f"about {wh:,} Wh: only a sum of slots is known"
    return SlotBar(
        each.slot,
        "metered" if share is None else "estimated",
        wh,
        scale.y(mean_w),
        scale.height(mean_w),
        begins,
        ends,
        f"{begins} to {ends}: {words}",
        each.source,
        each.txid,
    )


def _times(slot: int, slot_seconds: int) -> tuple[str, str]:
    return clock(slot * slot_seconds), clock((slot + 1) * slot_seconds)
