"""The options for the format of a file of meter data: declared once, for every command that reads one."""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from der_client.readings.table import TableFormat

_PANEL = "Format of the file"
_Words = list[str]

# Field of a TableFormat: type, help, and further names of the option.
_OPTIONS: dict[str, tuple[Any, str, tuple[str, ...]]] = {
    "time": (_Words, "Column of the time. Repeat it if date and time are in two columns.", ("--time-column",)),
    "end_time": (_Words, "Column of the interval's end, if there is one.", ()),
    "values": (_Words, "Column of the readings. Repeat it to add up several columns.", ("--value-column",)),
    "unit": (
        Literal["W", "kW", "MW", "Wh", "kWh", "MWh", "Ws"],
        "Mean power (W, kW, MW) or energy (Wh, kWh, MWh, Ws) of each interval. Default: that in the column's name.",
        (),
    ),
    "kind": (
        Literal["power", "energy", "register"],
        "What the readings are: power, energy, or register: a meter's counter, which only grows.",
        (),
    ),
    "sign": (Literal["positive", "negative"], "Sign of production, if readings have both: positive or negative.", ()),
    "time_zone": (str, "Time zone of times without offset: +01:00, or Europe/Berlin if clocks change.", ()),
    "time_format": (
        str,
        "iso (default), epoch-s, epoch-ms, excel, or directives: %d.%m.%Y %H:%M, %m/%d/%Y %I:%M %p.",
        (),
    ),
    "stamped": (Literal["start", "end"], "Whether a time is the start (default) or the end of its interval.", ()),
    "ambiguous": (
        Literal["error", "order", "flag", "unknown"],
        "The hour that clocks repeat in autumn: error (default), order (of the rows), flag (a column), or unknown.",
        (),
    ),
    "ambiguous_column": (str, "Column that flags the repeated hour.", ()),
    "ambiguous_second": (_Words, "The flag column's value in the second of the two hours; repeatable.", ()),
    "interval_seconds": (int, "Length of each interval, s: missing rows are gaps. Default: the step between rows.", ()),
    "until_next": (bool, "Each row lasts until the next one, however long that is.", ()),
    "last_row": (
        Literal["unknown", "as-before"],
        "With --until-next, how long the last row lasts: unknown (default) or as-before.",
        (),
    ),
    "nulls": (
        Literal["error", "unknown", "skip"],
        "A row without a reading: error (default), unknown (an interval of unknown energy), or skip (the row).",
        (),
    ),
    "null_words": (_Words, "Words that mean that there is no reading; repeatable. They replace the usual ones.", ()),
    "skip_rows": (_Words, "First words of rows that are not readings, such as Total; repeatable.", ()),
    "where": (_Words, "COLUMN=VALUE: read these rows only. Several values of one column are added up.", ()),
    "delimiter": (str, "Character between cells; tab for a tab. Default: a comma.", ()),
    "decimal": (Literal[".", ","], "Decimal character: . (default) or ,", ()),
    "thousands": (str, "Character that groups thousands.", ()),
    "encoding": (str, "Text encoding: utf-8 (default), utf-16, cp1252.", ()),
    "header": (bool, "Whether there is a header row. Without one, the columns are 1, 2 and so on.", ()),
    "range_separator": (str, "Separator of the two times, if one cell has both start and end.", ()),
    "hour": (str, "Column of the hour of the day.", ()),
    "hour_counts": (Literal["end", "start"], "end: hours 1 to 24, each named by its end. start: hours 0 to 23.", ()),
    "quarter": (str, "Column of the quarter of the hour, 1 to 4.", ()),
    "period": (str, "Column of the period of the local day, counted from 1.", ()),
    "period_minutes": (int, "Length of a period, in minutes. Default: 30.", ()),
    "wide": (_Words, "Each row is a day: first and last column of its intervals (give it twice).", ()),
    "order": (
        Literal["ascending", "descending", "any"],
        "Order of the rows by time: ascending (default), descending or any.",
        (),
    ),
    "duplicates": (
        Literal["error", "equal-once"],
        "Rows of the same time: error (default), or equal-once: equal rows count once.",
        (),
    ),
    "register_reset": (
        Literal["unknown", "zero"],
        "What a register that shows less than before means: unknown energy (default), or a restart at zero.",
        (),
    ),
    "register_size": (str, "Value at which the register rolls over to 0, in its unit.", ()),
    "allow_rising": (bool, "Accept energies that only grow, which look like a register.", ()),
    "unit_check": (bool, "Refuse a unit that differs from the one in the column's name.", ()),
    "quality_column": (str, "Column that marks estimates.", ()),
    "estimated_words": (_Words, "Its value for estimates; * is any text. Repeatable.", ()),
    "measured_words": (_Words, "Its value for measured readings; repeatable.", ()),
    "decimals": (int, "Decimals to round the floats of a Parquet file to.", ()),
    "records": (str, "Path of the list of records in JSON, such as data.results.", ()),
    "sheet": (str, "Sheet of the workbook.", ()),
    "from": (str, "First UTC day to read, such as 2026-06-01.", ()),
    "to": (str, "Last UTC day to read.", ()),
}


def _parameter(field: str, kind: Any, text: str, others: tuple[str, ...]) -> Parameter:
    option = f"--{field.replace('_', '-')}"
    names = (f"{option}/--no-{option[2:]}",) if kind is bool else (option, *others)
    annotation = Annotated[
        kind | None,
        typer.Option(
            *names,
            metavar=_metavar(kind, text),
            help=text,
            case_sensitive=False,
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ]
    return Parameter(f"table_{field}", Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _metavar(kind: Any, text: str) -> str | None:
    """Return a short word for the value, which leaves room for the options' names; the text lists choices."""
    if kind in (str, _Words):
        return "COLUMN" if text.startswith("Column") else "TEXT"
    return {bool: None, int: "NUMBER"}.get(kind, "WORD")


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
        help="Format of the file: a file in TOML, or a name that 'der readings formats' lists; 'der readings inspect' "
        "proposes one. Options override it.",
        show_default=False,
    ),
]
Channels = Annotated[
    list[str] | None,
    typer.Option(
        "--channel", metavar="NAME", help="Channel of the file to read; several are added up.", show_default=False
    ),
]
PowerOfTen = Annotated[
    int | None,
    typer.Option(
        "--power-of-ten",
        metavar="N",
        help="Green Button: the power of ten to multiply readings by, if the one in the file is wrong.",
        show_default=False,
    ),
]
Estimates = Annotated[
    bool, typer.Option("--estimates", help="Count estimates as readings. Default: they are left unknown.")
]


def format_of(text: str | None) -> "str | TableFormat | None":
    """Return the format that an option names."""
    from der_client.readings.files import format_named  # noqa: PLC0415 -- `der --help` stays fast

    return None if text is None else format_named(text)
