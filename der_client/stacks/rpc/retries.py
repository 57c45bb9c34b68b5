"""When a failed request may be repeated, and after how long."""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

from der_client.stacks.errors import InvalidValueError, NodeAnswerError, NodeUnreachableError

BUSY_STATUSES: Final = frozenset({429, 500, 502, 503, 504})
"""HTTP statuses that may be gone at the next attempt."""


class NothingSentError(NodeUnreachableError):
    """No connection came about, so nothing of the request can have reached the node."""


class UnreadAnswerError(NodeAnswerError):
    """An answer that was not read to its end; what it answers may have been done."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a failed request is repeated; only requests that change nothing are.

    Attributes:
        attempts: Requests in all, at least 1.
        backoff_s: Seconds before the second attempt; doubled for each further one.
        max_wait_s: The longest wait between two attempts; a node that asks for a longer one (Retry-After) is an error.
    """

    attempts: int = 3
    backoff_s: float = 0.1
    max_wait_s: float = 10.0

    def __post_init__(self) -> None:
        """Refuse a policy that would never ask."""
        if self.attempts < 1 or self.backoff_s < 0 or self.max_wait_s < 0:
            raise InvalidValueError(f"{self}: attempts must be at least 1 and waits at least 0 seconds")

    def wait_s(self, attempt: int, retry_after: str = "") -> float | None:
        """Seconds to wait after a failed attempt.

        Args:
            attempt: Which one failed, from 1.
            retry_after: The node's Retry-After header, if any.

        Returns:
            The wait, or ``None`` if there shall be no further attempt.
        """
        if attempt >= self.attempts:
            return None
        wait = min(self.backoff_s * (1 << (attempt - 1)), self.max_wait_s)
        asked = retry_after_s(retry_after)
        if asked is None:
            return wait
        return max(wait, asked) if asked <= self.max_wait_s else None


def retry_after_s(header: str) -> float | None:
    """Read a Retry-After header: seconds, or a date; ``None`` if it is neither."""
    if not header:
        return None
    if header.isascii() and header.isdigit():
        return float(header[:9])
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
