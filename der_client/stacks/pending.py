"""Waits until a transaction is mined, and as deep in the chain as the caller wants."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from der_client.stacks.checks import check_number, check_seconds
from der_client.stacks.errors import ConfirmationTimeoutError, NodeError, whole
from der_client.stacks.outcome import OutcomeKind, outcome_of, subject_of
from der_client.stacks.rpc import TransactionReceipt, api
from der_client.stacks.rpc.node import check_txid
from der_client.stacks.rpc.steps import Pause, Steps, ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from der_client.stacks.rpc import AsyncClient, Client, TransactionInfo
    from der_client.stacks.rpc.methods import Methods

_LOG: Final = logging.getLogger(__name__)

DEFAULT_TIMEOUT_S: Final = 180.0
WAIT_AGAIN: Final = "wait again for the same txid"
"""What to do after a timeout; a command names its own way."""
_FIRST_POLL_S: Final = 0.003
_POLL_GROWTH: Final = 1.5
_DEFAULT_MAX_POLL_S: Final = 3.0
_SHORTEST_LOOK_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Look:
    """What was seen, in words; the receipt if it is mined deep enough; how long the node asks to wait."""

    seen: str
    receipt: TransactionReceipt | None = None
    not_before_s: float = 0.0


class _Waiting:
    """The steps of waiting, for any client."""

    client: Methods
    txid: str
    raw: bytes
    _on_mined: Callable[[], None] | None = None
    _on_dropped: Callable[[], None] | None = None

    def _waited(self, timeout_s: float, confirmations: int, max_poll_s: float) -> Steps[TransactionReceipt]:
        check_number(confirmations, 1, None, "confirmations")
        check_seconds(max_poll_s, "max_poll_s", may_be_zero=False)
        deadline = time.monotonic() + check_seconds(timeout_s, "timeout_s")
        pause = _FIRST_POLL_S
        while True:
            look = yield from self._look(max(_SHORTEST_LOOK_S, deadline - time.monotonic()), confirmations)
            if look.receipt is not None:
                return look.receipt
            left = deadline - time.monotonic()
            yield Pause(max(0.0, min(max(look.not_before_s, pause), left)))
            if left <= look.not_before_s:
                raise ConfirmationTimeoutError(
                    f"transaction {self.txid} was not {_wanted(confirmations)} within {timeout_s:g} s; {look.seen}. "
                    f"Its outcome is unknown: {WAIT_AGAIN}; do not build it again",
                    self.txid,
                    self.raw,
                )
            pause = min(pause * _POLL_GROWTH, max_poll_s)

    def _succeeded(self, timeout_s: float, confirmations: int, max_poll_s: float) -> Steps[TransactionReceipt]:
        receipt = yield from self._waited(timeout_s, confirmations, max_poll_s)
        if (error := outcome_of(receipt).error(subject_of(receipt))) is not None:
            raise error
        return receipt

    def _look(self, within_s: float, confirmations: int) -> Steps[_Look]:
        try:
            info = yield from self.client.transaction_steps(self.txid, within_s)
            outcome = outcome_of(info, self.txid)
            if info is None:
                return _Look("the node does not know it (it may have dropped it as problematic, or its API lags)")
            if outcome.kind in (OutcomeKind.DROPPED, OutcomeKind.REPLACED):
                if self._on_dropped is not None:
                    self._on_dropped()
                raise outcome.error(subject_of(info)) or AssertionError(outcome)
            if not isinstance(info, TransactionReceipt) or not outcome.kind.is_mined:
                return _Look(
                    "it is still waiting in the mempool (is its fee high enough, and are earlier nonces mined?)"
                )
            if self._on_mined is not None:
                self._on_mined()
            if confirmations == 1:
                return _Look("it is mined", info)
            tip = yield from ask(api.block(), time.monotonic() + within_s, once=True)
            depth = tip.height - info.block_height + 1
            again = yield from self.client.transaction_steps(self.txid, within_s)
        except NodeError as error:
            _LOG.info("looking for %s failed: %s", self.txid, error)
            return _Look(f"the last request failed: {error}", not_before_s=error.retry_after_s or 0.0)
        if again is None or not again.is_canonical or again.block_hash != info.block_hash:
            return _Look("a fork removed its block")
        if depth < confirmations:
            had = max(1, depth)
            return _Look(f"it is in block {info.block_height}, and has {had} of {confirmations} confirmations")
        return _Look("it is deep enough", info)


class PendingTransaction(_Waiting):
    """A transaction that was sent.

    Create one from just a txid to wait for a transaction of an earlier run.

    Args:
        client: The node; it must serve the API.
        txid: The transaction's id.
        on_mined: Called when it is seen mined.
        on_dropped: Called if it is seen dropped.
        raw: The signed transaction, if it was sent from here; errors of waiting include it.

    Raises:
        InvalidValueError: If the txid is not 64 hexadecimal digits.
    """

    def __init__(
        self,
        client: Client,
        txid: str,
        *,
        on_mined: Callable[[], None] | None = None,
        on_dropped: Callable[[], None] | None = None,
        raw: bytes = b"",
    ) -> None:
        self.client: Client = client
        self.txid = check_txid(txid)
        self.raw = raw
        self._on_mined = on_mined
        self._on_dropped = on_dropped

    def info(self) -> TransactionInfo | None:
        """Return the API's current data on it; ``None`` if there is none.

        Raises:
            NodeError: If the node is down or responds with something else.
        """
        return self.client.transaction(self.txid)

    def wait_any(
        self,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        *,
        confirmations: int = 1,
        max_poll_s: float = _DEFAULT_MAX_POLL_S,
    ) -> TransactionReceipt:
        """Wait until it is mined, whatever the outcome.

        It checks at once and then less and less often: a devnet responds in milliseconds, and a public API is not
        flooded. A node that fails meanwhile is asked again until the time is over, but not before the time that it asks
        for (Retry-After); a silent one is given up a second after the timeout at the latest.

        Args:
            timeout_s: The longest wait, in seconds.
            confirmations: How many blocks of the current fork must contain it: its own, and those on top of it. If a
                fork removes it before, the count starts again.
            max_poll_s: The longest pause between two looks, in seconds.

        Raises:
            TransactionDroppedError: If it left the mempool without being mined.
            ConfirmationTimeoutError: If it was not mined, or not deep enough, in time; the outcome is unknown. Wait
                again.
            InvalidValueError: If ``confirmations`` is less than 1.
        """
        return self.client.follow(self._waited(timeout_s, confirmations, max_poll_s))

    def wait(
        self,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        *,
        confirmations: int = 1,
        max_poll_s: float = _DEFAULT_MAX_POLL_S,
    ) -> TransactionReceipt:
        """Wait until it is mined, and check that it succeeded.

        Args:
            timeout_s: The longest wait, in seconds.
            confirmations: How many blocks of the current fork must confirm it: its own, and those on top of it.
            max_poll_s: The longest pause between two looks, in seconds.

        Raises:
            PostConditionAbortedError: If a post-condition was not met.
            RuntimeAbortedError: If a contract hit a runtime error.
            AnalysisFailedError: If a contract that was to be published did not pass the analysis.
            TransactionFailedError: If a contract returned ``(err …)``, or the transaction was skipped as problematic.
            TransactionDroppedError: If it left the mempool without being mined.
            ConfirmationTimeoutError: If it was not mined, or not deep enough, in time; the outcome is unknown. Wait
                again.
            InvalidValueError: If ``confirmations`` is less than 1.
        """
        return self.client.follow(self._succeeded(timeout_s, confirmations, max_poll_s))

    def note_mined(self) -> None:
        """Note that something else saw it mined, such as an `AsyncPendingTransaction`; the account counts its nonce."""
        if self._on_mined is not None:
            self._on_mined()

    def note_dropped(self) -> None:
        """Note that something else saw it dropped."""
        if self._on_dropped is not None:
            self._on_dropped()

    @whole
    def __repr__(self) -> str:
        """Return the transaction and the node."""
        return f"PendingTransaction({self.txid}, {self.client.url})"


class AsyncPendingTransaction(_Waiting):
    """A transaction that was sent, to be awaited; otherwise as `PendingTransaction`.

    Args:
        client: The node; it must serve the API.
        txid: The transaction's id.
        raw: The signed transaction, if it is available; errors of waiting include it.

    Raises:
        InvalidValueError: If the txid is not 64 hexadecimal digits.
    """

    def __init__(self, client: AsyncClient, txid: str, *, raw: bytes = b"") -> None:
        self.client: AsyncClient = client
        self.txid = check_txid(txid)
        self.raw = raw

    async def wait_any(
        self,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        *,
        confirmations: int = 1,
        max_poll_s: float = _DEFAULT_MAX_POLL_S,
    ) -> TransactionReceipt:
        """Wait until it is mined, whatever the outcome; see `PendingTransaction.wait_any`."""
        return await self.client.follow(self._waited(timeout_s, confirmations, max_poll_s))

    async def wait(
        self,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        *,
        confirmations: int = 1,
        max_poll_s: float = _DEFAULT_MAX_POLL_S,
    ) -> TransactionReceipt:
        """Wait until it is mined, and check that it succeeded; see `PendingTransaction.wait`."""
        return await self.client.follow(self._succeeded(timeout_s, confirmations, max_poll_s))

    @whole
    def __repr__(self) -> str:
        """Return the transaction and the node."""
        return f"AsyncPendingTransaction({self.txid}, {self.client.url})"


def _wanted(confirmations: int) -> str:
    return "mined" if confirmations == 1 else f"confirmed by {confirmations} blocks"
