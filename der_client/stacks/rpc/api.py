"""The endpoints of the Stacks API (``/extended``) that this client uses; the embedded devnet serves them too.

Source: stacks-blockchain-api v9. Errors are JSON ``{error, message?}``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from der_client.stacks.address import canonical_principal
from der_client.stacks.checks import check_number
from der_client.stacks.errors import NodeResponseError
from der_client.stacks.rpc.endpoint import Endpoint, HttpResponse, Request, reads
from der_client.stacks.rpc.fields import Unsigned, read_as
from der_client.stacks.rpc.node import check_hash, check_txid, split_contract_id
from der_client.stacks.rpc.responses import (
    Balances,
    Block,
    BlockPage,
    ContractLogPage,
    MinedNonce,
    Nonces,
    TransactionInfo,
    transaction_kind,
)

_BLOCK: Final = "a height, a hash of 64 hexadecimal digits, or 'latest'"
EVENTS_PER_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class _VmErrorPlace:
    contract_id: str
    function_name: str
    line: Unsigned
    column: Unsigned
    expression: str


@dataclass(frozen=True, slots=True)
class _MinedNonces:
    results: tuple[MinedNonce, ...]


def transaction(txid: str, *, event_offset: int = 0) -> Endpoint[TransactionInfo]:
    """``GET /extended/v1/tx/{txid}``; `NotFoundError` if the API has never seen it.

    Args:
        txid: 64 hexadecimal digits, 0x allowed.
        event_offset: How many events to skip; a response carries at most `EVENTS_PER_PAGE`.
    """
    known_txid = check_txid(txid)
    query = (("event_offset", str(event_offset)), ("event_limit", str(EVENTS_PER_PAGE))) if event_offset else ()
    return Endpoint(Request("GET", f"/extended/v1/tx/0x{known_txid}", query), partial(read_transaction, known_txid))


def nonces(principal: str) -> Endpoint[Nonces]:
    """``GET /extended/v1/address/{principal}/nonces``."""
    return Endpoint(Request("GET", f"/extended/v1/address/{canonical_principal(principal)}/nonces"), reads(Nonces))


def balances(principal: str) -> Endpoint[Balances]:
    """``GET /extended/v1/address/{principal}/balances``."""
    return Endpoint(Request("GET", f"/extended/v1/address/{canonical_principal(principal)}/balances"), reads(Balances))


def block(height_or_hash: int | str = "latest") -> Endpoint[Block]:
    """``GET /extended/v2/blocks/{height, hash or latest}``; the time of the latest one is the chain's time.

    Raises:
        InvalidValueError: If it is neither a height of at least 0, nor a hash, nor ``latest``.
    """
    if isinstance(height_or_hash, int):
        name = str(check_number(height_or_hash, 0, None, "block height"))
    else:
        name = height_or_hash if height_or_hash == "latest" else f"0x{check_hash(height_or_hash, 'block', _BLOCK)}"
    return Endpoint(Request("GET", f"/extended/v2/blocks/{name}"), reads(Block))


def blocks(limit: int = 20, offset: int = 0) -> Endpoint[BlockPage]:
    """``GET /extended/v2/blocks``: newest first.

    Args:
        limit: How many; 1 to 30 on public networks.
        offset: How many of the newest to skip.
    """
    query = (("limit", str(limit)), ("offset", str(offset)))
    return Endpoint(Request("GET", "/extended/v2/blocks", query), reads(BlockPage))


def block_transactions(height: int, *, limit: int = 50, offset: int = 0) -> Endpoint[tuple[MinedNonce, ...]]:
    """``GET /extended/v2/blocks/{height}/transactions``: which accounts used which nonces in a block.

    Args:
        height: The block's height; `NotFoundError` if there is none yet.
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
        cursor: Where to begin, from the previous page; ``offset`` counts from there.
    """
    identifier = ".".join(split_contract_id(contract_id))
    query = [("limit", str(limit))]
    if offset:
        query.append(("offset", str(offset)))
    if cursor is not None:
        query.append(("cursor", cursor))
    return Endpoint(
        Request("GET", f"/extended/v2/smart-contracts/{identifier}/logs", tuple(query)), reads(ContractLogPage)
    )


def read_transaction(txid: str, response: HttpResponse) -> TransactionInfo:
    """Read a transaction as either version of the API shows it."""
    values = with_vm_error_place(with_cost(response.json()), response.url)
    if isinstance(values, dict) and isinstance(values.get("events"), list):
        values = {**values, "events": [of_transaction(event, txid) for event in values["events"]]}
    info = read_as(transaction_kind(values), values, response.url)
    if info.txid != txid:
        raise NodeResponseError(f"the field tx_id is {info.txid}, not the transaction asked for, {txid}", response.url)
    return info


def of_transaction(event: Any, txid: str) -> Any:
    """Give an event the transaction that it is of, which not every response repeats."""
    return {**event, "tx_id": event.get("tx_id") or txid} if isinstance(event, dict) else event


def with_cost(values: Any) -> Any:
    """Collect the cost of a transaction of version 1, which has a field for each dimension, in one field."""
    if not isinstance(values, dict) or values.get("execution_cost_runtime") is None:
        return values
    prefix = "execution_cost_"
    cost = {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}
    return {**values, "execution_cost": cost}


def with_vm_error_place(values: Any, url: str) -> Any:
    """Put where the failing expression is, which only the embedded devnet says, into the VM's own words."""
    if not isinstance(values, dict) or values.get("vm_error") is None or values.get("vm_error_at") is None:
        return values
    place = read_as(_VmErrorPlace, values["vm_error_at"], url)
    name, _, rest = str(values["vm_error"]).partition("\n")
    where = f"{place.contract_id}.{place.function_name}, line {place.line}, column {place.column}: {place.expression}"
    return {**values, "vm_error": f"{name}\n in {where}\n{rest}"}


def _read_block_transactions(response: HttpResponse) -> tuple[MinedNonce, ...]:
    return response.read(_MinedNonces).results
