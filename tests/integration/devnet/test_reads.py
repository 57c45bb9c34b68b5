"""Reads in the formats of the node and the API."""

from __future__ import annotations

from typing import Any

from der_client.devnet import Devnet
from der_client.stacks.clarity import (
    AsciiValue,
    NoneValue,
    PrincipalValue,
    SomeValue,
    TupleValue,
    UIntValue,
    decode,
    encode,
)
from der_client.stacks.keys import PublicKey
from der_client.stacks.transactions import ContractCall, ContractPublish, TokenTransfer, UserPayload

from .bare_devnet import AMPLE_FEE, START, BareDevnet

NO_ESTIMATE = {
    "error": "Estimation could not be performed",
    "reason": "NoEstimateAvailable",
    "reason_data": {"message": "No estimate available for the provided payload."},
}


def hexed(value: Any) -> str:
    return "0x" + encode(value).hex()


def of_contract(bare: BareDevnet, kind: str, name: str = "") -> str:
    return f"/v2/{kind}/{bare.probe.replace('.', '/')}" + (f"/{name}" if name else "")


def test_unused_account(bare: BareDevnet) -> None:
    account = bare.json("/v2/accounts/ST000000000000000000002AMW42H?proof=0&tip=latest")
    assert account == {"balance": f"0x{0:032x}", "locked": f"0x{0:032x}", "unlock_height": 0, "nonce": 0}


def test_invalid_addresses_are_rejected(bare: BareDevnet) -> None:
    for text in ("ST000", "hello", "ST000000000000000000002AMW42H.", "st000000000000000000002amw42h"):
        assert bare.get(f"/v2/accounts/{text}").status_code == 404  # the path does not exist on a node
    response = bare.get("/v2/accounts/ST000000000000000000002AMW42X")
    assert response.status_code == 400
    assert response.headers["content-type"].startswith("text/plain")


def test_map_entry(bare: BareDevnet) -> None:
    bare.call(bare.account(1), "remember", UIntValue(7), AsciiValue("seven"))
    path = of_contract(bare, "map_entry", "entries")
    found = bare.post(path, json=hexed(TupleValue({"id": UIntValue(7)}))).json()
    expected = TupleValue({"who": PrincipalValue(bare.account(1).address), "note": AsciiValue("seven")})
    assert decode(bytes.fromhex(found["data"][2:])) == SomeValue(expected)
    missing = [
        bare.post(path, json=hexed(TupleValue({"id": UIntValue(8)}))),
        bare.post(of_contract(bare, "map_entry", "nothing"), json=hexed(UIntValue(8))),
        bare.post(f"/v2/map_entry/{bare.account(1).address}/nothing/entries", json=hexed(UIntValue(8))),
    ]
    assert [decode(bytes.fromhex(response.json()["data"][2:])) for response in missing] == [NoneValue()] * 3


def test_data_var(bare: BareDevnet) -> None:
    bare.call(bare.account(1), "increment", UIntValue(9))
    assert bare.json(of_contract(bare, "data_var", "counter") + "?proof=0") == {"data": hexed(UIntValue(9))}
    for name in ("nothing", "LIMIT"):
        assert bare.get(of_contract(bare, "data_var", name)).status_code == 404


def test_constants(bare: BareDevnet) -> None:
    publisher = PrincipalValue(bare.devnet.deployer.address)
    expected = {"LIMIT": UIntValue(1000), "DOUBLE": UIntValue(2000), "PUBLISHER": publisher}
    found = {name: bare.json(of_contract(bare, "constant_val", name))["data"] for name in expected}
    assert found == {name: hexed(value) for name, value in expected.items()}
    assert str(decode(bytes.fromhex(bare.json(of_contract(bare, "constant_val", "ERR_REFUSED"))["data"][2:]))) == (
        "(err u77)"
    )
    assert bare.json(of_contract(bare, "constant_val", "NOTE"))["data"] == hexed(AsciiValue('a "quoted" ; text'))
    for name in ("nothing", "counter"):
        assert bare.get(of_contract(bare, "constant_val", name)).status_code == 404


