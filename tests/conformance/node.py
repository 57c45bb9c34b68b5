"""The node under test: its address, its kind, and how to wait for it."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

import requests

from tests.conformance.case import OCTETS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conformance.case import Request

REQUEST_TIMEOUT_S = 60
# Bitcoin blocks of Clarinet's devnet take 30 s; a tenure may miss one.
CONFIRMATION_TIMEOUT_S = 300
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 2.0

Found = TypeVar("Found")


class Target(StrEnum):
    """The kind of server under test."""

    EMBEDDED = "embedded"
    """The embedded devnet."""
    API = "api"
    """The Stacks API, which passes /v2 on to its node."""
    NODE = "node"
    """A node by itself, without an API."""
    PAIR = "pair"
    """A node for /v2 and /v3, and an API for /extended."""


class Node:
    """A node, and an API if there is one.

    Args:
        url: The base URL of /v2 and /v3, and of /extended unless ``api_url`` is given.
        api_url: The base URL of /extended.
    """

    def __init__(self, url: str, api_url: str | None = None) -> None:
        self.url = url.rstrip("/")
        self.api_url = (api_url or url).rstrip("/")
        self._session = requests.Session()
        self.target = self._find_target()

    def _find_target(self) -> Target:
        if self._session.get(f"{self.url}/devnet", timeout=REQUEST_TIMEOUT_S).ok:
            return Target.EMBEDDED
        if self.api_url != self.url:
            return Target.PAIR
        has_api = self._session.get(f"{self.url}/extended", timeout=REQUEST_TIMEOUT_S).ok
        return Target.API if has_api else Target.NODE

    @property
    def has_api(self) -> bool:
        return self.target is not Target.NODE

    def send(self, request: Request) -> requests.Response:
        base = self.api_url if request.path.startswith("/extended") else self.url
        headers = {} if request.content_type is None else {"content-type": request.content_type}
        return self._session.request(
            request.method,
            base + request.path,
            json=request.json,
            data=request.data,
            headers=headers,
            timeout=REQUEST_TIMEOUT_S,
        )

    def get(self, path: str) -> requests.Response:
        base = self.api_url if path.startswith("/extended") else self.url
        return self._session.get(base + path, timeout=REQUEST_TIMEOUT_S)

    def json(self, path: str) -> Any:
        response = self.get(path)
        assert response.ok, f"{path}: {response.status_code} {response.text}"
        return response.json()

    def submit(self, raw: bytes) -> requests.Response:
        return self._session.post(
            f"{self.url}/v2/transactions", data=raw, headers={"content-type": OCTETS}, timeout=REQUEST_TIMEOUT_S
        )

    def account(self, address: str) -> Any:
        return self.json(f"/v2/accounts/{address}?proof=0")

    def wait_for_nonce(self, address: str, nonce: int) -> None:
        """Wait until all transactions of an account below this nonce are in blocks."""
        eventually(lambda: self.account(address)["nonce"] >= nonce or None, f"nonce {nonce} of {address}")

    def wait_for_api(self, txid: str, *, pending: bool = False) -> dict[str, Any]:
        """Wait until the API shows a transaction, in a block unless ``pending``, and return it."""
        assert self.has_api, "there is no API"

        def look() -> dict[str, Any] | None:
            response = self.get(f"/extended/v1/tx/0x{txid}")
            found: dict[str, Any] | None = response.json() if response.ok else None
            return found if found and (pending or found["tx_status"] != "pending") else None

        return eventually(look, f"transaction {txid}")


def eventually(look: Callable[[], Found | None], what: str) -> Found:
    """Call ``look`` repeatedly until it returns something, and return that."""
    give_up_at = time.monotonic() + CONFIRMATION_TIMEOUT_S
    pause_s = FIRST_PAUSE_S
    while (found := look()) is None:
        assert time.monotonic() < give_up_at, f"waited {CONFIRMATION_TIMEOUT_S} s in vain for {what}"
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
    return found
