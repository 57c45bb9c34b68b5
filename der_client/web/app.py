"""The pages and the API over an index, as one application."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from starlette.staticfiles import StaticFiles

from der_client.web.api.documents import DescribedApi
from der_client.web.api.routes import api_routes
from der_client.web.errors import answer_errors
from der_client.web.figures import Figures
from der_client.web.live import live_routes
from der_client.web.pages.api import api_page_routes
from der_client.web.pages.certificates import certificate_routes
from der_client.web.pages.market import market_routes
from der_client.web.pages.money import money_routes
from der_client.web.pages.overview import overview_routes
from der_client.web.pages.plants import plant_routes
from der_client.web.rendering import STATIC, Renderer
from der_client.web.security import Guard, allowed_hosts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from threading import Event

    from fastapi import FastAPI

    from der_client.index import Index

_PAGES: Final = (overview_routes, plant_routes, market_routes, money_routes, certificate_routes)


def create_app(
    index: Index,
    *,
    host: str = "127.0.0.1",
    allow_hosts: Iterable[str] = (),
    root_path: str = "",
    poll_s: float = 1.0,
    stop: Event | None = None,
) -> FastAPI:
    """Return the application; run it with any ASGI server.

    Args:
        index: The index to show. It is only read.
        host: The address to listen on; on loopback, only requests for its own names and ``allow_hosts`` are answered.
        allow_hosts: More host names to answer, such as that of a proxy in front.
        root_path: The path below which a proxy shows the pages, such as ``/der``.
        poll_s: How often the index is asked for a new block while pages are open, s.
        stop: Set when the server ends, so that its streams of new blocks end.

    Raises:
        InvalidValueError: If a host name has a scheme, a port or a path.
    """
    hosts = allowed_hosts(host, allow_hosts)
    app = DescribedApi(
        title="der",
        summary="Plants, production, offers, payments and certificates, as in the contracts. Read-only.",
        version=version("der-client"),
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        license_info={"name": "MIT"},
    )
    figures, renderer = Figures(index), Renderer(index)
    for routes in _PAGES:
        app.include_router(routes(index, figures, renderer))
    app.include_router(api_routes(index))
    app.include_router(api_page_routes(app, renderer))
    app.include_router(live_routes(index, poll_s, stop))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    answer_errors(app, renderer)
    # The outermost layer, around Starlette's own answer to an unexpected error.
    app.middleware_stack = Guard(app.build_middleware_stack(), hosts, root_path.rstrip("/"))
    return app
