"""Certificates: who claimed or retired which energy, of which slots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from der_client.web.paging import page_of
from der_client.web.parameters import Cursor, OptionalDay, OptionalParty

if TYPE_CHECKING:
    from der_client.index import Index
    from der_client.web.figures import Figures
    from der_client.web.rendering import Renderer

_PAGE: Final = 25


def certificate_routes(index: Index, _figures: Figures, renderer: Renderer) -> APIRouter:
    """Return the page of certificates."""
    router = APIRouter(include_in_schema=False)

    @router.get("/certificates")
    def certificates(
        request: Request,
        beneficiary: OptionalParty = None,
        from_day: OptionalDay = None,
        to_day: OptionalDay = None,
        after: Cursor = None,
    ) -> Response:
        rows = index.certificates(
            beneficiary=beneficiary, from_day=from_day, to_day=to_day, after=after, limit=_PAGE + 1, newest_first=True
        )
        shown, following = page_of(rows, _PAGE, lambda certificate: certificate.event_id)
        query = {"beneficiary": beneficiary, "from_day": from_day, "to_day": to_day}
        return renderer.page(
            request,
            "certificates.html",
            title="Certificates",
            rows=shown,
            beneficiary=beneficiary,
            from_day=from_day,
            to_day=to_day,
            previous=None if after is None else query,
            next=None if following is None else query | {"after": following},
        )

    return router
