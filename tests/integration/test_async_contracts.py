"""Typed contracts in an event loop: functions that are declared once can be called and awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import pytest

from der_client import Der
from der_client.contracts.asset_verification import AssetKind
from der_client.devnet import Devnet
from der_client.stacks.account import Account
from der_client.stacks.contract import (
    Contract,
    ErrorCode,
    Event,
    EventRecord,
    Model,
    Principal,
    UInt,
    constant,
    data_map,
    data_var,
    public,
    read_only,
)
from der_client.stacks.errors import (
    ContractError,
    DeploymentError,
    EncodeError,
    InvalidValueError,
    TransactionDroppedError,
)
from der_client.stacks.network import DEVNET
from der_client.stacks.pending import AsyncPendingTransaction
from der_client.stacks.rpc import AsyncClient, Client, RetryPolicy
from der_client.stacks.transactions import ORIGIN, ContractPublish, FungibleCode, StxPostCondition

T = TypeVar("T")
CODE = """
(define-constant err-closed (err u101))
(define-constant MAX u500)
(define-data-var owner principal tx-sender)
(define-map tabs uint {who: principal, amount: uint})
(define-public (open (id uint) (amount uint))
  (begin
    (asserts! (<= amount MAX) err-closed)
    (map-set tabs id {who: tx-sender, amount: amount})
    (print {event: "opened", id: id})
    (stx-transfer? amount tx-sender (var-get owner))))
