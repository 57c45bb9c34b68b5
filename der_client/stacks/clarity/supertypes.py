"""The type of a value by itself, as the node determines it when it decodes a value without a known type.

Arguments of transactions and of read-only calls are decoded this way. A list then has the least type that includes all
of its items; if there is none, the node refuses the whole transaction. Sizes are the node's own measure, which counts
how much a value of the type could need: a list needs its length times its largest item.

Facts from stacks-core's ``clarity-types/src/types/signatures.rs`` (``least_supertype``, ``inner_size``), checked on the
real VM: ``tests/vectors/clarity_arguments.json``.
"""

from __future__ import annotations

from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from der_client.stacks.clarity.types import (
    BOOL,
    INT,
    PRINCIPAL,
    UINT,
    AsciiType,
    BufferType,
    ClarityType,
    ListType,
    NoneType_,
    OptionalType,
    ResponseType,
    TupleType,
    Utf8Type,
)
from der_client.stacks.clarity.values import (
    MAX_VALUE_BYTES,
    AsciiValue,
    BoolValue,
    BufferValue,
    ClarityValue,
    ErrValue,
    IntValue,
    ListValue,
    NoneValue,
    OkValue,
    PrincipalValue,
    SomeValue,
    TupleValue,
    UIntValue,
    Utf8Value,
    columns_of,
)
from der_client.stacks.errors import EncodeError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

Step = int | str | None
"""One step into a value: an item's number, a field's name, or None into ``some``, ``ok`` or ``err``."""

NO_TYPE: Final = NoneType_()
"""The type of what does not exist: inside ``none``, the other branch of a response, items of an empty list."""

Sizes = tuple[int, int]
"""The size of a value of a type, and of the type itself, in the node's measure (bytes)."""

_WRAPPER_SIZE: Final = 1
_SCALARS: Final[dict[type, tuple[ClarityType, Sizes]]] = {
    IntValue: (INT, (16, 1)),
    UIntValue: (UINT, (16, 1)),
    BoolValue: (BOOL, (1, 1)),
    PrincipalValue: (PRINCIPAL, (148, 1)),
}
_SIZES_BY_TYPE: Final = dict(_SCALARS.values()) | {NO_TYPE: (1, 1)}
_SCALAR_SIZES: Final = {kind: sizes for kind, (_, sizes) in _SCALARS.items()}


class TypeConflictError(EncodeError):
    """A value without a type: a list of different types, or something larger than Clarity allows.

    Attributes:
        path: The way to the value that does not fit.
    """

    def __init__(self, message: str, path: tuple[Step, ...]) -> None:
        super().__init__(f"{_path_text(path)}: {message}")
        self.path = path


def type_of(value: ClarityValue) -> ClarityType:
    """Find the least type of a value; ``NoneType_`` where the value does not determine it.

    Args:
        value: The value, no deeper than ``encode`` allows.

    Raises:
        EncodeError: If it is not a Clarity value, the items of a list have no common type, or the type is larger than
            1 MiB; the text names the path of what does not fit.
    """
    if not isinstance(value, ClarityValue):
        raise EncodeError(
            f"type_of takes a Clarity value such as UIntValue(1), not {type(value).__name__} {shown(value)}"
        )
    return _type_of(value, ())


def check_type(value: ClarityValue) -> None:
    """Refuse a value that has no type, or is larger than a value may be; quicker than ``type_of``.

    Args:
        value: The value.

    Raises:
        EncodeError: As for ``type_of``.
    """
    try:
        if _sizes_of_all((value,))[0] <= MAX_VALUE_BYTES:
            return
    except _NotPlainError:
        pass
    _type_of(value, ())


def least_supertype(a: ClarityType, b: ClarityType, path: tuple[Step, ...] = ()) -> ClarityType:
    """Find the least type that includes the values of two types.

    Tuples are compared as the node compares them: the second may have more fields, which are ignored.

    Args:
        a: The type of the earlier values.
        b: The type of the next value.
        path: The path to the next value, for the error.

    Raises:
        EncodeError: If there is none.
    """
    if b in (a, NO_TYPE):
        return a
    match a, b:
        case NoneType_(), _:
            return b
        case (
            (BufferType(length=length), BufferType(length=other))
            | (AsciiType(length=length), AsciiType(length=other))
            | (Utf8Type(length=length), Utf8Type(length=other))
        ):
            return a if length >= other else b
        case OptionalType(), OptionalType():
            return OptionalType(least_supertype(a.item, b.item, (*path, None)))
        case ResponseType(), ResponseType():
            inside = (*path, None)
            return ResponseType(least_supertype(a.ok, b.ok, inside), least_supertype(a.error, b.error, inside))
        case ListType(), ListType():
            return ListType(least_supertype(a.item, b.item, path), max(a.length, b.length))
        case TupleType(), TupleType() if a.fields.keys() <= b.fields.keys():
            return TupleType(
                {name: least_supertype(kind, b.fields[name], (*path, name)) for name, kind in a.fields.items()}
            )
    raise TypeConflictError(f"{b} follows {a}; the items of a list must have one type", path)


def sizes_of(kind: ClarityType) -> Sizes:
    """Measure a type as the node does.

    Args:
        kind: A type from ``type_of``.
    """
    match kind:
        case BufferType() | AsciiType():
            return 4 + kind.length, 5
        case Utf8Type():
            return 4 + 4 * kind.length, 5
        case OptionalType():
            return _wrapper_sizes(sizes_of(kind.item))
        case ResponseType():
            return _response_sizes(sizes_of(kind.ok), sizes_of(kind.error))
        case ListType():
            return _list_sizes(sizes_of(kind.item), kind.length)
        case TupleType():
            return _tuple_sizes(kind.fields, map(sizes_of, kind.fields.values()))
    return _SIZES_BY_TYPE[kind]


