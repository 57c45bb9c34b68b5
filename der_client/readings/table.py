"""The format of a table of meter data: a frozen model that can be kept in a TOML file.

Nothing is guessed: what a table does not determine by itself is given here, and ambiguity is an error.
"""

from __future__ import annotations

import codecs
import json
import tomllib
from datetime import date, tzinfo
from decimal import Decimal
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from der_client.readings.clocks import zone_of
from der_client.readings.errors import MeterDataError
from der_client.readings.quantities import Unit
from der_client.readings.timestamps import check_time_format

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from pathlib import Path

DEFAULT_NULL_WORDS = ("", "NaN", "null", "N/A", "NA", "None", "-", "--")
DEFAULT_ESTIMATED_WORDS = (
    "E", "EST", "Estimated", "Estimate", "Estimada", "Estimado", "Estimé", "S", "Substituted", "Ersatzwert",
    "geschätzt",
)  # fmt: skip
DEFAULT_MEASURED_WORDS = ("", "A", "Actual", "M", "Measured", "R", "Real", "Read", "V", "Valid", "Medida", "Réel", "W")


def _texts(value: object) -> object:
    """Return a single text as a list of one."""
    return (value,) if isinstance(value, str) else value


def _word_lists(value: object) -> object:
    return {name: _texts(words) for name, words in value.items()} if isinstance(value, dict) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_texts)]


