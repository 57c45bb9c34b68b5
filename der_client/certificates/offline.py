"""Checks a certificate file without a network: what it proves by itself, and with saved blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from der_client.certificates.findings import Check, UnknownError, WrongError, check
from der_client.certificates.in_blocks import check_blocks, check_saved
from der_client.certificates.signed_calls import signed_recordings
from der_client.certificates.spreading import spread
from der_client.contracts.production_tracking import ProductionTracking
from der_client.readings.signers import Curve
from der_client.readings.signing import DayMessage
from der_client.stacks.errors import DerClientError
from der_client.stacks.transactions import Transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.certificates.bundles import CertificateFile
    from der_client.stacks.blocks import NakamotoBlock


def check_offline(file: CertificateFile, saved: Sequence[NakamotoBlock] = ()) -> tuple[Check, ...]:
    """Check what can be proven without a network.

    Args:
        file: The certificate.
        saved: Blocks saved from a trusted node.

    Returns:
        Checks of the bundles, of the signed transactions, of the meter's signatures, of the blocks that the
        transactions are in, and that these blocks are on the chain, which only saved blocks can show.
    """
    return (
        check("bundles", lambda: _check_bundles(file)),
        check("transactions", lambda: _check_transactions(file)),
        check("meter", lambda: _check_meter(file)),
        check("blocks", lambda: check_blocks(file)),
        check("chain", lambda: check_saved(file, saved)),
    )


def _check_bundles(file: CertificateFile) -> str:
    mask = 0
    for recording in file.recordings:
        mask |= recording.mask
    claimed = sum(earlier.wh for earlier in file.earlier) + file.certificate.wh
    if mask != file.day_mask:
        raise WrongError("the recordings are not those of the verified slots")
    if claimed > file.day_wh:
        raise WrongError(f"{claimed:,} Wh are claimed of a day with {file.day_wh:,} Wh")
    try:
        expected = spread(file)
    except DerClientError as error:
        raise WrongError(str(error)) from error
    if file.bundles != expected:
        raise WrongError("the bundles are not the certificate's share of the recorded energy")
    return f"{file.certificate.wh:,} Wh in {len(file.bundles)} intervals, each Wh counted once"


def _transactions(file: CertificateFile) -> dict[str, Transaction]:
    if not file.transactions:
        raise UnknownError("the file has no signed transactions; make it with --proof to include them")
    read = {}
    for txid, raw in file.transactions.items():
        try:
            read[txid] = Transaction.decode(bytes.fromhex(raw))
        except ValueError as error:
            raise WrongError(f"transaction {txid} cannot be read: {error}") from error
    return read


def _check_transactions(file: CertificateFile) -> str:
    read = _transactions(file)
    if missing := file.txids - read.keys():
        raise WrongError(f"transaction {min(missing)} is missing")
    for txid, transaction in read.items():
        if transaction.txid != txid:
            raise WrongError(f"the bytes of transaction {txid} are those of {transaction.txid}")
        try:
            transaction.verify()
        except DerClientError as error:
            raise WrongError(f"transaction {txid} is not signed by its sender: {error}") from error
    return f"{len(read)} transactions match their ids and are signed by their senders"


def _check_meter(file: CertificateFile) -> str:
    signed = [recording for recording in file.recordings if recording.signed]
    if not signed:
        raise UnknownError("no reading of the day was signed by a meter; an oracle recorded it")
    if file.meter is None:
        raise WrongError("readings are signed, but the file names no meter key")
    read = _transactions(file)
    contract = f"{file.deployer}.{ProductionTracking.name}"
    for recording in signed:
        if recording.txid not in read:
            raise WrongError(f"transaction {recording.txid} is missing")
        calls = signed_recordings(read[recording.txid], contract)
        if calls is None:
            raise UnknownError(f"transaction {recording.txid} relayed the readings through another contract")
        found = [
            call
            for call in calls
            if (call.asset_id, call.day, call.mask, call.whs)
            == (file.asset_id, file.day, recording.mask, recording.whs)
        ]
        if not found:
            raise WrongError(f"transaction {recording.txid} does not carry the readings of the file")
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
            raise WrongError(f"the readings of {recording.txid} are not signed by the meter's key: {error}") from error
    recordings = "1 recording is" if len(signed) == 1 else f"{len(signed)} recordings are"
    return f"{recordings} signed by the meter's key {file.meter.key}"