def test_constant_computed_by_a_function_cannot_be_read(bare: BareDevnet) -> None:
    publisher = bare.account(3)
    source = "(define-private (five) u5) (define-constant FIVE (five)) (define-constant SIX u6)"
    bare.send(publisher, ContractPublish("odd", source, 4))
    response = bare.get(f"/v2/constant_val/{publisher.address}/odd/FIVE")
    assert response.status_code == 501
    assert "cannot evaluate" in response.text


def test_missing_contract_is_reported_as_text(bare: BareDevnet) -> None:
    for kind in ("contracts/interface", "contracts/source"):
        response = bare.get(f"/v2/{kind}/{bare.account(1).address}/nothing")
        assert response.status_code == 404
        assert response.headers["content-type"].startswith("text/plain")


def test_transfer_fee_is_a_number(bare: BareDevnet) -> None:
    assert bare.json("/v2/fees/transfer") == 1


def test_fee_estimate_covers_the_minimum(bare: BareDevnet) -> None:
    bare.transfer(bare.account(1), bare.account(2).address, 1)
    payload = TokenTransfer(PrincipalValue(bare.account(2).address), 10).encode()
    body = {"transaction_payload": payload.hex(), "estimated_len": 500}
    fees = [estimation["fee"] for estimation in bare.post("/v2/fees/transaction", json=body).json()["estimations"]]
    assert fees == sorted(fees)
    assert fees[0] >= 500
    assert bare.post("/v2/fees/transaction", json={"transaction_payload": "zz"}).status_code == 400


def test_fee_estimate_needs_a_mined_transaction_of_the_same_kind() -> None:
    """The kinds are: calls of each function, all transfers, and all publications."""
    with Devnet(deploy_contracts=False, start_time=START) as devnet:
        bare = BareDevnet(devnet)
        payloads: dict[str, UserPayload] = {
            "publication": ContractPublish("any", "(define-public (f) (ok u1))", 4),
            "transfer": TokenTransfer(PrincipalValue(bare.probe), 3),
            "call": ContractCall(bare.probe, "increment", (UIntValue(7),)),
            "other call": ContractCall(bare.probe, "look", ()),
        }

        def estimates(**more: Any) -> dict[str, int | None]:
            """Return the lowest estimated fee of each payload, or ``None`` without an estimate."""
            found: dict[str, int | None] = {}
            for name, payload in payloads.items():
                body = {"transaction_payload": payload.encode().hex(), **more}
                response = bare.post("/v2/fees/transaction", json=body)
                found[name] = response.json()["estimations"][0]["fee"] if response.ok else None
                if not response.ok:
                    assert (response.status_code, response.json()) == (400, NO_ESTIMATE)
            return found

        lengths = {name: len(payload.encode()) for name, payload in payloads.items()}
        known: set[str] = set()

        def check(newly_known: str) -> None:
            known.add(newly_known)
            assert estimates() == {name: length if name in known else None for name, length in lengths.items()}
            assert estimates(estimated_len=900) == {name: 900 if name in known else None for name in lengths}

        assert set(estimates().values()) == {None}
        bare.publish_probe()
        check("publication")
        bare.transfer(bare.account(1), bare.account(2).address, 1)
        check("transfer")
        bare.call(bare.account(1), "increment", UIntValue(1))
        check("call")
        bare.call(bare.account(1), "look")
        check("other call")
        payload = payloads["call"].encode().hex()
        longer = bare.post("/v2/fees/transaction", json={"transaction_payload": f"0x{payload}ffff"})
        assert (
            longer.json()["estimations"][0]["fee"] == lengths["call"] + 2
        )  # trailing bytes count for the fee but are not decoded
        assert longer.json()["estimated_cost"]["write_count"] == 1
        half = bare.post("/v2/fees/transaction", json={"transaction_payload": payload[:-2]})
        assert (half.status_code, half.text[:31]) == (400, "Failed to decode due to SIP-003")


