"""Fixtures for tests on the embedded devnet; pytest loads them by itself where der-client is installed.

``devnet`` is one devnet for the whole run (one per worker with pytest-xdist), started by the first test that asks for
it. Each test that uses it starts from the state that fixtures of wider scope left, and leaves no trace: what it did is
undone by a snapshot. Fixtures of module or session scope use ``shared_devnet``, whose changes stay::

    @pytest.fixture(scope="module")
    def plant(shared_devnet): ...      # done once, kept for the module's tests

    def test_sale(devnet, plant): ...  # undone afterwards

Within a test, ``with devnet.anchor():`` undoes a part, such as one example of hypothesis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from der_client.devnet import Devnet

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def shared_devnet() -> Iterator[Devnet]:
    """One devnet for the whole run, with the contracts published. What is done to it stays."""
    with Devnet() as devnet:
        yield devnet


@pytest.fixture
def devnet(shared_devnet: Devnet) -> Iterator[Devnet]:
    """The run's devnet, for one test: what the test does to it is undone afterwards."""
    with shared_devnet.anchor():
        yield shared_devnet
