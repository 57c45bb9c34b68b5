"""OpenAPI descriptions of results, made from the classes of the rows."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from pydantic import Field, create_model

from der_client.web.api.rows import row_kind

PARAMETERS: Final = {
    "actor": "Who sent the transaction.",
    "asset_id": "The plant, by its number.",
    "beneficiary": "For whom the energy was claimed.",
    "claimant": "Who claimed it.",
    "day": "The day of production.",
    "day_from": "The first day of production.",
    "day_to": "The last day of production.",
    "format": "A page as JSON, or the whole list as a file.",
    "from_day": "The first day of production.",
    "kind": "Claimed by a buyer, or retired by the plant's owner.",
    "number": "The certificate's number among its kind.",
    "offer_id": "The offer, by its number.",
    "owner": "Who owns the plant.",
    "party": "Buyer or payee.",
    "payment_id": "The payment, by its number.",
    "region": "The region of the plant's grid operator.",
    "seller": "Who offers.",
    "state": "Its current state.",
    "taker": "For whom alone the offer is.",
    "to_day": "The last day of production.",
}
"""What parameters are for, where the endpoint itself does not say it."""


class DescribedApi(FastAPI):
    """An application whose OpenAPI description says what each parameter is for."""

    def openapi(self) -> dict[str, Any]:
        """Return the description, made when it is first asked for."""
        if self.openapi_schema is None:
            for methods in super().openapi()["paths"].values():
                for parameter in methods["get"].get("parameters", ()):
                    if "description" not in parameter and parameter["name"] in PARAMETERS:
                        parameter["description"] = PARAMETERS[parameter["name"]]
        return super().openapi()


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
        next=(int | None, Field(description="Pass it as `after` for the next page; null at the end.")),
    )
    files: dict[str, Any] = {"text/csv": {}, "application/vnd.apache.parquet": {}}
    return {200: {"model": page, "content": files, "description": "A page, or the whole list as a file."}}


def one_row(kind: type, *, has_money: bool = False) -> dict[int | str, dict[str, Any]]:
    """Return the description of a result that is one object.

    Args:
        kind: A dataclass of ``der_client.index.answers``.
        has_money: Whether it has amounts of money.
    """
    return {200: {"model": row_kind(kind, has_money=has_money)}}


def _list_of(row: Any) -> Any:
    return list[row]
