"""Helpers that run ``der`` commands in this process and read their output."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from typer.testing import CliRunner

from der_client.cli.app import app

if TYPE_CHECKING:
    from typer.testing import Result

WIDTH = 80


def run(*arguments: object, stdin: str = "") -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)


def answer(*arguments: object) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def rows(*arguments: object) -> list[dict[str, str]]:
    result = run(*arguments, "--csv")
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(io.StringIO(result.stdout)))


def table(*arguments: object) -> str:
    """Run a command and return its output as text, which must fit the terminal."""
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    for line in result.stdout.splitlines():
        assert len(line) <= WIDTH, line
    return str(result.stdout)


def failure(*arguments: object) -> str:
    """Run a command that must fail, and return its error: the last line of stderr, with nothing on stdout."""
    result = run(*arguments)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    last = str(result.stderr).splitlines()[-1]
    assert last.startswith("error: ")
    return last.removeprefix("error: ")
