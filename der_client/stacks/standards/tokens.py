"""The token interfaces: non-fungible (SIP-009), fungible (SIP-010) and semi-fungible (SIP-013).

Bind one to any contract that has it: ``Sip010.at(client, "ADDRESS.name", account)``. A transfer's post-conditions allow
exactly its amount of the token that the contract defines; for a contract that defines none, or several with other names
than its own, use ``send(post_conditions=…)``. Error codes are the contract's own, so they have no names here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from der_client.stacks.clarity import AsciiType, BufferType, UIntValue, Utf8Type
from der_client.stacks.contract import Contract, Event, Principal, UInt, public, read_only
from der_client.stacks.standards.known_tokens import SBTC, USDCX
from der_client.stacks.transactions import FtPostCondition, FungibleCode, NftPostCondition, NonFungibleCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.stacks.transactions import PostCondition

Memo = Annotated[bytes, BufferType(34)]
Uri = Annotated[str, AsciiType(256)]


class TokenMemo(Event, whole=True):
    """The memo of a transfer, which the contract prints."""

    memo: Memo


class SemiFungibleTransfer(Event, where={"type": "sft_transfer"}):
    """A semi-fungible token moved."""

    token_id: UInt
    amount: UInt
    sender: Principal
    recipient: Principal


class SemiFungibleMint(Event, where={"type": "sft_mint"}):
    """A semi-fungible token was minted."""

    token_id: UInt
    amount: UInt
    recipient: Principal


class SemiFungibleBurn(Event, where={"type": "sft_burn"}):
    """A semi-fungible token was burned."""

    token_id: UInt
    amount: UInt
    sender: Principal


def _asset_of(contract: Contract, tokens: Sequence[str]) -> str | None:
    """Return the token that a contract's transfer moves: its only one, the known one, or the one with its name."""
    known = [token.asset for token in (SBTC, USDCX) if contract.contract_id in token.contract_ids.values()]
    for name in tokens if len(tokens) == 1 else (*known, contract.name):
        if name in tokens:
            return f"{contract.contract_id}::{name}"
    return None


def _fungible(contract: Contract, amount: int, sender: str, *_: Any) -> Sequence[PostCondition]:
    asset = _asset_of(contract, contract.client.contract_interface(contract.contract_id).fungible_tokens)
    return () if asset is None else (FtPostCondition(sender, asset, FungibleCode.EQUAL, amount),)


def _non_fungible(contract: Contract, token_id: int, sender: str, *_: Any) -> Sequence[PostCondition]:
    asset = _asset_of(contract, tuple(contract.client.contract_interface(contract.contract_id).non_fungible_tokens))
    return () if asset is None else (NftPostCondition(sender, asset, UIntValue(token_id), NonFungibleCode.SENT),)


def _semi_fungible(contract: Contract, _token_id: int, amount: int, sender: str, *_: Any) -> Sequence[PostCondition]:
    return _fungible(contract, amount, sender)


class Sip009(Contract):
    """A collection of non-fungible tokens (SIP-009)."""

    @read_only
    def get_last_token_id(self) -> UInt:
        """Return the highest id so far."""

    @read_only
    def get_token_uri(self, token_id: UInt) -> Uri | None:
        """Return the address of a token's description, or ``None``."""

    @read_only
    def get_owner(self, token_id: UInt) -> Principal | None:
        """Return the owner of a token, or ``None``."""

    @public(moves=_non_fungible)
    def transfer(self, token_id: UInt, sender: Principal, recipient: Principal) -> bool:
        """Transfer a token to another address."""


class Sip010(Contract, events=(TokenMemo,)):
    """A fungible token (SIP-010)."""

    @public(moves=_fungible)
    def transfer(self, amount: UInt, sender: Principal, recipient: Principal, memo: Memo | None = None) -> bool:
        """Send an amount, in the token's smallest unit, with a public memo of up to 34 bytes."""

    @read_only
    def get_name(self) -> Annotated[str, AsciiType(32)]:
        """Return the name."""

    @read_only
    def get_symbol(self) -> Annotated[str, AsciiType(32)]:
        """Return the symbol."""

    @read_only
    def get_decimals(self) -> UInt:
        """Return how many digits of an amount are after the decimal point."""

    @read_only
    def get_balance(self, who: Principal) -> UInt:
        """Return an address's balance, in the smallest unit."""

    @read_only
    def get_total_supply(self) -> UInt:
        """Return the total supply, in the smallest unit."""

    @read_only
    def get_token_uri(self) -> Annotated[str, Utf8Type(256)] | None:
        """Return the address of the token's description, or ``None``."""


class Sip013(Contract, events=(SemiFungibleTransfer, SemiFungibleMint, SemiFungibleBurn, TokenMemo)):
    """Semi-fungible tokens (SIP-013): many fungible ones in a contract, by id."""

    @read_only
    def get_balance(self, token_id: UInt, who: Principal) -> UInt:
        """Return an address's balance of a token."""

    @read_only
    def get_overall_balance(self, who: Principal) -> UInt:
        """Return an address's balance of all tokens."""

    @read_only
    def get_total_supply(self, token_id: UInt) -> UInt:
        """Return the total supply of a token."""

    @read_only
    def get_overall_supply(self) -> UInt:
        """Return the total supply of all tokens."""

    @read_only
    def get_decimals(self, token_id: UInt) -> UInt:
        """Return how many digits of an amount are after the decimal point."""

    @read_only
    def get_token_uri(self, token_id: UInt) -> Uri | None:
        """Return the address of a token's description, or ``None``."""

    @public(moves=_semi_fungible)
    def transfer(self, token_id: UInt, amount: UInt, sender: Principal, recipient: Principal) -> bool:
        """Send an amount of a token."""

    @public(moves=_semi_fungible)
    def transfer_memo(self, token_id: UInt, amount: UInt, sender: Principal, recipient: Principal, memo: Memo) -> bool:
        """Send an amount of a token, with a public memo of up to 34 bytes."""
