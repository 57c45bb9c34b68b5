"""Keys of meters, from files: on secp256k1 as other keys, or on either curve in PEM, as most tools write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from der_client.cli.secret_input import ask_passphrase, forbid_core_dumps, key_in, read_key_data
from der_client.stacks.errors import KeyFormatError

if TYPE_CHECKING:
    from pathlib import Path

    from der_client.readings.signers import Signer
    from der_client.stacks.secret import Secret


def read_meter_key(file: Path) -> Signer:
    """Read the key that a meter signs with.

    Args:
        file: PEM (PKCS #8 or SEC 1) on P-256 or secp256k1, an encrypted key file of 'der keys', or hexadecimal text of
            a key on secp256k1. A passphrase is asked for where one is needed.

    Raises:
        KeyFormatError: If it is not a key of these curves, or the passphrase is wrong; the message does not contain it.
        InvalidValueError: If a passphrase is needed and there is no terminal to ask on.
    """
    forbid_core_dumps()
    data = read_key_data(file, "--meter-key-file")
    return _in_pem(data, file) if b"-----BEGIN" in data.reveal() else key_in(data, file)


def _in_pem(data: Secret[bytes], file: Path) -> Signer:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 -- heavy
    from cryptography.hazmat.primitives.asymmetric.ec import (  # noqa: PLC0415
        SECP256K1,
        SECP256R1,
        EllipticCurvePrivateKey,
    )
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    content = data.reveal()
    if b"PRIVATE KEY-----" not in content:
        found = "a public key" if b"PUBLIC KEY-----" in content else "something else"
        raise KeyFormatError(
            f"key file {file}: expected a private key in PEM, got {found}; make a key with "
            "'openssl ecparam -name prime256v1 -genkey -noout'"
        )
    try:
        key: Any = load_pem_private_key(content, None)
    except TypeError:  # it is encrypted
        key = _encrypted(data, file)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFormatError(
            f"key file {file}: this private key in PEM is damaged, or of an unknown kind; expected a key on P-256 or "
            "secp256k1, in PKCS #8 or SEC 1"
        ) from None
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256K1 | SECP256R1):
        kind = key.curve.name if isinstance(key, EllipticCurvePrivateKey) else type(key).__name__.strip("_")
        raise KeyFormatError(f"key file {file}: expected a key on P-256 or secp256k1, got {kind}")
    return key


def _encrypted(data: Secret[bytes], file: Path) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 -- heavy
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    passphrase = ask_passphrase(f"of {file}")
    try:
        return load_pem_private_key(data.reveal(), passphrase.reveal().encode())
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFormatError(f"key file {file}: wrong passphrase, or the file is damaged") from None
