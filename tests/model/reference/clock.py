"""Time as the contracts count it."""

from __future__ import annotations

from dataclasses import dataclass

DAY_S = 86_400
RECORDING_DAYS = 30
"""A day is recorded until the end of this many days after it."""
WINDOW_DAYS = 45
"""A day is verified, fed and adjusted until the end of this many days after it; refunds come from there on."""


def start_of(day: int) -> int:
    """The unix second at which a day begins."""
    return day * DAY_S


def end_of(day: int) -> int:
    """The unix second at which a day is over."""
    return start_of(day + 1)


def end_of_window(day: int) -> int:
    """The unix second from which nothing is verified or fed any more, and what was not delivered is refunded."""
    return start_of(day + 1 + WINDOW_DAYS)


@dataclass(slots=True)
class Clock:
    """Chain time.

    Attributes:
        now: Unix seconds (UTC) of the block that is being made.
    """

    now: int

    @property
    def today(self) -> int:
        """Days since 1970-01-01."""
        return self.now // DAY_S
