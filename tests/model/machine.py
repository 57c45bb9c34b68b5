"""The state machine: hypothesis decides who does what when.

A run that fails is not shrunk by hypothesis, whose way of leaving out a step changes what all later ones mean, but by
leaving out concrete actions: see ``tests.model.runs.shortened``.
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
        twin: Contracts and model; set before it runs.
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
        """To the end of a slot, a day, a window."""
        self._next("time", random)

    @rule(random=CHANCE)
    def register_changes(self, random: Random) -> None:
        """Roles, plants, their owners, operators and meters."""
        self._next("assets", random)

    @rule(random=CHANCE)
    def production_is_recorded_or_reviewed(self, random: Random) -> None:
        """Slots, days, disputes, adjustments."""
        self._next("production", random)

    @rule(random=CHANCE)
    def grid_acts(self, random: Random) -> None:
        """Connections, limits, feeds, alerts."""
        self._next("grid", random)

    @rule(random=CHANCE)
    def energy_is_offered(self, random: Random) -> None:
        """Offers and retirements."""
        self._next("market", random)

    @rule(random=CHANCE)
    def money_moves(self, random: Random) -> None:
        """Funding, settling, refunding, fees."""
        self._next("settlement", random)

    def teardown(self) -> None:
        """Compare everything once more, and undo it."""
        with self._undo, self._failing_with_all_actions():
            if self._actions:
                self.twin.compare_all()
