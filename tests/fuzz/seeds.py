"""The inputs that the fuzzer starts from: vectors, random values and near misses; and a dictionary of common parts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from der_client.stacks.blocks import NakamotoBlock, transactions_root
from der_client.stacks.clarity import encode
from der_client.stacks.contract.annotations import Response
from tests.fuzz.targets import TYPED, Color, Inner, Outer
from tests.generators.seeded import Generator

_VECTORS: Final = Path(__file__).parents[1] / "vectors"
_ADDRESS: Final = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"
_LONGEST: Final = 4096

_RANDOM: Final = 200
# Each has one fault only: order of names, a duplicate name, trailing bytes, a list of two types, invalid UTF-8.
_NEAR_MISSES: Final = [
    bytes.fromhex(text)
    for text in (
        "0c00000002016203016103",
        "0c00000002016103016104",
        "0300",
        "0b000000020309",
        "0b000000020a030a0a03",
        "0b000000020c0000000201610301620" + "30c00000001016103",
        "0e00000002c328",
    )
]

DICTIONARY: Final = [
    b"(some ",
    b"(ok ",
    b"(err ",
    b"(list ",
    b"(tuple (",
    b"none",
    b"true",
    b'u"\\u{',
    b"0x",
    b"'" + _ADDRESS.encode(),
    b".a",
    b"{a: ",
    b";;",
    *[bytes((tag, 0, 0, 0, 1)) for tag in (2, 11, 12, 13, 14)],
    *[bytes((tag,)) for tag in range(15)],
    b"\x01a",
    b"\x05\x1a" + bytes(20),
    b"\x06\x1a" + bytes(20) + b"\x01a",
]


def of(target: str) -> list[bytes]:
    """Return the inputs for a target, most of which are accepted.

    Args:
        target: The name of a target.
    """
    seeds = {
        "value": _values,
        "argument": _values,
        "literal": _literals,
        "transaction": _transactions,
        "block": _blocks,
        "typed": _typed,
    }[target]()
    return [seed for seed in seeds if len(seed) <= _LONGEST]


def _load(name: str) -> Any:
    return json.loads((_VECTORS / name).read_text())


def _values() -> list[bytes]:
    vectors = _load("clarity_values.json")
    entries = [*vectors["node_tests"], *vectors["vm"], *vectors["real"], *_load("clarity_arguments.json")["arguments"]]
    generator = Generator(1)
    return [
        *[bytes.fromhex(entry["hex"].removeprefix("0x")) for entry in entries],
        *[encode(generator.value()) for _ in range(_RANDOM)],
        *_NEAR_MISSES,
    ]


def _literals() -> list[bytes]:
    texts = [entry["text"] for entry in _load("clarity_literals.json")["literals"]]
    nodes_texts = [entry["repr"] for entry in _load("clarity_values.json")["real"]]
    generator = Generator(2)
    nodes_texts += [str(generator.value()) for _ in range(_RANDOM)]
    return [b"\x00" + text.encode() for text in texts] + [b"\x01" + text.encode() for text in nodes_texts]


def _transactions() -> list[bytes]:
    real = [entry["raw_tx"] for entry in _load("transactions_real.json")["transactions"]]
    oracle = [entry["raw_tx"] for entry in _load("oracle_signed_txs.json")["vectors"]]
    generator = Generator(3)
    return [
        *[bytes.fromhex(text.removeprefix("0x")) for text in real + oracle],
        *[generator.transaction().encode() for _ in range(_RANDOM)],
    ]


def _blocks() -> list[bytes]:
    real = [NakamotoBlock.decode(bytes.fromhex(entry["raw"])) for entry in _load("blocks_real.json")]
    generator = Generator(4)
    made = []
    for count in range(12):
        transactions = tuple(generator.transaction() for _ in range(count))
        root = transactions_root([transaction.txid for transaction in transactions])
        header = replace(real[count % len(real)].header, transactions_root=root, signer_signatures=(bytes(65),))
        made.append(NakamotoBlock(header, transactions))
    return [block.encode() for block in (*real, *made)]


def _typed() -> list[bytes]:
    inner = Inner(a=1, b=True, c=-1, color=Color.GREEN)
    outer = Outer(
        who=f"{_ADDRESS}.market",
        inner=inner,
        maybe=inner,
        at=datetime(2026, 1, 1, tzinfo=UTC),
        on=date(2026, 1, 1),
        note="é",
        code="abcd",
        key=b"\x01\x02",
        many=(inner, inner),
        results=(),
        done=False,
    )
    bare = outer.model_copy(update={"who": _ADDRESS, "maybe": None, "key": None, "many": ()})
    examples: list[list[Any]] = [
        [outer, bare],
        [inner],
        [inner, None],
        [Response(inner, None), Response(None, 4)],
        [Response(False, None)],
        [7],
        [-7],
        [True],
        [_ADDRESS, f"{_ADDRESS}.market"],
        [outer.at],
        [outer.on],
        [Color.RED],
        [(_ADDRESS, _ADDRESS)],
        [(outer, bare)],
    ]
    return [
        bytes((number,)) + encode(codec.encode(example, "seed"))
        for number, (codec, of_type) in enumerate(zip(TYPED, examples, strict=True))
        for example in of_type
    ]
