"""The asynchronous client on the devnet, and against misbehaving servers."""

from __future__ import annotations

import asyncio
import inspect
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import pytest

from der_client.devnet import Devnet
from der_client.stacks.clarity import PrincipalValue, UIntValue
from der_client.stacks.errors import (
    BroadcastUnknownError,
    ConfirmationTimeoutError,
    InvalidValueError,
    NodeError,
    NodeResponseError,
    NothingSentError,
    RuntimeAbortedError,
    TransactionRejectedError,
)
from der_client.stacks.network import DEVNET, MAINNET
from der_client.stacks.pending import AsyncPendingTransaction
from der_client.stacks.rpc import AsyncClient, Client, RetryPolicy, TransactionReceipt
from der_client.stacks.transactions import ContractCall, ContractPublish, TokenTransfer, Transaction
from tests.unit.stacks.raw_server import Handle, Server, answer, url_of_nobody

T = TypeVar("T")
ONCE = RetryPolicy(attempts=1)
OK = b"HTTP/1.1 200 OK\r\n"
CODE = """
(define-map counts uint uint)
(define-read-only (twice (n uint)) (* n u2))
(define-public (count (n uint)) (begin (map-set counts n n) (print n) (ok (/ u10 n))))
"""


@pytest.fixture(scope="module")
def devnet() -> Iterator[Devnet]:
    with Devnet(deploy_contracts=False, track_costs=False) as devnet:
        yield devnet


@pytest.fixture
def serve() -> Iterator[Callable[[Handle], Server]]:
    servers: list[Server] = []

    def start(handle: Handle) -> Server:
        servers.append(Server(handle))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def run(url: str, use: Callable[[AsyncClient], Coroutine[Any, Any, T]], **options: Any) -> T:
    async def used() -> T:
        async with AsyncClient(url, **options) as client:
            return await use(client)

    return asyncio.run(used())


def test_a_contract_from_publishing_to_its_logs(devnet: Devnet) -> None:
    key = devnet.accounts["wallet_1"].key

    async def use(client: AsyncClient) -> None:
        me = key.address(await client.network())
        contract = f"{me}.counter"

        async def submit(payload: Any) -> TransactionReceipt:
            nonce = (await client.nonces(me)).possible_next
            signed = Transaction.build(
                payload, public_key=key.public_key, network=await client.network(), nonce=nonce, fee=10_000
            ).sign(key)
            txid = await client.send(signed.encode())
            return await AsyncPendingTransaction(client, txid, raw=signed.encode()).wait()

        await submit(ContractPublish("counter", CODE, clarity_version=4))
        assert await client.call_read(contract, "twice", (UIntValue(4),)) == UIntValue(8)
        receipt = await submit(ContractCall(contract, "count", (UIntValue(5),)))
        assert str(receipt.result) == "(ok u2)"
        assert [event.event_index for event in receipt.events] == [0]
        with pytest.raises(RuntimeAbortedError, match="DivisionByZero"):
            await submit(ContractCall(contract, "count", (UIntValue(0),)))
        assert await client.map_entry(contract, "counts", UIntValue(5)) == UIntValue(5)
        assert [str(log.value) async for log in client.iter_contract_logs(contract)] == ["u5"]
        several = await asyncio.gather(*(client.block(height) for height in range(1, 4)))
        assert [block.height for block in several] == [1, 2, 3]
        assert (await client.balances(me)).stx_ustx == (await client.account(me)).balance_ustx

    run(devnet.url, use)


def test_rejections_and_networks(devnet: Devnet) -> None:
    key = devnet.accounts["wallet_2"].key
    to = PrincipalValue(devnet.accounts["wallet_1"].address)
    poor = Transaction.build(TokenTransfer(to, 5), public_key=key.public_key, network=DEVNET, nonce=999, fee=10_000)

    async def refused(client: AsyncClient) -> None:
        with pytest.raises(TransactionRejectedError, match=r"TooMuchChaining|BadNonce"):
            await client.send(poor.sign(key).encode())
        assert await client.transaction("ab" * 32) is None
        with pytest.raises(ConfirmationTimeoutError, match="does not know it"):
            await AsyncPendingTransaction(client, "ab" * 32).wait(0)

    run(devnet.url, refused)

    async def wrong(client: AsyncClient) -> None:
        with pytest.raises(InvalidValueError, match="network=mainnet"):
            await client.network()

    run(devnet.url, wrong, network=MAINNET)


