"""Logs are read completely, each event once, although new events and forks change them between two pages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses

from der_client.stacks.errors import InvalidValueError, NodeResponseError
from der_client.stacks.rpc import Client, RetryPolicy
from der_client.stacks.rpc.logs import LogFollower, LogReader

URL = "https://node.test"
CONTRACT = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM.market"


class Chain:
    """A contract's prints, oldest first: for each, a transaction number, an event index and a block height."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, int]] = []
        self.between: list[Callable[[], object]] = []
        self.asked = 0
        self.cap = 100

    def mine(self, height: int, *transactions: int, events: int = 10) -> None:
        self.rows += [(transaction, index, height) for transaction in transactions for index in range(events)]

    def drop(self, *transactions: int) -> None:
        self.rows = [row for row in self.rows if row[0] not in transactions]

    def answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        if self.asked and self.between:
            self.between.pop(0)()
        self.asked += 1
        query = {name: int(values[0]) for name, values in parse_qs(urlsplit(str(request.url)).query).items()}
        offset, limit = query.get("offset", 0), min(query["limit"], self.cap)
        page = self.rows[::-1][offset : offset + limit]
        return 200, {}, json.dumps({"total": len(self.rows), "results": [log(*row) for row in page]})


def log(transaction: int, index: int, height: int) -> dict[str, Any]:
    printed = {"contract_id": CONTRACT, "topic": "print", "value": {"hex": "0x03", "repr": "true"}}
    return {
        "event_index": index,
        "tx_id": f"0x{transaction:064x}",
        "contract_log": printed,
        "block_height": height,
        "block_time": 1_760_000_000,
    }


@pytest.fixture
def chain() -> Iterator[Chain]:
    chain = Chain()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_callback("GET", re.compile(f"{URL}/extended/v2/smart-contracts/.*"), chain.answer)
        yield chain


@pytest.fixture
def client() -> Client:
    return Client(URL, retries=RetryPolicy(attempts=1))


def read(client: Client, per_page: int = 10) -> list[tuple[int, int]]:
    return [
        (int(event.txid, 16), event.event_index) for event in client.iter_contract_logs(CONTRACT, per_page=per_page)
    ]


def keys(rows: list[tuple[int, int, int]]) -> list[tuple[int, int]]:
    return [(transaction, index) for transaction, index, _ in rows]


class TestReading:
    def test_a_reorg_that_removes_transactions_loses_no_others(self, chain: Chain, client: Client) -> None:
        for height in range(12):
            chain.mine(height, height)
        chain.between = [lambda: None, lambda: chain.drop(9, 10, 11)]
        found = read(client)
        assert set(keys(chain.rows)) <= set(found)
        assert len(found) == len(set(found))

    def test_a_reorg_that_replaces_transactions_loses_no_events(self, chain: Chain, client: Client) -> None:
        def fork() -> None:
            chain.drop(9, 10, 11)
            chain.mine(9, 20, 21, 22)

        for pages_before in range(1, 13):
            del chain.rows[:]
            chain.asked = 0
            for height in range(12):
                chain.mine(height, height)
            chain.between = [*[lambda: None] * (pages_before - 1), fork]
            found = read(client)
            assert set(keys(chain.rows)) <= set(found)
            assert len(found) == len(set(found))

    def test_an_old_transaction_that_a_fork_moves_up_is_read_once(self, chain: Chain, client: Client) -> None:
        for height in range(12):
            chain.mine(height, height)

        def fork() -> None:
            chain.drop(2)
            chain.mine(12, 2)

        chain.between = [lambda: None, lambda: None, fork]
        found = read(client)
        assert sorted(found) == sorted(keys(chain.rows))

    def test_a_fork_with_moved_and_new_transactions_loses_no_events(self, chain: Chain, client: Client) -> None:
        for height in range(4):
            chain.mine(height, height)

        def fork() -> None:
            chain.drop(2, 3)
            chain.mine(2, 20, 3)

        chain.between = [lambda: None, lambda: None, fork]
        found = read(client)
        assert set(keys(chain.rows)) <= set(found)
        assert len(found) == len(set(found))

    def test_one_page_needs_one_request(self, chain: Chain, client: Client) -> None:
        chain.mine(1, 1, events=9)
        read(client)
        assert chain.asked == 1

    @pytest.mark.parametrize("new", [1, 3, 30])
    def test_new_events_before_each_page_hide_no_older_ones(self, chain: Chain, client: Client, new: int) -> None:
        for height in range(5):
            chain.mine(height, height)
        before = keys(chain.rows)
        chain.between = [
            lambda number=number: chain.mine(100 + number, 100 + number, events=new)  # type: ignore[misc]
            for number in range(20)
        ]
        found = read(client)
        assert [key for key in found if key[0] < 100] == before[::-1]

    @pytest.mark.parametrize("cap", [2, 7, 100])
    def test_pages_that_are_shorter_than_requested_lose_no_events(self, chain: Chain, client: Client, cap: int) -> None:
        chain.mine(1, 1, 2, 3)
        chain.cap = cap
        assert read(client, 20) == keys(chain.rows)[::-1]

    @pytest.mark.parametrize("events", [0, 1, 2, 9, 10, 11, 19, 20])
    def test_any_number_of_events_is_read(self, chain: Chain, client: Client, events: int) -> None:
        chain.mine(1, 1, events=events)
        assert read(client) == keys(chain.rows)[::-1]

    def test_a_log_that_keeps_changing_is_an_error(self, chain: Chain, client: Client) -> None:
        chain.mine(1, 1, 2, 3, 4)
        numbers = iter(range(100, 10_000))

        def fork() -> None:
            number = next(numbers)
            del chain.rows[7 * number % 20]
            chain.mine(2, number, events=1)

        chain.between = [fork] * 1000
        with pytest.raises(NodeResponseError, match="kept changing"):
            read(client)

    @pytest.mark.parametrize("per_page", [0, 1, 101, True, "5"])
    def test_invalid_page_sizes_are_rejected(self, client: Client, per_page: Any) -> None:
        with pytest.raises(InvalidValueError, match="per_page"):
            read(client, per_page)


