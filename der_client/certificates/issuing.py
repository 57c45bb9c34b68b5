"""Make the file of a certificate from an index, with signed transactions as proof if a node can be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from der_client.certificates.bundles import (
    BlockProof,
    CertificateFile,
    Claim,
    MeterKey,
    PlaceInBlock,
    PlantFacts,
    Recording,
)
from der_client.certificates.spreading import spread
from der_client.index.errors import NotIndexedError
from der_client.readings.slots import mask_slots

if TYPE_CHECKING:
    from der_client.contracts.asset_verification import Asset
    from der_client.index import Index
    from der_client.index.answers import Certificate, EventRow
    from der_client.stacks.blocks import NakamotoBlock
    from der_client.stacks.rpc import Client

MOST_EVENTS = 10_000


def issue(index: Index, certificate: Certificate, client: Client | None = None) -> CertificateFile:
    """Make the file of a certificate.

    Args:
        index: The index; it must have reached the certificate.
        certificate: A certificate from the index.
        client: A node of the same network; with it, the file includes the signed transactions, and a proof of the
            blocks that they are in.

    Raises:
        NotIndexedError: If the index does not know the verification of the day.
        NodeError: If the node could not be reached.
    """
    asset_id, day = certificate.asset_id, certificate.day
    tip = index.tip()
    verified = index.events(topic="day-verified", asset_id=asset_id, day=day, limit=1, newest_first=True)
    if tip is None or not verified:
        raise NotIndexedError(f"the index does not know that day {day} of plant {asset_id} was verified")
    recorded = index.events(topic="production-recorded", asset_id=asset_id, day=day, limit=MOST_EVENTS)
    same_day = index.certificates(asset_id=asset_id, from_day=day, to_day=day)
    earlier = same_day[: same_day.index(certificate)]
    energy = {slot.slot: slot.wh for slot in index.production(asset_id, day, day, by="slot")}
    recordings = tuple(_recording(event, energy) for event in recorded)
    detail = index.plant(asset_id, as_of=certificate.height)
    facts = PlantFacts(
        kind=str(certificate.asset_kind),
        location=certificate.location,
        region=certificate.region,
        capacity_w=detail.asset.capacity_w,
    )
    txids = {certificate.txid, verified[0].txid, *(recording.txid for recording in recordings)}
    transactions, blocks = ({}, ()) if client is None else _proofs(sorted(txids), client)
    unspread = CertificateFile(
        chain_id=tip.network_id,
        deployer=tip.deployer,
        asset_id=asset_id,
        day=day,
        slot_seconds=certificate.slot_seconds,
        day_mask=certificate.mask,
        day_wh=verified[0].fields["wh"],
        verified_txid=verified[0].txid,
        verified_at=verified[0].time,
        verifier=verified[0].fields["actor"],
        plant_facts=facts,
        certificate=_claim(certificate),
        earlier=tuple(_claim(each) for each in earlier),
        recordings=recordings,
        meter=_meter(detail.asset, certificate) if any(recording.signed for recording in recordings) else None,
        transactions=transactions,
        blocks=blocks,
        bundles=(),
    )
    return unspread.model_copy(update={"bundles": spread(unspread)})


def _proofs(txids: list[str], client: Client) -> tuple[dict[str, str], tuple[BlockProof, ...]]:
    """Ask a node for the bytes of transactions, and for the blocks that they are in."""
    known = {txid: client.node_transaction(txid) for txid in txids}
    in_block: dict[str, list[str]] = {}
    for txid, transaction in known.items():
        in_block.setdefault(transaction.index_block_hash, []).append(txid)
    blocks = sorted((client.node_block(block_id) for block_id in in_block), key=lambda block: block.header.height)
    proofs = tuple(_block_proof(block, in_block[block.header.block_id]) for block in blocks)
    return {txid: transaction.raw.hex() for txid, transaction in known.items()}, proofs


def _block_proof(block: NakamotoBlock, txids: list[str]) -> BlockProof:
    paths = {txid: block.path(txid) for txid in txids}
    return BlockProof(
        header=block.header.encode().hex(),
        transactions={
            txid: PlaceInBlock(position=path.position, siblings=tuple(sibling.hex() for sibling in path.siblings))
            for txid, path in paths.items()
        },
    )


def _claim(certificate: Certificate) -> Claim:
    return Claim(
        kind="claim" if certificate.kind == "claim" else "retirement",
        id=certificate.id,
        wh=certificate.wh,
        beneficiary=certificate.beneficiary,
        purpose=certificate.purpose,
        claimant=certificate.claimant,
        payment_id=certificate.payment_id,
        txid=certificate.txid,
        event_index=certificate.event_index,
    )


def _recording(event: EventRow, energy: dict[int, int | None]) -> Recording:
    mask, wh = _mask(event.fields["mask"]), event.fields["wh"]
    by_slot = [energy.get(slot) for slot in mask_slots(mask)]
    known = [each for each in by_slot if each is not None]
    return Recording(
        txid=event.txid,
        event_index=event.event_index,
        mask=mask,
        wh=wh,
        signed=event.fields["signed"],
        root_id=event.fields["root_id"],
        whs=tuple(known) if len(known) == len(by_slot) else None,
    )


def _mask(value: int | str) -> int:
    return int(value, 16) if isinstance(value, str) else value


def _meter(asset: Asset, certificate: Certificate) -> MeterKey | None:
    """Return the meter key in force on a day: the current one from its first day on, the previous one before."""
    by_present_key = asset.key_from_day is None or certificate.day >= asset.key_from_day
    key = asset.device_key if by_present_key else asset.previous_device_key
    if key is None:
        return None
    return MeterKey(
        curve="p256" if key.curve.name == "P256" else "secp256k1",
        key=key.key.hex(),
        key_epoch=asset.key_epoch if by_present_key else asset.key_epoch - 1,
    )
