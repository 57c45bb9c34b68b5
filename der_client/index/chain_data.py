"""What the index reads from a chain: blocks, with the transactions in which the contracts printed something.

Blocks and transactions are read as they are declared here from the API's list of a block's transactions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import SkipValidation

from der_client.stacks.contract.events import Event
from der_client.stacks.rpc.fields import NONE_IS_EMPTY, Amount, Hash, HexBytes, Moment, Unsigned, at, inner
from der_client.stacks.rpc.responses import ExecutionCost


@dataclass(frozen=True, slots=True)
class ChainBlock:
    """A block.

    Attributes:
        height: Its height.
        hash: Its hash, hexadecimal.
        time: Its time, UTC.
        parent_hash: The hash of the previous block; ``None`` where the API does not say.
        burn_height: The height of its Bitcoin block; ``None`` where the API does not say.
    """

    height: Annotated[Unsigned, at("block_height")]
    hash: Annotated[Hash, at("block_hash")]
    time: Annotated[Moment, at("block_time")]
    parent_hash: Annotated[Hash | None, at("parent_block_hash")] = None
    burn_height: Annotated[Unsigned | None, at("burn_block_height")] = None


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
        status: The API's word for its outcome.
        result: Its result, encoded.
        fee_ustx: Its fee, µSTX.
        cost: Its execution cost; ``None`` where the API does not say.
        printed: What the contracts printed in it, in order.
    """

    txid: Annotated[Hash, at("tx_id")]
    tx_index: Unsigned
    sender: Annotated[str, at("sender_address")]
    contract_id: Annotated[str | None, at("contract_call.contract_id", "smart_contract.contract_id", default=None)]
    function: Annotated[str | None, at("contract_call.function_name", default=None)]
    arguments: Annotated[
        tuple[Annotated[HexBytes, inner("hex")], ...], NONE_IS_EMPTY, at("contract_call.function_args", default=())
    ]
    status: Annotated[str, at("tx_status")]
    result: Annotated[HexBytes, at("tx_result.hex")]
    fee_ustx: Annotated[Amount, at("fee_rate")]
    cost: Annotated[ExecutionCost | None, at("execution_cost", default=None)]
    printed: Annotated[Sequence[Printed], SkipValidation] = ()


@dataclass(frozen=True, slots=True)
class FilledBlock:
    """A block with those of its transactions in which the contracts printed something, in order."""

    block: ChainBlock
    transactions: Sequence[ChainTransaction] = field(default=())
