"""How the client handles what a live node does not do on demand: timeouts, outages, redirects, lost responses."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import responses

from der_client.stacks.clarity import NoneValue, PrincipalValue, TupleValue, UIntValue, encode
from der_client.stacks.errors import (
    BroadcastUnknownError,
    CallReadError,
    ConfirmationTimeoutError,
    InvalidValueError,
    NodeError,
    NodeResponseError,
    NodeUnreachableError,
    NotFoundError,
    NothingSentError,
    SigningError,
    TransactionRejectedError,
)
from der_client.stacks.keys import PrivateKey
from der_client.stacks.network import DEVNET, MAINNET, TESTNET, Network
from der_client.stacks.pending import PendingTransaction
from der_client.stacks.rpc import AsyncClient, Client, RetryPolicy, node
from der_client.stacks.transactions import Multisig, TokenTransfer, Transaction

from .raw_server import Handle, Server, answer, url_of_nobody

URL = "https://node.test"
ADDRESS = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"
CONTRACT = f"{ADDRESS}.market"
QUICK = RetryPolicy(attempts=3, backoff_s=0.001, max_wait_s=0.05)
RAW = b"\x80 signed bytes"
TXID = node.compute_txid(RAW)
KEY = PrivateKey.from_hex("11" * 32 + "01")
SIGNED = Transaction.build(
    TokenTransfer(PrincipalValue(ADDRESS), 1), public_key=KEY.public_key, network=DEVNET, nonce=0, fee=200
).sign(KEY)
INFO = {
    "network_id": 0x80000000,
    "server_version": "test",
    "peer_version": 1,
    "stacks_tip_height": 5,
    "stacks_tip": "ab" * 32,
    "stacks_tip_consensus_hash": "cd" * 20,
    "burn_block_height": 6,
    "stable_burn_block_height": 5,
}
PENDING = {
    "tx_id": f"0x{TXID}",
    "tx_status": "pending",
    "tx_type": "token_transfer",
    "nonce": 0,
    "fee_rate": "180",
    "sender_address": ADDRESS,
}


@pytest.fixture
def mocked() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=True) as mock:
        yield mock


@pytest.fixture
def client() -> Client:
    """A client that already knows that the node has only version 1 of the API."""
    client = Client(URL, retries=QUICK)
    client._api.has_v3 = False
    return client


@pytest.fixture
def serve() -> Iterator[Callable[[Handle], Server]]:
    servers: list[Server] = []

    def start(handle: Handle) -> Server:
        servers.append(Server(handle))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


Serve = Callable[[Handle], Server]


class TestReading:
    def test_values_are_read(self, mocked: responses.RequestsMock, client: Client) -> None:
        value = TupleValue({"a": UIntValue(1)})
        base = f"{URL}/v2"
        mocked.post(
            f"{base}/contracts/call-read/{ADDRESS}/market/get-offer", json={"okay": True, "result": encode(value).hex()}
        )
        mocked.post(f"{base}/map_entry/{ADDRESS}/market/offers", json={"data": "0x0a" + encode(value).hex()})
        mocked.post(f"{base}/map_entry/{ADDRESS}/market/none", json={"data": "0x09"})
        mocked.get(f"{base}/data_var/{ADDRESS}/market/next", json={"data": "0x09"})
        mocked.get(f"{base}/constant_val/{ADDRESS}/market/FEE", json={"data": "0x" + encode(UIntValue(3)).hex()})
        assert client.call_read(CONTRACT, "get-offer", [UIntValue(1)]) == value
        assert client.map_entry(CONTRACT, "offers", UIntValue(1)) == value
        assert client.map_entry(CONTRACT, "none", UIntValue(1)) is None
        assert client.data_var(CONTRACT, "next") == NoneValue()
        assert client.constant_val(CONTRACT, "FEE") == UIntValue(3)
        assert json.loads(mocked.calls[0].request.body or b"")["arguments"] == [encode(UIntValue(1)).hex()]

    def test_an_invalid_value_is_an_error(self, mocked: responses.RequestsMock, client: Client) -> None:
        mocked.get(f"{URL}/v2/data_var/{ADDRESS}/market/next", json={"data": "0x01ff"})
        with pytest.raises(NodeResponseError, match="not a valid Clarity value"):
            client.data_var(CONTRACT, "next")

    def test_an_unknown_transaction_is_none(self, mocked: responses.RequestsMock, client: Client) -> None:
        mocked.get(f"{URL}/extended/v1/tx/0x{TXID}", json={"error": "could not find transaction by ID"}, status=404)
        assert client.transaction(TXID) is None

    def test_all_events_of_a_transaction_are_fetched(self, mocked: responses.RequestsMock, client: Client) -> None:
        def event(index: int) -> dict[str, Any]:
            return {"event_index": index, "event_type": "x", "tx_id": f"0x{TXID}"}

        page = {**PENDING, "event_count": 3}
        url = f"{URL}/extended/v1/tx/0x{TXID}"
        match = responses.matchers.query_param_matcher
        mocked.get(url, json={**page, "events": [event(0), event(1)]}, match=[match({})])
        mocked.get(url, json={**page, "events": [event(2)]}, match=[match({"event_offset": "2", "event_limit": "100"})])
        info = client.transaction(TXID)
        assert info is not None
        assert [item.event_index for item in info.events] == [0, 1, 2]

    def test_headers_are_sent_but_not_shown(self, mocked: responses.RequestsMock, caplog: Any) -> None:
        caplog.set_level(logging.DEBUG)
        mocked.get(f"{URL}/v2/fees/transfer", json=1, match=[responses.matchers.header_matcher({"x-api-key": "hush"})])
        client = Client(URL, headers={"x-api-key": "hush"})
        client.transfer_fee_rate()
        assert "hush" not in repr(client) + caplog.text


class TestNetwork:
    @pytest.mark.parametrize(
        ("url", "network_id", "network"),
        [(URL, 1, MAINNET), (URL, 0x80000000, TESTNET), ("http://localhost:3999", 0x80000000, DEVNET)],
    )
    def test_the_network_is_requested_once(
        self, mocked: responses.RequestsMock, url: str, network_id: int, network: Network
    ) -> None:
        mocked.get(f"{url}/v2/info", json={**INFO, "network_id": network_id})
        client = Client(url)
        assert client.network is network
        assert client.checked_network() is network
        assert len(mocked.calls) == 1

    def test_an_unknown_network_must_be_passed(self, mocked: responses.RequestsMock) -> None:
        mocked.get(f"{URL}/v2/info", json={**INFO, "network_id": 77})
        with pytest.raises(NodeResponseError, match="network 77"):
            _ = Client(URL).network
        own = Network("own", 0x80, 77, 26, 21, "")
        assert Client(URL, network=own).checked_network() is own

    def test_a_wrong_network_is_detected(self, mocked: responses.RequestsMock) -> None:
        mocked.get(f"{URL}/v2/info", json=INFO)
        client = Client(URL, network=MAINNET)
        assert client.network is MAINNET
        with pytest.raises(InvalidValueError, match="network=mainnet"):
            client.checked_network()


class TestUrls:
    @pytest.mark.parametrize(
        "url",
        [
            *(
                "",
                "node.test",
                "ftp://node.test",
                "http://",
                "http://node.test?x=1",
                "http://node.test/#a",
                "http://n:x",
            ),
            *(
                "http://*.x",
                "http://.a",
                "http://a b.c",
                "http://a..b",
                f"http://{'a' * 64}.c",
                "http://h/?",
                "http://h\n",
            ),
        ],
    )
    def test_invalid_base_urls_are_rejected(self, url: str) -> None:
        with pytest.raises(InvalidValueError, match="URL"):
            Client(url)

    @pytest.mark.parametrize(
        "url", ["https://me:hush@node.test", "http://me:hush@n:99999", "me:hush@node.test", "http://n?api_key=hush"]
    )
    def test_credentials_in_the_url_are_rejected_and_not_shown(self, url: str) -> None:
        with pytest.raises(InvalidValueError, match="headers=") as caught:
            Client(url)
        assert "hush" not in str(caught.value)

    @pytest.mark.parametrize("value", ["hush\n", " hush", "hush\r\nX: y", "hush€", b"hush", None])
    def test_invalid_header_values_are_rejected_and_not_shown(self, value: Any) -> None:
        with pytest.raises(InvalidValueError, match="the value of header 'x-api-key'") as caught:
            Client(URL, headers={"x-api-key": value})
        assert "hush" not in str(caught.value)

    @pytest.mark.parametrize("name", ["", "a b", "a:b", 5])
    def test_invalid_header_names_are_rejected(self, name: Any) -> None:
        with pytest.raises(InvalidValueError, match="not the name of a header"):
            Client(URL, headers={name: "x"})

    @pytest.mark.parametrize("options", [{"timeout": 5}, {"timeout": (1, 2, 3)}, {"network": "devnet"}])
    def test_options_of_the_wrong_type_are_rejected(self, options: dict[str, Any]) -> None:
        with pytest.raises(InvalidValueError, match=r"two numbers|is a Network"):
            Client(URL, **options)

    @pytest.mark.parametrize("timeout", [(0, 1), (1, 0), (-1, 1)])
    def test_timeouts_must_be_positive(self, timeout: tuple[float, float]) -> None:
        with pytest.raises(InvalidValueError, match="more than 0"):
            Client(URL, timeout=timeout)

    def test_a_retry_policy_needs_at_least_one_attempt(self) -> None:
        with pytest.raises(InvalidValueError, match="attempts"):
            RetryPolicy(attempts=0)


class TestOutages:
    def test_an_unreachable_server_is_a_connection_error(self) -> None:
        url = url_of_nobody()
        with pytest.raises(NodeUnreachableError, match="is the node running") as caught:
            Client(url, retries=QUICK).info()
        assert caught.value.url == f"{url}/v2/info"

    def test_an_unknown_host_is_a_connection_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(name, raising=False)
        with pytest.raises(NodeUnreachableError, match="is the URL right"):
            Client("http://node.invalid", retries=QUICK).info()

    def test_a_slow_server_causes_a_timeout(self, serve: Serve) -> None:
        server = serve(lambda *_: time.sleep(5))
        with pytest.raises(NodeUnreachableError, match=r"no response within 0\.05 s"):
            Client(server.url, timeout=(1, 0.05), retries=QUICK).info()

    def test_a_silent_server_does_not_prolong_waiting(self, serve: Serve) -> None:
        client = Client(serve(lambda *_: time.sleep(60)).url, timeout=(5, 30), retries=QUICK)
        with pytest.raises(ConfirmationTimeoutError, match="no response within 1 s"):
            PendingTransaction(client, TXID).wait(0)

    def test_a_dripping_response_ends_at_the_deadline(self, serve: Serve) -> None:
        def drip(connection: socket.socket, _: bytes) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            for _second in range(500):
                connection.sendall(b" ")
                time.sleep(0.01)

        server = serve(drip)
        with pytest.raises(NodeResponseError, match=r"took longer than 0\.1 s"):
            Client(server.url, response_deadline_s=0.1, retries=QUICK).info()

    @pytest.mark.parametrize("announced", [True, False])
    def test_an_oversized_response_is_rejected(self, serve: Serve, announced: bool) -> None:
        def flood(connection: socket.socket, _: bytes) -> None:
            length = b"Content-Length: 100000000\r\n" if announced else b""
            connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + length + b"\r\n")
            for _chunk in range(1000):
                connection.sendall(bytes(100_000))

        server = serve(flood)
        with pytest.raises(NodeResponseError, match="longer than 200000 bytes"):
            Client(server.url, max_response_bytes=200_000, retries=QUICK).info()

    def test_a_response_that_is_oversized_once_decompressed_is_rejected(self, serve: Serve) -> None:
        bomb = gzip.compress(bytes(50_000_000))
        server = serve(lambda connection, _: answer(connection, bomb, headers="Content-Encoding: gzip\r\n"))
        with pytest.raises(NodeResponseError, match="longer than 200000 bytes"):
            Client(server.url, max_response_bytes=200_000, retries=QUICK).info()

    def test_a_truncated_response_is_an_error(self, serve: Serve) -> None:
        def half(connection: socket.socket, _: bytes) -> None:
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"network_id"')
            connection.close()

        with pytest.raises(NodeUnreachableError, match="broke"):
            Client(serve(half).url, retries=QUICK).info()

    def test_a_server_that_does_not_speak_http_is_an_error(self, serve: Serve) -> None:
        with pytest.raises(NodeError):
            Client(serve(lambda connection, _: connection.sendall(b"SSH-2.0\r\n\r\n")).url, retries=QUICK).info()

    def test_a_transient_failure_is_retried(self, mocked: responses.RequestsMock, client: Client) -> None:
        mocked.get(f"{URL}/v2/info", status=503)
        mocked.get(f"{URL}/v2/info", body=requests.ConnectionError("reset"))
        mocked.get(f"{URL}/v2/info", json=INFO)
        assert client.info().stacks_tip_height == 5

    def test_a_lasting_failure_is_reported(self, mocked: responses.RequestsMock, client: Client) -> None:
        mocked.get(f"{URL}/v2/info", status=502, body="<html>Bad Gateway</html>")
        with pytest.raises(NodeResponseError, match="HTTP 502"):
            client.info()
        assert len(mocked.calls) == QUICK.attempts

    def test_a_definite_error_is_not_retried(self, mocked: responses.RequestsMock, client: Client) -> None:
        mocked.get(f"{URL}/v2/info", status=404, body="no")
        with pytest.raises(NotFoundError):
            client.info()
        assert len(mocked.calls) == 1

    def test_a_read_by_post_is_retried(self, mocked: responses.RequestsMock, client: Client) -> None:
        url = f"{URL}/v2/contracts/call-read/{ADDRESS}/market/f"
        mocked.post(url, status=503)
        mocked.post(url, json={"okay": False, "cause": "Unchecked(NoSuchFunction)"})
        with pytest.raises(CallReadError):
            client.call_read(CONTRACT, "f")

    def test_retry_after_is_respected(self, mocked: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch) -> None:
        waits: list[float] = []
        monkeypatch.setattr(time, "sleep", waits.append)
        mocked.get(f"{URL}/v2/info", status=429, headers={"Retry-After": "1"})
        mocked.get(f"{URL}/v2/info", json=INFO)
        Client(URL, retries=RetryPolicy(attempts=2, backoff_s=0.001, max_wait_s=2)).info()
        assert waits == [1.0]

    @pytest.mark.parametrize("header", ["3600", "Fri, 31 Dec 2999 23:59:59 GMT"])
    def test_a_too_long_retry_after_is_an_error_at_once(
        self, mocked: responses.RequestsMock, client: Client, header: str
    ) -> None:
        mocked.get(f"{URL}/v2/info", status=429, headers={"Retry-After": header})
        with pytest.raises(NodeResponseError, match="send fewer"):
            client.info()
        assert len(mocked.calls) == 1

    def test_a_retry_after_date_is_relative_to_the_servers_clock(
        self, mocked: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The local clock may be wrong by hours."""
        waits: list[float] = []
        monkeypatch.setattr(time, "sleep", waits.append)
        headers = {"Retry-After": "Sun, 06 Nov 1994 08:49:40 GMT", "Date": "Sun, 06 Nov 1994 08:49:37 GMT"}
        mocked.get(f"{URL}/v2/info", status=429, headers=headers)
        mocked.get(f"{URL}/v2/info", json=INFO)
        Client(URL, retries=RetryPolicy(attempts=2, backoff_s=0.001, max_wait_s=5)).info()
        assert waits == [3.0]

    def test_the_error_contains_the_retry_after_time(self, mocked: responses.RequestsMock, client: Client) -> None:
        mocked.get(f"{URL}/v2/info", status=429, headers={"Retry-After": "12"})
        with pytest.raises(NodeResponseError) as caught:
            client.info()
        assert (caught.value.status, caught.value.retry_after_s) == (429, 12)

    @pytest.mark.parametrize("header", ["soon", "-5", "9" * 100])
    def test_an_invalid_retry_after_is_ignored(
        self, mocked: responses.RequestsMock, client: Client, header: str
    ) -> None:
        mocked.get(f"{URL}/v2/info", status=503, headers={"Retry-After": header})
        with pytest.raises(NodeResponseError, match="HTTP 503"):
            client.info()


