"""The options that say how a file of meter data is read: declared once, for every command that reads one."""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from der_client.readings.table import TableFormat

_PANEL = "How the file says it"
_Words = list[str]

# Field of a TableFormat: type, help, and further names of the option.
_OPTIONS: dict[str, tuple[Any, str, tuple[str, ...]]] = {
    "time": (_Words, "Column of the time; repeat it for date and time in two columns.", ("--time-column",)),
    "end_time": (_Words, "Column of the end of the interval, if there is one.", ()),
    "values": (_Words, "Column of readings; repeat it for columns that are added up.", ("--value-column",)),
    "unit": (
        Literal["W", "kW", "MW", "Wh", "kWh", "MWh", "Ws"],
        "Mean power, or energy, of each interval. Default: what the column's name says.",
        (),
    ),
    "kind": (Literal["power", "energy", "register"], "register: a counter of all energy, which grows.", ()),
    "sign": (Literal["positive", "negative"], "Which sign production has, if there are both.", ()),
    "time_zone": (str, "Of times without offset: +01:00, or Europe/Berlin for clocks that change.", ()),
    "time_format": (str, "iso, epoch-s, epoch-ms, excel, or directives: %d.%m.%Y %H:%M, %m/%d/%Y %I:%M %p.", ()),
    "stamped": (Literal["start", "end"], "Which end of its interval a time is.", ()),
    "ambiguous": (
        Literal["error", "order", "flag", "unknown"],
        "What tells the hour that comes twice when clocks change.",
        (),
    ),
    "ambiguous_column": (str, "The flag column.", ()),
    "ambiguous_second": (_Words, "What it says in the second of the two hours.", ()),
    "interval_seconds": (int, "Length of an interval: absent rows are gaps. Default: the step of the rows.", ()),
    "until_next": (bool, "Each row lasts until the next one, however long that is.", ()),
    "last_row": (Literal["unknown", "as-before"], "How long the last row lasts then.", ()),
    "nulls": (
        Literal["error", "unknown", "skip"],
        "A row without a reading: an error, an interval that is not known, or not a reading.",
        (),
    ),
    "null_words": (_Words, "What says that a reading is not there; repeatable.", ()),
    "skip_rows": (_Words, "What rows that are not readings begin with, such as Total; repeatable.", ()),
    "where": (_Words, "COLUMN=VALUE: which rows count; several values of a column are added up.", ()),
    "delimiter": (str, "What separates columns; tab for a tab.", ()),
    "decimal": (Literal[".", ","], "The decimal character.", ()),
    "thousands": (str, "What groups thousands.", ()),
    "encoding": (str, "Of the text: utf-8, utf-16, cp1252.", ()),
    "header": (bool, "Whether there is a header row; without one, columns are 1, 2 and so on.", ()),
    "range_separator": (str, "Between the two times of a cell that says from when to when.", ()),
    "hour": (str, "Column of the hour of the day.", ()),
    "hour_counts": (Literal["end", "start"], "Whether hours are 1 to 24 or 0 to 23.", ()),
    "quarter": (str, "Column of the quarter of the hour, 1 to 4.", ()),
    "period": (str, "Column of the number of the period of the local day, from 1.", ()),
    "period_minutes": (int, "How long a period is.", ()),
    "wide": (_Words, "Rows are days: first and last of the columns that are its intervals (give it twice).", ()),
    "order": (Literal["ascending", "descending", "any"], "Of the rows.", ()),
    "duplicates": (Literal["error", "equal-once"], "Rows of the same time.", ()),
    "register_reset": (Literal["unknown", "zero"], "An interval in which a register shows less than before.", ()),
    "register_size": (str, "Where a register rolls over to 0, in its unit.", ()),
    "allow_rising": (bool, "Energies that only grow are no register.", ()),
    "unit_check": (bool, "Whether a column whose name says another unit is an error.", ()),
    "quality_column": (str, "Column that says which readings are estimates.", ()),
    "estimated_words": (_Words, "What it says then; * is anything.", ()),
    "measured_words": (_Words, "What it says of measured readings.", ()),
    "decimals": (int, "To how many decimals floats of a Parquet file are rounded.", ()),
    "records": (str, "Where the list of records is in JSON, such as data.results.", ()),
    "sheet": (str, "Sheet of a workbook.", ()),
    "from": (str, "First UTC day that counts, such as 2026-06-01.", ()),
    "to": (str, "Last UTC day that counts.", ()),
}


def _parameter(field: str, kind: Any, text: str, others: tuple[str, ...]) -> Parameter:
    option = f"--{field.replace('_', '-')}"
    names = (f"{option}/--no-{option[2:]}",) if kind is bool else (option, *others)
    annotation = Annotated[kind | None, typer.Option(*names, help=text, show_default=False, rich_help_panel=_PANEL)]
    return Parameter(f"table_{field}", Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def with_table_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command all options of a ``TableFormat``; it gets those that were given as ``table_options``."""

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        given = {field: options.pop(f"table_{field}") for field in _OPTIONS}
        command(*arguments, table_options=_fields(given), **options)

    own = signature(command, eval_str=True)
    parameters = [parameter for parameter in own.parameters.values() if parameter.name != "table_options"]
    parameters += [_parameter(field, *rest) for field, rest in _OPTIONS.items()]
    run.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _fields(given: dict[str, Any]) -> dict[str, Any]:
    from der_client.readings.errors import MeterDataError  # noqa: PLC0415 -- `der --help` stays fast

    fields = {field: value for field, value in given.items() if value not in (None, [])}
    if "where" in fields:
        where: dict[str, list[str]] = {}
        for text in fields["where"]:
            column, equals, value = text.partition("=")
            if not equals or not column:
                raise MeterDataError(f"`where` is {text!r}: expected COLUMN=VALUE")
            where.setdefault(column, []).append(value)
        fields["where"] = where
    return fields


FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME|FILE.toml",
        help="How the file says it: a file in TOML, the name of a ready-made format, or json, green-button, nem12, "
        "mscons, solaredge. "
        "Options count more. 'der readings formats' lists them, 'der readings inspect' proposes one.",
        show_default=False,
    ),
]
Channels = Annotated[
    list[str] | None,
    typer.Option(
        "--channel", metavar="NAME", help="Which channel of the file; several are added up.", show_default=False
    ),
]
PowerOfTen = Annotated[
    int | None,
    typer.Option(
        "--power-of-ten",
        metavar="N",
        help="For Green Button files that say it wrong: what all readings are multiplied by, as a power of ten.",
        show_default=False,
    ),
]
Estimates = Annotated[
    bool, typer.Option("--estimates", help="Count readings that are estimates, too; otherwise they are left unknown.")
]


def format_of(text: str | None) -> "str | TableFormat | None":
    """Return the format that an option names."""
    from der_client.readings.files import format_named  # noqa: PLC0415 -- `der --help` stays fast

    return None if text is None else format_named(text)
