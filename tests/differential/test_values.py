"""Random values are read and written the same by stacks.js, by the Rust codec and here."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from der_client.nodejs import find_node
from der_client.stacks.clarity import (
    BoolValue,
    ClarityValue,
    ListValue,
    SomeValue,
    TupleValue,
    Utf8Value,
    decode,
    encode,
    parse,
)
from der_client.stacks.clarity.wire import MAX_ARGUMENT_DEPTH, MAX_DEPTH
from der_client.stacks.errors import DecodeError
from tests.differential import transcript
from tests.generators.seeded import Generator

if TYPE_CHECKING:
    from tests.differential.oracle import Oracle

COUNT = 400
SCRIPT = Path(__file__).with_name("oracle.mjs")
BYTE_ORDER_MARK = "\ufeff"


def has_byte_order_mark(value: ClarityValue) -> bool:
    """Return whether a string in the value starts with a byte order mark."""
    match value:
        case Utf8Value():
            return value.value.startswith(BYTE_ORDER_MARK)
        case ListValue():
            return any(map(has_byte_order_mark, value))
        case TupleValue():
            return any(map(has_byte_order_mark, value.fields.values()))
    inner = value.value
    return isinstance(inner, ClarityValue) and has_byte_order_mark(inner)


@pytest.mark.parametrize("seed", range(8))
def test_random_values_are_read_and_written_the_same(oracle: Oracle, seed: int) -> None:
    generator = Generator(seed)
    for _ in range(COUNT):
        value = generator.value()
        data = encode(value)
        expected = transcript.of_value(value)

        by_codec = oracle.ask("value by codec", data)
        assert by_codec["decoded"] == expected
        assert by_codec["encoded"] == data.hex()
        assert parse(by_codec["text"], node_text=True) == value

        if has_byte_order_mark(value):
            continue
        by_sjs = oracle.ask("value by stacks.js", data)
        assert by_sjs["decoded"] == expected
        # stacks.js orders names by locale; see below.
        assert (by_sjs["encoded"] == data.hex()) is by_sjs["ordered"]
        if by_sjs["ordered"]:
            assert decode(bytes.fromhex(by_sjs["encoded"])) == value


@pytest.mark.parametrize("seed", range(8))
def test_damaged_values_are_rejected_or_read_the_same(oracle: Oracle, seed: int) -> None:
    """Bytes that are accepted here mean the same to all three; the others accept more."""
    generator = Generator(1000 + seed)
    accepted = 0
    for _ in range(COUNT):
        data = generator.damaged(encode(generator.value()))
        try:
            value = decode(data)
        except DecodeError:
            continue
        accepted += 1
        assert encode(value) == data
        expected = transcript.of_value(value)
        assert oracle.ask("value by codec", data)["decoded"] == expected
        if not has_byte_order_mark(value):
            assert oracle.ask("value by stacks.js", data)["decoded"] == expected
    assert accepted > COUNT // 20


# What no node accepts, or would encode differently: name, bytes, why it is rejected here, and whether stacks.js and the
# Rust codec accept it. If one of them becomes stricter, the test shows it.
LAXITIES: list[tuple[str, str, str, bool, bool]] = [
    ("bytes behind the value", "0300", "1 byte follows", True, True),
    ("a buffer cut short", "0200000004ff", "needs 4 bytes", True, False),
    ("an int cut short", "0001", "needs 16 bytes", True, False),
    ("names in another order", "0c00000002016203016103", "must come before 'b'", True, True),
    ("a name twice", "0c00000002016103016104", "is a duplicate", True, True),
    ("a tuple without fields", "0c00000000", "at least one field", True, True),
    ("a field without a name", "0c000000010003", "not a Clarity name", False, True),
    ("a field whose name is none", "0c0000000102316103", "not a Clarity name", False, True),
    ("a contract whose name is none", "061a" + "00" * 20 + "03612062", "not a contract name", True, True),
    ("string-ascii beyond ASCII", "0d00000001ff", "is not allowed in a string-ascii", True, True),
    ("string-utf8 that is no UTF-8", "0e00000001ff", "no UTF-8", True, True),
    ("a list of two types", "0b00000002" + "01" + "00" * 16 + "00" * 17, "int follows uint", True, True),
    ("33 composites around a value", "0a" * 33 + "03", "deeper than a node allows", True, False),
]


@pytest.mark.parametrize("laxity", LAXITIES, ids=lambda laxity: laxity[0])
def test_invalid_bytes_that_only_others_accept(oracle: Oracle, laxity: tuple[str, str, str, bool, bool]) -> None:
    _, hexadecimal, message, sjs_accepts, codec_accepts = laxity
    data = bytes.fromhex(hexadecimal)
    with pytest.raises(DecodeError, match=message):
        decode(data)
    assert ("error" not in oracle.ask("value by stacks.js", data)) is sjs_accepts
    assert ("error" not in oracle.ask("value by codec", data)) is codec_accepts


def test_fault_of_stacks_js_names_are_ordered_by_locale(oracle: Oracle) -> None:
    """Nodes order names by their bytes, as a vector of the VM shows; stacks.js orders them by ``localeCompare``."""
    value = TupleValue({name: BoolValue(True) for name in ("aB", "a-b", "A", "a_b", "ab")})
    by_sjs = oracle.ask("value by stacks.js", encode(value))
    names = re.findall(rb"([a-zA-Z_-]+)\x03", bytes.fromhex(by_sjs["encoded"]))
    assert names == [b"A", b"a_b", b"a-b", b"ab", b"aB"]
    assert list(value.fields) == ["A", "a-b", "aB", "a_b", "ab"]
    with pytest.raises(DecodeError, match="keys go by their bytes"):
        decode(bytes.fromhex(by_sjs["encoded"]))


def test_fault_of_stacks_js_a_byte_order_mark_is_lost(oracle: Oracle) -> None:
    """A string-utf8 that starts with U+FEFF loses it, also in the bytes that stacks.js would sign."""
    by_sjs = oracle.ask("value by stacks.js", encode(Utf8Value("\ufeffa\ufeff")))
    assert by_sjs["decoded"] == ["utf8", "a\ufeff"]


def test_fault_of_the_codec_an_unknown_type_is_read_forever() -> None:
    """The codec never returns, so it must only be given bytes that are well-formed to their end."""
    request = json.dumps({"do": "value by codec", "hex": "0f"})
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run([find_node(), str(SCRIPT)], input=request, text=True, capture_output=True, timeout=4, check=True)  # noqa: S603
    with pytest.raises(DecodeError, match="is not a Clarity type"):
        decode(b"\x0f")


def test_limit_of_the_codec_nesting(oracle: Oracle) -> None:
    """The codec accepts 15 composites around a value, as nodes do in arguments; results of contracts may have 31."""
    value: ClarityValue = BoolValue(True)
    for depth in range(1, MAX_DEPTH + 1):
        value = SomeValue(value)
        assert decode(encode(value)) == value
        answer = oracle.ask("value by codec", encode(value))
        assert ("error" in answer) is (depth > MAX_ARGUMENT_DEPTH)
