"""Converts between typed Python and Clarity: a codec for each annotation, compiled once, on first use.

Encoding goes through Clarity values, so that everything is checked and can be shown. Decoding reads the wire form
directly into the Python object, without creating Clarity values first, which keeps typed reads fast.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from der_client.stacks.clarity import decoding, wire
from der_client.stacks.clarity.encoding import encode as encode_value
from der_client.stacks.clarity.supertypes import type_of
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
    TraitType,
    TupleType,
    Utf8Type,
)
from der_client.stacks.clarity.values import (
    ClarityValue,
    ErrValue,
    ListValue,
    NoneValue,
    OkValue,
    SomeValue,
    TupleValue,
)
from der_client.stacks.contract.annotations import ClarityName, Conversion, FromCall, MaxLength, Response
from der_client.stacks.contract.hints import local_names_of
from der_client.stacks.contract.layouts import (
    Constant,
    Field,
    FixedSize,
    Known,
    Layout,
    Reader,
    ResultWriter,
    expected,
    tuple_reader,
)
from der_client.stacks.errors import DecodeError, EncodeError, bytes_follow, shown

if TYPE_CHECKING:
    from der_client.stacks.clarity.generated import GeneratedReader

Encoder = Callable[[Any, str], ClarityValue]


@dataclass(frozen=True, slots=True)
class Codec:
    """Converts between one Python annotation and one Clarity type.

    Attributes:
        type: The Clarity type that the annotation stands for.
        encode: From a Python value (and its name in errors) to a Clarity value; raises EncodeError.
        read: From wire bytes and an offset to Python and the offset after it; raises DecodeError.
        fixed: The wire form, if all values of the type have the same length.
        usual: The layout of nearly all values as parts of a tuple, if it is quicker to read.
        read_some: If the type is an optional, the reader of what it holds.
    """

    type: ClarityType
    encode: Encoder
    read: Reader
    fixed: FixedSize | None = None
    usual: Layout | None = None
    read_some: Reader | None = None

    def decode(self, data: bytes) -> Any:
        """Decode bytes that hold exactly one value.

        Raises:
            DecodeError: If they contain something else; it carries the offset.
        """
        value, end = self.read(data, 0)
        if end != len(data):
            raise DecodeError(bytes_follow(len(data) - end, f"the {self.type}"), end)
        return value


def clarity_name(name: str, annotation: Any = None) -> str:
    """Return the Clarity name of a Python field or parameter: its own, or by its ClarityName."""
    for note in getattr(annotation, "__metadata__", ()):
        if isinstance(note, ClarityName):
            return note.name
    return name.replace("_", "-")


_LISTS: Final = (
    "a list is Annotated[tuple[X, ...], MaxLength(…)], for a parameter also Annotated[Sequence[X], MaxLength(…)]"
)
_INSTEAD: Final[Mapping[Any, str]] = {
    int: "write UInt or Int",
    str: "write Principal, Annotated[str, AsciiType(…)] or Annotated[str, Utf8Type(…)]",
    bytes: "write Annotated[bytes, BufferType(…)]",
    dict: "a tuple is a class that derives from Model",
    float: "Clarity has whole numbers only, UInt and Int",
    list: _LISTS,
    tuple: f"{_LISTS}; a tuple of Clarity is a class that derives from Model",
    Sequence: _LISTS,
}
"""What to write for annotations that look right in Python, but do not say enough."""


@lru_cache(maxsize=1024)
def codec_for(annotation: Any) -> Codec:
    """Compile the codec of an annotation (see ``der_client.stacks.contract.annotations`` for the vocabulary).

    Raises:
        TypeError: If the annotation does not name a Clarity type.
    """
    if get_origin(annotation) is Annotated:
        return _annotated_codec(*get_args(annotation))
    if annotation is bool:
        return _type_codec(BOOL)
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
    kind = get_origin(annotation) or annotation
    instead = _INSTEAD.get(
        kind, "see der_client.stacks.contract.annotations, or write Annotated[ClarityValue, its type]"
    )
    raise TypeError(f"{getattr(kind, '__name__', kind)} is not a Clarity type: {instead}")


def _codec_of(name: str, annotation: Any) -> Codec:
    """Compile the codec of something that has a name, which the error then says."""
    try:
        return codec_for(annotation)
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from None


def _annotated_codec(base: Any, *notes: Any) -> Codec:
    for note in notes:
        if isinstance(note, Conversion):
            return _converted_codec(note)
        if isinstance(note, ClarityType):
            return _value_codec(note) if _is_of_values(base) else _type_codec(note)
        if isinstance(note, MaxLength):
            if not get_args(base):
                raise TypeError(
                    f"MaxLength({note.length}) is for lists, got {base!r}: bytes are Annotated[bytes, BufferType(…)], "
                    "text is Annotated[str, AsciiType(…)] or Annotated[str, Utf8Type(…)]"
                )
            return _list_codec(codec_for(get_args(base)[0]), note.length)
    return codec_for(base)


def _is_of_values(annotation: Any) -> bool:
    """Return whether an annotation stands for Clarity values themselves: a class of them, or a union of classes."""
    kinds = get_args(annotation) if get_origin(annotation) in (types.UnionType, Union) else (annotation,)
    return all(isinstance(kind, type) and issubclass(kind, ClarityValue) for kind in kinds)


def _value_codec(kind: ClarityType) -> Codec:
    """Return the codec of a type whose Python values are Clarity values."""

    def encode(value: Any, path: str) -> ClarityValue:
        if not isinstance(value, ClarityValue):
            raise EncodeError(f"{path} takes a Clarity value of type {kind}, not {type(value).__name__} {shown(value)}")
        kind.check(value, path)
        return value

    def read(data: bytes, offset: int) -> tuple[ClarityValue, int]:
        value, end = decoding.read_value(data, offset)
        try:
            kind.check(value)
        except EncodeError as error:
            raise DecodeError(str(error), offset) from None
        return value, end

    return Codec(kind, encode, read)


def _read_nothing(data: bytes, offset: int) -> tuple[None, int]:
    if data[offset : offset + 1] != b"\x09":
        raise expected("none", data, offset)
    return None, offset + 1


def _read_principal(data: bytes, offset: int) -> tuple[str, int]:
    start = offset + 1
    tag = data[offset] if offset < len(data) else None
    if tag == wire.STANDARD:
        end = start + decoding.ACCOUNT_BYTES
        if end <= len(data) and data[start] < decoding.ADDRESS_VERSIONS:
            return decoding.address_text(data[start:end]), end
        return decoding.read_standard_principal(data, start)
    if tag == wire.CONTRACT:
        return decoding.read_contract_principal(data, start)
    raise expected("principal", data, offset)


def _read_trait(data: bytes, offset: int) -> tuple[str, int]:
    if data[offset : offset + 1] != bytes((wire.CONTRACT,)):
        raise expected("a contract that implements a trait", data, offset)
    return decoding.read_contract_principal(data, offset + 1)


_ACCOUNT: Final = Layout(bytes((wire.STANDARD,)), f"{decoding.ACCOUNT_BYTES}s", (decoding.address_text,))
_BELOW_2_64: Final[dict[ClarityType, Layout]] = {
    UINT: Layout(bytes((wire.UINT, *bytes(8))), "Q"),
    INT: Layout(bytes((wire.INT, *bytes(8))), "Q"),
}
"""Numbers that ``struct`` reads at once: those of 16 bytes whose upper 8 are 0."""


def _sized_reader(tag: int, kind: BufferType | AsciiType | Utf8Type, read_body: Reader) -> Reader:
    limit = kind.length

    def read(data: bytes, offset: int) -> tuple[Any, int]:
        if data[offset : offset + 1] != bytes((tag,)):
            raise expected(kind, data, offset)
        content, end = read_body(data, offset + 1)
        if len(content) > limit:
            raise DecodeError(f"a length of {len(content)} is too long for {kind}", offset)
        return content, end

    return read


_FIXED_SIZES: Final[dict[ClarityType, FixedSize]] = {
    UINT: FixedSize(bytes((wire.UINT,)), 16, int.from_bytes),
    INT: FixedSize(bytes((wire.INT,)), 16, partial(int.from_bytes, signed=True)),
    BOOL: FixedSize(
        b"", 1, Known({b"\x03": True, b"\x04": False}, lambda raw: f"expected bool, found 0x{raw.hex()}").__getitem__
    ),
}


def _type_codec(kind: ClarityType) -> Codec:
    if kind in _FIXED_SIZES:
        return _fixed_codec(kind, kind.from_python, _FIXED_SIZES[kind], _BELOW_2_64.get(kind))
    match kind:
        case BufferType():
            reader = _sized_reader(wire.BUFFER, kind, decoding.read_buffer)
        case AsciiType():
            reader = _sized_reader(wire.ASCII, kind, decoding.read_ascii)
        case Utf8Type():
            reader = _sized_reader(wire.UTF8, kind, decoding.read_utf8)
        case TraitType():
            reader = _read_trait
        case _ if kind == PRINCIPAL:
            return Codec(kind, kind.from_python, _read_principal, usual=_ACCOUNT)
        case _:
            raise TypeError(
                f"an annotation for {kind} is made of those for its parts, see der_client.stacks.contract.annotations, "
                "or it is Annotated[ClarityValue, …], which stands for the Clarity value itself"
            )
    return Codec(kind, kind.from_python, reader)


def _fixed_codec(kind: ClarityType, encode: Encoder, fixed: FixedSize, usual: Layout | None) -> Codec:
    return Codec(kind, encode, fixed.reader(kind), fixed, usual)


def _converted_codec(conversion: Conversion) -> Codec:
    inner = _type_codec(conversion.type)
    to_clarity, from_clarity, read_inner = conversion.to_clarity, conversion.from_clarity, inner.read

    def encode(value: Any, path: str) -> ClarityValue:
        try:
            plain = to_clarity(value)
        except EncodeError as error:
            raise EncodeError(f"{path}: {error}") from None
        return inner.encode(plain, path)

    usual = inner.usual and inner.usual._replace(steps=(*inner.usual.steps, from_clarity))
    if inner.fixed is not None:
        return _fixed_codec(inner.type, encode, replace(inner.fixed, finish=from_clarity), usual)

    def read(data: bytes, offset: int) -> tuple[Any, int]:
        plain, end = read_inner(data, offset)
        return from_clarity(plain), end

    return Codec(inner.type, encode, read, usual=usual)


def _enum_codec(enum: type[IntEnum]) -> Codec:
    members = Known(
        {member.value.to_bytes(16): member for member in enum},
        lambda raw: f"u{int.from_bytes(raw)} is not a member of {enum.__name__}",
    )

    def encode(value: Any, path: str) -> ClarityValue:
        if not isinstance(value, enum):
            choices = ", ".join(f"{enum.__name__}.{member.name}" for member in enum)
            raise EncodeError(f"{path} takes one of {choices}, not {shown(value)}")
        return UINT.from_python(int(value), path)

    by_number = {int(member): member for member in enum}
    return _fixed_codec(
        UINT,
        encode,
        FixedSize(bytes((wire.UINT,)), 16, members.__getitem__),
        _BELOW_2_64[UINT]._replace(steps=(by_number.__getitem__,)),
    )


def _optional_codec(item: Codec) -> Codec:
    read_item = item.read

    def encode(value: Any, path: str) -> ClarityValue:
        return NoneValue() if value is None else SomeValue(item.encode(value, path))

    def read(data: bytes, offset: int) -> tuple[Any, int]:
        tag = data[offset] if offset < len(data) else None
        if tag == wire.SOME:
            return read_item(data, offset + 1)
        if tag == wire.NONE:
            return None, offset + 1
        raise expected(OptionalType(item.type), data, offset)

    return Codec(OptionalType(item.type), encode, read, read_some=read_item)


def _response_codec(item: Codec) -> Codec:
    kind = ResponseType(item.type, UINT)
    read_code = _type_codec(UINT).read

    def encode(value: Any, path: str) -> ClarityValue:
        if not isinstance(value, Response):
            raise EncodeError(f"{path} takes a Response, not {shown(value)}")
        if value.error_code is None:
            return OkValue(item.encode(value.value, path))
        return ErrValue(UINT.from_python(value.error_code, path))

    def read(data: bytes, offset: int) -> tuple[Response[Any], int]:
        tag = data[offset : offset + 1]
        if tag == b"\x07":
            value, end = item.read(data, offset + 1)
            return Response(value, None), end
        if tag == b"\x08":
            code, end = read_code(data, offset + 1)
            return Response(None, code), end
        raise expected(kind, data, offset)

    return Codec(kind, encode, read)


def _list_codec(item: Codec, length: int) -> Codec:
    kind = ListType(item.type, length)
    encode_item, read_item = item.encode, item.read
    read_alike = None if item.fixed is None else item.fixed.reader_of_many()

    def encode(value: Any, path: str) -> ClarityValue:
        if not isinstance(value, Sequence) or isinstance(value, (str, bytes, bytearray)):
            raise EncodeError(f"{path} takes a list or tuple, not {type(value).__name__} {shown(value)}")
        if len(value) > length:
            raise EncodeError(f"{path} has {len(value)} items, {kind} takes at most {length}: split it")
        return ListValue(encode_item(entry, f"{path}[{index}]") for index, entry in enumerate(value))

    def read(data: bytes, offset: int) -> tuple[tuple[Any, ...], int]:
        if data[offset : offset + 1] != b"\x0b":
            raise expected(kind, data, offset)
        count, position = decoding.read_length(data, offset + 1, "list")
        if count > length:
            raise DecodeError(f"a list of {count} items is too long for {kind}", offset)
        if read_alike is not None and (alike := read_alike(data, position, count)) is not None:
            return alike
        items = []
        for _ in range(count):
            entry, position = read_item(data, position)
            items.append(entry)
        return tuple(items), position

    return Codec(kind, encode, read)


def field_annotations(model: type[BaseModel]) -> dict[str, Any]:
    """Return the annotations of a model's fields that are in its tuple, resolved, by Python name."""
    hints = get_type_hints(model, localns=local_names_of(model), include_extras=True)
    return {name: hints[name] for name in model.__pydantic_fields__ if _source_of(hints[name]) is None}


