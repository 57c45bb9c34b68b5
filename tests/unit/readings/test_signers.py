"""Device keys on both curves, in software and hardware: another implementation agrees on every signature format."""

from dataclasses import replace
from datetime import date
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from ecdsa import NIST256p, SigningKey, VerifyingKey  # type: ignore[import-untyped]
from ecdsa.util import sigdecode_string, sigencode_der, sigencode_string  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from der_client.readings import Curve, DayMessage, DayReadings, sign_key_proof
from der_client.readings.signers import Signer, compressed, raw_signature, sign_digest, verify_digest
from der_client.stacks.errors import InvalidValueError, SigningError
from der_client.stacks.keys import PrivateKey

CONTRACT = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM.production-tracking"
READINGS = DayReadings(date(2026, 6, 30), 900, 40, (0, 857, 1210))
P256_KEY = ec.derive_private_key(0xC0FFEE, ec.SECP256R1())
P256_PUBLIC = compressed(P256_KEY.public_key())
ELEMENT = SigningKey.from_secret_exponent(0xC0FFEE, NIST256p)


def message(signer: Signer, curve: Curve | None = None) -> DayMessage:
    return DayMessage.sign(
        signer, READINGS, contract=CONTRACT, asset_id=7, key_epoch=1, chain_id=0x80000000, curve=curve
    )


def in_der(digest: bytes) -> bytes:
    return bytes(ELEMENT.sign_digest(digest, sigencode=sigencode_der))


def in_raw(digest: bytes) -> bytes:
    return bytes(ELEMENT.sign_digest(digest, sigencode=sigencode_string))


@pytest.mark.parametrize("signer", [P256_KEY, in_der, in_raw])
def test_a_day_is_signed_with_p256_in_software_or_by_a_secure_element(signer: Signer) -> None:
    signed = message(signer, Curve.P256)
    assert (len(signed.signature), signed.rs, signed.curve) == (64, signed.signature, Curve.P256)
    signed.verify(P256_KEY.public_key())
    signed.verify(P256_PUBLIC)
    # The digest itself is signed: another implementation, which does not hash it again, accepts the signature.
    other = VerifyingKey.from_string(P256_PUBLIC, NIST256p)
    assert other.verify_digest(signed.signature, signed.digest, sigdecode=sigdecode_string)
    assert DayMessage.from_json(signed.to_json()) == signed
    assert '"curve": "p256"' in signed.to_json()


def test_the_digest_is_the_same_on_both_curves_and_secp256k1_is_default() -> None:
    key = PrivateKey.from_hex("01" * 32)
    today = message(key)
    assert today.digest == message(P256_KEY).digest
    assert len(today.signature) == 65
    assert "curve" not in today.to_json()
    without_recovery_id = replace(today, signature=today.rs)
    without_recovery_id.verify(key.public_key)
    with pytest.raises(SigningError, match="without a recovery id"):
        without_recovery_id.signer()
    assert DayMessage.from_json(without_recovery_id.to_json()) == without_recovery_id
    of_cryptography = message(ec.derive_private_key(int("01" * 32, 16), ec.SECP256K1()))
    assert len(of_cryptography.signature) == 64
    of_cryptography.verify(key.public_key)


@pytest.mark.parametrize("field", ["asset_id", "key_epoch", "start"])
def test_a_changed_message_is_rejected(field: str) -> None:
    signed = message(P256_KEY)
    changed = replace(signed, **{field: getattr(signed, field) + 1})
    with pytest.raises(SigningError, match="not signed by the bound device key"):
        changed.verify(P256_PUBLIC)
    with pytest.raises(SigningError):
        signed.verify(ec.derive_private_key(5, ec.SECP256R1()).public_key())


@settings(deadline=None)
@given(st.integers(1, 2**64), st.binary(min_size=32, max_size=32))
def test_every_format_of_a_signature_is_read_as_the_same_signature(secret: int, digest: bytes) -> None:
    for curve, kind in ((Curve.P256, ec.SECP256R1()), (Curve.SECP256K1, ec.SECP256K1())):
        key = ec.derive_private_key(secret, kind)
        der = key.sign(digest, ec.ECDSA(Prehashed(SHA256())))
        raw = raw_signature(der, curve)
        assert raw_signature(raw, curve) == raw
        r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
        assert encode_dss_signature(r, s) == der
        for each in (s, curve.order - s):  # the contracts accept both
            assert verify_digest(key.public_key(), digest, raw[:32] + each.to_bytes(32), curve)
        assert not verify_digest(key.public_key(), sha256(digest).digest(), raw, curve)


@pytest.mark.parametrize(
    ("signature", "told"),
    [
        (b"", "0 bytes is neither DER"),
        (bytes(64), "r of the signature"),
        (bytes([1]) * 32 + b"\xff" * 32, "s of the signature"),
        (b"\x30\x06\x02\x01\x01\x02\x01", "neither DER"),
        (encode_dss_signature(1 << 300, 5), "neither DER"),
    ],
)
def test_an_invalid_signature_from_a_secure_element_is_an_error(signature: bytes, told: str) -> None:
    with pytest.raises(SigningError, match=told):
        message(lambda _digest: signature, Curve.P256)


def test_keys_and_curves_that_do_not_match_are_rejected() -> None:
    with pytest.raises(InvalidValueError, match="name the curve"):
        message(in_raw)
    with pytest.raises(InvalidValueError, match="the key is on P256, not SECP256K1"):
        message(P256_KEY, Curve.SECP256K1)
    with pytest.raises(InvalidValueError, match="the key is on SECP256K1, not P256"):
        message(PrivateKey.from_hex("01" * 32), Curve.P256)
    with pytest.raises(InvalidValueError, match="not secp384r1"):
        message(ec.generate_private_key(ec.SECP384R1()))
    with pytest.raises(InvalidValueError, match="the signer must be"):
        message("a key")  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="not a public key of P256"):
        message(P256_KEY).verify(b"\x05" + bytes(32))
    with pytest.raises(InvalidValueError, match="33 bytes, not 32"):
        message(P256_KEY).verify(bytes(32))
    with pytest.raises(InvalidValueError, match="32 bytes, not 31"):
        sign_digest(P256_KEY, bytes(31))
    with pytest.raises(InvalidValueError, match="secp256k1 or p256"):
        DayMessage.from_json(message(P256_KEY).to_json().replace("p256", "p521"))


def test_a_key_signs_a_proof_that_its_owner_may_claim_it() -> None:
    owner = "ST1SJ3DTE5DN7X54YDH5D64R3BCB6A2AG2ZQ8YPD5"
    register = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM.asset-verification"
    proof = sign_key_proof(in_der, contract=register, owner=owner, chain_id=0x80000000, curve=Curve.P256)
    assert len(proof) == 64
    assert len(sign_key_proof(PrivateKey.generate(), contract=register, owner=owner, chain_id=1)) == 64
    assert proof != sign_key_proof(in_der, contract=register, owner=register, chain_id=0x80000000, curve=Curve.P256)
