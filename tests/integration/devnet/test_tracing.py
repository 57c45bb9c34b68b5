"""Traces of transactions, coverage and costs of contracts, and impersonation of any account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from der_client import Der, Devnet
from der_client.contracts.asset_verification import Role
from der_client.devnet import DevnetError
from der_client.stacks.account import Account
from der_client.stacks.clarity import PrincipalValue, UIntValue
from der_client.stacks.errors import ContractError, DerClientError, NotFoundError, TraceUnavailableError
from der_client.stacks.rpc import Client
from der_client.stacks.transactions import ContractCall, ContractPublish, TokenTransfer

from .bare_devnet import START

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = """(define-data-var total uint u0)
(define-private (add (n uint))
  (begin
    (var-set total (+ (var-get total) n))
    (var-get total)))
(define-public (g (n uint))
  (begin
    (print n)
    (add n)
    (asserts! (< n u10) (err u7))
    (if (> n u5)
      (ok (add u1))
      (ok (unwrap-panic (element-at? (list u1 u2) n))))))
(define-read-only (read)
  (var-get total))
(define-read-only (never)
  (var-get total))
"""
CALLS = {"one": 1, "twice": 6, "refused": 12, "broken": 4}


@pytest.fixture(scope="module")
def devnet() -> Iterator[Devnet]:
    with Devnet(deploy_contracts=False, start_time=START, coverage=True) as devnet:
        yield devnet


@pytest.fixture(scope="module")
def sent(devnet: Devnet) -> dict[str, str]:
    """The txids of one call of each kind; before each one, time passes and another call is made and reverted."""
    account = Account(devnet.accounts["wallet_1"].key, Client(devnet.url))
    account.submit(ContractPublish("c", SOURCE, 4)).wait()
    txids = {}
    for name, number in CALLS.items():
        devnet.advance(seconds=1_500)
        with devnet.anchor():
            account.submit(ContractCall(f"{account.address}.c", "g", (UIntValue(0),))).wait()
        pending = account.submit(ContractCall(f"{account.address}.c", "g", (UIntValue(number),)))
        pending.wait_any()
        txids[name] = pending.txid
    account.client.call_read(f"{account.address}.c", "read", (), sender=account.address)
    return txids


def contract(devnet: Devnet) -> str:
    return f"{devnet.accounts['wallet_1'].address}.c"


def test_trace_has_positions_arguments_results_and_costs(devnet: Devnet, sent: dict[str, str]) -> None:
    trace = devnet.trace(sent["twice"])
    assert (trace.txid, trace.status, trace.vm_error, trace.is_truncated) == (sent["twice"], "success", None, False)
    root = trace.call
    assert root is not None
    assert (root.contract_id, root.function, root.arguments, root.result) == (contract(devnet), "g", "u6", "(ok u8)")
    assert root.events == ("print event: u6",)
    assert [(call.function, call.line, call.column, call.arguments, call.result) for call in root.calls] == [
        ("add", 9, 5, "u6", "u7"),
        ("add", 12, 11, "u1", "u8"),
    ]
    costs = [call.runtime for call in root.calls]
    assert all(cost is not None and cost > 0 for cost in costs)
    assert root.runtime is not None
    assert root.runtime > sum(cost or 0 for cost in costs)
    assert "c.add(u1)  c:12:11  runtime" in str(trace)


@pytest.mark.parametrize(("name", "result"), [("refused", "(err u7)"), ("broken", None)])
def test_failed_call_is_traced_up_to_the_failure(
    devnet: Devnet, sent: dict[str, str], name: str, result: str | None
) -> None:
    trace = devnet.trace(sent[name])
    assert trace.status == "abort_by_response"
    assert trace.call is not None
    assert trace.call.result == result
    assert [call.function for call in trace.call.calls] == ["add"]
    assert trace.call.runtime
    assert ("UnwrapFailure" in (trace.vm_error or "")) == (result is None)


def test_traces_in_any_order_and_repeatedly(devnet: Devnet, sent: dict[str, str]) -> None:
    first = [devnet.trace(txid) for txid in reversed(sent.values())]
    assert [devnet.trace(txid) for txid in reversed(sent.values())] == first


def test_unknown_transactions_cannot_be_traced(devnet: Devnet, sent: dict[str, str]) -> None:
    with devnet.anchor():
        account = Account(devnet.accounts["wallet_2"].key, Client(devnet.url))
        gone = account.submit(ContractCall(contract(devnet), "g", (UIntValue(1),))).wait().txid
        assert devnet.trace(gone).status == "success"
        transfer = account.transfer(devnet.deployer.address, 5).wait().txid
        assert devnet.trace(transfer).call is None
    for txid in (gone, "00" * 32):
        with pytest.raises(NotFoundError, match="is not in this chain"):
            devnet.trace(txid)
    assert devnet.trace(sent["one"]).status == "success"


def test_traces_in_a_block_with_several_transactions(devnet: Devnet) -> None:
    with Devnet(deploy_contracts=False, start_time=START, block_interval_s=0) as slow:
        account = Account(slow.accounts["wallet_1"].key, Client(slow.url))
        account.submit(ContractPublish("c", SOURCE, 4))
        slow.mine()
        pending = [account.submit(ContractCall(contract(devnet), "g", (UIntValue(n),))) for n in (1, 4, 6)]
        slow.mine()
        traces = [slow.trace(each.txid).call for each in pending]
        assert [call and (call.arguments, call.result) for call in traces] == [
            ("u1", "(ok u2)"),
            ("u4", None),
            ("u6", "(ok u8)"),
        ]


def test_profile_of_one_transaction(devnet: Devnet, sent: dict[str, str]) -> None:
    profile = devnet.profile(sent["twice"])[contract(devnet)]
    functions, lines = profile["functions"], profile["lines"]
    assert functions["g"]["calls"] == 1
    assert functions["g"]["total"] == functions["g"]["self"] + functions["add"]["total"]
    assert sum(line["self"] for line in lines.values()) == functions["g"]["total"]
    assert "13" not in lines
    trace = devnet.trace(sent["twice"])
    assert trace.call is not None
    assert trace.call.runtime == functions["g"]["total"]


@pytest.mark.usefixtures("sent")
def test_profile_and_coverage_of_all_transactions(devnet: Devnet) -> None:
    functions = devnet.profile()[contract(devnet)]["functions"]
    assert functions["g"]["calls"] >= 2 * len(CALLS)  # including reverted calls
    report = devnet.coverage().splitlines()
    assert f"SF:{contract(devnet)}.clar" in report
    hits = dict(line.removeprefix("DA:").split(",") for line in report if line.startswith("DA:"))
    assert {line for line, count in hits.items() if count == "0"} == {"17"}
    assert "FNDA:0,never" in report
    assert "FNDA:1,read" in report


def test_coverage_of_top_level_code(devnet: Devnet) -> None:
    """The branches that were taken when the contract was published, including those in functions it called."""
    source = """(define-constant LIMIT
  (* u2 u3))
