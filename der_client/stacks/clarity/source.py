"""Reads Clarity source: expressions with their places, and the comments between them.

Accepts everything that the parser of Clarity's VM accepts, and more: only the VM decides whether a source is valid.
Nesting is not limited, and nothing here is recursive, so no source can crash the reader.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Final

from der_client.stacks.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

_TOKEN: Final = re.compile(
    r"""(?P<space>[\s,:]++)
    | (?P<comment>;[^\n]*+)
    | (?P<open>[({])
    | (?P<close>[)}])
    | (?P<string>u?"[^"\\]*+(?:\\.[^"\\]*+)*+")
    | (?P<atom>[^\s(){},:;"]++)""",
    re.VERBOSE | re.DOTALL,
)
_CLOSERS: Final = {"(": ")", "{": "}"}


class Kind(Enum):
    """The kind of an expression."""

    LIST = "list"
    TUPLE = "tuple"
    ATOM = "atom"
    STRING = "string"


@dataclass(frozen=True, slots=True)
class Expression:
    """A part of a source.

    Attributes:
        kind: ``LIST`` is ``(…)``, ``TUPLE`` is ``{…}``, ``ATOM`` a name or number, ``STRING`` a text in quotes.
        text: The text of an atom or a string as it is written, including quotes. Empty for the others.
        items: The parts of a list; of a tuple, key, value, key, value, …
        start: Where it begins, counted in characters from 0.
        end: Where it ends: the place of the first character after it.
    """

    kind: Kind
    text: str
    items: tuple[Expression, ...]
    start: int
    end: int

    @property
    def head(self) -> str:
        """The name that a list begins with, such as ``define-public``; empty if it does not begin with one."""
        return self.items[0].text if self.kind is Kind.LIST and self.items else ""

    @property
    def fields(self) -> dict[str, Expression]:
        """The fields of ``{a: x}`` or ``(tuple (a x))`` by name; empty for anything else."""
        if self.kind is Kind.TUPLE:
            return {key.text: value for key, value in zip(self.items[::2], self.items[1::2], strict=False)}
        if self.head == "tuple":
            return {item.items[0].text: item.items[1] for item in self.items[1:] if len(item.items) == 2}
        return {}

    def walk(self) -> Iterator[Expression]:
        """Yield this expression and all that it contains, in the order of the source."""
        waiting = [self]
        while waiting:
            expression = waiting.pop()
            yield expression
            waiting.extend(reversed(expression.items))


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment: what follows ``;`` until the end of the line.

    Attributes:
        text: Its text, without semicolons and the space around it.
        line: Its line, from 1.
        alone: Whether nothing else is on the line before it.
    """

    text: str
    line: int
    alone: bool


@dataclass(frozen=True)
class Source:
    """A source, read.

    Attributes:
        text: The source.
        expressions: Its expressions, in order.
        comments: Its comments by line.
    """

    text: str
    expressions: tuple[Expression, ...]
    comments: dict[int, Comment]

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a source.

        Args:
            text: The source of a contract, or a part of one.

        Raises:
            SourceError: If brackets or quotes do not match; it carries line and column.
        """
        expressions, comments = _read(text)
        lines = _LineIndex(text)
        found: dict[int, Comment] = {}
        for start, end in comments:
            line = lines.position(start)[0]
            alone = not text[lines.starts[line - 1] : start].strip()
            found[line] = Comment(text[start:end].lstrip(";").strip(), line, alone)
        return cls(text, expressions, found)

    @cached_property
    def _lines(self) -> _LineIndex:
        return _LineIndex(self.text)

    def position(self, place: int) -> tuple[int, int]:
        """Line and column of a place, both from 1."""
        return self._lines.position(place)

    def comment_above(self, expression: Expression) -> tuple[str, ...]:
        """Return the lines of comment directly above an expression, from the top; no blank line may be between."""
        found: list[str] = []
        line = self.position(expression.start)[0] - 1
        while (comment := self.comments.get(line)) is not None and comment.alone:
            found.append(comment.text)
            line -= 1
        return tuple(reversed(found))

    def comment_behind(self, expression: Expression) -> str:
        """Return the comment at the end of the line on which an expression ends; empty without one."""
        comment = self.comments.get(self.position(expression.end - 1)[0])
        return "" if comment is None or comment.alone else comment.text


class _LineIndex:
    """Where lines begin."""

    def __init__(self, text: str) -> None:
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def position(self, place: int) -> tuple[int, int]:
        line = bisect_right(self.starts, place)
        return line, place - self.starts[line - 1] + 1


@dataclass(slots=True)
class _Open:
    """An open bracket, and its content so far."""

    bracket: str
    start: int
    items: list[Expression]


def _read(text: str) -> tuple[tuple[Expression, ...], list[tuple[int, int]]]:
    """Read expressions, and where comments are."""
    comments: list[tuple[int, int]] = []
    stack = [_Open("", 0, [])]
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _error(text, place, "the string that begins here does not end")
        start, place = match.span()
        match match.lastgroup:
            case "open":
                stack.append(_Open(match[0], start, []))
            case "close":
                begun = stack.pop()
                if _CLOSERS.get(begun.bracket) != match[0]:
                    raise _error(text, start, f"{match[0]} does not close any open bracket")
                kind = Kind.LIST if begun.bracket == "(" else Kind.TUPLE
                stack[-1].items.append(Expression(kind, "", tuple(begun.items), begun.start, place))
            case "atom" | "string":
                kind = Kind.ATOM if match.lastgroup == "atom" else Kind.STRING
                stack[-1].items.append(Expression(kind, match[0], (), start, place))
            case "comment":
                comments.append((start, place))
    if len(stack) > 1:
        raise _error(text, stack[-1].start, f"{stack[-1].bracket} is never closed")
    return tuple(stack[0].items), comments


def _error(text: str, place: int, problem: str) -> SourceError:
    line, column = _LineIndex(text).position(place)
    return SourceError(f"line {line}, column {column}: {problem}", line, column)
