"""Clarity types as in a contract's interface (ABI): they check values, and convert from and to plain Python.

Plain Python for a type: ``int`` ``uint`` → int, ``bool`` → bool, ``buff`` → bytes, strings and ``principal`` → str,
``optional`` → the value or None, ``list`` → list, ``tuple`` → dict by Clarity name, ``response`` →
``OkValue`` or ``ErrValue`` around a Clarity value.
Every error names the path of what is wrong, e.g. ``offers[3].price``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from der_client.stacks.checks import check_number
from der_client.stacks.clarity.names import check_clarity_name
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
)
from der_client.stacks.errors import EncodeError, shown, whole


class ClarityType(ABC):
    """Base of all Clarity types; ``str(type)`` is the type as Clarity source writes it."""

    __slots__ = ()

    @abstractmethod
    def check(self, value: ClarityValue, path: str = "value") -> None:
        """Refuse a value that is not of this type.

        Args:
            value: The value.
            path: What to call it in the error.

        Raises:
            EncodeError: If it is of another type, or too long.
        """

    @abstractmethod
    def from_python(self, value: Any, path: str = "value") -> ClarityValue:
        """Make a value of this type from plain Python, or check a Clarity value.

        Args:
            value: Plain Python (see the module), or a Clarity value of this type.
            path: What to call it in the error.

        Raises:
            EncodeError: If it does not fit; the text names path, value and limit.
        """

    @abstractmethod
    def to_python(self, value: ClarityValue) -> Any:
        """Turn a value of this type into plain Python."""

    @whole
    def __repr__(self) -> str:
        """Return the type as Clarity source writes it: so the signature of a contract's method is readable."""
        return str(self)


def _check_part(part: object, what: str) -> None:
    if not isinstance(part, ClarityType):
        raise EncodeError(f"{what} is a Clarity type such as UINT or AsciiType(12), got {shown(part)}")


def _check_limit(length: int, what: str) -> None:
    check_number(length, 0, MAX_VALUE_BYTES, what, EncodeError)


def _named(path: str, make: Callable[[Any], ClarityValue], value: Any) -> ClarityValue:
    try:
        return make(value)
    except ValueError as error:
        raise EncodeError(f"{path}: {error}") from None


def _mismatch(path: str, expected: ClarityType, value: Any) -> EncodeError:
    found = shown(value, str if isinstance(value, ClarityValue) else repr)
    return EncodeError(f"{path}: {type(value).__name__} {found} is not of type {expected}")


@dataclass(frozen=True, slots=True, repr=False)
class _Scalar(ClarityType):
    """A type with one value class, whatever the value."""

    name: str
    kind: type[Any]

    def check(self, value: ClarityValue, path: str = "value") -> None:
        if type(value) is not self.kind:
            raise _mismatch(path, self, value)

    def from_python(self, value: Any, path: str = "value") -> ClarityValue:
        if isinstance(value, ClarityValue):
            self.check(value, path)
            return value
        try:
            made: ClarityValue = self.kind(value)
        except ValueError as error:
            raise EncodeError(f"{path}: {error}") from None
        return made

    def to_python(self, value: ClarityValue) -> Any:
        return value.value

    def __str__(self) -> str:
        return self.name


INT = _Scalar("int", IntValue)
UINT = _Scalar("uint", UIntValue)
BOOL = _Scalar("bool", BoolValue)
PRINCIPAL = _Scalar("principal", PrincipalValue)


@dataclass(frozen=True, slots=True, repr=False)
class TraitType(ClarityType):
    """A trait reference: an argument that names a contract which implements a trait."""

    def check(self, value: ClarityValue, path: str = "value") -> None:
        """Refuse a value that is not a contract principal."""
        if not isinstance(value, PrincipalValue) or value.contract_name is None:
            raise EncodeError(
                f"{path}: {shown(value, str)} is not a contract; a trait takes the principal of one, ADDRESS.name"
            )

    def from_python(self, value: Any, path: str = "value") -> ClarityValue:
        """Return the value of a contract principal's text."""
        principal = PRINCIPAL.from_python(value, path)
        self.check(principal, path)
        return principal

    def to_python(self, value: ClarityValue) -> Any:
        """Return the text of the contract principal."""
        return value.value

    def __str__(self) -> str:
        return "trait_reference"


@dataclass(frozen=True, slots=True, repr=False)
class NoneType_(ClarityType):  # noqa: N801 - the ABI's own word; Python's NoneType is something else
    """The type of a value that cannot exist: the unused branch of a response or optional."""

    def check(self, value: ClarityValue, path: str = "value") -> None:
        """Accept only ``none``."""
        if not isinstance(value, NoneValue):
            raise _mismatch(path, self, value)

    def from_python(self, value: Any, path: str = "value") -> ClarityValue:
        """Return ``none`` for None."""
        if value is not None and not isinstance(value, NoneValue):
            raise _mismatch(path, self, value)
        return NoneValue()

    def to_python(self, value: ClarityValue) -> Any:  # noqa: ARG002 - one signature for all types
        """Return None."""
        return None

    def __str__(self) -> str:
        return "none"


