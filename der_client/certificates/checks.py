"""Check a certificate file: what it proves by itself, and what the chain says about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from der_client.certificates.signed_calls import signed_recordings
from der_client.certificates.spreading import spread
from der_client.contracts.market_participation import EnergyRetired, MarketParticipation
from der_client.contracts.production_tracking import DayState, DayVerified, ProductionRecorded, ProductionTracking
from der_client.contracts.settlement import EnergyClaimed, Settlement
from der_client.readings.signers import Curve
from der_client.readings.signing import DayMessage
from der_client.stacks.contract.events import read_event
from der_client.stacks.errors import DerClientError
from der_client.stacks.rpc import ContractLogEvent
from der_client.stacks.transactions import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from der_client.certificates.bundles import CertificateFile, Claim
    from der_client.der import Der
    from der_client.index import Index
    from der_client.stacks.contract.events import Event


class Outcome(StrEnum):
    """The outcome of a check."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        name: What was checked.
        outcome: Whether it passed.
        text: What was found, in one sentence.
    """

    name: str
    outcome: Outcome
    text: str


class _WrongError(DerClientError):
    """A statement in the file is wrong."""


class _UnknownError(DerClientError):
    """The file has nothing to check this with."""


def check_offline(file: CertificateFile) -> tuple[Check, ...]:
    """Check what can be proven without a network.

    Returns:
        A check of the bundles, of the signed transactions, and of the meter's signatures.
    """
    return (
        _check("bundles", lambda: _check_bundles(file)),
        _check("transactions", lambda: _check_transactions(file)),
        _check("meter", lambda: _check_meter(file)),
    )


def check_online(file: CertificateFile, der: Der, index: Index | None = None) -> tuple[Check, ...]:
    """Compare a file with the chain.

    Args:
        file: The certificate.
        der: A connection to the contracts that it names.
        index: An index of them, to find certificates of the day that the file leaves out.

    Raises:
        NodeError: If the node could not be reached.
    """
    return (
        _check("contracts", lambda: _check_contracts(file, der)),
        _check("certificate", lambda: _check_claim(file, file.certificate, der)),
        _check("earlier certificates", lambda: _check_earlier(file, der, index)),
        _check("recordings", lambda: _check_recordings(file, der)),
        _check("verification", lambda: _check_verification(file, der)),
        _check("plant", lambda: _check_plant(file, der)),
    )


def _check(name: str, examine: Callable[[], str]) -> Check:
    try:
        return Check(name, Outcome.RIGHT, examine())
    except _UnknownError as error:
        return Check(name, Outcome.NOT_CHECKED, str(error))
    except _WrongError as error:
        return Check(name, Outcome.WRONG, str(error))


# Without a network


def _check_bundles(file: CertificateFile) -> str:
    mask = 0
    for recording in file.recordings:
        mask |= recording.mask
    claimed = sum(earlier.wh for earlier in file.earlier) + file.certificate.wh
    if mask != file.day_mask:
        raise _WrongError("the recordings are not those of the verified slots")
    if claimed > file.day_wh:
        raise _WrongError(f"{claimed:,} Wh are claimed of a day with {file.day_wh:,} Wh")
    try:
        expected = spread(file)
    except DerClientError as error:
        raise _WrongError(str(error)) from error
    if file.bundles != expected:
        raise _WrongError("the bundles are not the certificate's share of the recorded energy")
    return f"{file.certificate.wh:,} Wh in {len(file.bundles)} intervals, each Wh counted once"


def _transactions(file: CertificateFile) -> dict[str, Transaction]:
    if not file.transactions:
        raise _UnknownError("the file has no signed transactions; make it with --url to include them")
    read = {}
    for txid, raw in file.transactions.items():
        try:
            read[txid] = Transaction.decode(bytes.fromhex(raw))
        except ValueError as error:
            raise _WrongError(f"transaction {txid} cannot be read: {error}") from error
    return read


def _check_transactions(file: CertificateFile) -> str:
    read = _transactions(file)
    needed = {file.certificate.txid, file.verified_txid, *(recording.txid for recording in file.recordings)}
    if missing := needed - read.keys():
        raise _WrongError(f"transaction {min(missing)} is missing")
    for txid, transaction in read.items():
        if transaction.txid != txid:
            raise _WrongError(f"the bytes of transaction {txid} are those of {transaction.txid}")
        try:
            transaction.verify()
        except DerClientError as error:
            raise _WrongError(f"transaction {txid} is not signed by its sender: {error}") from error
    return f"{len(read)} transactions match their ids and are signed by their senders"


def _check_meter(file: CertificateFile) -> str:
    signed = [recording for recording in file.recordings if recording.signed]
    if not signed:
        raise _UnknownError("no reading of the day was signed by a meter; an oracle recorded it")
    if file.meter is None:
        raise _WrongError("readings are signed, but the file names no meter key")
    read = _transactions(file)
    contract = f"{file.deployer}.{ProductionTracking.name}"
    for recording in signed:
        if recording.txid not in read:
            raise _WrongError(f"transaction {recording.txid} is missing")
        calls = signed_recordings(read[recording.txid], contract)
        if calls is None:
            raise _UnknownError(f"transaction {recording.txid} relayed the readings through another contract")
        found = [
            call
            for call in calls
            if (call.asset_id, call.day, call.mask, call.whs)
            == (file.asset_id, file.day, recording.mask, recording.whs)
        ]
        if not found:
            raise _WrongError(f"transaction {recording.txid} does not carry the readings of the file")
        message = DayMessage(
            contract=contract,
            chain_id=file.chain_id,
            asset_id=file.asset_id,
            day=file.day,
            key_epoch=file.meter.key_epoch,
            start=found[0].start,
            whs=found[0].whs,
            signature=found[0].signature,
            curve=Curve[file.meter.curve.upper()],
        )
        try:
            message.verify(bytes.fromhex(file.meter.key))
        except ValueError as error:
            raise _WrongError(f"the readings of {recording.txid} are not signed by the meter's key: {error}") from error
    return f"{len(signed)} recordings are signed by the meter's key {file.meter.key}"


# On the chain


def _check_contracts(file: CertificateFile, der: Der) -> str:
    if file.chain_id != der.client.network.chain_id:
        raise _WrongError(
            f"the file is for chain {file.chain_id:#x}, but the node is on {der.client.network.chain_id:#x}"
        )
    if file.deployer != der.deployer:
        raise _WrongError(f"the file is for the contracts of {file.deployer}, not those of {der.deployer}")
    der.check_deployed()
    return f"the contracts of {file.deployer} are deployed on chain {file.chain_id:#x}"


def _printed(der: Der, contract: str, txid: str, classes: tuple[type[Event], ...]) -> Iterator[tuple[int, Any]]:
    known = der.client.transaction(txid)
    if known is None or known.block_height is None or not known.is_canonical:
        raise _WrongError(f"transaction {txid} is not on the chain")
    for event in known.events:
        if isinstance(event, ContractLogEvent) and event.contract_id == f"{der.deployer}.{contract}":
            yield event.event_index, read_event(event.raw_value, classes)


def _event(der: Der, contract: str, txid: str, index: int, kind: type[Event]) -> Any:
    for place, event in _printed(der, contract, txid, (kind,)):
        if place == index and isinstance(event, kind):
            return event
    raise _WrongError(f"event {index} of transaction {txid} is not {kind.topic} of {contract}")


def _compare(found: dict[str, Any], said: dict[str, Any], where: str) -> None:
    for name, value in said.items():
        if found[name] != value:
            raise _WrongError(f"{where}: {name} is {found[name]} on the chain, {value} in the file")


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
        raise _UnknownError(f"{len(file.earlier)} are on the chain; add --database to check that none is missing")
    same_day = index.certificates(asset_id=file.asset_id, from_day=file.day, to_day=file.day)
    ids = [(each.kind, each.id) for each in same_day]
    own = (file.certificate.kind, file.certificate.id)
    if own not in ids:
        raise _UnknownError("the index does not know this certificate yet: run 'der index --once'")
    if ids[: ids.index(own)] != [(claim.kind, claim.id) for claim in file.earlier]:
        raise _WrongError("the file's list of the day's earlier certificates is wrong")
    return f"the day has {len(file.earlier)} earlier certificates, and the file lists them all"


def _check_recordings(file: CertificateFile, der: Der) -> str:
    for recording in file.recordings:
        event = _event(der, ProductionTracking.name or "", recording.txid, recording.event_index, ProductionRecorded)
        said = {"asset_id": file.asset_id, "day": file.day, "mask": recording.mask, "wh": recording.wh}
        said |= {"signed": recording.signed, "root_id": recording.root_id}
        _compare(event.model_dump(), said, f"recording {recording.txid}")
    return f"{len(file.recordings)} recordings of {file.day} are on the chain"


def _check_verification(file: CertificateFile, der: Der) -> str:
    day = der.production.get_day(file.asset_id, file.day)
    if day is None or day.state is not DayState.VERIFIED:
        raise _WrongError(f"day {file.day} of plant {file.asset_id} is not verified")
    _compare({"mask": day.mask, "wh": day.wh}, {"mask": file.day_mask, "wh": file.day_wh}, f"day {file.day}")
    known = der.client.transaction(file.verified_txid)
    printed = _printed(der, ProductionTracking.name or "", file.verified_txid, (DayVerified,))
    for _, event in printed:
        if isinstance(event, DayVerified) and (event.asset_id, event.day) == (file.asset_id, file.day):
            if event.actor != file.verifier or known is None or known.block_time != file.verified_at:
                raise _WrongError(
                    f"day {file.day} was verified by {event.actor}, but the file has another verifier or time"
                )
            return f"{file.day_wh:,} Wh of {file.day} were verified by {file.verifier}"
    raise _WrongError(f"transaction {file.verified_txid} did not verify day {file.day} of plant {file.asset_id}")


def _check_plant(file: CertificateFile, der: Der) -> str:
    asset = der.assets.get_asset(file.asset_id)
    if asset is None:
        raise _WrongError(f"plant {file.asset_id} does not exist")
    facts = file.plant_facts
    found = {"kind": str(asset.kind), "location": asset.location, "region": asset.region, "slots": asset.slot_seconds}
    said = {"kind": facts.kind, "location": facts.location, "region": facts.region, "slots": file.slot_seconds}
    _compare(found, said, f"plant {file.asset_id}")
    right = der.assets.get_recording_right(file.asset_id, file.day)
    if file.meter is not None and right is not None and right.key_epoch == file.meter.key_epoch:
        key = None if right.device_key is None else right.device_key.key.hex()
        if key != file.meter.key:
            raise _WrongError(f"the meter's key is {key} on the chain, {file.meter.key} in the file")
    return f"plant {file.asset_id} is a {facts.kind} plant at {facts.location}, {facts.region}"
