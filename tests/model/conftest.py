"""One devnet and its model, shared by all tests in this directory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from der_client.devnet import Devnet
from tests.model.chain import START_TIME, Chain
from tests.model.twin import Twin


@pytest.fixture(scope="session")
def twin() -> Iterator[Twin]:
    """Contracts and model with the roles granted and the first plants registered; each test restores this state."""
    with Devnet(track_costs=False, start_time=START_TIME) as devnet:
        yield Twin.deployed(Chain(devnet))
