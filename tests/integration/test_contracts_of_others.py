"""Third-party contracts with other conventions: error names, events, storage, and one interface for many contracts."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import pytest

from der_client.stacks.clarity import AsciiType, BufferType
from der_client.stacks.contract import (
    Contract,
    ErrorCode,
    Event,
    Int,
    Model,
    Principal,
    UInt,
    UnknownEvent,
    constant,
    data_map,
    data_var,
    public,
    read_only,
)
from der_client.stacks.errors import (
    AddressError,
    CallReadError,
    ContractError,
    DeploymentError,
    InvalidValueError,
    NotFoundError,
    PostConditionAbortedError,
    UnknownEventError,
)
from der_client.stacks.transactions import (
    ORIGIN,
    ContractPublish,
    FtPostCondition,
    FungibleCode,
    NftPostCondition,
    NonFungibleCode,
    PostConditionMode,
    StxPostCondition,
)

if TYPE_CHECKING:
    from der_client import Account, Der

CODE = """
(define-constant ERR_AMOUNT (err u3))
(define-constant err-unauthorised (err u101))
(define-constant ERR_TRANSFER_INDEX_PREFIX u1000)
(define-constant MAX-FEE u500)
(define-fungible-token coin)
(define-non-fungible-token deed uint)
(define-data-var fee-bps uint u25)
(define-data-var owner principal tx-sender)
(define-map rows uint {owner: principal, note: (string-ascii 10)})
(define-map rights {who: principal, what: uint} bool)
(map-set rows u1 {owner: tx-sender, note: "first"})
(map-set rights {who: tx-sender, what: u2} true)
(define-read-only (get-supply) (ok (ft-get-supply coin)))
(define-public (fail-with (code uint)) (if (is-eq code u0) (ok true) (err code)))
(define-public (mint (amount uint)) (begin (try! (nft-mint? deed amount tx-sender)) (ft-mint? coin amount tx-sender)))
(define-public (give (amount uint) (to principal))
  (begin
    (try! (stx-transfer? amount tx-sender to))
    (try! (stx-transfer? u1 tx-sender to))
    (try! (ft-transfer? coin amount tx-sender to))
    (try! (nft-transfer? deed amount tx-sender to))
    (print {event: "given", amount: amount})
    (print amount)
    (ok true)))
