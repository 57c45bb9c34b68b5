"""The response to an invalid address is one sentence about what is expected, never a server error."""

from __future__ import annotations

from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from starlette.testclient import TestClient

WRONG = [
    ("/plants/0", "asset_id: input should be greater than or equal to 1"),
    ("/plants/-1", "asset_id: expected a whole number, got '-1'"),
    ("/plants/1%3BDROP%20TABLE%20assets", "asset_id: expected a whole number"),
    ("/plants/1.0", "asset_id: expected a whole number, got '1.0'"),
    ("/plants/%201", "asset_id: expected a whole number"),
    ("/plants/99999999999999999999999", "asset_id: expected a whole number"),
    ("/plants/9223372036854775808", "asset_id: input should be less than"),
    ("/plants/１", "asset_id: expected a whole number"),  # noqa: RUF001 - a digit that Python's int accepts
    ("/plants/1?year=20260", "year: input should be less than or equal to 2199"),
    ("/plants/1?year=x", "year: expected a whole number, got 'x'"),
    ("/plants/1/days/2026-02-30", "day: expected a day such as 2026-07-01"),
    ("/plants/1/days/20260701", "day: expected a day such as 2026-07-01"),
    ("/plants/1/days/0001-01-01", "day: expected a year from 2000 to 2199"),
    ("/plants/1/days/9999-12-31", "day: expected a year from 2000 to 2199"),
    ("/plants?region=123456789", "region: expected a region"),
    ("/plants?region=%00", "region: expected a region"),
    ("/market?state=maybe", "state: input should be 'open', 'closed' or 'all'"),
    ("/market?after=-1", "after: expected a whole number"),
    ("/money?state=%27%20OR%201%3D1", "state: input should be"),
    ("/parties/ST1", "party: expected a Stacks address"),
    ("/parties/<script>", "party: expected a Stacks address"),
    ("/parties/ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM?month=2026-13", "month: expected a month such as 2026-07"),
    ("/certificates?beneficiary=me", "beneficiary: expected a Stacks address"),
    ("/certificates?from_day=yesterday", "from_day: expected a day"),
    ("/attention/day-unverified?offset=1e3", "offset: expected a whole number"),
    ("/api/production?from_day=2026-01-01", "to_day: field required"),
    ("/api/production?from_day=2026-01-02&to_day=2026-01-01", "to_day: 2026-01-01 is before from_day, 2026-01-02."),
    ("/api/day-books?from_day=2026-01-02&to_day=2025-01-01", "to_day: 2025-01-01 is before from_day"),
    ("/api/day-books?from_day=2026-01-01&to_day=2027-01-02", "expected 1 to 366 days, got 367"),
    ("/api/production?asset=1", "asset: unknown parameter; expected from_day, to_day, asset_id, by, after,"),
    ("/api/offers?plant_id=99", "plant_id: unknown parameter; expected open, asset_id,"),
    ("/api/tip?limit=1", "limit: unknown parameter; expected none."),
    ("/api/plants/1?limit=1", "limit: unknown parameter; expected none."),
    ("/api/offers?asset_id=1&asset_id=2", "asset_id: expected once, got 2 times."),
    ("/api/production?from_day=2026-01-01&to_day=2026-03-01&by=slot", "expected 1 to 31 days for the slots of all"),
    ("/api/production?from_day=2026-01-01&to_day=2026-01-01&by=hour", "by: input should be 'slot', 'day' or 'month'"),
    ("/api/plants?limit=0", "limit: input should be greater than or equal to 1"),
    ("/api/plants?limit=1001", "limit: input should be less than or equal to 1000"),
    ("/api/offers?format=xlsx", "format: input should be 'json', 'csv' or 'parquet'"),
    ("/api/events?topic=x;--", "topic: string should match pattern"),
    ("/api/statement?month=2026-07", "party: field required"),
]
UNKNOWN = [
    ("/plants/999", "plant 999 is not found in the index"),
    ("/plants/999/days/2026-07-01", "plant 999 is not found in the index"),
    ("/offers/99999", "offer 99999 is not found in the index"),
    ("/payments/99999", "payment 99999 is not found in the index"),
    ("/api/certificates/claim/99999", "claim 99999 is not found in the index"),
    ("/attention/everything", "No page has this address."),
    ("/api/nothing", "No page has this address."),
    ("/nothing", "No page has this address."),
]


@pytest.mark.parametrize(("path", "sentence"), WRONG)
def test_an_invalid_parameter_is_named_in_the_error(pages: TestClient, path: str, sentence: str) -> None:
    answer = pages.get(path)
    assert answer.status_code == 400
    assert sentence in said(answer)


@pytest.mark.parametrize(("path", "sentence"), UNKNOWN)
def test_unknown_items_and_pages_are_not_found(pages: TestClient, path: str, sentence: str) -> None:
    answer = pages.get(path)
    assert answer.status_code == 404
    assert sentence in said(answer)


def said(answer: Any) -> str:
    """Return the text of a response, which is a page or JSON."""
    if answer.headers["content-type"] == "application/json":
        return str(answer.json()["error"])
    return unescape(answer.text)


PLACES = [
    "/plants/{}",
    "/plants/1/days/{}",
    "/plants?region={}",
    "/plants/1?year={}",
    "/market?state={}",
    "/market?asset_id={}",
    "/money?after={}",
    "/offers/{}",
    "/payments/{}",
    "/parties/{}",
    "/certificates?beneficiary={}",
    "/certificates?to_day={}",
    "/attention/{}",
    "/attention/payment-due?asset_id={}",
    "/api/plants?owner={}",
    "/api/plants?after={}",
    "/api/production?from_day={0}&to_day={0}",
    "/api/events?topic={}",
    "/api/events?actor={}",
    "/api/certificates?claimant={}",
    "/api/statement?party=ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM&month={}",
    "/static/{}",
]


@pytest.mark.parametrize("template", PLACES)
def test_no_value_causes_a_server_error(pages: TestClient, template: str) -> None:
    @settings(max_examples=40)
    @given(st.text(max_size=40) | st.from_regex(r"[-0-9'\";%]{1,30}", fullmatch=True))
    def check(value: str) -> None:
        path = template.format(quote(value, safe="", errors="surrogatepass"))
        assert pages.get(path).status_code in {200, 307, 400, 404}

    check()
