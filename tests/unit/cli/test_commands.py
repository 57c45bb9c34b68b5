"""Every command can be loaded, has help, and uses the same names for shared options."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from der_client.cli.app import COMMANDS, app
from der_client.cli.option_groups import grouped
from der_client.cli.options import OnContractsSending, Shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import RunDer

ROOT = Path(__file__).parents[3]
NAMES = [name for panel in COMMANDS.values() for name in panel]
WITHOUT_JSON = {
    "certificate": "it writes a file, which is JSON",
    "console": "a person uses it",
    "gateway": "it runs until it is stopped, and logs",
    "generate": "it writes Python",
    "outbox cancel": "its exit code says it all",
    "outbox retry": "its exit code says it all",
    "profile remove": "its exit code says it all",
    "profile use": "its exit code says it all",
    "readings formats": "a person picks one",
    "readings inspect": "it prints TOML, to be kept as a format",
    "serve": "it runs until it is stopped, and logs",
}
MONEY = ["buy", "sell", "settle", "transfer", "call"]


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help(der: RunDer, name: str) -> None:
    result = der(name, "--help")
    assert result.exit_code == 0, result.output
    assert "Usage: " in result.stdout


def test_help_lists_all_panels_and_commands(der: RunDer) -> None:
    shown = der("--help").stdout
    assert all(panel in shown for panel in COMMANDS)
    assert all(f" {name} " in shown for name in NAMES)


def each_command() -> Iterator[tuple[str, Any]]:
    """Yield all commands, including those in groups, with the words that a user types."""
    top: Any = get_command(app)
    for name in NAMES:
        command = top.get_command(None, name)
        parts = getattr(command, "commands", None)
        yield from [(name, command)] if parts is None else ((f"{name} {part}", parts[part]) for part in parts)


def test_every_command_has_json_output_or_a_reason_not_to() -> None:
    with_json = {name for name, command in each_command() for each in command.params if "--json" in each.opts}
    without = {name for name, _ in each_command()} - with_json
    missing = sorted(without - WITHOUT_JSON.keys())
    assert not missing, f"{missing}: show results by a Shape of cli/options.py, or say here why there is no --json"
    assert not WITHOUT_JSON.keys() - without, "they have --json now"


def words_in_code(node: ast.AST) -> list[str]:
    """Return the words of a text that has several, or the leading constants among arguments or elements."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        words = node.value.split()
        return words if len(words) > 1 else []
    parts = node.args if isinstance(node, ast.Call) else getattr(node, "elts", [])
    return [part.value for part in takewhile(lambda part: isinstance(part, ast.Constant), parts)]


def test_each_command_is_run_by_a_test() -> None:
    run = set()
    for folder in ("tests/unit/cli", "tests/integration"):
        for file in {*(ROOT / folder).rglob("*.py")} - {Path(__file__)}:
            for node in ast.walk(ast.parse(file.read_text())):
                words = [str(word) for word in words_in_code(node)]
                if "der_client.cli" in words:
                    words = words[words.index("der_client.cli") + 1 :]
                words = words[words[:1] == ["der"] :]
                run |= {" ".join(words[:length]) for length in (1, 2)}
    missing = sorted({name for name, _ in each_command()} - run)
    assert not missing, f"{missing}: run them in a test, such as those of tests/integration"


def test_every_argument_and_option_has_a_help_text() -> None:
    silent = [
        f"{name}: {parameter.name}"
        for name, command in each_command()
        for parameter in command.params
        if not getattr(parameter, "help", None)
    ]
    assert not silent, f"these lack a help text: {silent}"


@pytest.mark.parametrize("name", MONEY)
def test_commands_that_move_money_have_the_shared_options(der: RunDer, name: str) -> None:
    shown = der(name, "--help").stdout
    for option in ("--yes", "--key", "--max-fee", "--url", "--profile", "--timeout"):
        assert option in shown


def test_a_misspelled_command_gets_a_suggestion(der: RunDer) -> None:
    result = der("plnts")
    assert result.exit_code == 2
    assert "Did you mean 'plant" in result.stderr


def test_grouped_options_become_options_of_the_command() -> None:
    seen: list[object] = []

    @grouped
    def command(what: Annotated[str, typer.Argument()], *, on: OnContractsSending, shape: Shape, more: int = 1) -> None:
        seen.extend([what, on.url, on.yes, shape.as_json, more])

    alone = typer.Typer()
    alone.command()(command)
    result = CliRunner().invoke(alone, ["x", "--url", "http://h:1", "--yes", "--json", "--more", "3"])
    assert result.exit_code == 0, result.output
    assert seen == ["x", "http://h:1", True, True, 3]


def test_two_output_formats_at_once_are_rejected(der: RunDer) -> None:
    result = der("plants", "--json", "--csv", "--url", "http://127.0.0.1:1")
    assert result.exit_code == 1
    assert result.stderr == "error: --json and --csv: give only one of them\n"


def test_shell_completion_completes_contract_names() -> None:
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
def test_a_negative_amount_is_not_parsed_as_an_option(der: RunDer, amount: str) -> None:
    result = der("buy", amount, "--url", "http://127.0.0.1:1", "--key", "nobody")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ENERGY: ")
