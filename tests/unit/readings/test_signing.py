"""Signing by the meter, against stacks.js, an encoding written out by hand, and another secp256k1."""

import json
from dataclasses import replace
from datetime import date
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from ecdsa import NIST256p, SECP256k1, VerifyingKey  # type: ignore[import-untyped]
from ecdsa.util import sigdecode_string  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from der_client.readings import Curve, DayMessage, DayReadings, MeterKey, sign_day
from der_client.readings.meter_keys import MeterSigner
from der_client.stacks.errors import InvalidValueError, KeyFormatError, SigningError
from der_client.stacks.keys import PrivateKey

# A public test key, of the SIP-018 vectors.
METER = PrivateKey.from_hex("753b7cc01a1a2e86221266a154af739463fce51219d97e4f856cd7200c3bd2a601")
CONTRACT = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM.production-tracking"
CONTRACT_HASH160 = "6d78de7b0625dfbfc16c3a8a5735f6dc3dc3f2ce"
DAY = date(2026, 6, 30)  # day 20634
CHAIN_ID = 0x80000000
READINGS = DayReadings(DAY, 900, 40, (0, 857, 1210))
MESSAGE = DayMessage.sign(METER, READINGS, contract=CONTRACT, asset_id=7, key_epoch=1, chain_id=CHAIN_ID)

# encodeStructuredDataBytes and signStructuredData of @stacks/transactions 7.6.0 for MESSAGE, without the recovery id;
# get-reading-hash of
# production-tracking answers the same digest on the VM of Clarinet.
STACKSJS_DIGEST = "f63a46a4aefcb16e9281c8c58c718805dbaddf911bc628193a49be175f2b9052"
STACKSJS_SIGNATURE = (
    "416517194562daf7a2cf4dd0f687dd508c9dfe8a318ccf4653e9cec2e4c0d639"
    "444d626222b8ecb5147248e0cb0c924641783e5f98a8d13d1164bc26e53711ed"
)


def uint(value: int) -> bytes:
    return b"\x01" + value.to_bytes(16, "big")


