"""Finds the events that a contract's source prints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from der_client.stacks.clarity import TupleType, parse
from der_client.stacks.clarity.source import Kind
from der_client.stacks.errors import InvalidValueError
from der_client.stacks.generate.inference import join

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from der_client.stacks.clarity import ClarityType
    from der_client.stacks.clarity.source import Expression
    from der_client.stacks.generate.definitions import Definitions
    from der_client.stacks.generate.inference import Printed
    from der_client.stacks.generate.type_syntax import Type

_NAMING_KEYS: Final[tuple[str, ...]] = (
    *("topic", "event", "notification", "type", "object", "action", "op", "name", "method", "function"),
)
"""Keys whose text names what happened, in this order; several may do so together."""


@dataclass(slots=True)
class FoundEvent:
    """Something that a contract prints, once or in several places.

    Attributes:
        constants: The keys whose value is always the same text, which distinguishes it from others.
        fields: The types of its other keys; if it is not a tuple, its one type under the name ``value``.
        is_whole: Whether it is not a tuple.
        functions: The functions that print it; the empty name is the code that runs when the contract is published.
    """

    constants: dict[str, str]
    fields: dict[str, ClarityType]
    is_whole: bool
    functions: list[str] = field(default_factory=list)


def find_events(definitions: Definitions, printed: Iterable[Printed]) -> tuple[FoundEvent, ...]:
    """Return what a contract prints, merging equal events from several places, in the order of the source.

    Args:
        definitions: What the source defines.
        printed: What it prints, with types; what has no type is left out.
    """
    found: list[FoundEvent] = []
    for each in printed:
        event = _event(definitions, each)
        if event is not None and not any(_merge(other, event) for other in found):
            found.append(event)
    return tuple(found)


def _event(definitions: Definitions, printed: Printed) -> FoundEvent | None:
    kind: Type = printed.type
    if kind is None:
        return None
    if not isinstance(kind, TupleType):
        return FoundEvent({}, {"value": kind}, is_whole=True, functions=[printed.function])
    texts = _texts(definitions, printed.value)
    constants: dict[str, str] = {key: texts[key] for key in _NAMING_KEYS if key in texts} or texts
    fields = {name: each for name, each in kind.fields.items() if name not in constants}
    return FoundEvent(constants, fields, is_whole=False, functions=[printed.function])


def _texts(definitions: Definitions, value: Expression) -> dict[str, str]:
    """Return the fields of a printed tuple that are a literal text, or a constant with one."""
    if value.head == "merge":
        return {key: text for item in value.items[1:] for key, text in _texts(definitions, item).items()}
    found: dict[str, str] = {}
    for key, each in value.fields.items():
        constant = definitions.constants.get(each.text) if each.kind is Kind.ATOM else None
        expression = each if constant is None else constant.value
        if expression.kind is Kind.STRING and (text := _ascii(expression.text)):
            found[key] = text
    return found


def _ascii(literal: str) -> str:
    """Return the text of a string-ascii literal; empty for other literals."""
    try:
        return "" if literal.startswith("u") else str(parse(literal).value)
    except InvalidValueError:
        return ""


def _merge(known: FoundEvent, event: FoundEvent) -> bool:
    """Widen an event to include another one that looks the same to a reader; return False if it does not."""
    if (known.is_whole, known.constants, known.fields.keys()) != (
        event.is_whole,
        event.constants,
        event.fields.keys(),
    ):
        return False
    joined = _joined(known.fields, event.fields)
    if joined is None:
        return False
    known.fields = joined
    known.functions += [name for name in event.functions if name not in known.functions]
    return True


def _joined(one: Mapping[str, ClarityType], other: Mapping[str, ClarityType]) -> dict[str, ClarityType] | None:
    joined = {name: join(kind, other[name]) for name, kind in one.items()}
    known = {name: kind for name, kind in joined.items() if kind is not None}
    return known if len(known) == len(joined) else None
