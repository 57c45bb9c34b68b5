"""Errors: they survive copying and pickling, and their messages stay short."""

from __future__ import annotations

import copy
import pickle

import pytest

from der_client.stacks.errors import (
    ContractError,
    DecodeError,
    DerClientError,
    LiteralError,
    NodeResponseError,
    TransactionRejectedError,
    shown,
)

URL = "http://localhost:20443/v2/info"


@pytest.mark.parametrize(
    "error",
    [
        DerClientError("wrong"),
        DecodeError("wrong", 7),
        LiteralError("wrong", 7),
        NodeResponseError("wrong", URL),
        TransactionRejectedError("wrong", URL, reason="BadNonce", data={"expected": 1}, txid="00"),
        ContractError("wrong", "00", contract="ST1.a", function="f", name="ERR_NOT_OWNER", code=7),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_survive_copying_and_pickling(error: DerClientError) -> None:
    for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301 - our own bytes
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert vars(again) == vars(error)


def test_any_value_is_shown_in_short_form() -> None:
    loop: list[object] = []
    loop.append(loop)
    assert shown("a") == "'a'"
    assert shown(10**5000) == "<int>"
    assert shown(loop) == "[[...]]"
    assert shown("a" * 10**6).endswith("… (1000002 characters)")
    assert len(shown("a" * 10**6)) < 250
