"""All payloads: their types, and the reader that distinguishes them by their tag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from der_client.stacks.transactions.payloads import (
    CALL_TAG,
    PUBLISH_TAG,
    TRANSFER_TAG,
    VERSIONED_PUBLISH_TAG,
    ContractCall,
    ContractPublish,
    TokenTransfer,
    read_call,
    read_publish,
    read_transfer,
    read_versioned_publish,
)
from der_client.stacks.transactions.system_payloads import (
    COINBASE_TAG,
    COINBASE_TO_RECIPIENT_TAG,
    NAKAMOTO_COINBASE_TAG,
    POISON_TAG,
    TENURE_CHANGE_TAG,
    Coinbase,
    PoisonMicroblock,
    TenureChange,
    read_coinbase,
    read_coinbase_to_recipient,
    read_nakamoto_coinbase,
    read_poison_microblock,
    read_tenure_change,
)
from der_client.stacks.transactions.wire import read_choice

if TYPE_CHECKING:
    from collections.abc import Callable

UserPayload = TokenTransfer | ContractCall | ContractPublish
"""The payloads that a user can send."""
Payload = UserPayload | Coinbase | TenureChange | PoisonMicroblock


def read_payload(data: bytes, offset: int) -> tuple[Payload, int]:
    """Read a payload.

    Args:
        data: The input.
        offset: Where its tag is.

    Returns:
        The payload and the offset after it.

    Raises:
        DecodeError: If it is not well-formed.
    """
    try:
        read = _READERS[data[offset]]
    except LookupError:
        read, _ = read_choice(data, offset, _READERS, "type of payload")
    return read(data, offset + 1)


_READERS: Final[dict[int, Callable[[bytes, int], tuple[Payload, int]]]] = {
    TRANSFER_TAG: read_transfer,
    PUBLISH_TAG: read_publish,
    CALL_TAG: read_call,
    POISON_TAG: read_poison_microblock,
    COINBASE_TAG: read_coinbase,
    COINBASE_TO_RECIPIENT_TAG: read_coinbase_to_recipient,
    VERSIONED_PUBLISH_TAG: read_versioned_publish,
    TENURE_CHANGE_TAG: read_tenure_change,
    NAKAMOTO_COINBASE_TAG: read_nakamoto_coinbase,
}
