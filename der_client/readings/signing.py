"""Signing by the meter: a day's readings, bound to one asset, contract and chain, so that anyone may relay them.

The meter signs the SIP-018 hash of ``{asset-id, contract, day, key-epoch, start, whs}`` under the domain
``{name: "der-production", version: "1", chain-id}``; ``record-day`` of production-tracking checks the signature
with the key that is bound for that day. A slot counts once whoever relays it, so a meter must never sign two
different readings of one slot: which of them counts would be the relayer's choice.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from der_client.readings.bounds import UINT_MAX, require_integer
from der_client.readings.days import DayReadings
from der_client.readings.meter_keys import RAW_LENGTH, MeterKey, MeterSigner, sign_digest
from der_client.readings.slots import MAX_SLOTS_PER_DAY, day_number
from der_client.stacks.address import split_principal
from der_client.stacks.clarity import AsciiValue, ListValue, PrincipalValue, TupleValue, UIntValue
from der_client.stacks.errors import InvalidValueError, SigningError
from der_client.stacks.messages import structured_data_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.stacks.keys import PublicKey

DOMAIN_NAME = "der-production"
DOMAIN_VERSION = "1"
CHAIN_ID_MAX = 2**32 - 1
SIGNATURE_HEX = re.compile(r"[0-9a-f]{128}(?:0[0-3])?", re.ASCII)
"""``r ‖ s``; meters of the first edition added a recovery id."""


def sign_day(
    key: MeterSigner,
    *,
    contract: str,
    asset_id: int,
    day: date,
    key_epoch: int,
    start: int,
    whs: Sequence[int],
    chain_id: int,
) -> bytes:
    """Sign consecutive readings of a day as the meter.

    Args:
        key: The meter's device key (secp256k1 or P-256), or a function that signs 32 bytes with it.
        contract: Id of the production-tracking contract that shall record them, ``ADDRESS.name``.
        asset_id: The asset's number.
        day: The UTC day; what is signed is its number since 1970.
        key_epoch: How often a device key was bound to the asset, as ``get-asset`` tells; an older signature is void.
        start: The first slot.
        whs: Energy of each slot from there on, Wh; 1 to 96.
        chain_id: 1 on mainnet, 0x80000000 on testnet and devnets.

    Returns:
        64 bytes: r, s.

    Raises:
        InvalidValueError: If a value cannot be what it is given as.
    """
    message = _message(contract=contract, asset_id=asset_id, day=day, key_epoch=key_epoch, start=start, whs=tuple(whs))
    return sign_digest(key, structured_data_hash(_domain(chain_id), message))


def prove_key(key: MeterSigner, *, contract: str, owner: str, chain_id: int) -> bytes:
    """Sign as the meter that an owner may claim its key, when they register a plant or ask for a change.

    Args:
        key: The meter's device key, or a function that signs 32 bytes with it.
        contract: Id of the asset-verification contract, ``ADDRESS.name``.
        owner: Who registers the plant: an address, or a contract.
        chain_id: 1 on mainnet, 0x80000000 on testnet and devnets.

    Returns:
        64 bytes: r, s, over what ``get-key-proof-hash`` of the contract gives.

    Raises:
        InvalidValueError: If a value cannot be what it is given as.
    """
    message = TupleValue({"contract": PrincipalValue(contract), "owner": PrincipalValue(owner)})
    return sign_digest(key, structured_data_hash(_domain(chain_id), message))


@dataclass(frozen=True, slots=True)
class DayMessage:
    """A day's readings with the meter's signature: all that a relayer needs to record them.

    Attributes:
        contract: Id of the production-tracking contract, ``ADDRESS.name``.
        chain_id: 1 on mainnet, 0x80000000 on testnet and devnets.
        asset_id: The asset's number.
        day: The UTC day; what is signed is its number since 1970.
        key_epoch: How often a device key was bound to the asset.
        start: The first slot.
        whs: Energy of each slot from there on, Wh; 1 to 96.
        signature: 64 bytes: r, s.
    """

    contract: str
    chain_id: int
    asset_id: int
    day: date
    key_epoch: int
    start: int
    whs: tuple[int, ...]
    signature: bytes

    def __post_init__(self) -> None:
        """Refuses a message that no contract would take, whoever signed it."""
        _domain(self.chain_id)
        self._signed()
        if not isinstance(self.signature, bytes) or len(self.signature) != RAW_LENGTH:
            raise InvalidValueError("the signature must be 64 bytes: r, s")

    @classmethod
    def sign(
        cls, key: MeterSigner, readings: DayReadings, *, contract: str, asset_id: int, key_epoch: int, chain_id: int
    ) -> DayMessage:
        """Sign a run of readings as the meter.

        Args:
            key: The meter's device key (secp256k1 or P-256), or a function that signs 32 bytes with it.
            readings: What was produced.
            contract: Id of the production-tracking contract, ``ADDRESS.name``.
            asset_id: The asset's number.
            key_epoch: How often a device key was bound to the asset, as ``get-asset`` tells.
            chain_id: 1 on mainnet, 0x80000000 on testnet and devnets.

        Raises:
            InvalidValueError: If a value cannot be what it is given as.
        """
        signature = sign_day(
            key,
            contract=contract,
            asset_id=asset_id,
            day=readings.day,
            key_epoch=key_epoch,
            start=readings.start,
            whs=readings.whs,
            chain_id=chain_id,
        )
        return cls(contract, chain_id, asset_id, readings.day, key_epoch, readings.start, readings.whs, signature)

    @property
    def digest(self) -> bytes:
        """The 32 bytes that the meter signed; the contract computes the same."""
        return structured_data_hash(_domain(self.chain_id), self._signed())

    def verify(self, key: MeterKey | PublicKey) -> None:
        """Pass if the meter signed just this; do it before paying a fee to relay it.

        Args:
            key: The device key that is bound for this day; a high s is a signature, too.

        Raises:
            SigningError: If another key, or none, made the signature, or something was changed since.
        """
        bound = key if isinstance(key, MeterKey) else MeterKey.of(key)
        if not bound.signed(self.digest, self.signature):
            raise SigningError(
                f"day {self.day} of asset {self.asset_id} is not signed by the bound device key {bound.key.hex()}: the "
                f"readings, key epoch {self.key_epoch}, the contract or the chain differ from what the meter signed, "
                "or another meter did"
            )

    def readings(self, slot_seconds: int) -> DayReadings:
        """Returns what was signed as readings.

        Args:
            slot_seconds: The asset's slot length, which is not part of the message: 900, 1800 or 3600.

        Raises:
            InvalidValueError: If the day does not have all these slots.
        """
        return DayReadings(self.day, slot_seconds, self.start, self.whs)

    def to_json(self) -> str:
        """Returns the message as JSON text, for a relayer; the day in ISO 8601, the signature in hexadecimal."""
        return json.dumps(
            {
                "contract": self.contract,
                "chain_id": self.chain_id,
                "asset_id": self.asset_id,
                "day": self.day.isoformat(),
                "key_epoch": self.key_epoch,
                "start": self.start,
                "whs": self.whs,
                "signature": self.signature.hex(),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> DayMessage:
        """Reads a message that ``to_json`` wrote. It says nothing about who signed it: verify it.

        Raises:
            InvalidValueError: If the text is no JSON, a field is missing, unknown or of the wrong type, or a value
                cannot be.
        """
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidValueError(f"the day message is no JSON: {error}") from error
        expected = set(cls.__slots__)
        if not isinstance(fields, dict) or set(fields) != expected:
            found = sorted(fields) if isinstance(fields, dict) else type(fields).__name__
            raise InvalidValueError(f"the day message must be an object of {sorted(expected)}, not {found}")
        signature = fields["signature"]
        if not isinstance(signature, str) or not SIGNATURE_HEX.fullmatch(signature):
            raise InvalidValueError(
                "the signature of the day message must be text of 128 lower-case hexadecimal digits: r, s"
            )
        try:
            day = date.fromisoformat(fields["day"])
        except (TypeError, ValueError) as error:
            raise InvalidValueError(
                f"day of the day message is {fields['day']!r}: it must be a date such as 2026-07-01"
            ) from error
        if not isinstance(fields["whs"], list):
            raise InvalidValueError(f"whs of the day message must be a list of Wh, not {fields['whs']!r}")
        raw = bytes.fromhex(signature)[:RAW_LENGTH]
        return cls(**fields | {"day": day, "whs": tuple(fields["whs"]), "signature": raw})

    def _signed(self) -> TupleValue:
        return _message(
            contract=self.contract,
            asset_id=self.asset_id,
            day=self.day,
            key_epoch=self.key_epoch,
            start=self.start,
            whs=self.whs,
        )


def _domain(chain_id: int) -> TupleValue:
    require_integer("chain_id", chain_id, 1, CHAIN_ID_MAX)
    return TupleValue(
        {"name": AsciiValue(DOMAIN_NAME), "version": AsciiValue(DOMAIN_VERSION), "chain-id": UIntValue(chain_id)}
    )


def _message(
    *, contract: str, asset_id: int, day: date, key_epoch: int, start: int, whs: tuple[int, ...]
) -> TupleValue:
    if not isinstance(contract, str) or split_principal(contract)[1] is None:
        raise InvalidValueError(f"contract is {contract!r}: give the id of production-tracking, ADDRESS.name")
    require_integer("asset_id", asset_id, 0, UINT_MAX)
    require_integer("key_epoch", key_epoch, 0, UINT_MAX)
    require_integer("start (first slot)", start, 0, MAX_SLOTS_PER_DAY - 1)
    require_integer(f"number of readings from slot {start} on", len(whs), 1, MAX_SLOTS_PER_DAY - start)
    for slot, wh in enumerate(whs, start):
        require_integer(f"energy of slot {slot} in Wh", wh, 0, UINT_MAX)
    return TupleValue(
        {
            "asset-id": UIntValue(asset_id),
            "contract": PrincipalValue(contract),
            "day": UIntValue(day_number(day)),
            "key-epoch": UIntValue(key_epoch),
            "start": UIntValue(start),
            "whs": ListValue(tuple(UIntValue(wh) for wh in whs)),
        }
    )
