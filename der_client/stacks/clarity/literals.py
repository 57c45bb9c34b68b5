r"""Parses Clarity literals: as written in source, in a deployment plan or on a command line, and as written by nodes.

Both forms are accepted, even mixed, since only one thing has different meanings in them:

=====================  ==========================================  =======================================
value                  in source                                   as a node writes it (``str(value)``)
=====================  ==========================================  =======================================
int, uint, bool, none  ``-1``, ``u1``, ``true``, ``none``          the same
buffer                 ``0xff``                                    the same
string-ascii           ``"a\"b"``                                  the same; also ``\'``, ``\x0c``
string-utf8            ``u"\u{e9}"``: a code point                 ``u"\u{c3a9}"``: the bytes of its UTF-8 form
principal              ``'ST….market``                             ``ST….market``
some, ok, err          ``(some x)``                                the same
list                   ``(list 1 2)``                              ``(1 2)``
tuple                  ``{k: v}``, ``(tuple (k v))``               ``(tuple (k v))``
=====================  ==========================================  =======================================

``\u{c3a9}`` is therefore 쎩 in source and é in a node's text: say which it is. Unlike in contract source, a string-utf8
may contain any character as it is (``u"é"``). What needs a contract around it is not a literal: ``.market``, constants,
calls of functions.

Facts from stacks-core's lexer and parser (``clarity/src/vm/ast/parser/v2``), checked on the real VM:
``tests/vectors/clarity_literals.json``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

from der_client.stacks.clarity.names import is_clarity_name
from der_client.stacks.clarity.supertypes import check_type
from der_client.stacks.clarity.values import (
    INT_MAX,
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
from der_client.stacks.clarity.wire import MAX_DEPTH
from der_client.stacks.errors import InvalidValueError, LiteralError

if TYPE_CHECKING:
    from collections.abc import Callable

Made = TypeVar("Made")

MAX_TEXT_LENGTH: Final = 16 << 20
"""More characters than in the text of any value."""

_SPACE: Final = re.compile(r"(?:[ \t\n]++|;;[^\n]*+)*+")
_WORD: Final = re.compile(r"[^\s(){},:;\"]*+")
_STRING: Final = re.compile(r'"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"')
_ESCAPE: Final = re.compile(r"\\(?:u\{(?P<hex>[0-9a-fA-F]++)\}|x(?P<x>[0-7][0-9a-fA-F])|(?P<c>.))")
_INT: Final = re.compile(r"-?[0-9]++")
_UINT: Final = re.compile(r"u[0-9]++")
_BUFFER: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*+")
_PRINCIPAL: Final = re.compile(r"'?S[0-9A-HJKMNP-TV-Z]++(?:\.[a-zA-Z_][a-zA-Z0-9_-]*+)?")

_ESCAPED: Final = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "t": "\t", "r": "\r", "0": "\0"}
_CONSTANTS: Final = {"true": BoolValue(True), "false": BoolValue(False), "none": NoneValue()}
_WRAPPERS: Final = {"some": SomeValue, "ok": OkValue, "err": ErrValue}
_MOST_DIGITS: Final = len(str(INT_MAX))
_SHOWN: Final = 40


def parse(text: str, *, node_text: bool = False) -> ClarityValue:
    r"""Read one literal.

    Args:
        text: The literal, with any white space and ``;;`` comments around and within it.
        node_text: Whether a node wrote the text, so that ``\u{…}`` in a string-utf8 stands for the bytes of the UTF-8
            form; otherwise it is a code point, as in source.

    Returns:
        The value; its encoding is that of the literal in Clarity's VM. (Except for a list whose later tuples have more
        fields than the first: the VM drops these fields, here they are kept.)

    Raises:
        LiteralError: If the text is not a literal, or the value is impossible: out of range, too deep, a list of
            several types.
    """
    if not isinstance(text, str):
        raise LiteralError(f"a literal is text, not {type(text).__name__}", 0)
    if len(text) > MAX_TEXT_LENGTH:
        raise LiteralError(f"{len(text)} characters are too many for one value: at most {MAX_TEXT_LENGTH}", 0)
    return _Parser(text, _from_utf8_bytes if node_text else _from_code_point).parse()


class _Parser:
    """Reads one text from left to right; every method leaves ``place`` after what it has read."""

    def __init__(self, text: str, from_hex: Callable[[str], str]) -> None:
        self.text = text
        self.from_hex = from_hex
        self.place = 0

    def parse(self) -> ClarityValue:
        self.skip_space()
        start = self.place
        value = self.value(MAX_DEPTH)
        self.skip_space()
        if self.place < len(self.text):
            raise self.expected("the end after the value")
        self.checked(start, check_type, value)
        return value

    def value(self, depth: int) -> ClarityValue:
        """Read a value around which ``MAX_DEPTH - depth`` composites are open."""
        match self.peek():
            case "(":
                return self.parenthesis(depth)
            case "{":
                return self.braces(depth)
            case '"':
                return self.checked(self.place, AsciiValue, self.string(_not_in_ascii))
        start = self.place
        word = self.word()
        if word == "u" and self.peek() == '"':
            return self.checked(start, Utf8Value, self.string(self.from_hex))
        if word in _CONSTANTS:
            if word == "none":
                self.deeper(start, depth)  # its type contains the type of nothing
            return _CONSTANTS[word]
        if _UINT.fullmatch(word):
            return self.checked(start, UIntValue, self.number(start, word[1:]))
        if _INT.fullmatch(word):
            return self.checked(start, IntValue, self.number(start, word))
        if _BUFFER.fullmatch(word):
            return self.checked(start, BufferValue, bytes.fromhex(word[2:]))
        if _PRINCIPAL.fullmatch(word):
            return self.checked(start, PrincipalValue, word.removeprefix("'"))
        self.place = start
        raise self.expected("a number, true, false, none, 0x…, a string, a whole principal, (…) or {…}")

    def parenthesis(self, depth: int) -> ClarityValue:
        """Read ``(some x)``, ``(tuple …)``, ``(list …)`` or, as nodes write lists, ``(…)``."""
        start = self.place
        self.place += 1
        self.skip_space()
        inside = self.place
        word = self.word()
        if word in _WRAPPERS:
            self.need_space()
            inner = self.value(self.deeper(start, depth))
            self.skip_space()
            self.expect(")")
            return _WRAPPERS[word](inner)
        if word == "tuple":
            return self.tuple_entries(start, self.deeper(start, depth))
        if word != "list":
            self.place = inside
        elif not self.skip_space():
            self.expect(")")
            self.deeper(start, depth)
            return ListValue()
        return self.items(self.deeper(start, depth))

    def items(self, depth: int) -> ClarityValue:
        items: list[ClarityValue] = []
        while self.peek() != ")":
            items.append(self.value(depth))
            if not self.skip_space():
                break
        self.expect(")")
        return ListValue(items)

    def tuple_entries(self, start: int, depth: int) -> ClarityValue:
        """Read ``(name value) …)``."""
        fields: dict[str, ClarityValue] = {}
        while self.skip_space() and self.peek() == "(":
            self.place += 1
            self.skip_space()
            name = self.name(fields)
            self.need_space()
            fields[name] = self.value(depth)
            self.skip_space()
            self.expect(")")
        self.expect(")")
        return self.checked(start, TupleValue, fields)

    def braces(self, depth: int) -> ClarityValue:
        """Read ``{name: value, …}``; a comma may also follow the last field."""
        start = self.place
        inner = self.deeper(start, depth)
        self.place += 1
        self.skip_space()
        fields: dict[str, ClarityValue] = {}
        while self.peek() != "}":
            name = self.name(fields)
            self.skip_space()
            self.expect(":")
            self.skip_space()
            fields[name] = self.value(inner)
            self.skip_space()
            if self.peek() != ",":
                break
            self.place += 1
            self.skip_space()
        self.expect("}")
        return self.checked(start, TupleValue, fields)

    def name(self, fields: dict[str, ClarityValue]) -> str:
        start = self.place
        name = self.word()
        if name in fields:
            raise LiteralError(f"duplicate field {name!r}", start)
        if not is_clarity_name(name):
            raise LiteralError(f"{self.shown(start)} is not the name of a field", start)
        return name

    def string(self, from_hex: Callable[[str], str]) -> str:
        start = self.place
        quoted = self.take(_STRING)
        if not quoted:
            raise LiteralError('this string does not end; expected " before the end of the line', start)

        def character(escape: re.Match[str]) -> str:
            try:
                if escape["hex"]:
                    return from_hex(escape["hex"])
                return chr(int(escape["x"], 16)) if escape["x"] else _ESCAPED[escape["c"]]
            except (KeyError, ValueError, OverflowError):
                place = start + 1 + escape.start()
                raise LiteralError(f"{self.shown(place)} starts with an invalid escape", place) from None

        return _ESCAPE.sub(character, quoted[1:-1])

    def number(self, start: int, digits: str) -> int:
        if len(digits.lstrip("-0")) > _MOST_DIGITS:
            raise LiteralError(f"{self.shown(start)} has more than {_MOST_DIGITS} digits, more than any int", start)
        return int(digits)

    def deeper(self, start: int, depth: int) -> int:
        if not depth:
            raise LiteralError(f"values are nested deeper than {MAX_DEPTH} levels", start)
        return depth - 1

    def checked(self, start: int, make: Callable[[Any], Made], content: Any) -> Made:
        """Build a value from what has been read; if that fails, report where it started."""
        try:
            return make(content)
        except InvalidValueError as error:
            raise LiteralError(str(error), start) from None

    def peek(self) -> str:
        return self.text[self.place : self.place + 1]

    def word(self) -> str:
        return self.take(_WORD)

    def skip_space(self) -> bool:
        """Skip white space and comments; return whether there was any."""
        return bool(self.take(_SPACE))

    def take(self, pattern: re.Pattern[str]) -> str:
        """Read what a pattern matches here, possibly nothing."""
        found = pattern.match(self.text, self.place)
        if found is None:
            return ""
        self.place = found.end()
        return found[0]

    def need_space(self) -> None:
        if not self.skip_space():
            raise self.expected("white space and a value")

    def expect(self, character: str) -> None:
        if self.peek() != character:
            raise self.expected(repr(character))
        self.place += 1

    def expected(self, what: str) -> LiteralError:
        return LiteralError(f"expected {what}, found {self.shown(self.place)}", self.place)

    def shown(self, start: int) -> str:
        """Return the text from a place on, short enough for a message."""
        rest = self.text[start : start + _SHOWN + 1]
        if not rest:
            return "the end"
        return repr(rest) if len(rest) <= _SHOWN else f"{rest[:_SHOWN]!r}…"


def _from_code_point(digits: str) -> str:
    character = chr(int(digits, 16))
    character.encode()  # refuses surrogates
    return character


def _from_utf8_bytes(digits: str) -> str:
    character = bytes.fromhex(digits).decode()
    if len(character) != 1 or character.isascii():
        raise ValueError(digits)
    return character


def _not_in_ascii(digits: str) -> str:
    raise ValueError(digits)