def test_node_transaction_text(bare: BareDevnet) -> None:
    transaction = bare.build(bare.account(1), ContractCall(bare.probe, "refuse", (UIntValue(1),)))
    bare.submit(transaction.encode())
    answer = bare.json(f"/v3/transaction/{transaction.txid}")
    assert answer["result"] == "(err u77)"
    assert answer["tx"] == transaction.encode().hex()
    assert bare.get(f"/v3/transaction/{'0' * 64}").status_code == 404


def test_unknown_transaction_is_404_json(bare: BareDevnet) -> None:
    response = bare.get(f"/extended/v1/tx/0x{'0' * 64}")
    assert response.status_code == 404
    expected = {"statusCode": 404, "error": "Not Found", "message": "could not find transaction by ID"}
    assert response.json() == expected
    raw = bare.get(f"/extended/v1/tx/0x{'0' * 64}/raw")
    assert raw.json() == expected | {"message": "could not find raw transaction by ID"}
    contract = bare.get(f"/extended/v1/contract/{bare.probe}x")
    assert contract.json() == expected | {"message": "cannot find contract by ID"}
    assert bare.get("/extended/v1/tx/0x12").status_code == 400
    nothing = bare.get("/extended/v1/nothing").json()
    assert nothing == expected | {"message": "Route GET:/extended/v1/nothing not found"}


def test_trailing_slash_of_a_path(bare: BareDevnet) -> None:
    """The API ignores it, a node does not."""
    assert bare.json("/extended/v1/status/") == bare.json("/extended/v1/status")
    assert bare.json("/extended/v2/blocks/?limit=1") == bare.json("/extended/v2/blocks?limit=1")
    for path in ("/v2/info/", "/extended/v1/status//", "/devnet/"):
        assert bare.get(path).status_code == 404


def test_headers_of_the_api(bare: BareDevnet) -> None:
    for path in ("/extended/v1/status", "/extended/v3/principals/x/nonces"):
        headers = bare.get(path).headers
        assert (headers["cache-control"], headers["x-api-version"]) == ("no-store", "der-client devnet")
    assert "x-api-version" not in bare.get("/v2/info").headers


def test_node_info(bare: BareDevnet) -> None:
    info = bare.json("/v2/info")
    key = PublicKey.from_hex(info["node_public_key"])
    assert key.hash160.hex() == info["node_public_key_hash"]
    assert info["last_pox_anchor"] == {"anchor_block_hash": "0" * 64, "anchor_block_txid": "0" * 64}
    assert "affirmations" not in info


