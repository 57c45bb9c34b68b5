"""Errors that name the row, the column and the text of a cell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from der_client.readings.errors import MeterDataError
    from der_client.readings.row_places import RowPlaces


@dataclass(frozen=True, slots=True)
class CellErrors:
    """Makes errors for the cells of a column by their index.

    Attributes:
        records: The number of each cell's row in its file.
        places: How errors name the rows.
        column: The name of the column, or of several that are read together.
        texts: The text of the cells.
    """

    records: pl.Series
    places: RowPlaces
    column: str
    texts: pl.Series

    def __call__(self, index: int, problem: str) -> MeterDataError:
        """Return the error for a cell.

        Args:
            index: The cell's index.
            problem: What is wrong with it, and what to do.
        """
        return self.places.error(
            int(self.records[index]),
            problem,
            column=self.column or None,
            value=str(self.texts[index]).strip(),
        )

    def of(self, column: str, texts: pl.Series) -> CellErrors:
        """Return the same for another column of the same rows."""
        return replace(self, column=column, texts=texts)

    def at(self, indices: pl.Series) -> CellErrors:
        """Return the same for a column that has the entries with these indices."""
        return replace(self, records=self.records.gather(indices), texts=self.texts.gather(indices))
