"""Features that only the devnet has: time, snapshots, simulation, costs, and a description of itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from der_client.devnet import Devnet, DevnetError
from der_client.stacks.clarity import PrincipalValue, UIntValue, decode, encode
from der_client.stacks.errors import AddressError, InvalidValueError
from der_client.stacks.network import DEVNET
from der_client.stacks.transactions import (
    ORIGIN,
    ContractCall,
    FungibleCode,
    StxPostCondition,
    TokenTransfer,
    Transaction,
)

from .bare_devnet import AMPLE_FEE, START, BareDevnet

if TYPE_CHECKING:
    from der_client.stacks.clarity import ClarityValue


def fingerprint(bare: BareDevnet) -> dict[str, Any]:
    """Return all visible state of the chain."""
    accounts = [account.address for account in bare.devnet.accounts.values()]
    return {
        "tip": bare.json("/extended/v2/blocks/latest"),
        "accounts": [bare.json(f"/v2/accounts/{address}") for address in accounts],
        "vm balances": [bare.read("get-balance", PrincipalValue(address)) for address in accounts],
        "counter": bare.counter(),
        "time": bare.read("get-time"),
        "logs": bare.json(f"/extended/v2/smart-contracts/{bare.probe}/logs"),
        "contracts": bare.devnet.contracts,
        "nonces": [bare.json(f"/extended/v1/address/{address}/nonces") for address in accounts],
    }


def test_time_passes_only_on_request(bare: BareDevnet) -> None:
    before = bare.devnet.now()
    assert bare.devnet.now() == before
    tomorrow = datetime.fromtimestamp(START + 86_400, UTC)
    reached = bare.devnet.advance(to=tomorrow)
    assert 0 <= (reached - tomorrow).total_seconds() < 10
    assert bare.devnet.now() == reached
    assert bare.read("get-time") == UIntValue(int(reached.timestamp()))
    assert bare.devnet.advance(to=tomorrow) == reached  # already past
    later = bare.devnet.advance(seconds=1)
    assert (later - reached).total_seconds() == 10


def test_contract_sees_the_time_of_its_block(bare: BareDevnet) -> None:
    bare.devnet.advance(seconds=3_600)
    receipt = bare.call(bare.account(1), "increment", UIntValue(1))
    text = receipt["events"][0]["contract_log"]["value"]["repr"]
    assert f"(at u{receipt['block_time']})" in text
    assert f"(height u{receipt['block_height']})" in text


def test_a_long_advance_is_exact(bare: BareDevnet) -> None:
    start = bare.devnet.now()
    reached = bare.devnet.advance(seconds=45 * 86_400)
    assert 45 * 86_400 <= (reached - start).total_seconds() < 45 * 86_400 + 10


def test_advance_never_goes_back(bare: BareDevnet) -> None:
    now = bare.devnet.now()
    with pytest.raises(
        DevnetError, match=r"to \(2027-.*Z\) is before chain time \(2027-.*Z\), which only goes forward"
    ):
        bare.devnet.advance(to=now - timedelta(minutes=1))
    assert bare.devnet.now() == now


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "give either to= .* or seconds="),
        ({"to": 2_000_000_000, "seconds": 5}, "give either"),
        ({"seconds": 1.5}, "seconds of advance: expected a whole number, got float 1.5"),
        ({"seconds": timedelta(1)}, "expected a whole number, got timedelta"),
        ({"seconds": True}, "expected a whole number, got True"),
        ({"seconds": -1}, "-1 is out of range for seconds of advance: at least 0"),
        ({"to": date(2030, 1, 1)}, "a moment must be a datetime with a time zone, or unix seconds .*, not date"),
        ({"to": "2030-01-01"}, "not str"),
        ({"to": datetime(2030, 1, 1)}, "has no time zone"),  # noqa: DTZ001
    ],
)
def test_invalid_arguments_of_advance_are_explained(bare: BareDevnet, asked: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidValueError, match=told):
        bare.devnet.advance(**asked)


@pytest.mark.parametrize(
    "body", [{}, {"seconds": -1}, {"seconds": "x"}, {"to": 1.5}, {"seconds": 1, "to": 1}, {"seconds": 10**12}, []]
)
def test_invalid_bodies_of_advance_are_rejected(bare: BareDevnet, body: Any) -> None:
    response = bare.post("/devnet/advance", json=body)
    assert response.status_code == 400
    assert "error" in response.json()


def test_the_faucet_names_an_invalid_address(bare: BareDevnet) -> None:
    with pytest.raises(AddressError, match="nobody"):
        bare.devnet.fund("nobody")


def test_revert_restores_everything(bare: BareDevnet) -> None:
    bare.call(bare.account(1), "increment", UIntValue(1))
    before = fingerprint(bare)
    snapshot = bare.devnet.snapshot()
    receipt = bare.call(bare.account(1), "increment", UIntValue(5))
    bare.call(bare.account(2), "increment-and-divide", UIntValue(5))
    bare.transfer(bare.account(3), bare.account(4).address, 77)
    gap = bare.build(bare.account(5), TokenTransfer(PrincipalValue(bare.account(6).address), 1), nonce=5)
    assert bare.submit(gap.encode()).ok
    bare.devnet.advance(seconds=86_400)
    assert fingerprint(bare) != before
    bare.devnet.revert(snapshot)
    assert fingerprint(bare) == before
    assert bare.get(f"/extended/v1/tx/{receipt['tx_id']}").status_code == 404
    assert bare.get(f"/extended/v1/tx/0x{gap.txid}").status_code == 404
    # The same call has the same receipt.
    again = bare.call(bare.account(1), "increment", UIntValue(5))
    assert again == receipt


def test_snapshots_nest(bare: BareDevnet) -> None:
    outer = bare.devnet.snapshot()
    bare.call(bare.account(1), "increment", UIntValue(1))
    inner = bare.devnet.snapshot()
    bare.call(bare.account(1), "increment", UIntValue(1))
    bare.devnet.revert(inner)
    assert bare.counter() == 1
    with pytest.raises(DevnetError, match=f"no snapshot {inner}"):
        bare.devnet.revert(inner)
    innermost = bare.devnet.snapshot()
    bare.devnet.revert(outer)
    assert bare.counter() == 0
    with pytest.raises(DevnetError, match="no snapshot"):
        bare.devnet.revert(innermost)


def test_revert_restores_the_mempool(bare: BareDevnet) -> None:
    sender, recipient = bare.account(1), bare.account(2).address
    waiting = bare.build(sender, TokenTransfer(PrincipalValue(recipient), 1), nonce=1)
    bare.submit(waiting.encode())
    snapshot = bare.devnet.snapshot()
    bare.transfer(sender, recipient, 1, nonce=0)
    bare.devnet.mine()  # this block has the transaction for which the transfer's nonce was missing
    assert bare.receipt(waiting.txid)["tx_status"] == "success"
    bare.devnet.revert(snapshot)
    assert bare.receipt(waiting.txid)["tx_status"] == "pending"
    bare.transfer(sender, recipient, 2, nonce=0)
    bare.devnet.mine()
    assert bare.receipt(waiting.txid)["tx_status"] == "success"


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=st.lists(st.sampled_from(["increment", "refuse", "increment-and-divide", "burn"]), max_size=6))
def test_any_history_can_be_undone(bare: BareDevnet, steps: list[str]) -> None:
    before = fingerprint(bare)
    with bare.devnet.anchor():
        for function in steps:
            bare.call(bare.account(1), function, UIntValue(3))
    assert fingerprint(bare) == before


def test_reset_goes_back_to_the_start() -> None:
    with Devnet(start_time=START) as devnet:
        bare = BareDevnet(devnet)
        before = bare.json("/extended/v2/blocks/latest")
        contracts = devnet.contracts
        assert len(contracts) == 5
        snapshot = devnet.snapshot()
        bare.transfer(bare.account(1), bare.account(2).address, 5)
        devnet.reset()
        assert bare.json("/extended/v2/blocks/latest") == before
        assert devnet.contracts == contracts
        assert bare.nonce(bare.account(1).address) == 0
        with pytest.raises(DevnetError, match="no snapshot"):
            devnet.revert(snapshot)
        bare.transfer(bare.account(1), bare.account(2).address, 5)


def simulate(bare: BareDevnet, function: str, *arguments: ClarityValue) -> Any:
    body = {
        "sender": bare.account(1).address,
        "contract": bare.probe,
        "function": function,
        "arguments": [encode(argument).hex() for argument in arguments],
    }
    return bare.post("/devnet/simulate", json=body)


def test_simulated_call_reports_everything_and_changes_nothing(bare: BareDevnet) -> None:
    bare.call(bare.account(1), "increment", UIntValue(1))
    before = fingerprint(bare)
    answer = simulate(bare, "increment", UIntValue(4)).json()
    assert (answer["ok"], answer["status"]) == (True, "success")
    assert decode(bytes.fromhex(answer["result"]["hex"][2:])).value == UIntValue(5)
    assert answer["events"][0]["contract_log"]["contract_id"] == bare.probe
    assert answer["cost"]["runtime"] > 0
    assert fingerprint(bare) == before
    real = bare.call(bare.account(1), "increment", UIntValue(4))
    assert real["execution_cost_runtime"] == answer["cost"]["runtime"]
    assert real["tx_result"] == answer["result"]


def test_simulated_failures(bare: BareDevnet) -> None:
    refused = simulate(bare, "refuse", UIntValue(4)).json()
    assert (refused["ok"], refused["status"], refused["result"]["repr"]) == (False, "abort_by_response", "(err u77)")
    broken = simulate(bare, "increment-and-divide", UIntValue(4)).json()
    assert "DivisionByZero" in broken["vm_error"]
    assert simulate(bare, "nothing").json()["reason"] == "NoSuchPublicFunction"
    assert simulate(bare, "increment").json()["reason"] == "BadFunctionArgument"
    assert bare.counter() == 0


def test_transactions_that_a_node_rejects_are_not_simulated(bare: BareDevnet) -> None:
    coinbase = (
        bare.build(bare.account(1), TokenTransfer(PrincipalValue(bare.probe), 1)).encode()[:115] + b"\x04" + bytes(32)
    )
    for raw, reason in (
        (coinbase, "SignatureValidation"),
        (coinbase[:44] + bytes(65) + coinbase[109:], "NoCoinbaseViaMempool"),
    ):
        response = bare.post("/devnet/simulate", json={"transaction": raw.hex()})
        assert (response.status_code, response.json()["reason"]) == (400, reason)


@pytest.mark.parametrize("signed", [True, False])
def test_simulated_transaction_checks_post_conditions(bare: BareDevnet, signed: bool) -> None:
    sender = bare.account(1)
    before = fingerprint(bare)
    statuses = []
    for limit in (5, 4):
        transaction = Transaction.build(
            ContractCall(bare.probe, "pay", (UIntValue(5), PrincipalValue(bare.account(2).address))),
            public_key=sender.key.public_key,
            network=DEVNET,
            nonce=0,
            fee=AMPLE_FEE,
            post_conditions=(StxPostCondition(ORIGIN, FungibleCode.LESS_EQUAL, limit),),
        )
        raw = (transaction.sign(sender.key) if signed else transaction).encode()
        statuses.append(bare.post("/devnet/simulate", json={"transaction": raw.hex()}).json()["status"])
    assert statuses == ["success", "abort_by_post_condition"]
    assert fingerprint(bare) == before


def test_costs_can_be_switched_off_and_on(bare: BareDevnet) -> None:
    try:
        bare.devnet.track_costs(False)
        off = bare.call(bare.account(1), "increment", UIntValue(1))
    finally:
        bare.devnet.track_costs(True)
    on = bare.call(bare.account(1), "increment", UIntValue(1))
    assert (off["execution_cost_runtime"], on["execution_cost_runtime"] > 0) == (0, True)


def test_the_devnet_describes_itself(bare: BareDevnet) -> None:
    about = bare.json("/devnet")
    assert about["deployer"] == bare.devnet.deployer.address
    assert about["contracts"] == [bare.probe]
    assert any("proof of transfer" in text for text in about["does_not_do"])


def test_accounts_match_their_keys_and_hide_them(bare: BareDevnet) -> None:
    assert set(bare.devnet.accounts) == {"deployer", "faucet", *(f"wallet_{number}" for number in range(1, 9))}
    for account in bare.devnet.accounts.values():
        assert account.key.address(DEVNET) == account.address
        assert account.key.to_hex() not in repr(account)
        assert account.mnemonic not in repr(account)
    with pytest.raises(KeyError, match="no account 'walet_1': there are deployer, wallet_1"):
        bare.devnet.accounts["walet_1"]