def _source_of(annotation: Any) -> FromCall | None:
    return next((note for note in getattr(annotation, "__metadata__", ()) if isinstance(note, FromCall)), None)


def _sources(model: type[BaseModel]) -> dict[str, str]:
    """Return the fields of a model that are not in its tuple, with the parameter that fills each."""
    hints = get_type_hints(model, localns=local_names_of(model), include_extras=True)
    found = {name: _source_of(hints[name]) for name in model.__pydantic_fields__}
    return {name: source.parameter for name, source in found.items() if source is not None}


def _model_codec(model: type[BaseModel]) -> Codec:
    fields = [
        (clarity_name(name, annotation), name, _codec_of(f"{model.__name__}.{name}", annotation))
        for name, annotation in field_annotations(model).items()
    ]
    # Fixed values of every tuple of this model, e.g. an event's topic: written and compared, never shown as fields.
    constants: dict[str, ClarityValue] = getattr(model, "clarity_constants", {})
    types_by_name: dict[str, ClarityType] = {name: codec.type for name, _, codec in fields}
    kind = TupleType(types_by_name | {name: _constant_type(value) for name, value in constants.items()})
    entries: list[Field | Constant] = [
        Field(name, attribute, codec.read, codec.fixed.layout() if codec.fixed else None, codec.usual, codec.read_some)
        for name, attribute, codec in fields
    ]
    entries += [Constant(name, encode_value(value)) for name, value in constants.items()]

    def encode(value: Any, path: str) -> ClarityValue:
        if not isinstance(value, model):
            raise EncodeError(f"{path} takes a {model.__name__}, not {type(value).__name__} {shown(value)}")
        given = {
            name: codec.encode(getattr(value, attribute), f"{path}.{attribute}") for name, attribute, codec in fields
        }
        return TupleValue(given | constants)

    return Codec(kind, encode, tuple_reader(kind, model.__name__, entries, _model_writer(model)))


