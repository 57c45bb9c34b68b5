"""What OpenAPI says of answers: made from the very classes of the rows."""

from __future__ import annotations

from typing import Any

from pydantic import Field, create_model

from der_client.web.api.rows import row_kind


def page_of_rows(kind: type, *, has_money: bool = False) -> dict[int | str, dict[str, Any]]:
    """Return the description of a list: JSON pages, CSV or Parquet.

    Args:
        kind: A dataclass of ``der_client.index.answers``.
        has_money: Whether its rows have amounts of money.
    """
    row = row_kind(kind, has_money=has_money)
    page = create_model(
        f"{kind.__name__}Page",
        items=(_list_of(row), Field(description="The rows.")),
        next=(int | None, Field(description="Pass it as `after` to go on; null at the end.")),
    )
    files: dict[str, Any] = {"text/csv": {}, "application/vnd.apache.parquet": {}}
    return {200: {"model": page, "content": files, "description": "A page, or the whole list as a file."}}


def one_row(kind: type, *, has_money: bool = False) -> dict[int | str, dict[str, Any]]:
    """Return the description of an answer that is one object.

    Args:
        kind: A dataclass of ``der_client.index.answers``.
        has_money: Whether it has amounts of money.
    """
    return {200: {"model": row_kind(kind, has_money=has_money)}}


def _list_of(row: Any) -> Any:
    return list[row]
