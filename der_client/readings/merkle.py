"""Merkle trees over days of millions of meters: one root on the chain, a proof for each day.

A leaf is ``sha256(0x00 ‖ consensus bytes of {asset-id, day, mask, wh, whs-hash})``, a node ``sha256(0x01 ‖ left
‖ right)``; a node without a sibling is taken up as it is. The prefixes keep a
node from being shown as a leaf. The contract production-tracking computes the same (``verify-leaf``, ``claim-leaf``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from der_client.readings.slots import MAX_SLOTS_PER_DAY, day_number
from der_client.stacks.checks import UINT_MAX, check_number
from der_client.stacks.clarity import BufferValue, ListValue, TupleValue, UIntValue, encode
from der_client.stacks.errors import InvalidValueError, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from der_client.readings.days import MeteredDay

MAX_DEPTH: Final = 24
MAX_LEAVES: Final = 1 << MAX_DEPTH
_HASH_LENGTH: Final = 32


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a meter produced on a day, as a leaf of a tree.

    Attributes:
        asset_id: The asset.
        day: The day, UTC.
        mask: The slots that are known.
        wh: Their total energy, Wh.
        whs_hash: What says which slot had how much: ``whs_hash`` of the slots' energies.
    """

    asset_id: int
    day: date
    mask: int
    wh: int
    whs_hash: bytes

    def __post_init__(self) -> None:
        """Refuse a leaf that no contract would take."""
        check_number(self.asset_id, 0, UINT_MAX, "asset_id")
        day_number(self.day)
        check_number(self.mask, 1, (1 << MAX_SLOTS_PER_DAY) - 1, "mask of slots")
        check_number(self.wh, 0, UINT_MAX, "wh")
        if not isinstance(self.whs_hash, bytes) or len(self.whs_hash) != _HASH_LENGTH:
            raise InvalidValueError(f"whs_hash must be {_HASH_LENGTH} bytes")

    @classmethod
    def of(cls, asset_id: int, metered: MeteredDay) -> Leaf:
        """Make the leaf of a day's known slots.

        Raises:
            InvalidValueError: If nothing of the day is known.
        """
        whs = [wh for wh in metered.wh_by_slot if wh is not None]
        return cls(asset_id, metered.day, metered.mask, metered.wh, whs_hash(whs))

    @property
    def hash(self) -> bytes:
        """The 32 bytes of the leaf in its tree."""
        day, mask, wh = _day_part(self.day), self.mask.to_bytes(16), self.wh.to_bytes(16)
        body = b"".join((_LEAF_HEAD, self.asset_id.to_bytes(16), day, mask, _WH, wh, _WHS_HASH, self.whs_hash))
        return sha256(body).digest()


def whs_hash(whs: Sequence[int]) -> bytes:
    """Return the SHA-256 of the consensus bytes of a list of energies, Wh, one for each slot of a mask, in order."""
    return sha256(encode(ListValue(tuple(UIntValue(wh) for wh in whs)))).digest()


# The consensus bytes of the tuple, cut at its values: a million leaves must not take a minute.
_LEAF_HEAD: Final = b"\x00\x0c\x00\x00\x00\x05\x08asset-id\x01"
_WH: Final = b"\x02wh\x01"
_WHS_HASH: Final = b"\x08whs-hash\x02\x00\x00\x00\x20"


@lru_cache(maxsize=1024)
def _day_part(day: date) -> bytes:
    return b"\x03day\x01" + day_number(day).to_bytes(16) + b"\x04mask\x01"


def leaf_value(leaf: Leaf) -> TupleValue:
    """Return a leaf as the contract takes it."""
    return TupleValue(
        {
            "asset-id": UIntValue(leaf.asset_id),
            "day": UIntValue(day_number(leaf.day)),
            "mask": UIntValue(leaf.mask),
            "wh": UIntValue(leaf.wh),
            "whs-hash": BufferValue(leaf.whs_hash),
        }
    )


@dataclass(frozen=True, slots=True)
class Step:
    """A step from a leaf to the root.

    Attributes:
        hash: The sibling, 32 bytes.
        left: Whether the sibling is on the left.
    """

    hash: bytes
    left: bool


class MerkleTree:
    """A tree over the hashes of leaves, in their order.

    Args:
        leaves: The hashes, 32 bytes each; 1 to 2²⁴.

    Raises:
        InvalidValueError: If there is none, there are more, or one has another length.
    """

    def __init__(self, leaves: Iterable[bytes]) -> None:
        level = list(leaves)
        if not 1 <= len(level) <= MAX_LEAVES:
            raise InvalidValueError(f"a tree has 1 to {MAX_LEAVES} leaves, not {len(level)}")
        if any(len(leaf) != _HASH_LENGTH for leaf in level):
            raise InvalidValueError(f"a leaf's hash has {_HASH_LENGTH} bytes")
        self._levels = [level]
        while len(level) > 1:
            pairs = iter(level)
            above = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]
            if len(level) % 2:
                above.append(level[-1])
            self._levels.append(above)
            level = above

    @classmethod
    def of(cls, leaves: Iterable[Leaf]) -> MerkleTree:
        """Make the tree of some leaves, in their order."""
        return cls(leaf.hash for leaf in leaves)

    @property
    def root(self) -> bytes:
        """The hash of all readings, 32 bytes."""
        return self._levels[-1][0]

    def __len__(self) -> int:
        """Return how many leaves it has."""
        return len(self._levels[0])

    def proof(self, index: int) -> tuple[Step, ...]:
        """Return the path from a leaf to the root.

        Args:
            index: The number of the leaf, from 0.

        Raises:
            InvalidValueError: If the tree has fewer leaves.
        """
        check_number(index, 0, len(self) - 1, "number of the leaf")
        path = []
        for level in self._levels[:-1]:
            sibling = index ^ 1
            if sibling < len(level):
                path.append(Step(level[sibling], left=sibling < index))
            index //= 2
        return tuple(path)

    @whole
    def __repr__(self) -> str:
        """Show its root and size."""
        return f"<MerkleTree of {len(self)} leaves, root {self.root.hex()}>"


def root_of(leaf: bytes, path: Sequence[Step]) -> bytes:
    """Return the root that a leaf's hash and a path lead to; it proves the leaf if it is the root on the chain.

    Args:
        leaf: The leaf's hash, 32 bytes.
        path: The steps from the leaf to the root, at most 24.

    Raises:
        InvalidValueError: If the path is longer, or a hash has another length.
    """
    if len(path) > MAX_DEPTH:
        raise InvalidValueError(f"a path has at most {MAX_DEPTH} steps, not {len(path)}")
    if len(leaf) != _HASH_LENGTH or any(len(step.hash) != _HASH_LENGTH for step in path):
        raise InvalidValueError(f"each hash has {_HASH_LENGTH} bytes")
    node = leaf
    for step in path:
        node = sha256(b"\x01" + step.hash + node if step.left else b"\x01" + node + step.hash).digest()
    return node
