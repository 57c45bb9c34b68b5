"""The exact reading of each row of a table, and whether it is an estimate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from der_client.readings.quantities import Quantities, parse_quantities

if TYPE_CHECKING:
    import polars as pl

    from der_client.readings.cell_errors import CellErrors
    from der_client.readings.table import TableFormat
    from der_client.readings.table_columns import TableColumns


def read_values(rows: pl.DataFrame, form: TableFormat, columns: TableColumns, errors: CellErrors) -> Quantities:
    """Read the readings of rows; those of several columns are added up.

    Args:
        rows: All cells as text.
        form: How the table says it.
        columns: Where its columns are.
        errors: Of these rows.

    Returns:
        One for each row; where each row is a day, one for each of its intervals.

    Raises:
        MeterDataError: If a cell is not a number, or is empty and the format does not say what that means.
    """
    import polars as pl  # noqa: PLC0415 -- heavy, and an extra

    if columns.wide:
        numbers = [columns.number(name) for name in columns.wide]
        cells = rows.select(pl.concat_list(pl.col(numbers).str.strip_chars())).to_series().explode()
        index = pl.int_range(len(cells), dtype=pl.Int64, eager=True) // len(columns.wide)
        return _read(cells, form, errors.at(index).of("values", cells))
    parts = []
    for name in columns.values:
        texts = columns.texts(rows, name)
        parts.append(_read(texts, form, errors.of(name, texts)))
    decimals = max(part.decimals for part in parts)
    first, *others = (part.with_decimals(decimals) for part in parts)
    return Quantities(sum(others, first), decimals)


def _read(texts: pl.Series, form: TableFormat, errors: CellErrors) -> Quantities:
    parsed = parse_quantities(
        texts, decimal=form.decimal, thousands=form.thousands, null_words=form.null_words, refuse=errors
    )
    if form.nulls == "error" and parsed.numbers.null_count():
        raise errors(
            parsed.numbers.is_null().arg_true()[0],
            'there is no reading: give `nulls="unknown"` (its interval is there, its energy is unknown) or '
            '`nulls="skip"` (the row is not a reading), or correct it',
        )
    return parsed


def read_estimated(rows: pl.DataFrame, form: TableFormat, columns: TableColumns, errors: CellErrors) -> pl.Series:
    """Return which rows are estimates.

    Args:
        rows: All cells as text.
        form: How the table says it.
        columns: Where its columns are.
        errors: Of these rows.

    Raises:
        MeterDataError: If the meaning of a word is not known.
    """
    import polars as pl  # noqa: PLC0415

    if form.quality_column is None:
        return pl.repeat(False, rows.height, eager=True)
    texts = columns.texts(rows, form.quality_column)
    estimated = {word.lower() for word in form.estimated_words}
    measured = {word.lower() for word in form.measured_words}
    meaning: dict[str, bool] = {}
    for text in texts.unique().to_list():
        word = text.lower()
        if word in measured or word in estimated:
            meaning[text] = word in estimated
        elif "*" in estimated and word:
            meaning[text] = True
        else:
            raise errors.of(form.quality_column, texts)(
                (texts == text).arg_true()[0],
                "it is not known whether this word means an estimate: add it to `estimated_words` or `measured_words`",
            )
    return texts.replace_strict(meaning, return_dtype=pl.Boolean)
