"""Malformed and hostile requests: the devnet returns an error and keeps running."""

from __future__ import annotations

import random
import resource
import select
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from der_client.devnet import Devnet
from der_client.stacks.clarity import UIntValue
from der_client.stacks.transactions import ContractCall, ContractPublish

from .bare_devnet import START, BareDevnet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MANY_CONNECTIONS = 2_000
ADDRESS = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"
#: Endpoints that accept JSON, except those that would undo the test itself.
TAKES_JSON = (
    "/v2/transactions",
    "/v2/fees/transaction",
    f"/v2/contracts/call-read/{ADDRESS}/probe/look",
    f"/v2/contracts/call-read/{ADDRESS}/probe/divide",
    f"/v2/map_entry/{ADDRESS}/probe/entries",
    "/extended/v1/faucets/stx",
    "/devnet/simulate",
    "/devnet/advance",
    "/devnet/mine",
    "/devnet/costs",
)
WORDS = ("", "0x", "zz", "00", "09", "__proto__", ADDRESS, f"{ADDRESS}.probe", "look", "0" * 64, "\0", "😀", "9" * 400)
NAMES = (
    *("tx", "sender", "sponsor", "arguments", "contract", "function", "transaction", "to", "blocks", "address"),
    *("transaction_payload", "estimated_len", "__proto__", "constructor"),
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=12,
)


@pytest.fixture(autouse=True)
def alive(bare: BareDevnet) -> Iterator[None]:
    """Check after each test that the devnet still works."""
    yield
    assert bare.call(bare.account(1), "increment", UIntValue(1))["tx_status"] == "success"


def address_of(bare: BareDevnet) -> tuple[str, int]:
    host, port = bare.devnet.url.removeprefix("http://").split(":")
    return host, int(port)


def check_form(path: str, response: requests.Response) -> None:
    """Check that an error is text on the node's endpoints and JSON on the API's, and never an internal error."""
    assert response.status_code < 500, response.text
    if response.ok:
        return
    kind = response.headers["content-type"]
    if path.startswith(("/extended", "/devnet")):
        assert kind.startswith("application/json")
        told = response.json()
        assert "error" in told
        if path.startswith("/extended"):
            assert (told["statusCode"], type(told["message"])) == (response.status_code, str)
    elif not kind.startswith("text/plain"):
        assert response.json()["error"] == "transaction rejected"


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(path=st.sampled_from(TAKES_JSON), body=JSON)
def test_arbitrary_json_is_handled(bare: BareDevnet, path: str, body: Any) -> None:
    check_form(path, bare.post(path, json=body))


@pytest.mark.parametrize("path", ["/v2/transactions", "/v2/fees/transaction", "/devnet/simulate", "/devnet/advance"])
@pytest.mark.parametrize("body", [b"{", b"[[[[", b"\xff\xfe", b"null", b'"text"', b"17", b'{"tx": 5}', b"{}" * 10])
def test_malformed_json_is_rejected(bare: BareDevnet, path: str, body: bytes) -> None:
    response = bare.post(path, data=body, kind="application/json")
    assert response.status_code == 400, response.text


@pytest.mark.parametrize("kind", ["", "text/html", "application/x-www-form-urlencoded", "multipart/form-data", ";;;"])
def test_invalid_content_types_are_rejected(bare: BareDevnet, kind: str) -> None:
    response = bare.post("/v2/transactions", data=b"\x80\x80", kind=kind)
    assert 400 <= response.status_code < 500


@pytest.mark.parametrize("mebibytes", [3, 6, 17, 40])
def test_large_bodies_are_rejected(bare: BareDevnet, mebibytes: int) -> None:
    response = bare.post("/v2/transactions", data=bytes(mebibytes << 20), kind="application/octet-stream")
    assert response.status_code == 400
    assert ("too big" in response.text) is (mebibytes > 16)


@contextmanager
def unfinished_bodies(bare: BareDevnet, length: int, count: int, *, start: bytes = b"") -> Iterator[None]:
    """Open ``count`` connections that announce a body of ``length`` bytes but send only its start; some are refused."""
    head = b"POST /v2/transactions HTTP/1.1\r\nhost: x\r\n"
    head += b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % length
    connections = [socket.create_connection(address_of(bare), timeout=30) for _ in range(count)]
    try:
        for connection in connections:
            connection.sendall(head + start)
        refused, _, _ = select.select(connections, [], [], 60)
        assert refused[0].recv(4096).startswith(b"HTTP/1.1 503")
        yield
    finally:
        for connection in connections:
            connection.close()


