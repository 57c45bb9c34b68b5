"""Rules for every answer of the pages: read-only methods, known host names, strict headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from der_client.stacks.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
ANY_HOST: Final[frozenset[str]] = frozenset()
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    b"content-security-policy": CONTENT_SECURITY_POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=(), payment=()",
}
_DEFAULT_HEADERS: Final = {b"cache-control": b"no-store"}


def is_loopback(host: str) -> bool:
    """Return whether an address to listen on can be reached only from its own machine."""
    return host in {"localhost", "::1"} or host.startswith("127.")


def allowed_hosts(listening_host: str, names: Iterable[str] = ()) -> frozenset[str]:
    """Return the host names under which the pages may be requested.

    A page on the internet can let its own name point to 127.0.0.1, and so read what is served there ("DNS rebinding");
    the Host header reveals its name.

    Args:
        listening_host: The address to listen on. On loopback, only its own names and ``names`` are allowed.
        names: More names, such as that of a proxy in front. If there are none and the address is not loopback, any name
            is allowed (``ANY_HOST``).

    Raises:
        InvalidValueError: If a name has a scheme, a port, a path or spaces.
    """
    given = {name.strip().lower() for name in names}
    for name in given:
        if not name or any(character in name.strip("[]") for character in "/@?#* \t"):
            raise InvalidValueError(f"expected a host name such as pages.example.org, got {name!r}")
        if ":" in name and not name.startswith("["):
            raise InvalidValueError(f"expected a host name without a port, got {name!r}")
    if is_loopback(listening_host):
        return frozenset(LOOPBACK_NAMES | given | {_bracketed(listening_host)})
    return frozenset(given | {_bracketed(listening_host)}) if given else ANY_HOST


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


class Guard:
    """ASGI middleware around the pages: refuses what they never need, and adds headers to all answers.

    Args:
        app: The pages.
        hosts: The host names to answer (``allowed_hosts``); ``ANY_HOST`` for all.
        root_path: The path below which a proxy shows the pages; empty to leave it to the server.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str], root_path: str = "") -> None:
        self._app = app
        self._hosts = hosts
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        if self._root_path:
            scope["root_path"] = self._root_path
        is_head = scope["method"] == "HEAD"

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": _guarded(message.get("headers", []))}
            elif message["type"] == "http.response.body" and is_head:
                message = {**message, "body": b""}
            await send(message)

        if self._hosts and _host_of(scope) not in self._hosts:
            await _refuse(send_guarded, 421, "This host name is not allowed: see der serve --allow-host.")
        elif scope["method"] not in {"GET", "HEAD"}:
            await _refuse(send_guarded, 405, "Only GET and HEAD are allowed.", {b"allow": b"GET, HEAD"})
        else:
            await self._app({**scope, "method": "GET"} if is_head else scope, receive, send_guarded)


def _host_of(scope: Scope) -> str:
    """Return the Host header without its port; empty if there is none, or more than one."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1:
        return ""
    host = str(hosts[0].decode("latin-1")).lower()
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _guarded(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in headers if name.lower() not in _HEADERS and name.lower() != b"server"]
    given = {name.lower() for name, _ in kept}
    defaults = [(name, value) for name, value in _DEFAULT_HEADERS.items() if name not in given]
    return [*kept, *defaults, *_HEADERS.items()]


async def _refuse(send: Send, status: int, sentence: str, headers: dict[bytes, bytes] | None = None) -> None:
    body = f"{sentence}\n".encode()
    fields = {b"content-type": b"text/plain; charset=utf-8", b"content-length": str(len(body)).encode()}
    await send({"type": "http.response.start", "status": status, "headers": list((fields | (headers or {})).items())})
    await send({"type": "http.response.body", "body": body})
