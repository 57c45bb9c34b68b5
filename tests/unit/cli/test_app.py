"""The command line as a whole: help, version, errors, and which modules it imports."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from der_client.cli.app import COMMANDS
from der_client.cli.options import read_ustx

if TYPE_CHECKING:
    from .conftest import RunDer

ROOT = Path(__file__).parents[3]
HEAVY = ["cryptography", "der_client.demo", "der_client.roles", "rich.table", "yaml"]


def test_the_version_is_printed(der: RunDer) -> None:
    result = der("--version")
    assert (result.exit_code, result.stdout) == (0, f"der {version('der-client')}\n")


def test_help_lists_every_command(der: RunDer) -> None:
    result = der("--help")
    assert result.exit_code == 0
    for command in ("demo", "devnet", "deploy", "setup-roles", "keeper", "record", "keys"):
        assert f" {command} " in result.stdout


def test_the_cli_page_lists_every_command() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    commands = {name for panel in COMMANDS.values() for name in panel}
    missing = {name for name in commands if f"`{name}`" not in page}
    assert not missing, f"docs/cli.md lacks {sorted(missing)}"


@pytest.mark.parametrize(
    "arguments", [[], ["no-such-command"], ["deploy", "--no-such-option"], ["setup-roles"], ["keys"]]
)
def test_usage_errors_exit_with_2(der: RunDer, arguments: list[str]) -> None:
    assert der(*arguments).exit_code == 2


def test_a_library_error_is_one_line_on_stderr(der: RunDer) -> None:
    result = der("keys", "import", "alice", stdin="zz")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert (
        result.stderr
        == "error: a private key is text of 64 or 66 hexadecimal digits; or give a mnemonic of 12 or 24 words\n"
    )


def test_a_bug_keeps_its_traceback(der: RunDer, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("der_client.stacks.keys.PrivateKey.from_hex", broken)
    assert isinstance(der("keys", "import", "alice", stdin="00").exception, ZeroDivisionError)


def test_help_imports_no_heavy_modules() -> None:
    code = f"import sys, der_client.cli.app; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own program
    assert done.stdout.strip() == "[]"


def test_a_listing_command_imports_only_what_it_needs() -> None:
    """The command ends at its first request to the node; every import before that delays each run."""
    unneeded = ["asyncio", "cryptography", "polars", "sqlalchemy", "websockets", "yaml"]
    unneeded += ["der_client.demo", "der_client.index", "der_client.readings.table", "der_client.web"]
    code = f"""
import sys
from der_client.cli import main
sys.argv = ["der", "plants", "--url", "http://127.0.0.1:1"]
try:
    main()
finally:
    print("der_client.contracts" in sys.modules, [name for name in {unneeded} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stdout) == (1, "True []\n")
    assert done.stderr.startswith("error: no connection")


def test_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "der_client.cli", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("der ")


def test_help_has_whole_paragraphs_and_no_types_of_flags(der: RunDer) -> None:
    shown = der("keeper", "--help").stdout
    assert "It reads what is due from the chain" in shown
    assert "--once   " in shown
    assert not [line for line in shown.splitlines() if "--once" in line and "bool" in line]


@pytest.mark.parametrize(("text", "ustx"), [("576", 576), ("0", 0), ("576uSTX", 576), ("0.01STX", 10_000)])
def test_amounts_without_a_unit_are_in_ustx(text: str, ustx: int) -> None:
    assert read_ustx(text) == ustx


def test_a_folder_that_does_not_exist_is_not_created_for_an_output(der: RunDer, tmp_path: Path) -> None:
    output = tmp_path / "missing" / "x.py"
    result = der("generate", "contract.clar", "--output", output)
    assert result.exit_code == 1
    assert f"--output {output}: cannot be written" in result.stderr
    assert not output.parent.exists()


def test_a_wrong_word_is_reported_without_the_librarys_prefix(der: RunDer) -> None:
    result = der("certificate", "clam", "1")
    assert result.exit_code == 2
    assert "Value error" not in result.output
    assert "'clam' is not one of 'claim', 'retirement'" in " ".join(result.output.replace("│", " ").split())
