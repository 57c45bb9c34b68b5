"""Tables of models and events: for a notebook, and as data frames of pandas or polars."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel

from der_client.stacks.clarity import ClarityValue
from der_client.stacks.contract.events import EventRecord, UnknownEvent
from der_client.stacks.contract.showing import html_grid
from der_client.stacks.errors import InvalidValueError
from der_client.stacks.extras import require_extra

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Key = TypeVar("Key")
Value = TypeVar("Value")

_INT64: Final = range(-(2**63), 2**63)
_INT128: Final = range(-(2**127), 2**127)
_MOST_ROWS_SHOWN: Final = 60


class Listing(dict[Key, Value]):
    """Models by their ids, as from ``der.list_assets()``: a dict that can be shown and turned into a table."""

    def to_pandas(self) -> pd.DataFrame:
        """Make a pandas data frame; see `to_pandas`."""
        return to_pandas(self)

    def to_polars(self) -> pl.DataFrame:
        """Make a polars data frame; see `to_polars`."""
        return to_polars(self)

    def _repr_html_(self) -> str:
        """Return a table, for notebooks; the first rows of a long one."""
        table = _columns(list(self.values())[:_MOST_ROWS_SHOWN])
        rest = len(self) - _MOST_ROWS_SHOWN
        return html_grid(table, zip(*table.values(), strict=True)) + (f"<p>… and {rest} more</p>" if rest > 0 else "")


def to_pandas(things: Iterable[Any]) -> pd.DataFrame:
    """Make a pandas data frame with a row for each model, event or receipt, and a column for each field.

    Whole numbers stay whole numbers: missing ones are ``<NA>``, and those of more than 64 bits are Python integers.
    States and kinds are their names, and inner models have a column for each of their fields: ``inner.field``.

    Args:
        things: Models or records, or a mapping whose values are such.

    Raises:
        MissingExtraError: If pandas is not installed.
        InvalidValueError: If one of them is something else.
    """
    with require_extra("pandas"):
        import pandas as pd  # noqa: PLC0415 - an extra
    return pd.DataFrame(
        {name: pd.Series(values, dtype=_pandas_type(values)) for name, values in _columns(things).items()}
    )


def to_polars(things: Iterable[Any]) -> pl.DataFrame:
    """Make a polars data frame with a row for each model, event or receipt, and a column for each field.

    As `to_pandas`; whole numbers have 64 bits, or 128 where they need them, and are text beyond that.

    Args:
        things: Models or records, or a mapping whose values are such.

    Raises:
        MissingExtraError: If polars is not installed.
        InvalidValueError: If one of them is something else.
    """
    with require_extra("readings"):
        import polars as pl  # noqa: PLC0415 - an extra
    columns = []
    for name, values in _columns(things).items():
        kind: Any = None
        if _is_of_numbers(values):
            kind = pl.Int64 if _fit(values, _INT64) else pl.Int128 if _fit(values, _INT128) else pl.String
        shown = [None if value is None else str(value) for value in values] if kind is pl.String else values
        columns.append(pl.Series(name, shown, dtype=kind))
    return pl.DataFrame(columns)


def _pandas_type(values: list[Any]) -> str | None:
    if _is_of_numbers(values):
        return "Int64" if _fit(values, _INT64) else "object"
    if any(isinstance(value, bool) for value in values):
        return "boolean"
    return "object" if any(isinstance(value, tuple | bytes) for value in values) else None


def _is_of_numbers(values: list[Any]) -> bool:
    given = [value for value in values if value is not None]
    return bool(given) and all(type(value) is int for value in given)


def _fit(values: list[Any], bounds: range) -> bool:
    return all(value is None or value in bounds for value in values)


def _columns(things: Iterable[Any]) -> dict[str, list[Any]]:
    """Return the values of all items by the names of their fields; missing ones are None."""
    rows = [_row(thing) for thing in (things.values() if isinstance(things, Mapping) else things)]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _row(thing: Any) -> dict[str, Any]:
    if isinstance(thing, EventRecord):
        event = thing.event
        place = {each.name: getattr(thing, each.name) for each in fields(thing) if each.name != "event"}
        what = {"value": str(event.value)} if isinstance(event, UnknownEvent) else _row(event)
        return {**place, "event": type(event).__name__, **{name: what[name] for name in what if name not in place}}
    if isinstance(thing, BaseModel):
        given = {name: getattr(thing, name) for name in type(thing).__pydantic_fields__}
    elif is_dataclass(thing) and not isinstance(thing, type):
        given = {each.name: getattr(thing, each.name) for each in fields(thing)}
    else:
        raise InvalidValueError(f"a table is made of models, events or receipts, not {type(thing).__name__}")
    row: dict[str, Any] = {}
    for name, value in given.items():
        if isinstance(value, BaseModel):
            row |= {f"{name}.{inner}": cell for inner, cell in _row(value).items()}
        else:
            row[name] = _cell(value)
    return row


def _cell(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, ClarityValue):
        return str(value)
    if isinstance(value, tuple):
        return [_row(item) if isinstance(item, BaseModel) or is_dataclass(item) else _cell(item) for item in value]
    return value
