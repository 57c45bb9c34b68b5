"""One deadline and one size limit hold whatever the server does, and interim responses are skipped."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from der_client.stacks.errors import (
    BroadcastUnknownError,
    ConfirmationTimeoutError,
    NodeError,
    NodeResponseError,
    NodeUnreachableError,
    NothingSentError,
)
from der_client.stacks.pending import PendingTransaction
from der_client.stacks.rpc import AsyncClient, Client, RetryPolicy, node
from der_client.stacks.rpc.steps import Steps, ask

from .raw_server import Handle, Server, answer

ONCE = RetryPolicy(attempts=1)
RAW = b"\x80 signed bytes"
TXID = node.compute_txid(RAW)
OK = b"HTTP/1.1 200 OK\r\n"
RATE = OK + b"Content-Length: 1\r\n\r\n5"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
PATIENCE_S = 0.3

Serve = Callable[..., Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[Server] = []

    def start(handle: Handle, tls: ssl.SSLContext | None = None) -> Server:
        servers.append(Server(handle, tls))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def dripping(piece: bytes, *, start: bytes = b"") -> Handle:
    """Return a handler that sends a piece every 10 ms, for much longer than any client waits, and then returns."""

    def handle(connection: socket.socket, _: bytes) -> None:
        connection.sendall(start)
        for _second in range(2000):
            connection.sendall(piece)
            time.sleep(0.01)

    return handle


def flooding(piece: bytes, *, start: bytes = b"") -> Handle:
    def handle(connection: socket.socket, _: bytes) -> None:
        connection.sendall(start)
        for _piece in range(200_000_000 // len(piece)):
            connection.sendall(piece)

    return handle


NEVER_DONE = {
    "headers": (b"a", OK + b"X-Long: "),
    "many headers": (b"X: y\r\n", OK),
    "status line": (b"H", b""),
    "continue": (b"HTTP/1.1 100 Continue\r\n\r\n", b""),
    "early hints": (b"HTTP/1.1 103 Early Hints\r\n\r\n", b""),
    "body": (b" ", OK + b"Content-Length: 1000000\r\n\r\n"),
    "chunk extension": (b";a=b", CHUNKED + b"1"),
    "chunks": (b"1\r\n \r\n", CHUNKED),
    "trailers": (b"X: y\r\n", CHUNKED + b"1\r\n5\r\n0\r\n"),
}


@pytest.mark.parametrize(("piece", "start"), NEVER_DONE.values(), ids=NEVER_DONE)
class TestDripping:
    def test_a_read_ends_at_its_deadline(self, serve: Serve, piece: bytes, start: bytes) -> None:
        server = serve(dripping(piece, start=start))
        with pytest.raises(NodeError, match=r"longer than 0\.3 s|got more than 100 headers"):
            Client(server.url, response_deadline_s=PATIENCE_S, retries=ONCE).transfer_fee_rate()

    def test_waiting_ends_at_its_deadline(self, serve: Serve, piece: bytes, start: bytes) -> None:
        server = serve(dripping(piece, start=start))
        with pytest.raises(ConfirmationTimeoutError, match=r"longer than|within|more than 100 headers"):
            PendingTransaction(Client(server.url), TXID).wait(PATIENCE_S)

    def test_sending_ends_at_its_deadline_with_an_unknown_outcome(
        self, serve: Serve, piece: bytes, start: bytes
    ) -> None:
        server = serve(dripping(piece, start=start))
        with pytest.raises(BroadcastUnknownError):
            Client(server.url, response_deadline_s=PATIENCE_S, retries=ONCE).broadcast(RAW)


@pytest.mark.parametrize(
    ("piece", "start"), [NEVER_DONE[name] for name in ("continue", "early hints", "chunk extension", "trailers")]
)
def test_a_flood_outside_the_body_is_cut_off(serve: Serve, piece: bytes, start: bytes) -> None:
    server = serve(flooding(piece * 1000, start=start))
    with pytest.raises(NodeError, match=r"longer than 200000 bytes|more than 65536 bytes|broke"):
        Client(server.url, max_response_bytes=200_000, retries=ONCE).transfer_fee_rate()


def test_redirects_share_the_deadline(serve: Serve) -> None:
    def handle(connection: socket.socket, request: bytes) -> None:
        time.sleep(PATIENCE_S / 2)
        answer(connection, b"", "302 Found", "Location: /elsewhere\r\n")

    server = serve(handle)
    with pytest.raises(NodeResponseError, match="took longer"):
        Client(server.url, response_deadline_s=PATIENCE_S, retries=ONCE).transfer_fee_rate()
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "interim",
    [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"],
)
@pytest.mark.parametrize("times", [1, 3])
def test_interim_responses_are_skipped(serve: Serve, interim: bytes, times: int) -> None:
    def handle(connection: socket.socket, request: bytes) -> None:
        connection.sendall(interim * times)
        answer(connection, json.dumps(TXID).encode() if request.startswith(b"POST") else b"5")

    server = serve(handle)
    client = Client(server.url, retries=ONCE)
    assert client.send(RAW) == TXID
    assert client.transfer_fee_rate() == 5
    assert client.transfer_fee_rate() == 5
    assert server.connections == 1


def test_switching_the_protocol_is_an_error(serve: Serve) -> None:
    server = serve(lambda connection, _: connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"))
    with pytest.raises(NodeResponseError, match="HTTP 101"):
        Client(server.url, retries=ONCE).transfer_fee_rate()


def test_a_client_remains_usable_after_a_deadline(serve: Serve) -> None:
    """Unread bytes of one response must not become the response to the next request."""
    handles: list[Handle] = [dripping(b"1", start=OK + b"X: "), lambda connection, _: connection.sendall(RATE)]

    def handle(connection: socket.socket, request: bytes) -> None:
        handles.pop(0)(connection, request)

    server = serve(handle)
    client = Client(server.url, response_deadline_s=PATIENCE_S, retries=ONCE)
    with pytest.raises(NodeResponseError, match="took longer"):
        client.transfer_fee_rate()
    assert client.transfer_fee_rate() == 5


def test_each_thread_has_a_separate_deadline(serve: Serve) -> None:
    def handle(connection: socket.socket, request: bytes) -> None:
        if b"/transfer" in request:
            time.sleep(0.2)
            connection.sendall(RATE)
        else:
            dripping(b"1", start=OK + b"X: ")(connection, request)

    client = Client(serve(handle).url, retries=ONCE)
    rates: list[int] = []
    patient = threading.Thread(target=lambda: rates.append(client.transfer_fee_rate()))
    patient.start()
    assert client.follow(_info_within(0.05)) == "too late"
    patient.join()
    assert rates == [5]


def _info_within(seconds: float) -> Steps[str]:
    try:
        yield from ask(node.info(), seconds)
    except NodeError:
        return "too late"
    return "in time"


def test_all_addresses_of_a_host_are_tried(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(lambda connection, _: connection.sendall(RATE))
    port = int(server.url.rpartition(":")[2])
    taken = socket.create_server(("127.0.0.1", 0))
    nobody = taken.getsockname()[1]
    taken.close()
    there = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", number)) for number in (nobody, port)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: there)
    assert Client("http://node.test", retries=ONCE).transfer_fee_rate() == 5


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "node.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "node.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def silent_resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A resolver whose lookup of ``slow.test`` hangs until the test ends."""
    ended = threading.Event()
    usual = socket.getaddrinfo

    def look_up(host: str | bytes, *arguments: object, **options: object) -> object:
        if host in ("slow.test", b"slow.test"):
            ended.wait(60)
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        return usual(host, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield
    ended.set()


@pytest.mark.usefixtures("silent_resolver")
def test_a_hanging_name_lookup_ends_at_the_deadline() -> None:
    client = Client("http://slow.test", response_deadline_s=PATIENCE_S, retries=ONCE)
    with pytest.raises(NothingSentError, match=r"no connection.*slow\.test"):
        client.transfer_fee_rate()
    with pytest.raises(NothingSentError):
        client.broadcast(RAW)


@pytest.mark.usefixtures("silent_resolver")
def test_the_connect_timeout_includes_the_name_lookup() -> None:
    client = Client("http://slow.test", timeout=(PATIENCE_S, 50.0), response_deadline_s=59.0, retries=ONCE)
    with pytest.raises(NothingSentError):
        client.transfer_fee_rate()


def test_a_host_name_that_does_not_exist_is_a_connection_error() -> None:
    with pytest.raises(NothingSentError, match="no connection"):
        Client("http://nobody.invalid", retries=ONCE).transfer_fee_rate()


def test_an_asynchronous_client_does_not_wait_for_a_name_lookup(silent_resolver: None) -> None:
    async def use() -> None:
        async with AsyncClient("http://slow.test", response_deadline_s=PATIENCE_S, retries=ONCE) as client:
            with pytest.raises(NodeUnreachableError, match="no complete response within"):
                await client.transfer_fee_rate()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(use())  # asyncio.run would also wait for the thread of the name lookup


class TestTls:
    def client(self, url: str, certificate: Path | bool, deadline_s: float = 60) -> Client:
        session = requests.Session()
        session.verify = str(certificate) if isinstance(certificate, Path) else certificate
        return Client(url, session=session, response_deadline_s=deadline_s, retries=ONCE)

    def context(self, certificate: Path) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        return context

    def test_a_tls_connection_is_used_and_reused(self, serve: Serve, certificate: Path) -> None:
        server = serve(lambda connection, _: connection.sendall(RATE), self.context(certificate))
        client = self.client(server.url, certificate)
        assert client.transfer_fee_rate() == 5
        assert client.transfer_fee_rate() == 5
        assert server.connections == 1

    def test_an_untrusted_certificate_is_rejected(self, serve: Serve, certificate: Path) -> None:
        server = serve(lambda connection, _: connection.sendall(RATE), self.context(certificate))
        with pytest.raises(NodeUnreachableError, match="no secure connection"):
            self.client(server.url, certificate=True).transfer_fee_rate()

    def test_a_dripping_response_ends_at_the_deadline(self, serve: Serve, certificate: Path) -> None:
        server = serve(dripping(b"a", start=OK + b"X: "), self.context(certificate))
        with pytest.raises(NodeResponseError, match=r"took longer than 1 s"):
            self.client(server.url, certificate, 1).transfer_fee_rate()

    def test_an_endless_tls_handshake_ends_at_the_deadline(self, certificate: Path) -> None:
        listener = socket.create_server(("127.0.0.1", 0))

        def accept() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                for _second in range(2000):
                    connection.sendall(b"\x16")
                    time.sleep(0.01)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        with pytest.raises(NodeError):
            self.client(f"https://127.0.0.1:{listener.getsockname()[1]}", certificate, PATIENCE_S).transfer_fee_rate()
        listener.close()
