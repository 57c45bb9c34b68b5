"""The contracts on a devnet and their model, side by side: every action must have the same effect on both.

After each step, the result or error, all balances and the entries that the call may have written are compared. At
regular intervals, all totals and everything that the contracts derive from the touched items are compared as well; at
the end of a run, everything is.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from random import Random
from typing import Any, Final, Protocol, Self

from der_client.stacks.clarity import ClarityValue
from der_client.stacks.contract.annotations import Response
from der_client.stacks.contract.events import EventRecord
from tests.model.chain import BLOCK_S, FEE_USTX, AssetDays, resolved
from tests.model.coverage import Ending, endings
from tests.model.drawing import Draws
from tests.model.expectation import Touched, expected_view, normalised
from tests.model.index import Index, expected_index
from tests.model.invariants import broken_invariants
from tests.model.outcome import Done, Failed, Outcome, Unsent
from tests.model.people import CONTRACT_OWNER, TOKEN
from tests.model.plain_values import difference
from tests.model.reference import Refused, System
from tests.model.start import first_steps
from tests.model.step import Action, Step, Wait

_PAGE: Final = 30
_STEPS_BETWEEN_LOOKS: Final = 20
_MOST_ENTRIES: Final = 8
"""The number of entries compared after a batch; the rest are compared at the end of the run."""
_MOST_DAYS: Final = 6
"""The number of a batch's days that a regular comparison includes."""


class DisagreementError(AssertionError):
    """Contracts and model differ, or both break a rule that must always hold."""


