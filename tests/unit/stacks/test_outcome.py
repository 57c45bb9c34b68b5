"""The outcome of a transaction, from the API's status, the result and the node's message."""

from __future__ import annotations

import pytest

from der_client.stacks.clarity import BoolValue, ClarityValue, ErrValue, NoneValue, OkValue, UIntValue, encode
from der_client.stacks.errors import (
    AnalysisFailedError,
    DerClientError,
    PostConditionAbortedError,
    RuntimeAbortedError,
    TransactionDroppedError,
    TransactionFailedError,
)
from der_client.stacks.outcome import OutcomeKind, outcome_of, read_outcome
from der_client.stacks.unmet import UnmetPostCondition, read_unmet

OWNER = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"
USD = f"{OWNER}.usd-token::usd"
STX_TEXT = "S1G2081040G2081040G2081040G208105NK8PE5.__transient::STX"
TOKEN = '(tuple (name "a b: c"))'
FAILURE = "Post-condition check failure"
ERR_NONE, ERR_7, OK = ErrValue(NoneValue()), ErrValue(UIntValue(7)), OkValue(BoolValue(value=True))


@pytest.mark.parametrize(
    ("status", "result", "words", "publishes", "kind", "error"),
    [
        ("success", OK, None, False, OutcomeKind.SUCCESS, None),
        ("pending", None, None, False, OutcomeKind.WAITING, None),
        ("abort_by_response", ERR_7, None, False, OutcomeKind.CONTRACT_ERROR, TransactionFailedError),
        ("abort_by_response", ERR_NONE, None, False, OutcomeKind.CONTRACT_ERROR, TransactionFailedError),
        (
            "abort_by_response",
            ERR_NONE,
            "UnwrapFailure\n Stack Trace: \n",
            False,
            OutcomeKind.RUNTIME_ERROR,
            RuntimeAbortedError,
        ),
        ("abort_by_response", ERR_NONE, "DivisionByZero", True, OutcomeKind.RUNTIME_ERROR, RuntimeAbortedError),
        (
            "abort_by_response",
            ERR_NONE,
            "EarlyReturn(AssertionFailed(Response(…)))",
            True,
            OutcomeKind.RUNTIME_ERROR,
            RuntimeAbortedError,
        ),
        (
            "abort_by_response",
            ERR_NONE,
            "use of unresolved function 'foo'",
            True,
            OutcomeKind.ANALYSIS_ERROR,
            AnalysisFailedError,
        ),
        (
            "abort_by_response",
            ERR_NONE,
            ":3:14: Tried to close list which isn't open.",
            True,
            OutcomeKind.ANALYSIS_ERROR,
            AnalysisFailedError,
        ),
        ("abort_by_post_condition", OK, None, False, OutcomeKind.POST_CONDITION, PostConditionAbortedError),
        ("abort_by_post_condition", ERR_7, f"{FAILURE} …", False, OutcomeKind.CONTRACT_ERROR, TransactionFailedError),
        ("problematic_skipped", ERR_NONE, None, False, OutcomeKind.PROBLEMATIC, TransactionFailedError),
        ("dropped_replace_by_fee", None, None, False, OutcomeKind.REPLACED, TransactionDroppedError),
        ("dropped_stale_garbage_collect", None, None, False, OutcomeKind.DROPPED, TransactionDroppedError),
    ],
)
def test_each_outcome_has_its_error(
    status: str,
    result: ClarityValue | None,
    words: str | None,
    publishes: bool,
    kind: OutcomeKind,
    error: type[DerClientError] | None,
) -> None:
    raw = None if result is None else encode(result)
    outcome = read_outcome(status, raw, words, txid="ab" * 32, is_publication=publishes)
    assert outcome.kind is kind
    raised = outcome.error("transaction ab…")
    if error is None:
        assert raised is None
        return
    assert type(raised) is error
    assert "transaction ab…" in str(raised)
    assert raised.txid == "ab" * 32  # type: ignore[attr-defined]
    if words and kind is not OutcomeKind.CONTRACT_ERROR:
        assert words.splitlines()[0] in str(raised)


