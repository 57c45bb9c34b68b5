"""Lists of the market, of money, of events, and of what needs doing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response

from der_client.contracts.settlement import PaymentState
from der_client.index.answers import Attention, DayBookRow, EventRow, LedgerRow, OfferRow, PaymentRow, Tip
from der_client.index.table import plain
from der_client.web.api.answers import Format, answer_list, answer_rows, json_response
from der_client.web.api.documents import one_row, page_of_rows
from der_client.web.api.rows import with_units
from der_client.web.errors import EmptyIndexError
from der_client.web.parameters import Cursor, Day, Limit, OptionalDay, OptionalId, OptionalParty, check_days

if TYPE_CHECKING:
    from der_client.index import Index

_MOST_DAYS: Final = 366
_TOPIC: Final = r"^[a-z][a-z0-9-]{0,63}$"


def add_lists(router: APIRouter, index: Index) -> None:
    """Add the endpoints of lists."""

    @router.get("/tip", responses=one_row(Tip), summary="The newest block that the index has.")
    def tip() -> Response:
        newest = index.tip()
        if newest is None:
            raise EmptyIndexError
        return json_response(plain(newest))

    @router.get("/attention", responses=page_of_rows(Attention), summary="What needs doing.")
    def attention(
        after: Cursor = None,
        limit: Limit = 100,
        format: Format = "json",  # noqa: A002 - the name of the parameter
    ) -> Response:
        return answer_rows(index.attention(), name="attention", output=format, limit=limit, after=after)

    @router.get("/offers", responses=page_of_rows(OfferRow, has_money=True), summary="Offers, by their id.")
    def offers(
        open: Annotated[bool | None, Query(description="Only offers that can be taken, or only the others.")] = None,  # noqa: A002
        asset_id: OptionalId = None,
        seller: OptionalParty = None,
        taker: OptionalParty = None,
        day_from: OptionalDay = None,
        day_to: OptionalDay = None,
        after: Cursor = None,
        limit: Limit = 100,
        format: Format = "json",  # noqa: A002 - the name of the parameter
    ) -> Response:
        return answer_list(
            lambda count: index.offers(
                open=open,
                asset_id=asset_id,
                seller=seller,
                taker=taker,
                day_from=day_from,
                day_to=day_to,
                after=after,
                limit=count,
            ),
            name="offers",
            output=format,
            limit=limit,
            cursor=lambda offer: offer.offer_id,
            has_money=True,
        )

    @router.get("/payments", responses=page_of_rows(PaymentRow, has_money=True), summary="Payments, by their id.")
    def payments(
        due: Annotated[
            bool | None, Query(description="Only payments that can be closed now, or only the others.")
        ] = None,
        state: Literal["locked", "settled", "refunded"] | None = None,
        party: OptionalParty = None,
        asset_id: OptionalId = None,
        offer_id: OptionalId = None,
        after: Cursor = None,
        limit: Limit = 100,
        format: Format = "json",  # noqa: A002 - the name of the parameter
    ) -> Response:
        wanted = None if state is None else PaymentState[state.upper()]
        return answer_list(
            lambda count: index.payments(
                due=due,
                state=wanted,
                party=party,
                asset_id=asset_id,
                offer_id=offer_id,
                after=after,
                limit=count,
            ),
            name="payments",
            output=format,
            limit=limit,
            cursor=lambda payment: payment.payment_id,
            has_money=True,
        )

    @router.get("/day-books", responses=page_of_rows(DayBookRow), summary="What is offered, sold and left of each day.")
    def day_books(
        from_day: Day,
        to_day: Day,
        asset_id: OptionalId = None,
        after: Cursor = None,
        limit: Limit = 1000,
        format: Format = "json",  # noqa: A002 - the name of the parameter
    ) -> Response:
        check_days(from_day, to_day, _MOST_DAYS)
        rows = index.day_books(asset_id, from_day, to_day)
        return answer_rows(rows, name=f"day-books-{from_day}-{to_day}", output=format, limit=limit, after=after)

    @router.get("/ledger", responses=page_of_rows(LedgerRow, has_money=True), summary="What the contract owes.")
    def ledger() -> Response:
        return json_response({"items": with_units(index.ledger(), has_money=True).rows(), "next": None})

    @router.get("/events", responses=page_of_rows(EventRow), summary="What the contracts printed, oldest first.")
    def events(
        topic: Annotated[str | None, Query(pattern=_TOPIC, description="Such as offer-created.")] = None,
        asset_id: OptionalId = None,
        actor: OptionalParty = None,
        offer_id: OptionalId = None,
        payment_id: OptionalId = None,
        day: OptionalDay = None,
        after: Cursor = None,
        limit: Limit = 100,
    ) -> Response:
        return answer_list(
            lambda count: index.events(
                topic=topic,
                asset_id=asset_id,
                actor=actor,
                offer_id=offer_id,
                payment_id=payment_id,
                day=day,
                after=after or 0,
                limit=count or limit,
            ),
            name="events",
            output="json",
            limit=limit,
            cursor=lambda event: event.id,
        )
