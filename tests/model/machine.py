"""A state machine in which Hypothesis decides who does what and when.

Hypothesis does not shrink a failing run: where it leaves out a step, all later steps change. Instead, concrete actions
are left out: see ``tests.model.runs.shortened``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from random import Random
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.model.runs import RunFailedError
from tests.model.step import Action
from tests.model.twin import DisagreementError, Twin

CHANCE = st.randoms(use_true_random=False)


class TradingMachine(RuleBasedStateMachine):
    """Everything that can happen to the five contracts; each step is compared with the model.

    Attributes:
        twin: Contracts and model; to be set before the machine runs.
    """

    twin: ClassVar[Twin]

    def __init__(self) -> None:
        super().__init__()
        self._undo = ExitStack()
        self._undo.enter_context(self.twin.anchor())
        self._actions: list[Action] = []

    def _next(self, kind: str, random: Random) -> None:
        self._actions.append(self.twin.draws(random).next(kind))
        with self._failing_with_all_actions():
            self.twin.do(self._actions[-1])

    @contextmanager
    def _failing_with_all_actions(self) -> Iterator[None]:
        try:
            yield
        except DisagreementError as error:
            actions, self._actions = self._actions, []
            raise RunFailedError(f"step {len(actions)}: {error}", actions) from error

    @rule(random=CHANCE)
    def time_passes(self, random: Random) -> None:
        """Let time pass to the end of a slot, a day or a window."""
        self._next("time", random)

    @rule(random=CHANCE)
    def register_changes(self, random: Random) -> None:
        """Change roles, plants, their owners, operators or meters."""
        self._next("assets", random)

    @rule(random=CHANCE)
    def production_is_recorded_or_reviewed(self, random: Random) -> None:
        """Record, verify, reject, dispute or adjust production."""
        self._next("production", random)

    @rule(random=CHANCE)
    def grid_acts(self, random: Random) -> None:
        """Change connections, limits, feeds or alerts."""
        self._next("grid", random)

    @rule(random=CHANCE)
    def energy_is_offered(self, random: Random) -> None:
        """Create or end offers, or retire energy."""
        self._next("market", random)

    @rule(random=CHANCE)
    def money_moves(self, random: Random) -> None:
        """Fund, settle, refund or claim payments, or change or withdraw fees."""
        self._next("settlement", random)

    def teardown(self) -> None:
        """Compare everything once more, and undo the run."""
        with self._undo, self._failing_with_all_actions():
            if self._actions:
                self.twin.compare_all()
