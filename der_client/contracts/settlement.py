"""``settlement``: the money. Buyers lock the cost of what they take; what is delivered is paid for, the rest refunded.

Amounts are in µSTX where a payment's ``token`` is ``None``, else in the smallest unit of that SIP-010 token. STX are
paid out at once; tokens become credits, which each party withdraws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from der_client.contracts.market_participation import MOST_OFFERS, MarketParticipation, Offer
from der_client.contracts.series import CallSeries, require_items
from der_client.contracts.units import PAGE, Ids, Model, Page, PricePerKwh, Purpose, VersionedEvent
from der_client.stacks.contract import Contract, public, read_only
from der_client.stacks.contract.annotations import (
    ClarityName,
    Day,
    FromCall,
    MaxLength,
    Principal,
    Response,
    Timestamp,
    Trait,
    UInt,
)
from der_client.stacks.contract.errors import Code, ErrorCode
from der_client.stacks.transactions import (
    ORIGIN,
    FtPostCondition,
    FungibleCode,
    PostCondition,
    StxPostCondition,
)
from der_client.stacks.transactions.post_conditions import Principal as Sender


class PaymentState(Code):
    """State of a payment."""

    LOCKED = 1
    SETTLED = 2
    REFUNDED = 3


class Payment(Model):
    """The money of one fill of an offer.

    Attributes:
        payment_id: Its id; 0 if it was not read by it.
        offer_id: The offer.
        asset_id: The asset.
        day: The day of production, UTC.
        spot: Whether it was delivered and paid at once.
        buyer: Who locked the cost.
        payee: Who is paid.
        token: The SIP-010 token of all amounts; ``None`` for µSTX.
        claimable: Whether the buyer may claim what is delivered; never from a battery or vehicle.
        wh: The energy taken, Wh.
        before_wh: Energy funded ahead of it, which is delivered first, Wh.
        price_per_kwh: The price of a kWh.
        fee_bps: The fee, in basis points of what is delivered.
        cost: What was locked.
        state: Its state.
        delivered_wh: What was delivered, Wh; 0 while locked, as are all the following.
        payout: What the payee got.
        fee: What the fee was.
        refund: What the buyer got back.
        claimed_wh: What the buyer has claimed of it, Wh.
    """

    payment_id: Annotated[int, FromCall("payment_id")] = 0
    offer_id: UInt
    asset_id: UInt
    day: Day
    spot: bool
    buyer: Principal
    payee: Principal
    token: Principal | None
    claimable: bool
    wh: UInt
    before_wh: UInt
    price_per_kwh: PricePerKwh
    fee_bps: UInt
    cost: UInt
    state: PaymentState
    delivered_wh: UInt
    payout: UInt
    fee: UInt
    refund: UInt
    claimed_wh: UInt


class SettlementPreview(Model):
    """How the cost of a payment would be divided between payee, fee and buyer, and the energy delivered, Wh."""

    delivered_wh: UInt
    payout: UInt
    fee: UInt
    refund: UInt


class Ledger(Model):
    """What the contract owes in STX (µSTX) or a token: locked payments, fees earned, credits not withdrawn."""

    escrow: UInt
    fees: UInt
    credits: UInt


class FeeSchedule(Model):
    """The fee, in basis points, and the announced one.

    Attributes:
        fee_bps: The fee of payments funded now.
        next_fee_bps: The announced fee; equal to ``fee_bps`` if none is announced.
        next_from: When the announced fee takes effect.
    """

    fee_bps: UInt
    next_fee_bps: UInt
    next_from: Timestamp


class Taking(Model):
    """What to take of one offer, Wh: this much, or what is open if that is at least ``min_wh``."""

    offer_id: UInt
    wh: UInt
    min_wh: UInt


class SettlementError(ErrorCode):
    """Errors of ``settlement``."""

    ERR_NOT_DIRECT_CALLER = 5001, "STX leave only an account that calls directly, not through another contract"
    ERR_PRICE_ABOVE_MAX = 5002, "the price is more than the most that was allowed"
    ERR_BEFORE_ABOVE_MAX = 5003, "more energy is funded ahead than was allowed"
    ERR_PAYMENT_NOT_FOUND = 5004, "no payment has this id"
    ERR_PAYMENT_CLOSED = 5005, "the payment is settled or refunded already"
    ERR_NOT_DELIVERABLE = 5006, "the day is not verified (and fed, where metered) yet"
    ERR_NOT_REFUNDABLE = 5007, "the day can still be delivered: it is neither rejected, nor lost, nor past its window"
    ERR_TRANSFER_FAILED = 5008, "the STX or tokens could not be moved; is the balance enough?"
    ERR_NOT_CONTRACT_OWNER = 5009, "only the owner of the contracts may do this"
    ERR_FEE_TOO_HIGH = 5010, "the fee is at most 500 basis points"
    ERR_INVALID_AMOUNT = 5011, "the amount must be 1 to what is left"
    ERR_WRONG_TOKEN = 5012, "the offer or payment is in another token, or in STX"
    ERR_TOKEN_NOT_MOVED = 5013, "the token answered ok, but the amount did not move"
    ERR_NOT_PAYEE = 5014, "only the payee of the payment may do this"
    ERR_NOT_BUYER = 5015, "only the buyer of the payment may do this"
    ERR_NOT_SETTLED = 5016, "nothing is delivered yet: the payment is not settled"
    ERR_NOT_CLAIMABLE = 5017, "what a battery or vehicle gives back cannot be claimed"
    ERR_INVALID_CLAIM = 5018, "the claim must be 1 Wh to what is delivered and not claimed"
    ERR_INVALID_RECIPIENT = 5019, "the payment cannot be assigned to this principal"
    ERR_NO_CREDIT = 5020, "the caller has no credit in this token"


class ContractDeployed(VersionedEvent, topic="settlement-deployed"):
    """The contract was deployed, with these settings."""

    fee_bps: UInt
    max_fee_bps: UInt
    fee_notice_seconds: UInt


class PaymentFunded(VersionedEvent, topic="payment-funded"):
    """A buyer took energy and locked its cost."""

    payment_id: UInt
    offer_id: UInt
    asset_id: UInt
    day: Day
    actor: Principal
    spot: bool
    payee: Principal
    token: Principal | None
    claimable: bool
    wh: UInt
    before_wh: UInt
    price_per_kwh: PricePerKwh
    fee_bps: UInt
    cost: UInt
    state: PaymentState


class PaymentClosed(VersionedEvent, topic=""):
    """Base of the events that close a payment: how its cost was divided, in credits if it was in a token."""

    payment_id: UInt
    offer_id: UInt
    asset_id: UInt
    day: Day
    actor: Principal
    buyer: Principal
    payee: Principal
    token: Principal | None
    cost: UInt
    delivered_wh: UInt
    payout: UInt
    fee: UInt
    refund: UInt
    state: PaymentState


class PaymentSettled(PaymentClosed, topic="payment-settled"):
    """What was delivered is paid for, the shortfall is refunded."""


class PaymentRefunded(PaymentClosed, topic="payment-refunded"):
    """The buyer got everything back, since the day can never be delivered."""


class PaymentReleased(PaymentClosed, topic="payment-released"):
    """The payee gave everything back to the buyer."""


class PaymentAssigned(VersionedEvent, topic="payment-assigned"):
    """A buyer transferred a payment, its refund and its claims to another principal."""

    payment_id: UInt
    actor: Principal
    to: Principal


class EnergyClaimed(VersionedEvent, topic="energy-claimed"):
    """A buyer claimed delivered energy for a beneficiary: a certificate."""

    claim_id: UInt
    payment_id: UInt
    asset_id: UInt
    day: Day
    mask: UInt
    actor: Principal
    wh: UInt
    beneficiary: Principal
    purpose: Purpose
    claimed_wh: UInt


class CreditWithdrawn(VersionedEvent, topic="credit-withdrawn"):
    """A party withdrew its credit in a token."""

    actor: Principal
    token: Principal
    amount: UInt


class FeeBpsSet(VersionedEvent, topic="fee-bps-set"):
    """The fee was set: a lower one at once, a higher one from ``next_from`` on."""

    actor: Principal
    fee_bps: UInt
    next_fee_bps: UInt
    next_from: Timestamp


class FeesWithdrawn(VersionedEvent, topic="fees-withdrawn"):
    """Fees were sent to a recipient; ``fees`` is what is left."""

    actor: Principal
    token: Principal | None
    recipient: Principal
    amount: UInt
    fees: UInt


class SurplusWithdrawn(VersionedEvent, topic="surplus-withdrawn"):
    """STX beyond escrow and fees were sent to a recipient, µSTX."""

    actor: Principal
    recipient: Principal
    amount: UInt


def _funding_moves(
    contract: Settlement, offer_id: int, wh: int, _min_wh: int, _max_price_per_kwh: int, _max_before_wh: int
) -> list[PostCondition]:
    """The buyer sends at most the cost; for a spot fill, the contract passes on at most that."""
    offer = _market(contract).get_offer(offer_id)
    return [] if offer is None else _taking_moves(contract, [(offer, wh)])


def _funding_moves_with(
    contract: Settlement, token: str, offer_id: int, wh: int, _min_wh: int, _max_price_per_kwh: int, _max_before_wh: int
) -> list[PostCondition]:
    """The buyer sends at most the cost, in the token."""
    offer = _market(contract).get_offer(offer_id)
    if offer is None:  # the contract refuses it, and nothing moves
        return []
    cost = offer.cost(min(wh, offer.open_wh))
    return [FtPostCondition(ORIGIN, asset, FungibleCode.LESS_EQUAL, cost) for asset in _assets(contract, token)]


def _long_funding_moves(
    contract: Settlement, items: Sequence[Taking], _max_price_per_kwh: int, _max_before_wh: int
) -> list[PostCondition]:
    """The buyer sends at most the total cost; for spot fills, the contract passes on at most their cost."""
    offers = _by_pages(_market(contract).get_offers, [item.offer_id for item in items])
    return _taking_moves(
        contract, [(offer, item.wh) for offer, item in zip(offers, items, strict=True) if offer is not None]
    )


def _taking_moves(contract: Settlement, taken: Sequence[tuple[Offer, int]]) -> list[PostCondition]:
    costs = [(offer, offer.cost(min(wh, offer.open_wh))) for offer, wh in taken]
    cost = sum(cost for _, cost in costs)
    at_once = sum(cost for offer, cost in costs if offer.spot)
    moves: list[PostCondition] = [_most_from(ORIGIN, cost)] if taken else []
    return [*moves, _most_from(contract.contract_id, at_once)] if at_once else moves


def _closing_moves(contract: Settlement, payment_id: int) -> list[PostCondition]:
    """The contract passes on at most what was locked; the fee stays, and tokens become credits."""
    return _batch_moves(contract, [payment_id])


def _batch_moves(contract: Settlement, payment_ids: Sequence[int]) -> list[PostCondition]:
    """The contract passes on at most what is still locked of these payments, in STX."""
    locked = [
        payment.cost
        for payment in contract.get_payments(list(dict.fromkeys(payment_ids)))
        if payment is not None and payment.state is PaymentState.LOCKED and payment.token is None
    ]
    return [_most_from(contract.contract_id, sum(locked))] if locked else []


def _credit_moves(contract: Settlement, token: str) -> list[PostCondition]:
    """The contract sends exactly the caller's credit."""
    credit = contract.get_credit(contract.require_account().address, token)
    return _exactly(contract, token, credit)


