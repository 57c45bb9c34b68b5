"""Each case's request gets the answer that a node gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.case import JSON, get
from tests.conformance.cases import CASES
from tests.conformance.node import Target
from tests.conformance.shapes import fill

if TYPE_CHECKING:
    from tests.conformance.case import Case
    from tests.conformance.stage import Stage


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_answer(stage: Stage, case: Case) -> None:
    response = stage.node.send(fill(case.request, stage.names))
    problems = list(fill(case.answer, stage.names).mismatches(response))
    # Ours has no configuration that would excuse another answer.
    if problems and case.instead and stage.node.target is not Target.EMBEDDED:
        problems = list(case.instead.mismatches(response))
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("path", ["/v2/info", "/v2/fees/transfer", "/v2/accounts/$newcomer?proof=0"])
def test_json_of_a_node_names_no_charset(stage: Stage, path: str) -> None:
    response = stage.node.send(get(fill(path, stage.names)))
    assert response.headers["content-type"] == JSON