def test_contract_logs_newest_first_in_pages(bare: BareDevnet) -> None:
    for by in range(1, 6):
        bare.call(bare.account(1), "increment", UIntValue(by))
    bare.call(bare.account(1), "refuse", UIntValue(9))  # its print event is rolled back
    path = f"/extended/v2/smart-contracts/{bare.probe}/logs"
    everything = bare.json(path)
    assert everything["total"] == 6  # including one of the publication
    texts = [log["contract_log"]["value"]["repr"] for log in everything["results"]]
    assert [f"(by u{by})" in text for by, text in zip((5, 4, 3, 2, 1), texts, strict=False)] == [True] * 5
    heights = [log["block_height"] for log in everything["results"]]
    assert heights == sorted(heights, reverse=True)
    pages: list[Any] = []
    cursor = None
    while True:
        page = bare.json(f"{path}?limit=2" + (f"&cursor={cursor}" if cursor else ""))
        pages += page["results"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert pages == everything["results"]
    assert bare.json(f"{path}?limit=2&offset=2")["results"] == everything["results"][2:4]
    assert bare.get(f"{path}?cursor=9:9:9").status_code == 400
    assert bare.get(f"{path}?limit=0").status_code == 400


def test_contract_events_in_version_1_of_the_api(bare: BareDevnet) -> None:
    for by in range(1, 4):
        bare.call(bare.account(1), "increment", UIntValue(by))
    path = f"/extended/v1/contract/{bare.probe}/events"
    page = bare.json(f"{path}?limit=2&offset=1")
    assert (page["limit"], page["offset"]) == (2, 1)
    logs = bare.json(f"/extended/v2/smart-contracts/{bare.probe}/logs?limit=2&offset=1")["results"]
    places = ("block_height", "block_time")
    assert page["results"] == [{k: v for k, v in log.items() if k not in places} for log in logs]
    assert bare.get("/extended/v1/contract/nothing/events").status_code == 400


def test_nonces(bare: BareDevnet) -> None:
    sender = bare.account(1)
    path = f"/extended/v1/address/{sender.address}/nonces"
    assert bare.json(path)["last_executed_tx_nonce"] is None
    assert bare.json(path)["possible_next_nonce"] == 0
    bare.transfer(sender, bare.account(2).address, 1)
    gap = bare.build(sender, TokenTransfer(PrincipalValue(bare.account(2).address), 1), nonce=3)
    assert bare.submit(gap.encode()).ok
    assert bare.json(path) == {
        "last_executed_tx_nonce": 0,
        "last_mempool_tx_nonce": 3,
        "possible_next_nonce": 4,
        "detected_missing_nonces": [2, 1],
        "detected_mempool_nonces": [],
    }
    between = TokenTransfer(PrincipalValue(bare.account(2).address), 1)
    assert bare.submit(bare.build(sender, between, nonce=2).encode()).ok
    nonces = bare.json(path)
    assert (nonces["detected_missing_nonces"], nonces["detected_mempool_nonces"]) == ([1], [2])
    assert bare.receipt(gap.txid)["tx_status"] == "pending"
    assert bare.json(f"/v2/transactions/unconfirmed/{gap.txid}")["status"] == "Mempool"


def test_blocks(bare: BareDevnet) -> None:
    receipt = bare.transfer(bare.account(1), bare.account(2).address, 1)
    latest = bare.json("/extended/v2/blocks/latest")
    assert latest["height"] == receipt["block_height"]
    assert latest["block_time"] == receipt["block_time"] > START
    assert latest["tx_count"] == 1
    by_hash = bare.json(f"/extended/v2/blocks/{receipt['block_hash']}")
    assert by_hash == latest
    parent = bare.json(f"/extended/v2/blocks/{latest['height'] - 1}")
    assert parent["hash"] == latest["parent_block_hash"]
    inside = bare.json(f"/extended/v2/blocks/{latest['height']}/transactions")
    assert [transaction["tx_id"] for transaction in inside["results"]] == [receipt["tx_id"]]
    assert bare.json("/extended/v2/blocks?limit=1")["results"] == [latest]
    assert bare.get("/extended/v2/blocks/99999").status_code == 404
    info = bare.json("/v2/info")
    assert info["stacks_tip_height"] == latest["height"]
    assert "0x" + info["stacks_tip"] == latest["hash"]


def test_stx_balance_of_the_api(bare: BareDevnet) -> None:
    before = bare.json(f"/extended/v1/address/{bare.account(1).address}/balances")["stx"]
    bare.transfer(bare.account(1), bare.account(2).address, 100)
    after = bare.json(f"/extended/v1/address/{bare.account(1).address}/balances")["stx"]
    assert int(before["balance"]) - int(after["balance"]) == 100 + AMPLE_FEE
    assert int(after["total_sent"]) - int(before["total_sent"]) == 100
    assert int(after["total_fees_sent"]) - int(before["total_fees_sent"]) == AMPLE_FEE


def test_faucet(bare: BareDevnet) -> None:
    address = "ST2JHG361ZXG51QTKY2NQCVBPPRRE2KZB1HR05NNC"
    before = bare.balance(address)
    answer = bare.post(f"/extended/v1/faucets/stx?address={address}").json()
    assert answer["success"] is True
    assert bare.receipt(answer["txId"][2:])["tx_status"] == "success"
    assert bare.balance(address) == before + 500_000_000
    txid = bare.devnet.fund(bare.probe)
    assert bare.receipt(txid)["token_transfer"]["recipient_address"] == bare.probe
    assert bare.post("/extended/v1/faucets/stx?address=nobody").status_code == 400
