"""Record a fleet of plants: ``python -m tests.soak.fleet --plants 10000``.

Write a Parquet file with one day of every plant, register the plants on a devnet, and record the file with
``der record``, which is killed on the way and restarted. At the end, the day of every plant must be on the chain
exactly once, with the energy of the file. Print how long this took and how much memory the command needed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

from der_client import Der, Devnet
from der_client.contracts.asset_verification import AssetKind, AssetState, Registration, ReviewedAsset, Role
from der_client.contracts.units import AssetDay
from der_client.recorder import MAX_BATCH_ITEMS
from der_client.stacks.contract.jobs import job_of
from der_client.stacks.outbox import JobState, Journal, Outbox

_BEFORE = datetime(2026, 6, 30, tzinfo=UTC)
_NOON = datetime(2026, 7, 2, 12, tzinfo=UTC)
_DAY = date(2026, 7, 1)
_SLOTS = 96
_CAPACITY_W = 6_000
_MOST_WH = _CAPACITY_W // 4
_REGISTERED_AT_ONCE = 20
_VERIFIED_AT_ONCE = 50
_PAGE = 30


@dataclass
class Outcome:
    """The results of recording a fleet.

    Attributes:
        plants: The number of plants.
        kills: How often the command was killed.
        seconds: The duration of the last run.
        peak_mb: The peak memory of the last run, MB.
        problems: The problems found on the chain.
    """

    plants: int
    kills: int = 0
    seconds: float = 0.0
    peak_mb: int = 0
    problems: list[str] = field(default_factory=list)


def run(plants: int, folder: Path, *, kill_at: float, tell: Callable[[str], object] = lambda _: None) -> Outcome:
    """Record a fleet.

    Args:
        plants: The number of plants.
        folder: The folder for the files.
        kill_at: The share of its transactions at which the command is killed, but not before the first one.
        tell: Called with lines about the progress.
    """
    outcome = Outcome(plants)
    file, plant_map = write(folder, plants)
    tell(f"{file.stat().st_size:,} bytes of Parquet with {plants * _SLOTS:,} rows")
    with Devnet(start_time=_BEFORE) as devnet:
        der = Der.connect(devnet.url, devnet.deployer)
        tell(f"{register(der, devnet, plants):,} plants are registered and verified")
        devnet.advance(to=_NOON)
        options = ["--plants", str(plant_map), "--url", devnet.url, "--timeout", "600"]
        options += ["--time", "at", "--values", "Wh", "--journal", str(folder / "journal.db")]
        command = [sys.executable, "-m", "der_client.cli", "record", str(file), *options]
        environment = {**os.environ, "DER_KEY": devnet.deployer.key.to_hex()}
        process = subprocess.Popen(command, env=environment)  # noqa: S603 - ours
        while process.poll() is None and _signed(folder / "journal.db") <= kill_at * plants / MAX_BATCH_ITEMS:
            time.sleep(0.05)
        outcome.kills += process.poll() is None
        process.kill()
        process.wait()
        tell(f"killed; {recorded(der, plants):,} plants are on the chain")
        started = time.monotonic()
        process = subprocess.Popen(command, env=environment)  # noqa: S603 - ours
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        outcome.seconds = time.monotonic() - started
        outcome.peak_mb = usage.ru_maxrss // 1024
        if process.returncode:
            outcome.problems.append(f"the command ended with exit code {process.returncode}")
        outcome.problems += compare(der, plants)
    return outcome


def write(folder: Path, plants: int) -> tuple[Path, Path]:
    """Write the readings and the plant map; return both paths.

    The readings are in the order of a logger: all plants of a quarter-hour, then of the next.
    """
    file = folder / "fleet.parquet"
    numbers = pl.DataFrame({"asset": range(1, plants + 1)})
    slots = pl.DataFrame({"slot": range(_SLOTS)})
    midnight = datetime(_DAY.year, _DAY.month, _DAY.day, tzinfo=UTC)
    slots.join(numbers, how="cross").select(
        meter=pl.format("meter-{}", "asset"),
        at=pl.lit(midnight) + pl.duration(minutes=15 * pl.col("slot")),
        Wh=(pl.col("asset") * 31 + pl.col("slot") * 577) % _MOST_WH,
    ).write_parquet(file)
    plant_map = folder / "plants.toml"
    plant_map.write_text(
        "".join(
            f'[[plant]]\nasset = {asset}\nwhere = {{ meter = "meter-{asset}" }}\n' for asset in range(1, plants + 1)
        )
    )
    return file, plant_map


def _signed(journal: Path) -> int:
    """Return how many transactions in a journal are signed."""
    if not journal.exists():
        return 0
    opened = Journal(journal)
    counts = opened.counts()
    opened.close()
    return sum(counts[state] for state in (JobState.SIGNED, JobState.SENT, JobState.MINED))


def energy_wh(asset: int) -> int:
    """Return the energy of a plant's day, Wh."""
    return sum((asset * 31 + slot * 577) % _MOST_WH for slot in range(_SLOTS))


