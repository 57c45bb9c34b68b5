"""Payloads of miners and nodes only: coinbases, tenure changes, proofs of microblock forks.

They can be decoded and encoded, so that whole blocks can be read; no mempool accepts them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from der_client.stacks.checks import check_enum, check_number
from der_client.stacks.clarity import PrincipalValue, encode_principal
from der_client.stacks.clarity.wire import NONE, SOME
from der_client.stacks.errors import DecodeError, EncodeError
from der_client.stacks.transactions.codes import TenureChangeCause
from der_client.stacks.transactions.payloads import read_principal
from der_client.stacks.transactions.wire import U16_MAX, U32_MAX, read_bytes, read_choice, read_number

POISON_TAG: Final = 0x03
COINBASE_TAG: Final = 0x04
COINBASE_TO_RECIPIENT_TAG: Final = 0x05
TENURE_CHANGE_TAG: Final = 0x07
NAKAMOTO_COINBASE_TAG: Final = 0x08

_HASH_LENGTH: Final = 32
_SHORT_HASH_LENGTH: Final = 20
_VRF_PROOF_LENGTH: Final = 80
_HEADER: Final = struct.Struct(">BH32s32s65s")
_TENURE_CHANGE: Final = struct.Struct(">20s20s20s32sIB20s")
_CAUSES: Final = {cause.value: cause for cause in TenureChangeCause}


@dataclass(frozen=True, slots=True)
class Coinbase:
    """Pays a miner.

    Attributes:
        content: 32 bytes of the miner's choice.
        recipient: The recipient of the reward instead of the miner, or ``None``.
        vrf_proof: 80 bytes since Nakamoto, ``None`` before.

    Raises:
        EncodeError: If a length is wrong.
    """

    content: bytes
    recipient: PrincipalValue | None = None
    vrf_proof: bytes | None = None

    def __post_init__(self) -> None:
        """Check the fields."""
        _check_length(self.content, _HASH_LENGTH, "content")
        if self.vrf_proof is not None:
            _check_length(self.vrf_proof, _VRF_PROOF_LENGTH, "vrf_proof")

    def encode(self) -> bytes:
        """Return the payload's bytes, its tag first."""
        recipient = b"" if self.recipient is None else encode_principal(self.recipient.value)
        if self.vrf_proof is not None:
            optional = bytes((SOME,)) + recipient if recipient else bytes((NONE,))
            return bytes((NAKAMOTO_COINBASE_TAG,)) + self.content + optional + self.vrf_proof
        tag = COINBASE_TO_RECIPIENT_TAG if recipient else COINBASE_TAG
        return bytes((tag,)) + self.content + recipient


@dataclass(frozen=True, slots=True)
class TenureChange:
    """Starts or extends a miner's tenure (SIP-021, SIP-034).

    Attributes:
        tenure_consensus_hash: 20 bytes, from the sortition that starts this tenure.
        previous_tenure_consensus_hash: 20 bytes, from the previous tenure.
        burn_view_consensus_hash: 20 bytes, from the newest sortition seen.
        previous_tenure_end: 32 bytes, the id of the last block of the previous tenure.
        previous_tenure_blocks: How many blocks that tenure had.
        cause: The reason.
        public_key_hash: 20 bytes, the hash of the miner's key.

    Raises:
        EncodeError: If a length is wrong.
        InvalidValueError: If the number is out of range.
    """

    tenure_consensus_hash: bytes
    previous_tenure_consensus_hash: bytes
    burn_view_consensus_hash: bytes
    previous_tenure_end: bytes
    previous_tenure_blocks: int
    cause: TenureChangeCause
    public_key_hash: bytes

    def __post_init__(self) -> None:
        """Check the fields."""
        _check_length(self.tenure_consensus_hash, _SHORT_HASH_LENGTH, "tenure_consensus_hash")
        _check_length(self.previous_tenure_consensus_hash, _SHORT_HASH_LENGTH, "previous_tenure_consensus_hash")
        _check_length(self.burn_view_consensus_hash, _SHORT_HASH_LENGTH, "burn_view_consensus_hash")
        _check_length(self.previous_tenure_end, _HASH_LENGTH, "previous_tenure_end")
        check_number(self.previous_tenure_blocks, 0, U32_MAX, "previous_tenure_blocks")
        check_enum(self.cause, TenureChangeCause, "cause")
        _check_length(self.public_key_hash, _SHORT_HASH_LENGTH, "public_key_hash")

    def encode(self) -> bytes:
        """Return the payload's bytes, its tag first."""
        return bytes((TENURE_CHANGE_TAG,)) + _TENURE_CHANGE.pack(
            self.tenure_consensus_hash,
            self.previous_tenure_consensus_hash,
            self.burn_view_consensus_hash,
            self.previous_tenure_end,
            self.previous_tenure_blocks,
            self.cause,
            self.public_key_hash,
        )


@dataclass(frozen=True, slots=True)
class MicroblockHeader:
    """The header of a microblock (before Nakamoto).

    Attributes:
        version: 0-255.
        sequence: Its place in the stream, 0-65535.
        previous_block: 32 bytes.
        transaction_root: 32 bytes.
        signature: 65 bytes, the miner's signature.

    Raises:
        EncodeError: If a length is wrong.
        InvalidValueError: If a number is out of range.
    """

    version: int
    sequence: int
    previous_block: bytes
    transaction_root: bytes
    signature: bytes

    def __post_init__(self) -> None:
        """Check the fields."""
        check_number(self.version, 0, 0xFF, "version")
        check_number(self.sequence, 0, U16_MAX, "sequence")
        _check_length(self.previous_block, _HASH_LENGTH, "previous_block")
        _check_length(self.transaction_root, _HASH_LENGTH, "transaction_root")
        _check_length(self.signature, 65, "signature")

    def encode(self) -> bytes:
        """Return the header's 132 bytes."""
        return _HEADER.pack(self.version, self.sequence, self.previous_block, self.transaction_root, self.signature)


