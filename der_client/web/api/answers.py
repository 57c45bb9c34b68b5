"""One list as JSON with a cursor, or as a whole in CSV or Parquet."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from fastapi.responses import Response

from der_client.web.api.rows import with_units

if TYPE_CHECKING:
    from collections.abc import Callable

    from der_client.index.table import Table

Format = Literal["json", "csv", "parquet"]
_MEDIA: Final = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a request.

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
    """Return a list in the format that was asked for.

    Args:
        read: Reads the list from the cursor on: at most so many rows, or all.
        name: The name of the file, without its ending.
        output: The format; only JSON comes in pages.
        limit: How many rows a page has.
        cursor: What the next page begins after.
        has_money: Whether the rows have amounts of money.
    """
    if output != "json":
        return file_of(with_units(read(None), has_money=has_money), name=name, output=output)
    rows = read(limit + 1)
    shown = with_units(rows, has_money=has_money).rows()[:limit]
    following = cursor(rows[limit - 1]) if len(rows) > limit else None
    return json_answer({"items": shown, "next": following})


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


def json_answer(value: Any) -> Response:
    """Return plain values as JSON; whole numbers of any size stay exact."""
    return Response(json.dumps(value, ensure_ascii=False, separators=(",", ":")), media_type="application/json")