def _constant_type(value: ClarityValue) -> ClarityType:
    return type_of(value)


def _model_writer(model: type[BaseModel]) -> ResultWriter:
    """Return a function that fills a frozen model without validating it again: the codec has checked all types."""
    attributes: dict[str, object] = {
        # Shared: pydantic changes it only in a copy of the model, for which it copies it, too.
        "__pydantic_fields_set__": set(model.__pydantic_fields__),
        "__pydantic_extra__": None,
        "__pydantic_private__": None,
    }

    absent = {name: model.__pydantic_fields__[name].default for name in _sources(model)}

    def write(source: GeneratedReader, values: str) -> str:
        if absent:
            # Written into the same display of a dict: to merge two of them takes a tenth of the time of a read.
            known = "".join(f"{source.constant(name)}: {source.constant(value)}, " for name, value in absent.items())
            values = f"{{{known}{values.removeprefix('{')}"
        puts = [("__dict__", values), *((name, source.constant(value)) for name, value in attributes.items())]
        source.lines.append(f"model = new({source.constant(model)})")
        source.lines += [f"{source.constant(BaseModel.__dict__[name].__set__)}(model, {value})" for name, value in puts]
        return "model"

    return write


@dataclass(frozen=True, slots=True)
class Signature:
    """The compiled parameters and result of a declared function.

    Attributes:
        parameters: Clarity name, Python name and codec of each parameter, in order.
        result: The codec of what the function returns.
        identities: The fields of the returned models that take the value of a parameter, each with its number.
        is_list: Whether it returns a list of models, which take the items of the parameter.
    """

    parameters: tuple[tuple[str, str, Codec], ...]
    result: Codec
    identities: tuple[tuple[str, int], ...] = ()
    is_list: bool = False

    def identify(self, result: Any, arguments: Sequence[Any]) -> None:
        """Fill those fields of the result that repeat the call's arguments.

        Args:
            result: The function's result, just decoded.
            arguments: Its arguments, as they were given.
        """
        for field, number in self.identities:
            models = result if self.is_list else (result,)
            for model, value in zip(models, arguments[number] if self.is_list else (arguments[number],), strict=True):
                if model is not None:
                    model.__dict__[field] = value


