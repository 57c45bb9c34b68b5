"""Statements: what a party bought and sold, by month of delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from fastapi.responses import Response

from der_client.web.api.answers import Format, file_of, json_response
from der_client.web.api.rows import with_units
from der_client.web.parameters import Month, Party

if TYPE_CHECKING:
    from der_client.index import Index


def add_statements(router: APIRouter, index: Index) -> None:
    """Add the endpoint of statements."""

    @router.get("/statement", summary="What a party bought and sold in a month, by day of production, with exact sums.")
    def statement(
        party: Party,
        month: Month,
        format: Format = "json",  # noqa: A002 - the name of the parameter
    ) -> Response:
        found = index.statement(party, month)
        lines = with_units(found.lines, has_money=True)
        if format != "json":
            return file_of(lines, name=f"statement-{party}-{month:%Y-%m}", output=format)
        answer: dict[str, Any] = {
            "party": found.party,
            "month": f"{month:%Y-%m}",
            "height": found.height,
            "lines": lines.rows(),
            "totals": with_units(found.totals, has_money=True).rows(),
        }
        return json_response(answer)
