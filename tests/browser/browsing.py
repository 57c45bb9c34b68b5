"""Helpers for tests of pages: find a Chromium, and watch the console and the requests of a page."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page, Request, ViewportSize

VIEWPORTS: Final[dict[str, ViewportSize]] = {
    "wide": {"width": 1400, "height": 900},
    "phone": {"width": 360, "height": 740},
}
_NAMES: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_OWN_SCHEMES: Final = {"data", "blob", "about"}
_OUTSIDE: Final = """() => [...document.querySelectorAll("body *")]
  .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .slice(0, 5)
  .map((element) => `<${element.tagName.toLowerCase()} class="${element.getAttribute("class") ?? ""}">`)"""


def find_chromium() -> str | None:
    """Return the path of this machine's Chromium, if possible one without windows, which takes half as long."""
    return next((found for found in map(shutil.which, _NAMES) if found), None)


def missing() -> str | None:
    """Return why there is no browser to test with; ``None`` if there is one."""
    if find_spec("playwright") is None:
        return "Playwright is not installed: run make setup to test pages in a browser"
    if find_chromium() is None:
        return "Chromium is not installed: install Debian's package chromium-headless-shell to test pages in a browser"
    return None


def is_required() -> bool:
    """Return whether a missing browser is a failure: only with CI=true, as on the machines that check the project."""
    return os.environ.get("CI", "").lower() == "true"


@dataclass
class Watch:
    """The problems of a page: errors in its console, exceptions, and requests to other hosts.

    Attributes:
        problems: One sentence each. They fail the test at its end; a test that provokes them clears the list.
    """

    problems: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        """Note the problems of a page from now on."""
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        page.on("requestfailed", self._on_failure)
        page.on("request", lambda request: self._on_request(page, request))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.problems.append(f"console {message.type}: {message.text} ({message.location.get('url', '')})")

    def _on_failure(self, request: Request) -> None:
        # Leaving a page ends its requests, such as a stream of events: that is not a failure.
        if "ERR_ABORTED" not in (request.failure or ""):
            self.problems.append(f"not loaded: {request.url}: {request.failure}")

    def _on_request(self, page: Page, request: Request) -> None:
        if request.is_navigation_request():
            return
        asked, own = urlsplit(request.url), urlsplit(page.url)
        if asked.scheme not in _OWN_SCHEMES and asked.netloc != own.netloc:
            self.problems.append(f"loaded from elsewhere: {request.url}")


def require_no_sideways_scroll(page: Page) -> None:
    """Fail if a page is wider than its window.

    Args:
        page: The page.
    """
    width = page.evaluate("document.documentElement.scrollWidth")
    seen = page.evaluate("document.documentElement.clientWidth")
    assert width <= seen, f"{page.url} is {width} px wide in a window of {seen} px: {page.evaluate(_OUTSIDE)}"
