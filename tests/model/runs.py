"""Long runs from a seed, and how a run that failed becomes short."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from tests.model.step import Action
from tests.model.twin import DisagreementError, Twin


class RunFailedError(AssertionError):
    """A run whose last action the two disagree on.

    Attributes:
        actions: All of the run.
    """

    def __init__(self, message: str, actions: Sequence[Action]) -> None:
        super().__init__(message)
        self.actions = list(actions)


def play(twin: Twin, seed: str, steps: int) -> None:
    """Do what chance brings, from the state in which contracts and model are, and go back to it.

    Args:
        twin: Contracts and model.
        seed: Of all chance.
        steps: How many.

    Raises:
        RunFailedError: They disagree.
    """
    random = Random(seed)  # noqa: S311  # chance that can be repeated is what is wanted
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
    """What failed, and the shortest run that does, as Python."""
    actions = "".join(f"    {action!r},\n" for action in shortened(twin, failed.actions))
    return f"{failed}\nshortened:\n{actions}"


def replay(twin: Twin, actions: Sequence[Action]) -> None:
    """Do known actions, compare everything, and go back.

    Raises:
        DisagreementError: They disagree.
    """
    with twin.anchor():
        for action in actions:
            twin.do(action)
        twin.compare_all()


def shortened(twin: Twin, actions: Sequence[Action]) -> list[Action]:
    """Leave out what is not needed for the two to disagree (delta debugging)."""
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
    """The list without each of its parts of a size in turn, the last one first."""
    for first in reversed(range(0, len(actions), size)):
        yield actions[:first] + actions[first + size :]


def _disagree(twin: Twin, actions: Sequence[Action]) -> bool:
    try:
        replay(twin, actions)
    except DisagreementError:
        return True
    return False
