"""Blocks on request and at intervals, with several transactions; chains of pending transactions, and replacement."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from der_client.devnet import Devnet
from der_client.stacks.clarity import PrincipalValue, UIntValue
from der_client.stacks.transactions import ContractCall, ContractPublish, TokenTransfer, Transaction

from .bare_devnet import AMPLE_FEE, PROBE, START, BareDevnet, rejection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from der_client.stacks.clarity import ClarityValue


# 2¹⁹ calls cost more than half of the limit of a block with several transactions.
BUSY_LEVELS = 19


@pytest.fixture(scope="module")
def manual_devnet() -> Iterator[Devnet]:
    with Devnet(deploy_contracts=False, start_time=START, block_interval_s=0) as devnet:
        yield devnet


@pytest.fixture
def manual(manual_devnet: Devnet) -> Iterator[BareDevnet]:
    bare = BareDevnet(manual_devnet)
    with manual_devnet.anchor():
        raw = bare.build(bare.devnet.deployer, ContractPublish("probe", PROBE, 4), fee=20_000)
        assert bare.submit(raw.encode()).ok
        manual_devnet.mine()
        yield bare


def call(
    bare: BareDevnet, number: int, function: str, *arguments: ClarityValue, nonce: int, fee: int = AMPLE_FEE
) -> Transaction:
    payload = ContractCall(bare.probe, function, arguments)
    return bare.build(bare.account(number), payload, nonce=nonce, fee=fee)


def send_all(bare: BareDevnet, transactions: list[Transaction]) -> None:
    for transaction in transactions:
        response = bare.submit(transaction.encode())
        assert response.ok, response.text


def statuses(bare: BareDevnet, transactions: list[Transaction]) -> list[str]:
    return [bare.receipt(transaction.txid)["tx_status"] for transaction in transactions]


def test_nothing_is_mined_until_requested(manual: BareDevnet) -> None:
    chain = [call(manual, 1, "increment", UIntValue(1), nonce=nonce) for nonce in range(3)]
    send_all(manual, list(reversed(chain)))
    assert statuses(manual, chain) == ["pending"] * 3
    assert manual.counter() == 0
    manual.devnet.mine()
    assert statuses(manual, chain) == ["success"] * 3
    receipts = [manual.receipt(transaction.txid) for transaction in chain]
    assert len({receipt["block_height"] for receipt in receipts}) == 1
    assert [receipt["tx_index"] for receipt in receipts] == [0, 1, 2]
    assert [receipt["tx_result"]["repr"] for receipt in receipts] == ["(ok u1)", "(ok u2)", "(ok u3)"]


def test_failures_in_a_block_do_not_affect_others(manual: BareDevnet) -> None:
    pay = (UIntValue(9), PrincipalValue(manual.account(5).address))
    before = {number: manual.balance(manual.account(number).address) for number in (1, 2, 3)}
    transactions = [
        call(manual, 1, "increment", UIntValue(1), nonce=0),
        call(manual, 2, "increment-and-divide", UIntValue(100), nonce=0),
        call(manual, 3, "pay", *pay, nonce=0),  # denied: no post-condition covers it
        call(manual, 1, "increment", UIntValue(10), nonce=1),
        call(manual, 2, "refuse", UIntValue(1000), nonce=1),
        call(manual, 3, "increment-and-divide", UIntValue(100), nonce=1),
        call(manual, 1, "increment", UIntValue(100), nonce=2),
    ]
    send_all(manual, transactions)
    manual.devnet.mine()
    assert statuses(manual, transactions) == [
        "success",
        "abort_by_response",
        "abort_by_post_condition",
        "success",
        "abort_by_response",
        "abort_by_response",
        "success",
    ]
    assert manual.counter() == 111
    heights = {manual.receipt(transaction.txid)["block_height"] for transaction in transactions}
    assert len(heights) == 1
    for number, count in ((1, 3), (2, 2), (3, 2)):
        address = manual.account(number).address
        assert manual.balance(address) == before[number] - count * AMPLE_FEE
        assert manual.nonce(address) == count
        assert manual.read("get-balance", PrincipalValue(address)) == UIntValue(manual.balance(address))
    texts = [manual.receipt(transaction.txid)["vm_error"] or "" for transaction in transactions]
    assert ["DivisionByZero" in text for text in texts] == [False, True, False, False, False, True, False]


def test_expensive_transactions_are_spread_over_several_blocks(manual: BareDevnet) -> None:
    """Each of the calls fits into a block, but both together do not."""
    functions = "".join(
        f"(define-private (f{level}) (+ (f{level - 1}) (f{level - 1})))" for level in range(1, BUSY_LEVELS + 1)
    )
    publisher = manual.account(4)
    source = f"(define-private (f0) u1){functions}(define-public (go) (ok (f{BUSY_LEVELS})))"
    send_all(manual, [manual.build(publisher, ContractPublish("busy", source, 4), nonce=0, fee=20_000)])
    manual.devnet.mine()
    go = ContractCall(f"{publisher.address}.busy", "go", ())
    transactions = [manual.build(manual.account(number), go, nonce=0) for number in (1, 2)]
    send_all(manual, transactions)
    manual.devnet.mine()
    assert statuses(manual, transactions) == ["success", "pending"]
    manual.devnet.mine()
    assert statuses(manual, transactions) == ["success", "success"]
    first, second = (manual.receipt(transaction.txid)["block_height"] for transaction in transactions)
    assert second == first + 1


def test_transaction_whose_fee_is_no_longer_affordable_is_dropped(manual: BareDevnet) -> None:
    """Both were affordable when they were sent, but the first one spends the second one's fee."""
    sender, recipient = manual.account(1), manual.account(2).address
    balance = manual.balance(sender.address)
    transactions = [
        manual.build(sender, TokenTransfer(PrincipalValue(recipient), balance - AMPLE_FEE), nonce=0),
        manual.build(sender, TokenTransfer(PrincipalValue(recipient), 1), nonce=1),
        call(manual, 3, "increment", UIntValue(1), nonce=0),
    ]
    send_all(manual, transactions)
    manual.devnet.mine()
    assert statuses(manual, transactions) == ["success", "dropped_too_expensive", "success"]
    assert manual.balance(sender.address) == 0
    assert manual.nonce(sender.address) == 1


