"""Merkle trees over meter-days, written from the rules: leaf 0x00, node 0x01, an odd node moves up unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

from der_client.stacks.clarity import BufferValue, TupleValue, UIntValue, encode

Leaf = tuple[tuple[str, Any], ...]
"""The fields of a leaf, sorted by name."""


def frozen(leaf: Mapping[str, Any]) -> Leaf:
    """Return a leaf in the form that a tree keeps."""
    return tuple(sorted(leaf.items()))


@dataclass(frozen=True)
class Tree:
    """A Merkle tree.

    Attributes:
        leaves: Its leaves, at least one.
    """

    leaves: tuple[Leaf, ...]

    @property
    def root(self) -> bytes:
        """The root hash."""
        return self.levels[-1][0]

    @cached_property
    def levels(self) -> list[list[bytes]]:
        """The hashes of each level, from the leaves to the root."""
        levels = [[_hash(leaf) for leaf in self.leaves]]
        while len(levels[-1]) > 1:
            below = levels[-1]
            pairs = [below[at : at + 2] for at in range(0, len(below), 2)]
            levels.append([sha256(b"\x01" + b"".join(pair)).digest() if len(pair) == 2 else pair[0] for pair in pairs])
        return levels


@dataclass(frozen=True)
class Proof:
    """The proof that a leaf belongs to a tree.

    Attributes:
        tree: The tree.
        number: The index of the leaf, from 0.
    """

    tree: Tree
    number: int

    @property
    def leaf(self) -> Leaf:
        """The leaf that is proved."""
        return self.tree.leaves[self.number]

    @property
    def path(self) -> list[tuple[bool, bytes]]:
        """The siblings from the leaf to the root: whether each is on the left, and its hash."""
        path, number = [], self.number
        for level in self.tree.levels[:-1]:
            sibling = number ^ 1
            if sibling < len(level):
                path.append((sibling < number, level[sibling]))
            number //= 2
        return path


def _hash(leaf: Leaf) -> bytes:
    fields = {
        name.replace("_", "-"): BufferValue(value) if isinstance(value, bytes) else UIntValue(value)
        for name, value in leaf
    }
    return sha256(b"\x00" + encode(TupleValue(fields))).digest()
