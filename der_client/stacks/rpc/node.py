"""The endpoints of a Stacks node that need no authorization.

Source: stacks-core ``docs/rpc/openapi.yaml`` and the handlers behind it. Errors of these endpoints are plain text
unless noted. Proofs are never asked for (``proof=0``).
"""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote

from der_client.stacks.address import canonical_principal, split_principal
from der_client.stacks.blocks import NakamotoBlock
from der_client.stacks.checks import check_number
from der_client.stacks.clarity import check_clarity_name
from der_client.stacks.clarity.types import ClarityType, parse_abi_type
from der_client.stacks.errors import (
    CallReadError,
    DecodeError,
    InvalidValueError,
    NodeAnswerError,
    TransactionRejectedError,
    shown,
)
from der_client.stacks.rpc.answers import (
    AccountInfo,
    ArgumentInterface,
    ContractInterface,
    ContractSource,
    Epoch,
    ExecutionCost,
    FeeEstimate,
    FunctionInterface,
    MapInterface,
    NodeHealth,
    NodeInfo,
    NodeTransaction,
    NonFungibleTokenInterface,
    PoxCycle,
    PoxInfo,
    UnconfirmedTransaction,
    VariableInterface,
)
from der_client.stacks.rpc.endpoint import BYTES_TYPE, JSON_TYPE, Answer, Endpoint, Request
from der_client.stacks.rpc.fields import excerpt
from der_client.stacks.rpc.rejections import explain_rejection
from der_client.stacks.transactions.hashing import sha512_256_hex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.stacks.rpc.fields import Fields

_HASH: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{64})\Z")
_TIP: Final = re.compile(r"latest\Z|(?:0x)?[0-9a-f]{64}\Z")
_NO_PROOF: Final = ("proof", "0")
_CLARITY_NONE: Final = b"\x09"


def check_txid(txid: str) -> str:
    """Bring a transaction id to 64 lower-case hexadecimal digits without ``0x``.

    Raises:
        InvalidValueError: If it is none.
    """
    return check_hash(txid, "txid")


def check_hash(text: str, what: str) -> str:
    """Bring an id of 32 bytes to 64 lower-case hexadecimal digits without ``0x``.

    Args:
        text: The id.
        what: What it is of, for the error.

    Raises:
        InvalidValueError: If it is none.
    """
    match = _HASH.match(text) if isinstance(text, str) else None
    if match is None:
        raise InvalidValueError(f"{what} {shown(text)} is not 64 hexadecimal digits (0x in front is allowed)")
    return match[1].lower()


def compute_txid(raw: bytes) -> str:
    """Return the id of a signed transaction: SHA-512/256 of its bytes, in hexadecimal without ``0x``."""
    return sha512_256_hex(raw)


def split_contract_id(contract_id: str) -> tuple[str, str]:
    """Split ``ADDRESS.name``.

    Raises:
        AddressError: If either part is invalid.
        InvalidValueError: If there is no name.
    """
    address, name = split_principal(contract_id)
    if name is None:
        raise InvalidValueError(f"contract id {contract_id!r} has no name; write ADDRESS.name")
    return address, name


def info() -> Endpoint[NodeInfo]:
    """``GET /v2/info``."""
    return Endpoint(Request("GET", "/v2/info"), _read_info)


def health() -> Endpoint[NodeHealth]:
    """``GET /v3/health``."""
    return Endpoint(Request("GET", "/v3/health"), _read_health)


def pox() -> Endpoint[PoxInfo]:
    """``GET /v2/pox``."""
    return Endpoint(Request("GET", "/v2/pox"), _read_pox)


def account(principal: str, *, tip: str | None = None) -> Endpoint[AccountInfo]:
    """``GET /v2/accounts/{principal}``; an unknown principal has balance and nonce 0."""
    path = f"/v2/accounts/{canonical_principal(principal)}"
    return Endpoint(Request("GET", path, (_NO_PROOF, *_tip(tip))), _read_account)


