"""Allot a day's claimed energy to its metering intervals.

In the contracts, energy is claimed for a day, not for an interval. Each certificate gets the same share of every
interval of its day, as nearly as whole watt-hours allow: the day's watt-hours are apportioned by Webster's method, and
certificates take them in chain order. That method never takes a watt-hour back from an interval when more are
apportioned, so no two certificates ever hold the same one.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from der_client.stacks.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence


def allot(weights: Sequence[int], total: int) -> tuple[int, ...]:
    """Apportion watt-hours in proportion to weights (Webster's method; ties go to the earlier interval).

    Args:
        weights: The recorded energy of each interval, Wh, 0 or more.
        total: The watt-hours to apportion, 0 or more.

    Returns:
        The watt-hours of each interval; they add up to ``total``, and none shrinks when ``total`` grows.

    Raises:
        InvalidValueError: If a number is negative, or there are watt-hours but no weight.
    """
    if total < 0 or any(weight < 0 for weight in weights):
        raise InvalidValueError(f"energies must be 0 or more, got {total} Wh of {list(weights)}")
    recorded = sum(weights)
    if total and not recorded:
        raise InvalidValueError(f"{total} Wh cannot be apportioned: no interval has any energy")
    if not total:
        return (0,) * len(weights)
    shares = [(2 * weight * total + recorded) // (2 * recorded) for weight in weights]  # the sum may be off a little

    def next_claim(place: int) -> tuple[Fraction, int]:
        return Fraction(weights[place], 2 * shares[place] + 1), -place

    def last_claim(place: int) -> tuple[Fraction, int]:
        return Fraction(weights[place], 2 * shares[place] - 1), -place

    while (missing := total - sum(shares)) != 0:
        if missing > 0:
            shares[max(range(len(weights)), key=next_claim)] += 1
        else:
            shares[min((place for place, share in enumerate(shares) if share), key=last_claim)] -= 1
    return tuple(shares)
