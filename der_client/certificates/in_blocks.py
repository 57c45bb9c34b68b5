"""Checks that a certificate's transactions are in the blocks that its file names, and that those are saved ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from der_client.certificates.findings import UnknownError, WrongError
from der_client.stacks.blocks import BlockHeader, MerklePath

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.certificates.bundles import CertificateFile, PlaceInBlock
    from der_client.stacks.blocks import NakamotoBlock

_MOST_NAMED: Final = 4


def block_headers(file: CertificateFile) -> list[BlockHeader]:
    """Read the headers of the blocks that a file names, by height.

    Raises:
        UnknownError: If it names no blocks.
        WrongError: If one is not a header, or not above the previous one.
    """
    if not file.blocks:
        raise UnknownError("the file has no blocks; make it with --proof to include them")
    found: list[BlockHeader] = []
    for number, proof in enumerate(file.blocks):
        try:
            header = BlockHeader.decode(bytes.fromhex(proof.header))
        except ValueError as error:
            raise WrongError(f"header {number} cannot be read: {error}") from error
        if found and header.height <= found[-1].height:
            raise WrongError(f"block {header.height} follows block {found[-1].height}")
        found.append(header)
    return found


def check_blocks(file: CertificateFile) -> str:
    """Check that each transaction is in a block, ran there, in this order, and at the time in the file.

    Returns:
        What was found, with height, time and id of the blocks.

    Raises:
        UnknownError: If the file names no blocks.
        WrongError: If any of this is wrong.
    """
    found = block_headers(file)
    places: dict[str, tuple[BlockHeader, int]] = {}
    for header, proof in zip(found, file.blocks, strict=True):
        for txid, place in proof.transactions.items():
            if txid in places:
                raise WrongError(f"transaction {txid} is in two blocks, according to the file")
            _require_inclusion(header, txid, place)
            places[txid] = (header, place.position)
    if missing := file.txids - places.keys():
        raise WrongError(f"the file names no block for transaction {min(missing)}")
    verified, claimed = places[file.verified_txid], places[file.certificate.txid]
    recorded = max((places[recording.txid] for recording in file.recordings), key=_order, default=verified)
    if not _order(recorded) <= _order(verified) <= _order(claimed):
        raise WrongError("the blocks are not in the order of recording, verification and claim")
    if verified[0].time != file.verified_at:
        raise WrongError(f"the day was verified at {verified[0].time}, but the file says {file.verified_at}")
    named = [f"{header.height} of {header.time:%Y-%m-%d %H:%M:%S} UTC ({header.block_id})" for header in found]
    more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    blocks = "blocks" if len(named) > 1 else "block"
    return f"the {len(places)} transactions are in {blocks} {', '.join(named[:_MOST_NAMED])}{more}"


def check_saved(file: CertificateFile, saved: Sequence[NakamotoBlock]) -> str:
    """Check that the blocks of a file are among those saved from a node.

    Raises:
        UnknownError: If there are no blocks, or if some of them were not saved.
        WrongError: If one differs from the saved one at its height.
    """
    found = block_headers(file)
    if not saved:
        raise UnknownError(
            "nothing here proves that these blocks are on the chain and that signers signed them; compare their ids "
            "with a node that you trust, or give blocks saved from one (--block)"
        )
    ids = {block.header.height: block.header.block_id for block in saved}
    for header in found:
        if (known := ids.get(header.height, header.block_id)) != header.block_id:
            raise WrongError(f"the saved block {header.height} is {known}, that of the file {header.block_id}")
    if missing := [str(header.height) for header in found if header.height not in ids]:
        more = ", …" if len(missing) > _MOST_NAMED else ""
        heights = ", ".join(missing[:_MOST_NAMED]) + more
        raise UnknownError(f"{len(found) - len(missing)} of {len(found)} blocks are saved; missing: {heights}")
    return f"the {len(found)} blocks are those that were saved"


def _order(place: tuple[BlockHeader, int]) -> tuple[int, int]:
    header, position = place
    return header.height, position


def _require_inclusion(header: BlockHeader, txid: str, place: PlaceInBlock) -> None:
    try:
        path = MerklePath(place.position, tuple(bytes.fromhex(sibling) for sibling in place.siblings))
        root = path.root(txid)
    except ValueError as error:
        raise WrongError(f"the place of transaction {txid} in block {header.height} cannot be read: {error}") from error
    if root != header.transactions_root:
        raise WrongError(f"transaction {txid} is not in block {header.height} ({header.block_id})")
    if any(marker.position == place.position for marker in header.problematic):
        raise WrongError(f"transaction {txid} was not run: block {header.height} marks it as problematic")