def send(raw: bytes) -> Endpoint[str]:
    """``POST /v2/transactions``: the answer is the txid; it raises `TransactionRejectedError` if refused.

    The node also answers with a txid for a duplicate, and for a transaction it throws away as problematic.
    """
    request = Request("POST", "/v2/transactions", body=raw, content_type=BYTES_TYPE, repeatable=False)
    return Endpoint(request, partial(_read_sent, compute_txid(raw)))


def transfer_fee_rate() -> Endpoint[int]:
    """``GET /v2/fees/transfer``: µSTX per byte."""
    return Endpoint(Request("GET", "/v2/fees/transfer"), _read_transfer_fee_rate)


def fee_estimate(payload: bytes, estimated_length_bytes: int) -> Endpoint[FeeEstimate | None]:
    """``POST /v2/fees/transaction``: ``None`` if this node has no estimate.

    Args:
        payload: The encoded payload of the transaction.
        estimated_length_bytes: The length of the whole signed transaction.
    """
    body = {"transaction_payload": payload.hex(), "estimated_len": estimated_length_bytes}
    return Endpoint(_json_post("/v2/fees/transaction", body), _read_fee_estimate)


def contract_interface(contract_id: str, *, tip: str | None = None) -> Endpoint[ContractInterface]:
    """``GET /v2/contracts/interface/{address}/{name}``; `NotFoundError` if there is no such contract."""
    request = Request("GET", f"/v2/contracts/interface/{_contract_path(contract_id)}", _tip(tip))
    return Endpoint(request, _read_interface)


def contract_source(contract_id: str, *, tip: str | None = None) -> Endpoint[ContractSource]:
    """``GET /v2/contracts/source/{address}/{name}``; `NotFoundError` if there is no such contract."""
    request = Request("GET", f"/v2/contracts/source/{_contract_path(contract_id)}", (_NO_PROOF, *_tip(tip)))
    return Endpoint(request, _read_source)


def call_read(
    contract_id: str,
    function: str,
    arguments: Sequence[bytes],
    *,
    sender: str | None = None,
    sponsor: str | None = None,
    tip: str | None = None,
) -> Endpoint[bytes]:
    """``POST /v2/contracts/call-read/{address}/{name}/{function}``: the encoded result.

    A function that returns ``(err …)`` has answered; only what the node could not run raises `CallReadError`.

    Args:
        contract_id: ``ADDRESS.name``.
        function: Its name.
        arguments: Encoded Clarity values.
        sender: The principal that ``tx-sender`` shall be; the contract's deployer if not given.
        sponsor: The principal that ``tx-sponsor?`` shall be.
        tip: A block id, or ``latest``.
    """
    address, name = split_contract_id(contract_id)
    check_clarity_name(function)
    body: dict[str, Any] = {
        "sender": address if sender is None else canonical_principal(sender),
        "arguments": [argument.hex() for argument in arguments],
    }
    if sponsor is not None:
        body["sponsor"] = canonical_principal(sponsor)
    path = f"/v2/contracts/call-read/{address}/{name}/{quote(function, safe='')}"
    return Endpoint(_json_post(path, body, _tip(tip)), partial(_read_call, contract_id, function))


def map_entry(contract_id: str, map_name: str, key: bytes, *, tip: str | None = None) -> Endpoint[bytes | None]:
    """``POST /v2/map_entry/{address}/{name}/{map}``: the encoded value, without its ``some``.

    ``None`` if there is no entry; the node does not say whether key, map or contract is missing.
    """
    path = f"/v2/map_entry/{_contract_path(contract_id)}/{_name_path(map_name)}"
    return Endpoint(_json_post(path, key.hex(), (_NO_PROOF, *_tip(tip))), _read_map_entry)


def data_var(contract_id: str, variable: str, *, tip: str | None = None) -> Endpoint[bytes]:
    """``GET /v2/data_var/{address}/{name}/{variable}``: the encoded value."""
    path = f"/v2/data_var/{_contract_path(contract_id)}/{_name_path(variable)}"
    return Endpoint(Request("GET", path, (_NO_PROOF, *_tip(tip))), _read_data)


def constant_val(contract_id: str, constant: str, *, tip: str | None = None) -> Endpoint[bytes]:
    """``GET /v2/constant_val/{address}/{name}/{constant}``: the encoded value."""
    path = f"/v2/constant_val/{_contract_path(contract_id)}/{_name_path(constant)}"
    return Endpoint(Request("GET", path, _tip(tip)), _read_data)


