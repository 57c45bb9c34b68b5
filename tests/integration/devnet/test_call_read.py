"""Calls that change nothing (``POST /v2/contracts/call-read``), of all kinds of functions, by all kinds of senders."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from der_client.stacks.clarity import (
    BoolValue,
    BufferValue,
    ClarityValue,
    ErrValue,
    ListValue,
    NoneValue,
    OkValue,
    PrincipalValue,
    SomeValue,
    TupleValue,
    UIntValue,
    Utf8Value,
    decode,
    encode,
)
from der_client.stacks.transactions import ContractPublish

from .bare_devnet import BareDevnet
from .test_admission import GOOD
from .test_control import fingerprint

if TYPE_CHECKING:
    import requests

BOOT = "ST000000000000000000002AMW42H"


def ask(
    bare: BareDevnet, function: str, *arguments: ClarityValue, sender: str = "", contract: str = "", **more: Any
) -> requests.Response:
    path = (contract or bare.probe).replace(".", "/")
    body = {
        "sender": sender or bare.account(1).address,
        "arguments": ["0x" + encode(argument).hex() for argument in arguments],
        **more,
    }
    return bare.post(f"/v2/contracts/call-read/{path}/{function}", json=body)


def result(response: requests.Response) -> ClarityValue:
    body = response.json()
    assert body["okay"] is True, body
    return decode(bytes.fromhex(body["result"][2:]))


def cause(response: requests.Response) -> str:
    assert response.status_code == 200
    body = response.json()
    assert body["okay"] is False, body
    return str(body["cause"])


def senders(bare: BareDevnet) -> tuple[str, ...]:
    """Return an address, the contract itself, another contract of its deployer, and a contract of an unused account."""
    return (
        bare.account(1).address,
        bare.probe,
        f"{bare.devnet.deployer.address}.q",
        f"{bare.account(5).address}.some-rather-long-name-of-a-contract",
    )


def test_read_only_function(bare: BareDevnet) -> None:
    bare.call(bare.account(1), "increment", UIntValue(3))
    assert bare.read("get-counter") == UIntValue(3)


def test_the_sender_and_the_caller_are_the_given_sender(bare: BareDevnet) -> None:
    for sender in senders(bare):
        both = {"sender": PrincipalValue(sender), "caller": PrincipalValue(sender)}
        assert result(ask(bare, "who-reads", sender=sender)) == TupleValue(both)
        seen = result(ask(bare, "who-looks", sender=sender))
        assert isinstance(seen, OkValue)
        assert isinstance(seen.value, TupleValue)
        assert {name: seen.value[name] for name in both} == both


def test_public_function_that_writes_nothing(bare: BareDevnet) -> None:
    bare.call(bare.account(1), "increment", UIntValue(3))
    before = fingerprint(bare)
    for sender in senders(bare):
        assert result(ask(bare, "look", sender=sender)) == OkValue(UIntValue(3))
        assert result(ask(bare, "refuse-to-look", sender=sender)) == ErrValue(UIntValue(78))
        assert result(ask(bare, "take-all", *GOOD.values(), sender=sender)) == OkValue(decode(b"\x03"))
    assert fingerprint(bare) == before


def test_public_function_sees_the_tip(bare: BareDevnet) -> None:
    bare.devnet.advance(seconds=3_600)
    seen = result(ask(bare, "who-looks"))
    assert isinstance(seen, OkValue)
    assert isinstance(seen.value, TupleValue)
    tip = bare.json("/extended/v2/blocks/latest")
    assert (seen.value["height"], seen.value["time"]) == (UIntValue(tip["height"]), UIntValue(tip["block_time"]))
    assert seen.value["time"] == bare.read("get-time")


def test_public_function_that_calls_another_contract(bare: BareDevnet) -> None:
    publisher = bare.account(2)
    bare.send(publisher, ContractPublish("other", "(define-public (look) (ok u9))", 4))
    other = PrincipalValue(f"{publisher.address}.other")
    for sender in senders(bare):
        assert result(ask(bare, "look-through", other, sender=sender)) == OkValue(UIntValue(9))


@pytest.mark.parametrize("tracks_costs", [True, False])
@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("increment", [UIntValue(1)]),
        ("refuse", [UIntValue(1)]),
        ("forget", [UIntValue(1)]),
        ("burn", [UIntValue(1)]),
        ("pay", [UIntValue(1), PrincipalValue(BOOT)]),
        ("mint-watt", [UIntValue(1)]),
        ("mint-plant", [UIntValue(1)]),
    ],
)
def test_functions_that_write_are_not_read_only(
    bare: BareDevnet, function: str, arguments: list[ClarityValue], tracks_costs: bool
) -> None:
    before = fingerprint(bare)
    bare.devnet.track_costs(tracks_costs)
    try:
        for sender in senders(bare):
            assert cause(ask(bare, function, *arguments, sender=sender)) == "NotReadOnly"
        assert bare.json("/devnet")["costs"] is tracks_costs
    finally:
        bare.devnet.track_costs(True)
    assert fingerprint(bare) == before


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [
        ("nothing", [], 'RuntimeCheck(UndefinedFunction("nothing"))'),
        ("read-again", [UIntValue(1), UIntValue(1)], 'RuntimeCheck(NoSuchPublicFunction("$probe", "read-again"))'),
        ("divide", [UIntValue(0)], "DivisionByZero\n Stack Trace: \n$probe:divide\n_native_:native_div\n"),
        (
            "increment-and-divide",
            [UIntValue(1)],
            "DivisionByZero\n Stack Trace: \n$probe:increment-and-divide\n_native_:native_div\n",
        ),
        ("divide", [], "RuntimeCheck(IncorrectArgumentCount(1, 0))"),
        ("increment", [UIntValue(1)] * 2, "RuntimeCheck(IncorrectArgumentCount(1, 2))"),
        ("divide", [BoolValue(True)], 'RuntimeCheck(TypeValueError(UIntType, "Bool(true)"))'),
        ("increment", [BoolValue(False)], 'RuntimeCheck(TypeValueError(UIntType, "Bool(false)"))'),
    ],
)
def test_call_that_fails(bare: BareDevnet, function: str, arguments: list[ClarityValue], expected: str) -> None:
    """The cause is the VM's error, in the format of a node."""
    for sender in senders(bare):
        assert cause(ask(bare, function, *arguments, sender=sender)) == expected.replace("$probe", bare.probe)
    assert bare.counter() == 0


