"""Build the documentation site in ``build/site``: ``python docs/build_site.py``, or ``make docs``.

The pages are the Markdown files of this folder, unchanged; the API reference is generated from docstrings. The pages
load nothing from other hosts.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs"
SITE = ROOT / "build" / "site"
LOADING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
LINKING = {"a": "href", **LOADING}


def navigation() -> list[tuple[str, list[str]]]:
    """Return the sections of the site with their pages, in the order of ``zensical.toml``."""
    entries: list[dict[str, str | list[str]]] = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]["nav"]
    return [
        (title, [pages] if isinstance(pages, str) else pages) for entry in entries for title, pages in entry.items()
    ]


def summary(page: Path) -> tuple[str, str]:
    """Return the title of a page and its first sentence."""
    text = page.read_text()
    title = re.search(r"^# (.*)$", text, re.MULTILINE)
    paragraphs = [part for part in text.split("\n\n") if part[:1].isalpha() or part.startswith("`")]
    sentence = re.split(r"(?<=[.:])\s", " ".join(paragraphs[0].split()))[0] if paragraphs else ""
    return (title.group(1) if title else page.stem, re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", sentence))


def llms_txt() -> str:
    """Return the list of pages for language models, in the format of llmstxt.org."""
    lines = ["# der-client", "", f"> {summary(PAGES / 'README.md')[1]}"]
    for section, pages in navigation():
        lines += ["", f"## {section}", ""]
        for page in pages:
            title, sentence = summary(PAGES / page)
            place = re.sub(r"(^|/)README$", r"\1", page.removesuffix(".md"))
            lines.append(f"- [{title}]({place}/): {sentence}" if place else f"- [{title}](./): {sentence}")
    return "\n".join(lines) + "\n"


class _Page(HTMLParser):
    """The contents of a page: its anchors, its links, and what a browser loads with it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.places: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found: dict[str, Any] = dict(attributes)
        self.places.update(filter(None, (found.get("id"), found.get("name"))))
        if (link := found.get(LINKING.get(tag, ""))) is not None and found.get("rel") != "canonical":
            self.links.append(link)
            if tag in LOADING:
                self.loads.append(link)


def problems(site: Path) -> list[str]:
    """Return broken links of the built pages, and what they load from other hosts."""
    pages = {file: _Page(file.read_text()) for file in sorted(site.rglob("*.html"))}
    found = []
    for file, page in pages.items():
        name = file.relative_to(site)
        found += [f"{name} loads {link} from another host" for link in page.loads if re.match(r"(https?:)?//", link)]
        for link in page.links:
            path, place = urldefrag(unquote(link))
            if re.match(r"[a-z]+:|//", link) or file.name == "404.html":
                continue
            target = (file.parent / path).resolve() if path else file
            target = target / "index.html" if target.is_dir() else target
            if not target.exists():
                found.append(f"{name} links to {link}, which does not exist")
            elif place and target in pages and place not in pages[target].places and not place.startswith("__"):
                found.append(f"{name} links to {link}, but that page has no such heading")
    return found


def build() -> None:
    """Build the site and check its links.

    Raises:
        SystemExit: If the build fails or a link is broken.
    """
    listed = [page for _, pages in navigation() for page in pages]
    missing = {file.relative_to(PAGES).as_posix() for file in PAGES.rglob("*.md")} ^ set(listed)
    if missing:
        raise SystemExit(f"zensical.toml and docs/ do not have the same pages: {', '.join(sorted(missing))}")
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    (SITE / "llms.txt").write_text(llms_txt())
    if found := problems(SITE):
        raise SystemExit("\n".join(found))


if __name__ == "__main__":
    build()
    sys.stdout.write(f"built {SITE / 'index.html'}\n")
