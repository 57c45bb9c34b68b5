"""Strict reading of a JSON answer: each field is what it must be, or the error names it.

Fields that nobody asks for are ignored, so that a newer node does not break an older client.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from der_client.stacks.errors import NodeAnswerError

_DECIMAL: Final = re.compile(r"[0-9]{1,39}\Z")
_HEX_UINT128: Final = re.compile(r"0x[0-9a-fA-F]{1,32}\Z")
_UINT128_LIMIT: Final = 1 << 128
_EXCERPT_CHARACTERS: Final = 200
_MISSING: Final = object()


def excerpt(text: str, limit: int = _EXCERPT_CHARACTERS) -> str:
    """Shorten text from outside for an error message, without control characters that a terminal would obey."""
    shown = "".join(character if character.isprintable() else " " for character in text[: limit + 1])
    return f"{shown[:limit]}…" if len(text) > limit else shown


def parse_json(body: bytes, url: str) -> Any:
    """Parse a body as JSON.

    Raises:
        NodeAnswerError: If it is none, or nested deeper than Python can follow.
    """
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        shown = excerpt(body[: 4 * _EXCERPT_CHARACTERS].decode("utf-8", "replace"))
        raise NodeAnswerError(
            f"the answer is not JSON: {shown!r}; check that the URL is that of a Stacks node with an API", url
        ) from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


class Fields:
    """A JSON object that is read field by field.

    Args:
        values: The parsed object.
        url: Where it came from, for errors.
        path: Where it is in the answer, e.g. ``events[3].``, for errors.
    """

    __slots__ = ("_path", "_url", "_values")

    def __init__(self, values: Any, url: str, path: str = "") -> None:
        if type(values) is not dict:
            where = f"the field {path.rstrip('.')}" if path else "the answer"
            raise NodeAnswerError(f"{where} is {_shown(values)}, not a JSON object; {_ADVICE}", url)
        self._values: dict[str, Any] = values
        self._url = url
        self._path = path

    @property
    def values(self) -> dict[str, Any]:
        """The object as it came."""
        return self._values

    def __contains__(self, name: str) -> bool:
        """Return whether the field is there and not null."""
        return self._values.get(name) is not None

    def error(self, name: str, expected: str) -> NodeAnswerError:
        """Return the error for a field that is not what it must be."""
        value = self._values.get(name, _MISSING)
        if value is _MISSING:
            text = f"the field {self._path}{name} is missing from the answer (expected {expected}); {_ADVICE}"
        else:
            text = f"the field {self._path}{name} is {_shown(value)}, not {expected}; {_ADVICE}"
        return NodeAnswerError(text, self._url)

    def text(self, name: str) -> str:
        """Return a string."""
        value = self._values.get(name)
        if type(value) is not str:
            raise self.error(name, "a string")
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a string, or ``None`` if the field is missing or null."""
        return self.text(name) if name in self else None

    def flag(self, name: str) -> bool:
        """Return a boolean."""
        value = self._values.get(name)
        if type(value) is not bool:
            raise self.error(name, "true or false")
        return value

    def unsigned(self, name: str) -> int:
        """Return a JSON integer from 0 to 2¹²⁸-1."""
        value = self._values.get(name)
        if type(value) is not int or not 0 <= value < _UINT128_LIMIT:
            raise self.error(name, "an integer of at least 0")
        return value

    def optional_unsigned(self, name: str) -> int | None:
        """Return a JSON integer of at least 0, or ``None`` if the field is missing or null."""
        return self.unsigned(name) if name in self else None

    def amount(self, name: str) -> int:
        """Return an amount, which the API writes as a string of decimal digits (and older ones as an integer)."""
        value = self._values.get(name)
        if type(value) is str and _DECIMAL.match(value):
            return int(value)
        if type(value) is int and 0 <= value < _UINT128_LIMIT:
            return value
        raise self.error(name, "an amount in decimal digits")

    def hex_uint128(self, name: str) -> int:
        """Return a 128-bit number, which the node writes as ``0x`` and up to 32 hexadecimal digits."""
        value = self._values.get(name)
        if type(value) is not str or not _HEX_UINT128.match(value):
            raise self.error(name, "0x and up to 32 hexadecimal digits")
        return int(value, 16)

    def hex_bytes(self, name: str) -> bytes:
        """Return bytes in hexadecimal, with or without ``0x``."""
        value = self._values.get(name)
        digits = value.removeprefix("0x") if type(value) is str else "?"
        try:
            data = bytes.fromhex(digits)
        except ValueError:
            raise self.error(name, "bytes in hexadecimal") from None
        if 2 * len(data) != len(digits):  # spaces, which Python skips
            raise self.error(name, "bytes in hexadecimal")
        return data

    def hash_text(self, name: str, length: int = 32) -> str:
        """Return a hash of ``length`` bytes as lower-case hexadecimal without ``0x``."""
        value = self.hex_bytes(name)
        if len(value) != length:
            raise self.error(name, f"{length} bytes in hexadecimal")
        return value.hex()

    def any(self, name: str) -> Any:
        """Any JSON value that is there."""
        if name not in self._values:
            raise self.error(name, "any value")
        return self._values[name]

    def fields(self, name: str) -> Fields:
        """Return a nested object."""
        if type(self._values.get(name)) is not dict:
            raise self.error(name, "a JSON object")
        return Fields(self._values[name], self._url, f"{self._path}{name}.")

    def items(self, name: str) -> list[Fields]:
        """Return a list of objects."""
        values = self._values.get(name)
        if type(values) is not list:
            raise self.error(name, "a list")
        return [Fields(value, self._url, f"{self._path}{name}[{index}].") for index, value in enumerate(values)]

    def optional_items(self, name: str) -> list[Fields]:
        """Return a list of objects; empty if the field is missing or null."""
        return self.items(name) if name in self else []

    def integers(self, name: str) -> tuple[int, ...]:
        """Return a list of integers of at least 0; empty if the field is missing or null."""
        values = self._values.get(name)
        if values is None:
            return ()
        if type(values) is not list or any(type(value) is not int or value < 0 for value in values):
            raise self.error(name, "a list of integers of at least 0")
        return tuple(values)


_ADVICE: Final = "check that the URL is that of a Stacks node with an API, and that its version is supported"


def _shown(value: Any) -> str:
    return excerpt(repr(value), 80)
