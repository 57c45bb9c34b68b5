"""A browser for each module, and watched pages: an error in the console fails the test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser import browsing
from tests.browser.browsing import VIEWPORTS, Watch

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")  # its event loop runs in this thread meanwhile, which would disturb other tests
def browser() -> Iterator[Browser]:
    """Chromium without a window. If it is missing, the test is skipped or, with CI=true, fails."""
    if (why := browsing.missing()) is not None:
        if browsing.is_required():
            pytest.fail(why)
        pytest.skip(why)
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 -- skipped above if it is missing

    with sync_playwright() as playwright:
        # Chromium's sandbox does not start for root, as in containers; the pages are our own.
        running = playwright.chromium.launch(
            executable_path=browsing.find_chromium(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield running
        running.close()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """The problems of the test's pages; any that are left at the end fail the test."""
    seen = Watch()
    yield seen
    assert not seen.problems, "\n".join(seen.problems)


@pytest.fixture(params=VIEWPORTS)
def page(browser: Browser, watch: Watch, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A watched page; the test runs once in a wide window and once in a window of a phone's size."""
    yield from _open(browser, watch, request.param)


@pytest.fixture
def wide_page(browser: Browser, watch: Watch) -> Iterator[Page]:
    """A watched page in a wide window."""
    yield from _open(browser, watch, "wide")


@pytest.fixture
def phone_page(browser: Browser, watch: Watch) -> Iterator[Page]:
    """A watched page in a window of a phone's size."""
    yield from _open(browser, watch, "phone")


def _open(browser: Browser, watch: Watch, size: str) -> Iterator[Page]:
    context = browser.new_context(viewport=VIEWPORTS[size], has_touch=size == "phone", accept_downloads=True)
    context.set_default_timeout(15_000)
    context.on("page", watch.follow)
    yield context.new_page()
    context.close()
