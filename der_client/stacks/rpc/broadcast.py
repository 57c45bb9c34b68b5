"""Sends a signed transaction, and decides which responses prove that a node accepted or refused it.

There are gateways, caches and load balancers between client and node, so only two responses count: the transaction's id
with status 200, and a refusal in the node's own form (status 400, JSON with this txid and a reason). Anything else, or
no response, leaves open whether the transaction arrived.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from der_client.stacks.errors import (
    BroadcastUnknownError,
    DecodeError,
    InvalidValueError,
    NodeError,
    NodeResponseError,
    NodeUnreachableError,
    NothingSentError,
    SigningError,
    TransactionRejectedError,
)
from der_client.stacks.rpc import node
from der_client.stacks.rpc.rejections import Cause, cause_of
from der_client.stacks.rpc.retries import BUSY_STATUSES, UnreadResponseError
from der_client.stacks.rpc.steps import Ask, Pause, Steps, ask
from der_client.stacks.transactions import Transaction
from der_client.stacks.transactions.signing import missing_words

if TYPE_CHECKING:
    from der_client.stacks.rpc.api_versions import ApiVersions
    from der_client.stacks.rpc.endpoint import HttpResponse
    from der_client.stacks.rpc.retries import RetryPolicy

_LOG: Final = logging.getLogger(__name__)
_GAVE_UP: Final = BUSY_STATUSES | {408}


def broadcast(raw: bytes) -> Steps[str]:
    """Send a signed transaction once, as `Client.broadcast` says."""
    txid = _txid_of_signed(raw)
    try:
        return _read(raw, txid, (yield Ask(node.send(raw).request, once=True)))
    except (TransactionRejectedError, NothingSentError):
        raise
    except NodeError as error:
        raise _unknown(txid, raw, error) from error


def send(raw: bytes, policy: RetryPolicy, versions: ApiVersions) -> Steps[str]:
    """Send a signed transaction, as `Client.send` says.

    While its arrival is unknown, look up its id and send the identical bytes again.

    Args:
        raw: The encoded signed transaction.
        policy: How often to send, and after which pauses.
        versions: The versions of the node's API.
    """
    txid = _txid_of_signed(raw)
    may_have_arrived = False
    attempt = 0
    while True:
        attempt += 1
        failure: NodeError
        try:
            return _read(raw, txid, (yield Ask(node.send(raw).request, once=True)))
        except TransactionRejectedError as error:
            if cause_of(error.reason) is Cause.NONCE and (yield from _is_seen(txid, versions)):
                return txid
            if may_have_arrived and cause_of(error.reason) is not Cause.BYTES:
                raise _unknown(txid, raw, error) from error
            raise
        except NodeError as error:
            failure = error
        if not isinstance(failure, NothingSentError):
            may_have_arrived = True
            # A server that responds with "too many requests" most likely passed nothing on; asking more would not help.
            if failure.status != 429 and (yield from _is_seen(txid, versions)):
                return txid
        wait = policy.wait_s(attempt, failure.retry_after_s) if _may_be_repeated(failure) else None
        if wait is None:
            raise _unknown(txid, raw, failure) if may_have_arrived else failure
        _LOG.info("sending %s failed, trying again in %.1f s: %s", txid, wait, failure)
        yield Pause(wait)


def _txid_of_signed(raw: object) -> str:
    """Return the transaction's id; refuse one that lacks signatures. What cannot be decoded is left to the node."""
    if not isinstance(raw, bytes):
        instead = "; give transaction.encode()" if isinstance(raw, Transaction) else ""
        raise InvalidValueError(f"send takes the bytes of a signed transaction, not {type(raw).__name__}{instead}")
    try:
        transaction = Transaction.decode(raw)
    except DecodeError:
        return node.compute_txid(raw)
    missing = transaction.missing_signatures
    if missing:
        raise SigningError(
            f"the transaction is not fully signed: {missing_words(missing)}; nothing was sent; add them with "
            "transaction.sign(key)"
        )
    return transaction.txid


def _read(raw: bytes, txid: str, response: HttpResponse) -> str:
    try:
        return node.send(raw).read(response)
    except NodeResponseError:
        # If a node cannot decode the bytes, it says so in plain text, without a txid. That counts if we can't decode
        # them, either.
        if response.status != 400 or response.is_html or not _is_undecodable(raw):
            raise
    raise TransactionRejectedError(
        f"the node cannot decode the transaction: {response.excerpt()!r}; give the bytes of a signed transaction",
        response.url,
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

    The API is asked first. If it does not know the transaction, it may be behind, so the node decides.

    Args:
        txid: The transaction's id.
        versions: The versions of the node's API.

    Raises:
        NodeUnreachableError: If one of them did not response.
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
    return isinstance(failure, NodeUnreachableError | UnreadResponseError)


def _unknown(txid: str, raw: bytes, cause: NodeError) -> BroadcastUnknownError:
    return BroadcastUnknownError(
        f"transaction {txid} was sent, but it is unknown whether it arrived: {cause}; look up this txid, or send the "
        "identical bytes again (Client.send(error.raw)); do not build it again before its nonce is used or free",
        txid,
        raw,
        retry_after_s=cause.retry_after_s,
    )
