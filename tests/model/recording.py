"""The chain's answers, recorded and played again: to see that a wrong model, or a wrong answer, is noticed."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from der_client.stacks.clarity import ClarityValue
from der_client.stacks.contract.events import EventRecord
from tests.model.chain import AssetDays
from tests.model.outcome import Outcome
from tests.model.step import Step
from tests.model.twin import Answers, DisagreementError


@dataclass
class Exchange:
    """A question and its answer."""

    question: tuple[Any, ...]
    answer: Any


class _Asker:
    """Turns each question to the chain into one of a kind."""

    addresses: dict[str, str]

    def ask(self, *question: Any) -> Any:
        """Answer a question: the method's name and its arguments."""
        raise NotImplementedError

    @contextmanager
    def anchor(self) -> Iterator[None]:
        """Nothing needs to be undone."""
        yield

    def wait(self, until: int) -> None:
        """Let time pass."""
        self.ask("wait", until)

    def send(self, step: Step) -> Outcome:
        """Call a function."""
        answer: Outcome = self.ask("send", step)
        return answer

    def glance(self, holders: Sequence[str] = ()) -> dict[str, Any]:
        """Time and balances."""
        answer: dict[str, Any] = self.ask("glance", holders)
        return answer

    def look(
        self,
        asset_ids: Sequence[int] = (),
        days: AssetDays = (),
        offer_ids: Sequence[int] = (),
        payment_ids: Sequence[int] = (),
        creditors: Sequence[str] = (),
    ) -> dict[str, Any]:
        """All totals, and some of each kind of thing."""
        answer: dict[str, Any] = self.ask("look", asset_ids, days, offer_ids, payment_ids, creditors)
        return answer

    def entry(self, contract: str, map_name: str, key: ClarityValue) -> Any:
        """An entry of a map."""
        return self.ask("entry", contract, map_name, key)

    def variable(self, contract: str, name: str) -> Any:
        """A variable."""
        return self.ask("variable", contract, name)

    def events(self) -> list[EventRecord]:
        """All that was printed."""
        answer: list[EventRecord] = self.ask("events")
        return answer


class Recorder(_Asker):
    """Passes questions on, and keeps the answers.

    Args:
        chain: Who answers.
    """

    def __init__(self, chain: Answers) -> None:
        self.chain = chain
        self.addresses = chain.addresses
        self.exchanges: list[Exchange] = []

    def ask(self, *question: Any) -> Any:
        """Answer, and keep the answer."""
        answer = getattr(self.chain, question[0])(*question[1:])
        self.exchanges.append(Exchange(question, copy.deepcopy(answer)))
        return answer


class Player(_Asker):
    """Gives recorded answers, one after the other.

    Args:
        addresses: Everybody's principal by name.
        exchanges: The recorded answers.
    """

    def __init__(self, addresses: dict[str, str], exchanges: Sequence[Exchange]) -> None:
        self.addresses = addresses
        self._left = iter(exchanges)

    def ask(self, *question: Any) -> Any:
        """Answer as recorded.

        Raises:
            DisagreementError: Something else was asked then: the model has gone another way.
        """
        exchange = next(self._left, None)
        if exchange is None or exchange.question != question:
            raise DisagreementError(f"the model asks {question}")
        return copy.deepcopy(exchange.answer)
