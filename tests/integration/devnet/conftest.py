"""A devnet without the project's contracts, and a contract on it that does one of everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from der_client.devnet import Devnet

from .bench import START, Bench

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def shared_bench() -> Iterator[Bench]:
    with Devnet(deploy_contracts=False, start_time=START) as devnet:
        bench = Bench(devnet)
        bench.publish_probe()
        yield bench


@pytest.fixture
def bench(shared_bench: Bench) -> Iterator[Bench]:
    with shared_bench.devnet.anchor():
        yield shared_bench
