"""Waiting for a transaction, and what became of it."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from der_client.stacks.clarity import ErrValue, NoneValue
from der_client.stacks.errors import (
    ConfirmationTimeoutError,
    NodeError,
    PostConditionAbortedError,
    RuntimeAbortedError,
    TransactionDroppedError,
    TransactionFailedError,
    shown,
)
from der_client.stacks.rpc import TransactionReceipt, TransactionStatus
from der_client.stacks.rpc.fields import excerpt
from der_client.stacks.rpc.node import check_txid

if TYPE_CHECKING:
    from collections.abc import Callable

    from der_client.stacks.rpc import Client, TransactionInfo

_LOG: Final = logging.getLogger(__name__)

DEFAULT_TIMEOUT_S: Final = 180.0
_FIRST_POLL_S: Final = 0.003
_POLL_GROWTH: Final = 1.5
_DEFAULT_MAX_POLL_S: Final = 3.0
_SHORTEST_LOOK_S: Final = 1.0
_REPLACED: Final = frozenset({TransactionStatus.DROPPED_REPLACE_BY_FEE, TransactionStatus.DROPPED_REPLACE_ACROSS_FORK})


class PendingTransaction:
    """A transaction that was sent.

    Make one from a txid alone to wait for a transaction of an earlier run.

    Args:
        client: The node; it must serve the API.
        txid: The transaction's id.
        on_mined: Called once it is seen mined.
        on_dropped: Called if it is seen dropped.
        raw: The signed transaction, if it was sent from here; errors of waiting carry it.

    Raises:
        InvalidValueError: If the txid is none.
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
        self.client = client
        self.txid = check_txid(txid)
        self.raw = raw
        self._on_mined = on_mined
        self._on_dropped = on_dropped

    def info(self) -> TransactionInfo | None:
        """What the API knows of it now; ``None`` if nothing.

        Raises:
            NodeError: If the node is down or answers something else.
        """
        return self.client.transaction(self.txid)

    def wait_any(
        self, timeout_s: float = DEFAULT_TIMEOUT_S, *, max_poll_s: float = _DEFAULT_MAX_POLL_S
    ) -> TransactionReceipt:
        """Wait until it is mined, whatever came of it.

        Looks at once and then ever less often: a devnet answers in milliseconds, a public API is not flooded.
        A node that fails meanwhile is asked again until the time is over; one that is silent is given up a second
        later at most.

        Args:
            timeout_s: The longest wait, in seconds.
            max_poll_s: The longest pause between two looks, in seconds.

        Raises:
            TransactionDroppedError: It left the mempool without being mined.
            ConfirmationTimeoutError: It was not mined in time; the outcome is unknown. Wait again.
        """
        deadline = time.monotonic() + timeout_s
        pause = _FIRST_POLL_S
        while True:
            seen, receipt = self._look(max(_SHORTEST_LOOK_S, deadline - time.monotonic()))
            if receipt is not None:
                return receipt
            left = deadline - time.monotonic()
            if left <= 0:
                raise ConfirmationTimeoutError(
                    f"transaction {self.txid} was not mined within {timeout_s:g} s; {seen}. Its outcome is unknown: "
                    "wait again for the same txid, do not build it anew",
                    self.txid,
                    self.raw,
                )
            time.sleep(min(pause, left))
            pause = min(pause * _POLL_GROWTH, max_poll_s)

    def wait(
        self, timeout_s: float = DEFAULT_TIMEOUT_S, *, max_poll_s: float = _DEFAULT_MAX_POLL_S
    ) -> TransactionReceipt:
        """Wait until it is mined and make sure that it succeeded.

        Args:
            timeout_s: The longest wait, in seconds.
            max_poll_s: The longest pause between two looks, in seconds.

        Raises:
            PostConditionAbortedError: A post-condition would have been broken.
            RuntimeAbortedError: A contract hit a runtime error.
            TransactionFailedError: A contract answered ``(err …)``, or the transaction was skipped as problematic.
            TransactionDroppedError: It left the mempool without being mined.
            ConfirmationTimeoutError: It was not mined in time; the outcome is unknown. Wait again.
        """
        receipt = self.wait_any(timeout_s, max_poll_s=max_poll_s)
        require_success(receipt)
        return receipt

    def _look(self, within_s: float) -> tuple[str, TransactionReceipt | None]:
        """What was seen, in words, and the receipt if it is mined."""
        try:
            info = self.client.transaction(self.txid, within_s=within_s)
        except NodeError as error:
            _LOG.info("looking for %s failed: %s", self.txid, error)
            return f"at last the node did not tell: {error}", None
        if info is None:
            return (
                "the node does not know it (it may have thrown it away as problematic, or its API lags behind)",
                None,
            )
        if info.status.is_dropped:
            if self._on_dropped is not None:
                self._on_dropped()
            advice = (
                "another transaction has its nonce: look what that one did before you build it again"
                if info.status in _REPLACED
                else "its nonce is free: find out why before you build it again"
            )
            raise TransactionDroppedError(
                f"transaction {self.txid} left the mempool without being mined ({info.status}); {advice}",
                self.txid,
                info.status,
            )
        if isinstance(info, TransactionReceipt) and info.is_canonical:
            if self._on_mined is not None:
                self._on_mined()
            return "it is mined", info
        return "it is still waiting in the mempool (is its fee high enough, are earlier nonces mined?)", None

    def __repr__(self) -> str:
        """The transaction and the node."""
        return f"PendingTransaction({self.txid}, {self.client.url})"


def require_success(receipt: TransactionReceipt) -> None:
    """Raise the error that fits a mined transaction's status, unless it is success.

    Args:
        receipt: Of a mined transaction.

    Raises:
        PostConditionAbortedError: A post-condition would have been broken.
        RuntimeAbortedError: A contract hit a runtime error.
        TransactionFailedError: A contract answered ``(err …)``, or the transaction was skipped as problematic.
    """
    if receipt.status == TransactionStatus.SUCCESS:
        return
    what = f"transaction {receipt.txid}{_subject(receipt)}"
    # A contract that answers (err …) moves nothing; where something had to move, that is told by the status.
    if receipt.status == TransactionStatus.ABORT_BY_POST_CONDITION and not isinstance(receipt.result, ErrValue):
        raise PostConditionAbortedError(
            f"{what} was rolled back (the fee is spent): more or less would have moved than its post-conditions allow; "
            "compare them with what the contract moves",
            receipt.txid,
        )
    if receipt.status == TransactionStatus.PROBLEMATIC_SKIPPED:
        raise TransactionFailedError(f"{what} was skipped as problematic: only its fee is spent", receipt.txid)
    if receipt.status == TransactionStatus.ABORT_BY_RESPONSE and (
        receipt.vm_error is not None or receipt.result == ErrValue(NoneValue())
    ):
        raise RuntimeAbortedError(
            f"{what} hit a runtime error and was rolled back (the fee is spent): "
            f"{excerpt(receipt.vm_error or 'no details')}",
            receipt.txid,
        )
    raise TransactionFailedError(
        f"{what} answered {shown(receipt.result, str)} and was rolled back (the fee is spent)",
        receipt.txid,
        receipt.result.value if isinstance(receipt.result, ErrValue) else None,
    )


def _subject(receipt: TransactionReceipt) -> str:
    if receipt.contract_id is None:
        return ""
    return f" ({receipt.contract_id}{f'.{receipt.function}' if receipt.function else ''})"
