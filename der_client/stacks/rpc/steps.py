"""Several requests that make one answer, written once and run by any client, synchronous or not.

Steps are a generator: it yields what has to be done next (`Ask`, `Pause`) and is sent the answer, or thrown the
`NodeError` that came instead; what it returns is the result. Nothing here touches the network or the clock.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from der_client.stacks.errors import NodeUnreachableError
from der_client.stacks.rpc.retries import BUSY_STATUSES

if TYPE_CHECKING:
    from der_client.stacks.rpc.endpoint import Answer, Endpoint, Request
    from der_client.stacks.rpc.retries import RetryPolicy

T = TypeVar("T")
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ask:
    """Send a request, and bring the answer.

    Attributes:
        request: What is asked.
        within_s: Ask only once, and for no longer than so many seconds; ``None`` for the client's own limits.
        once: Whether it must not be repeated, whatever the client's policy says.
    """

    request: Request
    within_s: float | None = None
    once: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Do nothing for so many seconds."""

    seconds: float


Steps = Generator[Ask | Pause, Any, T]


def ask(endpoint: Endpoint[T], within_s: float | None = None) -> Steps[T]:
    """Ask one endpoint.

    Args:
        endpoint: What to ask, and how its answer is read.
        within_s: Ask only once, and for no longer than so many seconds.
    """
    return endpoint.read((yield Ask(endpoint.request, within_s)))


def repeated(request: Request, policy: RetryPolicy) -> Steps[Answer]:
    """Send a request, and repeat it within the policy where repeating changes nothing on the other side.

    Args:
        request: What is asked.
        policy: How often, and after how long.

    Returns:
        The answer, which may still be "busy" at the end.

    Raises:
        NodeUnreachableError: No answer at the last attempt.
    """
    command = Ask(request, once=True)
    attempt = 0
    while True:
        attempt += 1
        try:
            answer: Answer = yield command
        except NodeUnreachableError as error:
            wait = policy.wait_s(attempt) if request.repeatable else None
            if wait is None:
                raise
            _LOG.info("attempt %d failed, trying again in %.1f s: %s", attempt, wait, error)
        else:
            if answer.status not in BUSY_STATUSES or not request.repeatable:
                return answer
            wait = policy.wait_s(attempt, answer.retry_after_s)
            if wait is None:
                return answer
            _LOG.info("HTTP %d, trying again in %.1f s [%s]", answer.status, wait, answer.url)
        yield Pause(wait)
