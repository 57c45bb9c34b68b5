"""Fixtures for pages over an index that is filled once per session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from benchmarks.many_plants import ManyPlants, fill
from der_client.index import Index
from der_client.web import create_app

if TYPE_CHECKING:
    from pathlib import Path

LOCAL = "http://127.0.0.1:8200"


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of an index with seven plants and twenty days."""
    place = tmp_path_factory.mktemp("index") / "index.sqlite"
    fill(place, ManyPlants(7, 20).blocks())
    return place


@pytest.fixture(scope="session")
def index(place: Path) -> Iterator[Index]:
    with Index(place) as index:
        yield index


@pytest.fixture(scope="session")
def pages(index: Index) -> TestClient:
    """A browser without JavaScript, on the machine that serves the pages."""
    return TestClient(create_app(index), base_url=LOCAL)
