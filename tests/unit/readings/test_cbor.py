"""Day messages in CBOR: the same content as in JSON, and untrusted bytes are rejected."""

from datetime import date
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from der_client.readings import DayMessage, DayReadings
from der_client.readings.cbor import from_cbor, to_cbor
from der_client.readings.signers import Signer
from der_client.stacks.errors import InvalidValueError
from der_client.stacks.keys import PrivateKey

CONTRACT = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM.production-tracking"


def message(signer: Signer) -> DayMessage:
    readings = DayReadings(date(2026, 6, 30), 900, 0, tuple(range(96)))
    return DayMessage.sign(signer, readings, contract=CONTRACT, asset_id=7, key_epoch=1, chain_id=0x80000000)


@pytest.mark.parametrize("signer", [PrivateKey.from_hex("01" * 32), ec.derive_private_key(5, ec.SECP256R1())])
def test_messages_survive_the_round_trip_and_are_small(signer: Signer) -> None:
    signed = message(signer)
    assert from_cbor(to_cbor(signed)) == signed
    assert len(to_cbor(signed)) < len(signed.to_json()) * 0.75
    as_json = {**cbor2.loads(to_cbor(signed)), "day": "2026-06-30", "signature": signed.signature.hex()}
    assert from_cbor(cbor2.dumps(as_json)) == signed


@settings(deadline=None)
@given(st.binary(max_size=200))
@example(cbor2.dumps({1: 2, "day": 3}))  # keys of several types cannot be sorted
def test_arbitrary_bytes_are_rejected(data: bytes) -> None:
    with pytest.raises(InvalidValueError):
        from_cbor(data)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"day": -1}, "since 1970"),
        ({"day": 10**9}, "since 1970"),
        ({"day": True}, "day of the day message"),
        ({"whs": "many"}, "whs"),
        ({"whs": [1.5]}, "slot 0"),
        ({"signature": b"short"}, "signature"),
        ({"extra": 1}, "extra"),
        ({"asset_id": 2**200}, "asset_id"),
    ],
)
def test_invalid_fields_are_named_in_the_error(change: dict[str, Any], told: str) -> None:
    fields = cbor2.loads(to_cbor(message(PrivateKey.from_hex("01" * 32))))
    with pytest.raises(InvalidValueError, match=told):
        from_cbor(cbor2.dumps(fields | change))
    with pytest.raises(InvalidValueError, match="at most 8192"):
        from_cbor(bytes(9000))
    with pytest.raises(InvalidValueError):
        from_cbor(b"\x9f" * 5000)
