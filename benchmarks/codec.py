"""Decoding and encoding of Clarity values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import inputs
from benchmarks.measure import OURS, Peer, Work, each, require_same
from der_client.stacks.clarity import decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.peers import Peers
    from der_client.stacks.clarity import ClarityValue


def works(peers: Peers) -> Iterator[Work]:
    """Yield the decoding and encoding of a tuple and of a list of tuples."""
    yield from _of("a 7-field tuple", inputs.TUPLES, peers, decode_goal=5, encode_goal=12)
    yield from _of("a list of 200 4-field tuples", inputs.LISTS, peers, decode_goal=2.4, encode_goal=10)


def _of(
    what: str, values: Sequence[ClarityValue], peers: Peers, *, decode_goal: float, encode_goal: float
) -> Iterator[Work]:
    encoded = [encode(value) for value in values]
    given = {"values": [raw.hex() for raw in encoded]}
    js_decode, rust_decode, js_encode = (
        peers.work(name, given) for name in ("stacks.js decode value", "Rust decode value", "stacks.js encode value")
    )

    def check_decode() -> None:
        for number, (value, raw) in enumerate(zip(values, encoded, strict=True)):
            require_same(f"decode {what}", {"the value": value, OURS: decode(raw)})
            texts = {"stacks.js": js_decode.result(number), "Rust codec": rust_decode.result(number)}
            require_same(f"decode {what}", {OURS: str(decode(raw)), **texts})

    def check_encode() -> None:
        for number, value in enumerate(values):
            require_same(f"encode {what}", {OURS: encode(value).hex(), "stacks.js": js_encode.result(number)})

    yield Work(
        f"decode {what}",
        each(decode, encoded),
        (Peer("stacks.js", js_decode.run, goal=decode_goal), Peer("Rust codec", rust_decode.run)),
        check_decode,
    )
    yield Work(
        f"encode {what}", each(encode, values), (Peer("stacks.js", js_encode.run, goal=encode_goal),), check_encode
    )
