"""Arguments are checked when they are passed: durations in seconds, and whole numbers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from math import inf, nan
from typing import Any

import pytest

from der_client.stacks.checks import check_seconds, is_whole_number
from der_client.stacks.errors import InvalidValueError
from der_client.stacks.pending import PendingTransaction
from der_client.stacks.rpc import Client, RetryPolicy, node

URL = "http://node.test"
TXID = "ab" * 32

TAKES_SECONDS: dict[str, Callable[[Any], object]] = {
    "timeout_s": lambda value: PendingTransaction(Client(URL), TXID).wait(value),
    "max_poll_s": lambda value: PendingTransaction(Client(URL), TXID).wait(max_poll_s=value),
    "timeout": lambda value: Client(URL, timeout=(1, value)),
    "response_deadline_s": lambda value: Client(URL, response_deadline_s=value),
    "within_s": lambda value: Client(URL).transaction(TXID, within_s=value),
    "within_s ": lambda value: Client(URL).run(node.info(), within_s=value),
    "backoff_s": lambda value: RetryPolicy(backoff_s=value),
    "max_wait_s": lambda value: RetryPolicy(max_wait_s=value),
    "poll_s": lambda value: Client(URL).stream_blocks(poll_s=value),
    "idle_s": lambda value: Client(URL).stream_blocks(idle_s=value),
}


@pytest.mark.parametrize("what", TAKES_SECONDS)
@pytest.mark.parametrize(
    "value", ["1", timedelta(seconds=1), True, nan, -1, -inf, 10**400], ids=lambda value: str(value)[:8]
)
def test_invalid_durations_are_rejected_with_the_arguments_name(what: str, value: object) -> None:
    with pytest.raises(
        InvalidValueError, match=f"^{what.strip()}: expected a number of seconds|is out of range for {what.strip()}: "
    ):
        TAKES_SECONDS[what](value)


def test_durations_are_checked_against_their_limits() -> None:
    assert [check_seconds(value, "x") for value in (0, 0.5, 3, inf)] == [0, 0.5, 3, inf]
    with pytest.raises(InvalidValueError, match="0 is out of range for x: more than 0 s"):
        check_seconds(0, "x", may_be_zero=False)
    with pytest.raises(InvalidValueError, match="inf is out of range for x: at least 0 s, at most 5 s"):
        check_seconds(inf, "x", most=5)


def test_a_bool_is_not_a_whole_number() -> None:
    assert [is_whole_number(value) for value in (1, True, 1.0, "1", None)] == [True, False, False, False, False]
