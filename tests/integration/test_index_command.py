"""``der index`` in a separate process: run once, run until it is stopped, and killed."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from der_client import Der
from der_client.devnet import Devnet
from der_client.index import Index
from tests.integration.conftest import Parties, ReadyPlant
from tests.integration.test_trading import offer

LONG_S = 60.0


def command(devnet: Devnet, place: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "der_client.cli", "index", "--url", devnet.url, "--database", str(place), *options]


def run(devnet: Devnet, place: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        command(devnet, place, *options), capture_output=True, text=True, timeout=LONG_S, check=False
    )


def printed(der: Der) -> list[tuple[str, int]]:
    contracts = (der.assets, der.production, der.grid, der.market, der.settlement)
    return sorted((record.txid, record.event_index) for contract in contracts for record in contract.events())


def indexed(place: Path) -> list[tuple[str, int]]:
    with Index(place) as index:
        return sorted((row.txid, row.event_index) for row in index.events(limit=10_000))


def test_once_indexes_all_events(devnet: Devnet, der: Der, plant: ReadyPlant, tmp_path: Path) -> None:
    place = tmp_path / "index.sqlite"
    done = run(devnet, place, "--once", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["events"] == len(printed(der))
    assert told["height"] == told["tip_height"] == der.client.block().height
    assert indexed(place) == printed(der)
    again = run(devnet, place, "--once")
    assert again.stdout == f"block {told['height']:,}: 0 new events in 0 transactions\n"
    assert "rebuild" not in again.stderr
    anew = run(devnet, place, "--once", "--rebuild")
    assert f"{len(printed(der))} new events" in anew.stdout


def test_the_index_of_another_chain_is_kept(devnet: Devnet, plant: ReadyPlant, tmp_path: Path) -> None:
    place = tmp_path / "index.sqlite"
    assert run(devnet, place, "--once").returncode == 0
    before = indexed(place)
    with Devnet() as other:
        for options in (["--once"], []):
            refused = run(other, place, *options)
            assert refused.returncode == 1
            assert f"it indexes another chain than that of {other.url}; give another one" in refused.stderr
        assert indexed(place) == before
        assert run(other, place, "--once", "--rebuild").returncode == 0
    assert indexed(place) != before


def test_it_follows_until_it_is_stopped(devnet: Devnet, parties: Parties, plant: ReadyPlant, tmp_path: Path) -> None:
    place = tmp_path / "index.sqlite"
    following = subprocess.Popen(  # noqa: S603 - our own command
        command(devnet, place, "--interval", "3600"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert following.stderr is not None
        assert following.stderr.readline().startswith("indexing the contracts of ST")
        offer_id = offer(parties, plant, 3_000)
        assert following.stdout is not None
        first = following.stdout.readline()
        assert "new events in" in first
        wait_for(place, offer_id)
        following.send_signal(signal.SIGTERM)
        assert following.wait(LONG_S) == 0
    finally:
        following.kill()
        following.communicate()
    assert run(devnet, place, "--once").returncode == 0  # at once, because the lease was released


def wait_for(place: Path, offer_id: int) -> None:
    end = time.monotonic() + LONG_S
    while time.monotonic() < end:
        with Index(place) as index:
            if any(row.offer_id == offer_id for row in index.offers()):
                return
        time.sleep(0.05)
    pytest.fail("the offer did not come")


def expire_lease(place: Path) -> None:
    """End the lease of an indexer that was killed, which the next one would wait for."""
    with closing(sqlite3.connect(place)) as index:
        index.execute("UPDATE lease SET until = 0")
        index.commit()


def test_no_event_is_missing_after_repeated_kills(devnet: Devnet, der: Der, parties: Parties, tmp_path: Path) -> None:
    place, random = tmp_path / "index.sqlite", Random(1)  # noqa: S311 - reproducible
    for _ in range(4):
        following = subprocess.Popen(  # noqa: S603 - our own command
            command(devnet, place, "--interval", "0.05"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        assert following.stderr is not None
        following.stderr.readline()
        for paused in (True, False):
            parties.pauser.assets.set_paused(paused).send().wait()
        time.sleep(random.random() / 3)
        following.kill()
        following.communicate()
        refused = run(devnet, place, "--once")
        assert refused.returncode == 1
        assert "being written by another indexer" in refused.stderr
        expire_lease(place)
    assert run(devnet, place, "--once").returncode == 0
    assert indexed(place) == printed(der)
