"""The watch detects the problems of a page, so tests can rely on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser import browsing
from tests.browser.browsing import require_no_sideways_scroll

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.browsing import Watch

ORIGIN = "http://pages.test"


def show(page: Page, html: str) -> None:
    """Serve a page under a host name that does not exist."""
    page.route(f"{ORIGIN}/", lambda route: route.fulfill(body=f"<!doctype html>{html}", content_type="text/html"))
    page.goto(f"{ORIGIN}/")
    page.wait_for_load_state("networkidle")


@pytest.mark.parametrize(
    ("html", "problem"),
    [
        ("<script>console.error('broken')</script>", "console error: broken"),
        ("<script>console.warn('odd')</script>", "console warning: odd"),
        ("<script>throw new Error('lost')</script>", "exception: lost"),
        ("<img src='http://elsewhere.test/pixel.png'>", "loaded from elsewhere: http://elsewhere.test/pixel.png"),
        (
            "<meta http-equiv=Content-Security-Policy content=\"script-src 'none'\"><script>1</script>",
            "Content Security Policy",
        ),
    ],
)
def test_problems_of_a_page_are_noted(wide_page: Page, watch: Watch, html: str, problem: str) -> None:
    wide_page.route("http://elsewhere.test/**", lambda route: route.fulfill(body=""))
    show(wide_page, html)
    problems, watch.problems = watch.problems, []
    assert any(problem in each for each in problems), problems


def test_a_correct_page_has_no_problems(page: Page, watch: Watch) -> None:
    show(page, "<p>fine</p><script>console.log('fine')</script>")
    assert page.inner_text("p") == "fine"
    assert not watch.problems


def test_a_page_wider_than_its_window_is_detected(page: Page) -> None:
    show(page, "<div class=wide style='width:150vw'>wide</div>")
    with pytest.raises(AssertionError, match="wide"):
        require_no_sideways_scroll(page)


@pytest.mark.parametrize(("setting", "required"), [("true", True), ("", False), ("false", False)])
def test_a_missing_browser_is_a_failure_only_in_ci(
    monkeypatch: pytest.MonkeyPatch, setting: str, required: bool
) -> None:
    monkeypatch.setattr(browsing, "find_chromium", lambda: None)
    monkeypatch.setenv("CI", setting)
    assert browsing.missing() == (
        "Chromium is not installed: install Debian's package chromium-headless-shell to test pages in a browser"
    )
    assert browsing.is_required() is required
