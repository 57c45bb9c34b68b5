"""The endpoints of a Stacks node that need no authorization.

Source: stacks-core ``docs/rpc/openapi.yaml`` and the handlers behind it. Errors of these endpoints are plain text
unless noted. Proofs are never requested (``proof=0``).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import partial
from string import hexdigits
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import quote

from annotated_types import Len

from der_client.stacks.address import canonical_principal, split_principal
from der_client.stacks.blocks import NakamotoBlock
from der_client.stacks.checks import check_kind, check_number
from der_client.stacks.clarity import check_clarity_name
from der_client.stacks.errors import (
    CallReadError,
    DecodeError,
    InvalidValueError,
    NodeResponseError,
    TransactionRejectedError,
    shown,
)
from der_client.stacks.rpc.endpoint import BYTES_TYPE, JSON_TYPE, Endpoint, HttpResponse, Request, reads
from der_client.stacks.rpc.fields import Flag, Hash, HexBytes, Unsigned, at, excerpt, inner
from der_client.stacks.rpc.rejections import CALLED_CONTRACT, CALLED_FUNCTION, PAYER, explain_rejection
from der_client.stacks.rpc.responses import (
    AccountInfo,
    ContractInterface,
    ContractSource,
    ExecutionCost,
    FeeEstimate,
    NodeHealth,
    NodeInfo,
    NodeTransaction,
    PoxInfo,
    UnconfirmedTransaction,
)
from der_client.stacks.transactions import ContractCall, Transaction
from der_client.stacks.transactions.hashing import sha512_256_hex

if TYPE_CHECKING:
    from collections.abc import Sequence

_HASH: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{64})\Z")
_LONG_HASH: Final = 40
_TIP: Final = re.compile(r"latest\Z|(?:0x)?[0-9a-f]{64}\Z")
_NO_PROOF: Final = ("proof", "0")
_CLARITY_NONE: Final = b"\x09"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a node refused a transaction."""

    txid: Hash
    reason: str
    reason_data: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Estimate:
    fees: Annotated[tuple[Annotated[Unsigned, inner("fee")], ...], at("estimations"), Len(3, 3)]
    cost: Annotated[ExecutionCost, at("estimated_cost")]


@dataclass(frozen=True, slots=True)
class _CallResult:
    okay: Flag
    raw: Annotated[HexBytes | None, at("result", default=None)]
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class _Data:
    data: HexBytes


def check_txid(txid: str) -> str:
    """Return a transaction id as 64 lower-case hexadecimal digits without ``0x``.

    Raises:
        InvalidValueError: If it is not a transaction id.
    """
    return check_hash(txid, "txid")


def check_hash(text: str, what: str, expected: str = "64 hexadecimal digits") -> str:
    """Bring an id of 32 bytes to 64 lower-case hexadecimal digits without ``0x``.

    Args:
        text: The id.
        what: The argument's name, for the error.
        expected: What may be given, for the error.

    Raises:
        InvalidValueError: If it is not 64 hexadecimal digits.
    """
    match = _HASH.match(text) if isinstance(text, str) else None
    if match is None:
        raise InvalidValueError(f"{what}: expected {expected}, got {_instead_of_hash(text)}")
    return match[1].lower()


def _instead_of_hash(text: object) -> str:
    digits = text.removeprefix("0x") if isinstance(text, str) else ""
    if len(digits) < _LONG_HASH:
        return shown(text)
    # A long one is not repeated: it may be a private key.
    is_hex = all(character in hexdigits for character in digits)
    return f"{len(digits)} digits" if is_hex else f"{len(digits)} characters that are not all hexadecimal digits"


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
    return Endpoint(Request("GET", "/v2/info"), reads(NodeInfo))


def health() -> Endpoint[NodeHealth]:
    """``GET /v3/health``."""
    return Endpoint(Request("GET", "/v3/health"), reads(NodeHealth))


def pox() -> Endpoint[PoxInfo]:
    """``GET /v2/pox``."""
    return Endpoint(Request("GET", "/v2/pox"), reads(PoxInfo))


def account(principal: str, *, tip: str | None = None) -> Endpoint[AccountInfo]:
    """``GET /v2/accounts/{principal}``; an unknown principal has balance and nonce 0."""
    path = f"/v2/accounts/{canonical_principal(principal)}"
    return Endpoint(Request("GET", path, (_NO_PROOF, *_tip(tip))), reads(AccountInfo))


