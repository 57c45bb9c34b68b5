"""Typed events: what a contract prints, as frozen models by topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

from der_client.stacks.clarity import AsciiValue, ClarityValue, TupleValue, UIntValue, decode
from der_client.stacks.contract.codecs import codec_for
from der_client.stacks.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from der_client.stacks.rpc.answers import ContractLogEvent


class Event(BaseModel):
    """Base of the events of a contract: ``class OfferCreated(Event, topic="offer-created")``.

    A contract prints it as one tuple with the topic, a version and the fields (kebab-case).
    """

    model_config = ConfigDict(frozen=True, defer_build=True, ser_json_bytes="hex", val_json_bytes="hex")

    topic: ClassVar[str]
    clarity_constants: ClassVar[dict[str, ClarityValue]]

    def __init_subclass__(cls, *, topic: str, version: int = 1, **kwargs: Any) -> None:
        """Record the topic and version that tell this event from others."""
        super().__init_subclass__(**kwargs)
        cls.topic = topic
        cls.clarity_constants = {"topic": AsciiValue(topic), "version": UIntValue(version)}


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """Something printed that this version of the client has no class for, e.g. by a newer contract.

    Attributes:
        value: The printed value.
    """

    value: ClarityValue


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event and where it happened.

    Attributes:
        event: The typed event, or :class:`UnknownEvent`.
        contract_id: Who printed it.
        txid: In which transaction.
        event_index: Its place among the transaction's events.
        block_height: Of the transaction; ``None`` where the API does not say.
        block_time: Of the block, UTC; ``None`` where the API does not say.
    """

    event: Event | UnknownEvent
    contract_id: str
    txid: str
    event_index: int
    block_height: int | None
    block_time: datetime | None


def read_event(raw: bytes, models: Mapping[str, type[Event]]) -> Event | UnknownEvent:
    """Decode a printed value into the event that its topic and version name.

    Args:
        raw: The printed value's wire form.
        models: The event classes of the contract that printed it, by topic.

    Raises:
        DecodeError: the bytes are no Clarity value.
    """
    value = decode(raw)
    topic = value.fields.get("topic") if isinstance(value, TupleValue) else None
    model = models.get(topic.value) if isinstance(topic, AsciiValue) else None
    if model is None:
        return UnknownEvent(value)
    try:
        event: Event = codec_for(model).decode(raw)
    except DecodeError:
        return UnknownEvent(value)
    return event


def read_record(log: ContractLogEvent, models: Mapping[str, type[Event]]) -> EventRecord:
    """Turn a log of the API into a typed event with its place."""
    return EventRecord(
        read_event(log.raw_value, models),
        log.contract_id,
        log.txid,
        log.event_index,
        log.block_height,
        log.block_time,
    )
