"""The watch sees what a page does wrong, so that a test of a page can trust its silence."""

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
    """Serve a page from a name that no server has."""
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
def test_what_a_page_does_wrong_is_noted(wide_page: Page, watch: Watch, html: str, problem: str) -> None:
    wide_page.route("http://elsewhere.test/**", lambda route: route.fulfill(body=""))
    show(wide_page, html)
    problems, watch.problems = watch.problems, []
    assert any(problem in each for each in problems), problems


def test_a_page_without_faults_is_not_noted(page: Page, watch: Watch) -> None:
    show(page, "<p>fine</p><script>console.log('fine')</script>")
    assert page.inner_text("p") == "fine"
    assert not watch.problems


def test_a_page_that_is_wider_than_its_window_is_noted(page: Page) -> None:
    show(page, "<div class=wide style='width:150vw'>wide</div>")
    with pytest.raises(AssertionError, match="wide"):
        require_no_sideways_scroll(page)


@pytest.mark.parametrize(("setting", "required"), [("true", True), ("", False), ("false", False)])
def test_a_missing_browser_fails_where_the_project_is_checked(
    monkeypatch: pytest.MonkeyPatch, setting: str, required: bool
) -> None:
    monkeypatch.setattr(browsing, "find_chromium", lambda: None)
    monkeypatch.setenv("CI", setting)
    assert browsing.missing() == (
        "Chromium is not installed: install Debian's package chromium-headless-shell to test pages in a browser"
    )
    assert browsing.is_required() is required
