"""Responses have the same fields and kinds of values as those recorded from nodes (tests/vectors/rpc_examples)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from der_client.stacks.clarity import UIntValue
from tests.conformance.case import Request, get, post
from tests.conformance.cases.call_read import call
from tests.conformance.cases.chain import TRANSFER
from tests.conformance.cases.reads import NOTES, hexed, id_key
from tests.conformance.node import Target
from tests.conformance.shapes import fill

if TYPE_CHECKING:
    from tests.conformance.prepared import Prepared

EXAMPLES = Path(__file__).parents[1] / "vectors" / "rpc_examples"
SUFFIX = ".example.json"
NOT_ASKED = {"clarity-metadata": "an endpoint for nodes among themselves; no client uses it, and ours has none"}
REQUESTS = {
    "account-data": get("/v2/accounts/$caller?proof=0"),
    "clarity-data": post(f"{NOTES}?proof=0", id_key(1)),
    "constant-value": get("/v2/constant_val/$contract_path/LIMIT"),
    "contract-interface": get("/v2/contracts/interface/$contract_path"),
    "contract-source": get("/v2/contracts/source/$contract_path?proof=0"),
    "fee-transaction-response": post("/v2/fees/transaction", {"transaction_payload": TRANSFER}),
    "get-transaction": get("/v3/transaction/$call_txid"),
    "node-health": get("/v3/health"),
    "node-info": get("/v2/info"),
    "pox-info": get("/v2/pox"),
    "read-only-function-failure": call("note", hexed(UIntValue(1)), "0x0d00000000"),
    "read-only-function-success": call("get-counter"),
}
# Fields that nodes have added since the examples were recorded (stacks-core 4.0).
LATER = {
    "contract-interface": {"epoch", "clarity_version"},
    "get-transaction": {"block_height", "is_canonical"},
    "node-info": {"unanchored_seq"},
    "pox-info": {"epochs", "pox_5_sbtc_contract", "pox_5_sbtc_registry_contract"},
}


PROOFS = {"proof", "balance_proof", "nonce_proof"}  # tested by the cases in cases/
# A Clarity type is a text or an object, so it is not compared here; cases/contracts.py has a complete interface.
TYPES = (".type", ".key", ".value")


def example(name: str) -> Any:
    value = json.loads((EXAMPLES / f"{name}{SUFFIX}").read_text())["value"]
    return {field: part for field, part in value.items() if field not in PROOFS}


def differences(found: Any, recorded: Any, path: str) -> list[str]:
    """Return where fields are missing or values are of another kind; ``null`` matches everything."""
    if found is None or recorded is None or path.endswith(TYPES):
        return []
    if isinstance(recorded, dict) and isinstance(found, dict):
        missing = [f"{path}.{name} is missing" for name in recorded if name not in found]
        shared = [name for name in recorded if name in found]
        return missing + [
            text for name in shared for text in differences(found[name], recorded[name], f"{path}.{name}")
        ]
    if isinstance(recorded, list) and isinstance(found, list):
        return [text for place, item in enumerate(found) for text in nearest(item, recorded, f"{path}[{place}]")]
    return [] if kind(found) == kind(recorded) else [f"{path}: {found!r}, recorded was {recorded!r}"]


def nearest(item: Any, recorded: list[Any], path: str) -> list[str]:
    """Return how an element differs from the most similar recorded one."""
    return min((differences(item, other, path) for other in recorded), key=len, default=[])


def kind(value: Any) -> str:
    if isinstance(value, bool):
        return "truth value"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "hex with 0x" if value.startswith("0x") else "text"
    return type(value).__name__


def ask(prepared: Prepared, request: Request) -> Any:
    response = prepared.node.send(fill(request, prepared.names))
    assert response.ok, response.text
    return response.json()


def test_every_recorded_example_is_used() -> None:
    recorded = {path.name.removesuffix(SUFFIX) for path in EXAMPLES.glob(f"*{SUFFIX}")}
    assert recorded == {*REQUESTS, *NOT_ASKED, "transaction-submission-error"}


@pytest.mark.parametrize("name", REQUESTS)
def test_recorded_example(prepared: Prepared, name: str) -> None:
    found, recorded = ask(prepared, REQUESTS[name]), example(name)
    assert not differences(found, recorded, name)
    if prepared.node.target is Target.EMBEDDED:  # other nodes may be newer than this list
        assert set(found) <= {*recorded, *LATER.get(name, ())}


def test_recorded_rejection(prepared: Prepared) -> None:
    response = prepared.node.submit(prepared["caller"].build(prepared.transfer(), fee=4000).encode())
    recorded = example("transaction-submission-error")
    assert not differences(response.json(), recorded, "rejection")
    assert set(response.json()) == set(recorded)
    assert set(response.json()["reason_data"]) == set(recorded["reason_data"])