class TestRedirects:
    def test_a_redirected_get_on_the_same_host_is_followed(
        self, mocked: responses.RequestsMock, client: Client
    ) -> None:
        mocked.get(f"{URL}/v2/info", status=301, headers={"Location": "/moved"})
        mocked.get(f"{URL}/moved", json=INFO)
        assert client.info().network_id == 0x80000000

    def test_a_redirect_to_an_invalid_address_is_an_error(self, mocked: responses.RequestsMock, client: Client) -> None:
        mocked.get(f"{URL}/v2/info", status=301, headers={"Location": "http://["})
        with pytest.raises(NodeResponseError, match="redirects to an invalid address"):
            client.info()

    @pytest.mark.parametrize(
        "target", ["https://evil.test/v2/info", "http://node.test/v2/info", "https://node.test:8/"]
    )
    def test_a_redirect_to_another_host_is_not_followed(
        self, mocked: responses.RequestsMock, client: Client, target: str
    ) -> None:
        mocked.get(f"{URL}/v2/info", status=302, headers={"Location": target})
        with pytest.raises(NodeResponseError, match="not followed"):
            client.info()

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_a_redirected_post_is_never_followed(
        self, mocked: responses.RequestsMock, client: Client, status: int
    ) -> None:
        mocked.post(f"{URL}/v2/transactions", status=status, headers={"Location": "/elsewhere"})
        with pytest.raises(BroadcastUnknownError, match="not followed"):
            client.broadcast(RAW)

    def test_a_redirect_loop_is_an_error(self, mocked: responses.RequestsMock, client: Client) -> None:
        mocked.get(f"{URL}/v2/info", status=302, headers={"Location": "/v2/info"})
        with pytest.raises(NodeResponseError, match="redirected more than 3 times"):
            client.info()


