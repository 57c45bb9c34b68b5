"""Typed responses of the node and of the API: frozen, with units in their names, each read as it is declared here.

What a response calls otherwise has an `at` with its name there; of two names the first is that of the API's version 3.

Hashes and transaction ids are lower-case hexadecimal without ``0x``; amounts of STX are integers of µSTX.
Clarity values stay bytes where there may be many, and are decoded on request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Tag

from der_client.stacks.clarity import ClarityValue, decode
from der_client.stacks.rpc.fields import (
    BY_NAME,
    NONE_IS_EMPTY,
    AbiType,
    Amount,
    Flag,
    Hash,
    HexBytes,
    HexNumber,
    Moment,
    ShortHash,
    Unsigned,
    at,
    inner,
)


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """What a node reports about itself and the chain (``GET /v2/info``)."""

    network_id: Unsigned
    server_version: str
    peer_version: Unsigned
    stacks_tip_height: Unsigned
    stacks_tip: Hash
    stacks_tip_consensus_hash: ShortHash
    burn_block_height: Unsigned
    stable_burn_block_height: Unsigned
    tenure_height: Unsigned | None = None
    is_fully_synced: Flag | None = None


@dataclass(frozen=True, slots=True)
class NodeHealth:
    """How far a node is behind its peers (``GET /v3/health``), in Stacks blocks."""

    difference_from_max_peer: Unsigned
    max_stacks_height_of_neighbors: Unsigned
    node_stacks_tip_height: Unsigned
    max_stacks_neighbor_address: str | None = None


@dataclass(frozen=True, slots=True)
class ExecutionCost:
    """The five dimensions of cost of a Clarity execution."""

    read_count: Unsigned
    read_length_bytes: Annotated[Unsigned, at("read_length")]
    runtime: Unsigned
    write_count: Unsigned
    write_length_bytes: Annotated[Unsigned, at("write_length")]


@dataclass(frozen=True, slots=True)
class PoxCycle:
    """A reward cycle of proof of transfer."""

    id: Unsigned
    min_threshold_ustx: Unsigned
    stacked_ustx: Unsigned
    is_pox_active: Flag | None = None


@dataclass(frozen=True, slots=True)
class Epoch:
    """A Stacks epoch: its range of burn blocks, and the cost limit of a block in it."""

    epoch_id: str
    start_height: Unsigned
    end_height: Unsigned
    block_limit: ExecutionCost


@dataclass(frozen=True, slots=True)
class PoxInfo:
    """The state of proof of transfer (``GET /v2/pox``); heights are of burn blocks."""

    contract_id: str
    current_burnchain_block_height: Unsigned
    first_burnchain_block_height: Unsigned
    prepare_phase_block_length: Unsigned
    reward_phase_block_length: Unsigned
    reward_slots: Unsigned
    total_liquid_supply_ustx: Unsigned
    min_amount_ustx: Unsigned
    reward_cycle_id: Unsigned
    reward_cycle_length: Unsigned
    next_reward_cycle_in: Unsigned
    current_cycle: PoxCycle
    next_cycle: PoxCycle
    current_epoch: str | None = None
    epochs: Annotated[tuple[Epoch, ...], NONE_IS_EMPTY] = ()
    sbtc_contract: Annotated[str | None, at("pox_5_sbtc_contract")] = None


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """Balance and nonce of a principal as the node has them (``GET /v2/accounts``)."""

    balance_ustx: Annotated[HexNumber, at("balance")]
    locked_ustx: Annotated[HexNumber, at("locked")]
    unlock_height: Unsigned
    nonce: Unsigned


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
    type: AbiType


@dataclass(frozen=True, slots=True)
class FunctionInterface:
    """A contract's function; ``access`` is public, read_only or private."""

    name: str
    access: str
    arguments: Annotated[tuple[ArgumentInterface, ...], at("args")]
    output: Annotated[AbiType, at("outputs.type")]


@dataclass(frozen=True, slots=True)
class VariableInterface:
    """A contract's constant or data variable; ``access`` is constant or variable."""

    name: str
    access: str
    type: AbiType


@dataclass(frozen=True, slots=True)
class MapInterface:
    """A contract's map."""

    name: str
    key: AbiType
    value: AbiType


@dataclass(frozen=True, slots=True)
class NonFungibleTokenInterface:
    """A non-fungible token that a contract defines."""

    name: str
    type: AbiType


