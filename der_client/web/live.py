"""Announces new blocks to browsers (server-sent events)."""

from __future__ import annotations

import asyncio
import json
import time
from threading import Event
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from der_client.index import Index
    from der_client.index.answers import Tip

_POLL_S: Final = 1.0
_PING_S: Final = 15
_RETRY_MS: Final = 3000
MAX_STREAMS: Final = 200


class LiveBlocks:
    """Follows the newest block of an index for any number of browsers, with one query of the database for all of them.

    Args:
        index: The index.
        poll_s: How old a result may be, s.
        stop: Set when the server ends: streams end then, within ``poll_s``.
    """

    def __init__(self, index: Index, poll_s: float = _POLL_S, stop: Event | None = None) -> None:
        self._index = index
        self._stop = stop or Event()
        self._poll_s = poll_s
        self._lock = asyncio.Lock()
        self._read_at = float("-inf")
        self._tip: Tip | None = None
        self.streams = 0

    async def newest(self) -> Tip | None:
        """Return the newest block, at most ``poll_s`` old."""
        async with self._lock:
            if time.monotonic() - self._read_at >= self._poll_s:
                self._tip = await asyncio.to_thread(self._index.tip)
                self._read_at = time.monotonic()
            return self._tip

    async def events(self) -> AsyncIterator[ServerSentEvent]:
        """Yield the newest block at once, and each later one as it comes (of several between two checks, the last)."""
        self.streams += 1
        try:
            shown = ""
            while not self._stop.is_set():
                tip = await self.newest()
                if tip is not None and tip.block_hash != shown:
                    shown = tip.block_hash
                    data = {"height": tip.height, "hash": tip.block_hash, "time": tip.block_time.isoformat()}
                    yield ServerSentEvent(json.dumps(data), event="block", id=str(tip.height), retry=_RETRY_MS)
                await asyncio.sleep(self._poll_s)
        finally:
            self.streams -= 1


def live_routes(index: Index, poll_s: float = _POLL_S, stop: Event | None = None) -> APIRouter:
    """Return the route of the event stream.

    Args:
        index: The index.
        poll_s: How often the index is checked, s.
        stop: Set when the server ends.
    """
    router = APIRouter(include_in_schema=False)
    live = LiveBlocks(index, poll_s, stop)

    @router.get("/live")
    async def stream() -> Response:
        if live.streams >= MAX_STREAMS:
            return JSONResponse({"error": "Too many pages are open at once."}, status_code=503)
        return EventSourceResponse(live.events(), ping=_PING_S)

    return router