class TestConnections:
    @pytest.mark.parametrize("chunked", [False, True])
    def test_a_connection_is_reused(self, serve: Serve, chunked: bool) -> None:
        body = json.dumps(INFO).encode()

        def handle(connection: socket.socket, _: bytes) -> None:
            if chunked:
                head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                connection.sendall(head + f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n")
            else:
                answer(connection, body)

        server = serve(handle)
        with Client(server.url) as client:
            for _ in range(20):
                client.info()
        assert len(server.requests) == 20
        assert server.connections == 1

    def test_an_oversized_response_does_not_affect_the_next_one(self, serve: Serve) -> None:
        bodies = [bytes(100_000), json.dumps(INFO).encode()]
        server = serve(lambda connection, _: answer(connection, bodies.pop(0)))
        client = Client(server.url, max_response_bytes=5000)
        with pytest.raises(NodeResponseError, match="longer"):
            client.info()
        assert client.info().network_id == 0x80000000

    def test_several_threads_can_share_a_client(self, serve: Serve) -> None:
        body = json.dumps(INFO).encode()
        server = serve(lambda connection, _: answer(connection, body))
        client = Client(server.url)
        seen: list[int] = []
        threads = [
            threading.Thread(target=lambda: seen.extend(client.info().network_id for _ in range(20))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == [0x80000000] * 160

    def test_cookies_are_not_kept(self, serve: Serve) -> None:
        body = json.dumps(INFO).encode()
        server = serve(lambda connection, _: answer(connection, body, headers="Set-Cookie: a=b\r\n"))
        client = Client(server.url)
        client.info()
        client.info()
        assert b"ookie" not in server.requests[1]


class TestSending:
    """A transaction is never signed again or sent under two ids, and an unknown outcome is reported."""

    POST = f"{URL}/v2/transactions"
    LOOKUP = f"{URL}/extended/v1/tx/0x{TXID}"

    def unknown(self, mocked: responses.RequestsMock, txid: str = TXID) -> None:
        mocked.get(f"{URL}/extended/v1/tx/0x{txid}", status=404, json={"error": "could not find transaction by ID"})
        mocked.get(f"{URL}/v2/transactions/unconfirmed/{txid}", status=404, body="not found")
        mocked.get(f"{URL}/v3/transaction/{txid}", status=501, body="not indexed")

    def posts(self, mocked: responses.RequestsMock) -> list[Any]:
        return [call.request.body for call in mocked.calls if call.request.method == "POST"]

    def test_sending_returns_the_txid(self, mocked: responses.RequestsMock, client: Client) -> None:
        mocked.post(
            self.POST,
            json=TXID,
            match=[responses.matchers.header_matcher({"Content-Type": "application/octet-stream"})],
        )
        assert client.send(RAW) == TXID
        assert self.posts(mocked) == [RAW]

    @pytest.mark.parametrize("reason", ["FeeTooLow", "BadNonce"])
    def test_a_rejected_transaction_is_not_sent_again(
        self, mocked: responses.RequestsMock, client: Client, reason: str
    ) -> None:
        mocked.post(self.POST, status=400, json={"reason": reason, "reason_data": {}, "txid": TXID})
        if reason == "BadNonce":
            self.unknown(mocked)
        with pytest.raises(TransactionRejectedError):
            client.send(RAW)
        assert len(self.posts(mocked)) == 1

    def test_sending_a_known_transaction_again_returns_its_txid(
        self, mocked: responses.RequestsMock, client: Client
    ) -> None:
        mocked.post(self.POST, status=400, json={"reason": "BadNonce", "reason_data": {}, "txid": TXID})
        mocked.get(self.LOOKUP, json=PENDING)
        assert client.send(RAW) == TXID

    @pytest.mark.parametrize(
        "second",
        [
            {"status": 403, "body": "forbidden"},
            {"status": 301, "headers": {"Location": "https://evil.test/"}},
            {"status": 400, "json": {"reason": "ServerFailureDatabase", "reason_data": {}, "txid": TXID}},
            {"status": 400, "json": {"reason": "TemporarilyBlacklisted", "txid": TXID}},
        ],
    )
    def test_after_a_lost_response_other_errors_leave_the_outcome_unknown(
        self, mocked: responses.RequestsMock, client: Client, second: dict[str, Any]
    ) -> None:
        mocked.post(self.POST, body=requests.ReadTimeout("slow"))
        mocked.post(self.POST, **second)
        self.unknown(mocked)
        with pytest.raises(ConfirmationTimeoutError) as caught:
            client.send(RAW)
        assert caught.value.raw == RAW

    @pytest.mark.parametrize("status", [408, 500, 524])
    def test_a_server_error_leaves_the_outcome_unknown(
        self, mocked: responses.RequestsMock, client: Client, status: int
    ) -> None:
        mocked.post(self.POST, status=status)
        self.unknown(mocked)
        with pytest.raises(ConfirmationTimeoutError, match=f"HTTP {status}"):
            client.send(RAW)
        assert self.posts(mocked) == [RAW] * QUICK.attempts

    @pytest.mark.parametrize(
        "reply",
        [
            *({"status": status} for status in (201, 204, 304, 401, 403, 404, 413, 451, 499)),
            {"status": 400, "body": "<html>Bad Request</html>", "content_type": "text/html"},
            {"status": 400, "body": "bad request"},
            {"status": 400, "json": {"error": "bad request"}},
            {"status": 400, "json": {"error": "transaction rejected", "reason": "BadNonce", "txid": "11" * 32}},
            {"status": 400, "json": {"error": "transaction rejected", "txid": SIGNED.txid}},
            {"status": 403, "json": {"error": "transaction rejected", "reason": "FeeTooLow", "txid": SIGNED.txid}},
            {"status": 200, "body": "OK"},
            {"status": 200, "json": "11" * 32},
            {"status": 302, "headers": {"Location": "/"}},
        ],
    )
    def test_a_response_that_is_not_the_nodes_leaves_the_outcome_unknown(
        self, mocked: responses.RequestsMock, client: Client, reply: dict[str, Any]
    ) -> None:
        """It may come from a gateway in front of a node that has accepted the transaction."""
        raw = SIGNED.encode()
        mocked.post(self.POST, **reply)
        self.unknown(mocked, SIGNED.txid)
        with pytest.raises(BroadcastUnknownError) as caught:
            client.send(raw)
        assert (caught.value.txid, caught.value.raw) == (SIGNED.txid, raw)
        assert self.posts(mocked) == [raw]
        mocked.post(self.POST, **reply)
        with pytest.raises(BroadcastUnknownError) as caught:
            client.broadcast(raw)
        assert (caught.value.txid, caught.value.raw) == (SIGNED.txid, raw)

    def test_a_nodes_text_about_undecodable_bytes_is_a_rejection(
        self, mocked: responses.RequestsMock, client: Client
    ) -> None:
        mocked.post(self.POST, status=400, body="Failed to decode", content_type="text/plain")
        with pytest.raises(TransactionRejectedError, match="cannot decode") as caught:
            client.send(RAW)
        assert (caught.value.reason, caught.value.txid) == ("Deserialization", TXID)

    def test_broadcast_sends_only_once(self, mocked: responses.RequestsMock, client: Client) -> None:
        mocked.post(self.POST, status=503, headers={"Retry-After": "7"})
        with pytest.raises(BroadcastUnknownError) as caught:
            client.broadcast(RAW)
        assert caught.value.retry_after_s == 7
        mocked.post(self.POST, json={"reason": "FeeTooLow", "txid": TXID}, status=400)
        with pytest.raises(TransactionRejectedError):
            client.broadcast(RAW)
        mocked.replace("POST", self.POST, json=TXID)
        assert client.broadcast(RAW) == TXID

    def test_broadcast_without_a_connection_sends_nothing(self) -> None:
        with pytest.raises(NothingSentError):
            Client(url_of_nobody()).broadcast(RAW)

    def test_too_many_requests_with_a_long_retry_after_is_not_retried(
        self, mocked: responses.RequestsMock, client: Client
    ) -> None:
        mocked.post(self.POST, status=429, headers={"Retry-After": "60"})
        with pytest.raises(BroadcastUnknownError, match="HTTP 429") as caught:
            client.send(RAW)
        assert caught.value.retry_after_s == 60
        assert len(mocked.calls) == 1

    def test_after_a_lost_response_a_known_transaction_is_not_sent_again(
        self, mocked: responses.RequestsMock, client: Client
    ) -> None:
        mocked.post(self.POST, body=requests.ReadTimeout("slow"))
        mocked.get(self.LOOKUP, json=PENDING)
        assert client.send(RAW) == TXID
        assert len(self.posts(mocked)) == 1

    def test_after_a_lost_response_the_nodes_own_mempool_is_checked_too(
        self, mocked: responses.RequestsMock, client: Client
    ) -> None:
        mocked.post(self.POST, body=requests.ReadTimeout("slow"))
        mocked.get(self.LOOKUP, status=404, body="<html>")
        mocked.get(f"{URL}/v2/transactions/unconfirmed/{TXID}", json={"tx": RAW.hex(), "status": "Mempool"})
        assert client.send(RAW) == TXID
        assert len(self.posts(mocked)) == 1

    def test_after_a_lost_response_an_unknown_transaction_is_sent_again(
        self, mocked: responses.RequestsMock, client: Client
    ) -> None:
        mocked.post(self.POST, body=requests.ConnectionError("reset by peer"))
        mocked.post(self.POST, json=TXID)
        self.unknown(mocked)
        assert client.send(RAW) == TXID
        assert self.posts(mocked) == [RAW, RAW]

    def test_a_transaction_is_looked_up_before_it_is_sent_again(
        self, mocked: responses.RequestsMock, client: Client
    ) -> None:
        mocked.post(self.POST, status=504)
        mocked.post(self.POST, json=TXID)
        self.unknown(mocked)
        client.send(RAW)
        assert [call.request.method for call in mocked.calls] == ["POST", "GET", "GET", "GET", "POST"]

    def test_a_transaction_mined_before_it_was_sent_again_is_a_success(
        self, mocked: responses.RequestsMock, client: Client
    ) -> None:
        # The first copy arrived, but the API showed it only after the second was rejected for its nonce.
        mocked.post(self.POST, body=requests.ReadTimeout("slow"))
        mocked.post(self.POST, status=400, json={"reason": "BadNonce", "reason_data": {}, "txid": TXID})
        self.unknown(mocked)
        mocked.get(self.LOOKUP, json=PENDING)
        assert client.send(RAW) == TXID

    def test_a_nonce_error_after_a_lost_response_leaves_the_outcome_unknown(
        self, mocked: responses.RequestsMock, client: Client
    ) -> None:
        mocked.post(self.POST, body=requests.ReadTimeout("slow"))
        mocked.post(self.POST, status=400, json={"reason": "BadNonce", "reason_data": {}, "txid": TXID})
        self.unknown(mocked)
        with pytest.raises(ConfirmationTimeoutError) as caught:
            client.send(RAW)
        assert caught.value.txid == TXID

    @pytest.mark.parametrize(
        ("reason", "expected"),
        [
            ("TransferAmountMustBePositive", TransactionRejectedError),
            ("NoSuchContract", BroadcastUnknownError),
            ("NotEnoughFunds", BroadcastUnknownError),
            ("FeeTooLow", BroadcastUnknownError),
            ("SomethingNew", BroadcastUnknownError),
        ],
    )
    def test_most_rejections_after_a_lost_response_leave_the_outcome_unknown(
        self, mocked: responses.RequestsMock, client: Client, reason: str, expected: type[Exception]
    ) -> None:
        """Another node behind the same URL may have accepted the first copy, unless no node ever would."""
        mocked.post(self.POST, body=requests.ReadTimeout("slow"))
        mocked.post(self.POST, status=400, json={"reason": reason, "txid": TXID})
        self.unknown(mocked)
        with pytest.raises(expected):
            client.send(RAW)

    def test_no_response_at_all_leaves_the_outcome_unknown(
        self, mocked: responses.RequestsMock, client: Client
    ) -> None:
        mocked.post(self.POST, body=requests.ReadTimeout("slow"))
        self.unknown(mocked)
        with pytest.raises(ConfirmationTimeoutError, match="do not build it again") as caught:
            client.send(RAW)
        assert caught.value.txid == TXID
        assert self.posts(mocked) == [RAW] * QUICK.attempts

    def test_without_a_connection_nothing_is_sent(self) -> None:
        with pytest.raises(NodeUnreachableError, match="is the node running"):
            Client(url_of_nobody(), retries=QUICK).send(RAW)

    def through(self, proxy: str) -> Client:
        session = requests.Session()
        session.proxies = {"http": proxy}
        return Client("http://node.test", session=session, retries=QUICK)

    def test_an_unreachable_proxy_is_a_connection_error(self) -> None:
        with pytest.raises(NodeUnreachableError, match="no connection through the proxy"):
            self.through(url_of_nobody()).send(RAW)

    def test_a_proxy_that_hangs_up_leaves_the_outcome_unknown(self, serve: Serve) -> None:
        server = serve(lambda connection, _: connection.shutdown(socket.SHUT_RDWR))
        with pytest.raises(ConfirmationTimeoutError):
            self.through(server.url).send(RAW)
        assert server.requests[0].endswith(RAW)

    def test_an_exception_that_the_caller_handles_is_not_the_cause(self) -> None:
        def fail() -> None:
            raise ssl.SSLCertVerificationError("a secret of the caller")

        try:
            fail()
        except ssl.SSLCertVerificationError:
            with pytest.raises(NodeUnreachableError, match="Connection refused") as caught:
                Client(url_of_nobody(), retries=QUICK).send(RAW)
        assert "secret" not in str(caught.value)

    def test_an_oversized_response_counts_as_a_lost_one(self, serve: Serve) -> None:
        def handle(connection: socket.socket, request: bytes) -> None:
            if request.startswith(b"POST"):
                answer(connection, bytes(10_000))
            else:
                answer(connection, b"{}", "404 Not Found")

        server = serve(handle)
        with pytest.raises(ConfirmationTimeoutError, match="longer than 5000 bytes") as caught:
            Client(server.url, max_response_bytes=5000, retries=QUICK).send(RAW)
        assert caught.value.raw == RAW
        assert any(f"/extended/v1/tx/0x{TXID}".encode() in request for request in server.requests)

    def test_a_single_argument_must_be_in_a_list(self, client: Client) -> None:
        with pytest.raises(InvalidValueError, match=r"not one of them: \[u5\]"):
            client.call_read(CONTRACT, "f", UIntValue(5))  # type: ignore[arg-type]

    def test_a_transaction_must_be_bytes(self, client: Client) -> None:
        with pytest.raises(InvalidValueError, match="bytes of a signed transaction, not str"):
            client.send(RAW.hex())  # type: ignore[arg-type]

    def test_a_transaction_itself_is_not_its_bytes(self, client: Client) -> None:
        with pytest.raises(InvalidValueError, match=r"not Transaction; give transaction\.encode\(\)"):
            client.send(SIGNED)  # type: ignore[arg-type]

    @pytest.mark.parametrize(("signed", "words"), [(0, "2 signatures are missing"), (1, "1 signature is missing")])
    def test_a_half_signed_transaction_is_not_sent(
        self, mocked: responses.RequestsMock, client: Client, signed: int, words: str
    ) -> None:
        keys = [PrivateKey.from_hex(f"{number:064x}01") for number in (1, 2, 3)]
        account = Multisig(tuple(key.public_key for key in keys), 2)
        half = Transaction.build(
            TokenTransfer(PrincipalValue(ADDRESS), 1), account=account, network=DEVNET, nonce=0, fee=200
        )
        for key in keys[:signed]:
            half = half.sign(key)
        for send in (client.send, client.broadcast):
            with pytest.raises(SigningError, match=f"not fully signed: {words}; nothing was sent"):
                send(half.encode())
        assert not mocked.calls

    def test_a_sponsored_transaction_without_its_sponsor_is_not_sent(self, client: Client) -> None:
        unpaid = Transaction.build(
            TokenTransfer(PrincipalValue(ADDRESS), 1),
            public_key=KEY.public_key,
            network=DEVNET,
            nonce=0,
            fee=0,
            sponsored=True,
        ).sign(KEY)
        with pytest.raises(SigningError, match="1 signature is missing"):
            client.send(unpaid.encode())

    def test_too_many_requests_is_retried_without_a_lookup(
        self, mocked: responses.RequestsMock, client: Client
    ) -> None:
        mocked.post(self.POST, status=429)
        mocked.post(self.POST, json=TXID)
        assert client.send(RAW) == TXID
        assert [call.request.method for call in mocked.calls] == ["POST", "POST"]

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (json.dumps("00" * 32), "do not use this URL"),
            ("<html>sign in</html>", "not JSON"),
            ("{}", "expected the transaction's id"),
        ],
    )
    def test_a_response_without_the_txid_leaves_the_outcome_unknown(
        self, mocked: responses.RequestsMock, client: Client, body: str, words: str
    ) -> None:
        mocked.post(self.POST, body=body, content_type="text/html")
        self.unknown(mocked)
        with pytest.raises(ConfirmationTimeoutError, match=words):
            client.send(RAW)
        assert len(self.posts(mocked)) == 1

    def test_a_connection_closed_between_two_requests_is_replaced(self, serve: Serve) -> None:
        """The pooled connection is dead and the node never saw the bytes, so they are sent over a new connection."""
        closed = threading.Event()

        def handle(connection: socket.socket, request: bytes) -> None:
            if request.startswith(b"GET /v2/info"):
                answer(connection, json.dumps(INFO).encode())
                connection.shutdown(socket.SHUT_RDWR)
                closed.set()
            elif request.startswith(b"POST /v2/transactions"):
                answer(connection, json.dumps(TXID).encode())
            else:
                answer(connection, b"{}", "404 Not Found")

        server = serve(handle)
        client = Client(server.url, retries=QUICK)
        client.info()
        assert closed.wait(60)
        time.sleep(0.02)
        assert client.send(RAW) == TXID
        assert sum(request.endswith(RAW) for request in server.requests) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"retries": 3}, r"retries.* RetryPolicy, .*RetryPolicy\(attempts=…\)"),
        ({"headers": "x-api-key"}, "headers.* Mapping, "),
        ({"session": 5}, "session.* Session, "),
    ],
)
def test_options_of_a_client_have_the_right_types(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        Client(URL, **options)
    if "session" not in options:
        with pytest.raises(InvalidValueError, match=message):
            AsyncClient(URL, **options)


def test_an_asynchronous_client_is_for_one_event_loop_until_it_is_closed() -> None:
    client = AsyncClient(url_of_nobody(), retries=RetryPolicy(attempts=1))
    with pytest.raises(NodeUnreachableError):
        asyncio.run(client.info())
    with pytest.raises(InvalidValueError, match="belongs to another event loop; create a new one"):
        asyncio.run(client.info())
    asyncio.run(client.close())
    with pytest.raises(InvalidValueError, match="is closed; create a new one"):
        asyncio.run(client.info())


def test_the_warning_about_a_missing_await_names_the_method() -> None:
    steps = AsyncClient(URL).info()
    assert getattr(steps, "__qualname__", "") == "AsyncClient.info"
    steps.close()