def transaction(txid: str) -> Endpoint[NodeTransaction]:
    """``GET /v3/transaction/{txid}``; `NodeAnswerError` (HTTP 501) where the node keeps no index."""
    return Endpoint(Request("GET", f"/v3/transaction/{check_txid(txid)}"), _read_transaction)


def block(height_or_id: int | str) -> Endpoint[NakamotoBlock]:
    """``GET /v3/blocks/{id}`` or ``/v3/blocks/height/{height}``: the whole block; none of epoch 2 is known there.

    Raises:
        InvalidValueError: If it is neither a height of at least 0, nor a block id.
    """
    if isinstance(height_or_id, int):
        path = f"height/{check_number(height_or_id, 0, None, 'block height')}"
    else:
        path = check_hash(height_or_id, "block id")
    return Endpoint(Request("GET", f"/v3/blocks/{path}"), partial(_read_block, path.removeprefix("height/")))


def unconfirmed_transaction(txid: str) -> Endpoint[UnconfirmedTransaction]:
    """``GET /v2/transactions/unconfirmed/{txid}``; `NotFoundError` if it is not in the mempool."""
    return Endpoint(Request("GET", f"/v2/transactions/unconfirmed/{check_txid(txid)}"), _read_unconfirmed)


def rejection(txid: str, answer: Answer) -> TransactionRejectedError:
    """Turn a node's refusal of a transaction (HTTP 400) into the error.

    Args:
        txid: The transaction.
        answer: JSON with this ``txid``, ``reason`` and ``reason_data``.

    Raises:
        NodeAnswerError: If it is of another form, or about another transaction.
    """
    fields = answer.fields_of_any_status()
    if fields.hash_text("txid") != txid:
        raise fields.error("txid", f"the transaction sent, {txid}")
    reason = fields.text("reason")
    data = fields.fields("reason_data").values if "reason_data" in fields else {}
    return TransactionRejectedError(
        f"the node refused transaction {txid} ({excerpt(reason)}): {explain_rejection(reason, data)}",
        answer.url,
        reason=reason,
        data=data,
        txid=txid,
    )


def _json_post(path: str, body: Any, query: tuple[tuple[str, str], ...] = ()) -> Request:
    return Request("POST", path, query, json.dumps(body).encode(), JSON_TYPE)


def _contract_path(contract_id: str) -> str:
    return "/".join(split_contract_id(contract_id))


def _name_path(name: str) -> str:
    check_clarity_name(name)
    return quote(name, safe="")


def _tip(tip: str | None) -> tuple[tuple[Literal["tip"], str], ...]:
    if tip is None:
        return ()
    if not _TIP.match(tip):  # the node ignores a malformed one in silence, and answers for another block
        raise InvalidValueError(f"tip {tip!r} is neither 'latest' nor a block id of 64 hexadecimal digits")
    return (("tip", tip),)


def _read_info(answer: Answer) -> NodeInfo:
    fields = answer.fields()
    return NodeInfo(
        network_id=fields.unsigned("network_id"),
        server_version=fields.text("server_version"),
        peer_version=fields.unsigned("peer_version"),
        stacks_tip_height=fields.unsigned("stacks_tip_height"),
        stacks_tip=fields.hash_text("stacks_tip"),
        stacks_tip_consensus_hash=fields.hash_text("stacks_tip_consensus_hash", 20),
        burn_block_height=fields.unsigned("burn_block_height"),
        stable_burn_block_height=fields.unsigned("stable_burn_block_height"),
        tenure_height=fields.optional_unsigned("tenure_height"),
        is_fully_synced=fields.flag("is_fully_synced") if "is_fully_synced" in fields else None,
    )


def _read_health(answer: Answer) -> NodeHealth:
    fields = answer.fields()
    return NodeHealth(
        difference_from_max_peer=fields.unsigned("difference_from_max_peer"),
        max_stacks_height_of_neighbors=fields.unsigned("max_stacks_height_of_neighbors"),
        node_stacks_tip_height=fields.unsigned("node_stacks_tip_height"),
        max_stacks_neighbor_address=fields.optional_text("max_stacks_neighbor_address"),
    )


