"""All commands: each can be loaded, has help, and takes the shared options by the same names."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Annotated

import pytest
import typer
from typer.testing import CliRunner

from der_client.cli.app import COMMANDS
from der_client.cli.option_groups import grouped
from der_client.cli.options import OnContractsSending, Shape

if TYPE_CHECKING:
    from .conftest import RunDer

NAMES = [name for panel in COMMANDS.values() for name in panel]
MONEY = ["buy", "sell", "settle", "transfer", "call"]


@pytest.mark.parametrize("name", NAMES)
def test_each_has_help(der: RunDer, name: str) -> None:
    result = der(name, "--help")
    assert result.exit_code == 0, result.output
    assert "Usage: " in result.stdout


def test_help_names_all_in_their_panels(der: RunDer) -> None:
    shown = der("--help").stdout
    assert all(panel in shown for panel in COMMANDS)
    assert all(f" {name} " in shown for name in NAMES)


@pytest.mark.parametrize("name", MONEY)
def test_what_moves_money_asks_unless_told(der: RunDer, name: str) -> None:
    shown = der(name, "--help").stdout
    for option in ("--yes", "--key", "--max-fee", "--url", "--profile", "--timeout"):
        assert option in shown


def test_a_misspelled_command_is_suggested(der: RunDer) -> None:
    result = der("plnts")
    assert result.exit_code == 2
    assert "Did you mean 'plant" in result.stderr


def test_options_of_groups_become_the_commands_own() -> None:
    seen: list[object] = []

    @grouped
    def command(what: Annotated[str, typer.Argument()], *, on: OnContractsSending, shape: Shape, more: int = 1) -> None:
        seen.extend([what, on.url, on.yes, shape.as_json, more])

    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, ["x", "--url", "http://h:1", "--yes", "--json", "--more", "3"])
    assert result.exit_code == 0, result.output
    assert seen == ["x", "http://h:1", True, True, 3]


def test_two_forms_at_once_are_refused(der: RunDer) -> None:
    result = der("plants", "--json", "--csv", "--url", "http://127.0.0.1:1")
    assert result.exit_code == 1
    assert result.stderr == "error: --json and --csv: give only one of them\n"


def test_the_shell_completes_names() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "der_client.cli"],
        env={**os.environ, "_DER_COMPLETE": "complete_bash",
             "COMP_WORDS": "der read mar", "COMP_CWORD": "2"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["market-participation"]


@pytest.mark.parametrize("amount", ["-5kWh", "-5", "-.5kWh"])
def test_a_negative_amount_is_not_taken_for_an_option(der: RunDer, amount: str) -> None:
    result = der("buy", amount, "--url", "http://127.0.0.1:1", "--key", "nobody")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ENERGY: ")
