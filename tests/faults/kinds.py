"""The kinds of faults. Each is a function of an `Exchange` that may deliver the request, respond, both or neither."""

from __future__ import annotations

import json
from collections.abc import Callable

from der_client.stacks.rpc.node import compute_txid

from .exchange import Exchange, Reply

Fault = Callable[[Exchange], None]

PAGE = b"<!DOCTYPE html><html><head><title>Error</title></head><body><h1>The gateway is upset</h1></body></html>"
WITHOUT_END = 1 << 40


def pass_on(exchange: Exchange) -> None:
    """Forward the request and the response unchanged."""
    exchange.answer(exchange.deliver())


def reset_before(exchange: Exchange) -> None:
    """Reset the connection; the node never receives the request."""
    exchange.reset()


def reset_after(exchange: Exchange) -> None:
    """Deliver the request, then reset the connection instead of responding."""
    exchange.deliver()
    exchange.reset()


def hang_up_after(exchange: Exchange) -> None:
    """Deliver the request, then close the connection in an orderly way, without a response."""
    exchange.deliver()
    exchange.close()


def silence(exchange: Exchange) -> None:
    """Deliver the request, and do not respond until the proxy closes."""
    exchange.deliver()
    exchange.closing.wait()
    exchange.close()


def half(exchange: Exchange) -> None:
    """Deliver the request, send half of the response's body, then close the connection."""
    reply = exchange.deliver()
    exchange.send(reply.head + reply.body[: len(reply.body) // 2])
    exchange.close()


def half_head(exchange: Exchange) -> None:
    """Deliver the request, send half of the status line and headers, then close the connection."""
    head = exchange.deliver().head
    exchange.send(head[: len(head) // 2])
    exchange.close()


def slow(seconds: float) -> Fault:
    """Deliver the request at once, but respond late."""

    def fault(exchange: Exchange) -> None:
        reply = exchange.deliver()
        exchange.closing.wait(seconds)
        exchange.answer(reply)

    return fault


def dripped_head(pause_s: float) -> Fault:
    """Send the headers one byte at a time."""

    def fault(exchange: Exchange) -> None:
        reply = exchange.deliver()
        exchange.trickle([bytes([byte]) for byte in reply.head], pause_s)
        exchange.send(reply.body)

    return fault


def dripped_body(pause_s: float) -> Fault:
    """Send the body one byte at a time."""

    def fault(exchange: Exchange) -> None:
        reply = exchange.deliver()
        exchange.send(reply.head)
        exchange.trickle([bytes([byte]) for byte in reply.body], pause_s)

    return fault


def endless(piece: bytes, *, start: bytes = b"", pause_s: float = 0.05) -> Fault:
    """Send the same bytes repeatedly, such as headers, interim responses, chunk extensions or trailers."""

    def fault(exchange: Exchange) -> None:
        exchange.deliver()
        exchange.send(start)
        while not exchange.closing.wait(pause_s):
            exchange.send(piece)
        exchange.close()

    return fault


_CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
endless_headers = endless(b"X-More: and more\r\n", start=b"HTTP/1.1 200 OK\r\n")
endless_continue = endless(b"HTTP/1.1 100 Continue\r\n\r\n")
endless_chunk_extension = endless(b";more=more", start=_CHUNKED + b"1")
endless_trailers = endless(b"X-More: and more\r\n", start=_CHUNKED + b"2\r\n{}\r\n0\r\n")


def early_hints(exchange: Exchange) -> None:
    """Send an interim response before the node's response."""
    reply = exchange.deliver()
    exchange.send(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")
    exchange.answer(reply)


def says(
    status: int,
    body: bytes = b"",
    *,
    content_type: str = "application/json",
    retry_after: str | None = None,
    delivered: bool = False,
) -> Fault:
    """Respond like an intermediary between client and node; ``delivered``: whether the node receives the request."""
    headers = () if retry_after is None else (("Retry-After", retry_after),)

    def fault(exchange: Exchange) -> None:
        if delivered:
            exchange.deliver()
        exchange.answer(Reply(status, body, content_type, headers))

    return fault


def page(status: int, *, delivered: bool = False) -> Fault:
    """Respond with a gateway's web page."""
    return says(status, PAGE, content_type="text/html; charset=utf-8", delivered=delivered)


def busy(status: int, retry_after: str | None = None, *, delivered: bool = False) -> Fault:
    """Respond with 429, 502 or 503, and with a ``Retry-After`` header if one is given."""
    body = json.dumps({"error": "busy"}).encode()
    return says(status, body, retry_after=retry_after, delivered=delivered)


def redirect(location: str, status: int = 307, *, delivered: bool = False) -> Fault:
    """Redirect to another address."""

    def fault(exchange: Exchange) -> None:
        if delivered:
            exchange.deliver()
        exchange.answer(Reply(status, b"", "text/plain", (("Location", location),)))

    return fault


def unknown(exchange: Exchange) -> None:
    """Respond with 404, like an API that has not seen the transaction yet."""
    exchange.answer(Reply(404, b'{"error": "could not find it"}'))


def refuses(reason: str) -> Fault:
    """Reject the transaction in the node's own format, without delivering it."""

    def fault(exchange: Exchange) -> None:
        txid = compute_txid(exchange.ask.body)
        body = {"error": "transaction rejected", "reason": reason, "reason_data": {}, "txid": txid}
        exchange.answer(Reply(400, json.dumps(body).encode()))

    return fault


def withhold(exchange: Exchange) -> None:
    """Accept a broadcast, but do not deliver it until the proxy releases it."""
    exchange.withheld.append(exchange.ask)
    exchange.answer(Reply(200, json.dumps(compute_txid(exchange.ask.body)).encode()))
