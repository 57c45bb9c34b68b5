"""Account and client against the embedded devnet, which shares no code with them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from der_client.stacks.account import Account, FeePolicy, PendingTransaction
from der_client.stacks.clarity import OkValue, PrincipalValue, TupleValue, UIntValue
from der_client.stacks.errors import (
    CallReadError,
    NotFoundError,
    PostConditionAbortedError,
    RuntimeAbortedError,
    TransactionFailedError,
    TransactionRejectedError,
)
from der_client.stacks.keys import PrivateKey
from der_client.stacks.network import DEVNET
from der_client.stacks.rpc import Client, ContractLogEvent, StxEvent
from der_client.stacks.transactions import (
    ContractCall,
    ContractPublish,
    FungibleCode,
    PostConditionMode,
    StxPostCondition,
    TokenTransfer,
    Transaction,
)

if TYPE_CHECKING:
    from der_client.devnet import Devnet

SOURCE = """\
(define-constant PRICE u250)
(define-constant ERR_NO u404)
(define-data-var count uint u0)
(define-map seen { who: principal } uint)

(define-public (count! (by uint))
  (begin
    (var-set count (+ (var-get count) by))
    (map-set seen { who: tx-sender } by)
    (print { topic: "counted", by: by })
    (ok (var-get count))))

(define-public (pay (amount uint) (to principal))
  (stx-transfer? amount tx-sender to))

