"""Contracts and model agree, whatever happens."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import TradingMachine
from tests.model.play import replay
from tests.model.regressions import REGRESSIONS
from tests.model.twin import Twin

SHORT = settings(
    max_examples=6,
    stateful_step_count=50,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_contracts_and_model_agree(twin: Twin) -> None:
    TradingMachine.twin = twin
    run_state_machine_as_test(TradingMachine, settings=SHORT)


@pytest.mark.parametrize("name", REGRESSIONS)
def test_what_was_once_disagreed_on(twin: Twin, name: str) -> None:
    replay(twin, REGRESSIONS[name])
