"""When an error occurs, no frame of this library holds a secret in plain text, and no core file contains one."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from rich.traceback import Traceback

from der_client.cli import keys as keys_command
from der_client.cli import secret_input
from der_client.stacks.errors import DerClientError
from der_client.stacks.keys import PrivateKey
from der_client.stacks.keystore import load_key, open_key, save_key
from der_client.stacks.secret import Secret
from der_client.stacks.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "7287ba251d44a4d3fd9276c88ce34c5c52a038955511cccaf77e61068649c17801"
PASSPHRASE = "wrong-horse-battery"
WORDS = "sell invite acquire kitten bamboo drastic jelly vivid peace spawn twice guilt pave pen trash pretty park cube"
SECRETS = (KEY[:20], PASSPHRASE, "acquire", repr(bytes.fromhex(KEY[:8]))[2:-1])


def shown(raised: BaseException) -> str:
    """Return what a traceback with local variables shows of all frames below the caller's."""
    assert raised.__traceback__ is not None
    inside = raised.__traceback__
    while inside.tb_frame.f_code.co_filename == __file__ and inside.tb_next:
        inside = inside.tb_next
    output = StringIO()
    traceback = Traceback.from_exception(
        type(raised), raised, inside, show_locals=True, locals_max_string=1_000, locals_max_length=100
    )
    Console(file=output, width=300).print(traceback)
    # The traceback also shows lines of source code, which may contain the same words.
    return "\n".join(line for line in output.getvalue().splitlines() if " = " in line)


def check(action: Callable[[], object], error: type[BaseException] = DerClientError) -> None:
    with pytest.raises(error) as raised:
        action()
    locals_shown = shown(raised.value)
    assert not [secret for secret in SECRETS if secret in locals_shown], locals_shown


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "owner.json"
    save_key(path, PrivateKey.generate(), "right")
    return path


def test_a_leaked_secret_would_be_found() -> None:
    def leaks(passphrase: str) -> None:
        raise ValueError

    with pytest.raises(ValueError) as raised:  # noqa: PT011
        leaks(PASSPHRASE)
    assert raised.value.__traceback__ is not None
    output = StringIO()
    Console(file=output, width=300).print(
        Traceback.from_exception(ValueError, raised.value, raised.value.__traceback__, show_locals=True)
    )
    assert PASSPHRASE in output.getvalue()


@pytest.mark.parametrize(
    "action",
    [
        lambda: PrivateKey.from_hex(KEY + "z"),
        lambda: PrivateKey.from_hex(KEY[:-2] + "02"),
        lambda: PrivateKey.from_hex(KEY + KEY),
        lambda: PrivateKey.from_bytes(bytes.fromhex(KEY[:-2]) + b"\x02"),
        lambda: Wallet.from_mnemonic(WORDS),
        lambda: Wallet.from_mnemonic(WORDS + " abandon" * 6),
        lambda: Wallet.from_mnemonic(WORDS + " park park", PASSPHRASE),
        lambda: Wallet.from_mnemonic(WORDS, PASSPHRASE.encode()),  # type: ignore[arg-type]
        lambda: Wallet.from_seed(bytes.fromhex(KEY)[:10]),
        lambda: Wallet.from_seed(KEY),  # type: ignore[arg-type]
        lambda: Wallet(WORDS),  # type: ignore[arg-type]
        lambda: Wallet(bytes.fromhex(KEY)[:10], WORDS),
        lambda: PrivateKey(KEY, compressed=True),  # type: ignore[arg-type]
        lambda: PrivateKey.from_bytes(KEY),  # type: ignore[arg-type]
        lambda: save_key("never-written", KEY, PASSPHRASE),  # type: ignore[arg-type]
    ],
)
def test_errors_of_keys_and_wallets_show_no_secrets(action: Callable[[], object]) -> None:
    check(action)


def test_errors_of_key_files_show_no_secrets(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check(lambda: load_key(key_file, PASSPHRASE))
    check(lambda: open_key(b"{}", PASSPHRASE, source="x"))
    check(lambda: load_key(key_file, PASSPHRASE.encode()))  # type: ignore[arg-type]
    check(lambda: save_key(key_file, PrivateKey.from_hex(KEY), PASSPHRASE))
    check(lambda: load_key(key_file.with_name("missing"), PASSPHRASE), FileNotFoundError)

    class Interrupted:
        def __init__(self, **_: object) -> None: ...

        def derive(self, _: bytes) -> bytes:
            raise KeyboardInterrupt

    monkeypatch.setattr("cryptography.hazmat.primitives.kdf.scrypt.Scrypt", Interrupted)
    with pytest.raises(KeyboardInterrupt) as raised:
        load_key(key_file, PASSPHRASE)
    inside = raised.value.__traceback__
    while inside is not None:
        if "der_client" in inside.tb_frame.f_code.co_filename and "tests" not in inside.tb_frame.f_code.co_filename:
            assert PASSPHRASE not in repr(inside.tb_frame.f_locals)
        inside = inside.tb_next


def test_errors_of_command_input_show_no_secrets(
    key_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DER_PASSPHRASE", PASSPHRASE)
    check(lambda: secret_input.read_signing_key(key_file))
    hexadecimal = tmp_path / "owner.key"
    hexadecimal.write_text(KEY + "z")
    check(lambda: secret_input.read_signing_key(hexadecimal))
    monkeypatch.setenv("DER_KEY", KEY + "z")
    check(lambda: secret_input.read_signing_key(None))
    monkeypatch.delenv("DER_PASSPHRASE")
    answers = iter([PASSPHRASE, "another"])
    monkeypatch.setattr(secret_input, "has_terminal", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda _: next(answers))
    check(lambda: secret_input.ask_passphrase("of x", twice=True))


def test_errors_of_key_import_show_no_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    read, write = os.pipe()
    os.write(write, (WORDS + "\n").encode())
    os.close(write)
    with os.fdopen(read) as stream:
        monkeypatch.setattr("sys.stdin", stream)
        check(lambda: keys_command.import_key("owner", folder=tmp_path))


def test_a_secret_is_neither_shown_nor_pickled() -> None:
    secret = Secret("hidden")
    again: Secret[str] = Secret.of(secret)
    assert again is secret
    assert secret.reveal() == "hidden"
    assert "hidden" not in f"{secret!r} {secret} {[secret]}"
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(secret)


@pytest.mark.parametrize(
    "command",
    [
        "read_signing_key(Path(sys.argv[1]))",
        "ask_passphrase('of x')",
        "keys.import_key('owner', folder=Path(sys.argv[2]))",
        "keys.new_key('owner2', folder=Path(sys.argv[2]))",
    ],
)
def test_no_core_file_is_written(command: str, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
        pytest.skip("core files are forbidden here anyway")
    (tmp_path / "owner.key").write_text(KEY)
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from der_client.cli import keys\n"
        "from der_client.cli.secret_input import ask_passphrase, read_signing_key\n"
        "hard = resource.getrlimit(resource.RLIMIT_CORE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))\n"
        f"{command}\n"
        "print('core limit', resource.getrlimit(resource.RLIMIT_CORE)[0])\n"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code, str(tmp_path / "owner.key"), str(tmp_path)],
        input=KEY,
        env={**os.environ, "DER_PASSPHRASE": PASSPHRASE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "core limit 0" in done.stdout, done.stdout + done.stderr
