"""What the generator finds in sources: errors, prints with their types, names and docstrings."""

from __future__ import annotations

import pytest

from der_client.stacks.clarity import parse_abi_type
from der_client.stacks.clarity.source import Source
from der_client.stacks.generate import comments
from der_client.stacks.generate.definitions import Definitions
from der_client.stacks.generate.errors import find_errors
from der_client.stacks.generate.events import find_events
from der_client.stacks.generate.inference import Inference
from der_client.stacks.generate.names import Namespace, camel_case, singular, snake_case, upper_case
from der_client.stacks.rpc.responses import (
    ArgumentInterface,
    ContractInterface,
    FunctionInterface,
    MapInterface,
    VariableInterface,
)


def uint_function(name: str, arguments: dict[str, object], output: object) -> FunctionInterface:
    listed = tuple(ArgumentInterface(key, parse_abi_type(kind)) for key, kind in arguments.items())
    return FunctionInterface(name, "public", listed, parse_abi_type(output))


OK = {"response": {"ok": "bool", "error": "uint128"}}
BID = {"tuple": [{"name": "who", "type": "principal"}, {"name": "price", "type": "uint128"}]}
INTERFACE = ContractInterface(
    functions={
        "f": uint_function("f", {"n": "uint128", "note": {"buffer": {"length": 34}}, "token": "trait_reference"}, OK),
        "helper": uint_function("helper", {"n": "uint128"}, {"list": {"type": "uint128", "length": 7}}),
    },
    variables={
        "total": VariableInterface("total", "variable", parse_abi_type("int128")),
        "PAID": VariableInterface("PAID", "constant", parse_abi_type({"string-ascii": {"length": 4}})),
    },
    maps={"bids": MapInterface("bids", parse_abi_type("uint128"), parse_abi_type(BID))},
    fungible_tokens=(),
    non_fungible_tokens={},
    epoch=None,
    clarity_version=None,
)


def printed_type(expression: str, before: str = "") -> str:
    source = f"{before}(define-public (f (n uint) (note (buff 34)) (token <t>)) (begin (print {expression}) (ok true)))"
    (found,) = Inference(
        Definitions.of(Source.read(source)),
        INTERFACE,
        lambda name: INTERFACE if name == ".other" else None,
        lambda *_: parse_abi_type(OK),
    ).printed()
    return str(found.type)


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("n", "uint"),
        ("(+ n u1)", "uint"),
        ("-3", "int"),
        ("0x0102", "(buff 2)"),
        ('"a\\"b"', "(string-ascii 3)"),
        ('u"\\u{e9}!"', "(string-utf8 2)"),
        ("tx-sender", "principal"),
        (".other", "principal"),
        ("'SP000000000000000000002Q6VF78.pox", "principal"),
        ("note", "(buff 34)"),
        ("token", "trait_reference"),
        ("(some n)", "(optional uint)"),
        ("none", "(optional none)"),
        ("(ok n)", "(response uint none)"),
        ("{a: n, b: {c: true}}", "{a: uint, b: {c: bool}}"),
        ("(merge {a: n} (unwrap-panic (map-get? bids n)))", "{a: uint, price: uint, who: principal}"),
        ("(get price (map-get? bids n))", "(optional uint)"),
        ("(var-get total)", "int"),
        ("(default-to u0 (get price (map-get? bids n)))", "uint"),
        ("(if true (some n) none)", "(optional uint)"),
        ("(let ((m {x: n})) (get x m))", "uint"),
        ("(match (map-get? bids n) bid (get who bid) tx-sender)", "principal"),
        ("(match (f n note token) good good bad (> bad u1))", "bool"),
        ("(list u1 u2)", "(list 2 uint)"),
        ("(map helper (list u1 u2 u3))", "(list 3 (list 7 uint))"),
        ("(filter is-it (list u1))", "(list 1 uint)"),
        ("(fold + (list u1 u2) u0)", "uint"),
        ("(append (list u1) u2)", "(list 2 uint)"),
        ('(concat "ab" "cde")', "(string-ascii 5)"),
        ('(as-max-len? "abc" u9)', "(optional (string-ascii 9))"),
        ("(element-at? note u1)", "(optional (buff 1))"),
        ("(slice? note u1 u2)", "(optional (buff 34))"),
        ("(sha256 n)", "(buff 32)"),
        ("(contract-call? .other helper u1)", "(list 7 uint)"),
        ("(contract-call? token transfer u1)", "(response bool uint)"),
        ("(try! (f n note token))", "bool"),
        ("(unwrap-err-panic (f n note token))", "uint"),
        ("(principal-destruct? tx-sender)", None),
        ("(contract-call? .unknown f)", "None"),
        ("(unknown n)", "None"),
    ],
)
def test_the_types_of_prints_are_inferred(expression: str, kind: str | None) -> None:
    if kind is None:
        parts = "{hash-bytes: (buff 20), name: (optional (string-ascii 40)), version: (buff 1)}"
        kind = f"(response {parts} {parts})"
    assert printed_type(expression, "(use-trait t .traits.t)") == kind


