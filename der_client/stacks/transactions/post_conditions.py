"""Conditions on the assets that a transaction moves; if one is not met, everything except the fee is rolled back.

A post-condition is about one principal: how much of an asset it sends (STX, fungible, staked) or whether it sends one
(non-fungible). ``ORIGIN`` stands for the signer of the transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, Literal

from der_client.stacks.address import check_network, split_principal
from der_client.stacks.checks import check_enum, check_kind, check_number
from der_client.stacks.clarity import ClarityValue, encode, encode_principal
from der_client.stacks.clarity.decoding import read_name, read_standard_principal, read_value
from der_client.stacks.clarity.wire import MAX_ARGUMENT_DEPTH
from der_client.stacks.errors import AddressError, EncodeError, whole
from der_client.stacks.transactions.codes import FungibleCode, NonFungibleCode, PoxCode
from der_client.stacks.transactions.wire import (
    U64_MAX,
    canonical_contract,
    read_choice,
    read_contract,
    read_number,
    write_contract,
    write_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from der_client.stacks.network import Network


class Origin(Enum):
    """The type of ``ORIGIN``."""

    ORIGIN = "origin"

    @whole
    def __repr__(self) -> str:
        """Show the name by which it is used."""
        return "ORIGIN"


ORIGIN: Final = Origin.ORIGIN
"""In a post-condition: the account that signs the transaction (not its sponsor)."""

Principal = str | Literal[Origin.ORIGIN]


@dataclass(frozen=True, slots=True)
class StxPostCondition:
    """How many µSTX a principal sends or burns in total.

    Attributes:
        principal: An account, a contract (``ADDRESS.name``) or ``ORIGIN``.
        code: How the sum must compare.
        amount: The amount to compare with, in µSTX.

    Raises:
        AddressError: If the principal is invalid.
        InvalidValueError: If the amount is not in 0..2⁶⁴ - 1, or the code is not valid.
    """

    principal: Principal
    code: FungibleCode
    amount: int

    def __post_init__(self) -> None:
        """Check the fields."""
        _check_principal(self)
        _check_amount(self)

    def encode(self) -> bytes:
        """Return the post-condition's bytes."""
        return b"\x00" + _encode_principal(self.principal) + _encode_amount(self)


@dataclass(frozen=True, slots=True)
class FtPostCondition:
    """How much of a fungible token a principal sends or burns in total.

    Attributes:
        principal: An account, a contract (``ADDRESS.name``) or ``ORIGIN``.
        asset: The token: ``ADDRESS.contract::token``.
        code: How the sum must compare.
        amount: The amount to compare with, in the token's smallest unit.

    Raises:
        AddressError: If the principal or the token's address is invalid.
        EncodeError: If the token's id is malformed.
        InvalidValueError: If the amount is not in 0..2⁶⁴ - 1, or the code is not valid.
    """

    principal: Principal
    asset: str
    code: FungibleCode
    amount: int

    def __post_init__(self) -> None:
        """Check the fields."""
        _check_principal(self)
        _check_asset(self)
        _check_amount(self)

    def encode(self) -> bytes:
        """Return the post-condition's bytes."""
        return b"\x01" + _encode_principal(self.principal) + _encode_asset(self.asset) + _encode_amount(self)


@dataclass(frozen=True, slots=True)
class NftPostCondition:
    """Whether a principal sends a non-fungible token.

    Attributes:
        principal: An account, a contract (``ADDRESS.name``) or ``ORIGIN``.
        asset: The kind of token: ``ADDRESS.contract::token``.
        value: The token's identifier.
        code: What must happen to it.

    Raises:
        AddressError: If the principal or the token's address is invalid.
        EncodeError: If the token's id is malformed, or the value is not a Clarity value.
        InvalidValueError: If the code is not valid.
    """

    principal: Principal
    asset: str
    value: ClarityValue
    code: NonFungibleCode

    def __post_init__(self) -> None:
        """Check the fields."""
        _check_principal(self)
        _check_asset(self)
        if not isinstance(self.value, ClarityValue):
            raise EncodeError(f"value must be a Clarity value, got {type(self.value).__name__}")
        check_enum(self.code, NonFungibleCode, "code")

    def encode(self) -> bytes:
        """Return the post-condition's bytes.

        Raises:
            EncodeError: If the value is nested deeper than a node accepts.
        """
        asset = _encode_asset(self.asset)
        return b"".join(
            (
                b"\x02",
                _encode_principal(self.principal),
                asset,
                encode(self.value, MAX_ARGUMENT_DEPTH),
                bytes((self.code,)),
            )
        )