(define-read-only (check (amount uint)) (if (<= amount MAX) (ok amount) err-closed))
"""


class BarError(ErrorCode):
    ERR_CLOSED = 101, "the bar is closed"


class Tab(Model):
    who: Principal
    amount: UInt


class Opened(Event, where={"event": "opened"}):
    id: UInt


def pays(bar: Bar, _tab_id: int, amount: int) -> Sequence[StxPostCondition]:
    assert bar.max_amount() == 500  # it may read the chain
    return (StxPostCondition(ORIGIN, FungibleCode.LESS_EQUAL, amount),)


class Bar(Contract, name="bar", errors=BarError, events=(Opened,)):
    @public(name="open", moves=pays)
    def open_tab(self, id: UInt, amount: UInt) -> bool: ...  # noqa: A002 -- the contract's name

    @read_only
    def check(self, amount: UInt) -> UInt: ...

    @data_var
    def owner(self) -> Principal: ...

    @constant(name="MAX", value=500)
    def max_amount(self) -> UInt: ...

    @data_map
    def tabs(self, tab_id: UInt) -> Tab | None: ...

    def look_up(self, error: ErrorCode, arguments: Mapping[str, Any]) -> str:
        del error
        return f"at most {self.max_amount()}, got {arguments['amount'] if arguments else '?'}"


@pytest.fixture(scope="module")
def chain() -> Iterator[Devnet]:
    with Devnet(deploy_contracts=False, track_costs=False) as devnet:
        yield devnet


@pytest.fixture
def bar(chain: Devnet) -> Iterator[Bar]:
    with chain.anchor():
        client = Client(chain.url)
        deployer = Account(chain.accounts["wallet_1"].key, client)
        deployer.submit(ContractPublish("bar", CODE, 4))
        yield Bar(client, deployer.address, Account(chain.accounts["wallet_2"].key, client))


def run(bar: Bar, use: Callable[[Bar], Coroutine[Any, Any, T]]) -> T:
    async def used() -> T:
        async with AsyncClient(bar.client.url) as node:
            return await use(bar.with_async_client(node))

    return asyncio.run(used())


def test_concurrent_reads(bar: Bar) -> None:
    bar.open_tab(1, 50).send().wait()

    async def use(bar: Bar) -> None:
        tab, nothing, owner, most, checked = await asyncio.gather(
            bar.tabs.aio(1), bar.tabs.aio(2), bar.owner.aio(), bar.max_amount.aio(), bar.check.aio(amount=3)
        )
        assert bar.account is not None
        assert tab == Tab(who=bar.account.address, amount=50)
        assert (nothing, owner, most, checked) == (None, bar.deployer, 500, 3)
        assert await bar.differences.aio() == bar.differences() == ()
        assert bar.tabs(1) == tab  # the blocking form works, too

    run(bar, use)


def test_concurrent_calls_of_one_account(bar: Bar) -> None:
    async def use(bar: Bar) -> None:
        async def opened(number: int) -> int | None:
            pending = await bar.open_tab.aio(number, number + 10).send()
            receipt = await pending.wait()
            assert receipt.events == (Opened(id=number),)
            assert receipt.txid == pending.txid
            return receipt.block_height

        await asyncio.gather(*(opened(number) for number in range(8)))
        found = await asyncio.gather(*(bar.tabs.aio(number) for number in range(8)))
        assert [tab.amount for tab in found if tab] == list(range(10, 18))

    run(bar, use)
    assert bar.account is not None
    assert bar.account.next_nonce() == bar.client.nonces(bar.account.address).possible_next


def test_a_call_step_by_step(bar: Bar) -> None:
    async def use(bar: Bar) -> None:
        call = bar.open_tab.aio(5, 60)
        simulated = await call.simulate()
        assert simulated.value is True
        tight = await call.tighten()
        assert tight.call.post_conditions == (StxPostCondition(ORIGIN, FungibleCode.EQUAL, 60),)
        transaction = await tight.transaction(fee_ustx=2_000)
        assert transaction.fee == 2_000
        receipt = await (await tight.send(fee_ustx=2_000)).wait()
        assert receipt.fee_ustx == 2_000
        assert "bar.open(id=u5" in repr(call)

    run(bar, use)


def test_errors_have_details_from_the_chain(bar: Bar) -> None:
    async def use(bar: Bar) -> None:
        with pytest.raises(ContractError, match=r"bar\.check: ERR_CLOSED .*; at most 500, got 501"):
            await bar.check.aio(501)
        pending = await bar.open_tab.aio(1, 501).send()
        with pytest.raises(ContractError, match=r"bar\.open: ERR_CLOSED .*; at most 500, got 501") as caught:
            await pending.wait()
        assert caught.value.error is BarError.ERR_CLOSED
        with pytest.raises(EncodeError, match="-1 is out of range"):
            await bar.check.aio(-1)
        with pytest.raises(TypeError, match="positional"):
            await bar.check.aio()  # type: ignore[call-arg]
        assert bar.account is not None
        nowhere = Bar(bar.client, bar.account.address).with_async_client(bar.require_async_client())
        for reading in (nowhere.owner.aio, nowhere.differences.aio, lambda: nowhere.tabs.aio(1)):
            with pytest.raises(DeploymentError, match="is not deployed at"):
                await reading()

    run(bar, use)


def test_past_and_future_events(bar: Bar) -> None:
    bar.open_tab(1, 50).send().wait()
    bar.open_tab(2, 50).send().wait()
    height = bar.client.block().height

    async def use(bar: Bar) -> None:
        assert [record.event async for record in bar.events.aio()] == [Opened(id=1), Opened(id=2)]
        assert [record.event async for record in bar.events.aio(since=height)] == [Opened(id=2)]
        with pytest.raises(InvalidValueError, match="since: expected"):
            await anext(bar.events.aio(since="yesterday"))  # type: ignore[arg-type]
        followed = bar.events.aio(since=height, follow=True)
        assert (await anext(followed)).event == Opened(id=2)
        await (await bar.open_tab.aio(3, 50).send()).wait()
        assert (await anext(followed)).event == Opened(id=3)
        await followed.aclose()

    run(bar, use)


def test_events_of_a_fork(chain: Devnet, bar: Bar) -> None:
    async def use(bar: Bar) -> None:
        withdrawn: list[EventRecord] = []
        followed = bar.events.aio(follow=True, on_withdrawn=withdrawn.append)
        before = chain.snapshot()
        pending = await bar.open_tab.aio(1, 50).send()
        await pending.wait()
        first = await anext(followed)
        chain.revert(before)
        await (await bar.open_tab.aio(2, 50).send()).wait()
        assert (await anext(followed)).event == Opened(id=2)
        await (await bar.open_tab.aio(3, 50).send()).wait()
        assert (await anext(followed)).event == Opened(id=3)
        assert [record.txid for record in withdrawn] == [first.txid]
        await followed.aclose()

    run(bar, use)


def test_clients_and_accounts_are_checked(bar: Bar) -> None:
    with pytest.raises(InvalidValueError, match=r"bar has no client for an event loop: use .*with_async_client"):
        asyncio.run(bar.owner.aio())
    with pytest.raises(InvalidValueError, match="no client for an event loop"):
        bar.open_tab.aio(1, 2)
    with pytest.raises(InvalidValueError, match="expected an AsyncClient, got Client"):
        bar.with_async_client(bar.client)  # type: ignore[arg-type]

    async def elsewhere(bar: Bar) -> None:
        with pytest.raises(InvalidValueError, match=r"expected an AsyncClient of http.*, got one of http://other"):
            bar.with_async_client(AsyncClient("http://other.test"))
        assert bar.account is not None
        assert await bar.with_account(bar.account).owner.aio() == bar.deployer
        bound = Bar.at(bar.client, bar.contract_id).with_async_client(bar.require_async_client())
        assert await bound.owner.aio() == bar.deployer

    run(bar, elsewhere)


def test_a_dropped_transaction_frees_its_nonce(bar: Bar, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    async def use(bar: Bar) -> None:
        pending = await bar.open_tab.aio(1, 50).send()
        sent = pending._pending.transaction
        monkeypatch.setattr(sent, "_on_dropped", lambda: seen.append("dropped"))

        async def dropped(*_: Any, **__: Any) -> Any:
            raise TransactionDroppedError("gone", sent.txid, "dropped_stale_garbage_collect")

        monkeypatch.setattr(AsyncPendingTransaction, "wait_any", dropped)
        with pytest.raises(TransactionDroppedError):
            await pending.wait()

    run(bar, use)
    assert seen == ["dropped"]


def test_the_projects_contracts(der: Der) -> None:
    async def use() -> None:
        async with AsyncClient(der.client.url, retries=RetryPolicy(attempts=1)) as node:
            ours = der.with_async_client(node)
            assert ours.account is not None
            pending = await ours.assets.register_asset.aio(
                AssetKind.SOLAR, 6_000, "9xj3ud", "CO", bytes(32), 900
            ).send()
            number = (await pending.wait()).value
            again = ours.with_account(ours.account)
            asset = await again.assets.get_asset.aio(number)
            assert asset is not None
            assert (asset.asset_id, asset.owner) == (number, ours.account.address)
            assert await node.network() == DEVNET

    asyncio.run(use())
