"""The pages in a real browser, opened at both widths and clicked through: the console shows no errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from benchmarks.many_plants import ManyPlants, Texts, fill
from der_client.index import Index
from der_client.index.database import Database
from der_client.index.writer import Writer
from der_client.web.amounts import energy
from tests.browser.browsing import require_no_sideways_scroll
from tests.browser.looks import require_contrast, require_no_empty_cells, require_whole_tables
from tests.browser.served import pages_of

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.browser.browsing import Watch

PATHS = [
    "/",
    "/plants",
    "/plants/1",
    "/plants/1/days/2026-06-25",
    "/plants/5/days/2026-06-25",
    "/market?state=all",
    "/offers/1",
    "/money",
    "/payments/1",
    "/certificates",
    "/attention/day-unverified",
    "/api",
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pages") / "index.sqlite"
    fill(place, ManyPlants(7, 30).blocks())
    return place


@pytest.fixture(scope="module")
def pages(place: Path) -> Iterator[str]:
    with pages_of(place) as url:
        yield url


@pytest.mark.parametrize("path", PATHS)
def test_a_page_fits_its_window_without_errors(page: Page, pages: str, path: str) -> None:
    page.goto(pages + path)
    page.wait_for_selector("#live-dot.live")  # the script runs, and the stream of blocks is open
    require_no_sideways_scroll(page)
    assert page.locator("h1").count() == 1
    page.emulate_media(color_scheme="dark")
    require_no_sideways_scroll(page)


@pytest.mark.parametrize("path", PATHS)
def test_every_text_has_enough_contrast(wide_page: Page, pages: str, path: str) -> None:
    wide_page.goto(pages + path)
    require_contrast(wide_page)


@pytest.mark.parametrize("path", PATHS)
def test_a_phone_shows_no_label_without_a_value(phone_page: Page, pages: str, path: str) -> None:
    phone_page.goto(pages + path)
    require_no_empty_cells(phone_page)


@pytest.mark.parametrize("path", [*PATHS, "/money?state=settled"])
def test_tables_fit_into_a_laptop_window(wide_page: Page, pages: str, path: str) -> None:
    wide_page.set_viewport_size({"width": 1280, "height": 800})
    wide_page.goto(pages + path)
    require_whole_tables(wide_page)


def test_a_statement_fits_into_a_laptop_window(wide_page: Page, pages: str) -> None:
    wide_page.set_viewport_size({"width": 1280, "height": 800})
    wide_page.goto(f"{pages}/money")
    wide_page.locator("#statements td.title a").first.click()
    wide_page.wait_for_url("**/parties/**")
    require_whole_tables(wide_page)
    require_contrast(wide_page)


def test_a_statement_is_printed_as_a_table_in_dark_ink(wide_page: Page, pages: str) -> None:
    wide_page.goto(f"{pages}/money")
    wide_page.locator("#statements td.title a").first.click()
    wide_page.wait_for_url("**/parties/**")
    for width in (1050, 718):  # A4 in both orientations, as browsers lay it out
        wide_page.set_viewport_size({"width": width, "height": 700})
        wide_page.emulate_media(media="print", color_scheme="dark")
        assert wide_page.locator("#statement thead").is_visible()
        assert not wide_page.locator(".top nav").is_visible()
        assert "as of block" in wide_page.inner_text("#statement")
        ground = "getComputedStyle(document.documentElement).backgroundColor"
        ink = "getComputedStyle(document.querySelector('#statement td')).color"
        assert wide_page.evaluate(ground) == "rgb(255, 255, 255)"
        assert max(map(int, wide_page.evaluate(ink)[4:-1].split(","))) < 100
    wide_page.set_viewport_size({"width": 1050, "height": 700})
    require_whole_tables(wide_page)


def test_days_before_the_registration_are_not_shown_as_missing(wide_page: Page, pages: str) -> None:
    wide_page.goto(f"{pages}/plants/1?year=2026")
    before = wide_page.locator("#year .day.before-it:not(.legend *)")
    assert before.count() > 100
    assert "before its registration" in wide_page.inner_text("#year .legend")
    assert wide_page.locator(".month .day.open").first.locator("title").inner_html().endswith("nothing recorded")


def test_links_lead_from_open_tasks_to_the_slots_of_a_day(page: Page, pages: str) -> None:
    page.goto(pages)
    page.get_by_role("link", name="days wait for verification").click()
    page.wait_for_url("**/attention/day-unverified")
    page.locator("#list td a").first.click()
    page.wait_for_url("**/days/*")
    assert page.locator("#slots svg .metered, #slots svg .estimated").count() > 0
    page.locator("#slot-table summary").click()
    assert page.locator("#slot-table tbody tr").count() == 96
    require_no_sideways_scroll(page)
    page.get_by_role("link", name="Plant", exact=False).first.click()


def test_a_day_of_the_year_links_to_its_page(page: Page, pages: str, place: Path) -> None:
    page.goto(f"{pages}/plants/1?year=2026")
    day = page.locator(".month a").first
    title = day.locator("title").inner_html()
    day.click()
    page.wait_for_url("**/days/*")
    assert page.inner_text("h1") == title[:10]
    shown = page.locator("#figures .value").first.inner_text()
    assert shown in title


def test_the_header_links_to_every_page(page: Page, pages: str) -> None:
    page.goto(pages)
    for name in ("Plants", "Market", "Money", "Certificates", "API", "Overview"):
        page.locator(".top nav").get_by_role("link", name=name, exact=True).click()
        page.wait_for_load_state()
        assert page.locator("h1").inner_text() == name
        assert page.locator(".top nav a[aria-current]").inner_text() == name


def test_certificates_can_be_filtered_by_day(page: Page, pages: str) -> None:
    page.goto(f"{pages}/certificates")
    before = page.locator("#list tbody tr").count()
    page.get_by_label("From day").fill("2026-06-20")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**from_day=2026-06-20**")
    assert 0 < page.locator("#list tbody tr").count() <= before
    assert page.get_by_label("From day").input_value() == "2026-06-20"


def test_a_statement_can_be_downloaded_as_csv(wide_page: Page, pages: str) -> None:
    wide_page.goto(f"{pages}/money")
    wide_page.locator("#statements td .pick a").first.click()
    wide_page.wait_for_url("**/parties/**")
    require_no_sideways_scroll(wide_page)
    with wide_page.expect_download() as downloading:
        wide_page.get_by_role("link", name="Download as CSV").click()
    lines = downloading.value.path().read_text().splitlines()
    assert lines[0].startswith("payment_id,side,counterparty")
    assert len(lines) == 1 + wide_page.locator("#statement tbody tr").count()


def test_pages_work_without_javascript(browser: object, pages: str) -> None:
    context = browser.new_context(java_script_enabled=False)  # type: ignore[attr-defined]
    page = context.new_page()
    page.goto(pages)
    assert "doing" in page.inner_text("#verdict")
    assert page.locator("#power svg path.line").count() == 1
    context.close()


def test_new_blocks_update_an_open_page(wide_page: Page, tmp_path: Path) -> None:
    blocks = list(ManyPlants(3, 6).blocks())
    place = tmp_path / "index.sqlite"
    fill(place, blocks[:-1])
    with pages_of(place) as url:
        wide_page.goto(url)
        wide_page.wait_for_selector("#live-dot.live")
        with Index(place) as index:
            before = index.overview()
        assert before is not None
        assert f"Block {before.tip.height}" in wide_page.inner_text("#tip")
        wide_page.evaluate("document.title = 'the same page'")
        database, writer = Database(place, writable=True), Writer()
        with database.transaction("be written") as connection:
            writer.read_count(connection)
            writer.write(connection, blocks[-1:])
        database.close()
        wide_page.locator("#tip", has_text=f"Block {before.tip.height + 1}").wait_for()
        with Index(place) as index:
            after = index.overview()
        assert after is not None
        assert after.recorded_today_wh > before.recorded_today_wh
        assert energy(after.recorded_today_wh) in wide_page.inner_text("#figures")
        assert wide_page.title() == "the same page"  # parts were replaced, the page was not reloaded


def test_a_lost_server_is_shown(wide_page: Page, watch: Watch, place: Path) -> None:
    with pages_of(place) as url:
        wide_page.goto(url)
        wide_page.wait_for_selector("#live-dot.live")
    wide_page.wait_for_selector("#live-dot.lost")
    watch.problems.clear()  # the console also reports that the stream ended


HOSTILE = {
    "region": ["<b>&\"'</", "{{7*7}}", "W" * 8],
    "location": ["<s onload=x>", "\"'><b>x</b>", "W" * 12],
    "purpose": [
        "</td><script>window.owned=1</script><img src=x onerror=owned=1>",
        'javascript:window.owned=1//" onmouseover="window.owned=1',
        "W" * 64,
    ],
    "reason": ["</script><svg/onload=window.owned=1>", "{% raw %}", "W" * 64],
}


HOSTILE_PATHS = [
    "/",
    "/plants",
    "/plants/1",
    "/plants/1/days/2026-06-25",
    "/market?state=all",
    "/offers/1",
    "/money",
    "/payments/1",
    "/certificates",
]


@pytest.fixture(scope="module", params=range(3))
def hostile(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Texts]]:
    """The pages of a chain in which every text is hostile, and these texts."""
    texts = Texts(**{name: values[request.param] for name, values in HOSTILE.items()})
    place = tmp_path_factory.mktemp("hostile") / "index.sqlite"
    fill(place, ManyPlants(3, 30, texts=texts, mishaps=0.2).blocks())
    with pages_of(place) as url:
        yield url, texts


def test_hostile_texts_are_escaped(page: Page, hostile: tuple[str, Texts]) -> None:
    url, texts = hostile
    page.goto(f"{url}/plants/1")
    owner = page.locator("#facts a.who").first.get_attribute("href")
    for path in [owner, *HOSTILE_PATHS]:
        page.goto(f"{url}{path}")
        page.wait_for_selector("#live-dot.live")
        require_no_sideways_scroll(page)
        assert page.evaluate("window.owned") is None
        assert page.locator("main script, main img, main s, main td b, main iframe").count() == 0
    assert texts.purpose in page.locator("#list tbody").inner_text()
    page.goto(f"{url}/plants/1")
    assert texts.location in page.locator(".head").inner_text()


@pytest.mark.parametrize(
    "path", ["/plants/<script>window.owned=1</script>", "/market?state=<img src=x onerror=window.owned=1>", "/<b>x</b>"]
)
def test_hostile_paths_are_escaped(page: Page, watch: Watch, pages: str, path: str) -> None:
    page.goto(pages + path)
    assert page.locator("h1").count() == 1
    assert page.evaluate("window.owned") is None
    assert page.locator("main b, main img, main script").count() == 0
    watch.problems.clear()  # the console reports that the page was not found
