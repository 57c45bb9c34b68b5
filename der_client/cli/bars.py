"""Bar charts for a terminal: a line for each value, drawn to one scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from der_client.cli.output import can_show, terminal_width

if TYPE_CHECKING:
    from collections.abc import Sequence

_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_FULL: Final = "█"
_WIDEST: Final = 100
_NARROWEST: Final = 8


@dataclass(frozen=True)
class Bar:
    """A line of a chart.

    Attributes:
        label: The text before the bar.
        value: The value; ``None`` if it is unknown, which is not zero.
        shown: The value as text, with its unit.
        note: The text after it, such as what is missing.
    """

    label: str
    value: int | None
    shown: str
    note: str = ""


def draw(bars: Sequence[Bar], *, width: int | None = None) -> list[str]:
    """Return the lines: labels, bars to one scale, values.

    Args:
        bars: What to draw.
        width: The width of a line in characters, at most 100. Default: the terminal's.
    """
    if not bars:
        return []
    width = min(width or terminal_width(), _WIDEST)
    labels, shown, notes = (max(len(getattr(bar, name)) for bar in bars) for name in ("label", "shown", "note"))
    room = max(_NARROWEST, width - labels - shown - (notes + 2 if notes else 0) - 4)
    most = max((bar.value or 0 for bar in bars), default=0)
    lines = []
    for bar in bars:
        drawn = "·" if bar.value is None else _bar(bar.value, most, room)
        note = f"  {bar.note}" if bar.note else ""
        lines.append(f"{bar.label:<{labels}}  {drawn:<{room}}  {bar.shown:>{shown}}{note}".rstrip())
    return lines


def _bar(value: int, most: int, room: int) -> str:
    """Return a bar, exact to an eighth of a character; a value above 0 is always visible."""
    if value <= 0 or most <= 0:
        return ""
    eighths = max(1, value * room * 8 // most)
    if not can_show(_FULL + _EIGHTHS):
        return "#" * max(1, eighths // 8)
    whole, rest = divmod(eighths, 8)
    return _FULL * whole + (_EIGHTHS[rest] if rest else "")
