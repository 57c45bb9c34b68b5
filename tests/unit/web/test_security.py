"""Security rules that hold for every response."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from benchmarks.many_plants import ManyPlants, Texts, fill
from der_client.index import Index
from der_client.stacks.errors import InvalidValueError
from der_client.web import create_app
from der_client.web.security import ANY_HOST, allowed_hosts

if TYPE_CHECKING:
    from pathlib import Path

SOME = ["/", "/plants/1", "/api/tip", "/api/openapi.json", "/static/style.css", "/nothing", "/plants/0", "/api/x"]


@pytest.mark.parametrize("path", SOME)
def test_every_response_has_strict_security_headers(pages: TestClient, path: str) -> None:
    headers = pages.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers


def test_an_unexpected_error_has_the_headers_and_reveals_nothing(index: Index) -> None:
    class Broken:
        def __getattr__(self, name: str) -> object:
            raise RuntimeError("a secret path /home/operator")

    pages = TestClient(
        create_app(Broken()),  # type: ignore[arg-type]
        base_url="http://localhost",
        raise_server_exceptions=False,
    )
    for path in ("/", "/api/tip"):
        answer = pages.get(path)
        assert answer.status_code == 500
        assert "secret" not in answer.text
        assert "Traceback" not in answer.text
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("path", ["/", "/plants/1", "/api", "/certificates"])
def test_no_page_has_inline_code_or_style(pages: TestClient, path: str) -> None:
    html = pages.get(path).text
    assert not re.search(r"\son\w+=", html)
    assert " style=" not in html
    assert "<style" not in html
    assert re.findall(r"<script[^>]*>([^<]*)</script>", html) == [""]
    assert "javascript:" not in html


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/", "/api/plants", "/nothing"])
def test_only_get_and_head_are_allowed(pages: TestClient, method: str, path: str) -> None:
    answer = pages.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


def test_head_is_get_without_the_body(pages: TestClient) -> None:
    answer = pages.head("/plants")
    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["content-length"] == str(len(pages.get("/plants").content))


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8200", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", ""]
)
def test_on_loopback_other_host_names_are_rejected(pages: TestClient, host: str) -> None:
    answer = pages.get("/", headers={"host": host})
    assert answer.status_code == 421
    assert "--allow-host" in answer.text


@pytest.mark.parametrize("host", ["localhost", "localhost:8200", "127.0.0.1:1", "[::1]:8200", "LOCALHOST"])
def test_on_loopback_local_host_names_are_accepted(pages: TestClient, host: str) -> None:
    assert pages.get("/", headers={"host": host}).status_code == 200


def test_the_host_name_of_a_proxy_must_be_allowed(index: Index) -> None:
    pages = TestClient(create_app(index, allow_hosts=["pages.example.org"]), base_url="http://pages.example.org")
    assert pages.get("/").status_code == 200
    assert pages.get("/", headers={"host": "other.example.org"}).status_code == 421


def test_off_loopback_any_host_name_is_accepted_unless_some_are_given() -> None:
    assert allowed_hosts("0.0.0.0") == ANY_HOST  # noqa: S104
    assert allowed_hosts("0.0.0.0", ["a.example"]) == {"0.0.0.0", "a.example"}  # noqa: S104


@pytest.mark.parametrize("name", ["http://a.example", "a.example:80", "a.example/x", "", "*", "a b"])
def test_invalid_host_names_are_rejected(name: str) -> None:
    with pytest.raises(InvalidValueError, match="expected a host name"):
        allowed_hosts("127.0.0.1", [name])


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/"])
def test_static_files_are_only_served_from_their_folder(pages: TestClient, path: str) -> None:
    assert pages.get(path).status_code == 404


HOSTILE = Texts(
    region="<b>\"'&</",
    location="<i onload=x>",
    purpose="</td><script>window.owned=1</script><img src=x onerror=owned()>",
    reason="</script><svg/onload=owned()>{{7*7}}{%raw%}\r\n",
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    place: Path = tmp_path_factory.mktemp("hostile") / "index.sqlite"
    fill(place, ManyPlants(5, 40, texts=HOSTILE, mishaps=0.2).blocks())
    return TestClient(create_app(Index(place)), base_url="http://localhost")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/plants", HOSTILE.region),
        ("/plants", HOSTILE.location),
        ("/plants/1", HOSTILE.location),
        ("/certificates", HOSTILE.purpose),
    ],
)
def test_texts_from_the_chain_are_escaped_in_pages(hostile: TestClient, path: str, text: str) -> None:
    html = hostile.get(path).text
    assert text not in html
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert escaped.replace('"', "&#34;").replace("'", "&#39;") in html


def test_texts_from_the_chain_are_json_in_the_api(hostile: TestClient) -> None:
    answer = hostile.get("/api/plants")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["items"][0]["location"] == HOSTILE.location


def test_texts_from_the_chain_are_not_formulas_in_a_spreadsheet(tmp_path: Path) -> None:
    place = tmp_path / "index.sqlite"
    fill(place, ManyPlants(2, 30, texts=Texts(purpose="=HYPERLINK(1)", location="@SUM(1)", region="+1")).blocks())
    with Index(place) as index:
        pages = TestClient(create_app(index), base_url="http://localhost")
        for path in ("/api/plants?format=csv", "/api/certificates?format=csv"):
            cells = pages.get(path).text.replace("\n", ",").split(",")
            assert not [cell for cell in cells if cell.startswith(("=", "@", "+"))]
