"""Tables are defined once, at their first use; a new index gets all of them."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, inspect

from der_client.index.database import Database
from der_client.index.schema import DIGEST, EVENT_TABLES, HISTORY_TABLES, metadata

if TYPE_CHECKING:
    from pathlib import Path


def test_a_new_index_has_all_tables_and_their_indexes(tmp_path: Path) -> None:
    Database(tmp_path / "index.sqlite", writable=True).close()
    made = inspect(create_engine(f"sqlite:///{tmp_path}/index.sqlite"))
    names = {table.name for tables in (EVENT_TABLES, HISTORY_TABLES) for table in tables.values()}
    assert names <= set(made.get_table_names())
    assert {index["name"]: index["unique"] for index in made.get_indexes("payment_history")} == {
        "payment_now": 1,
        "payment_history_from": 0,
        "payment_history_to": 0,
        "payment_by_asset_id_day": 0,
        "payment_by_buyer": 0,
        "payment_by_payee": 0,
        "payment_by_offer_id": 0,
        "payment_by_state_token_cost_payout_fee_refund": 0,
    }
    assert "events_of_payment" in {index["name"] for index in made.get_indexes("events")}


def test_changed_tables_need_a_new_version() -> None:
    tables = {table.name: table for each in (EVENT_TABLES, HISTORY_TABLES) for table in each.values()}
    lines = [
        f"{table.name}.{column.name} {column.type!r} {column.nullable} {column.primary_key}"
        for table in (tables | metadata.tables).values()
        for column in table.columns
    ]
    lines += [
        f"{index.name} on {[str(part) for part in index.expressions]} {index.unique} "
        + " ".join(f"{option}={value}" for option, value in sorted(index.dialect_kwargs.items()))
        for table in (tables | metadata.tables).values()
        for index in table.indexes
    ]
    digest = sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]
    assert digest == DIGEST, (
        f"the tables have changed: in der_client/index/schema.py, raise VERSION and set DIGEST to {digest!r}"
    )


def test_threads_share_one_definition_of_each_table() -> None:
    with ThreadPoolExecutor(8) as threads:
        asked = list(threads.map(lambda _: [*EVENT_TABLES.values(), *HISTORY_TABLES.values()], range(8)))
    assert all(tables == asked[0] for tables in asked)
    with pytest.raises(KeyError):
        HISTORY_TABLES["weather"]


def test_queries_in_sqlite_import_no_postgres_and_no_file_readers(tmp_path: Path) -> None:
    place = tmp_path / "index.sqlite"
    Database(place, writable=True).close()
    unneeded = ["sqlalchemy.dialects.postgresql", "der_client.readings.table"]
    code = f"""
import sys
from der_client.index import Follower, Index
Index({str(place)!r}).plants()
print([name for name in {unneeded} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "[]\n"
