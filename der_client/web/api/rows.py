"""Rows of the API: the index's rows, with the unit in the name of every amount of money.

Amounts are whole numbers in the smallest unit of the row's ``token``, or in µSTX if it is null.
"""

from __future__ import annotations

import re
from dataclasses import fields, make_dataclass
from enum import Enum
from inspect import getdoc
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import Field

from der_client.index.table import Table

_MONEY: Final = frozenset(
    {"amount", "cost", "credits", "escrow", "fee", "fees", "locked", "payout", "price_per_kwh", "refund"}
)
_UNIT: Final = "smallest_unit"
_ATTRIBUTE: Final = re.compile(r"^    (\w+): (.+(?:\n        .+)*)", re.MULTILINE)
_KINDS: Final[dict[type, type]] = {}


def with_units(table: Table[Any], *, has_money: bool) -> Table[Any]:
    """Return a table of the index with the API's names.

    Args:
        table: The table.
        has_money: Whether its rows have amounts of money.
    """
    if not has_money:
        return table
    kind = row_kind(table.kind, has_money=has_money)
    names = [each.name for each in fields(table.kind)]
    return Table(kind, (kind(*(getattr(row, name) for name in names)) for row in table))


def row_kind(kind: type, *, has_money: bool) -> type:
    """Return the class of the API's rows for a class of the index; OpenAPI shows it, too.

    Args:
        kind: A dataclass of ``der_client.index.answers``.
        has_money: Whether it has amounts of money.
    """
    if kind not in _KINDS:
        hints, words = get_type_hints(kind), _descriptions(kind)
        columns = [(api_name(each.name, has_money=has_money), each.name) for each in fields(kind)]
        _KINDS[kind] = make_dataclass(
            kind.__name__,
            [
                (name, Annotated[_shown_type(hints[own]), Field(description=words.get(own, ""))])
                for name, own in columns
            ],
            frozen=True,
            slots=True,
        )
    return _KINDS[kind]


def api_name(name: str, *, has_money: bool) -> str:
    """Return the API's name of a field: amounts of money include their unit."""
    return f"{name}_{_UNIT}" if has_money and name in _MONEY else name


def _descriptions(kind: type) -> dict[str, str]:
    """Return the docstring's description of each field."""
    return {name: " ".join(text.split()) for name, text in _ATTRIBUTE.findall(getdoc(kind) or "")}


def _shown_type(hint: Any) -> Any:
    """Return the type of a field in JSON: states and kinds are their names in lower case."""
    if get_origin(hint) in (Union, UnionType):
        return Union[tuple(part if part is NoneType else _shown_type(part) for part in get_args(hint))]  # noqa: UP007
    if isinstance(hint, type) and issubclass(hint, Enum):
        return Literal[tuple(member.name.lower() for member in hint)]
    return hint
