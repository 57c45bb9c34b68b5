"""Services that start before their node wait for it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from der_client.cli.app import app
from der_client.cli.patience import until_reachable
from der_client.stacks.errors import InvalidValueError, NodeUnreachableError
from der_client.stacks.keys import PrivateKey


def test_an_unreachable_node_is_retried_with_growing_pauses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)

    def connect() -> str:
        if len(pauses) < 8:
            raise NodeUnreachableError("refused", "http://localhost:1")
        return "connected"

    assert until_reachable(connect) == "connected"
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert capsys.readouterr().err.count("trying again") == 8


def test_other_errors_are_not_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("nothing to wait for"))

    def connect() -> str:
        raise InvalidValueError("another network")

    with pytest.raises(InvalidValueError):
        until_reachable(connect)


@pytest.mark.parametrize("command", [["keeper"], ["gateway", "--store", "FILE"], ["index", "--database", "FILE"]])
def test_services_wait_for_the_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: list[str]) -> None:
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        if seconds >= 1:  # shorter ones are between the attempts of one request
            pauses.append(seconds)
        if len(pauses) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setenv("DER_KEY", PrivateKey.generate().to_hex())
    words = [str(tmp_path / "file") if word == "FILE" else word for word in command]
    done = CliRunner().invoke(app, [*words, "--url", "http://127.0.0.1:1"])
    assert pauses == [1, 2, 4], done.output
