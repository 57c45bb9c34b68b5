"""The suite itself: shapes find mismatches, case names are unique, and everything that needs a case has one."""

from __future__ import annotations

import re
from inspect import getdoc, getmembers, isfunction
from pathlib import Path
from typing import Any

import pytest

from der_client.stacks.rpc import api, api_v3, node, rejections
from tests.conformance import differences, test_blocks, test_mempool, test_recorded_examples
from tests.conformance.case import Request, get
from tests.conformance.cases import CASES
from tests.conformance.rejections import REJECTIONS
from tests.conformance.shapes import (
    HASH,
    HEX,
    AtLeast,
    Including,
    ListOf,
    Named,
    Nullable,
    NumberFrom,
    Text,
    Unordered,
    fill,
    mismatches,
)

ROOT = Path(__file__).parents[2]
README = Path(__file__).with_name("README.md")

FIT: list[tuple[Any, Any]] = [
    (1, int),
    (1, float),
    (1.5, float),
    (True, bool),
    ("", str),
    ({"a": 1}, {"a": int}),
    ({"a": 1, "b": 2}, AtLeast({"a": int})),
    ([1, "x"], [int, "x"]),
    ([], ListOf(int)),
    ([1, 2], ListOf(int, 2)),
    ([2, 1], Unordered((1, 2))),
    ([3, 2], Including(2)),
    ("ab" * 32, HASH),
    ("0x00", HEX),
    (None, Nullable(int)),
    (7, Nullable(int)),
    (0, NumberFrom(0)),
]
DO_NOT_FIT: list[tuple[Any, Any]] = [
    (True, int),
    (1, bool),
    (True, float),
    (1.0, int),
    ("1", int),
    (None, int),
    (1, str),
    (1, True),
    (True, 1),
    ({}, {"a": int}),
    ({"a": "1"}, {"a": int}),
    ({"a": 1, "b": 2}, {"a": int}),
    ([], {}),
    ({"b": 2}, AtLeast({"a": int})),
    ([1], [int, int]),
    ({}, []),
    ([1, "x"], ListOf(int)),
    ([], ListOf(int, 1)),
    ([1, 2, 3], Unordered((1, 2))),
    ([1, 1], Unordered((1, 2))),
    ([3], Including(2)),
    ("ab", HASH),
    ("0x0", HEX),
    (1, Text(".*")),
    ("", Nullable(int)),
    (-1, NumberFrom(0)),
    (True, NumberFrom(0)),
]


@pytest.mark.parametrize(("value", "shape"), FIT)
def test_values_that_match_a_shape(value: Any, shape: Any) -> None:
    assert list(mismatches(value, shape)) == []


@pytest.mark.parametrize(("value", "shape"), DO_NOT_FIT)
def test_values_that_do_not_match_a_shape(value: Any, shape: Any) -> None:
    assert list(mismatches(value, shape))


def test_names_are_replaced_everywhere_in_a_shape() -> None:
    shape = {"$who": [AtLeast({"at": "/$who"}), Named("count"), Text("$who{1}"), int, None]}
    filled = {"me": [AtLeast({"at": "/me"}), 7, Text("$who{1}"), int, None]}
    assert fill(shape, {"who": "me", "count": 7}) == filled
    with pytest.raises(KeyError):
        fill("$nobody", {})


def case_names() -> list[str]:
    steps = [name for name in vars(test_mempool) if name.startswith("test_")]
    return [
        *(case.name for case in CASES),
        *(rejection.name for rejection in REJECTIONS),
        *test_recorded_examples.REQUESTS,
        *(f"blocks: {name}" for name in test_blocks.SENT),
        *steps,
    ]


def test_no_two_cases_have_the_same_name() -> None:
    assert len(set(case_names())) == len(case_names())


@pytest.mark.parametrize("target", differences.DIFFERENCES)
def test_differences_name_existing_cases(target: Any) -> None:
    paths = {case.name: case.request.path for case in CASES}
    for pattern in differences.DIFFERENCES[target]:
        assert any(differences.matches(pattern, name, paths.get(name, "")) for name in case_names()), pattern


def test_readme_lists_every_known_difference() -> None:
    page = README.read_text()
    for known in differences.DIFFERENCES.values():
        for pattern, reason in known.items():
            assert re.search(rf"^\|.*`{re.escape(pattern)}`.*\| {re.escape(reason)} \|$", page, re.MULTILINE), pattern


ENDPOINTS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": getdoc(function) or ""
    for module in (node, api, api_v3)
    for name, function in getmembers(module, isfunction)
    if function.__module__ == module.__name__ and str(function.__annotations__.get("return")).startswith("Endpoint[")
}


def asked(request: Request) -> str:
    """Return the method and the path without query, with one name for every contract's path."""
    return f"{request.method} {request.path}".replace("$contract_path", "$address/$name").partition("?")[0]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_every_endpoint_of_the_client_has_a_case(endpoint: str) -> None:
    first = re.match(r"``((?:GET|POST) /[^`]*)``", ENDPOINTS[endpoint])
    assert first, f"begin the docstring of {endpoint} with its request: ``GET /v2/…/{{name}}``"
    path = re.compile(re.sub(r"\\{[^/]*\\}", "[^/]+", re.escape(first[1])))
    requests = [*(case.request for case in CASES), *map(get, test_blocks.UNKNOWN)]
    assert any(path.fullmatch(asked(request)) for request in requests), (
        f"{endpoint}: add a case for {first[1]} to tests/conformance/cases/"
    )


def test_the_client_knows_every_rejection_reason_of_the_devnet() -> None:
    sources = [path.read_text() for path in (ROOT / "devnet").rglob("*.js")]
    thrown = {reason for source in sources for reason in re.findall(r'new Rejection\(\s*"(\w+)"', source)}
    assert len(thrown) > 15
    unknown = sorted(thrown - rejections.REJECTIONS.keys())
    assert not unknown, f"der_client/stacks/rpc/rejections.py lacks {unknown}"


def test_every_rejection_reason_is_provoked_or_cannot_occur() -> None:
    section = (ROOT / "docs" / "devnet.md").read_text().partition("\n## Refusals\n")[2].partition("\n## ")[0]
    order, _, impossible = section.partition("cannot occur")
    occurring, others = (set(re.findall(r"`([A-Z]\w+)`", part)) for part in (order, impossible))
    provoked = {rejection.reason for rejection in REJECTIONS}
    forgotten = sorted(rejections.REJECTIONS.keys() - provoked - others)
    assert not forgotten, (
        f"no case in tests/conformance/rejections.py provokes {forgotten}; add one, or say under Refusals in "
        "docs/devnet.md why it cannot occur"
    )
    both = sorted(provoked & others)
    assert not both, f"docs/devnet.md says that {both} cannot occur, but cases provoke them"
    unordered = sorted(provoked - occurring)
    assert not unordered, f"docs/devnet.md does not say when these are checked, under Refusals: {unordered}"
    unknown = sorted((occurring | others) - rejections.REJECTIONS.keys())
    assert not unknown, f"docs/devnet.md has reasons that der_client/stacks/rpc/rejections.py lacks: {unknown}"
