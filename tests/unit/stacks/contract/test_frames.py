"""Models and events as tables: numbers are exact, and every column has a name."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

import pandas as pd
import polars as pl
import pytest

from der_client.stacks.clarity import AsciiType, UIntValue
from der_client.stacks.contract import (
    Code,
    Event,
    EventRecord,
    FromCall,
    Listing,
    Model,
    Principal,
    UInt,
    UnknownEvent,
    to_pandas,
    to_polars,
)
from der_client.stacks.errors import InvalidValueError, MissingExtraError


class State(Code):
    OPEN = 1
    CLOSED = 2


class Inner(Model):
    price: UInt


class Row(Model):
    row_id: Annotated[int, FromCall("row_id")] = 0
    wh: UInt
    limit: UInt | None
    state: State
    note: Annotated[str, AsciiType(10)]
    inner: Inner


class Paid(Event, topic="paid"):
    amount: UInt
    to: Principal


def row(wh: int, limit: int | None = None) -> Row:
    return Row(row_id=wh % 97, wh=wh, limit=limit, state=State.OPEN, note="<b>", inner=Inner(price=5))


BIG, HUGE = 2**63, 2**127
ROWS = Listing({1: row(2**53 + 1, 7), 2: row(3)})


def test_whole_numbers_stay_exact_in_pandas() -> None:
    frame = ROWS.to_pandas()
    assert list(frame.columns) == ["row_id", "wh", "limit", "state", "note", "inner.price"]
    assert frame["wh"].tolist() == [2**53 + 1, 3]
    assert frame["limit"].dtype == "Int64"
    assert frame["limit"][0] == 7
    assert frame["limit"][1] is pd.NA
    assert frame["state"].tolist() == ["OPEN", "OPEN"]
    assert to_pandas([row(BIG), row(1)])["wh"].tolist() == [BIG, 1]


def test_whole_numbers_stay_exact_in_polars() -> None:
    frame = ROWS.to_polars()
    assert frame["wh"].to_list() == [2**53 + 1, 3]
    assert frame.select("wh", "limit").schema == {"wh": pl.Int64, "limit": pl.Int64}
    assert frame["limit"].to_list() == [7, None]
    assert to_polars([row(BIG), row(1)])["wh"].to_list() == [BIG, 1]
    huge = to_polars([row(HUGE), row(1)])["wh"].to_list()
    assert [Decimal(text) for text in huge] == [HUGE, 1]


def test_rows_of_events_have_their_block_and_their_fields() -> None:
    when = datetime(2026, 7, 1, tzinfo=UTC)
    records = [
        EventRecord(Paid(amount=5, to="ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"), "ST1.shop", "ab", 0, 7, when),
        EventRecord(UnknownEvent(UIntValue(9), "new"), "ST1.shop", "cd", 1, 8, when),
    ]
    for table in (to_pandas(records).to_dict("list"), to_polars(records).to_dict(as_series=False)):
        assert table["event"] == ["Paid", "UnknownEvent"]
        assert table["block_height"] == [7, 8]
        assert table["amount"][0] == 5
        assert table["value"][1] == "u9"


def test_a_listing_is_shown_in_a_notebook_and_shortened_if_long() -> None:
    shown = ROWS._repr_html_()
    assert "<th>inner.price</th>" in shown
    assert "<td>&lt;b&gt;</td>" in shown
    long = Listing({number: row(number) for number in range(100)})._repr_html_()
    assert long.count("<tr>") == 61
    assert "and 40 more" in long


def test_an_empty_listing_is_an_empty_table() -> None:
    empty: Listing[int, Row] = Listing()
    assert len(empty.to_pandas()) == len(empty.to_polars()) == 0
    assert "<table>" in empty._repr_html_()


def test_items_without_a_table_form_are_rejected() -> None:
    with pytest.raises(InvalidValueError, match="a table is made of models, events or receipts, not int"):
        to_polars([5])


@pytest.mark.parametrize(("name", "make"), [("pandas", to_pandas), ("polars", to_polars)])
def test_a_missing_package_is_reported_with_its_extra(monkeypatch: pytest.MonkeyPatch, name: str, make: object) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=rf"{name} is not installed; install it with: pip"):
        make(ROWS)  # type: ignore[operator]