(define-public (refuse) (err ERR_NO))
(define-public (divide (by uint)) (ok (/ u1 by)))
(define-read-only (get-count) (var-get count))
"""


@pytest.fixture
def client(devnet: Devnet) -> Client:
    return Client(devnet.url)


@pytest.fixture
def account(devnet: Devnet, client: Client) -> Account:
    return Account(devnet.accounts["wallet_1"].key, client)


@pytest.fixture
def other(devnet: Devnet) -> str:
    return devnet.accounts["wallet_2"].address


@pytest.fixture
def counter(account: Account) -> str:
    account.submit(ContractPublish("counter", SOURCE, 4)).wait()
    return f"{account.address}.counter"


def test_transfer(account: Account, client: Client, other: str) -> None:
    mine, theirs = account.balance_ustx(), client.account(other).balance_ustx
    receipt = account.transfer(other, 1_000, "for lunch").wait()
    assert receipt.sender == account.address
    assert account.balance_ustx() == mine - 1_000 - receipt.fee_ustx
    assert client.account(other).balance_ustx == theirs + 1_000
    (event,) = receipt.events
    assert isinstance(event, StxEvent)
    assert (event.action, event.sender, event.recipient, event.amount_ustx) == (
        "transfer",
        account.address,
        other,
        1_000,
    )
    assert event.memo == b"for lunch"
    assert receipt.block_height == client.block("latest").height
    assert receipt.block_time == client.block(receipt.block_height).block_time
    assert client.block(receipt.block_hash).height == receipt.block_height


def test_contract(account: Account, client: Client, counter: str) -> None:
    receipt = account.submit(ContractCall(counter, "count!", (UIntValue(3),))).wait()
    assert receipt.result == OkValue(UIntValue(3))
    assert receipt.cost is not None
    assert receipt.cost.runtime > 0
    (event,) = receipt.events
    assert isinstance(event, ContractLogEvent)
    assert str(event.value) == '(tuple (by u3) (topic "counted"))'
    assert client.contract_source(counter).source == SOURCE
    assert client.call_read(counter, "get-count") == UIntValue(3)
    assert client.data_var(counter, "count") == UIntValue(3)
    assert client.constant_val(counter, "PRICE") == UIntValue(250)
    key = TupleValue({"who": PrincipalValue(account.address)})
    assert client.map_entry(counter, "seen", key) == UIntValue(3)
    assert client.map_entry(counter, "seen", TupleValue({"who": PrincipalValue(counter)})) is None
    interface = client.contract_interface(counter)
    assert [argument.name for argument in interface.functions["pay"].arguments] == ["amount", "to"]
    assert interface.functions["get-count"].access == "read_only"


def test_logs(account: Account, client: Client, counter: str) -> None:
    for number in range(1, 8):
        account.submit(ContractCall(counter, "count!", (UIntValue(number),))).wait()
    events = list(client.iter_contract_logs(counter, per_page=3))
    assert [str(event.value) for event in events] == [f'(tuple (by u{n}) (topic "counted"))' for n in range(7, 0, -1)]
    assert len({(event.txid, event.event_index) for event in events}) == 7
    assert all(event.block_time is not None for event in events)


def test_unknown_things(client: Client, account: Account, counter: str) -> None:
    assert client.transaction("00" * 32) is None
    with pytest.raises(NotFoundError):
        client.contract_source(f"{account.address}.nothing")
    with pytest.raises(NotFoundError):
        client.contract_interface(f"{account.address}.nothing")
    with pytest.raises(NotFoundError):
        client.data_var(counter, "nothing")
    with pytest.raises(NotFoundError):
        client.block(10_000_000)
    with pytest.raises(CallReadError):
        client.call_read(counter, "nothing")
    stranger = PrivateKey.generate().address(DEVNET)
    assert (client.account(stranger).balance_ustx, client.nonces(stranger).possible_next) == (0, 0)
    assert client.balances(stranger).stx_ustx == 0


def test_failed_transactions_raise_errors(account: Account, counter: str, other: str) -> None:
    with pytest.raises(TransactionFailedError, match="u404") as refused:
        account.submit(ContractCall(counter, "refuse")).wait()
    assert type(refused.value) is TransactionFailedError
    with pytest.raises(RuntimeAbortedError, match=rf"DivisionByZero in {counter}\.divide, line \d+, column \d+: \(/ "):
        account.submit(ContractCall(counter, "divide", (UIntValue(0),))).wait()
    pay = ContractCall(counter, "pay", (UIntValue(5), PrincipalValue(other)))
    before = account.balance_ustx()
    pending = account.submit(pay)
    with pytest.raises(PostConditionAbortedError):
        pending.wait()
    receipt = pending.wait_any()
    assert account.balance_ustx() == before - receipt.fee_ustx
    condition = StxPostCondition(account.address, FungibleCode.EQUAL, 5)
    assert account.submit(pay, post_conditions=[condition]).wait().result == OkValue(receipt.result.value)
    assert account.submit(pay, mode=PostConditionMode.ALLOW).wait().status == "success"


def test_rejected_transactions_raise_errors_and_use_no_nonce(
    devnet: Devnet, account: Account, client: Client, counter: str, other: str
) -> None:
    poor = Account(PrivateKey.generate(), client)
    with pytest.raises(TransactionRejectedError, match="fund the account") as caught:
        poor.transfer(other, 1)
    assert caught.value.reason == "NotEnoughFunds"
    with pytest.raises(TransactionRejectedError, match="no public function"):
        account.submit(ContractCall(counter, "nothing"))
    with pytest.raises(TransactionRejectedError, match="do not fit"):
        account.submit(ContractCall(counter, "count!", ()))
    with pytest.raises(TransactionRejectedError, match="not on this network"):
        account.submit(ContractCall(f"{account.address}.nothing", "f"))
    with pytest.raises(TransactionRejectedError, match="already exists"):
        account.submit(ContractPublish("counter", SOURCE, 4))
    with pytest.raises(TransactionRejectedError, match="is at") as caught:
        account.submit(TokenTransfer(PrincipalValue(other), 1), nonce=0)
    assert caught.value.reason == "BadNonce"
    # The rejected transactions have used no nonce.
    assert account.transfer(other, 1).wait().nonce == account.next_nonce() - 1


def test_transfers_from_many_threads_use_consecutive_nonces(account: Account, other: str) -> None:
    pending: list[PendingTransaction] = []
    first = account.next_nonce()

    def send(count: int) -> None:
        pending.extend(account.transfer(other, 1) for _ in range(count))

    threads = [threading.Thread(target=send, args=(5,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    nonces = sorted(each.wait().nonce for each in pending)
    assert nonces == list(range(first, first + 20))


def test_sending_the_same_bytes_twice_pays_once(account: Account, client: Client, other: str) -> None:
    before = client.account(other).balance_ustx
    signed = account.sign(account.build(TokenTransfer(PrincipalValue(other), 7)))
    assert account.send(signed).wait().txid == signed.txid
    assert client.send(signed.encode()) == signed.txid
    assert client.account(other).balance_ustx == before + 7


def test_nonces_after_a_revert(devnet: Devnet, account: Account, other: str) -> None:
    account.transfer(other, 1).wait()
    with devnet.anchor():
        account.transfer(other, 1).wait()
        nonce = account.next_nonce()
    assert account.next_nonce() == nonce - 1
    assert account.transfer(other, 1).wait().nonce == nonce - 1


def test_fees(account: Account, client: Client, other: str) -> None:
    transaction = account.build(TokenTransfer(PrincipalValue(other), 1))
    estimate = client.estimate_fee(transaction.payload.encode(), transaction.estimated_length)
    assert estimate is not None
    assert transaction.fee == max(estimate.middle_ustx, transaction.estimated_length)
    cheap = Account(PrivateKey.generate(), client, fee_policy=FeePolicy(asks_node=False))
    assert cheap.build(TokenTransfer(PrincipalValue(other), 1)).fee == transaction.estimated_length
    assert client.transfer_fee_rate() >= 1


def test_sponsored_transaction(account: Account, client: Client, other: str) -> None:
    origin = PrivateKey.generate()
    address = origin.address(DEVNET)
    account.transfer(address, 10).wait()
    before = account.balance_ustx()
    unsigned = Transaction.build(
        TokenTransfer(PrincipalValue(other), 10),
        public_key=origin.public_key,
        network=DEVNET,
        nonce=0,
        fee=0,
        sponsored=True,
    )
    receipt = account.sponsor(unsigned.sign(origin)).wait()
    assert (receipt.sender, receipt.sponsor) == (address, account.address)
    assert client.account(address).balance_ustx == 0
    assert account.balance_ustx() == before - receipt.fee_ustx


def test_simulation(account: Account, client: Client, counter: str) -> None:
    call = ContractCall(counter, "count!", (UIntValue(3),))
    simulation = client.simulate(account.sign(account.build(call)).encode())
    assert simulation.result == OkValue(UIntValue(3))
    assert len(simulation.events) == 1
    again = client.simulate_call(counter, "count!", [UIntValue(4)], sender=account.address)
    assert again.result == OkValue(UIntValue(4))
    assert client.call_read(counter, "get-count") == UIntValue(0)


def test_node_info_and_network(client: Client) -> None:
    assert client.network is DEVNET
    assert client.checked_network() is DEVNET
    assert client.info().network_id == DEVNET.chain_id
    assert client.health().difference_from_max_peer == 0
    assert client.pox().current_cycle.stacked_ustx == 0
    page = client.blocks(limit=1)
    assert page.blocks[0] == client.block()
    assert page.total >= 1
