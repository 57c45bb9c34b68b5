"""A case: a request, and the response that a node or its API returns."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tests.conformance.shapes import AtLeast, Shape, mismatches

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

JSON = "application/json"
PLAIN = "text/plain"
OCTETS = "application/octet-stream"


@dataclass(frozen=True)
class Request:
    """One HTTP request.

    Attributes:
        method: ``GET`` or ``POST``.
        path: The whole path, with its query; ``$name`` is replaced by the prepared value of that name.
        json: The body, as JSON; names are replaced as in the path.
        data: The body as bytes, instead of ``json``.
        content_type: The content type of ``data``.
    """

    method: str
    path: str
    json: Any = None
    data: bytes | None = None
    content_type: str | None = None


def get(path: str) -> Request:
    return Request("GET", path)


def post(path: str, json: Any) -> Request:
    return Request("POST", path, json=json)


def post_raw(path: str, data: bytes, content_type: str | None) -> Request:
    return Request("POST", path, data=data, content_type=content_type)


@dataclass(frozen=True)
class Answer:
    """The expected response.

    Attributes:
        status: The HTTP status.
        content_type: The content type; its parameters, such as ``charset``, are ignored.
        body: The shape of the JSON, or of the text.
    """

    status: int
    content_type: str
    body: Shape

    def mismatches(self, response: requests.Response) -> Iterator[str]:
        """Yield the ways in which a response differs from this one."""
        content_type = response.headers.get("content-type", "none").partition(";")[0].strip()
        if (response.status_code, content_type) != (self.status, self.content_type):
            found = f"{response.status_code} {content_type}"
            yield f"{found} instead of {self.status} {self.content_type}: {response.text[:500]}"
            return
        yield from mismatches(response.json() if self.content_type == JSON else response.text, self.body)


def ok(body: Shape) -> Answer:
    return Answer(200, JSON, body)


def text(status: int, body: Shape = str) -> Answer:
    """Return a rejection by the node: plain text, whose wording is not checked unless it is given."""
    return Answer(status, PLAIN, body)


def api_error(status: int, message: Shape = str) -> Answer:
    """Return a rejection by the API: JSON with the status, its name, and a message."""
    body = {"statusCode": status, "error": HTTPStatus(status).phrase, "message": message}
    return Answer(status, JSON, AtLeast(body))


@dataclass(frozen=True)
class Case:
    """A request and the expected response.

    Attributes:
        name: ``endpoint: description``; unique.
        request: The request.
        answer: The response of a node, which the embedded devnet must return.
        instead: A response that other nodes may also return, depending on their configuration.
    """

    name: str
    request: Request
    answer: Answer
    instead: Answer | None = None
