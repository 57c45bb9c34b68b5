"""Keeps secrets out of everything that shows local variables: tracebacks with locals, debuggers, error reports.

A function that takes a secret wraps it in its first statement, under the same name, so that no frame of this library
has it in plain text when something goes wrong.
"""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Secret(Generic[T]):
    """A value that is shown only on request.

    Args:
        value: The secret.
    """

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    @classmethod
    def of(cls, value: T | Secret[T]) -> Secret[T]:
        """Wrap a value, unless it is already wrapped. This never raises, whatever the value is: check it afterwards.

        Args:
            value: A secret, wrapped or not.

        Returns:
            The secret, wrapped.
        """
        return value if isinstance(value, Secret) else Secret(value)

    def reveal(self) -> T:
        """Return the secret. Do not keep it in a variable."""
        return self._value

    def __repr__(self) -> str:
        """Return that there is one, without showing it."""
        return "Secret(…)"

    def __reduce__(self) -> str:
        """Refuse to be written to a file, or sent to another process.

        Raises:
            TypeError: Always.
        """
        raise TypeError("a secret cannot be pickled")
