"""Lays out Python as the usual formatters do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH: Final = 120
_STANDARD_LIBRARY: Final = ("collections.abc", "typing")


def call_like(head: str, parts: Sequence[str], tail: str, indent: int = 0) -> list[str]:
    """Return ``head(a, b)tail`` on one line; if it is too long, the parts get their own line, or one line each."""
    space = " " * indent
    one = f"{space}{head}({', '.join(parts)}){tail}"
    if len(one) <= WIDTH or not parts:
        return [one]
    inside = f"{space}    {', '.join(parts)}"
    closing = f"{space}){tail}"
    if len(inside) <= WIDTH and len(closing) <= WIDTH:
        return [f"{space}{head}(", inside, closing]
    each_in_its_own = [line for part in parts for line in broken(part, indent + 4, ",")]
    return [f"{space}{head}(", *each_in_its_own, *broken(f"){tail}", indent)]


def broken(text: str, indent: int, end: str = "") -> list[str]:
    """Lay out an expression: if it is too long, the content of its brackets is put on separate lines.

    Args:
        text: The expression.
        indent: Its columns.
        end: The text directly after it, such as a comma.
    """
    space = " " * indent
    start = min((place for place in (text.find("["), text.find("(")) if place >= 0), default=-1)
    if len(f"{space}{text}{end}") <= WIDTH or start < 0:
        return [f"{space}{text}{end}"]
    items, closing = _items(text, start)
    head, tail = f"{space}{text[: start + 1]}", f"{space}{text[closing:]}{end}"
    inside = f"{space}    {', '.join(items)}"
    if len(inside) <= WIDTH:
        return [head, inside, tail]
    return [head, *(line for item in items for line in broken(item, indent + 4, ",")), tail]


def _items(text: str, start: int) -> tuple[list[str], int]:
    """Return the items in the brackets that open at a place, and where these close."""
    items = [""]
    depth = 0
    for place, character in enumerate(text[start + 1 :], start + 1):
        if character in ")]}" and depth == 0:
            return [item.strip() for item in items if item.strip()], place
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            items.append("")
        else:
            items[-1] += character
    return [item.strip() for item in items], len(text)


def listed(name: str, items: Sequence[str], indent: int) -> list[str]:
    """Return ``name=(a, b)`` as an argument on its own line, or with each item on its own line."""
    space = " " * indent
    one = f"{space}{name}=({', '.join(items)}{',' if len(items) == 1 else ''}),"
    if len(one) <= WIDTH:
        return [one]
    return [f"{space}{name}=(", *(f"{space}    {item}," for item in items), f"{space}),"]


def import_lines(imports: Mapping[str, set[str]]) -> list[str]:
    """Return import statements, sorted, in the usual groups."""
    groups: list[list[str]] = [["from __future__ import annotations"], [], [], []]
    for module in sorted(imports, key=lambda name: (name.startswith("."), name)):
        names = sorted(imports[module], key=_import_order)
        group = 3 if module.startswith(".") else 1 if module in _STANDARD_LIBRARY else 2
        one = f"from {module} import {', '.join(names)}"
        lines = [one] if len(one) <= WIDTH else [f"from {module} import (", *(f"    {name}," for name in names), ")"]
        groups[group] += lines
    lines = []
    for group_lines in groups:
        lines += [*([""] if lines and group_lines else []), *group_lines]
    return lines


def _import_order(name: str) -> tuple[int, str]:
    """Return a sort key: constants, classes, functions, as import sorters do."""
    if name.isupper() and len(name) > 1:
        return 0, name
    return (1, name) if name[0].isupper() else (2, name)
