"""Where the signing key comes from: a file or the environment, never an argument."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from der_client.cli.secret_input import read_signing_key
from der_client.stacks.errors import InvalidValueError, KeyFormatError
from der_client.stacks.keys import PrivateKey
from der_client.stacks.keystore import save_key

from .conftest import RunDer

SECRET = "753b7cc01a1a2e86221266a154af739463fce51219d97e4f856cd7200c3bd2a601"
OTHER = "7287ba251d44a4d3fd9276c88ce34c5c52a038955511cccaf77e61068649c17801"
MNEMONIC = (
    "twice kind fence tip hidden tilt action fragile skin nothing glory cousin green tomorrow spring wrist shed math "
    "olympic multiply hip blue scout claw"
)


@pytest.mark.parametrize("text", [SECRET, f"0x{SECRET}\n", f"  {SECRET}\n\n"])
def test_a_hexadecimal_key_file_is_read(tmp_path: Path, text: str) -> None:
    file = tmp_path / "owner.key"
    file.write_text(text)
    assert read_signing_key(file).to_hex() == SECRET


def test_an_encrypted_key_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "owner.json"
    save_key(file, PrivateKey.from_hex(SECRET), "correct horse")
    assert read_signing_key(file).to_hex() == SECRET


def test_a_wrong_passphrase_is_rejected_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "owner.json"
    save_key(file, PrivateKey.from_hex(SECRET), "correct horse")
    monkeypatch.setenv("DER_PASSPHRASE", "battery staple")
    with pytest.raises(KeyFormatError, match="wrong passphrase") as caught:
        read_signing_key(file)
    assert "battery" not in str(caught.value)


def test_the_key_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DER_KEY", SECRET)
    assert read_signing_key(None).to_hex() == SECRET


def test_a_file_comes_before_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DER_KEY", SECRET)
    file = tmp_path / "other.key"
    file.write_text(OTHER)
    assert read_signing_key(file).to_hex() == OTHER


def test_a_missing_key_is_reported() -> None:
    with pytest.raises(KeyFormatError, match=r"--key NAME or FILE .* or put the key into the environment as DER_KEY"):
        read_signing_key(None)


def test_an_invalid_key_in_the_environment_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DER_KEY", SECRET[:-3])
    with pytest.raises(KeyFormatError, match=r"^DER_KEY: ") as caught:
        read_signing_key(None)
    assert SECRET[:8] not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"not a key", SECRET.encode() * 2000])
def test_an_invalid_key_file_is_rejected(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "owner.key"
    file.write_bytes(content)
    with pytest.raises(KeyFormatError, match=f"key file {file}: "):
        read_signing_key(file)


def test_an_encrypted_key_is_read_from_a_pipe(tmp_path: Path) -> None:
    save_key(tmp_path / "owner.json", PrivateKey.from_hex(SECRET), "correct horse")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes((tmp_path / "owner.json").read_bytes()), daemon=True)
    writer.start()
    assert read_signing_key(pipe).to_hex() == SECRET


@pytest.mark.parametrize(
    "secret", [SECRET, SECRET[:-1], SECRET[:62], f"0X{SECRET}", MNEMONIC.title(), " ".join(MNEMONIC.split()[:12])]
)
def test_a_secret_in_place_of_a_file_name_is_not_shown(secret: str) -> None:
    with pytest.raises(KeyFormatError, match="looks like a key or a mnemonic") as caught:
        read_signing_key(Path(secret))
    assert secret not in str(caught.value)


def test_a_missing_key_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(KeyFormatError, match="cannot be read: No such file"):
        read_signing_key(tmp_path / "owner.key")


@pytest.mark.parametrize("argument", [SECRET, f"0x{SECRET}", SECRET[:64], MNEMONIC])
@pytest.mark.parametrize("option", ["--key", "--key-file"])
def test_a_key_as_an_argument_is_rejected_and_not_shown(der: RunDer, option: str, argument: str) -> None:
    result = der("deploy", "--url", "http://127.0.0.1:1", option, argument)
    assert result.exit_code == 1
    assert "on a command line every user of this machine can see it" in result.stderr
    assert argument[:12] not in result.output


def test_an_empty_passphrase_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "owner.json"
    save_key(file, PrivateKey.from_hex(SECRET), "correct horse")
    monkeypatch.setenv("DER_PASSPHRASE", "")
    with pytest.raises(InvalidValueError, match="passphrase is empty"):
        read_signing_key(file)


def test_a_missing_passphrase_without_a_terminal_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "owner.json"
    save_key(file, PrivateKey.from_hex(SECRET), "correct horse")
    monkeypatch.delenv("DER_PASSPHRASE")
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "der_client.cli", "deploy", "--url", "http://127.0.0.1:1", "--key-file", str(file)],
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,  # without a terminal
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "put it into the environment as DER_PASSPHRASE" in done.stderr