@dataclass(frozen=True, slots=True)
class StakingPostCondition:
    """How many µSTX a principal locks for staking (SIP-044, since epoch 4.0).

    Attributes:
        principal: An account, a contract (``ADDRESS.name``) or ``ORIGIN``.
        code: How the sum must compare.
        amount: The amount to compare with, in µSTX.

    Raises:
        AddressError: If the principal is invalid.
        InvalidValueError: If the amount is not in 0..2⁶⁴ - 1, or the code is not valid.
    """

    principal: Principal
    code: FungibleCode
    amount: int

    def __post_init__(self) -> None:
        """Check the fields."""
        _check_principal(self)
        _check_amount(self)

    def encode(self) -> bytes:
        """Return the post-condition's bytes."""
        return b"\x03" + _encode_principal(self.principal) + _encode_amount(self)


@dataclass(frozen=True, slots=True)
class PoxPostCondition:
    """Whether a principal changes its stacking (SIP-044, since epoch 4.0).

    Attributes:
        principal: An account, a contract (``ADDRESS.name``) or ``ORIGIN``.
        code: Whether it may or must.

    Raises:
        AddressError: If the principal is invalid.
        InvalidValueError: If the code is not valid.
    """

    principal: Principal
    code: PoxCode

    def __post_init__(self) -> None:
        """Check the fields."""
        _check_principal(self)
        check_enum(self.code, PoxCode, "code")

    def encode(self) -> bytes:
        """Return the post-condition's bytes."""
        return b"\x04" + _encode_principal(self.principal) + bytes((self.code,))


PostCondition = StxPostCondition | FtPostCondition | NftPostCondition | StakingPostCondition | PoxPostCondition
MIN_POST_CONDITION_LENGTH: Final = 3  # type, principal ORIGIN, code


def read_post_condition(data: bytes, offset: int) -> tuple[PostCondition, int]:
    """Read a post-condition.

    Args:
        data: The input.
        offset: Where its type is.

    Returns:
        The post-condition and the offset after it.

    Raises:
        DecodeError: If it is not well-formed.
    """
    read, offset = read_choice(data, offset, _READERS, "type of post-condition")
    read_principal, offset = read_choice(data, offset, _PRINCIPAL_READERS, "type of a post-condition's principal")
    principal, offset = read_principal(data, offset)
    return read(principal, data, offset)


def read_post_conditions(data: bytes, offset: int, count: int) -> tuple[tuple[PostCondition, ...], int]:
    """Read consecutive post-conditions.

    Args:
        data: The input.
        offset: Where the first one starts.
        count: How many there are.

    Returns:
        The post-conditions and the offset after them.

    Raises:
        DecodeError: If one is not well-formed.
    """
    post_conditions = []
    for _ in range(count):
        post_condition, offset = read_post_condition(data, offset)
        post_conditions.append(post_condition)
    return tuple(post_conditions), offset


def check_post_condition_network(condition: PostCondition, network: Network) -> None:
    """Refuse a post-condition that names principals of another network.

    Args:
        condition: The post-condition.
        network: The network it is used on.

    Raises:
        AddressError: If one belongs to another network; the text names both networks.
    """
    if not isinstance(condition, PostCondition):
        raise EncodeError(f"post_conditions: {condition!r} is not a post-condition")
    if condition.principal is not ORIGIN:
        check_network(condition.principal, network, "post-condition's principal")
    if isinstance(condition, FtPostCondition | NftPostCondition):
        check_network(condition.asset.partition("::")[0], network, "post-condition's asset")


