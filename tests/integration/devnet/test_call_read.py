"""Calls that change nothing (``POST /v2/contracts/call-read``): of all functions, from all senders."""

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

from .bench import Bench
from .test_admission import GOOD
from .test_control import fingerprint

if TYPE_CHECKING:
    import requests

BOOT = "ST000000000000000000002AMW42H"


def ask(
    bench: Bench, function: str, *arguments: ClarityValue, sender: str = "", contract: str = "", **more: Any
) -> requests.Response:
    path = (contract or bench.probe).replace(".", "/")
    body = {
        "sender": sender or bench.account(1).address,
        "arguments": ["0x" + encode(argument).hex() for argument in arguments],
        **more,
    }
    return bench.post(f"/v2/contracts/call-read/{path}/{function}", json=body)


def result(response: requests.Response) -> ClarityValue:
    body = response.json()
    assert body["okay"] is True, body
    return decode(bytes.fromhex(body["result"][2:]))


def cause(response: requests.Response) -> str:
    assert response.status_code == 200
    body = response.json()
    assert body["okay"] is False, body
    return str(body["cause"])


def senders(bench: Bench) -> tuple[str, ...]:
    """An address, the contract itself, another contract beside it, and one of a principal nobody ever saw."""
    return (
        bench.account(1).address,
        bench.probe,
        f"{bench.devnet.deployer.address}.q",
        f"{bench.account(5).address}.some-rather-long-name-of-a-contract",
    )


def test_read_only_function(bench: Bench) -> None:
    bench.call(bench.account(1), "increment", UIntValue(3))
    assert bench.read("get-counter") == UIntValue(3)


def test_the_sender_is_who_reads(bench: Bench) -> None:
    for sender in senders(bench):
        both = {"sender": PrincipalValue(sender), "caller": PrincipalValue(sender)}
        assert result(ask(bench, "who-reads", sender=sender)) == TupleValue(both)
        seen = result(ask(bench, "who-looks", sender=sender))
        assert isinstance(seen, OkValue)
        assert isinstance(seen.value, TupleValue)
        assert {name: seen.value[name] for name in both} == both


def test_public_function_that_writes_nothing(bench: Bench) -> None:
    bench.call(bench.account(1), "increment", UIntValue(3))
    before = fingerprint(bench)
    for sender in senders(bench):
        assert result(ask(bench, "look", sender=sender)) == OkValue(UIntValue(3))
        assert result(ask(bench, "refuse-to-look", sender=sender)) == ErrValue(UIntValue(78))
        assert result(ask(bench, "take-all", *GOOD.values(), sender=sender)) == OkValue(decode(b"\x03"))
    assert fingerprint(bench) == before


def test_public_function_sees_the_tip(bench: Bench) -> None:
    bench.devnet.advance(seconds=3_600)
    seen = result(ask(bench, "who-looks"))
    assert isinstance(seen, OkValue)
    assert isinstance(seen.value, TupleValue)
    tip = bench.json("/extended/v2/blocks/latest")
    assert (seen.value["height"], seen.value["time"]) == (UIntValue(tip["height"]), UIntValue(tip["block_time"]))
    assert seen.value["time"] == bench.read("get-time")


def test_public_function_that_calls_another_contract(bench: Bench) -> None:
    publisher = bench.account(2)
    bench.send(publisher, ContractPublish("other", "(define-public (look) (ok u9))", 4))
    other = PrincipalValue(f"{publisher.address}.other")
    for sender in senders(bench):
        assert result(ask(bench, "look-through", other, sender=sender)) == OkValue(UIntValue(9))


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
def test_whatever_writes_is_not_read_only(
    bench: Bench, function: str, arguments: list[ClarityValue], tracks_costs: bool
) -> None:
    before = fingerprint(bench)
    bench.devnet.track_costs(tracks_costs)
    try:
        for sender in senders(bench):
            assert cause(ask(bench, function, *arguments, sender=sender)) == "NotReadOnly"
        assert bench.json("/devnet")["costs"] is tracks_costs
    finally:
        bench.devnet.track_costs(True)
    assert fingerprint(bench) == before


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
def test_call_that_fails(bench: Bench, function: str, arguments: list[ClarityValue], expected: str) -> None:
    """With the VM's own error, as a node writes it."""
    for sender in senders(bench):
        assert cause(ask(bench, function, *arguments, sender=sender)) == expected.replace("$probe", bench.probe)
    assert bench.counter() == 0


