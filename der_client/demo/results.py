"""The demo's results as figures, for tables, JSON and tests."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict

from der_client.contracts.asset_verification import Asset
from der_client.contracts.market_participation import Offer
from der_client.contracts.settlement import Payment


class Person(BaseModel):
    """Someone who took part.

    Attributes:
        account: The devnet's account.
        address: Its address.
        role: Its role in the demo.
        does: What it does there.
    """

    model_config = ConfigDict(frozen=True)

    account: str
    address: str
    role: str
    does: str


class PlantResult(BaseModel):
    """One plant, and its energy over all days, Wh.

    Attributes:
        name: For people.
        asset_id: Its number.
        owner: The devnet's account that owns it.
        capacity_w: Rated power, W.
        price_ustx_per_kwh: The price that its owner asks, µSTX per kWh.
        expected_wh: What its owner expects it to produce in a day.
        first_day_wh_by_slot: What it produced on the first day, by slot; ``None`` where the data has a gap.
        produced_wh: What its meter recorded.
        verified_wh: Of that, what was verified.
        sold_wh: What buyers took.
        delivered_wh: Of that, what was delivered.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    asset_id: int
    owner: str
    capacity_w: int
    price_ustx_per_kwh: int
    expected_wh: int
    first_day_wh_by_slot: list[int | None]
    produced_wh: int
    verified_wh: int
    sold_wh: int
    delivered_wh: int


class BalanceChange(BaseModel):
    """An account before and after, µSTX; ``expected_change_ustx`` is what the receipts say."""

    model_config = ConfigDict(frozen=True)

    name: str
    address: str
    before_ustx: int
    after_ustx: int
    expected_change_ustx: int

    @property
    def change_ustx(self) -> int:
        """By how much the balance changed."""
        return self.after_ustx - self.before_ustx


class TokenSale(BaseModel):
    """A sale in a token; amounts in its smallest unit.

    Attributes:
        token: The token's contract, ``ADDRESS.name``.
        symbol: The token's symbol.
        decimals: How many digits of an amount come after the point.
        offer_id: The offer's id.
        payment_id: The payment's id.
        asset_id: The plant's id.
        day: The day of production.
        wh: What was bought, Wh.
        delivered_wh: Of that, what was delivered, Wh.
        locked: What the buyer locked; the sum of paid, fee and refunded.
        paid: What became the seller's credit.
        fee: What the settlement contract kept.
        refunded: What became the buyer's credit.
        withdrawn: What seller and buyer withdrew of their credits.
    """

    model_config = ConfigDict(frozen=True)

    token: str
    symbol: str
    decimals: int
    offer_id: int
    payment_id: int
    asset_id: int
    day: date
    wh: int
    delivered_wh: int = 0
    locked: int = 0
    paid: int = 0
    fee: int = 0
    refunded: int = 0
    withdrawn: int = 0


class MonthAhead(BaseModel):
    """A month that was offered ahead, of which one day was taken.

    Attributes:
        asset_id: The plant's id.
        first_day: Its first day.
        last_day: Its last day.
        offer_ids: The offers' ids, one for each day.
        wh: What was offered, Wh.
        calls: How many transactions that took.
        fees_ustx: Their fees, µSTX.
        payment_id: The id of the payment for the day that was taken.
        taken_wh: What was taken of it, Wh.
    """

    model_config = ConfigDict(frozen=True)

    asset_id: int
    first_day: date
    last_day: date
    offer_ids: list[int]
    wh: int
    calls: int
    fees_ustx: int
    payment_id: int
    taken_wh: int


class ClaimedEnergy(BaseModel):
    """Energy that its buyer claimed: a certificate, with the fields of its event."""

    model_config = ConfigDict(frozen=True)

    claim_id: int
    payment_id: int
    asset_id: int
    day: date
    wh: int
    beneficiary: str
    purpose: str


class DemoResult(BaseModel):
    """The demo's results. Energy in Wh, money in µSTX, without sales in a token.

    Attributes:
        days: How many days were run.
        produced_wh: Recorded energy.
        sold_wh: Energy that buyers took.
        delivered_wh: Of that, what was delivered.
        locked_ustx: What buyers locked; the sum of paid, fees and refunded.
        paid_ustx: What the sellers got.
        refunded_ustx: What the buyers got back.
        fees_ustx: What the settlement contract kept.
        network_fees_ustx: Transaction fees.
        txids: All transactions, in order.
        people: Someone who took part.
        token_sale: What was sold in a token.
        month_ahead: The month that was offered ahead.
        claim: What a buyer claimed.
        asset_ids: Ids of ``assets``; likewise for offers and payments.
    """

    model_config = ConfigDict(frozen=True)

    days: int
    first_day: date
    produced_wh: int
    sold_wh: int
    delivered_wh: int
    locked_ustx: int
    paid_ustx: int
    refunded_ustx: int
    fees_ustx: int
    network_fees_ustx: int
    txids: list[str]
    people: list[Person]
    plants: list[PlantResult]
    balances: list[BalanceChange]
    token_sale: TokenSale
    month_ahead: MonthAhead
    claim: ClaimedEnergy
    asset_ids: list[int]
    assets: list[Asset]
    offer_ids: list[int]
    offers: list[Offer]
    payment_ids: list[int]
    payments: list[Payment]
