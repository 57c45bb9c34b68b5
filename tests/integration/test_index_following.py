"""The index follows the chain: on announced blocks, else by polling; as the only writer, until it is stopped."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from der_client import Der
from der_client.devnet import Devnet
from der_client.index import Follower, LeaseHeldError
from der_client.index.chain_data import ChainBlock
from der_client.index.chain_reader import ChainReader
from der_client.index.schema import lease
from der_client.stacks.rpc import Client, RetryPolicy
from der_client.stacks.rpc.api_socket import ApiSocket
from tests.integration.conftest import Parties
from tests.integration.following import LONG_S, Following, following
from tests.integration.tcp_forwarder import TcpForwarder

NEVER_S = 3600.0
"""Longer than any test waits, so whatever is found was announced."""
SOON_S = 0.05
QUICK = RetryPolicy(attempts=2, backoff_s=0.01)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "index.sqlite"


def pause(parties: Parties, paused: bool) -> int:
    """Let a contract print an event, and return its block height."""
    return parties.pauser.assets.set_paused(paused).send().wait().block_height or 0


def over(forwarder: TcpForwarder, der: Der) -> Der:
    return Der.connect(Client(forwarder.url, retries=QUICK), deployer=der.deployer)


@pytest.fixture
def forwarder(devnet: Devnet) -> Iterator[TcpForwarder]:
    with TcpForwarder(devnet.url) as forwarder:
        yield forwarder


def test_a_block_is_read_when_it_is_announced(der: Der, parties: Parties, place: Path) -> None:
    with following(der, place, NEVER_S) as index:
        for paused in (True, False):
            index.wait_until(pause(parties, paused))


def test_a_fork_is_followed_when_it_is_announced(der: Der, parties: Parties, place: Path, devnet: Devnet) -> None:
    with following(der, place, NEVER_S) as index:
        height = pause(parties, True)
        index.wait_until(height)
        devnet.reorg(1, "again")
        index.wait_for(lambda progress: progress.undone_from == height)


def test_blocks_missed_during_an_outage_are_read_afterwards(
    der: Der, parties: Parties, place: Path, forwarder: TcpForwarder
) -> None:
    with following(over(forwarder, der), place, NEVER_S) as index:
        index.wait_until(pause(parties, True))
        forwarder.is_down = True
        forwarder.cut()
        height = pause(parties, False)
        forwarder.is_down = False
        index.wait_until(height)
        index.wait_until(pause(parties, True))


def test_it_polls_if_there_is_no_websocket(
    der: Der, parties: Parties, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("der_client.stacks.rpc.notices.PATH", "/extended/v1/none")
    with following(der, place, SOON_S) as index:
        for paused in (True, False):
            index.wait_until(pause(parties, paused))


def test_it_polls_if_the_websocket_is_silent(
    der: Der, parties: Parties, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ApiSocket, "next_notice", lambda _, timeout_s: time.sleep(timeout_s))
    monkeypatch.setattr("der_client.index.follower.SILENCE_S", SOON_S)
    with following(der, place, SOON_S) as index:
        for paused in (True, False):
            index.wait_until(pause(parties, paused))


def test_it_polls_until_the_api_has_the_announced_block(
    der: Der, parties: Parties, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The replicas of an API may lag by different amounts."""
    monkeypatch.setattr("der_client.index.follower.SILENCE_S", NEVER_S)
    newest = ChainReader.tip
    before = newest(ChainReader(der.client, der.deployer))
    late: list[int] = []

    def tip(reader: ChainReader) -> ChainBlock:
        block = newest(reader)
        if block.height > before.height and len(late) < 2:
            late.append(block.height)
            return before
        return block

    monkeypatch.setattr(ChainReader, "tip", tip)
    with following(der, place, SOON_S) as index:
        index.wait_until(pause(parties, True))
    assert len(late) == 2


def test_it_renews_its_lease_while_it_waits(der: Der, place: Path) -> None:
    def held_until(follower: Follower) -> float:
        with follower._database.transaction("be read") as connection:
            return float(connection.execute(select(lease.c.until)).scalar_one())

    with following(der, place, NEVER_S, lease_s=1.0), Follower(der, place) as other:
        first = held_until(other)
        end = time.monotonic() + LONG_S
        while held_until(other) <= first + 1.0 and time.monotonic() < end:
            time.sleep(SOON_S)
        with pytest.raises(LeaseHeldError, match="being written by another indexer"):
            other.run_once()


def test_a_waiting_indexer_takes_over_when_the_other_ends(der: Der, parties: Parties, place: Path) -> None:
    with following(der, place, NEVER_S) as first, Follower(der, place) as follower:
        second = Following(follower, SOON_S)
        first.wait_until(pause(parties, True))
        first.stop.set()
        first.thread.join(LONG_S)
        first.follower.close()
        second.wait_until(pause(parties, False))
        second.stop.set()
        second.thread.join(LONG_S)
