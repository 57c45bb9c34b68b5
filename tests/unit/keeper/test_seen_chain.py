"""Distinguishing a growing chain from a replaced one and from a lagging node."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from der_client.keeper.seen_chain import Place, SeenChain
from der_client.stacks.errors import NotFoundError
from der_client.stacks.rpc.responses import Block


def block(height: int, fork: str = "a") -> Block:
    return Block(height, f"{fork}{height:063d}", datetime(2026, 7, 1, tzinfo=UTC), None, None, None, None)


class FakeClient:
    """A node with a chain up to a given height."""

    def __init__(self, height: int, fork: str = "a") -> None:
        self.height = height
        self.fork = fork

    def block(self, height: int) -> Block:
        if height > self.height:
            raise NotFoundError("no such block", "url")
        return block(height, self.fork)


def look(chain: SeenChain, tip: Block, node: FakeClient | None = None) -> Place:
    client: Any = node or FakeClient(tip.height, tip.hash[0])
    place = chain.place(tip, client)
    chain.move_on(tip, place)
    return place


def test_a_growing_chain_has_new_blocks() -> None:
    chain = SeenChain()
    assert [look(chain, block(height)) for height in (5, 5, 6, 9, 9)] == [
        Place.ELSEWHERE,
        Place.SAME,
        Place.NEW,
        Place.NEW,
        Place.SAME,
    ]


def test_a_lagging_node_is_ignored() -> None:
    chain = SeenChain()
    for height in (5, 7, 9):
        look(chain, block(height))
    for height in (7, 8, 5):
        assert look(chain, block(height)) is Place.BEHIND
        assert chain.move_on(block(height), Place.SAME).height == 9
    assert look(chain, block(10), FakeClient(8)) is Place.BEHIND, "one node told the tip, another knows no block 9"
    assert look(chain, block(10)) is Place.NEW


def test_a_chain_that_was_reset_is_accepted_after_a_while() -> None:
    chain = SeenChain()
    for height in (5, 9):
        look(chain, block(height))
    assert [look(chain, block(5)) for _ in range(6)] == [Place.BEHIND] * 5 + [Place.ELSEWHERE]
    assert look(chain, block(6)) is Place.NEW


def test_a_fork_is_detected() -> None:
    for tip in (block(9, "b"), block(10, "b"), block(6, "b"), block(4)):
        chain = SeenChain()
        for height in (5, 9):
            look(chain, block(height))
        assert look(chain, tip) is Place.ELSEWHERE, tip
        assert look(chain, block(tip.height + 1, tip.hash[0])) is Place.NEW
