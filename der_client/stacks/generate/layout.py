"""Lays out Python as the usual formatters do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH: Final = 120
_STANDARD_LIBRARY: Final = ("collections.abc", "typing")


def call_like(head: str, parts: Sequence[str], tail: str, indent: int = 0) -> list[str]:
    """``head(a, b)tail`` in one line; if it is too long, with the parts in a line of their own, or each in its own."""
    space = " " * indent
    one = f"{space}{head}({', '.join(parts)}){tail}"
    if len(one) <= WIDTH or not parts:
        return [one]
    inside = f"{space}    {', '.join(parts)}"
    if len(inside) <= WIDTH and not any("\n" in part for part in parts):
        return [f"{space}{head}(", inside, f"{space}){tail}"]
    return [f"{space}{head}(", *(f"{space}    {part}," for part in parts), f"{space}){tail}"]


def listed(name: str, items: Sequence[str], indent: int) -> list[str]:
    """``name=(a, b)`` as an argument in a line of its own, or each item in its own line."""
    space = " " * indent
    one = f"{space}{name}=({', '.join(items)}{',' if len(items) == 1 else ''}),"
    if len(one) <= WIDTH:
        return [one]
    return [f"{space}{name}=(", *(f"{space}    {item}," for item in items), f"{space}),"]


def import_lines(imports: Mapping[str, set[str]]) -> list[str]:
    """Import statements, sorted, in the usual groups."""
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
    """Constants, classes, functions: as import sorters do."""
    if name.isupper() and len(name) > 1:
        return 0, name
    return (1, name) if name[0].isupper() else (2, name)
