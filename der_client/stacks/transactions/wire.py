"""Reads and writes the small parts that payloads, post-conditions and authorizations share.

Readers take the whole input and an offset, and return the value and the offset after it. They never read past the
input, and accept only the one form that they would write.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeVar

from der_client.stacks.address import decode_c32_address, split_principal
from der_client.stacks.clarity.decoding import read_contract_principal, truncated
from der_client.stacks.clarity.names import MAX_CONTRACT_NAME_LENGTH, check_clarity_name, check_contract_name
from der_client.stacks.errors import DecodeError, EncodeError

if TYPE_CHECKING:
    from collections.abc import Mapping

Choice = TypeVar("Choice")

U16_MAX: Final = (1 << 16) - 1
U32_MAX: Final = (1 << 32) - 1
U64_MAX: Final = (1 << 64) - 1
_ADDRESS_LENGTH: Final = 21  # version and hash160
_CACHE_SIZE: Final = 16384


def read_bytes(data: bytes, offset: int, length: int, what: str) -> tuple[bytes, int]:
    """Read a field of fixed length.

    Args:
        data: The input.
        offset: Where the field starts.
        length: Its length in bytes.
        what: Its name, for the error.

    Returns:
        The field and the offset after it.

    Raises:
        DecodeError: If the input ends before it does.
    """
    end = offset + length
    if end > len(data):
        raise truncated(data, offset, length, what)
    return data[offset:end], end


def read_number(data: bytes, offset: int, length: int, what: str) -> tuple[int, int]:
    """Read an unsigned big-endian number.

    Args:
        data: The input.
        offset: Where it starts.
        length: Its length in bytes.
        what: Its name, for the error.

    Returns:
        The number and the offset after it.

    Raises:
        DecodeError: If the input ends before it does.
    """
    end = offset + length
    if end > len(data):
        raise truncated(data, offset, length, what)
    return int.from_bytes(data[offset:end]), end


def read_choice(data: bytes, offset: int, choices: Mapping[int, Choice], what: str) -> tuple[Choice, int]:
    """Read a byte that stands for one of several choices.

    Args:
        data: The input.
        offset: Where the byte is.
        choices: The meaning of each byte.
        what: The field's name, for the error.

    Returns:
        The choice and the offset after the byte.

    Raises:
        DecodeError: If the input ends, or the byte has no meaning.
    """
    try:
        return choices[data[offset]], offset + 1
    except IndexError:
        raise truncated(data, offset, 1, what) from None
    except KeyError:
        known = ", ".join(f"{byte:02x}" for byte in choices)
        raise DecodeError(f"{data[offset]:02x} is not a valid {what}; known are {known}", offset) from None


def read_count(data: bytes, offset: int, item_length: int, what: str) -> tuple[int, int]:
    """Read the number of items that follow.

    Args:
        data: The input.
        offset: Where the u32 is.
        item_length: The smallest length of an item in bytes.
        what: The items' name, for the error.

    Returns:
        The count and the offset after it.

    Raises:
        DecodeError: If the input ends, or the rest of it is too short for that many items.
    """
    end = offset + 4
    if end > len(data):
        raise truncated(data, offset, 4, f"the number of {what}")
    count = int.from_bytes(data[offset:end])
    if count * item_length > len(data) - end:
        raise DecodeError(
            f"{count} {what} need {count * item_length} bytes or more, {len(data) - end} are left", offset
        )
    return count, end


def read_contract(data: bytes, offset: int) -> tuple[str, int]:
    """Read a contract's address and name.

    Args:
        data: The input.
        offset: Where the address's version is.

    Returns:
        ``ADDRESS.name`` and the offset after it.

    Raises:
        DecodeError: If the input ends, or address or name (1-40 characters) are invalid.
    """
    name_at = offset + _ADDRESS_LENGTH
    end = name_at + 1 + (data[name_at] if name_at < len(data) else 0)
    text = _known_contract(data[offset:end])
    if text is None:
        return _read_new_contract(data, offset)
    return text, end


def write_contract(contract: str) -> bytes:
    """Write a contract's address and name.

    Args:
        contract: ``ADDRESS.name``.

    Returns:
        Version, hash160, the name's length and the name.

    Raises:
        AddressError: If the address is invalid.
        EncodeError: If the name is missing or invalid.
    """
    return _contract_parts(contract)[1]


def canonical_contract(contract: str) -> str:
    """Check a contract's id.

    Args:
        contract: ``ADDRESS.name``.

    Returns:
        The same, with the address in its canonical spelling.

    Raises:
        AddressError: If the address is invalid.
        EncodeError: If the name is missing or invalid.
    """
    return _contract_parts(contract)[0]


@lru_cache(maxsize=_CACHE_SIZE)
def write_name(name: str) -> bytes:
    """Write a Clarity name.

    Args:
        name: The name of a function or an asset.

    Returns:
        Its length and the name.

    Raises:
        EncodeError: If it is not a Clarity name.
    """
    return bytes((len(check_clarity_name(name)),)) + name.encode()


@lru_cache(maxsize=_CACHE_SIZE)
def _contract_parts(contract: str) -> tuple[str, bytes]:
    address, name = split_principal(contract)
    if name is None:
        raise EncodeError(f"{contract!r} names an account; a contract is ADDRESS.name")
    version, hash160 = decode_c32_address(address)
    wire = bytes((version,)) + hash160 + bytes((len(check_contract_name(name)),)) + name.encode()
    return f"{address}.{name}", wire


@lru_cache(maxsize=_CACHE_SIZE)
def _known_contract(wire: bytes) -> str | None:
    """Read bytes with a contract's address and name; None if they are incomplete or invalid."""
    try:
        return _read_new_contract(wire, 0)[0]
    except DecodeError:
        return None


def _read_new_contract(data: bytes, offset: int) -> tuple[str, int]:
    text, end = read_contract_principal(data, offset)
    length = data[offset + _ADDRESS_LENGTH]
    if length > MAX_CONTRACT_NAME_LENGTH:
        raise DecodeError(
            f"a contract's name has at most {MAX_CONTRACT_NAME_LENGTH} characters, not {length}",
            offset + _ADDRESS_LENGTH,
        )
    return text, end
