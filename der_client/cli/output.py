"""The output of commands: results on stdout, as a table, a JSON object or CSV; progress on stderr.

Text from outside (the chain, an API, a file) may contain escape sequences or markup; none of it reaches a terminal raw.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import textwrap
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import typer

from der_client.stacks.checks import is_whole_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

# In a file or a pipe nothing wraps: room for a contract's id and a txid beside the rest.
_WIDTH_WITHOUT_TERMINAL: Final = 200
_NARROWEST: Final = 30
# Blanks between two columns of a list.
_BETWEEN: Final = 2
# First characters by which a spreadsheet would read a text as a formula.
_FORMULA: Final = re.compile(r"[=+\-@\t\r]")


def printable(text: str, *, keep: str = "") -> str:
    r"""Return a text with everything that a terminal would act on written out, such as ``\x1b`` for an escape.

    Args:
        text: Any text.
        keep: Characters to leave as they are, such as line breaks.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in keep else _written_out(each) for each in text)


def _written_out(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def print_json(content: dict[str, Any]) -> None:
    """Print one JSON object on one line, so that it can be read while the command is still running."""
    typer.echo(_json_text(content))


def _json_text(content: object) -> str:
    text = json.dumps(content, ensure_ascii=False)
    if not text.isprintable():  # C1 controls, direction marks: JSON may contain them, a terminal acts on them
        text = "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)
    return text


def plain(value: Any) -> Any:
    """Return a value as it is in JSON and CSV: days and times in ISO 8601, names in lower case, bytes in hex."""
    if isinstance(value, Enum):
        return value.name.lower().replace("_", "-")
    if isinstance(value, (date, datetime)):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if hasattr(type(value), "model_fields"):
        return {name: plain(getattr(value, name)) for name in type(value).model_fields}
    return value


def print_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Print CSV with a header row; see `csv_text`."""
    typer.echo(csv_text(columns, rows), nl=False)


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return CSV with a header row; texts that a spreadsheet would run as a formula get a ``'`` in front.

    Values with several parts are JSON.

    Args:
        columns: The keys of the values, in order.
        rows: The values; those that are missing or ``None`` are empty.
    """
    import csv  # noqa: PLC0415 -- `der --help` stays fast
    import io  # noqa: PLC0415

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_csv_cell(plain(row.get(column))) for column in columns] for row in rows)
    return text.getvalue()


def _csv_cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return printable(f"'{value}" if _FORMULA.match(value) else value)
    if isinstance(value, (dict, list)):
        return _json_text(value)
    return value


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, left: Sequence[str] = ()
) -> None:
    """Print a table; text that is too long for its column continues on the next line, and nothing is cut.

    Args:
        title: The title above it.
        columns: The headers; one that ends with a unit or is short is best.
        rows: The cells: text, numbers, or ``None`` for nothing.
        left: Headers of left-aligned columns; the first column always is, the others are right-aligned.
    """
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 -- `der --help` stays fast
    from rich.cells import cell_len  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = output_console()
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(columns, *cells, strict=True)]
    fits = sum(widths) + _BETWEEN * (len(widths) - 1) <= console.width
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 1 if fits else 0),
        collapse_padding=True,
        pad_edge=False,
        show_edge=False,
    )
    for number, column in enumerate(columns):
        justify = "left" if number == 0 or column in left else "right"
        table.add_column(column, justify=justify, no_wrap=False, overflow="fold")  # type: ignore[arg-type]
    for row in cells:
        table.add_row(*map(Text, row))
    console.print(Text(printable(title), style="bold"))  # not the table's title, which would wrap at its width
    console.print(table)


def print_transactions(transactions: Iterable[tuple[str | None, str]]) -> None:
    """Print transactions, a line each that can be copied: the id, which is not broken, and what it is for.

    Args:
        transactions: The ids with a description; those without an id are left out.
    """
    sent = [(txid, what) for txid, what in transactions if txid]
    if sent:
        typer.echo("\nTransactions")
    for txid, what in sent:
        typer.echo(f"{txid}  {printable(what)}")


def print_fields(title: str, fields: Iterable[tuple[str, object]], *, err: bool = False) -> None:
    """Print names with their values, each on a line or more; those that are ``None`` are left out.

    Args:
        title: The title above them.
        fields: Names and values.
        err: Whether to print on stderr.
    """
    shown = [(name, _cell(value)) for name, value in fields if value is not None]
    width = max((len(name) for name, _ in shown), default=0)
    typer.echo(printable(title), err=err)
    for name, value in shown:
        print_wrapped(value, first=f"  {name:<{width}}  ", err=err)


def print_wrapped(text: str, *, first: str = "", err: bool = False) -> None:
    """Print a text in lines that fit, each indented like the first.

    Args:
        text: The text; control characters are written out.
        first: What the first line begins with.
        err: Whether to print on stderr.
    """
    room = max(_NARROWEST, terminal_width() - len(first))
    parts = textwrap.wrap(printable(text), room, break_on_hyphens=False) or [""]
    typer.echo(f"{first}{parts[0]}".rstrip(), err=err)
    for part in parts[1:]:
        typer.echo(f"{' ' * len(first)}{part}", err=err)


def can_show(text: str) -> bool:
    """Return whether the encoding of the output has all characters of a text."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def terminal_width() -> int:
    """Return the line width: the terminal's, or a generous one where there is no terminal."""
    return shutil.get_terminal_size((_WIDTH_WITHOUT_TERMINAL, 0)).columns


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if is_whole_number(value) else printable(str(value))


def output_console() -> Console:
    """Return a console on stdout."""
    return _console(stderr=False)


def progress_console() -> Console:
    """Return a console on stderr, for progress."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    from rich.console import Console  # noqa: PLC0415 -- `der --help` stays fast

    console = Console(stderr=stderr, highlight=False)
    if console.is_terminal or "COLUMNS" in os.environ:
        return console
    return Console(stderr=stderr, highlight=False, width=_WIDTH_WITHOUT_TERMINAL)
