"""A company that buys in a token, buys a day of a month that is offered ahead, and claims what it bought."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from der_client.contracts.settlement import CreditWithdrawn, EnergyClaimed, Taking
from der_client.demo.results import ClaimedEnergy, MonthAhead, TokenSale
from der_client.project import project_root
from der_client.stacks.contract import Principal, UInt, public
from der_client.stacks.errors import DerClientError, NotFoundError
from der_client.stacks.standards import USDCX, Sip010
from der_client.stacks.transactions import ContractPublish

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from der_client.demo.chain import DemoChain

T = TypeVar("T")

PURPOSE = "electricity of our offices"
BUDGET = 1_000 * 10**USDCX.decimals


class StandIn(Sip010):
    """The stand-in for USDCx, which its deployer may mint."""

    @public
    def protocol_mint(self, amount: UInt, recipient: Principal) -> bool:
        """Mint tokens for an address, in the smallest unit; only the deployer may."""


class Company:
    """The buyer, and what it bought."""

    def __init__(self, chain: DemoChain, contract_owner: str, name: str) -> None:
        self._chain = chain
        self._contract_owner = contract_owner
        self._name = name
        self._address = chain.accounts[name].address
        self._seller = ""
        self._withdrawn = 0
        self._before: dict[str, int] = {}
        self._sale: TokenSale | None = None
        self._month: MonthAhead | None = None
        self._claim: ClaimedEnergy | None = None

    @property
    def _token(self) -> StandIn:
        owner = self._chain.as_(self._contract_owner).account
        if owner is None:  # only a read-only connection has none
            raise DerClientError("no account of the owner of the contracts is connected")
        return StandIn.at(self._chain.client, f"{owner.address}.usdcx", owner)

    def list_token(self) -> None:
        """Publish a stand-in for USDCx as the owner of the contracts, mint some for the company, and list it."""
        token, owner = self._token, self._chain.as_(self._contract_owner)
        try:
            self._chain.client.contract_interface(token.contract_id)
        except NotFoundError:
            source = (project_root() / "contracts" / "stand-ins" / "usdcx.clar").read_text(encoding="utf-8")
            account = token.require_account()
            published = account.submit(ContractPublish(token.name, source, 5)).wait()
            self._chain.books.fee(published.txid, account.address, published.fee_ustx)
        self._before = self._balances()
        self._chain.do(token.protocol_mint(BUDGET, self._address))
        if not owner.market.is_token_listed(token.contract_id):
            self._chain.do(owner.settlement.set_token(token.contract_id, True))

    def buy_for_tokens(
        self, seller: str, asset_id: int, day: date, wh: int, price_per_kwh: int, expires_at: datetime
    ) -> TokenSale:
        """Offer energy for the token as the seller, and take it as the company."""
        token, self._seller = self._token.contract_id, seller
        market = self._chain.as_(seller).market
        offer_id = self._chain.do(
            market.create_offer(asset_id, day, wh, price_per_kwh, wh // 10, expires_at, token=token)
        )
        quote = market.quote(offer_id, wh)
        if quote is None:
            raise DerClientError(f"{wh} Wh of offer {offer_id} cannot be taken")
        settlement = self._chain.as_(self._name).settlement
        payment_id = self._chain.do(
            settlement.accept_and_fund_with(token, offer_id, wh, wh, price_per_kwh, quote.before_wh)
        )
        self._sale = TokenSale(
            token=token,
            symbol=USDCX.symbol,
            decimals=USDCX.decimals,
            offer_id=offer_id,
            payment_id=payment_id,
            asset_id=asset_id,
            day=day,
            wh=wh,
        )
        return self._sale

    def buy_ahead(self, seller: str, asset_id: int, days: Mapping[date, int], price_per_kwh: int) -> MonthAhead:
        """Offer many days ahead as the seller, in as few calls as possible, and take the first as the company."""
        offered = self._chain.as_(seller).market.offer_days(
            asset_id, days, price_per_kwh, min_fill_wh=min(days.values()) // 10
        )
        sent = offered.send()
        fees_ustx = 0
        for pending in sent.pending:
            receipt = pending.wait()
            self._chain.books.add(self._chain.accounts[seller].address, receipt)
            fees_ustx += receipt.fee_ustx
        offer_ids: list[int] = []
        for outcome in sent.wait():
            if outcome.number is None:
                raise outcome.error or DerClientError(f"{outcome.item.day} was not offered")
            offer_ids.append(outcome.number)
        first_day = min(days)
        quote = self._chain.der.market.quote(offer_ids[0], days[first_day])
        if quote is None:
            raise DerClientError(f"offer {offer_ids[0]} cannot be taken")
        taking = Taking(offer_id=offer_ids[0], wh=days[first_day], min_wh=days[first_day])
        settlement = self._chain.as_(self._name).settlement
        (answer,) = self._chain.do(settlement.accept_offers([taking], price_per_kwh, quote.before_wh))
        if answer.value is None:
            raise DerClientError(f"offer {offer_ids[0]} was not taken: u{answer.error_code}")
        self._month = MonthAhead(
            asset_id=asset_id,
            first_day=first_day,
            last_day=max(days),
            offer_ids=offer_ids,
            wh=sum(days.values()),
            calls=len(offered.calls),
            fees_ustx=fees_ustx,
            payment_id=answer.value,
            taken_wh=days[first_day],
        )
        return self._month

    def withdraw_and_claim(self) -> None:
        """Withdraw both parties' credits in the token, and claim for the buyer what was delivered of the month."""
        token = self._token.contract_id
        for name in (self._seller, self._name):
            settlement = self._chain.as_(name).settlement
            if settlement.get_credit(self._chain.accounts[name].address, token):
                receipt = self._chain.run(settlement.withdraw(token))
                self._withdrawn += sum(event.amount for event in receipt.events if isinstance(event, CreditWithdrawn))
        settlement = self._chain.as_(self._name).settlement
        payment_id = self.month_ahead().payment_id
        payment = settlement.get_payment(payment_id)
        if payment is None:
            raise DerClientError(f"payment {payment_id} is unknown to the node")
        claim = settlement.claim(payment_id, payment.delivered_wh, self._address, PURPOSE)
        event = next(event for event in self._chain.run(claim).events if isinstance(event, EnergyClaimed))
        self._claim = ClaimedEnergy.model_validate(event, from_attributes=True)

    def token_sale(self) -> TokenSale:
        """Return the sale in the token, and its outcome.

        Raises:
            DerClientError: If the balances do not agree with the receipts.
        """
        sale = _done(self._sale)
        payment = self._chain.der.settlement.get_payment(sale.payment_id)
        if payment is None:
            raise DerClientError(f"payment {sale.payment_id} is unknown to the node")
        for who, balance in self._balances().items():
            change, expected = balance - self._before[who], self._chain.books.token_changes[who]
            if change != expected:
                raise DerClientError(f"{who} changed by {change} of {sale.token}, but its receipts say {expected}")
        return sale.model_copy(
            update={
                "delivered_wh": payment.delivered_wh,
                "locked": payment.cost,
                "paid": payment.payout,
                "fee": payment.fee,
                "refunded": payment.refund,
                "withdrawn": self._withdrawn,
            }
        )

    def month_ahead(self) -> MonthAhead:
        """Return the month that was offered ahead."""
        return _done(self._month)

    def claim(self) -> ClaimedEnergy:
        """Return what the company claimed."""
        return _done(self._claim)

    def _balances(self) -> dict[str, int]:
        """Return the balances in the token, in its smallest unit."""
        everybody = [account.address for account in self._chain.accounts.values()]
        return {who: self._token.get_balance(who) for who in (*everybody, self._chain.der.settlement.contract_id)}


def _done(thing: T | None) -> T:
    if thing is None:
        raise DerClientError("this comes later in the demo")
    return thing
