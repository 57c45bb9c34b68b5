"""The documentation agrees with the repository: links, generated pages, names of tests."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from der_client.stacks.rpc.methods import Methods, asked

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub generates from a page's headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_work(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        target, _, anchor = link.partition("#")
        if target.startswith("http"):
            continue
        file = (page.parent / target) if target else page
        assert file.exists(), f"{page.name} links to {link}"
        assert not anchor or anchor in anchors(file), f"{page.name} links to {link}"


def test_the_contract_reference_matches_the_sources() -> None:
    reference = runpy.run_path(str(ROOT / "docs" / "reference.py"))
    assert reference["PAGE"].read_text() == reference["build"](), "run: python docs/reference.py"


def test_tests_named_in_the_threat_model_exist() -> None:
    section = (ROOT / "docs" / "contracts.md").read_text().partition("## Who could attack")[2]
    named = re.findall(r"^\| .* \| .* \| (.*) \|$", section, re.MULTILINE)
    sources = [file.read_text() for file in (ROOT / "tests" / "contracts").glob("*.test.js")]
    titles = [title for source in sources for title in re.findall(r'(?:test|describe)\(\s*"([^"]+)"', source)]
    wanted = [name for cell in named[1:] for name in cell.split("; ")]
    assert len(wanted) > 20
    for name in wanted:
        words = name.partition(", for every")[0]
        assert any(title.startswith(words) for title in titles), f"no test is called {words!r}"


def test_the_devnet_page_lists_all_endpoints() -> None:
    sources = [path.read_text() for path in (ROOT / "devnet" / "http").glob("*.js") if path.stem != "explorer-routes"]
    routes = {path for source in sources for path in re.findall(r'"(/(?:v2|v3|extended|devnet)[/\w:-]*)"', source)}
    served = {re.sub(r":\w+", "{}", route) for route in routes}
    section = (ROOT / "docs" / "devnet.md").read_text().partition("\n## Endpoints\n")[2].partition("\n## ")[0]
    table = "\n".join(line for line in section.splitlines() if line.startswith("|"))
    listed = {re.sub(r"\{\w+\}", "{}", path) for path in re.findall(r"`(?:GET |POST )?(/[^`?]*)", table)}
    assert len(served) > 40
    assert not served - listed, f"docs/devnet.md lacks, under Endpoints: {sorted(served - listed)}"
    gone = {path for path in listed if path.startswith(("/v2", "/v3", "/extended", "/devnet"))} - served
    assert not gone, f"docs/devnet.md has endpoints that devnet/http does not: {sorted(gone)}"


def test_the_sdk_page_lists_all_methods_of_the_client() -> None:
    section = (ROOT / "docs" / "stacks.md").read_text().partition("\n## Nodes and the API\n")[2].partition("\n## ")[0]
    methods = {name for name, method in vars(Methods).items() if isinstance(method, asked)}
    missing = methods - set(re.findall(r"`(\w+)`", section))
    assert not missing, f"docs/stacks.md lacks, under Nodes and the API: {sorted(missing)}"
