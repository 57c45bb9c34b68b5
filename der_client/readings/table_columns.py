"""The columns of a table: which ones a format names, where they are, and in which unit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from der_client.readings.errors import MeterDataError, like
from der_client.readings.quantities import unit_in
from der_client.readings.slots import SECONDS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from der_client.readings.quantities import Unit
    from der_client.readings.table import TableFormat

METER_COLUMN: Final = re.compile(
    r"meter|nmi|mpan|mprn|\bean\b|gsrn|serial|esiid|channel|entity|device|customer|account|lclid|z(ä|ae)hl|"
    r"metering|service.?point|\bsite\b|\bplant\b|\bcups\b|\bpod\b|register|tariff|direction",
    re.IGNORECASE,
)
"""Names of columns that may distinguish several meters or channels."""
_MOST_SHOWN: Final = 8


def columns_of(form: TableFormat) -> tuple[str, ...]:
    """Return the columns that a format names, which must all be in the header row."""
    single = (form.hour, form.quarter, form.period, form.ambiguous_column, form.quality_column)
    names = (*form.time, *form.end_time, *form.values, *(form.wide or ()), *form.where, *single)
    return tuple(dict.fromkeys(name for name in names if name))


class TableColumns:
    """The columns of a table, as named by its format.

    Args:
        form: How the table says it.
        header: The names of its columns.

    Attributes:
        header: The names of its columns.
        time: The columns of the time.
        values: The columns of readings; none if each row is a day.
        wide: The columns of a day's intervals, in order, if each row is a day.
        unit: The unit of the readings.
        meters: Columns that may distinguish several meters, and are not named by the format.

    Raises:
        MeterDataError: If a column is missing, or the unit is unknown.
    """

    def __init__(self, form: TableFormat, header: Sequence[str]) -> None:
        self._form = form
        self.header = list(header)
        self.time, self.values = self._defaults()
        self._number = {name: self._find(name) for name in (*columns_of(form), *self.time, *self.values)}
        self.wide = self._find_wide()
        self.unit = self._find_unit()
        self.meters = tuple(
            name
            for name in self.header
            if METER_COLUMN.search(name) and name not in self._number and name not in self.wide
        )
        self._number.update({name: str(self.header.index(name)) for name in (*self.wide, *self.meters)})

    def _defaults(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        form, header = self._form, self.header
        if form.time and (form.values or form.wide):
            return form.time, form.values
        if not form.time and not form.values and not form.wide and len(header) == 2:
            return (header[0],), (header[1],)
        names = ", ".join(repr(name) for name in header if name)
        which = "`time` and `values`" if not form.time and not form.values else "`values`" if form.time else "`time`"
        raise MeterDataError(f"name {which}: the file has the columns {names}")

    def _find(self, name: str) -> str:
        if self.header.count(name) != 1:
            problem = "not found" if name not in self.header else "named more than once"
            known = ", ".join(map(repr, self.header))
            raise MeterDataError(f"the column is {problem}{like(name, self.header)}; there are: {known}", column=name)
        return str(self.header.index(name))

    def _find_wide(self) -> tuple[str, ...]:
        if self._form.wide is None:
            return ()
        first, last = (self.header.index(name) for name in self._form.wide)
        names = self.header[first : last + 1]
        if not names or SECONDS_PER_DAY % len(names):
            raise MeterDataError(
                f"`wide` names {len(names)} columns, from {first + 1} to {last + 1}: they do not divide a day"
            )
        return tuple(names)

    def _find_unit(self) -> Unit:
        said = {name: unit for name in self.values if (unit := unit_in(name)) is not None}
        unit = self._form.unit
        if unit is None:
            if len(set(said.values())) != 1:
                raise MeterDataError(
                    "give `unit`: it is unknown whether the readings are W, kW, MW (mean power), or Wh, kWh, MWh, Ws "
                    "(energy)"
                )
            unit = next(iter(said.values()))
        elif self._form.unit_check:
            for name, other in said.items():
                if other is not unit:
                    raise MeterDataError(
                        f"`unit` is {unit.value}, but the column's name says {other.value}: give "
                        f'`unit="{other.value}"`, or `unit_check=False` if the name is wrong',
                        column=name,
                    )
        if self._form.kind is not None and (self._form.kind == "power") == unit.is_energy:
            raise MeterDataError(f"`kind` {self._form.kind!r} does not go with the unit {unit.value}")
        return unit

    @property
    def last_used(self) -> int:
        """The number of the last column that is read, from 0."""
        return max(int(number) for name, number in self._number.items() if name not in self.meters)

    def number(self, name: str) -> str:
        """Return the name of a column in the table's frame: its number from 0."""
        return self._number[name]

    def texts(self, rows: pl.DataFrame, *names: str) -> pl.Series:
        """Return the cells of a column without blanks around them; those of several are joined by a blank."""
        import polars as pl  # noqa: PLC0415 -- heavy, and an extra

        cells = [rows[self._number[name]] for name in names]
        cells = [column.str.strip_chars() if _is_padded(column) else column for column in cells]
        if len(cells) == 1:
            return cells[0]
        return pl.DataFrame(cells).select(pl.concat_str(pl.all(), separator=" ")).to_series()

    def without_empty(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the rows that have anything in a cell."""
        import polars as pl  # noqa: PLC0415

        cells = rows[self._number[self.time[0]]]
        if len(cells) and cells.str.len_bytes().min() and not _is_padded(cells):
            return rows
        return rows.filter(~pl.all_horizontal(pl.exclude("record").str.strip_chars() == ""))

    def without_skipped(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the rows that do not begin with one of the format's ``skip_rows``."""
        import polars as pl  # noqa: PLC0415

        words = [word.lower() for word in self._form.skip_rows]
        if "" in words:
            rows = rows.filter(
                pl.any_horizontal(pl.col(self._number[name]).str.strip_chars() != "" for name in self.time)
            )
        cells = [pl.col(str(number)).str.strip_chars() for number in range(len(self.header))]
        first = pl.coalesce([pl.when(cell != "").then(cell) for cell in cells]).fill_null("").str.to_lowercase()
        for word in filter(None, words):
            rows = rows.filter(~first.str.starts_with(word))
        return rows

    def advice_to_pick(self, rows: pl.DataFrame) -> str:
        """Return the advice to pick by a column, if one distinguishes rows of one time; else "".

        Args:
            rows: Some rows of the table.
        """
        times = self.texts(rows, *self.time)
        for number, name in enumerate(self.header):
            if name in self._number and name not in self.meters:
                continue
            cells = rows[str(number)].str.strip_chars()
            values = cells.unique(maintain_order=True).to_list()
            differs = not (times + "\0" + cells).is_duplicated().any()
            if 1 < len(values) <= _MOST_SHOWN and differs and len(cells) > len(values):
                return (
                    f"the rows may belong to several meters or channels, since the column {name!r} has "
                    f"{', '.join(map(repr, values))}; pick with `where={name}=…`"
                )
        return ""


def _is_padded(cells: pl.Series) -> bool:
    """Return whether the first cells have blanks around them; other such cells are found where they cannot be read."""
    return any(cell != cell.strip() for cell in cells.head(64).to_list())
