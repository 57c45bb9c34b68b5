"""Random actions reach every case: checked on the model alone, which is fast."""

from __future__ import annotations

from collections import Counter
from random import Random

from tests.model.chain import BLOCK_S, FEE_USTX, START_TIME, resolved
from tests.model.coverage import OK, Ending, never_reached
from tests.model.drawing import Draws
from tests.model.people import BUYERS, CONTRACT_OWNER, FUNDS_USTX, OPERATOR, OWNERS, PEOPLE, TOKEN
from tests.model.reference import Refused, System
from tests.model.start import first_steps
from tests.model.step import Action, Wait

RUNS, STEPS = 50, 250
ADDRESSES = {name: f"the principal of {name}" for name in (CONTRACT_OWNER, *PEOPLE, "settlement", TOKEN, "observer")}
NAMES = {address: name for name, address in ADDRESSES.items()}


def deployed() -> System:
    """Return the model after the first steps."""
    balances = dict.fromkeys(ADDRESSES.values(), 0)
    balances |= {ADDRESSES[name]: FUNDS_USTX.get(name, 5 * 10**11) for name in (CONTRACT_OWNER, *PEOPLE)}
    system = System.deployed(
        now=START_TIME,
        contract_owner=ADDRESSES[CONTRACT_OWNER],
        settlement=ADDRESSES["settlement"],
        fee_bps=100,
        balances=balances,
        tokens={ADDRESSES[TOKEN]: {ADDRESSES[name]: 10**15 for name in (*OWNERS, OPERATOR, *BUYERS)}},
    )
    for action in first_steps():
        assert list(endings(system, action)) in ([], [OK])
    return system


def endings(system: System, action: Action) -> list[Ending]:
    """Apply an action to the model, and return how the call, or each item of a batch, may have ended."""
    if isinstance(action, Wait):
        system.clock.now = max(system.clock.now, action.until)
        return []
    caller = ADDRESSES[action.actor]
    system.clock.now += BLOCK_S
    system.settlement.balances[caller] -= FEE_USTX
    try:
        result = system.call(action.contract, action.function, caller, resolved(action.arguments, ADDRESSES))
    except Refused as refused:
        result = refused
    results = result if isinstance(result, tuple) else (result,)
    return [ending for one in results for ending in (one.errors if isinstance(one, Refused) else (OK,))]


def test_every_error_occurs_and_every_function_succeeds_and_fails() -> None:
    seen: Counter[tuple[str, Ending]] = Counter()
    for run in range(RUNS):
        system, random = deployed(), Random(f"drawing {run}")  # noqa: S311  # must be repeatable
        for _ in range(STEPS):
            action = Draws(random, system, NAMES).next()
            found = endings(system, action)
            if not isinstance(action, Wait):
                seen.update((f"{action.contract}.{action.function}", ending) for ending in found)
    assert never_reached(seen) == []