@dataclass(frozen=True, slots=True, repr=False)
class _Sized(ClarityType):
    """Bytes or text up to a length in bytes or characters."""

    length: int

    def __post_init__(self) -> None:
        _check_limit(self.length, f"the length of {type(self).__name__}")

    @property
    def _kind(self) -> tuple[str, type[Any], str]:
        raise NotImplementedError

    def check(self, value: ClarityValue, path: str = "value") -> None:
        _, kind, unit = self._kind
        if type(value) is not kind:
            raise _mismatch(path, self, value)
        if len(value.value) > self.length:
            found = shown(value, str)
            raise EncodeError(f"{path}: {found} has {len(value.value)} {unit}, {self} takes at most {self.length}")

    def from_python(self, value: Any, path: str = "value") -> ClarityValue:
        _, kind, _ = self._kind
        made = value if isinstance(value, ClarityValue) else _named(path, kind, value)
        self.check(made, path)
        return made

    def to_python(self, value: ClarityValue) -> Any:
        return value.value

    def __str__(self) -> str:
        return f"({self._kind[0]} {self.length})"


@dataclass(frozen=True, slots=True, repr=False)
class BufferType(_Sized):
    """``(buff n)``."""

    @property
    def _kind(self) -> tuple[str, type[Any], str]:
        return "buff", BufferValue, "bytes"


@dataclass(frozen=True, slots=True, repr=False)
class AsciiType(_Sized):
    """``(string-ascii n)``."""

    @property
    def _kind(self) -> tuple[str, type[Any], str]:
        return "string-ascii", AsciiValue, "characters"


@dataclass(frozen=True, slots=True, repr=False)
class Utf8Type(_Sized):
    """``(string-utf8 n)``."""

    @property
    def _kind(self) -> tuple[str, type[Any], str]:
        return "string-utf8", Utf8Value, "characters"


@dataclass(frozen=True, slots=True, repr=False)
class OptionalType(ClarityType):
    """``(optional t)``; None stands for ``none``."""

    item: ClarityType

    def __post_init__(self) -> None:
        _check_part(self.item, "the item of OptionalType")

    def check(self, value: ClarityValue, path: str = "value") -> None:
        """Accept ``none``, and ``(some x)`` with an x of the inner type."""
        if isinstance(value, SomeValue):
            self.item.check(value.value, path)
        elif not isinstance(value, NoneValue):
            raise _mismatch(path, self, value)

    def from_python(self, value: Any, path: str = "value") -> ClarityValue:
        """Return ``none`` for None, else ``(some x)`` of the inner type."""
        if value is None:
            return NoneValue()
        if isinstance(value, (NoneValue, SomeValue)):
            self.check(value, path)
            return value
        return SomeValue(self.item.from_python(value, path))

    def to_python(self, value: ClarityValue) -> Any:
        """Return None or the inner value."""
        return None if isinstance(value, NoneValue) else self.item.to_python(value.value)

    def __str__(self) -> str:
        return f"(optional {self.item})"


@dataclass(frozen=True, slots=True, repr=False)
class ResponseType(ClarityType):
    """``(response ok err)``."""

    ok: ClarityType
    error: ClarityType

    def __post_init__(self) -> None:
        _check_part(self.ok, "ok of ResponseType")
        _check_part(self.error, "error of ResponseType")

    def check(self, value: ClarityValue, path: str = "value") -> None:
        """Accept ``(ok x)`` and ``(err x)`` with an x of the branch's type."""
        if isinstance(value, OkValue):
            self.ok.check(value.value, path)
        elif isinstance(value, ErrValue):
            self.error.check(value.value, path)
        else:
            raise _mismatch(path, self, value)

    def from_python(self, value: Any, path: str = "value") -> ClarityValue:
        """Return an OkValue or ErrValue after checking it."""
        if not isinstance(value, ClarityValue):
            raise EncodeError(f"{path}: a response is given as OkValue(…) or ErrValue(…), not {shown(value)}")
        self.check(value, path)
        return value

    def to_python(self, value: ClarityValue) -> Any:
        """Return the value itself, since only it shows whether it is ok or err."""
        return value

    def __str__(self) -> str:
        return f"(response {self.ok} {self.error})"


@dataclass(frozen=True, slots=True, repr=False)
class ListType(ClarityType):
    """``(list n t)``."""

    item: ClarityType
    length: int

    def __post_init__(self) -> None:
        _check_part(self.item, "the item of ListType")
        _check_limit(self.length, "the length of ListType")

    def check(self, value: ClarityValue, path: str = "value") -> None:
        """Accept a list that is short enough and whose items fit."""
        if not isinstance(value, ListValue):
            raise _mismatch(path, self, value)
        self._check_length(len(value.items), path)
        for index, item in enumerate(value.items):
            self.item.check(item, f"{path}[{index}]")

    def _check_length(self, length: int, path: str) -> None:
        if length > self.length:
            raise EncodeError(f"{path} has {length} items, {self} takes at most {self.length}")

    def from_python(self, value: Any, path: str = "value") -> ClarityValue:
        """Return the value of any sequence except text and bytes."""
        if isinstance(value, ListValue):
            self.check(value, path)
            return value
        if not isinstance(value, Sequence) or isinstance(value, (str, bytes, bytearray, memoryview)):
            raise EncodeError(f"{path}: a list is given as a list or tuple, not {type(value).__name__} {shown(value)}")
        self._check_length(len(value), path)
        convert = self.item.from_python
        return ListValue(convert(item, f"{path}[{index}]") for index, item in enumerate(value))

    def to_python(self, value: ClarityValue) -> Any:
        """Return a list."""
        return [self.item.to_python(item) for item in value.value]

    def __str__(self) -> str:
        return f"(list {self.length} {self.item})"


