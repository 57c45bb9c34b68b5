"""An endpoint is a value: its request, and how its response is read. Nothing here uses the network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeVar
from urllib.parse import unquote

from der_client.stacks.errors import NodeResponseError, NotFoundError
from der_client.stacks.rpc.fields import excerpt, parse_json, read_as

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

JSON_TYPE: Final = "application/json"
BYTES_TYPE: Final = "application/octet-stream"


_ASKED_FOR: Final = (
    (re.compile(r"/v2/contracts/(?:interface|source)/([^/?]+)/([^/?]+)"), "the contract {}.{}"),
    (re.compile(r"/v2/contracts/call-read/([^/?]+)/([^/?]+)/([^/?]+)"), "the contract {}.{} or its function {}"),
    (re.compile(r"/v2/data_var/([^/?]+)/([^/?]+)/([^/?]+)"), "the contract {}.{} or its variable {}"),
    (re.compile(r"/v2/constant_val/([^/?]+)/([^/?]+)/([^/?]+)"), "the contract {}.{} or its constant {}"),
    (re.compile(r"/(?:v3/transaction|v2/transactions/unconfirmed|extended/v1/tx)/([^/?]+)"), "the transaction {}"),
    (re.compile(r"/(?:v3/blocks/height|v3/blocks|extended/v2/blocks)/([^/?]+)"), "the block {}"),
)


def _asked_for(url: str) -> str:
    for path, words in _ASKED_FOR:
        if found := path.search(url):
            return words.format(*map(unquote, found.groups()))
    return "what was asked for"


@dataclass(frozen=True, slots=True)
class Request:
    """A request.

    Attributes:
        method: HTTP method.
        path: The path, with a leading slash; percent-encoded where needed.
        query: Names and values, not encoded.
        body: The body, for POST.
        content_type: The body's content type.
        repeatable: Whether repeating it changes nothing on the other side, so that a failed request may be repeated.
    """

    method: Literal["GET", "POST"]
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    content_type: str = ""
    repeatable: bool = True


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response.

    Attributes:
        status: HTTP status.
        body: Decompressed, at most as long as the client allows.
        url: The full address that responded, without credentials.
        content_type: The server's content type, lower case; may be empty.
        retry_after_s: Seconds after which the node wants to be asked again (Retry-After); ``None`` if it did not say.
    """

    status: int
    body: bytes
    url: str
    content_type: str = ""
    retry_after_s: float | None = None

    def json(self) -> Any:
        """Return the body of a 200, parsed.

        Raises:
            NotFoundError: If the status is 404.
            NodeResponseError: If it is another one than 200, or the body is not JSON.
        """
        self.require_ok()
        return parse_json(self.body, self.url)

    def read(self, kind: type[T]) -> T:
        """Return the JSON of a 200, read as a type of responses.

        Raises:
            NotFoundError: If the status is 404.
            NodeResponseError: If it is any other but 200, or the body is not such JSON.
        """
        return read_as(kind, self.json(), self.url)

    def read_any_status(self, kind: type[T]) -> T:
        """Return the JSON in the body, whatever the status (for endpoints that explain a refusal in JSON).

        Raises:
            NodeResponseError: If the body is not such JSON.
        """
        return read_as(kind, parse_json(self.body, self.url), self.url)

    def require_ok(self) -> None:
        """Raise the error of the status unless it is 200."""
        if self.status == 200:
            return
        if self.status == 404 and not self.is_html:
            raise NotFoundError(
                f"the node does not know {_asked_for(self.url)} (HTTP 404): {self.excerpt()!r}", self.url, status=404
            )
        raise self.unexpected()

    def unexpected(self) -> NodeResponseError:
        """Return the error for a status that the endpoint does not promise."""
        return NodeResponseError(
            f"HTTP {self.status}: {self.excerpt()!r}; {self._advice()}",
            self.url,
            status=self.status,
            retry_after_s=self.retry_after_s,
        )

    def excerpt(self) -> str:
        """Return the beginning of the body for an error message."""
        return excerpt(self.body[:1000].decode("utf-8", "replace"))

    @property
    def is_html(self) -> bool:
        """Whether the response is a web page."""
        return "html" in self.content_type or self.body[:15].lstrip().lower().startswith((b"<!doctype", b"<html"))

    def _advice(self) -> str:
        if self.status == 429:
            return "too many requests; send fewer, or use an API key or your own node"
        if self.status in (401, 403):
            return "the node requires credentials; give them with Client(headers=…)"
        if self.is_html or self.status in (404, 405):
            return "check that the URL is that of a Stacks node with an API"
        if self.status >= 500:
            return "the node failed; try again later or use another node"
        return "the node refused the request; check the arguments and the node's version"


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[T_co]):
    """A request together with the reader of its response; any client, synchronous or not, can run it.

    Attributes:
        request: The request.
        read: A function that turns the response into a typed value, or raises a `NodeError`.
    """

    request: Request
    read: Callable[[HttpResponse], T_co]


def reads(kind: type[T]) -> Callable[[HttpResponse], T]:
    """Return the reader of responses of a type."""
    return lambda response: response.read(kind)