@dataclass(frozen=True, slots=True)
class PoisonMicroblock:
    """Proves that a miner signed two microblocks in one place (before Nakamoto).

    Attributes:
        header_1: One of them.
        header_2: The other: it differs, but follows the same block or has the same sequence number.

    Raises:
        EncodeError: If the two do not prove a fork.
    """

    header_1: MicroblockHeader
    header_2: MicroblockHeader

    def __post_init__(self) -> None:
        """Check the fields."""
        problem = _no_fork(self.header_1, self.header_2)
        if problem:
            raise EncodeError(problem)

    def encode(self) -> bytes:
        """Return the payload's bytes, its tag first."""
        return bytes((POISON_TAG,)) + self.header_1.encode() + self.header_2.encode()


def read_coinbase(data: bytes, offset: int) -> tuple[Coinbase, int]:
    """Read a coinbase of the old form, starting after its tag.

    Args:
        data: The input.
        offset: Where its content starts.

    Returns:
        The payload and the offset behind it.

    Raises:
        DecodeError: If it is not well-formed.
    """
    content, offset = read_bytes(data, offset, _HASH_LENGTH, "the coinbase's content")
    return Coinbase(content), offset


def read_coinbase_to_recipient(data: bytes, offset: int) -> tuple[Coinbase, int]:
    """Read a coinbase that names a recipient, starting after its tag.

    Args:
        data: The input.
        offset: Where its content starts.

    Returns:
        The payload and the offset behind it.

    Raises:
        DecodeError: If it is not well-formed.
    """
    content, offset = read_bytes(data, offset, _HASH_LENGTH, "the coinbase's content")
    recipient, offset = read_principal(data, offset)
    return Coinbase(content, recipient), offset


def read_nakamoto_coinbase(data: bytes, offset: int) -> tuple[Coinbase, int]:
    """Read a coinbase with a VRF proof, starting after its tag.

    Args:
        data: The input.
        offset: Where its content starts.

    Returns:
        The payload and the offset behind it.

    Raises:
        DecodeError: If it is not well-formed.
    """
    content, offset = read_bytes(data, offset, _HASH_LENGTH, "the coinbase's content")
    has_recipient, offset = read_choice(data, offset, {NONE: False, SOME: True}, "optional recipient")
    recipient = None
    if has_recipient:
        recipient, offset = read_principal(data, offset)
    proof, offset = read_bytes(data, offset, _VRF_PROOF_LENGTH, "the VRF proof")
    return Coinbase(content, recipient, proof), offset


def read_tenure_change(data: bytes, offset: int) -> tuple[TenureChange, int]:
    """Read a tenure change, starting after its tag.

    Args:
        data: The input.
        offset: Where its first hash starts.

    Returns:
        The payload and the offset behind it.

    Raises:
        DecodeError: If it is not well-formed.
    """
    tenure, offset = read_bytes(data, offset, _SHORT_HASH_LENGTH, "the tenure's consensus hash")
    previous, offset = read_bytes(data, offset, _SHORT_HASH_LENGTH, "the previous tenure's consensus hash")
    burn_view, offset = read_bytes(data, offset, _SHORT_HASH_LENGTH, "the burn view's consensus hash")
    end_block, offset = read_bytes(data, offset, _HASH_LENGTH, "the previous tenure's last block")
    blocks, offset = read_number(data, offset, 4, "the previous tenure's number of blocks")
    cause, offset = read_choice(data, offset, _CAUSES, "cause of a tenure change")
    key_hash, offset = read_bytes(data, offset, _SHORT_HASH_LENGTH, "the miner's public key hash")
    return TenureChange(tenure, previous, burn_view, end_block, blocks, cause, key_hash), offset


def read_poison_microblock(data: bytes, offset: int) -> tuple[PoisonMicroblock, int]:
    """Read a proof of a microblock fork, starting after its tag.

    Args:
        data: The input.
        offset: Where its first header starts.

    Returns:
        The payload and the offset behind it.

    Raises:
        DecodeError: If it is not well-formed, or the headers do not prove a fork.
    """
    first, second_at = read_bytes(data, offset, _HEADER.size, "the first microblock header")
    second, end = read_bytes(data, second_at, _HEADER.size, "the second microblock header")
    header_1, header_2 = MicroblockHeader(*_HEADER.unpack(first)), MicroblockHeader(*_HEADER.unpack(second))
    problem = _no_fork(header_1, header_2)
    if problem:
        raise DecodeError(problem, second_at)
    return PoisonMicroblock(header_1, header_2), end


def _no_fork(one: MicroblockHeader, other: MicroblockHeader) -> str | None:
    """Return why two headers do not prove a fork; None if they do (as a node checks it when it decodes them)."""
    if one == other:
        return "the two microblock headers are the same"
    if one.sequence != other.sequence and one.previous_block != other.previous_block:
        return "the two microblock headers share neither sequence number nor previous block"
    return None


def _check_length(value: bytes, length: int, what: str) -> None:
    if not isinstance(value, bytes) or len(value) != length:
        raise EncodeError(f"{what} must be {length} bytes, got {value!r}")