def send(raw: bytes) -> Endpoint[str]:
    """``POST /v2/transactions``: the response is the txid; it raises `TransactionRejectedError` if refused.

    The node also returns a txid for a duplicate, and for a transaction that it drops as problematic.
    """
    request = Request("POST", "/v2/transactions", body=raw, content_type=BYTES_TYPE, repeatable=False)
    return Endpoint(request, partial(_read_sent, raw))


def transfer_fee_rate() -> Endpoint[int]:
    """``GET /v2/fees/transfer``: µSTX per byte."""
    return Endpoint(Request("GET", "/v2/fees/transfer"), _read_transfer_fee_rate)


def fee_estimate(payload: bytes, estimated_length_bytes: int) -> Endpoint[FeeEstimate | None]:
    """``POST /v2/fees/transaction``: ``None`` if this node has no estimate.

    Args:
        payload: The encoded payload of the transaction.
        estimated_length_bytes: The length of the whole signed transaction.
    """
    check_kind(payload, bytes, "payload", "for a payload, use payload.encode()")
    check_number(estimated_length_bytes, 1, None, "length_bytes")
    body = {"transaction_payload": payload.hex(), "estimated_len": estimated_length_bytes}
    return Endpoint(_json_post("/v2/fees/transaction", body), _read_fee_estimate)


def contract_interface(contract_id: str, *, tip: str | None = None) -> Endpoint[ContractInterface]:
    """``GET /v2/contracts/interface/{address}/{name}``; `NotFoundError` if there is no such contract."""
    request = Request("GET", f"/v2/contracts/interface/{_contract_path(contract_id)}", _tip(tip))
    return Endpoint(request, reads(ContractInterface))


def contract_source(contract_id: str, *, tip: str | None = None) -> Endpoint[ContractSource]:
    """``GET /v2/contracts/source/{address}/{name}``; `NotFoundError` if there is no such contract."""
    request = Request("GET", f"/v2/contracts/source/{_contract_path(contract_id)}", (_NO_PROOF, *_tip(tip)))
    return Endpoint(request, reads(ContractSource))


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

    A function that returns ``(err …)`` has a result; only a call that the node could not run raises `CallReadError`.

    Args:
        contract_id: ``ADDRESS.name``.
        function: Its name.
        arguments: Encoded Clarity values.
        sender: The ``tx-sender``; the contract's deployer if not given.
        sponsor: The ``tx-sponsor?``.
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
    """``GET /v3/transaction/{txid}``; `NodeResponseError` (HTTP 501) if the node keeps no index."""
    return Endpoint(Request("GET", f"/v3/transaction/{check_txid(txid)}"), reads(NodeTransaction))


def block(height_or_id: int | str) -> Endpoint[NakamotoBlock]:
    """``GET /v3/blocks/{id}`` or ``/v3/blocks/height/{height}``: the whole block, but not for blocks of epoch 2.

    Raises:
        InvalidValueError: If it is neither a height of at least 0, nor a block id.
    """
    if isinstance(height_or_id, int):
        path = f"height/{check_number(height_or_id, 0, None, 'block height')}"
    else:
        path = check_hash(height_or_id, "block", "a height, or a block id of 64 hexadecimal digits")
    return Endpoint(Request("GET", f"/v3/blocks/{path}"), partial(_read_block, path.removeprefix("height/")))


def unconfirmed_transaction(txid: str) -> Endpoint[UnconfirmedTransaction]:
    """``GET /v2/transactions/unconfirmed/{txid}``; `NotFoundError` if it is not in the mempool."""
    return Endpoint(Request("GET", f"/v2/transactions/unconfirmed/{check_txid(txid)}"), reads(UnconfirmedTransaction))


