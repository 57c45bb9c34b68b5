"""Draws calls of ``settlement``: funding, the end of payments, claims, fees."""

from __future__ import annotations

from collections.abc import Sequence

from der_client.contracts.settlement import PaymentState
from tests.model.drawing.situation import Maker, Situation
from tests.model.people import BUYERS, CONTRACT_OWNER, OPERATOR, OWNERS, TOKEN
from tests.model.step import Step, step


class SettlementDraws(Situation):
    """Draws calls of ``settlement``: funding, the end of payments, claims, fees."""

    def makers(self) -> dict[Maker, int]:
        """Return the methods that draw a call, with their weights."""
        return {
            self.accept_and_fund: 24,
            self.accept_offers: 8,
            self.settle: 8,
            self.settle_batch: 6,
            self.refund: 6,
            self.refund_batch: 4,
            self.release: 5,
            self.withdraw: 8,
            self.claim: 10,
            self.assign_payment: 4,
            self.set_token: 3,
            self.set_fee_bps: 3,
            self.withdraw_fees: 6,
            self.withdraw_surplus: 3,
            self.send_unasked: 2,
        }

    def accept_and_fund(self) -> Step | None:
        """Buy open energy, as the named taker if there is one, usually in the offer's currency."""
        offer_id = self.offer_to_take()
        if offer_id is None:
            return None
        offer = self.system.market.offers[offer_id]
        wh, min_wh = self.wh_to_take(offer_id)
        arguments = {"offer_id": offer_id, "wh": wh, "min_wh": min_wh, **self.limits([offer_id])}
        in_token = (offer.token is not None) is not self.chance(0.04)
        if in_token:
            return step(self.buyer(offer_id), "settlement.accept_and_fund_with", token=TOKEN, **arguments)
        return step(self.buyer(offer_id), "settlement.accept_and_fund", **arguments)

    def accept_offers(self) -> Step | None:
        """Buy from several offers at once, usually in STX."""
        chosen = [self.offer_to_take() for _ in range(self.random.randint(1, 4))]
        offers = [offer_id for offer_id in chosen if offer_id is not None]
        offers = [number for number in offers if self.system.market.offers[number].token is None or self.chance(0.1)]
        if not offers:
            return None
        items = []
        for offer_id in offers:
            wh, min_wh = self.wh_to_take(offer_id)
            items.append({"offer_id": offer_id, "wh": wh, "min_wh": min_wh})
        return step(self.buyer(offers[0]), "settlement.accept_offers", items=items, **self.limits(offers))

    def offer_to_take(self) -> int | None:
        """Pick an offer, usually one that can be taken."""
        if self.chance(0.06):
            offers = self.system.market.offers
            void = [number for number in self.open_offers() if offers[number].epoch < self.epoch_of(number)]
            if void:
                return self.pick(void)
        alive = [number for number in self.open_offers() if not self.is_over(number)]
        return self.one(alive or (self.open_offers() if self.chance(0.1) else []), self.all_offers())

    def epoch_of(self, offer_id: int) -> int:
        """Return the current epoch of an offer's asset."""
        return self.asset(self.system.market.offers[offer_id].asset_id).epoch

    def wh_to_take(self, offer_id: int) -> tuple[int, int]:
        """Pick how much of an offer to take, and the least to accept; sometimes more than is open."""
        offer = self.system.market.offers[offer_id]
        least = min(offer.min_fill_wh, offer.open_wh)
        wh = self.pick((offer.open_wh, least, self.random.randint(least, max(least, offer.open_wh)), offer.wh + 1))
        if self.chance(0.05):
            return wh, offer.open_wh + 1
        return wh, min(offer.open_wh, self.pick((wh, least, 0)))

    def limits(self, offers: Sequence[int]) -> dict[str, int]:
        """Return a buyer's limits for some offers: usually high enough, sometimes too low."""
        market = self.system.market
        price = max(market.offers[number].price for number in offers)
        before_wh = max(market.terms(market.offers[number], 0).before_wh for number in offers)
        return {
            "max_price_per_kwh": max(0, price + self.pick((0, 0, 0, 1, 10**15, -1))),
            "max_before_wh": before_wh + self.pick((0, 0, 1, 10**9, 10**15)),
        }

    def buyer(self, offer_id: int) -> str:
        """Pick a principal that may take an offer."""
        taker = self.system.market.offers[offer_id].taker
        return self.pick((*BUYERS, *BUYERS, *BUYERS, OPERATOR, *OWNERS)) if taker is None else self.actor(taker)

    def payments(self, *, settling: bool) -> list[int]:
        """Return the locked payments that can be settled or, if not ``settling``, refunded."""
        money = self.system.settlement
        return [
            number
            for number, payment in money.payments.items()
            if payment.state is PaymentState.LOCKED
            and (money.shares(payment) is not None if settling else money.is_refundable(payment))
        ]

    def settle(self) -> Step | None:
        """Settle a payment as anyone."""
        payment_id = self.one(self.payments(settling=True), list(self.system.settlement.payments))
        return None if payment_id is None else step(self.anybody(), "settlement.settle", payment_id=payment_id)

    def settle_batch(self) -> Step | None:
        """Settle payments that can be settled, and some that cannot."""
        payments = self.payments(settling=True)[: self.random.randint(1, 6)]
        others = list(self.system.settlement.payments)
        if not payments and (not others or self.chance(0.8)):
            return None
        mixed = payments + [self.pick(others) for _ in range(self.random.randint(0, 2))]
        self.random.shuffle(mixed)
        return step(self.anybody(), "settlement.settle_batch", payment_ids=mixed)

    def refund(self) -> Step | None:
        """Refund a payment as anyone."""
        payment_id = self.one(self.payments(settling=False), list(self.system.settlement.payments))
        return None if payment_id is None else step(self.anybody(), "settlement.refund", payment_id=payment_id)

    def refund_batch(self) -> Step | None:
        """Refund payments that can be refunded, and some that cannot."""
        payments = self.payments(settling=False)[: self.random.randint(1, 6)]
        others = list(self.system.settlement.payments)
        if not payments and (not others or self.chance(0.9)):
            return None
        mixed = payments + [self.pick(others) for _ in range(self.random.randint(0, 2))]
        return step(self.anybody(), "settlement.refund_batch", payment_ids=mixed)

    def release(self) -> Step | None:
        """Release a payment, usually as its payee."""
        items = self.system.settlement.payments
        locked = [number for number, item in items.items() if item.state is PaymentState.LOCKED]
        payment_id = self.one(locked if self.chance(0.4) else [], list(items))
        if payment_id is None:
            return None
        payment = items[payment_id]
        who = payment.buyer if self.chance(0.15) else payment.payee
        return step(self.actor(who), "settlement.release", payment_id=payment_id)

    def withdraw(self) -> Step | None:
        """Withdraw a credit."""
        money = self.system.settlement
        (token,) = money.tokens
        owed = [who for who in sorted(self.names) if money.credit(who, token)]
        if not owed and self.chance(0.9):
            return None
        return step(self.actor(self.pick(owed)) if owed else self.anybody(), "settlement.withdraw", token=TOKEN)

    def claim(self) -> Step | None:
        """Claim energy that was delivered; now and then, from a storage, which is refused."""
        items = self.system.settlement.payments
        left = {number: item.delivered_wh - item.claimed_wh for number, item in items.items()}
        delivered = [number for number, wh in left.items() if wh and items[number].claimable]
        settled = [number for number, item in items.items() if item.state is PaymentState.SETTLED]
        of_storages = [number for number in settled if not items[number].claimable]
        fitting = of_storages if of_storages and self.chance(0.2) else delivered
        payment_id = self.one(fitting, list(items))
        if payment_id is None:
            return None
        return step(
            self.actor(items[payment_id].buyer),
            "settlement.claim",
            payment_id=payment_id,
            wh=self.amount(left[payment_id]) + self.mostly(0, 1, but=0.15),
            beneficiary=self.pick((*BUYERS, "observer", "settlement")),
            purpose="scope 2",
        )

    def assign_payment(self) -> Step | None:
        """Assign a payment to another principal."""
        items = self.system.settlement.payments
        if not items:
            return None
        payment_id = self.pick(list(items))
        to = self.pick((*BUYERS, "observer", OPERATOR, "settlement" if self.chance(0.2) else "dave"))
        return step(self.actor(items[payment_id].buyer), "settlement.assign_payment", payment_id=payment_id, to=to)

    def set_token(self) -> Step:
        """List or delist the token as the contract owner, usually list it."""
        owner = self.actor(self.system.assets.contract_owner)
        return step(owner, "settlement.set_token", token=TOKEN, listed=self.chance(0.8))

    def set_fee_bps(self) -> Step:
        """Set the fee as the contract owner."""
        owner = self.actor(self.system.assets.contract_owner)
        return step(owner, "settlement.set_fee_bps", fee_bps=self.pick((0, 1, 99, 100, 333, 500, 501)))

    def withdraw_fees(self) -> Step | None:
        """Withdraw some or all fees, in STX or in the token."""
        money = self.system.settlement
        (token,) = money.tokens
        owner = self.actor(self.system.assets.contract_owner)
        recipient = self.pick((*OWNERS, CONTRACT_OWNER, "paul", "settlement", "observer"))
        in_token = self.chance(0.8 if money.fees(token) else 0.3)
        fees = money.fees(token if in_token else None)
        if not fees and self.chance(0.9):
            return None
        if in_token:
            arguments = {"token": TOKEN, "amount": self.amount(fees), "recipient": recipient}
            return step(owner, "settlement.withdraw_fees_with", **arguments)
        return step(owner, "settlement.withdraw_fees", amount_ustx=self.amount(fees), recipient=recipient)

    def withdraw_surplus(self) -> Step:
        """Withdraw STX that the contract does not owe; often there are none."""
        owner = self.actor(self.system.assets.contract_owner)
        amount_ustx = self.amount(max(1, self.system.settlement.surplus_ustx))
        return step(owner, "settlement.withdraw_surplus", amount_ustx=amount_ustx, recipient="paul")

    def send_unasked(self) -> Step:
        """Transfer STX to the settlement contract outside of any payment."""
        return step(self.pick(OWNERS), "stx.transfer", recipient="settlement", amount_ustx=self.amount(10**6))
