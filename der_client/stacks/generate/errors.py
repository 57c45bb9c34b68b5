"""Finds the error codes of a contract in its source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from der_client.stacks.clarity.source import Expression
    from der_client.stacks.generate.definitions import Definitions

_NUMBER: Final = re.compile(r"u?([0-9]{1,38})\Z|(-[0-9]{1,38})\Z")
_ERROR_NAME: Final = re.compile(r"(?i)(^|[^a-z])(e|err|error|errors)([^a-z]|$)")
_MAX_ALIASES: Final = 8


@dataclass(frozen=True, slots=True)
class FoundError:
    """An error code.

    Attributes:
        constant: The name of the constant.
        code: The number.
        comment: The comment above or after it.
    """

    constant: str
    code: int
    comment: tuple[str, ...]


def find_errors(definitions: Definitions) -> tuple[FoundError, ...]:
    """Return the constants of a source that are error codes, in its order.

    These are all constants with the value ``(err uN)`` or ``(err N)``, and numbers that the source uses in
    ``(err NAME)``, or that have the name of an error and are never used in arithmetic.

    Args:
        definitions: What the source defines.
    """
    values = {name: constant.value for name, constant in definitions.constants.items()}
    in_errors, elsewhere = _uses(definitions)
    found: list[FoundError] = []
    for name, constant in definitions.constants.items():
        value = _resolved(constant.value, values)
        if value.head == "err" and len(value.items) == 2:
            code = _number(_resolved(value.items[1], values))
        elif name in in_errors or (_ERROR_NAME.search(name) and name not in elsewhere):
            code = _number(value)
        else:
            continue
        if code is not None:
            found.append(FoundError(name, code, constant.comment))
    return tuple(found)


def _uses(definitions: Definitions) -> tuple[set[str], set[str]]:
    """Return the names in ``(err NAME)``, and those anywhere else."""
    in_errors: set[str] = set()
    elsewhere: set[str] = set()
    for whole in definitions.evaluated():
        for expression in whole.walk():
            names = in_errors if expression.head == "err" else elsewhere
            names.update(item.text for item in expression.items if item.text)
    return in_errors, elsewhere


def _resolved(value: Expression, values: Mapping[str, Expression]) -> Expression:
    """Return a value, following names of other constants."""
    for _ in range(_MAX_ALIASES):
        if not value.text or value.text not in values:
            break
        value = values[value.text]
    return value


def _number(value: Expression) -> int | None:
    match = _NUMBER.match(value.text)
    return None if match is None else int(match[1] or match[2])