def register(der: Der, devnet: Devnet, plants: int) -> int:
    """Register plants of one owner, and verify them as the deployer, who also becomes the oracle."""
    deployer = der.assets.require_account().address
    for role in (Role.REGISTRAR, Role.ORACLE):
        der.assets.set_role(role, deployer, "", True).send().wait()
    owner = der.with_account(devnet.accounts["wallet_1"])
    for who, call_of, size in ((owner, _register, _REGISTERED_AT_ONCE), (der, _verify, _VERIFIED_AT_ONCE)):
        with Outbox(who.assets.require_account(), purpose="a fleet") as outbox:
            pages = _pages(range(1, plants + 1), size)
            jobs = (job_of(f"from {page[0]}", call_of(who, page)) for page in pages)
            for progress in outbox.run(jobs):
                if progress.reason:
                    raise AssertionError(progress)
    verified = 0
    for page in _pages(range(1, plants + 1), _PAGE):
        assets = der.assets.get_assets(page)
        verified += sum(asset is not None and asset.state is AssetState.VERIFIED for asset in assets)
    if verified != plants:
        raise AssertionError(f"{verified} of {plants} plants are verified")
    return verified


def _register(der: Der, page: Sequence[int]) -> Any:
    return der.assets.register_assets(
        [
            Registration(
                kind=AssetKind.SOLAR,
                capacity_w=_CAPACITY_W,
                location="9xj3ud",
                region="CO",
                metadata_hash=sha256(str(asset).encode()).digest(),
                slot_seconds=900,
            )
            for asset in page
        ]
    )


def _verify(der: Der, page: Sequence[int]) -> Any:
    return der.assets.verify_assets([ReviewedAsset(asset_id=asset, capacity_w=_CAPACITY_W) for asset in page])


def recorded(der: Der, plants: int) -> int:
    """Return how many plants have their day on the chain."""
    return sum(row is not None for _, row in _rows(der, plants))


def compare(der: Der, plants: int) -> list[str]:
    """Return the differences between the chain and the file."""
    wrong = [
        asset
        for asset, row in _rows(der, plants)
        if row is None or (row.mask, row.wh) != ((1 << _SLOTS) - 1, energy_wh(asset))
    ]
    return [f"{len(wrong)} plants are not as in the file: {wrong[:10]}"] if wrong else []


def _rows(der: Der, plants: int) -> Iterator[tuple[int, Any]]:
    for page in _pages(range(1, plants + 1), _PAGE):
        rows = der.production.get_days([AssetDay(asset_id=asset, day=_DAY) for asset in page])
        yield from zip(page, rows, strict=True)


def _pages(numbers: range, size: int) -> Iterator[Sequence[int]]:
    for first in range(0, len(numbers), size):
        yield numbers[first : first + size]


def main() -> int:
    """Run with the options of the command line; return 1 if there were problems."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.fleet", description=__doc__)
    parser.add_argument("--plants", type=int, default=1_000, help="how many (%(default)s)")
    parser.add_argument("--kill-at", type=float, default=0.3, help="share of the transactions (%(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="der-fleet-") as folder:
        outcome = run(
            options.plants,
            Path(folder),
            kill_at=options.kill_at,
            tell=lambda line: (sys.stdout.write(f"{line}\n"), sys.stdout.flush()),
        )
    sys.stdout.write(
        f"{outcome.plants:,} plants; killed {outcome.kills} times; the last run took "
        f"{timedelta(seconds=round(outcome.seconds))} and at most {outcome.peak_mb} MB\n"
    )
    for problem in outcome.problems:
        sys.stdout.write(f"PROBLEM: {problem}\n")
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
