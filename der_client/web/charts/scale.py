"""Axes that end at round numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_STEPS: Final = (10, 12, 16, 20, 30, 40, 60, 80, 100)
"""Tenths at which an axis may end, each easily divisible by four."""
HEIGHT: Final = 1000
"""Height of every chart in its own units."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A vertical axis from 0 to ``top``.

    Attributes:
        top: The value at the upper end, 1 or more.
    """

    top: int

    @classmethod
    def over(cls, largest: int) -> Scale:
        """Return the scale that ends at the next round number.

        Args:
            largest: The largest value to show.
        """
        if largest < 4:
            return cls(4)
        magnitude = 10 ** (len(str(largest)) - 1)
        return cls(next(top for step in _STEPS if (top := step * magnitude // 10) >= largest))

    def height(self, value: int) -> int:
        """Return the height of a value; at least 1 if it is not 0, so that it is visible."""
        return max(1, min(value, self.top) * HEIGHT // self.top) if value > 0 else 0

    def y(self, value: int) -> int:
        """Return the position of a value, from the top."""
        return HEIGHT - self.height(value)

    def labels(self, show: Callable[[int], str]) -> list[str]:
        """Return the labels of five lines, from the top down to 0."""
        return [show(self.top * quarter // 4) for quarter in (4, 3, 2, 1, 0)]
