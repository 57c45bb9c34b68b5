"""An account's keys, and the address that follows from them.

An ordinary account has one key. A multi-signature account has several, of which some number must sign; its address
contains the hash of a Bitcoin redeem script for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from der_client.stacks.address import c32_address
from der_client.stacks.checks import check_number
from der_client.stacks.errors import KeyFormatError
from der_client.stacks.keys import PrivateKey, PublicKey, hash160
from der_client.stacks.network import Network, check_network_kind
from der_client.stacks.transactions.codes import HashMode
from der_client.stacks.transactions.conditions import (
    UNSIGNED,
    MultiSigCondition,
    SingleSigCondition,
    single_sig_condition,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


MAX_KEYS: Final = 15
"""As in Bitcoin, whose scripts of 520 bytes have room for no more, and in other Stacks wallets."""

_OP_CHECKMULTISIG: Final = 0xAE
_OP_1: Final = 0x51
_LARGEST_SMALL_NUMBER: Final = 16


@dataclass(frozen=True, slots=True)
class SingleSig:
    """An account with one key.

    Attributes:
        public_key: The key.
        segwit: Whether the address uses segwit nested in P2SH (``P2WPKH``), which few wallets use.

    Raises:
        KeyFormatError: If it is not a public key, or segwit is combined with an uncompressed one.
    """

    public_key: PublicKey
    segwit: bool = False

    def __post_init__(self) -> None:
        """Check the fields."""
        if not isinstance(self.public_key, PublicKey):
            raise _no_public_key(self.public_key, "public_key")
        if self.segwit and not self.public_key.is_compressed:
            raise KeyFormatError("a segwit account needs a compressed public key")

    @property
    def hash_mode(self) -> HashMode:
        """How the address follows from the key."""
        return HashMode.P2WPKH if self.segwit else HashMode.P2PKH

    @property
    def signer(self) -> bytes:
        """The hash160 in the address."""
        return signer_hash(self.hash_mode, (self.public_key,), 1)

    def address(self, network: Network) -> str:
        """Return the account's address.

        Args:
            network: The network it is used on.

        Returns:
            The address: SP… or ST…, for segwit SM… or SN….
        """
        check_network_kind(network)
        return c32_address(network.multi_sig_version if self.segwit else network.single_sig_version, self.signer)

    def condition(self, nonce: int, fee: int) -> SingleSigCondition:
        """Return the account's unsigned spending condition.

        Args:
            nonce: Its nonce.
            fee: The fee that it pays, in µSTX.

        Returns:
            The condition.
        """
        return single_sig_condition(self.hash_mode, self.signer, nonce, fee, self.public_key.is_compressed, UNSIGNED)


@dataclass(frozen=True, slots=True)
class Multisig:
    """An account with several keys, of which a number must sign.

    Attributes:
        public_keys: 1 to 15 keys; their order belongs to the address.
        required: How many must sign, 1 to their number.
        segwit: Whether the address uses segwit nested in P2SH (``P2WSH``).
        sequential: Whether signers must sign in the order of the keys, each over the earlier signatures (the older
            form). The address is the same.

    Raises:
        KeyFormatError: If they are not public keys, none or too many, or segwit is combined with an uncompressed one.
        InvalidValueError: If ``required`` is out of range.
    """

    public_keys: tuple[PublicKey, ...]
    required: int
    segwit: bool = False
    sequential: bool = False

    def __post_init__(self) -> None:
        """Check the fields."""
        object.__setattr__(self, "public_keys", check_public_keys(self.public_keys))
        if not 1 <= len(self.public_keys) <= MAX_KEYS:
            raise KeyFormatError(
                f"public_keys: a multi-signature account has 1 to {MAX_KEYS}, not {len(self.public_keys)}"
            )
        check_number(self.required, 1, len(self.public_keys), "required")
        if self.segwit and not all(key.is_compressed for key in self.public_keys):
            raise KeyFormatError("a segwit account needs compressed public keys")

    @property
    def hash_mode(self) -> HashMode:
        """How the address follows from the keys, and how they sign."""
        if self.sequential:
            return HashMode.P2WSH if self.segwit else HashMode.P2SH
        return HashMode.P2WSH_NON_SEQUENTIAL if self.segwit else HashMode.P2SH_NON_SEQUENTIAL

    @property
    def signer(self) -> bytes:
        """The hash160 in the address."""
        return signer_hash(self.hash_mode, self.public_keys, self.required)

    def address(self, network: Network) -> str:
        """Return the account's address.

        Args:
            network: The network it is used on.

        Returns:
            The address: SM… or SN….
        """
        check_network_kind(network)
        return c32_address(network.multi_sig_version, self.signer)

    def condition(self, nonce: int, fee: int) -> MultiSigCondition:
        """Return the account's unsigned spending condition.

        Args:
            nonce: Its nonce.
            fee: The fee that it pays, in µSTX.

        Returns:
            The condition; it contains all keys, so signers need nothing else.
        """
        return MultiSigCondition(self.hash_mode, self.signer, nonce, fee, self.public_keys, self.required)


def check_public_keys(keys: Iterable[PublicKey]) -> tuple[PublicKey, ...]:
    """Refuse a value that is not a sequence of public keys.

    Args:
        keys: The argument ``public_keys``.

    Returns:
        The keys.

    Raises:
        KeyFormatError: If it is not one, or contains something else; the text does not show it.
    """
    if not isinstance(keys, Iterable):
        raise KeyFormatError(f"public_keys must be a tuple of PublicKey, got {type(keys).__name__}")
    given = tuple(keys)
    for index, key in enumerate(given):
        if not isinstance(key, PublicKey):
            raise _no_public_key(key, f"public_keys[{index}]")
    return given


def _no_public_key(key: object, what: str) -> KeyFormatError:
    instead = (
        "give its public_key" if isinstance(key, PrivateKey) else "for hexadecimal text, use PublicKey.from_hex(…)"
    )
    return KeyFormatError(f"{what} must be a PublicKey, got {type(key).__name__}; {instead}")


def signer_hash(mode: HashMode, keys: Sequence[PublicKey], required: int) -> bytes:
    """Hash an account's keys for its address.

    Args:
        mode: How to hash them.
        keys: The keys, in order; one for the single-signature modes.
        required: How many must sign.

    Returns:
        20 bytes.
    """
    if mode is HashMode.P2PKH:
        return keys[0].hash160
    if mode is HashMode.P2WPKH:
        return hash160(b"\x00\x14" + keys[0].hash160)
    script = _redeem_script(keys, required)
    return hash160(b"\x00\x20" + sha256(script).digest() if mode.is_segwit else script)


def _redeem_script(keys: Sequence[PublicKey], required: int) -> bytes:
    pushes = (bytes((len(key.data),)) + key.data for key in keys)
    return b"".join((_push_number(required), *pushes, _push_number(len(keys)), bytes((_OP_CHECKMULTISIG,))))


def _push_number(number: int) -> bytes:
    """Write a number for Bitcoin's script; transactions from elsewhere may have more than 16 keys."""
    if number <= _LARGEST_SMALL_NUMBER:
        return bytes((_OP_1 + number - 1 if number else 0,))
    # Little-endian, with room for the sign bit.
    digits = number.to_bytes(number.bit_length() // 8 + 1, "little")
    return bytes((len(digits),)) + digits
