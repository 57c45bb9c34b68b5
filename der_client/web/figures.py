"""Figures that several pages share and that are slow to compute: cached until the next block."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar, cast

from der_client.web.books import day_lines
from der_client.web.errors import EmptyIndexError
from der_client.web.loads import loads_of
from der_client.web.sums import busiest_parties, money_sums, months_of_payments

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from der_client.index import Index
    from der_client.index.answers import Attention, Overview, Plant
    from der_client.web.books import DayLine
    from der_client.web.loads import Loads
    from der_client.web.sums import MoneySums, PartyCount

T = TypeVar("T")
MOST_PARTIES = 20


class Figures:
    """Results that are valid as long as the index's newest block stays the same.

    Args:
        index: What is asked.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._lock = Lock()
        self._block_hash = ""
        self._kept: dict[str, Any] = {}

    def overview(self) -> Overview:
        """Return today's figures.

        Raises:
            EmptyIndexError: If the index has no block yet.
        """
        found = self._at_tip("overview", self._index.overview)
        if found is None:
            raise EmptyIndexError
        return found

    def attention(self) -> Sequence[Attention]:
        """Return what needs doing.

        Raises:
            EmptyIndexError: If the index has no block yet.
        """

        def ask() -> Sequence[Attention]:
            if not self._block_hash:
                raise EmptyIndexError
            overview: Overview | None = self._kept.get("overview")  # has it, too, and more that takes time
            return self._index.attention() if overview is None else overview.attention

        return self._at_tip("attention", ask)

    def plants(self) -> Sequence[Plant]:
        """Return all plants."""
        return self._at_tip("plants", self._index.plants)

    def money(self) -> list[MoneySums]:
        """Return the sums of money by token."""
        attention = self.attention()
        return self._at_tip("money", lambda: money_sums(self._index, attention))

    def parties(self) -> list[PartyCount]:
        """Return who has the most payments."""
        return self._at_tip("parties", lambda: busiest_parties(self._index, MOST_PARTIES))

    def months(self) -> list[date]:
        """Return the months of delivery of all payments, the newest first."""
        return self._at_tip("months", lambda: months_of_payments(self._index))

    def loads(self, day: date) -> Loads:
        """Return the energy of all plants on a day, slot by slot.

        Args:
            day: Today, or a day that the overview shows; no others, so that few are cached.
        """
        plants = self.plants()
        return self._at_tip(f"loads {day}", lambda: loads_of(self._index, plants, day))

    def books(self, first: date, last: date) -> list[DayLine]:
        """Return what is left of each day, over all plants.

        Args:
            first: The first day.
            last: The last day.
        """
        return self._at_tip(f"books {first} {last}", lambda: day_lines(self._index.day_books(None, first, last)))

    def _at_tip(self, name: str, ask: Callable[[], T]) -> T:
        tip = self._index.tip()
        block_hash = "" if tip is None else tip.block_hash
        with (
            self._lock
        ):  # pages that are requested at the same time wait for the first, instead of all computing the same
            if block_hash != self._block_hash:
                self._block_hash, self._kept = block_hash, {}
            if name not in self._kept:
                self._kept[name] = ask()
            return cast("T", self._kept[name])
