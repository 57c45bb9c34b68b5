"""What the keeper has sent: for which payments and offers, with which outcome, and when failures are retried."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from der_client.contracts.market_participation import MarketError, OfferExpired
from der_client.contracts.settlement import PaymentRefunded, PaymentSettled, SettlementError
from der_client.keeper.duties import Action
from der_client.keeper.report import Draft, Skipped
from der_client.stacks.contract.jobs import job_of, pending_of, unused_key
from der_client.stacks.contract.unsent import held
from der_client.stacks.errors import ConfirmationTimeoutError, ContractError, TransactionFailedError
from der_client.stacks.outbox import JobState, retry_s

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from threading import Event

    from der_client.der import Der
    from der_client.keeper.duties import Duties
    from der_client.keeper.report import KeeperReport
    from der_client.stacks.contract.call import Call, Receipt
    from der_client.stacks.outbox import Outbox, Progress

_LOG: Final = logging.getLogger(__name__)
_REMEMBERED_S: Final = 3600.0

_DONE_BY_OTHER: Final = frozenset({SettlementError.ERR_PAYMENT_CLOSED, MarketError.ERR_OFFER_CLOSED})
_NOT_DUE: Final = frozenset({SettlementError.ERR_NOT_DELIVERABLE, SettlementError.ERR_NOT_REFUNDABLE})


@dataclass(slots=True)
class _Errand:
    """A job of the outbox: an action for some payments, or an offer."""

    action: Action
    ids: tuple[int, ...]
    call: Call[Any]
    txid: str = ""
    is_mined: bool = False


class Errands:
    """Passes what is due to an outbox, and reads the outcomes.

    Args:
        der: The contracts, with the account that signs.
        duties: The calls that are due; it is informed of each that was done.
        outbox: The outbox that sends; jobs that an earlier keeper left in its journal are continued.
        call_for: A function that makes the call for an action and its payments, or its offer.
    """

    def __init__(
        self, der: Der, duties: Duties, outbox: Outbox, call_for: Callable[[Action, Sequence[int]], Call[Any]]
    ) -> None:
        self.duties = duties
        self._account = der.settlement.require_account()
        self._client = der.client
        self._outbox = outbox
        self._call_for = call_for
        self._errands: dict[str, _Errand] = {}
        # How often something failed, and when it may be retried; None stands for sending anything at all.
        self._failures: dict[tuple[Action, int] | None, tuple[int, float]] = {}
        self._draft = Draft()
        for entry in outbox.inherit():
            note = json.loads(entry.note)
            action, ids = Action(note["action"]), tuple(note["ids"])
            self._errands[entry.key] = _Errand(action, ids, held(call_for(action, ids)), entry.txid)

    @property
    def txids(self) -> tuple[str, ...]:
        """The transactions whose outcome is not known yet."""
        return tuple(errand.txid for errand in self._errands.values() if errand.txid)

    def __len__(self) -> int:
        """Return how many are on their way."""
        return len(self._errands)

    @property
    def has_ready_work(self) -> bool:
        """Whether anything is due that is not on its way and has not just failed."""
        return any(True for _ in self.ready(1))

    def report(self, empty: KeeperReport) -> KeeperReport:
        """Report what happened since the last report.

        Args:
            empty: The report of a round in which nothing happened.
        """
        draft, self._draft = self._draft, Draft()
        # Whatever is still due is retried within an hour; the rest is no longer due.
        long_ago = time.monotonic() - _REMEMBERED_S
        self._failures = {key: failure for key, failure in self._failures.items() if failure[1] > long_ago}
        return draft.report(empty)

    def ready(self, batch: int) -> Iterator[tuple[Action, tuple[int, ...]]]:
        """Yield what can be sent now, a transaction at a time.

        Payments are settled together; what failed before is sent alone, so that it cannot make others fail.

        Args:
            batch: How many payments are settled together.
        """
        now = time.monotonic()
        held: set[tuple[Action, int] | None] = {key for key, (_, retry_at) in self._failures.items() if now < retry_at}
        if None in held:
            return
        together: list[int] = []
        alone: list[tuple[Action, int]] = []
        held |= {(errand.action, number) for errand in self._errands.values() for number in errand.ids}
        for action in Action:
            for number in self.duties.due(action):
                if (action, number) in held:
                    continue
                if action is Action.SETTLE and (action, number) not in self._failures:
                    together.append(number)
                else:
                    alone.append((action, number))
        together = self._from_own_place(together)
        for first in range(0, len(together), batch):
            yield Action.SETTLE, tuple(together[first : first + batch])
        for action, number in alone:
            yield action, (number,)

    def send(self, action: Action, ids: Sequence[int]) -> bool:
        """Do an action for some payments, or an offer.

        Returns:
            Whether it is on its way; if not, the reason is in the report, and sending more makes no sense now.

        Raises:
            JournalError: If the outbox's journal cannot be written; nothing was sent.
        """
        call = self._call_for(action, ids)
        key = unused_key(self._outbox, f"{action}/{_listed(ids)}")
        note = json.dumps({"action": action, "ids": list(ids)})
        self._errands[key] = _Errand(action, tuple(ids), call)
        self._outbox.add(job_of(key, call, note=note))
        _LOG.info("%s %s: %s", action, _listed(ids), key)
        self.collect()
        return key in self._errands or None not in self._failures

    def collect(
        self, until: Callable[[], bool] = lambda: True, timeout_s: float = 0.0, stop: Event | None = None
    ) -> bool:
        """Let the outbox work until a condition holds, for one round at least; return whether it does in the end.

        Raises:
            JournalError: If the outbox's journal cannot be written; nothing was sent that is not in it.
        """
        for happened in self._outbox.rounds(timeout_s=timeout_s, stop=stop):
            self._take(happened)
            if until():
                return True
        return False

    def _take(self, happened: Sequence[Progress]) -> None:
        for progress in happened:
            errand = self._errands.get(progress.key)
            if errand is None:
                continue
            errand.txid = progress.txid
            if progress.state is JobState.MINED:
                errand.is_mined = True
            elif progress.state is JobState.GIVEN_UP or (progress.wait_s and self._outbox.cancel(progress.key)):
                del self._errands[progress.key]
                self._fail(errand.action, errand.ids, progress.reason)
            elif progress.state is JobState.SENT:
                self._failures.pop(None, None)
        for key, errand in list(self._errands.items()):
            if errand.is_mined and self._read(errand):
                del self._errands[key]

    def _read(self, errand: _Errand) -> bool:
        """Read the outcome of a mined transaction; return whether the API has it yet."""
        try:
            receipt = pending_of(errand.call, errand.txid).wait(0)
        except ConfirmationTimeoutError:
            return False
        except TransactionFailedError as error:
            self._take_failure(errand, error)
        else:
            self._take_receipt(errand, receipt)
        return True

    def _take_receipt(self, errand: _Errand, receipt: Receipt[Any]) -> None:
        self._draft.txids.append(receipt.txid)
        self._draft.fees_ustx += receipt.fee_ustx
        self._draft.settled += [event for event in receipt.events if isinstance(event, PaymentSettled)]
        self._draft.refunded += [event for event in receipt.events if isinstance(event, PaymentRefunded)]
        self._draft.expired += [event for event in receipt.events if isinstance(event, OfferExpired)]
        if errand.action is not Action.SETTLE:
            self._done(errand.action, errand.ids[0])
            return
        for payment_id, outcome in zip(errand.ids, receipt.value, strict=True):
            if outcome.is_ok:
                self._done(errand.action, payment_id)
            else:
                self._refused(errand.action, payment_id, outcome.error_code, receipt.txid)

    def _take_failure(self, errand: _Errand, error: TransactionFailedError) -> None:
        info = self._client.transaction(error.txid)
        self._draft.txids.append(error.txid)
        self._draft.fees_ustx += 0 if info is None else info.fee_ustx
        if isinstance(error, ContractError) and len(errand.ids) == 1:
            self._refused(errand.action, errand.ids[0], error.code, error.txid)
        else:
            self._fail(errand.action, errand.ids, str(error), error.txid)

    def _refused(self, action: Action, number: int, code: int | None, txid: str) -> None:
        """Note that the contract returned ``(err uN)`` for one payment or offer."""
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
        self.duties.drop(action, number)

    def _fail(self, action: Action, ids: Sequence[int], reason: str, txid: str | None = None) -> None:
        """Retry each later, and alone; if not even a transaction was sent, send nothing at all for a while."""
        _LOG.warning("%s %s failed: %s", action, _listed(ids), reason)
        for key in [None] if txid is None else [(action, number) for number in ids]:
            self._note_failure(key)
        self._draft.skipped += [Skipped(action, number, reason, txid=txid) for number in ids]

    def _note_failure(self, key: tuple[Action, int] | None) -> None:
        count = self._failures[key][0] + 1 if key in self._failures else 0
        self._failures[key] = count, time.monotonic() + retry_s(count)

    def _from_own_place(self, ids: list[int]) -> list[int]:
        """Rotate the ids by account, so that several keepers do not begin with the same one."""
        if not ids:
            return ids
        first = int.from_bytes(sha256(self._account.address.encode()).digest()) % len(ids)
        return ids[first:] + ids[:first]


def _listed(ids: Sequence[int]) -> str:
    return ", ".join(str(number) for number in ids)
