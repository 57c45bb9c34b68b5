"""``der keys`` creates, imports and lists keys, and shows secrets only on request."""

from __future__ import annotations

import json
import os
import pty
import select
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from der_client.stacks.keystore import load_key
from der_client.stacks.wallet import Wallet

from .conftest import RunDer

PASSPHRASE = "Pferd"  # not a word from the mnemonic word list
SECRET = "753b7cc01a1a2e86221266a154af739463fce51219d97e4f856cd7200c3bd2a601"
MNEMONIC = (
    "twice kind fence tip hidden tilt action fragile skin nothing glory cousin green tomorrow spring wrist shed math "
    "olympic multiply hip blue scout claw"
)
TESTNET = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"
MAINNET = "SP1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRCBGD7R"


@pytest.mark.parametrize("stdin", [SECRET, f"{SECRET}\n", f"0x{SECRET}\n", MNEMONIC, MNEMONIC.replace(" ", "\n")])
def test_import_of_a_key_or_a_mnemonic(der: RunDer, tmp_path: Path, stdin: str) -> None:
    result = der("keys", "import", "owner", "--dir", tmp_path, "--json", stdin=stdin)
    assert result.exit_code == 0
    file = tmp_path / "owner.json"
    assert json.loads(result.stdout) == {"name": "owner", "mainnet": MAINNET, "testnet": TESTNET, "file": str(file)}
    assert load_key(file, "correct horse").to_hex() == SECRET
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_import_of_another_account_of_a_mnemonic(der: RunDer, tmp_path: Path) -> None:
    assert der("keys", "import", "third", "--dir", tmp_path, "--account", "2", stdin=MNEMONIC).exit_code == 0
    assert load_key(tmp_path / "third.json", "correct horse") == Wallet.from_mnemonic(MNEMONIC).account(2)


def test_import_of_a_mnemonic_with_a_passphrase(der: RunDer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DER_MNEMONIC_PASSPHRASE", "25th word")
    command = ("keys", "import", "hidden", "--dir", tmp_path, "--mnemonic-passphrase")
    assert "is a key, not a mnemonic" in der(*command, stdin=SECRET).stderr
    assert der(*command, stdin=MNEMONIC).exit_code == 0
    key = load_key(tmp_path / "hidden.json", "correct horse")
    assert key == Wallet.from_mnemonic(MNEMONIC, "25th word").account(0)
    assert key.to_hex() != SECRET


@pytest.mark.parametrize("stdin", ["", "\n", "zz", SECRET[:-1], MNEMONIC.replace("claw", "clay"), "one two"])
def test_import_of_invalid_input_writes_nothing(der: RunDer, tmp_path: Path, stdin: str) -> None:
    result = der("keys", "import", "owner", "--dir", tmp_path, stdin=stdin)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert not list(tmp_path.iterdir())
    assert not stdin.strip() or stdin.strip() not in result.output


def test_import_of_bytes_that_are_not_text_is_an_error(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "der_client.cli", "keys", "import", "owner", "--dir", str(tmp_path)],
        input=b"\xff" * 64,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
    )
    assert done.returncode == 1
    assert (
        done.stderr
        == b"error: a private key is text of 64 or 66 hexadecimal digits; or give a mnemonic of 12 or 24 words\n"
    )


