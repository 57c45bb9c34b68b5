"""A case: a request, and what a node or its API answers."""

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
        path: From the root on, with its query; ``$name`` stands for what the prepared calls so.
        json: The body, as JSON; with names like the path.
        data: Or the body as it stands.
        content_type: Of ``data``.
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
    """What comes back.

    Attributes:
        status: HTTP status.
        content_type: Its parameters, such as ``charset``, do not count.
        body: The shape of the JSON, or of the text.
    """

    status: int
    content_type: str
    body: Shape

    def mismatches(self, response: requests.Response) -> Iterator[str]:
        """Tell how a response differs from this answer; nothing if it does not."""
        content_type = response.headers.get("content-type", "none").partition(";")[0].strip()
        if (response.status_code, content_type) != (self.status, self.content_type):
            found = f"{response.status_code} {content_type}"
            yield f"{found} instead of {self.status} {self.content_type}: {response.text[:500]}"
            return
        yield from mismatches(response.json() if self.content_type == JSON else response.text, self.body)


def ok(body: Shape) -> Answer:
    return Answer(200, JSON, body)


def text(status: int, body: Shape = str) -> Answer:
    """A refusal of the node: plain text, whose wording is its own affair."""
    return Answer(status, PLAIN, body)


def api_error(status: int, message: Shape = str) -> Answer:
    """A refusal of the API: JSON with the status, its name, and a text."""
    body = {"statusCode": status, "error": HTTPStatus(status).phrase, "message": message}
    return Answer(status, JSON, AtLeast(body))


@dataclass(frozen=True)
class Case:
    """A request and what it is answered.

    Attributes:
        name: ``endpoint: what is asked``; unique.
        request: The request.
        answer: What a node answers, and ours must.
        instead: What another node may answer as well, by its configuration.
    """

    name: str
    request: Request
    answer: Answer
    instead: Answer | None = None
