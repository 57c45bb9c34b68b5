"""Calls through the typed clients: simulate, build, sign, send, wait, and the errors of each step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from der_client import ContractError, Der, PrivateKey
from der_client.contracts.asset_verification import (
    AssetError,
    AssetKind,
    AssetRegistered,
    AssetState,
    ContractDeployed,
    Role,
    RoleSet,
)
from der_client.contracts.production_tracking import DayRecord, ProductionError
from der_client.stacks.account import Account
from der_client.stacks.clarity import AsciiValue, TupleValue, encode
from der_client.stacks.contract import Contract, public, read_only
from der_client.stacks.contract.annotations import UInt
from der_client.stacks.contract.events import UnknownEvent, read_event
from der_client.stacks.errors import (
    AddressError,
    DeploymentError,
    EncodeError,
    NodeError,
    NodeResponseError,
    NodeUnreachableError,
    PostConditionAbortedError,
    RuntimeAbortedError,
    SigningError,
    UnexpectedResultError,
)
from der_client.stacks.rpc import Client
from der_client.stacks.transactions import ContractPublish, PostConditionMode
from tests.integration.conftest import REGION, Parties, ReadyPlant, register, start_of

if TYPE_CHECKING:
    from der_client.devnet import Devnet

MAINNET_ADDRESS = "SP1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRCBGD7R"


def test_a_call_step_by_step(devnet: Devnet) -> None:
    wallet = devnet.accounts["wallet_1"]
    der = Der.connect(devnet.url, wallet)
    call = der.assets.register_asset(AssetKind.WIND, 5_000_000, "u4pru", REGION, bytes(32), 3600)
    height = devnet.block_height

    simulated = call.simulate()
    assert simulated.value == 1
    assert devnet.block_height == height
    assert der.assets.get_asset_count() == 0

    unsigned = call.transaction(nonce=0, fee_ustx=900)
    assert unsigned.post_condition_mode is PostConditionMode.DENY
    signed = unsigned.sign(wallet.key)
    pending = call.send(signed)
    assert pending.txid == signed.txid

    receipt = pending.wait()
    assert receipt.value == 1
    assert receipt.txid == signed.txid
    assert receipt.fee_ustx == 900
    assert receipt.transfers == ()
    assert receipt.cost is not None
    assert receipt.cost.write_count == simulated.cost.write_count if simulated.cost else False
    assert receipt.block_height == height + 1
    assert receipt.block_time == der.now()
    (event,) = receipt.events
    assert isinstance(event, AssetRegistered)
    assert (event.asset_id, event.actor, event.kind) == (1, wallet.address, AssetKind.WIND)
    assert simulated.events == receipt.events
    asset = der.assets.get_asset(1)
    assert asset is not None
    assert (asset.owner, asset.state, asset.capacity_w, asset.verified_day) == (
        wallet.address,
        AssetState.PENDING,
        5_000_000,
        None,
    )


def test_sending_the_same_transaction_twice_is_harmless(devnet: Devnet) -> None:
    wallet = devnet.accounts["wallet_1"]
    der = Der.connect(devnet.url, wallet)
    call = der.assets.register_asset(AssetKind.WIND, 1, "u4pru", REGION, bytes(32), 3600)
    signed = call.transaction().sign(wallet.key)
    first, second = call.send(signed), call.send(signed)
    assert first.wait() == second.wait()
    assert der.assets.get_asset_count() == 1


def test_contract_errors_have_the_contracts_names(parties: Parties) -> None:
    call = parties.registrar.assets.verify_asset(99, 1, None)
    with pytest.raises(ContractError, match=r"ERR_ASSET_NOT_FOUND \(u1008\): no asset has this id") as caught:
        call.send().wait()
    error = caught.value
    assert error.error is AssetError.ERR_ASSET_NOT_FOUND
    assert (error.name, error.code) == ("ERR_ASSET_NOT_FOUND", 1008)
    assert error.contract == parties.anyone.assets.contract_id
    assert error.function == "verify-asset"
    assert error.txid in str(error)
    with pytest.raises(ContractError) as simulated:
        call.simulate()
    assert (simulated.value.code, simulated.value.txid) == (1008, "")


def test_errors_of_called_contracts_are_named(parties: Parties) -> None:
    with pytest.raises(ContractError, match="ERR_OFFER_NOT_FOUND"):
        parties.buyer.settlement.accept_and_fund(99, 1, 1, 1, 0).send().wait()


def test_a_batch_returns_a_result_for_each_item(parties: Parties) -> None:
    asset_id = register(parties, None)
    parties.registrar.assets.verify_asset(asset_id, 6000, None).send().wait()
    day = parties.oracle.now().date()
    items = [DayRecord(asset_id=number, day=day, mask=1, wh=1) for number in (99, asset_id)]
    missing, recorded = parties.oracle.production.record_batch(items).send().wait().value
    assert missing.error_code == ProductionError.ERR_ASSET_NOT_FOUND
    assert recorded.is_ok


def test_invalid_arguments_are_rejected_before_signing(der: Der, devnet: Devnet) -> None:
    height = devnet.block_height
    asset, market = der.assets, der.market
    day = der.now().date()
    soon = datetime(2030, 1, 1, tzinfo=UTC)
    with pytest.raises(EncodeError, match=r"create_offer\.wh: -1 is out of range for uint: 0 to"):
        market.create_offer(1, day, -1, 1, 1, soon)
    with pytest.raises(EncodeError, match=r"create_offer\.day: a day is given as a datetime.date"):
        market.create_offer(1, 20000, 1, 1, 1, soon)  # type: ignore[arg-type]
    with pytest.raises(EncodeError, match=r"create_offer\.expires_at: .* has no time zone"):
        market.create_offer(1, day, 1, 1, 1, datetime(2030, 1, 1))  # noqa: DTZ001 - the point of the test
    with pytest.raises(EncodeError, match=r"register_asset\.region: .* has 9 characters, .* at most 8"):
        asset.register_asset(AssetKind.WIND, 1, "u4", "NINECHARS", bytes(32), 900)
    with pytest.raises(EncodeError, match=r"set_role\.role takes one of Role.REGISTRAR"):
        asset.set_role(1, der.deployer, "", True)  # type: ignore[arg-type]
    with pytest.raises(EncodeError, match=r"set_role\.who"):
        asset.set_role(Role.REGISTRAR, "ST1234", "", True)
    with pytest.raises(TypeError, match=r"create_offer\(\) missing 2 required"):
        market.create_offer(1, day, 1, 1)  # type: ignore[call-arg]
    with pytest.raises(EncodeError, match=r"get_assets\.asset_ids has 31 items.*at most 30: split it"):
        asset.get_assets(range(31))
    assert devnet.block_height == height


def test_addresses_of_another_network_are_rejected(der: Der) -> None:
    call = der.assets.set_role(Role.REGISTRAR, MAINNET_ADDRESS, "", True)
    for act in (call.send, call.transaction, call.simulate):
        with pytest.raises(AddressError, match=r"argument of set-role: SP1PQ.* is an address of mainnet, but"):
            act()


def test_reading_needs_no_account_but_signing_does(devnet: Devnet) -> None:
    der = Der.connect(devnet.url)
    assert der.assets.get_contract_owner() == devnet.deployer.address
    with pytest.raises(SigningError, match="without an account"):
        der.assets.set_paused(True).send()


def test_a_transaction_of_another_call_is_not_sent(devnet: Devnet, der: Der) -> None:
    signed = der.assets.set_paused(True).transaction().sign(devnet.deployer.key)
    with pytest.raises(SigningError, match="is not this call"):
        der.assets.set_paused(False).send(signed)


def test_assets_without_post_conditions_cannot_move(parties: Parties, plant: ReadyPlant) -> None:
    """In deny mode, a call without its post-conditions is rolled back."""

    class Careless(Contract, name="settlement"):
        @public
        def accept_and_fund(
            self, offer_id: UInt, wh: UInt, min_wh: UInt, max_price: UInt, max_before: UInt
        ) -> UInt: ...

    offer_id = (
        parties.seller.market.create_offer(plant.asset_id, plant.tomorrow, 1000, 10**6, 1, start_of(plant.tomorrow))
        .send()
        .wait()
        .value
    )
    buyer = parties.buyer.account
    assert buyer is not None
    before = buyer.balance_ustx()
    careless = Careless(parties.buyer.client, parties.buyer.deployer, buyer)
    call = careless.accept_and_fund(offer_id, 1000, 1000, 10**6, 0)
    with pytest.raises(PostConditionAbortedError, match="rolled back") as caught:
        call.send(fee_ustx=700).wait()
    assert caught.value.txid
    assert buyer.balance_ustx() == before - 700
    assert parties.buyer.settlement.get_payment_count() == 0


def test_a_result_of_another_type_is_reported(der: Der) -> None:
    class Other(Contract, name="settlement"):
        @read_only
        def get_surplus(self) -> bool: ...

    with pytest.raises(NodeResponseError, match=r"get-surplus returned u0, which is not of the type bool; is another"):
        Other(der.client, der.deployer).get_surplus()


def test_a_mined_result_of_another_type_is_not_an_error_of_the_node(devnet: Devnet) -> None:
    account = Account(devnet.accounts["wallet_1"].key, Client(devnet.url))
    account.submit(ContractPublish("game", "(define-public (earn) (ok true))", 4)).wait()

    class Game(Contract, name="game"):
        @public
        def earn(self) -> UInt: ...

    pending = Game(account.client, account.address, account).earn().send()
    words = (
        rf"game\.earn was mined and succeeded \(txid {pending.txid}\), but returned true, which is not of the type uint"
    )
    with pytest.raises(UnexpectedResultError, match=words) as caught:
        pending.wait()
    assert caught.value.txid == pending.txid
    assert not isinstance(caught.value, NodeError)


def test_a_simulated_runtime_error_costs_no_fee(devnet: Devnet) -> None:
    account = Account(devnet.accounts["wallet_1"].key, Client(devnet.url))
    account.submit(ContractPublish("game", "(define-public (earn (by uint)) (ok (/ u1 by)))", 4)).wait()

    class Game(Contract, name="game"):
        @public
        def earn(self, by: UInt) -> UInt: ...

    with pytest.raises(RuntimeAbortedError, match=r"game\.earn hit a runtime error and was rolled back: "):
        Game(account.client, account.address, account).earn(0).simulate()


def test_a_contract_that_is_not_deployed_has_no_history(der: Der) -> None:
    class Nowhere(Contract, name="nowhere"):
        pass

    with pytest.raises(DeploymentError, match=r"nowhere is not deployed at"):
        Nowhere(der.client, der.deployer).events()


def test_history_is_typed_and_can_start_anywhere(parties: Parties, devnet: Devnet) -> None:
    assets = parties.contract_owner.assets
    first = list(assets.events())
    assert isinstance(first[0].event, ContractDeployed)
    assert all(not isinstance(record.event, UnknownEvent) for record in first)
    roles = [record.event for record in first if isinstance(record.event, RoleSet)]
    assert {event.role for event in roles} == set(Role)

    devnet.advance(seconds=3600)
    moment = assets.client.block("latest").block_time
    register(parties, None)
    (late,) = assets.events(since=moment)
    assert isinstance(late.event, AssetRegistered)
    assert late.block_height == devnet.block_height
    assert [record.txid for record in assets.events(since=devnet.block_height)] == [late.txid]
    assert list(assets.events(since=moment + timedelta(days=1))) == []


def test_events_with_unknown_topics_are_returned_unchanged() -> None:
    value = TupleValue({"topic": AsciiValue("from-the-future")})
    assert read_event(encode(value), ()) == UnknownEvent(value, "no event of this contract is declared")


def test_long_lists_are_read_page_by_page(parties: Parties) -> None:
    for number in range(33):
        register(parties, None, capacity_w=number + 1)
    listed = parties.seller.list_assets()
    assert [asset.capacity_w for asset in listed.values()] == list(range(1, 34))
    assert list(listed) == list(range(1, 34))
    assert parties.seller.list_offers() == {}
    assert parties.seller.list_payments() == {}


def test_an_unreachable_node_is_a_typed_error() -> None:
    with pytest.raises(NodeUnreachableError, match=r"is the node running.*\[http://127.0.0.1:9"):
        Der.connect("http://127.0.0.1:9", PrivateKey.generate())


def test_invalid_deployers_are_rejected(devnet: Devnet) -> None:
    with pytest.raises(AddressError):
        Der.connect(devnet.url, deployer="ST123")
    with pytest.raises(AddressError, match="not the contract"):
        Der.connect(devnet.url, deployer=f"{devnet.deployer.address}.settlement")


def test_nothing_secret_is_shown(devnet: Devnet) -> None:
    wallet = devnet.accounts["wallet_1"]
    der = Der.connect(devnet.url, wallet)
    secret = wallet.key.to_hex()[:64]
    call = der.assets.set_paused(True)
    for shown in (der, der.account, der.assets, call, call.transaction(), wallet, wallet.key, devnet):
        assert secret not in f"{shown!r} {shown}"
