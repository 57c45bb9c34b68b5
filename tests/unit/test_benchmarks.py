"""The benchmarks do the right work: all contenders have the same results. Their speed is not tested."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console

from benchmarks import __main__ as program
from benchmarks import index, inputs, readings, suite, web
from benchmarks.measure import Peer, Result, Scale, Work, WrongResultError, measure, no_time, require_same
from benchmarks.peers import PeerError, Peers
from benchmarks.report import table
from der_client.stacks.clarity import UIntValue, encode
from der_client.stacks.transactions import ContractCall, Transaction

# Groups that need a devnet are tested in tests/integration, since a devnet takes seconds to start.
GROUPS = [group for group in suite.GROUPS if group not in {"commands", "devnet", "sending"}]


@pytest.fixture(scope="module")
def peers() -> Iterator[Peers]:
    with Peers() as running:
        yield running


def all_right() -> None:
    """Accept every result."""


def seconds(*durations: float) -> Any:
    """Return a runner whose turns take the given durations; the first turns are for warming up."""
    turns = iter(durations)
    return lambda times: next(turns) * times


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reduce the amount of work, since only the results are tested here."""
    monkeypatch.setattr(readings, "MINUTES_OF_A_YEAR", 2880)
    monkeypatch.setattr(readings, "LEAVES", 2000)
    monkeypatch.setattr(index, "CATCH_UP", (3, 2))
    monkeypatch.setattr(index, "MANY_SLOTS", (4, 5))
    monkeypatch.setattr(web, "MANY_SLOTS", (3, 8))


@pytest.mark.parametrize("group", GROUPS)
def test_all_contenders_have_the_same_results(group: str, peers: Peers) -> None:
    works = list(suite.GROUPS[group](peers))
    assert works
    for work in works:
        work.check()


@pytest.mark.parametrize("group", GROUPS)
def test_each_contender_can_be_timed(group: str, peers: Peers) -> None:
    for work in suite.GROUPS[group](peers):
        for run in (work.run, *(peer.run for peer in work.peers if peer.run is not no_time)):
            assert run(2) > 0


def test_goals_match_those_of_the_project(peers: Peers) -> None:
    goals = {
        (work.name, peer.name): (peer.scale, peer.goal)
        for group in GROUPS
        for work in suite.GROUPS[group](peers)
        for peer in work.peers
        if peer.goal is not None
    }
    build, many = "build + sign + serialize a 5-argument call", "a list of 200 4-field tuples"
    assert goals == {
        (build, "stacks.js"): (Scale.SPEED, 15),
        (build, "coincurve signature"): (Scale.SPEED, 0.45),
        ("decode that transaction, txid included", "stacks.js"): (Scale.SPEED, 8),
        ("decode a 7-field tuple", "stacks.js"): (Scale.SPEED, 5),
        ("encode a 7-field tuple", "stacks.js"): (Scale.SPEED, 12),
        (f"decode {many}", "stacks.js"): (Scale.SPEED, 2.4),
        (f"encode {many}", "stacks.js"): (Scale.SPEED, 10),
        ("decode a read-only result into its model", "untyped decode"): (Scale.TIME, 0.9),
        ("read-only call, local server, connection kept", "bare requests"): (Scale.TIME, 1.2),
        ("from der_client import Der", "bare Python start"): (Scale.ADDED_S, 0.3),
        ("read a year of one-minute data into days", "polars"): (Scale.TIME, 3),
        ("the same: peak memory of the process", "polars"): (Scale.MEMORY, 2),
        ("5 years of it: peak memory of the process", "one year"): (Scale.MEMORY, 2),
        ("Merkle tree over 2,000 leaves, hashed and all", "the clock"): (Scale.ADDED_S, 5),
        ("index: 5,000 events from an API's responses into SQLite", "the clock"): (Scale.ADDED_S, 1),
        **{
            (f"index with 1,920 slots: {page}", "the clock"): (Scale.ADDED_S, 0.05)
            for page in (
                "the overview",
                "a plant",
                "a week of a plant, slot by slot",
                "a year of a plant, day by day",
                "open offers",
                "what is due",
                "the last 100 events",
                "a month's sales of a plant",
            )
        },
        **{
            (f"pages over 2,304 slots: {page}", "the clock"): (Scale.ADDED_S, 0.05)
            for page in (
                "the overview",
                "plants",
                "a plant's year",
                "a day, slot by slot",
                "the market",
                "money",
                "what is due",
                "a buyer's month",
                "certificates",
                "a hundred payments as JSON",
            )
        },
    }


def test_the_built_transaction_is_a_signed_call_with_five_arguments(peers: Peers) -> None:
    build = next(suite.GROUPS["transactions"](peers))
    build.check()
    raw = bytes.fromhex(
        peers.work(
            "stacks.js build",
            {
                "contract": f"{inputs.DEPLOYER}.market-participation",
                "functionName": "retire-energy",
                "fee": inputs.FEE_USTX,
                "senderKey": inputs.KEY.to_hex(),
                "calls": [{"assetId": 1, "day": 20_454, "wh": 7, "beneficiary": inputs.ADDRESSES[3]}],
            },
        ).result(5)
    )
    transaction = Transaction.decode(raw)
    transaction.verify()
    assert transaction.nonce == 5
    assert isinstance(transaction.payload, ContractCall)
    assert [str(value) for value in transaction.payload.arguments] == [
        "u1",
        "u20454",
        "u7",
        inputs.ADDRESSES[3],
        '"own use"',
    ]


