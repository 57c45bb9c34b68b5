"""Reads the arguments of a contract call from a command line, by the types in the contract's interface.

Plain text where the type leaves no doubt (``5``, ``true``, ``0x00ff``, ``ST….name``, ``none``), Clarity syntax for the
rest: ``{amount: 5, to: 'ST…}``, ``(list 1 2)``, ``(ok true)``. Numbers inside need no ``u``.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from der_client.stacks.clarity import (
    BOOL,
    PRINCIPAL,
    UINT,
    AsciiType,
    AsciiValue,
    ClarityValue,
    ErrValue,
    IntValue,
    ListType,
    ListValue,
    NoneValue,
    OkValue,
    OptionalType,
    PrincipalValue,
    ResponseType,
    SomeValue,
    TraitType,
    TupleType,
    TupleValue,
    UIntValue,
    Utf8Type,
    Utf8Value,
)
from der_client.stacks.clarity.literals import parse
from der_client.stacks.errors import InvalidValueError, LiteralError

_SIMPLE: Final = (type(UINT), type(BOOL), type(PRINCIPAL), TraitType)
"""Types whose name is enough in an error; for other types the error says what does not fit."""

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from der_client.stacks.clarity.types import ClarityType
    from der_client.stacks.rpc.responses import FunctionInterface


def read_arguments(
    function: FunctionInterface, texts: Sequence[str], principal: Callable[[str], str | None]
) -> tuple[ClarityValue, ...]:
    """Read all arguments of a function.

    Args:
        function: The function.
        texts: What was typed, one for each argument.
        principal: Returns the principal of a name; ``None`` for a text that is not a name.

    Raises:
        InvalidValueError: If there are too many or too few, or one does not fit its type.
    """
    wanted = " ".join(f"{argument.name}:{argument.type}" for argument in function.arguments) or "no arguments"
    if len(texts) != len(function.arguments):
        raise InvalidValueError(
            f"{function.name}: expected {len(function.arguments)} arguments, got {len(texts)}; it takes: {wanted}"
        )
    return tuple(
        read_argument(text, argument.type, argument.name, principal)
        for text, argument in zip(texts, function.arguments, strict=True)
    )


def read_argument(text: str, kind: ClarityType, what: str, principal: Callable[[str], str | None]) -> ClarityValue:
    """Read one argument.

    Args:
        text: What was typed.
        kind: Its type.
        what: Its name, for the message.
        principal: Returns the principal of a name; ``None`` for a text that is not a name.

    Raises:
        InvalidValueError: If it does not fit the type.
    """
    bare = _bare_text(text, kind, principal)
    if bare is not None:
        return kind.from_python(bare, what)
    try:
        value = _fitted(parse(text), kind)
    except LiteralError as error:
        why = _day_hint(text, kind) if isinstance(kind, _SIMPLE) else f": {error}"
        raise InvalidValueError(f"{what}: expected {kind}, got {text.strip()!r}{why}") from None
    try:
        kind.check(value, what)
    except InvalidValueError as error:
        why = "" if isinstance(kind, _SIMPLE) else f" ({error})"
        raise InvalidValueError(f"{what}: expected {kind}, got {text.strip()!r}{why}") from None
    return value


def _day_hint(text: str, kind: ClarityType) -> str:
    """Return how contracts count days, if a day was typed where a number is expected; else nothing."""
    if kind != UINT:
        return ""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        return ""
    return f"; days are counted from 1970-01-01: {day} is {(day - date(1970, 1, 1)).days}"


def _bare_text(text: str, kind: ClarityType, principal: Callable[[str], str | None]) -> ClarityValue | None:
    """Return what needs no quotes or marks: text where text is meant, a name where a principal is meant."""
    inner = kind
    while isinstance(inner, OptionalType):
        inner = inner.item
    stripped = text.strip()
    is_none = inner is not kind and stripped == "none"
    if is_none or stripped.startswith("(some"):
        return None
    value: ClarityValue | None = None
    if isinstance(inner, (AsciiType, Utf8Type)) and not stripped.startswith(('"', 'u"')):
        value = AsciiValue(text) if isinstance(inner, AsciiType) else Utf8Value(text)
    elif inner == PRINCIPAL or isinstance(inner, TraitType):
        found = principal(stripped.removeprefix("'"))
        value = None if found is None else PrincipalValue(found)
    if value is None:
        return None
    return _wrapped(value, kind)


def _wrapped(value: ClarityValue, kind: ClarityType) -> ClarityValue:
    return SomeValue(_wrapped(value, kind.item)) if isinstance(kind, OptionalType) else value


def _fitted(value: ClarityValue, kind: ClarityType) -> ClarityValue:
    """Fit a literal to its type: make a number a uint, a text UTF-8, a value optional."""
    match kind:
        case OptionalType():
            if isinstance(value, NoneValue):
                return value
            return SomeValue(_fitted(value.value if isinstance(value, SomeValue) else value, kind.item))
        case ListType() if isinstance(value, ListValue):
            return ListValue(_fitted(item, kind.item) for item in value.items)
        case TupleType() if isinstance(value, TupleValue):
            return TupleValue(
                {
                    name: _fitted(item, kind.fields[name]) if name in kind.fields else item
                    for name, item in value.value.items()
                }
            )
        case ResponseType() if isinstance(value, OkValue):
            return OkValue(_fitted(value.value, kind.ok))
        case ResponseType() if isinstance(value, ErrValue):
            return ErrValue(_fitted(value.value, kind.error))
        case Utf8Type() if isinstance(value, AsciiValue):
            return Utf8Value(value.value)
    if kind == UINT and isinstance(value, IntValue) and value.value >= 0:
        return UIntValue(value.value)
    return value
