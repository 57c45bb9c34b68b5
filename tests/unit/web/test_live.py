"""New blocks are sent to browsers that listen."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from der_client.web.live import LiveBlocks

if TYPE_CHECKING:
    from der_client.index import Index
    from der_client.index.answers import Tip


class Moving:
    """An index whose newest block changes."""

    def __init__(self, tip: Tip | None) -> None:
        self.newest = tip
        self.asked = 0

    def tip(self) -> Tip | None:
        self.asked += 1
        return self.newest


async def next_event(stream: object) -> dict[str, object]:
    event = await asyncio.wait_for(anext(stream), 20)  # type: ignore[call-overload]
    assert event.event == "block"
    return dict(json.loads(event.data))


def test_the_newest_block_is_sent_at_once_and_each_later_one_once(index: Index) -> None:
    tip = index.tip()
    assert tip is not None
    source = Moving(tip)

    async def listen() -> list[dict[str, object]]:
        live = LiveBlocks(source, poll_s=0.001)  # type: ignore[arg-type]
        stream = live.events()
        first = await next_event(stream)
        assert live.streams == 1
        source.newest = replace(tip, height=tip.height - 1, block_hash="ff" * 32)  # a fork
        second = await next_event(stream)
        await stream.aclose()  # type: ignore[attr-defined]
        assert live.streams == 0
        return [first, second]

    first, second = asyncio.run(listen())
    assert first == {"height": tip.height, "hash": tip.block_hash, "time": tip.block_time.isoformat()}
    assert (second["height"], second["hash"]) == (tip.height - 1, "ff" * 32)


def test_many_listeners_share_one_query(index: Index) -> None:
    source = Moving(index.tip())

    async def listen() -> None:
        live = LiveBlocks(source, poll_s=60)  # type: ignore[arg-type]
        await asyncio.gather(*(next_event(live.events()) for _ in range(50)))

    asyncio.run(listen())
    assert source.asked == 1
