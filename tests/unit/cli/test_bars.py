"""Bars share one scale, fit the width, and show an unknown value differently from zero."""

from __future__ import annotations

import io
import sys

from hypothesis import given
from hypothesis import strategies as st

from der_client.cli.bars import Bar, draw


@given(st.lists(st.one_of(st.none(), st.integers(0, 10**12)), min_size=1, max_size=31), st.integers(40, 120))
def test_bars_of_any_values_fit_the_width(values: list[int | None], width: int) -> None:
    lines = draw([Bar(f"d{n:02}", value, str(value), "note") for n, value in enumerate(values)], width=width)
    assert len(lines) == len(values)
    assert max(map(len, lines)) <= max(width, 40)
    most = max((value or 0 for value in values), default=0)
    for line, value in zip(lines, values, strict=True):
        blocks = sum(1 for character in line if character in "█▏▎▍▌▋▊▉")
        assert ("·" in line) is (value is None)
        assert (blocks > 0) is bool(value)
        if value == most and value:
            assert blocks == max(sum(1 for c in each if c in "█▏▎▍▌▋▊▉") for each in lines)


def test_half_the_value_is_half_the_length() -> None:
    lines = draw([Bar("a", 100, "100"), Bar("b", 50, "50"), Bar("c", 0, "0")], width=28)
    assert [line.count("█") for line in lines] == [20, 10, 0]
    assert draw([]) == []


def test_an_ascii_terminal_gets_hash_signs() -> None:
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    before, sys.stdout = sys.stdout, ascii_only
    try:
        lines = draw([Bar("a", 100, "100"), Bar("b", 1, "1")], width=28)
    finally:
        sys.stdout = before
    assert [line.count("#") for line in lines] == [20, 1]
    assert all(line.isascii() for line in lines)