def _withdrawal_moves(contract: Settlement, amount_ustx: int, _recipient: str) -> list[PostCondition]:
    """The contract sends exactly the amount."""
    return [StxPostCondition(contract.contract_id, FungibleCode.EQUAL, amount_ustx)]


def _withdrawal_moves_with(contract: Settlement, token: str, amount: int, _recipient: str) -> list[PostCondition]:
    """The contract sends exactly the amount, in the token."""
    return _exactly(contract, token, amount)


def _exactly(contract: Settlement, token: str, amount: int) -> list[PostCondition]:
    sender = contract.contract_id
    return [FtPostCondition(sender, asset, FungibleCode.EQUAL, amount) for asset in _assets(contract, token)]


def _market(contract: Settlement) -> MarketParticipation:
    return MarketParticipation(contract.client, contract.deployer, contract.account)


def _assets(contract: Settlement, token: str) -> list[str]:
    """Return the assets that a token contract can move, ``ADDRESS.name::asset``: its interface has the names."""
    return [f"{token}::{name}" for name in contract.client.contract_interface(token).fungible_tokens]


def _most_from(sender: Sender, amount_ustx: int) -> StxPostCondition:
    return StxPostCondition(sender, FungibleCode.LESS_EQUAL, amount_ustx)


def _by_pages(read: Callable[[Sequence[int]], Sequence[Offer | None]], ids: Sequence[int]) -> list[Offer | None]:
    """Read things by their ids, a page at a time."""
    return [thing for first in range(0, len(ids), PAGE) for thing in read(ids[first : first + PAGE])]


