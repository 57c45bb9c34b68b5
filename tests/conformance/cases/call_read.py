"""POST /v2/contracts/call-read: the value that a function returns, or why it fails; the state never changes."""

from __future__ import annotations

from typing import Any

from der_client.stacks.clarity import AsciiValue, ListValue, PrincipalValue, UIntValue, encode
from tests.conformance.case import JSON, PLAIN, Case, Request, get, ok, post, post_raw, text
from tests.conformance.cases.accounts import UNKNOWN_BLOCK
from tests.conformance.cases.reads import hexed
from tests.conformance.shapes import Text

FUNCTIONS = "/v2/contracts/call-read/$contract_path"


def call(function: str, *arguments: str, sender: Any = "$newcomer", query: str = "", **more: Any) -> Request:
    return post(f"{FUNCTIONS}/{function}{query}", {"sender": sender, "arguments": list(arguments), **more})


def failure(cause: str) -> Any:
    return ok({"okay": False, "cause": Text(f"(?s){cause}")})


def success(value: Any) -> Any:
    return ok({"okay": True, "result": value})


SEVEN = hexed(UIntValue(7))
# {x: u7, Y: …}, whose fields a node writes in the opposite order
OUT_OF_ORDER = "0x0c00000002" + "0178" + SEVEN[2:] + "0159" + hexed(PrincipalValue("ST000000000000000000002AMW42H"))[2:]
# {caller: …, sender: …}: the same address twice
ONE_READER = Text("0x0c000000020663616c6c6572(051a[0-9a-f]{40})0673656e646572" + r"\1")
CONTRACT_READER = Text("0x0c000000020663616c6c6572(061a[0-9a-f]{40}087072657061726564)0673656e646572" + r"\1")

NO_VALUE = text(400, "Failed to decode: Failed to deserialize argument value")

CASES = (
    Case("call-read: a value", call("get-counter"), success(SEVEN)),
    Case("call-read: latest tip", call("get-counter", query="?tip=latest"), success(SEVEN)),
    Case("call-read: malformed tip is ignored", call("get-counter", query="?tip=zz"), success(SEVEN)),
    Case("call-read: argument", call("divide", hexed(UIntValue(3))), success(hexed(UIntValue(33)))),
    Case("call-read: argument without 0x", call("divide", encode(UIntValue(3)).hex()), success(hexed(UIntValue(33)))),
    Case("call-read: an error is an answer", call("refuse-to-tell"), success("0x08" + hexed(UIntValue(77))[2:])),
    Case("call-read: the sender", call("who-reads"), success(ONE_READER)),
    Case("call-read: a contract as the sender", call("who-reads", sender="$contract"), success(CONTRACT_READER)),
    Case("call-read: a sponsor", call("get-counter", sponsor="$sponsor"), success(SEVEN)),
    Case("call-read: an unknown sender", call("get-counter", sender="$stranger"), success(SEVEN)),
    Case("call-read: a public function that writes nothing", call("peek"), success("0x07" + hexed(UIntValue(7))[2:])),
    Case(
        "call-read: a public function that writes",
        call("note", hexed(UIntValue(3)), hexed(AsciiValue("third"))),
        ok({"okay": False, "cause": "NotReadOnly"}),
    ),
    Case(
        "call-read: runtime error",
        call("divide", hexed(UIntValue(0))),
        failure("DivisionByZero\n Stack Trace: \n.*:divide\n_native_:native_div\n"),
    ),
    Case("call-read: unknown function", call("nothing"), failure(r".*\(UndefinedFunction\(\"nothing\"\)\)")),
    Case(
        "call-read: unknown contract",
        post("/v2/contracts/call-read/$publisher/nothing/get", {"sender": "$newcomer", "arguments": []}),
        failure(r".*\(NoSuchContract\(.*\)\)"),
    ),
    Case("call-read: too few arguments", call("divide"), failure(r".*\(IncorrectArgumentCount\(1, 0\)\)")),
    Case(
        "call-read: argument of another type",
        call("divide", hexed(AsciiValue("3"))),
        failure(r".*\(TypeValueError\(UIntType, .*\)\)"),
    ),
    Case(
        "call-read: too much to read",
        call("read-often", hexed(ListValue((UIntValue(0),) * 150))),
        failure(r".*\(CostBalanceExceeded\(.*\)\)"),
    ),
    Case("call-read: tuple in another order", call("take-tuple", OUT_OF_ORDER), success("0x07" + SEVEN[2:])),
    Case(
        "call-read: more bytes than the argument's",
        call("divide", hexed(UIntValue(3)) + "ff"),
        success(hexed(UIntValue(33))),
    ),
    Case("call-read: argument that is no hex", call("divide", "0xzz"), NO_VALUE),
    Case("call-read: argument that is no value", call("divide", "0xff"), NO_VALUE),
    Case("call-read: argument that is a tuple without fields", call("divide", "0x0c00000000"), NO_VALUE),
    Case("call-read: argument that is a list of two types", call("divide", "0x0b000000020309"), NO_VALUE),
    Case("call-read: argument that no node decodes, of no function", call("nothing", "0x0b000000020309"), NO_VALUE),
    Case(
        "call-read: sender that is no address",
        call("get-counter", sender="somebody"),
        text(400, "Failed to decode: Failed to parse sender principal"),
    ),
    Case(
        "call-read: sponsor that is no address",
        call("get-counter", sponsor="somebody"),
        text(400, "Failed to decode: Failed to parse sponsor principal"),
    ),
    Case("call-read: no sender", post(f"{FUNCTIONS}/get-counter", {"arguments": []}), text(400)),
    Case("call-read: no arguments", post(f"{FUNCTIONS}/get-counter", {"sender": "$newcomer"}), text(400)),
    Case(
        "call-read: arguments that are no list",
        post(f"{FUNCTIONS}/divide", {"sender": "$newcomer", "arguments": "0x09"}),
        text(400),
    ),
    Case("call-read: malformed JSON", post_raw(f"{FUNCTIONS}/get-counter", b'{"sender":', JSON), text(400)),
    Case(
        "call-read: not as JSON",
        post_raw(f"{FUNCTIONS}/get-counter", b"{}", PLAIN),
        text(400, "Failed to decode: Invalid content-type: expected application/json"),
    ),
    Case(
        "call-read: unknown tip",
        call("get-counter", query=f"?tip={UNKNOWN_BLOCK}"),
        text(404, "Chain tip not found"),
    ),
    Case("call-read: function name that cannot be", call("1st"), text(400, "Failed to decode `function`")),
    Case("call-read: function name with what no name has", call("a.b"), text(404)),
    Case("call-read: state as before", get("/v2/data_var/$contract_path/counter?proof=0"), ok({"data": SEVEN})),
)
