"""The proxy follows its script and changes nothing else."""

from __future__ import annotations

import json
import socket
import time
from contextlib import suppress
from typing import Any

import pytest
import requests

from der_client.devnet import Devnet
from der_client.stacks.account import Account
from der_client.stacks.clarity import PrincipalValue
from der_client.stacks.network import DEVNET
from der_client.stacks.rpc import Client
from der_client.stacks.transactions import ContractCall, ContractPublish, TokenTransfer, Transaction

from . import kinds
from .proxy import FaultProxy
from .replica import API_READS, NODE_READS, Lag

INFO = "/v2/info"


def get(proxy: FaultProxy, path: str = INFO, **options: Any) -> requests.Response:
    return requests.get(proxy.url + path, timeout=10, allow_redirects=False, **options)


def transfer(chain: Devnet, payee: str, nonce: int, *, fee: int = 1_000) -> Transaction:
    key = chain.accounts["wallet_1"].key
    return Transaction.build(
        TokenTransfer(PrincipalValue(payee), 1), public_key=key.public_key, network=DEVNET, nonce=nonce, fee=fee
    ).sign(key)


def post(proxy: FaultProxy, transaction: Transaction) -> requests.Response:
    headers = {"Content-Type": "application/octet-stream"}
    return requests.post(f"{proxy.url}/v2/transactions", transaction.encode(), headers=headers, timeout=10)


def is_waiting(chain: Devnet, txid: str) -> bool:
    return requests.get(f"{chain.url}/v2/transactions/unconfirmed/{txid}", timeout=10).ok


def test_without_a_script_requests_pass_unchanged(chain: Devnet, proxy: FaultProxy) -> None:
    direct = requests.get(chain.url + INFO, timeout=10)
    through = get(proxy)
    assert (through.status_code, through.json()) == (200, direct.json())
    assert get(proxy, "/extended/v1/tx/0x" + "00" * 32).status_code == 404
    assert [(entry.fault, entry.was_delivered) for entry in proxy.asked("GET", INFO)] == [("pass_on", True)]


def test_scripted_faults_are_used_in_order(proxy: FaultProxy) -> None:
    proxy.on("GET", INFO, kinds.busy(503, "7"), kinds.pass_on, kinds.page(400))
    answers = [get(proxy) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [503, 200, 400, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert "html" in answers[2].headers["Content-Type"]


@pytest.mark.parametrize(
    ("fault", "arrives"),
    [
        (kinds.reset_before, False),
        (kinds.reset_after, True),
        (kinds.hang_up_after, True),
        (kinds.half, True),
        (kinds.half_head, True),
    ],
)
def test_connection_faults(chain: Devnet, proxy: FaultProxy, payee: str, fault: kinds.Fault, arrives: bool) -> None:
    transaction = transfer(chain, payee, 0)
    proxy.on("POST", "/v2/transactions", fault)
    if fault is kinds.half_head:  # the client takes the end of the connection for the end of the headers
        assert post(proxy, transaction).content == b""
    else:
        with pytest.raises(requests.RequestException):
            post(proxy, transaction)
    assert is_waiting(chain, transaction.txid) is arrives


@pytest.mark.parametrize("status", [103, 200, 302, 400, 429, 499, 500])
@pytest.mark.parametrize("delivered", [False, True])
def test_responses_of_intermediaries(
    chain: Devnet, proxy: FaultProxy, payee: str, status: int, delivered: bool
) -> None:
    transaction = transfer(chain, payee, 0)
    fault = kinds.early_hints if status == 103 else kinds.page(status, delivered=delivered)
    proxy.on("POST", "/v2/transactions", fault)
    if status == 103:
        with socket.create_connection(proxy.url.removeprefix("http://").split(":")) as connection:  # type: ignore[arg-type]
            raw = transaction.encode()
            connection.sendall(
                b"POST /v2/transactions HTTP/1.1\r\nContent-Type: application/octet-stream\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(raw), raw)
            )
            answer = b""
            while transaction.txid.encode() not in answer:
                answer += connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 103 Early Hints\r\n")
        assert b"HTTP/1.1 200 OK\r\n" in answer
        delivered = True
    else:
        assert post(proxy, transaction).status_code == status
    assert is_waiting(chain, transaction.txid) is delivered


def test_redirects(proxy: FaultProxy) -> None:
    proxy.on("GET", INFO, kinds.redirect("http://example.com/v2/info", 301))
    answer = get(proxy)
    assert (answer.status_code, answer.headers["Location"]) == (301, "http://example.com/v2/info")


@pytest.mark.parametrize("fault", [kinds.dripped_head(0.001), kinds.dripped_body(0.001), kinds.slow(0.01)])
def test_slow_responses_are_complete(proxy: FaultProxy, fault: kinds.Fault) -> None:
    proxy.on("GET", INFO, fault)
    assert get(proxy).json()["network_id"] == DEVNET.chain_id


@pytest.mark.parametrize(
    "fault",
    [
        kinds.endless_headers,
        kinds.endless_continue,
        kinds.endless_chunk_extension,
        kinds.endless_trailers,
        kinds.silence,
    ],
)
def test_endless_responses_end_with_the_proxy(chain: Devnet, fault: kinds.Fault) -> None:
    with FaultProxy(chain.url) as proxy:
        proxy.on("GET", INFO, fault)
        connection = socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2])))
        connection.sendall(b"GET /v2/info HTTP/1.1\r\n\r\n")
        if fault is not kinds.silence:
            assert connection.recv(4096).startswith(b"HTTP/1.1 ")
    connection.settimeout(10)
    with connection, suppress(ConnectionResetError):
        while connection.recv(4096):
            pass