def compile_signature(function: Callable[..., Any], local_names: Mapping[str, Any] | None = None) -> Signature:
    """Compile a declared function's annotations (without ``self``).

    Args:
        function: The declaring method.
        local_names: Names in its annotations that are not in its module.

    Raises:
        TypeError: If an annotation is missing or does not name a Clarity type.
    """
    hints = typing.get_type_hints(function, localns=dict(local_names) if local_names else None, include_extras=True)
    code = function.__code__
    names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    if missing := [name for name in (*names, "return") if name not in hints]:
        raise TypeError(f"{function.__qualname__} lacks annotations for {', '.join(missing)}")
    model, is_list = _returned_model(hints["return"])
    suffix = "s" if is_list else ""
    sources = {} if model is None else _sources(model)
    return Signature(
        tuple(
            (clarity_name(name, hints[name]), name, _codec_of(f"{function.__qualname__}, {name}", hints[name]))
            for name in names
        ),
        _codec_of(f"{function.__qualname__}, its result", hints["return"]),
        tuple((field, names.index(name + suffix)) for field, name in sources.items() if name + suffix in names),
        is_list,
    )


def _returned_model(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """Return the model that a function returns, possibly as an optional or in a list, and whether it is a list."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _returned_model(parts[0])
    if origin in (types.UnionType, Union):
        return _returned_model(next(part for part in parts if part is not types.NoneType))
    if origin is tuple:
        return _returned_model(parts[0])[0], True
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return (annotation if is_model else None), False