@dataclass(frozen=True, slots=True)
class ContractInterface:
    """A contract's ABI (``GET /v2/contracts/interface``), by name."""

    functions: Annotated[Mapping[str, FunctionInterface], BY_NAME]
    variables: Annotated[Mapping[str, VariableInterface], BY_NAME]
    maps: Annotated[Mapping[str, MapInterface], BY_NAME]
    fungible_tokens: tuple[Annotated[str, inner("name")], ...]
    non_fungible_tokens: Annotated[Mapping[str, NonFungibleTokenInterface], BY_NAME]
    epoch: str | None = None
    clarity_version: str | None = None


@dataclass(frozen=True, slots=True)
class ContractSource:
    """A contract's source code and the height it was published at (``GET /v2/contracts/source``)."""

    source: str
    publish_height: Unsigned


@dataclass(frozen=True, slots=True)
class NodeTransaction:
    """A mined transaction as the node keeps it (``GET /v3/transaction``).

    It does not distinguish success from a post-condition abort: ``result_text`` is then the value that would have been
    returned.
    """

    index_block_hash: Hash
    raw: Annotated[HexBytes, at("tx")]
    result_text: Annotated[str, at("result")]
    block_height: Unsigned | None = None
    is_canonical: Flag | None = None


def _word(status: Any) -> Any:
    return next(iter(status)) if isinstance(status, dict) and len(status) == 1 else status  # {"Microblock": {…}}


@dataclass(frozen=True, slots=True)
class UnconfirmedTransaction:
    """A transaction in the node's mempool (``GET /v2/transactions/unconfirmed``)."""

    raw: Annotated[HexBytes, at("tx")]
    status: Annotated[str, BeforeValidator(_word)]


class TransactionStatus(StrEnum):
    """The API's word for a transaction's state."""

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
        """Whether the transaction is in a block, whatever its outcome."""
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


_Memo = Annotated[HexBytes, AfterValidator(lambda memo: memo.rstrip(b"\x00"))]
_Principal = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
_Txid = Annotated[Hash, at("tx_id")]


@dataclass(frozen=True, slots=True)
class ContractLogEvent:
    """Something a contract printed.

    Attributes:
        contract_id: ``ADDRESS.name`` of the contract.
        topic: Always ``print`` so far.
        raw_value: The printed value in the consensus encoding.
        txid: The transaction it was printed in.
        event_index: Its place among the events of that transaction.
        block_height: The transaction's block; ``None`` where the API does not say.
        block_time: The block's time, UTC; ``None`` where the API does not say.
    """

    contract_id: Annotated[str, at("contract_log.contract_id")]
    topic: Annotated[str, at("contract_log.topic")]
    raw_value: Annotated[HexBytes, at("contract_log.value.hex")]
    txid: _Txid
    event_index: Unsigned
    block_height: Unsigned | None = None
    block_time: Moment | None = None

    @property
    def value(self) -> ClarityValue:
        """The printed value, decoded."""
        return decode(self.raw_value)


@dataclass(frozen=True, slots=True)
class StxEvent:
    """STX that moved: ``action`` is transfer, mint or burn; sender or recipient is empty if there is none.

    Its memo is that of a transfer, without the wire form's trailing zero bytes.
    """

    action: Annotated[str, at("stx_asset.type", "asset.asset_event_type")]
    sender: Annotated[_Principal, at("stx_asset.sender", "asset.sender", default="")]
    recipient: Annotated[_Principal, at("stx_asset.recipient", "asset.recipient", default="")]
    amount_ustx: Annotated[Amount, at("stx_asset.amount", "asset.amount")]
    memo: Annotated[_Memo, at("stx_asset.memo.hex", "asset.memo", default=b"")]
    txid: _Txid
    event_index: Unsigned


@dataclass(frozen=True, slots=True)
class FungibleTokenEvent:
    """Fungible tokens that moved; ``asset_id`` is ``ADDRESS.contract::token``."""

    action: Annotated[str, at("ft_asset.type", "asset.asset_event_type")]
    asset_id: Annotated[str, at("ft_asset.asset_identifier", "asset.asset_id")]
    sender: Annotated[_Principal, at("ft_asset.sender", "asset.sender", default="")]
    recipient: Annotated[_Principal, at("ft_asset.recipient", "asset.recipient", default="")]
    amount: Annotated[Amount, at("ft_asset.amount", "asset.amount")]
    txid: _Txid
    event_index: Unsigned


