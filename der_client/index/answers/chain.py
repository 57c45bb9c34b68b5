"""The chain: how far the index has got, events and transactions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Tip:
    """How far an index has got.

    Attributes:
        height: The newest block that it knows.
        block_hash: That block's hash.
        block_time: That block's time.
        events: How many events it has.
        deployer: The address that deployed the contracts.
        network_id: The network's chain id.
    """

    height: int
    block_hash: str
    block_time: datetime
    events: int
    deployer: str
    network_id: int


@dataclass(frozen=True, slots=True)
class EventRow:
    """Something that a contract printed.

    Attributes:
        id: Its place among all events, from 1, by which lists are continued.
        height: The block.
        time: The block's time.
        txid: The transaction.
        event_index: Its place among the transaction's events.
        contract: The contract's name.
        topic: Its topic.
        asset_id: The plant, if it names one.
        day: The day, if it names one.
        offer_id: The offer, if it names one.
        payment_id: The payment, if it names one.
        actor: Who caused it, if it says so.
        fields: Everything that was printed, by name, as JSON values.
    """

    id: int
    height: int
    time: datetime
    txid: str
    event_index: int
    contract: str
    topic: str
    asset_id: int | None
    day: date | None
    offer_id: int | None
    payment_id: int | None
    actor: str | None
    fields: dict[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class TransactionRow:
    """A transaction in which the contracts printed something.

    Attributes:
        txid: Its id.
        height: The block.
        time: The block's time.
        sender: Who sent it.
        contract_id: The contract that it called or published.
        function: The function that it called.
        status: Its outcome.
        result: Its result as Clarity writes it.
        fee_ustx: Its fee, µSTX.
        read_count: How often it read; ``None`` where the API does not say, as are all the following.
        write_count: How often it wrote.
        runtime: Its runtime cost.
        events: How many events of the contracts it has.
    """

    txid: str
    height: int
    time: datetime
    sender: str
    contract_id: str | None
    function: str | None
    status: str
    result: str
    fee_ustx: int
    read_count: int | None
    write_count: int | None
    runtime: int | None
    events: int
