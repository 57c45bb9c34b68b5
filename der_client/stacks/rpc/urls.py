"""Checks a node's address and headers, and decides which redirects are followed, for every client.

Redirects are followed only within the same host and never for a POST, and no error text contains credentials.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit, urlunsplit

import requests

from der_client.stacks.checks import check_kind
from der_client.stacks.errors import InvalidValueError, NodeResponseError, shown, without_secrets
from der_client.stacks.rpc.fields import excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from der_client.stacks.rpc.endpoint import Request

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS: Final = 3
HEADERS: Final = {"User-Agent": "der-client", "Accept": "application/json, text/plain;q=0.5"}
_API_PATH: Final = re.compile(r"/(?:extended(?:/v\d)?|v[123])\Z")
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"(?!\s)[\t\x20-\x7e\x80-\xff]*(?<!\s)")


def redirect_target(request: Request, url: str, location: str) -> str:
    """Follow a redirect of a GET within the host.

    Args:
        request: The request.
        url: Its URL.
        location: The target of the redirect.

    Raises:
        NodeResponseError: If it leads elsewhere, or the request is not a GET.
    """
    try:
        target = urljoin(url, location)
        here, there = urlsplit(url), urlsplit(target)
    except ValueError as error:
        raise NodeResponseError(f"the node redirects to an invalid address: {error}", url) from error
    same_host = (here.scheme, here.netloc) == (there.scheme, there.netloc)
    if request.method != "GET" or not location or not same_host:
        raise NodeResponseError(
            f"the node redirects to {excerpt(_without_credentials(target))!r}, which is not followed; "
            "if you trust that address, use it as the URL",
            url,
        )
    return target


def check_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Refuse headers that cannot be sent, without showing a value.

    Raises:
        InvalidValueError: If a name or value cannot be sent.
    """
    for name, value in headers.items():
        # The value may be a secret, so it is not repeated.
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise InvalidValueError(f"{shown(name)} is not the name of a header")
        if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            raise InvalidValueError(
                f"the value of header {name!r} must be Latin-1 text on one line, without spaces around it"
            )
    return headers


def check_base_url(url: str) -> str:
    """Check a node's address.

    Returns:
        The address without a slash at the end.

    Raises:
        InvalidValueError: If it is not the address of an HTTP server, or contains more than that.
    """
    check_kind(url, str, "url", "give the base address of a node, such as http://localhost:3999")
    if "@" in url:
        raise InvalidValueError("a node URL must not contain a user name or password; give Client(headers=…) instead")
    if "?" in url or "#" in url:
        raise InvalidValueError(
            "a node URL must not contain a query (? …) or a fragment (# …); give Client(headers=…) instead"
        )
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        host.encode("idna")
        prepared = requests.Request("GET", url).prepare().url
        is_valid = url.isprintable() and " " not in url and parts.port != 0 and prepared is not None
    except (ValueError, requests.RequestException) as error:
        raise InvalidValueError(f"node URL {shown(url)} is invalid: {error}") from None
    if parts.scheme not in ("http", "https") or not host or not is_valid:
        raise InvalidValueError(
            f"node URL {shown(url)} must look like https://api.example.com or http://localhost:3999"
        )
    if without_secrets(url) != url:
        raise InvalidValueError(
            "a node URL must not contain what looks like a private key or a recovery phrase; for an access "
            "token, use Client(headers=…), or a shorter one"
        )
    base = url.rstrip("/")
    if path := _API_PATH.search(base):
        raise InvalidValueError(
            f"node URL {shown(url)} ends in {path[0]}: give the base address, {base[: path.start()]}"
        )
    return base


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
