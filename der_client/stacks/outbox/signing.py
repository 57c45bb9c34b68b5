"""Signs the jobs of a lane, and replaces a transaction that has waited for long by one with a higher fee."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from der_client.stacks.errors import DerClientError, NodeError
from der_client.stacks.outbox.jobs import JobState, Progress, Sent

if TYPE_CHECKING:
    from der_client.stacks.account import Account
    from der_client.stacks.outbox.jobs import Entry, Job
    from der_client.stacks.outbox.journal import Journal
    from der_client.stacks.outbox.lane import Lane
    from der_client.stacks.transactions import Transaction

_LOG: Final = logging.getLogger(__name__)

_CLAIM_S: Final = 60.0
_FEE_S: Final = 30.0
"""How long a fee from the policy is used for transactions of the same account, kind and length."""
_MOST_FEES: Final = 1000


class Signer:
    """Signs the journal's queued jobs; everything signed is in the journal before it is sent.

    Args:
        journal: The journal.
        owner: The owner of the lanes' leases.
        max_in_flight: How many transactions of an account may wait to be mined.
        raise_fee_after_s: After how long in the mempool a fee is raised; never if ``None``.
    """

    def __init__(
        self,
        journal: Journal,
        owner: str,
        *,
        max_in_flight: int,
        raise_fee_after_s: float | None,
    ) -> None:
        self._journal = journal
        self._owner = owner
        self._max_in_flight = max_in_flight
        self._raise_fee_after_s = raise_fee_after_s
        self._fees: dict[tuple[str, str, int], tuple[float, int]] = {}

    def sign(self, lane: Lane, height: int) -> tuple[list[Progress], bool]:
        """Sign as many queued jobs as there is room for.

        Args:
            lane: The account.
            height: The chain's height.

        Returns:
            What happened, and whether the lease still seems to be valid.
        """
        room = lane.room(self._max_in_flight)
        entries = self._journal.claim(lane.address, self._owner, room, _CLAIM_S) if room > 0 else []
        if not entries:
            return [], True
        if not lane.live and not self._refresh(lane):
            self._journal.unclaim(self._owner)
            return [], True
        happened: list[Progress] = []
        signed: list[Sent] = []
        nonces = self._journal.unused(lane.address, lane.free_nonces(self._max_in_flight))
        now = self._journal.now()
        for entry in entries:
            if len(signed) == len(nonces):
                break  # other uses of the account left less room
            try:
                signed.append(self._signed(lane, entry, nonces[len(signed)], height, now))
            except NodeError as error:
                lane.failed(error)
                break
            except DerClientError as error:
                self._journal.give_up(entry, str(error))
                happened.append(Progress(entry.key, JobState.GIVEN_UP, reason=str(error)))
        kept = self._journal.record_signed(self._owner, lane.address, signed) if signed else []
        if len(kept) < len(entries):
            self._journal.unclaim(self._owner)
        lane.keep(kept)
        # Another process has taken over, or a claim ended; what was signed but not kept was never sent.
        return happened, len(kept) == len(signed)

    def raise_fee(self, lane: Lane) -> None:
        """Replace the oldest transaction by one with a higher fee, if it has waited for long and the policy says so."""
        if self._raise_fee_after_s is None or not lane.live or lane.is_silent or lane.unsent:
            return
        first = next(iter(lane.live.values()))
        newest = [sent for sent in lane.live.values() if sent.nonce == first.nonce][-1]
        now = self._journal.now()
        if first.nonce < lane.nonces.following or now - newest.signed_at < self._raise_fee_after_s:
            return
        entry = self._journal.find(newest.key)
        if entry is None or entry.fee_ustx is not None:
            return  # the caller chose the fee
        fee = lane.account.fee_policy.replace(newest.fee_ustx, len(newest.raw), now - newest.signed_at)
        if fee is None:
            return
        transaction = self._build(lane.account, replace(entry, fee_ustx=fee), newest.nonce)
        replacement = replace(
            newest, txid=transaction.txid, fee_ustx=fee, raw=transaction.encode(), was_taken=False, signed_at=now
        )
        if self._journal.record_replacement(self._owner, replacement):
            _LOG.info("the fee of %s is raised to %d µSTX: %s", newest.key, fee, replacement.txid)
            lane.keep([replacement])
            lane.fresh.discard(replacement.txid)  # a refusal leaves the earlier transaction in place

    def forget_fees(self) -> None:
        """Ask the policy again for the next fee."""
        self._fees.clear()

    def _refresh(self, lane: Lane) -> bool:
        """Update an account that was idle here but may have been used elsewhere; return whether the node responded."""
        try:
            lane.refresh()
        except NodeError as error:
            lane.failed(error)
            return False
        return True

    def _signed(self, lane: Lane, entry: Entry, nonce: int, height: int, now: float) -> Sent:
        transaction = self._build(lane.account, entry, nonce)
        return Sent(
            txid=transaction.txid,
            job_id=entry.id,
            key=entry.key,
            account=lane.address,
            nonce=nonce,
            fee_ustx=transaction.fee,
            raw=transaction.encode(),
            was_taken=False,
            signed_at=now,
            height=height,
        )

    def _build(self, account: Account, entry: Entry, nonce: int) -> Transaction:
        job = entry.job
        fee = self._fee(account, job) if entry.fee_ustx is None else entry.fee_ustx
        return account.sign(
            account.build(job.payload, post_conditions=job.post_conditions, mode=job.mode, nonce=nonce, fee_ustx=fee)
        )

    def _fee(self, account: Account, job: Job) -> int:
        """Return the fee from the account's policy, the same for transactions of one kind and length for a while."""
        payload = job.payload
        kind = f"{type(payload).__name__} {getattr(payload, 'contract', '')} {getattr(payload, 'function', '')}"
        key = account.address, kind, len(job.body)
        known = self._fees.get(key)
        if known is None or time.monotonic() - known[0] > _FEE_S:
            draft = account.build(payload, post_conditions=job.post_conditions, mode=job.mode, nonce=0)
            known = self._fees[key] = time.monotonic(), draft.fee
            if len(self._fees) > _MOST_FEES:
                self._fees.pop(next(iter(self._fees)))
        return known[1]
