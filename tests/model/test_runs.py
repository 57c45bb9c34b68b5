"""Long runs are repeatable, and failed runs are shortened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import cast

import pytest

from der_client.contracts.asset_verification import AssetError, Role
from tests.model.coverage import OK, Ending, never_reached, report
from tests.model.people import CONTRACT_OWNER, PEOPLE
from tests.model.runs import RunFailedError, play, shortened
from tests.model.step import Action, Wait, step
from tests.model.twin import DisagreementError, Twin


class Fussy:
    """A twin that fails when 7 comes after 3."""

    def __init__(self) -> None:
        self.done: list[int] = []

    @contextmanager
    def anchor(self) -> Iterator[None]:
        self.done = []
        yield

    def do(self, action: Wait) -> None:
        self.done.append(action.until)
        if action.until == 7 and 3 in self.done:
            raise DisagreementError("7 after 3")

    def compare_all(self) -> None:
        """Find no differences."""


def test_a_failed_run_is_shortened_to_the_actions_needed() -> None:
    actions: list[Action] = [Wait(number) for number in (*range(20), 7, 8, 3, 9, 7, 1)]
    assert shortened(cast(Twin, Fussy()), actions) == [Wait(3), Wait(7)]


def test_a_failed_run_keeps_all_its_actions(twin: Twin) -> None:
    impatient = Impatient(twin)
    with pytest.raises(RunFailedError, match="seed any, step 3: enough of") as caught:
        play(cast(Twin, impatient), "any", 5)
    assert caught.value.actions == impatient.done


class Impatient:
    """A twin that disagrees on the third action, whatever it is."""

    def __init__(self, twin: Twin) -> None:
        self.twin = twin
        self.done: list[Action] = []

    @contextmanager
    def anchor(self) -> Iterator[None]:
        yield

    def draws(self, random: Random) -> object:
        return self.twin.draws(random)

    def do(self, action: Action) -> None:
        self.done.append(action)
        if len(self.done) == 3:
            raise DisagreementError(f"enough of {action}")


def test_the_same_seed_draws_the_same_actions(twin: Twin) -> None:
    first, second = ([twin.draws(Random("7")).next() for _ in range(3)] for _ in range(2))  # noqa: S311  # repeatable
    assert first == second


def test_the_repr_of_an_action_is_the_python_that_creates_it() -> None:
    action = step("alice", "assets.set_operator", asset_id=1, operator=None, min_price_ustx_per_kwh=0)
    text = 'step("alice", "assets.set_operator", asset_id=1, operator=None, min_price_ustx_per_kwh=0)'
    assert repr(action) == text
    assert eval(text, {"step": step}) == action  # noqa: S307  # our own text


def test_coverage_lists_what_was_never_reached() -> None:
    seen: Counter[tuple[str, Ending]] = Counter({("assets.verify_asset", OK): 2})
    missing = never_reached(seen)
    assert {"ERR_NOT_REGISTRAR (u1005)", "no failing assets.verify_asset"} <= set(missing)
    assert "no succeeding assets.verify_asset" not in missing
    seen["assets.verify_asset", AssetError.ERR_NOT_REGISTRAR] += 1
    gone = {"ERR_NOT_REGISTRAR (u1005)", "no failing assets.verify_asset"}
    assert set(missing) - set(never_reached(seen)) == gone
    assert "assets.verify_asset" in report(seen)


def test_a_contract_with_a_role_does_not_act(twin: Twin) -> None:
    with twin.anchor():
        for granted, who in ((False, "paul"), (True, "settlement")):
            arguments = {"role": Role.PAUSER, "who": who, "region": "", "granted": granted}
            twin.do(step(CONTRACT_OWNER, "assets.set_role", **arguments))
        assert twin.draws(Random(1)).holder(Role.PAUSER) in PEOPLE  # noqa: S311
