"""The documentation site: it builds, its links work, it loads nothing from other hosts, and it can be searched."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

import der_client.stacks.clarity
import der_client.stacks.transactions

ROOT = Path(__file__).parents[2]
SITE = ROOT / "build" / "site"
SCRIPT = ROOT / "docs" / "build_site.py"


@pytest.fixture(scope="module")
def site() -> dict[str, Any]:
    """The functions of docs/build_site.py, after it built the site."""
    functions = runpy.run_path(str(SCRIPT))
    functions["build"]()
    return functions


def test_each_markdown_page_is_built_and_listed_in_llms_txt(site: dict[str, Any]) -> None:
    listed = (SITE / "llms.txt").read_text()
    for _, pages in site["navigation"]():
        for page in pages:
            place = page.removesuffix("README.md").removesuffix(".md")
            assert (SITE / place / "index.html").exists(), page
            assert f"({place or '.'}/): " in listed, page


def test_the_api_reference_has_all_exported_names(site: dict[str, Any]) -> None:
    for page, package in (("clarity", der_client.stacks.clarity), ("transactions", der_client.stacks.transactions)):
        text = (SITE / "api" / page / "index.html").read_text()
        missing = [
            name for name in package.__all__ if not name.isupper() and f'id="{package.__name__}.{name}"' not in text
        ]
        assert not missing


def test_the_api_reference_has_inherited_methods(site: dict[str, Any]) -> None:
    for page, members in (
        ("rpc", ("rpc.Client.map_entry", "rpc.AsyncClient.map_entry")),
        ("der", ("Devnet.reorg", "Devnet.mine")),
        ("sending", ("multisig.MultisigAccount.transfer",)),
        ("contract", ("contract.Contract.events",)),
    ):
        text = (SITE / "api" / page / "index.html").read_text()
        missing = [member for member in members if f'.{member}"' not in text]
        assert not missing, page


def test_headings_and_text_can_be_searched(site: dict[str, Any]) -> None:
    index = json.dumps(json.loads((SITE / "search.json").read_text()))
    for words in ("Your first plant", "accept_and_fund", "key epoch"):
        assert words in index


def test_broken_links_and_foreign_scripts_are_found(site: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "other.html").write_text('<h1 id="here">x</h1>')
    (tmp_path / "index.html").write_text(
        '<a href="gone.html">1</a><a href="other.html#nowhere">2</a><a href="other.html#here">3</a>'
        '<script src="//cdn.example/x.js"></script><a href="https://example.org">4</a>'
    )
    assert site["problems"](tmp_path) == [
        "index.html loads //cdn.example/x.js from another host",
        "index.html links to gone.html, which does not exist",
        "index.html links to other.html#nowhere, but that page has no such heading",
    ]
