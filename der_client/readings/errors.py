"""Errors in meter data, and where they are."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from der_client.stacks.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOWN_LENGTH: Final = 60
_FIELD: Final = re.compile(r"`(\w+)(?:=([^`]*))?`")


def like(name: str, known: Iterable[str]) -> str:
    """Return a hint that a name may be mistyped if it resembles a known one, else ""."""
    found = get_close_matches(name, list(known), n=1, cutoff=0.7)
    return f" (do you mean {found[0]!r}?)" if found else ""


class MeterDataError(InvalidValueError):
    """Meter data that cannot be read as asked; nothing was imported.

    The message names arguments in backquotes, such as ``unit="kWh"``; ``for_command`` names the options instead.

    Attributes:
        line: The line of the file, from 1, or None if the whole file is meant. If a file has no lines, it counts what
            ``counted`` says.
        counted: What ``line`` counts: "line"; "row" of a sheet or a data frame; "record" or "entry" of a list in JSON.
        column: The column's name, or None.
        value: The cell as it is in the file, shortened to 60 characters, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        line: int | None = None,
        counted: str = "line",
        column: str | None = None,
        value: str | None = None,
    ) -> None:
        if value is not None and len(value) > _SHOWN_LENGTH:
            value = value[:_SHOWN_LENGTH] + "…"
        where = [f"{counted} {line}"] if line is not None else []
        where += [f"column {column!r}"] if column is not None else []
        where += [f"value {value!r}"] if value is not None else []
        super().__init__(f"{', '.join(where)}: {message}" if where else message)
        self.line = line
        self.counted = counted
        self.column = column
        self.value = value

    def for_command(self) -> str:
        """Return the message with the options of the command line instead of arguments."""
        return _FIELD.sub(_option, str(self))


def _option(match: re.Match[str]) -> str:
    name, value = match[1].replace("_", "-"), match[2]
    if value in {None, "True"}:
        return f"--{name}"
    if value == "False":
        return f"--no-{name}"
    bare = value.strip('"')
    return f"--{name} {value if not bare or set(bare) & set(' ;%') else bare}"
