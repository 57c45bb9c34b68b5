"""The codes of choices in a transaction (SIP-005, SIP-027, SIP-040, SIP-044)."""

from __future__ import annotations

from enum import IntEnum


class AnchorMode(IntEnum):
    """Where a transaction may be mined. It has no effect since Nakamoto; only the miners' own need ``ON_CHAIN``."""

    ON_CHAIN = 1
    OFF_CHAIN = 2
    ANY = 3


class HashMode(IntEnum):
    """How an account's address follows from its keys, and how several of them sign.

    In the sequential modes, every signature covers those before it, so signers must follow the order of their keys. In
    the others (SIP-027), they sign in any order.
    """

    P2PKH = 0x00
    P2SH = 0x01
    P2WPKH = 0x02
    P2WSH = 0x03
    P2SH_NON_SEQUENTIAL = 0x05
    P2WSH_NON_SEQUENTIAL = 0x07

    @property
    def is_single_sig(self) -> bool:
        """Whether one key signs."""
        return self in (HashMode.P2PKH, HashMode.P2WPKH)

    @property
    def is_segwit(self) -> bool:
        """Whether the address uses Bitcoin's segwit nested in P2SH; such accounts need compressed keys."""
        return self in (HashMode.P2WPKH, HashMode.P2WSH, HashMode.P2WSH_NON_SEQUENTIAL)

    @property
    def is_sequential(self) -> bool:
        """Whether several signers must follow the order of their keys."""
        return self in (HashMode.P2SH, HashMode.P2WSH)


class PostConditionMode(IntEnum):
    """Whether assets that no post-condition names may move."""

    ALLOW = 1
    """They may move."""
    DENY = 2
    """If any moves, the transaction is rolled back."""
    ORIGINATOR = 3
    """As ``DENY`` for the assets of the transaction's origin, as ``ALLOW`` for all others (SIP-040)."""


class FungibleCode(IntEnum):
    """How an amount that moves must compare with the one in a post-condition."""

    EQUAL = 1
    GREATER = 2
    GREATER_EQUAL = 3
    LESS = 4
    LESS_EQUAL = 5


class NonFungibleCode(IntEnum):
    """What must happen to a non-fungible asset."""

    SENT = 0x10
    NOT_SENT = 0x11
    MAYBE_SENT = 0x12


class PoxCode(IntEnum):
    """Whether the principal may change its stacking (SIP-044)."""

    WILL_NOT_PERFORM = 0x30
    MAY_PERFORM = 0x31
    WILL_PERFORM = 0x32


class TenureChangeCause(IntEnum):
    """Why a miner's tenure changed (SIP-021)."""

    BLOCK_FOUND = 0
    EXTENDED = 1
    EXTENDED_RUNTIME = 2
    EXTENDED_READ_COUNT = 3
    EXTENDED_READ_LENGTH = 4
    EXTENDED_WRITE_COUNT = 5
    EXTENDED_WRITE_LENGTH = 6
