"""Plain English in the SDK: docstrings in one mood, one form of ``Raises:``, and no words that need translating."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "der_client" / "stacks").rglob("*.py"))
Function = ast.FunctionDef | ast.AsyncFunctionDef

THIRD_PERSON = re.compile(
    r"(Adds|Builds|Checks|Computes|Finds|Gives|Makes|Opens|Reads|Refuses|Returns|Says|Shows|Signs|Takes|Tells|Turns|Writes)"
    r"\b"
)
RAISED = re.compile(r" +(?:[A-Z]\w*(?:Error|Exhausted)(?:, )?)+: (?P<when>.*)")
WHEN = re.compile(r"(If|As|On|Whatever|Anything)\b")
NEVER = re.compile(r"\b(he|his|him|(?<!there )(?:is|are) no|none such|suffered|stands twice)\b")


@cache
def docstrings() -> list[tuple[str, ast.AST, str]]:
    return [
        (f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}", node, text)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Module | ast.ClassDef | Function) and (text := ast.get_docstring(node))
    ]


def test_functions_are_documented_in_the_imperative() -> None:
    first_lines = [(place, text.splitlines()[0]) for place, node, text in docstrings() if isinstance(node, Function)]
    assert len(first_lines) > 500
    assert [line for line in first_lines if THIRD_PERSON.match(line[1])] == []


def test_raises_says_when() -> None:
    entries = [
        (place, found["when"])
        for place, _, text in docstrings()
        for line in text.partition("Raises:\n")[2].split("\n\n")[0].splitlines()
        if (found := RAISED.fullmatch(line))
    ]
    assert len(entries) > 300
    assert [entry for entry in entries if not WHEN.match(entry[1])] == []


def test_words() -> None:
    lines = [(path.name, line.strip()) for path in FILES for line in path.read_text().splitlines()]
    assert [line for line in lines if NEVER.search(line[1])] == []
