"""The node under test and the prepared state on it; known differences become expected failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from der_client.devnet import Devnet
from tests.conformance.case import Case
from tests.conformance.differences import reason_to_differ
from tests.conformance.node import Node, Target
from tests.conformance.observer import Observer
from tests.conformance.prepared import Prepared

if TYPE_CHECKING:
    from collections.abc import Iterator

# Blocks are not mined at once, so no case can rely on a transaction being mined when it is sent.
BLOCK_INTERVAL_S = 0.3


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--node-url", help="the node to test, such as http://localhost:3999; default: a devnet of our own")
    parser.addoption("--api-url", help="where its /extended is, if elsewhere")
    parser.addoption(
        "--observer-port", type=int, help="the port of this machine to which it posts events (events_keys = ['*'])"
    )


@pytest.fixture(scope="session")
def configured_observer(request: pytest.FixtureRequest) -> Iterator[Observer | None]:
    """The observer that the node was configured with at its start, if any."""
    url = request.config.getoption("--node-url", None)
    port = request.config.getoption("--observer-port", None)
    if url and port is None:
        yield None
    else:
        # A node that runs elsewhere, such as in Docker, cannot reach the loopback address.
        with Observer(port, "0.0.0.0") if port else Observer() as observer:  # noqa: S104
            yield observer


@pytest.fixture(scope="session")
def node(request: pytest.FixtureRequest, configured_observer: Observer | None) -> Iterator[Node]:
    # The options are unknown to pytest when it is started for a folder above this one.
    url = request.config.getoption("--node-url", None)
    if url:
        yield Node(url, request.config.getoption("--api-url", None))
    else:
        observers = [f"127.0.0.1:{configured_observer.port}"] if configured_observer else []
        with Devnet(deploy_contracts=False, block_interval_s=BLOCK_INTERVAL_S, event_observers=observers) as devnet:
            yield Node(devnet.url)


@pytest.fixture(scope="session")
def prepared(node: Node) -> Iterator[Prepared]:
    prepared = Prepared.prepare(node)
    yield prepared
    prepared.close()


@pytest.fixture(autouse=True)
def known_difference(request: pytest.FixtureRequest) -> None:
    """Expect a failure where this kind of server is known to differ; the embedded devnet must fail there."""
    if "node" not in request.fixturenames:
        return
    target = request.getfixturevalue("node").target
    reason = reason_to_differ(target, case_name(request.node), case_path(request.node))
    if reason:
        request.node.add_marker(pytest.mark.xfail(reason=reason, strict=target is Target.EMBEDDED))


def case_name(item: pytest.Item) -> str:
    """Return the case's name, which is the test's parameter if there is one, else the test's name."""
    name = item.name
    return name.partition("[")[2].removesuffix("]") if "[" in name else name


def case_path(item: pytest.Item) -> str:
    """Return the path that a case requests; empty for a test whose case is not in ``cases/``."""
    case = item.callspec.params.get("case") if isinstance(item, pytest.Function) and hasattr(item, "callspec") else None
    return case.request.path if isinstance(case, Case) else ""
