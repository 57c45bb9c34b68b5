"""The header of a Nakamoto block (SIP-021; with the list of SIP-044 from epoch 4.0 on)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Self

from der_client.stacks.errors import DecodeError, bytes_follow
from der_client.stacks.transactions.hashing import sha512_256, sha512_256_hex
from der_client.stacks.transactions.wire import read_bytes, read_count, read_number

SIGNATURE_LENGTH: Final = 65
MAX_SIGNERS: Final = 4_000
"""There are no more reward slots in a cycle, and each signer has one or more."""
MAX_PROBLEMATIC: Final = 11_650
"""As many transactions as a block's 2 MiB can hold, at 180 bytes each."""
_MARKER_LENGTH: Final = 5
_SHADOW: Final = 0x80
_EPOCH_4: Final = 1
_LAST_SECOND: Final = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())


@dataclass(frozen=True, slots=True)
class ProblematicTransaction:
    """A transaction of the block that only pays its fee: miner and signers agreed not to run it.

    Attributes:
        position: Which of the block's transactions, from 0.
        category: Why; nodes do not look at it.
    """

    position: int
    category: int


@dataclass(frozen=True, slots=True)
class BlockHeader:
    """All of a block but its transactions.

    Attributes:
        version: 0, or 1 from epoch 4.0 on; 0x80 more for a shadow block, which repairs a chain.
        height: How many blocks the chain has with it, those of epoch 2 included.
        burn_spent_sats: What miners have spent in Bitcoin so far, satoshi.
        consensus_hash: Of the Bitcoin block that began the tenure, 40 hexadecimal digits.
        parent_block_id: The block before.
        transactions_root: Root of the Merkle tree over the transactions.
        state_root: Root of the state after the block.
        timestamp: When it was made, Unix seconds, as the miner says and the signers agreed.
        miner_signature: 65 bytes.
        signer_signatures: 65 bytes each; the block's hash does not cover them.
        pox_treatment_slots: How many reward slots the next field is of.
        pox_treatment: A bit for each slot, whether its holder is paid.
        problematic: Transactions that were not run; none before epoch 4.0.
    """

    version: int
    height: int
    burn_spent_sats: int
    consensus_hash: str
    parent_block_id: str
    transactions_root: str
    state_root: str
    timestamp: int
    miner_signature: bytes = field(repr=False)
    signer_signatures: tuple[bytes, ...] = field(repr=False)
    pox_treatment_slots: int
    pox_treatment: bytes = field(repr=False)
    problematic: tuple[ProblematicTransaction, ...]

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a header that fills the whole input.

        Raises:
            DecodeError: If it is not well-formed.
        """
        header, end = cls.read(data, 0)
        if end != len(data):
            raise DecodeError(bytes_follow(len(data) - end, "the header"), end)
        return header

    @classmethod
    def read(cls, data: bytes, offset: int) -> tuple[Self, int]:
        """Read a header at the start of something longer.

        Args:
            data: The input.
            offset: Where it starts.

        Returns:
            The header and the offset behind it.

        Raises:
            DecodeError: If it is not well-formed.
        """
        version, offset = read_number(data, offset, 1, "the block's version")
        height, offset = read_number(data, offset, 8, "the height")
        burn_spent_sats, offset = read_number(data, offset, 8, "what was spent in Bitcoin")
        consensus_hash, offset = read_bytes(data, offset, 20, "the consensus hash")
        parent_block_id, offset = read_bytes(data, offset, 32, "the parent's id")
        transactions_root, offset = read_bytes(data, offset, 32, "the transactions' root")
        state_root, offset = read_bytes(data, offset, 32, "the state's root")
        timestamp_at = offset
        timestamp, offset = read_number(data, offset, 8, "the time")
        if timestamp > _LAST_SECOND:
            raise DecodeError(f"time {timestamp} is after the year 9999", timestamp_at)
        miner_signature, offset = read_bytes(data, offset, SIGNATURE_LENGTH, "the miner's signature")
        signer_signatures, offset = _read_signatures(data, offset)
        slots, pox_treatment, offset = _read_pox_treatment(data, offset)
        problematic, offset = _read_problematic(data, offset) if _lists_problematic(version) else ((), offset)
        header = cls(
            version=version,
            height=height,
            burn_spent_sats=burn_spent_sats,
            consensus_hash=consensus_hash.hex(),
            parent_block_id=parent_block_id.hex(),
            transactions_root=transactions_root.hex(),
            state_root=state_root.hex(),
            timestamp=timestamp,
            miner_signature=miner_signature,
            signer_signatures=signer_signatures,
            pox_treatment_slots=slots,
            pox_treatment=pox_treatment,
            problematic=problematic,
        )
        return header, offset

    def encode(self) -> bytes:
        """Return the header's bytes: what ``decode`` reads."""
        signatures = len(self.signer_signatures).to_bytes(4) + b"".join(self.signer_signatures)
        return self._before_signers() + signatures + self._behind_signers()

    @property
    def block_hash(self) -> str:
        """The block's hash, 64 hexadecimal digits: of all of the header but the signers' signatures, which sign it."""
        return sha512_256_hex(self._before_signers() + self._behind_signers())

    @property
    def block_id(self) -> str:
        """The block's id, which nodes also call index block hash: of its hash and the consensus hash."""
        return sha512_256(bytes.fromhex(self.block_hash) + bytes.fromhex(self.consensus_hash)).hex()

    @property
    def time(self) -> datetime:
        """When it was made, UTC."""
        return datetime.fromtimestamp(self.timestamp, UTC)

    @property
    def is_shadow(self) -> bool:
        """Whether it repairs a chain, and was not mined."""
        return bool(self.version & _SHADOW)

    def _before_signers(self) -> bytes:
        hashes = (self.consensus_hash, self.parent_block_id, self.transactions_root, self.state_root)
        return b"".join(
            (
                self.version.to_bytes(1),
                self.height.to_bytes(8),
                self.burn_spent_sats.to_bytes(8),
                *map(bytes.fromhex, hashes),
                self.timestamp.to_bytes(8),
                self.miner_signature,
            )
        )

    def _behind_signers(self) -> bytes:
        treatment = self.pox_treatment_slots.to_bytes(2) + len(self.pox_treatment).to_bytes(4) + self.pox_treatment
        if not _lists_problematic(self.version):
            return treatment
        markers = [marker.position.to_bytes(4) + marker.category.to_bytes(1) for marker in self.problematic]
        return treatment + len(markers).to_bytes(4) + b"".join(markers)


