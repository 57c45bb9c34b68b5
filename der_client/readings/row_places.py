"""Where a row is, as a user would look for it: a line of text, a row of a sheet, a record of a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from der_client.readings.errors import MeterDataError

if TYPE_CHECKING:
    from collections.abc import Callable


def _one_more(row: int) -> int:
    return row + 1


@dataclass(frozen=True, slots=True)
class RowPlaces:
    """Names the rows of a file in errors.

    Attributes:
        word: What is counted: "line", "row", "record" or "entry".
        number: Returns the number of a row, from 1, by its number in the file, from 0; None if it is not known.
    """

    word: str
    number: Callable[[int], int | None] = _one_more

    def error(self, row: int, problem: str, *, column: str | None = None, value: str | None = None) -> MeterDataError:
        """Return the error for a row.

        Args:
            row: Its number in the file, from 0.
            problem: What is wrong with it, and what to do.
            column: The name of the column.
            value: The cell.
        """
        return MeterDataError(problem, line=self.number(row), counted=self.word, column=column, value=value)

    def before(self, row: int) -> str:
        """Return the name of the previous row, for an error."""
        number = self.number(row)
        return "the row before" if number is None else f"{self.word} {number}"
