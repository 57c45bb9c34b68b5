"""Every page loads, and shows the data of the index."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from benchmarks.many_plants import ManyPlants, fill
from der_client.index import Index
from der_client.web import create_app
from der_client.web.amounts import energy, power
from der_client.web.attention import Group, headline
from der_client.web.tokens import money
from tests.unit.web.conftest import LOCAL

if TYPE_CHECKING:
    from datetime import date


PATHS = [
    "/",
    "/plants",
    "/plants?region=CO",
    "/plants/1",
    "/plants/1?year=2025",
    "/plants/1/days/2026-06-29",
    "/plants/5/days/2026-06-29",
    "/plants/1/days/2001-01-01",
    "/market",
    "/market?state=closed",
    "/market?state=all&asset_id=1",
    "/offers/1",
    "/money",
    "/money?state=due",
    "/money?state=settled",
    "/payments/1",
    "/certificates",
    "/certificates?beneficiary=&from_day=&to_day=",
    "/certificates?from_day=2026-06-01&to_day=2026-06-30",
    "/attention/day-unverified",
    "/attention/payment-due?asset_id=1",
    "/api",
]


def text_of(html: str) -> str:
    """Return the text that a person reads."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


@pytest.mark.parametrize("path", PATHS)
def test_every_page_loads(pages: TestClient, path: str) -> None:
    answer = pages.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "Days and times are UTC" in answer.text


def test_every_link_of_every_page_works(pages: TestClient) -> None:
    seen: set[str] = set()
    waiting = ["/"]
    while waiting and len(seen) < 150:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        answer = pages.get(path)
        assert answer.status_code == 200, (path, answer.text[:500])
        if answer.headers["content-type"].startswith("text/html"):
            links = [unescape(link) for link in re.findall(r'<a [^>]*?href="([^"]*)"', answer.text)]
            waiting += [link for link in links if link.startswith("/")]
            assert all(link.startswith(("/", "#")) for link in links), path
    assert len(seen) == 150


def test_the_overview_begins_with_the_things_to_do(pages: TestClient, index: Index) -> None:
    overview = index.overview()
    assert overview is not None
    text = text_of(pages.get("/").text)
    assert f"{len(overview.attention)} things need doing" in text
    assert text.index("things need doing") < text.index("Verified energy")
    assert energy(overview.verified_wh).replace("\u202f", " ") in text
    assert energy(overview.sold_wh).replace("\u202f", " ") in text


def test_the_overview_sums_up_the_money_of_all_payments(pages: TestClient, index: Index) -> None:
    text = text_of(pages.get("/").text)
    for token in {payment.token for payment in index.payments()}:
        own = [payment for payment in index.payments() if payment.token == token]
        locked = sum(payment.cost for payment in own if payment.state.name == "LOCKED")
        due = sum(payment.cost for payment in own if payment.due is not None)
        paid = sum(payment.payout for payment in own)
        for amount in (locked, due, paid):
            assert money(amount, token).replace("\u202f", " ") in text


def group(number: int, *, urgent: bool) -> Group:
    return Group("payment-due", number, "payments can be closed", "", urgent)


def test_the_headline_counts_the_urgent_things() -> None:
    calm, urgent, one = group(7, urgent=False), group(2, urgent=True), group(1, urgent=False)
    said = {
        "7 things need doing": [calm],
        "1 thing needs doing": [one],
        "9 things need doing, 2 of them urgently": [urgent, calm],
        "2 things need doing urgently": [urgent],
    }
    for text, groups in said.items():
        assert headline(groups).replace("\u202f", " ") == text


def test_the_history_of_a_plant_has_units(pages: TestClient, index: Index) -> None:
    html = pages.get("/plants/1").text
    history = text_of(html[html.index('id="history"') :])
    assert f"Capacity {power(index.plant(1).plant.capacity_w)}".replace("\u202f", " ") in history


def test_a_party_is_shown_with_the_statement_of_this_month(pages: TestClient, index: Index) -> None:
    """Later months, for which the party has bought in advance, are not shown first."""
    overview = index.overview()
    assert overview is not None
    month = f"{overview.today:%Y-%m}"
    ahead = [payment for payment in index.payments() if payment.day >= overview.today]
    assert ahead
    for party in {payment.buyer for payment in ahead}:
        assert f"Statement of {month}" in text_of(pages.get(f"/parties/{party}").text)


def test_things_to_do_name_their_plant_and_day(pages: TestClient, index: Index) -> None:
    overview = index.overview()
    assert overview is not None
    due = next(row for row in overview.attention if str(row.kind) == "payment-due")
    html = pages.get("/attention/payment-due").text
    text = text_of(html)
    assert f"{due.text} Plant {due.asset_id} {due.day}" in text
    assert "Until" not in text[text.index("What Plant") :]  # a column without values is omitted
    assert "Until" in text_of(pages.get("/attention/day-unverified").text)


