"""Several requests for one result, written once and run by any client, synchronous or not.

Steps are a generator: it yields what to do next (`Ask`, `Pause`) and is sent the response, or a `NodeError` is raised
in it; its return value is the result. Nothing here uses the network.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from der_client.stacks.errors import NodeUnreachableError
from der_client.stacks.rpc.retries import BUSY_STATUSES

if TYPE_CHECKING:
    from der_client.stacks.rpc.endpoint import Endpoint, HttpResponse, Request
    from der_client.stacks.rpc.retries import RetryPolicy

T = TypeVar("T")
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ask:
    """Send a request, and return the response.

    Attributes:
        request: What is asked.
        until: When to give up at the latest, by the monotonic clock; ``None`` for the client's own limits.
        once: Whether it must not be repeated, whatever the client's policy.
    """

    request: Request
    until: float | None = None
    once: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Do nothing for this many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Listen:
    """Wait for a new block.

    Attributes:
        seconds: How long to wait if blocks are not announced.
        longest_s: How long to wait if they are announced.
    """

    seconds: float
    longest_s: float


Steps = Generator[Ask | Pause | Listen, Any, T]


def ask(endpoint: Endpoint[T], until: float | None = None, *, once: bool = False) -> Steps[T]:
    """Ask one endpoint.

    Args:
        endpoint: The endpoint.
        until: When to give up at the latest, by the monotonic clock.
        once: Whether it must not be repeated, whatever the client's policy.
    """
    return endpoint.read((yield Ask(endpoint.request, until, once)))


def repeated(request: Request, policy: RetryPolicy, until: float | None = None) -> Steps[HttpResponse]:
    """Send a request, and repeat it within the policy if repeating changes nothing on the other side.

    Args:
        request: What is asked.
        policy: How often, and after how long.
        until: When to give up at the latest, by the monotonic clock.

    Returns:
        The response, which may still be "busy" at the end.

    Raises:
        NodeUnreachableError: If there was no response at the last attempt.
    """
    command = Ask(request, until, once=True)
    attempt = 0
    while True:
        attempt += 1
        try:
            response: HttpResponse = yield command
        except NodeUnreachableError as error:
            wait = policy.wait_s(attempt) if request.repeatable else None
            if wait is None:
                raise
            _LOG.info("attempt %d failed, trying again in %.1f s: %s", attempt, wait, error)
        else:
            if response.status not in BUSY_STATUSES or not request.repeatable:
                return response
            wait = policy.wait_s(attempt, response.retry_after_s)
            if wait is None:
                return response
            _LOG.info("HTTP %d, trying again in %.1f s [%s]", response.status, wait, response.url)
        yield Pause(wait)


def time_left_s(limit_s: float, until: float | None, url: str) -> float:
    """Return how long a request may take.

    Args:
        limit_s: The client's own limit.
        until: When to give up, by the monotonic clock.
        url: The URL of the request.

    Raises:
        NodeUnreachableError: If there is no time left for a request.
    """
    if until is None:
        return limit_s
    left_s = until - time.monotonic()
    if left_s <= 0:
        raise NodeUnreachableError(
            "the responses so far were too slow, so there is no time left for this request; use another node, or raise "
            "response_deadline_s",
            url,
        )
    return min(limit_s, left_s)