def _read_pox(answer: Answer) -> PoxInfo:
    fields = answer.fields()
    return PoxInfo(
        contract_id=fields.text("contract_id"),
        current_burnchain_block_height=fields.unsigned("current_burnchain_block_height"),
        first_burnchain_block_height=fields.unsigned("first_burnchain_block_height"),
        prepare_phase_block_length=fields.unsigned("prepare_phase_block_length"),
        reward_phase_block_length=fields.unsigned("reward_phase_block_length"),
        reward_slots=fields.unsigned("reward_slots"),
        total_liquid_supply_ustx=fields.unsigned("total_liquid_supply_ustx"),
        min_amount_ustx=fields.unsigned("min_amount_ustx"),
        reward_cycle_id=fields.unsigned("reward_cycle_id"),
        reward_cycle_length=fields.unsigned("reward_cycle_length"),
        next_reward_cycle_in=fields.unsigned("next_reward_cycle_in"),
        current_cycle=_read_cycle(fields.fields("current_cycle")),
        next_cycle=_read_cycle(fields.fields("next_cycle")),
        current_epoch=fields.optional_text("current_epoch"),
        epochs=tuple(
            Epoch(
                epoch_id=epoch.text("epoch_id"),
                start_height=epoch.unsigned("start_height"),
                end_height=epoch.unsigned("end_height"),
                block_limit=read_cost(epoch.fields("block_limit")),
            )
            for epoch in fields.optional_items("epochs")
        ),
        sbtc_contract=fields.optional_text("pox_5_sbtc_contract"),
    )


def _read_cycle(fields: Fields) -> PoxCycle:
    return PoxCycle(
        id=fields.unsigned("id"),
        min_threshold_ustx=fields.unsigned("min_threshold_ustx"),
        stacked_ustx=fields.unsigned("stacked_ustx"),
        is_pox_active=fields.flag("is_pox_active") if "is_pox_active" in fields else None,
    )


def read_cost(fields: Fields, prefix: str = "") -> ExecutionCost:
    """Read the five dimensions of a cost, each in a field of its own."""
    return ExecutionCost(
        read_count=fields.unsigned(f"{prefix}read_count"),
        read_length_bytes=fields.unsigned(f"{prefix}read_length"),
        runtime=fields.unsigned(f"{prefix}runtime"),
        write_count=fields.unsigned(f"{prefix}write_count"),
        write_length_bytes=fields.unsigned(f"{prefix}write_length"),
    )


def _read_account(answer: Answer) -> AccountInfo:
    fields = answer.fields()
    return AccountInfo(
        balance_ustx=fields.hex_uint128("balance"),
        locked_ustx=fields.hex_uint128("locked"),
        unlock_height=fields.unsigned("unlock_height"),
        nonce=fields.unsigned("nonce"),
    )


def _read_sent(txid: str, answer: Answer) -> str:
    if answer.status == 400:
        raise rejection(txid, answer) if answer.body[:1] == b"{" else answer.unexpected()
    named = answer.json()
    match = _HASH.match(named) if isinstance(named, str) else None
    if match is None:
        raise NodeAnswerError(f"expected the transaction's id {txid}, got {named!r:.80}", answer.url)
    if match[1].lower() != txid:
        raise NodeAnswerError(
            f"the node calls the transaction {named}, but its id is {txid}; "
            "something between here and the node changed the bytes: do not use this URL",
            answer.url,
        )
    return txid


def _read_transfer_fee_rate(answer: Answer) -> int:
    rate = answer.json()
    if type(rate) is not int or not 0 <= rate < 1 << 64:
        raise NodeAnswerError(f"the transfer fee rate is {rate!r:.80}, not an integer of µSTX per byte", answer.url)
    return rate


def _read_fee_estimate(answer: Answer) -> FeeEstimate | None:
    # 400 is "no estimate" (JSON with a reason, or a bare string); 404 is a node without the endpoint.
    if answer.status in (400, 404) and not answer.is_html:
        return None
    fields = answer.fields()
    fees = [estimation.unsigned("fee") for estimation in fields.items("estimations")]
    if len(fees) != 3:
        raise fields.error("estimations", "three estimations, from low to high")
    low, middle, high = sorted(fees)
    return FeeEstimate(low, middle, high, read_cost(fields.fields("estimated_cost")))