def test_each_plant_shows_its_number_of_things_to_do(pages: TestClient, index: Index) -> None:
    overview = index.overview()
    assert overview is not None
    shown = [int(number) for number in re.findall(r"(\d+)\u202fthings?</a>", pages.get("/plants").text)]
    assert len(shown) > 1
    assert sum(shown) == len(overview.attention)


def test_a_future_day_has_no_missing_slots(pages: TestClient, index: Index) -> None:
    overview = index.overview()
    assert overview is not None
    text = text_of(pages.get(f"/plants/1/days/{overview.today + timedelta(days=2)}").text)
    assert "Slots to come 96 the day has not begun" in text
    assert "Slot by slot mean power in slots of 15 minutes, UTC The day has not begun." in text
    assert "Missing slots" in text_of(pages.get(f"/plants/1/days/{overview.today - timedelta(days=1)}").text)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Pages of a chain on which only the deployment has happened."""
    place = tmp_path_factory.mktemp("bare") / "index.sqlite"
    fill(place, islice(ManyPlants(1, 1).blocks(), 1))
    with Index(place) as index:
        yield TestClient(create_app(index), base_url=LOCAL)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/market", "No energy is for sale now."),
        ("/market?state=all", "No energy was offered yet."),
        ("/money", "Nobody has paid yet."),
        ("/money?state=due", "No payment can be closed now."),
        ("/certificates", "No energy was claimed or retired yet."),
        ("/certificates?from_day=2026-01-01", "No energy was claimed or retired that matches this."),
        ("/", "Nothing is recorded of these days."),
    ],
)
def test_empty_pages_say_that_there_is_nothing_yet(bare: TestClient, path: str, expected: str) -> None:
    assert expected in text_of(bare.get(path).text)


def test_a_plant_shows_each_day_of_its_year(pages: TestClient, index: Index) -> None:
    html = pages.get("/plants/2?year=2026").text
    days = index.production(2, *_span(index))
    assert days
    for day in days:
        assert f"{day.day}: {energy(day.wh)}, {day.state.name.lower()}" in unescape(html)
    assert html.count('class="month"') == 12


def test_a_day_shows_its_slots_and_gaps(pages: TestClient, index: Index) -> None:
    gappy = next(day for day in index.production(None, *_span(index)) if not day.complete and day.asset_id != 5)
    html = pages.get(f"/plants/{gappy.asset_id}/days/{gappy.day}").text
    missing = gappy.slots_total - gappy.slots_recorded
    assert html.count('class="gap"') == missing
    assert html.count('class="metered"') == gappy.slots_recorded
    assert f"{gappy.slots_recorded} of 96 slots" in text_of(html)


def test_energy_known_only_as_a_sum_is_marked_as_estimated(pages: TestClient, index: Index) -> None:
    day = next(day for day in index.production(5, *_span(index)) if day.complete)
    html = pages.get(f"/plants/5/days/{day.day}").text
    assert html.count('class="estimated"') == 96
    assert "only the sum of 96 slots is on the chain" in text_of(html)


def test_the_statement_of_a_party_shows_its_totals(pages: TestClient, index: Index) -> None:
    payee = index.payments()[0].payee
    month = index.payments()[0].day.replace(day=1)
    statement = index.statement(payee, month)
    text = text_of(pages.get(f"/parties/{payee}?month={month:%Y-%m}").text)
    for total in statement.totals:
        if total.counterparty is None:
            assert money(total.payout, total.token).replace("\u202f", " ") in text


def test_the_pages_of_a_list_are_linked_up_to_the_last(pages: TestClient, index: Index) -> None:
    seen: list[int] = []
    path = "/money"
    while path:
        html = pages.get(path).text
        seen += map(int, re.findall(r'href="/payments/(\d+)"', html))
        following = re.search(r'href="([^"]*)">More', html)
        path = unescape(following[1]) if following else ""
    assert seen == sorted((payment.payment_id for payment in index.payments()), reverse=True)


def test_every_link_begins_with_the_path_of_the_proxy(index: Index) -> None:
    app = create_app(index, root_path="/der")
    html = TestClient(app, base_url="http://localhost", root_path="/der").get("/der/plants/1").text
    links = re.findall(r'(?:href|src|data-live|action)="(/[^"]*)"', html)
    assert len(links) > 50
    assert all(link.startswith("/der/") for link in links)


def _span(index: Index) -> tuple[date, date]:
    days = [day for plant in index.plants() for day in (plant.first_day, plant.last_day) if day is not None]
    return min(days), max(days)
