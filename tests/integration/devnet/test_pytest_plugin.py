"""The fixtures for users of the library, tested in a separate project."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

USERS_TESTS = """
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from der_client import Account
from der_client.stacks.rpc import Client

def balance(devnet, name):
    return Account(devnet.accounts[name].key, Client(devnet.url)).balance_ustx()

def pay(devnet, ustx):
    sender = Account(devnet.accounts["wallet_1"].key, Client(devnet.url))
    sender.transfer(devnet.accounts["wallet_2"].address, ustx).wait()

@pytest.fixture(scope="module")
def paid_once(shared_devnet):
    before = balance(shared_devnet, "wallet_2")
    pay(shared_devnet, 1_000)
    return before

@pytest.mark.parametrize("round_", range(3))
def test_each_test_starts_alike(devnet, paid_once, round_):
    assert balance(devnet, "wallet_2") == paid_once + 1_000
    pay(devnet, 5)
    assert balance(devnet, "wallet_2") == paid_once + 1_005

@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ustx=st.integers(1, 100))
def test_each_example_starts_alike(devnet, paid_once, ustx):
    with devnet.anchor():
        pay(devnet, ustx)
        assert balance(devnet, "wallet_2") == paid_once + 1_000 + ustx

@pytest.fixture(scope="module")
def payer(shared_devnet):
    return Account(shared_devnet.accounts["wallet_3"].key, Client(shared_devnet.url))

def test_sends_without_waiting(devnet, payer):
    payer.transfer(devnet.accounts["wallet_2"].address, 7)

def test_sends_after_that_was_undone(devnet, payer):
    assert payer.transfer(devnet.accounts["wallet_2"].address, 7).wait(timeout_s=20).nonce == 0
"""


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["one process", "xdist"])
def test_tests_and_examples_are_isolated(tmp_path: Path, workers: list[str]) -> None:
    (tmp_path / "test_users.py").write_text(USERS_TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *workers, str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed" in done.stdout


def run_pytest(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603
    return done.stdout + done.stderr


def test_a_project_without_these_fixtures_loads_only_the_plugin(tmp_path: Path) -> None:
    (tmp_path / "test_users.py").write_text(
        "import sys\n"
        "def test_it():\n"
        "    ours = sorted(name for name in sys.modules if name.startswith('der_client'))\n"
        "    assert ours == ['der_client', 'der_client.pytest_plugin']\n"
        "    assert not {'requests', 'pydantic', 'coincurve', 'hypothesis.strategies'} & set(sys.modules)\n"
    )
    assert "1 passed" in run_pytest(tmp_path)


COVERED_TESTS = """
import pytest
from der_client import Der
from der_client.contracts.asset_verification import Role

@pytest.mark.parametrize("round_", range(2))
def test_role(devnet, round_):
    der = Der.connect(devnet.url, devnet.deployer)
    der.assets.set_role(Role.PAUSER, devnet.accounts["wallet_1"].address, "", True).send().wait()
"""


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["one process", "xdist"])
def test_coverage_and_costs_of_contracts(tmp_path: Path, workers: list[str]) -> None:
    (tmp_path / "test_users.py").write_text(COVERED_TESTS)
    shown = run_pytest(tmp_path, "--clarity-coverage=reached.lcov", "--clarity-costs", *workers)
    assert "2 passed" in shown
    report = (tmp_path / "reached.lcov").read_text()
    assert report.count("SF:contracts/asset-verification.clar") == 1
    assert "FNDA:2,set-role" in report
    assert "Clarity coverage, written to reached.lcov" in shown
    assert re.search(r"asset-verification\.set-role +2 +[\d,]+ +[\d,]+", shown)


def test_reports_without_a_devnet(tmp_path: Path) -> None:
    (tmp_path / "test_users.py").write_text("def test_it(): pass\n")
    assert "no test used the devnet" in run_pytest(tmp_path, "--clarity-costs")
