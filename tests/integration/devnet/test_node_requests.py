"""Which parts of a request a node reads, in which order, and the messages of its errors."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from der_client.stacks.clarity import ClarityValue, PrincipalValue, TupleValue, UIntValue, encode
from der_client.stacks.transactions import ContractPublish, TokenTransfer

from .bare_devnet import BareDevnet

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

ADDRESS = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"
WRONG_CHECKSUM = "ST000000000000000000002AMW42J"
NOBODY = "0" * 64
JSON = "application/json"
OCTETS = "application/octet-stream"
POST = "/v2/transactions"


def refused(response: requests.Response, status: int = 400) -> str:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "text/plain"
    return response.text


def transfer(bare: BareDevnet) -> bytes:
    return bare.build(bare.account(1), TokenTransfer(PrincipalValue(bare.account(2).address), 1)).encode()


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        (f"/v2/accounts/{WRONG_CHECKSUM}", 400, "Failed to decode: Failed to parse `principal` field"),
        (f"/v2/contracts/interface/{WRONG_CHECKSUM}/pox", 400, "Failed to decode `address`"),
        (f"/v2/contracts/source/{WRONG_CHECKSUM}/pox", 400, "Failed to decode `address`"),
        (f"/v2/contracts/interface/{ADDRESS}/nothing", 404, "No contract interface data found"),
        (f"/v2/contracts/source/{ADDRESS}/nothing", 404, "No contract source data found"),
        (f"/v2/data_var/{ADDRESS}/nothing/counter", 404, "Data var not found"),
        (f"/v2/constant_val/{ADDRESS}/nothing/LIMIT", 404, "Constant not found"),
        (f"/v2/data_var/{ADDRESS}/nothing/1st", 400, "Failed to decode `varname`"),
        (f"/v2/constant_val/{ADDRESS}/nothing/1st", 400, "Failed to decode `constname`"),
        (f"/v3/transaction/{NOBODY}", 404, f"No such transaction {NOBODY}\n"),
        (
            f"/v2/transactions/unconfirmed/{NOBODY}",
            404,
            f"Transaction {NOBODY} not found in mempool or unconfirmed microblock stream",
        ),
    ],
)
def test_unknown_and_invalid_resources(bare: BareDevnet, path: str, status: int, text: str) -> None:
    assert refused(bare.get(path), status) == text


def test_invalid_names_are_rejected(bare: BareDevnet) -> None:
    contract = bare.probe.replace(".", "/")
    for name in ("1st", "-a", "_", "?"):
        call = bare.post(f"/v2/contracts/call-read/{contract}/{quote(name)}", json={"sender": ADDRESS, "arguments": []})
        assert refused(call) == "Failed to decode `function`"
        entry = bare.post(f"/v2/map_entry/{contract}/{quote(name)}", json="0x03")
        assert refused(entry) == "Failed to decode `map`"
    assert bare.get(f"/v2/data_var/{contract}/{'a' * 129}").status_code == 404  # the path does not exist
    assert bare.get(f"/v2/data_var/{contract}/a.b").status_code == 404


def test_unknown_tip(bare: BareDevnet) -> None:
    contract = bare.probe.replace(".", "/")
    nobody = "ab" * 32
    account = f"/v2/accounts/{ADDRESS}?proof=0&tip="
    assert refused(bare.get(account + nobody), 404) == f"Chain tip '{nobody}' not found"
    paths = {
        f"/v2/contracts/interface/{contract}": None,
        f"/v2/contracts/source/{contract}": None,
        f"/v2/data_var/{contract}/counter": None,
        f"/v2/constant_val/{contract}/LIMIT": None,
        f"/v2/map_entry/{contract}/entries": "0x03",
        f"/v2/contracts/call-read/{contract}/look": {"sender": ADDRESS, "arguments": []},
    }
    info = bare.json("/v2/info")
    blocks = [block["index_block_hash"][2:] for block in bare.json("/extended/v2/blocks?limit=3")["results"]]
    for path, body in paths.items():

        def ask(tip: str, path: str = path, body: Any = body) -> requests.Response:
            asked = f"{path}?tip={tip}"
            return bare.get(asked) if body is None else bare.post(asked, json=body)

        assert refused(ask(nobody), 404) == "Chain tip not found"
        assert refused(ask(info["stacks_tip"]), 404) == "Chain tip not found"  # a block's hash, not its id
        for tip in (*blocks, blocks[0].upper(), "latest", "", "0x" + nobody, "1"):
            assert ask(tip).json() == ask("latest").json()
    assert bare.json(account + blocks[0]) == bare.json(account + "latest")
    assert bare.post(f"/v2/map_entry/{contract}/entries?tip={nobody}", json="zz").status_code == 400


def test_mined_transactions_stay_in_the_mempool(bare: BareDevnet) -> None:
    """A node keeps them for days, until it removes old entries."""
    raw = transfer(bare)
    txid = bare.submit(raw).json()
    assert bare.receipt(txid)["tx_status"] == "success"
    assert bare.json(f"/v2/transactions/unconfirmed/{txid}") == {"tx": raw.hex(), "status": "Mempool"}


def test_transaction_in_json_must_not_have_a_prefix(bare: BareDevnet) -> None:
    raw = transfer(bare).hex()
    assert refused(bare.post(POST, json={"tx": f"0x{raw}"})) == "Failed to decode: Failed to parse tx"
    attached = bare.post(POST, json={"tx": raw, "attachment": "0x00"})
    assert refused(attached) == "Failed to decode: Failed to parse attachment"
    assert bare.post(POST, json={"tx": raw.upper(), "attachment": "00"}).ok


@pytest.mark.parametrize("body", ["[]", "{}", '{"tx": 5}', '{"tx": "00", "attachment": 5}', "{", "null", '"00"'])
def test_json_without_a_transaction_is_rejected(bare: BareDevnet, body: str) -> None:
    assert refused(bare.post(POST, data=body.encode(), kind=JSON)) == "Failed to decode: Failed to parse body"


def test_content_type_of_a_transaction(bare: BareDevnet) -> None:
    raw = transfer(bare)
    assert refused(bare.post(POST, data=raw)) == "Failed to decode: Missing Content-Type for transaction"
    wrong = (
        "Failed to decode: Wrong Content-Type for transaction; expected application/json or application/octet-stream"
    )
    for kind in ("text/plain", "text/html", "application/octet-stream; charset=utf-8", "application/jsonp"):
        assert refused(bare.post(POST, data=raw, kind=kind)) == wrong
    for kind in ("application/json; charset=utf-8", "Application/JSON"):
        assert bare.post(POST, data=json.dumps({"tx": raw.hex()}).encode(), kind=kind).ok


def test_empty_transaction_is_rejected(bare: BareDevnet) -> None:
    empty = "Failed to decode: Invalid Http request: expected non-zero-length body for PostTransaction"
    for kind in (OCTETS, JSON, "text/plain", ""):
        assert refused(bare.post(POST, data=b"", kind=kind)) == empty


def test_chunked_body_is_rejected(bare: BareDevnet) -> None:
    """A node reads the length only from its header, so a chunked body counts as empty."""

    def pieces() -> Iterator[bytes]:
        yield transfer(bare)

    url = bare.devnet.url + POST
    response = bare.session.post(url, data=pieces(), headers={"content-type": OCTETS}, timeout=30)
    assert "expected non-zero-length body" in refused(response)


def test_reads_with_a_body_and_head_requests_are_rejected(bare: BareDevnet) -> None:
    paths = ("/v2/info", f"/v2/accounts/{ADDRESS}", f"/v2/contracts/source/{bare.probe.replace('.', '/')}")
    for path in paths:
        response = bare.session.get(bare.devnet.url + path, data=b"{}", timeout=30)
        assert refused(response) == "Failed to decode: Invalid Http request: expected 0-length body"
        assert bare.session.head(bare.devnet.url + path, timeout=30).status_code == 404
        assert bare.get(path).ok
    assert bare.session.head(f"{bare.devnet.url}/extended/v1/status", timeout=30).ok  # the API supports HEAD


@pytest.mark.parametrize(
    ("path", "what"),
    [
        (f"/v2/contracts/call-read/{ADDRESS}/probe/look", "CallReadOnly"),
        (f"/v2/map_entry/{ADDRESS}/probe/entries", "GetMapEntry"),
        ("/v2/fees/transaction", "FeeRateEstimate"),
    ],
)
def test_json_bodies_are_checked(bare: BareDevnet, path: str, what: str) -> None:
    empty = f"Failed to decode: Invalid Http request: invalid body length for {what} (0)"
    assert refused(bare.post(path, data=b"", kind=JSON)) == empty
    for kind in ("text/plain", OCTETS, ""):
        response = bare.post(path, data=b"{}", kind=kind)
        assert refused(response) == "Failed to decode: Invalid content-type: expected application/json"
    for body in (b"{", b"null", b"17", b"[]", b'{"sender": 5}', b'{"sender": "x", "arguments": "0x03"}'):
        assert refused(bare.post(path, data=body, kind=JSON)).startswith("Failed to decode: Failed to parse JSON body")


def test_body_above_the_nodes_limit_is_rejected(bare: BareDevnet) -> None:
    host, port = bare.devnet.url.removeprefix("http://").split(":")
    for path, mebibytes in ((f"/v2/map_entry/{ADDRESS}/probe/entries", 4), ("/v2/fees/transaction", 17)):
        connection = http.client.HTTPConnection(host, int(port), timeout=30)
        connection.putrequest("POST", path)
        connection.putheader("content-type", JSON)
        connection.putheader("content-length", str(mebibytes << 20))
        connection.endheaders()
        response = connection.getresponse()  # without waiting for the body
        assert response.status == 400
        assert b"invalid body length" in response.read()
        connection.close()


def test_invalid_senders_sponsors_and_arguments(bare: BareDevnet) -> None:
    path = f"/v2/contracts/call-read/{bare.probe.replace('.', '/')}/look"

    def ask(**body: Any) -> str:
        return refused(bare.post(path, json={"sender": ADDRESS, "arguments": [], **body}))

    assert ask(sender="nobody") == "Failed to decode: Failed to parse sender principal"
    assert ask(sponsor="nobody") == "Failed to decode: Failed to parse sponsor principal"
    for argument in ("zz", "0X03", "0x0", "0xff", "0x01"):
        assert ask(arguments=[argument]) == "Failed to decode: Failed to deserialize argument value"


def as_it_comes(**fields: ClarityValue) -> str:
    """Return a tuple with its fields in the given order instead of byte order, as stacks.js may write them."""
    return f"0c{len(fields):08x}" + "".join(
        encode(TupleValue({name: value})).hex()[10:] for name, value in fields.items()
    )


def test_tuples_in_any_order_and_trailing_bytes_are_accepted(bare: BareDevnet) -> None:
    publisher = bare.account(2)
    source = """(define-map pairs {B: uint, a: uint} uint) (map-set pairs {B: u1, a: u2} u9)
        (define-read-only (same (pair {B: uint, a: uint})) pair)
        (define-read-only (first (all (list 3 {B: uint, a: uint}))) (element-at? all u0))
        (define-public (same-again (pair {B: uint, a: uint})) (ok pair))"""
    bare.send(publisher, ContractPublish("pairs", source, 4))
    path = f"{publisher.address}/pairs"
    pair = TupleValue({"B": UIntValue(1), "a": UIntValue(2)})
    ordered = encode(pair).hex()
    listed = "0b00000001"
    swapped = as_it_comes(a=UIntValue(2), B=UIntValue(1))
    assert swapped != ordered

    def call(function: str, argument: str, sender: str = ADDRESS) -> str:
        body = {"sender": sender, "arguments": [argument]}
        return str(bare.post(f"/v2/contracts/call-read/{path}/{function}", json=body).json().get("result"))

    for value in (ordered, swapped, swapped + "ff", ordered + "00" * 40):
        assert call("same", value) == f"0x{ordered}"
        assert call("first", listed + value) == f"0x0a{ordered}"
        for sender in (ADDRESS, f"{publisher.address}.pairs"):
            assert call("same-again", f"0x{value}", sender) == f"0x07{ordered}"
        entry = bare.post(f"/v2/map_entry/{path}/pairs?proof=0", json=f"0x{value}").json()
        assert entry == {"data": "0x0a" + encode(UIntValue(9)).hex()}
    twice = swapped.replace("0142", "0161")
    response = bare.post(f"/v2/contracts/call-read/{path}/same", json={"sender": ADDRESS, "arguments": [twice]})
    assert refused(response) == "Failed to decode: Failed to deserialize argument value"


@pytest.mark.parametrize("proof", ["", "?proof=1", "?proof=0", "?proof=true", "?proof=", "?proof=01"])
def test_proof_is_returned_by_default_and_with_proof_1(bare: BareDevnet, proof: str) -> None:
    told = proof in ("", "?proof=1")
    contract = bare.probe.replace(".", "/")
    key = "0x" + encode(TupleValue({"id": UIntValue(1)})).hex()
    assert ("balance_proof" in bare.json(f"/v2/accounts/{ADDRESS}{proof}")) is told
    for path in (f"/v2/contracts/source/{contract}", f"/v2/data_var/{contract}/counter"):
        assert ("proof" in bare.json(path + proof)) is told
    assert ("proof" in bare.post(f"/v2/map_entry/{contract}/entries{proof}", json=key).json()) is told


def test_json_of_a_node_has_no_charset(bare: BareDevnet) -> None:
    raw = transfer(bare)
    responses = [
        bare.get("/v2/info"),
        bare.get("/v2/fees/transfer"),
        bare.get(f"/v2/accounts/{ADDRESS}"),
        bare.submit(raw),
        bare.submit(bare.build(bare.account(1), TokenTransfer(PrincipalValue(ADDRESS), 1), fee=1).encode()),
    ]
    assert {response.headers["content-type"] for response in responses} == {"application/json"}
