"""A devnet that mines on request, a proxy in front of it, and clients that go through the proxy."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from der_client.devnet import Devnet
from der_client.stacks.account import Account
from der_client.stacks.rpc import Client, RetryPolicy
from tests.postgres import MISSING, find_programs, running

from .proxy import FaultProxy

QUICK = RetryPolicy(attempts=3, backoff_s=0.01, max_wait_s=2.0)


@pytest.fixture(scope="module")
def slow_devnet() -> Iterator[Devnet]:
    """A devnet without contracts that mines only on request."""
    with Devnet(deploy_contracts=False, track_costs=False, block_interval_s=0) as devnet:
        yield devnet


@pytest.fixture
def chain(slow_devnet: Devnet) -> Iterator[Devnet]:
    """The devnet, restored to its initial state after each test."""
    with slow_devnet.anchor():
        yield slow_devnet


@pytest.fixture
def proxy(chain: Devnet) -> Iterator[FaultProxy]:
    """A proxy that leads to the devnet."""
    with FaultProxy(chain.url) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: FaultProxy) -> Iterator[Client]:
    """A client of the proxy with short timeouts and few retries."""
    with Client(proxy.url, retries=QUICK, timeout=(2.0, 5.0)) as client:
        yield client


@pytest.fixture
def account(client: Client, chain: Devnet) -> Account:
    """A funded account that uses the proxy."""
    return Account(chain.accounts["wallet_1"].key, client)


@pytest.fixture
def payee(chain: Devnet) -> str:
    """The address that receives the account's payments."""
    return chain.accounts["wallet_2"].address


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a Postgres server that is started for this test run."""
    if find_programs() is None:
        pytest.skip(MISSING)
    with running() as url:
        yield url


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path | None:
    """Where the journal is kept; each test runs once per kind of storage."""
    if request.param == "memory":
        return None
    if request.param == "sqlite":
        return tmp_path / "journal.db"
    return new_database(request.getfixturevalue("postgres"))


@pytest.fixture(params=["sqlite", "postgres"])
def lasting_place(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path:
    """Where the journal is kept, for tests in which it must outlive an outbox."""
    if request.param == "sqlite":
        return tmp_path / "journal.db"
    return new_database(request.getfixturevalue("postgres"))


def new_database(url: str) -> str:
    """Create an empty database on a server and return its URL."""
    name = f"test_{uuid.uuid4().hex}"
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)
