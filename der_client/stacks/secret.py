"""Keeps secrets out of what shows local variables: tracebacks with locals, debuggers, reports of errors.

A function that takes a secret wraps it in its first statement, under the same name, so that no frame of this library
holds it in the clear when something goes wrong.
"""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Secret(Generic[T]):
    """A value that is shown only when asked for.

    Args:
        value: The secret.
    """

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    @classmethod
    def of(cls, value: T | Secret[T]) -> Secret[T]:
        """Wrap a value, unless it is wrapped. Never raises, whatever the value is: check it afterwards.

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
        """Show that there is one."""
        return "Secret(…)"

    def __reduce__(self) -> str:
        """Refuse to be written to a file, or sent to another process.

        Raises:
            TypeError: If it is tried.
        """
        raise TypeError("a secret cannot be pickled")
