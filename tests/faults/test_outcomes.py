"""Outcomes of transactions on the devnet, whose messages are those of a node; and waiting despite faults."""

from __future__ import annotations

import pytest

from der_client.devnet import Devnet
from der_client.stacks.account import Account
from der_client.stacks.clarity import UIntValue
from der_client.stacks.contract import Contract, public
from der_client.stacks.contract.annotations import UInt
from der_client.stacks.errors import (
    AnalysisFailedError,
    ConfirmationTimeoutError,
    InvalidValueError,
    PostConditionAbortedError,
    RuntimeAbortedError,
    TransactionFailedError,
)
from der_client.stacks.rpc import Block, Client, Endpoint, api
from der_client.stacks.transactions import ORIGIN, ContractCall, ContractPublish, FungibleCode, StxPostCondition

from . import kinds
from .proxy import FaultProxy

SOURCE = """
(define-public (refuse) (if true (err none) (if true (err (some u1)) (ok u1))))
(define-public (break) (ok (unwrap-panic (if true none (some 1)))))
(define-public (pay (ustx uint)) (stx-transfer? ustx tx-sender 'ST000000000000000000002AMW42H))
"""


class Odd(Contract, name="odd"):
    """The same contract with typed functions."""

    @public
    def refuse(self) -> UInt: ...

    @public(name="break")
    def break_(self) -> UInt: ...

    @public
    def pay(self, ustx: UInt) -> bool: ...


TX = r"/extended/v1/tx/.*|/extended/v3/transactions/.*"


@pytest.fixture
def contract_id(chain: Devnet) -> str:
    deployer = Account(chain.deployer.key, Client(chain.url))
    deployer.submit(ContractPublish("odd", SOURCE, 3), fee_ustx=10_000)
    chain.mine()
    return f"{deployer.address}.odd"


def call(account: Account, chain: Devnet, contract_id: str, function: str, ustx: int | None = None) -> None:
    conditions = () if ustx is None else (StxPostCondition(ORIGIN, FungibleCode.EQUAL, 4),)
    arguments = () if ustx is None else (UIntValue(ustx),)
    payload = ContractCall(contract_id, function, arguments)
    pending = account.submit(payload, post_conditions=conditions, fee_ustx=10_000)
    chain.mine()
    pending.wait(5)


def test_an_error_response_is_a_failed_transaction(chain: Devnet, account: Account, contract_id: str) -> None:
    with pytest.raises(TransactionFailedError, match=r"odd\.refuse\) returned \(err none\)") as caught:
        call(account, chain, contract_id, "refuse")
    assert type(caught.value) is TransactionFailedError


def test_a_runtime_error_is_reported_as_an_abort(chain: Devnet, account: Account, contract_id: str) -> None:
    with pytest.raises(RuntimeAbortedError, match="UnwrapFailure"):
        call(account, chain, contract_id, "break")


def test_an_unmet_post_condition_is_reported(chain: Devnet, account: Account, contract_id: str) -> None:
    with pytest.raises(PostConditionAbortedError, match=f"STX owned by {account.address}: 4 SentEq 5") as caught:
        call(account, chain, contract_id, "pay", 5)
    unmet = caught.value.unmet
    assert unmet is not None
    assert (unmet.asset, unmet.owner, unmet.expected, unmet.moved) == ("STX", account.address, 4, 5)


def test_an_asset_without_a_post_condition_is_reported(chain: Devnet, account: Account, contract_id: str) -> None:
    payload = ContractCall(contract_id, "pay", (UIntValue(5),))
    pending = account.submit(payload, fee_ustx=10_000)
    chain.mine()
    words = f"Fungible asset STX was moved by {account.address} but not checked; if .*post_conditions=…"
    with pytest.raises(PostConditionAbortedError, match=words) as caught:
        pending.wait(5)
    assert caught.value.unmet is not None
    assert caught.value.unmet.is_uncovered


