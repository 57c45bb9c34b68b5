"""Sending a signed transaction: what proves that a node took or refused it, and all that proves nothing.

Between client and node are gateways, caches and balancers, so that only two answers count: the transaction's id with
status 200, and a refusal in the node's own form (status 400, JSON with this txid and a reason). Whatever else comes
back, or nothing, leaves open whether the transaction arrived.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from der_client.stacks.errors import (
    BroadcastUnknownError,
    DecodeError,
    InvalidValueError,
    NodeAnswerError,
    NodeError,
    NodeUnreachableError,
    NothingSentError,
    TransactionRejectedError,
)
from der_client.stacks.rpc import node
from der_client.stacks.rpc.rejections import NONCE_TAKEN, STATIC
from der_client.stacks.rpc.retries import BUSY_STATUSES, UnreadAnswerError
from der_client.stacks.rpc.steps import Ask, Pause, Steps, ask
from der_client.stacks.transactions import Transaction

if TYPE_CHECKING:
    from der_client.stacks.rpc.api_versions import ApiVersions
    from der_client.stacks.rpc.endpoint import Answer
    from der_client.stacks.rpc.retries import RetryPolicy

_LOG: Final = logging.getLogger(__name__)
_GAVE_UP: Final = BUSY_STATUSES | {408}


def broadcast(raw: bytes) -> Steps[str]:
    """Send a signed transaction once, as `Client.broadcast` says."""
    txid = _check_raw(raw)
    try:
        return _read(raw, txid, (yield Ask(node.send(raw).request, once=True)))
    except (TransactionRejectedError, NothingSentError):
        raise
    except NodeError as error:
        raise _unknown(txid, raw, error) from error


def send(raw: bytes, policy: RetryPolicy, versions: ApiVersions) -> Steps[str]:
    """Send a signed transaction, as `Client.send` says.

    While its arrival is open, look for its id and send the identical bytes again.

    Args:
        raw: The encoded signed transaction.
        policy: How often, and after how long.
        versions: What the node's API has.
    """
    txid = _check_raw(raw)
    may_have_arrived = False
    attempt = 0
    while True:
        attempt += 1
        failure: NodeError
        try:
            return _read(raw, txid, (yield Ask(node.send(raw).request, once=True)))
        except TransactionRejectedError as error:
            if error.reason in NONCE_TAKEN and (yield from _is_seen(txid, versions)):
                return txid
            if may_have_arrived and error.reason not in STATIC:
                raise _unknown(txid, raw, error) from error
            raise
        except NodeError as error:
            failure = error
        if not isinstance(failure, NothingSentError):
            may_have_arrived = True
            # Who answers "too many requests" passed nothing on, most likely; asking more would be no help.
            if failure.status != 429 and (yield from _is_seen(txid, versions)):
                return txid
        wait = policy.wait_s(attempt, failure.retry_after_s) if _may_be_repeated(failure) else None
        if wait is None:
            raise _unknown(txid, raw, failure) if may_have_arrived else failure
        _LOG.info("sending %s failed, trying again in %.1f s: %s", txid, wait, failure)
        yield Pause(wait)


def _check_raw(raw: object) -> str:
    if not isinstance(raw, bytes):
        raise InvalidValueError(f"send takes the bytes of a signed transaction, not {type(raw).__name__}")
    return node.compute_txid(raw)


def _read(raw: bytes, txid: str, answer: Answer) -> str:
    try:
        return node.send(raw).read(answer)
    except NodeAnswerError:
        # Of bytes that it cannot decode a node says so in plain text, without a txid. That counts if we can't either.
        if answer.status != 400 or answer.is_html or not _is_undecodable(raw):
            raise
    raise TransactionRejectedError(
        f"the node cannot decode the transaction: {answer.excerpt()!r}; give the bytes of a signed transaction",
        answer.url,
        reason="Deserialization",
        data={},
        txid=txid,
    )


def _is_undecodable(raw: bytes) -> bool:
    try:
        Transaction.decode(raw)
    except DecodeError:
        return True
    return False


def is_known(txid: str, versions: ApiVersions) -> Steps[bool]:
    """Find out whether the API or the node has a transaction, waiting or mined.

    The API is asked first. Where it does not know the transaction, it may be behind, and the node has the last word.

    Args:
        txid: The transaction's id.
        versions: What the node's API has.

    Raises:
        NodeUnreachableError: If one of them did not answer.
    """
    try:
        info = yield from versions.summary(txid)
    except NodeUnreachableError:
        raise
    except NodeError:
        info = None
    if info is not None and not info.status.is_dropped:
        return True
    for endpoint in (node.unconfirmed_transaction(txid), node.transaction(txid)):
        try:
            yield from ask(endpoint)
        except NodeUnreachableError:
            raise
        except NodeError:
            continue
        return True
    return False


def _is_seen(txid: str, versions: ApiVersions) -> Steps[bool]:
    try:
        return (yield from is_known(txid, versions))
    except NodeUnreachableError:
        return False


def _may_be_repeated(failure: NodeError) -> bool:
    """Return whether another attempt at sending may have another outcome."""
    if failure.status:
        return failure.status in _GAVE_UP or failure.status >= 500
    return isinstance(failure, NodeUnreachableError | UnreadAnswerError)


def _unknown(txid: str, raw: bytes, cause: NodeError) -> BroadcastUnknownError:
    return BroadcastUnknownError(
        f"transaction {txid} was sent, but whether it arrived is not known: {cause}; look for this txid, or send the "
        "identical bytes again (Client.send(error.raw)); do not build it anew before its nonce is used or free",
        txid,
        raw,
        retry_after_s=cause.retry_after_s,
    )