class TableFormat(BaseModel):
    """The format of a table: how to read its times and readings.

    Attributes:
        description: Which exports have this format; for people.
        encoding: The text's encoding: ``utf-8``, ``utf-16``, ``cp1252``, ``latin-1`` … A byte order mark takes
            precedence.
        delimiter: The character that separates cells, or ``tab``.
        decimal: The decimal character.
        thousands: The character that groups thousands; empty if they are not grouped.
        header: Whether there is a header row. It is found by its column names, even below a preamble. Without one,
            columns are named "1", "2" and so on.
        time: The column of the time, or several (date, time) that are read together; by default the first of two.
        end_time: The column, or columns, of the interval's end, if there are any.
        time_format: ``iso``, ``epoch-s``, ``epoch-ms``, ``excel`` (days since 1900), or directives such as
            ``%d.%m.%Y %H:%M``. 24:00 is the next day's 00:00.
        range_separator: If one cell has both start and end: the text between them, such as " - ".
        hour: The column of the hour of the day, if it is separate.
        hour_counts: Whether the first hour is hour 1, named by its end ("end"), or hour 0 ("start").
        quarter: The column of the quarter of the hour, 1 to 4, if it is separate.
        period: The column of the number of the period since local midnight, from 1; a day has more or fewer of them
            when clocks change.
        period_minutes: How long a period is.
        wide: If each row is a day: the first and the last of the columns that are its equal intervals, in order.
        stamped: Whether a timestamp is the start or the end of its interval.
        time_zone: The zone of times without offset: ``+01:00``, or ``Europe/Berlin`` for clocks that change.
        ambiguous: Local times that are repeated when clocks are put back: an ``error``; resolved by the ``order`` of
            rows or by a ``flag`` column; or left ``unknown``, as are times that a clock skips.
        ambiguous_column: The flag column.
        ambiguous_second: Its value in the second of the two hours.
        values: The column of readings, or several that are added up; by default the second of two.
        unit: W, kW, MW (mean power), or Wh, kWh, MWh, Ws (energy); by default from the column's name.
        unit_check: Whether a different unit in the column's name is an error.
        kind: ``power``, ``energy`` of each interval, or ``register``: a counter that grows.
        sign: ``positive`` or ``negative``: the sign of production; the other sign is energy drawn, and counts as 0. By
            default positive, and an error if much is negative.
        null_words: What says, in any case of letters, that a reading is not there.
        nulls: What a row without a reading is: an ``error``; an interval whose energy is ``unknown``; or not a reading
            (``skip``).
        skip_rows: First words of rows that are not readings, such as ``Total``, in upper or lower case: sums below the
            readings or between them, remarks. An empty word means rows without a time.
        where: Which rows to read, by the text of a column; rows of several texts are added up.
        order: The order of the rows: ``ascending``, ``descending``, or ``any``, which needs memory for all of them.
        duplicates: Rows of the same time: an ``error``, or ``equal-once``: rows with equal readings count once.
        interval_seconds: How long each interval is, so that missing rows are gaps. By default the step between rows,
            which must not change.
        until_next: Whether each row lasts until the next one, however long that is.
        last_row: With ``until_next``, whether the last row is ``unknown``, or as long ``as-before``.
        register_reset: What it means if a register shows less than before: the interval's energy is ``unknown``, or the
            register restarted at ``zero``.
        register_size: The value at which a register rolls over to 0, in its unit.
        allow_rising: Whether values that only grow may still be energies of intervals.
        quality_column: The column that marks estimates.
        estimated_words: Its values for estimates, in upper or lower case; "*" is any text that is not empty.
        measured_words: Its values for measured readings.
        decimals: The number of decimals to which floats of a data frame or a Parquet file are rounded.
        records: Where the records are in JSON, such as ``data.results``: a number picks from a list, ``*`` means all of
            its entries. By default the only list of records.
        sheet: The sheet of a workbook, if it has several.
        from_: The first UTC day to read.
        to: The last UTC day to read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    description: str = ""
    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'", "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"] = ""
    header: bool = True
    time: Names = ()
    end_time: Names = ()
    time_format: str = "iso"
    range_separator: str | None = None
    hour: str | None = None
    hour_counts: Literal["end", "start"] = "end"
    quarter: str | None = None
    period: str | None = None
    period_minutes: int = Field(default=30, ge=1, le=1440)
    wide: tuple[str, str] | None = None
    stamped: Literal["start", "end"] = "start"
    time_zone: str | None = None
    ambiguous: Literal["error", "order", "flag", "unknown"] = "error"
    ambiguous_column: str | None = None
    ambiguous_second: Names = ("Y", "1", "true", "B")
    values: Names = ()
    unit: Unit | None = None
    unit_check: bool = True
    kind: Literal["power", "energy", "register"] | None = None
    sign: Literal["positive", "negative"] | None = None
    null_words: Names = DEFAULT_NULL_WORDS
    nulls: Literal["error", "unknown", "skip"] = "error"
    skip_rows: Names = ()
    where: Annotated[dict[str, Names], BeforeValidator(_word_lists)] = Field(default_factory=dict)
    order: Literal["ascending", "descending", "any"] = "ascending"
    duplicates: Literal["error", "equal-once"] = "error"
    interval_seconds: int | None = Field(default=None, ge=1, le=86_400)
    until_next: bool = False
    last_row: Literal["unknown", "as-before"] = "unknown"
    register_reset: Literal["unknown", "zero"] = "unknown"
    register_size: Decimal | None = Field(default=None, gt=0, le=10**15)
    allow_rising: bool = False
    quality_column: str | None = None
    estimated_words: Names = DEFAULT_ESTIMATED_WORDS
    measured_words: Names = DEFAULT_MEASURED_WORDS
    decimals: int | None = Field(default=None, ge=0, le=15)
    records: str | None = None
    sheet: str | None = None
    from_: date | None = Field(default=None, alias="from")
    to: date | None = None

    if not TYPE_CHECKING:

        def __init__(self, **fields: Any) -> None:
            """Refuse unknown names and words.

            Raises:
                MeterDataError: If a name or a word is unknown, or two contradict each other.
            """
            try:
                super().__init__(**fields)
            except ValidationError as error:
                raise MeterDataError(_explain(error)) from None

    @field_validator("encoding")
    @classmethod
    def _check_encoding(cls, value: str) -> str:
        try:
            codecs.lookup(value)
            "".encode(value)
        except (LookupError, TypeError, ValueError) as error:
            raise ValueError("expected the name of a text encoding: utf-8, utf-16, cp1252, latin-1") from error
        return value

    @field_validator("delimiter")
    @classmethod
    def _check_delimiter(cls, value: str) -> str:
        value = "\t" if value in {"tab", "\\t"} else value
        if len(value) != 1 or value in '"\r\n' or not value.isascii():
            raise ValueError("expected one character that is not a quotation mark or a line end, or tab")
        return value

    @field_validator("time_format")
    @classmethod
    def _check_time_format(cls, value: str) -> str:
        return check_time_format(value)

    @field_validator("time_zone")
    @classmethod
    def _check_zone(cls, value: str | None) -> str | None:
        if value is not None:
            zone_of(value)
        return value

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        for is_wrong, problem in (
            (self.thousands == self.decimal, "`thousands` and `decimal` are the same character"),
            (
                self.delimiter == self.decimal == ",",
                'a decimal comma needs another character between cells: give `delimiter`, such as `delimiter=";"`',
            ),
            (self.ambiguous == "flag" and not self.ambiguous_column, '`ambiguous="flag"` needs `ambiguous_column`'),
            (self.ambiguous == "order" and self.order == "any", '`ambiguous="order"` needs rows in order, not in any'),
            (self.until_next and self.interval_seconds, "give `until_next` or `interval_seconds`, not both"),
            (self.kind == "register" and self.interval_seconds, "a register needs no `interval_seconds`: leave it out"),
            (
                self.kind == "register" and (self.wide or self.hour or self.period),
                "a register is read at moments, but `wide`, `hour` and `period` are for intervals: give only `time`",
            ),
            (
                self.kind == "register" and (self.end_time or self.range_separator),
                "a register is read at moments: give them as `time`, and leave `end_time` and `range_separator` out",
            ),
            (
                self.kind is not None and self.unit is not None and (self.kind == "power") == self.unit.is_energy,
                f"`kind` {self.kind!r} does not go with the unit {self.unit.value if self.unit else ''}",
            ),
            (self.quarter and not self.hour, "`quarter` needs `hour`"),
            (self.period and (self.hour or self.wide), "`period`, `hour` and `wide` exclude each other"),
            (self.wide and self.hour, "`hour` and `wide` exclude each other"),
            (self.wide and self.values, "`wide` names the columns of readings: leave `values` out"),
            (self.from_ and self.to and self.from_ > self.to, "`from` is after `to`"),
        ):
            if is_wrong:
                raise ValueError(problem)
        return self

    @property
    def zone(self) -> tzinfo | None:
        """The time zone of times without offset."""
        return None if self.time_zone is None else zone_of(self.time_zone)

    def with_options(self, **fields: Any) -> TableFormat:
        """Return the same format with other values for some fields.

        Raises:
            MeterDataError: If a name or a word is unknown, or two contradict each other.
        """
        return TableFormat(**(self.model_dump(by_alias=True, exclude_unset=True) | fields)) if fields else self

    # In a file

    @classmethod
    def from_toml(cls, path: Path | PathLike[str] | str) -> TableFormat:
        """Read a format from a file.

        Raises:
            MeterDataError: If it cannot be read, is not TOML, or a name or a word in it is unknown.
        """
        try:
            with open(path, "rb") as file:  # noqa: PTH123 -- str, Path or anything with __fspath__
                fields = tomllib.load(file)
        except OSError as error:
            raise MeterDataError(f"{path} cannot be read: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise MeterDataError(f"{path} is not a format in TOML: {error}") from error
        try:
            return cls(**fields)
        except MeterDataError as error:
            raise MeterDataError(f"{path}: {error}") from error

    @classmethod
    def named(cls, name: str) -> TableFormat:
        """Return a ready-made format.

        Raises:
            MeterDataError: If there is no format of this name; the message lists them.
        """
        known = ready_made_formats()
        if name not in known:
            raise MeterDataError(f"the format {name!r} is not known; ready-made ones are: {', '.join(known)}")
        return cls(**tomllib.loads((files("der_client.readings") / "formats" / f"{name}.toml").read_text("utf-8")))

    def to_toml(self) -> str:
        """Return the text of a file for ``from_toml``: all fields that differ from their defaults."""
        fields = self.model_dump(by_alias=True, exclude_defaults=True, mode="json")
        where = fields.pop("where", {})
        lines = [f"{name} = {_toml(value)}" for name, value in fields.items()]
        lines += (
            [f"where = {{ {', '.join(f'{_toml(key)} = {_toml(words)}' for key, words in where.items())} }}"]
            if where
            else []
        )
        return "".join(f"{line}\n" for line in lines)


def ready_made_formats() -> Mapping[str, str]:
    """Return the descriptions of all ready-made formats, by name."""
    folder = files("der_client.readings") / "formats"
    found = sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml"))
    return {
        name: str(tomllib.loads((folder / f"{name}.toml").read_text("utf-8")).get("description", "")) for name in found
    }


def _toml(value: Any) -> str:
    if isinstance(value, list | tuple):
        return _toml(value[0]) if len(value) == 1 else f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "".join(each if each.isprintable() else _escaped(each) for each in json.dumps(value, ensure_ascii=False))
    return str(value)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _explain(error: ValidationError) -> str:
    """Return the first fault that pydantic found, as a sentence."""
    found = error.errors()[0]
    name = str(found["loc"][0]) if found["loc"] else ""
    if found["type"] == "extra_forbidden":
        known = ", ".join(field.alias or name for name, field in TableFormat.model_fields.items())
        return f"{name!r} is not an option of a format; there are: {known}"
    if found["type"].startswith("date_"):
        return f"`{name}` is {found['input']!r}: expected a day such as 2026-06-01"
    message = found["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if not name:
        return message
    if message.startswith("`"):
        return message
    expected = message if message.startswith("expected") else f"expected {message}"
    return f"`{name}` is {found['input']!r}: {expected}"