@pytest.mark.parametrize(
    ("function", "arguments"), [("refuse", ()), ("break_", ()), ("pay", (5,)), ("pay", (1 << 100,))]
)
def test_typed_and_untyped_calls_report_the_same_error(
    chain: Devnet, account: Account, contract_id: str, function: str, arguments: tuple[int, ...]
) -> None:
    odd = Odd(account.client, contract_id.partition(".")[0], account)
    pending = getattr(odd, function)(*arguments).send(fee_ustx=10_000)
    chain.mine()
    errors = []
    for wait in (pending.wait, account.pending(pending.txid).wait):
        with pytest.raises(TransactionFailedError) as caught:
            wait(5)
        errors.append(caught.value)
    typed, plain = errors
    assert (typed.txid, typed.result, getattr(typed, "sentence", "")) == (
        plain.txid,
        plain.result,
        getattr(plain, "sentence", ""),
    )
    assert isinstance(typed, type(plain))


@pytest.mark.parametrize("source", ["(define-public (f) (ok (foo)))", "(define-public (f) (ok u1)"])
def test_a_failed_analysis_is_reported_as_such(chain: Devnet, account: Account, source: str) -> None:
    pending = account.submit(ContractPublish("bad", source, 3), fee_ustx=10_000)
    chain.mine()
    with pytest.raises(AnalysisFailedError, match="no contract was published"):
        pending.wait(5)


def test_a_runtime_error_in_a_publication_is_reported(chain: Devnet, account: Account) -> None:
    pending = account.submit(ContractPublish("bad", "(print (/ 1 0))", 3), fee_ustx=10_000)
    chain.mine()
    with pytest.raises(RuntimeAbortedError, match="DivisionByZero"):
        pending.wait(5)


def test_waiting_obeys_retry_after(chain: Devnet, proxy: FaultProxy, account: Account, payee: str) -> None:
    pending = account.transfer(payee, 1)
    chain.mine()
    proxy.always("GET", TX, kinds.busy(429, "3600"))
    before = len(proxy.asked("GET", TX))
    with pytest.raises(ConfirmationTimeoutError, match="HTTP 429"):
        pending.wait(0.3)
    assert len(proxy.asked("GET", TX)) == before + 1
    proxy.clear()
    proxy.on("GET", TX, kinds.busy(429, "1"))
    assert pending.wait(30).txid == pending.txid
    faults = [entry.fault for entry in proxy.asked("GET", TX)[before + 1 :]]
    assert faults in (["says", "pass_on"], ["says", "pass_on", "pass_on"])  # a separate request may read its events


def test_waiting_for_confirmations(chain: Devnet, account: Account, payee: str) -> None:
    pending = account.transfer(payee, 1)
    chain.mine()
    assert pending.wait(5, confirmations=1).block_height == chain.block_height
    with pytest.raises(ConfirmationTimeoutError, match=r"not confirmed by 3 blocks .* 1 of 3 confirmations"):
        pending.wait(0.1, confirmations=3)
    chain.mine()
    with pytest.raises(ConfirmationTimeoutError, match="2 of 3 confirmations"):
        pending.wait(0.1, confirmations=3)
    chain.mine()
    assert pending.wait(5, confirmations=3).txid == pending.txid


def test_confirmations_start_over_after_a_fork(
    chain: Devnet, account: Account, payee: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending = account.transfer(payee, 1)
    snapshot = chain.snapshot()
    chain.mine(3)
    block = api.block

    def fork(height_or_hash: int | str = "latest") -> Endpoint[Block]:
        """Let another fork become longer just before the tip is read; the transaction is in its mempool."""
        monkeypatch.setattr(api, "block", block)
        chain.revert(snapshot)
        chain.mine(4)
        return block(height_or_hash)

    monkeypatch.setattr(api, "block", fork)
    receipt = pending.wait(5, confirmations=4)
    assert receipt.block_height == chain.block_height - 3


@pytest.mark.parametrize("number", [0, -1, True, 1.5])
def test_invalid_numbers_of_confirmations_are_rejected(account: Account, number: int) -> None:
    with pytest.raises(InvalidValueError, match=r"for confirmations: at least 1|confirmations: expected a whole"):
        account.pending("ab" * 32).wait(confirmations=number)
