"""One account that does what anybody may do: settle, refund, expire."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Final

from der_client.contracts.asset_verification import AssetRetired, OperatorSet, TransferAccepted
from der_client.contracts.grid_integration import FeedVerified
from der_client.contracts.market_participation import (
    OfferAccepted,
    OfferCancelled,
    OfferCreated,
    OfferExpired,
    OfferRejected,
)
from der_client.contracts.production_tracking import DayRejected, DayState, DayVerified
from der_client.contracts.settlement import (
    PaymentFunded,
    PaymentRefunded,
    PaymentReleased,
    PaymentSettled,
    PaymentState,
)
from der_client.contracts.units import AssetDay
from der_client.keeper.duties import Action, DayKey, Duties
from der_client.keeper.errands import Errands
from der_client.keeper.feeds import EventFeed, LostThreadError
from der_client.keeper.report import KeeperReport
from der_client.keeper.seen_chain import Place, SeenChain
from der_client.readings.slots import window_end
from der_client.stacks.checks import check_number, check_seconds
from der_client.stacks.errors import CallReadError, NodeError, whole
from der_client.stacks.outbox import Outbox
from der_client.stacks.outbox.lane import MAX_IN_MEMPOOL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from der_client.contracts.production_tracking import ProductionDay
    from der_client.der import Der
    from der_client.stacks.contract.call import Call
    from der_client.stacks.outbox import Journal
    from der_client.stacks.rpc.responses import Block

_LOG: Final = logging.getLogger(__name__)

_PAGE: Final = 30
"""How many items the contracts' lists return at once."""
_BATCH: Final = 25
"""How many payments ``settle-batch`` accepts."""
_DAYS_PER_ROUND: Final = 300
_MAX_OUTAGE_PAUSE_S: Final = 60.0
_DOUBTS: Final = 3
"""How many rounds in a row the locked sum may differ from the contract's, since API and node may differ for a while."""


