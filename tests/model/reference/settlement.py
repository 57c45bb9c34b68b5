"""``settlement``: payments, claims and fees."""

# ruff: noqa: ARG002  # every function has its caller and all arguments as parameters, as in the contract

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from der_client.contracts.settlement import PaymentState, SettlementError
from tests.model.reference.assets import Assets
from tests.model.reference.clock import DAY_S, Clock
from tests.model.reference.grid import Grid
from tests.model.reference.market import Market
from tests.model.reference.refusal import Objections, Refused, each

MAX_FEE_BPS = 500
FEE_NOTICE_S = 7 * DAY_S


@dataclass(slots=True)
class Payment:
    """The payment for one fill, with the fields that the contract returns."""

    offer_id: int
    asset_id: int
    day: int
    spot: bool
    buyer: str
    payee: str
    token: str | None
    claimable: bool
    wh: int
    before_wh: int
    price: int
    fee_bps: int
    cost: int
    state: PaymentState = PaymentState.LOCKED
    delivered_wh: int = 0
    payout: int = 0
    fee: int = 0
    refund: int = 0
    claimed_wh: int = 0


@dataclass(frozen=True, slots=True)
class Shares:
    """How the cost of a payment is divided."""

    delivered_wh: int
    payout: int
    fee: int
    refund: int


@dataclass(slots=True)
class Claim:
    """A claim of bought energy for a beneficiary."""

    payment_id: int
    wh: int
    beneficiary: str
    purpose: str


@dataclass(slots=True)
class Token:
    """A SIP-010 token that behaves as specified.

    Attributes:
        balances: The balances by principal.
    """

    balances: Counter[str] = field(default_factory=Counter)


