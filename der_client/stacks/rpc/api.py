"""The endpoints of the Stacks API (``/extended``) that this client uses; the embedded devnet serves them too.

Source: stacks-blockchain-api v9. Errors are JSON ``{error, message?}``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from der_client.stacks.address import canonical_principal
from der_client.stacks.checks import check_number
from der_client.stacks.rpc.answers import (
    Balances,
    Block,
    BlockPage,
    ContractLogEvent,
    ContractLogPage,
    Event,
    FungibleTokenEvent,
    MinedNonce,
    Nonces,
    NonFungibleTokenEvent,
    OtherEvent,
    StxEvent,
    TransactionInfo,
    TransactionReceipt,
    TransactionStatus,
    utc,
)
from der_client.stacks.rpc.endpoint import Answer, Endpoint, Request
from der_client.stacks.rpc.node import check_txid, read_cost, split_contract_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from der_client.stacks.rpc.fields import Fields

EVENTS_PER_PAGE: Final = 100
_LATEST_UNIX_SECONDS: Final = 253_402_300_799  # the last second of the year 9999, where datetime ends


def transaction(txid: str, *, event_offset: int = 0) -> Endpoint[TransactionInfo]:
    """``GET /extended/v1/tx/{txid}``; `NotFoundError` if the API has never seen it.

    Args:
        txid: 64 hexadecimal digits, 0x allowed.
        event_offset: How many events to skip; an answer carries at most `EVENTS_PER_PAGE`.
    """
    known_txid = check_txid(txid)
    query = (("event_offset", str(event_offset)), ("event_limit", str(EVENTS_PER_PAGE))) if event_offset else ()
    return Endpoint(Request("GET", f"/extended/v1/tx/0x{known_txid}", query), partial(_read_transaction, known_txid))


def nonces(principal: str) -> Endpoint[Nonces]:
    """``GET /extended/v1/address/{principal}/nonces``."""
    return Endpoint(Request("GET", f"/extended/v1/address/{canonical_principal(principal)}/nonces"), _read_nonces)


def balances(principal: str) -> Endpoint[Balances]:
    """``GET /extended/v1/address/{principal}/balances``."""
    return Endpoint(Request("GET", f"/extended/v1/address/{canonical_principal(principal)}/balances"), _read_balances)


def block(height_or_hash: int | str = "latest") -> Endpoint[Block]:
    """``GET /extended/v2/blocks/{height, hash or latest}``; the time of the latest one is the chain's time.

    Raises:
        InvalidValueError: If it is neither a height of at least 0, nor a hash, nor ``latest``.
    """
    if isinstance(height_or_hash, int):
        name = str(check_number(height_or_hash, 0, None, "block height"))
    else:
        name = height_or_hash if height_or_hash == "latest" else f"0x{check_txid(height_or_hash)}"
    return Endpoint(Request("GET", f"/extended/v2/blocks/{name}"), lambda answer: _read_block(answer.fields()))


def blocks(limit: int = 20, offset: int = 0) -> Endpoint[BlockPage]:
    """``GET /extended/v2/blocks``: newest first.

    Args:
        limit: How many; 1 to 30 on public networks.
        offset: How many of the newest to skip.
    """
    query = (("limit", str(limit)), ("offset", str(offset)))
    return Endpoint(Request("GET", "/extended/v2/blocks", query), _read_blocks)


def block_transactions(height: int, *, limit: int = 50, offset: int = 0) -> Endpoint[tuple[MinedNonce, ...]]:
    """``GET /extended/v2/blocks/{height}/transactions``: which accounts used which nonces in a block.

    Args:
        height: Of the block; `NotFoundError` if there is none yet.
        limit: How many; 1 to 50 on public networks.
        offset: How many to skip.
    """
    query = (("limit", str(limit)), ("offset", str(offset)))
    return Endpoint(Request("GET", f"/extended/v2/blocks/{height}/transactions", query), _read_block_transactions)


def contract_logs(
    contract_id: str, *, limit: int = 50, offset: int = 0, cursor: str | None = None
) -> Endpoint[ContractLogPage]:
    """``GET /extended/v2/smart-contracts/{id}/logs``: what a contract printed, newest first.

    Args:
        contract_id: ``ADDRESS.name``.
        limit: How many; 1 to 100.
        offset: How many of the newest to skip.
        cursor: Where to begin, from the page before; then ``offset`` counts from there.
    """
    identifier = ".".join(split_contract_id(contract_id))
    query = [("limit", str(limit))]
    if offset:
        query.append(("offset", str(offset)))
    if cursor is not None:
        query.append(("cursor", cursor))
    return Endpoint(Request("GET", f"/extended/v2/smart-contracts/{identifier}/logs", tuple(query)), _read_logs)


def read_events(items: list[Fields], txid: str) -> tuple[Event, ...]:
    """Read the events of one transaction.

    Args:
        items: As the API lists them.
        txid: The transaction, for events that do not repeat it.
    """
    return tuple(_read_event(fields, txid) for fields in items)


def read_vm_error(fields: Fields) -> str | None:
    """Read the VM's own words, and where the failing expression is, which only the embedded devnet says."""
    text = fields.optional_text("vm_error")
    if text is None or "vm_error_at" not in fields:
        return text
    place = fields.fields("vm_error_at")
    function = f"{place.text('contract_id')}.{place.text('function_name')}"
    where = f"{function}, line {place.unsigned('line')}, column {place.unsigned('column')}: {place.text('expression')}"
    name, _, rest = text.partition("\n")
    return f"{name}\n in {where}\n{rest}"


