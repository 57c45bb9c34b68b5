"""Bitcoin addresses as contracts store them: a version byte and the hash, for all current forms.

PoX and sBTC use ``{version: (buff 1), hashbytes: (buff 32)}``. Versions, from stacks-core's ``PoxAddress``: 0 pays to a
public key's hash (1…), 1 to a script's hash (3…), 2 and 3 to a script's hash that stands for SegWit (3…, too, so the
text does not distinguish them from 1), 4 and 5 to a SegWit key or script (bc1q…), 6 to a Taproot key (bc1p…).

Sources: BIP-13, BIP-173, BIP-350, BIP-341.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from der_client.stacks.address import base58check_decode, base58check_encode
from der_client.stacks.errors import AddressError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from der_client.stacks.network import Network

_CHARSET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32: Final = 1
_BECH32M: Final = 0x2BC830A3
_BASE58_VERSIONS: Final = {0: ("main", 0), 5: ("main", 1), 111: ("test", 0), 196: ("test", 1)}
_BASE58_BYTES: Final = {kind: version for version, kind in _BASE58_VERSIONS.items()}
_PREFIXES: Final = {"bc": "main", "tb": "test", "bcrt": "test"}
_SEGWIT: Final = {(0, 20): 4, (0, 32): 5, (1, 32): 6}
_WITNESS: Final = {kind: version for (version, _), kind in _SEGWIT.items()}
HASH_LENGTHS: Final = {0: 20, 1: 20, 2: 20, 3: 20, 4: 20, 5: 32, 6: 32}
"""The length of the hash, by the version in a contract's tuple."""


@dataclass(frozen=True, slots=True)
class BitcoinScript:
    """What a Bitcoin address pays to.

    Attributes:
        version: 0 to 6, as contracts count.
        hash: 20 bytes, or 32 for versions 5 and 6.
        is_mainnet: Whether the address is one of Bitcoin's main network.
    """

    version: int
    hash: bytes
    is_mainnet: bool


def read_bitcoin_address(text: str) -> BitcoinScript:
    """Read a Bitcoin address: base58 (1…, 3…, m…, n…, 2…), or SegWit (bc1…, tb1…, bcrt1…).

    Args:
        text: The address.

    Raises:
        AddressError: If it is not one, or its checksum is wrong.
    """
    if not isinstance(text, str):
        raise AddressError(f"a Bitcoin address is text, not {type(text).__name__}")
    prefix = text.lower().partition("1")[0]
    if prefix in _PREFIXES:
        version, program = _segwit_decode(text)
        return BitcoinScript(_SEGWIT[version, len(program)], program, _PREFIXES[prefix] == "main")
    version, hash160 = base58check_decode(text)
    if version not in _BASE58_VERSIONS:
        raise AddressError(f"{text!r} has Bitcoin version {version}; addresses have 0, 5, 111 or 196")
    network, kind = _BASE58_VERSIONS[version]
    return BitcoinScript(kind, hash160, network == "main")


def write_bitcoin_address(version: int, hashed: bytes, network: Network) -> str:
    """Write a Bitcoin address.

    Args:
        version: 0 to 6, as contracts count.
        hashed: 20 bytes, or 32 for versions 5 and 6.
        network: The Stacks network; the address is for its Bitcoin network.

    Raises:
        AddressError: If there is no such version, or the hash has the wrong length for it.
    """
    if version not in HASH_LENGTHS:
        raise AddressError(f"version: expected 0 to 6, got {version}")
    if len(hashed) != HASH_LENGTHS[version]:
        raise AddressError(
            f"a Bitcoin address of version {version} has {HASH_LENGTHS[version]} bytes, got {len(hashed)}"
        )
    if version >= 4:
        return _segwit_encode(network.bitcoin_prefix, _WITNESS[version], hashed)
    return base58check_encode(_BASE58_BYTES["main" if network.is_on_main_bitcoin else "test", min(version, 1)], hashed)


def _segwit_decode(text: str) -> tuple[int, bytes]:
    """Return the witness version and program of a SegWit address."""
    if len(text) > 90 or text not in {text.lower(), text.upper()}:
        raise AddressError(f"{text[:90]!r} is not a SegWit address: at most 90 characters, all of one case")
    prefix, _, data = text.lower().rpartition("1")
    if len(data) < 8 or any(character not in _CHARSET for character in data):
        raise AddressError(f"{text!r} is not a SegWit address: expected the characters {_CHARSET} after the prefix")
    numbers = [_CHARSET.index(character) for character in data]
    version = numbers[0]
    expected = _BECH32 if version == 0 else _BECH32M
    if _polymod([*_expanded(prefix), *numbers]) != expected:
        raise AddressError(f"{text!r} is not a SegWit address: its checksum is wrong; check it for typing errors")
    try:
        program = bytes(_regrouped(numbers[1:-6], 5, 8, pad=False))
    except ValueError:
        raise AddressError(f"{text!r} is not a SegWit address: its padding is wrong") from None
    if (version, len(program)) not in _SEGWIT:
        raise AddressError(
            f"{text!r} has SegWit version {version} and {len(program)} bytes; contracts know version 0 with 20 or 32 "
            "bytes, and version 1 with 32"
        )
    return version, program


def _segwit_encode(prefix: str, version: int, program: bytes) -> str:
    numbers = [version, *_regrouped(program, 8, 5, pad=True)]
    checked = _polymod([*_expanded(prefix), *numbers, *[0] * 6]) ^ (_BECH32 if version == 0 else _BECH32M)
    numbers += [(checked >> 5 * (5 - place)) & 31 for place in range(6)]
    return f"{prefix}1{''.join(_CHARSET[number] for number in numbers)}"


def _expanded(prefix: str) -> list[int]:
    return [*(ord(character) >> 5 for character in prefix), 0, *(ord(character) & 31 for character in prefix)]


def _polymod(values: Iterable[int]) -> int:
    checked = 1
    for value in values:
        top = checked >> 25
        checked = (checked & 0x1FFFFFF) << 5 ^ value
        for place, factor in enumerate(_GENERATOR):
            checked ^= factor if top >> place & 1 else 0
    return checked


def _regrouped(values: Iterable[int], size: int, to: int, *, pad: bool) -> list[int]:
    """Return numbers regrouped with another number of bits each; raises ValueError if the rest is not padding."""
    held = bits = 0
    out = []
    for value in values:
        held = held << size | value
        bits += size
        while bits >= to:
            bits -= to
            out.append(held >> bits & (1 << to) - 1)
    left = held & (1 << bits) - 1
    if pad:
        return [*out, left << to - bits] if bits else out
    if bits >= size or left:
        raise ValueError
    return out
