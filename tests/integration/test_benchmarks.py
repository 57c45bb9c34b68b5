"""The benchmarks that use a devnet do the right work; their speed is not tested."""

from __future__ import annotations

import pytest

from benchmarks import devnet, memory, suite
from benchmarks.measure import Scale


def test_the_devnet_and_the_simnet_do_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devnet, "HISTORY", 100)
    monkeypatch.setattr(devnet, "_BURST", 20)
    goals = {}
    with suite.works(["devnet"]) as works:
        for work in works:
            work.check()
            (peer,) = work.peers
            goals[work.name, peer.name] = (peer.scale, peer.goal)
            if work.turn_s is not None:
                assert work.run(9) > 0
                assert peer.run(2) > 0 or peer.scale is Scale.ADDED_S
    assert goals == {
        ("devnet: start to ready, contracts published", "initSimnet"): (Scale.TIME, 1.3),
        ("devnet: signed call to receipt, 8 clients", "direct SDK call"): (Scale.SPEED, 0.4),
        ("devnet: signed call to receipt, 1 client", "direct SDK call"): (Scale.SPEED, 0.2),
        ("devnet server: signed transactions", "direct SDK call"): (Scale.SPEED, 0.6),
        ("devnet server: read-only calls", "direct SDK call"): (Scale.SPEED, 0.6),
        ("index: behind 20 transactions at the devnet's full rate", "the clock"): (Scale.ADDED_S, 1.0),
        ("devnet: snapshot + revert after 100 transactions", "the clock"): (Scale.ADDED_S, 0.06),
    }


def test_the_outbox_does_the_same_work() -> None:
    goals = {}
    with suite.works(["sending"]) as works:
        for work in works:
            work.check()
            (peer,) = work.peers
            goals[work.name, peer.name] = (peer.scale, peer.goal)
            assert work.run(9) > 0
            assert peer.run(2) > 0
    assert goals == {
        ("outbox: jobs to mined, 1 lane", "devnet's own rate"): (Scale.SPEED, None),
        ("outbox: jobs to mined, 8 lanes", "devnet's own rate"): (Scale.SPEED, 0.7),
    }


def test_the_commands_work() -> None:
    goals: dict[tuple[str, str], tuple[Scale, float | None]] = {}
    with suite.works(["commands"]) as works:
        for work in works:
            if not goals:
                assert work.run(1) > 0
            work.check()
            (peer,) = work.peers
            goals[work.name, peer.name] = (peer.scale, peer.goal)
    names = ("plants", "plant 1", "production", "offers", "payments", "statement wallet_2", "certificates", "events")
    assert goals == {(f"der {name}", "the clock"): (Scale.ADDED_S, 1.0) for name in (*names, "balance wallet_1")}


def test_the_devnets_memory_is_split_into_parts() -> None:
    weights = list(memory.weights(20))
    assert [weight.transactions for weight in weights] == [weights[0].transactions + 2 * step for step in range(11)]
    for weight in weights:
        assert min(weight.vm, weight.copies, weight.rest) > 1 << 20
        assert weight.vm + weight.copies + weight.rest < weight.resident
