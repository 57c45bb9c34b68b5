"""Typed answers of the node and of the API: frozen, with units in their names.

Hashes and transaction ids are lower-case hexadecimal without ``0x``; amounts of STX are integers of µSTX.
Clarity values stay bytes where they are many, and are decoded when asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from der_client.stacks.clarity import ClarityValue, decode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from der_client.stacks.clarity.types import ClarityType


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """What a node says of itself and of the chain (``GET /v2/info``)."""

    network_id: int
    server_version: str
    peer_version: int
    stacks_tip_height: int
    stacks_tip: str
    stacks_tip_consensus_hash: str
    burn_block_height: int
    stable_burn_block_height: int
    tenure_height: int | None
    is_fully_synced: bool | None


@dataclass(frozen=True, slots=True)
class NodeHealth:
    """How far a node is behind its peers (``GET /v3/health``), in Stacks blocks."""

    difference_from_max_peer: int
    max_stacks_height_of_neighbors: int
    node_stacks_tip_height: int
    max_stacks_neighbor_address: str | None


@dataclass(frozen=True, slots=True)
class ExecutionCost:
    """The five dimensions of cost of a Clarity execution."""

    read_count: int
    read_length_bytes: int
    runtime: int
    write_count: int
    write_length_bytes: int


@dataclass(frozen=True, slots=True)
class PoxCycle:
    """A reward cycle of proof of transfer."""

    id: int
    min_threshold_ustx: int
    stacked_ustx: int
    is_pox_active: bool | None


@dataclass(frozen=True, slots=True)
class Epoch:
    """A Stacks epoch: the burn blocks it lasts and the cost limit of a block in it."""

    epoch_id: str
    start_height: int
    end_height: int
    block_limit: ExecutionCost


@dataclass(frozen=True, slots=True)
class PoxInfo:
    """The state of proof of transfer (``GET /v2/pox``); heights are of burn blocks."""

    contract_id: str
    current_burnchain_block_height: int
    first_burnchain_block_height: int
    prepare_phase_block_length: int
    reward_phase_block_length: int
    reward_slots: int
    total_liquid_supply_ustx: int
    min_amount_ustx: int
    reward_cycle_id: int
    reward_cycle_length: int
    next_reward_cycle_in: int
    current_cycle: PoxCycle
    next_cycle: PoxCycle
    current_epoch: str | None
    epochs: tuple[Epoch, ...]
    sbtc_contract: str | None


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """Balance and nonce of a principal as the node has them (``GET /v2/accounts``)."""

    balance_ustx: int
    locked_ustx: int
    unlock_height: int
    nonce: int


@dataclass(frozen=True, slots=True)
class FeeEstimate:
    """What the node expects a transaction to cost (``POST /v2/fees/transaction``): fees in µSTX."""

    low_ustx: int
    middle_ustx: int
    high_ustx: int
    cost: ExecutionCost


@dataclass(frozen=True, slots=True)
class ArgumentInterface:
    """An argument of a contract's function."""

    name: str
    type: ClarityType


@dataclass(frozen=True, slots=True)
class FunctionInterface:
    """A contract's function; ``access`` is public, read_only or private."""

    name: str
    access: str
    arguments: tuple[ArgumentInterface, ...]
    output: ClarityType


@dataclass(frozen=True, slots=True)
class VariableInterface:
    """A contract's constant or data variable; ``access`` is constant or variable."""

    name: str
    access: str
    type: ClarityType


@dataclass(frozen=True, slots=True)
class MapInterface:
    """A contract's map."""

    name: str
    key: ClarityType
    value: ClarityType


@dataclass(frozen=True, slots=True)
class NonFungibleTokenInterface:
    """A non-fungible token that a contract defines."""

    name: str
    type: ClarityType


@dataclass(frozen=True, slots=True)
class ContractInterface:
    """A contract's ABI (``GET /v2/contracts/interface``), by name."""

    functions: Mapping[str, FunctionInterface]
    variables: Mapping[str, VariableInterface]
    maps: Mapping[str, MapInterface]
    fungible_tokens: tuple[str, ...]
    non_fungible_tokens: Mapping[str, NonFungibleTokenInterface]
    epoch: str | None
    clarity_version: str | None