def _check_principal(condition: PostCondition) -> None:
    if condition.principal is ORIGIN:
        return
    check_kind(condition.principal, str, "principal", "give the text of an address, or ORIGIN", AddressError)
    address, name = split_principal(condition.principal)
    canonical = address if name is None else canonical_contract(condition.principal)
    object.__setattr__(condition, "principal", canonical)


def _check_asset(condition: FtPostCondition | NftPostCondition) -> None:
    check_kind(condition.asset, str, "asset", "write ADDRESS.contract::token", EncodeError)
    contract, colons, name = condition.asset.partition("::")
    if not colons:
        raise EncodeError(f"asset: {condition.asset!r} is not an asset; expected ADDRESS.contract::token")
    write_name(name)
    object.__setattr__(condition, "asset", f"{canonical_contract(contract)}::{name}")


def _check_amount(condition: StxPostCondition | FtPostCondition | StakingPostCondition) -> None:
    check_enum(condition.code, FungibleCode, "code")
    check_number(condition.amount, 0, U64_MAX, "amount")


def _encode_principal(principal: Principal) -> bytes:
    if principal is ORIGIN:
        return b"\x01"
    if "." in principal:
        return b"\x03" + write_contract(principal)
    return b"\x02" + encode_principal(principal)[1:]


def _encode_asset(asset: str) -> bytes:
    contract, _, name = asset.partition("::")
    return write_contract(contract) + write_name(name)


def _encode_amount(condition: StxPostCondition | FtPostCondition | StakingPostCondition) -> bytes:
    return bytes((condition.code,)) + condition.amount.to_bytes(8)


def _read_origin(_data: bytes, offset: int) -> tuple[Principal, int]:
    return ORIGIN, offset


def _read_asset(data: bytes, offset: int) -> tuple[str, int]:
    contract, offset = read_contract(data, offset)
    name, offset = read_name(data, offset)
    return f"{contract}::{name}", offset


def _read_amount(data: bytes, offset: int) -> tuple[FungibleCode, int, int]:
    code, offset = read_choice(data, offset, _FUNGIBLE_CODES, "condition code of an amount")
    amount, offset = read_number(data, offset, 8, "the amount of a post-condition")
    return code, amount, offset


def _read_stx(principal: Principal, data: bytes, offset: int) -> tuple[PostCondition, int]:
    code, amount, offset = _read_amount(data, offset)
    return StxPostCondition(principal, code, amount), offset


def _read_ft(principal: Principal, data: bytes, offset: int) -> tuple[PostCondition, int]:
    asset, offset = _read_asset(data, offset)
    code, amount, offset = _read_amount(data, offset)
    return FtPostCondition(principal, asset, code, amount), offset


def _read_nft(principal: Principal, data: bytes, offset: int) -> tuple[PostCondition, int]:
    asset, offset = _read_asset(data, offset)
    value, offset = read_value(data, offset, MAX_ARGUMENT_DEPTH)
    code, offset = read_choice(data, offset, _NON_FUNGIBLE_CODES, "condition code of a non-fungible token")
    return NftPostCondition(principal, asset, value, code), offset


def _read_staking(principal: Principal, data: bytes, offset: int) -> tuple[PostCondition, int]:
    code, amount, offset = _read_amount(data, offset)
    return StakingPostCondition(principal, code, amount), offset


def _read_pox(principal: Principal, data: bytes, offset: int) -> tuple[PostCondition, int]:
    code, offset = read_choice(data, offset, _POX_CODES, "condition code of stacking")
    return PoxPostCondition(principal, code), offset


_FUNGIBLE_CODES: Final = {code.value: code for code in FungibleCode}
_NON_FUNGIBLE_CODES: Final = {code.value: code for code in NonFungibleCode}
_POX_CODES: Final = {code.value: code for code in PoxCode}
_PRINCIPAL_READERS: Final[dict[int, Callable[[bytes, int], tuple[Principal, int]]]] = {
    1: _read_origin,
    2: read_standard_principal,
    3: read_contract,
}
_READERS: Final[dict[int, Callable[[Principal, bytes, int], tuple[PostCondition, int]]]] = {
    0: _read_stx,
    1: _read_ft,
    2: _read_nft,
    3: _read_staking,
    4: _read_pox,
}