def read_status(fields: Fields, name: str) -> TransactionStatus:
    """Read the API's word for what became of a transaction."""
    try:
        return TransactionStatus(fields.text(name))
    except ValueError:
        raise fields.error(name, f"one of {', '.join(TransactionStatus)}") from None


def read_time(fields: Fields, name: str) -> datetime:
    """Read a moment in Unix seconds."""
    seconds = fields.unsigned(name)
    if seconds > _LATEST_UNIX_SECONDS:
        raise fields.error(name, "Unix seconds before the year 10000")
    return utc(seconds)


def _read_transaction(txid: str, answer: Answer) -> TransactionInfo:
    fields = answer.fields()
    if fields.hash_text("tx_id") != txid:
        raise fields.error("tx_id", f"the transaction asked for, {txid}")
    status = read_status(fields, "tx_status")
    type_ = fields.text("tx_type")
    contract_id, function = _subject(fields, type_)
    known: dict[str, Any] = {
        "txid": txid,
        "status": status,
        "type": type_,
        "sender": fields.text("sender_address"),
        "nonce": fields.unsigned("nonce"),
        "sponsor": fields.optional_text("sponsor_address"),
        "fee_ustx": fields.amount("fee_rate"),
        "is_canonical": fields.flag("canonical") if "canonical" in fields else True,
        "events": read_events(fields.optional_items("events"), txid),
        "cost": read_cost(fields, "execution_cost_") if "execution_cost_runtime" in fields else None,
        "burn_block_height": fields.optional_unsigned("burn_block_height"),
        "vm_error": read_vm_error(fields),
        "contract_id": contract_id,
        "function": function,
        "event_count": fields.optional_unsigned("event_count") or 0,
    }
    if not status.is_mined:
        return TransactionInfo(**known, raw_result=None, block_height=None, block_hash=None, block_time=None)
    return TransactionReceipt(
        **known,
        raw_result=fields.fields("tx_result").hex_bytes("hex"),
        block_height=fields.unsigned("block_height"),
        block_hash=fields.hash_text("block_hash"),
        block_time=read_time(fields, "block_time"),
    )


def _subject(fields: Fields, type_: str) -> tuple[str | None, str | None]:
    if type_ == "contract_call":
        call = fields.fields("contract_call")
        return call.text("contract_id"), call.text("function_name")
    if type_ == "smart_contract":
        return fields.fields("smart_contract").text("contract_id"), None
    return None, None


