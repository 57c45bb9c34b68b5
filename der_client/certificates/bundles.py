"""A certificate as a file: EnergyTag bundles by metering interval, and what proves them.

The attributes of a bundle are those of the open granular certificate registry of Future Energy Associates (Apache-2.0).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from der_client.stacks.blocks import MAX_PATH_LENGTH
from der_client.stacks.checks import UINT_MAX
from der_client.stacks.errors import InvalidValueError

FORMAT_VERSION: Final = 1
MASK_MAX: Final = (1 << 96) - 1


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CertificateBundle(_Part):
    """The part of a certificate that was produced in one interval: ``bundle_quantity`` certificates of 1 Wh.

    Attributes:
        issuance_id: The device and the interval; within it each watt-hour has a number.
        certificate_bundle_id_range_start: The first of these numbers.
        certificate_bundle_id_range_end: The last of them.
        bundle_quantity: How many there are.
        face_value: Energy of each, Wh.
        certificate_bundle_status: ``Cancelled``: claimed energy cannot be sold or claimed again.
        energy_carrier: ``electricity``.
        energy_source: The registry's word for the source.
        device_id: The contract and the number of the plant.
        device_name: Its location, a geohash.
        device_technology_type: The plant's kind.
        device_capacity: Rated power, W.
        device_location: The region of its grid operator.
        production_starting_interval: When the interval begins, UTC.
        production_ending_interval: When it ends, UTC.
        issuance_datestamp: When the day was verified, UTC.
        is_storage: Whether it came out of a storage; such energy is never certified.
        issuance_post_energy_carrier_conversion: Whether it was converted to another carrier first.
        issuing_body: Who verified the day.
        beneficiary: For whom it was claimed.
    """

    issuance_id: str
    certificate_bundle_id_range_start: int = Field(ge=0, le=UINT_MAX)
    certificate_bundle_id_range_end: int = Field(ge=0, le=UINT_MAX)
    bundle_quantity: int = Field(ge=1, le=UINT_MAX)
    face_value: Literal[1] = 1
    certificate_bundle_status: Literal["Cancelled"] = "Cancelled"
    energy_carrier: Literal["electricity"] = "electricity"
    energy_source: str
    device_id: str
    device_name: str
    device_technology_type: str
    device_capacity: int
    device_location: str
    production_starting_interval: datetime
    production_ending_interval: datetime
    issuance_datestamp: datetime
    is_storage: Literal[False] = False
    issuance_post_energy_carrier_conversion: Literal[False] = False
    issuing_body: str
    beneficiary: str


class Claim(_Part):
    """A certificate on the chain: an event ``energy-claimed`` or ``energy-retired``.

    Attributes:
        kind: ``claim`` (by a buyer) or ``retirement`` (by the owner).
        id: Its number among those of its kind.
        wh: The energy, Wh.
        beneficiary: For whom.
        purpose: What it was claimed for.
        claimant: Who claimed it.
        payment_id: The payment that bought the energy; ``None`` for a retirement.
        txid: The transaction.
        event_index: The place of the event in it.
    """

    kind: Literal["claim", "retirement"]
    id: int = Field(ge=1, le=UINT_MAX)
    wh: int = Field(ge=1, le=UINT_MAX)
    beneficiary: str
    purpose: str
    claimant: str
    payment_id: int | None
    txid: str
    event_index: int


class Recording(_Part):
    """Energy that was recorded for slots of the day.

    Attributes:
        txid: The transaction.
        event_index: The place of ``production-recorded`` in it.
        mask: The slots; slot 0 is the lowest bit.
        wh: Their total energy, Wh.
        signed: Whether the meter signed it.
        root_id: The Merkle root that it was claimed from, if it was.
        whs: The energy of each slot, in order, Wh; ``None`` where only the sum is on the chain.
    """

    txid: str
    event_index: int
    mask: int = Field(ge=1, le=MASK_MAX)
    wh: int = Field(ge=0, le=UINT_MAX)
    signed: bool
    root_id: int | None
    whs: tuple[int, ...] | None = Field(max_length=96)


class PlantFacts(_Part):
    """The plant as the bundles describe it.

    Attributes:
        kind: Its kind, as the contracts name it.
        location: Its geohash.
        region: The region of its grid operator.
        capacity_w: Its rated power when the certificate was made, W.
    """

    kind: str
    location: str
    region: str
    capacity_w: int = Field(ge=1, le=UINT_MAX)


class MeterKey(_Part):
    """The key that signed for the meter on that day.

    Attributes:
        curve: ``secp256k1`` or ``p256``.
        key: The compressed public key, hexadecimal.
        key_epoch: Its number among the plant's keys, which is part of what is signed.
    """

    curve: Literal["secp256k1", "p256"]
    key: str
    key_epoch: int


class PlaceInBlock(_Part):
    """Where a transaction is in its block, with what proves it.

    Attributes:
        position: Which of the block's transactions it is, from 0.
        siblings: The nodes beside the way from it to the root of the block's Merkle tree, hexadecimal.
    """

    position: int = Field(ge=0, lt=1 << MAX_PATH_LENGTH)
    siblings: tuple[str, ...] = Field(min_length=1, max_length=MAX_PATH_LENGTH)


class BlockProof(_Part):
    """A block's header, and where the certificate's transactions are in the block.

    Attributes:
        header: The header with all signatures, hexadecimal, as ``GET /v3/blocks`` has it.
        transactions: The places of transactions by txid.
    """

    header: str
    transactions: dict[str, PlaceInBlock] = Field(min_length=1)


class CertificateFile(_Part):
    """All of one certificate.

    Attributes:
        format: Which kind of file this is.
        version: Of the format.
        chain_id: 1 on mainnet, 0x80000000 elsewhere.
        deployer: Who deployed the contracts.
        asset_id: The plant.
        day: The day of production, UTC.
        slot_seconds: Length of its metering intervals, s.
        day_mask: The slots of the day that were verified.
        day_wh: The energy of the day that was verified, Wh.
        verified_txid: The transaction that verified it.
        verified_at: The time of its block, UTC.
        verifier: Who verified it.
        plant_facts: The plant's data in the bundles.
        certificate: The claim itself.
        earlier: The earlier certificates of the same day, in chain order.
        recordings: What was recorded for the day, in chain order.
        meter: The meter's key on that day, if there was one.
        transactions: The signed bytes of transactions by txid, hexadecimal: what can be proven without a network.
        blocks: The blocks that these are in, each once, by height.
        bundles: The certificate by metering interval.
    """

    format: Literal["der-certificate"] = "der-certificate"
    version: Literal[1] = FORMAT_VERSION
    chain_id: int
    deployer: str
    asset_id: int = Field(ge=1, le=UINT_MAX)
    day: date
    slot_seconds: Literal[900, 1800, 3600]
    day_mask: int = Field(ge=1, le=MASK_MAX)
    day_wh: int = Field(ge=1, le=UINT_MAX)
    verified_txid: str
    verified_at: datetime
    verifier: str
    plant_facts: PlantFacts
    certificate: Claim
    earlier: tuple[Claim, ...] = Field(max_length=10_000)
    recordings: tuple[Recording, ...] = Field(max_length=1_000)
    meter: MeterKey | None
    transactions: dict[str, str]
    blocks: tuple[BlockProof, ...] = Field(max_length=1_002)
    bundles: tuple[CertificateBundle, ...] = Field(max_length=96)

    @property
    def txids(self) -> set[str]:
        """The transactions that the certificate rests on: recordings, verification and claim."""
        return {self.certificate.txid, self.verified_txid, *(recording.txid for recording in self.recordings)}

    @classmethod
    def from_json(cls, text: str | bytes) -> CertificateFile:
        """Read a file.

        Raises:
            InvalidValueError: If it is not a certificate file of this version.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            where = f" at {place}" if place else ""
            raise InvalidValueError(
                f"not a certificate file of version {FORMAT_VERSION}{where}: {first['msg']}"
            ) from None

    def to_json(self) -> str:
        """Return the file's text."""
        return self.model_dump_json(indent=2) + "\n"