def _lists_problematic(version: int) -> bool:
    return version & ~_SHADOW >= _EPOCH_4


def _read_signatures(data: bytes, offset: int) -> tuple[tuple[bytes, ...], int]:
    count_at = offset
    count, offset = read_count(data, offset, SIGNATURE_LENGTH, "signers' signatures")
    if count > MAX_SIGNERS:
        raise DecodeError(f"a block has at most {MAX_SIGNERS} signers, not {count}", count_at)
    end = offset + count * SIGNATURE_LENGTH
    return tuple(data[at : at + SIGNATURE_LENGTH] for at in range(offset, end, SIGNATURE_LENGTH)), end


def _read_pox_treatment(data: bytes, offset: int) -> tuple[int, bytes, int]:
    slots_at = offset
    slots, offset = read_number(data, offset, 2, "the number of reward slots")
    if not 1 <= slots <= MAX_SIGNERS:
        raise DecodeError(f"a block has 1 to {MAX_SIGNERS} reward slots, not {slots}", slots_at)
    length_at = offset
    length, offset = read_number(data, offset, 4, "the length of the reward slots' bits")
    if length != (slots + 7) // 8:
        raise DecodeError(f"{slots} reward slots take {(slots + 7) // 8} bytes of bits, not {length}", length_at)
    bits, offset = read_bytes(data, offset, length, "the reward slots' bits")
    return slots, bits, offset


def _read_problematic(data: bytes, offset: int) -> tuple[tuple[ProblematicTransaction, ...], int]:
    count_at = offset
    count, offset = read_count(data, offset, _MARKER_LENGTH, "problematic transactions")
    if count > MAX_PROBLEMATIC:
        raise DecodeError(f"a block has at most {MAX_PROBLEMATIC} problematic transactions, not {count}", count_at)
    found = []
    last = -1
    for at in range(offset, offset + count * _MARKER_LENGTH, _MARKER_LENGTH):
        marker = ProblematicTransaction(int.from_bytes(data[at : at + 4]), data[at + 4])
        if marker.position <= last:
            raise DecodeError(f"position {marker.position} of a problematic transaction follows {last}", at)
        last = marker.position
        found.append(marker)
    return tuple(found), offset + count * _MARKER_LENGTH