def test_inputs_have_the_sizes_in_their_names() -> None:
    assert {len(value.value) for value in inputs.TUPLES} == {7}
    assert {len(value.value) for value in inputs.LISTS} == {200}
    assert {len(item.value) for value in inputs.LISTS for item in value.value} == {4}
    assert len({encode(value) for value in inputs.TUPLES}) == len(inputs.TUPLES)


def test_a_peer_with_a_different_result_is_detected(peers: Peers) -> None:
    other = peers.work("stacks.js decode value", {"values": [encode(UIntValue(2)).hex()]})
    with pytest.raises(WrongResultError, match="decode"):
        require_same("decode", {"der_client": str(UIntValue(1)), "stacks.js": other.result(0)})


def test_long_results_are_shown_where_they_differ() -> None:
    with pytest.raises(WrongResultError) as caught:
        require_same("long", {"one": "a" * 10_000 + "b", "two": "a" * 10_000 + "c"})
    assert "aaab" in str(caught.value)
    assert len(str(caught.value)) < 500


def test_the_peer_process_survives_unknown_work_and_bad_inputs(peers: Peers) -> None:
    with pytest.raises(PeerError, match="no such work: nothing"):
        peers.work("nothing", {})
    with pytest.raises(PeerError):
        peers.work("stacks.js encode value", {"values": ["ff"]})
    assert peers.work("stacks.js encode value", {"values": ["03"]}).result(0) == "03"


def test_figures_are_medians_over_the_rounds() -> None:
    ours = seconds(1, 1, 2, 1)
    theirs = seconds(1, 1, 6, 4)
    (result,) = measure(Work("work", ours, (Peer("peer", theirs, goal=3),), all_right), rounds=3, turn_s=1)
    assert (result.figure, result.ours_s, result.theirs_s, result.is_met) == (3, 1, 4, True)


@pytest.mark.parametrize(
    ("scale", "ours", "theirs", "figure", "goal", "met"),
    [
        (Scale.SPEED, 2, 8, 4, 4, True),
        (Scale.SPEED, 2, 8, 4, 4.1, False),
        (Scale.TIME, 3, 4, 0.75, 0.9, True),
        (Scale.TIME, 4, 4, 1, 0.9, False),
        (Scale.ADDED_S, 5, 4.5, 0.5, 0.5, True),
        (Scale.ADDED_S, 5, 4.5, 0.5, 0.3, False),
    ],
)
def test_figures_and_goals_of_each_scale(
    scale: Scale, ours: float, theirs: float, figure: float, goal: float, met: bool
) -> None:
    assert scale.figure(ours, theirs) == pytest.approx(figure)
    assert scale.is_met(figure, goal) is met


def test_short_work_is_repeated_within_a_turn() -> None:
    asked: list[int] = []

    def run(times: int) -> float:
        asked.append(times)
        return times * 0.001

    measure(Work("work", run, (), all_right), rounds=2, turn_s=0.1)
    assert asked[-2:] == [100, 100]
    measure(Work("work", run, (), all_right, rounds=3, turn_s=0.2), rounds=2, turn_s=0.1)
    assert asked[-3:] == [200, 200, 200]


def test_against_the_clock_the_figure_is_our_own_time() -> None:
    (result,) = measure(
        Work("work", lambda times: times * 0.05, (Peer("the clock", no_time, Scale.ADDED_S, 0.06),), all_right),
        rounds=3,
        turn_s=0.1,
    )
    assert result.figure == pytest.approx(0.05)
    assert result.is_met


def run_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], work: Work, *arguments: str
) -> tuple[int, str, str]:
    monkeypatch.setattr(suite, "GROUPS", {"start": lambda _: iter([work])})
    status = program.main(["--rounds", "1", *arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def a_work(check: Any, goal: float) -> Work:
    return Work("some work", lambda times: times * 2.0, (Peer("a peer", lambda times: times * 4.0, goal=goal),), check)


def test_a_missed_goal_is_shown_but_is_not_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = run_program(monkeypatch, capsys, a_work(all_right, goal=3))
    assert status == 0
    assert "2.00x missed" in out


def test_a_wrong_result_is_a_failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def wrong() -> None:
        require_same("sum", {"der_client": 3, "stacks.js": 4})

    status, out, err = run_program(monkeypatch, capsys, a_work(wrong, goal=1))
    assert status == 1
    assert out == ""
    assert "sum: the results differ" in err


def test_results_are_printed_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run_program(monkeypatch, capsys, a_work(all_right, goal=2), "--json")
    assert status == 0
    (result,) = json.loads(out)["results"]
    assert result == {
        "work": "some work",
        "against": "a peer",
        "scale": "times as fast",
        "figure": 2.0,
        "quartiles": [2.0, 2.0],
        "goal": 2,
        "goal_met": True,
        "ours_s": 2.0,
        "theirs_s": 4.0,
    }


def test_a_comparison_without_a_goal_is_neither_met_nor_missed() -> None:
    assert Result("work", "peer", Scale.SPEED, 1, None, 1, 1, 1, 1).is_met is None


def test_a_terminal_of_80_columns_shows_every_figure() -> None:
    result = Result(
        work="index with 1,002,240 slots: a week of a plant, slot by slot",
        peer="coincurve signature alone",
        scale=Scale.ADDED_S,
        figure=1.1139,
        goal=5.0,
        low=1.1,
        high=1.2,
        ours_s=1.1139,
        theirs_s=0.0001,
    )
    console = Console(width=80)
    with console.capture() as capture:
        console.print(table([result]))
    shown = capture.get()
    assert "…" not in shown
    for figure in ("+1114 ms", "≤ +5000 ms", "1.11 s", "100.0 µs"):
        assert figure in shown