def _type_of(value: ClarityValue, path: tuple[Step, ...]) -> ClarityType:
    kind: ClarityType
    match value:
        case BufferValue() | AsciiValue() | Utf8Value():
            return _SIZED[type(value)](len(value.value))
        case NoneValue():
            return OptionalType(NO_TYPE)
        case SomeValue():
            kind = OptionalType(_type_of(value.value, (*path, None)))
        case OkValue():
            kind = ResponseType(_type_of(value.value, (*path, None)), NO_TYPE)
        case ErrValue():
            kind = ResponseType(NO_TYPE, _type_of(value.value, (*path, None)))
        case ListValue():
            item_type: ClarityType = NO_TYPE
            for index, item in enumerate(value.value):
                place = (*path, index)
                item_type = least_supertype(item_type, _type_of(item, place), place)
            kind = ListType(item_type, len(value.value))
        case TupleValue():
            kind = TupleType({name: _type_of(field, (*path, name)) for name, field in value.value.items()})
        case _:
            return _SCALARS[type(value)][0]
    size, _ = sizes_of(kind)
    if size > MAX_VALUE_BYTES:
        raise TypeConflictError(
            f"its type takes {size} bytes, a value at most {MAX_VALUE_BYTES}; a list's items all count as the largest",
            path,
        )
    return kind


class _NotPlainError(Exception):
    """Values that are not obviously of one type; only ``_type_of`` can determine their type."""


def _sizes_of_all(values: Collection[ClarityValue]) -> Sizes:
    """Measure the type of values that are obviously of one type, column by column.

    It does not go through the items of a list one by one, but through their first fields, their second fields and so
    on, which takes a tenth of the time.
    """
    kinds = set(map(type, values))
    if len(kinds) == 1:
        (kind,) = kinds
        measure = _MEASURES.get(kind)
        return _SCALAR_SIZES[kind] if measure is None else measure(values)
    if kinds == {SomeValue, NoneValue}:
        return _measure_optional([value for value in values if type(value) is SomeValue])
    if kinds == {OkValue, ErrValue}:
        return _measure_response(values)
    if not kinds:
        return _SIZES_BY_TYPE[NO_TYPE]
    raise _NotPlainError


_contents: Final = attrgetter("value")


def _longest(values: Iterable[ClarityValue]) -> int:
    return max(map(len, map(_contents, values)))


def _measure_bytes(values: Collection[ClarityValue]) -> Sizes:
    return 4 + _longest(values), 5


def _measure_utf8(values: Collection[ClarityValue]) -> Sizes:
    return 4 + 4 * _longest(values), 5


def _measure_none(_values: Collection[ClarityValue]) -> Sizes:
    return _wrapper_sizes(_SIZES_BY_TYPE[NO_TYPE])


def _measure_optional(values: Collection[ClarityValue]) -> Sizes:
    return _wrapper_sizes(_sizes_of_all(list(map(_contents, values))))


def _measure_response(values: Collection[ClarityValue]) -> Sizes:
    return _response_sizes(
        _sizes_of_all([value.value for value in values if type(value) is OkValue]),
        _sizes_of_all([value.value for value in values if type(value) is ErrValue]),
    )


def _measure_lists(values: Collection[ClarityValue]) -> Sizes:
    items = list(chain.from_iterable(map(_contents, values)))
    return _list_sizes(_sizes_of_all(items), _longest(values))


def _measure_tuples(values: Collection[ClarityValue]) -> Sizes:
    columns = columns_of(values)
    if columns is None:
        raise _NotPlainError
    return _tuple_sizes(columns, list(map(_sizes_of_all, columns.values())))


def _wrapper_sizes(inner: Sizes) -> Sizes:
    return inner[0] + _WRAPPER_SIZE, inner[1] + 1


def _response_sizes(ok: Sizes, error: Sizes) -> Sizes:
    return max(ok[0], error[0]) + _WRAPPER_SIZE, ok[1] + error[1] + 1


def _list_sizes(item: Sizes, length: int) -> Sizes:
    type_size = item[1] + 5
    return item[0] * length + type_size, type_size


def _tuple_sizes(names: Collection[str], fields: Iterable[Sizes]) -> Sizes:
    names_size = 2 * len(names) + sum(map(len, names))
    sizes, type_sizes = zip(*fields, strict=True)
    type_size = names_size + sum(type_sizes)
    return names_size + type_size + sum(sizes), type_size


_SIZED: Final[dict[type, type[BufferType | AsciiType | Utf8Type]]] = {
    BufferValue: BufferType,
    AsciiValue: AsciiType,
    Utf8Value: Utf8Type,
}
_MEASURES: Final[dict[type, Callable[[Collection[ClarityValue]], Sizes]]] = {
    BufferValue: _measure_bytes,
    AsciiValue: _measure_bytes,
    Utf8Value: _measure_utf8,
    NoneValue: _measure_none,
    SomeValue: _measure_optional,
    OkValue: _measure_response,
    ErrValue: _measure_response,
    ListValue: _measure_lists,
    TupleValue: _measure_tuples,
}


def _path_text(path: tuple[Step, ...]) -> str:
    text = "value"
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step is not None:
            text += f".{step}"
    return text
