"""Parses quantities as exact integers, and knows their units."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from der_client.readings.integers import greatest
from der_client.readings.slots import MAX_CAPACITY_W, SECONDS_PER_HOUR
from der_client.stacks.checks import is_whole_number
from der_client.stacks.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from der_client.readings.errors import MeterDataError

_PLAIN: Final = r"^[+-]?(?:\d{1,30}\.?\d{0,30}|\.\d{1,30})$"
_PLAIN_TEXT: Final = re.compile(_PLAIN, re.ASCII)
_SCIENTIFIC: Final = re.compile(r"([+-]?)(\d{0,30})(?:\.(\d{0,30}))?[eE]([+-]?\d{1,2})", re.ASCII)
_WORD: Final = re.compile(r"(?<![A-Za-z])(MWh|kWh|Wh|Ws|MW|kW|W)(?![A-Za-z])", re.IGNORECASE)
_MOST_DIGITS: Final = 30

MAX_POWER_W: Final = 10 * MAX_CAPACITY_W
"""Beyond ten times the largest capacity, the unit must be wrong."""
MAX_DECIMALS: Final = 40
"""More decimals than any meter measures; a bound, so that no input makes the arithmetic slow."""


class Unit(Enum):
    """What the numbers of a file are: mean power over each interval, or energy."""

    W = "W"
    KW = "kW"
    MW = "MW"
    WH = "Wh"
    KWH = "kWh"
    MWH = "MWh"
    WS = "Ws"

    @property
    def is_energy(self) -> bool:
        """Whether it is a unit of energy."""
        return self in {Unit.WH, Unit.KWH, Unit.MWH, Unit.WS}

    @property
    def factor(self) -> Fraction:
        """How many watts or watt-hours it is."""
        match self:
            case Unit.W | Unit.WH:
                return Fraction(1)
            case Unit.KW | Unit.KWH:
                return Fraction(1000)
            case Unit.MW | Unit.MWH:
                return Fraction(1_000_000)
            case Unit.WS:
                return Fraction(1, SECONDS_PER_HOUR)


def unit_in(name: str) -> Unit | None:
    """Return the unit in the name of a column, if there is one."""
    found = {match.lower() for match in _WORD.findall(name)}
    if len(found) != 1:
        return None
    return next(unit for unit in Unit if unit.value.lower() == next(iter(found)))


@dataclass(frozen=True, slots=True)
class Quantities:
    """A column of numbers.

    Attributes:
        numbers: Each times 10 to the power of ``decimals``, as Int128; null where the cell is a null word.
        decimals: The decimals of ``numbers``.
    """

    numbers: pl.Series
    decimals: int

    def with_decimals(self, decimals: int) -> pl.Series:
        """Return the numbers, each times 10 to the power of ``decimals``, which must be at least its own."""
        import polars as pl  # noqa: PLC0415 -- heavy, and an extra

        if decimals == self.decimals:
            return self.numbers
        return self.numbers * pl.Series([10 ** (decimals - self.decimals)], dtype=pl.Int128)


def parse_quantities(
    texts: pl.Series,
    *,
    decimal: str,
    thousands: str,
    null_words: tuple[str, ...],
    refuse: Callable[[int, str], MeterDataError],
) -> Quantities:
    """Read a column of numbers, exactly.

    Args:
        texts: The cells, without blanks around them.
        decimal: The decimal character.
        thousands: The character that groups thousands, if any.
        null_words: Words that mean that there is no reading, in upper or lower case.
        refuse: Makes the error for a row by its index and what is wrong.

    Raises:
        MeterDataError: If a cell is not a number, or has more digits than a meter shows.
    """
    import polars as pl  # noqa: PLC0415

    plain = texts if decimal == "." and not thousands else _plain(texts, decimal, thousands)
    is_number = plain.str.contains(_PLAIN)
    if not is_number.all():
        words = {word.lower() for word in null_words}
        others: list[str | None] = plain.to_list()
        original = texts.to_list()
        for index in (~is_number).arg_true().to_list():
            text = (others[index] or "").strip()
            if original[index].strip().lower() in words:
                others[index] = None
                continue
            number = text if _PLAIN_TEXT.fullmatch(text) else _scientific(text)
            if number is None:
                raise refuse(index, _problem(original[index], decimal))
            others[index] = number
        plain = pl.Series(others, dtype=pl.String)
    points = plain.str.find(".", literal=True)
    decimals = (greatest(plain.str.len_bytes() - points - 1) or 0) if points.null_count() < len(points) else 0
    if decimals > _MOST_DIGITS:
        raise _too_long(plain, refuse)
    numbers = plain.cast(pl.Decimal(38, decimals), strict=False)
    if numbers.null_count() != plain.null_count():
        raise _too_long(plain, refuse)
    return Quantities(numbers.to_physical().cast(pl.Int128), decimals)


def _plain(texts: pl.Series, decimal: str, thousands: str) -> pl.Series:
    """Return texts with a decimal point and without groups; wrong groups stay, and so are not numbers."""
    import polars as pl  # noqa: PLC0415

    point, group = re.escape(decimal), re.escape(thousands)
    if thousands:
        fits = texts.str.contains(rf"^[+-]?(?:\d{{1,3}}(?:{group}\d{{3}})+|\d*)(?:{point}\d*)?$")
        cleaned = texts.str.replace_all(thousands, "", literal=True)
    else:
        fits = ~texts.str.contains(".", literal=True)
        cleaned = texts
    if decimal != ".":
        cleaned = cleaned.str.replace(decimal, ".", literal=True)
    frame = pl.DataFrame({"fits": fits, "cleaned": cleaned, "text": texts})
    return frame.select(pl.when("fits").then("cleaned").otherwise(pl.lit("?") + pl.col("text"))).to_series()


def _scientific(text: str) -> str | None:
    """Return a number such as 1.5e-05 as a plain one, or None if it is not one."""
    match = _SCIENTIFIC.fullmatch(text)
    if match is None or not (match[2] or match[3]):
        return None
    sign, whole, part, exponent = match[1], match[2], match[3] or "", int(match[4])
    digits = whole + part
    point = len(whole) + exponent
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    return f"{sign}{digits[:point].ljust(point, '0')}.{digits[point:]}"


def _problem(text: str, decimal: str) -> str:
    if not text:
        return (
            'the reading is empty: correct it, or give `nulls="unknown"` (its interval is there, its energy not '
            'known) or `nulls="skip"` (the row is not a reading)'
        )
    if re.fullmatch(r"[+-]?[\d.,' ]+", text):
        other = "." if decimal == "," else ","
        return (
            f"expected a number with the decimal character {decimal!r}: if {other!r} is it here, give "
            f'`decimal="{other}"`; if thousands are grouped, give `thousands`'
        )
    return "expected a number such as -2.86: if this word means that there is no reading, add it to `null_words`"


def _too_long(plain: pl.Series, refuse: Callable[[int, str], MeterDataError]) -> MeterDataError:
    lengths = plain.str.len_bytes().fill_null(0)
    index = lengths.arg_max() or 0
    return refuse(index, f"the number has more than {_MOST_DIGITS} digits or decimals: round it first")


def exact(value: int | Decimal) -> Fraction:
    """Return a number that a meter can show, exactly.

    Raises:
        InvalidValueError: If it is not an ``int`` or finite ``Decimal``, exceeds ±10¹³, or has more than 40 decimals.
    """
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        if not isinstance(exponent, int):
            raise InvalidValueError(f"a reading is {value}: give a finite number, or None where it is not known")
        if exponent < -MAX_DECIMALS:
            raise InvalidValueError(f"a reading has {-exponent} decimals: at most {MAX_DECIMALS} are kept; round it")
    elif not is_whole_number(value):
        raise InvalidValueError(
            f"a reading is {value!r}, of type {type(value).__name__}: give an int or a Decimal; floats are not exact"
        )
    # Compared before anything is computed with it: a Decimal may be 1E+999999.
    if not -MAX_POWER_W <= value <= MAX_POWER_W:
        raise InvalidValueError(f"a reading is beyond {MAX_POWER_W}: check its unit")
    return Fraction(value)
