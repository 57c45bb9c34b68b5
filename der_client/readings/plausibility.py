"""Checks whether readings are plausible: registers mistaken for energies, signs, and sizes."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from der_client.readings.errors import MeterDataError
from der_client.readings.integers import greatest, least
from der_client.readings.quantities import MAX_POWER_W
from der_client.stacks.errors import counted

if TYPE_CHECKING:
    import polars as pl

    from der_client.readings.row_places import RowPlaces
    from der_client.readings.table import TableFormat

_FEWEST_RISES: Final = 4
_RISES_PER_FALL: Final = 6
"""Energies of intervals fall about as often as they rise; a counter that restarts each day falls once a day."""
_NEGATIVE_SHARE: Final = Fraction(1, 50)
"""The share of the energy that may be negative, as drawn by a plant on standby."""


class Plausibility:
    """Collects statistics on the readings of one channel, piece by piece, and judges them at the end.

    Args:
        form: How the table says it.
        kind: What the numbers are: ``power``, ``energy`` or ``register``.
        places: Name the rows in errors.

    Attributes:
        rows: How many intervals there were.
    """

    def __init__(self, form: TableFormat, kind: str, places: RowPlaces) -> None:
        self._form = form
        self._kind = kind
        self._places = places
        self.rows = 0
        self._known = 0
        self._last: Fraction | None = None
        self._rises = self._falls = 0
        self._positive = self._negative = Fraction(0)
        self._negatives = 0

    def count(self, numbers: pl.Series, decimals: int) -> None:
        """Count the readings of a piece, null where there is none.

        Args:
            numbers: The readings, times 10 to the power of ``decimals``.
            decimals: The decimals of the readings.
        """
        self.rows += len(numbers)
        self._known += len(numbers) - numbers.null_count()
        if self._kind == "energy":
            self._count_rises(numbers.drop_nulls(), decimals)
        if self._kind != "register":
            self._count_signs(numbers, decimals)

    def _count_rises(self, shown: pl.Series, decimals: int) -> None:
        if not len(shown):
            return
        steps = shown.diff()
        self._rises += int((steps > 0).sum())
        self._falls += int((steps < 0).sum())
        first = Fraction(int(shown[0]), 10**decimals)
        if self._last is not None:
            self._rises += first > self._last
            self._falls += first < self._last
        self._last = Fraction(int(shown[-1]), 10**decimals)

    def _count_signs(self, numbers: pl.Series, decimals: int) -> None:
        negative = Fraction(0)
        if (least(numbers) or 0) < 0:
            below = numbers.filter(numbers < 0)
            self._negatives += len(below)
            negative = Fraction(-int(below.sum()), 10**decimals)
        self._negative += negative
        self._positive += Fraction(int(numbers.sum()), 10**decimals) + negative

    def check_size(self, rows: pl.DataFrame, numbers: pl.Series, factor: Fraction) -> None:
        """Check that no reading is beyond what any plant can produce.

        Args:
            rows: The rows of the numbers.
            numbers: The readings.
            factor: The factor that turns them into W or Wh.

        Raises:
            MeterDataError: If one is; the error names the row.
        """
        if (greatest(numbers) or 0) * factor > MAX_POWER_W:
            index = numbers.arg_max() or 0
            raise self._places.error(
                int(rows["record"][index]), f"the reading is more than {MAX_POWER_W:,} W or Wh: check `unit`"
            )

    def check(self, days: int) -> None:
        """Check that the readings are plausible.

        Args:
            days: How many days they span.

        Raises:
            MeterDataError: If energies only grow, or many readings are negative and the format does not say what that
                means.
        """
        self._check_rises(days)
        self._check_signs()

    def _check_rises(self, days: int) -> None:
        if self._kind != "energy" or self._form.allow_rising:
            return
        is_seldom = self._falls <= days and self._falls * _RISES_PER_FALL <= self._rises
        if self._rises >= _FEWEST_RISES and is_seldom:
            raise MeterDataError(
                f"the readings only grow ({counted(self._rises, 'time')}, and fall {counted(self._falls, 'time')}): "
                'this looks like a register, a counter of all energy; give `kind="register"`, or `allow_rising=True` '
                "if they are energies of intervals all the same"
            )

    def _check_signs(self) -> None:
        if self._form.sign is None and self._negative > self._positive * _NEGATIVE_SHARE:
            part = "all" if not self._positive else "part"
            raise MeterDataError(
                f"{part} of the readings ({self._negatives:,}) are negative: if production is negative here, give "
                '`sign="negative"`; if it is positive, and negative is energy drawn, `sign="positive"`'
            )

    def notes(self) -> tuple[str, ...]:
        """Return what a person should know about the readings."""
        notes = []
        if self._negatives and self._form.sign is None:
            notes.append(f"below 0, and counted as 0: {counted(self._negatives, 'reading')}")
        if self._known < self.rows and self._kind != "register":
            notes.append(f"without a reading: {counted(self.rows - self._known, 'row')}")
        return tuple(notes)
