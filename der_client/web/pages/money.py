"""Money: sums, payments by state, one payment, and the statements of a party."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response

from der_client.contracts.settlement import PaymentState
from der_client.web.paging import page_of
from der_client.web.parameters import Cursor, Id, OptionalMonth, PartyInPath
from der_client.web.sums import months_of_payments

if TYPE_CHECKING:
    from der_client.index import Index
    from der_client.web.figures import Figures
    from der_client.web.rendering import Renderer

_PAGE: Final = 25
_SHOWN_MONTHS: Final = 3
_MOST_LINES: Final = 200
_SHOWN_CERTIFICATES: Final = 10
_MOST_EVENTS: Final = 100
_FILTERS: Final[dict[str, dict[str, Any]]] = {
    "all": {},
    "due": {"due": True},
    "locked": {"state": PaymentState.LOCKED},
    "settled": {"state": PaymentState.SETTLED},
    "refunded": {"state": PaymentState.REFUNDED},
}


def money_routes(index: Index, figures: Figures, renderer: Renderer) -> APIRouter:
    """Return the pages of money."""
    router = APIRouter(include_in_schema=False)

    @router.get("/money")
    def money(
        request: Request,
        state: Literal["all", "due", "locked", "settled", "refunded"] = "all",
        after: Cursor = None,
    ) -> Response:
        rows = index.payments(**_FILTERS[state], after=after, limit=_PAGE + 1, newest_first=True)
        payments, following = page_of(rows, _PAGE, lambda payment: payment.payment_id)
        return renderer.page(
            request,
            "money.html",
            title="Money",
            state=state,
            sums=figures.money(),
            payments=payments,
            parties=figures.parties(),
            months=[f"{month:%Y-%m}" for month in figures.months()[:_SHOWN_MONTHS]],
            previous=None if after is None else {"state": state},
            next=None if following is None else {"state": state, "after": following},
        )

    @router.get("/payments/{payment_id}")
    def payment(request: Request, payment_id: Id) -> Response:
        return renderer.page(
            request,
            "payment.html",
            title=f"Payment {payment_id}",
            payment=index.payment(payment_id),
            events=index.events(payment_id=payment_id, limit=_MOST_EVENTS),
        )

    @router.get("/parties/{party}")
    def party(request: Request, party: PartyInPath, month: OptionalMonth = None) -> Response:
        months = months_of_payments(index, party)
        tip = index.tip()
        # Energy is sold ahead: people look for this month, not the last one of a year.
        shown = month or next((each for each in months if tip is not None and each <= tip.block_time.date()), None)
        shown = shown or next(reversed(months), None)
        statement = None if shown is None else index.statement(party, shown)
        return renderer.page(
            request,
            "party.html",
            title=f"Party {party}",
            party=party,
            months=[f"{each:%Y-%m}" for each in months],
            month=None if shown is None else f"{shown:%Y-%m}",
            statement=statement,
            most_lines=_MOST_LINES,
            totals=[] if statement is None else [total for total in statement.totals if total.counterparty is None],
            plants=index.plants(owner=party),
            credits=index.credits(party=party),
            roles=[role for role in index.roles() if role.principal == party],
            certificates=index.certificates(beneficiary=party, limit=_SHOWN_CERTIFICATES, newest_first=True),
        )

    return router