class Keeper:
    """Settles payments whose day can be delivered, refunds those that never can be, and expires old offers.

    It begins with the current state of the chain and then follows the contracts' events, so the cost of a round depends
    on what has changed, not on what exists. Any number of keepers can work side by side, each with its own account.
    What it has sent is in the journal of its outbox: with a journal in a file, a keeper that was killed continues where
    it stopped.

    Use it from one thread at a time; only ``stop`` may be called from anywhere.

    Args:
        der: The contracts, with the account that pays the fees; its fee policy caps each of them.
        max_in_flight: How many transactions may wait to be mined at once, 1 to 25.
        max_sent_per_round: How many transactions a round sends at most.
        confirm_timeout_s: How long a round waits for its transactions, in seconds; a later round checks them again.
        min_value_ustx: Payments that lock less than this are skipped, µSTX.
        journal: The outbox's journal: a path (SQLite), a URL (Postgres), or ``None`` for one that ends with the keeper.

    Raises:
        SigningError: If the connection has no account.
        InvalidValueError: If a limit is out of range.
    """

    def __init__(
        self,
        der: Der,
        *,
        max_in_flight: int = 10,
        max_sent_per_round: int = 50,
        confirm_timeout_s: float = 180.0,
        min_value_ustx: int = 0,
        journal: Journal | Path | str | None = None,
    ) -> None:
        check_number(max_in_flight, 1, MAX_IN_MEMPOOL, "max_in_flight")
        check_number(max_sent_per_round, 1, None, "max_sent_per_round")
        check_number(min_value_ustx, 0, None, "min_value_ustx")
        check_seconds(confirm_timeout_s, "confirm_timeout_s")
        self._der = der
        self._max_in_flight = max_in_flight
        self._max_sent_per_round = max_sent_per_round
        self._confirm_timeout_s = confirm_timeout_s
        self._stopping = threading.Event()
        self._min_value_ustx = min_value_ustx
        self._duties = Duties(min_value_ustx)
        self._tip: Block | None = None
        self._chain = SeenChain()
        self._doubts = 0
        self._doubts_allowed = _DOUBTS
        self._account = der.settlement.require_account()
        self._journal = journal
        self._outbox: Outbox | None = None
        self._errands: Errands | None = None
        # The contracts that open payments and offers are read last, so that no event is read before what it refers to.
        self._feeds = [
            EventFeed(der.production, (DayVerified, DayRejected)),
            EventFeed(der.grid, (FeedVerified,)),
            EventFeed(der.assets, (TransferAccepted, OperatorSet, AssetRetired)),
            EventFeed(der.market, (OfferCreated, OfferAccepted, OfferCancelled, OfferRejected, OfferExpired)),
            EventFeed(der.settlement, (PaymentFunded, PaymentSettled, PaymentRefunded, PaymentReleased)),
        ]

    @property
    def address(self) -> str:
        """The account that pays the fees."""
        return self._account.address

    @property
    def contract_id(self) -> str:
        """The settlement contract whose payments it settles."""
        return self._der.settlement.contract_id

    @property
    def open_payments(self) -> int:
        """How many locked payments it knows."""
        return self._duties.open_payments

    @property
    def open_offers(self) -> int:
        """How many open offers it knows."""
        return self._duties.open_offers

    def stop(self) -> None:
        """Send nothing more, and end. Any thread or signal handler may call it; a stopped keeper stays stopped."""
        self._stopping.set()

    def run_once(self) -> KeeperReport:
        """Do what is due now, wait for it, and report.

        Returns:
            What happened since the last report, including rounds that ended with an error.

        Raises:
            DeploymentError: If the contracts are not deployed; this is checked in the first round.
            NodeError: If the node is down or responds with something else; what was sent is checked in the next round.
            CallReadError: If the node could not run a read-only call.
        """
        errands = self._open()
        errands.collect()
        self._tip = self._look()
        self._act()
        is_waiting = not self._wait_until(lambda: not errands)
        is_more_due = errands.has_ready_work or self._duties.has_new_days
        # If it waited in vain, so would the next round: it can do nothing more before the next block.
        has_more = is_more_due and not is_waiting and not self._stopping.is_set()
        return self._report(self._tip, errands, has_more=has_more)

    def close(self) -> None:
        """Release the account; what is on its way stays in the journal, for the next keeper."""
        if self._outbox is not None:
            self._outbox.close()
            self._outbox = self._errands = None

    def _open(self) -> Errands:
        """Check once that the contracts are deployed, and open the outbox."""
        if self._errands is None:
            self._der.check_deployed()
            self._outbox = Outbox(
                self._account,
                self._journal,
                purpose=f"keeper of {self.contract_id}",
                max_in_flight=self._max_in_flight,
            )
            self._errands = Errands(self._der, self._duties, self._outbox, self._call)
        return self._errands

    def unreported(self) -> KeeperReport | None:
        """Report what happened in a round that a failing node cut short; no node is asked.

        Returns:
            A report, returned once like any other; ``None`` if no round got far enough to do anything.
        """
        return None if self._tip is None or self._errands is None else self._report(self._tip, self._errands)

    def _report(self, tip: Block, errands: Errands, *, has_more: bool = False) -> KeeperReport:
        return errands.report(
            KeeperReport(
                tip.height, tip.block_time, pending_txids=errands.txids, is_waiting=bool(errands), has_more=has_more
            )
        )

    def run(self, *, interval_s: float = 10.0, on_report: Callable[[KeeperReport], None] | None = None) -> None:
        """Run rounds until ``stop``; if the node fails, retry after 1 s at first and up to a minute later.

        Args:
            interval_s: Pause between two rounds, in seconds; there is none while more is due than one round can do.
            on_report: Called with the report of each round that did something, and at the end of one that a failing
                node cut short.

        Raises:
            InvalidValueError: If the interval is negative.
            DeploymentError: If the contracts are not deployed at the start.
        """
        check_seconds(interval_s, "interval_s")
        outages = 0
        while not self._stopping.is_set():
            try:
                report = self.run_once()
            except (NodeError, CallReadError) as error:
                pause = min(2.0**outages, _MAX_OUTAGE_PAUSE_S)
                outages += 1
                _LOG.warning("the node failed (%d in a row), trying again in %.0f s: %s", outages, pause, error)
            else:
                outages = 0
                pause = 0.0 if report.has_more else interval_s
                if on_report is not None and not report.did_nothing:
                    on_report(report)
            self._stopping.wait(pause)
        rest = self.unreported()
        if on_report is not None and rest is not None and not rest.did_nothing:
            on_report(rest)

    # What is to be done

    def _look(self) -> Block:
        """Read what has changed since the last round; return the latest block."""
        tip = self._der.client.block("latest")
        place = self._chain.place(tip, self._der.client)
        try:
            if place is Place.NEW:
                self._follow(tip)
                self._check_memory()
            elif place is Place.ELSEWHERE:
                self._catch_up(tip)
        except LostThreadError:
            self._catch_up(tip)
        tip = self._chain.move_on(tip, place)
        self._duties.tick(tip.block_time)
        self._look_at_days(tip.block_time)
        return tip

    def _catch_up(self, tip: Block) -> None:
        """Read what is open now, newest first, and follow events from just before."""
        for feed in self._feeds:
            feed.skip_to_end()
        duties = Duties(self._min_value_ustx)
        self._read_payments(duties, tip.block_time)
        self._read_offers(duties)
        self._duties = self._open().duties = duties
        _LOG.info("%d payments are locked, %d offers open", duties.open_payments, duties.open_offers)

    def _read_payments(self, duties: Duties, now: datetime) -> None:
        settlement = self._der.settlement
        count = settlement.get_payment_count()
        for ids in _pages_down(count):
            for payment_id, payment in zip(ids, settlement.get_payments(ids), strict=True):
                if payment is not None and payment.state is PaymentState.LOCKED:
                    cost_ustx = payment.cost if payment.token is None else None
                    duties.add_payment(payment_id, payment.asset_id, payment.day, cost_ustx, now)

    def _read_offers(self, duties: Duties) -> None:
        market = self._der.market
        for ids in _pages_down(market.get_offer_count()):
            for offer_id, offer in zip(ids, market.get_offers(ids), strict=True):
                if offer is not None and offer.open_wh:
                    duties.add_offer(offer_id, offer.asset_id, offer.epoch, offer.expires_at)
        for asset_ids in _pages(duties.assets_with_offers()):
            for asset_id, asset in zip(asset_ids, self._der.assets.get_assets(asset_ids), strict=True):
                if asset is not None:
                    duties.set_epoch(asset_id, asset.epoch)

    def _follow(self, tip: Block) -> None:
        """Process the events since the last round."""
        read = [(feed, feed.read_new()) for feed in self._feeds]
        for feed, logs in reversed(read):
            for event in feed.move_on(logs):
                self._duties.apply(event, tip.block_time)

    def _check_memory(self) -> None:
        """Compare the locked payments in memory with the contract's own sum, in case an API left out an event.

        Raises:
            LostThreadError: If they differ for good.
        """
        if self._duties.locked_ustx == self._der.settlement.get_escrow_total():
            self._doubts, self._doubts_allowed = 0, _DOUBTS
            return
        self._doubts += 1
        if self._doubts > self._doubts_allowed:
            self._doubts, self._doubts_allowed = 0, 2 * self._doubts_allowed
            _LOG.warning(
                "locked payments in memory add up to %d µSTX, unlike the contract's own sum",
                self._duties.locked_ustx,
            )
            raise LostThreadError

    def _look_at_days(self, now: datetime) -> None:
        for keys in _pages(self._duties.days_to_look_at(_DAYS_PER_ROUND)):
            rows = self._der.production.get_days([AssetDay(asset_id=asset_id, day=day) for asset_id, day in keys])
            for key, row in zip(keys, rows, strict=True):
                self._duties.decide(key, self._action(key, row, now))

    def _action(self, key: DayKey, row: ProductionDay | None, now: datetime) -> Action | None:
        """Return what is due for the payments of a day; what is due once stays due."""
        state = DayState.OPEN if row is None else row.state
        if state is DayState.REJECTED:
            return Action.REFUND
        if state is DayState.VERIFIED and self._der.grid.get_deliverable(*key) is not None:
            return Action.SETTLE
        if now >= window_end(key[1]):
            return Action.REFUND
        is_lost = row is None and self._der.assets.is_day_lost(*key)  # a retired plant
        return Action.REFUND if is_lost else None

    # Doing it

    def _act(self) -> None:
        """Send what is due, as much as one round may."""
        errands = self._open()
        for sent, (action, ids) in enumerate(errands.ready(_BATCH)):
            has_room = self._wait_until(lambda: len(errands) < self._max_in_flight)
            if sent >= self._max_sent_per_round or not has_room or self._stopping.is_set():
                return
            still_due = self._still_due(action, ids)
            if still_due and not errands.send(action, still_due):
                return

    def _still_due(self, action: Action, ids: Sequence[int]) -> list[int]:
        """Leave out what others have done in the meantime: a read is cheaper than a fee."""
        if action is Action.EXPIRE:
            offers = zip(ids, self._der.market.get_offers(ids), strict=True)
            still_due = [number for number, offer in offers if offer and offer.open_wh]
        else:
            found = zip(ids, self._der.settlement.get_payments(ids), strict=True)
            still_due = [number for number, payment in found if payment and payment.state is PaymentState.LOCKED]
        for number in ids:
            if number not in still_due:
                self._duties.drop(action, number)
        return still_due

    def _call(self, action: Action, ids: Sequence[int]) -> Call[Any]:
        if action is Action.SETTLE:
            return self._der.settlement.settle_batch(ids)
        if action is Action.REFUND:
            return self._der.settlement.refund(ids[0])
        return self._der.market.expire_offer(ids[0])

    def _wait_until(self, is_reached: Callable[[], bool]) -> bool:
        """Look for outcomes until a condition holds; return whether it does in the end."""
        return is_reached() or self._open().collect(is_reached, self._confirm_timeout_s, self._stopping)

    @whole
    def __repr__(self) -> str:
        """Return the account and the contract."""
        return f"Keeper({self._der!r})"


def _pages(things: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for first in range(0, len(things), _PAGE):
        yield things[first : first + _PAGE]


def _pages_down(count: int) -> Iterator[list[int]]:
    """Yield the ids from ``count`` down to 1, in pages; each page ascending."""
    for last in range(count, 0, -_PAGE):
        yield list(range(max(1, last - _PAGE + 1), last + 1))
