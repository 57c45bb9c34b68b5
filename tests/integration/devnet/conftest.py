"""A devnet without the project's contracts, but with a contract that has a function for every feature under test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from der_client.devnet import Devnet

from .bare_devnet import START, BareDevnet

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def shared_bench() -> Iterator[BareDevnet]:
    with Devnet(deploy_contracts=False, start_time=START) as devnet:
        bare = BareDevnet(devnet)
        bare.publish_probe()
        yield bare


@pytest.fixture
def bare(shared_bench: BareDevnet) -> Iterator[BareDevnet]:
    with shared_bench.devnet.anchor():
        yield shared_bench