def test_call_that_reads_too_much(bare: BareDevnet) -> None:
    argument = ListValue(tuple(UIntValue(n) for n in range(150)))
    for sender in senders(bare):
        found = cause(ask(bare, "read-often", argument, sender=sender))
        assert re.fullmatch(
            r"RuntimeCheck\(CostBalanceExceeded\(ExecutionCost \{ write_length: 0, write_count: 0, read_length: \d+, "
            r"read_count: \d+, runtime: \d+ \}, ExecutionCost \{ write_length: 0, write_count: 0, "
            r"read_length: 200000, read_count: 100, runtime: 1000000000 \}\)\)",
            found,
        ), found


@pytest.mark.parametrize("name", GOOD)
def test_arguments_of_other_types_are_rejected(bare: BareDevnet, name: str) -> None:
    """Every argument is replaced by each of the other values; none of them crashes the VM."""
    for other in GOOD.values():
        arguments = (GOOD | {name: other}).values()
        if other == GOOD[name]:
            continue
        found = cause(ask(bare, "take-all", *arguments))
        assert found.startswith("RuntimeCheck(TypeValueError("), found


@pytest.mark.parametrize("hostile", ["0c00000000", "0b000000020309", "0a0b000000020309", "0b00000001" + "0c00000000"])
def test_arguments_that_a_node_cannot_decode(bare: BareDevnet, hostile: str) -> None:
    """They are rejected even for unknown functions, because the arguments are decoded first."""
    memory = bare.json("/devnet")["vm_memory_bytes"]
    for function in ("divide", "take-all", "look", "nothing"):
        for sender in senders(bare):
            path = f"/v2/contracts/call-read/{bare.probe.replace('.', '/')}/{function}"
            answer = bare.post(path, json={"sender": sender, "arguments": ["0x" + hostile]})
            expected = (400, "Failed to decode: Failed to deserialize argument value")
            assert (answer.status_code, answer.text) == expected
    key = bare.post(f"/v2/map_entry/{bare.probe.replace('.', '/')}/entries", json="0x" + hostile)
    assert (key.status_code, key.text) == (400, "Failed to decode: Failed to deserialize key value")
    assert bare.read("divide", UIntValue(4)) == UIntValue(25)
    assert bare.json("/devnet")["vm_memory_bytes"] == memory


@pytest.mark.parametrize("name", ["e", "f", "g", "h"])
def test_arguments_with_elements_of_another_type(bare: BareDevnet, name: str) -> None:
    """A node's VM runs the function with such lists and tuples, but the devnet rejects them."""
    inside = {
        "e": SomeValue(BoolValue(True)),
        "f": OkValue(BoolValue(True)),
        "g": ListValue((NoneValue(), NoneValue())),
        "h": TupleValue({"x": UIntValue(1), "Y": UIntValue(1)}),
    }
    for sender in senders(bare):
        found = cause(ask(bare, "take-all", *(GOOD | {name: inside[name]}).values(), sender=sender))
        assert found.startswith("RuntimeCheck(TypeValueError("), found


@pytest.mark.parametrize("text", ["", 'a "quoted" \\ text', "añ😀\n\t", "日本", "$;'", "\\u{41}"])
def test_texts_and_bytes_arrive_unchanged(bare: BareDevnet, text: str) -> None:
    publisher = bare.account(2)
    source = "(define-public (echo (text (string-utf8 30)) (bytes (buff 90))) (ok {text: text, bytes: bytes}))"
    bare.send(publisher, ContractPublish("echo", source, 4))
    said = {"text": Utf8Value(text), "bytes": BufferValue(text.encode())}
    answer = ask(bare, "echo", *said.values(), contract=f"{publisher.address}.echo")
    assert result(answer) == OkValue(TupleValue(said))


def test_missing_contract(bare: BareDevnet) -> None:
    for contract in (f"{bare.account(1).address}.nothing", f"{BOOT}.nothing"):
        assert "NoSuchContract" in cause(ask(bare, "get", contract=contract))


def test_sponsor_is_accepted_but_not_visible_to_the_function(bare: BareDevnet) -> None:
    for sponsor in (bare.account(2).address, bare.probe, None):
        seen = result(ask(bare, "who-looks", sponsor=sponsor))
        assert isinstance(seen, OkValue)
        assert isinstance(seen.value, TupleValue)
        assert seen.value["sponsor"] == NoneValue()
    assert ask(bare, "who-looks", sponsor="nobody").status_code == 400


@pytest.mark.parametrize("sender", ["nobody", "ST000", f"{BOOT}.", f"{BOOT}.1", 5])
def test_invalid_senders_are_rejected(bare: BareDevnet, sender: Any) -> None:
    assert ask(bare, "look", sender=sender).status_code == 400
