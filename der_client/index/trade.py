"""Offers, payments, and what the settlement contract owes."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, case, func, or_, select

from der_client.contracts.market_participation import OfferState
from der_client.contracts.settlement import PaymentState
from der_client.index.answers import Credit, LedgerRow, OfferRow, PaymentRow, RoleRow, System
from der_client.index.delivery import Deliveries
from der_client.index.reading import WHOLE, Part, Place, places, same, table, where, within
from der_client.index.schema import fields_of_state
from der_client.index.state import STX
from der_client.index.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sqlalchemy import Row, Select

    from der_client.index.reading import Reader

_OPEN_STATES: Final = (OfferState.PENDING, OfferState.ACCEPTED)
_CLOSING: Final = ("payment-settled", "payment-refunded", "payment-released")


def offers(
    reader: Reader,
    *,
    is_open: bool | None = None,
    offer_id: int | None = None,
    seller: str | None = None,
    asset_id: int | None = None,
    taker: str | None = None,
    day_from: date | None = None,
    day_to: date | None = None,
    page: Part = WHOLE,
) -> Table[OfferRow]:
    """List offers; see ``Index.offers``."""
    offer = table("offer")
    can_be_taken = is_open_offer(reader)
    query = where(
        reader.with_plant(select(offer, case((can_be_taken, 1), else_=0).label("is_open")), offer.c.asset_id),
        reader.holds("offer"),
        None if is_open is None else can_be_taken if is_open else ~can_be_taken,
        same(offer.c.offer_id, offer_id),
        same(offer.c.seller, seller),
        same(offer.c.asset_id, asset_id),
        same(offer.c.taker, taker),
        within(offer.c.day, day_from, day_to),
    )
    rows = reader.all(page.of(query, offer.c.offer_id))
    created = places(reader, "offer_id", [row.offer_id for row in rows], ("offer-created",))
    return Table(OfferRow, (_offer(row, created[row.offer_id]) for row in rows))


def is_open_offer(reader: Reader) -> Any:
    """Return the condition that some of an offer can be taken; the query must join the offer's plant."""
    offer, asset = table("offer"), table("asset")
    return and_(
        offer.c.state.in_(_OPEN_STATES),
        offer.c.open_wh > 0,
        offer.c.epoch == asset.c.epoch,
        offer.c.expires_at > reader.now,
    )


def _offer(row: Row[Any], created: Place) -> OfferRow:
    values = {name: row._mapping[name] for name in fields_of_state("offer") if name != "epoch"}  # noqa: SLF001
    return OfferRow(
        offer_id=row.offer_id,
        **values,
        asset_epoch=row.epoch,
        created_at=created.time,
        created_txid=created.txid,
        is_open=bool(row.is_open),
    )


def payments(
    reader: Reader,
    *,
    due: bool | None = None,
    payment_id: int | None = None,
    party: str | None = None,
    state: PaymentState | None = None,
    asset_id: int | None = None,
    offer_id: int | None = None,
    day_from: date | None = None,
    day_to: date | None = None,
    page: Part = WHOLE,
) -> Table[PaymentRow]:
    """List payments; see ``Index.payments``."""
    payment = table("payment")
    query = where(
        select(payment),
        reader.holds("payment"),
        same(payment.c.payment_id, payment_id),
        None if party is None else or_(payment.c.buyer == party, payment.c.payee == party),
        same(payment.c.state, state),
        same(payment.c.asset_id, asset_id),
        same(payment.c.offer_id, offer_id),
        within(payment.c.day, day_from, day_to),
        payment.c.state == PaymentState.LOCKED if due else None,
    )
    # What is due is known only after the rows are read.
    rows = reader.all((page if due is None else replace(page, limit=None)).of(query, payment.c.payment_id))
    among = query.with_only_columns(payment.c.asset_id, payment.c.day) if due else None
    what_is_due = due_payments(reader, rows, among)
    if due is not None:
        rows = list(islice((row for row in rows if due is (row.payment_id in what_is_due)), page.limit))
    ids = [row.payment_id for row in rows]
    funded = places(reader, "payment_id", ids, ("payment-funded",))
    closed = places(reader, "payment_id", ids, _CLOSING)
    return Table(PaymentRow, (_payment(row, what_is_due.get(row.payment_id), funded, closed) for row in rows))


def due_payments(reader: Reader, rows: list[Row[Any]] | Any, among: Select[Any] | None = None) -> dict[int, str]:
    """Return what is due of payments, by their ids.

    Args:
        reader: The state.
        rows: Payments.
        among: A query of the plants and days of all these, if there is one; see `Deliveries`.
    """
    now = reader.now
    if now is None:
        return {}
    locked = [row for row in rows if row.state is PaymentState.LOCKED]
    deliveries = Deliveries(reader, {(row.asset_id, row.day) for row in locked}, among)
    found = ((row.payment_id, deliveries.due(row.asset_id, row.day, now)) for row in locked)
    return {payment_id: due for payment_id, due in found if due is not None}


def _payment(row: Row[Any], due: str | None, funded: Mapping[int, Place], closed: Mapping[int, Place]) -> PaymentRow:
    end = closed.get(row.payment_id)
    values = {name: row._mapping[name] for name in fields_of_state("payment")}  # noqa: SLF001 - SQLAlchemy's public name
    return PaymentRow(
        payment_id=row.payment_id,
        **values,
        due=due,
        funded_at=funded[row.payment_id].time,
        funded_txid=funded[row.payment_id].txid,
        closed_at=None if end is None else end.time,
        closed_txid=None if end is None else end.txid,
    )


def credits_of(reader: Reader, *, party: str | None = None, token: str | None = None) -> Table[Credit]:
    """List credits; see ``Index.credits``."""
    credit = table("credit")
    rows = reader.rows("credit", same(credit.c.party, party), same(credit.c.token, token))
    return Table(Credit, (Credit(row.party, row.token, row.amount) for row in rows))


def ledger(reader: Reader) -> Table[LedgerRow]:
    """List what is owed by token, STX first; see ``Index.ledger``."""
    rows = sorted(reader.rows("ledger"), key=lambda row: (row.token != STX, row.token))
    return Table(
        LedgerRow,
        (LedgerRow(None if row.token == STX else row.token, row.escrow, row.fees, row.credits) for row in rows),
    )


def roles(reader: Reader) -> Table[RoleRow]:
    """List roles; see ``Index.roles``."""
    rows = sorted(reader.rows("role"), key=lambda row: (row.role, row.region, row.principal))
    return Table(RoleRow, (RoleRow(row.role, row.principal, row.region, row.from_height) for row in rows))


def system(reader: Reader) -> System | None:
    """Return the settings; see ``Index.system``."""
    row = next(iter(reader.rows("system")), None)
    if row is None:
        return None
    return System(
        contract_owner=row.contract_owner,
        proposed_contract_owner=row.proposed_contract_owner,
        paused=row.paused,
        fee_bps=row.fee_bps,
        next_fee_bps=row.next_fee_bps,
        next_from=row.next_from if row.next_from is not None and row.next_from.timestamp() > 0 else None,
        tokens=tuple(token.token for token in reader.rows("token")),
    )


def open_offer_sums(reader: Reader) -> tuple[int, int]:
    """Return how many offers can be taken, and the energy that is open of them, Wh."""
    offer = table("offer")
    sums = select(func.count(), func.coalesce(func.sum(offer.c.open_wh), 0)).select_from(offer)
    query = reader.with_plant(sums, offer.c.asset_id).where(reader.holds("offer"), is_open_offer(reader))
    count, open_wh = reader.connection.execute(query).one()
    return int(count), int(open_wh)
