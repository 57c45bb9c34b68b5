"""Long runs from a seed, and how a failed run is shortened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from tests.model.step import Action
from tests.model.twin import DisagreementError, Twin


class RunFailedError(AssertionError):
    """A run whose last action contracts and model disagree on.

    Attributes:
        actions: All actions of the run.
    """

    def __init__(self, message: str, actions: Sequence[Action]) -> None:
        super().__init__(message)
        self.actions = list(actions)


def play(twin: Twin, seed: str, steps: int) -> None:
    """Draw and do random actions, starting from the current state, and restore that state.

    Args:
        twin: Contracts and model.
        seed: The seed of all randomness.
        steps: The number of actions.

    Raises:
        RunFailedError: If contracts and model disagree.
    """
    random = Random(seed)  # noqa: S311  # must be repeatable
    actions: list[Action] = []
    with twin.anchor():
        try:
            for _ in range(steps):
                actions.append(twin.draws(random).next())
                twin.do(actions[-1])
            twin.compare_all()
        except DisagreementError as error:
            raise RunFailedError(f"seed {seed}, step {len(actions)}: {error}", actions) from error


def told_shortly(twin: Twin, failed: RunFailedError) -> str:
    """Describe the failure, with the shortest run that still fails as Python."""
    actions = "".join(f"    {action!r},\n" for action in shortened(twin, failed.actions))
    return f"{failed}\nshortened:\n{actions}"


def replay(twin: Twin, actions: Sequence[Action]) -> None:
    """Do known actions, compare everything, and restore the state.

    Raises:
        DisagreementError: If contracts and model disagree.
    """
    with twin.anchor():
        for action in actions:
            twin.do(action)
        twin.compare_all()


def shortened(twin: Twin, actions: Sequence[Action]) -> list[Action]:
    """Remove the actions without which contracts and model still disagree (delta debugging)."""
    kept = list(actions)
    size = len(kept) // 2
    while size > 0:
        for shorter in _without(kept, size):
            if _disagree(twin, shorter):
                kept = shorter
                break
        else:
            size //= 2
        size = min(size, len(kept) // 2)
    return kept


def _without(actions: list[Action], size: int) -> Iterator[list[Action]]:
    """Yield the list without each of its parts of this size in turn, the last part first."""
    for first in reversed(range(0, len(actions), size)):
        yield actions[:first] + actions[first + size :]


def _disagree(twin: Twin, actions: Sequence[Action]) -> bool:
    try:
        replay(twin, actions)
    except DisagreementError:
        return True
    return False
