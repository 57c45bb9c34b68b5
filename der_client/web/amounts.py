"""Energy, power, money and times as people read them; exact where it is money."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

_ENERGY: Final = ((10**9, "GWh"), (10**6, "MWh"), (10**3, "kWh"))
_POWER: Final = ((10**9, "GW"), (10**6, "MW"), (10**3, "kW"))
STX_DECIMALS: Final = 6
NARROW_SPACE: Final = "\N{NARROW NO-BREAK SPACE}"
MINUS: Final = "\N{MINUS SIGN}"


def energy(wh: int) -> str:
    """Return an energy in the largest unit that fits, with three to four digits: ``12.3 kWh``."""
    return _scaled(wh, _ENERGY, "Wh")


def power(w: int) -> str:
    """Return a power in the largest unit that fits, with three to four digits: ``1.25 MW``."""
    return _scaled(w, _POWER, "W")


def exact_energy(wh: int) -> str:
    """Return an energy in kWh, exactly: ``12.345 kWh``."""
    return f"{decimal(wh, 3)}{NARROW_SPACE}kWh"


def decimal(amount: int, decimals: int, *, in_column: bool = False) -> str:
    """Return an amount in the smallest unit as one in whole units, exactly, without trailing zeros: ``1,234.5``.

    Args:
        amount: The amount, in the smallest unit.
        decimals: How many decimals the whole unit has.
        in_column: Whether it is in a column: then all decimals are shown, so that the points are aligned.
    """
    sign = MINUS if amount < 0 else ""
    whole, rest = divmod(abs(amount), 10**decimals)
    fraction = f"{rest:0{decimals}}" if decimals and (rest or (in_column and amount)) else ""
    if not in_column:
        fraction = fraction.rstrip("0")
    return f"{sign}{whole:,}.{fraction}" if fraction else f"{sign}{whole:,}"


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: ``1 day``, ``2 days``."""
    return f"{number:,}{NARROW_SPACE}{one if number == 1 else many or f'{one}s'}"


def moment(instant: datetime) -> str:
    """Return a moment to the minute, UTC: ``2026-07-01 12:00``."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}"


def clock(seconds: int) -> str:
    """Return seconds since midnight as a time of day: ``06:15``; the end of the day is ``24:00``."""
    return f"{seconds // 3600:02}:{seconds % 3600 // 60:02}"


def from_now(instant: datetime, now: datetime) -> str:
    """Return how far a moment is from now, roughly: ``in 3 h``, ``2 days ago``."""
    away = instant - now
    text = _span(abs(away))
    return f"in {text}" if away > timedelta(0) else f"{text} ago"


def day_from(day: date, today: date) -> str:
    """Return a day as today, yesterday, tomorrow, or its date."""
    names = {0: "today", -1: "yesterday", 1: "tomorrow"}
    return names.get((day - today).days, day.isoformat())


def _span(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    if seconds < 60:
        return f"{seconds}{NARROW_SPACE}s"
    if seconds < 2 * 3600:
        return f"{seconds // 60}{NARROW_SPACE}min"
    if seconds < 2 * 86_400:
        return f"{seconds // 3600}{NARROW_SPACE}h"
    return f"{seconds // 86_400}{NARROW_SPACE}days"


def _scaled(amount: int, units: tuple[tuple[int, str], ...], smallest: str) -> str:
    """Return an integer in the largest unit that fits once, rounded half up to three digits or whole."""
    for factor, unit in units:
        if abs(amount) >= factor:
            decimals = max(0, 3 - len(str(abs(amount) // factor)))
            rounded = (abs(amount) * 10**decimals + factor // 2) // factor
            sign = MINUS if amount < 0 else ""
            whole, fraction = divmod(rounded, 10**decimals)
            tail = f".{fraction:0{decimals}}".rstrip("0").rstrip(".") if decimals else ""
            return f"{sign}{whole:,}{tail}{NARROW_SPACE}{unit}"
    return f"{amount:,}{NARROW_SPACE}{smallest}"
