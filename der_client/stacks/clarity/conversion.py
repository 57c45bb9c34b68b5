"""Between typed Python and Clarity: a codec for each annotation, compiled once, on first use.

Encoding goes through Clarity values, so that everything is checked and can be shown. Decoding reads the wire form
straight into the Python object, without making Clarity values first: that is what keeps typed reads fast.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from der_client.stacks.clarity import wire
from der_client.stacks.clarity.annotations import ClarityName, Conversion, MaxLength, Response
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
    AsciiValue,
    ClarityValue,
    ErrValue,
    ListValue,
    NoneValue,
    OkValue,
    SomeValue,
    TupleValue,
)
from der_client.stacks.errors import DecodeError, EncodeError

Encoder = Callable[[Any, str], ClarityValue]
Reader = Callable[[bytes, int], tuple[Any, int]]


@dataclass(frozen=True, slots=True)
class Codec:
    """Converts between one Python annotation and one Clarity type.

    Attributes:
        type: The Clarity type that the annotation stands for.
        encode: From Python (and what to call it in errors) to a Clarity value; raises EncodeError.
        read: From wire bytes and an offset to Python and the offset behind; raises DecodeError.
    """

    type: ClarityType
    encode: Encoder
    read: Reader

    def decode(self, data: bytes) -> Any:
        """Decode bytes that hold exactly one value.

        Raises:
            DecodeError: they hold something else; it carries the offset.
        """
        value, end = self.read(data, 0)
        if end != len(data):
            raise DecodeError(f"{len(data) - end} bytes follow the {self.type}", end)
        return value


def clarity_name(name: str, annotation: Any = None) -> str:
    """The Clarity name of a Python field or parameter: its own, or by its ClarityName."""
    for note in getattr(annotation, "__metadata__", ()):
        if isinstance(note, ClarityName):
            return note.name
    return name.replace("_", "-")


@lru_cache(maxsize=1024)
def codec_for(annotation: Any) -> Codec:
    """Compile the codec of an annotation (see :mod:`der_client.stacks.clarity.annotations` for the vocabulary).

    Raises:
        TypeError: the annotation names no Clarity type.
    """
    if get_origin(annotation) is Annotated:
        return _annotated_codec(*get_args(annotation))
    if annotation is bool:
        return Codec(BOOL, BOOL.from_python, _read_bool)
    if annotation is None or annotation is types.NoneType:
        return Codec(NoneType_(), NoneType_().from_python, _read_nothing)
    if get_origin(annotation) in (types.UnionType, Union):
        alternatives = [item for item in get_args(annotation) if item is not types.NoneType]
        if len(alternatives) == 1:
            return _optional_codec(codec_for(alternatives[0]))
    if get_origin(annotation) is Response:
        return _response_codec(codec_for(get_args(annotation)[0]))
    if isinstance(annotation, type) and issubclass(annotation, IntEnum):
        return _enum_codec(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _model_codec(annotation)
    raise TypeError(f"{annotation!r} names no Clarity type: see der_client.stacks.clarity.annotations")


def _annotated_codec(base: Any, *notes: Any) -> Codec:
    for note in notes:
        if isinstance(note, Conversion):
            return _converted_codec(note)
        if isinstance(note, ClarityType):
            return _type_codec(note)
        if isinstance(note, MaxLength):
            return _list_codec(codec_for(get_args(base)[0]), note.length)
    return codec_for(base)


def _expected(kind: object, data: bytes, offset: int) -> DecodeError:
    found = f"0x{data[offset]:02x}" if offset < len(data) else "the end of the input"
    return DecodeError(f"expected {kind}, found {found}", offset)


def _read_bool(data: bytes, offset: int) -> tuple[bool, int]:
    tag = data[offset : offset + 1]
    if tag == b"\x03":
        return True, offset + 1
    if tag == b"\x04":
        return False, offset + 1
    raise _expected("bool", data, offset)


def _read_nothing(data: bytes, offset: int) -> tuple[None, int]:
    if data[offset : offset + 1] != b"\x09":
        raise _expected("none", data, offset)
    return None, offset + 1


def _read_uint(data: bytes, offset: int) -> tuple[int, int]:
    end = offset + 17
    if end > len(data) or data[offset] != wire.UINT:
        raise _expected("uint", data, offset)
    return int.from_bytes(data[offset + 1 : end], "big"), end


def _read_int(data: bytes, offset: int) -> tuple[int, int]:
    end = offset + 17
    if end > len(data) or data[offset] != wire.INT:
        raise _expected("int", data, offset)
    return int.from_bytes(data[offset + 1 : end], "big", signed=True), end


def _read_principal(data: bytes, offset: int) -> tuple[str, int]:
    tag = data[offset : offset + 1]
    if tag == b"\x05":
        return wire.read_standard_principal(data, offset + 1)
    if tag == b"\x06":
        return wire.read_contract_principal(data, offset + 1)
    raise _expected("principal", data, offset)


def _sized_reader(tag: int, kind: BufferType | AsciiType | Utf8Type, read_body: Reader) -> Reader:
    limit = kind.length

    def read(data: bytes, offset: int) -> tuple[Any, int]:
        if data[offset : offset + 1] != bytes((tag,)):
            raise _expected(kind, data, offset)
        content, end = read_body(data, offset + 1)
        if len(content) > limit:
            raise DecodeError(f"a length of {len(content)} is too long for {kind}", offset)
        return content, end

    return read


def _type_codec(kind: ClarityType) -> Codec:
    readers: dict[ClarityType, Reader] = {
        UINT: _read_uint,
        INT: _read_int,
        BOOL: _read_bool,
        PRINCIPAL: _read_principal,
    }
    reader = readers.get(kind)
    if reader is None:
        match kind:
            case BufferType():
                reader = _sized_reader(wire.BUFFER, kind, wire.read_buffer)
            case AsciiType():
                reader = _sized_reader(wire.ASCII, kind, wire.read_ascii)
            case Utf8Type():
                reader = _sized_reader(wire.UTF8, kind, wire.read_utf8)
            case _:
                raise TypeError(f"{kind} is not written as an annotation")
    return Codec(kind, kind.from_python, reader)


def _converted_codec(conversion: Conversion) -> Codec:
    inner = _type_codec(conversion.type)
    to_clarity, from_clarity, read_inner = conversion.to_clarity, conversion.from_clarity, inner.read

    def encode(value: Any, path: str) -> ClarityValue:
        try:
            plain = to_clarity(value)
        except EncodeError as error:
            raise EncodeError(f"{path}: {error}") from None
        return inner.encode(plain, path)

    def read(data: bytes, offset: int) -> tuple[Any, int]:
        plain, end = read_inner(data, offset)
        return from_clarity(plain), end

    return Codec(inner.type, encode, read)


def _enum_codec(enum: type[IntEnum]) -> Codec:
    members: dict[int, IntEnum] = {member.value: member for member in enum}

    def encode(value: Any, path: str) -> ClarityValue:
        if not isinstance(value, enum):
            choices = ", ".join(f"{enum.__name__}.{member.name}" for member in enum)
            raise EncodeError(f"{path} takes one of {choices}, not {value!r}")
        return UINT.from_python(int(value), path)

    def read(data: bytes, offset: int) -> tuple[IntEnum, int]:
        number, end = _read_uint(data, offset)
        member = members.get(number)
        if member is None:
            raise DecodeError(f"u{number} is no {enum.__name__}", offset)
        return member, end

    return Codec(UINT, encode, read)


def _optional_codec(item: Codec) -> Codec:
    read_item = item.read

    def encode(value: Any, path: str) -> ClarityValue:
        return NoneValue() if value is None else SomeValue(item.encode(value, path))

    def read(data: bytes, offset: int) -> tuple[Any, int]:
        tag = data[offset : offset + 1]
        if tag == b"\x0a":
            return read_item(data, offset + 1)
        if tag == b"\x09":
            return None, offset + 1
        raise _expected(OptionalType(item.type), data, offset)

    return Codec(OptionalType(item.type), encode, read)


def _response_codec(item: Codec) -> Codec:
    kind = ResponseType(item.type, UINT)

    def encode(value: Any, path: str) -> ClarityValue:
        if not isinstance(value, Response):
            raise EncodeError(f"{path} takes a Response, not {value!r}")
        if value.error_code is None:
            return OkValue(item.encode(value.value, path))
        return ErrValue(UINT.from_python(value.error_code, path))

    def read(data: bytes, offset: int) -> tuple[Response[Any], int]:
        tag = data[offset : offset + 1]
        if tag == b"\x07":
            value, end = item.read(data, offset + 1)
            return Response(value, None), end
        if tag == b"\x08":
            code, end = _read_uint(data, offset + 1)
            return Response(None, code), end
        raise _expected(kind, data, offset)

    return Codec(kind, encode, read)


def _list_codec(item: Codec, length: int) -> Codec:
    kind = ListType(item.type, length)
    encode_item, read_item = item.encode, item.read

    def encode(value: Any, path: str) -> ClarityValue:
        if not isinstance(value, Sequence) or isinstance(value, (str, bytes, bytearray)):
            raise EncodeError(f"{path} takes a list or tuple, not {type(value).__name__} {value!r}")
        if len(value) > length:
            raise EncodeError(f"{path} has {len(value)} items, {kind} takes at most {length}: split it")
        return ListValue(encode_item(entry, f"{path}[{index}]") for index, entry in enumerate(value))

    def read(data: bytes, offset: int) -> tuple[tuple[Any, ...], int]:
        if data[offset : offset + 1] != b"\x0b":
            raise _expected(kind, data, offset)
        count, position = wire.read_length(data, offset + 1, "list")
        if count > length:
            raise DecodeError(f"a list of {count} items is too long for {kind}", offset)
        items = []
        for _ in range(count):
            entry, position = read_item(data, position)
            items.append(entry)
        return tuple(items), position

    return Codec(kind, encode, read)


def field_annotations(model: type[BaseModel]) -> dict[str, Any]:
    """The annotations of a model's fields, resolved, by Python name."""
    hints = get_type_hints(model, include_extras=True)
    return {name: hints[name] for name in model.__pydantic_fields__}


