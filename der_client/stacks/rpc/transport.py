"""Sends one request to a node and returns the response: pooled, limited in time and size, repeated where harmless.

The server may be hostile: bodies are read up to a limit and a deadline, redirects are followed only within the same
host and never for a POST, cookies are ignored, and no error text contains credentials.
"""

from __future__ import annotations

import logging
import ssl
import sys
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, NewConnectionError, ProxyError

from der_client.stacks.checks import check_kind
from der_client.stacks.errors import (
    NodeError,
    NodeResponseError,
    NodeUnreachableError,
    NothingSentError,
)
from der_client.stacks.rpc.budget import Budget, BudgetAdapter, spending
from der_client.stacks.rpc.endpoint import HttpResponse, Request
from der_client.stacks.rpc.fields import excerpt
from der_client.stacks.rpc.methods import LOOPBACK
from der_client.stacks.rpc.retries import UnreadResponseError, read_retry_after
from der_client.stacks.rpc.steps import time_left_s
from der_client.stacks.rpc.urls import HEADERS, MAX_REDIRECTS, REDIRECTS, check_base_url, check_headers, redirect_target

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOG: Final = logging.getLogger(__name__)
_CHUNK_BYTES: Final = 1 << 16


class Transport:
    """A pooled connection to one node; safe to use from several threads.

    Args:
        url: Base address of the node.
        timeout_s: Seconds to connect, and seconds of silence while reading.
        max_response_bytes: The longest body that is read, decompressed.
        response_deadline_s: The longest time that one exchange may take, from connecting to the last byte, redirects
            included.
        headers: Sent with each request, e.g. an API key; never shown.
        session: A session with proxies, certificates and TLS settings; a new one if not given.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: tuple[float, float],
        max_response_bytes: int,
        response_deadline_s: float,
        headers: Mapping[str, str],
        session: requests.Session | None,
    ) -> None:
        self.url = check_base_url(url)
        self._timeout_s = timeout_s
        self._max_response_bytes = max_response_bytes
        self._response_deadline_s = response_deadline_s
        if session is not None:
            check_kind(session, requests.Session, "session", "e.g. requests.Session()")
        self._session = session or _new_session()
        self._budget_adapter = BudgetAdapter()
        self._headers = {**self._session.headers, **check_headers(headers)}
        # The environment is read only once: reading it for each request would cost more than a local node's response.
        self._settings: dict[str, Any] = dict(
            self._session.merge_environment_settings(
                self.url,
                {},
                stream=True,
                # Otherwise the environment's certificates would take precedence over the session's.
                verify=None if self._session.verify is True else self._session.verify,
                cert=None,
            )
        )
        self.is_local = urlsplit(self.url).hostname in LOOPBACK
        if self.is_local:
            self._settings["proxies"] = {}

    def ask_once(self, request: Request, until: float | None = None) -> HttpResponse:
        """Send a request once, following redirects of a GET within the host.

        Args:
            request: What is asked.
            until: When to give up by the monotonic clock, if the client's own limit is later.

        Raises:
            NothingSentError: If no connection was made.
            NodeUnreachableError: If the connection broke or stayed silent; the request may have arrived.
            UnreadResponseError: If the response is too large or too slow; the request arrived.
            NodeResponseError: If the response redirects to another host, or too often.
        """
        connect_s, silence_s = self._timeout_s
        limit_s = time_left_s(self._response_deadline_s, until, self.url)
        budget = Budget(limit_s, silence_s, self._max_response_bytes)
        url = f"{self.url}{request.path}"
        if request.query:
            url = f"{url}?{urlencode(request.query)}"
        with spending(budget):
            for _ in range(MAX_REDIRECTS + 1):
                response, location = self._exchange(
                    request, url, budget, (min(connect_s, limit_s), min(silence_s, limit_s))
                )
                if response.status not in REDIRECTS:
                    return response
                url = redirect_target(request, url, location)
        raise NodeResponseError(f"the node redirected more than {MAX_REDIRECTS} times; check the URL", url)

    def close(self) -> None:
        """Close all pooled connections."""
        self._budget_adapter.close()
        self._session.close()

    def _exchange(
        self, request: Request, url: str, budget: Budget, timeout_s: tuple[float, float]
    ) -> tuple[HttpResponse, str]:
        outer = sys.exception()  # the exception that the caller is handling is unrelated
        prepared = requests.PreparedRequest()
        headers = {**self._headers, "Content-Type": request.content_type} if request.content_type else self._headers
        prepared.prepare(method=request.method, url=url, headers=headers, data=request.body or None)
        try:
            response = self._adapter(url).send(prepared, timeout=timeout_s, **self._settings)
        except requests.RequestException as error:
            failure: NodeError = _unreachable(error, url, timeout_s, outer)
            if not isinstance(failure, NothingSentError):
                failure = self._over(budget, url) or failure
            raise failure from error
        try:
            body = self._read_body(response, url, budget, outer)
        except BaseException:
            response.raw.close()  # the rest of the response is not needed, nor this connection
            raise
        _LOG.debug("%s %s: HTTP %d, %d bytes", request.method, url, response.status_code, len(body))
        whole = HttpResponse(
            status=response.status_code,
            body=body,
            url=url,
            content_type=response.headers.get("Content-Type", "").lower(),
            retry_after_s=read_retry_after(response.headers.get("Retry-After", ""), response.headers.get("Date", "")),
        )
        return whole, response.headers.get("Location", "")

    def _read_body(self, response: requests.Response, url: str, budget: Budget, outer: BaseException | None) -> bytes:
        limit = self._max_response_bytes
        body = bytearray()
        try:
            while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
                body += chunk
                if len(body) > limit:
                    raise self._too_long(url)
        except (HTTPError, OSError) as error:
            raise self._over(budget, url) or NodeUnreachableError(
                f"the connection broke while the response was read: {cause_of(error, outer)}", url
            ) from error
        return bytes(body)

    def _over(self, budget: Budget, url: str) -> NodeError | None:
        """Return the error for an exchange that exceeded its budget; ``None`` if it did not."""
        if budget.bytes_left < 0:
            return self._too_long(url)
        if budget.left_s > 0:
            return None
        if budget.has_received:
            return UnreadResponseError(
                f"the response took longer than {budget.within_s:g} s; "
                "ask for less, use another node, or raise response_deadline_s",
                url,
            )
        return NodeUnreachableError(
            f"no response within {budget.within_s:.3g} s; try again, use another node, or raise timeout", url
        )

    def _too_long(self, url: str) -> UnreadResponseError:
        return UnreadResponseError(
            f"the response is longer than {self._max_response_bytes} bytes; ask for less, or raise max_response_bytes",
            url,
        )

    def _adapter(self, url: str) -> requests.adapters.BaseAdapter:
        adapter = self._session.get_adapter(url)
        # A custom adapter is there for a reason; the default one has no deadline.
        return self._budget_adapter if type(adapter) is HTTPAdapter else adapter


def _unreachable(
    error: requests.RequestException, url: str, timeout_s: tuple[float, float], outer: BaseException | None
) -> NodeUnreachableError:
    if isinstance(error, requests.exceptions.SSLError):
        # Other TLS errors may occur after the request was sent.
        is_refused = isinstance(_innermost(error, outer), ssl.SSLCertVerificationError)
        kind = NothingSentError if is_refused else NodeUnreachableError
        return kind(f"no secure connection: {cause_of(error, outer)}; check the URL and its certificate", url)
    if isinstance(error, requests.ConnectTimeout):
        within = f"no connection to {urlsplit(url).hostname} within {timeout_s[0]:.3g} s"
        return NothingSentError(f"{within}; is the node running, and is the URL right?", url)
    if isinstance(error, requests.Timeout):
        return NodeUnreachableError(
            f"no response within {timeout_s[1]:g} s; try again, use another node, or raise timeout", url
        )
    reason = error.args[0].reason if error.args and isinstance(error.args[0], MaxRetryError) else None
    if isinstance(reason, ProxyError):
        # Also reported for a connection that broke after the proxy had passed the request on.
        first = reason.original_error
        never = isinstance(first, NewConnectionError | ConnectTimeoutError) or "Tunnel connection failed" in str(first)
        kind = NothingSentError if never else NodeUnreachableError
        return kind(f"no connection through the proxy: {cause_of(reason, outer)}; is it running?", url)
    if isinstance(reason, NewConnectionError):
        return NothingSentError(
            f"no connection: {cause_of(reason, outer)}; is the node running, and is the URL right?", url
        )
    return NodeUnreachableError(f"the connection broke: {cause_of(error, outer)}; is this a Stacks node?", url)


def _new_session() -> requests.Session:
    session = requests.Session()
    session.headers.update(HEADERS)
    return session


def _innermost(error: BaseException, outer: BaseException | None) -> BaseException:
    """Return the original cause, which urllib3 and requests wrap several times. ``outer`` was there before."""
    while (inner := error.__cause__ or error.__context__) is not None and inner is not outer:
        error = inner
    return error


def cause_of(error: BaseException, outer: BaseException | None) -> str:
    """Return the innermost cause in a few words."""
    inner = _innermost(error, outer)
    return excerpt(str(inner) or type(inner).__name__)
