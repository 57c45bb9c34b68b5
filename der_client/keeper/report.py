"""What a round of the keeper did."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from der_client.contracts.market_participation import OfferExpired
    from der_client.contracts.settlement import PaymentRefunded, PaymentSettled
    from der_client.keeper.duties import Action


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was due but that this keeper did not do.

    Attributes:
        action: What was due.
        id: The payment, or the offer.
        reason: The reason, for people.
        done_by_other: Whether another account did it first; otherwise it is retried later.
        txid: The transaction that was spent on it; ``None`` if none was.
    """

    action: Action
    id: int
    reason: str
    done_by_other: bool = False
    txid: str | None = None


@dataclass(frozen=True, slots=True)
class KeeperReport:
    """What a round did, from the contracts' own events: ids with amounts in µSTX and Wh.

    Attributes:
        block_height: The chain's height that it worked from.
        block_time: Chain time, UTC.
        settled: Payments that this keeper settled.
        refunded: Payments that it refunded.
        expired: Offers that it expired.
        skipped: What was due but was not done, with the reason.
        txids: The transactions that were mined, in the order of their outcome.
        fees_ustx: Their fees, µSTX.
        pending_txids: Transactions whose outcome is not known yet; a later round checks them again.
        is_waiting: Whether transactions of this or an earlier run are still to be mined, so that something may be left
            undone.
        has_more: Whether more is due than one round can do, so that the next round can follow at once.
    """

    block_height: int
    block_time: datetime
    settled: tuple[PaymentSettled, ...] = ()
    refunded: tuple[PaymentRefunded, ...] = ()
    expired: tuple[OfferExpired, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    txids: tuple[str, ...] = ()
    fees_ustx: int = 0
    pending_txids: tuple[str, ...] = ()
    is_waiting: bool = False
    has_more: bool = False

    @property
    def did_nothing(self) -> bool:
        """Whether nothing was mined and nothing skipped."""
        return not (self.txids or self.skipped)

    @property
    def failures(self) -> tuple[Skipped, ...]:
        """What was skipped although no one else did it."""
        return tuple(skipped for skipped in self.skipped if not skipped.done_by_other)

    def then(self, later: KeeperReport) -> KeeperReport:
        """Return this round and a later one together."""
        return replace(
            later,
            settled=self.settled + later.settled,
            refunded=self.refunded + later.refunded,
            expired=self.expired + later.expired,
            skipped=self.skipped + later.skipped,
            txids=self.txids + later.txids,
            fees_ustx=self.fees_ustx + later.fees_ustx,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain values, for ``json.dumps``."""
        return {
            "block_height": self.block_height,
            "block_time": self.block_time.isoformat(),
            "settled": [event.model_dump(mode="json") for event in self.settled],
            "refunded": [event.model_dump(mode="json") for event in self.refunded],
            "expired": [event.model_dump(mode="json") for event in self.expired],
            "skipped": [
                {
                    "action": str(skipped.action),
                    "id": skipped.id,
                    "reason": skipped.reason,
                    "done_by_other": skipped.done_by_other,
                    "txid": skipped.txid,
                }
                for skipped in self.skipped
            ],
            "txids": list(self.txids),
            "fees_ustx": self.fees_ustx,
            "pending_txids": list(self.pending_txids),
            "is_waiting": self.is_waiting,
            "has_more": self.has_more,
        }


@dataclass
class Draft:
    """What happened since the last report; kept over rounds that a failing node cut short, so that nothing is lost."""

    settled: list[PaymentSettled] = field(default_factory=list)
    refunded: list[PaymentRefunded] = field(default_factory=list)
    expired: list[OfferExpired] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    txids: list[str] = field(default_factory=list)
    fees_ustx: int = 0

    def report(self, empty: KeeperReport) -> KeeperReport:
        """Return everything as a report.

        Args:
            empty: The report of a round in which nothing happened.
        """
        return replace(
            empty,
            settled=tuple(self.settled),
            refunded=tuple(self.refunded),
            expired=tuple(self.expired),
            skipped=tuple(self.skipped),
            txids=tuple(self.txids),
            fees_ustx=self.fees_ustx,
        )
