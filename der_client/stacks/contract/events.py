"""Typed events: what a contract prints, as frozen models."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pydantic import ConfigDict

from der_client.stacks.clarity import (
    AsciiValue,
    BoolValue,
    ClarityValue,
    TupleValue,
    UIntValue,
    check_clarity_name,
    decode,
    encode,
)
from der_client.stacks.contract.codecs import clarity_name, codec_for, field_annotations
from der_client.stacks.contract.models import Model
from der_client.stacks.errors import DecodeError, UnknownEventError, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from der_client.stacks.rpc.responses import ContractLogEvent

_ANY: Final = ClarityValue


class Event(Model):
    """Base of the events of a contract: ``class OfferCreated(Event, topic="offer-created")``.

    A class declares how its event is recognised among everything that the contract prints:

    =============================================  =========================================================
    ``class Paid(Event, topic="paid")``            by the value of the key ``topic``
    ``class Paid(Event, where={"event": "paid"})``  by the value of any key, or of several
    ``class Paid(Event)``                          by its keys: exactly the fields of the class
    ``class Noted(Event, whole=True)``             by the type of the one field, which is all that is printed
    =============================================  =========================================================

    ``version=1`` is ``where={"version": 1}``. Derived classes inherit these declarations, so a base class can have what
    all events of a contract share. Fields are named as in Python: ``offer_id`` for ``offer-id``.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    topic: ClassVar[str] = ""
    clarity_constants: ClassVar[dict[str, ClarityValue]] = {}
    is_whole: ClassVar[bool] = False

    def __init_subclass__(
        cls,
        *,
        topic: str | None = None,
        version: int | None = None,
        where: Mapping[str, str | int | bool | ClarityValue] | None = None,
        whole: bool = False,
        **kwargs: Any,
    ) -> None:
        """Record what distinguishes this event from others.

        Args:
            topic: The value of its key ``topic``.
            version: The value of its key ``version``, a uint.
            where: Values of other keys by their names in Clarity: text is a string-ascii, a number a uint; anything
                else is given as a Clarity value.
            whole: Whether the one field itself is printed, and not a tuple of the fields.
            **kwargs: For pydantic.

        Raises:
            TypeError: If a value has another type.
            EncodeError: If a key or a value cannot be one in Clarity.
        """
        super().__init_subclass__(**kwargs)
        given: dict[str, Any] = {"topic": topic, "version": version} | dict(where or {})
        constants = {
            check_clarity_name(name): _constant(value, f"{cls.__name__}: {name}")
            for name, value in given.items()
            if value is not None
        }
        if topic is not None:
            cls.topic = topic
        inherited = {name: value for name, value in cls.clarity_constants.items() if name not in constants}
        cls.clarity_constants = constants | inherited
        cls.is_whole = whole or cls.is_whole

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Check what can be checked only when the fields are known.

        Raises:
            TypeError: If a field has the name of a key with a fixed value, or a whole event does not have exactly one
                field.
        """
        super().__pydantic_init_subclass__(**kwargs)
        if twice := {name.replace("_", "-") for name in cls.__pydantic_fields__} & cls.clarity_constants.keys():
            raise TypeError(f"{cls.__name__}: {min(twice)} is a field and has a fixed value: leave one of them out")
        if cls.is_whole and (len(cls.__pydantic_fields__) != 1 or cls.clarity_constants):
            raise TypeError(f"{cls.__name__}: an event that is printed as a whole has one field and no fixed values")


def _constant(value: Any, what: str) -> ClarityValue:
    if isinstance(value, ClarityValue):
        return value
    if isinstance(value, bool):
        return BoolValue(value)
    if isinstance(value, int):
        return UIntValue(int(value))
    if isinstance(value, str):
        return AsciiValue(value)
    raise TypeError(f"{what}: expected text, a number, a bool or a Clarity value, got {shown(value)}")


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """A printed value that no declared event class fits, for instance from a newer contract.

    Attributes:
        value: The printed value.
        reason: Why no class fits.
    """

    value: ClarityValue
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event and where it happened.

    Attributes:
        event: The typed event, or ``UnknownEvent``.
        contract_id: The contract that printed it.
        txid: The transaction in which it was printed.
        event_index: Its place among the transaction's events.
        block_height: The transaction's block; ``None`` where the API does not say.
        block_time: The block's time, UTC; ``None`` where the API does not say.
    """

    event: Event | UnknownEvent
    contract_id: str
    txid: str
    event_index: int
    block_height: int | None
    block_time: datetime | None


