"""Shapes of JSON: descriptions of responses whose exact values are not known in advance.

A shape is a JSON value, which matches only itself, except for these parts:

- ``int``, ``float``, ``str``, ``bool``: any value of that type (``bool`` is not ``int``; an ``int`` is a ``float``);
- a ``dict``: an object with exactly these fields;
- a ``list``: a list of exactly these elements;
- one of the classes below.

In texts and keys, ``$name`` is replaced by the prepared value of that name; `Named` is for values of other types.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, is_dataclass, replace
from string import Template
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Shape = Any
"""A JSON value with types and shapes in it."""


@dataclass(frozen=True)
class AtLeast:
    """An object with at least these fields; newer nodes have more."""

    fields: Mapping[str, Shape]


@dataclass(frozen=True)
class Text:
    """A text that fully matches a regular expression. Names are not replaced in it."""

    pattern: str


@dataclass(frozen=True)
class Nullable:
    """``null``, or a value of this shape."""

    shape: Shape


@dataclass(frozen=True)
class ListOf:
    """A list whose elements all have this shape."""

    shape: Shape
    minimum: int = 0


@dataclass(frozen=True)
class Unordered:
    """A list of exactly these elements, in any order."""

    elements: tuple[Shape, ...]


@dataclass(frozen=True)
class Including:
    """A list with at least one element of this shape."""

    element: Shape


@dataclass(frozen=True)
class NumberFrom:
    """A whole number that is at least this."""

    minimum: int | Named


@dataclass(frozen=True)
class Named:
    """The prepared value of this name, of any type."""

    name: str


HASH = Text("[0-9a-f]{64}")
PREFIXED_HASH = Text("0x[0-9a-f]{64}")
SHORT_HASH = Text("[0-9a-f]{40}")
HEX = Text("0x([0-9a-f]{2})+")
NUMERAL = Text("[0-9]+")
ISO_TIME = Text(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def fill(shape: Shape, names: Mapping[str, Any]) -> Shape:
    """Replace all names in a shape by their prepared values."""
    match shape:
        case str():
            return Template(shape).substitute(names)
        case Named(name):
            return names[name]
        case Text():
            return shape
        case dict():
            return {fill(key, names): fill(value, names) for key, value in shape.items()}
        case list() | tuple():
            return type(shape)(fill(element, names) for element in shape)
        case _ if is_dataclass(shape) and not isinstance(shape, type):
            return replace(shape, **{part.name: fill(getattr(shape, part.name), names) for part in fields(shape)})
    return shape


def mismatches(value: Any, shape: Shape, path: str = "body") -> Iterator[str]:
    """Yield the places where a JSON value does not match a shape."""
    match shape:
        case type():
            if not _is(value, shape):
                yield f"{path}: {value!r} is no {shape.__name__}"
        case dict() | AtLeast():
            yield from _field_mismatches(value, shape, path)
        case list():
            if not isinstance(value, list) or len(value) != len(shape):
                yield f"{path}: {value!r} is no list of {len(shape)}"
            else:
                for index, (element, expected) in enumerate(zip(value, shape, strict=True)):
                    yield from mismatches(element, expected, f"{path}[{index}]")
        case ListOf(element_shape, minimum):
            if not isinstance(value, list) or len(value) < minimum:
                yield f"{path}: {value!r} is no list of at least {minimum}"
            else:
                for index, element in enumerate(value):
                    yield from mismatches(element, element_shape, f"{path}[{index}]")
        case Unordered(elements):
            yield from _unordered_mismatches(value, elements, path)
        case Including(element):
            if not isinstance(value, list) or all(any(mismatches(found, element)) for found in value):
                yield f"{path}: {value!r} has no {element!r}"
        case Text(pattern):
            if not isinstance(value, str) or not re.fullmatch(pattern, value, re.DOTALL):
                yield f"{path}: {value!r} does not match {pattern!r}"
        case Nullable(inner):
            if value is not None:
                yield from mismatches(value, inner, path)
        case NumberFrom(minimum):
            if not _is(value, int) or value < minimum:
                yield f"{path}: {value!r} is no whole number from {minimum} on"
        case _:
            if value != shape or isinstance(value, bool) != isinstance(shape, bool):
                yield f"{path}: {value!r} instead of {shape!r}"


def _is(value: Any, kind: type) -> bool:
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, int | float if kind is float else kind)


def _field_mismatches(value: Any, shape: dict[str, Shape] | AtLeast, path: str) -> Iterator[str]:
    expected = shape.fields if isinstance(shape, AtLeast) else shape
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is no object"
        return
    for name, inner in expected.items():
        if name in value:
            yield from mismatches(value[name], inner, f"{path}.{name}")
        else:
            yield f"{path}.{name} is missing"
    if isinstance(shape, dict):
        yield from (f"{path}.{name} is not expected" for name in value if name not in expected)


def _unordered_mismatches(value: Any, elements: tuple[Shape, ...], path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: {value!r} is no list"
        return
    left = list(value)
    for element in elements:
        found = next((candidate for candidate in left if not any(mismatches(candidate, element))), None)
        if found is None:
            yield f"{path}: nothing like {element!r} in {value!r}"
        else:
            left.remove(found)
    yield from (f"{path}: {extra!r} is not expected" for extra in left)