def rejection(txid: str, response: HttpResponse, raw: bytes = b"") -> TransactionRejectedError:
    """Turn a node's refusal of a transaction (HTTP 400) into the error.

    Args:
        txid: The transaction.
        response: JSON with this ``txid``, ``reason`` and ``reason_data``.
        raw: Its bytes, if they are known: the error then names account, contract and function.

    Raises:
        NodeResponseError: If it has another form, or is about another transaction.
    """
    refusal = response.read_any_status(Refusal)
    if refusal.txid != txid:
        raise NodeResponseError(f"the field txid is {refusal.txid}, not the transaction sent, {txid}", response.url)
    reason, data = refusal.reason, refusal.reason_data or {}
    explanation = explain_rejection(reason, {**data, **_names_in(raw)})
    return TransactionRejectedError(
        f"the node refused transaction {txid} ({excerpt(reason)}): {explanation}",
        response.url,
        reason=reason,
        data=data,
        txid=txid,
    )


def _names_in(raw: bytes) -> dict[str, str]:
    """Return what a transaction calls and who pays for it, as far as it can be decoded."""
    try:
        transaction = Transaction.decode(raw)
    except DecodeError:
        return {}
    payload = transaction.payload
    names = {PAYER: transaction.sponsor_address or transaction.origin}
    if isinstance(payload, ContractCall):
        names |= {CALLED_CONTRACT: payload.contract, CALLED_FUNCTION: payload.function}
    return names


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
    # The node silently ignores a malformed one, and uses another block.
    if not isinstance(tip, str) or not _TIP.match(tip):
        raise InvalidValueError(f"tip {shown(tip)} is neither 'latest' nor a block id of 64 hexadecimal digits")
    return (("tip", tip),)


def _read_sent(raw: bytes, response: HttpResponse) -> str:
    txid = compute_txid(raw)
    if response.status == 400:
        raise rejection(txid, response, raw) if response.body[:1] == b"{" else response.unexpected()
    named = response.json()
    match = _HASH.match(named) if isinstance(named, str) else None
    if match is None:
        raise NodeResponseError(f"expected the transaction's id {txid}, got {named!r:.80}", response.url)
    if match[1].lower() != txid:
        raise NodeResponseError(
            f"the node returned the id {named}, but the transaction's id is {txid}; something between here "
            "and the node changed the bytes: do not use this URL",
            response.url,
        )
    return txid


def _read_transfer_fee_rate(response: HttpResponse) -> int:
    rate = response.json()
    if type(rate) is not int or not 0 <= rate < 1 << 64:
        raise NodeResponseError(f"the transfer fee rate is {rate!r:.80}, not an integer of µSTX per byte", response.url)
    return rate


def _read_fee_estimate(response: HttpResponse) -> FeeEstimate | None:
    # 400 is "no estimate" (JSON with a reason, or a bare string); 404 is a node without the endpoint.
    if response.status in (400, 404) and not response.is_html:
        return None
    estimate = response.read(_Estimate)
    low, middle, high = sorted(estimate.fees)
    return FeeEstimate(low, middle, high, estimate.cost)


def _read_call(contract_id: str, function: str, response: HttpResponse) -> bytes:
    result = response.read(_CallResult)
    if result.okay and result.raw is not None:
        return result.raw
    if result.okay or result.cause is None:
        missing = "result" if result.okay else "cause"
        raise NodeResponseError(
            f"the field {missing} is missing from the response, whose okay is {result.okay}", response.url
        )
    cause = result.cause
    advice = "; it writes, so send it as a transaction" if "NotReadOnly" in cause else ""
    raise CallReadError(
        f"the node could not run {contract_id}.{function}: {excerpt(cause)}{advice} [{response.url}]", cause
    )


def _read_map_entry(response: HttpResponse) -> bytes | None:
    data = response.read(_Data).data
    if data == _CLARITY_NONE:
        return None
    if data[:1] != b"\x0a":
        found = excerpt(data[:40].hex())
        raise NodeResponseError(f"the field data is {found}, not an optional Clarity value (09 or 0a…)", response.url)
    return data[1:]


def _read_data(response: HttpResponse) -> bytes:
    return response.read(_Data).data


def _read_block(asked: str, response: HttpResponse) -> NakamotoBlock:
    response.require_ok()
    try:
        block = NakamotoBlock.decode(response.body)
    except DecodeError as error:
        raise NodeResponseError(f"the response is not a block: {error}; use another node", response.url) from error
    if asked not in (block.header.block_id, str(block.header.height)):
        raise NodeResponseError(
            f"block {asked} was asked for, and {block.header.block_id} at height {block.header.height} came; "
            "use another node",
            response.url,
        )
    return block
