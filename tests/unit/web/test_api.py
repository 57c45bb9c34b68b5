"""The API: the data of the index, in pages or as a file, with a correct OpenAPI description."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from der_client.certificates import CertificateFile

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from der_client.index import Index

RANGE = "from_day=2026-06-11&to_day=2026-06-30"
LISTS = [
    "/api/plants",
    "/api/offers",
    "/api/payments",
    "/api/certificates",
    "/api/attention",
    f"/api/production?{RANGE}",
    f"/api/production?{RANGE}&by=slot&asset_id=1",
    f"/api/production?{RANGE}&by=month",
    f"/api/day-books?{RANGE}",
]


def joined(path: str, **query: object) -> str:
    return path + ("&" if "?" in path else "?") + "&".join(f"{name}={value}" for name, value in query.items())


@pytest.mark.parametrize("path", [*LISTS, "/api/events"])
def test_a_list_is_paged_without_gaps_or_duplicates(pages: TestClient, path: str) -> None:
    whole: list[Any] = []
    after: int | None = None
    while True:
        answer = pages.get(joined(path, limit=97) if after is None else joined(path, limit=97, after=after)).json()
        assert len(answer["items"]) <= 97
        whole += answer["items"]
        after = answer["next"]
        if after is None:
            break
    assert whole
    assert whole == _everything(pages, path)


def _everything(pages: TestClient, path: str) -> list[Any]:
    """Return the complete list, read in large pages."""
    rows: list[Any] = []
    answer = pages.get(joined(path, limit=1000)).json()
    while True:
        rows += answer["items"]
        if answer["next"] is None:
            return rows
        answer = pages.get(joined(path, limit=1000, after=answer["next"])).json()


@pytest.mark.parametrize("path", LISTS)
def test_a_list_can_be_downloaded_with_the_same_rows(pages: TestClient, path: str) -> None:
    rows = _everything(pages, path)
    answer = pages.get(joined(path, format="csv", limit=1))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="')
    read = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(read) == len(rows)
    assert list(read[0]) == list(rows[0])
    for cells, row in zip(read, rows, strict=True):
        for name, value in row.items():
            if isinstance(value, str | int) and not isinstance(value, bool):
                assert cells[name] == str(value)
    frame = pl.read_parquet(io.BytesIO(pages.get(joined(path, format="parquet")).content))
    assert frame.height == len(rows)
    assert frame.columns == list(rows[0])


def test_money_is_in_smallest_units_and_named_accordingly(pages: TestClient, index: Index) -> None:
    row = pages.get("/api/payments?limit=1").json()["items"][0]
    payment = index.payment(row["payment_id"])
    for name in ("cost", "payout", "fee", "refund", "price_per_kwh"):
        assert name not in row
        assert row[f"{name}_smallest_unit"] == getattr(payment, name)
    assert row["token"] == payment.token
    assert row["state"] == payment.state.name.lower()


def test_the_totals_of_a_statement_add_up(pages: TestClient, index: Index) -> None:
    payee, month = index.payments()[0].payee, index.payments()[0].day
    answer = pages.get(f"/api/statement?party={payee}&month={month:%Y-%m}").json()
    assert answer["lines"]
    for total in answer["totals"]:
        own = [
            line
            for line in answer["lines"]
            if line["side"] == total["side"]
            and line["token"] == total["token"]
            and total["counterparty"] in (None, line["counterparty"])
        ]
        assert total["payments"] == len(own)
        for name in ("cost", "payout", "fee", "refund", "amount"):
            assert total[f"{name}_smallest_unit"] == sum(line[f"{name}_smallest_unit"] for line in own)


def test_a_plant_has_its_history(pages: TestClient) -> None:
    plant = pages.get("/api/plants/1").json()
    assert plant["asset"]["asset_id"] == 1
    assert plant["operators"][0]["value"] is None
    assert plant["operators"][-1]["to_height"] is None


def test_the_bundles_of_a_certificate_add_up(pages: TestClient, index: Index) -> None:
    own = index.certificates()[-1]
    answer = pages.get(f"/api/certificates/{own.kind}/{own.id}")
    assert answer.headers["content-disposition"] == f'attachment; filename="{own.kind}-{own.id}.json"'
    file = CertificateFile.from_json(answer.content)
    assert sum(bundle.bundle_quantity * bundle.face_value for bundle in file.bundles) == own.wh


def test_the_tip_is_the_newest_block(pages: TestClient, index: Index) -> None:
    tip = index.tip()
    assert tip is not None
    assert pages.get("/api/tip").json()["block_hash"] == tip.block_hash


def test_openapi_describes_every_field_of_the_rows(pages: TestClient) -> None:
    described = pages.get("/api/openapi.json").json()
    schemas = described["components"]["schemas"]
    for path in [*LISTS, "/api/events"]:
        own = described["paths"][path.partition("?")[0]]["get"]
        content = own["responses"]["200"]["content"]["application/json"]["schema"]
        page = schemas[content["$ref"].rpartition("/")[2]]
        row = schemas[page["properties"]["items"]["items"]["$ref"].rpartition("/")[2]]
        shown = pages.get(path).json()["items"][0]
        if "by=" not in path:
            assert set(row["properties"]) == set(shown), path
        for name, value in row["properties"].items():
            assert not any(kind.get("type") == "number" for kind in value.get("anyOf", [value])), (path, name)


def test_openapi_describes_only_get_requests_and_their_errors(pages: TestClient) -> None:
    for path, methods in pages.get("/api/openapi.json").json()["paths"].items():
        assert set(methods) == {"get"}, path
        assert "422" not in methods["get"]["responses"]
        assert "4XX" in methods["get"]["responses"]


def test_openapi_describes_every_parameter(pages: TestClient) -> None:
    paths = pages.get("/api/openapi.json").json()["paths"]
    missing = [
        (path, parameter["name"])
        for path, methods in paths.items()
        for parameter in methods["get"].get("parameters", ())
        if not parameter.get("description")
    ]
    assert missing == []
    html = pages.get("/api").text
    assert "`" not in html
    assert '<span class="code">next</span> of the previous page' in html


def test_the_api_page_lists_every_endpoint(pages: TestClient) -> None:
    html = pages.get("/api").text
    for path, methods in pages.get("/api/openapi.json").json()["paths"].items():
        assert path in html
        for parameter in methods["get"].get("parameters", ()):
            assert f'class="code">{parameter["name"]}<' in html
