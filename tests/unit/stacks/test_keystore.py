"""The encrypted key file."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from der_client.stacks import keystore
from der_client.stacks.errors import InvalidValueError, KeyFormatError
from der_client.stacks.keys import PrivateKey
from der_client.stacks.keystore import load_key, read_public_key, save_key
from der_client.stacks.wallet import Wallet

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "753b7cc01a1a2e86221266a154af739463fce51219d97e4f856cd7200c3bd2a6"
KEY = PrivateKey.from_hex(SECRET + "01")
PASSWORD = "correct horse é"


@pytest.fixture(autouse=True)
def _cheap_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keystore, "_SCRYPT", {"n": 1 << 4, "r": 8, "p": 1})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "keys" / "plant.json"
    save_key(target, KEY, PASSWORD)
    return target


def change(path: Path, **fields: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


@pytest.mark.parametrize("secret", [SECRET, SECRET + "01"])
def test_a_saved_key_can_be_loaded(tmp_path: Path, secret: str) -> None:
    key = PrivateKey.from_hex(secret)
    save_key(tmp_path / "key.json", key, PASSWORD)
    assert load_key(tmp_path / "key.json", PASSWORD).to_hex() == secret
    assert read_public_key(tmp_path / "key.json") == key.public_key


def test_unicode_forms_of_a_password_are_equivalent(path: Path) -> None:
    assert load_key(path, "correct horse e\u0301") == KEY


def test_only_the_owner_can_read_the_file_and_no_other_file_remains(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["plant.json"]


def test_the_secret_is_not_in_the_file(path: Path) -> None:
    content = path.read_text()
    assert SECRET not in content
    assert PASSWORD not in content


def test_saving_twice_writes_different_ciphertexts(path: Path, tmp_path: Path) -> None:
    save_key(tmp_path / "again.json", KEY, PASSWORD)
    assert json.loads(path.read_text())["sealed_key"] != json.loads((tmp_path / "again.json").read_text())["sealed_key"]


def test_a_key_is_never_overwritten(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(InvalidValueError, match="never overwritten"):
        save_key(path, PrivateKey.generate(), PASSWORD)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["plant.json"]


def test_a_wrong_password_is_rejected_without_showing_secrets(path: Path) -> None:
    with pytest.raises(KeyFormatError, match="wrong passphrase") as caught:
        load_key(path, "wrong")
    shown = "".join(traceback.format_exception(caught.value))
    assert SECRET[:16] not in shown
    assert PASSWORD not in shown


def test_an_empty_password_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="password"):
        save_key(tmp_path / "key.json", KEY, "")
    assert not (tmp_path / "key.json").exists()


def test_every_changed_field_is_detected(path: Path) -> None:
    content = json.loads(path.read_text())
    other_end = f"{int(content['sealed_key'][-2:], 16) ^ 1:02x}"
    changed: list[dict[str, Any]] = [
        {"public_key": PrivateKey.generate().public_key.data.hex()},
        {"kdf": {**content["kdf"], "salt": "00" * 32}},
        {"kdf": {**content["kdf"], "n": 1 << 5}},
        {"cipher": {**content["cipher"], "nonce": "00" * 12}},
        {"sealed_key": content["sealed_key"][:-2] + other_end},
        {"sealed_key": ""},
        {"note": "added"},
    ]
    for fields in changed:
        change(path, **{**content, **fields})
        with pytest.raises(KeyFormatError, match="wrong passphrase, or the file was changed"):
            load_key(path, PASSWORD)


@pytest.mark.parametrize(
    "fields",
    [
        {"version": 2},
        {"version": True},
        {"format": "other"},
        {"sealed_key": "zz"},
        {"sealed_key": None},
        {"kdf": None},
        {"kdf": {"name": "scrypt", "salt": "00", "n": 16, "r": 8}},
        {"kdf": {"name": "pbkdf2", "salt": "00", "n": 16, "r": 8, "p": 1}},
        {"kdf": {"name": "scrypt", "salt": "00", "n": 1 << 40, "r": 8, "p": 1}},
        {"kdf": {"name": "scrypt", "salt": "00", "n": 16, "r": 1 << 30, "p": 1}},
        {"kdf": {"name": "scrypt", "salt": "00", "n": 16, "r": 8, "p": 1 << 20}},
        {"kdf": {"name": "scrypt", "salt": "00", "n": 15, "r": 8, "p": 1}},
        {"kdf": {"name": "scrypt", "salt": "00", "n": 2, "r": 65, "p": 1}},
        {"kdf": {"name": "scrypt", "salt": "00", "n": 1 << 17, "r": 64, "p": 1}},
        {"kdf": {"name": "scrypt", "salt": "00", "n": 1 << 16, "r": 1, "p": 1}},
        {"kdf": {"name": "scrypt", "salt": "00", "n": 1 << 17, "r": 8, "p": 64}},
        {"kdf": {"name": "scrypt", "salt": "00", "n": 1, "r": 8, "p": 1}},
        {"kdf": {"name": "scrypt", "salt": "00", "n": -16, "r": 8, "p": 1}},
        {"kdf": {"name": "scrypt", "salt": "00", "n": "16", "r": 8, "p": 1}},
        {"cipher": {"name": "aes-256-gcm", "nonce": "00"}},
        {"cipher": {"name": "rot13", "nonce": "00" * 12}},
    ],
)
def test_invalid_fields_are_rejected_before_the_password_is_tried(path: Path, fields: dict[str, Any]) -> None:
    """Otherwise, any change would look like a wrong password."""
    change(path, **fields)
    words = r"not a key file|not sensible|unknown key derivation|has version|public key"
    with pytest.raises(KeyFormatError, match=words):
        load_key(path, PASSWORD)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff\xff", b"null", b"[" * 50_000, b" " * 100_000])
def test_files_that_are_not_key_files_are_rejected(tmp_path: Path, content: bytes) -> None:
    target = tmp_path / "key.json"
    target.write_bytes(content)
    with pytest.raises(KeyFormatError, match="not a key file"):
        load_key(target, PASSWORD)
    with pytest.raises(KeyFormatError, match="not a key file"):
        read_public_key(target)


def test_an_invalid_public_key_is_reported_with_its_file(path: Path) -> None:
    change(path, public_key="02" * 31)
    with pytest.raises(KeyFormatError, match=f"{path}: a public key has 33 bytes"):
        read_public_key(path)


def test_a_password_must_be_text(path: Path, tmp_path: Path) -> None:
    for password in ("\udcff", b"secret", 5):
        for act in (lambda: load_key(path, password), lambda: save_key(tmp_path / "new.json", KEY, password)):  # type: ignore[arg-type]  # noqa: B023
            with pytest.raises(InvalidValueError, match=r"not text in UTF-8|must be str"):
                act()
    assert not (tmp_path / "new.json").exists()


def test_a_missing_file_raises_file_not_found_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_key(tmp_path / "none.json", PASSWORD)


def test_cryptography_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, der_client.stacks.keystore; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 -- our own code


def test_only_a_private_key_is_saved(tmp_path: Path) -> None:
    for wrong in ("11" * 32, Wallet.generate()):
        with pytest.raises(KeyFormatError, match=r"must be a PrivateKey, got (str|Wallet);.*wallet\.account\(0\)"):
            save_key(tmp_path / "key.json", wrong, "password")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
