"""Returns a list as JSON with a cursor, or as a whole in CSV or Parquet."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from fastapi.responses import Response

from der_client.index.table import Table
from der_client.web.api.rows import with_units
from der_client.web.paging import page_of

if TYPE_CHECKING:
    from collections.abc import Callable

Format = Literal["json", "csv", "parquet"]
_MEDIA: Final = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


@dataclass(frozen=True, slots=True)
class Problem:
    """An error of a request.

    Attributes:
        error: One sentence.
    """

    error: str


def answer_list(
    read: Callable[[int | None], Table[Any]],
    *,
    name: str,
    output: Format,
    limit: int,
    cursor: Callable[[Any], int],
    has_money: bool = False,
) -> Response:
    """Return a list in the requested format.

    Args:
        read: A function that reads the list from the cursor on: up to a number of rows, or all.
        name: The name of the file, without its ending.
        output: The format; only JSON comes in pages.
        limit: How many rows a page has.
        cursor: The value after which the next page begins.
        has_money: Whether the rows have amounts of money.
    """
    if output != "json":
        return file_of(with_units(read(None), has_money=has_money), name=name, output=output)
    rows = read(limit + 1)
    shown, following = page_of(rows, limit, cursor)
    items = with_units(Table(rows.kind, shown), has_money=has_money).rows()
    return json_response({"items": items, "next": following})


def answer_rows(rows: Table[Any], *, name: str, output: Format, limit: int, after: int | None) -> Response:
    """Return a list that is read as a whole, in the requested format.

    Args:
        rows: The whole list.
        name: The name of the file, without its ending.
        output: The format; only JSON comes in pages.
        limit: How many rows a page has.
        after: The total number of rows on the previous pages.
    """
    start = after or 0
    return answer_list(
        lambda most: Table(rows.kind, rows[start:][:most]),
        name=name,
        output=output,
        limit=limit,
        cursor=lambda _row: start + limit,
    )


def file_of(table: Table[Any], *, name: str, output: Literal["csv", "parquet"]) -> Response:
    """Return a list as a file to save.

    Args:
        table: The list.
        name: The name of the file, without its ending.
        output: The format.
    """
    if output == "csv":
        content = table.to_csv().encode()
    else:
        file = io.BytesIO()
        table.to_polars().write_parquet(file)
        content = file.getvalue()
    headers = {"content-disposition": f'attachment; filename="{name}.{output}"'}
    return Response(content, media_type=_MEDIA[output], headers=headers)


def json_response(value: Any) -> Response:
    """Return plain values as JSON; whole numbers of any size stay exact."""
    return Response(json.dumps(value, ensure_ascii=False, separators=(",", ":")), media_type="application/json")
