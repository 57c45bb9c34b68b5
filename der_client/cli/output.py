"""What commands print: results on stdout, as a table or as one JSON object; progress on stderr."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

# In a file or a pipe nothing wraps: room for a contract's id and a txid beside the rest.
_WIDTH_WITHOUT_TERMINAL: Final = 200


def print_json(content: dict[str, Any]) -> None:
    """Print one JSON object on one line, so that it can be read from a command that goes on running."""
    typer.echo(json.dumps(content, ensure_ascii=False))


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; numbers stand on the right, and long texts are folded, never cut."""
    from rich.table import Table  # noqa: PLC0415 -- `der --help` stays fast
    from rich.text import Text  # noqa: PLC0415

    table = Table(title=Text(title), title_justify="left")
    for number, column in enumerate(columns):
        numeric = any(isinstance(row[number], int) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        # As Text: what comes from outside must not be read as markup.
        table.add_row(*(Text(_cell(value)) for value in row))
    output_console().print(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else str(value)


def output_console() -> Console:
    """A console on stdout."""
    return _console(stderr=False)


def progress_console() -> Console:
    """A console on stderr, for what passes."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    from rich.console import Console  # noqa: PLC0415 -- `der --help` stays fast

    console = Console(stderr=stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=_WIDTH_WITHOUT_TERMINAL)
