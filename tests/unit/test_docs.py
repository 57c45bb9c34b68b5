"""What the docs say of the repository is there: links, generated pages, tests that are named."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        target, _, anchor = link.partition("#")
        if target.startswith("http"):
            continue
        file = (page.parent / target) if target else page
        assert file.exists(), f"{page.name} links to {link}"
        assert not anchor or anchor in anchors(file), f"{page.name} links to {link}"


def test_the_contract_reference_is_that_of_the_sources() -> None:
    reference = runpy.run_path(str(ROOT / "docs" / "reference.py"))
    assert reference["PAGE"].read_text() == reference["build"](), "run: python docs/reference.py"


def test_the_threat_model_names_tests_that_exist() -> None:
    section = (ROOT / "docs" / "contracts.md").read_text().partition("## Who could attack")[2]
    named = re.findall(r"^\| .* \| .* \| (.*) \|$", section, re.MULTILINE)
    sources = [file.read_text() for file in (ROOT / "tests" / "contracts").glob("*.test.js")]
    titles = [title for source in sources for title in re.findall(r'(?:test|describe)\(\s*"([^"]+)"', source)]
    wanted = [name for cell in named[1:] for name in cell.split("; ")]
    assert len(wanted) > 20
    for name in wanted:
        words = name.partition(", for every")[0]
        assert any(title.startswith(words) for title in titles), f"no test is called {words!r}"
