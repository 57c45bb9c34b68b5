"""A devnet that mines when told, a proxy in front of it, and clients that go through the proxy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from der_client.devnet import Devnet
from der_client.stacks.account import Account
from der_client.stacks.rpc import Client, RetryPolicy

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
