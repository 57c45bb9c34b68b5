"""What the index takes from a chain: blocks, with the transactions in which the contracts printed something."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from der_client.stacks.contract.events import Event
    from der_client.stacks.rpc.answers import ExecutionCost


@dataclass(frozen=True, slots=True)
class ChainBlock:
    """A block.

    Attributes:
        height: Its height.
        hash: Its hash, hexadecimal.
        time: Its time, UTC.
        parent_hash: The hash of the block before; ``None`` where the API does not say.
        burn_height: The height of its Bitcoin block; ``None`` where the API does not say.
    """

    height: int
    hash: str
    time: datetime
    parent_hash: str | None = None
    burn_height: int | None = None


@dataclass(frozen=True, slots=True)
class Printed:
    """An event of the contracts in a transaction.

    Attributes:
        event_index: Its place among the transaction's events.
        event: The typed event.
    """

    event_index: int
    event: Event


@dataclass(frozen=True, slots=True)
class ChainTransaction:
    """A mined transaction.

    Attributes:
        txid: Its id, hexadecimal without 0x.
        tx_index: Its place in the block.
        sender: Who sent it.
        contract_id: The contract that it called or published, if it did.
        function: The function that it called, if it did.
        arguments: The function's arguments, encoded.
        status: The API's word for what became of it.
        result: Its result, encoded.
        fee_ustx: Its fee, µSTX.
        cost: What it cost to carry out; ``None`` where the API does not say.
        printed: What the contracts printed in it, in order.
    """

    txid: str
    tx_index: int
    sender: str
    contract_id: str | None
    function: str | None
    arguments: tuple[bytes, ...]
    status: str
    result: bytes
    fee_ustx: int
    cost: ExecutionCost | None
    printed: Sequence[Printed] = ()


@dataclass(frozen=True, slots=True)
class FilledBlock:
    """A block with those of its transactions in which the contracts printed something, in order."""

    block: ChainBlock
    transactions: Sequence[ChainTransaction] = field(default=())
