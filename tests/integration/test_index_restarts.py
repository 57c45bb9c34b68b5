"""The index follows forks across restarts of the index and the devnet; its tables always match the contracts."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Literal, get_args

import pytest
import requests

from der_client import Der
from der_client.devnet import Devnet
from der_client.index import Follower, Index
from der_client.stacks.rpc import Client, RetryPolicy
from tests.integration.conftest import NOON, Parties, ReadyPlant, grant_roles, make_plant, start_of
from tests.integration.following import LONG_S, Following, following
from tests.integration.index_process import killed_at_the_end, run_when_free
from tests.integration.tcp_forwarder import TcpForwarder
from tests.integration.test_trading import ALL_SLOTS, offer, record, take
from tests.model.stored import require_what_contracts_say
from tests.postgres import MISSING, find_programs, running

Handling = Literal["again", "reordered", "dropped"]
WHS = [1000] * 24 + [1] * 72
SOON_S = 0.05
FORK = 7
"""The number of blocks that a fork removes: a part of the last sale."""


class Chain:
    """A devnet behind a fixed address, which can be killed and continues from its state file."""

    def __init__(self, forwarder: TcpForwarder, state_file: Path) -> None:
        self._forwarder = forwarder
        self._state_file = state_file
        self.start()

    def start(self) -> None:
        self.devnet = Devnet(state_file=self._state_file, start_time=NOON, track_costs=False)
        self._forwarder.forward_to(self.devnet.url)

    def kill(self) -> None:
        self._forwarder.is_down = True
        os.kill(int(requests.get(f"{self.devnet.url}/devnet", timeout=LONG_S).json()["pid"]), signal.SIGKILL)
        self.devnet.close()

    def restart(self) -> None:
        self.kill()
        self.start()

    def begin_anew(self) -> None:
        self.kill()
        self._state_file.unlink()
        self.start()

    @property
    def der(self) -> Der:
        """A connection to the contracts at the fixed address."""
        return Der.connect(Client(self._forwarder.url, retries=RetryPolicy(attempts=1)), deployer=self._deployer)

    @property
    def _deployer(self) -> str:
        return self.devnet.deployer.address

    def sell(self) -> None:
        """Let a new plant sell a day in advance to two buyers, deliver only a part of it, and be paid by the first."""
        parties = self.parties()
        plant = make_plant(parties)
        offer_id = offer(parties, plant, 30_000)
        payments = take(parties.buyer, offer_id, 20_000), take(parties.other_buyer, offer_id, 10_000, before_wh=20_000)
        self.devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
        record(parties, plant, WHS)
        parties.verifier.production.verify_day(plant.asset_id, plant.tomorrow, ALL_SLOTS, sum(WHS)).send().wait()
        parties.anyone.settlement.settle(payments[0]).send().wait()
        self._claim(parties, plant, payments[0])

    def _claim(self, parties: Parties, plant: ReadyPlant, payment_id: int) -> None:
        account = parties.buyer.account
        assert account is not None
        parties.buyer.settlement.claim(payment_id, 5_000, account.address, "").send().wait()
        parties.seller.market.retire_energy(plant.asset_id, plant.tomorrow, 1, account.address, "").send()

    def parties(self) -> Parties:
        return grant_roles(self.devnet, Der.connect(self.devnet.url, self.devnet.deployer))


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    with TcpForwarder() as forwarder:
        chain = Chain(forwarder, tmp_path / "chain")
        yield chain
        chain.devnet.close()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "index.sqlite"


def wait_until_up_to_date(chain: Chain, place: Path) -> None:
    end = time.monotonic() + LONG_S
    tip = chain.der.client.block().hash
    while time.monotonic() < end:
        with Index(place) as index:
            known = index.tip()
        if known is not None and known.block_hash == tip:
            return
        time.sleep(SOON_S)
    pytest.fail("the index did not catch up")


def test_forks_while_the_index_is_down_and_the_devnet_restarts(chain: Chain, place: Path) -> None:
    for handling in get_args(Handling):
        with killed_at_the_end(chain.der, place):
            chain.sell()
            wait_until_up_to_date(chain, place)
        require_what_contracts_say(chain.der, place)
        chain.restart()
        chain.devnet.reorg(FORK, handling)
        with Follower(chain.der, place, lease_s=0) as follower:
            assert run_when_free(follower).undone_from is not None
        require_what_contracts_say(chain.der, place)


def test_forks_while_the_index_is_up_and_the_devnet_restarts(chain: Chain, place: Path) -> None:
    with following(chain.der, place, SOON_S) as index:
        for handling in get_args(Handling):
            chain.sell()
            wait_until_up_to_date(chain, place)
            index.told.clear()
            chain.devnet.reorg(FORK, handling)
            wait_until_up_to_date(chain, place)
            index.wait_for(lambda progress: progress.undone_from is not None)
            require_what_contracts_say(chain.der, place)
        chain.restart()
        chain.devnet.reorg(FORK - 2, "reordered")
        wait_until_up_to_date(chain, place)
        require_what_contracts_say(chain.der, place)


def test_a_fork_while_the_indexer_is_killed(chain: Chain, place: Path) -> None:
    """Each time, the indexer has read some of the removed blocks, but not all."""
    chain.sell()
    for handling in get_args(Handling):
        with killed_at_the_end(chain.der, place):
            chain.sell()
            chain.devnet.reorg(FORK, handling)
    chain.restart()
    with Follower(chain.der, place, lease_s=0) as follower:
        run_when_free(follower)
    require_what_contracts_say(chain.der, place)


def test_another_chain_starts_at_the_same_address(chain: Chain, place: Path) -> None:
    chain.sell()
    with following(chain.der, place, SOON_S):
        wait_until_up_to_date(chain, place)
        chain.begin_anew()
        chain.parties()
        wait_until_up_to_date(chain, place)
        require_what_contracts_say(chain.der, place)
        with Index(place) as index:
            assert index.plants() == ()


def test_another_indexer_takes_over_after_a_kill(chain: Chain, place: Path) -> None:
    take_over(chain, place)


def test_another_indexer_takes_over_in_postgres(chain: Chain) -> None:
    if find_programs() is None:
        pytest.skip(MISSING)
    with running() as url:
        take_over(chain, url)


def take_over(chain: Chain, place: Path | str) -> None:
    with killed_at_the_end(chain.der, place):
        waiting = Follower(chain.der, place)
        second = Following(waiting, SOON_S)
        chain.sell()
        chain.devnet.reorg(FORK, "reordered")
        assert second.told == []
    second.wait_until(chain.der.client.block().height)
    require_what_contracts_say(chain.der, place)
    second.stop.set()
    second.thread.join(LONG_S)
    waiting.close()