def test_large_bodies_do_not_fill_the_memory(bare: BareDevnet) -> None:
    """Announced bytes count as well; when the connections are closed, large bodies are accepted again."""
    with unfinished_bodies(bare, 16 << 20, 12, start=bytes(1 << 16)):  # eight fit, the others are refused at once
        assert bare.call(bare.account(2), "increment", UIntValue(1))["tx_status"] == "success"  # a small one
    deadline = time.monotonic() + 30
    while bare.post("/v2/transactions", data=bytes(15 << 20), kind="application/json").status_code != 400:
        assert time.monotonic() < deadline


def test_many_small_bodies_do_not_fill_the_memory(bare: BareDevnet) -> None:
    with unfinished_bodies(bare, 1_000_000, 150):  # 134 of them fit
        pass


def test_too_many_arguments_are_rejected(bare: BareDevnet) -> None:
    path = f"/v2/contracts/call-read/{bare.probe.replace('.', '/')}/look"
    body = {"sender": bare.account(1).address, "arguments": ["0x03"] * 300_000}
    response = bare.post(path, json=body)
    assert response.status_code == 400
    assert "Too many argument values" in response.text


@pytest.mark.parametrize(
    "path",
    [
        "/v2/accounts/" + "S" * 250,
        "/v2/accounts/" + "S" * 5000,
        "/v2/accounts/%00",
        "/v2/accounts/%ff",
        "/v2/accounts/..%2f..%2fetc%2fpasswd",
        "/v2/contracts/source/ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM/__proto__",
        "/v2/contracts/interface/constructor/toString",
        "/extended/v1/tx/__proto__",
        "/extended/v2/blocks/__proto__",
        "/extended/v2/blocks/-1",
        "/extended/v2/smart-contracts/x/logs",
        "/extended/v2/smart-contracts/ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM.probe/logs?limit=1e9",
        "/extended/v1/address/'%20OR%201=1/balances",
        "/extended/v3/transactions/%ff",
        "/extended/v3/transactions/0x12",
        "/extended/v3/principals/x/nonces",
        f"/extended/v3/principals/{ADDRESS}/balances/ft/{'x' * 400}",
        f"/extended/v3/principals/{ADDRESS}/balances/nft?cursor=%00",
        "/extended/v1/contract/../events",
        "/v3/transaction/0x12",
        "/v2/transactions/unconfirmed/__proto__",
        "/nothing",
        "/devnet/nothing",
        "//",
    ],
)
def test_invalid_paths_are_rejected(bare: BareDevnet, path: str) -> None:
    response = bare.get(path)
    assert 400 <= response.status_code < 500
    check_form(path, response)


def test_names_of_javascript_properties_are_not_found(bare: BareDevnet) -> None:
    contract = bare.probe.replace(".", "/")
    for kind in ("data_var", "constant_val"):
        for name in ("constructor", "toString"):
            assert bare.get(f"/v2/{kind}/{contract}/{name}").status_code == 404
        assert bare.get(f"/v2/{kind}/{contract}/__proto__").status_code == 400  # not a valid name in Clarity


def test_random_bytes_are_rejected(bare: BareDevnet) -> None:
    chance = random.Random(7)  # noqa: S311  # the same bytes each time
    for _ in range(300):
        response = bare.submit(chance.randbytes(chance.randrange(400)))
        assert response.status_code == 400


def test_randomly_damaged_transactions_are_rejected(bare: BareDevnet) -> None:
    chance = random.Random(8)  # noqa: S311  # the same damage each time
    sender = bare.account(2)
    good = bare.build(sender, ContractCall(bare.probe, "increment", (UIntValue(1),))).encode()
    for _ in range(400):
        bad = bytearray(good)
        for _ in range(chance.randrange(1, 4)):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        if bytes(bad) != good:
            assert bare.submit(bytes(bad)).status_code == 400
    assert bare.nonce(sender.address) == 0
    assert bare.submit(good).ok