@dataclass(frozen=True, slots=True)
class ContractSource:
    """A contract's source code and the height it was published at (``GET /v2/contracts/source``)."""

    source: str
    publish_height: int


@dataclass(frozen=True, slots=True)
class NodeTransaction:
    """A mined transaction as the node keeps it (``GET /v3/transaction``).

    It cannot tell success from a post-condition abort: ``result_text`` is then the value that would have been.
    """

    index_block_hash: str
    raw: bytes
    result_text: str
    block_height: int | None
    is_canonical: bool | None


@dataclass(frozen=True, slots=True)
class UnconfirmedTransaction:
    """A transaction in the node's mempool (``GET /v2/transactions/unconfirmed``)."""

    raw: bytes
    status: str


class TransactionStatus(StrEnum):
    """The API's word for what became of a transaction."""

    PENDING = "pending"
    SUCCESS = "success"
    ABORT_BY_RESPONSE = "abort_by_response"
    ABORT_BY_POST_CONDITION = "abort_by_post_condition"
    PROBLEMATIC_SKIPPED = "problematic_skipped"
    DROPPED_REPLACE_BY_FEE = "dropped_replace_by_fee"
    DROPPED_REPLACE_ACROSS_FORK = "dropped_replace_across_fork"
    DROPPED_TOO_EXPENSIVE = "dropped_too_expensive"
    DROPPED_STALE_GARBAGE_COLLECT = "dropped_stale_garbage_collect"
    DROPPED_PROBLEMATIC = "dropped_problematic"

    @property
    def is_mined(self) -> bool:
        """Whether the transaction is in a block, whatever came of it."""
        return self in _MINED

    @property
    def is_dropped(self) -> bool:
        """Whether the transaction left the mempool without being mined."""
        return self.value.startswith("dropped_")


_MINED = frozenset(
    {
        TransactionStatus.SUCCESS,
        TransactionStatus.ABORT_BY_RESPONSE,
        TransactionStatus.ABORT_BY_POST_CONDITION,
        TransactionStatus.PROBLEMATIC_SKIPPED,
    }
)


@dataclass(frozen=True, slots=True)
class ContractLogEvent:
    """Something a contract printed.

    Attributes:
        contract_id: ``ADDRESS.name`` of the contract.
        topic: Always ``print`` so far.
        raw_value: The printed value in the consensus encoding.
        txid: The transaction it was printed in.
        event_index: Its place among the events of that transaction.
        block_height: Of that transaction; ``None`` where the API does not say.
        block_time: Of that block, UTC; ``None`` where the API does not say.
    """

    contract_id: str
    topic: str
    raw_value: bytes
    txid: str
    event_index: int
    block_height: int | None = None
    block_time: datetime | None = None

    @property
    def value(self) -> ClarityValue:
        """The printed value, decoded."""
        return decode(self.raw_value)


@dataclass(frozen=True, slots=True)
class StxEvent:
    """STX that moved: ``action`` is transfer, mint or burn; sender or recipient is empty where there is none.

    Its memo is that of a transfer, without the zero bytes at the end that the wire adds.
    """

    action: str
    sender: str
    recipient: str
    amount_ustx: int
    memo: bytes
    txid: str
    event_index: int


@dataclass(frozen=True, slots=True)
class FungibleTokenEvent:
    """Fungible tokens that moved; ``asset_id`` is ``ADDRESS.contract::token``."""

    action: str
    asset_id: str
    sender: str
    recipient: str
    amount: int
    txid: str
    event_index: int


@dataclass(frozen=True, slots=True)
class NonFungibleTokenEvent:
    """A non-fungible token that moved; ``asset_id`` is ``ADDRESS.contract::token``."""

    action: str
    asset_id: str
    sender: str
    recipient: str
    raw_value: bytes
    txid: str
    event_index: int

    @property
    def value(self) -> ClarityValue:
        """The token's identifier, decoded."""
        return decode(self.raw_value)


@dataclass(frozen=True, slots=True)
class OtherEvent:
    """An event of a kind that has no class here, such as an STX lock."""

    event_type: str
    txid: str
    event_index: int
    data: Mapping[str, Any]


Event = ContractLogEvent | StxEvent | FungibleTokenEvent | NonFungibleTokenEvent | OtherEvent