class Answers(Protocol):
    """What a twin reads from the contracts and does to them; see ``tests.model.chain.Chain``."""

    @property
    def addresses(self) -> dict[str, str]:
        """The principals of all people and contracts, by name."""

    def anchor(self) -> AbstractContextManager[None]:
        """Undo at the end of the block what happens in it."""

    def wait(self, until: int) -> None:
        """Let time pass."""

    def send(self, step: Step) -> Outcome:
        """Call a function."""

    def glance(self, holders: Sequence[str] = ()) -> dict[str, Any]:
        """Return chain time, STX balances, and the token balances of some holders."""

    def look(
        self,
        asset_ids: Sequence[int] = (),
        days: AssetDays = (),
        offer_ids: Sequence[int] = (),
        payment_ids: Sequence[int] = (),
        creditors: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Return all totals, some items of each kind, and the credits of some creditors."""

    def entry(self, contract: str, map_name: str, key: ClarityValue) -> Any:
        """Return an entry of a map."""

    def variable(self, contract: str, name: str) -> Any:
        """Return a variable."""

    def events(self) -> list[EventRecord]:
        """Return all events."""


class Twin:
    """Contracts and model in the same state.

    Args:
        chain: The contracts.
        system: The model, in the same state.

    Attributes:
        chain: The contracts.
        system: The model.
        names: People and contracts by principal.
        seen: How often each function, or item of a batch, ended in each way.
        steps: The number of steps that were compared.
    """

    def __init__(self, chain: Answers, system: System) -> None:
        self.chain = chain
        self.system = system
        self.names = {address: name for name, address in chain.addresses.items()}
        self.seen: Counter[tuple[str, Ending]] = Counter()
        self.steps = 0

    @classmethod
    def deployed(cls, chain: Answers) -> Self:
        """Return a twin of freshly deployed contracts after the first steps, which grant roles and register plants."""
        view = chain.look()
        people = chain.addresses.values()
        system = System.deployed(
            now=view["time"],
            contract_owner=chain.addresses[CONTRACT_OWNER],
            settlement=chain.addresses["settlement"],
            fee_bps=view["fee_bps"],
            balances=dict(zip(people, view["balances"], strict=True)),
            tokens={chain.addresses[TOKEN]: dict(zip(people, view["tokens"], strict=True))},
        )
        twin = cls(chain, system)
        for action in first_steps():
            twin.do(action)
        return twin

    @contextmanager
    def anchor(self) -> Iterator[None]:
        """Restore the state of both when the block ends, but not the counters."""
        system = copy.deepcopy(self.system)
        try:
            with self.chain.anchor():
                yield
        finally:
            self.system = system

    def draws(self, random: Random) -> Draws:
        """Return draws of the next action, based on the model's current state."""
        return Draws(random, self.system, self.names)

    def do(self, action: Action) -> None:
        """Apply an action to both, and compare the outcomes.

        Raises:
            DisagreementError: If they differ, or a rule is broken.
        """
        self.steps += 1
        if isinstance(action, Wait):
            self.chain.wait(action.until)
            view = self.chain.glance()
            self.system.clock.now = view["time"]
            self._compare_balances(view, ())
            return
        touched = self._call(action)
        if self.steps % _STEPS_BETWEEN_LOOKS == 0:
            # Credits of others must be zero, because the total of all credits is compared as well.
            (token,) = self.system.settlement.tokens
            creditors = [who for who in self.chain.addresses.values() if self.system.settlement.credit(who, token)]
            touched_days, payments = touched.days[:_MOST_DAYS], touched.payments[:_MOST_DAYS]
            self._look(touched.assets, touched_days, touched.offers, payments, creditors)
            self._check_invariants()

    def compare_all(self) -> None:
        """Compare everything, including what the events add up to, and check the invariants.

        Raises:
            DisagreementError: If they differ, or a rule is broken.
        """
        system = self.system
        days = {*system.production.days, *system.grid.feeds}
        days |= {(offer.asset_id, offer.day) for offer in system.market.offers.values()}
        days |= {(item.asset_id, item.day) for item in system.market.retirements}
        assets, offers = sorted(system.assets.assets), sorted(system.market.offers)
        payments, keys = sorted(system.settlement.payments), sorted(days)
        for first in range(0, max(len(assets), len(offers), len(payments), len(keys), 1), _PAGE):
            page = slice(first, first + _PAGE)
            self._look(assets[page], keys[page], offers[page], payments[page], list(self.chain.addresses.values()))
        _require_same(expected_index(system), Index(self.chain.events()).shown(), "events")
        self._check_invariants()

    def _check_invariants(self) -> None:
        broken = broken_invariants(self.system)
        _require(not broken, "; ".join(broken))

    def _look(
        self,
        asset_ids: list[int],
        days: AssetDays,
        offer_ids: list[int],
        payment_ids: list[int],
        creditors: list[str],
    ) -> None:
        """Compare all totals and balances, up to 30 items of each kind, and some credits."""
        ids = (asset_ids, days, offer_ids, payment_ids, creditors)
        view = normalised(self.chain.look(*ids), self.system, days)
        _require_same(expected_view(self.system, list(self.chain.addresses.values()), *ids), view)

    def _call(self, step: Step) -> Touched:
        name = f"{step.contract}.{step.function}"
        caller = self.chain.addresses[step.actor]
        arguments = resolved(step.arguments, self.chain.addresses)
        outcome = self.chain.send(step)
        if not isinstance(outcome, Unsent):
            self.system.clock.now += BLOCK_S
            self.system.settlement.balances[caller] -= FEE_USTX
        try:
            expected = self.system.call(step.contract, step.function, caller, arguments)
        except Refused as refused:
            expected = refused
        self.seen.update((name, ending) for ending in endings(outcome))
        _require(agree(expected, outcome), f"{step}: model {expected!r}, chain {outcome!r}")
        # Only calls of settlement move tokens; the regular comparison covers the token balances of all.
        holders = tuple(self.chain.addresses.values()) if step.contract == "settlement" else ()
        self._compare_balances(self.chain.glance(holders), holders)
        touched = Touched.by(self.system, arguments)
        if isinstance(outcome, Done):
            self._compare_written(step.contract, touched)
        return touched

    def _compare_balances(self, view: dict[str, Any], holders: Sequence[str]) -> None:
        money, people = self.system.settlement, self.chain.addresses.values()
        (token,) = money.tokens
        expected = {
            "time": self.system.clock.now,
            "balances": [money.balances[address] for address in people],
            "tokens": [money.balance(address, token) for address in holders],
        }
        _require_same(expected, view)

    def _compare_written(self, contract: str, touched: Touched) -> None:
        """Compare the entries that a successful call may have written; a failed one writes nothing."""
        for entry in islice(touched.entries(self.system, contract), _MOST_ENTRIES):
            found = entry.meaning(self.chain.entry(entry.contract, entry.map_name, entry.key))
            _require_same(entry.value, found, f"{entry.map_name} {entry.key}")


def agree(expected: Any, outcome: Outcome) -> bool:
    """Return whether the chain's outcome is one that the model allows.

    Args:
        expected: The result, or why the call must fail.
        outcome: The chain's outcome.
    """
    if isinstance(outcome, Unsent):
        return isinstance(expected, Refused)
    if isinstance(outcome, Failed):
        return isinstance(expected, Refused) and _admits(expected, outcome)
    if isinstance(expected, tuple):
        return len(expected) == len(outcome.value) and all(map(_agree_on_item, expected, outcome.value))
    return not isinstance(expected, Refused) and bool(expected == outcome.value)


def _admits(refused: Refused, failed: Failed) -> bool:
    return (failed.name, failed.code) in {(error.name, error.value) for error in refused.errors}


def _agree_on_item(expected: int | Refused, answer: Response[int]) -> bool:
    if isinstance(expected, Refused):
        return answer.error_code in {error.value for error in expected.errors}
    return answer.value == expected


def _require_same(model: Any, chain: Any, what: str = "") -> None:
    found = difference(model, chain, what)
    _require(not found, "\n".join(f"{path}: model {one}, chain {other}" for path, one, other in found))


def _require(condition: bool, text: str) -> None:
    if not condition:
        raise DisagreementError(text)
