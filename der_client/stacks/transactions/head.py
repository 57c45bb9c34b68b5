"""The first part of a transaction, up to its post-conditions: network, authorization, modes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from der_client.stacks.errors import DecodeError
from der_client.stacks.network import MAINNET, TESTNET
from der_client.stacks.transactions.codes import AnchorMode, PostConditionMode
from der_client.stacks.transactions.conditions import (
    SINGLE_SIG_FORMS,
    SINGLE_SIG_LAYOUT,
    read_condition,
    single_sig_condition,
)
from der_client.stacks.transactions.post_conditions import MIN_POST_CONDITION_LENGTH
from der_client.stacks.transactions.wire import read_choice, read_count

if TYPE_CHECKING:
    from der_client.stacks.transactions.conditions import SpendingCondition

STANDARD: Final = 0x04
SPONSORED: Final = 0x05
START: Final = struct.Struct(">BIB")
"""Version, chain id, authorization."""

_VERSIONS: Final = (MAINNET.transaction_version, TESTNET.transaction_version)
_ANCHOR_MODES: Final = {mode.value: mode for mode in AnchorMode}
_POST_CONDITION_MODES: Final = {mode.value: mode for mode in PostConditionMode}

# Nearly all transactions have one key, no sponsor, and the same beginning, so this much can be split at once.
_COMMON: Final = struct.Struct(f"{START.format}{SINGLE_SIG_LAYOUT}BBI")
_COMMON_BODY_AT: Final = _COMMON.size - 6
_COMMON_FORMS: Final = {
    (version, STANDARD, hash_mode, encoding, anchor_mode.value, mode.value): (*form, anchor_mode, mode)
    for version in _VERSIONS
    for (hash_mode, encoding), form in SINGLE_SIG_FORMS.items()
    for anchor_mode in AnchorMode
    for mode in PostConditionMode
}

Head = tuple[int, int, "SpendingCondition", "SpendingCondition | None", AnchorMode, PostConditionMode, int, int, int]
"""Version, chain id, origin's and sponsor's condition, modes; where the body (the modes) starts; how many
post-conditions there are, and where they start."""


def read_head(data: bytes, start: int = 0) -> Head:
    """Read everything before the post-conditions.

    Args:
        data: The input.
        start: Where the transaction starts.

    Returns:
        Its parts; see ``Head``.

    Raises:
        DecodeError: If it is not well-formed.
    """
    try:
        version, chain_id, authorization, hash_mode, signer, nonce, fee, encoding, signature, anchor, mode, count = (
            _COMMON.unpack_from(data, start)
        )
        form = _COMMON_FORMS[version, authorization, hash_mode, encoding, anchor, mode]
    except (struct.error, KeyError):
        return _read_step_by_step(data, start)
    if count:
        count, _ = read_count(data, start + _COMMON.size - 4, MIN_POST_CONDITION_LENGTH, "post-conditions")
    origin = single_sig_condition(form[0], signer, nonce, fee, form[1], signature)
    body_at, behind = start + _COMMON_BODY_AT, start + _COMMON.size
    return version, chain_id, origin, None, form[2], form[3], body_at, count, behind


def _read_step_by_step(data: bytes, start: int) -> Head:
    if len(data) - start < START.size:
        raise DecodeError(
            f"a transaction starts with {START.size} bytes of version, chain id and authorization", len(data)
        )
    version, chain_id, authorization = START.unpack_from(data, start)
    if version not in _VERSIONS:
        raise DecodeError(f"{version:02x} is not a transaction version; expected 00 (mainnet) or 80", start)
    if authorization not in (STANDARD, SPONSORED):
        raise DecodeError(
            f"{authorization:02x} is not an authorization; expected 04 (standard) or 05 (sponsored)", start + 5
        )
    origin, offset = read_condition(data, start + START.size)
    sponsor = None
    if authorization == SPONSORED:
        sponsor, offset = read_condition(data, offset)
    body_at = offset
    anchor_mode, offset = read_choice(data, offset, _ANCHOR_MODES, "anchor mode")
    mode, offset = read_choice(data, offset, _POST_CONDITION_MODES, "post-condition mode")
    count, offset = read_count(data, offset, MIN_POST_CONDITION_LENGTH, "post-conditions")
    return version, chain_id, origin, sponsor, anchor_mode, mode, body_at, count, offset
