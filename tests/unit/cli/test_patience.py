"""Services that start before their node."""

from __future__ import annotations

import time

import pytest

from der_client.cli.patience import until_reachable
from der_client.stacks.errors import InvalidValueError, NodeUnreachableError


def test_a_node_that_is_down_is_waited_for(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)

    def connect() -> str:
        if len(pauses) < 8:
            raise NodeUnreachableError("refused", "http://localhost:1")
        return "connected"

    assert until_reachable(connect) == "connected"
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert capsys.readouterr().err.count("trying again") == 8


def test_other_errors_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("nothing to wait for"))

    def connect() -> str:
        raise InvalidValueError("another network")

    with pytest.raises(InvalidValueError):
        until_reachable(connect)
