"""The start time of the pytest plugin's devnet, tested in a separate project."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

USERS_TEST = """
from datetime import UTC, datetime, timedelta

def test_noon(devnet):
    assert timedelta(0) <= devnet.now() - {begin} < timedelta(hours=1)
"""
TODAY = "datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)"


def run(folder: Path, begin: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_users.py").write_text(USERS_TEST.format(begin=begin))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, str(folder)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603


def test_the_devnet_starts_at_noon_of_the_current_day(tmp_path: Path) -> None:
    done = run(tmp_path, TODAY)
    # If midnight passes between the devnet's start and its test, try again: the new day has just begun.
    done = done if done.returncode == 0 else run(tmp_path, TODAY)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_devnet_starts_at_the_configured_time(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\ndevnet_start_time = 2024-02-29T23:50:00+01:00\n")
    done = run(tmp_path, "datetime(2024, 2, 29, 22, 50, tzinfo=UTC)")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("moment", ["noon", "2024-02-29T12:00:00"])
def test_invalid_start_times_are_rejected(tmp_path: Path, moment: str) -> None:
    done = run(tmp_path, TODAY, "-o", f"devnet_start_time={moment}")
    assert done.returncode != 0
    assert f"devnet_start_time is '{moment}'; give a time with its offset" in done.stdout + done.stderr
