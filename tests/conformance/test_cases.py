"""The node under test returns the expected response to each case's request.

This module runs first, before those that add transactions: the modules run in the order of their names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.case import JSON, get
from tests.conformance.cases import CASES
from tests.conformance.node import Target
from tests.conformance.shapes import fill

if TYPE_CHECKING:
    from tests.conformance.case import Case
    from tests.conformance.prepared import Prepared


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_response(prepared: Prepared, case: Case) -> None:
    response = prepared.node.send(fill(case.request, prepared.names))
    problems = list(fill(case.answer, prepared.names).mismatches(response))
    # The embedded devnet has no configuration that allows the other response.
    if problems and case.instead and prepared.node.target is not Target.EMBEDDED:
        problems = list(case.instead.mismatches(response))
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("path", ["/v2/info", "/v2/fees/transfer", "/v2/accounts/$newcomer?proof=0"])
def test_json_of_a_node_has_no_charset(prepared: Prepared, path: str) -> None:
    response = prepared.node.send(get(fill(path, prepared.names)))
    assert response.headers["content-type"] == JSON