def read_event(raw: bytes, classes: Iterable[type[Event]]) -> Event | UnknownEvent:
    """Decode a printed value into its event.

    Args:
        raw: The printed value's wire form.
        classes: The possible event classes; the one that fixes most values is tried first.

    Raises:
        DecodeError: If the bytes are not a Clarity value.
    """
    return _reader_of(tuple(classes)).read(raw)


def read_record(log: ContractLogEvent, classes: Iterable[type[Event]]) -> EventRecord:
    """Turn a log from the API into a typed event with its place."""
    return EventRecord(
        read_event(log.raw_value, classes),
        log.contract_id,
        log.txid,
        log.event_index,
        log.block_height,
        log.block_time,
    )


def require_known(event: Event | UnknownEvent, contract_id: str, txid: str) -> None:
    """Refuse an event that no class fits.

    Raises:
        UnknownEventError: If no class fits it.
    """
    if isinstance(event, UnknownEvent):
        raise UnknownEventError(
            f"{contract_id} printed {shown(event.value, str)}: {event.reason}{f' (txid {txid})' if txid else ''}",
            contract=contract_id,
            txid=txid,
            value=event.value,
            reason=event.reason,
        )


class _EventReader:
    """Reads the events of some classes; a printed value is decoded once, directly into the model that fits."""

    def __init__(self, classes: Sequence[type[Event]]) -> None:
        self._classes = sorted(dict.fromkeys(classes), key=lambda each: (each.is_whole, -len(each.clarity_constants)))
        self._marks = [
            (tuple([bytes((len(name),)) + name.encode() + encode(value) for name, value in constants.items()]), each)
            for each in self._classes
            for constants in (each.clarity_constants,)
        ]

    def read(self, raw: bytes) -> Event | UnknownEvent:
        """See `read_event`."""
        for marks, event in self._marks:
            # The bytes may also occur elsewhere; they only show whether to try. The codec compares them at their place.
            for mark in marks:
                if mark not in raw:
                    break
            else:
                try:
                    return _decode(event, raw)
                except DecodeError:
                    continue
        value = decode(raw)
        return UnknownEvent(value, self._reason(value))

    def _reason(self, value: ClarityValue) -> str:
        """Return what does not fit in the class that comes closest."""
        fields = value.fields if isinstance(value, TupleValue) else {}
        if not self._classes:
            return "no event of this contract is declared"
        marked = [each for each in self._classes if each.clarity_constants]
        meant = [each for each in marked if each.clarity_constants.items() <= fields.items()]
        if not meant:
            meant = [each for each in self._classes if not each.clarity_constants and not each.is_whole]
            meant = [each for each in meant if _names_of(each) == fields.keys()]
        if meant:
            return "; ".join(_misfit(each, fields) for each in meant)
        keys = dict.fromkeys(name for each in marked for name in each.clarity_constants)
        if given := {name: fields[name] for name in keys if name in fields}:
            return f"no declared event has {' and '.join(f'{name} {value}' for name, value in given.items())}"
        if fields:
            return f"no declared event has the keys {', '.join(fields)}"
        return "no declared event is printed as a value of this type"


def _decode(event: type[Event], raw: bytes) -> Event:
    if not event.is_whole:
        decoded: Event = codec_for(event).decode(raw)
        return decoded
    ((name, annotation),) = field_annotations(event).items()
    fields: dict[str, Any] = {name: decode(raw) if annotation is _ANY else codec_for(annotation).decode(raw)}
    return event.model_construct(None, **fields)


def _names_of(event: type[Event]) -> set[str]:
    return {clarity_name(name, annotation) for name, annotation in field_annotations(event).items()}


def _misfit(event: type[Event], fields: Mapping[str, ClarityValue]) -> str:
    """Return why a tuple is not the event that its fixed values indicate."""
    declared = {
        clarity_name(name, annotation): (name, annotation) for name, annotation in field_annotations(event).items()
    }
    printed = fields.keys() - event.clarity_constants.keys()
    if missing := declared.keys() - printed:
        return f"{event.__name__} has {', '.join(sorted(missing))}, which is not printed"
    if extra := printed - declared.keys():
        return f"{event.__name__} does not declare {', '.join(sorted(extra))}"
    for clarity, (name, annotation) in declared.items():
        codec = codec_for(annotation)
        try:
            codec.decode(encode(fields[clarity]))
        except DecodeError as error:
            return f"{event.__name__}.{name}: expected {codec.type}, got {shown(fields[clarity], str)} ({error})"
    return f"{event.__name__} does not fit"


@lru_cache(maxsize=256)
def _reader_of(classes: tuple[type[Event], ...]) -> _EventReader:
    return _EventReader(classes)
