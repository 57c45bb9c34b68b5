"""Parsing of literals: as the VM reads source, and as a node writes values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.stacks.clarity import (
    AsciiValue,
    BoolValue,
    ClarityValue,
    IntValue,
    ListValue,
    NoneValue,
    PrincipalValue,
    SomeValue,
    TupleValue,
    UIntValue,
    Utf8Value,
    encode,
    parse,
)
from der_client.stacks.clarity.literals import MAX_TEXT_LENGTH
from der_client.stacks.clarity.wire import MAX_DEPTH
from der_client.stacks.errors import InvalidValueError, LiteralError
from tests.generators.clarity import VALUES

VECTORS = Path(__file__).parents[3] / "vectors"
LITERALS: list[dict[str, Any]] = json.loads((VECTORS / "clarity_literals.json").read_text())["literals"]
ADDRESS = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"


@pytest.mark.parametrize("literal", LITERALS, ids=lambda literal: repr(literal["text"])[:40])
def test_literals_are_parsed_or_rejected_as_by_the_vm(literal: dict[str, str | None]) -> None:
    text, expected = str(literal["text"]), literal["hex"]
    if expected is not None:
        assert encode(parse(text)).hex() == expected
        return
    with pytest.raises(LiteralError) as refused:
        parse(text)
    assert 0 <= refused.value.offset <= len(text)
    assert f"at character {refused.value.offset}" in str(refused.value)


@pytest.mark.parametrize(
    "vector",
    [
        vector
        for vector in json.loads((VECTORS / "clarity_values.json").read_text())["vm"]
        if not vector["expr"].startswith("(- ")
    ],
    ids=lambda vector: vector["expr"][:40],
)
def test_expressions_encode_to_the_bytes_of_the_vm(vector: dict[str, str]) -> None:
    assert encode(parse(vector["expr"])).hex() == vector["hex"].removeprefix("0x")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (ADDRESS, PrincipalValue(ADDRESS)),
        (f"{ADDRESS}.market", PrincipalValue(f"{ADDRESS}.market")),
        (f"'{ADDRESS}.__transient", PrincipalValue(f"{ADDRESS}.__transient")),
        ("()", ListValue()),
        ("(1 2)", ListValue([IntValue(1), IntValue(2)])),
        ("((u1) ())", ListValue([ListValue([UIntValue(1)]), ListValue()])),
        ("(none (some none))", ListValue([NoneValue(), SomeValue(NoneValue())])),
        ("(tuple (a (true false)))", TupleValue({"a": ListValue([BoolValue(True), BoolValue(False)])})),
        ('"\\x0c\\\'"', AsciiValue("\f'")),
        ('u"\\x00\\x7f"', Utf8Value("\x00\x7f")),
        ('u"é漢😀"', Utf8Value("é漢😀")),
    ],
)
def test_forms_that_nodes_and_people_write_are_accepted(text: str, value: ClarityValue) -> None:
    assert parse(text) == value
    assert parse(text, node_text=True) == value


def test_escapes_are_code_points_in_source_and_utf8_bytes_in_node_text() -> None:
    assert parse('u"\\u{c3a9}"') == Utf8Value("쎩")
    assert parse('u"\\u{c3a9}"', node_text=True) == Utf8Value("é")
    assert parse('u"\\u{e9}"') == Utf8Value("é")
    for wrong in ("e9", "c3", "41", "c3a9c3a9", "c3a", "eda080", "00c3a9"):
        with pytest.raises(LiteralError, match="an invalid escape"):
            parse(f'u"\\u{{{wrong}}}"', node_text=True)


@given(VALUES)
def test_text_written_by_a_node_parses_to_the_same_value(value: ClarityValue) -> None:
    assert parse(str(value), node_text=True) == value


@given(VALUES)
def test_node_text_without_escapes_also_parses_as_source(value: ClarityValue) -> None:
    if "\\u{" not in str(value):
        assert parse(str(value)) == value


@given(st.text(alphabet="()[]{}\"'\\ux0189af:;,. \nSTlistoksometuplenonerrabcu", max_size=40), st.booleans())
def test_any_text_is_parsed_or_raises_a_literal_error(text: str, node_text: bool) -> None:
    try:
        value = parse(text, node_text=node_text)
    except LiteralError as error:
        assert 0 <= error.offset <= len(text)  # noqa: PT017 - only some texts raise
    else:
        assert parse(str(value), node_text=True) == value


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("(list u1 ?)", 9, "expected a number, true, false"),
        ("{price: u1, price: u2}", 12, "duplicate field 'price'"),
        ("(list (some u1) (some 1))", 0, r"value\[1\]: int follows uint"),
        ('(list "abc\\qd")', 10, "an invalid escape"),
        ('u"ab\\u{d800}"', 4, "an invalid escape"),
        (".market", 0, "a whole principal"),
        (f"{ADDRESS}.{'a' * 200}", 0, "not a contract name"),
        ("u" + "9" * 5000, 0, "more than 39 digits"),
        ("(ok u1", 6, r"expected '\)', found the end"),
    ],
)
def test_errors_name_the_fault_and_its_offset(text: str, offset: int, message: str) -> None:
    with pytest.raises(LiteralError, match=message) as refused:
        parse(text)
    assert refused.value.offset == offset
    assert isinstance(refused.value, InvalidValueError)
    assert len(str(refused.value)) < 400


def test_a_literal_must_be_text() -> None:
    with pytest.raises(LiteralError, match="a literal is text, not bytes"):
        parse(b"u1")  # type: ignore[arg-type]


def test_the_nesting_depth_is_limited() -> None:
    for opening, closing in (("(some ", ")"), ("(", ")"), ("{a: ", "}"), ("(tuple (a ", "))"), ("(list ", ")")):
        parse(opening * MAX_DEPTH + "u1" + closing * MAX_DEPTH)
        with pytest.raises(LiteralError, match="deeper"):
            parse(opening * (MAX_DEPTH + 1) + "u1" + closing * (MAX_DEPTH + 1))
        with pytest.raises(LiteralError, match="deeper"):
            parse(opening * 100_000)
    assert str(parse("(" * MAX_DEPTH + ")" * MAX_DEPTH)).startswith("(((")
    with pytest.raises(LiteralError, match="deeper"):
        parse("(" * (MAX_DEPTH + 1) + ")" * (MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "text",
    [
        "(" + ";;\n" * 300_000,
        " " * 1_000_000 + "?",
        '"' + "\\" * 1_000_001,
        '"' + '\\"' * 500_000,
        'u"' + "\\u{" * 300_000 + '"',
        'u"\\u{' + "1" * 1_000_000 + '}"',
        "0x" + "f" * 1_000_001,
        "'S" + "0" * 1_000_000,
        "0" * 1_000_000 + "x",
        "9" * 1_000_000,
        "(list " + "none " * 200_000 + "true)",
        "{" + ",".join(f"a{number}: u1" for number in range(50_000)) + "?",
        "a" * 1_000_000,
    ],
    ids=lambda text: text[:12],
)
def test_hostile_text_is_rejected(text: str) -> None:
    """This takes linear time; a quadratic parser would never finish."""
    with pytest.raises(LiteralError):
        parse(text)


def test_text_longer_than_any_value_is_rejected() -> None:
    with pytest.raises(LiteralError, match="too many"):
        parse(" " * (MAX_TEXT_LENGTH + 1))


def test_the_longest_values_are_parsed() -> None:
    for value in (Utf8Value("😀" * 262_144), AsciiValue("\r" * (1 << 20)), ListValue([BoolValue(False)] * 100_000)):
        assert parse(str(value), node_text=True) == value
