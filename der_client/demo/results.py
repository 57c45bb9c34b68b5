"""What the demo did, as figures: for the tables, for JSON, for tests."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict

from der_client.contracts.asset_verification import Asset
from der_client.contracts.market_participation import Offer
from der_client.contracts.settlement import Payment


class PlantResult(BaseModel):
    """Energy of one plant over all days, Wh."""

    model_config = ConfigDict(frozen=True)

    name: str
    asset_id: int
    capacity_w: int
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
        """What the balance changed by."""
        return self.after_ustx - self.before_ustx


class DemoResult(BaseModel):
    """What the demo did. Energy in Wh, money in µSTX.

    Attributes:
        days: How many days were run.
        produced_wh: Recorded energy.
        sold_wh: Energy that buyers took.
        delivered_wh: Of that, what was delivered.
        locked_ustx: What buyers locked; equals paid, fees and refunded together.
        paid_ustx: What the sellers got.
        refunded_ustx: What the buyers got back.
        fees_ustx: What the settlement contract kept.
        network_fees_ustx: Transaction fees.
        txids: All transactions, in order.
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
    plants: list[PlantResult]
    balances: list[BalanceChange]
    asset_ids: list[int]
    assets: list[Asset]
    offer_ids: list[int]
    offers: list[Offer]
    payment_ids: list[int]
    payments: list[Payment]
