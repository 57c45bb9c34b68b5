"""Python names for Clarity names."""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORDS: Final = {"->": "-to-", "<=": "-lte-", ">=": "-gte-", "<": "-lt-", ">": "-gt-", "+": "-plus-", "*": "-times-"}
_ODD: Final = re.compile("|".join(map(re.escape, _WORDS)))
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATOR: Final = re.compile(r"[^A-Za-z0-9]+")


def words(name: str) -> list[str]:
    """Return the words of a name, in lower case: ``getBalance-of`` has ``get``, ``balance`` and ``of``."""
    spelled = _ODD.sub(lambda match: _WORDS[match[0]], name)
    parts = [part for part in _SEPARATOR.split(spelled) if part]
    return [word.lower() for part in parts for word in _HUMP.split(part)]


def snake_case(name: str) -> str:
    """Return a name for a function, parameter or field: ``get-balance?`` is ``get_balance``."""
    return _identifier("_".join(words(name)) or "unnamed")


def upper_case(name: str) -> str:
    """Return a name for a member of an enum: ``err-not-owner`` is ``ERR_NOT_OWNER``."""
    return _identifier("_".join(words(name)) or "unnamed").upper()


def camel_case(name: str) -> str:
    """Return a name for a class: ``pool-v-1-1`` is ``PoolV11``."""
    text = "".join(word[0].upper() + word[1:] for word in words(name)) or "Unnamed"
    return f"Of{text}" if text[0].isdigit() else text


def singular(name: str) -> str:
    """Return the singular of a name: ``listings`` is ``listing``."""
    if re.search(r"(ss|us|is|os|properties|details|settings|params|terms|stats|series)$", name) or len(name) < 4:
        return name
    if name.endswith("ies"):
        return name[:-3] + "y"
    if re.search(r"(sses|xes|ches|shes|zes)$", name):
        return name[:-2]
    return name.removesuffix("s")


def _identifier(text: str) -> str:
    return f"_{text}" if text[0].isdigit() else text


class Namespace:
    """Names in use; each is assigned only once.

    Args:
        taken: Names that must not be used.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def __contains__(self, name: str) -> bool:
        """Return whether a name is taken, or one of Python's own."""
        return name in self._taken or keyword.iskeyword(name)

    def take(self, *candidates: str) -> str:
        """Return the first of some names that is free; if none is, the first with an underscore or a number."""
        for candidate in candidates:
            if candidate not in self:
                break
        else:
            first, number = candidates[0], 2
            is_class = first[0].isupper() and not first.isupper()
            candidate = f"{first}2" if is_class else f"{first}_"
            while candidate in self:
                number += is_class
                candidate = f"{first}{number}" if is_class else f"{first}_{number}"
                number += not is_class
        self._taken.add(candidate)
        return candidate
