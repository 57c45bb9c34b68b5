"""Version 3 of the API, version 1 if a node does not have it, and events of any number and size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses

from der_client.stacks.clarity import BoolValue, OkValue, UIntValue, encode
from der_client.stacks.errors import NodeResponseError, NodeUnreachableError, NotFoundError
from der_client.stacks.rpc import (
    Client,
    ContractLogEvent,
    FungibleTokenEvent,
    Nonces,
    NonFungibleTokenEvent,
    OtherEvent,
    RetryPolicy,
    StxEvent,
    TransactionReceipt,
    TransactionStatus,
)

URL = "https://node.test"
ADDRESS = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"
CONTRACT = f"{ADDRESS}.market"
TXID = "ab" * 32
V3, V1 = f"{URL}/extended/v3/transactions/0x{TXID}", f"{URL}/extended/v1/tx/0x{TXID}"
PRINCIPAL = f"{URL}/extended/v3/principals/{ADDRESS}"
NO_ROUTE = {"status": 404, "json": {"error": "Not Found", "message": "Route not found"}}
WAITING_V3: dict[str, Any] = {
    "tx_id": f"0x{TXID}",
    "sender": {"address": ADDRESS, "nonce": 7},
    "sponsor": None,
    "fee_rate": "400",
    "status": "pending",
    "type": "contract_call",
    "contract_call": {"contract_id": CONTRACT, "function_name": "pay"},
}
MINED_V3: dict[str, Any] = {
    **WAITING_V3,
    "status": "success",
    "block": {"height": 12, "hash": "0x" + "cd" * 32, "index_hash": "0x" + "ce" * 32, "time": 1_760_000_000},
    "bitcoin_block": {"height": 5, "time": 1_760_000_000},
    "event_count": 3,
    "execution_cost": {"read_count": 1, "read_length": 2, "runtime": 3, "write_count": 4, "write_length": 5},
    "vm_error": None,
    "result": {"hex": "0x0703", "repr": "(ok true)"},
}
WAITING_V1 = {
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
    return Client(URL, retries=RetryPolicy(attempts=1))


def printed(index: int, size: int = 1) -> dict[str, Any]:
    value = {"hex": "0x03", "repr": "true"}
    return {
        "event_index": index,
        "type": "contract_log",
        "contract_log": {"contract_id": CONTRACT, "topic": "print", "value": value},
        "padding": "x" * size,
    }


def page(items: list[Any], following: str | None = None, total: int | None = None) -> dict[str, Any]:
    cursor = {"next": following, "previous": None, "current": None}
    return {"total": len(items) if total is None else total, "limit": 100, "cursor": cursor, "results": items}


class TestTransactions:
    def test_a_mined_transaction_is_read_with_its_events(self, mocked: responses.RequestsMock, client: Client) -> None:
        mocked.get(V3, json=MINED_V3, match=[responses.matchers.query_param_matcher({"include": "result"})])
        match = responses.matchers.query_param_matcher
        mocked.get(f"{V3}/events", json=page([printed(0), printed(1)], "2", 3), match=[match({"limit": "100"})])
        mocked.get(f"{V3}/events", json=page([printed(2)], None, 3), match=[match({"limit": "100", "cursor": "2"})])
        receipt = client.transaction(TXID)
        assert isinstance(receipt, TransactionReceipt)
        assert (receipt.status, receipt.result) == (TransactionStatus.SUCCESS, OkValue(BoolValue(True)))
        assert (receipt.sender, receipt.nonce, receipt.fee_ustx, receipt.sponsor) == (ADDRESS, 7, 400, None)
        assert (receipt.contract_id, receipt.function) == (CONTRACT, "pay")
        assert (receipt.block_height, receipt.block_hash, receipt.burn_block_height) == (12, "cd" * 32, 5)
        assert receipt.cost is not None
        assert receipt.cost.write_length_bytes == 5
        assert [event.event_index for event in receipt.events] == [0, 1, 2]
        assert {event.block_height for event in receipt.events if isinstance(event, ContractLogEvent)} == {12}

    def test_a_pending_transaction_is_read(self, mocked: responses.RequestsMock, client: Client) -> None:
        mocked.get(V3, json={**WAITING_V3, "sponsor": {"address": CONTRACT, "nonce": 1}})
        info = client.transaction(TXID)
        assert info is not None
        assert (info.status, info.sponsor, info.result) == (TransactionStatus.PENDING, CONTRACT, None)

    def test_a_dropped_transaction_is_read_from_version_1(self, mocked: responses.RequestsMock, client: Client) -> None:
        mocked.get(V3, **NO_ROUTE)
        mocked.get(V1, json={**WAITING_V1, "tx_status": "dropped_replace_by_fee"})
        for _ in range(2):
            info = client.transaction(TXID)
            assert info is not None
            assert info.status is TransactionStatus.DROPPED_REPLACE_BY_FEE
        assert [call.request.url.split("?")[0] for call in mocked.calls] == [V3, V1, V3, V1]  # type: ignore[union-attr]

    def test_a_node_without_version_3_is_remembered(self, mocked: responses.RequestsMock, client: Client) -> None:
        mocked.get(V3, **NO_ROUTE)
        mocked.get(V1, json=WAITING_V1)
        for _ in range(3):
            assert client.transaction(TXID) is not None
        assert [call.request.url.split("?")[0] for call in mocked.calls] == [V3, V1, V1, V1]  # type: ignore[union-attr]

    def test_an_unknown_transaction_is_none(self, mocked: responses.RequestsMock, client: Client) -> None:
        mocked.get(V3, **NO_ROUTE)
        mocked.get(V1, status=404, json={"error": "could not find transaction by ID"})
        assert client.transaction(TXID) is None

    def test_a_response_about_another_transaction_is_an_error(
        self, mocked: responses.RequestsMock, client: Client
    ) -> None:
        mocked.get(V3, json={**MINED_V3, "tx_id": "0x" + "11" * 32})
        with pytest.raises(NodeResponseError, match="the transaction asked for"):
            client.transaction(TXID)

    def test_after_a_fork_before_its_events_a_transaction_is_read_again(
        self, mocked: responses.RequestsMock, client: Client
    ) -> None:
        mocked.get(V3, json=MINED_V3)
        mocked.get(f"{V3}/events", status=400, json={"error": "Bad Request"})
        mocked.get(V3, json=WAITING_V3)
        info = client.transaction(TXID)
        assert info is not None
        assert info.status is TransactionStatus.PENDING

    def test_events_of_every_kind_are_read(self, mocked: responses.RequestsMock, client: Client) -> None:
        token = {"asset_identifier": f"{CONTRACT}::t", "sender": ADDRESS}
        value = {"hex": "0x" + encode(UIntValue(9)).hex(), "repr": "u9"}
        memo = {"hex": "0x6d656d6f" + "00" * 30, "repr": "memo"}
        events = [
            {"event_index": 0, "type": "stx_asset", "stx_asset": {"type": "burn", "sender": ADDRESS, "amount": "4"}},
            {
                "event_index": 1,
                "type": "stx_asset",
                "stx_asset": {
                    "type": "transfer",
                    "sender": ADDRESS,
                    "recipient": CONTRACT,
                    "amount": "4",
                    "memo": memo,
                },
            },
            {"event_index": 2, "type": "ft_asset", "ft_asset": {"type": "mint", "amount": "5", **token}},
            {"event_index": 3, "type": "nft_asset", "nft_asset": {"type": "mint", "value": value, **token}},
            {"event_index": 4, "type": "stx_lock", "stx_lock": {"amount": "1"}},
        ]
        mocked.get(V3, json={**MINED_V3, "event_count": 5})
        mocked.get(f"{V3}/events", json=page(events))
        info = client.transaction(TXID)
        assert info is not None
        burn, transfer, fungible, non_fungible, other = info.events
        assert isinstance(burn, StxEvent)
        assert (burn.action, burn.sender, burn.recipient, burn.amount_ustx, burn.memo) == ("burn", ADDRESS, "", 4, b"")
        assert isinstance(transfer, StxEvent)
        assert transfer.memo == b"memo"
        assert isinstance(fungible, FungibleTokenEvent)
        assert (fungible.asset_id, fungible.amount) == (f"{CONTRACT}::t", 5)
        assert isinstance(non_fungible, NonFungibleTokenEvent)
        assert non_fungible.value == UIntValue(9)
        assert isinstance(other, OtherEvent)
        assert other.event_type == "stx_lock"


class TestHostileEvents:
    def test_a_billion_announced_events_end_at_a_repeated_page(
        self, mocked: responses.RequestsMock, client: Client
    ) -> None:
        mocked.get(V3, json={**MINED_V3, "event_count": 10**9})
        mocked.get(f"{V3}/events", json=page([printed(0)], "0", 10**9))
        with pytest.raises(NodeResponseError, match="event 0 comes after event 0"):
            client.transaction(TXID)
        assert len(mocked.calls) == 3

    def test_in_version_1_too_reading_ends_at_a_repeated_page(
        self, mocked: responses.RequestsMock, client: Client
    ) -> None:
        client._api.has_v3 = False
        event = {"event_index": 0, "event_type": "x", "tx_id": f"0x{TXID}"}
        mocked.get(V1, json={**WAITING_V1, "event_count": 10**9, "events": [event]})
        with pytest.raises(NodeResponseError, match="event 0 comes after event 0"):
            client.transaction(TXID)
        assert len(mocked.calls) == 2

    def test_the_number_of_pages_is_limited(
        self, mocked: responses.RequestsMock, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("der_client.stacks.rpc.api_versions._MAX_PAGES", 5)
        mocked.get(V3, json={**MINED_V3, "event_count": 10**9})
        count = iter(range(10**9))

        def answer(_: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
            number = next(count)
            return 200, {}, json.dumps(page([printed(number)], str(number + 1), 10**9))

        mocked.add_callback("GET", f"{V3}/events", answer)
        info = client.transaction(TXID)
        assert info is not None
        assert (len(info.events), info.event_count) == (5, 10**9)

    def test_the_time_for_all_pages_is_limited(self, mocked: responses.RequestsMock) -> None:
        mocked.get(V3, json={**MINED_V3, "event_count": 10**9})
        count = iter(range(10**9))
        asked: list[float] = []

        def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
            number = next(count)
            asked.append(request.req_kwargs["timeout"][1])  # type: ignore[attr-defined]
            return 200, {}, json.dumps(page([printed(number)], str(number + 1), 10**9))

        mocked.add_callback("GET", f"{V3}/events", answer)
        with pytest.raises(NodeUnreachableError, match="too slow"):
            Client(URL, retries=RetryPolicy(attempts=1), response_deadline_s=0.1).transaction(TXID)
        assert asked == sorted(asked, reverse=True)

    def test_events_too_large_for_one_page_are_read_in_smaller_pages(self, mocked: responses.RequestsMock) -> None:
        client = Client(URL, retries=RetryPolicy(attempts=1), max_response_bytes=5_000)
        mocked.get(V3, json={**MINED_V3, "event_count": 30})

        def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
            query = request.params  # type: ignore[attr-defined]
            start, limit = int(query.get("cursor", 0)), int(query["limit"])
            items = [printed(number, 2_000) for number in range(start, min(30, start + limit))]
            end = start + len(items)
            return 200, {}, json.dumps(page(items, str(end) if end < 30 else None, 30))

        mocked.add_callback("GET", f"{V3}/events", answer)
        info = client.transaction(TXID)
        assert info is not None
        assert [event.event_index for event in info.events] == list(range(30))

    def test_an_event_larger_than_the_limit_is_left_out(self, mocked: responses.RequestsMock) -> None:
        client = Client(URL, retries=RetryPolicy(attempts=1), max_response_bytes=5_000)
        mocked.get(V3, json={**MINED_V3, "event_count": 1})
        mocked.get(f"{V3}/events", json=page([printed(0, 10_000)]))
        info = client.transaction(TXID)
        assert isinstance(info, TransactionReceipt)
        assert (info.events, info.event_count) == ((), 1)


class TestNonces:
    def test_nonces_are_read_from_version_3(self, mocked: responses.RequestsMock, client: Client) -> None:
        mempool = {"last_nonce": 5, "pending_nonces": [2], "missing_nonces": [4, 3, 1]}
        mocked.get(f"{PRINCIPAL}/nonces", json={"next_nonce": 6, "last_confirmed_nonce": 0, "mempool": mempool})
        assert client.nonces(ADDRESS) == Nonces(0, 5, 6, missing=(4, 3, 1), in_mempool=(2,))

    def test_version_1_is_remembered(self, mocked: responses.RequestsMock, client: Client) -> None:
        mocked.get(f"{PRINCIPAL}/nonces", **NO_ROUTE)
        v1: dict[str, Any] = {
            "last_executed_tx_nonce": 4,
            "last_mempool_tx_nonce": None,
            "possible_next_nonce": 5,
            "detected_missing_nonces": [],
            "detected_mempool_nonces": [],
        }
        mocked.get(f"{URL}/extended/v1/address/{ADDRESS}/nonces", json=v1)
        assert client.nonces(ADDRESS) == client.nonces(ADDRESS) == Nonces(4, None, 5, missing=(), in_mempool=())
        assert len(mocked.calls) == 3

    def test_nonces_are_not_found_on_a_node_without_the_api(
        self, mocked: responses.RequestsMock, client: Client
    ) -> None:
        mocked.get(f"{PRINCIPAL}/nonces", **NO_ROUTE)
        mocked.get(f"{URL}/extended/v1/address/{ADDRESS}/nonces", status=404)
        with pytest.raises(NotFoundError):
            client.nonces(ADDRESS)


class TestBalances:
    def test_balances_are_read_from_version_3(self, mocked: responses.RequestsMock, client: Client) -> None:
        a, b = f"{CONTRACT}::a", f"{CONTRACT}::b"
        match = responses.matchers.query_param_matcher
        stx = {"balance": "70", "available": "60", "locked": {"amount": "10", "pox_version": 5}, "mempool": None}
        mocked.get(f"{PRINCIPAL}/balances/stx", json=stx)
        for cursor, asset, following in ((None, a, "c"), ("c", b, None)):
            query = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
            item = {"asset_identifier": asset, "balance": "9"}
            mocked.get(f"{PRINCIPAL}/balances/ft", json=page([item], following), match=[match(query)])
        tokens = [{"asset_identifier": asset, "value": {"hex": "0x03"}} for asset in (a, a, b)]
        mocked.get(f"{PRINCIPAL}/balances/nft", json=page(tokens))
        balances = client.balances(ADDRESS)
        assert (balances.stx_ustx, balances.locked_ustx) == (70, 10)
        assert balances.fungible_tokens == {a: 9, b: 9}
        assert balances.non_fungible_tokens == {a: 2, b: 1}

    def test_an_empty_page_ends_reading_despite_its_cursor(
        self, mocked: responses.RequestsMock, client: Client
    ) -> None:
        stx = {"balance": "70", "available": "70", "locked": None, "mempool": None}
        mocked.get(f"{PRINCIPAL}/balances/stx", json=stx)
        mocked.get(f"{PRINCIPAL}/balances/ft", json=page([], "c"))
        mocked.get(f"{PRINCIPAL}/balances/nft", json=page([]))
        assert client.balances(ADDRESS).fungible_tokens == {}
