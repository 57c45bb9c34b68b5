"""Parses types in Clarity source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from der_client.stacks.clarity import (
    BOOL,
    INT,
    PRINCIPAL,
    UINT,
    AsciiType,
    BufferType,
    ClarityType,
    ListType,
    OptionalType,
    ResponseType,
    TraitType,
    TupleType,
    Utf8Type,
)
from der_client.stacks.clarity.source import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from der_client.stacks.clarity.source import Expression

Type = ClarityType | None
"""A type, or ``None`` if it is not known."""

_PLAIN: Final[dict[str, ClarityType]] = {"int": INT, "uint": UINT, "bool": BOOL, "principal": PRINCIPAL}
_SIZED: Final = {"buff": BufferType, "string-ascii": AsciiType, "string-utf8": Utf8Type}


def parse_type(expression: Expression | None) -> Type:
    """Parse a type from source; ``None`` if it is not one."""
    if expression is None:
        return None
    if expression.kind is Kind.ATOM:
        return TraitType() if expression.text.startswith("<") else _PLAIN.get(expression.text)
    if fields := expression.fields:
        return tuple_type({name: parse_type(kind) for name, kind in fields.items()})
    items = expression.items[1:]
    match expression.head, items:
        case ("buff" | "string-ascii" | "string-utf8") as name, [length] if length.text.isdigit():
            return _SIZED[name](int(length.text))
        case "optional", [inner] if (kind := parse_type(inner)) is not None:
            return OptionalType(kind)
        case "response", [good, bad]:
            ok, error = parse_type(good), parse_type(bad)
            return None if ok is None or error is None else ResponseType(ok, error)
        case "list", [length, inner] if length.text.isdigit() and (kind := parse_type(inner)) is not None:
            return ListType(kind, int(length.text))
    return None


def result_in_trait(function: Expression | None) -> Type:
    """Return the result type of a trait's function: ``(name (argument …) result)``."""
    return parse_type(function.items[2]) if function is not None and len(function.items) == 3 else None


def tuple_type(fields: Mapping[str, Type]) -> Type:
    """Return the type of a tuple, if all its fields have one."""
    known = {name: kind for name, kind in fields.items() if kind is not None}
    return TupleType(known) if fields and len(known) == len(fields) else None