def test_withheld_transactions_are_delivered_later(chain: Devnet, proxy: FaultProxy, payee: str) -> None:
    transaction = transfer(chain, payee, 0)
    proxy.on("POST", "/v2/transactions", kinds.withhold)
    assert post(proxy, transaction).json() == transaction.txid
    assert not is_waiting(chain, transaction.txid)
    proxy.release()
    assert is_waiting(chain, transaction.txid)


def test_hidden_transactions_can_be_found_later(chain: Devnet, proxy: FaultProxy, payee: str) -> None:
    transaction = transfer(chain, payee, 0)
    post(proxy, transaction)
    proxy.hide(transaction.txid)
    paths = [f"/extended/v1/tx/0x{transaction.txid}", f"/v2/transactions/unconfirmed/{transaction.txid}"]
    assert [get(proxy, path).status_code for path in paths] == [404, 404]
    proxy.clear()
    assert [get(proxy, path).status_code for path in paths] == [200, 200]


def nonces(proxy: FaultProxy, address: str) -> tuple[int | None, int | None, int]:
    """Return the executed, last pending and next nonce, which are the same in both versions of the API."""
    first = get(proxy, f"/extended/v1/address/{address}/nonces").json()
    third = get(proxy, f"/extended/v3/principals/{address}/nonces").json()
    seen = first["last_executed_tx_nonce"], first["last_mempool_tx_nonce"], first["possible_next_nonce"]
    assert seen == (third["last_confirmed_nonce"], third["mempool"]["last_nonce"], third["next_nonce"])
    return seen


def test_an_api_that_lags_by_blocks(chain: Devnet, proxy: FaultProxy, payee: str) -> None:
    address = chain.accounts["wallet_1"].address
    sent = [transfer(chain, payee, nonce) for nonce in range(3)]
    for transaction in sent[:2]:
        post(proxy, transaction)
        chain.mine()
    post(proxy, sent[2])
    assert nonces(proxy, address) == (1, 2, 3)
    proxy.lag = Lag(blocks=1)
    assert nonces(proxy, address) == (0, 1, 2)
    account = f"/v2/accounts/{address}?proof=0"
    assert get(proxy, account).json()["nonce"] == 2, "the node itself is not behind"
    looks = [f"/extended/v1/tx/0x{transaction.txid}" for transaction in sent]
    assert [get(proxy, path).json().get("tx_status") for path in looks] == ["success", "pending", None]
    proxy.lag = Lag(blocks=2)
    assert nonces(proxy, address) == (None, 0, 1)
    proxy.lag = Lag(blocks=1, reads=API_READS | NODE_READS)
    assert get(proxy, account).json()["nonce"] == 1
    assert get(proxy, f"/v3/transaction/{sent[1].txid}").status_code == 404
    assert get(proxy, f"/v3/transaction/{sent[0].txid}").status_code == 200
    assert get(proxy, "/extended/v2/blocks/latest").json()["height"] == chain.block_height - 1


def test_a_replica_that_stopped_updating(chain: Devnet, proxy: FaultProxy, payee: str) -> None:
    address = chain.accounts["wallet_1"].address
    post(proxy, transfer(chain, payee, 0))
    time.sleep(0.01)
    proxy.lag = Lag(since=time.monotonic())
    chain.mine()
    transaction = transfer(chain, payee, 1)
    post(proxy, transaction)
    assert nonces(proxy, address) == (None, 0, 1)
    assert get(proxy, f"/extended/v1/tx/0x{transaction.txid}").status_code == 404
    proxy.lag = Lag(seconds=3600)
    assert nonces(proxy, address) == (None, None, 0)
    proxy.lag = None
    assert nonces(proxy, address) == (0, 1, 2)


def test_contract_logs_of_a_lagging_replica(chain: Devnet, proxy: FaultProxy) -> None:
    account = Account(chain.deployer.key, Client(chain.url))
    account.submit(ContractPublish("talker", "(define-public (talk) (ok (print u1)))", 3), fee_ustx=10_000)
    chain.mine()
    contract_id = f"{account.address}.talker"
    for _ in range(2):
        account.submit(ContractCall(contract_id, "talk"), fee_ustx=10_000)
        chain.mine()
    path = f"/extended/v2/smart-contracts/{contract_id}/logs"
    assert len(get(proxy, path).json()["results"]) == 2
    proxy.lag = Lag(blocks=1)
    behind = get(proxy, path).json()
    assert (len(behind["results"]), behind["total"]) == (1, 1)


def test_an_unreachable_node_resets_the_connection(proxy: FaultProxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        proxy.node_url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    with pytest.raises(requests.ConnectionError):
        get(proxy)


def test_a_mood_chooses_faults_where_no_rule_matches(proxy: FaultProxy) -> None:
    proxy.mood = lambda ask: kinds.busy(503) if ask.path == INFO else None
    proxy.on("GET", INFO, kinds.page(500))
    assert [get(proxy, path).status_code for path in (INFO, INFO, "/extended")] == [500, 503, 200]
    assert json.loads(get(proxy).content) == {"error": "busy"}
