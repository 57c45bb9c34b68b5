"""Which part of a day's claimed energy came in which metering interval.

The contracts claim energy of a day, not of an interval. Each certificate of a day takes the same share of an interval,
as near as whole watt-hours allow: the day's watt-hours are dealt out by Webster's method, and certificates take them in
the order of the chain. That method never takes a watt-hour back from an interval when more are dealt out, so no two
certificates ever hold the same one.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from der_client.stacks.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence


def allot(weights: Sequence[int], total: int) -> tuple[int, ...]:
    """Deal out a number of watt-hours in proportion to weights (Webster's method; of equal claims the earlier first).

    Args:
        weights: The recorded energy of each interval, Wh, 0 or more.
        total: How many are dealt out, 0 or more.

    Returns:
        How many each interval gets; their sum is ``total``, and each only grows with it.

    Raises:
        InvalidValueError: If a number is negative, or there are watt-hours but no weight.
    """
    if total < 0 or any(weight < 0 for weight in weights):
        raise InvalidValueError(f"energies must be 0 or more, got {total} Wh of {list(weights)}")
    recorded = sum(weights)
    if total and not recorded:
        raise InvalidValueError(f"{total} Wh cannot be dealt out: no interval has any energy")
    if not total:
        return (0,) * len(weights)
    shares = [(2 * weight * total + recorded) // (2 * recorded) for weight in weights]  # rounded; the sum is near

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
