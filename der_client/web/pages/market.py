"""The market: offers, one offer, and what is left of each day."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response

from der_client.web.books import day_lines
from der_client.web.errors import EmptyIndexError
from der_client.web.paging import page_of
from der_client.web.parameters import Cursor, Id, OptionalId

if TYPE_CHECKING:
    from der_client.index import Index
    from der_client.web.figures import Figures
    from der_client.web.rendering import Renderer

_PAGE: Final = 25
_DAYS_BACK: Final = 7
_DAYS_AHEAD: Final = 31
_MOST_EVENTS: Final = 100
_OPEN: Final = {"open": True, "closed": False, "all": None}


def market_routes(index: Index, figures: Figures, renderer: Renderer) -> APIRouter:
    """Return the pages of the market."""
    router = APIRouter(include_in_schema=False)

    @router.get("/market")
    def market(
        request: Request,
        state: Literal["open", "closed", "all"] = "open",
        asset_id: OptionalId = None,
        after: Cursor = None,
    ) -> Response:
        tip = index.tip()
        if tip is None:
            raise EmptyIndexError
        rows = index.offers(open=_OPEN[state], asset_id=asset_id, after=after, limit=_PAGE + 1, newest_first=True)
        offers, following = page_of(rows, _PAGE, lambda offer: offer.offer_id)
        today = tip.block_time.date()
        first, last = today - timedelta(days=_DAYS_BACK), today + timedelta(days=_DAYS_AHEAD)
        books = figures.books(first, last) if asset_id is None else day_lines(index.day_books(asset_id, first, last))
        query = {"state": state, "asset_id": asset_id}
        return renderer.page(
            request,
            "market.html",
            title="Market",
            tip=tip,
            state=state,
            asset_id=asset_id,
            offers=offers,
            books=books,
            first_day=first,
            last_day=last,
            previous=None if after is None else query,
            next=None if following is None else query | {"after": following},
        )

    @router.get("/offers/{offer_id}")
    def offer(request: Request, offer_id: Id) -> Response:
        return renderer.page(
            request,
            "offer.html",
            title=f"Offer {offer_id}",
            offer=index.offer(offer_id),
            payments=index.payments(offer_id=offer_id),
            events=index.events(offer_id=offer_id, limit=_MOST_EVENTS),
        )

    return router
