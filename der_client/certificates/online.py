"""Compares a certificate file with the chain, using a node and, to find what was left out, an index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from der_client.certificates.findings import Check, UnknownError, WrongError, check
from der_client.certificates.in_blocks import block_headers
from der_client.contracts.market_participation import EnergyRetired, MarketParticipation
from der_client.contracts.production_tracking import DayState, DayVerified, ProductionRecorded, ProductionTracking
from der_client.contracts.settlement import EnergyClaimed, Settlement
from der_client.stacks.contract.events import read_event
from der_client.stacks.rpc import ContractLogEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from der_client.certificates.bundles import CertificateFile, Claim
    from der_client.der import Der
    from der_client.index import Index
    from der_client.stacks.contract.events import Event


def check_online(file: CertificateFile, der: Der, index: Index | None = None) -> tuple[Check, ...]:
    """Compare a file with the chain.

    Args:
        file: The certificate.
        der: A connection to the contracts that it names.
        index: An index of them, to find certificates of the day that the file leaves out.

    Raises:
        NodeError: If the node could not be asked.
    """
    return (
        check("contracts", lambda: _check_contracts(file, der)),
        check("chain", lambda: _check_chain(file, der)),
        check("certificate", lambda: _check_claim(file, file.certificate, der)),
        check("earlier certificates", lambda: _check_earlier(file, der, index)),
        check("recordings", lambda: _check_recordings(file, der)),
        check("verification", lambda: _check_verification(file, der)),
        check("plant", lambda: _check_plant(file, der)),
    )


def _check_contracts(file: CertificateFile, der: Der) -> str:
    if file.chain_id != der.client.network.chain_id:
        raise WrongError(
            f"the file is for chain {file.chain_id:#x}, but the node is on {der.client.network.chain_id:#x}"
        )
    if file.deployer != der.deployer:
        raise WrongError(f"the file is for the contracts of {file.deployer}, not those of {der.deployer}")
    der.check_deployed()
    return f"the contracts of {file.deployer} are deployed on chain {file.chain_id:#x}"


def _check_chain(file: CertificateFile, der: Der) -> str:
    found = block_headers(file)
    for header in found:
        on_chain = der.client.block(header.height).hash
        if on_chain != header.block_hash:
            raise WrongError(f"block {header.height} is {on_chain} on the chain, {header.block_hash} in the file")
    return f"the {len(found)} blocks of the file are on the chain"


def _printed(der: Der, contract: str, txid: str, classes: tuple[type[Event], ...]) -> Iterator[tuple[int, Any]]:
    known = der.client.transaction(txid)
    if known is None or known.block_height is None or not known.is_canonical:
        raise WrongError(f"transaction {txid} is not on the chain")
    for event in known.events:
        if isinstance(event, ContractLogEvent) and event.contract_id == f"{der.deployer}.{contract}":
            yield event.event_index, read_event(event.raw_value, classes)


def _event(der: Der, contract: str, txid: str, index: int, kind: type[Event]) -> Any:
    for place, event in _printed(der, contract, txid, (kind,)):
        if place == index and isinstance(event, kind):
            return event
    raise WrongError(f"event {index} of transaction {txid} is not {kind.topic} of {contract}")


def _compare(found: dict[str, Any], said: dict[str, Any], where: str) -> None:
    for name, value in said.items():
        if found[name] != value:
            raise WrongError(f"{where}: {name} is {found[name]} on the chain, {value} in the file")


def _check_claim(file: CertificateFile, claim: Claim, der: Der) -> str:
    is_claim = claim.kind == "claim"
    contract, kind = (Settlement.name, EnergyClaimed) if is_claim else (MarketParticipation.name, EnergyRetired)
    event = _event(der, str(contract), claim.txid, claim.event_index, kind)
    said = {
        "claim_id" if is_claim else "retirement_id": claim.id,
        "asset_id": file.asset_id,
        "day": file.day,
        "mask": file.day_mask,
        "wh": claim.wh,
        "beneficiary": claim.beneficiary,
        "purpose": claim.purpose,
        "actor": claim.claimant,
        **({"payment_id": claim.payment_id} if is_claim else {}),
    }
    _compare(event.model_dump(), said, f"{claim.kind} {claim.id}")
    return f"{claim.kind} {claim.id}: {claim.wh:,} Wh for {claim.beneficiary}, claimed by {claim.claimant}"


def _check_earlier(file: CertificateFile, der: Der, index: Index | None) -> str:
    for claim in file.earlier:
        _check_claim(file, claim, der)
    if index is None:
        raise UnknownError(f"{len(file.earlier)} are on the chain; add --database to check that none is missing")
    same_day = index.certificates(asset_id=file.asset_id, from_day=file.day, to_day=file.day)
    ids = [(each.kind, each.id) for each in same_day]
    own = (file.certificate.kind, file.certificate.id)
    if own not in ids:
        raise UnknownError("the index does not know this certificate yet: run 'der index --once'")
    if ids[: ids.index(own)] != [(claim.kind, claim.id) for claim in file.earlier]:
        raise WrongError("the file's list of the day's earlier certificates is wrong")
    return f"the day has {len(file.earlier)} earlier certificates, and the file lists them all"


def _check_recordings(file: CertificateFile, der: Der) -> str:
    for recording in file.recordings:
        event = _event(der, ProductionTracking.name or "", recording.txid, recording.event_index, ProductionRecorded)
        said = {"asset_id": file.asset_id, "day": file.day, "mask": recording.mask, "wh": recording.wh}
        said |= {"signed": recording.signed, "root_id": recording.root_id}
        _compare(event.model_dump(), said, f"recording {recording.txid}")
    recordings = "1 recording" if len(file.recordings) == 1 else f"{len(file.recordings)} recordings"
    return f"{recordings} of {file.day} on the chain"


def _check_verification(file: CertificateFile, der: Der) -> str:
    day = der.production.get_day(file.asset_id, file.day)
    if day is None or day.state is not DayState.VERIFIED:
        raise WrongError(f"day {file.day} of plant {file.asset_id} is not verified")
    _compare({"mask": day.mask, "wh": day.wh}, {"mask": file.day_mask, "wh": file.day_wh}, f"day {file.day}")
    known = der.client.transaction(file.verified_txid)
    printed = _printed(der, ProductionTracking.name or "", file.verified_txid, (DayVerified,))
    for _, event in printed:
        if isinstance(event, DayVerified) and (event.asset_id, event.day) == (file.asset_id, file.day):
            if event.actor != file.verifier or known is None or known.block_time != file.verified_at:
                raise WrongError(
                    f"day {file.day} was verified by {event.actor}, but the file has another verifier or time"
                )
            return f"{file.day_wh:,} Wh of {file.day} were verified by {file.verifier}"
    raise WrongError(f"transaction {file.verified_txid} did not verify day {file.day} of plant {file.asset_id}")


def _check_plant(file: CertificateFile, der: Der) -> str:
    asset = der.assets.get_asset(file.asset_id)
    if asset is None:
        raise WrongError(f"plant {file.asset_id} does not exist")
    facts = file.plant_facts
    found = {"kind": str(asset.kind), "location": asset.location, "region": asset.region, "slots": asset.slot_seconds}
    said = {"kind": facts.kind, "location": facts.location, "region": facts.region, "slots": file.slot_seconds}
    _compare(found, said, f"plant {file.asset_id}")
    right = der.assets.get_recording_right(file.asset_id, file.day)
    if file.meter is not None and right is not None and right.key_epoch == file.meter.key_epoch:
        key = None if right.device_key is None else right.device_key.key.hex()
        if key != file.meter.key:
            raise WrongError(f"the meter's key is {key} on the chain, {file.meter.key} in the file")
    return f"plant {file.asset_id} is a {facts.kind} plant at {facts.location}, {facts.region}"
