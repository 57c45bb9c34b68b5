"""The endpoints of version 3 of the Stacks API, whose lists go by cursors.

Source: stacks-blockchain-api v9, which has taken those of version 1 that they replace out of its description.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from der_client.stacks.address import canonical_principal
from der_client.stacks.rpc.answers import (
    ContractLogEvent,
    Event,
    FungibleTokenEvent,
    Nonces,
    NonFungibleTokenEvent,
    OtherEvent,
    StxEvent,
    TransactionInfo,
    TransactionReceipt,
)
from der_client.stacks.rpc.api import read_status, read_time, read_vm_error
from der_client.stacks.rpc.endpoint import Answer, Endpoint, Request
from der_client.stacks.rpc.node import check_txid, read_cost

if TYPE_CHECKING:
    from der_client.stacks.rpc.fields import Fields

MAX_LIMIT: Final = 100


class StxBalance(NamedTuple):
    """All STX of a principal, and how many of them are locked, in µSTX."""

    balance_ustx: int
    locked_ustx: int


class Page(NamedTuple):
    """A page of a list.

    Attributes:
        items: As they came; by kind of list, events or pairs of an asset's id and an amount.
        total: How many there are in all.
        next_cursor: Where the next page begins; ``None`` on the last.
    """

    items: tuple[Any, ...]
    total: int
    next_cursor: str | None


def transaction(txid: str) -> Endpoint[TransactionInfo]:
    """``GET /extended/v3/transactions/{txid}`` with the result, without events; dropped ones are not found."""
    known = check_txid(txid)
    request = Request("GET", f"/extended/v3/transactions/0x{known}", (("include", "result"),))
    return Endpoint(request, partial(_read_transaction, known))


def events(txid: str, *, limit: int = MAX_LIMIT, cursor: str | None = None) -> Endpoint[Page]:
    """``GET /extended/v3/transactions/{txid}/events``: of a mined transaction, in order."""
    known = check_txid(txid)
    path = f"/extended/v3/transactions/0x{known}/events"
    return Endpoint(Request("GET", path, _page(limit, cursor)), partial(_read_events, known))


def nonces(principal: str) -> Endpoint[Nonces]:
    """``GET /extended/v3/principals/{principal}/nonces``."""
    return Endpoint(Request("GET", f"{_path(principal)}/nonces"), _read_nonces)


def stx_balance(principal: str) -> Endpoint[StxBalance]:
    """``GET /extended/v3/principals/{principal}/balances/stx``."""
    return Endpoint(Request("GET", f"{_path(principal)}/balances/stx"), _read_stx)


def fungible_balances(principal: str, *, cursor: str | None = None) -> Endpoint[Page]:
    """``GET /extended/v3/principals/{principal}/balances/ft``."""
    request = Request("GET", f"{_path(principal)}/balances/ft", _page(MAX_LIMIT, cursor))
    return Endpoint(request, partial(_read_page, read=lambda item: (_asset(item), item.amount("balance"))))


def non_fungible_balances(principal: str, *, cursor: str | None = None) -> Endpoint[Page]:
    """``GET /extended/v3/principals/{principal}/balances/nft``: one item for each token."""
    request = Request("GET", f"{_path(principal)}/balances/nft", _page(MAX_LIMIT, cursor))
    return Endpoint(request, partial(_read_page, read=lambda item: (_asset(item), 1)))


def _path(principal: str) -> str:
    return f"/extended/v3/principals/{canonical_principal(principal)}"


def _page(limit: int, cursor: str | None) -> tuple[tuple[str, str], ...]:
    query = (("limit", str(limit)),)
    return query if cursor is None else (*query, ("cursor", cursor))


def _asset(item: Fields) -> str:
    return item.text("asset_identifier")


def _read_page(answer: Answer, read: Any) -> Page:
    fields = answer.fields()
    return Page(
        items=tuple(read(item) for item in fields.items("results")),
        total=fields.unsigned("total"),
        next_cursor=fields.fields("cursor").optional_text("next"),
    )


def _read_transaction(txid: str, answer: Answer) -> TransactionInfo:
    fields = answer.fields()
    if fields.hash_text("tx_id") != txid:
        raise fields.error("tx_id", f"the transaction asked for, {txid}")
    status = read_status(fields, "status")
    type_ = fields.text("type")
    sender = fields.fields("sender")
    subject = fields.fields(type_) if type_ in ("contract_call", "smart_contract") else None
    known: dict[str, Any] = {
        "txid": txid,
        "status": status,
        "type": type_,
        "sender": sender.text("address"),
        "nonce": sender.unsigned("nonce"),
        "sponsor": fields.fields("sponsor").text("address") if "sponsor" in fields else None,
        "fee_ustx": fields.amount("fee_rate"),
        "is_canonical": True,  # others are not shown
        "events": (),
        "cost": read_cost(fields.fields("execution_cost")) if "execution_cost" in fields else None,
        "burn_block_height": fields.fields("bitcoin_block").unsigned("height") if "bitcoin_block" in fields else None,
        "vm_error": read_vm_error(fields),
        "contract_id": subject.text("contract_id") if subject else None,
        "function": subject.text("function_name") if subject and type_ == "contract_call" else None,
        "event_count": fields.optional_unsigned("event_count") or 0,
    }
    if not status.is_mined:
        return TransactionInfo(**known, raw_result=None, block_height=None, block_hash=None, block_time=None)
    block = fields.fields("block")
    return TransactionReceipt(
        **known,
        raw_result=fields.fields("result").hex_bytes("hex"),
        block_height=block.unsigned("height"),
        block_hash=block.hash_text("hash"),
        block_time=read_time(block, "time"),
    )


def _read_events(txid: str, answer: Answer) -> Page:
    return _read_page(answer, partial(_read_event, txid))


def _read_event(txid: str, fields: Fields) -> Event:
    kind = fields.text("type")
    index = fields.unsigned("event_index")
    if kind == "contract_log":
        log = fields.fields("contract_log")
        raw = log.fields("value").hex_bytes("hex")
        return ContractLogEvent(log.text("contract_id"), log.text("topic"), raw, txid, index)
    if kind not in ("stx_asset", "ft_asset", "nft_asset"):
        return OtherEvent(event_type=kind, txid=txid, event_index=index, data=fields.values)
    asset = fields.fields(kind)
    moved: dict[str, Any] = {
        "action": asset.text("type"),
        "sender": asset.optional_text("sender") or "",
        "recipient": asset.optional_text("recipient") or "",
        "txid": txid,
        "event_index": index,
    }
    if kind == "stx_asset":
        memo = asset.fields("memo").hex_bytes("hex") if "memo" in asset else b""
        return StxEvent(**moved, amount_ustx=asset.amount("amount"), memo=memo.rstrip(b"\x00"))
    if kind == "ft_asset":
        return FungibleTokenEvent(**moved, asset_id=_asset(asset), amount=asset.amount("amount"))
    return NonFungibleTokenEvent(**moved, asset_id=_asset(asset), raw_value=asset.fields("value").hex_bytes("hex"))


def _read_nonces(answer: Answer) -> Nonces:
    fields = answer.fields()
    mempool = fields.fields("mempool")
    return Nonces(
        last_executed=fields.optional_unsigned("last_confirmed_nonce"),
        last_in_mempool=mempool.optional_unsigned("last_nonce"),
        possible_next=fields.unsigned("next_nonce"),
        missing=mempool.integers("missing_nonces"),
        in_mempool=mempool.integers("pending_nonces"),
    )


def _read_stx(answer: Answer) -> StxBalance:
    fields = answer.fields()
    locked = fields.fields("locked").amount("amount") if "locked" in fields else 0
    return StxBalance(fields.amount("balance"), locked)
