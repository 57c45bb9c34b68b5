"""What a node's refusal means for a job: it is sent again, signed again later, or given up."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from der_client.stacks.errors import NodeError
from der_client.stacks.outbox.jobs import JobState, Progress, retry_s
from der_client.stacks.rpc.rejections import Cause, cause_of

if TYPE_CHECKING:
    from der_client.stacks.errors import TransactionRejectedError
    from der_client.stacks.outbox.jobs import Sent
    from der_client.stacks.outbox.journal import Journal
    from der_client.stacks.outbox.lane import Lane
    from der_client.stacks.outbox.signing import Signer

_LOG: Final = logging.getLogger(__name__)


class Refusals:
    """Interprets refusals in the node's own form, and records the consequences.

    Args:
        journal: The journal.
        signer: The signer, which forgets its fees if one was too low.
    """

    def __init__(self, journal: Journal, signer: Signer) -> None:
        self._journal = journal
        self._signer = signer

    def judge(self, lane: Lane, sent: Sent, error: TransactionRejectedError) -> list[Progress]:
        """Record what a refusal means for a job.

        Transactions signed after it have later nonces. If none of them was sent yet, they are signed again, without a
        gap.
        """
        if sent.txid not in lane.live:
            return []
        happened = self._judge(lane, sent, error)
        if sent.txid not in lane.live:
            later = [each for each in lane.unsent if each.txid in lane.fresh and each.nonce > sent.nonce]
            for each in later:
                self._journal.record_dead(each, "")
                lane.nonces.freed(each.nonce)
                lane.drop(each.job_id)
        return happened

    def queue_again(self, lane: Lane, sent: Sent, reason: str, wait_s: float = 0.0) -> Progress:
        """Queue a job again whose transactions can never be mined."""
        self._journal.record_dead(sent, reason, wait_s=wait_s)
        lane.drop(sent.job_id)
        if wait_s:
            _LOG.warning("job %s of %s is postponed by %.0f s: %s", sent.key, lane.address, wait_s, reason)
        return Progress(sent.key, JobState.QUEUED, reason=reason, wait_s=wait_s)

    def _judge(self, lane: Lane, sent: Sent, error: TransactionRejectedError) -> list[Progress]:
        is_own = error.data.get("principal", lane.address) == lane.address
        expected = error.data.get("expected")
        if error.reason == "BadNonce" and isinstance(expected, int) and is_own:
            lane.nonces.used(expected - 1)
            self._journal.raise_floor(lane.address, min(expected, sent.nonce + 1))
        if cause_of(error.reason) is Cause.PASSING:
            lane.failed(error)
            if error.reason != "TooMuchChaining":
                lane.unsent.insert(0, sent)
                return []
        if sent.txid not in lane.fresh:
            return self._judge_again(lane, sent, error)
        entry = self._journal.find(sent.key)
        attempts = 0 if entry is None else entry.attempts
        wait_s = retry_s(attempts)
        match error.reason:
            case "ConflictingNonceInMempool":
                lane.nonces.taken(sent.nonce)
                return [self.queue_again(lane, sent, str(error))]
            case "BadNonce" | "TooMuchChaining":
                return [self._free(lane, sent, str(error))]
            case "NotEnoughFunds":
                lane.held_until = time.monotonic() + wait_s
                return [self._free(lane, sent, str(error), wait_s)]
            case "FeeTooLow" if entry is not None and entry.fee_ustx is None:
                self._signer.forget_fees()
                return [self._free(lane, sent, str(error), wait_s)]
        return [self._give_up(lane, sent, str(error))]

    def _judge_again(self, lane: Lane, sent: Sent, error: TransactionRejectedError) -> list[Progress]:
        """Look up bytes that may have been accepted before: for these, a refusal proves little."""
        if cause_of(error.reason) is Cause.NONCE:
            return []  # it or another one is there; the blocks will show which
        try:
            is_known = lane.account.client.is_known(sent.txid)
        except NodeError as failure:
            lane.failed(failure)
            return []
        if is_known:
            lane.nonces.misses.found(sent.txid)
            return []
        if not lane.nonces.misses.is_lost(sent.txid):
            lane.failed(error)
            lane.unsent.append(sent)
            return []
        if error.reason in ("NotEnoughFunds", "FeeTooLow"):
            return [self._free(lane, sent, str(error), retry_s(0))]
        return [self._give_up(lane, sent, str(error))]

    def _free(self, lane: Lane, sent: Sent, reason: str, wait_s: float = 0.0) -> Progress:
        """Queue a job again that the node did not accept; its nonce is free."""
        lane.nonces.freed(sent.nonce)
        return self.queue_again(lane, sent, reason, wait_s)

    def _give_up(self, lane: Lane, sent: Sent, reason: str) -> Progress:
        self._journal.record_given_up(sent, reason)
        lane.nonces.freed(sent.nonce)
        lane.drop(sent.job_id)
        return Progress(sent.key, JobState.GIVEN_UP, sent.txid, reason=reason)