def name(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def ascii_text(text: str) -> bytes:
    return b"\x0d" + len(text).to_bytes(4, "big") + text.encode()


def digest_by_hand(
    *, asset_id: int, day: date, key_epoch: int, start: int, whs: tuple[int, ...], chain_id: int
) -> bytes:
    """Consensus encoding of SIP-005 written out: tuples (0c) with sorted names, a list (0b), a contract (06)."""
    domain = b"\x0c" + (3).to_bytes(4, "big")
    domain += name("chain-id") + uint(chain_id) + name("name") + ascii_text("der-production")
    domain += name("version") + ascii_text("1")
    contract = b"\x06" + bytes([26]) + bytes.fromhex(CONTRACT_HASH160) + name("production-tracking")
    message = b"\x0c" + (6).to_bytes(4, "big")
    message += (
        name("asset-id")
        + uint(asset_id)
        + name("contract")
        + contract
        + name("day")
        + uint((day - date(1970, 1, 1)).days)
    )
    message += name("key-epoch") + uint(key_epoch) + name("start") + uint(start)
    message += name("whs") + b"\x0b" + len(whs).to_bytes(4, "big") + b"".join(map(uint, whs))
    return sha256(b"SIP018" + sha256(domain).digest() + sha256(message).digest()).digest()


def test_it_is_what_stacksjs_signs() -> None:
    assert MESSAGE.digest.hex() == STACKSJS_DIGEST
    assert MESSAGE.signature.hex() == STACKSJS_SIGNATURE


FIELDS = st.integers(0, 95).flatmap(
    lambda start: st.fixed_dictionaries(
        {
            "asset_id": st.integers(0, 2**128 - 1),
            "day": st.dates(date(1970, 1, 1), date(9999, 12, 30)),
            "key_epoch": st.integers(0, 2**128 - 1),
            "start": st.just(start),
            "whs": st.lists(st.integers(0, 2**128 - 1), min_size=1, max_size=96 - start).map(tuple),
            "chain_id": st.integers(1, 2**32 - 1),
        }
    )
)


@given(FIELDS)
def test_the_digest_is_the_encoding_by_hand(fields: dict[str, Any]) -> None:
    signature = sign_day(METER, contract=CONTRACT, **fields)
    message = DayMessage(contract=CONTRACT, signature=signature, **fields)
    assert message.digest == digest_by_hand(**fields)
    message.verify(METER.public_key)
    assert DayMessage.from_json(message.to_json()) == message


def test_another_secp256k1_accepts_the_signature() -> None:
    digest = digest_by_hand(asset_id=7, day=DAY, key_epoch=1, start=40, whs=(0, 857, 1210), chain_id=CHAIN_ID)
    verifying = VerifyingKey.from_string(METER.public_key.data, curve=SECP256k1)
    assert verifying.verify_digest(MESSAGE.signature, digest, sigdecode=sigdecode_string)
    assert int.from_bytes(MESSAGE.signature[32:], "big") <= SECP256k1.order // 2


def with_other_s(message: DayMessage, order: int) -> DayMessage:
    """The other signature that the same key can make of the same digest."""
    s = int.from_bytes(message.signature[32:])
    return replace(message, signature=message.signature[:32] + (order - s).to_bytes(32))


P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P256_METER = ec.derive_private_key(7, ec.SECP256R1())


def signed_by(signer: MeterSigner, wh: int = 5) -> DayMessage:
    readings = DayReadings(DAY, 900, 0, (wh,))
    return DayMessage.sign(signer, readings, contract=CONTRACT, asset_id=7, key_epoch=1, chain_id=CHAIN_ID)


@given(st.integers(0, 2**128 - 1))
def test_a_high_s_is_a_signature_too(wh: int) -> None:
    for meter, order in ((METER, SECP256k1.order), (P256_METER, P256_ORDER)):
        message = signed_by(meter, wh)
        for either in (message, with_other_s(message, order)):
            either.verify(MeterKey.of(meter))
            assert DayMessage.from_json(either.to_json()) == either


def test_another_p256_accepts_the_signature() -> None:
    message = signed_by(P256_METER)
    verifying = VerifyingKey.from_string(MeterKey.of(P256_METER).key, curve=NIST256p)
    assert verifying.verify_digest(message.signature, message.digest, sigdecode=sigdecode_string)


def as_der(digest: bytes) -> bytes:
    """What PKCS#11 libraries and secure elements give."""
    return P256_METER.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))


def with_recovery_id(digest: bytes) -> bytes:
    return METER.sign_rsv(digest)


@pytest.mark.parametrize(("signer", "meter"), [(as_der, P256_METER), (with_recovery_id, METER)])
def test_anything_that_signs_32_bytes_is_a_meter(signer: MeterSigner, meter: PrivateKey) -> None:
    signed_by(signer).verify(MeterKey.of(meter))


@pytest.mark.parametrize(
    "given", [b"", bytes(63), bytes(66), b"\x30\x03\x02\x01", b"\x30" + bytes(70), None, "00" * 64]
)
def test_what_is_no_signature_is_refused(given: Any) -> None:
    with pytest.raises(InvalidValueError, match="a signature is r and s"):
        signed_by(lambda _: given)


def test_a_key_of_another_curve_is_refused() -> None:
    with pytest.raises(KeyFormatError, match="not of secp384r1"):
        signed_by(ec.generate_private_key(ec.SECP384R1()))
    with pytest.raises(KeyFormatError, match="not a compressed public key of P256"):
        MeterKey(Curve.P256, bytes(33))


def test_a_key_is_bound_to_its_curve() -> None:
    """The contract asks for the curve, too: the same 33 bytes may be a point of both."""
    message = signed_by(METER)
    with pytest.raises((SigningError, KeyFormatError)):
        message.verify(MeterKey(Curve.P256, METER.public_key.compressed_data))


def test_old_messages_with_a_recovery_id_are_read() -> None:
    text = MESSAGE.to_json().replace(MESSAGE.signature.hex(), MESSAGE.signature.hex() + "01")
    assert DayMessage.from_json(text) == MESSAGE