@dataclass(frozen=True, slots=True)
class TransactionInfo:
    """A transaction as the API knows it (``GET /extended/v1/tx``), pending, mined or dropped.

    A mined one is a `TransactionReceipt`.

    Attributes:
        txid: Its id.
        status: What became of it.
        type: ``token_transfer``, ``contract_call``, ``smart_contract``, …
        sender: The origin's address.
        nonce: The origin's nonce.
        sponsor: The address that pays the fee, if it is not the sender.
        fee_ustx: What was offered, and taken if mined.
        is_canonical: Whether its block is on the chain's present fork; true while pending.
        raw_result: The result in the consensus encoding; ``None`` unless mined.
        events: What it printed and moved; empty unless mined.
        cost: What its execution cost; ``None`` unless mined.
        block_height: ``None`` unless mined.
        block_hash: ``None`` unless mined.
        block_time: UTC; ``None`` unless mined.
        burn_block_height: ``None`` unless mined.
        vm_error: The runtime error, if it hit one.
        contract_id: The contract called or published, if any.
        function: The function called, if any.
        event_count: How many events it has in all; more than ``events`` holds if the answer was one page of many.
    """

    txid: str
    status: TransactionStatus
    type: str
    sender: str
    nonce: int
    sponsor: str | None
    fee_ustx: int
    is_canonical: bool
    raw_result: bytes | None
    events: tuple[Event, ...]
    cost: ExecutionCost | None
    block_height: int | None
    block_hash: str | None
    block_time: datetime | None
    burn_block_height: int | None
    vm_error: str | None
    contract_id: str | None
    function: str | None
    event_count: int

    @property
    def result(self) -> ClarityValue | None:
        """The result, decoded; ``None`` unless mined."""
        return None if self.raw_result is None else decode(self.raw_result)


@dataclass(frozen=True, slots=True)
class TransactionReceipt(TransactionInfo):
    """A mined transaction, whatever came of it: result, block and time are there."""

    raw_result: bytes
    block_height: int
    block_hash: str
    block_time: datetime

    @property
    def result(self) -> ClarityValue:
        """The result, decoded."""
        return decode(self.raw_result)


@dataclass(frozen=True, slots=True)
class Nonces:
    """The nonces of an address as the API sees them (``GET /extended/v1/address/…/nonces``)."""

    last_executed: int | None
    last_in_mempool: int | None
    possible_next: int
    missing: tuple[int, ...]
    in_mempool: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Balances:
    """What a principal owns (``GET /extended/v1/address/…/balances``).

    Attributes:
        stx_ustx: All its STX, in µSTX, locked ones included.
        locked_ustx: Of these, locked by proof of transfer.
        fungible_tokens: Amount by asset id (``ADDRESS.contract::token``).
        non_fungible_tokens: Number of tokens by asset id.
    """

    stx_ustx: int
    locked_ustx: int
    fungible_tokens: Mapping[str, int]
    non_fungible_tokens: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Block:
    """A Stacks block (``GET /extended/v2/blocks``); ``block_time`` is the chain's clock, UTC."""

    height: int
    hash: str
    block_time: datetime
    index_block_hash: str | None
    parent_block_hash: str | None
    burn_block_height: int | None
    tx_count: int | None


@dataclass(frozen=True, slots=True)
class MinedNonce:
    """A mined transaction, its origin and the nonce that it used."""

    txid: str
    sender: str
    nonce: int


@dataclass(frozen=True, slots=True)
class BlockPage:
    """Blocks, newest first, and how many there are in all."""

    total: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class ContractLogPage:
    """Printed events of a contract, newest first.

    Attributes:
        total: How many there are in all.
        events: Those of this page.
        next_cursor: Where the next (older) page begins; ``None`` on the last.
    """

    total: int
    events: tuple[ContractLogEvent, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a transaction or a call would do now (embedded devnet only: ``POST /devnet/simulate``)."""

    status: str
    raw_result: bytes
    events: tuple[Event, ...]
    cost: ExecutionCost | None
    vm_error: str | None

    @property
    def result(self) -> ClarityValue:
        """The result, decoded."""
        return decode(self.raw_result)


def utc(unix_seconds: int) -> datetime:
    """Return a moment of the chain's clock as a UTC datetime."""
    return datetime.fromtimestamp(unix_seconds, UTC)
