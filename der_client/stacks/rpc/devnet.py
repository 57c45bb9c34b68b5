"""Endpoints of the embedded devnet only, under ``/devnet``: the deployer, epochs, and simulation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator

from der_client.stacks.address import canonical_principal, split_principal
from der_client.stacks.checks import check_kind
from der_client.stacks.clarity import check_clarity_name
from der_client.stacks.errors import NotFoundError, SimulationUnavailableError
from der_client.stacks.rpc.api import with_vm_error_place
from der_client.stacks.rpc.endpoint import JSON_TYPE, Endpoint, HttpResponse, Request
from der_client.stacks.rpc.fields import Unsigned, read_as
from der_client.stacks.rpc.node import Refusal, rejection, split_contract_id
from der_client.stacks.rpc.responses import Simulation

if TYPE_CHECKING:
    from collections.abc import Sequence


_SIMULATE_PATH: Final = "/devnet/simulate"
_NO_SUCH_PATH: Final = frozenset({403, 404, 405, 501})  # statuses of nodes and proxies for an unknown path


def _address(text: str) -> str:
    address, name = split_principal(text)
    if name is not None:
        raise ValueError("an address")
    return address


@dataclass(frozen=True, slots=True)
class _Deployer:
    deployer: Annotated[str, AfterValidator(_address)]


@dataclass(frozen=True, slots=True)
class _Lineage:
    pid: Unsigned
    rewinds: Unsigned


@dataclass(frozen=True, slots=True)
class _Epoch:
    before: str


def deployer() -> Endpoint[str]:
    """``GET /devnet``: the address that deploys the contracts; `NotFoundError` on any other node."""
    return Endpoint(Request("GET", "/devnet"), _read_deployer)


def lineage() -> Endpoint[tuple[int, int]]:
    """``GET /devnet``: the process and how often its chain was set back; both identify an undisturbed chain.

    `NotFoundError` if the node is not an embedded devnet.
    """
    return Endpoint(Request("GET", "/devnet"), _read_lineage)


def set_epoch(epoch: str) -> Endpoint[str]:
    """``POST /devnet/epoch``: set the epoch of the next blocks, such as ``2.4``; it returns the previous one.

    `NotFoundError` if the node is not an embedded devnet.
    """
    body = json.dumps({"epoch": epoch}).encode()
    return Endpoint(Request("POST", "/devnet/epoch", body=body, content_type=JSON_TYPE), _read_epoch)


def simulate_transaction(raw: bytes) -> Endpoint[Simulation]:
    """Return what a signed transaction would do now.

    Args:
        raw: The encoded transaction.
    """
    check_kind(raw, bytes, "transaction", "for a Transaction, use transaction.encode()")
    return _endpoint({"transaction": raw.hex()})


def simulate_call(contract_id: str, function: str, arguments: Sequence[bytes], *, sender: str) -> Endpoint[Simulation]:
    """Return what a call of a public function would do now.

    Args:
        contract_id: ``ADDRESS.name``.
        function: Its name.
        arguments: Encoded Clarity values.
        sender: The principal that calls.
    """
    address, name = split_contract_id(contract_id)
    check_clarity_name(function)
    return _endpoint(
        {
            "sender": canonical_principal(sender),
            "contract": f"{address}.{name}",
            "function": function,
            "arguments": [argument.hex() for argument in arguments],
        }
    )


def _endpoint(body: dict[str, object]) -> Endpoint[Simulation]:
    return Endpoint(
        Request("POST", _SIMULATE_PATH, body=json.dumps(body).encode(), content_type=JSON_TYPE), _read_simulation
    )


def _read_deployer(response: HttpResponse) -> str:
    if response.status in _NO_SUCH_PATH:
        raise NotFoundError(
            "the node is not an embedded devnet, so it does not name a deployer; pass deployer=", response.url
        )
    return response.read(_Deployer).deployer


def _read_lineage(response: HttpResponse) -> tuple[int, int]:
    if response.status in _NO_SUCH_PATH:
        raise NotFoundError("the node is not an embedded devnet", response.url)
    lineage = response.read(_Lineage)
    return lineage.pid, lineage.rewinds


def _read_epoch(response: HttpResponse) -> str:
    if response.status in _NO_SUCH_PATH:
        raise NotFoundError("the node is not an embedded devnet, so its epoch cannot be set", response.url)
    return response.read(_Epoch).before


def _read_simulation(response: HttpResponse) -> Simulation:
    if response.status in _NO_SUCH_PATH:
        raise SimulationUnavailableError(
            f"the node at {response.url} cannot simulate; use the embedded devnet (der_client.Devnet) for it"
        )
    if response.status == 400 and b'"reason"' in response.body:
        raise rejection(response.read_any_status(Refusal).txid, response)
    return read_as(Simulation, with_vm_error_place(response.json(), response.url), response.url)
