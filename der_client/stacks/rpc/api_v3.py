"""The endpoints of version 3 of the Stacks API, whose lists use cursors.

Source: stacks-blockchain-api v9, whose description no longer has the endpoints of version 1 that these replace.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar, Final, Generic, TypeVar

from der_client.stacks.address import canonical_principal
from der_client.stacks.rpc.api import of_transaction, read_transaction
from der_client.stacks.rpc.endpoint import Endpoint, HttpResponse, Request, reads
from der_client.stacks.rpc.fields import Amount, Unsigned, at, read_as
from der_client.stacks.rpc.node import check_txid
from der_client.stacks.rpc.responses import AnyEvent, Nonces, TransactionInfo

MAX_LIMIT: Final = 100

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class StxBalance:
    """All STX of a principal, and how many of them are locked, in µSTX."""

    balance_ustx: Annotated[Amount, at("balance")]
    locked_ustx: Annotated[Amount, at("locked.amount", default=0)]


@dataclass(frozen=True, slots=True)
class TokenBalance:
    """How much of a fungible token a principal owns."""

    asset_id: Annotated[str, at("asset_identifier")]
    amount: Annotated[Amount, at("balance")]


@dataclass(frozen=True, slots=True)
class OwnedToken:
    """A non-fungible token that a principal owns."""

    asset_id: Annotated[str, at("asset_identifier")]
    amount: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A page of a list.

    Attributes:
        items: The items, as received.
        total: How many there are in all.
        next_cursor: Where the next page begins; ``None`` on the last.
    """

    items: Annotated[tuple[Item, ...], at("results")]
    total: Unsigned
    next_cursor: Annotated[str | None, at("cursor.next")]


def transaction(txid: str) -> Endpoint[TransactionInfo]:
    """``GET /extended/v3/transactions/{txid}`` with the result, without events; dropped ones are not found."""
    known = check_txid(txid)
    request = Request("GET", f"/extended/v3/transactions/0x{known}", (("include", "result"),))
    return Endpoint(request, partial(read_transaction, known))


def events(txid: str, *, limit: int = MAX_LIMIT, cursor: str | None = None) -> Endpoint[Page[AnyEvent]]:
    """``GET /extended/v3/transactions/{txid}/events``: of a mined transaction, in order."""
    known = check_txid(txid)
    path = f"/extended/v3/transactions/0x{known}/events"
    return Endpoint(Request("GET", path, _page(limit, cursor)), partial(_read_events, known))


def nonces(principal: str) -> Endpoint[Nonces]:
    """``GET /extended/v3/principals/{principal}/nonces``."""
    return Endpoint(Request("GET", f"{_path(principal)}/nonces"), reads(Nonces))


def stx_balance(principal: str) -> Endpoint[StxBalance]:
    """``GET /extended/v3/principals/{principal}/balances/stx``."""
    return Endpoint(Request("GET", f"{_path(principal)}/balances/stx"), reads(StxBalance))


def fungible_balances(principal: str, *, cursor: str | None = None) -> Endpoint[Page[TokenBalance]]:
    """``GET /extended/v3/principals/{principal}/balances/ft``."""
    request = Request("GET", f"{_path(principal)}/balances/ft", _page(MAX_LIMIT, cursor))
    return Endpoint(request, reads(Page[TokenBalance]))


def non_fungible_balances(principal: str, *, cursor: str | None = None) -> Endpoint[Page[OwnedToken]]:
    """``GET /extended/v3/principals/{principal}/balances/nft``: one item for each token."""
    request = Request("GET", f"{_path(principal)}/balances/nft", _page(MAX_LIMIT, cursor))
    return Endpoint(request, reads(Page[OwnedToken]))


def _path(principal: str) -> str:
    return f"/extended/v3/principals/{canonical_principal(principal)}"


def _page(limit: int, cursor: str | None) -> tuple[tuple[str, str], ...]:
    query = (("limit", str(limit)),)
    return query if cursor is None else (*query, ("cursor", cursor))


def _read_events(txid: str, response: HttpResponse) -> Page[AnyEvent]:
    values = response.json()
    if isinstance(values, dict) and isinstance(values.get("results"), list):
        values = {**values, "results": [of_transaction(event, txid) for event in values["results"]]}
    return read_as(Page[AnyEvent], values, response.url)
