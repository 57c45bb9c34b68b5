"""Signs transactions: sighashes, signatures one at a time, and their verification.

Every signature covers the transaction without any nonce, fee or signature (the initial sighash), then the signer's own
fee and nonce, and, if signers follow an order, all earlier signatures (SIP-005, SIP-027).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from der_client.stacks.errors import SigningError
from der_client.stacks.keys import PublicKey
from der_client.stacks.transactions.accounts import signer_hash
from der_client.stacks.transactions.conditions import (
    UNSIGNED,
    FieldSignature,
    MultiSigCondition,
    SingleSigCondition,
    single_sig_condition,
)
from der_client.stacks.transactions.hashing import sha512_256

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.stacks.keys import PrivateKey
    from der_client.stacks.transactions.conditions import AuthField, SpendingCondition

ORIGIN_FLAG: Final = 0x04
"""The flag that an origin signs with, even in a sponsored transaction."""
SPONSOR_FLAG: Final = 0x05

_FLAG_FEE_NONCE: Final = struct.Struct(">BQQ")


def add_signature(condition: SpendingCondition, key: PrivateKey, sighash: bytes, flag: int) -> SpendingCondition:
    """Add a key's signature to a condition.

    Args:
        condition: The condition; not complete yet.
        key: The signer's key.
        sighash: The initial sighash for the origin, or the origin's last one for the sponsor.
        flag: Who signs: ``ORIGIN_FLAG`` or ``SPONSOR_FLAG``.

    Returns:
        The condition with one more signature.

    Raises:
        SigningError: If it is not this key's turn, or it is not one of the account's keys.
    """
    if isinstance(condition, MultiSigCondition):
        return _add_to_multi_sig(condition, key, sighash, flag)
    public_key = key.public_key
    own = signer_hash(condition.hash_mode, (public_key,), 1)
    if own != condition.signer or public_key.is_compressed != condition.compressed:
        raise SigningError(
            f"the key of {public_key.data.hex()} cannot sign for this account: its {condition.hash_mode.name} hash is "
            f"{own.hex()}, the account's {condition.signer.hex()}"
        )
    signature = key.sign_recoverable(presign_hash(sighash, flag, condition.fee, condition.nonce))
    return single_sig_condition(
        condition.hash_mode, condition.signer, condition.nonce, condition.fee, condition.compressed, signature
    )


def verify_condition(condition: SpendingCondition, sighash: bytes, flag: int) -> bytes:
    """Check all signatures of a condition.

    Args:
        condition: The condition.
        sighash: The initial sighash for the origin, or the origin's last one for the sponsor.
        flag: Who signed: ``ORIGIN_FLAG`` or ``SPONSOR_FLAG``.

    Returns:
        The last sighash, from which a sponsor's signature continues.

    Raises:
        SigningError: If one is missing or wrong, or the keys are not the account's.
    """
    if condition.missing_signatures:
        raise SigningError(f"not fully signed: {missing_words(condition.missing_signatures)}")
    if isinstance(condition, SingleSigCondition):
        presign = presign_hash(sighash, flag, condition.fee, condition.nonce)
        keys: Sequence[PublicKey] = (PublicKey.recover(presign, condition.signature, compressed=condition.compressed),)
        last = postsign_hash(presign, condition.compressed, condition.signature)
        required = 1
    else:
        required = condition.required
        signed = sum(isinstance(field, FieldSignature) for field in condition.fields)
        if not required or (condition.hash_mode.is_sequential and signed != required):
            raise SigningError(
                f"{signed} signatures, but {condition.hash_mode.name} needs exactly {required}, at least 1"
            )
        keys, last = recover_keys(condition, condition.fields, sighash, flag)
    found = signer_hash(condition.hash_mode, keys, required)
    if found != condition.signer:
        raise SigningError(
            f"the signatures belong to the account with hash {found.hex()}, not {condition.signer.hex()}: "
            "something was "
            "changed after signing, or another key signed"
        )
    return last


def missing_words(count: int) -> str:
    """Return the words for a number of missing signatures, at least 1."""
    return "1 signature is missing" if count == 1 else f"{count} signatures are missing"


def recover_keys(
    condition: MultiSigCondition, fields: Sequence[AuthField], sighash: bytes, flag: int
) -> tuple[tuple[PublicKey, ...], bytes]:
    """Find the keys behind the fields of a multi-signature condition.

    Args:
        condition: The condition.
        fields: Its fields, or the first of them.
        sighash: The sighash from which its signatures start.
        flag: Who signed.

    Returns:
        The key of each field, and the sighash after the last.

    Raises:
        SigningError: If no key can have made one of the signatures.
    """
    keys = []
    for field in fields:
        if not isinstance(field, FieldSignature):
            keys.append(field)
            continue
        presign = presign_hash(sighash, flag, condition.fee, condition.nonce)
        keys.append(PublicKey.recover(presign, field.signature, compressed=field.compressed))
        if condition.hash_mode.is_sequential:
            sighash = postsign_hash(presign, field.compressed, field.signature)
    return tuple(keys), sighash


def account_keys(condition: MultiSigCondition, sighash: bytes, flag: int) -> tuple[PublicKey, ...]:
    """Find the keys behind a multi-signature condition and check that they are the account's.

    Args:
        condition: The condition, signed or not.
        sighash: The sighash from which its signatures start.
        flag: Who signs.

    Returns:
        The account's keys, in order.

    Raises:
        SigningError: If the account's address was not made from them.
    """
    keys, _ = recover_keys(condition, condition.fields, sighash, flag)
    found = signer_hash(condition.hash_mode, keys, condition.required)
    if found != condition.signer:
        raise SigningError(
            f"the {len(keys)} keys in this transaction belong to the account with hash {found.hex()}, not "
            f"{condition.signer.hex()}; if another program left out those that have not signed, call with_public_keys()"
        )
    return keys


def is_account_of(condition: MultiSigCondition, public_keys: Sequence[PublicKey]) -> bool:
    """Return whether a condition's address was made from these keys.

    Args:
        condition: The condition.
        public_keys: All keys of an account, in their order.
    """
    return signer_hash(condition.hash_mode, public_keys, condition.required) == condition.signer


def with_all_keys(
    condition: MultiSigCondition, public_keys: Sequence[PublicKey], sighash: bytes, flag: int
) -> MultiSigCondition:
    """Complete a condition that lacks keys of its account.

    Args:
        condition: The condition.
        public_keys: All keys of the account, in their order.
        sighash: The sighash from which its signatures start.
        flag: Who signs.

    Returns:
        The condition with every key, or its signature, in its place.

    Raises:
        SigningError: If these are not the account's keys, or its signatures were not made by them in this order.
    """
    known, _ = recover_keys(condition, condition.fields, sighash, flag)
    left = [(key.compressed_data, field) for key, field in zip(known, condition.fields, strict=True)]
    fields: list[AuthField] = []
    for key in public_keys:
        place = next((i for i, (owner, _) in enumerate(left) if owner == key.compressed_data), None)
        fields.append(key if place is None else left.pop(place)[1])
    if left:
        raise SigningError(
            f"{len(left)} of the keys and signatures in this transaction belong to other keys than those given"
        )
    complete = MultiSigCondition(
        condition.hash_mode, condition.signer, condition.nonce, condition.fee, tuple(fields), condition.required
    )
    account_keys(complete, sighash, flag)
    return complete


def without_signatures(
    condition: SpendingCondition, nonce: int, fee: int, sighash: bytes, flag: int
) -> SpendingCondition:
    """Set nonce and fee, and remove all signatures, which covered the old ones.

    Args:
        condition: The condition.
        nonce: Its new nonce.
        fee: Its new fee, in µSTX.
        sighash: The sighash from which its signatures started.
        flag: Who signed.

    Returns:
        The condition, unsigned.

    Raises:
        SigningError: If no key can have made one of several signatures, so that its key would be lost.
    """
    if isinstance(condition, SingleSigCondition):
        return SingleSigCondition(condition.hash_mode, condition.signer, nonce, fee, condition.compressed, UNSIGNED)
    keys, _ = recover_keys(condition, condition.fields, sighash, flag)
    return MultiSigCondition(condition.hash_mode, condition.signer, nonce, fee, keys, condition.required)


def presign_hash(sighash: bytes, flag: int, fee: int, nonce: int) -> bytes:
    """Return the 32 bytes that a signer signs.

    Args:
        sighash: The sighash from which the signature continues.
        flag: Who signs.
        fee: The signer's fee, in µSTX.
        nonce: The signer's nonce.

    Returns:
        The digest.
    """
    return sha512_256(sighash + _FLAG_FEE_NONCE.pack(flag, fee, nonce))


def postsign_hash(presign: bytes, compressed: bool, signature: bytes) -> bytes:
    """Return the sighash from which the next signature continues.

    Args:
        presign: The hash that was signed.
        compressed: Whether the signer's key is used in its 33-byte form.
        signature: The signature, recovery id first.

    Returns:
        32 bytes.
    """
    return sha512_256(presign + (b"\x00" if compressed else b"\x01") + signature)


def _add_to_multi_sig(condition: MultiSigCondition, key: PrivateKey, sighash: bytes, flag: int) -> MultiSigCondition:
    # A signature by another key than the account's own would be worthless, and detected late.
    keys = account_keys(condition, sighash, flag)
    own = key.public_key.compressed_data
    places = [place for place, owner in enumerate(keys) if owner.compressed_data == own]
    if not places:
        raise SigningError(f"the key of {key.public_key.data.hex()} is not one of this account's {len(keys)} keys")
    free = [place for place in places if not isinstance(condition.fields[place], FieldSignature)]
    if not free:
        raise SigningError(f"the key of {key.public_key.data.hex()} has already signed")
    place = free[0]
    before, after = condition.fields[:place], condition.fields[place + 1 :]
    if condition.hash_mode.is_sequential and any(isinstance(field, FieldSignature) for field in after):
        raise SigningError(
            f"in {condition.hash_mode.name} signers follow the order of their keys, and one after "
            f"{key.public_key.data.hex()} has already signed; start again in order, or use the non-sequential form"
        )
    _, current = recover_keys(condition, before, sighash, flag)
    digest = presign_hash(current, flag, condition.fee, condition.nonce)
    signature = FieldSignature(key.sign_recoverable(digest), keys[place].is_compressed)
    return MultiSigCondition(
        condition.hash_mode,
        condition.signer,
        condition.nonce,
        condition.fee,
        (*before, signature, *after),
        condition.required,
    )
