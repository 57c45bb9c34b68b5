"""Blocks as nodes keep them: their header and transactions, and the proof that a transaction is in one.

>>> block = NakamotoBlock.decode(raw)
>>> block.header.block_id, block.header.height, block.header.time
>>> path = block.path(txid)
>>> path.root(txid) == block.header.transactions_root
"""

from der_client.stacks.blocks.block import MAX_BLOCK_LENGTH, NakamotoBlock
from der_client.stacks.blocks.header import BlockHeader, ProblematicTransaction
from der_client.stacks.blocks.merkle import MAX_PATH_LENGTH, MerklePath, transactions_root

__all__ = [
    "MAX_BLOCK_LENGTH",
    "MAX_PATH_LENGTH",
    "BlockHeader",
    "MerklePath",
    "NakamotoBlock",
    "ProblematicTransaction",
    "transactions_root",
]