@dataclass(frozen=True, slots=True)
class NonFungibleTokenEvent:
    """A non-fungible token that moved; ``asset_id`` is ``ADDRESS.contract::token``."""

    action: Annotated[str, at("nft_asset.type", "asset.asset_event_type")]
    asset_id: Annotated[str, at("nft_asset.asset_identifier", "asset.asset_id")]
    sender: Annotated[_Principal, at("nft_asset.sender", "asset.sender", default="")]
    recipient: Annotated[_Principal, at("nft_asset.recipient", "asset.recipient", default="")]
    raw_value: Annotated[HexBytes, at("nft_asset.value.hex", "asset.value.hex")]
    txid: _Txid
    event_index: Unsigned

    @property
    def value(self) -> ClarityValue:
        """The token's identifier, decoded."""
        return decode(self.raw_value)


@dataclass(frozen=True, slots=True)
class OtherEvent:
    """An event of a kind that has no class here, such as an STX lock."""

    event_type: Annotated[str, at("type", "event_type")]
    txid: _Txid
    event_index: Unsigned
    data: Mapping[str, Any]


Event = ContractLogEvent | StxEvent | FungibleTokenEvent | NonFungibleTokenEvent | OtherEvent

_EVENT_TAGS = {
    "contract_log": "(log)",
    "smart_contract_log": "(log)",
    "stx_asset": "(stx)",
    "ft_asset": "(ft)",
    "fungible_token_asset": "(ft)",
    "nft_asset": "(nft)",
    "non_fungible_token_asset": "(nft)",
}


def _event_tag(values: Any) -> str:
    kind = values.get("type", values.get("event_type")) if isinstance(values, dict) else None
    return _EVENT_TAGS.get(kind, "(other)") if isinstance(kind, str) else "(other)"


AnyEvent = Annotated[
    Annotated[ContractLogEvent, Tag("(log)")]
    | Annotated[StxEvent, Tag("(stx)")]
    | Annotated[FungibleTokenEvent, Tag("(ft)")]
    | Annotated[NonFungibleTokenEvent, Tag("(nft)")]
    | Annotated[OtherEvent, BeforeValidator(lambda values: {**values, "data": values}), Tag("(other)")],
    Discriminator(_event_tag),
]
"""An event of whichever kind."""


@dataclass(frozen=True, slots=True)
class TransactionInfo:
    """A transaction as the API knows it, pending, mined or dropped.

    It is from ``GET /extended/v3/transactions`` or ``/extended/v1/tx``; a mined one is a `TransactionReceipt`.

    Attributes:
        txid: Its id.
        status: Its outcome, such as ``success``.
        type: ``token_transfer``, ``contract_call``, ``smart_contract``, …
        sender: The origin's address.
        nonce: The origin's nonce.
        sponsor: The address that pays the fee, if it is not the sender.
        fee_ustx: The fee that was offered, and if mined, paid, µSTX.
        is_canonical: Whether its block is on the chain's current fork; true while pending.
        raw_result: The result in the consensus encoding; ``None`` unless mined.
        events: What it printed and moved; empty unless mined.
        cost: Its execution cost; ``None`` unless mined.
        block_height: Its block's height; ``None`` unless mined.
        block_hash: Its block's hash; ``None`` unless mined.
        block_time: Its block's time, UTC; ``None`` unless mined.
        burn_block_height: Its block's height; ``None`` unless mined.
        vm_error: The runtime error, if it hit one.
        contract_id: The contract called or published, if any.
        function: The function called, if any.
        event_count: How many events it has in total; more than in ``events`` if the response was one page of many.
    """

    txid: _Txid
    status: Annotated[TransactionStatus, at("status", "tx_status")]
    type: Annotated[str, at("type", "tx_type")]
    sender: Annotated[str, at("sender.address", "sender_address")]
    nonce: Annotated[Unsigned, at("sender.nonce", "nonce")]
    sponsor: Annotated[str | None, at("sponsor.address", "sponsor_address", default=None)]
    fee_ustx: Annotated[Amount, at("fee_rate")]
    is_canonical: Annotated[Flag, at("canonical", default=True)]  # version 3 shows no others
    raw_result: Annotated[HexBytes | None, at("result.hex", "tx_result.hex", default=None)]
    events: Annotated[tuple[AnyEvent, ...], NONE_IS_EMPTY, at("events", default=())]
    cost: Annotated[ExecutionCost | None, at("execution_cost", default=None)]
    block_height: Annotated[Unsigned | None, at("block.height", "block_height", default=None)]
    block_hash: Annotated[Hash | None, at("block.hash", "block_hash", default=None)]
    block_time: Annotated[Moment | None, at("block.time", "block_time", default=None)]
    burn_block_height: Annotated[Unsigned | None, at("bitcoin_block.height", "burn_block_height", default=None)]
    vm_error: Annotated[str | None, at("vm_error", default=None)]
    contract_id: Annotated[str | None, at("contract_call.contract_id", "smart_contract.contract_id", default=None)]
    function: Annotated[str | None, at("contract_call.function_name", default=None)]
    event_count: Annotated[Unsigned, at("event_count", default=0)]

    @property
    def result(self) -> ClarityValue | None:
        """The result, decoded; ``None`` unless mined."""
        return None if self.raw_result is None else decode(self.raw_result)


