"""Warns of calls that were prepared and then forgotten."""

from __future__ import annotations

import warnings
from typing import NoReturn


class UnsentCallWarning(UserWarning):
    """A call was prepared, but neither sent nor used in another way."""


class Unsent:
    """Something that does nothing until it is sent: it warns when it disappears unused, and has no truth value."""

    _is_used = True
    """Whether nothing is to be warned of; a subclass sets it to False in the end of its constructor."""

    def __bool__(self) -> NoReturn:
        """Refuse, since ``if call:`` looks as if it were sent.

        Raises:
            TypeError: Always.
        """
        self._is_used = True
        raise TypeError(f"{self!r} was not sent and has no truth value; add .send()")

    def __del__(self) -> None:
        """Warn if it was never used; the line shown is the one that dropped it."""
        if not self._is_used:
            warnings.warn(f"{self!r} was never sent; add .send()", UnsentCallWarning, stacklevel=2)
