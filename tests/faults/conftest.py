"""A devnet that mines when told, a proxy in front of it, and clients that go through the proxy."""

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
    """Mines only when told, and has no contracts."""
    with Devnet(deploy_contracts=False, track_costs=False, block_interval_s=0) as devnet:
        yield devnet


@pytest.fixture
def chain(slow_devnet: Devnet) -> Iterator[Devnet]:
    """The same, as it was before each test."""
    with slow_devnet.anchor():
        yield slow_devnet


@pytest.fixture
def proxy(chain: Devnet) -> Iterator[FaultProxy]:
    """The way to it."""
    with FaultProxy(chain.url) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: FaultProxy) -> Iterator[Client]:
    """A client that does not wait long."""
    with Client(proxy.url, retries=QUICK, timeout=(2.0, 5.0)) as client:
        yield client


@pytest.fixture
def account(client: Client, chain: Devnet) -> Account:
    """An account with money."""
    return Account(chain.accounts["wallet_1"].key, client)


@pytest.fixture
def payee(chain: Devnet) -> str:
    """Whom it pays."""
    return chain.accounts["wallet_2"].address


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a Postgres server of this run."""
    if find_programs() is None:
        pytest.skip(MISSING)
    with running() as url:
        yield url


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path | None:
    """Where a journal is kept: each test runs with each kind."""
    if request.param == "memory":
        return None
    if request.param == "sqlite":
        return tmp_path / "journal.db"
    return new_database(request.getfixturevalue("postgres"))


@pytest.fixture(params=["sqlite", "postgres"])
def lasting_place(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path:
    """The same, for journals that outlive an outbox."""
    if request.param == "sqlite":
        return tmp_path / "journal.db"
    return new_database(request.getfixturevalue("postgres"))


def new_database(url: str) -> str:
    """An empty database on a server."""
    name = f"test_{uuid.uuid4().hex}"
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)
