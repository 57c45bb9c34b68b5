"""``settlement``: the money."""

# ruff: noqa: ARG002  # every function takes its caller and all arguments, as the contract does

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from der_client.contracts.production_tracking import DayState
from der_client.contracts.settlement import PaymentState, SettlementError
from tests.model.reference.assets import Assets
from tests.model.reference.clock import Clock, end_of_window
from tests.model.reference.grid import Grid
from tests.model.reference.market import Market
from tests.model.reference.refusal import Objections, Refused

MAX_FEE_BPS = 500


@dataclass(slots=True)
class Payment:
    """The money of one fill, with the fields that the contract tells of it."""

    offer_id: int
    asset_id: int
    day: int
    spot: bool
    buyer: str
    payee: str
    wh: int
    before_wh: int
    price: int
    fee_bps: int
    cost_ustx: int
    state: PaymentState = PaymentState.LOCKED
    delivered_wh: int = 0
    payout_ustx: int = 0
    fee_ustx: int = 0
    refund_ustx: int = 0


@dataclass(frozen=True, slots=True)
class Shares:
    """How the cost of a payment is shared out."""

    delivered_wh: int
    payout_ustx: int
    fee_ustx: int
    refund_ustx: int


class Settlement:
    """All payments, and everybody's STX.

    Args:
        clock: Chain time.
        assets: The register.
        grid: Connections and feeds.
        market: Offers.
        address: The contract's principal.
        fee_bps: The fee that it was deployed with, which the rules leave open.
        balances: STX by principal, µSTX.
    """

    def __init__(
        self,
        clock: Clock,
        assets: Assets,
        grid: Grid,
        market: Market,
        address: str,
        fee_bps: int,
        balances: dict[str, int],
    ) -> None:
        self.clock = clock
        self.assets = assets
        self.grid = grid
        self.market = market
        self.address = address
        self.fee_bps = fee_bps
        self.balances = balances
        self.payments: dict[int, Payment] = {}
        self.withdrawn_ustx = 0

    @property
    def escrow_ustx(self) -> int:
        """What is locked in all."""
        return sum(payment.cost_ustx for payment in self.payments.values() if payment.state is PaymentState.LOCKED)

    @property
    def fees_ustx(self) -> int:
        """Fees earned and not withdrawn."""
        return sum(payment.fee_ustx for payment in self.payments.values()) - self.withdrawn_ustx

    def move(self, source: str, target: str, amount_ustx: int) -> None:
        """Move STX."""
        self.balances[source] -= amount_ustx
        self.balances[target] = self.balances.get(target, 0) + amount_ustx

    def shares(self, payment: Payment) -> Shares | None:
        """What settling a locked payment would do; ``None`` if its day cannot be delivered."""
        if payment.state is not PaymentState.LOCKED:
            return None
        deliverable = self.grid.deliverable_wh(payment.asset_id, payment.day)
        if deliverable is None:
            return None
        ahead = payment.wh if payment.spot else max(0, deliverable - payment.before_wh)
        delivered = min(payment.wh, ahead)
        gross = delivered * payment.price // 1000
        fee = gross * payment.fee_bps // 10_000
        return Shares(delivered, gross - fee, fee, payment.cost_ustx - gross)

    def is_refundable(self, payment: Payment) -> bool:
        """The day was rejected, or the window is over and it can't be delivered."""
        if self.grid.production.state(payment.asset_id, payment.day) is DayState.REJECTED:
            return True
        over = self.clock.now >= end_of_window(payment.day)
        return over and self.grid.deliverable_wh(payment.asset_id, payment.day) is None

    def accept_and_fund(self, caller: str, offer_id: int, wh: int, max_cost_ustx: int, max_before_wh: int) -> int:
        """A buyer takes energy and locks its cost; a spot fill is delivered and paid at once."""
        objections = Objections()
        offer = self.market.offers.get(offer_id)
        if offer is not None:
            cost = offer.cost_ustx(wh)
            objections.add(SettlementError.ERR_COST_ABOVE_MAX, when=cost > max_cost_ustx)
            before_wh = self.market.terms(offer).before_wh
            objections.add(SettlementError.ERR_BEFORE_ABOVE_MAX, when=before_wh > max_before_wh)
            objections.add(SettlementError.ERR_TRANSFER_FAILED, when=cost > self.balances[caller])
        try:
            self.market.judge_fill(caller, offer_id, wh)
        except Refused as refused:
            objections.absorb(refused)
        objections.decide()
        terms = self.market.take(caller, offer_id, wh)
        self.move(caller, self.address, cost)
        payment_id = len(self.payments) + 1
        self.payments[payment_id] = payment = Payment(
            offer_id,
            terms.asset_id,
            terms.day,
            terms.spot,
            buyer=caller,
            payee=terms.payee,
            wh=wh,
            before_wh=terms.before_wh,
            price=terms.price,
            fee_bps=self.fee_bps,
            cost_ustx=cost,
        )
        if payment.spot:
            self._pay(payment)
        return payment_id

    def settle(self, caller: str, payment_id: int) -> bool:
        """Anyone, once the day can be delivered."""
        objections, payment = self._locked(payment_id)
        deliverable = self.grid.deliverable_wh(payment.asset_id, payment.day)
        objections.add(SettlementError.ERR_NOT_DELIVERABLE, when=deliverable is None)
        objections.decide()
        self._pay(payment)
        self.market.fill_is_closed(payment.offer_id)
        return True

    def settle_batch(self, caller: str, payment_ids: Sequence[int]) -> tuple[bool | Refused, ...]:
        """Anyone: one answer each."""
        return tuple(self._attempt(caller, payment_id) for payment_id in payment_ids)

    def refund(self, caller: str, payment_id: int) -> bool:
        """Anyone, once the day can never be delivered."""
        objections, payment = self._locked(payment_id)
        objections.add(SettlementError.ERR_NOT_REFUNDABLE, when=not self.is_refundable(payment))
        objections.decide()
        payment.state, payment.refund_ustx = PaymentState.REFUNDED, payment.cost_ustx
        self.move(self.address, payment.buyer, payment.cost_ustx)
        self.market.fill_is_closed(payment.offer_id)
        return True

    def set_fee_bps(self, caller: str, fee_bps: int) -> bool:
        """Contract owner: of payments funded from now on."""
        objections = self._for_contract_owner(caller)
        objections.add(SettlementError.ERR_FEE_TOO_HIGH, when=fee_bps > MAX_FEE_BPS)
        objections.decide()
        self.fee_bps = fee_bps
        return True

    def withdraw_fees(self, caller: str, amount_ustx: int, recipient: str) -> bool:
        """Contract owner: fees only; a transfer to the contract itself is none."""
        objections = self._for_contract_owner(caller)
        objections.add(SettlementError.ERR_INVALID_AMOUNT, when=not 1 <= amount_ustx <= self.fees_ustx)
        objections.add(SettlementError.ERR_TRANSFER_FAILED, when=recipient == self.address)
        objections.decide()
        self.withdrawn_ustx += amount_ustx
        self.move(self.address, recipient, amount_ustx)
        return True

    def _attempt(self, caller: str, payment_id: int) -> bool | Refused:
        try:
            return self.settle(caller, payment_id)
        except Refused as refused:
            return refused

    def _pay(self, payment: Payment) -> None:
        """Deliver what can be delivered; the fee stays in the contract."""
        shares = self.shares(payment)
        assert shares is not None
        payment.state = PaymentState.SETTLED
        payment.delivered_wh, payment.fee_ustx = shares.delivered_wh, shares.fee_ustx
        payment.payout_ustx, payment.refund_ustx = shares.payout_ustx, shares.refund_ustx
        self.move(self.address, payment.payee, shares.payout_ustx)
        self.move(self.address, payment.buyer, shares.refund_ustx)

    def _locked(self, payment_id: int) -> tuple[Objections, Payment]:
        objections = Objections()
        payment = self.payments.get(payment_id) or objections.refuse(SettlementError.ERR_PAYMENT_NOT_FOUND)
        objections.add(SettlementError.ERR_PAYMENT_CLOSED, when=payment.state is not PaymentState.LOCKED)
        return objections, payment

    def _for_contract_owner(self, caller: str) -> Objections:
        objections = Objections()
        not_owner = caller != self.assets.contract_owner
        objections.add(SettlementError.ERR_NOT_CONTRACT_OWNER, when=not_owner)
        return objections
