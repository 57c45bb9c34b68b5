"""Files with keys of meters: PEM on both curves, encrypted or not, and the formats of other keys."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from der_client.cli.meter_keys import read_meter_key
from der_client.readings import Curve
from der_client.readings.signers import sign_digest, verify_digest
from der_client.stacks.errors import InvalidValueError, KeyFormatError
from der_client.stacks.keys import PrivateKey

DIGEST = sha256(b"readings").digest()


def written(
    folder: Path,
    key: Any,
    form: PrivateFormat = PrivateFormat.PKCS8,
    encryption: KeySerializationEncryption | None = None,
) -> Path:
    path = folder / "meter.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, form, encryption or NoEncryption()))
    return path


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize(("made_on", "curve"), [(ec.SECP256R1(), Curve.P256), (ec.SECP256K1(), Curve.SECP256K1)])
def test_pem_keys_sign_on_their_curve(
    tmp_path: Path, form: PrivateFormat, made_on: ec.EllipticCurve, curve: Curve
) -> None:
    key = ec.generate_private_key(made_on)
    signed_on, signature = sign_digest(read_meter_key(written(tmp_path, key, form)), DIGEST)
    assert signed_on is curve
    assert verify_digest(key.public_key(), DIGEST, signature, curve)


def test_an_encrypted_key_needs_its_passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    path = written(tmp_path, key, encryption=BestAvailableEncryption(b"correct"))
    monkeypatch.setenv("DER_PASSPHRASE", "correct")
    assert sign_digest(read_meter_key(path), DIGEST)[0] is Curve.P256
    monkeypatch.setenv("DER_PASSPHRASE", "wrong")
    with pytest.raises(KeyFormatError, match="wrong passphrase, or the file is damaged"):
        read_meter_key(path)


def test_without_a_terminal_the_error_says_where_the_passphrase_can_be_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, ec.generate_private_key(ec.SECP256R1()), encryption=BestAvailableEncryption(b"correct"))
    monkeypatch.delenv("DER_PASSPHRASE", raising=False)
    monkeypatch.setattr("der_client.cli.secret_input.has_terminal", lambda: False)
    with pytest.raises(InvalidValueError, match=r"no terminal to ask on .* DER_PASSPHRASE"):
        read_meter_key(path)


def test_a_public_key_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "meter.pem"
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    path.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(KeyFormatError, match="expected a private key in PEM, got a public key"):
        read_meter_key(path)


def test_other_key_files_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "meter.txt"
    key = PrivateKey.generate()
    path.write_text(key.to_hex())
    assert sign_digest(read_meter_key(path), DIGEST)[0] is Curve.SECP256K1


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: ec.generate_private_key(ec.SECP384R1()), "got secp384r1"),
        (ed25519.Ed25519PrivateKey.generate, "got Ed25519PrivateKey"),
    ],
)
def test_keys_of_other_curves_are_rejected(tmp_path: Path, make: Any, told: str) -> None:
    with pytest.raises(KeyFormatError, match=rf"meter.pem: expected a key on P-256 or secp256k1, {told}"):
        read_meter_key(written(tmp_path, make()))


def test_an_invalid_key_is_rejected_and_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "meter.pem"
    path.write_text("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")
    with pytest.raises(KeyFormatError, match="damaged, or of an unknown kind; expected a key on P-256") as caught:
        read_meter_key(path)
    assert "c2VjcmV0" not in str(caught.value)
    with pytest.raises((KeyFormatError, InvalidValueError), match="--meter-key-file"):
        read_meter_key(Path("00" * 32))