@dataclass(frozen=True, slots=True)
class TransactionReceipt(TransactionInfo):
    """A mined transaction, whatever its outcome, with result, block and time."""

    raw_result: Annotated[HexBytes, at("result.hex", "tx_result.hex")]
    block_height: Annotated[Unsigned, at("block.height", "block_height")]
    block_hash: Annotated[Hash, at("block.hash", "block_hash")]
    block_time: Annotated[Moment, at("block.time", "block_time")]

    @property
    def result(self) -> ClarityValue:
        """The result, decoded."""
        return decode(self.raw_result)


def transaction_kind(values: Any) -> type[TransactionInfo]:
    """Return how a transaction is to be read: mined ones are receipts."""
    status = values.get("status", values.get("tx_status")) if isinstance(values, dict) else None
    return TransactionReceipt if isinstance(status, str) and status in _MINED else TransactionInfo


_Nonces = Annotated[tuple[Unsigned, ...], NONE_IS_EMPTY]


@dataclass(frozen=True, slots=True)
class Nonces:
    """The nonces of an address as the API sees them (``…/nonces`` of a principal or address)."""

    last_executed: Annotated[Unsigned | None, at("last_confirmed_nonce", "last_executed_tx_nonce", default=None)]
    last_in_mempool: Annotated[Unsigned | None, at("mempool.last_nonce", "last_mempool_tx_nonce", default=None)]
    possible_next: Annotated[Unsigned, at("next_nonce", "possible_next_nonce")]
    missing: Annotated[_Nonces, at("mempool.missing_nonces", "detected_missing_nonces", default=())]
    in_mempool: Annotated[_Nonces, at("mempool.pending_nonces", "detected_mempool_nonces", default=())]


@dataclass(frozen=True, slots=True)
class Balances:
    """What a principal owns (``GET /extended/v1/address/…/balances``).

    Attributes:
        stx_ustx: All its STX, including locked ones, in µSTX.
        locked_ustx: The part that is locked by proof of transfer, in µSTX.
        fungible_tokens: Amount by asset id (``ADDRESS.contract::token``).
        non_fungible_tokens: Number of tokens by asset id.
    """

    stx_ustx: Annotated[Amount, at("stx.balance")]
    locked_ustx: Annotated[Amount, at("stx.locked")]
    fungible_tokens: Mapping[str, Annotated[Amount, inner("balance")]]
    non_fungible_tokens: Mapping[str, Annotated[Amount, inner("count")]]


@dataclass(frozen=True, slots=True)
class Block:
    """A Stacks block (``GET /extended/v2/blocks``); ``block_time`` is the chain's clock, UTC."""

    height: Unsigned
    hash: Hash
    block_time: Moment
    index_block_hash: Hash | None = None
    parent_block_hash: Hash | None = None
    burn_block_height: Unsigned | None = None
    tx_count: Unsigned | None = None


@dataclass(frozen=True, slots=True)
class MinedNonce:
    """A mined transaction, its origin and the nonce that it used."""

    txid: _Txid
    sender: Annotated[str, at("sender_address")]
    nonce: Unsigned


@dataclass(frozen=True, slots=True)
class BlockPage:
    """Blocks, newest first, and their total number."""

    total: Unsigned
    blocks: Annotated[tuple[Block, ...], at("results")]


@dataclass(frozen=True, slots=True)
class ContractLogPage:
    """Printed events of a contract, newest first.

    Attributes:
        total: The total number of events.
        events: The events of this page.
        next_cursor: Where the next (older) page begins; ``None`` on the last.
    """

    total: Unsigned
    events: Annotated[tuple[ContractLogEvent, ...], at("results")]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a transaction or a call would do now (embedded devnet only: ``POST /devnet/simulate``)."""

    status: str
    raw_result: Annotated[HexBytes, at("result.hex")]
    events: Annotated[tuple[AnyEvent, ...], NONE_IS_EMPTY, at("events", default=())]
    cost: ExecutionCost | None = None
    vm_error: str | None = None

    @property
    def result(self) -> ClarityValue:
        """The result, decoded."""
        return decode(self.raw_result)
