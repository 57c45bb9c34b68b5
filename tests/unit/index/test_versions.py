"""The history of state in the database: each row with the blocks in which it was valid."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from der_client.contracts.grid_integration import AlertLevel
from der_client.index import Index
from der_client.index.database import Database
from der_client.index.schema import HISTORY_TABLES
from der_client.index.versions import Versions, holds_at

if TYPE_CHECKING:
    from pathlib import Path


def test_a_row_with_field_names_like_our_sql_parameters_is_replaced(tmp_path: Path) -> None:
    """Alerts have a field ``until``, which was also the name of an SQL parameter."""
    place = tmp_path / "index.sqlite"
    database, versions = Database(place, writable=True), Versions()
    levels = {5: AlertLevel.WATCH, 7: AlertLevel.EMERGENCY}
    for height, level in levels.items():
        with database.transaction("be written") as connection:
            versions.begin(connection)
            versions.height = height
            versions.put("alert", ("CO",), {"level": level, "until": datetime(2027, 1, height, tzinfo=UTC)})
            versions.flush()
    database.close()
    history = HISTORY_TABLES["alert"]
    with Index(place) as index, index.connection() as connection:
        for height, level in {6: AlertLevel.WATCH, 7: AlertLevel.EMERGENCY, 8: AlertLevel.EMERGENCY}.items():
            assert [row.level for row in connection.execute(history.select().where(holds_at(history, height)))] == [
                level
            ]