MaxPrice = Annotated[UInt, ClarityName("max-price")]
MaxBefore = Annotated[UInt, ClarityName("max-before")]
PaymentIds = Annotated[Sequence[UInt], MaxLength(25)]
Answers = Annotated[tuple[Response[bool], ...], MaxLength(25)]


class Settlement(
    Contract,
    name="settlement",
    errors=SettlementError,
    events=(
        ContractDeployed,
        PaymentFunded,
        PaymentSettled,
        PaymentRefunded,
        PaymentReleased,
        PaymentAssigned,
        EnergyClaimed,
        CreditWithdrawn,
        FeeBpsSet,
        FeesWithdrawn,
        SurplusWithdrawn,
    ),
    callees=(MarketParticipation,),
):
    """Escrow: funding, settling and refunding fills; claims of bought energy; credits; fees."""

    def look_up(self, error: ErrorCode, arguments: Mapping[str, Any]) -> str:
        """Return what explains a refusal: a fill's cost and what is funded ahead of it, or a payment's state."""
        offer_id, wh, payment_id = (arguments.get(name) for name in ("offer_id", "wh", "payment_id"))
        if error is SettlementError.ERR_PAYMENT_CLOSED and payment_id is not None:
            payment = self.get_payment(payment_id)
            return "" if payment is None else f"payment {payment_id} is {payment.state.name.lower()}"
        if offer_id is None or wh is None:
            return ""
        market = _market(self)
        if error is SettlementError.ERR_PRICE_ABOVE_MAX:
            offer = market.get_offer(offer_id)
            return "" if offer is None else f"it costs {offer.price_per_kwh:,} per kWh"
        quote = market.quote(offer_id, wh) if error is SettlementError.ERR_BEFORE_ABOVE_MAX else None
        return "" if quote is None else f"{quote.before_wh:,} Wh are ahead of it now"

    @read_only
    def get_payment(self, payment_id: UInt) -> Payment | None:
        """Return a payment, or ``None``."""

    @read_only
    def get_payments(self, payment_ids: Ids) -> Page[Payment]:
        """Return up to 30 payments at once."""

    @read_only
    def get_payment_count(self) -> UInt:
        """Return how many payments have been made; their ids begin at 1."""

    @read_only
    def get_claim_count(self) -> UInt:
        """Return how many claims have been made; their ids begin at 1."""

    @read_only
    def preview_settlement(self, payment_id: UInt) -> SettlementPreview | None:
        """Return what settling would do now; ``None`` if the payment is closed or its day cannot be delivered yet."""

    @read_only
    def get_escrow_total(self, token: Principal | None = None) -> UInt:
        """Return the total that is locked, in µSTX or a token."""

    @read_only
    def get_fees(self, token: Principal | None = None) -> UInt:
        """Return the fees earned and not withdrawn, in µSTX or a token."""

    @read_only
    def get_ledger(self, token: Principal | None = None) -> Ledger:
        """Return what the contract owes, in µSTX or a token."""

    @read_only
    def get_credit(self, who: Principal, token: Principal) -> UInt:
        """Return what an account can withdraw of a token, in its smallest unit."""

    @read_only
    def get_fee_bps(self) -> UInt:
        """Return the fee of payments funded now, in basis points."""

    @read_only
    def get_fee_schedule(self) -> FeeSchedule:
        """Return the fee, and the announced one."""

    @read_only
    def is_solvent(self) -> bool:
        """Return whether the contract's STX cover all that is locked and all fees."""

    @read_only
    def get_surplus(self) -> UInt:
        """Return the contract's STX beyond what is locked and the fees, µSTX."""

    @public(moves=_funding_moves)
    def accept_and_fund(
        self,
        offer_id: UInt,
        wh: UInt,
        min_wh: UInt,
        max_price_per_kwh: MaxPrice,
        max_before_wh: MaxBefore,
    ) -> UInt:
        """Take energy of an offer in STX and lock its cost; return the payment's id.

        Args:
            offer_id: The offer.
            wh: How much of it to take, Wh; if less is open, what is open is taken.
            min_wh: The least energy to take, Wh.
            max_price_per_kwh: The most a kWh may cost, µSTX.
            max_before_wh: The most energy that may be funded ahead, and so be delivered first, Wh.
        """

    @public(moves=_funding_moves_with)
    def accept_and_fund_with(
        self,
        token: Trait,
        offer_id: UInt,
        wh: UInt,
        min_wh: UInt,
        max_price_per_kwh: MaxPrice,
        max_before_wh: MaxBefore,
    ) -> UInt:
        """Take energy of an offer that is priced in a token; return the payment's id.

        Args:
            token: The offer's token, ``ADDRESS.name``.
            offer_id: The offer.
            wh: How much of it to take, Wh; if less is open, what is open is taken.
            min_wh: The least energy to take, Wh.
            max_price_per_kwh: The most a kWh may cost, in the token's smallest unit.
            max_before_wh: The most energy that may be funded ahead, and so be delivered first, Wh.
        """

    @public(moves=_long_funding_moves)
    def accept_offers(
        self,
        items: Annotated[Sequence[Taking], MaxLength(MOST_OFFERS), ClarityName("fills")],
        max_price_per_kwh: MaxPrice,
        max_before_wh: MaxBefore,
    ) -> Annotated[tuple[Response[UInt], ...], MaxLength(MOST_OFFERS)]:
        """Take energy of up to 31 offers in STX; one payment's id or error for each.

        Args:
            items: The offers, and how much to take of each.
            max_price_per_kwh: The most a kWh may cost in any of them, µSTX.
            max_before_wh: The most energy that may be funded ahead of each, Wh.
        """

    def take_offers(self, items: Sequence[Taking], max_price_per_kwh: int, max_before_wh: int) -> CallSeries[Taking]:
        """Take energy of any number of offers in STX: `accept_offers`, 31 offers in each call.

        Nothing is sent before ``send()``; ``cost()`` says what that costs. Each is taken or refused by itself.

        Args:
            items: The offers, and how much to take of each.
            max_price_per_kwh: The most a kWh may cost in any of them, µSTX.
            max_before_wh: The most energy that may be funded ahead of each, Wh.

        Raises:
            InvalidValueError: If there is no offer.
        """
        return CallSeries(
            self,
            require_items(items, "items"),
            MOST_OFFERS,
            lambda part: self.accept_offers(part, max_price_per_kwh, max_before_wh),
        )

    @public(moves=_closing_moves)
    def settle(self, payment_id: UInt) -> bool:
        """Anyone: pay what was delivered and refund the rest, as soon as the day is verified."""

    @public(moves=_batch_moves)
    def settle_batch(self, payment_ids: PaymentIds) -> Answers:
        """Anyone: settle up to 25 payments; one result for each; if one fails, only that one is undone."""

    @public(moves=_closing_moves)
    def refund(self, payment_id: UInt) -> bool:
        """Anyone: refund the buyer for what can never be delivered."""

    @public(moves=_batch_moves)
    def refund_batch(self, payment_ids: PaymentIds) -> Answers:
        """Anyone: refund up to 25 payments; one result for each; if one fails, only that one is undone."""

    @public(moves=_closing_moves)
    def release(self, payment_id: UInt) -> bool:
        """Payee: give a locked payment back to its buyer in full."""

    @public
    def claim(self, payment_id: UInt, wh: UInt, beneficiary: Principal, purpose: Purpose) -> UInt:
        """Buyer: claim delivered energy for a beneficiary, each Wh once; return the claim's id.

        Args:
            payment_id: A settled payment of the caller.
            wh: The energy, 1 Wh to what is delivered and not claimed.
            beneficiary: For whom.
            purpose: What it is claimed for, up to 64 characters.
        """

    @public
    def assign_payment(self, payment_id: UInt, to: Principal) -> bool:
        """Buyer: transfer a payment, its refund and its claims to another principal."""

    @public(moves=_credit_moves)
    def withdraw(self, token: Trait) -> UInt:
        """Withdraw the caller's whole credit in a token; return the amount, in its smallest unit."""

    @public
    def set_token(self, token: Principal, listed: bool) -> bool:
        """Contract owner: allow or stop pricing offers in a SIP-010 token; what was sold stays payable."""

    @public
    def set_fee_bps(self, fee_bps: Annotated[UInt, ClarityName("bps")]) -> bool:
        """Contract owner: set the fee, 0 to 500 basis points; a higher one 7 days later, a lower one at once."""

    @public(moves=_withdrawal_moves)
    def withdraw_fees(self, amount_ustx: Annotated[UInt, ClarityName("amount")], recipient: Principal) -> bool:
        """Contract owner: send earned fees (µSTX) to a recipient."""

    @public(moves=_withdrawal_moves_with)
    def withdraw_fees_with(self, token: Trait, amount: UInt, recipient: Principal) -> bool:
        """Contract owner: send earned fees to a recipient, in the smallest unit of a token."""

    @public(moves=_withdrawal_moves)
    def withdraw_surplus(self, amount_ustx: Annotated[UInt, ClarityName("amount")], recipient: Principal) -> bool:
        """Contract owner: send STX (µSTX) that are neither locked nor fees to a recipient."""
