"""The API's WebSocket: JSON-RPC 2.0 at ``/extended/v1/ws`` (stacks-blockchain-api v9)."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from websockets.sync.client import connect

from tests.conformance.node import CONFIRMATION_TIMEOUT_S
from tests.conformance.prepared import FEE_USTX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.sync.client import ClientConnection

    from tests.conformance.prepared import Prepared

METHOD_NOT_FOUND, INVALID_PARAMS = -32601, -32602


class Socket:
    """One connection; it keeps notifications that arrive before a response."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._notes: list[Any] = []

    def ask(self, method: str, **params: str) -> Any:
        self._connection.send(json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}))
        while "id" not in (message := json.loads(self._connection.recv(CONFIRMATION_TIMEOUT_S))):
            self._notes.append(message)
        assert (message["jsonrpc"], message["id"]) == ("2.0", 7)
        return message

    def wait_for(self, method: str, **params: str) -> Any:
        """Return the params of the first notification that includes these; keep the others."""
        give_up_at = time.monotonic() + CONFIRMATION_TIMEOUT_S
        looked_at = 0
        while True:
            for note in self._notes[looked_at:]:
                if note["method"] == method and params.items() <= note["params"].items():
                    return note["params"]
            looked_at = len(self._notes)
            assert time.monotonic() < give_up_at, f"waited {CONFIRMATION_TIMEOUT_S} s in vain for {method} {params}"
            self._notes.append(json.loads(self._connection.recv(CONFIRMATION_TIMEOUT_S)))


@pytest.fixture
def socket(prepared: Prepared) -> Iterator[Socket]:
    if not prepared.node.has_api:
        pytest.fail("there is no API")
    with connect(prepared.node.api_url.replace("http", "ws", 1) + "/extended/v1/ws") as connection:
        yield Socket(connection)


def test_notifications_from_mempool_to_block_in_the_api(prepared: Prepared, socket: Socket) -> None:
    actor = prepared["announcing"]
    transaction = actor.build(prepared.transfer())
    txid = f"0x{transaction.txid}"
    for event, params in (
        ("mempool", {}),
        ("block", {}),
        ("tx_update", {"tx_id": txid}),
        ("address_tx_update", {"address": actor.address}),
        ("address_balance_update", {"address": actor.address}),
    ):
        assert "error" not in socket.ask("subscribe", event=event, **params), event
    prepared.submit("announced", transaction)
    assert socket.wait_for("mempool", tx_id=txid)["tx_status"] == "pending"
    mined = socket.wait_for("tx_update", tx_id=txid, tx_status="success")
    of_address = socket.wait_for("address_tx_update", tx_id=txid, tx_status="success")
    assert (of_address["address"], of_address["tx_type"]) == (actor.address, "token_transfer")
    balance = socket.wait_for("address_balance_update", address=actor.address)
    assert int(balance["balance"]) == int(prepared.node.account(actor.address)["balance"], 16)
    block = prepared.node.json(f"/extended/v2/blocks/{mined['block_height']}")
    assert (mined["sender_address"], int(mined["fee_rate"])) == (actor.address, FEE_USTX)
    assert mined["block_hash"] == block["hash"]


def test_block_notifications_in_the_api(prepared: Prepared, socket: Socket) -> None:
    socket.ask("subscribe", event="block")
    transaction = prepared["announcing"].build(
        prepared.transfer(), nonce=prepared.node.account(prepared["announcing"].address)["nonce"]
    )
    prepared.submit("in a block", transaction)
    mined = prepared.node.wait_for_api(transaction.txid)
    block = socket.wait_for("block", hash=mined["block_hash"])
    assert (block["canonical"], block["height"]) == (True, mined["block_height"])


def test_notification_of_a_replaced_transaction_in_the_api(prepared: Prepared, socket: Socket) -> None:
    actor = prepared["outbid"]
    # Nonce 0 is missing, so these stay pending.
    first, better = (actor.build(prepared.transfer(), nonce=1, fee=FEE_USTX + more) for more in (0, 1))
    prepared.submit("outbid", first)
    prepared.node.wait_for_api(first.txid, pending=True)
    socket.ask("subscribe", event="tx_update", tx_id=f"0x{first.txid}")
    prepared.submit("outbidding it", better)
    socket.wait_for("tx_update", tx_id=f"0x{first.txid}", tx_status="dropped_replace_by_fee")
    prepared.submit("before it", actor.build(prepared.transfer()))
    prepared.node.wait_for_nonce(actor.address, 2)


def test_invalid_requests_in_the_api(socket: Socket) -> None:
    cases: tuple[tuple[str, dict[str, str], int], ...] = (
        ("subscribe", {"event": "weather"}, INVALID_PARAMS),
        ("subscribe", {"event": "tx_update", "tx_id": "1"}, INVALID_PARAMS),
        ("subscribe", {"event": "address_tx_update", "address": "nobody"}, INVALID_PARAMS),
        ("hello", {"event": "block"}, METHOD_NOT_FOUND),
    )
    for method, params, code in cases:
        assert socket.ask(method, **params)["error"]["code"] == code, params
