"""Contracts and model agree, whatever happens."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import TradingMachine
from tests.model.twin import Twin

SHORT = settings(
    max_examples=8,
    stateful_step_count=60,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_contracts_and_model_agree(twin: Twin) -> None:
    TradingMachine.twin = twin
    run_state_machine_as_test(TradingMachine, settings=SHORT)
