"""``der serve`` and ``der demo --serve`` in separate processes."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from benchmarks.many_plants import ManyPlants, fill
from der_client.devnet import Devnet
from tests.integration.conftest import Parties, ReadyPlant

LONG_S = 120.0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("served") / "index.sqlite"
    fill(place, ManyPlants(2, 5).blocks())
    return place


@contextmanager
def running(*arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run a command that serves pages until the ``with`` block ends, and yield its URL and process."""
    command = [sys.executable, "-m", "der_client.cli", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603 - ours
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"Pages on (http://\S+)/", line):
                yield found[1], process
                break
        else:
            pytest.fail(f"it ended: {process.communicate()[1]}")
    finally:
        process.kill()
        process.communicate()


def test_the_pages_of_an_index(place: Path) -> None:
    with running("serve", "--database", str(place), "--port", "0") as (url, _):
        assert url.startswith("http://127.0.0.1:")
        assert "doing" in requests.get(url, timeout=LONG_S).text
        assert len(requests.get(f"{url}/api/plants", timeout=LONG_S).json()["items"]) == 2
        headers = {"Host": "evil.example"}
        assert requests.get(url, headers=headers, timeout=LONG_S).status_code == 421


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_while_a_page_is_listening(place: Path, number: signal.Signals) -> None:
    with running("serve", "--database", str(place), "--port", "0") as (url, process):
        listening = requests.get(f"{url}/live", stream=True, timeout=LONG_S)
        assert b"event: block" in next(listening.iter_content(200))
        process.send_signal(number)
        _, errors = process.communicate(timeout=LONG_S)
        assert process.returncode == 0
        assert errors == ""
        listening.close()


def test_a_missing_index_is_reported_with_the_command_to_create_it(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "der_client.cli",
        "serve",
        "--database",
        str(tmp_path / "none.sqlite"),
        "--port",
        "0",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONG_S, check=False)  # noqa: S603 - ours
    assert done.returncode == 1
    assert "der index" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_occupied_port_is_reported(place: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "der_client.cli", "serve", "--database", str(place), "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONG_S, check=False)  # noqa: S603 - ours
    assert done.returncode == 1
    assert f"port {port}" in done.stderr
    assert "--port" in done.stderr


def test_an_unknown_host_is_reported_with_its_option(place: Path) -> None:
    command = [sys.executable, "-m", "der_client.cli", "serve", "--database", str(place), "--host", "no.invalid"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONG_S, check=False)  # noqa: S603 - ours
    assert done.returncode == 1
    assert "choose an address of this machine with --host" in done.stderr


def test_it_follows_the_chain_while_it_serves_pages(
    devnet: Devnet, parties: Parties, plant: ReadyPlant, tmp_path: Path
) -> None:
    place = str(tmp_path / "index.sqlite")
    with running("serve", "--url", devnet.url, "--database", place, "--follow", "--port", "0") as (url, _):
        seen = requests.get(f"{url}/api/plants/{plant.asset_id}", timeout=LONG_S).json()
        assert seen["plant"]["state"] == "verified"
        parties.registrar.assets.suspend_asset(plant.asset_id, "inspection").send().wait()
        ends = time.monotonic() + LONG_S
        while seen["plant"]["state"] != "suspended" and time.monotonic() < ends:
            time.sleep(0.2)
            seen = requests.get(f"{url}/api/plants/{plant.asset_id}", timeout=LONG_S).json()
        assert seen["plant"]["state"] == "suspended"


def test_the_demo_serves_pages_of_its_own_data() -> None:
    with running("demo", "--serve", "--port", "0") as (url, process):
        plants = requests.get(f"{url}/api/plants", timeout=LONG_S).json()["items"]
        assert len(plants) == 3
        assert all(plant["verified_wh"] == plant["recorded_wh"] > 0 for plant in plants)
        page = requests.get(f"{url}/certificates", timeout=LONG_S).text
        assert "electricity of our offices" in page
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LONG_S)
        assert process.returncode == 0
