"""Certificates: who claimed or retired which energy, of which slots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from der_client.web.parameters import Offset, OptionalDay, OptionalParty

if TYPE_CHECKING:
    from der_client.index import Index
    from der_client.web.rendering import Renderer

_PAGE: Final = 25


def certificate_routes(index: Index, renderer: Renderer) -> APIRouter:
    """Return the page of certificates."""
    router = APIRouter(include_in_schema=False)

    @router.get("/certificates")
    def certificates(
        request: Request,
        beneficiary: OptionalParty = None,
        from_day: OptionalDay = None,
        to_day: OptionalDay = None,
        offset: Offset = 0,
    ) -> Response:
        rows = index.certificates(beneficiary=beneficiary, from_day=from_day, to_day=to_day)
        query = {"beneficiary": beneficiary, "from_day": from_day, "to_day": to_day}
        newest = rows[::-1]
        return renderer.page(
            request,
            "certificates.html",
            title="Certificates",
            rows=newest[offset : offset + _PAGE],
            beneficiary=beneficiary,
            from_day=from_day,
            to_day=to_day,
            previous=None if offset == 0 else query | {"offset": max(0, offset - _PAGE)},
            next=None if offset + _PAGE >= len(rows) else query | {"offset": offset + _PAGE},
        )

    return router