def test_an_unknown_transaction_has_no_error() -> None:
    outcome = outcome_of(None, "ab" * 32)
    assert (outcome.kind, outcome.txid, outcome.error("it"), outcome.kind.is_mined) == (
        OutcomeKind.UNKNOWN,
        "ab" * 32,
        None,
        False,
    )


def test_errors_contain_the_result_and_the_nodes_message() -> None:
    refused = read_outcome("abort_by_response", encode(ERR_7), None).error("it")
    assert isinstance(refused, TransactionFailedError)
    assert refused.result == UIntValue(7)
    sentence = f"{FAILURE} on fungible asset {USD} owned by {OWNER}: 4 SentEq 5"
    aborted = read_outcome("abort_by_post_condition", encode(OK), sentence).error("it")
    assert isinstance(aborted, PostConditionAbortedError)
    assert aborted.sentence == sentence
    assert aborted.unmet == UnmetPostCondition(sentence, USD, OWNER, "SentEq", expected=4, moved=5)
    assert sentence in str(aborted)
    unpublished = read_outcome("abort_by_response", encode(ERR_NONE), ":1:2: bad", is_publication=True).error("it")
    assert isinstance(unpublished, AnalysisFailedError)
    assert unpublished.finding == ":1:2: bad"


@pytest.mark.parametrize(
    ("sentence", "fields"),
    [
        (f"{FAILURE} on STX owned by {OWNER}: 10 SentLe 12", ("STX", OWNER, "SentLe", 10, 12, "", False)),
        (
            f"{FAILURE} on STX owned by {OWNER}.some-pool: 10 SentLe 12",
            ("STX", f"{OWNER}.some-pool", "SentLe", 10, 12, "", False),
        ),
        (
            f"{FAILURE} on non-fungible asset {OWNER}.names::names owned by {OWNER}: {TOKEN} NotSent (sent 1 value(s))",
            (f"{OWNER}.names::names", OWNER, "NotSent", None, None, TOKEN, False),
        ),
        (
            f"{FAILURE}: Fungible asset {STX_TEXT} was moved by {OWNER} but not checked",
            ("STX", OWNER, "", None, None, "", True),
        ),
        (
            f"{FAILURE}: Fungible asset {USD} was moved by {OWNER} but not checked",
            (USD, OWNER, "", None, None, "", True),
        ),
        (
            f"{FAILURE}: Non-fungible asset {OWNER}.names::names value u7 was moved by {OWNER} but not checked",
            (f"{OWNER}.names::names", OWNER, "", None, None, "u7", True),
        ),
        (
            f"{FAILURE} on STX staked by {OWNER}: 5 SentGe 0",
            ("staked STX", OWNER, "SentGe", 5, 0, "", False),
        ),
        (
            f"{FAILURE} on PoX action by {OWNER}: Performed performed=false",
            ("PoX action", OWNER, "Performed", None, None, "", False),
        ),
    ],
)
def test_a_nodes_post_condition_messages_are_parsed(sentence: str, fields: tuple[object, ...]) -> None:
    unmet = read_unmet(sentence)
    assert unmet is not None
    assert unmet.sentence == sentence
    read = unmet.asset, unmet.owner, unmet.code, unmet.expected, unmet.moved, unmet.token, unmet.is_uncovered
    assert read == fields


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        FAILURE,
        f"{FAILURE} on STX owned by {OWNER}: many SentEq",
        "something new",
        f"{FAILURE} on STX owned by {OWNER}: 1 Sent " + "9" * 5_000,
    ],
)
def test_unknown_messages_remain_text(sentence: str) -> None:
    unmet = read_unmet(sentence)
    assert unmet is None or unmet.moved is None
    error = read_outcome("abort_by_post_condition", encode(OK), sentence).error("it")
    assert isinstance(error, PostConditionAbortedError)
    assert error.sentence == sentence
    assert len(str(error)) < 1_000
