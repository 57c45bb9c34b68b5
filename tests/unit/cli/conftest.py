"""Fixtures that run commands as a user would, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest
from typer.testing import CliRunner

from der_client.cli.app import app
from der_client.stacks import keystore

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result


class RunDer(Protocol):
    def __call__(self, *arguments: str | Path, stdin: str = "") -> Result: ...


@pytest.fixture(autouse=True)
def _cheap_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keystore, "_SCRYPT", {"n": 1 << 4, "r": 8, "p": 1})


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("DER_PASSPHRASE", "correct horse")
    monkeypatch.delenv("DER_KEY", raising=False)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def der() -> RunDer:
    def run(*arguments: str | Path, stdin: str = "") -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)

    return run
