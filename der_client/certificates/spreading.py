"""From a certificate of a day to its bundles, one for each metering interval whose energy is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from der_client.certificates.allotment import allot
from der_client.certificates.bundles import CertificateBundle
from der_client.contracts.asset_verification import AssetKind
from der_client.contracts.production_tracking import ProductionTracking
from der_client.readings.slots import mask_slots, slot_end, slot_start
from der_client.stacks.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.certificates.bundles import CertificateFile, Recording

ENERGY_SOURCES: Final = {
    str(AssetKind.SOLAR): "solar_pv",
    str(AssetKind.WIND): "wind",
    str(AssetKind.HYDRO): "hydro",
    str(AssetKind.BIOENERGY): "biomass",
    str(AssetKind.COMBINED_HEAT_AND_POWER): "chp",
}
"""The registry's term for the energy source of each kind of plant; ``other`` for the rest."""


@dataclass(frozen=True, slots=True)
class _Interval:
    """Slots of which only the total energy is known."""

    mask: int
    wh: int


def intervals(recordings: Sequence[Recording]) -> list[_Interval]:
    """Return the finest intervals of a day whose energy is on the chain: slots, or the slots of one recording.

    Raises:
        InvalidValueError: If a slot was recorded more than once, or energies do not belong to slots.
    """
    found, seen = [], 0
    for recording in recordings:
        if recording.mask & seen:
            raise InvalidValueError(f"transaction {recording.txid} records slots that are recorded already")
        seen |= recording.mask
        if recording.whs is None:
            found.append(_Interval(recording.mask, recording.wh))
            continue
        slots = list(mask_slots(recording.mask))
        if len(slots) != len(recording.whs) or sum(recording.whs) != recording.wh or min(recording.whs) < 0:
            raise InvalidValueError(f"the energies of {recording.txid} are not those of its slots")
        found += [_Interval(1 << slot, wh) for slot, wh in zip(slots, recording.whs, strict=True)]
    return sorted(found, key=lambda interval: (interval.mask & -interval.mask, interval.mask))


def spread(file: CertificateFile) -> tuple[CertificateBundle, ...]:
    """Return the bundles of a certificate: its share of each interval, after those of earlier certificates of the day.

    Args:
        file: The file; its bundles are ignored.

    Raises:
        InvalidValueError: If its recordings contradict each other or have no energy.
    """
    known = intervals(file.recordings)
    weights = [interval.wh for interval in known]
    before_wh = sum(earlier.wh for earlier in file.earlier)
    taken, after = allot(weights, before_wh), allot(weights, before_wh + file.certificate.wh)
    facts = file.plant_facts
    device_id = f"{file.chain_id}:{file.deployer}.{ProductionTracking.name}/{file.asset_id}"
    return tuple(
        CertificateBundle(
            issuance_id=f"{device_id}/{file.day.isoformat()}/{interval.mask:024x}",
            certificate_bundle_id_range_start=first + 1,
            certificate_bundle_id_range_end=last,
            bundle_quantity=last - first,
            energy_source=ENERGY_SOURCES.get(facts.kind, "other"),
            device_id=device_id,
            device_name=facts.location,
            device_technology_type=facts.kind,
            device_capacity=facts.capacity_w,
            device_location=facts.region,
            production_starting_interval=slot_start(file.day, next(mask_slots(interval.mask)), file.slot_seconds),
            production_ending_interval=slot_end(file.day, interval.mask.bit_length() - 1, file.slot_seconds),
            issuance_datestamp=file.verified_at,
            issuing_body=file.verifier,
            beneficiary=file.certificate.beneficiary,
        )
        for interval, first, last in zip(known, taken, after, strict=True)
        if last > first
    )