(define-data-var total uint
  (+ LIMIT u1))
(define-private (double (n uint))
  (* u2 n))
(begin
  (if (> LIMIT u100)
    (print "large")
    (print "small"))
  (double u4))
"""
    account = Account(devnet.accounts["wallet_2"].key, Client(devnet.url))
    account.submit(ContractPublish("top", source, 4)).wait()
    record = devnet.coverage().partition(f"SF:{account.address}.top.clar\n")[2].partition("end_of_record")[0]
    hits = dict(line.removeprefix("DA:").split(",") for line in record.splitlines() if line.startswith("DA:"))
    reached = {"2": "1", "4": "1", "6": "1", "7": "1", "8": "1", "9": "0", "10": "1", "11": "1"}
    assert hits == reached
    assert "FNDA:1,double" in record


def test_coverage_and_profile_need_an_option() -> None:
    with Devnet(deploy_contracts=False) as plain:
        for ask in (plain.coverage, plain.profile):
            with pytest.raises(DevnetError, match=r"start the devnet with --coverage \(Devnet\(coverage=True\)\)"):
                ask()


def test_trace_of_a_typed_call(shared_devnet: Devnet) -> None:
    with shared_devnet.anchor():
        der = Der.connect(shared_devnet.url, shared_devnet.deployer)
        call = der.assets.set_role(Role.PAUSER, shared_devnet.accounts["wallet_1"].address, "", True)
        with pytest.raises(TraceUnavailableError, match="a simulation cannot be traced"):
            call.simulate().trace()
        receipt = call.send().wait()
        trace = receipt.trace()
        assert trace.call is not None
        assert trace.call.function == "set-role"
        assert "client" not in repr(receipt)


class TestImpersonation:
    def test_a_typed_call_as_another_account(self, shared_devnet: Devnet) -> None:
        with shared_devnet.anchor():
            anyone = Der.connect(shared_devnet.url, shared_devnet.accounts["wallet_8"])
            call = anyone.assets.set_role(Role.PAUSER, anyone.assets.account.address, "", True)  # type: ignore[union-attr]
            with pytest.raises(ContractError, match="ERR_NOT_CONTRACT_OWNER"):
                call.send().wait()
            owner = shared_devnet.deployer.address
            nonce = Client(shared_devnet.url).account(owner).nonce
            pending = shared_devnet.impersonate(owner, call)
            assert pending.wait().sender == owner
            assert Client(shared_devnet.url).account(owner).nonce == nonce + 1

    def test_impersonated_transactions_stay_in_the_state_file(self, tmp_path: object) -> None:
        state = f"{tmp_path}/state"
        with Devnet(deploy_contracts=False, state_file=state) as first:
            sender, to = first.accounts["wallet_1"].address, first.accounts["wallet_2"].address
            txid = first.impersonate(sender, TokenTransfer(PrincipalValue(to), 5)).wait().txid
        with Devnet(deploy_contracts=False, state_file=state) as again:
            info = Client(again.url).transaction(txid)
            assert info is not None
            assert info.status == "success"

    @pytest.mark.parametrize(
        ("sender", "problem"),
        [
            ("SP2J6ZY48GV1EZ5V2V5RB9MP66SW86PYKKNRV9EJ7", "must be an address of the test networks"),
            ("x", "must be an address of the test networks"),
            ("ST000000000000000000002AMW42H.c", "is a contract: only addresses send transactions"),
        ],
    )
    def test_only_testnet_addresses_can_be_impersonated(self, devnet: Devnet, sender: str, problem: str) -> None:
        payload = TokenTransfer(PrincipalValue(devnet.deployer.address), 5)
        with pytest.raises(DevnetError, match=rf"sender {sender} {problem}"):
            devnet.impersonate(sender, payload)

    def test_other_checks_of_a_node_still_apply(self, devnet: Devnet) -> None:
        payload = TokenTransfer(PrincipalValue(devnet.deployer.address), 5)
        with pytest.raises(DevnetError, match="transaction rejected: NotEnoughFunds"):
            devnet.impersonate("ST000000000000000000002AMW42H", payload)
        response = requests.post(
            f"{devnet.url}/devnet/impersonate", json={"sender": devnet.deployer.address, "payload": "ff"}, timeout=30
        )
        assert response.status_code == 400

    def test_without_control_impersonation_and_traces_are_disabled(self) -> None:
        with Devnet(deploy_contracts=False, control=False) as closed:
            payload = TokenTransfer(PrincipalValue("ST000000000000000000002AMW42H"), 5)
            with pytest.raises(DerClientError):
                closed.impersonate("ST000000000000000000002AMW42H", payload)
            with pytest.raises(TraceUnavailableError):
                closed.trace("00" * 32)
