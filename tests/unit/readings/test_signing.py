"""Signing by the meter, checked with stacks.js, a manual encoding, and another implementation of secp256k1."""

import json
from dataclasses import replace
from datetime import date
from hashlib import sha256
from typing import Any

import pytest
from ecdsa import SECP256k1, VerifyingKey  # type: ignore[import-untyped]
from ecdsa.util import sigdecode_string  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from der_client.readings import Curve, DayMessage, DayReadings, sign_day
from der_client.recorder.candidates import SignedReadings
from der_client.stacks.errors import InvalidValueError, SigningError
from der_client.stacks.keys import PrivateKey

# A public test key from the SIP-018 vectors.
METER = PrivateKey.from_hex("753b7cc01a1a2e86221266a154af739463fce51219d97e4f856cd7200c3bd2a601")
CONTRACT = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM.production-tracking"
CONTRACT_HASH160 = "6d78de7b0625dfbfc16c3a8a5735f6dc3dc3f2ce"
DAY = date(2026, 6, 30)  # day 20634
CHAIN_ID = 0x80000000
READINGS = DayReadings(DAY, 900, 40, (0, 857, 1210))
MESSAGE = DayMessage.sign(METER, READINGS, contract=CONTRACT, asset_id=7, key_epoch=1, chain_id=CHAIN_ID)

# Computed for MESSAGE by encodeStructuredDataBytes and signStructuredData of @stacks/transactions 7.6.0. On Clarinet's
# VM, get-reading-hash of production-tracking returns the same digest.
STACKSJS_DIGEST = "f63a46a4aefcb16e9281c8c58c718805dbaddf911bc628193a49be175f2b9052"
STACKSJS_SIGNATURE = (
    "416517194562daf7a2cf4dd0f687dd508c9dfe8a318ccf4653e9cec2e4c0d639"
    "444d626222b8ecb5147248e0cb0c924641783e5f98a8d13d1164bc26e53711ed01"
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
    """Encode a message by hand as in SIP-005: tuples (0c) with sorted names, a list (0b), a contract (06)."""
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


def test_digest_and_signature_match_stacksjs() -> None:
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
def test_the_digest_matches_the_manual_encoding(fields: dict[str, Any]) -> None:
    signature = sign_day(METER, contract=CONTRACT, **fields)
    message = DayMessage(contract=CONTRACT, signature=signature, **fields)
    assert message.digest == digest_by_hand(**fields)
    message.verify(METER.public_key)
    assert message.signer() == METER.public_key
    assert DayMessage.from_json(message.to_json()) == message


def test_another_secp256k1_accepts_the_signature() -> None:
    digest = digest_by_hand(asset_id=7, day=DAY, key_epoch=1, start=40, whs=(0, 857, 1210), chain_id=CHAIN_ID)
    verifying = VerifyingKey.from_string(METER.public_key.data, curve=SECP256k1)
    assert verifying.verify_digest(MESSAGE.signature[:64], digest, sigdecode=sigdecode_string)
    assert int.from_bytes(MESSAGE.signature[32:64], "big") <= SECP256k1.order // 2


def with_other_s(message: DayMessage) -> DayMessage:
    """Return the message with the other valid signature of the same key for the same digest."""
    s = int.from_bytes(message.signature[32:64])
    other = message.signature[:32] + (SECP256k1.order - s).to_bytes(32) + bytes([message.signature[64] ^ 1])
    return replace(message, signature=other)


@given(st.integers(0, 2**128 - 1))
def test_a_high_s_is_the_same_signature(wh: int) -> None:
    readings = DayReadings(DAY, 900, 0, (wh,))
    low = DayMessage.sign(METER, readings, contract=CONTRACT, asset_id=7, key_epoch=1, chain_id=CHAIN_ID)
    high = with_other_s(low)
    high.verify(METER.public_key)  # as in the contract
    assert high.with_low_s() == low.with_low_s() == low
    # A relayer accepts either.
    assert SignedReadings.of(high) == SignedReadings.of(low)


@pytest.mark.parametrize("s", [0, SECP256k1.order, 2**256 - 1])
def test_an_invalid_s_is_not_normalised(s: int) -> None:
    wrong = replace(MESSAGE, signature=bytes(32) + s.to_bytes(32) + b"\x09")
    assert wrong.with_low_s() is wrong
    with pytest.raises(SigningError):
        wrong.verify(METER.public_key)


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
def test_any_change_by_a_relayer_is_detected(change: dict[str, Any]) -> None:
    with pytest.raises(SigningError):
        replace(MESSAGE, **change).verify(METER.public_key)


def test_the_key_of_another_meter_is_rejected() -> None:
    with pytest.raises(SigningError, match="bound device key"):
        MESSAGE.verify(PrivateKey.from_bytes(bytes(31) + b"\x02\x01").public_key)


def test_garbage_signatures_are_rejected() -> None:
    r, s = MESSAGE.signature[:32], MESSAGE.signature[32:64]
    for signature in (bytes(65), b"\xff" * 65, r + s + b"\x09"):
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
        ({"start": 94}, "3 is out of range for number of readings from slot 94 on: 1 to 2"),
        ({"whs": ()}, "number of readings"),
        ({"whs": (1, -1)}, "slot 41"),
        ({"whs": (1.5,)}, "slot 40"),
        ({"chain_id": 0}, "chain_id"),
        ({"chain_id": 2**32}, "chain_id"),
        ({"signature": bytes(63)}, "64 bytes"),
        ({"signature": "00" * 65}, "64 bytes"),
        ({"signature": bytes(65), "curve": Curve.P256}, "64 bytes"),
    ],
)
def test_messages_that_no_contract_accepts_are_rejected(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidValueError, match=reason):
        replace(MESSAGE, **change)


def test_signing_rejects_readings_that_no_contract_accepts() -> None:
    with pytest.raises(InvalidValueError, match="number of readings"):
        sign_day(METER, contract=CONTRACT, asset_id=7, day=DAY, key_epoch=1, start=0, whs=[0] * 97, chain_id=CHAIN_ID)


def test_the_json_has_all_fields_and_no_secrets() -> None:
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
def test_json_that_is_not_a_day_message_is_rejected(text: str) -> None:
    with pytest.raises(InvalidValueError):
        DayMessage.from_json(text)
