"""When a failed request may be repeated, and after how long."""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

from der_client.stacks.checks import check_number, check_seconds
from der_client.stacks.errors import NodeResponseError

BUSY_STATUSES: Final = frozenset({429, 500, 502, 503, 504})
"""HTTP statuses that may not recur at the next attempt."""


class UnreadResponseError(NodeResponseError):
    """A response that was not read to its end; the request may have been carried out."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a failed request is repeated, if repeating it changes nothing.

    Attributes:
        attempts: The total number of requests, at least 1.
        backoff_s: Seconds before the second attempt; doubled for each further one.
        max_wait_s: The longest wait between two attempts; if a node asks for a longer one (Retry-After), it is an
            error.
    """

    attempts: int = 3
    backoff_s: float = 0.1
    max_wait_s: float = 10.0

    def __post_init__(self) -> None:
        """Refuse a policy that would never ask."""
        check_number(self.attempts, 1, None, "attempts")
        check_seconds(self.backoff_s, "backoff_s")
        check_seconds(self.max_wait_s, "max_wait_s")

    def wait_s(self, attempt: int, retry_after_s: float | None = None) -> float | None:
        """Return the seconds to wait after a failed attempt.

        Args:
            attempt: The number of the failed attempt, from 1.
            retry_after_s: The wait that the node asks for (`read_retry_after`), if any.

        Returns:
            The wait, or ``None`` if there must be no further attempt.
        """
        if attempt >= self.attempts:
            return None
        wait = min(self.backoff_s * (1 << (attempt - 1)), self.max_wait_s)
        if retry_after_s is None:
            return wait
        return max(wait, retry_after_s) if retry_after_s <= self.max_wait_s else None


def read_retry_after(header: str, date: str) -> float | None:
    """Read a Retry-After header.

    Args:
        header: The header: a number of seconds, or a date; may be empty.
        date: The Date header of the same response, relative to which a date is read: the local clock may be wrong.
            The local clock is used only without it.

    Returns:
        Seconds from now, or ``None`` if there is no valid value.
    """
    if not header:
        return None
    if header.isascii() and header.isdigit():
        return float(header[:9])
    then = _moment(header)
    if then is None:
        return None
    now = _moment(date)
    return max(0.0, then - (time.time() if now is None else now))


def _moment(header: str) -> float | None:
    try:
        return parsedate_to_datetime(header).timestamp()
    except (ValueError, OverflowError):
        return None
