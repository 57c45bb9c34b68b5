"""The epochs of Stacks, and the Clarity version of each.

Facts from SIP-012, SIP-015, SIP-021 and the SIPs after them, checked on Clarinet's VM.
"""

from __future__ import annotations

from typing import Final

EPOCHS: Final[dict[str, int]] = {
    "2.0": 1,
    "2.05": 1,
    "2.1": 2,
    "2.2": 2,
    "2.3": 2,
    "2.4": 2,
    "2.5": 2,
    "3.0": 3,
    "3.1": 3,
    "3.2": 3,
    "3.3": 4,
    "3.4": 5,
    "4.0": 6,
}
"""The newest version of Clarity of each epoch, oldest first."""

LATEST_EPOCH: Final = "4.0"
_OTHER_SPELLINGS: Final = {"2": "2.0", "3": "3.0", "4": "4.0", "latest": LATEST_EPOCH}
_ORDER: Final = {epoch: number for number, epoch in enumerate(EPOCHS)}
_WITHOUT_AT_BLOCK: Final = "3.4"


def epoch_named(text: str) -> str | None:
    """Return an epoch as it is spelled here; ``None`` if there is no such epoch.

    Args:
        text: The epoch as in Clarinet: ``2.4``, ``3``, ``latest``.
    """
    epoch = _OTHER_SPELLINGS.get(text, text)
    return epoch if epoch in EPOCHS else None


def order_of(epoch: str) -> int:
    """Return a number that is larger for a later epoch."""
    return _ORDER[epoch]


def has_at_block(epoch: str) -> bool:
    """Return whether ``at-block`` works in an epoch."""
    return _ORDER[epoch] < _ORDER[_WITHOUT_AT_BLOCK]
