"""Stacks addresses and principals as text: c32check, networks, and the mapping to Bitcoin's base58check.

An address is a version (0-31, which gives network and kind) and the hash160 of a public key or redeem script. Keys are
not handled here; ``der_client.stacks.keys`` makes the hashes.

Sources: stacks-core ``stacks-common/src/address/c32.rs`` (facts), SIP-005 (versions).
"""

from __future__ import annotations

import re
from base64 import b32decode, b32encode
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

from der_client.stacks.errors import AddressError
from der_client.stacks.network import networks_of_address

if TYPE_CHECKING:
    from der_client.stacks.network import Network

_C32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RFC4648 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_TO_C32 = bytes.maketrans(_RFC4648.encode(), _C32.encode())
_FROM_C32 = str.maketrans(_C32, _RFC4648)
# Crockford's reading rules: letters in either case, O is 0, L and I are 1.
_NORMALIZE = str.maketrans("OLI", "011")
_C32_CHECKED_TEXT = re.compile(r"[0-9A-HJKMNP-TV-Z]{1,39}\Z")
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_TEXT = re.compile(rf"[{_BASE58}]{{1,64}}\Z")
_BITCOIN_VERSIONS = {22: 0, 20: 5, 26: 111, 21: 196}
_STACKS_VERSIONS = {bitcoin: stacks for stacks, bitcoin in _BITCOIN_VERSIONS.items()}
_CONTRACT_NAME = re.compile(r"(?:[a-zA-Z][a-zA-Z0-9_-]{0,127}|__transient)\Z")

HASH160_LENGTH = 20
_CHECKED_LENGTH = 24  # hash160 and the first four bytes of a double SHA-256
_MAX_VERSION = 31


def c32_encode(data: bytes) -> str:
    """Write bytes in Crockford's base 32, one ``0`` for every leading zero byte, as Stacks does.

    Args:
        data: Any bytes.

    Returns:
        The digits, upper case, most significant first.
    """
    # The standard library's base 32 works on groups of five bytes, so pad at the front; this only adds zeros.
    digits = b32encode(bytes(-len(data) % 5) + data).translate(_TO_C32).decode().lstrip("0")
    return "0" * (len(data) - len(data.lstrip(b"\x00"))) + digits


@lru_cache(maxsize=16384)
def c32_address(version: int, hash160: bytes) -> str:
    """Write an address.

    Args:
        version: 0-31; 22 and 20 are mainnet (SP, SM), 26 and 21 testnet and devnets (ST, SN).
        hash160: 20 bytes.

    Returns:
        The address, e.g. ``ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM``.

    Raises:
        AddressError: If the version or the length of the hash is wrong.
    """
    if not 0 <= version <= _MAX_VERSION:
        raise AddressError(f"address version {version} is not in 0..31")
    if len(hash160) != HASH160_LENGTH:
        raise AddressError(f"the hash160 of an address has 20 bytes, not {len(hash160)}")
    return f"S{_C32[version]}{c32_encode(hash160 + _checksum(version, hash160))}"


@lru_cache(maxsize=16384)
def decode_c32_address(text: str) -> tuple[int, bytes]:
    """Read an address; letters may be in either case, O stands for 0, L and I for 1.

    Args:
        text: The address.

    Returns:
        The version (0-31) and the hash160 (20 bytes).

    Raises:
        AddressError: If the text is not an address, or its checksum is wrong (a typing error).
    """
    if not isinstance(text, str):
        raise AddressError(f"an address is text, not {type(text).__name__}")
    normalized = text.upper().translate(_NORMALIZE) if text.isascii() else ""
    # An upper bound first, so that long text costs nothing; the exact length is checked by writing it again.
    if normalized[:1] != "S" or not _C32_CHECKED_TEXT.match(normalized, 2) or normalized[1] not in _C32:
        raise AddressError(
            f"{text[:64]!r} is not a Stacks address: expected S, a version letter and up to 39 c32 characters"
        )
    version = _C32.index(normalized[1])
    raw = b32decode(normalized[2:].translate(_FROM_C32).rjust(40, "A"))
    hash160, checksum = raw[1:21], raw[21:]
    if c32_encode(raw[1:]) != normalized[2:]:
        raise AddressError(f"{text!r} is not a Stacks address: it does not contain 20 bytes and a checksum")
    if checksum != _checksum(version, hash160):
        raise AddressError(f"{text!r} is not a Stacks address: its checksum is wrong; check it for typing errors")
    return version, hash160


@lru_cache(maxsize=16384)
def split_principal(text: str) -> tuple[str, str | None]:
    """Split a principal into its address and its contract's name, and check both.

    Args:
        text: An address (``ST…``), or a contract's id (``ST….name``; names of up to 128 characters, as in Clarity
            values).

    Returns:
        The address in its canonical spelling, and the contract's name or ``None``.

    Raises:
        AddressError: If the address or the name is invalid.
    """
    if not isinstance(text, str):
        raise AddressError(f"a principal is text, not {type(text).__name__}")
    address, dot, name = text.partition(".")
    canonical = c32_address(*decode_c32_address(address))
    if not dot:
        return canonical, None
    if not _CONTRACT_NAME.match(name):
        raise AddressError(
            f"{text[:200]!r}: {name[:64]!r} is not a contract name (a letter, then up to 127 letters, digits, - or _)"
        )
    return canonical, name


