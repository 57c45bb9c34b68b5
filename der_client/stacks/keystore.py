"""An encrypted file for one private key.

The password becomes an AES-256 key by scrypt; the private key is encrypted with AES-GCM, and everything else in the
file is authenticated with it. The file is JSON, written in one step and readable only by its owner. It is never
overwritten.
"""

from __future__ import annotations

import json
import os
import secrets
import unicodedata
from pathlib import Path
from typing import Any, Final

from der_client.stacks.checks import check_secret_kind
from der_client.stacks.errors import InvalidValueError, KeyFormatError
from der_client.stacks.keys import PrivateKey, PublicKey
from der_client.stacks.secret import Secret

_FORMAT: Final = "der-client-key"
_VERSION: Final = 1
# 128 MiB and about 0.4 s per guess of the password: the upper end of what OWASP recommends for scrypt.
_SCRYPT: Final = {"n": 1 << 17, "r": 8, "p": 1}
# A file from elsewhere may ask for less or more, but not for unbounded memory or time.
_MAX_SCRYPT_MEMORY: Final = 1 << 30
_MAX_SCRYPT_R: Final = 64
_MAX_SCRYPT_WORK: Final = 16 * _SCRYPT["n"] * _SCRYPT["r"] * _SCRYPT["p"]
MAX_FILE_LENGTH: Final = 1 << 16
_SALT_LENGTH: Final = 32
_NONCE_LENGTH: Final = 12


