"""Records the responses of the chain and replays them, to check that a wrong model or a wrong response is detected."""

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
    """A request to the chain and its response."""

    question: tuple[Any, ...]
    answer: Any


class _Asker:
    """Turns each method call of a chain into a request that subclasses handle."""

    addresses: dict[str, str]

    def ask(self, *question: Any) -> Any:
        """Handle a request: the method's name and its arguments."""
        raise NotImplementedError

    @contextmanager
    def anchor(self) -> Iterator[None]:
        """Do nothing: there is nothing to undo."""
        yield

    def wait(self, until: int) -> None:
        """Let time pass."""
        self.ask("wait", until)

    def send(self, step: Step) -> Outcome:
        """Call a function."""
        answer: Outcome = self.ask("send", step)
        return answer

    def glance(self, holders: Sequence[str] = ()) -> dict[str, Any]:
        """Return the chain time and balances."""
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
        """Return all totals, and some items of each kind."""
        answer: dict[str, Any] = self.ask("look", asset_ids, days, offer_ids, payment_ids, creditors)
        return answer

    def entry(self, contract: str, map_name: str, key: ClarityValue) -> Any:
        """Return an entry of a map."""
        return self.ask("entry", contract, map_name, key)

    def variable(self, contract: str, name: str) -> Any:
        """Return a variable."""
        return self.ask("variable", contract, name)

    def events(self) -> list[EventRecord]:
        """Return all events."""
        answer: list[EventRecord] = self.ask("events")
        return answer


class Recorder(_Asker):
    """Forwards requests to a chain and records the responses.

    Args:
        chain: The chain that responds.
    """

    def __init__(self, chain: Answers) -> None:
        self.chain = chain
        self.addresses = chain.addresses
        self.exchanges: list[Exchange] = []

    def ask(self, *question: Any) -> Any:
        """Forward a request and record the response."""
        answer = getattr(self.chain, question[0])(*question[1:])
        self.exchanges.append(Exchange(question, copy.deepcopy(answer)))
        return answer


class Player(_Asker):
    """Replays recorded responses in order.

    Args:
        addresses: The principals of all people and contracts, by name.
        exchanges: The recorded requests and responses.
    """

    def __init__(self, addresses: dict[str, str], exchanges: Sequence[Exchange]) -> None:
        self.addresses = addresses
        self._left = iter(exchanges)

    def ask(self, *question: Any) -> Any:
        """Return the recorded response.

        Raises:
            DisagreementError: If the request differs from the recorded one, because the model behaves differently.
        """
        exchange = next(self._left, None)
        if exchange is None or exchange.question != question:
            raise DisagreementError(f"the model asks {question}")
        return copy.deepcopy(exchange.answer)
