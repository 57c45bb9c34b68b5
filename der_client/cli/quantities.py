"""Amounts as people write and read them: ``50kWh``, ``1.5 STX``, ``0.083 STX`` a kWh; exact, with their unit."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from der_client.stacks.checks import UINT_MAX
from der_client.stacks.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping

_QUANTITY: Final = re.compile(r"(?P<number>[+-]?[0-9][0-9_]*(?:\.[0-9]+)?)\s*(?P<unit>[^\s0-9].*)?")
_WITH_COMMA: Final = re.compile(r"[+-]?[0-9]+,[0-9]+\s*(?:[^\s0-9.,][^.,]*)?")
_ENERGY: Final = {"wh": 1, "kwh": 10**3, "mwh": 10**6, "gwh": 10**9}
_POWER: Final = ("w", "kw", "mw", "gw")
_STX: Final = {"stx": 10**6, "ustx": 1, "µstx": 1, "μstx": 1, "microstx": 1}
STX_DECIMALS: Final = 6


class OtherCurrencyError(InvalidValueError):
    """An amount is in another currency than the expected one."""


def parse_energy(text: str, what: str, *, or_zero: bool = False) -> int:
    """Read an energy, in Wh.

    Args:
        text: Such as ``50kWh``, ``2.5 MWh`` or ``800Wh``.
        what: What it is, for the message: an option or an argument.
        or_zero: Whether it may be 0, also without a unit.

    Raises:
        InvalidValueError: If it has no unit or another one, is not positive, or is not whole Wh.
    """
    number, unit = _split(text, what, "50kWh", or_zero=or_zero)
    if not number and not unit:
        return 0
    if unit.lower() in _POWER:
        raise InvalidValueError(f"{what}: {text} is a power; expected an energy, such as 50kWh")
    if unit.lower() not in _ENERGY:
        raise InvalidValueError(f"{what}: {text!r} has {_unit(unit)}; expected Wh, kWh, MWh or GWh, such as 50kWh")
    return _whole(number, _ENERGY[unit.lower()], text, what, "Wh")


def parse_stx(text: str, what: str) -> int:
    """Read an amount of STX, in µSTX.

    Args:
        text: Such as ``1.5STX`` or ``1500000 uSTX``.
        what: What it is, for the message.

    Raises:
        OtherCurrencyError: If it has no unit or another one.
        InvalidValueError: If it is not positive, or is not whole µSTX.
    """
    number, unit = _split(text, what, "1.5STX")
    if unit.lower() not in _STX:
        raise OtherCurrencyError(f"{what}: {text!r} has {_unit(unit)}; expected STX or uSTX, such as 1.5STX")
    return _whole(number, _STX[unit.lower()], text, what, "µSTX")


def parse_amount(text: str, what: str, symbol: str, decimals: int) -> int:
    """Read an amount of a token, in its smallest unit.

    Args:
        text: Such as ``1.5USDCx``, or ``1.5`` alone.
        what: What it is, for the message.
        symbol: The token's.
        decimals: How many digits of an amount come after the point.

    Raises:
        OtherCurrencyError: If it has another unit.
        InvalidValueError: If it is not positive, or has more digits than the token.
    """
    number, unit = _split(text, what, f"1.5{symbol}")
    if unit.lower() not in ("", symbol.lower()):
        raise OtherCurrencyError(f"{what}: {text!r} has the unit {unit!r}; expected {symbol}, such as 1.5{symbol}")
    return _whole(number, 10**decimals, text, what, f"smallest units of {symbol} (it has {decimals} decimals)")


def parse_price(text: str, what: str, symbol: str = "STX", decimals: int = STX_DECIMALS) -> int:
    """Read the price of a kWh, in µSTX or the smallest unit of a token.

    Args:
        text: Such as ``0.083STX`` or ``0.083STX/kWh``.
        what: What it is, for the message.
        symbol: The token's, if it is not STX.
        decimals: How many digits of an amount come after the point.

    Raises:
        OtherCurrencyError: If it has another unit, or none where it must have one.
        InvalidValueError: If it is not positive, or has too many digits.
    """
    per_kwh = re.sub(r"\s*(?:/|per\s+)\s*kwh\Z", "", text.strip(), flags=re.IGNORECASE)
    if re.search(r"wh\Z", per_kwh, re.IGNORECASE):
        raise InvalidValueError(f"{what}: {text!r}: expected a price of a kWh, such as 0.083{symbol}")
    if symbol == "STX":
        return parse_stx(per_kwh, what)
    return parse_amount(per_kwh, what, symbol, decimals)


def _split(text: str, what: str, example: str, *, or_zero: bool = False) -> tuple[Decimal, str]:
    if _WITH_COMMA.fullmatch(text.strip()):
        raise InvalidValueError(f"{what}: {text!r} has a comma; {_without_comma(text.strip())}")
    found = _QUANTITY.fullmatch(text.strip())
    if found is None:
        raise InvalidValueError(f"{what}: expected a number with its unit, such as {example}, got {text!r}")
    number = Decimal(found["number"].replace("_", ""))
    if number < 0 or (number == 0 and not or_zero):
        least = "0 or more" if or_zero else "more than 0"
        raise InvalidValueError(f"{what}: must be {least}, got {text.strip()}")
    return number, (found["unit"] or "").strip()


def _without_comma(text: str) -> str:
    """Return how to write a number that has a comma; with three digits after it, it may mean thousands."""
    point = f"write a decimal point: {text.replace(',', '.')}"
    is_grouped = re.search(r",[0-9]{3}(?![0-9])", text)
    return f"{point}, or without it: {text.replace(',', '')}" if is_grouped else point


def _unit(unit: str) -> str:
    return f"the unit {unit!r}" if unit else "no unit"


def _whole(number: Decimal, factor: int, text: str, what: str, smallest: str) -> int:
    numerator, denominator = number.as_integer_ratio()
    amount, rest = divmod(numerator * factor, denominator)
    if rest:
        raise InvalidValueError(f"{what}: {text} is not a whole number of {smallest}")
    if amount > UINT_MAX:
        raise InvalidValueError(f"{what}: {text} is more than the chain can hold")
    return amount


def energy(wh: int) -> str:
    """Write an energy exactly, in the unit that reads best."""
    for unit, factor in (("GWh", 10**9), ("MWh", 10**6), ("kWh", 10**3)):
        if abs(wh) >= factor:
            return f"{_trimmed(wh, factor)} {unit}"
    return f"{wh} Wh"


def _trimmed(amount: int, factor: int) -> str:
    text = fixed(amount, len(str(factor)) - 1)
    return text.rstrip("0").rstrip(".") if "." in text else text


def kwh(wh: int) -> str:
    """Write an energy in kWh with three decimals, for a column."""
    return fixed(wh, 3)


def fixed(amount: int, decimals: int) -> str:
    """Write an amount in the smallest unit as one in the whole unit, exactly, with all its decimals."""
    sign = "-" if amount < 0 else ""
    if not decimals:
        return f"{amount:,}"
    whole, fraction = divmod(abs(amount), 10**decimals)
    return f"{sign}{whole:,}.{fraction:0{decimals}}"


def stx(ustx: int) -> str:
    """Write µSTX as STX with all six decimals."""
    return fixed(ustx, STX_DECIMALS)


def power(watts: int) -> str:
    """Write a power in kW, exactly."""
    return f"{_trimmed(watts, 1000)} kW"


def parse_day(text: str, what: str, today: date) -> date:
    """Read a day.

    Args:
        text: ``2026-07-01``, ``today``, ``yesterday``, ``tomorrow``, or a number of days from today such as ``+2``.
        what: What it is, for the message.
        today: The chain's day, UTC.

    Raises:
        InvalidValueError: If it is something else.
    """
    words: Mapping[str, int] = {"today": 0, "yesterday": -1, "tomorrow": 1}
    if text.lower() in words:
        return today + timedelta(days=words[text.lower()])
    try:
        if re.fullmatch(r"[+-][0-9]{1,4}", text):
            return today + timedelta(days=int(text))
        return date.fromisoformat(text)
    except (ValueError, OverflowError):
        raise InvalidValueError(
            f"{what}: expected a day such as {today.isoformat()}, today, tomorrow or +2, got {text!r}"
        ) from None


def parse_month(text: str | None, what: str, today: date) -> date:
    """Read a month: ``2026-07``, ``this`` or ``last``; return its first day.

    Raises:
        InvalidValueError: If it is something else.
    """
    if text is None or text == "this":
        return today.replace(day=1)
    if text == "last":
        return (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}", text):
            return date.fromisoformat(f"{text}-01")
    except ValueError:
        pass
    raise InvalidValueError(f"{what}: expected a month such as {today:%Y-%m}, this or last, got {text!r}")


def parse_moment(text: str, what: str) -> datetime:
    """Read a moment: ``2026-07-01T12:00Z``, or a day, which means its beginning, UTC.

    Raises:
        InvalidValueError: If it is something else, or has no time zone.
    """
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidValueError(f"{what}: expected a moment such as 2026-07-01T12:00Z, got {text!r}") from None
    if moment.tzinfo is None:
        raise InvalidValueError(f"{what}: {text!r} has no time zone; for UTC write {text}Z")
    return moment.astimezone(UTC)
