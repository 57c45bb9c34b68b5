"""Reads the state as of a block, for all queries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypedDict

from sqlalchemy import and_, func, select

from der_client.index.schema import HISTORY_TABLES, blocks, events
from der_client.index.versions import holds_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Row, Select, Table
    from sqlalchemy.engine import Connection

_CHUNK: Final = 500
_MOST_SINGLE: Final = 5_000
"""Above this number of offers or payments, events are read by topic instead of one by one."""


class Reader:
    """The state as of a block, within one transaction of the database.

    Args:
        connection: The transaction.
        as_of: The block's height; the newest one if not given.
    """

    def __init__(self, connection: Connection, as_of: int | None = None) -> None:
        self.connection = connection
        self.as_of = as_of

    @cached_property
    def tip(self) -> Row[Any] | None:
        """The newest known block at that height or below it, or ``None``."""
        query = select(blocks).order_by(blocks.c.height.desc()).limit(1)
        if self.as_of is not None:
            query = query.where(blocks.c.height <= self.as_of)
        return self.connection.execute(query).first()

    @property
    def now(self) -> datetime | None:
        """Chain time; ``None`` before the first block."""
        return None if self.tip is None else self.tip.time

    def holds(self, name: str) -> Any:
        """Return the condition that a row of state is valid.

        Args:
            name: The kind of state.
        """
        return holds_at(HISTORY_TABLES[name], self.as_of)

    def rows(self, name: str, *conditions: Any) -> Sequence[Row[Any]]:
        """Read valid rows of state, by their keys.

        Args:
            name: The kind of state.
            *conditions: Further conditions; ``None`` is ignored.
        """
        history = table(name)
        return self.all(where(select(history), self.holds(name), *conditions).order_by(*history.primary_key))

    def by_asset(self, name: str, asset_ids: Iterable[int] | int | None = None) -> dict[int, Row[Any]]:
        """Read rows of state whose key is a plant.

        Args:
            name: The kind of state.
            asset_ids: The plant or plants; all if not given.
        """
        number = table(name).c.asset_id
        if asset_ids is None or isinstance(asset_ids, int):
            return {row.asset_id: row for row in self.rows(name, same(number, asset_ids))}
        wanted = sorted(set(asset_ids))
        parts = (wanted[first : first + _CHUNK] for first in range(0, len(wanted), _CHUNK))
        return {row.asset_id: row for part in parts for row in self.rows(name, number.in_(part))}

    def with_plant(self, query: Select[Any], asset_id: Any) -> Select[Any]:
        """Return a query joined with the plant of each of its rows.

        Args:
            query: The query.
            asset_id: Its column with the plant's id.
        """
        asset = table("asset")
        return query.join(asset, and_(asset.c.asset_id == asset_id, self.holds("asset")))

    def all(self, query: Select[Any]) -> Sequence[Row[Any]]:
        """Run a query."""
        return self.connection.execute(query).all()

    def printed(self) -> Any:
        """Return the condition that an event is not above the block, or ``None`` if none can be."""
        return None if self.as_of is None else events.c.height <= self.as_of

    def event_count(self) -> int:
        """Return how many events there are up to the block."""
        if self.as_of is None:
            return int(self.connection.execute(select(func.coalesce(func.max(events.c.id), 0))).scalar_one())
        query = where(select(func.count()).select_from(events), self.printed())
        return int(self.connection.execute(query).scalar_one())


class Paging(TypedDict, total=False):
    """Which part of a list is wanted; all of it if nothing is given.

    Attributes:
        after: Only what comes after this number, in the order of the list.
        limit: At most this many.
        newest_first: Whether the highest number comes first.
    """

    after: int | None
    limit: int | None
    newest_first: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a list.

    Attributes:
        after: Only what comes after this number; all if ``None``.
        limit: At most this many; all if ``None``.
        newest_first: Whether the highest number comes first.
    """

    after: int | None = None
    limit: int | None = None
    newest_first: bool = False

    def of(self, query: Select[Any], number: Any) -> Select[Any]:
        """Return a query for this part of what it finds, in order.

        Args:
            query: The query.
            number: The column of the number.
        """
        if self.after is not None:
            query = query.where(number < self.after if self.newest_first else number > self.after)
        return query.order_by(number.desc() if self.newest_first else number).limit(self.limit)


WHOLE: Final = Part()
"""All of a list."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something happened: the transaction, and its block's time."""

    txid: str
    time: datetime


def places(reader: Reader, reference: str, numbers: Sequence[int], topics: Sequence[str]) -> dict[int, Place]:
    """Return where an event of some topics happened to each offer or payment.

    Args:
        reader: The state.
        reference: The column by which they are found: ``offer_id`` or ``payment_id``.
        numbers: Their numbers.
        topics: The events' topics, each of which happens once to an offer or payment.
    """
    number = events.c[reference]
    query = where(
        select(number, events.c.topic, events.c.txid, blocks.c.time).join(blocks, blocks.c.height == events.c.height),
        reader.printed(),
    )
    if len(numbers) > _MOST_SINGLE:
        found = reader.all(query.where(events.c.topic.in_(topics)))
    else:  # with a condition on the topic, too, SQLite would read all events of that topic
        parts = (numbers[first : first + _CHUNK] for first in range(0, len(numbers), _CHUNK))
        found = [row for part in parts for row in reader.all(query.where(number.in_(part)))]
    return {row[0]: Place(row.txid, row.time) for row in found if row.topic in topics}


def table(name: str) -> Table:
    """Return the table of a kind of state."""
    return HISTORY_TABLES[name]


def where(query: Select[Any], *conditions: Any) -> Select[Any]:
    """Return a query with further conditions; ``None`` is ignored."""
    return query.where(*[condition for condition in conditions if condition is not None])


def same(column: Any, value: Any) -> Any:
    """Return the condition that a column has a value, or ``None`` if none is given."""
    return None if value is None else column == value


def within(column: Any, first: Any, last: Any) -> Any:
    """Return the condition that a column is between two values; ``None`` leaves that end open."""
    conditions = [] if first is None else [column >= first]
    conditions += [] if last is None else [column <= last]
    return and_(*conditions) if conditions else None