ERRORS = """
(define-constant ERR_A (err u100)) ;; the first
;; about the second
(define-constant err-b u3)
(define-constant ERR_TRANSFER_INDEX_PREFIX u1000)
(define-constant NOT-FOUND (err u404))
(define-constant unnamed u7)
(define-constant ERR-UNUSED u8)
(define-constant ALIAS ERR_A)
(define-constant ERR-TEXT (err "no"))
(define-constant ERR_BELOW (err -3))
(define-constant POX_TOO_LATE 24)
(define-constant MAX u5)
(define-public (f) (begin (asserts! true (err err-b)) (asserts! true (err unnamed)) (asserts! true (err POX_TOO_LATE))
  (asserts! true (err (+ ERR_TRANSFER_INDEX_PREFIX u1))) (ok MAX)))
"""


def test_constants_that_are_errors_are_found_with_their_comments() -> None:
    found = find_errors(Definitions.of(Source.read(ERRORS)))
    assert [(error.constant, error.code) for error in found] == [
        ("ERR_A", 100),
        ("err-b", 3),
        ("NOT-FOUND", 404),
        ("unnamed", 7),
        ("ERR-UNUSED", 8),
        ("ALIAS", 100),
        ("ERR_BELOW", -3),
        ("POX_TOO_LATE", 24),
    ]
    assert [error.comment for error in found][:2] == [("the first",), ("about the second",)]


EVENTS = """
(define-constant PAID "paid")
(define-public (f (n uint) (note (buff 34)) (token <t>))
  (let ((event {op: "stake", amount: n}))
    (print {topic: PAID, amount: n})
    (print event)
    (print {object: "pool", action: "made", who: tx-sender})
    (print {who: tx-sender})
    (print note)
    (print (merge {event: "bid"} (unwrap-panic (map-get? bids n))))
    (ok true)))
(define-private (helper (n uint)) (begin (print {topic: "paid", amount: n}) (print 0x01) (list n)))
"""


def test_events_are_distinguished_by_their_constants_and_keys() -> None:
    definitions = Definitions.of(Source.read(EVENTS))
    found = find_events(definitions, Inference(definitions, INTERFACE, lambda _: None, lambda *_: None).printed())
    assert [(event.constants, {name: str(kind) for name, kind in event.fields.items()}) for event in found] == [
        ({"topic": "paid"}, {"amount": "uint"}),
        ({"op": "stake"}, {"amount": "uint"}),
        ({"object": "pool", "action": "made"}, {"who": "principal"}),
        ({}, {"who": "principal"}),
        ({}, {"value": "(buff 34)"}),
        ({"event": "bid"}, {"who": "principal", "price": "uint"}),
    ]
    assert found[0].functions == ["f", "helper"]
    assert [event.is_whole for event in found] == [False, False, False, False, True, False]


def test_clarity_names_become_unique_python_names() -> None:
    assert snake_case("get-balance-of?") == "get_balance_of"
    assert snake_case("mintBTC->stx") == "mint_btc_to_stx"
    assert upper_case("err-not-owner") == "ERR_NOT_OWNER"
    assert camel_case("pool-v-1-1") == "PoolV11"
    assert camel_case("2-of-3") == "Of2Of3"
    assert snake_case("!") == "unnamed"
    assert (singular("listings"), singular("entries"), singular("boxes"), singular("status")) == (
        "listing",
        "entry",
        "box",
        "status",
    )
    classes = Namespace(("Bid",))
    assert [classes.take("Bid") for _ in range(3)] == ["Bid2", "Bid3", "Bid4"]
    names = Namespace(("name",))
    assert [names.take("name"), names.take("name"), names.take("from"), names.take("a", "b"), names.take("a", "b")] == [
        "name_",
        "name_2",
        "from_",
        "a",
        "b",
    ]


def test_comments_become_docstrings() -> None:
    comment = (
        "-----------------",
        "public functions",
        "@desc Gives some; at most \\n all.",
        "(define-public (old))",
        "@param amount; how much,",
        "in uSTX",
        "@returns (response bool uint)",
    )
    assert comments.prose(comment) == "Gives some; at most \\n all."
    assert comments.parameters(comment) == {"amount": "how much, in uSTX"}
    lines = comments.docstring('it\'s "it" """ now. And more', {"amount": "how much"}, 4)
    assert lines == [
        '    """It\'s "it" \'\'\' now.',
        "",
        "    And more.",
        "",
        "    Args:",
        "        amount: how much",
        '    """',
    ]
    assert comments.docstring("", {}, 4) == []
    for length in range(
        105, 118
    ):  # as formatters write it: the closing quotes end the only line, or follow a second one
        (first, *others) = comments.docstring(f"{'a ' * 52}{'b' * (length - 104)}", {}, 4)
        assert len(first) <= 120
        assert others == [] or (others[-1] == '    """' and len(others) == 2)
    assert comments.prose(("First.", "", "Second.")) == "First."
