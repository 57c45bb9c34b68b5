"""Generates functions line by line for one layout, as dataclasses generates a constructor for one class.

A loop over the parts of a layout takes about as long as the work on them; unrolled, only the work is left. No name and
no byte from outside gets into the source: constants have numbered names there.
"""

from __future__ import annotations

import linecache
import struct
from itertools import cycle, zip_longest
from typing import TYPE_CHECKING, Any, Final

from der_client.stacks.clarity.values import set_value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType


class GeneratedReader:
    """The source of a function of ``data`` and ``offset``.

    Attributes:
        lines: The lines before it returns its result. A line may ``break`` for input of another layout, as do
            ValueError, LookupError and ``struct.error``.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._constants: dict[str, Any] = {"new": object.__new__, "put": set_value, "struct_error": struct.error}

    def constant(self, value: object) -> str:
        """Return a name for a constant."""
        name = f"constant_{len(self._constants)}"
        self._constants[name] = value
        return name

    def taking_apart(self, parts: str, offset: str, fixed: Sequence[bytes], contents: Sequence[str]) -> list[str]:
        """Return lines that read fixed bytes and contents, which alternate; fixed bytes may end them.

        Args:
            parts: The name of the result: all parts, in order.
            offset: The name of the offset at which they start.
            fixed: The bytes that must be there.
            contents: The ``struct`` codes of the contents.
        """
        codes = zip_longest((f"{len(part)}s" for part in fixed), contents, fillvalue="")
        layout = struct.Struct(f">{''.join(map(''.join, codes))}")
        return [
            f"{parts} = {self.constant(layout.unpack_from)}(data, {offset})",
            f"if {parts}[::2] != {self.constant(tuple(fixed))}: break",
        ]

    def function(
        self, result: str, otherwise: Callable[[bytes, int], Any] | None = None, *, name: str = "value"
    ) -> Callable[[bytes, int], Any]:
        """Return the function, which returns an expression's value.

        Args:
            result: The expression.
            otherwise: A function that reads input of another layout; without it, the result is None.
            name: The name of what it reads, for tracebacks, debuggers and profilers, which show its source.
        """
        source = [
            "def read(data, offset):",
            "  while True:",
            "    try:",
            *(f"      {line}" for line in self.lines),
            f"      return {result}",
            "    except (ValueError, LookupError, struct_error):",
            "      break",
            "  return otherwise(data, offset)" if otherwise else "  return None",
        ]
        names = {**self._constants, "otherwise": otherwise}
        # Nothing from outside is in the source; see above.
        exec(compile_generated("\n".join(source), f"reader of {name}", "exec"), names)  # noqa: S102
        read: Callable[[bytes, int], Any] = names["read"]
        return read


_MAX_SOURCES: Final = 4096
_places: Final = cycle(range(_MAX_SOURCES))


def compile_generated(source: str, name: str, mode: str) -> CodeType:
    """Compile generated source so that tracebacks and debuggers show it.

    Args:
        source: The source.
        name: Its name.
        mode: The mode, as for ``compile``.
    """
    place = next(_places)
    file = f"<der_client {place}: {name}>"
    _forget(place, file)
    # Without a modification time, linecache keeps its entry.
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    return compile(source, file, mode)


_files: Final[dict[int, str]] = {}


def _forget(place: int, file: str) -> None:
    """Forget the oldest source, so that sources do not fill the memory."""
    linecache.cache.pop(_files.get(place, ""), None)
    _files[place] = file
