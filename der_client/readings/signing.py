"""Signing by the meter: binds a day's readings to one asset, contract and chain, so that anyone may relay them.

The meter signs the SIP-018 hash of ``{asset-id, contract, day, key-epoch, start, whs}`` under the domain
``{name: "der-production", version: "1", chain-id}``; ``record-day`` of production-tracking recovers the key and
compares it with the one bound to the asset. A slot counts once, whoever relays it, so a meter must never sign two
different readings of one slot: the relayer would choose which one counts.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from der_client.readings.days import DayReadings
from der_client.readings.signers import RAW_LENGTH, RECOVERABLE_LENGTH, Curve, compressed, sign_digest, verify_digest
from der_client.readings.slots import MAX_SLOTS_PER_DAY, day_number
from der_client.stacks.address import split_principal
from der_client.stacks.checks import UINT_MAX, check_number
from der_client.stacks.clarity import AsciiValue, ListValue, PrincipalValue, TupleValue, UIntValue
from der_client.stacks.errors import InvalidValueError, SigningError
from der_client.stacks.messages import recover_structured_data, structured_data_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.readings.signers import DevicePublicKey, Signer
    from der_client.stacks.keys import PublicKey

DOMAIN_NAME = "der-production"
DOMAIN_VERSION = "1"
CHAIN_ID_MAX = 2**32 - 1
SIGNATURE_HEX = re.compile(r"[0-9a-f]{128}([0-9a-f]{2})?", re.ASCII)


def sign_day(
    key: Signer,
    *,
    contract: str,
    asset_id: int,
    day: date,
    key_epoch: int,
    start: int,
    whs: Sequence[int],
    chain_id: int,
    curve: Curve | None = None,
) -> bytes:
    """Sign consecutive readings of a day as the meter.

    Args:
        key: The meter's device key: of this library, of ``cryptography`` (P-256 or secp256k1), or a function that signs
            32 bytes, such as a secure element's.
        contract: Id of the production-tracking contract that will record them, ``ADDRESS.name``.
        asset_id: The asset's number.
        day: The UTC day; what is signed is its number since 1970.
        key_epoch: How many times a device key was bound to the asset, from ``get-asset``; an older signature is void.
        start: The first slot.
        whs: Energy of each slot from there on, Wh; 1 to 96.
        chain_id: 1 on mainnet, 0x80000000 on testnet and devnets.
        curve: The curve of a function's key; keys know theirs.

    Returns:
        65 bytes (r, s, recovery id) where the recovery id is known, else 64 (r, s).

    Raises:
        InvalidValueError: If a value is impossible.
    """
    message = _message(contract=contract, asset_id=asset_id, day=day, key_epoch=key_epoch, start=start, whs=tuple(whs))
    return sign_digest(key, structured_data_hash(_domain(chain_id), message), curve)[1]


def sign_key_proof(key: Signer, *, contract: str, owner: str, chain_id: int, curve: Curve | None = None) -> bytes:
    """Sign as a meter that an owner may bind its key to an asset, so that no other account can claim the key.

    Args:
        key: The meter's device key, as for ``sign_day``.
        contract: Id of the asset-verification contract, ``ADDRESS.name``.
        owner: The principal that registers the asset.
        chain_id: 1 on mainnet, 0x80000000 on testnet and devnets.
        curve: The curve of a function's key; keys know theirs.

    Returns:
        64 bytes: r and s of the SIP-018 hash of ``{contract, owner}``.

    Raises:
        InvalidValueError: If a value is impossible.
    """
    message = TupleValue({"contract": PrincipalValue(contract), "owner": PrincipalValue(owner)})
    return sign_digest(key, structured_data_hash(_domain(chain_id), message), curve)[1][:RAW_LENGTH]


@dataclass(frozen=True, slots=True)
class DayMessage:
    """A day's readings with the meter's signature: everything that a relayer needs to record them.

    Attributes:
        contract: Id of the production-tracking contract, ``ADDRESS.name``.
        chain_id: 1 on mainnet, 0x80000000 on testnet and devnets.
        asset_id: The asset's number.
        day: The UTC day; what is signed is its number since 1970.
        key_epoch: How many times a device key was bound to the asset.
        start: The first slot.
        whs: Energy of each slot from there on, Wh; 1 to 96.
        signature: 65 bytes (r, s, recovery id), or 64 (r, s) where the recovery id is not known.
        curve: The curve of the device key.
    """

    contract: str
    chain_id: int
    asset_id: int
    day: date
    key_epoch: int
    start: int
    whs: tuple[int, ...]
    signature: bytes
    curve: Curve = Curve.SECP256K1

    def __post_init__(self) -> None:
        """Refuse a message that no contract would accept."""
        _domain(self.chain_id)
        self._signed()
        lengths = {RAW_LENGTH} if self.curve is Curve.P256 else {RAW_LENGTH, RECOVERABLE_LENGTH}
        if not isinstance(self.signature, bytes) or len(self.signature) not in lengths:
            raise InvalidValueError(
                "the signature must be 64 bytes (r, s), or 65 on secp256k1 (r, s, recovery id); "
                "signers.raw_signature reads DER"
            )

    @classmethod
    def sign(
        cls,
        key: Signer,
        readings: DayReadings,
        *,
        contract: str,
        asset_id: int,
        key_epoch: int,
        chain_id: int,
        curve: Curve | None = None,
    ) -> DayMessage:
        """Sign a run of readings as the meter.

        Args:
            key: The meter's device key, as for ``sign_day``.
            readings: What was produced.
            contract: Id of the production-tracking contract, ``ADDRESS.name``.
            asset_id: The asset's number.
            key_epoch: How many times a device key was bound to the asset, as ``get-asset`` returns it.
            chain_id: 1 on mainnet, 0x80000000 on testnet and devnets.
            curve: The curve of a function's key; keys know theirs.

        Raises:
            InvalidValueError: If a value is impossible.
            SigningError: If the function returns something else than a signature.
        """
        message = _message(
            contract=contract,
            asset_id=asset_id,
            day=readings.day,
            key_epoch=key_epoch,
            start=readings.start,
            whs=readings.whs,
        )
        found, signature = sign_digest(key, structured_data_hash(_domain(chain_id), message), curve)
        return cls(
            contract, chain_id, asset_id, readings.day, key_epoch, readings.start, readings.whs, signature, found
        )

    @property
    def rs(self) -> bytes:
        """The 64 bytes r and s of the signature, without a recovery id."""
        return self.signature[:RAW_LENGTH]

    @property
    def digest(self) -> bytes:
        """The 32 bytes that the meter signed; the contract computes the same."""
        return structured_data_hash(_domain(self.chain_id), self._signed())

    def signer(self) -> PublicKey:
        """Return the key that made the signature, in its 33-byte form.

        Raises:
            SigningError: If no key can have made it, or the signature has no recovery id (``verify`` needs none).
        """
        if len(self.signature) != RECOVERABLE_LENGTH:
            raise SigningError(
                "a signature without a recovery id does not say which key made it: verify it with the key"
            )
        return recover_structured_data(_domain(self.chain_id), self._signed(), self.signature)

    def verify(self, public_key: DevicePublicKey) -> None:
        """Check that the meter signed exactly this, before paying a fee to relay it.

        Args:
            public_key: The device key that is bound to the asset: of this library, of ``cryptography``, or its 33
                bytes.

        Raises:
            SigningError: If the signature is from another key or from none, or something was changed since.
            InvalidValueError: If the key cannot be one of the message's curve.
        """
        bound = compressed(public_key)
        if len(self.signature) == RECOVERABLE_LENGTH:
            signer = self.with_low_s().signer().compressed_data
            if signer == bound:
                return
            found = f"signed by {signer.hex()}, not by"
        elif verify_digest(bound, self.digest, self.signature, self.curve):
            return
        else:
            found = "not signed by"
        raise SigningError(
            f"day {self.day} of asset {self.asset_id} is {found} the bound device key {bound.hex()}: the readings, "
            f"key epoch {self.key_epoch}, the contract or the chain differ from what the meter signed, or another "
            "meter did"
        )

    def with_low_s(self) -> DayMessage:
        """Return the message with the same signature in the form that this library reads.

        If r, s is a signature, so is r, -s with the other recovery id. Not every meter's library chooses the lower of
        the two, and the contract accepts both.
        """
        order, s = self.curve.order, int.from_bytes(self.signature[32:64])
        if not order // 2 < s < order:
            return self
        recovery_id = bytes(byte ^ 1 for byte in self.signature[RAW_LENGTH:])
        return replace(self, signature=self.signature[:32] + (order - s).to_bytes(32) + recovery_id)

    def readings(self, slot_seconds: int) -> DayReadings:
        """Return what was signed as readings.

        Args:
            slot_seconds: The asset's slot length, which is not part of the message: 900, 1800 or 3600.

        Raises:
            InvalidValueError: If the day does not have all these slots.
        """
        return DayReadings(self.day, slot_seconds, self.start, self.whs)

    def to_json(self) -> str:
        """Return the message as JSON text, for a relayer; the day in ISO 8601, the signature in hexadecimal.

        A curve is only named if it is not secp256k1: ``"curve": "p256"``.
        """
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
            | ({} if self.curve is Curve.SECP256K1 else {"curve": self.curve.name.lower()})
        )

    @classmethod
    def from_json(cls, text: str) -> DayMessage:
        """Read a message that ``to_json`` wrote. The signature is not checked: verify the message.

        Raises:
            InvalidValueError: If the text is not JSON, a field is missing, unknown or of the wrong type, or a value is
                impossible.
        """
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidValueError(f"the day message is not JSON: {error}") from error
        return cls.from_fields(fields)

    @classmethod
    def from_fields(cls, fields: object) -> DayMessage:
        """Read a message from the fields of its JSON form, whatever the encoding was.

        Raises:
            InvalidValueError: If a field is missing, unknown or of the wrong type, or a value is impossible.
        """
        expected = set(cls.__slots__) - {"curve"}
        if not isinstance(fields, dict) or not expected <= set(fields) <= expected | {"curve"}:
            # Keys of CBOR may be of any type.
            found = sorted(map(str, fields)) if isinstance(fields, dict) else type(fields).__name__
            raise InvalidValueError(f"the day message must be an object of {sorted(expected)}, not {found}")
        signature = fields["signature"]
        if not isinstance(signature, str) or not SIGNATURE_HEX.fullmatch(signature):
            raise InvalidValueError(
                "the signature of the day message must be text of 128 or 130 lower-case hexadecimal digits"
            )
        try:
            day = date.fromisoformat(fields["day"])
        except (TypeError, ValueError) as error:
            raise InvalidValueError(
                f"day of the day message is {fields['day']!r}: it must be a date such as 2026-07-01"
            ) from error
        if not isinstance(fields["whs"], list):
            raise InvalidValueError(f"whs of the day message must be a list of Wh, not {fields['whs']!r}")
        curve = {each.name.lower(): each for each in Curve}.get(str(fields.get("curve", "secp256k1")))
        if curve is None:
            raise InvalidValueError(f"curve of the day message is {fields['curve']!r}: it must be secp256k1 or p256")
        changed = {"day": day, "whs": tuple(fields["whs"]), "signature": bytes.fromhex(signature), "curve": curve}
        return cls(**fields | changed)

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
    check_number(chain_id, 1, CHAIN_ID_MAX, "chain_id")
    return TupleValue(
        {"name": AsciiValue(DOMAIN_NAME), "version": AsciiValue(DOMAIN_VERSION), "chain-id": UIntValue(chain_id)}
    )


def _message(
    *, contract: str, asset_id: int, day: date, key_epoch: int, start: int, whs: tuple[int, ...]
) -> TupleValue:
    if not isinstance(contract, str) or split_principal(contract)[1] is None:
        raise InvalidValueError(f"contract is {contract!r}: give the id of production-tracking, ADDRESS.name")
    check_number(asset_id, 0, UINT_MAX, "asset_id")
    check_number(key_epoch, 0, UINT_MAX, "key_epoch")
    check_number(start, 0, MAX_SLOTS_PER_DAY - 1, "start (first slot)")
    check_number(len(whs), 1, MAX_SLOTS_PER_DAY - start, f"number of readings from slot {start} on")
    for slot, wh in enumerate(whs, start):
        check_number(wh, 0, UINT_MAX, f"energy of slot {slot} in Wh")
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
