"""The Merkle tree over a block's transactions, and the path from one of them to its root.

A leaf is ``SHA-512/256(0x00 ‖ txid)``, a node ``SHA-512/256(0x01 ‖ left ‖ right)``. A level with an odd number of nodes
repeats its last one, also where that is the only leaf; without transactions the root is 32 zeros (SIP-005, SIP-021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from der_client.stacks.errors import InvalidValueError, shown
from der_client.stacks.transactions.hashing import sha512_256

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HASH_LENGTH: Final = 32
MAX_PATH_LENGTH: Final = 32
"""More levels than any block has: 2 MiB hold fewer than 2¹⁴ transactions."""
_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"


@dataclass(frozen=True, slots=True)
class MerklePath:
    """What leads from a transaction to the root of its block's tree.

    Attributes:
        position: Which of the block's transactions it is, from 0.
        siblings: The node beside each one on the way up, 32 bytes each.
    """

    position: int
    siblings: tuple[bytes, ...]

    def __post_init__(self) -> None:
        """Refuse an invalid path: of a wrong length, or to a position that no tree of its height has."""
        if not 1 <= len(self.siblings) <= MAX_PATH_LENGTH:
            raise InvalidValueError(f"a path has 1 to {MAX_PATH_LENGTH} siblings, not {len(self.siblings)}")
        if any(len(sibling) != HASH_LENGTH for sibling in self.siblings):
            raise InvalidValueError(f"the siblings of a path have {HASH_LENGTH} bytes each")
        if not 0 <= self.position < 1 << len(self.siblings):
            raise InvalidValueError(
                f"a tree of {len(self.siblings)} levels has no position {shown(self.position, str)}"
            )

    def root(self, txid: str) -> str:
        """Return the root that the path leads to from a transaction, hexadecimal.

        Args:
            txid: The transaction.

        Raises:
            InvalidValueError: If the txid is invalid, or the position is that of a repeated node: the path from there
                leads to the root as well, but the transaction is at an earlier position.
        """
        node, position = _leaf(txid), self.position
        for sibling in self.siblings:
            if position & 1 and sibling == node:
                raise InvalidValueError(f"position {self.position} is that of a repeated node, not of a transaction")
            node = sha512_256(_NODE + sibling + node) if position & 1 else sha512_256(_NODE + node + sibling)
            position >>= 1
        return node.hex()


def transactions_root(txids: Sequence[str]) -> str:
    """Return the root of the tree over a block's transactions, hexadecimal.

    Args:
        txids: The transactions in the order of the block.

    Raises:
        InvalidValueError: If one of them is not a txid.
    """
    if not txids:
        return "00" * HASH_LENGTH
    *_, (root,) = _levels(txids)
    return root.hex()


def path_to(txids: Sequence[str], position: int) -> MerklePath:
    """Return the path from one of a block's transactions to the root.

    Args:
        txids: The transactions in the order of the block.
        position: Which of them, from 0.

    Raises:
        InvalidValueError: If there is no such transaction, or one of them is not a txid.
    """
    if not 0 <= position < len(txids):
        raise InvalidValueError(f"the block has {len(txids)} transactions, and none at position {position}")
    *below_root, _ = _levels(txids)
    return MerklePath(position, tuple(level[(position >> height) ^ 1] for height, level in enumerate(below_root)))


def _levels(txids: Sequence[str]) -> Iterator[list[bytes]]:
    """Yield the tree's levels from the leaves up, each but the root with its last node repeated if it is odd."""
    level = [_leaf(txid) for txid in txids]
    while True:
        if len(level) % 2:
            level.append(level[-1])
        yield level
        level = [sha512_256(_NODE + left + right) for left, right in zip(level[::2], level[1::2], strict=True)]
        if len(level) == 1:
            yield level
            return


def _leaf(txid: str) -> bytes:
    try:
        data = bytes.fromhex(txid)
    except (TypeError, ValueError):
        data = b""
    if len(data) != HASH_LENGTH:
        raise InvalidValueError(f"txid {shown(txid)} is not 64 hexadecimal digits")
    return sha512_256(_LEAF + data)
