"""``settlement``: the money. Buyers lock the cost of what they take; what is delivered is paid, the rest refunded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from der_client.contracts.market_participation import MarketParticipation
from der_client.contracts.units import EnergyContract, Ids, Model, Page, PriceUstxPerKwh, VersionedEvent
from der_client.stacks.contract import public, read_only
from der_client.stacks.contract.annotations import ClarityName, Day, FromCall, MaxLength, Principal, Response, UInt
from der_client.stacks.contract.errors import Code, ErrorCode
from der_client.stacks.transactions import ORIGIN, FungibleCode, StxPostCondition


class PaymentState(Code):
    """State of a payment."""

    LOCKED = 1
    SETTLED = 2
    REFUNDED = 3


class Payment(Model):
    """The money of one fill of an offer.

    Attributes:
        payment_id: Its id; 0 if it was not read by it.
        offer_id: Of which offer.
        asset_id: Of which asset.
        day: Of which day, UTC.
        spot: Whether it was delivered and paid at once.
        buyer: Who locked the cost.
        payee: Who is paid.
        wh: The energy taken, Wh.
        before_wh: Energy funded ahead of it, which is delivered first, Wh.
        price_ustx_per_kwh: The price, µSTX per kWh.
        fee_bps: The fee, basis points of what is delivered.
        cost_ustx: What was locked, µSTX.
        state: Its state.
        delivered_wh: What was delivered, Wh; 0 while locked, as all that follow.
        payout_ustx: What the payee got, µSTX.
        fee_ustx: What the fee was, µSTX.
        refund_ustx: What the buyer got back, µSTX.
    """

    payment_id: Annotated[int, FromCall("payment_id")] = 0
    offer_id: UInt
    asset_id: UInt
    day: Day
    spot: bool
    buyer: Principal
    payee: Principal
    wh: UInt
    before_wh: UInt
    price_ustx_per_kwh: PriceUstxPerKwh
    fee_bps: UInt
    cost_ustx: UInt
    state: PaymentState
    delivered_wh: UInt
    payout_ustx: UInt
    fee_ustx: UInt
    refund_ustx: UInt


class SettlementPreview(Model):
    """How the cost of a payment would be shared out: µSTX to payee, fee and buyer for the energy delivered, Wh."""

    delivered_wh: UInt
    payout_ustx: UInt
    fee_ustx: UInt
    refund_ustx: UInt


class SettlementError(ErrorCode):
    """Errors of ``settlement``."""

    ERR_NOT_DIRECT_CALLER = 5001, "STX leave only an account that calls directly, not through another contract"
    ERR_COST_ABOVE_MAX = 5002, "the cost is more than the most that was allowed"
    ERR_BEFORE_ABOVE_MAX = 5003, "more energy is funded ahead than was allowed"
    ERR_PAYMENT_NOT_FOUND = 5004, "no payment has this id"
    ERR_PAYMENT_CLOSED = 5005, "the payment is settled or refunded already"
    ERR_NOT_DELIVERABLE = 5006, "the day is not verified (and fed, where metered) yet"
    ERR_NOT_REFUNDABLE = 5007, "the day is neither rejected nor past its window without delivery"
    ERR_TRANSFER_FAILED = 5008, "the STX could not be moved; is the balance enough?"
    ERR_NOT_CONTRACT_OWNER = 5009, "only the owner of the contracts may do this"
    ERR_FEE_TOO_HIGH = 5010, "the fee is at most 500 basis points"
    ERR_INVALID_AMOUNT = 5011, "the amount must be 1 to the fees that are left"


class ContractDeployed(VersionedEvent, topic="settlement-deployed"):
    """The contract was deployed, with these settings."""

    fee_bps: UInt
    max_fee_bps: UInt
    window_days: UInt


class PaymentFunded(VersionedEvent, topic="payment-funded"):
    """A buyer took energy and locked its cost."""

    payment_id: UInt
    offer_id: UInt
    asset_id: UInt
    day: Day
    actor: Principal
    spot: bool
    payee: Principal
    wh: UInt
    before_wh: UInt
    price_ustx_per_kwh: PriceUstxPerKwh
    fee_bps: UInt
    cost_ustx: UInt
    state: PaymentState


class PaymentClosed(VersionedEvent, topic=""):
    """Base of the events that close a payment: how its cost was shared out."""

    payment_id: UInt
    offer_id: UInt
    asset_id: UInt
    day: Day
    actor: Principal
    buyer: Principal
    payee: Principal
    cost_ustx: UInt
    delivered_wh: UInt
    payout_ustx: UInt
    fee_ustx: UInt
    refund_ustx: UInt
    state: PaymentState


class PaymentSettled(PaymentClosed, topic="payment-settled"):
    """What was delivered is paid, the shortfall refunded."""


class PaymentRefunded(PaymentClosed, topic="payment-refunded"):
    """The buyer got everything back."""


class FeeBpsSet(VersionedEvent, topic="fee-bps-set"):
    """The fee of payments funded from then on."""

    actor: Principal
    fee_bps: UInt


class FeesWithdrawn(VersionedEvent, topic="fees-withdrawn"):
    """Fees were sent to a recipient; ``fees_ustx`` are left."""

    actor: Principal
    recipient: Principal
    amount_ustx: UInt
    fees_ustx: UInt


def _funding_moves(
    contract: Settlement, offer_id: int, wh: int, max_cost_ustx: int, _max_before_wh: int
) -> list[StxPostCondition]:
    """The buyer sends exactly the cost; of a spot fill the contract passes on at most that."""
    market = MarketParticipation(contract.client, contract.deployer, contract.account)
    offer = market.get_offer(offer_id)
    if offer is None:
        return [StxPostCondition(ORIGIN, FungibleCode.LESS_EQUAL, max_cost_ustx)]
    cost_ustx = offer.cost_ustx(wh)
    moves = [StxPostCondition(ORIGIN, FungibleCode.EQUAL, cost_ustx)]
    if offer.spot:
        moves.append(StxPostCondition(contract.contract_id, FungibleCode.LESS_EQUAL, cost_ustx))
    return moves


def _settling_moves(contract: Settlement, payment_id: int) -> list[StxPostCondition]:
    """The contract passes on at most what was locked; the fee stays."""
    payment = contract.get_payment(payment_id)
    return [] if payment is None else [_at_most(contract, payment.cost_ustx)]


def _batch_moves(contract: Settlement, payment_ids: Sequence[int]) -> list[StxPostCondition]:
    """The contract passes on at most what is still locked of these payments."""
    payments = contract.get_payments(list(dict.fromkeys(payment_ids)))
    locked = [payment for payment in payments if payment is not None and payment.state is PaymentState.LOCKED]
    return [_at_most(contract, sum(payment.cost_ustx for payment in locked))] if locked else []


def _refund_moves(contract: Settlement, payment_id: int) -> list[StxPostCondition]:
    """The contract gives back exactly what was locked."""
    payment = contract.get_payment(payment_id)
    if payment is None:
        return []
    return [StxPostCondition(contract.contract_id, FungibleCode.EQUAL, payment.cost_ustx)]


def _withdrawal_moves(contract: Settlement, amount_ustx: int, _recipient: str) -> list[StxPostCondition]:
    """The contract sends exactly the amount."""
    return [StxPostCondition(contract.contract_id, FungibleCode.EQUAL, amount_ustx)]


def _at_most(contract: Settlement, amount_ustx: int) -> StxPostCondition:
    return StxPostCondition(contract.contract_id, FungibleCode.LESS_EQUAL, amount_ustx)


class Settlement(
    EnergyContract,
    name="settlement",
    errors=SettlementError,
    events=(ContractDeployed, PaymentFunded, PaymentSettled, PaymentRefunded, FeeBpsSet, FeesWithdrawn),
    callees=(MarketParticipation,),
):
    """Escrow: funding, settling and refunding fills; the fees."""

    def look_up(self, error: ErrorCode, arguments: Mapping[str, Any]) -> str:
        """What a fill costs and what is funded ahead of it now, or the state of a payment."""
        offer_id, wh, payment_id = (arguments.get(name) for name in ("offer_id", "wh", "payment_id"))
        if error is SettlementError.ERR_PAYMENT_CLOSED and payment_id is not None:
            payment = self.get_payment(payment_id)
            return "" if payment is None else f"payment {payment_id} is {payment.state.name.lower()}"
        is_quoted = error in (SettlementError.ERR_BEFORE_ABOVE_MAX, SettlementError.ERR_COST_ABOVE_MAX)
        if not is_quoted or offer_id is None or wh is None:
            return ""
        quote = MarketParticipation(self.client, self.deployer).quote(offer_id, wh)
        if quote is None:
            return ""
        if error is SettlementError.ERR_COST_ABOVE_MAX:
            return f"it costs {quote.cost_ustx:,} µSTX now"
        return f"{quote.before_wh:,} Wh are ahead of it now"

    @read_only
    def get_payment(self, payment_id: UInt) -> Payment | None:
        """A payment, or ``None``."""

    @read_only
    def get_payments(self, payment_ids: Ids) -> Page[Payment]:
        """Up to 30 payments at once."""

    @read_only
    def get_payment_count(self) -> UInt:
        """How many payments were ever made; their ids begin at 1."""

    @read_only
    def preview_settlement(self, payment_id: UInt) -> SettlementPreview | None:
        """What settling would do now; ``None`` if the payment is closed or its day cannot be delivered yet."""

    @read_only
    def get_escrow_total(self) -> UInt:
        """What is locked in all, µSTX."""

    @read_only
    def get_fees(self) -> UInt:
        """Fees earned and not withdrawn, µSTX."""

    @read_only
    def get_fee_bps(self) -> UInt:
        """The fee of payments funded now, basis points."""

    @read_only
    def is_solvent(self) -> bool:
        """Whether the contract's balance covers all that is locked and all fees."""

    @public(moves=_funding_moves)
    def accept_and_fund(
        self,
        offer_id: UInt,
        wh: UInt,
        max_cost_ustx: Annotated[UInt, ClarityName("max-cost")],
        max_before_wh: Annotated[UInt, ClarityName("max-before")],
    ) -> UInt:
        """Take energy of an offer and lock its cost; gives the payment's id.

        Args:
            offer_id: The offer.
            wh: How much of it, Wh.
            max_cost_ustx: The most it may cost, µSTX.
            max_before_wh: The most energy that may be funded ahead, and so be delivered first, Wh.
        """

    @public(moves=_settling_moves)
    def settle(self, payment_id: UInt) -> bool:
        """Anyone: pay what was delivered and refund the rest, as soon as the day is verified."""

    @public(moves=_batch_moves)
    def settle_batch(
        self, payment_ids: Annotated[Sequence[UInt], MaxLength(25)]
    ) -> Annotated[tuple[Response[bool], ...], MaxLength(25)]:
        """Anyone: settle up to 25 payments; one answer for each, a failing one alone is undone."""

    @public(moves=_refund_moves)
    def refund(self, payment_id: UInt) -> bool:
        """Anyone: give the buyer back what can never be delivered."""

    @public
    def set_fee_bps(self, fee_bps: Annotated[UInt, ClarityName("bps")]) -> bool:
        """Contract owner: set the fee of payments funded from now on, 0 to 500 basis points."""

    @public(moves=_withdrawal_moves)
    def withdraw_fees(self, amount_ustx: Annotated[UInt, ClarityName("amount")], recipient: Principal) -> bool:
        """Contract owner: send earned fees to a recipient."""
