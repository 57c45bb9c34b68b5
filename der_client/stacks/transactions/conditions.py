"""Spending conditions: whose nonce and fee a transaction uses, and the signatures that authorize it.

A transaction has one (its origin's), or two if a sponsor pays the fee. These are the parts as on the wire;
``.accounts`` makes them from public keys, ``.signing`` signs and checks them. Their constructors check nothing.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from der_client.stacks.address import HASH160_LENGTH, c32_address
from der_client.stacks.clarity.decoding import truncated
from der_client.stacks.errors import DecodeError, KeyFormatError
from der_client.stacks.keys import SIGNATURE_LENGTH, PublicKey
from der_client.stacks.transactions.codes import HashMode
from der_client.stacks.transactions.wire import read_bytes, read_choice, read_count, read_number

if TYPE_CHECKING:
    from der_client.stacks.network import Network

UNSIGNED: Final = bytes(SIGNATURE_LENGTH)
"""A placeholder for a missing single signature."""

SINGLE_SIG_LAYOUT: Final = "B20sQQB65s"
"""Hash mode, signer, nonce, fee, key encoding, signature."""
_SINGLE_SIG: Final = struct.Struct(f">{SINGLE_SIG_LAYOUT}")
_MULTI_SIG_HEAD: Final = struct.Struct(">B20sQQI")
_HASH_MODES: Final = {mode.value: mode for mode in HashMode}
_SINGLE_SIG_MODES: Final = (HashMode.P2PKH.value, HashMode.P2WPKH.value)
SINGLE_SIG_FORMS: Final = {
    (HashMode.P2PKH.value, 0): (HashMode.P2PKH, True),
    (HashMode.P2PKH.value, 1): (HashMode.P2PKH, False),
    (HashMode.P2WPKH.value, 0): (HashMode.P2WPKH, True),
}
"""The mode, and whether the key is compressed, by hash mode and key encoding on the wire."""
_KEY_LENGTH: Final = 33


@dataclass(frozen=True)
class SingleSigCondition:
    """An account of one key.

    Attributes:
        hash_mode: ``P2PKH`` or ``P2WPKH``.
        signer: The hash160 in the account's address.
        nonce: The nonce, 0 to 2⁶⁴ - 1.
        fee: The fee in µSTX, 0 to 2⁶⁴ - 1.
        compressed: Whether the address follows from the key's 33-byte form.
        signature: 65 bytes, recovery id, r, s; ``UNSIGNED`` if there is none yet.
    """

    hash_mode: HashMode
    signer: bytes
    nonce: int
    fee: int
    compressed: bool
    signature: bytes = UNSIGNED

    @property
    def is_complete(self) -> bool:
        """Whether it is signed (correctly or not)."""
        return self.signature != UNSIGNED

    @property
    def missing_signatures(self) -> int:
        """How many signatures are still needed."""
        return 0 if self.is_complete else 1

    @property
    def signed_length(self) -> int:
        """How many bytes it has when it is complete."""
        return _SINGLE_SIG.size

    def encode(self) -> bytes:
        """Return its 103 bytes."""
        return _SINGLE_SIG.pack(
            self.hash_mode, self.signer, self.nonce, self.fee, 0 if self.compressed else 1, self.signature
        )

    def encode_blank(self) -> bytes:
        """Return the form that is hashed for signing: without nonce, fee and signature."""
        return _SINGLE_SIG.pack(self.hash_mode, self.signer, 0, 0, 0 if self.compressed else 1, UNSIGNED)


@dataclass(frozen=True, slots=True)
class FieldSignature:
    """One signature of an account with several keys.

    Attributes:
        signature: 65 bytes, recovery id, r, s.
        compressed: Whether the address follows from the 33-byte form of the key that made it.
    """

    signature: bytes
    compressed: bool

    def encode(self) -> bytes:
        """Return its 66 bytes."""
        return (b"\x02" if self.compressed else b"\x03") + self.signature


AuthField = PublicKey | FieldSignature


@dataclass(frozen=True, slots=True)
class MultiSigCondition:
    """The condition of an account with several keys.

    Attributes:
        hash_mode: One of the other four.
        signer: The hash160 in the account's address.
        nonce: The nonce, 0 to 2⁶⁴ - 1.
        fee: The fee in µSTX, 0 to 2⁶⁴ - 1.
        fields: For each key of the account, in order, its signature, or the key itself if it has not signed.
        required: How many signatures are needed.
    """

    hash_mode: HashMode
    signer: bytes
    nonce: int
    fee: int
    fields: tuple[AuthField, ...]
    required: int

    @property
    def is_complete(self) -> bool:
        """Whether it has all signatures that it needs (correct or not)."""
        return not self.missing_signatures

    @property
    def missing_signatures(self) -> int:
        """How many signatures are still needed."""
        return max(0, self.required - sum(isinstance(field, FieldSignature) for field in self.fields))

    @property
    def signed_length(self) -> int:
        """How many bytes it has when it is complete."""
        # A signature is 32 bytes longer than the key that it replaces.
        return len(self.encode()) + 32 * self.missing_signatures

    def encode(self) -> bytes:
        """Return its bytes."""
        head = _MULTI_SIG_HEAD.pack(self.hash_mode, self.signer, self.nonce, self.fee, len(self.fields))
        return b"".join((head, *map(_encode_field, self.fields), self.required.to_bytes(2)))

    def encode_blank(self) -> bytes:
        """Return the form that is hashed for signing: without nonce, fee and fields."""
        return _MULTI_SIG_HEAD.pack(self.hash_mode, self.signer, 0, 0, 0) + self.required.to_bytes(2)


SpendingCondition = SingleSigCondition | MultiSigCondition
_put_attributes: Final = SingleSigCondition.__dict__["__dict__"].__set__

NO_SPONSOR: Final = SingleSigCondition(HashMode.P2PKH, bytes(HASH160_LENGTH), 0, 0, compressed=True)
"""A placeholder for the sponsor until there is one, and in what the origin signs."""


# The placeholder of stacks.js: the hash160 of 33 zero bytes.
_NOBODY: Final = (NO_SPONSOR.signer, bytes.fromhex("29cfc6376255a78451eeb4b129ed8eacffa2feef"))


def is_nobody(condition: SpendingCondition) -> bool:
    """Return whether a sponsor's condition is only a placeholder.

    Args:
        condition: The condition.

    Returns:
        True for ``NO_SPONSOR`` and for the placeholder of stacks.js.
    """
    return (
        isinstance(condition, SingleSigCondition)
        and not condition.is_complete
        and condition.nonce == condition.fee == 0
        and condition.signer in _NOBODY
    )


def condition_address(condition: SpendingCondition, network: Network) -> str:
    """Return the address of a condition's account.

    Args:
        condition: The condition.
        network: The network of the address.

    Returns:
        The address.
    """
    if condition.hash_mode is HashMode.P2PKH:
        return c32_address(network.single_sig_version, condition.signer)
    return c32_address(network.multi_sig_version, condition.signer)


def read_condition(data: bytes, offset: int) -> tuple[SpendingCondition, int]:
    """Read a spending condition, even one that is not fully signed.

    Args:
        data: The input.
        offset: Where its hash mode is.

    Returns:
        The condition and the offset after it.

    Raises:
        DecodeError: If it is not well-formed.
    """
    if offset < len(data) and data[offset] not in _SINGLE_SIG_MODES:
        return _read_multi_sig(data, offset)
    end = offset + _SINGLE_SIG.size
    if end > len(data):
        raise truncated(data, offset, _SINGLE_SIG.size, "a single-signature condition")
    mode, signer, nonce, fee, encoding, signature = _SINGLE_SIG.unpack_from(data, offset)
    try:
        hash_mode, compressed = SINGLE_SIG_FORMS[mode, encoding]
    except KeyError:
        raise DecodeError(
            f"{encoding:02x} is not a key encoding for {HashMode(mode).name}", end - SIGNATURE_LENGTH - 1
        ) from None
    return single_sig_condition(hash_mode, signer, nonce, fee, compressed, signature), end


def single_sig_condition(
    hash_mode: HashMode, signer: bytes, nonce: int, fee: int, compressed: bool, signature: bytes
) -> SingleSigCondition:
    """Return the condition with these parts, as from its constructor, but in a fraction of the time."""
    condition = object.__new__(SingleSigCondition)
    parts = {
        "hash_mode": hash_mode,
        "signer": signer,
        "nonce": nonce,
        "fee": fee,
        "compressed": compressed,
        "signature": signature,
    }
    _put_attributes(condition, parts)
    return condition


def _read_multi_sig(data: bytes, offset: int) -> tuple[MultiSigCondition, int]:
    mode, offset = read_choice(data, offset, _HASH_MODES, "hash mode")
    signer, offset = read_bytes(data, offset, HASH160_LENGTH, "the signer's hash")
    nonce, offset = read_number(data, offset, 8, "the nonce")
    fee, offset = read_number(data, offset, 8, "the fee")
    count, offset = read_count(data, offset, 1 + _KEY_LENGTH, "keys and signatures")
    fields: list[AuthField] = []
    for _ in range(count):
        start = offset
        field, offset = _read_field(data, offset)
        if mode.is_segwit and not (field.compressed if isinstance(field, FieldSignature) else field.is_compressed):
            raise DecodeError(f"{mode.name} needs compressed keys", start)
        fields.append(field)
    required, end = read_number(data, offset, 2, "the number of signatures required")
    signed = sum(isinstance(field, FieldSignature) for field in fields)
    if mode.is_sequential and signed > required:
        raise DecodeError(f"{signed} signatures, but {mode.name} needs exactly {required}", offset)
    return MultiSigCondition(mode, signer, nonce, fee, tuple(fields), required), end


def _read_field(data: bytes, offset: int) -> tuple[AuthField, int]:
    (is_key, compressed), start = read_choice(data, offset, _FIELD_TYPES, "type of key or signature")
    if not is_key:
        signature, end = read_bytes(data, start, SIGNATURE_LENGTH, "a signature")
        return FieldSignature(signature, compressed), end
    raw, end = read_bytes(data, start, _KEY_LENGTH, "a public key")
    try:
        key = PublicKey.from_bytes(raw)
    except KeyFormatError as error:
        raise DecodeError(str(error), start) from None
    return key if compressed else PublicKey(key.uncompressed_data), end


def _encode_field(field: AuthField) -> bytes:
    if isinstance(field, FieldSignature):
        return field.encode()
    # Even an uncompressed key is in its short form here; only the type distinguishes them.
    return (b"\x00" if field.is_compressed else b"\x01") + field.compressed_data


_FIELD_TYPES: Final = {0: (True, True), 1: (True, False), 2: (False, True), 3: (False, False)}
