"""Serves the pages of an index on a free port while a test needs them."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from der_client.index import Index
from der_client.web.service import address_of, open_socket, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def pages_of(place: Path | str) -> Iterator[str]:
    """Serve the pages of an index.

    Args:
        place: The index.

    Yields:
        The URL of the pages.
    """
    stop = threading.Event()
    with open_socket("127.0.0.1", 0) as listening, Index(place) as index:
        thread = threading.Thread(target=serve, args=(index, listening), kwargs={"stop": stop})
        thread.start()
        try:
            yield address_of(listening)
        finally:
            stop.set()
            thread.join()
