"""Optional packages: if one is missing, the error names the extra that installs it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from der_client.stacks.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def require_extra(extra: str) -> Iterator[None]:
    """Import an extra's packages within this block.

    Args:
        extra: The extra's name.

    Raises:
        MissingExtraError: If it is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtraError(extra, error.name or "") from error
