"""Logs, events and blocks over the API's WebSocket: each once, in order, across lost connections and forks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from math import nan
from typing import Any

import pytest

from der_client.devnet import Devnet
from der_client.stacks.account import Account
from der_client.stacks.clarity import UIntValue
from der_client.stacks.contract import Contract
from der_client.stacks.contract.events import EventRecord
from der_client.stacks.errors import InvalidValueError, NodeResponseError, NodeUnreachableError
from der_client.stacks.rpc import AsyncClient, Client, LogUpdate, RetryPolicy
from der_client.stacks.transactions import ContractCall, ContractPublish
from tests.integration.tcp_forwarder import TcpForwarder

CODE = "(define-public (say (n uint)) (begin (print n) (ok true)))"
QUICK = RetryPolicy(attempts=2, backoff_s=0.01)
LONG_S = 60.0


@pytest.fixture(scope="module")
def devnet() -> Iterator[Devnet]:
    with Devnet(deploy_contracts=False, track_costs=False, block_interval_s=0) as devnet:
        publisher = Account(devnet.accounts["wallet_1"].key, Client(devnet.url))
        publisher.submit(ContractPublish("talk", CODE, clarity_version=4))
        devnet.mine()
        yield devnet


@pytest.fixture
def chain(devnet: Devnet) -> Iterator[Devnet]:
    with devnet.anchor():
        yield devnet


@pytest.fixture
def forwarder(chain: Devnet) -> Iterator[TcpForwarder]:
    with TcpForwarder(chain.url) as forwarder:
        yield forwarder


class Speaker:
    """Lets the contract print numbers, each in a separate transaction, over its own connection to the devnet."""

    def __init__(self, chain: Devnet, wallet: str = "wallet_2") -> None:
        self.chain = chain
        self.contract = f"{chain.accounts['wallet_1'].address}.talk"
        self._account = Account(chain.accounts[wallet].key, Client(chain.url))

    def say(self, *numbers: int) -> None:
        for number in numbers:
            self._account.submit(ContractCall(self.contract, "say", (UIntValue(number),)))
        self.chain.mine()


def said(updates: Any) -> list[int]:
    return [(-1 if update.is_withdrawn else 1) * int(update.event.value.value) for update in updates]


class Follower:
    """Collects the items of a stream in a thread."""

    def __init__(self, stream: Iterator[Any]) -> None:
        self.items: list[Any] = []
        self._grew = threading.Condition()
        self._thread = threading.Thread(target=self._collect, args=(stream,), daemon=True)
        self._thread.start()

    def _collect(self, stream: Iterator[Any]) -> None:
        for item in stream:
            with self._grew:
                self.items.append(item)
                self._grew.notify_all()

    def wait_for(self, is_enough: Callable[[list[Any]], bool]) -> list[Any]:
        with self._grew:
            assert self._grew.wait_for(lambda: is_enough(self.items), LONG_S), self.items
            return list(self.items)


class TestLogs:
    def test_new_logs_are_streamed_in_order(self, chain: Devnet) -> None:
        speaker = Speaker(chain)
        speaker.say(1, 2)
        follower = Follower(Client(chain.url).stream_contract_logs(speaker.contract, poll_s=LONG_S))
        speaker.say(3, 4)
        speaker.say(5)
        follower.wait_for(lambda items: len(items) == 3)
        assert said(follower.items) == [3, 4, 5]

    def test_the_history_can_be_included(self, chain: Devnet) -> None:
        speaker = Speaker(chain)
        speaker.say(1, 2)
        updates = Client(chain.url).stream_contract_logs(speaker.contract, history=True, idle_s=0)
        assert said(updates) == [1, 2]

    def test_logs_across_lost_connections(self, chain: Devnet, forwarder: TcpForwarder) -> None:
        speaker = Speaker(chain)
        client = Client(forwarder.url, retries=QUICK)
        follower = Follower(client.stream_contract_logs(speaker.contract, poll_s=0.2))
        speaker.say(1)
        follower.wait_for(lambda items: len(items) == 1)
        forwarder.is_down = True
        forwarder.cut()
        speaker.say(2, 3)
        speaker.say(4)
        forwarder.is_down = False
        follower.wait_for(lambda items: len(items) == 4)
        forwarder.cut()
        speaker.say(5)
        follower.wait_for(lambda items: len(items) == 5)
        assert said(follower.items) == [1, 2, 3, 4, 5]

    def test_logs_across_a_fork(self, chain: Devnet) -> None:
        speaker = Speaker(chain)
        speaker.say(1)
        client = Client(chain.url)
        stream = client.stream_contract_logs(speaker.contract, poll_s=0.05)
        with chain.anchor():
            Speaker(chain, "wallet_3").say(2, 3)
            assert said(next(stream) for _ in range(2)) == [2, 3]
        other = Speaker(chain, "wallet_3")
        other.say(4)
        chain.mine()
        seen = [next(stream) for _ in range(3)]
        assert sorted(said(seen)) == [-3, -2, 4]
        assert [update for update in said(seen) if update < 0] == [-3, -2]
        other.say(5)
        assert said([next(stream)]) == [5]

    def test_polling_without_a_websocket(self, chain: Devnet, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("der_client.stacks.rpc.notices.PATH", "/extended/v1/none")
        speaker = Speaker(chain)
        follower = Follower(Client(chain.url).stream_contract_logs(speaker.contract, poll_s=0.05))
        speaker.say(1)
        speaker.say(2)
        follower.wait_for(lambda items: len(items) == 2)
        assert said(follower.items) == [1, 2]

    def test_an_unreachable_node_is_an_error_at_the_start(self, forwarder: TcpForwarder, chain: Devnet) -> None:
        forwarder.is_down = True
        with pytest.raises(NodeUnreachableError):
            Client(forwarder.url, retries=QUICK).stream_contract_logs(Speaker(chain).contract)

    @pytest.mark.parametrize("options", [{"poll_s": 0}, {"poll_s": nan}, {"idle_s": -1}, {"idle_s": "5"}])
    def test_invalid_times_are_rejected(self, chain: Devnet, options: dict[str, float]) -> None:
        with pytest.raises(InvalidValueError, match=next(iter(options))):
            Client(chain.url).stream_contract_logs(Speaker(chain).contract, **options)  # type: ignore[arg-type]


class Talk(Contract, name="talk"):
    """A contract that prints numbers."""


class TestEvents:
    def test_past_and_new_events(self, chain: Devnet) -> None:
        speaker = Speaker(chain)
        speaker.say(1, 2)
        talk = Talk.at(Client(chain.url), speaker.contract)
        events = talk.events(follow=True)
        speaker.say(3)
        assert [str(next(events).event.value) for _ in range(3)] == ["u1", "u2", "u3"]  # type: ignore[union-attr]

    def test_events_since_a_height(self, chain: Devnet) -> None:
        speaker = Speaker(chain)
        speaker.say(1)
        speaker.say(2)
        talk = Talk.at(Client(chain.url), speaker.contract)
        events = talk.events(since=chain.block_height, follow=True, idle_s=1)
        speaker.say(3)
        assert [str(record.event.value) for record in events] == ["u2", "u3"]  # type: ignore[union-attr]

    def test_events_of_a_fork_are_withdrawn(self, chain: Devnet) -> None:
        speaker, withdrawn = Speaker(chain), list[EventRecord]()
        talk = Talk.at(Client(chain.url), speaker.contract)
        with chain.anchor():
            events = talk.events(follow=True, on_withdrawn=withdrawn.append)
            speaker.say(1)
            first = next(events)
        Speaker(chain).say(2)
        chain.mine()
        next(events)
        Speaker(chain, "wallet_3").say(3)
        next(events)
        assert [record.txid for record in withdrawn] == [first.txid]


class TestBlocks:
    def test_each_block_once_and_in_order_across_lost_connections(self, chain: Devnet, forwarder: TcpForwarder) -> None:
        height = chain.block_height
        follower = Follower(Client(forwarder.url, retries=QUICK).stream_blocks(poll_s=0.2))
        chain.mine()
        follower.wait_for(lambda items: len(items) == 1)
        forwarder.is_down = True
        forwarder.cut()
        chain.mine(70)
        forwarder.is_down = False
        follower.wait_for(lambda items: len(items) == 71)
        assert [update.block.height for update in follower.items] == list(range(height + 1, height + 72))
        assert not any(update.replaced for update in follower.items)

    def test_a_fork_reports_the_blocks_that_it_replaces(self, chain: Devnet) -> None:
        stream = Client(chain.url).stream_blocks(poll_s=0.05)
        height = chain.block_height
        with chain.anchor():
            chain.mine(3)
            old = [next(stream).block for _ in range(3)]
        Speaker(chain).say(1)
        chain.mine(3)
        new = [next(stream) for _ in range(4)]
        assert [update.block.height for update in new] == list(range(height + 1, height + 5))
        assert new[0].replaced == tuple(old)
        assert not any(update.replaced for update in new[1:])


class TestAnnouncements:
    def test_transactions_are_announced(self, chain: Devnet) -> None:
        speaker = Speaker(chain)
        follower = Follower(Client(chain.url).stream("mempool", idle_s=LONG_S))
        speaker.say(1, 2)
        notices = follower.wait_for(lambda items: len(items) == 2)
        assert [notice.event for notice in notices] == ["mempool", "mempool"]
        assert notices[0].data["contract_call"]["function_name"] == "say"

    def test_a_lost_connection_is_announced(self, chain: Devnet, forwarder: TcpForwarder) -> None:
        follower = Follower(Client(forwarder.url).stream("block"))
        chain.mine()
        follower.wait_for(lambda items: len(items) == 1)
        forwarder.cut()
        follower.wait_for(lambda items: len(items) == 2)
        chain.mine()
        notices = follower.wait_for(lambda items: len(items) == 3)
        assert [notice.event for notice in notices] == ["block", "cut", "block"]

    def test_an_idle_stream_ends(self, chain: Devnet) -> None:
        assert list(Client(chain.url).stream("mempool", idle_s=0.05)) == []

    @pytest.mark.parametrize(
        ("event", "parameters", "words"),
        [
            ("blocks", {}, "must be one of block, mempool"),
            ("block", {"height": "1"}, "takes no parameters, got height"),
            ("tx_update", {}, "takes tx_id=…, got none"),
            ("tx_update", {"tx_id": 5}, "takes tx_id=…"),
        ],
    )
    def test_invalid_subscriptions_are_rejected(self, chain: Devnet, event: str, parameters: Any, words: str) -> None:
        with pytest.raises(InvalidValueError, match=words):
            Client(chain.url).stream(event, **parameters)

    def test_a_refused_subscription_is_reported(self, chain: Devnet) -> None:
        with pytest.raises(NodeResponseError, match="refused the subscription to tx_update"):
            Client(chain.url).stream("tx_update", tx_id="12")


class TestAsync:
    def test_logs_across_a_lost_connection(self, chain: Devnet, forwarder: TcpForwarder) -> None:
        speaker = Speaker(chain)

        async def follow() -> list[LogUpdate]:
            seen: list[LogUpdate] = []
            async with AsyncClient(forwarder.url, retries=QUICK) as client:
                async for update in client.stream_contract_logs(speaker.contract, history=True, poll_s=0.2):
                    seen.append(update)
                    if len(seen) == 1:
                        await asyncio.to_thread(forwarder.cut)
                        await asyncio.to_thread(speaker.say, 2, 3)
                    if len(seen) == 3:
                        return seen
            return seen

        speaker.say(1)
        assert said(asyncio.run(follow())) == [1, 2, 3]

    def test_blocks(self, chain: Devnet) -> None:
        async def follow() -> list[int]:
            async with AsyncClient(chain.url) as client:
                stream = client.stream_blocks(idle_s=0.5)
                first = asyncio.ensure_future(anext(stream))
                await asyncio.sleep(0.2)
                await asyncio.to_thread(chain.mine, 2)
                return [(await first).block.height] + [update.block.height async for update in stream]

        height = chain.block_height
        assert asyncio.run(follow()) == [height + 1, height + 2]

    def test_announcements_across_a_lost_connection(self, chain: Devnet, forwarder: TcpForwarder) -> None:
        async def follow() -> list[str]:
            async with AsyncClient(forwarder.url) as client:
                stream = client.stream("block")
                first = asyncio.ensure_future(anext(stream))
                await asyncio.sleep(0.3)
                await asyncio.to_thread(chain.mine)
                seen = [(await first).event]
                await asyncio.to_thread(forwarder.cut)
                seen.append((await anext(stream)).event)
                await asyncio.to_thread(chain.mine)
                seen.append((await anext(stream)).event)
                await stream.aclose()
                return seen

        assert asyncio.run(follow()) == ["block", "cut", "block"]

    def test_idle_and_invalid_announcements(self, chain: Devnet) -> None:
        async def follow() -> None:
            async with AsyncClient(chain.url) as client:
                assert [notice async for notice in client.stream("mempool", idle_s=0.05)] == []
                with pytest.raises(InvalidValueError, match="must be one of block, mempool"):
                    await anext(client.stream("blocks"))
                with pytest.raises(NodeResponseError, match="refused the subscription to tx_update"):
                    await anext(client.stream("tx_update", tx_id="12"))

        asyncio.run(follow())
