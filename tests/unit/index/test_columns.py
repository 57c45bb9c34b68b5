"""Values are the same after a round trip through SQL, and are compared and sorted there by their own order."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, insert, select

from der_client.contracts import CONTRACTS
from der_client.contracts.asset_verification import AssetKind, DeviceKey, KeyCurve
from der_client.contracts.grid_integration import ExportCap, ExportSchedule
from der_client.contracts.units import DayOrNever, Hash32, PricePerKwh
from der_client.index.bulk import BulkInsert
from der_client.index.columns import column_for
from der_client.stacks.contract.annotations import Day, Principal, Timestamp, UInt
from der_client.stacks.contract.codecs import field_annotations

LARGEST = 2**128 - 1
KEY = DeviceKey(curve=KeyCurve.P256, key=b"\x02" * 33)
CASES: list[tuple[str, Any, list[Any]]] = [
    ("wh", UInt, [0, 10**15]),
    ("cost", UInt, [0, 1, 2**63 - 1, 2**63, 10**27, LARGEST]),
    ("price_per_kwh", PricePerKwh, [1, 10**15]),
    ("mask", UInt, [0, 1, 2**96 - 1]),
    ("day", Day, [date(1970, 1, 1), date(2026, 7, 1), date(9999, 12, 31)]),
    ("from_day", DayOrNever, [None, date(2026, 7, 1)]),
    ("expires_at", Timestamp, [datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)]),
    ("kind", AssetKind, list(AssetKind)),
    ("verified", bool, [True, False]),
    ("owner", Principal | None, [None, "ST1", "'; DROP TABLE x;--", "<b>é\n"]),
    ("root", Hash32, [bytes(32), b"\xff" * 32]),
    ("device_key", DeviceKey | None, [None, KEY]),
    ("export_schedule", ExportSchedule, [(), (ExportCap(from_day=date(2026, 7, 1), cap_w=7),)]),
]


@pytest.mark.parametrize(("name", "annotation", "values"), CASES, ids=[case[0] for case in CASES])
def test_values_survive_the_round_trip(name: str, annotation: Any, values: list[Any], tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'x.sqlite'}")
    table = Table("x", MetaData(), Column("id", Integer, primary_key=True), column_for(name, annotation))
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(insert(table), [{"id": 2 * number, name: value} for number, value in enumerate(values)])
        rows = [{"id": 2 * number + 1, name: value, "more": 0} for number, value in enumerate(values)]
        BulkInsert(table, engine.dialect).run(connection, rows)
        column = table.c[name]
        found = [row[0] for row in connection.execute(select(column).order_by(table.c.id))]
        assert found == [value for value in values for _ in range(2)]
        for value in values:
            same = column.is_(None) if value is None else column == value
            assert len(connection.execute(select(table).where(same)).all()) == 2 * values.count(value)
        if name in ("cost", "mask", "day", "expires_at"):
            assert [row[0] for row in connection.execute(select(column).order_by(column))] == found


def test_each_field_of_each_event_has_a_column() -> None:
    for contract in CONTRACTS:
        for event in contract.event_classes:
            for name, annotation in field_annotations(event).items():
                assert column_for(name, annotation).name == name


def test_a_field_without_a_column_is_named_in_the_error() -> None:
    with pytest.raises(TypeError, match="no column is known for speed"):
        column_for("speed", float)
