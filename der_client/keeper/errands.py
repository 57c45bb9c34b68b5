"""The keeper's transactions: nothing is sent twice, every outcome is understood, failures are tried ever less often."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from der_client.contracts.market_participation import MarketError, OfferExpired
from der_client.contracts.settlement import PaymentRefunded, PaymentSettled, SettlementError
from der_client.keeper.duties import Action
from der_client.keeper.report import Draft, Skipped
from der_client.stacks.contract.call import Pending
from der_client.stacks.errors import (
    ConfirmationTimeoutError,
    ContractError,
    InvalidValueError,
    TransactionDroppedError,
    TransactionFailedError,
    TransactionRejectedError,
)
from der_client.stacks.rpc.answers import TransactionStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from der_client.der import Der
    from der_client.keeper.duties import Duties
    from der_client.keeper.report import KeeperReport
    from der_client.stacks.contract.call import Call, Receipt

_LOG: Final = logging.getLogger(__name__)

_FIRST_RETRY_S: Final = 15.0
_MAX_RETRY_S: Final = 3600.0
_LOST_AFTER_S: Final = 60.0
"""When a transaction that the node does not know any more is given up; an API shows one after some seconds at most."""
_INHERITANCE_S: Final = 600.0
"""How long transactions of an earlier run are waited for."""

_ITS_OWN_FAULT: Final = frozenset({TransactionStatus.DROPPED_TOO_EXPENSIVE, TransactionStatus.DROPPED_PROBLEMATIC})
_DONE_BY_OTHER: Final = frozenset({SettlementError.ERR_PAYMENT_CLOSED, MarketError.ERR_OFFER_CLOSED})
_NOT_DUE: Final = frozenset({SettlementError.ERR_NOT_DELIVERABLE, SettlementError.ERR_NOT_REFUNDABLE})


@dataclass(frozen=True, slots=True)
class _Sent:
    """A transaction on its way."""

    action: Action
    ids: tuple[int, ...]
    pending: Pending[Any]
    since: float


@dataclass(frozen=True, slots=True)
class _Failure:
    """How often something failed, and when it may be tried again (monotonic clock)."""

    count: int
    retry_at: float

    @classmethod
    def after(cls, before: _Failure | None) -> _Failure:
        """One more, with a wait twice as long as after the one before."""
        count = 0 if before is None else before.count + 1
        return cls(count, time.monotonic() + min(_FIRST_RETRY_S * 2.0**count, _MAX_RETRY_S))


class Outbox:
    """Sends what is due and learns what came of it.

    Args:
        der: The contracts, with the account that signs.
        duties: What is due; told what is done.

    Raises:
        SigningError: If the connection has no account.
    """

    def __init__(self, der: Der, duties: Duties) -> None:
        self.duties = duties
        self._client = der.client
        self._account = der.settlement.require_account()
        self._sent: dict[str, _Sent] = {}
        self._failures: dict[tuple[Action, int], _Failure] = {}
        self._refusal: _Failure | None = None  # of sending anything at all
        self._draft = Draft()
        self._inherited_nonce: int | None = None
        self._inherited_until: float | None = None

    @property
    def txids(self) -> tuple[str, ...]:
        """The transactions whose outcome is not known yet."""
        return tuple(self._sent)

    @property
    def has_ready_work(self) -> bool:
        """Whether anything is due that neither is on its way nor failed just now."""
        return any(True for _ in self.ready(1))

    def report(self, empty: KeeperReport) -> KeeperReport:
        """What happened since the last report.

        Args:
            empty: The report of a round in which nothing happened.
        """
        draft, self._draft = self._draft, Draft()
        # Whatever is still due was tried again by then; the rest is gone.
        long_ago = time.monotonic() - _MAX_RETRY_S
        self._failures = {key: failure for key, failure in self._failures.items() if failure.retry_at > long_ago}
        return draft.report(empty)

    def nothing_inherited(self) -> bool:
        """Whether nothing of an earlier run of this account waits to be mined: it could do the same things.

        Waits for that 10 minutes at most, since other programs may use the account.

        Raises:
            NodeError: the node could not be asked.
        """
        if self._inherited_until is None:
            self._inherited_nonce = self._client.nonces(self._account.address).last_in_mempool
            self._inherited_until = time.monotonic() + _INHERITANCE_S
        if self._inherited_nonce is None:
            return True
        executed = self._client.nonces(self._account.address).last_executed
        if (executed is not None and executed >= self._inherited_nonce) or time.monotonic() > self._inherited_until:
            self._inherited_nonce = None
        return self._inherited_nonce is None

    def ready(self, batch: int) -> Iterator[tuple[Action, tuple[int, ...]]]:
        """What can be sent now, a transaction at a time.

        Payments to settle go together; what failed before goes alone, so that it can spoil nothing for others.

        Args:
            batch: How many payments are settled together.
        """
        now = time.monotonic()
        if self._refusal is not None and now < self._refusal.retry_at:
            return
        together: list[int] = []
        alone: list[tuple[Action, int]] = []
        on_their_way = {(sent.action, number) for sent in self._sent.values() for number in sent.ids}
        for action in Action:
            for number in self.duties.due(action):
                failure = self._failures.get((action, number))
                if (action, number) in on_their_way or (failure is not None and now < failure.retry_at):
                    continue
                if action is Action.SETTLE and failure is None:
                    together.append(number)
                else:
                    alone.append((action, number))
        together = self._from_own_place(together)
        for first in range(0, len(together), batch):
            yield Action.SETTLE, tuple(together[first : first + batch])
        for action, number in alone:
            yield action, (number,)

    def send(self, action: Action, ids: Sequence[int], call: Call[Any]) -> bool:
        """Send a call that does an action for some payments, or an offer.

        Returns:
            Whether it was sent; if not, the reason stands in the report, and sending more makes no sense now.

        Raises:
            NodeError: the node is down; nothing was sent.
        """
        try:
            pending = call.send()
        except ConfirmationTimeoutError as error:
            # It may have arrived: it is looked for, and not sent again meanwhile.
            pending = Pending(call, self._account.pending(error.txid))
        except (TransactionRejectedError, InvalidValueError) as error:
            self._hold(action, ids, str(error))
            return False
        self._refusal = None
        _LOG.info("%s %s: sent %s", action, _listed(ids), pending.txid)
        self._sent[pending.txid] = _Sent(action, tuple(ids), pending, time.monotonic())
        return True

    def collect(self) -> None:
        """Look once what came of each transaction on its way.

        Raises:
            NodeError: the node could not be asked about one that nobody has seen for a while.
        """
        for txid, sent in list(self._sent.items()):
            try:
                receipt = sent.pending.wait(0)
            except ConfirmationTimeoutError:
                if time.monotonic() - sent.since < _LOST_AFTER_S or self._client.transaction(txid) is not None:
                    continue
                self._hold(sent.action, sent.ids, f"the node does not know transaction {txid} any more")
            except TransactionDroppedError as error:
                if error.status in _ITS_OWN_FAULT:
                    self._fail(sent.action, sent.ids, str(error), None)
                else:
                    self._hold(sent.action, sent.ids, str(error))
            except TransactionFailedError as error:
                self._take_failure(sent, error)
            else:
                self._take_receipt(sent, receipt)
            del self._sent[txid]

    def _take_receipt(self, sent: _Sent, receipt: Receipt[Any]) -> None:
        self._draft.txids.append(receipt.txid)
        self._draft.fees_ustx += receipt.fee_ustx
        for event in receipt.events:
            match event:
                case PaymentSettled():
                    self._draft.settled.append(event)
                case PaymentRefunded():
                    self._draft.refunded.append(event)
                case OfferExpired():
                    self._draft.expired.append(event)
                case _:
                    pass
        if sent.action is not Action.SETTLE:
            self._done(sent.action, sent.ids[0])
            return
        for payment_id, outcome in zip(sent.ids, receipt.value, strict=True):
            if outcome.is_ok:
                self._done(sent.action, payment_id)
            else:
                self._refused(sent.action, payment_id, outcome.error_code, receipt.txid)

    def _take_failure(self, sent: _Sent, error: TransactionFailedError) -> None:
        info = self._client.transaction(error.txid)
        self._draft.txids.append(error.txid)
        self._draft.fees_ustx += 0 if info is None else info.fee_ustx
        if isinstance(error, ContractError) and len(sent.ids) == 1:
            self._refused(sent.action, sent.ids[0], error.code, error.txid)
        else:
            self._fail(sent.action, sent.ids, str(error), error.txid)

    def _refused(self, action: Action, number: int, code: int | None, txid: str) -> None:
        """The contract answered ``(err uN)`` for one payment or offer."""
        known = next((error for enum in (SettlementError, MarketError) for error in enum if error == code), None)
        reason = f"u{code}" if known is None else f"{known.name} (u{code}): {known.reason}"
        if known in _DONE_BY_OTHER:
            self._draft.skipped.append(Skipped(action, number, reason, done_by_other=True, txid=txid))
            self._done(action, number)
            return
        self._fail(action, (number,), reason, txid)
        if known in _NOT_DUE:
            self.duties.reconsider(number)

    def _done(self, action: Action, number: int) -> None:
        self._failures.pop((action, number), None)
        if action is Action.EXPIRE:
            self.duties.drop_offer(number)
        else:
            self.duties.drop_payment(number)

    def _fail(self, action: Action, ids: Sequence[int], reason: str, txid: str | None) -> None:
        """Something is wrong with one of these: try each again later, and alone."""
        _LOG.warning("%s %s failed: %s", action, _listed(ids), reason)
        for number in ids:
            self._failures[action, number] = _Failure.after(self._failures.get((action, number)))
            self._draft.skipped.append(Skipped(action, number, reason, txid=txid))

    def _hold(self, action: Action, ids: Sequence[int], reason: str) -> None:
        """Nothing can be sent, whatever it is (no funds, fees above the cap): try again later."""
        self._refusal = _Failure.after(self._refusal)
        _LOG.warning("%s %s was not sent: %s", action, _listed(ids), reason)
        self._draft.skipped += [Skipped(action, number, reason) for number in ids]

    def _from_own_place(self, ids: list[int]) -> list[int]:
        """The same, begun somewhere else by each account, so that several keepers do not begin with the same."""
        if not ids:
            return ids
        first = int.from_bytes(sha256(self._account.address.encode()).digest()) % len(ids)
        return ids[first:] + ids[:first]


def _listed(ids: Sequence[int]) -> str:
    return ", ".join(str(number) for number in ids)
