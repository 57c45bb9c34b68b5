"""Draws the next action at random: usually one that makes sense in the model's current state, often slightly wrong.

All randomness comes from one ``random.Random``: a seeded one for long runs, or Hypothesis' own, which can be shrunk.
"""

from __future__ import annotations

from random import Random
from typing import Final

from tests.model.drawing.grid import GridDraws
from tests.model.drawing.market import MarketDraws
from tests.model.drawing.production import ProductionDraws
from tests.model.drawing.register import RegisterDraws
from tests.model.drawing.settlement import SettlementDraws
from tests.model.drawing.situation import Maker, Situation
from tests.model.drawing.waiting import Waiting
from tests.model.drawing.wrong_arguments import WrongArguments
from tests.model.reference import System
from tests.model.step import Action, Step, Wait

_ATTEMPTS: Final = 8
_WRONG_CALLER: Final = 0.07
_WRONG_ARGUMENT: Final = 0.14


class Draws(Situation):
    """Draws actions.

    Args:
        random: The source of all randomness.
        system: The model in its current state.
        names: Names by principal.
    """

    def __init__(self, random: Random, system: System, names: dict[str, str]) -> None:
        super().__init__(random, system, names)
        self.waiting = Waiting(random, system, names)
        self.wrong_arguments = WrongArguments(random, system)
        self.makers: dict[str, dict[Maker, int]] = {
            "time": self.waiting.makers(),
            "assets": RegisterDraws(random, system, names).makers(),
            "production": ProductionDraws(random, system, names).makers(),
            "grid": GridDraws(random, system, names).makers(),
            "market": MarketDraws(random, system, names).makers(),
            "settlement": SettlementDraws(random, system, names).makers(),
        }

    def next(self, kind: str | None = None) -> Action:
        """Draw the next action.

        Args:
            kind: The contract to call (``assets``, ``production``, ``grid``, ``market``, ``settlement``), or ``time``;
                any of them if not given. If nothing of the kind is possible, time passes.
        """
        groups = [self.makers[kind]] if kind is not None else list(self.makers.values())
        weights = {maker: weight for group in groups for maker, weight in group.items()}
        for _ in range(_ATTEMPTS):
            (maker,) = self.random.choices(list(weights), weights=list(weights.values()))
            made = maker()
            if isinstance(made, Wait):
                return made
            if made is not None:
                return self._a_little_wrong(made)
        return self.waiting.wait()

    def _a_little_wrong(self, made: Step) -> Step:
        """Now and then, change the caller or one argument."""
        if made.contract == "stx":
            return made
        actor = self.anybody() if self.chance(_WRONG_CALLER) else made.actor
        arguments = made.arguments
        if arguments and self.chance(_WRONG_ARGUMENT):
            name = self.pick(list(arguments))
            arguments = arguments | {name: self.wrong_arguments.instead_of(name, arguments[name], arguments)}
        return Step(actor, made.contract, made.function, arguments)
