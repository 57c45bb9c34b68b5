"""Contracts and model agree, whatever happens."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import TradingMachine
from tests.model.reference.assets import Assets
from tests.model.regressions import REGRESSIONS
from tests.model.runs import RunFailedError, replay, told_shortly
from tests.model.twin import Twin

SHORT = settings(
    max_examples=6,
    stateful_step_count=50,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_contracts_and_model_agree(twin: Twin) -> None:
    TradingMachine.twin = twin
    try:
        run_state_machine_as_test(TradingMachine, settings=SHORT)
    except RunFailedError as error:
        pytest.fail(told_shortly(twin, error))


def test_a_broken_rule_is_found_and_reported_as_a_short_run(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    TradingMachine.twin = twin
    monkeypatch.setattr(Assets, "suspend_asset", lambda *_, **__: True)
    with pytest.raises(RunFailedError) as caught:
        run_state_machine_as_test(TradingMachine, settings=settings(SHORT, max_examples=200))
    (only,) = told_shortly(twin, caught.value).partition("shortened:\n")[2].splitlines()
    assert '"assets.suspend_asset"' in only


@pytest.mark.parametrize("name", REGRESSIONS)
def test_contracts_and_model_agree_on_former_differences(twin: Twin, name: str) -> None:
    replay(twin, REGRESSIONS[name])