def _read_event(fields: Fields, txid: str) -> Event:
    kind = fields.text("event_type")
    index = fields.unsigned("event_index")
    if "tx_id" in fields:
        txid = fields.hash_text("tx_id")
    if kind == "smart_contract_log":
        return _read_log(fields, txid)
    if kind not in ("stx_asset", "fungible_token_asset", "non_fungible_token_asset"):
        return OtherEvent(event_type=kind, txid=txid, event_index=index, data=fields.values)
    asset = fields.fields("asset")
    moved: dict[str, Any] = {
        "action": asset.text("asset_event_type"),
        "sender": asset.optional_text("sender") or "",
        "recipient": asset.optional_text("recipient") or "",
        "txid": txid,
        "event_index": index,
    }
    if kind == "stx_asset":
        memo = asset.hex_bytes("memo") if "memo" in asset else b""
        return StxEvent(**moved, amount_ustx=asset.amount("amount"), memo=memo.rstrip(b"\x00"))
    asset_id = asset.text("asset_id")
    if kind == "fungible_token_asset":
        return FungibleTokenEvent(**moved, asset_id=asset_id, amount=asset.amount("amount"))
    return NonFungibleTokenEvent(**moved, asset_id=asset_id, raw_value=asset.fields("value").hex_bytes("hex"))


def _read_log(fields: Fields, txid: str) -> ContractLogEvent:
    log = fields.fields("contract_log")
    return ContractLogEvent(
        contract_id=log.text("contract_id"),
        topic=log.text("topic"),
        raw_value=log.fields("value").hex_bytes("hex"),
        txid=txid,
        event_index=fields.unsigned("event_index"),
        block_height=fields.optional_unsigned("block_height"),
        block_time=read_time(fields, "block_time") if "block_time" in fields else None,
    )


def _read_nonces(answer: Answer) -> Nonces:
    fields = answer.fields()
    return Nonces(
        last_executed=fields.optional_unsigned("last_executed_tx_nonce"),
        last_in_mempool=fields.optional_unsigned("last_mempool_tx_nonce"),
        possible_next=fields.unsigned("possible_next_nonce"),
        missing=fields.integers("detected_missing_nonces"),
        in_mempool=fields.integers("detected_mempool_nonces"),
    )


def _read_balances(answer: Answer) -> Balances:
    fields = answer.fields()
    stx = fields.fields("stx")
    return Balances(
        stx_ustx=stx.amount("balance"),
        locked_ustx=stx.amount("locked"),
        fungible_tokens=_token_amounts(fields, "fungible_tokens", "balance"),
        non_fungible_tokens=_token_amounts(fields, "non_fungible_tokens", "count"),
    )


def _token_amounts(fields: Fields, name: str, amount: str) -> Mapping[str, int]:
    tokens = fields.fields(name)
    return {asset_id: tokens.fields(asset_id).amount(amount) for asset_id in tokens.values}


def _read_block(fields: Fields) -> Block:
    return Block(
        height=fields.unsigned("height"),
        hash=fields.hash_text("hash"),
        block_time=read_time(fields, "block_time"),
        index_block_hash=_optional_hash(fields, "index_block_hash"),
        parent_block_hash=_optional_hash(fields, "parent_block_hash"),
        burn_block_height=fields.optional_unsigned("burn_block_height"),
        tx_count=fields.optional_unsigned("tx_count"),
    )


def _read_block_transactions(answer: Answer) -> tuple[MinedNonce, ...]:
    return tuple(
        MinedNonce(entry.hash_text("tx_id"), entry.text("sender_address"), entry.unsigned("nonce"))
        for entry in answer.fields().items("results")
    )


def _optional_hash(fields: Fields, name: str) -> str | None:
    return fields.hash_text(name) if name in fields else None


def _read_blocks(answer: Answer) -> BlockPage:
    fields = answer.fields()
    return BlockPage(fields.unsigned("total"), tuple(_read_block(item) for item in fields.items("results")))


def _read_logs(answer: Answer) -> ContractLogPage:
    fields = answer.fields()
    events = tuple(_read_log(item, item.hash_text("tx_id")) for item in fields.items("results"))
    return ContractLogPage(fields.unsigned("total"), events, fields.optional_text("next_cursor"))
