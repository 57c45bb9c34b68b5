"""What is open on the chain, and what has to be checked or done: the keeper's memory.

Pure bookkeeping: the keeper reads the chain and passes on what it saw. Only open payments and offers are kept.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from datetime import date, datetime
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Final

from der_client.contracts.asset_verification import AssetRetired, OperatorSet, TransferAccepted
from der_client.contracts.grid_integration import FeedVerified
from der_client.contracts.market_participation import OfferAccepted, OfferClosed, OfferCreated
from der_client.contracts.production_tracking import DayRejected, DayVerified
from der_client.contracts.settlement import PaymentClosed, PaymentFunded
from der_client.readings.slots import window_end

if TYPE_CHECKING:
    from collections.abc import Iterable

    from der_client.stacks.contract.events import Event, UnknownEvent

LOOKS_AT_A_DAY: Final = 3
"""How often a day is checked after an event: the node that is read may be behind the API that reported the event."""
_LAZY_ENTRIES: Final = 1000
"""How many expiry times of closed offers may stay in the queue before they are removed."""

DayKey = tuple[int, date]
"""Asset and day."""


class Action(StrEnum):
    """What a keeper does."""

    SETTLE = "settle"
    REFUND = "refund"
    EXPIRE = "expire"


class Duties:
    """Open payments by day, open offers by asset, and when each of them has to be checked.

    Whatever is reported twice counts once. Memory and work grow with what is open and what changes, not with what
    exists.

    Args:
        min_value_ustx: Payments in STX that lock less are never due, µSTX.

    Attributes:
        locked_ustx: The costs of all open payments in STX, µSTX.
    """

    def __init__(self, min_value_ustx: int = 0) -> None:
        self._min_value_ustx = min_value_ustx
        self._day_of: dict[int, DayKey] = {}
        self._costs_ustx: dict[int, int | None] = {}
        self.locked_ustx = 0
        self._payments: defaultdict[DayKey, dict[int, None]] = defaultdict(dict)
        self._offers: dict[int, tuple[int, int]] = {}  # asset and epoch
        self._offers_of: defaultdict[int, set[int]] = defaultdict(set)
        self._windows: list[tuple[datetime, DayKey]] = []
        self._expiries: list[tuple[datetime, int]] = []
        self._looks: dict[DayKey, int] = {}
        # Used as ordered sets: what became due first is done first.
        self._due: dict[Action, dict[int, None]] = {action: {} for action in Action}

    @property
    def open_payments(self) -> int:
        """How many payments are locked."""
        return len(self._day_of)

    @property
    def open_offers(self) -> int:
        """How many offers are open."""
        return len(self._offers)

    def add_payment(self, payment_id: int, asset_id: int, day: date, cost_ustx: int | None, now: datetime) -> None:
        """Add a locked payment; check its day now if it is over, otherwise when an event names it.

        Args:
            payment_id: The payment.
            asset_id: The asset.
            day: The day of production.
            cost_ustx: What is locked, µSTX; ``None`` if it is locked in a token.
            now: Chain time.
        """
        if payment_id in self._day_of:
            return
        key = asset_id, day
        if key not in self._payments:
            heapq.heappush(self._windows, (window_end(day), key))
        self._day_of[payment_id] = key
        self._costs_ustx[payment_id] = cost_ustx
        self.locked_ustx += cost_ustx or 0
        self._payments[key][payment_id] = None
        if day < now.date():
            self._looks[key] = LOOKS_AT_A_DAY

    def drop_payment(self, payment_id: int) -> None:
        """Drop a payment that is closed."""
        key = self._day_of.pop(payment_id, None)
        if key is None:
            return
        self.locked_ustx -= self._costs_ustx.pop(payment_id) or 0
        self._due[Action.SETTLE].pop(payment_id, None)
        self._due[Action.REFUND].pop(payment_id, None)
        self._payments[key].pop(payment_id)
        if not self._payments[key]:
            del self._payments[key]
            self._looks.pop(key, None)

    def add_offer(self, offer_id: int, asset_id: int, epoch: int, expires_at: datetime) -> None:
        """Add an offer that has open energy."""
        if offer_id not in self._offers:
            self._offers[offer_id] = asset_id, epoch
            self._offers_of[asset_id].add(offer_id)
            heapq.heappush(self._expiries, (expires_at, offer_id))

    def drop_offer(self, offer_id: int) -> None:
        """Drop an offer that has no open energy any more."""
        asset_id, _ = self._offers.pop(offer_id, (None, None))
        if asset_id is None:
            return
        self._due[Action.EXPIRE].pop(offer_id, None)
        self._offers_of[asset_id].discard(offer_id)
        if not self._offers_of[asset_id]:
            del self._offers_of[asset_id]
        if len(self._expiries) > 2 * len(self._offers) + _LAZY_ENTRIES:
            self._expiries = [entry for entry in self._expiries if entry[1] in self._offers]
            heapq.heapify(self._expiries)

    def drop(self, action: Action, number: int) -> None:
        """Drop the payment, or the offer, of an action."""
        if action is Action.EXPIRE:
            self.drop_offer(number)
        else:
            self.drop_payment(number)

    def assets_with_offers(self) -> list[int]:
        """Return the assets with open offers."""
        return list(self._offers_of)

    def set_epoch(self, asset_id: int, epoch: int) -> None:
        """Note that an asset's epoch is at least this: its open offers of an older one are void."""
        for offer_id in sorted(self._offers_of.get(asset_id, ())):
            if self._offers[offer_id][1] < epoch:
                self._due[Action.EXPIRE][offer_id] = None

    def apply(self, event: Event | UnknownEvent, now: datetime) -> None:
        """Process what a contract printed: the events of one contract in their order, those that open something first.

        Args:
            event: The event.
            now: Chain time.
        """
        match event:
            case PaymentFunded(spot=False):
                cost_ustx = event.cost if event.token is None else None
                self.add_payment(event.payment_id, event.asset_id, event.day, cost_ustx, now)
            case PaymentClosed():
                self.drop_payment(event.payment_id)
            case OfferCreated():
                self.add_offer(event.offer_id, event.asset_id, event.epoch, event.expires_at)
            case OfferClosed() | OfferAccepted(open_wh=0):
                self.drop_offer(event.offer_id)
            case DayVerified() | DayRejected() | FeedVerified():
                self._look_at((event.asset_id, event.day))
            case AssetRetired():
                for key in [key for key in self._payments if key[0] == event.asset_id]:
                    self._look_at(key)
            case TransferAccepted() | OperatorSet():
                self.set_epoch(event.asset_id, event.epoch)
            case _:
                pass

    def tick(self, now: datetime) -> None:
        """Let time pass: offers expire, and windows end."""
        while self._expiries and self._expiries[0][0] <= now:
            _, offer_id = heapq.heappop(self._expiries)
            if offer_id in self._offers:
                self._due[Action.EXPIRE][offer_id] = None
        while self._windows and self._windows[0][0] <= now:
            self._look_at(heapq.heappop(self._windows)[1])

    @property
    def has_new_days(self) -> bool:
        """Whether there are days that have not been checked since they were reported."""
        return LOOKS_AT_A_DAY in self._looks.values()

    def days_to_look_at(self, limit: int) -> list[DayKey]:
        """Return the first days whose payments may have become due."""
        return list(islice(self._looks, limit))

    def decide(self, key: DayKey, action: Action | None) -> None:
        """Note what is due for a day that was checked.

        Args:
            key: The day.
            action: What is due for its payments; ``None`` if nothing yet.
        """
        looks = self._looks.pop(key, 1)
        if action is not None:
            payments = self._payments.get(key, {})
            self._due[action] |= {number: None for number in payments if self._is_worth_it(number)}
        elif looks > 1:
            self._looks[key] = looks - 1

    def reconsider(self, payment_id: int) -> None:
        """Check the day of a payment again that turned out not to be due."""
        if payment_id in self._day_of:
            self._due[Action.SETTLE].pop(payment_id, None)
            self._due[Action.REFUND].pop(payment_id, None)
            self._look_at(self._day_of[payment_id])

    def due(self, action: Action) -> Iterable[int]:
        """Return the payments or offers that an action is due for, in the order in which they became due."""
        return tuple(self._due[action])

    def _is_worth_it(self, payment_id: int) -> bool:
        cost_ustx = self._costs_ustx[payment_id]
        return cost_ustx is None or cost_ustx >= self._min_value_ustx

    def _look_at(self, key: DayKey) -> None:
        if key in self._payments:
            self._looks[key] = LOOKS_AT_A_DAY
