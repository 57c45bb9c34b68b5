"""Version 3 of the API, with the response formats of stacks-blockchain-api v9."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from der_client.devnet import Devnet
from der_client.stacks.clarity import PrincipalValue, UIntValue, encode
from der_client.stacks.network import DEVNET
from der_client.stacks.transactions import (
    ORIGIN,
    ContractCall,
    ContractPublish,
    FungibleCode,
    PostConditionMode,
    StxPostCondition,
    TokenTransfer,
    Transaction,
)

from .bare_devnet import AMPLE_FEE, START, BareDevnet

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERYTHING = "?include=function_args,source_code,post_conditions,result"
MEMPOOL = "/extended/v3/mempool/transactions"
ALLOW = PostConditionMode.ALLOW
NO_MEMO = {"hex": "0x" + "00" * 34, "repr": ""}
EMPTY_PAGE = {"total": 0, "limit": 100, "cursor": {"next": None, "previous": None, "current": None}, "results": []}


def transaction(bare: BareDevnet, txid: str, query: str = "") -> dict[str, Any]:
    return dict(bare.json(f"/extended/v3/transactions/0x{txid}{query}"))


def principal(bare: BareDevnet, who: str, what: str) -> Any:
    return bare.json(f"/extended/v3/principals/{who}/{what}")


def pages(bare: BareDevnet, path: str, limit: int) -> Iterator[dict[str, Any]]:
    cursor: str | None = ""
    while cursor is not None:
        page = bare.json(f"{path}?limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
        yield page
        cursor = page["cursor"]["next"]


def hexed(number: int) -> str:
    return "0x" + encode(UIntValue(number)).hex()


def test_call(bare: BareDevnet) -> None:
    sender = bare.account(1)
    condition = StxPostCondition(ORIGIN, FungibleCode.EQUAL, 0)
    payload = ContractCall(bare.probe, "increment", (UIntValue(5),))
    txid = bare.send(sender, payload, post_conditions=(condition,), mode=PostConditionMode.ORIGINATOR)
    block = bare.json("/extended/v2/blocks/latest")
    lean = transaction(bare, txid)
    assert lean == {
        "tx_id": f"0x{txid}",
        "sender": {"address": sender.address, "nonce": 0},
        "sponsor": None,
        "fee_rate": str(AMPLE_FEE),
        "block": {
            "height": block["height"],
            "hash": block["hash"],
            "index_hash": block["index_block_hash"],
            "time": block["block_time"],
            "tx_index": 0,
        },
        "bitcoin_block": {"height": block["burn_block_height"], "time": block["burn_block_time"]},
        "status": "success",
        "type": "contract_call",
        "contract_call": {"contract_id": bare.probe, "function_name": "increment"},
        "parent_block": {"hash": block["parent_block_hash"], "index_hash": block["parent_index_block_hash"]},
        "event_count": 1,
        "execution_cost": lean["execution_cost"],
        "vm_error": None,
    }
    assert lean["execution_cost"].keys() == {"read_count", "read_length", "runtime", "write_count", "write_length"}
    full = transaction(bare, txid, EVERYTHING)
    assert full["result"] == {"hex": "0x07" + hexed(5)[2:], "repr": "(ok u5)"}
    assert full["contract_call"]["function_args"] == [{"hex": hexed(5), "repr": "u5"}]
    assert full["post_condition_mode"] == "originator"
    assert full["post_conditions"] == [
        {
            "type": "stx",
            "condition_code": "sent_equal_to",
            "amount": "0",
            "principal": {"type_id": "principal_origin"},
        }
    ]
    assert transaction(bare, txid, "?include=result&include=function_args") == {
        **lean,
        "result": full["result"],
        "contract_call": full["contract_call"],
    }


@pytest.mark.parametrize(
    ("function", "status", "text", "error"),
    [
        ("refuse", "abort_by_response", "(err u77)", None),
        ("increment-and-divide", "abort_by_response", "(err none)", "DivisionByZero"),
        ("burn", "abort_by_post_condition", "(ok true)", "Post-condition check failure"),
    ],
)
def test_call_that_fails(bare: BareDevnet, function: str, status: str, text: str, error: str | None) -> None:
    txid = bare.send(bare.account(1), ContractCall(bare.probe, function, (UIntValue(5),)))
    seen = transaction(bare, txid, "?include=result")
    assert (seen["status"], seen["result"]["repr"], seen["event_count"]) == (status, text, 0)
    assert (seen["vm_error"] or "").find(error or "") >= 0
    assert (seen["vm_error"] is None) == (error is None)


def test_transfer_with_memo(bare: BareDevnet) -> None:
    to = bare.account(2).address
    txid = bare.send(bare.account(1), TokenTransfer(PrincipalValue(to), 5, b"for\x00you"))
    memo = {"hex": "0x" + b"for\x00you".hex().ljust(68, "0"), "repr": "for you"}
    moved = {"recipient": to, "amount": "5", "memo": memo}
    assert transaction(bare, txid)["token_transfer"] == moved
    events = bare.json(f"/extended/v3/transactions/{txid}/events")
    assert events["results"] == [
        {
            "event_index": 0,
            "type": "stx_asset",
            "stx_asset": {"type": "transfer", "sender": bare.account(1).address, **moved},
        }
    ]


def test_publish(bare: BareDevnet) -> None:
    publisher = bare.account(3)
    code = "(define-public (f) (ok u1))"
    txid = bare.send(publisher, ContractPublish("small", code, 4))
    contract = {"contract_id": f"{publisher.address}.small", "clarity_version": 4}
    assert transaction(bare, txid)["smart_contract"] == contract
    assert transaction(bare, txid, "?include=source_code")["smart_contract"] == {**contract, "source_code": code}


def test_sponsor(bare: BareDevnet) -> None:
    sender, sponsor = bare.account(1), bare.account(3)
    half = Transaction.build(
        ContractCall(bare.probe, "increment", (UIntValue(1),)),
        public_key=sender.key.public_key,
        network=DEVNET,
        nonce=0,
        fee=0,
        sponsored=True,
    ).sign(sender.key)
    full = half.sponsor(sponsor.key, nonce=0, fee=AMPLE_FEE)
    assert bare.submit(full.encode()).ok
    seen = transaction(bare, full.txid)
    assert seen["sponsor"] == {"address": sponsor.address, "nonce": 0}
    assert seen["fee_rate"] == str(AMPLE_FEE)


def test_transaction_in_the_mempool(bare: BareDevnet) -> None:
    sender, to = bare.account(1), bare.account(2).address
    waiting = bare.build(sender, TokenTransfer(PrincipalValue(to), 7), nonce=1)
    bare.submit(waiting.encode())
    tip = bare.json("/extended/v2/blocks/latest")
    assert transaction(bare, waiting.txid) == {
        "tx_id": f"0x{waiting.txid}",
        "sender": {"address": sender.address, "nonce": 1},
        "sponsor": None,
        "fee_rate": str(AMPLE_FEE),
        "receipt_time": tip["block_time"],
        "receipt_block_height": tip["height"],
        "status": "pending",
        "type": "token_transfer",
        "token_transfer": {"recipient": to, "amount": "7", "memo": NO_MEMO},
        "replaced_by_tx_id": None,
    }
    assert bare.get(f"/extended/v3/transactions/{waiting.txid}/events").status_code == 400
    better = bare.build(sender, TokenTransfer(PrincipalValue(to), 7), nonce=1, fee=AMPLE_FEE + 1)
    assert bare.submit(better.encode()).ok
    assert bare.get(f"/extended/v3/transactions/{waiting.txid}").status_code == 404


def test_unknown_and_invalid_transaction_ids(bare: BareDevnet) -> None:
    unknown = f"/extended/v3/transactions/0x{'0' * 64}"
    assert bare.get(unknown).status_code == 404
    assert bare.get(unknown).json() == {
        "statusCode": 404,
        "error": "Not Found",
        "message": "Transaction not found",
    }
    assert bare.get(f"{unknown}/events").status_code == 400
    for path in ("/extended/v3/transactions/0x12", f"{unknown}?include=everything"):
        assert bare.get(path).status_code == 400


def test_events_of_every_kind(bare: BareDevnet) -> None:
    me, other = bare.account(1).address, bare.account(2).address
    to = PrincipalValue(other)
    watt, plant = f"{bare.probe}::watt", f"{bare.probe}::plant"
    steps: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("pay-with-memo", (UIntValue(4), to), {"type": "transfer", "sender": me, "recipient": other, "amount": "4"}),
        ("burn", (UIntValue(4),), {"type": "burn", "sender": me, "amount": "4"}),
        ("mint-watt", (UIntValue(4),), {"type": "mint", "recipient": me, "amount": "4", "asset_identifier": watt}),
        (
            "send-watt",
            (UIntValue(3), to),
            {"type": "transfer", "sender": me, "recipient": other, "amount": "3", "asset_identifier": watt},
        ),
        (
            "mint-plant",
            (UIntValue(1),),
            {"type": "mint", "recipient": me, "value": {"hex": hexed(1), "repr": "u1"}, "asset_identifier": plant},
        ),
        (
            "burn-plant",
            (UIntValue(1),),
            {"type": "burn", "sender": me, "value": {"hex": hexed(1), "repr": "u1"}, "asset_identifier": plant},
        ),
    ]
    for function, arguments, expected in steps:
        txid = bare.send(bare.account(1), ContractCall(bare.probe, function, arguments), mode=PostConditionMode.ALLOW)
        (event,) = bare.json(f"/extended/v3/transactions/{txid}/events")["results"]
        kind = {"watt": "ft_asset", "plant": "nft_asset"}.get(function.rpartition("-")[2], "stx_asset")
        assert event["type"] == kind
        moved = event[kind]
        if function == "pay-with-memo":
            assert moved.pop("memo") == {"hex": "0x6d656d6f", "repr": "memo"}
        assert moved == expected


def test_events_are_paged(bare: BareDevnet) -> None:
    publisher = bare.account(3)
    source = "(define-public (many) (begin (print u0) (print u1) (print u2) (print u3) (print u4) (ok true)))"
    bare.send(publisher, ContractPublish("many", source, 4))
    txid = bare.send(publisher, ContractCall(f"{publisher.address}.many", "many", ()))
    path = f"/extended/v3/transactions/{txid}/events"
    found = list(pages(bare, path, 2))
    assert [page["cursor"] for page in found] == [
        {"next": "2", "previous": None, "current": "0"},
        {"next": "4", "previous": "0", "current": "2"},
        {"next": None, "previous": "2", "current": "4"},
    ]
    assert {(page["total"], page["limit"]) for page in found} == {(5, 2)}
    events = [event for page in found for event in page["results"]]
    assert [event["contract_log"]["value"]["repr"] for event in events] == ["u0", "u1", "u2", "u3", "u4"]
    for query in ("cursor=9", "cursor=x", "limit=0", "limit=101"):
        assert bare.get(f"{path}?{query}").status_code == 400


def test_nonces(bare: BareDevnet) -> None:
    sender = bare.account(1)
    nothing: dict[str, Any] = {"last_nonce": None, "pending_nonces": [], "missing_nonces": []}
    assert principal(bare, sender.address, "nonces") == {
        "next_nonce": 0,
        "last_confirmed_nonce": None,
        "mempool": nothing,
    }
    bare.transfer(sender, bare.account(2).address, 1)
    assert principal(bare, sender.address, "nonces") == {
        "next_nonce": 1,
        "last_confirmed_nonce": 0,
        "mempool": nothing,
    }
    for nonce in (2, 5):
        bare.submit(bare.build(sender, TokenTransfer(PrincipalValue(bare.probe), 1), nonce=nonce).encode())
    assert principal(bare, sender.address, "nonces") == {
        "next_nonce": 6,
        "last_confirmed_nonce": 0,
        "mempool": {"last_nonce": 5, "pending_nonces": [2], "missing_nonces": [4, 3, 1]},
    }
    for nobody in (bare.probe, "nobody"):
        assert bare.get(f"/extended/v3/principals/{nobody}/nonces").status_code == 400


def test_stx_balance(bare: BareDevnet) -> None:
    sender, to = bare.account(1), bare.account(2).address
    before = bare.balance(sender.address), bare.balance(to)
    assert principal(bare, sender.address, "balances/stx") == {
        "balance": str(before[0]),
        "available": str(before[0]),
        "locked": None,
        "mempool": None,
    }
    bare.submit(bare.build(sender, TokenTransfer(PrincipalValue(to), 70), nonce=1).encode())
    bare.submit(bare.build(sender, ContractCall(bare.probe, "increment", (UIntValue(1),)), nonce=2).encode())
    assert principal(bare, sender.address, "balances/stx")["mempool"] == {
        "estimated_balance": str(before[0] - 70 - 2 * AMPLE_FEE),
        "inbound": "0",
        "outbound": str(70 + 2 * AMPLE_FEE),
    }
    assert principal(bare, to, "balances/stx")["mempool"] == {
        "estimated_balance": str(before[1] + 70),
        "inbound": "70",
        "outbound": "0",
    }


def test_fungible_balances(bare: BareDevnet) -> None:
    holder, publisher = bare.account(1), bare.account(3)
    assert principal(bare, holder.address, "balances/ft") == EMPTY_PAGE
    source = "(define-fungible-token kwh) (define-public (mint-kwh (n uint)) (ft-mint? kwh n tx-sender))"
    bare.send(publisher, ContractPublish("kwh", source, 4))
    bare.call(holder, "mint-watt", UIntValue(7))
    bare.send(holder, ContractCall(f"{publisher.address}.kwh", "mint-kwh", (UIntValue(9),)))
    kwh, watt = f"{publisher.address}.kwh::kwh", f"{bare.probe}::watt"
    found = list(pages(bare, f"/extended/v3/principals/{holder.address}/balances/ft", 1))
    assert [page["results"] for page in found] == [
        [{"asset_identifier": kwh, "balance": "9"}],
        [{"asset_identifier": watt, "balance": "7"}],
    ]
    assert found[1]["cursor"] == {"next": None, "previous": f"9:{kwh}", "current": f"7:{watt}"}
    for asset, balance in ((kwh, "9"), (watt, "7"), (f"{bare.probe}::gone", "0")):
        assert principal(bare, holder.address, f"balances/ft/{asset}") == {
            "asset_identifier": asset,
            "balance": balance,
        }
    assert bare.get(f"/extended/v3/principals/{holder.address}/balances/ft/watt").status_code == 400
    other = bare.account(2).address
    bare.call(holder, "send-watt", UIntValue(7), PrincipalValue(other), mode=PostConditionMode.ALLOW)
    assert principal(bare, holder.address, "balances/ft")["total"] == 1
    assert principal(bare, other, "balances/ft")["results"] == [{"asset_identifier": watt, "balance": "7"}]


def test_non_fungible_balances(bare: BareDevnet) -> None:
    owner, other = bare.account(1), bare.account(2).address
    assert principal(bare, owner.address, "balances/nft") == EMPTY_PAGE
    for number in (3, 1, 4, 2):
        bare.call(owner, "mint-plant", UIntValue(number))
    bare.call(owner, "burn-plant", UIntValue(4), mode=PostConditionMode.ALLOW)
    bare.call(owner, "send-plant", UIntValue(2), PrincipalValue(other), mode=PostConditionMode.ALLOW)

    def token(number: int) -> dict[str, Any]:
        return {
            "asset_identifier": f"{bare.probe}::plant",
            "value": {"hex": hexed(number), "repr": f"u{number}"},
        }

    found = list(pages(bare, f"/extended/v3/principals/{owner.address}/balances/nft", 1))
    assert [page["results"] for page in found] == [[token(1)], [token(3)]]
    assert found[0]["cursor"]["next"] == f"{hexed(3)}:{bare.probe}::plant"
    assert principal(bare, other, "balances/nft")["results"] == [token(2)]
    counts = bare.json(f"/extended/v1/address/{owner.address}/balances")["non_fungible_tokens"]
    assert counts == {f"{bare.probe}::plant": {"count": "2"}}


class TestLists:
    def test_all_transactions_page_by_page(self, bare: BareDevnet) -> None:
        sender, to = bare.account(1), bare.account(2).address
        txids = [f"0x{bare.send(sender, TokenTransfer(PrincipalValue(to), n))}" for n in range(1, 8)]
        path = "/extended/v3/transactions"
        found = list(pages(bare, path, 3))
        seen = [one["tx_id"] for page in found for one in page["results"]]
        assert seen[:7] == txids[::-1]
        assert len(seen) == len(set(seen)) == found[0]["total"] == bare.json("/devnet")["transactions"]
        assert all(later["cursor"]["current"] == sooner["cursor"]["next"] for sooner, later in pairwise(found))
        assert found[0]["cursor"]["previous"] is None
        # The previous page has the same size, even if newer transactions exist.
        assert found[1]["cursor"]["previous"] == found[0]["cursor"]["current"]
        (one,) = bare.json(f"{path}?limit=1&cursor={found[1]['cursor']['current']}")["results"]
        assert one == found[1]["results"][0]
        whole = transaction(bare, txids[-1].removeprefix("0x"))
        assert found[0]["results"][0].items() <= whole.items()

    def test_several_transactions_in_a_block_are_paged_one_by_one(self) -> None:
        with Devnet(deploy_contracts=False, start_time=START, block_interval_s=0) as devnet:
            bare = BareDevnet(devnet)
            payloads = [TokenTransfer(PrincipalValue(bare.account(2).address), n) for n in range(1, 4)]
            for nonce, payload in enumerate(payloads):
                bare.send(bare.account(1), payload, nonce=nonce)
            waiting = [page["results"][0]["sender"]["nonce"] for page in pages(bare, f"{MEMPOOL}", 1)]
            assert waiting == [2, 1, 0]
            devnet.mine()
            found = [page["results"][0] for page in pages(bare, "/extended/v3/transactions", 1)]
            assert [one["block"]["tx_index"] for one in found] == [2, 1, 0]
            assert bare.json(MEMPOOL) == {**EMPTY_PAGE, "limit": 20}

    def test_transactions_of_a_principal_before_and_after_a_revert(self, bare: BareDevnet) -> None:
        sender, to = bare.account(1), bare.account(7).address
        before = principal(bare, to, "transactions")["total"]
        bare.send(sender, TokenTransfer(PrincipalValue(to), 9))
        with bare.devnet.anchor():
            bare.send(sender, ContractCall(bare.probe, "pay", (UIntValue(4), PrincipalValue(to))), mode=ALLOW)
            paid, transferred = principal(bare, to, "transactions?limit=2")["results"]
            assert paid["transaction"]["type"] == "contract_call"
            assert paid["balance_changes"]["stx"] == {"sent": "0", "received": "4", "net": "4"}
            assert (paid["involvement"], transferred["involvement"]) == ("affected", "affected")
            of_contract = principal(bare, bare.probe, "transactions?limit=1")["results"][0]
            assert of_contract["transaction"] == paid["transaction"]
            assert of_contract["affected_balances"] == {"stx": False, "ft": False, "nft": False}
        after = principal(bare, to, "transactions")
        assert after["total"] == before + 1
        assert after["results"][0]["transaction"]["type"] == "token_transfer"

    @pytest.mark.parametrize("cursor", ["", "1", "x:y:z", "99999:0:0", "1:2147483647:7", "1:0:0:0"])
    def test_unknown_cursors_are_rejected(self, bare: BareDevnet, cursor: str) -> None:
        for path in ("/extended/v3/transactions", f"/extended/v3/principals/{bare.probe}/transactions", MEMPOOL):
            response = bare.get(f"{path}?cursor={cursor}")
            assert response.status_code == 400, path
            assert "unknown cursor" in response.json()["message"]