@pytest.mark.parametrize(
    "value",
    [
        lambda: bytes.fromhex("0b00000001") * 20_000,
        lambda: bytes.fromhex("0a") * 100_000,
        lambda: bytes.fromhex("0bffffffff"),
        lambda: bytes.fromhex("02ffffffff00"),
        lambda: bytes.fromhex("0cffffffff"),
        lambda: b"",
        lambda: b"\xff",
        lambda: b"\x0a" * 15 + b"\x09",
    ],
)
def test_malformed_argument_values_are_rejected(bare: BareDevnet, value: Callable[[], bytes]) -> None:
    response = bare.post(
        f"/v2/contracts/call-read/{bare.probe.replace('.', '/')}/divide",
        json={"sender": bare.account(1).address, "arguments": [value().hex()]},
    )
    assert response.status_code == 400 or response.json()["okay"] is False


@pytest.fixture
def _many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * MANY_CONNECTIONS), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("_many_files")
def test_slow_and_idle_connections_do_not_block_others(bare: BareDevnet) -> None:
    """Many connections that send nothing or half a request do not block other clients, and are cleaned up."""
    files = Path(f"/proc/{bare.json('/devnet')['pid']}/fd")
    before = len(list(files.iterdir())) if files.exists() else 0
    connections = [socket.create_connection(address_of(bare), timeout=30) for _ in range(MANY_CONNECTIONS)]
    try:
        for number, connection in enumerate(connections):
            if number % 3 == 0:
                connection.sendall(b"POST /v2/transactions HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n")
            elif number % 3 == 1:
                connection.sendall(b"GET /v2/in")
        assert bare.json("/v2/info")["stacks_tip_height"] > 0
    finally:
        for connection in connections:
            connection.close()
    deadline = time.monotonic() + 30
    while files.exists() and len(list(files.iterdir())) > before:
        assert time.monotonic() < deadline
        bare.json("/v2/info")


@pytest.mark.parametrize("text", [b"\x00\x01\x02\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET\r\n\r\n", b"\r\n" * 50])
def test_malformed_http_is_rejected(bare: BareDevnet, text: bytes) -> None:
    with socket.create_connection(address_of(bare), timeout=30) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(4096)[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 404", b"HTTP/1.1 505", b"")


def test_the_devnet_listens_only_on_the_loopback_address(bare: BareDevnet) -> None:
    host, port = address_of(bare)
    assert host == "127.0.0.1"
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {"127.0.0.1"}
    for other in others:
        if not str(other).startswith("127."):
            with pytest.raises(OSError):  # noqa: PT011  # refused or unreachable, by platform
                socket.create_connection((str(other), port), timeout=2)


def test_control_can_be_switched_off() -> None:
    with Devnet(deploy_contracts=False, start_time=START, control=False) as devnet:
        bare = BareDevnet(devnet)
        assert bare.json("/devnet")["control"] is False
        for action in ("mine", "advance", "snapshot", "revert", "reset", "costs", "simulate"):
            assert bare.post(f"/devnet/{action}", json={}).status_code == 404
        assert bare.get("/devnet/accounts").status_code == 404
        assert bare.json("/v2/info")["stacks_tip_height"] > 0


def test_source_nested_too_deeply_is_aborted(bare: BareDevnet) -> None:
    publisher = bare.account(3)
    deep = "(define-public (f) (ok " + "(+ u1 " * 3_000 + "u1" + ")" * 3_000 + "))"
    txid = bare.send(publisher, ContractPublish("deep", deep, 4), fee=100_000)
    assert bare.receipt(txid)["tx_status"] == "abort_by_response"
    assert bare.nonce(publisher.address) == 1


def test_endless_read_is_aborted(bare: BareDevnet) -> None:
    """The read is aborted after a few seconds; meanwhile, requests that do not need the VM are answered."""
    levels = "".join(f"(define-private (f{level}) (+ (f{level - 1}) (f{level - 1})))" for level in range(1, 41))
    code = f"(define-private (f0) u1){levels}(define-read-only (endless) (f40))"
    publisher = bare.account(3)
    bare.send(publisher, ContractPublish("endless", code, 4), fee=100_000)
    path = f"{bare.devnet.url}/v2/contracts/call-read/{publisher.address}/endless/endless"
    body = {"sender": publisher.address, "arguments": []}
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(requests.post, path, json=body, timeout=300)
        looks = 0
        while not reading.done():
            assert bare.json("/v2/info")["stacks_tip_height"] > 0
            looks += 1
            time.sleep(0.1)  # the VM needs the core
        answer = reading.result().json()
    assert looks > 1
    assert answer["okay"] is False
    assert "longer than any" in answer["cause"]