@pytest.mark.parametrize(
    "change",
    [
        {"asset_id": 8},
        {"day": date(2026, 7, 1)},
        {"key_epoch": 2},
        {"start": 41},
        {"whs": (0, 857, 1211)},
        {"whs": (0, 857)},
        {"chain_id": 1},
        {"contract": CONTRACT + "-2"},
        {"contract": "ST2CY5V39NHDPWSXMW9QDT3HC3GD6Q6XX4CFRK9AG.production-tracking"},
    ],
)
def test_whatever_a_relayer_changes_is_noticed(change: dict[str, Any]) -> None:
    with pytest.raises(SigningError):
        replace(MESSAGE, **change).verify(METER.public_key)


def test_another_meter_is_noticed() -> None:
    with pytest.raises(SigningError, match="bound device key"):
        MESSAGE.verify(PrivateKey.from_bytes(bytes(31) + b"\x02\x01").public_key)


def test_garbage_is_no_signature() -> None:
    for signature in (bytes(64), b"\xff" * 64, MESSAGE.signature[:32] + bytes(32), MESSAGE.signature[32:] * 2):
        with pytest.raises(SigningError):
            replace(MESSAGE, signature=signature).verify(METER.public_key)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"contract": "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"}, "contract"),
        ({"contract": "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGN.production-tracking"}, "ST1PQ"),
        ({"contract": None}, "contract"),
        ({"asset_id": -1}, "asset_id"),
        ({"asset_id": 2**128}, "asset_id"),
        ({"day": date(1969, 12, 31)}, "1970"),
        ({"day": 20634}, "date"),
        ({"key_epoch": True}, "key_epoch"),
        ({"start": 96}, "start"),
        ({"start": 94}, "number of readings from slot 94 on is 3"),
        ({"whs": ()}, "number of readings"),
        ({"whs": (1, -1)}, "slot 41"),
        ({"whs": (1.5,)}, "slot 40"),
        ({"chain_id": 0}, "chain_id"),
        ({"chain_id": 2**32}, "chain_id"),
        ({"signature": bytes(65)}, "64 bytes"),
        ({"signature": "00" * 64}, "64 bytes"),
    ],
)
def test_messages_that_no_contract_takes_are_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidValueError, match=reason):
        replace(MESSAGE, **change)


def test_signing_refuses_what_no_contract_takes() -> None:
    with pytest.raises(InvalidValueError, match="number of readings"):
        sign_day(METER, contract=CONTRACT, asset_id=7, day=DAY, key_epoch=1, start=0, whs=[0] * 97, chain_id=CHAIN_ID)


def test_the_json_is_what_a_relayer_sees() -> None:
    assert json.loads(MESSAGE.to_json()) == {
        "contract": CONTRACT,
        "chain_id": 2147483648,
        "asset_id": 7,
        "day": "2026-06-30",
        "key_epoch": 1,
        "start": 40,
        "whs": [0, 857, 1210],
        "signature": STACKSJS_SIGNATURE,
    }
    assert METER.to_hex()[:64] not in MESSAGE.to_json()
    assert MESSAGE.readings(900) == READINGS
    with pytest.raises(InvalidValueError):
        MESSAGE.readings(3600)


def changed_json(**changes: object) -> str:
    return json.dumps(
        {key: value for key, value in (json.loads(MESSAGE.to_json()) | changes).items() if value != "drop"}
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        changed_json(day="drop"),
        changed_json(extra=1),
        changed_json(day=20634),
        changed_json(day="tomorrow"),
        changed_json(day="1969-12-31"),
        changed_json(whs="012"),
        changed_json(whs=[1.0]),
        changed_json(whs=None),
        changed_json(asset_id="7"),
        changed_json(asset_id=True),
        changed_json(signature="00"),
        changed_json(signature=STACKSJS_SIGNATURE.upper()),
        changed_json(signature=None),
        changed_json(contract=5),
    ],
)
def test_json_that_is_no_day_message_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError):
        DayMessage.from_json(text)
