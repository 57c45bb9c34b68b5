"""Measures work and the same work of its peers in turns, so that a busy machine slows all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from itertools import cycle, islice, takewhile
from statistics import median
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

T = TypeVar("T")

OURS: Final = "der_client"
"""The name of this library in comparisons of results."""
_CONTEXT: Final = 30


class WrongResultError(Exception):
    """A result is wrong, so its speed has no meaning."""


class Scale(Enum):
    """How two durations are compared."""

    SPEED = "times as fast"
    """Their time divided by ours: more is better."""
    TIME = "of its time"
    """Our time divided by theirs: less is better."""
    ADDED_S = "s more"
    """Our time minus theirs, in seconds: less is better."""
    MEMORY = "of its peak memory"
    """Our bytes divided by theirs, where a runner returns bytes: less is better."""

    def figure(self, ours_s: float, theirs_s: float) -> float:
        """Compare two durations in seconds."""
        match self:
            case Scale.SPEED:
                return theirs_s / ours_s
            case Scale.TIME | Scale.MEMORY:
                return ours_s / theirs_s
            case Scale.ADDED_S:
                return ours_s - theirs_s

    def is_met(self, figure: float, goal: float) -> bool:
        """Return whether a figure reaches a goal."""
        return figure >= goal if self is Scale.SPEED else figure <= goal


Runner = Callable[[int], float]
"""Does the work a number of times, and returns the seconds that this took."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Something that the work is compared with.

    Attributes:
        name: Its name in the table.
        run: Does the same work a number of times, and returns the seconds that this took.
        scale: How the two are compared.
        goal: The figure to reach; ``None`` for a comparison without a goal.
    """

    name: str
    run: Runner
    scale: Scale = Scale.SPEED
    goal: float | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """A piece of work that is measured.

    Attributes:
        name: Its name in the table.
        run: Does it a number of times, and returns the seconds that this took.
        peers: What it is compared with.
        check: Raises WrongResultError unless all results are right.
        rounds: The number of turns for each, if it differs from the default.
        turn_s: The length of a turn in seconds, if it differs from the default.
    """

    name: str
    run: Runner
    peers: Sequence[Peer]
    check: Callable[[], None]
    rounds: int | None = None
    turn_s: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a comparison.

    Attributes:
        work: The name of the work.
        peer: The name of the peer.
        scale: How the two are compared.
        figure: The median of the rounds' figures.
        goal: The figure to reach, if any.
        low: The lower quartile of the rounds' figures.
        high: The upper quartile of the rounds' figures.
        ours_s: The median of our seconds for doing the work once.
        theirs_s: The median of the peer's seconds for doing the work once.
    """

    work: str
    peer: str
    scale: Scale
    figure: float
    goal: float | None
    low: float
    high: float
    ours_s: float
    theirs_s: float

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; ``None`` without a goal."""
        return None if self.goal is None else self.scale.is_met(self.figure, self.goal)


def measure(work: Work, *, rounds: int, turn_s: float) -> list[Result]:
    """Check a piece of work, then let it and its peers take turns.

    Args:
        work: The work.
        rounds: The number of turns for each, unless the work specifies it.
        turn_s: About how long a turn takes, in seconds, unless the work specifies it; longer work is done once per
            turn.

    Returns:
        One result for each peer.

    Raises:
        WrongResultError: If a result is wrong; then nothing was measured.
    """
    work.check()
    runners = [work.run, *(peer.run for peer in work.peers)]
    counts = [_runs_per_turn(run, work.turn_s or turn_s) for run in runners]
    turns = [
        [run(count) / count for run, count in zip(runners, counts, strict=True)] for _ in range(work.rounds or rounds)
    ]
    ours, *theirs = zip(*turns, strict=True)
    return [_compare(work.name, peer, ours, samples) for peer, samples in zip(work.peers, theirs, strict=True)]


def _runs_per_turn(run: Runner, turn_s: float) -> int:
    """Return how often to do the work in a turn; this also warms up runners that compile while they run."""
    count = 1
    while (took := run(count)) < turn_s / 2 and run is not no_time:
        count = max(count * 2, round(count * turn_s / max(took, 1e-9) / 2))
    return max(1, round(count * turn_s / took)) if took else 1


def _compare(work: str, peer: Peer, ours: Sequence[float], theirs: Sequence[float]) -> Result:
    figures = sorted(peer.scale.figure(own, other) for own, other in zip(ours, theirs, strict=True))
    return Result(
        work=work,
        peer=peer.name,
        scale=peer.scale,
        figure=median(figures),
        goal=peer.goal,
        low=figures[len(figures) // 4],
        high=figures[-1 - len(figures) // 4],
        ours_s=median(ours),
        theirs_s=median(theirs),
    )


def no_time(_times: int) -> float:
    """Return 0: the runner of a peer that is not a program, with which ``Scale.ADDED_S`` results in our time itself."""
    return 0.0


def each(function: Callable[[T], object], inputs: Sequence[T]) -> Runner:
    """Return a runner that calls a function with the inputs in turn, over and over."""

    def run(times: int) -> float:
        items = islice(cycle(inputs), times)
        started = time.perf_counter()
        for item in items:
            function(item)
        return time.perf_counter() - started

    return run


def numbered(function: Callable[[int], object]) -> Runner:
    """Return a runner that calls a function with the number of each run, from 0."""

    def run(times: int) -> float:
        started = time.perf_counter()
        for number in range(times):
            function(number)
        return time.perf_counter() - started

    return run


def require_same(what: str, results: Mapping[str, object]) -> None:
    """Fail if results differ.

    Args:
        what: What was done.
        results: The results by name of the program.

    Raises:
        WrongResultError: If they differ; the text shows where the difference begins.
    """
    first = next(iter(results.values()))
    if any(result != first for result in results.values()):
        texts = {who: str(result) for who, result in results.items()}
        same = takewhile(lambda characters: len(set(characters)) == 1, zip(*texts.values(), strict=False))
        begin = max(0, len(list(same)) - _CONTEXT)
        shown = "\n".join(f"  {who}: …{text[begin : begin + 4 * _CONTEXT]}" for who, text in texts.items())
        raise WrongResultError(f"{what}: the results differ from character {begin} on\n{shown}")