def test_transfer_that_is_no_longer_affordable_fails(manual: BareDevnet) -> None:
    sender, recipient = manual.account(1), manual.account(2).address
    balance = manual.balance(sender.address)
    first = manual.build(sender, TokenTransfer(PrincipalValue(recipient), balance - 3 * AMPLE_FEE), nonce=0)
    second = manual.build(sender, TokenTransfer(PrincipalValue(recipient), 2 * AMPLE_FEE), nonce=1)
    send_all(manual, [first, second])
    manual.devnet.mine()
    assert statuses(manual, [first, second]) == ["success", "abort_by_response"]
    assert manual.receipt(second.txid)["tx_result"]["repr"] == "(err u1)"
    assert manual.balance(sender.address) == AMPLE_FEE


def test_replacement_needs_a_higher_fee(manual: BareDevnet) -> None:
    first = call(manual, 1, "increment", UIntValue(1), nonce=0, fee=1_000)
    same = call(manual, 1, "increment", UIntValue(2), nonce=0, fee=1_000)
    higher = call(manual, 1, "increment", UIntValue(3), nonce=0, fee=1_001)
    send_all(manual, [first])
    assert rejection(manual.submit(same.encode())) == ("ConflictingNonceInMempool", None)
    send_all(manual, [higher])
    assert statuses(manual, [first, higher]) == ["dropped_replace_by_fee", "pending"]
    manual.devnet.mine()
    assert manual.counter() == 3
    assert statuses(manual, [first, higher]) == ["dropped_replace_by_fee", "success"]


def test_chain_that_is_too_long_is_rejected(manual: BareDevnet) -> None:
    chain = [call(manual, 1, "increment", UIntValue(1), nonce=nonce) for nonce in range(27)]
    send_all(manual, chain)
    assert rejection(manual.submit(call(manual, 1, "increment", UIntValue(1), nonce=27).encode()))[0] == (
        "TooMuchChaining"
    )
    manual.devnet.mine()
    assert manual.counter() == 27


def test_transaction_after_a_gap_waits_for_the_missing_nonce(manual: BareDevnet) -> None:
    late = call(manual, 1, "increment", UIntValue(1), nonce=1)
    send_all(manual, [late])
    manual.devnet.mine(3)
    assert statuses(manual, [late]) == ["pending"]
    send_all(manual, [call(manual, 1, "increment", UIntValue(1), nonce=0)])
    manual.devnet.mine()
    assert statuses(manual, [late]) == ["success"]


def test_pending_contract_cannot_be_called(manual: BareDevnet) -> None:
    publish = manual.build(manual.account(1), ContractPublish("late", "(define-public (f) (ok u1))", 4), nonce=0)
    use = manual.build(manual.account(1), ContractCall(f"{manual.account(1).address}.late", "f", ()), nonce=1)
    send_all(manual, [publish])
    assert rejection(manual.submit(use.encode())) == ("NoSuchContract", None)
    manual.devnet.mine()
    send_all(manual, [use])


def test_blocks_are_mined_at_intervals() -> None:
    with Devnet(deploy_contracts=False, start_time=START, block_interval_s=0.2) as devnet:
        bare = BareDevnet(devnet)
        transaction = bare.build(bare.account(1), TokenTransfer(PrincipalValue(bare.account(2).address), 1))
        height = devnet.block_height
        send_all(bare, [transaction])
        deadline = time.monotonic() + 30
        while statuses(bare, [transaction]) == ["pending"]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert statuses(bare, [transaction]) == ["success"]
        while devnet.block_height < height + 3:
            assert time.monotonic() < deadline
            time.sleep(0.02)
