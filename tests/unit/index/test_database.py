"""Where an index can be stored, and the errors where it cannot."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from benchmarks.synthetic_chain import SyntheticChain
from der_client.index import Follower, Index, IndexDatabaseError, IndexMissingError, IndexVersionError, LeaseHeldError

SECRET = "hush"
POSTGRES = f"postgresql://der:{SECRET}@127.0.0.1:1/der"


@pytest.fixture
def chain() -> SyntheticChain:
    return SyntheticChain(1, 1)


@pytest.fixture
def place(chain: SyntheticChain, tmp_path: Path) -> Path:
    """The path of an index."""
    place = tmp_path / "index.sqlite"
    index(chain, place)
    return place


def index(chain: SyntheticChain, place: Path | str, **options: Any) -> int:
    with Follower(chain.der, place, **options) as follower:
        return follower.run_once().height


def change(place: Path, statement: str, *values: str) -> None:
    with closing(sqlite3.connect(place)) as connection, connection:
        connection.execute(statement, values)


def refused(place: Path | str) -> str:
    with pytest.raises(IndexDatabaseError) as caught:
        Index(place)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value.__cause__)
    return str(caught.value)


@pytest.mark.parametrize("name", ["a b.sqlite", "what?.sqlite", "50%20#1.sqlite"])
def test_file_names_may_contain_url_characters(chain: SyntheticChain, tmp_path: Path, name: str) -> None:
    height = index(chain, tmp_path / name)
    with Index(tmp_path / name) as opened:
        tip = opened.tip()
        assert tip is not None
        assert tip.height == height
        assert opened.place == str(tmp_path / name)


def test_a_missing_or_empty_file_is_reported(tmp_path: Path) -> None:
    missing = tmp_path / "none.sqlite"
    assert f"does not exist: run `der index --database {missing}`" in refused(missing)
    empty = tmp_path / "empty.sqlite"
    empty.touch()
    assert f"is empty: run `der index --database {empty}`" in refused(empty)
    for place in (missing, empty):
        with pytest.raises(IndexMissingError):
            Index(place)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (".", "the index . is a folder: give a file"),
        ("no/index.sqlite", "there is no folder no"),
        ("postgresql//der@host/der", "there is no folder postgresql/der@host; a URL begins with postgresql://"),
        ("sqlite:///index.sqlite", "give the path of a SQLite file, or postgresql://user@host/database"),
        (f"mysql://der:{SECRET}@host/der", "mysql://der:***@host/der is neither a file nor a Postgres database"),
        ("postgresql://der@host:port/der", "is not a URL that can be used"),
        (POSTGRES, "connection refused; check that Postgres is running there, and the URL"),
        (POSTGRES.replace("postgresql", "postgres"), "postgresql://der:***@127.0.0.1:1/der cannot be opened"),
        ("postgresql:///der?host=/no", "check that Postgres is running on this machine, or name its host in the URL"),
    ],
)
def test_invalid_places_are_rejected(place: str, said: str) -> None:
    assert said.lower() in refused(place).lower()


def test_files_that_are_not_an_index_are_not_changed(chain: SyntheticChain, tmp_path: Path) -> None:
    text, other = tmp_path / "text", tmp_path / "other.sqlite"
    text.write_text("Some words.")
    change(other, "CREATE TABLE mine (number)")
    for place, said in ((text, "it is not an index; give another file"), (other, "is a database of another program")):
        assert said in refused(place)
        for rebuild in (False, True):
            with pytest.raises(IndexDatabaseError, match=said):
                Follower(chain.der, place, rebuild=rebuild)
    assert text.read_text() == "Some words."
    with closing(sqlite3.connect(other)) as connection:
        assert list(connection.iterdump()) == ["BEGIN TRANSACTION;", "CREATE TABLE mine (number);", "COMMIT;"]


@pytest.mark.parametrize(("version", "said"), [("0", "): rebuild it"), ("999", "): update der-client, or rebuild it")])
def test_an_index_of_another_version_must_be_rebuilt(
    chain: SyntheticChain, place: Path, version: str, said: str
) -> None:
    change(place, "UPDATE about SET value = ? WHERE name = 'version'", version)
    assert said in refused(place)
    with pytest.raises(IndexVersionError):
        Follower(chain.der, place)
    assert index(chain, place, rebuild=True) > 0


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("network", "1", r"another network \(mainnet, not testnet or devnet\): give another"),
        (
            "deployer",
            "ST000",
            r"another deployer \(ST000, not ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM\)",
        ),
    ],
)
def test_an_index_of_other_contracts_is_rejected(
    chain: SyntheticChain, place: Path, name: str, value: str, said: str
) -> None:
    change(place, "UPDATE about SET value = ? WHERE name = ?", value, name)
    with pytest.raises(IndexDatabaseError, match=said):
        Follower(chain.der, place)


def test_an_index_that_another_indexer_writes_is_not_rebuilt(chain: SyntheticChain, place: Path) -> None:
    with Follower(chain.der, place) as working:
        height = working.run_once().height
        with pytest.raises(LeaseHeldError, match="stop that before you rebuild this"):
            Follower(chain.der, place, rebuild=True)
        with Index(place) as opened:
            tip = opened.tip()
            assert tip is not None
            assert tip.height == height
    assert index(chain, place, rebuild=True) == height


def test_an_index_rebuilt_by_another_follower_is_filled_again(chain: SyntheticChain, place: Path) -> None:
    with Follower(chain.der, place, lease_s=0) as first:
        first.run_once()
        Follower(chain.der, place, rebuild=True, lease_s=0)._database.close()
        first.run_once()
    with Index(place) as opened:
        tip = opened.tip()
        assert tip is not None
        assert tip.events == chain.event_count


def test_a_place_without_write_permission_is_reported(chain: SyntheticChain, place: Path) -> None:
    place.chmod(0o400)
    place.parent.chmod(0o500)
    try:
        if os.access(place, os.W_OK):
            pytest.skip("root may write everywhere")
        for target in (place, place.parent / "new.sqlite"):
            with pytest.raises(IndexDatabaseError, match="check that you may"):
                Follower(chain.der, target)
        assert "copy it to a folder that you may write" in refused(place)
    finally:
        place.parent.chmod(0o700)