@dataclass(frozen=True, slots=True, repr=False)
class TupleType(ClarityType):
    """``{name: t, …}``; the order of the fields does not matter."""

    fields: Mapping[str, ClarityType]

    def __post_init__(self) -> None:
        if not isinstance(self.fields, Mapping) or not self.fields:
            raise EncodeError(
                'TupleType takes at least one type by name, such as TupleType({"id": UINT}), not '
                f"{shown(self.fields)}"
            )
        for name, item in self.fields.items():
            _check_part(item, f"field {check_clarity_name(name)!r} of TupleType")

    def check(self, value: ClarityValue, path: str = "value") -> None:
        """Accept a tuple with exactly these fields."""
        if not isinstance(value, TupleValue):
            raise _mismatch(path, self, value)
        self._check_names(value.value, path)
        for name, item in self.fields.items():
            item.check(value.value[name], f"{path}.{name}")

    def _check_names(self, given: Mapping[str, Any], path: str) -> None:
        missing = [name for name in self.fields if name not in given]
        unknown = [name for name in given if name not in self.fields]
        if missing or unknown:
            problems = [f"lacks {', '.join(missing)}"] * bool(missing)
            problems += [f"has the unknown {', '.join(map(str, unknown))}"] * bool(unknown)
            raise EncodeError(f"{path} {' and '.join(problems)}: {self} is wanted")

    def from_python(self, value: Any, path: str = "value") -> ClarityValue:
        """Return the value of a mapping by Clarity names."""
        if isinstance(value, TupleValue):
            self.check(value, path)
            return value
        if not isinstance(value, Mapping):
            raise EncodeError(f"{path}: a tuple is given as a dict by name, not {type(value).__name__} {shown(value)}")
        self._check_names(value, path)
        return TupleValue({name: item.from_python(value[name], f"{path}.{name}") for name, item in self.fields.items()})

    def to_python(self, value: ClarityValue) -> Any:
        """Return a dict by Clarity name."""
        return {name: item.to_python(value.value[name]) for name, item in self.fields.items()}

    def __hash__(self) -> int:
        return hash(frozenset(self.fields.items()))

    def __str__(self) -> str:
        return "{" + ", ".join(f"{name}: {item}" for name, item in sorted(self.fields.items())) + "}"


_PLAIN: dict[str, ClarityType] = {
    "int128": INT,
    "uint128": UINT,
    "bool": BOOL,
    "principal": PRINCIPAL,
    "none": NoneType_(),
    "trait_reference": TraitType(),
}
_SIZED: dict[str, type[_Sized]] = {"buffer": BufferType, "string-ascii": AsciiType, "string-utf8": Utf8Type}
_MAX_ABI_DEPTH = 32


def parse_abi_type(description: Any, _depth: int = 0) -> ClarityType:
    """Read a type as a contract's interface writes it (GET /v2/contracts/interface).

    Args:
        description: Parsed JSON, e.g. ``{"list": {"type": "uint128", "length": 30}}``.

    Raises:
        EncodeError: If it is not a type of an interface.
    """
    if isinstance(description, str) and description in _PLAIN:
        return _PLAIN[description]
    if _depth < _MAX_ABI_DEPTH and isinstance(description, dict) and len(description) == 1:
        ((kind, body),) = description.items()
        try:
            match kind:
                case "buffer" | "string-ascii" | "string-utf8":
                    return _SIZED[kind](_abi_length(body))
                case "optional":
                    return OptionalType(parse_abi_type(body, _depth + 1))
                case "response":
                    return ResponseType(
                        parse_abi_type(body["ok"], _depth + 1), parse_abi_type(body["error"], _depth + 1)
                    )
                case "list":
                    return ListType(parse_abi_type(body["type"], _depth + 1), _abi_length(body))
                case "tuple":
                    fields = {
                        check_clarity_name(field["name"]): parse_abi_type(field["type"], _depth + 1) for field in body
                    }
                    if 0 < len(fields) == len(body):
                        return TupleType(fields)
        except (KeyError, TypeError, IndexError):
            pass
    raise EncodeError(f"{shown(description)} is not a type of a contract interface")


def _abi_length(body: Any) -> int:
    length = body["length"]
    if type(length) is not int or not 0 <= length <= MAX_VALUE_BYTES:
        raise TypeError(length)
    return length
