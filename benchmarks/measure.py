"""Measures a piece of work beside its peers, turn by turn, so that a busy machine slows all of them alike."""

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
"""Who we are in a comparison of results."""
_CONTEXT: Final = 30


class WrongResultError(Exception):
    """Somebody's result is not what it must be, so its speed means nothing."""


class Scale(Enum):
    """How two durations are compared."""

    SPEED = "times as fast"
    """Their time by ours: more is better."""
    TIME = "of its time"
    """Our time by theirs: less is better."""
    ADDED_S = "s more"
    """Our time less theirs, in seconds: less is better."""
    MEMORY = "of its peak memory"
    """Our bytes by theirs, where a runner gives bytes: less is better."""

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
        """Whether a figure reaches a goal."""
        return figure >= goal if self is Scale.SPEED else figure <= goal


Runner = Callable[[int], float]
"""Does the work so many times and gives the seconds which that took."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom the work is compared with.

    Attributes:
        name: What the table calls it.
        run: Does the same work so many times; gives the seconds which that took.
        scale: How the two are compared.
        goal: What is to be reached; ``None`` for a comparison that only gives the scale.
    """

    name: str
    run: Runner
    scale: Scale = Scale.SPEED
    goal: float | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of work.

    Attributes:
        name: What the table calls it.
        run: Does it so many times; gives the seconds which that took.
        peers: Whom it is compared with.
        check: Raises WrongResultError unless all of them give the right results.
        rounds: How many turns each gets, if not as many as usual.
        turn_s: How long a turn is, in seconds, if not as long as usual.
    """

    name: str
    run: Runner
    peers: Sequence[Peer]
    check: Callable[[], None]
    rounds: int | None = None
    turn_s: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What came out of one comparison.

    Attributes:
        work: The name of the work.
        peer: The name of the peer.
        scale: How the two are compared.
        figure: The median of the rounds' figures.
        goal: What is to be reached, if anything.
        low: The lower quartile of the rounds' figures.
        high: The upper one.
        ours_s: Median seconds for the work once.
        theirs_s: The same of the peer.
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
        """Whether the goal is reached; ``None`` if there is none."""
        return None if self.goal is None else self.scale.is_met(self.figure, self.goal)


def measure(work: Work, *, rounds: int, turn_s: float) -> list[Result]:
    """Check a piece of work, then let it and its peers take turns.

    Args:
        work: The work.
        rounds: How many turns each of them gets, unless the work says otherwise.
        turn_s: About how long one turn shall take, in seconds, unless the work says otherwise; what takes longer runs
            once a turn.

    Returns:
        One result for each peer.

    Raises:
        WrongResultError: a result is wrong; nothing was measured then.
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
    """Warms up, too: whoever compiles while he runs has done so afterwards."""
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
    """The runner of a peer that is no program: with it, ``Scale.ADDED_S`` gives our time itself."""
    return 0.0


def each(function: Callable[[T], object], inputs: Sequence[T]) -> Runner:
    """A runner that goes through the inputs again and again."""

    def run(times: int) -> float:
        items = islice(cycle(inputs), times)
        started = time.perf_counter()
        for item in items:
            function(item)
        return time.perf_counter() - started

    return run


def numbered(function: Callable[[int], object]) -> Runner:
    """A runner that gives each run its number, from 0."""

    def run(times: int) -> float:
        started = time.perf_counter()
        for number in range(times):
            function(number)
        return time.perf_counter() - started

    return run


def require_same(what: str, results: Mapping[str, object]) -> None:
    """Refuse results that differ.

    Args:
        what: What they are results of.
        results: By who gave them.

    Raises:
        WrongResultError: They differ; the text shows where that begins.
    """
    first = next(iter(results.values()))
    if any(result != first for result in results.values()):
        texts = {who: str(result) for who, result in results.items()}
        same = takewhile(lambda characters: len(set(characters)) == 1, zip(*texts.values(), strict=False))
        begin = max(0, len(list(same)) - _CONTEXT)
        shown = "\n".join(f"  {who}: …{text[begin : begin + 4 * _CONTEXT]}" for who, text in texts.items())
        raise WrongResultError(f"{what}: the results differ from character {begin} on\n{shown}")
