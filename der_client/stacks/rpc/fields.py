"""Types of the fields of a response, and strict reading of it: each field is what it must be, or the error names it.

A response is a dataclass. Its fields are read from those of the JSON object with the same names, or that `at` says.
Unknown fields are ignored, so that a newer node does not break an older client.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar, cast

from pydantic import AliasChoices, AliasPath, BeforeValidator, Field, PlainValidator, ValidationError

from der_client.stacks.checks import UINT_MAX
from der_client.stacks.clarity.types import ClarityType, parse_abi_type
from der_client.stacks.errors import NodeResponseError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")

_DECIMAL: Final = re.compile(r"[0-9]{1,39}\Z")
_HEX_UINT128: Final = re.compile(r"0x[0-9a-fA-F]{1,32}\Z")
_LATEST_UNIX_SECONDS: Final = 253_402_300_799  # the last second of the year 9999, where datetime ends
_EXCERPT_CHARACTERS: Final = 200
_ADVICE: Final = "check that the URL is that of a Stacks node with an API, and that its version is supported"


def excerpt(text: str, limit: int = _EXCERPT_CHARACTERS) -> str:
    """Shorten text from outside for an error message, without control characters that a terminal would act on."""
    shown = " ".join("".join(c if c.isprintable() else " " for c in text[: limit + 1]).split())
    return f"{shown[:limit]}…" if len(text) > limit else shown


def parse_json(body: bytes, url: str) -> Any:
    """Parse a body as JSON.

    Raises:
        NodeResponseError: If it is not JSON, or nested too deeply for Python.
    """
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        shown = excerpt(body[: 4 * _EXCERPT_CHARACTERS].decode("utf-8", "replace"))
        raise NodeResponseError(
            f"the response is not JSON: {shown!r}; check that the URL is that of a Stacks node with an API", url
        ) from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def read_as(kind: type[T], values: Any, url: str) -> T:
    """Read parsed JSON as a type of responses.

    Args:
        kind: A dataclass, or a type made of some.
        values: The JSON.
        url: Where it came from, for errors.

    Raises:
        NodeResponseError: If a field is missing or not what it must be; the text names it.
    """
    try:
        response: T = _reader(cast("Any", kind)).validate_python(values)
    except ValidationError as error:
        raise _first_of(error, url) from None
    return response


def at(*paths: str, default: Any = ...) -> Any:
    """Say where in a response a field is.

    Args:
        paths: Its path, with dots; or several, of which it is the first that is there.
        default: What it is where none of them is there.
    """
    places = [AliasPath(*path.split(".")) for path in paths]
    return Field(default=default, validation_alias=AliasChoices(*places))


def inner(name: str) -> BeforeValidator:
    """Take one field of an object instead of the object."""

    def take(value: Any) -> Any:
        if type(value) is not dict or name not in value:
            raise ValueError(f"an object with {name}")
        return value[name]

    return BeforeValidator(take)


def _by_name(items: Any) -> Any:
    if type(items) is not list or any(type(item) is not dict or "name" not in item for item in items):
        raise ValueError("a list of objects with names")
    return {item["name"]: item for item in items}


def _amount(value: Any) -> int:
    if type(value) is str and _DECIMAL.match(value):
        return int(value)
    if type(value) is int and 0 <= value <= UINT_MAX:
        return value
    raise ValueError("an amount in decimal digits")


def _hex_number(value: Any) -> int:
    if type(value) is not str or not _HEX_UINT128.match(value):
        raise ValueError("0x and up to 32 hexadecimal digits")
    return int(value, 16)


def _hex_bytes(value: Any) -> bytes:
    digits = value.removeprefix("0x") if type(value) is str else "?"
    try:
        data = bytes.fromhex(digits)
    except ValueError:
        data = b""
    if 2 * len(data) != len(digits):  # spaces, which Python skips
        raise ValueError("bytes in hexadecimal")
    return data


def _hash_of(length: int) -> PlainValidator:
    def read(value: Any) -> str:
        data = _hex_bytes(value)
        if len(data) != length:
            raise ValueError(f"{length} bytes in hexadecimal")
        return data.hex()

    return PlainValidator(read)


def _moment(value: Any) -> datetime:
    if type(value) is not int or not 0 <= value <= _LATEST_UNIX_SECONDS:
        raise ValueError("Unix seconds before the year 10000")
    return datetime.fromtimestamp(value, UTC)


Unsigned = Annotated[int, Field(strict=True, ge=0, le=UINT_MAX)]
"""A JSON integer from 0 to 2¹²⁸-1."""
Flag = Annotated[bool, Field(strict=True)]
Amount = Annotated[int, PlainValidator(_amount)]
"""An amount, which the API writes as a string of decimal digits (and older ones as an integer)."""
HexNumber = Annotated[int, PlainValidator(_hex_number)]
"""A 128-bit number, which the node writes as ``0x`` and up to 32 hexadecimal digits."""
HexBytes = Annotated[bytes, PlainValidator(_hex_bytes)]
"""Bytes in hexadecimal, with or without ``0x``."""
Hash = Annotated[str, _hash_of(32)]
"""32 bytes as lower-case hexadecimal without ``0x``."""
ShortHash = Annotated[str, _hash_of(20)]
Moment = Annotated[datetime, PlainValidator(_moment)]
"""Unix seconds, as a UTC datetime."""
AbiType = Annotated[ClarityType, PlainValidator(parse_abi_type)]
"""A type as an interface writes it."""
BY_NAME: Final = BeforeValidator(_by_name)
"""A list of objects, by their names."""
NONE_IS_EMPTY: Final = BeforeValidator(lambda value: () if value is None else value)
"""A list that may be null."""


@cache
def _reader(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter  # noqa: PLC0415 -- `import der_client` stays fast

    return TypeAdapter(kind)


def _first_of(error: ValidationError, url: str) -> NodeResponseError:
    wrong = error.errors(include_url=False)[0]
    path = ""
    for part in wrong["loc"]:
        if not str(part).startswith("("):  # which of several classes was chosen is not in the response
            path += f"[{part}]" if type(part) is int else f".{part}" if path else str(part)
    if wrong["type"] == "missing":
        return NodeResponseError(f"the field {path} is missing from the response; {_ADVICE}", url)
    expected = wrong["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if wrong["type"] == "dataclass_type":
        expected = "a JSON object"
    where = f"the field {path}" if path else "the response"
    shown = excerpt(repr(wrong["input"]), 80)
    return NodeResponseError(f"{where} is {shown}, not {expected}; {_ADVICE}", url)
