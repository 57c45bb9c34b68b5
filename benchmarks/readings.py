"""Meter data: a year of one-minute readings, compared with polars in time and memory; trees of a million leaves."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.measure import OURS, Peer, Scale, Work, no_time, numbered, require_same
from der_client.readings import Leaf, MerkleTree, metered_days, read_table, root_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.measure import Runner
    from benchmarks.peers import Peers

TIME_GOAL: Final = 3.0
MEMORY_GOAL: Final = 2.0
PIECES_GOAL: Final = 2.0
TREE_GOAL_S: Final = 5.0
LEAVES: Final = 1_000_000
YEARS: Final = 5
MINUTES_OF_A_YEAR: Final = 525_600
_BEGIN: Final = datetime(2021, 1, 1, tzinfo=UTC)
_ROUNDS: Final = 9
_FEW_ROUNDS: Final = 3


def works(_peers: Peers) -> Iterator[Work]:
    """Yield the reading of files, and a tree over the days of a million meters."""
    files = _Files()
    yield _year(files)
    yield _memory(files)
    yield _pieces(files)
    yield _tree()


class _Files:
    """The files to read, written when they are needed and deleted with the last work that needs them."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._found: dict[int, Path] = {}

    def of(self, years: int) -> Path:
        """Return the file with this many years."""
        if years not in self._found:
            self._found[years] = _write(Path(self._folder.name) / f"{years}.csv", years)
        return self._found[years]


def _write(path: Path, years: int) -> Path:
    with path.open("w") as file:
        file.write("time,kW\n")
        for minute in range(years * MINUTES_OF_A_YEAR):
            moment = _BEGIN + timedelta(minutes=minute)
            file.write(f"{moment:%Y-%m-%d %H:%M:%S},{(minute * 7919) % 6000 / 1000:.3f}\n")
    return path


def _ours(path: Path) -> int:
    series = read_table(path, time="time", values="kW", time_zone="UTC")
    return sum(day.wh for day in metered_days(series, slot_seconds=900))


def _polars(path: Path) -> int:
    """Do the same with polars as users would: exact decimals, quarter-hours, whole Wh per day."""
    import polars as pl  # noqa: PLC0415 -- a heavy, optional dependency

    quarters = (
        pl.read_csv(path, infer_schema=False)
        .with_columns(pl.col("time").str.to_datetime("%Y-%m-%d %H:%M:%S"), pl.col("kW").cast(pl.Decimal(38, 3)))
        .group_by_dynamic("time", every="15m")
        .agg(pl.col("kW").sum())
    )
    days = quarters.group_by_dynamic("time", every="1d").agg(pl.col("kW").sum())
    return sum(int(kw_minutes * 1000 / 60) for kw_minutes in days["kW"].to_list())


def _year(files: _Files) -> Work:
    def check() -> None:
        expected = sum(
            int(sum(Decimal((minute * 7919) % 6000) for minute in range(first, first + 1440)) / 60)
            for first in range(0, MINUTES_OF_A_YEAR, 1440)
        )
        path = files.of(1)
        results = {"expected": expected, OURS: _ours(path), "polars": _polars(path)}
        require_same("a year of one-minute readings", results)

    return Work(
        "read a year of one-minute data into days",
        numbered(lambda _: _ours(files.of(1))),
        (Peer("polars", numbered(lambda _: _polars(files.of(1))), Scale.TIME, TIME_GOAL),),
        check,
        rounds=_ROUNDS,
    )


def _memory(files: _Files) -> Work:
    def check() -> None:
        files.of(1)  # the results are checked by the previous work

    return Work(
        "the same: peak memory of the process",
        _peak("_ours", files, 1),
        (Peer("polars", _peak("_polars", files, 1), Scale.MEMORY, MEMORY_GOAL),),
        check,
        rounds=_FEW_ROUNDS,
    )


def _pieces(files: _Files) -> Work:
    def check() -> None:
        files.of(1)
        files.of(YEARS)

    return Work(
        f"{YEARS} years of it: peak memory of the process",
        _peak("_ours", files, YEARS),
        (Peer("one year", _peak("_ours", files, 1), Scale.MEMORY, PIECES_GOAL),),
        check,
        rounds=_FEW_ROUNDS,
    )


def _peak(function: str, files: _Files, years: int) -> Runner:
    """Return a runner for the peak memory, in bytes, of a separate process that does the work."""
    code = (
        f"import sys; from pathlib import Path; from benchmarks.readings import {function} as work; "
        "work(Path(sys.argv[1])); "
        "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])"
    )

    def run(times: int) -> float:
        most = 0
        for _ in range(times):
            done = subprocess.run(  # noqa: S603 -- our own code
                [sys.executable, "-c", code, str(files.of(years))],
                check=True,
                capture_output=True,
                text=True,
                cwd=Path(__file__).parents[1],
            )
            most = max(most, int(done.stdout) * 1024)
        return float(most * times)

    return run


def _tree() -> Work:
    @cache
    def leaves() -> list[Leaf]:
        day, whs_hash = date(2026, 7, 1), sha256(b"").digest()
        return [Leaf(asset_id, day, 1, asset_id % 1000, whs_hash) for asset_id in range(1, LEAVES + 1)]

    def check() -> None:
        few = leaves()[:1000]
        tree = MerkleTree.of(few)
        roots = {f"leaf {index}": root_of(few[index].hash, tree.proof(index)) for index in (0, 511, 999)}
        require_same("proofs of a tree", {"its root": tree.root, **roots})

    def build(times: int) -> float:
        started = time.process_time()  # processor time: other programs also run in these seconds
        for _ in range(times):
            MerkleTree.of(leaves())
        return time.process_time() - started

    return Work(
        f"Merkle tree over {LEAVES:,} leaves, hashed and all",
        build,
        (Peer("the clock", no_time, Scale.ADDED_S, TREE_GOAL_S),),
        check,
        rounds=_FEW_ROUNDS,
    )