def test_the_async_client_has_every_method_of_the_client() -> None:
    own = {"checked_network", "network", "listen_for_blocks"}  # the last one needs a thread; not needed here
    names = {name for name, member in vars(Client).items() if callable(member) and not name.startswith("_")}
    for base in Client.__mro__[1:-1]:
        names |= {name for name in vars(base) if not name.startswith("_")}
    assert {name for name in names - own if not hasattr(AsyncClient, name)} == set()
    assert str(inspect.signature(AsyncClient("http://localhost").transaction)).startswith("(txid: 'str'")


class TestHostile:
    """The async client has the same limits as the synchronous one."""

    @pytest.mark.parametrize(
        ("start", "piece"),
        [
            (OK + b"X-Long: ", b"a"),
            (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
            (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
            (OK + b"Content-Length: 100000\r\n\r\n", b" "),
            (OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\n5\r\n0\r\n", b"X: y\r\n"),
        ],
    )
    def test_dripping_responses_reach_the_deadline(
        self, serve: Callable[[Handle], Server], start: bytes, piece: bytes
    ) -> None:
        def drip(connection: socket.socket, _: bytes) -> None:
            connection.sendall(start)
            for _second in range(2000):
                connection.sendall(piece)
                time.sleep(0.01)

        async def use(client: AsyncClient) -> None:
            with pytest.raises(NodeError, match="no complete response within"):
                await client.transfer_fee_rate()
            with pytest.raises(BroadcastUnknownError):
                await client.broadcast(b"signed")

        run(serve(drip).url, use, response_deadline_s=0.3, retries=ONCE)

    def test_early_hints_cookies_and_one_connection(self, serve: Callable[[Handle], Server]) -> None:
        def handle(connection: socket.socket, _: bytes) -> None:
            connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
            answer(connection, b"5", headers="Set-Cookie: a=b\r\n")

        server = serve(handle)

        async def use(client: AsyncClient) -> list[int]:
            return [await client.transfer_fee_rate() for _ in range(3)]

        assert run(server.url, use, headers={"x-api-key": "hush"}) == [5, 5, 5]
        assert server.connections == 1
        assert all(b"x-api-key: hush" in request and b"ookie" not in request for request in server.requests)

    def test_too_large_responses_are_rejected(self, serve: Callable[[Handle], Server]) -> None:
        server = serve(lambda connection, _: answer(connection, bytes(10_000)))

        async def use(client: AsyncClient) -> None:
            with pytest.raises(NodeResponseError, match="longer than 5000 bytes"):
                await client.transfer_fee_rate()

        run(server.url, use, max_response_bytes=5_000)

    def test_redirects(self, serve: Callable[[Handle], Server]) -> None:
        def handle(connection: socket.socket, request: bytes) -> None:
            if request.startswith(b"GET /v2/fees"):
                answer(connection, b"", "302 Found", "Location: /moved\r\n")
            elif request.startswith(b"GET /moved"):
                answer(connection, b"7")
            else:
                answer(connection, b"", "307 Temporary Redirect", "Location: https://evil.test/\r\n")

        async def use(client: AsyncClient) -> None:
            assert await client.transfer_fee_rate() == 7
            with pytest.raises(NodeResponseError, match="not followed"):
                await client.info()
            with pytest.raises(BroadcastUnknownError, match="not followed"):
                await client.broadcast(b"signed")

        run(serve(handle).url, use)

    def test_an_unreachable_node_is_reported(self) -> None:
        async def use(client: AsyncClient) -> None:
            with pytest.raises(NothingSentError, match="is the node running"):
                await client.send(b"signed")

        run(url_of_nobody(), use, retries=ONCE)

    def test_busy_responses_are_retried(self, serve: Callable[[Handle], Server]) -> None:
        replies = ["503 Service Unavailable", "200 OK"]
        server = serve(lambda connection, _: answer(connection, b"5", replies.pop(0)))

        async def use(client: AsyncClient) -> int:
            return await client.transfer_fee_rate()

        assert run(server.url, use, retries=RetryPolicy(attempts=2, backoff_s=0.001)) == 5
