"""Reading a chain that grows, forks or lags behind during the reading."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.synthetic_chain import FIRST_DAY, SyntheticChain
from der_client.contracts.asset_verification import PausedSet
from der_client.index import Follower, Index, IndexDatabaseError, Progress
from der_client.index.chain_reader import ChainMovedError, ChainReader, Mark
from der_client.stacks.errors import NotFoundError
from der_client.stacks.rpc.responses import Block, ContractLogPage, TransactionInfo

PLANTS, DAYS = 5, 4


class MovingChain(SyntheticChain):
    """A chain that changes between requests.

    Attributes:
        happens: What to do at a request, by the request's number.
        short: Whether pages hold fewer events than requested.
        without_blocks: Whether events lack their block.
        questions: The number of requests so far.
    """

    def __init__(self, plants: int, days: int) -> None:
        self.happens: dict[int, Callable[[], None]] = {}
        self.short = self.without_blocks = False
        self.questions = 0
        super().__init__(plants, days)

    def _count(self) -> None:
        self.questions += 1
        self.happens.pop(self.questions, lambda: None)()

    def block(self, height_or_hash: int | str = "latest") -> Block:
        self._count()
        try:
            return super().block(height_or_hash)
        except IndexError:
            raise NotFoundError("no such block", "") from None

    def contract_logs(self, contract_id: str, *, limit: int = 50, offset: int = 0) -> ContractLogPage:
        self._count()
        page = super().contract_logs(contract_id, limit=limit, offset=offset)
        events = page.events[:7] if self.short else page.events
        if self.without_blocks:
            events = tuple(replace(event, block_height=None, block_time=None) for event in events)
        return ContractLogPage(page.total, events, page.next_cursor)

    def run(self, endpoint: Any) -> Any:
        self._count()
        return super().run(endpoint)

    def transaction_summary(self, txid: str) -> TransactionInfo | None:
        height = next(
            number for number in range(1, len(self._blocks) + 1) if f'"0x{txid}"'.encode() in self.body(number)
        )
        known: dict[str, Any] = dict.fromkeys(TransactionInfo.__slots__) | {"block_height": height}
        return TransactionInfo(**known)

    def body(self, height: int) -> bytes:
        return self._bodies[f"/extended/v2/blocks/{height}/transactions"]

    def pause(self) -> None:
        """Mine a block."""
        self._mine(PausedSet(actor="ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM", paused=False))

    def fork(self, blocks: int) -> None:
        """Remove the last blocks, and mine another one."""
        gone = {f'"block_height":{block.height},' for block in self._blocks[-blocks:]}
        del self._blocks[-blocks:]
        for logs in self._logs.values():
            logs[:] = [log for log in logs if not any(place in log for place in gone)]
        self.salt += 1
        self.pause()


class OtherChain(MovingChain):
    """A chain with other hashes."""

    salt = 7


@pytest.fixture
def chain() -> MovingChain:
    return MovingChain(PLANTS, DAYS)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "index.sqlite"


def events_of(chain: MovingChain) -> int:
    return sum(len(logs) for logs in chain._logs.values())


def follow(chain: MovingChain, place: Path) -> int:
    with closing(Follower(chain.der, place, lease_s=0)) as follower:
        follower.run_once()
    with Index(place) as index:
        tip = index.tip()
        assert tip is not None
        assert (tip.height, tip.block_hash) == (len(chain._blocks), chain._blocks[-1].hash)
        assert [row.id for row in index.events(limit=10_000)] == list(range(1, tip.events + 1))
        return tip.events


def test_blocks_mined_during_a_run_are_read_by_the_next_run(chain: MovingChain, place: Path) -> None:
    for question in (1, 3, 6, 9, 20, 33):
        chain.happens[question] = chain.pause
    with closing(Follower(chain.der, place, lease_s=0)) as follower:
        first = follower.run_once()
        assert first.height < len(chain._blocks)
    assert follow(chain, place) == events_of(chain)


@pytest.mark.parametrize("question", range(2, 38, 3))
def test_a_fork_during_a_run_is_detected(chain: MovingChain, place: Path, question: int) -> None:
    chain.happens[question] = lambda: chain.fork(6)
    assert follow(chain, place) == events_of(chain)
    assert not chain.happens


def test_forks_between_runs_are_followed(chain: MovingChain, place: Path) -> None:
    for blocks in (1, 3, 12, 2):
        follow(chain, place)
        chain.fork(blocks)
        assert follow(chain, place) == events_of(chain)
    with Index(place) as index:
        assert len(index.plants()) == PLANTS
        assert index.production(None, FIRST_DAY, chain.last_day)


def test_removed_blocks_without_replacement_are_reported(chain: MovingChain, place: Path) -> None:
    told: list[Progress] = []
    with closing(Follower(chain.der, place, lease_s=0)) as follower:
        follower.run_once()
        chain.pause()
        follower.run_once()
        chain.fork(1)
        del chain._blocks[-1:]
        for logs in chain._logs.values():
            logs[:] = [log for log in logs if f'"block_height":{len(chain._blocks) + 1},' not in log]
        follower.run_once(told.append)
    assert [progress.undone_from for progress in told] == [len(chain._blocks) + 1]


def test_an_entirely_different_chain_is_a_fork_from_the_start(chain: MovingChain, place: Path) -> None:
    follow(chain, place)
    other = OtherChain(2, 1)
    assert follow(other, place) == events_of(other)


def test_pages_shorter_than_requested_are_read_completely(chain: MovingChain, place: Path) -> None:
    chain.short = True
    assert follow(chain, place) == events_of(chain)


def test_logs_without_blocks_are_read(chain: MovingChain, place: Path) -> None:
    chain.without_blocks = True
    assert follow(chain, place) == events_of(chain)


def test_a_lagging_replica_is_not_a_fork(chain: MovingChain, place: Path, caplog: pytest.LogCaptureFixture) -> None:
    follow(chain, place)
    chain.pause()
    known = chain.block
    answers = iter([True, False, False])

    def behind(height_or_hash: int | str = "latest") -> Block:
        if height_or_hash != "latest" and next(answers, False):
            raise NotFoundError("not there yet", "")
        return known(height_or_hash)

    chain.block = behind  # type: ignore[method-assign]
    caplog.clear()
    with closing(Follower(chain.der, place, lease_s=0)) as follower:
        assert follower.run_once().undone_from is None
    assert not [record for record in caplog.records if "fork" in record.message]


@pytest.mark.parametrize("taken_away", [0, 6])
def test_a_tip_older_than_the_indexed_one_changes_nothing(chain: MovingChain, place: Path, taken_away: int) -> None:
    """A lagging replica reported the tip, or the chain has grown since."""
    follow(chain, place)
    if taken_away:
        chain.fork(taken_away)
    known = chain.block
    answers = iter([3])

    def older(height_or_hash: int | str = "latest") -> Block:
        return known(next(answers, height_or_hash) if height_or_hash == "latest" else height_or_hash)

    chain.block = older  # type: ignore[method-assign]
    with closing(Follower(chain.der, place, lease_s=0)) as follower:
        progress = follower.run_once()
        assert progress.height == progress.tip_height == len(chain._blocks)
        assert (progress.undone_from is None) == (not taken_away)
    assert follow(chain, place) == events_of(chain)


def test_a_chain_that_keeps_changing_is_an_error(chain: MovingChain, place: Path) -> None:
    follow(chain, place)
    reader = ChainReader(chain, "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM")  # type: ignore[arg-type]
    wrong = {name: Mark(1, ("00" * 32, 0)) for name in reader.contract_ids}
    with pytest.raises(ChainMovedError, match="has printed"):
        list(reader.blocks(wrong, reader.tip()))
    chain.happens = {number: lambda: chain.fork(1) for number in range(1, 3_000)}
    with pytest.raises(IndexDatabaseError, match="kept changing: rebuild it"):
        follow(chain, place)