def canonical_principal(text: str) -> str:
    """Return the canonical spelling of a principal, which nodes require.

    Args:
        text: An address or a contract's id.

    Raises:
        AddressError: If it is neither.
    """
    address, name = split_principal(text)
    return address if name is None else f"{address}.{name}"


def network_name(version: int) -> str:
    """Return for people which networks an address version is for.

    Args:
        version: The c32check version.

    Returns:
        ``mainnet``, ``testnet/devnet`` or ``no known network (version N)``.
    """
    names = [network.name for network in networks_of_address(version)]
    return "/".join(names) or f"no known network (version {version})"


def check_network(principal: str, network: Network, what: str = "address") -> None:
    """Refuse a principal that belongs to another network than the one it is used on.

    Args:
        principal: An address or a contract's id.
        network: The network on which it is used.
        what: The argument's name, for the message.

    Raises:
        AddressError: If it is invalid, or belongs to another network; the text names both networks.
    """
    version = _principal_version(principal)
    if not network.has_address_version(version):
        raise AddressError(
            f"{what}: {principal} is an address of {network_name(version)}, but is used on {network.name}"
        )


@lru_cache(maxsize=16384)
def _principal_version(principal: str) -> int:
    return decode_c32_address(split_principal(principal)[0])[0]


def to_bitcoin_address(address: str) -> str:
    """Return the Bitcoin address (base58check, P2PKH or P2SH) with the same hash160.

    Args:
        address: A Stacks address of mainnet or testnet.

    Returns:
        The Bitcoin address of the same network.

    Raises:
        AddressError: If the address is invalid or its version has no counterpart.
    """
    version, hash160 = decode_c32_address(address)
    if version not in _BITCOIN_VERSIONS:
        raise AddressError(f"{address!r} has version {version}, which has no Bitcoin counterpart (20, 21, 22, 26 have)")
    return base58check_encode(_BITCOIN_VERSIONS[version], hash160)


def from_bitcoin_address(text: str) -> str:
    """Return the Stacks address with the same hash160 as a Bitcoin address.

    Args:
        text: A base58check address (P2PKH or P2SH, mainnet, testnet or regtest).

    Returns:
        The Stacks address of the same network.

    Raises:
        AddressError: If the text is not such an address; segwit addresses (bc1…, tb1…) have no Stacks counterpart.
    """
    version, hash160 = base58check_decode(text)
    if version not in _STACKS_VERSIONS:
        raise AddressError(
            f"{text!r} has Bitcoin version {version}, which has no Stacks counterpart (0, 5, 111, 196 have)"
        )
    return c32_address(_STACKS_VERSIONS[version], hash160)


def base58check_encode(version: int, hash160: bytes) -> str:
    """Write a version and 20 bytes as Bitcoin writes its older addresses.

    Args:
        version: 0 to 255.
        hash160: 20 bytes.
    """
    body = bytes((version,)) + hash160
    return _base58_encode(body + _double_sha256(body)[:4])


def base58check_decode(text: str) -> tuple[int, bytes]:
    """Read what `base58check_encode` writes.

    Args:
        text: The address.

    Raises:
        AddressError: If it is not base58, does not have 25 bytes, or its checksum is wrong.
    """
    if not isinstance(text, str) or not _BASE58_TEXT.match(text):
        raise AddressError(
            f"{str(text)[:64]!r} is not a base58 Bitcoin address; segwit addresses (bc1…) cannot be mapped"
        )
    data = _base58_decode(text)
    if len(data) != 1 + _CHECKED_LENGTH:
        raise AddressError(f"{text!r} is not a Bitcoin address: its length in bytes is {len(data)}, not 25")
    if _double_sha256(data[:21])[:4] != data[21:]:
        raise AddressError(f"{text!r} is not a Bitcoin address: its checksum is wrong; check it for typing errors")
    return data[0], data[1:21]


def _checksum(version: int, hash160: bytes) -> bytes:
    return _double_sha256(bytes((version,)) + hash160)[:4]


def _double_sha256(data: bytes) -> bytes:
    return sha256(sha256(data).digest()).digest()


def _base58_encode(data: bytes) -> str:
    number = int.from_bytes(data)
    digits: list[str] = []
    while number:
        number, digit = divmod(number, 58)
        digits.append(_BASE58[digit])
    return "1" * (len(data) - len(data.lstrip(b"\x00"))) + "".join(reversed(digits))


def _base58_decode(text: str) -> bytes:
    number = 0
    for character in text:
        number = number * 58 + _BASE58.index(character)
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)