def _model_codec(model: type[BaseModel]) -> Codec:
    fields = [
        (clarity_name(name, annotation), name, codec_for(annotation))
        for name, annotation in field_annotations(model).items()
    ]
    # What every tuple of this model holds, e.g. an event's topic: written and compared, never shown as a field.
    constants: dict[str, ClarityValue] = getattr(model, "clarity_constants", {})
    types_by_name: dict[str, ClarityType] = {name: codec.type for name, _, codec in fields}
    kind = TupleType(types_by_name | {name: _constant_type(value) for name, value in constants.items()})
    construct = model_constructor(model)
    header = bytes((wire.TUPLE,)) + (len(fields) + len(constants)).to_bytes(4, "big")
    steps: list[tuple[bytes, int, str, Reader | None]] = []
    for name, attribute, read_field in sorted(
        [(name, attribute, codec.read) for name, attribute, codec in fields] + [(name, "", None) for name in constants],
        key=lambda step: step[0],
    ):
        prefix = bytes((len(name),)) + name.encode("ascii")
        if read_field is None:
            prefix += wire.encode(constants[name])
        steps.append((prefix, len(prefix), attribute, read_field))

    def encode(value: Any, path: str) -> ClarityValue:
        if not isinstance(value, model):
            raise EncodeError(f"{path} takes a {model.__name__}, not {type(value).__name__} {value!r}")
        given = {
            name: codec.encode(getattr(value, attribute), f"{path}.{attribute}") for name, attribute, codec in fields
        }
        return TupleValue(given | constants)

    def read(data: bytes, offset: int) -> tuple[Any, int]:
        position = offset + 5
        if data[offset:position] != header:
            raise _expected(kind, data, offset)
        values: dict[str, Any] = {}
        for prefix, size, attribute, read_field in steps:
            start = position + size
            if data[position:start] != prefix:
                name = prefix[1 : 1 + prefix[0]].decode()
                raise DecodeError(f"expected the field {name!r} of {model.__name__}", position)
            if read_field is None:
                position = start
            else:
                values[attribute], position = read_field(data, start)
        return construct(values), position

    return Codec(kind, encode, read)


