"""A Nakamoto block: what ``GET /v3/blocks/{id}`` returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from der_client.stacks.blocks.header import BlockHeader
from der_client.stacks.blocks.merkle import path_to, transactions_root
from der_client.stacks.errors import DecodeError, InvalidValueError, bytes_follow, shown
from der_client.stacks.transactions.transaction import Transaction
from der_client.stacks.transactions.wire import read_count

if TYPE_CHECKING:
    from der_client.stacks.blocks.merkle import MerklePath

MAX_BLOCK_LENGTH: Final = 16 << 20
"""Nodes send each other no more."""
_SHORTEST_HEAD: Final = 55
"""Each transaction begins with so many bytes or more, before its payload."""


@dataclass(frozen=True, slots=True)
class NakamotoBlock:
    """A header with the transactions that its root names.

    Attributes:
        header: The header.
        transactions: In the block's order.
    """

    header: BlockHeader
    transactions: tuple[Transaction, ...]

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a block, and check that its transactions are those of its header's Merkle root.

        Args:
            data: Its bytes, at most 16 MiB.

        Returns:
            The block; encoding it gives the same bytes. Whether signers signed it, or it is on the chain, is not known.

        Raises:
            DecodeError: If it is not well-formed, has a transaction twice, or others than its header says.
        """
        if not isinstance(data, bytes):
            raise DecodeError(f"a block is read from bytes, not {type(data).__name__}", 0)
        if len(data) > MAX_BLOCK_LENGTH:
            raise DecodeError(f"a block has at most {MAX_BLOCK_LENGTH} bytes, not {len(data)}", MAX_BLOCK_LENGTH)
        header, count_at = BlockHeader.read(data, 0)
        count, offset = read_count(data, count_at, _SHORTEST_HEAD, "transactions")
        transactions: dict[str, Transaction] = {}
        for _ in range(count):
            start = offset
            transaction, offset = Transaction.read(data, start)
            if transaction.txid in transactions:
                # Repeating the last ones can leave the root as it is: a node refuses that, too.
                raise DecodeError(f"transaction {_beginning(transaction.txid)} is in the block twice", start)
            transactions[transaction.txid] = transaction
        if offset != len(data):
            raise DecodeError(bytes_follow(len(data) - offset, "the block"), offset)
        root = transactions_root(list(transactions))
        if root != header.transactions_root:
            said = _beginning(header.transactions_root)
            raise DecodeError(f"the transactions have root {_beginning(root)}, the header {said}", count_at)
        return cls(header, tuple(transactions.values()))

    def encode(self) -> bytes:
        """Return the block's bytes: what ``decode`` reads."""
        transactions = [transaction.encode() for transaction in self.transactions]
        return self.header.encode() + len(transactions).to_bytes(4) + b"".join(transactions)

    def path(self, txid: str) -> MerklePath:
        """Return what proves, with the header, that a transaction is in the block.

        Args:
            txid: The transaction, 64 hexadecimal digits.

        Raises:
            InvalidValueError: If it is not in the block.
        """
        txids = [transaction.txid for transaction in self.transactions]
        if txid not in txids:
            raise InvalidValueError(f"transaction {shown(txid)} is not in block {self.header.height}")
        return path_to(txids, txids.index(txid))


def _beginning(text: str) -> str:
    """Cut a hash: messages leave out whole ones, which look like private keys."""
    return f"{text[:16]}…"
