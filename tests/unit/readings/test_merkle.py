"""Merkle trees: a proof for every leaf and for nothing else, and the same hashed bytes as in the contract."""

from dataclasses import replace
from datetime import date
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.readings import Leaf, MerkleTree, MeteredDay, root_of
from der_client.readings.merkle import MAX_DEPTH, Step, leaf_value, whs_hash
from der_client.stacks.clarity import encode
from der_client.stacks.errors import InvalidValueError

LEAF = Leaf(7, date(2026, 6, 30), 0b101, 99, bytes(range(32)))
HASHES = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=70)


def by_definition(level: list[bytes]) -> bytes:
    if len(level) == 1:
        return level[0]
    above = [sha256(b"\x01" + level[index] + level[index + 1]).digest() for index in range(0, len(level) - 1, 2)]
    return by_definition(above + level[len(level) - len(level) % 2 :])


@given(HASHES)
def test_every_leaf_can_be_proved_and_nothing_else(hashes: list[bytes]) -> None:
    tree = MerkleTree(hashes)
    assert (len(tree), tree.root) == (len(hashes), by_definition(hashes))
    for index, leaf in enumerate(hashes):
        path = tree.proof(index)
        assert root_of(leaf, path) == tree.root
        assert root_of(bytes(byte ^ 1 for byte in leaf), path) != tree.root
        for number, step in enumerate(path):
            other = (*path[:number], Step(step.hash, not step.left), *path[number + 1 :])
            sibling_is_the_same = step.hash == root_of(leaf, path[:number])
            assert sibling_is_the_same or root_of(leaf, other) != tree.root


@given(
    st.builds(
        Leaf,
        st.integers(0, 2**128 - 1),
        st.dates(date(1970, 1, 1), date(9999, 12, 30)),
        st.integers(1, 2**96 - 1),
        st.integers(0, 2**128 - 1),
        st.binary(min_size=32, max_size=32),
    )
)
def test_a_leaf_is_the_hash_of_its_consensus_encoding(leaf: Leaf) -> None:
    assert leaf.hash == sha256(b"\x00" + encode(leaf_value(leaf))).digest()


def test_an_inner_node_cannot_be_used_as_a_leaf() -> None:
    hashes = [bytes([number]) * 32 for number in range(4)]
    tree = MerkleTree(hashes)
    inner = hashes[0] + hashes[1]
    assert root_of(sha256(b"\x00" + inner).digest(), tree.proof(0)[1:]) != tree.root


def test_a_day_is_a_leaf_with_all_its_slots() -> None:
    day = MeteredDay(date(2026, 6, 30), 3600, (1, None, 3, *(None,) * 21))
    leaf = Leaf.of(7, day)
    assert (leaf.mask, leaf.wh, leaf.whs_hash) == (0b101, 4, whs_hash([1, 3]))
    assert MerkleTree.of([leaf, LEAF]).root == MerkleTree([leaf.hash, LEAF.hash]).root
    with pytest.raises(InvalidValueError, match="mask of slots"):
        Leaf.of(7, day.only(0))


def test_invalid_leaves_trees_and_proofs_are_rejected() -> None:
    for change in ({"asset_id": -1}, {"mask": 0}, {"mask": 1 << 96}, {"wh": -1}, {"whs_hash": b""}):
        with pytest.raises(InvalidValueError):
            replace(LEAF, **change)
    with pytest.raises(InvalidValueError, match="not 0"):
        MerkleTree([])
    with pytest.raises(InvalidValueError, match="32 bytes"):
        MerkleTree([bytes(31)])
    with pytest.raises(InvalidValueError, match="number of the leaf"):
        MerkleTree([bytes(32)]).proof(1)
    with pytest.raises(InvalidValueError, match="at most 24 steps"):
        root_of(bytes(32), [Step(bytes(32), left=True)] * (MAX_DEPTH + 1))
