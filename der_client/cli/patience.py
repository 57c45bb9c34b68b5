"""A service that starts before its node waits for the node."""

import time
from collections.abc import Callable
from typing import TypeVar

import typer

T = TypeVar("T")

_MAX_PAUSE_S = 60.0


def until_reachable(connect: Callable[[], T]) -> T:
    """Return what ``connect`` returns, once the node is up; retry after 1 s at first, and after up to a minute later.

    Args:
        connect: Makes the connection; may be called many times.

    Raises:
        DerClientError: If it fails for another reason than that the node cannot be reached.
    """
    from der_client.stacks.errors import NodeUnreachableError  # noqa: PLC0415 -- `der --help` stays fast

    pause = 1.0
    while True:
        try:
            return connect()
        except NodeUnreachableError as error:
            typer.echo(f"the node cannot be reached, trying again in {pause:.0f} s (Ctrl-C ends it): {error}", err=True)
            time.sleep(pause)
            pause = min(2 * pause, _MAX_PAUSE_S)
