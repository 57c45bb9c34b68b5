"""The allotment of a day's energy to its metering intervals."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.certificates.allotment import allot
from der_client.stacks.errors import InvalidValueError

weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=96).filter(any)


@given(weights, st.integers(0, 10**8))
def test_all_energy_is_allotted_and_only_to_intervals_with_energy(recorded: list[int], total: int) -> None:
    shares = allot(recorded, total)
    assert sum(shares) == total
    assert all(share == 0 for share, weight in zip(shares, recorded, strict=True) if weight == 0)


@given(weights, st.integers(0, 10**5), st.integers(0, 10**5))
def test_a_larger_total_never_reduces_a_share(recorded: list[int], first: int, more: int) -> None:
    before, after = allot(recorded, first), allot(recorded, first + more)
    assert all(late >= early for early, late in zip(before, after, strict=True))


@given(weights)
def test_the_whole_day_is_allotted_as_recorded(recorded: list[int]) -> None:
    assert list(allot(recorded, sum(recorded))) == recorded


@given(st.lists(st.integers(0, 50), min_size=1, max_size=5).filter(any), st.integers(0, 120))
def test_shares_follow_websters_method(recorded: list[int], total: int) -> None:
    shares = [0] * len(recorded)
    for _ in range(total):  # one Wh at a time, to the interval with the largest claim
        place = max(range(len(recorded)), key=lambda each: (Fraction(recorded[each], 2 * shares[each] + 1), -each))
        shares[place] += 1
    assert list(allot(recorded, total)) == shares


@pytest.mark.parametrize(("recorded", "total"), [([0, 0], 1), ([], 1), ([-1, 2], 1), ([1], -1)])
def test_invalid_arguments_are_rejected(recorded: list[int], total: int) -> None:
    with pytest.raises(InvalidValueError):
        allot(recorded, total)
