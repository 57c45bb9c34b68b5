"""What is known about an account's nonces, from responses that may be outdated."""

from __future__ import annotations

from itertools import islice

import pytest

from der_client.stacks import known_nonces
from der_client.stacks.known_nonces import KnownNonces, Misses
from der_client.stacks.rpc import Client, Nonces


def told(
    executed: int | None, last: int | None = None, waiting: tuple[int, ...] = (), missing: tuple[int, ...] = ()
) -> Nonces:
    highest = max(-1 if executed is None else executed, -1 if last is None else last)
    return Nonces(executed, last, highest + 1, missing=missing, in_mempool=waiting)


@pytest.fixture
def known() -> KnownNonces:
    return KnownNonces(Client("http://127.0.0.1:1"), lambda: "the account")


def free(known: KnownNonces, *own: int) -> list[int]:
    return list(islice(known.free(own), 3))


def test_free_nonces_follow_the_last_mined_one(known: KnownNonces) -> None:
    known.take(told(4), ())
    assert free(known) == [5, 6, 7]
    assert free(known, 5, 7) == [6, 8, 9]


def test_an_outdated_response_does_not_free_mined_nonces(known: KnownNonces) -> None:
    known.take(told(4), ())
    known.take(told(None), ())
    assert free(known) == [5, 6, 7]
    known.went_back(2)
    assert free(known) == [2, 3, 4]


def test_nonces_of_other_programs_are_skipped(known: KnownNonces) -> None:
    known.take(told(4, 7, (5, 6)), (6,))
    assert known.foreign == {5, 7}
    assert free(known, 6) == [8, 9, 10]


def test_all_nonces_up_to_the_last_of_a_new_account_count_as_used(known: KnownNonces) -> None:
    """Without a mined transaction, the API reports only the last nonce in the mempool."""
    known.take(told(None, 2), ())
    assert known.foreign == {0, 1, 2}
    assert free(known) == [3, 4, 5]


def test_a_gap_is_used_once_two_responses_report_it_missing(
    known: KnownNonces, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    known.take(told(4, 7, (6,), missing=(5,)), ())
    assert free(known) == [8, 9, 10]
    assert "nonce 5 of the account is missing" in caplog.text
    monkeypatch.setattr(known_nonces, "LOST_S", 0.0)
    known.take(told(4, 7, (6,), missing=(5,)), ())
    assert free(known) == [5, 8, 9]
    known.take(told(4, 7, (5, 6)), ())
    assert free(known) == [8, 9, 10], "it came after all"


def test_a_rejected_nonce_is_free_at_once(known: KnownNonces) -> None:
    known.take(told(4, 7, (5, 6)), (5, 6))
    known.freed(6)
    assert free(known, 5) == [6, 8, 9]
    known.given(6)
    assert free(known, 5, 6) == [8, 9, 10]


def test_a_nonce_that_the_node_reports_as_used_is_skipped_for_a_while(
    known: KnownNonces, monkeypatch: pytest.MonkeyPatch
) -> None:
    known.taken(0)
    known.take(told(None), ())
    assert free(known) == [1, 2, 3]
    monkeypatch.setattr(known_nonces, "_CONFLICT_S", 0.0)
    known.take(told(None), ())
    assert free(known) == [0, 1, 2]


def test_an_item_is_lost_only_if_it_is_still_missing_later(monkeypatch: pytest.MonkeyPatch) -> None:
    misses = Misses()
    assert not misses.is_lost("a")
    assert not misses.is_lost("a"), "too soon"
    monkeypatch.setattr(known_nonces, "LOST_S", 0.0)
    assert misses.is_lost("a")
    misses.found("a")
    assert "a" not in misses
    misses.is_lost("b")
    misses.keep(["a"])
    assert "b" not in misses