def save_key(path: Path | str, key: PrivateKey, password: str | Secret[str]) -> None:
    """Write a key to a new encrypted file with mode 0600.

    Args:
        path: The file; its folder is created (mode 0700) if missing.
        key: The key.
        password: The password that will open the file; UTF-8, at least one character.

    Raises:
        InvalidValueError: If the file exists (a key is never overwritten), or the password is empty or not text.
        KeyFormatError: If the key is not a `PrivateKey`.
        OSError: If the file cannot be written.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 -- heavy; `import der_client` stays fast

    password = Secret.of(password)
    if not isinstance(key, PrivateKey):
        given = type(key).__name__
        del key  # perhaps a secret, which no frame must hold when an error is raised
        raise KeyFormatError(
            f"key must be a PrivateKey, got {given}; for hexadecimal text, use PrivateKey.from_hex(…); for an "
            "account of a wallet, wallet.account(0)"
        )
    target = Path(path)
    if not password.reveal():
        raise InvalidValueError("password: must not be empty")
    header: dict[str, Any] = {
        "format": _FORMAT,
        "version": _VERSION,
        "public_key": key.public_key.data.hex(),
        "kdf": {"name": "scrypt", "salt": secrets.token_hex(_SALT_LENGTH), **_SCRYPT},
        "cipher": {"name": "aes-256-gcm", "nonce": secrets.token_hex(_NONCE_LENGTH)},
    }
    sealed = AESGCM(_derive(header["kdf"], password).reveal()).encrypt(
        bytes.fromhex(header["cipher"]["nonce"]), bytes.fromhex(key.to_hex()), _authenticated(header)
    )
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write_new(target, json.dumps({**header, "sealed_key": sealed.hex()}, indent=2) + "\n")


def load_key(path: Path | str, password: str | Secret[str]) -> PrivateKey:
    """Open an encrypted key file.

    Args:
        path: The file.
        password: The password with which it was written.

    Returns:
        The key.

    Raises:
        KeyFormatError: If the password is wrong or the file is damaged or changed (these cannot be distinguished), or
            it is not a key file of a known version.
        InvalidValueError: If the password is not text.
        OSError: If the file cannot be read.
    """
    password = Secret.of(password)
    with Path(path).open("rb") as file:
        return open_key(file.read(MAX_FILE_LENGTH + 1), password, source=str(path))


def open_key(content: bytes, password: str | Secret[str], *, source: str) -> PrivateKey:
    """Open the content of an encrypted key file, wherever it was read from.

    Args:
        content: The content of the file.
        password: The password with which it was written.
        source: Its name in errors.

    Returns:
        The key.

    Raises:
        KeyFormatError: As ``load_key``.
        InvalidValueError: If the password is not text.
    """
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 -- heavy; `import der_client` stays fast
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    password = Secret.of(password)
    header, sealed = _parse(content, source)
    try:
        secret = Secret(
            AESGCM(_derive(header["kdf"], password).reveal()).decrypt(
                bytes.fromhex(header["cipher"]["nonce"]), sealed, _authenticated(header)
            )
        )
    except InvalidTag:
        raise KeyFormatError(f"{source}: wrong passphrase, or the file was changed") from None
    return PrivateKey.from_bytes(secret)


def read_public_key(path: Path | str) -> PublicKey:
    """Read the public key of a key file without opening it, for lists and addresses.

    Only ``load_key`` proves that it belongs to the file.

    Args:
        path: The file.

    Returns:
        The public key.

    Raises:
        KeyFormatError: If it is not a key file of a known version.
        OSError: If the file cannot be read.
    """
    with Path(path).open("rb") as file:
        header, _ = _parse(file.read(MAX_FILE_LENGTH + 1), str(path))
    try:
        return PublicKey.from_hex(header["public_key"])
    except KeyFormatError as error:
        raise KeyFormatError(f"{path}: {error}") from None


def _write_new(target: Path, text: str) -> None:
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a rename, fails if the name is taken, even by a process that runs at the same time.
        os.link(draft, target)
    except FileExistsError:
        raise InvalidValueError(
            f"{target} already exists, and a key is never overwritten; choose another name"
        ) from None
    finally:
        draft.unlink()


def _parse(data: bytes, source: str) -> tuple[dict[str, Any], bytes]:
    try:
        content = json.loads(data)
        if content["format"] != _FORMAT or len(data) > MAX_FILE_LENGTH:
            raise KeyFormatError(f"{source} is not a key file of der-client")
        if content["version"] != _VERSION or content["version"] is True:
            raise KeyFormatError(
                f"{source} has version {content['version']!r}; this der-client knows version {_VERSION}"
            )
        sealed = bytes.fromhex(content.pop("sealed_key"))
        kdf, cipher = content["kdf"], content["cipher"]
        numbers = [kdf[name] for name in ("n", "r", "p")]
        texts = [bytes.fromhex(text) for text in (kdf["salt"], cipher["nonce"], content["public_key"])]
        known = (kdf["name"], cipher["name"]) == ("scrypt", "aes-256-gcm") and len(texts[1]) == _NONCE_LENGTH
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, KeyFormatError):
            raise
        raise KeyFormatError(f"{source} is not a key file of der-client") from None
    if not known or not all(type(number) is int and number > 0 for number in numbers):
        raise KeyFormatError(f"{source}: unknown key derivation or cipher")
    n, r, p = numbers
    # RFC 7914 wants n to be a power of 2, and less than 2^(16 r).
    is_scrypt = n > 1 and not n & (n - 1) and n.bit_length() - 1 < 16 * r
    memory = 128 * r * (n + p + 2)
    if not is_scrypt or r > _MAX_SCRYPT_R or memory > _MAX_SCRYPT_MEMORY or n * r * p > _MAX_SCRYPT_WORK:
        raise KeyFormatError(
            f"{source}: its scrypt parameters n={n}, r={r}, p={p} are not sensible (memory at most 1 GiB)"
        )
    return content, sealed


def _derive(kdf: dict[str, Any], password: Secret[str]) -> Secret[bytes]:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt  # noqa: PLC0415 -- heavy; `import der_client` stays fast

    # Use one spelling for é and the like, whatever the keyboard sent.
    check_secret_kind(password, str, "password")
    try:
        secret = Secret(unicodedata.normalize("NFC", password.reveal()).encode())
    except UnicodeEncodeError:
        raise InvalidValueError("password: is not text in UTF-8") from None
    scrypt = Scrypt(salt=bytes.fromhex(kdf["salt"]), length=32, n=kdf["n"], r=kdf["r"], p=kdf["p"])
    return Secret(scrypt.derive(secret.reveal()))


def _authenticated(header: dict[str, Any]) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