def _constant_type(value: ClarityValue) -> ClarityType:
    return AsciiType(len(value.value)) if isinstance(value, AsciiValue) else UINT


def model_constructor(model: type[BaseModel]) -> Callable[[dict[str, Any]], Any]:
    """A function that fills a frozen model without validating it again: the codec has checked every field's type."""
    new: Final = model.__new__
    names = frozenset(model.__pydantic_fields__)
    put = object.__setattr__

    def construct(values: dict[str, Any]) -> Any:
        instance = new(model)
        put(instance, "__dict__", values)
        put(instance, "__pydantic_fields_set__", set(names))
        put(instance, "__pydantic_extra__", None)
        put(instance, "__pydantic_private__", None)
        return instance

    return construct


@dataclass(frozen=True, slots=True)
class Signature:
    """The compiled parameters and result of a declared function.

    Attributes:
        parameters: Clarity name, Python name and codec of each parameter, in order.
        result: The codec of what the function returns.
    """

    parameters: tuple[tuple[str, str, Codec], ...]
    result: Codec


def compile_signature(function: Callable[..., Any]) -> Signature:
    """Compile a declared function's annotations (without ``self``).

    Raises:
        TypeError: an annotation is missing or names no Clarity type.
    """
    hints = typing.get_type_hints(function, include_extras=True)
    code = function.__code__
    names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    if missing := [name for name in (*names, "return") if name not in hints]:
        raise TypeError(f"{function.__qualname__} lacks annotations for {', '.join(missing)}")
    return Signature(
        tuple((clarity_name(name, hints[name]), name, codec_for(hints[name])) for name in names),
        codec_for(hints["return"]),
    )
