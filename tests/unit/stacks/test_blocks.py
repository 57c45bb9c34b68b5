"""Blocks: two real ones of mainnet, blocks built from any transactions, and invalid blocks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import new
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from der_client.stacks.blocks import (
    MAX_BLOCK_LENGTH,
    MAX_PATH_LENGTH,
    BlockHeader,
    MerklePath,
    NakamotoBlock,
    ProblematicTransaction,
    transactions_root,
)
from der_client.stacks.errors import DecodeError, InvalidValueError
from der_client.stacks.transactions import Coinbase, ContractCall, TenureChange, TokenTransfer, Transaction
from tests.generators.transactions import transactions

REAL: Final[list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "blocks_real.json").read_text(encoding="utf-8")
)
OLD, NEW = (bytes.fromhex(entry["raw"]) for entry in REAL)
SIGNERS_AT = 206
"""Where the number of signatures is: all before it has a fixed length."""


def sha(data: bytes) -> bytes:
    return new("sha512_256", data).digest()


def header(**changes: Any) -> BlockHeader:
    return replace(NakamotoBlock.decode(NEW).header, **changes)


def block_of(*included: Transaction) -> NakamotoBlock:
    root = transactions_root([transaction.txid for transaction in included])
    return NakamotoBlock(header(transactions_root=root), included)


@pytest.mark.parametrize("entry", REAL, ids=lambda entry: str(entry["height"]))
def test_mainnet_blocks_are_decoded_and_encoded(entry: dict[str, Any]) -> None:
    raw = bytes.fromhex(entry["raw"])
    block = NakamotoBlock.decode(raw)
    assert block.encode() == raw
    assert block.header.height == entry["height"]
    assert block.header.block_hash == entry["block_hash"]
    assert block.header.block_id == entry.get("block_id", block.header.block_id)
    assert len(block.header.signer_signatures) == entry["signers"]
    assert len(block.transactions) == entry["transactions"]
    assert not block.header.is_shadow
    for transaction in block.transactions:
        transaction.verify()
        assert block.path(transaction.txid).root(transaction.txid) == block.header.transactions_root


def test_mainnet_blocks_have_the_known_contents() -> None:
    old, new_one = NakamotoBlock.decode(OLD), NakamotoBlock.decode(NEW)
    assert [type(each.payload) for each in old.transactions] == [TokenTransfer, ContractCall]
    assert [type(each.payload) for each in new_one.transactions] == [TenureChange, Coinbase]
    assert old.header.time == datetime(2025, 1, 8, 14, 12, 43, tzinfo=UTC)
    assert new_one.header.time == datetime(2026, 7, 30, 8, 32, 47, tzinfo=UTC)
    assert "signature" not in repr(new_one.header)  # thousands of unreadable bytes


def test_a_header_is_decoded_without_its_block() -> None:
    known = NakamotoBlock.decode(NEW).header
    assert BlockHeader.decode(known.encode()) == known
    with pytest.raises(DecodeError, match="1 byte follows the header"):
        BlockHeader.decode(known.encode() + b"\x00")


def test_hashes_cover_everything_but_the_signers_signatures() -> None:
    known = header()
    assert replace(known, signer_signatures=()).block_id == known.block_id
    changes: dict[str, Any] = {
        "version": 2,
        "height": 1,
        "burn_spent_sats": 1,
        "parent_block_id": "11" * 32,
        "transactions_root": "11" * 32,
        "state_root": "11" * 32,
        "timestamp": 1,
        "miner_signature": bytes(65),
        "pox_treatment": bytes(464),
        "problematic": (ProblematicTransaction(0, 0),),
    }
    hashes = {replace(known, **{name: value}).block_hash for name, value in changes.items()}
    assert len(hashes | {known.block_hash}) == len(changes) + 1
    other = replace(known, consensus_hash="11" * 20)
    assert other.block_id != known.block_id


def test_problematic_transactions_are_only_in_headers_of_epoch_4() -> None:
    markers = (ProblematicTransaction(1, 7), ProblematicTransaction(5, 0))
    marked = header(problematic=markers)
    assert BlockHeader.decode(marked.encode()).problematic == markers
    for version in (0, 0x80):  # a shadow block of an earlier epoch, too
        without = header(version=version, problematic=markers)
        assert BlockHeader.decode(without.encode()).problematic == ()
        assert without.block_hash == replace(without, problematic=()).block_hash
    assert header(version=0x81).is_shadow


def test_merkle_roots_match_the_specification() -> None:
    a, b, c = ("aa" * 32, "bb" * 32, "cc" * 32)
    leaves = [sha(b"\x00" + bytes.fromhex(txid)) for txid in (a, b, c)]
    ab, cc = sha(b"\x01" + leaves[0] + leaves[1]), sha(b"\x01" + leaves[2] + leaves[2])
    assert transactions_root([]) == "00" * 32
    assert transactions_root([a]) == sha(b"\x01" + leaves[0] + leaves[0]).hex()
    assert transactions_root([a, b]) == ab.hex()
    assert transactions_root([a, b, c]) == sha(b"\x01" + ab + cc).hex()


@settings(max_examples=50, deadline=None)
@given(st.lists(transactions(), max_size=9, unique_by=lambda transaction: transaction.txid))
def test_any_block_survives_the_round_trip(included: list[Transaction]) -> None:
    block = block_of(*included)
    read = NakamotoBlock.decode(block.encode())
    assert read == block
    for transaction in included:
        path = read.path(transaction.txid)
        assert path.root(transaction.txid) == read.header.transactions_root
        assert path.root("ab" * 32) != read.header.transactions_root


def changed(raw: bytes, at: int, to: bytes) -> bytes:
    return raw[:at] + to + raw[at + len(to) :]


ROOT_AT = 69
POX_AT = SIGNERS_AT + 4 + 14 * 65
TRANSACTIONS_AT = POX_AT + 6 + 464 + 4
HOSTILE: Final[dict[str, tuple[Callable[[], bytes], str]]] = {
    "nothing": (lambda: b"", "at byte 0"),
    "only a version": (lambda: NEW[:1], "height"),
    "a changed transaction": (
        lambda: changed(NEW, len(NEW) - 1, b"\xff"),
        "root [0-9a-f]{16}…, the header 998aeb7b",
    ),
    "a changed root": (lambda: changed(NEW, ROOT_AT, b"\x00" * 32), "the transactions have root"),
    "one transaction left out": (lambda: block_with(NakamotoBlock.decode(NEW).transactions[:1]), "have root"),
    "a transaction twice": (lambda: block_with(NakamotoBlock.decode(NEW).transactions[:1] * 2), "twice"),
    "something behind": (lambda: NEW + b"\x00", "1 byte follows the block"),
    "more signers than bytes": (lambda: changed(NEW, SIGNERS_AT, b"\xff" * 4), "signers' signatures need"),
    "too many signers": (lambda: NEW[:SIGNERS_AT] + (4001).to_bytes(4) + bytes(4001 * 65), "at most 4000 signers"),
    "no reward slots": (lambda: changed(NEW, POX_AT, b"\x00\x00"), "1 to 4000 reward slots"),
    "too many reward slots": (lambda: changed(NEW, POX_AT, b"\xff\xff"), "1 to 4000 reward slots"),
    "bits of other slots": (lambda: changed(NEW, POX_AT + 2, b"\xff" * 4), "bytes of bits"),
    "more markers than bytes": (
        lambda: changed(NEW, TRANSACTIONS_AT - 4, b"\xff" * 4),
        "problematic transactions need",
    ),
    "too many markers": (lambda: NEW[: TRANSACTIONS_AT - 4] + (11_651).to_bytes(4) + bytes(60_000), "at most 11650"),
    "markers out of order": (lambda: header(problematic=(ProblematicTransaction(1, 0),) * 2).encode(), "follows 1"),
    "more transactions than bytes": (lambda: changed(NEW, TRANSACTIONS_AT, b"\xff" * 4), "transactions need"),
    "a time that no calendar has": (lambda: changed(NEW, 133, b"\xff" * 8), "after the year 9999"),
    "too long": (lambda: NEW + bytes(MAX_BLOCK_LENGTH), "a block has at most 16777216 bytes"),
}


def block_with(included: tuple[Transaction, ...]) -> bytes:
    return NakamotoBlock(header(), included).encode()


@pytest.mark.parametrize("name", HOSTILE)
def test_invalid_blocks_are_rejected(name: str) -> None:
    make, expected = HOSTILE[name]
    with pytest.raises(DecodeError, match=expected):
        NakamotoBlock.decode(make())


def test_every_truncation_of_a_block_is_rejected() -> None:
    for length in range(len(NEW)):
        with pytest.raises(DecodeError) as caught:
            NakamotoBlock.decode(NEW[:length])
        assert 0 <= caught.value.offset <= length


def test_repeated_transactions_with_the_same_root_are_rejected() -> None:
    """Repeating the last of three transactions keeps the root, but must not result in a second valid block."""
    three = NakamotoBlock.decode(OLD).transactions + NakamotoBlock.decode(NEW).transactions[:1]
    txids = [transaction.txid for transaction in three]
    assert transactions_root(txids) == transactions_root([*txids, txids[-1]])
    with pytest.raises(DecodeError, match="twice"):
        NakamotoBlock.decode(NakamotoBlock(block_of(*three).header, (*three, three[-1])).encode())


def test_a_block_is_decoded_from_bytes_only() -> None:
    with pytest.raises(DecodeError, match="not str"):
        NakamotoBlock.decode(NEW.hex())  # type: ignore[arg-type]


def test_invalid_merkle_paths_are_rejected() -> None:
    block = NakamotoBlock.decode(NEW)
    with pytest.raises(InvalidValueError, match="is not in block 8665568"):
        block.path("ab" * 32)
    path = block.path(block.transactions[0].txid)
    with pytest.raises(InvalidValueError, match="64 hexadecimal digits"):
        path.root("no txid")
    for position, siblings, expected in (
        (0, (), "1 to 32 siblings"),
        (0, (bytes(32),) * (MAX_PATH_LENGTH + 1), "1 to 32 siblings"),
        (0, (bytes(31),), "32 bytes each"),
        (2, (bytes(32),), "no position 2"),
        (-1, (bytes(32),), "no position -1"),
    ):
        with pytest.raises(InvalidValueError, match=expected):
            MerklePath(position, siblings)


def test_a_transaction_has_only_one_valid_position() -> None:
    """The path of the last of three transactions also fits a fourth position, which must therefore be rejected."""
    three = block_of(*NakamotoBlock.decode(OLD).transactions, NakamotoBlock.decode(NEW).transactions[0])
    last = three.transactions[2].txid
    path = three.path(last)
    assert path.position == 2
    with pytest.raises(InvalidValueError, match="position 3 is that of a repeated node"):
        MerklePath(3, path.siblings).root(last)


def test_a_node_of_the_tree_cannot_pass_as_a_transaction() -> None:
    """Leaves and nodes are hashed differently; otherwise, a node would look like a transaction with a shorter path."""
    block = NakamotoBlock.decode(OLD)
    first, second = (sha(b"\x00" + bytes.fromhex(each.txid)) for each in block.transactions)
    assert MerklePath(0, (second,)).root(first.hex()) != block.header.transactions_root
