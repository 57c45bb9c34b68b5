"""What web pages may do, with requests that need a preflight and with those that a browser sends at once."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from der_client.devnet import Devnet
from der_client.stacks.clarity import PrincipalValue
from der_client.stacks.transactions import TokenTransfer

from .bare_devnet import START, BareDevnet

if TYPE_CHECKING:
    import requests

PAGE = "http://localhost:3000"
CONTROL = ("mine", "advance", "snapshot", "revert", "reset", "costs", "simulate")


def send(bare: BareDevnet, method: str, path: str, headers: dict[str, str], **body: Any) -> requests.Response:
    return bare.session.request(method, bare.devnet.url + path, headers=headers, timeout=30, **body)


def preflight(bare: BareDevnet, path: str) -> requests.Response:
    asked = {
        "origin": PAGE,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    return send(bare, "OPTIONS", path, asked)


def allowed(response: requests.Response) -> str | None:
    return response.headers.get("access-control-allow-origin")


@pytest.mark.parametrize(
    "path",
    [
        "/v2/info",
        "/v2/accounts/hello",
        "/v3/health",
        "/extended/v1/status",
        f"/extended/v1/tx/0x{'0' * 64}",
        "/extended/v3/nothing",
        "/nothing",
    ],
)
def test_pages_may_read_responses_of_node_and_api(bare: BareDevnet, path: str) -> None:
    """This includes errors, and requests without an origin."""
    for headers in ({"origin": PAGE}, {}):
        assert allowed(send(bare, "GET", path, headers)) == "*"


def test_pages_may_send_transactions(bare: BareDevnet) -> None:
    for path in ("/v2/transactions", "/v2/map_entry/x/y/z", "/extended/v1/faucets/stx"):
        answer = preflight(bare, path)
        assert (answer.status_code, allowed(answer)) == (204, "*")
        assert "POST" in answer.headers["access-control-allow-methods"]
        assert answer.headers["access-control-allow-headers"] == "content-type"
    payload = TokenTransfer(PrincipalValue(bare.account(2).address), 1)
    raw = bare.build(bare.account(1), payload).encode()
    headers = {"origin": PAGE, "content-type": "application/octet-stream"}
    sent = send(bare, "POST", "/v2/transactions", headers, data=raw)
    assert (sent.status_code, allowed(sent)) == (200, "*")


@pytest.mark.parametrize("action", CONTROL)
def test_pages_do_not_control_the_devnet(bare: BareDevnet, action: str) -> None:
    """Neither requests with a preflight nor those without, such as forms, are allowed."""
    path = f"/devnet/{action}"
    asked = preflight(bare, path)
    assert (asked.status_code, allowed(asked)) == (403, None)
    before = bare.json("/devnet")
    origins = [
        {"origin": PAGE},
        {"origin": "null"},
        {"origin": bare.devnet.url},  # the page's domain name was pointed at this machine
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "same-origin"},
    ]
    for headers in origins:
        for kind in ("", "text/plain", "application/x-www-form-urlencoded", "application/json"):
            body = b"{}" if kind else b""
            answer = send(bare, "POST", path, {**headers, **({"content-type": kind} if kind else {})}, data=body)
            assert (answer.status_code, allowed(answer)) == (403, None)
            assert "web pages" in answer.json()["error"]
    assert bare.json("/devnet") == before


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:3999", "localhost.evil.example", "127.0.0.1.example", "[x]", ""]
)
def test_foreign_domain_names_that_point_at_this_machine(bare: BareDevnet, host: str) -> None:
    """Such a page requests its own origin: the browser sends no ``Origin``, and without https no ``Sec-Fetch-Site``."""
    headers = {"host": host}
    before = bare.json("/devnet")
    accounts = send(bare, "GET", "/devnet/accounts", headers)
    assert (accounts.status_code, "private_key" in accounts.text) == (403, False)
    for action in CONTROL:
        assert send(bare, "POST", f"/devnet/{action}", headers, json={}).status_code == 403
    assert send(bare, "GET", "/v2/info", headers).ok
    assert bare.json("/devnet") == before


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost:3999", "127.0.0.1", "192.168.1.5:3999", "[::1]", "[fe80::1]:3999"]
)
def test_names_of_this_machine_are_allowed(bare: BareDevnet, host: str) -> None:
    assert send(bare, "GET", "/devnet/accounts", {"host": host}).ok


def test_the_host_name_given_at_start_is_allowed() -> None:
    name = socket.gethostname()
    try:
        socket.getaddrinfo(name, 0)
    except OSError:
        pytest.skip("this machine has no name that leads to it")
    with Devnet(deploy_contracts=False, start_time=START, host=name) as devnet:
        bare = BareDevnet(devnet)
        token = {"authorization": str(devnet._session.headers["Authorization"])}
        for host in (name, f"{name.upper()}:1"):
            assert send(bare, "GET", "/devnet/accounts", {"host": host} | token).ok
        assert send(bare, "GET", "/devnet/accounts", {"host": f"{name}.example"}).status_code == 403


def test_pages_cannot_read_control_endpoints(bare: BareDevnet) -> None:
    for path in ("/devnet", "/devnet/accounts"):
        assert allowed(send(bare, "GET", path, {})) is None
    accounts = send(bare, "GET", "/devnet/accounts", {"origin": PAGE})
    assert (accounts.status_code, allowed(accounts)) == (403, None)
    itself = send(bare, "GET", "/devnet", {"origin": PAGE})
    assert (itself.status_code, allowed(itself)) == (200, None)
    assert send(bare, "GET", "/devnet/accounts", {"sec-fetch-site": "none"}).ok  # the user types the address


EXPLORER = Path(__file__).parents[3] / "devnet" / "explorer"
SHOWN = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class TestExplorer:
    def test_browsers_get_the_explorer(self, bare: BareDevnet) -> None:
        page = send(bare, "GET", "/", SHOWN)
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.text == (EXPLORER / "index.html").read_text()

    @pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
    def test_programs_get_the_response_of_a_node(self, bare: BareDevnet, accept: str) -> None:
        answer = send(bare, "GET", "/", {"accept": accept})
        assert (answer.status_code, answer.text) == (404, "No such file or directory")

    def test_only_the_explorers_files_are_served(self, bare: BareDevnet) -> None:
        unserved = {"index.html", "answers.d.ts"}  # the page has its own address; the types are for development
        files = [path for path in EXPLORER.rglob("*") if path.is_file() and path.name not in unserved]
        assert len(files) > 10
        for path in files:
            answer = send(bare, "GET", f"/explorer/{path.relative_to(EXPLORER).as_posix()}", {})
            assert answer.content == path.read_bytes()
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert allowed(answer) is None
        for name in ("", *unserved, "../main.js", "..%2fmain.js", "views", "nothing.js", "%00"):
            assert send(bare, "GET", f"/explorer/{name}", SHOWN).status_code in {400, 404}, name

    def test_only_the_explorers_own_files_may_run(self, bare: BareDevnet) -> None:
        text = send(bare, "GET", "/", SHOWN).headers["content-security-policy"]
        policy = dict(rule.split(" ", 1) for rule in text.split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["img-src"] == "'self'"
        assert policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
        assert policy["trusted-types"] == "'none'"  # text cannot become HTML
        assert "unsafe" not in text
        assert "style=" not in (EXPLORER / "index.html").read_text()

    def test_only_the_explorer_may_read_traces(self, bare: BareDevnet) -> None:
        txid = bare.send(bare.account(1), TokenTransfer(PrincipalValue(bare.account(2).address), 1))
        path = f"/devnet/trace/0x{txid}"
        assert send(bare, "GET", path, {"sec-fetch-site": "same-origin"}).json()["status"] == "success"
        refused = [
            {"sec-fetch-site": "same-origin", "origin": PAGE},
            {"sec-fetch-site": "same-site"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-origin", "host": "evil.example"},
        ]
        for headers in refused:
            assert send(bare, "GET", path, headers).status_code == 403
        for other in ("accounts", "profile", "coverage"):
            assert send(bare, "GET", f"/devnet/{other}", {"sec-fetch-site": "same-origin"}).status_code == 403
