"""The boot contracts exist, and can be read and called like any other contract."""

from __future__ import annotations

import pytest

from der_client.stacks.clarity import BufferValue, IntValue, OkValue, UIntValue, decode, encode
from der_client.stacks.transactions import ContractCall, ContractPublish, PostConditionMode

from .bare_devnet import BareDevnet, rejection
from .test_call_read import BOOT, ask, result
from .test_control import fingerprint

NAMES = (
    *("pox", "pox-2", "pox-3", "pox-4", "pox-5", "signers", "signers-voting", "lockup"),
    *("bns", "costs", "costs-2", "costs-3", "costs-4", "cost-voting"),
)
PREORDER = (BufferValue(bytes(range(20))), UIntValue(1_000))


@pytest.mark.parametrize("name", NAMES)
def test_interface_and_source(bare: BareDevnet, name: str) -> None:
    before = fingerprint(bare)
    functions = bare.json(f"/v2/contracts/interface/{BOOT}/{name}")["functions"]
    source = bare.json(f"/v2/contracts/source/{BOOT}/{name}?proof=0")["source"]
    assert len(functions) > 0
    assert all(f"({function['name']}" in source for function in functions)
    assert fingerprint(bare) == before
    assert bare.devnet.contracts == (bare.probe,)


def test_reads(bare: BareDevnet) -> None:
    assert isinstance(result(ask(bare, "get-pox-info", contract=f"{BOOT}.pox-5")), OkValue)
    registrable = result(
        ask(bare, "can-name-be-registered", BufferValue(b"ab"), BufferValue(b"cd"), contract=f"{BOOT}.bns")
    )
    assert str(registrable) == "(ok false)"  # the namespace does not exist
    assert bare.json(f"/v2/data_var/{BOOT}/pox-4/configured?proof=0") == {"data": "0x04"}
    constant = bare.json(f"/v2/constant_val/{BOOT}/pox-4/ERR_STACKING_INSUFFICIENT_FUNDS")["data"]
    assert decode(bytes.fromhex(constant[2:])) == IntValue(1)
    namespace = bare.post(f"/v2/map_entry/{BOOT}/bns/namespaces", json="0x" + encode(BufferValue(b"aa")).hex())
    assert namespace.json()["data"] == "0x09"


def test_call_is_executed(bare: BareDevnet) -> None:
    sender = bare.account(1)
    before = bare.balance(sender.address)
    call = ContractCall(f"{BOOT}.bns", "name-preorder", PREORDER)
    receipt = bare.receipt(bare.send(sender, call, mode=PostConditionMode.ALLOW))
    assert receipt["tx_status"] == "success"
    assert receipt["contract_call"]["function_args"][1]["name"] == "stx-to-burn"
    assert [event["asset"]["asset_event_type"] for event in receipt["events"]] == ["burn"]
    assert before - bare.balance(sender.address) == 1_000 + int(receipt["fee_rate"])
    again = bare.receipt(bare.send(sender, call, mode=PostConditionMode.ALLOW))
    assert again["tx_status"] == "abort_by_response"


def test_call_is_checked_like_any_other(bare: BareDevnet) -> None:
    sender = bare.account(1)
    for contract, function, arguments, reason in (
        ("nothing", "name-preorder", PREORDER, "NoSuchContract"),
        ("bns", "nothing", PREORDER, "NoSuchPublicFunction"),
        ("bns", "name-preorder", PREORDER[:1], "BadFunctionArgument"),
        ("bns", "name-preorder", (UIntValue(1), UIntValue(1)), "BadFunctionArgument"),
    ):
        call = ContractCall(f"{BOOT}.{contract}", function, arguments)
        assert rejection(bare.submit(bare.build(sender, call).encode()))[0] == reason


def test_contract_can_call_a_boot_contract(bare: BareDevnet) -> None:
    publisher = bare.account(3)
    source = f"(define-public (cycle) (ok (contract-call? '{BOOT}.pox-4 current-pox-reward-cycle)))"
    bare.send(publisher, ContractPublish("asks", source, 4))
    receipt = bare.receipt(bare.send(publisher, ContractCall(f"{publisher.address}.asks", "cycle", ())))
    assert receipt["tx_result"]["repr"] == "(ok u0)"
