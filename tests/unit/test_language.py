"""Common mistakes in the project's texts: odd words, the mood of docstrings, the form of ``Raises:``."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "der_client").rglob("*.py"))
TESTS = sorted(path for folder in ("tests", "benchmarks", "docs") for path in (ROOT / folder).rglob("*.py"))
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
CONTRACTS = sorted((ROOT / "contracts").rglob("*.clar"))
SCRIPTS = [
    *sorted((ROOT / "devnet").rglob("*.js")),
    *sorted((ROOT / "tests" / "contracts").glob("*.js")),
    *sorted((ROOT / "tests" / "devnet").glob("*.js")),
]
SCRIPT_TEXT = re.compile(r"""/\*.*?\*/|(?<!:)//[^\n]*|"[^"\n]*"|`[^`]*`""", re.DOTALL)

# What is not plain English, and what to write instead.
ODD = {
    r"\b(?:he|his|him|himself|she|hers)\b": "they, or the role's name",
    r"\bsuffer(?:s|ed)?\b": "say what happens",
    r"\btake[ns]? apart\b": "decode, split, parse",
    r"\bhead row\b": "header row",
    r"\bstands? twice\b": "duplicate",
    r"\bin its stead\b": "instead",
    r"\btime-outs?\b": "timeout",
    r"\bnone such\b": "does not exist",
    r"\b(?:thereof|therein|hereby|whereof|thereby)\b": "say it directly",
    r"\bre-?try-able\b": "can be retried",
    r"\bwhat (?:came|comes|became|becomes) of\b": "the outcome, the state",
    r"\b(?:is|are|was|were) told\b": "say who reports it, or that it is reported",
    r"\banew\b": "again",
    r"\bthe present (?:fork|state|time)\b": "current",
    r"\band its like\b": "and similar",
    r"\bcomes? about\b": "say what causes it",
    r"\bof its own accord\b": "by itself",
    r"\bsome \d": "about",
    r"\bfalls? away\b": "is dropped, ends",
    r"\bgo(?:es)? on\b(?! \w+ing\b)": "continues, remains valid",
    r", be it\b": "even if",
    r"\bone answer for each\b": "returns one response per item",
    r"\b(?:done|carried out) again\b": "replayed, run again",
    r"\bbr(?:eaks?|oke) of\b": "crashes",
    r"\blives no more\b": "is no longer alive",
    r"\bearlier life\b": "an earlier run",
    r"\bwith some air\b": "with a margin",
    r"\bblack-list": "blacklist",
    r"\bshall\b": "must, will",
    r"\bcame of\b|\bcomes? of (?:it|them|a)\b": "the outcome, the result",
    r"\bof one's own\b": "own, custom",
    r"\bnone the (?:less|wiser)\b": "say it directly",
    r"\bof theirs\b": "their",
}
THIRD_PERSON = re.compile(
    r"(?:Adds|Asks|Builds|Checks|Closes|Compares|Completes|Converts|Counts|Creates|Decodes|Encodes|Finds|Fills|Follows|"
    r"Gives|Hashes|Keeps|Lists|Looks|Makes|Moves|Opens|Parses|Passes|Puts|Reads|Refuses|Removes|Returns|Runs|Says|"
    r"Sends|Sets|Shows|Signs|Starts|Stops|Takes|Tells|Turns|Waits|Writes|Yields)\b"
)
RAISES = re.compile(r"^ +(\w+(?:Error|Exception|Exit)): (.*)$", re.MULTILINE)
ROLE = re.compile(r":(?:class|meth|func|mod|attr|exc|data|obj):`")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(module: Path) -> Iterator[tuple[int, str]]:
    """Yield the docstrings of a module's functions, with their line numbers."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (text := ast.get_docstring(node)):
            yield node.lineno, text


def texts(module: Path) -> Iterator[tuple[int, str]]:
    """Yield all strings and comments of a module, with their line numbers."""
    source = module.read_text()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            yield token.start[0], token.string


def prose(module: Path) -> Iterator[tuple[int, str]]:
    """Yield the docstrings and comments of a module, and the names of its tests as words, with their line numbers."""
    source = module.read_text()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.lineno, node.name.replace("_", " ")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def docstring_slips(module: Path) -> list[str]:
    """Return what is wrong with the form of a module's docstrings: their mood, ``Raises:``, and names."""
    found = []
    for line, text in functions(module):
        place = f"{relative(module)}:{line}"
        if THIRD_PERSON.match(text):
            found.append(f"{place}: begin with the verb's base form, not {text.split()[0]!r}")
        found += [
            f"{place}: write '{error}: If …', not {what[:30]!r}"
            for error, what in RAISES.findall(text.partition("Raises:")[2])
            if not what.startswith(("If ", "As ", "On ", "Whatever ", "Anything ", "Always"))
        ]
        found += [f"{place}: write names in double backquotes"] * bool(ROLE.search(text))
    return found


def without_markers(text: str) -> str:
    """Return a comment of several lines as running text."""
    return re.sub(r"\s*\n\s*(?:\*|;;|#)?\s*", " ", text)


def slips(place: str, text: str) -> list[str]:
    return [
        f"{place}: {found.group(0)!r}: {better}"
        for odd, better in ODD.items()
        for found in re.finditer(odd, text, re.IGNORECASE)
    ]


def test_the_word_list_finds_slips() -> None:
    assert slips("here", "The buyer's offer stands twice in his time-out.")
    assert slips("here", "What became of it is told below.")
    assert not slips("here", "This is the header row of a theory.")


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_modules_are_in_plain_english(module: Path) -> None:
    found = [slip for line, text in texts(module) for slip in slips(f"{relative(module)}:{line}", text)]
    found += docstring_slips(module)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("module", TESTS, ids=relative)
def test_tests_and_benchmarks_are_in_plain_english(module: Path) -> None:
    found = [slip for line, text in prose(module) for slip in slips(f"{relative(module)}:{line}", text)]
    found += docstring_slips(module)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("page", [*PAGES, *CONTRACTS], ids=relative)
def test_pages_and_contracts_are_in_plain_english(page: Path) -> None:
    prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    if page.suffix == ".clar":
        prose = "\n".join(line.partition(";;")[2] for line in prose.splitlines())
    found = slips(page.name, prose)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("script", SCRIPTS, ids=relative)
def test_scripts_are_in_plain_english(script: Path) -> None:
    texts_found = [without_markers(text) for text in SCRIPT_TEXT.findall(script.read_text())]
    assert texts_found
    found = [slip for text in texts_found for slip in slips(script.name, text)]
    assert not found, "\n".join(found)
