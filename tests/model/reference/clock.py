"""Time as the contracts measure it."""

from __future__ import annotations

from dataclasses import dataclass

DAY_S = 86_400
RECORDING_DAYS = 30
"""Recording of a day closes this many days after the day ends."""
WINDOW_DAYS = 45
"""Verification, feeds and adjustments of a day close this many days after the day ends; refunds start then."""


def start_of(day: int) -> int:
    """Return the unix second at which a day begins."""
    return day * DAY_S


def end_of(day: int) -> int:
    """Return the unix second at which a day ends."""
    return start_of(day + 1)


def end_of_window(day: int) -> int:
    """Return the unix second from which a day cannot be verified or fed, and undelivered energy is refunded."""
    return start_of(day + 1 + WINDOW_DAYS)


@dataclass(slots=True)
class Clock:
    """Chain time.

    Attributes:
        now: Unix seconds (UTC) of the block being built.
    """

    now: int

    @property
    def today(self) -> int:
        """The current day, counted from 1970-01-01."""
        return self.now // DAY_S