def test_new_keys_differ_and_are_saved_in_the_default_folder(der: RunDer, tmp_path: Path) -> None:
    made = [json.loads(der("keys", "new", name, "--json").stdout) for name in ("alice", "bob")]
    assert made[0]["testnet"] != made[1]["testnet"]
    folder = tmp_path / "config" / "der-client" / "keys"
    assert sorted(file.name for file in folder.iterdir()) == ["alice.json", "bob.json"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_default_folder_without_xdg(der: RunDer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative/is/ignored")
    assert der("keys", "new", "alice").exit_code == 0
    assert (tmp_path / ".config/der-client/keys/alice.json").exists()


def test_a_key_is_never_overwritten(der: RunDer, tmp_path: Path) -> None:
    der("keys", "import", "owner", "--dir", tmp_path, stdin=SECRET)
    for command in ("new", "import"):
        again = der("keys", command, "owner", "--dir", tmp_path, stdin=SECRET)
        assert again.exit_code == 1
        assert "never overwritten" in again.stderr
    assert load_key(tmp_path / "owner.json", "correct horse").to_hex() == SECRET


@pytest.mark.parametrize("name", ["../owner", "a/b", "", "-", ".hidden", "a.b", "ä", "x" * 65])
def test_invalid_names_are_rejected(der: RunDer, tmp_path: Path, name: str) -> None:
    for command in ("new", "import", "address"):
        assert der("keys", command, "--dir", tmp_path / "keys", "--", name, stdin=SECRET).exit_code == 2
    assert not list(tmp_path.iterdir())


def test_a_secret_in_place_of_a_name_is_rejected_and_not_shown(der: RunDer) -> None:
    result = der("keys", "import", SECRET, stdin=SECRET)
    assert result.exit_code == 1
    assert SECRET[:12] not in result.output


def test_list_shows_names_and_addresses(der: RunDer, tmp_path: Path) -> None:
    der("keys", "import", "owner", "--dir", tmp_path, stdin=SECRET)
    other = json.loads(der("keys", "new", "another", "--dir", tmp_path, "--json").stdout)
    result = der("keys", "list", "--dir", tmp_path, "--json")
    assert [(key["name"], key["mainnet"], key["testnet"]) for key in json.loads(result.stdout)["keys"]] == [
        ("another", other["mainnet"], other["testnet"]),
        ("owner", MAINNET, TESTNET),
    ]
    table = der("keys", "list", "--dir", tmp_path).stdout
    for shown in ("owner", MAINNET, TESTNET, "another", other["mainnet"], other["testnet"]):
        assert shown in table
    assert SECRET[:16] not in table + result.output


def test_list_needs_no_passphrase(der: RunDer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    der("keys", "import", "owner", "--dir", tmp_path, stdin=SECRET)
    monkeypatch.setenv("DER_PASSPHRASE", "wrong")
    assert TESTNET in der("keys", "list", "--dir", tmp_path).stdout


def test_list_skips_files_that_are_not_keys(der: RunDer, tmp_path: Path) -> None:
    der("keys", "import", "owner", "--dir", tmp_path, stdin=SECRET)
    (tmp_path / "notes.json").write_text("{}")
    result = der("keys", "list", "--dir", tmp_path, "--json")
    assert result.exit_code == 0
    assert [key["name"] for key in json.loads(result.stdout)["keys"]] == ["owner"]
    assert "notes.json is not a key file" in result.stderr


def test_list_without_keys_suggests_how_to_create_one(der: RunDer, tmp_path: Path) -> None:
    result = der("keys", "list", "--dir", tmp_path / "none")
    assert result.exit_code == 0
    assert "der keys new NAME" in result.stdout
    assert json.loads(der("keys", "list", "--dir", tmp_path / "none", "--json").stdout) == {"keys": []}


@pytest.mark.parametrize(("network", "address"), [("mainnet", MAINNET), ("testnet", TESTNET), ("devnet", TESTNET)])
def test_address_on_one_network(der: RunDer, tmp_path: Path, network: str, address: str) -> None:
    der("keys", "import", "owner", "--dir", tmp_path, stdin=SECRET)
    assert der("keys", "address", "owner", "--dir", tmp_path, "--network", network).stdout == f"{address}\n"


def test_address_on_all_networks(der: RunDer, tmp_path: Path) -> None:
    der("keys", "import", "owner", "--dir", tmp_path, stdin=SECRET)
    assert der("keys", "address", "owner", "--dir", tmp_path).stdout == f"mainnet  {MAINNET}\ntestnet  {TESTNET}\n"
    shown = json.loads(der("keys", "address", "owner", "--dir", tmp_path, "--json").stdout)
    assert (shown["mainnet"], shown["testnet"]) == (MAINNET, TESTNET)


def test_address_of_an_unknown_key_is_an_error(der: RunDer, tmp_path: Path) -> None:
    result = der("keys", "address", "nobody", "--dir", tmp_path)
    assert result.exit_code == 1
    assert "no key nobody" in result.stderr


@dataclass
class Finished:
    exit_code: int
    stdout: str
    terminal: str


def on_terminal(*arguments: str | Path, answers: list[tuple[str, str]]) -> Finished:
    """Run a command in a new terminal, type each answer after its prompt, and return what it shows."""
    master, slave = pty.openpty()
    # The process becomes a session leader: the first terminal that it opens is its controlling terminal.
    own_terminal = (
        "import os, sys; os.setsid(); os.open(sys.argv[1], os.O_RDWR);"
        "os.execv(sys.executable, [sys.executable, '-m', 'der_client.cli', *sys.argv[2:]])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "DER_PASSPHRASE"}
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", own_terminal, os.ttyname(slave), *map(str, arguments)],
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
    )
    shown = ""
    for prompt, answer in answers:
        seen_before = len(shown)
        while prompt not in shown[seen_before:]:
            # This process keeps the terminal open, too: reading does not show that a command ended without a prompt.
            assert process.poll() is None or select.select([master], [], [], 0)[0], shown
            if select.select([master], [], [], 1)[0]:
                shown += os.read(master, 4096).decode()
        os.write(master, f"{answer}\n".encode())
    stdout, _ = process.communicate(timeout=300)
    os.set_blocking(master, False)
    while chunk := _read_rest(master):
        shown += chunk
    os.close(slave)
    os.close(master)
    return Finished(process.returncode, stdout.decode(), shown)


def _read_rest(master: int) -> str:
    try:
        return os.read(master, 4096).decode()
    except OSError:
        return ""


def test_the_mnemonic_is_shown_on_the_terminal_only(tmp_path: Path) -> None:
    answers = [("Passphrase", PASSPHRASE), ("Repeat", PASSPHRASE)]
    done = on_terminal("keys", "new", "alice", "--show-mnemonic", "--words", "12", "--dir", tmp_path, answers=answers)
    assert done.exit_code == 0, done
    words = next(line.strip() for line in done.terminal.splitlines() if len(line.split()) == 12)
    assert words not in done.stdout
    assert PASSPHRASE not in done.terminal + done.stdout
    assert load_key(tmp_path / "alice.json", PASSPHRASE) == Wallet.from_mnemonic(words).account(0)


def test_the_mnemonic_is_not_shown_by_default(tmp_path: Path) -> None:
    answers = [("Passphrase", PASSPHRASE), ("Repeat", PASSPHRASE)]
    done = on_terminal("keys", "new", "alice", "--dir", tmp_path, answers=answers)
    assert done.exit_code == 0
    shown = [line for line in (done.terminal + done.stdout).splitlines() if "Passphrase" not in line]
    assert not any(len(line.split()) >= 12 for line in shown)


def test_different_passphrases_are_rejected(tmp_path: Path) -> None:
    done = on_terminal(
        "keys", "new", "a", "--dir", tmp_path, answers=[("Passphrase", PASSPHRASE), ("Repeat", "another passphrase")]
    )
    assert done.exit_code == 1
    assert "differ; nothing was written" in done.stdout
    assert not list(tmp_path.iterdir())


def test_a_key_typed_on_the_terminal_is_not_echoed(tmp_path: Path) -> None:
    answers = [("Private key", SECRET), ("Passphrase", PASSPHRASE), ("Repeat", PASSPHRASE)]
    done = on_terminal("keys", "import", "owner", "--dir", tmp_path, answers=answers)
    assert done.exit_code == 0
    assert SECRET not in done.terminal + done.stdout
    assert load_key(tmp_path / "owner.json", PASSPHRASE).to_hex() == SECRET


def test_show_mnemonic_without_a_terminal_is_an_error(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "der_client.cli", "keys", "new", "alice", "--show-mnemonic", "--dir", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    assert done.returncode == 1
    assert "there is no terminal to show it on" in done.stderr
    assert not list(tmp_path.iterdir())