def test_call_that_reads_too_much(bench: Bench) -> None:
    argument = ListValue(tuple(UIntValue(n) for n in range(150)))
    for sender in senders(bench):
        found = cause(ask(bench, "read-often", argument, sender=sender))
        assert re.fullmatch(
            r"RuntimeCheck\(CostBalanceExceeded\(ExecutionCost \{ write_length: 0, write_count: 0, read_length: \d+, "
            r"read_count: \d+, runtime: \d+ \}, ExecutionCost \{ write_length: 0, write_count: 0, "
            r"read_length: 200000, read_count: 100, runtime: 1000000000 \}\)\)",
            found,
        ), found


@pytest.mark.parametrize("name", GOOD)
def test_arguments_of_any_other_type(bench: Bench, name: str) -> None:
    """In each place each of the others, and none of all these breaks the VM."""
    for other in GOOD.values():
        arguments = (GOOD | {name: other}).values()
        if other == GOOD[name]:
            continue
        found = cause(ask(bench, "take-all", *arguments))
        assert found.startswith("RuntimeCheck(TypeValueError("), found


@pytest.mark.parametrize("hostile", ["0c00000000", "0b000000020309", "0a0b000000020309", "0b00000001" + "0c00000000"])
def test_arguments_that_no_node_decodes(bench: Bench, hostile: str) -> None:
    """Of all functions, also those that do not exist: arguments come first."""
    memory = bench.json("/devnet")["vm_memory_bytes"]
    for function in ("divide", "take-all", "look", "nothing"):
        for sender in senders(bench):
            path = f"/v2/contracts/call-read/{bench.probe.replace('.', '/')}/{function}"
            answer = bench.post(path, json={"sender": sender, "arguments": ["0x" + hostile]})
            expected = (400, "Failed to decode: Failed to deserialize argument value")
            assert (answer.status_code, answer.text) == expected
    key = bench.post(f"/v2/map_entry/{bench.probe.replace('.', '/')}/entries", json="0x" + hostile)
    assert (key.status_code, key.text) == (400, "Failed to decode: Failed to deserialize key value")
    assert bench.read("divide", UIntValue(4)) == UIntValue(25)
    assert bench.json("/devnet")["vm_memory_bytes"] == memory


@pytest.mark.parametrize("name", ["e", "f", "g", "h"])
def test_arguments_with_another_type_inside(bench: Bench, name: str) -> None:
    """A node's VM runs the function with such lists and tuples; the devnet does not."""
    inside = {
        "e": SomeValue(BoolValue(True)),
        "f": OkValue(BoolValue(True)),
        "g": ListValue((NoneValue(), NoneValue())),
        "h": TupleValue({"x": UIntValue(1), "Y": UIntValue(1)}),
    }
    for sender in senders(bench):
        found = cause(ask(bench, "take-all", *(GOOD | {name: inside[name]}).values(), sender=sender))
        assert found.startswith("RuntimeCheck(TypeValueError("), found


@pytest.mark.parametrize("text", ["", 'a "quoted" \\ text', "añ😀\n\t", "日本", "$;'", "\\u{41}"])
def test_texts_arrive_as_they_are(bench: Bench, text: str) -> None:
    publisher = bench.account(2)
    source = "(define-public (echo (text (string-utf8 30)) (bytes (buff 90))) (ok {text: text, bytes: bytes}))"
    bench.send(publisher, ContractPublish("echo", source, 4))
    said = {"text": Utf8Value(text), "bytes": BufferValue(text.encode())}
    answer = ask(bench, "echo", *said.values(), contract=f"{publisher.address}.echo")
    assert result(answer) == OkValue(TupleValue(said))


def test_missing_contract(bench: Bench) -> None:
    for contract in (f"{bench.account(1).address}.nothing", f"{BOOT}.nothing"):
        assert "NoSuchContract" in cause(ask(bench, "get", contract=contract))


def test_sponsor_is_taken_but_not_seen(bench: Bench) -> None:
    for sponsor in (bench.account(2).address, bench.probe, None):
        seen = result(ask(bench, "who-looks", sponsor=sponsor))
        assert isinstance(seen, OkValue)
        assert isinstance(seen.value, TupleValue)
        assert seen.value["sponsor"] == NoneValue()
    assert ask(bench, "who-looks", sponsor="nobody").status_code == 400


@pytest.mark.parametrize("sender", ["nobody", "ST000", f"{BOOT}.", f"{BOOT}.1", 5])
def test_sender_that_is_none(bench: Bench, sender: Any) -> None:
    assert ask(bench, "look", sender=sender).status_code == 400