(define-public (say (what (string-ascii 10))) (ok (print {event: what, amount: "none"})))
"""


class ShopError(ErrorCode):
    ERR_AMOUNT = 3, "the amount is wrong"
    ERR_UNAUTHORISED = 101, "only the owner may do this"


class Given(Event, where={"event": "given"}):
    amount: UInt


class Amount(Event, whole=True):
    amount: UInt


class Row(Model):
    owner: Principal
    note: Annotated[str, AsciiType(10)]


class Right(Model):
    who: Principal
    what: UInt


class Supplied(Contract):
    """An interface of contracts with a supply."""

    @read_only
    def get_supply(self) -> UInt: ...


class Shop(Supplied, name="shop", errors=ShopError, events=(Given, Amount)):
    @public
    def fail_with(self, code: UInt) -> bool: ...

    @public
    def mint(self, amount: UInt) -> bool: ...

    @public
    def give(self, amount: UInt, to: Principal) -> bool: ...

    @public
    def say(self, what: Annotated[str, AsciiType(10)]) -> Annotated[bytes, BufferType(1)]: ...

    @data_var
    def fee_bps(self) -> UInt: ...

    @constant(name="MAX-FEE")
    def max_fee(self) -> UInt: ...

    @data_map
    def rows(self, row_id: UInt) -> Row | None: ...

    @data_map
    def rights(self, right: Right) -> bool | None: ...


@pytest.fixture
def account(der: Der) -> Account:
    account = der.account
    assert account is not None
    return account


@pytest.fixture
def shop(account: Account) -> Shop:
    account.submit(ContractPublish("shop", CODE, 4)).wait()
    return Shop(account.client, account.address, account)


def test_error_codes_are_reported_unchanged(shop: Shop) -> None:
    for code, name in ((3, "ERR_AMOUNT"), (101, "ERR_UNAUTHORISED"), (3000, None), (3_000_000, None), (101_001, None)):
        with pytest.raises(ContractError) as caught:
            shop.fail_with(code).simulate()
        assert (caught.value.code, caught.value.name) == (code, name)
        assert "item" not in str(caught.value)


def test_an_interface_can_be_bound_to_any_contract(shop: Shop, account: Account) -> None:
    shop.mint(5).send().wait()
    supplied = Supplied.at(account.client, shop.contract_id)
    assert supplied.get_supply() == 5
    assert (supplied.name, supplied.account) == ("shop", None)
    assert Shop.at(account.client, shop.contract_id, account).fail_with(0).send().wait().value is True
    assert supplied.with_account(account).require_account() is account
    with pytest.raises(TypeError, match=r"Supplied is an interface without a name: .* Supplied\.at\(client, \"ADDRESS"):
        Supplied(account.client, account.address)
    with pytest.raises(AddressError, match=r"is an address; a contract is given as ADDRESS\.name"):
        Supplied.at(account.client, account.address)
    with pytest.raises(AddressError, match=r"deployer takes an address, not the contract .*, which Shop\.at"):
        Shop(account.client, shop.contract_id)


def test_storage_is_read_as_typed_values(shop: Shop, account: Account) -> None:
    assert shop.fee_bps() == 25
    assert shop.max_fee() == 500
    assert shop.rows(1) == Row(owner=account.address, note="first")
    assert shop.rows(2) is None
    assert shop.rights(Right(who=account.address, what=2)) is True
    assert shop.rights(Right(who=account.address, what=3)) is None


def test_missing_contracts_and_failing_reads_have_different_errors(shop: Shop, account: Account) -> None:
    elsewhere = Shop.at(account.client, f"{account.address}.nowhere")
    for read in (elsewhere.get_supply, elsewhere.fee_bps, elsewhere.max_fee, lambda: elsewhere.rows(1)):
        with pytest.raises(DeploymentError, match=r"\.nowhere is not deployed at http.*check the address"):
            read()
    other = Supplied.at(account.client, "SM3VDXK3WZZSA84XXFKAFAF15NNZX32CTSG82JFQ4.sbtc-token")
    with pytest.raises(DeploymentError, match=r"sbtc-token is not deployed at .*mainnet"):
        other.get_supply()

    class Wrong(Contract, name="shop"):
        @read_only
        def get_nothing(self) -> UInt: ...

        @data_var
        def nothing(self) -> UInt: ...

    wrong = Wrong(account.client, account.address)
    with pytest.raises(CallReadError):
        wrong.get_nothing()
    with pytest.raises(NotFoundError):
        wrong.nothing()


def test_the_class_is_compared_with_the_deployed_contract(shop: Shop) -> None:
    (difference,) = shop.differences()
    assert difference.startswith("say returns (buff 1), but is deployed with (response {amount: (string-ascii 4)")


def test_post_conditions_are_derived_from_moved_assets(shop: Shop, account: Account, der: Der) -> None:
    shop.mint(7).send().wait()
    to = "ST2CY5V39NHDPWSXMW9QDT3HC3GD6Q6XX4CFRK9AG"
    call = shop.give(7, to)
    with pytest.raises(PostConditionAbortedError):
        call.send().wait()
    tight = call.tighten()
    coin, deed = f"{shop.contract_id}::coin", f"{shop.contract_id}::deed"
    assert tight.post_conditions[:2] == (
        StxPostCondition(ORIGIN, FungibleCode.EQUAL, 8),
        FtPostCondition(ORIGIN, coin, FungibleCode.EQUAL, 7),
    )
    (item,) = tight.post_conditions[2:]
    assert isinstance(item, NftPostCondition)
    assert (item.asset, item.code, str(item.value)) == (deed, NonFungibleCode.SENT, "u7")
    receipt = tight.send().wait()
    assert [type(event).__name__ for event in receipt.moved] == [
        "StxEvent",
        "StxEvent",
        "FungibleTokenEvent",
        "NonFungibleTokenEvent",
    ]
    assert receipt.events == (Given(amount=7), Amount(amount=7))


def test_mode_and_post_conditions_can_be_given(shop: Shop) -> None:
    shop.mint(3).send().wait()
    call = shop.give(3, "ST2CY5V39NHDPWSXMW9QDT3HC3GD6Q6XX4CFRK9AG")
    enough = [StxPostCondition(ORIGIN, FungibleCode.LESS_EQUAL, 4)]
    with pytest.raises(PostConditionAbortedError):
        call.send(post_conditions=enough).wait()
    transaction = call.transaction(post_conditions=enough, mode=PostConditionMode.ALLOW)
    assert (list(transaction.post_conditions), transaction.post_condition_mode) == (enough, PostConditionMode.ALLOW)
    assert call.send(post_conditions=enough, mode=PostConditionMode.ALLOW).wait().value is True


def test_undeclared_events_have_a_reason_or_are_errors(shop: Shop, account: Account) -> None:
    class Talk(Contract, name="shop", events=(Given,), strict_events=True):
        @public
        def give(self, amount: UInt, to: Principal) -> bool: ...

    shop.mint(1).send().wait()
    talk = Talk(account.client, account.address, account)
    to = "ST2CY5V39NHDPWSXMW9QDT3HC3GD6Q6XX4CFRK9AG"
    with pytest.raises(UnknownEventError, match="shop printed u1: no declared event is printed"):
        talk.give(1, to).simulate(mode=PostConditionMode.ALLOW)
    loose = Talk.at(account.client, shop.contract_id, account, strict_events=False)
    events = loose.give(1, to).send(mode=PostConditionMode.ALLOW).wait().events
    assert isinstance(events[1], UnknownEvent)
    assert events[1].reason == "no declared event is printed as a value of this type"
    with pytest.raises(UnknownEventError):
        list(talk.events())
    assert [type(record.event).__name__ for record in loose.events()] == ["Given", "UnknownEvent"]


NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 - the point of the test


@pytest.mark.parametrize("since", ["2026-01-01", 1.5, True, -1, date(2026, 1, 1), timedelta(days=1), NAIVE])
def test_invalid_starts_of_the_history_are_rejected(shop: Shop, since: object) -> None:
    with pytest.raises(InvalidValueError, match="since: "):
        shop.events(since=since)  # type: ignore[arg-type]


CALLER = """
(define-public (relay (code uint)) (contract-call? .shop fail-with code))
"""


class Relay(Contract, name="relay"):
    @public
    def relay(self, code: UInt) -> bool: ...


def test_errors_of_called_contracts_are_named_if_declared(shop: Shop, account: Account) -> None:
    account.submit(ContractPublish("relay", CALLER, 4)).wait()
    relay = Relay(account.client, account.address, account)
    with pytest.raises(ContractError) as unnamed:
        relay.relay(3).simulate()
    assert unnamed.value.name is None
    with pytest.raises(ContractError, match="ERR_AMOUNT") as named:
        relay.with_callees(shop).relay(3).simulate()
    assert named.value.error is ShopError.ERR_AMOUNT


OLD = """
(define-constant ERR_TOO_LATE 24)
(define-public (stack (days int)) (if (> days 0) (ok true) (err (if (is-eq days 0) ERR_TOO_LATE days))))
"""


class OldError(ErrorCode):
    ERR_TOO_LATE = 24, "the cycle has begun"


class Old(Contract, name="old", errors=OldError):
    @public
    def stack(self, days: Int) -> bool: ...


def test_codes_of_old_contracts_are_signed_numbers(account: Account) -> None:
    account.submit(ContractPublish("old", OLD, 2)).wait()
    old = Old(account.client, account.address, account)
    assert old.differences() == ()
    with pytest.raises(ContractError, match=r"old\.stack: ERR_TOO_LATE \(24\): the cycle has begun") as named:
        old.stack(0).simulate()
    assert named.value.error is OldError.ERR_TOO_LATE
    with pytest.raises(ContractError, match=r"old\.stack: -5$") as unnamed:
        old.stack(-5).simulate()
    assert (unnamed.value.code, unnamed.value.name) == (-5, None)