class TestFollowing:
    def look(self, client: Client, follower: LogFollower) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        changes = client.follow(follower.look())
        fresh, withdrawn = (
            [(int(event.txid, 16), event.event_index) for event in events]
            for events in (changes.fresh, changes.withdrawn)
        )
        return fresh, withdrawn

    def started(self, chain: Chain, client: Client) -> LogFollower:
        for height in range(8):
            chain.mine(height, height)
        follower = LogFollower(CONTRACT, 20)
        client.follow(follower.start())
        return follower

    def test_only_new_events_are_returned_oldest_first(self, chain: Chain, client: Client) -> None:
        follower = self.started(chain, client)
        assert self.look(client, follower) == ([], [])
        chain.mine(9, 9, 10, events=30)
        assert self.look(client, follower) == ([(9, i) for i in range(30)] + [(10, i) for i in range(30)], [])
        assert self.look(client, follower) == ([], [])

    def test_following_can_start_with_an_empty_log(self, chain: Chain, client: Client) -> None:
        follower = LogFollower(CONTRACT)
        client.follow(follower.start())
        assert self.look(client, follower) == ([], [])
        chain.mine(1, 1, events=3)
        assert self.look(client, follower)[0] == [(1, 0), (1, 1), (1, 2)]

    def test_a_follower_that_was_not_started_returns_all_events(self, chain: Chain, client: Client) -> None:
        chain.mine(1, *range(30))
        assert self.look(client, LogFollower(CONTRACT))[0] == keys(chain.rows)

    def test_events_mined_again_in_another_block_are_not_repeated(self, chain: Chain, client: Client) -> None:
        follower = self.started(chain, client)
        chain.drop(6, 7)
        chain.mine(6, 20, events=2)
        chain.mine(7, 7)
        chain.mine(8, 6)
        assert self.look(client, follower) == ([(20, 0), (20, 1)], [])
        assert self.look(client, follower) == ([], [])

    def test_missing_events_are_withdrawn_at_the_second_look(self, chain: Chain, client: Client) -> None:
        follower = self.started(chain, client)
        chain.drop(6, 7)
        chain.mine(6, 20, events=1)
        assert self.look(client, follower) == ([(20, 0)], [])
        gone = [(transaction, index) for transaction in (6, 7) for index in range(10)]
        assert self.look(client, follower) == ([], gone)
        assert self.look(client, follower) == ([], [])
        chain.mine(9, 7)
        assert self.look(client, follower) == ([(7, index) for index in range(10)], [])

    def test_a_replica_that_lags_once_withdraws_no_events(self, chain: Chain, client: Client) -> None:
        follower = self.started(chain, client)
        chain.mine(9, 9)
        now = list(chain.rows)
        assert len(self.look(client, follower)[0]) == 10
        chain.rows = now[:-25]
        assert self.look(client, follower) == ([], [])
        chain.rows = now
        assert self.look(client, follower) == ([], [])

    def test_a_fork_during_a_look_loses_no_events(self, chain: Chain, client: Client) -> None:
        follower = self.started(chain, client)
        chain.mine(8, *range(20, 26))
        chain.asked = 0
        chain.between = [lambda: chain.drop(25)]
        found = self.look(client, follower)[0]
        assert [key for key in found if key[0] != 25] == [
            (number, index) for number in range(20, 25) for index in range(10)
        ]

    def test_a_failed_look_loses_no_events(self, chain: Chain, client: Client) -> None:
        follower = self.started(chain, client)
        chain.mine(8, *range(20, 26))
        chain.asked = 0

        def fail() -> None:
            raise requests.ConnectionError("cut")

        chain.between = [fail]
        with pytest.raises(Exception, match="cut"):
            client.follow(follower.look())
        assert self.look(client, follower)[0] == [(number, index) for number in range(20, 26) for index in range(10)]


def test_a_reader_checks_its_contract_when_it_reads(client: Client) -> None:
    with pytest.raises(InvalidValueError, match="has no name"):
        client.follow(LogReader("ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM").next_page())
