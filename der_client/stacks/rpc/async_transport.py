"""Sends one request to a node asynchronously (httpx2) and returns the response; same limits as `Transport`."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

from der_client.stacks.errors import (
    InvalidValueError,
    NodeError,
    NodeResponseError,
    NodeUnreachableError,
    NothingSentError,
)
from der_client.stacks.extras import require_extra
from der_client.stacks.rpc.endpoint import HttpResponse
from der_client.stacks.rpc.fields import excerpt
from der_client.stacks.rpc.methods import LOOPBACK
from der_client.stacks.rpc.retries import UnreadResponseError, read_retry_after
from der_client.stacks.rpc.steps import time_left_s
from der_client.stacks.rpc.urls import (
    HEADERS,
    MAX_REDIRECTS,
    REDIRECTS,
    check_base_url,
    check_headers,
    redirect_target,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from der_client.stacks.rpc.endpoint import Request

with require_extra("async"):
    import httpx2

_LOG: Final = logging.getLogger(__name__)
_LIMITS: Final = httpx2.Limits(max_connections=100, max_keepalive_connections=32)


class AsyncTransport:
    """A pooled connection to one node, for one event loop.

    Args:
        url: Base address of the node.
        timeout_s: Seconds to connect, and seconds of silence while reading.
        max_response_bytes: The longest body that is read, decompressed.
        response_deadline_s: The longest time that one exchange may take, redirects included.
        headers: Headers of each request, e.g. an API key; never shown.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: tuple[float, float],
        max_response_bytes: int,
        response_deadline_s: float,
        headers: Mapping[str, str],
    ) -> None:
        self.url = check_base_url(url)
        self._max_response_bytes = max_response_bytes
        self._response_deadline_s = response_deadline_s
        connect_s, silence_s = timeout_s
        self._silence_s = silence_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client = httpx2.AsyncClient(
            headers={**HEADERS, **check_headers(headers)},
            timeout=httpx2.Timeout(silence_s, connect=connect_s),
            limits=_LIMITS,
            trust_env=urlsplit(self.url).hostname not in LOOPBACK,
        )

    async def ask_once(self, request: Request, until: float | None = None) -> HttpResponse:
        """Send a request once, following redirects of a GET within the host.

        Args:
            request: The request.
            until: When to give up by the monotonic clock, if the client's own limit is later.

        Raises:
            InvalidValueError: If the client is closed, or was used in another event loop before.
            NothingSentError: If no connection was made.
            NodeUnreachableError: If the connection broke or stayed silent; the request may have arrived.
            UnreadResponseError: If the response is too large or too slow; the request arrived.
            NodeResponseError: If the response redirects to another host, or too often.
        """
        self._check_usable()
        limit_s = time_left_s(self._response_deadline_s, until, self.url)
        url = f"{self.url}{request.path}"
        if request.query:
            url = f"{url}?{urlencode(request.query)}"
        try:
            async with asyncio.timeout(limit_s):
                for _ in range(MAX_REDIRECTS + 1):
                    response, location = await self._exchange(request, url)
                    if response.status not in REDIRECTS:
                        return response
                    url = redirect_target(request, url, location)
        except TimeoutError:
            raise NodeUnreachableError(
                f"no complete response within {limit_s:.3g} s; "
                "try again, use another node, or raise response_deadline_s",
                url,
            ) from None
        raise NodeResponseError(f"the node redirected more than {MAX_REDIRECTS} times; check the URL", url)

    def _check_usable(self) -> None:
        """Refuse another event loop: the pooled connections belong to the first one."""
        if self._client.is_closed:
            raise InvalidValueError("this client is closed; create a new one")
        loop = asyncio.get_running_loop()
        self._loop = self._loop or loop
        if self._loop is not loop:
            raise InvalidValueError("this client belongs to another event loop; create a new one in each asyncio.run")

    async def _exchange(self, request: Request, url: str) -> tuple[HttpResponse, str]:
        headers = {"Content-Type": request.content_type} if request.content_type else None
        try:
            async with self._client.stream(
                request.method, url, content=request.body or None, headers=headers
            ) as response:
                body = await self._read_body(response, url)
        except httpx2.HTTPError as error:
            raise self._unreachable(error, url) from error
        finally:
            self._client.cookies.clear()
        _LOG.debug("%s %s: HTTP %d, %d bytes", request.method, url, response.status_code, len(body))
        whole = HttpResponse(
            status=response.status_code,
            body=body,
            url=url,
            content_type=response.headers.get("content-type", "").lower(),
            retry_after_s=read_retry_after(response.headers.get("retry-after", ""), response.headers.get("date", "")),
        )
        return whole, response.headers.get("location", "")

    async def _read_body(self, response: httpx2.Response, url: str) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > self._max_response_bytes:
                raise UnreadResponseError(
                    f"the response is longer than {self._max_response_bytes} bytes; "
                    "ask for less, or raise max_response_bytes",
                    url,
                )
        return bytes(body)

    def _unreachable(self, error: httpx2.HTTPError, url: str) -> NodeError:
        cause = excerpt(str(error) or type(error).__name__)
        if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout):
            return NothingSentError(f"no connection: {cause}; is the node running, and is the URL right?", url)
        if isinstance(error, httpx2.TimeoutException):
            return NodeUnreachableError(
                f"no response within {self._silence_s:g} s; try again, use another node, or raise timeout", url
            )
        return NodeUnreachableError(f"the connection broke: {cause}; is this a Stacks node?", url)

    async def close(self) -> None:
        """Close all pooled connections."""
        await self._client.aclose()