class Settlement:
    """All payments, and the STX and tokens of all principals.

    Args:
        clock: Chain time.
        assets: The register.
        grid: Connections and feeds.
        market: Offers.
        address: The contract's principal.
        fee_bps: The fee at deployment, which the rules leave open.
        balances: The STX balances by principal, µSTX.
        tokens: The tokens by contract.
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
        tokens: dict[str, Token],
    ) -> None:
        self.clock = clock
        self.assets = assets
        self.grid = grid
        self.market = market
        self.address = address
        self.fees_set: list[tuple[int, int]] = [(0, fee_bps)]  # from when the fee applies, and the fee
        self.balances = balances
        self.tokens = tokens
        self.payments: dict[int, Payment] = {}
        self.claims: list[Claim] = []
        self.fees_withdrawn: Counter[str | None] = Counter()
        self.credits_withdrawn: Counter[tuple[str, str]] = Counter()
        self.credits_given: Counter[tuple[str, str]] = Counter()

    @property
    def fee_bps(self) -> int:
        """The fee of payments funded now."""
        return next(bps for since, bps in reversed(self.fees_set) if since <= self.clock.now)

    @property
    def fee_schedule(self) -> dict[str, int]:
        """The fee before and after its last change, and when the change takes effect."""
        since, bps = self.fees_set[-1]
        former = self.fees_set[-2][1] if len(self.fees_set) > 1 else bps
        return {"fee_bps": former, "next_fee_bps": bps, "next_from": since}

    def escrow(self, token: str | None) -> int:
        """Return the total that is locked, in a token or STX."""
        locked = [payment for payment in self.payments.values() if payment.state is PaymentState.LOCKED]
        return sum(payment.cost for payment in locked if payment.token == token)

    def fees(self, token: str | None) -> int:
        """Return the fees that were earned and not withdrawn, in a token or STX."""
        earned = sum(payment.fee for payment in self.payments.values() if payment.token == token)
        return earned - self.fees_withdrawn[token]

    def credit(self, who: str, token: str) -> int:
        """Return what a principal can withdraw of a token."""
        return self.credits_given[who, token] - self.credits_withdrawn[who, token]

    def ledger(self, token: str | None) -> dict[str, int]:
        """Return what the contract owes, in a token or STX."""
        given = sum(amount for (_, of), amount in self.credits_given.items() if of == token)
        taken = sum(amount for (_, of), amount in self.credits_withdrawn.items() if of == token)
        return {"escrow": self.escrow(token), "fees": self.fees(token), "credits": given - taken}

    @property
    def surplus_ustx(self) -> int:
        """STX that the contract holds but does not owe."""
        return self.balances[self.address] - self.escrow(None) - self.fees(None)

    def balance(self, who: str, token: str | None) -> int:
        """Return the balance of a principal, in a token or STX."""
        return self.balances.get(who, 0) if token is None else self.tokens[token].balances[who]

    def move(self, source: str, target: str, amount: int, token: str | None = None) -> None:
        """Move STX or tokens."""
        purse = self.balances if token is None else self.tokens[token].balances
        purse[source] = purse.get(source, 0) - amount
        purse[target] = purse.get(target, 0) + amount

    def shares(self, payment: Payment) -> Shares | None:
        """Return what settling a payment would pay; ``None`` if it is not locked or its day cannot be delivered."""
        if payment.state is not PaymentState.LOCKED:
            return None
        deliverable = self.grid.deliverable_wh(payment.asset_id, payment.day)
        if deliverable is None:
            return None
        return shared_out(payment, min(payment.wh, max(0, deliverable - payment.before_wh)))

    def is_refundable(self, payment: Payment) -> bool:
        """Return whether the day will never deliver anything."""
        return self.grid.is_undeliverable(payment.asset_id, payment.day)

    # Funding

    def accept_and_fund(
        self, caller: str, offer_id: int, wh: int, min_wh: int, max_price_per_kwh: int, max_before_wh: int
    ) -> int:
        """Buy energy and lock its cost in STX; a spot fill is delivered and paid at once."""
        return self._fund(caller, None, offer_id, wh, min_wh, max_price_per_kwh, max_before_wh)

    def accept_and_fund_with(
        self, caller: str, token: str, offer_id: int, wh: int, min_wh: int, max_price_per_kwh: int, max_before_wh: int
    ) -> int:
        """Buy energy and lock its cost in a token."""
        return self._fund(caller, token, offer_id, wh, min_wh, max_price_per_kwh, max_before_wh)

    def accept_offers(
        self, caller: str, items: Sequence[Mapping[str, int]], max_price_per_kwh: int, max_before_wh: int
    ) -> tuple[int | Refused, ...]:
        """Buy from several offers in STX, with one result each."""
        limits = {"max_price_per_kwh": max_price_per_kwh, "max_before_wh": max_before_wh}
        return each(items, lambda item: self.accept_and_fund(caller, **item, **limits))

    def _fund(
        self,
        caller: str,
        token: str | None,
        offer_id: int,
        wh: int,
        min_wh: int,
        max_price: int,
        max_before_wh: int,
    ) -> int:
        objections = Objections()
        offer = self.market.offers.get(offer_id)
        if offer is not None:
            objections.add(SettlementError.ERR_WRONG_TOKEN, when=offer.token != token)
            objections.add(SettlementError.ERR_PRICE_ABOVE_MAX, when=offer.price > max_price)
            taken = min(wh, offer.open_wh)
            before_wh = self.market.terms(offer, taken).before_wh
            objections.add(SettlementError.ERR_BEFORE_ABOVE_MAX, when=before_wh > max_before_wh)
            poor = offer.cost(taken) > self.balance(caller, token)
            objections.add(SettlementError.ERR_TRANSFER_FAILED, when=poor)
        try:
            self.market.judge_fill(caller, offer_id, wh, min_wh)
        except Refused as refused:
            objections.absorb(refused)
        objections.decide()
        terms = self.market.take(caller, offer_id, wh, min_wh)
        assert offer is not None
        cost = offer.cost(terms.wh)
        self.move(caller, self.address, cost, token)
        payment_id = len(self.payments) + 1
        self.payments[payment_id] = payment = Payment(
            offer_id,
            terms.asset_id,
            terms.day,
            terms.spot,
            buyer=caller,
            payee=terms.payee,
            token=token,
            claimable=terms.claimable,
            wh=terms.wh,
            before_wh=terms.before_wh,
            price=terms.price,
            fee_bps=self.fee_bps,
            cost=cost,
        )
        if payment.spot:
            self._close(payment, shared_out(payment, payment.wh), PaymentState.SETTLED)
        return payment_id

    # Settlement, refund and withdrawal

    def settle(self, caller: str, payment_id: int) -> bool:
        """Settle a payment once its day can be delivered. Anyone may."""
        objections, payment = self._locked(payment_id)
        shares = self.shares(payment)
        objections.add(SettlementError.ERR_NOT_DELIVERABLE, when=shares is None)
        objections.decide()
        assert shares is not None
        self._close(payment, shares, PaymentState.SETTLED)
        self.market.fill_is_closed(payment.offer_id)
        return True

    def settle_batch(self, caller: str, payment_ids: Sequence[int]) -> tuple[bool | Refused, ...]:
        """Settle several payments, with one result each. Anyone may."""
        return each(payment_ids, lambda payment_id: self.settle(caller, payment_id))

    def refund(self, caller: str, payment_id: int) -> bool:
        """Refund a payment once its day can never be delivered. Anyone may."""
        objections, payment = self._locked(payment_id)
        objections.add(SettlementError.ERR_NOT_REFUNDABLE, when=not self.is_refundable(payment))
        return self._give_back(objections, payment)

    def refund_batch(self, caller: str, payment_ids: Sequence[int]) -> tuple[bool | Refused, ...]:
        """Refund several payments, with one result each. Anyone may."""
        return each(payment_ids, lambda payment_id: self.refund(caller, payment_id))

    def release(self, caller: str, payment_id: int) -> bool:
        """As the payee, release a locked payment to its buyer, at any time."""
        objections, payment = self._locked(payment_id)
        objections.add(SettlementError.ERR_NOT_PAYEE, when=caller != payment.payee)
        return self._give_back(objections, payment)

    def _give_back(self, objections: Objections, payment: Payment) -> bool:
        objections.decide()
        self._close(payment, Shares(0, 0, 0, payment.cost), PaymentState.REFUNDED)
        self.market.fill_is_closed(payment.offer_id)
        return True

    def withdraw(self, caller: str, token: str) -> int:
        """Withdraw the caller's whole credit of a token. Anyone may."""
        objections = Objections()
        credit = self.credit(caller, token)
        objections.add(SettlementError.ERR_NO_CREDIT, when=credit == 0)
        objections.decide()
        self.credits_withdrawn[caller, token] += credit
        self.move(self.address, caller, credit, token)
        return credit

    # Claims and assignment

    def claim(self, caller: str, payment_id: int, wh: int, beneficiary: str, purpose: str) -> int:
        """As the buyer, claim delivered energy, each Wh once. Energy from a storage cannot be claimed."""
        objections, payment = self._for_buyer(caller, payment_id)
        objections.add(SettlementError.ERR_NOT_SETTLED, when=payment.state is not PaymentState.SETTLED)
        objections.add(SettlementError.ERR_NOT_CLAIMABLE, when=not payment.claimable)
        claimed = [claim.wh for claim in self.claims if claim.payment_id == payment_id]
        left = payment.delivered_wh - sum(claimed)
        objections.add(SettlementError.ERR_INVALID_CLAIM, when=not 1 <= wh <= left)
        objections.decide()
        self.claims.append(Claim(payment_id, wh, beneficiary, purpose))
        payment.claimed_wh += wh
        return len(self.claims)

    def assign_payment(self, caller: str, payment_id: int, to: str) -> bool:
        """As the buyer, assign a payment that was not refunded."""
        objections, payment = self._for_buyer(caller, payment_id)
        objections.add(SettlementError.ERR_PAYMENT_CLOSED, when=payment.state is PaymentState.REFUNDED)
        objections.add(SettlementError.ERR_INVALID_RECIPIENT, when=to in (caller, self.address))
        objections.decide()
        payment.buyer = to
        return True

    # Tokens, fees, surplus

    def set_token(self, caller: str, token: str, listed: bool) -> bool:
        """As the contract owner, list or delist a token for new offers."""
        self._for_contract_owner(caller).decide()
        (self.market.tokens.add if listed else self.market.tokens.discard)(token)
        return True

    def set_fee_bps(self, caller: str, fee_bps: int) -> bool:
        """As the contract owner, set the fee: a lower one at once, a higher one after 7 days."""
        objections = self._for_contract_owner(caller)
        objections.add(SettlementError.ERR_FEE_TOO_HIGH, when=fee_bps > MAX_FEE_BPS)
        objections.decide()
        present, now = self.fee_bps, self.clock.now
        if fee_bps <= present:
            self.fees_set = [(now, fee_bps)]
        else:
            self.fees_set = [(0, present), (now + FEE_NOTICE_S, fee_bps)]
        return True

    def withdraw_fees(self, caller: str, amount_ustx: int, recipient: str) -> bool:
        """As the contract owner, withdraw fees, but not to the contract itself."""
        return self._withdraw_fees(caller, None, amount_ustx, recipient)

    def withdraw_fees_with(self, caller: str, token: str, amount: int, recipient: str) -> bool:
        """As the contract owner, withdraw fees in a token."""
        return self._withdraw_fees(caller, token, amount, recipient)

    def _withdraw_fees(self, caller: str, token: str | None, amount: int, recipient: str) -> bool:
        objections = self._for_contract_owner(caller)
        objections.add(SettlementError.ERR_INVALID_AMOUNT, when=not 1 <= amount <= self.fees(token))
        objections.add(SettlementError.ERR_TRANSFER_FAILED, when=recipient == self.address)
        objections.decide()
        self.fees_withdrawn[token] += amount
        self.move(self.address, recipient, amount, token)
        return True

    def withdraw_surplus(self, caller: str, amount_ustx: int, recipient: str) -> bool:
        """As the contract owner, withdraw STX that the contract does not owe."""
        objections = self._for_contract_owner(caller)
        objections.add(SettlementError.ERR_INVALID_AMOUNT, when=not 1 <= amount_ustx <= self.surplus_ustx)
        objections.add(SettlementError.ERR_TRANSFER_FAILED, when=recipient == self.address)
        objections.decide()
        self.move(self.address, recipient, amount_ustx)
        return True

    # Helpers

    def _close(self, payment: Payment, shares: Shares, state: PaymentState) -> None:
        """Pay the shares: STX at once, a token as credits; the fee stays in the contract."""
        payment.state = state
        payment.delivered_wh, payment.fee = shares.delivered_wh, shares.fee
        payment.payout, payment.refund = shares.payout, shares.refund
        for who, amount in ((payment.payee, shares.payout), (payment.buyer, shares.refund)):
            if payment.token is None:
                self.move(self.address, who, amount)
            elif amount:
                self.credits_given[who, payment.token] += amount

    def _locked(self, payment_id: int) -> tuple[Objections, Payment]:
        objections = Objections()
        payment = self.payments.get(payment_id) or objections.refuse(SettlementError.ERR_PAYMENT_NOT_FOUND)
        objections.add(SettlementError.ERR_PAYMENT_CLOSED, when=payment.state is not PaymentState.LOCKED)
        return objections, payment

    def _for_buyer(self, caller: str, payment_id: int) -> tuple[Objections, Payment]:
        objections = Objections()
        payment = self.payments.get(payment_id) or objections.refuse(SettlementError.ERR_PAYMENT_NOT_FOUND)
        objections.add(SettlementError.ERR_NOT_BUYER, when=caller != payment.buyer)
        return objections, payment

    def _for_contract_owner(self, caller: str) -> Objections:
        objections = Objections()
        not_owner = caller != self.assets.contract_owner
        objections.add(SettlementError.ERR_NOT_CONTRACT_OWNER, when=not_owner)
        return objections


def shared_out(payment: Payment, delivered_wh: int) -> Shares:
    """Return how the cost of a payment is divided when this much energy is delivered."""
    gross = delivered_wh * payment.price // 1000
    fee = gross * payment.fee_bps // 10_000
    return Shares(delivered_wh, gross - fee, fee, payment.cost - gross)