def _read_interface(answer: Answer) -> ContractInterface:
    fields = answer.fields()
    return ContractInterface(
        functions={
            function.text("name"): FunctionInterface(
                name=function.text("name"),
                access=function.text("access"),
                arguments=tuple(
                    ArgumentInterface(argument.text("name"), _abi_type(argument, "type"))
                    for argument in function.items("args")
                ),
                output=_abi_type(function.fields("outputs"), "type"),
            )
            for function in fields.items("functions")
        },
        variables={
            variable.text("name"): VariableInterface(
                name=variable.text("name"), access=variable.text("access"), type=_abi_type(variable, "type")
            )
            for variable in fields.items("variables")
        },
        maps={
            entry.text("name"): MapInterface(
                name=entry.text("name"), key=_abi_type(entry, "key"), value=_abi_type(entry, "value")
            )
            for entry in fields.items("maps")
        },
        fungible_tokens=tuple(token.text("name") for token in fields.items("fungible_tokens")),
        non_fungible_tokens={
            token.text("name"): NonFungibleTokenInterface(name=token.text("name"), type=_abi_type(token, "type"))
            for token in fields.items("non_fungible_tokens")
        },
        epoch=fields.optional_text("epoch"),
        clarity_version=fields.optional_text("clarity_version"),
    )


def _abi_type(fields: Fields, name: str) -> ClarityType:
    try:
        return parse_abi_type(fields.any(name))
    except InvalidValueError as error:
        raise fields.error(name, f"a Clarity type ({error})") from error


def _read_source(answer: Answer) -> ContractSource:
    fields = answer.fields()
    return ContractSource(source=fields.text("source"), publish_height=fields.unsigned("publish_height"))


def _read_call(contract_id: str, function: str, answer: Answer) -> bytes:
    fields = answer.fields()
    if fields.flag("okay"):
        return fields.hex_bytes("result")
    cause = fields.text("cause")
    advice = "; it writes, so it has to be sent as a transaction" if "NotReadOnly" in cause else ""
    raise CallReadError(
        f"the node could not run {contract_id}.{function}: {excerpt(cause)}{advice} [{answer.url}]", cause
    )


def _read_map_entry(answer: Answer) -> bytes | None:
    data = answer.fields().hex_bytes("data")
    if data == _CLARITY_NONE:
        return None
    if data[:1] != b"\x0a":
        raise answer.fields().error("data", "an optional Clarity value (0x09 or 0x0a…)")
    return data[1:]


def _read_data(answer: Answer) -> bytes:
    return answer.fields().hex_bytes("data")


def _read_transaction(answer: Answer) -> NodeTransaction:
    fields = answer.fields()
    return NodeTransaction(
        index_block_hash=fields.hash_text("index_block_hash"),
        raw=fields.hex_bytes("tx"),
        result_text=fields.text("result"),
        block_height=fields.optional_unsigned("block_height"),
        is_canonical=fields.flag("is_canonical") if "is_canonical" in fields else None,
    )


def _read_block(asked: str, answer: Answer) -> NakamotoBlock:
    answer.require_ok()
    try:
        block = NakamotoBlock.decode(answer.body)
    except DecodeError as error:
        raise NodeAnswerError(f"the answer is not a block: {error}; use another node", answer.url) from error
    if asked not in (block.header.block_id, str(block.header.height)):
        raise NodeAnswerError(
            f"block {asked} was asked for, and {block.header.block_id} at height {block.header.height} came; "
            "use another node",
            answer.url,
        )
    return block


def _read_unconfirmed(answer: Answer) -> UnconfirmedTransaction:
    fields = answer.fields()
    status = fields.any("status")
    if isinstance(status, dict) and len(status) == 1:  # {"Microblock": {…}}
        status = next(iter(status))
    if not isinstance(status, str):
        raise fields.error("status", "a word")
    return UnconfirmedTransaction(raw=fields.hex_bytes("tx"), status=status)
