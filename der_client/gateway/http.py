"""The gateway over HTTP: ``POST /v1/days`` takes messages, ``GET /v1/days/ID`` returns the state of one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from der_client.gateway.gateway import MAX_MESSAGES, RefusedError, UnavailableError, messages_as_json
from der_client.readings.cbor import MAX_BYTES
from der_client.stacks.extras import require_extra

if TYPE_CHECKING:
    from der_client.gateway.gateway import Gateway

_MOST_BYTES: Final = MAX_BYTES * MAX_MESSAGES
_RETRY_AFTER_S: Final = "30"


def application(gateway: Gateway) -> Any:
    """Make the ASGI application of a gateway.

    Args:
        gateway: The gateway that takes what is posted.

    Raises:
        MissingExtraError: If starlette is not installed.
    """
    with require_extra("gateway"):
        from starlette.applications import Starlette  # noqa: PLC0415 -- an extra
        from starlette.responses import JSONResponse  # noqa: PLC0415
        from starlette.routing import Route  # noqa: PLC0415

    async def take(request: Any) -> Any:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _MOST_BYTES:
                return JSONResponse({"error": f"at most {_MOST_BYTES} bytes are taken"}, 413)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        is_cbor = {"application/cbor": True, "application/json": False}.get(kind)
        try:
            receipts = await asyncio.to_thread(gateway.take, body, source="http", is_cbor=is_cbor)
        except RefusedError as error:
            return JSONResponse({"error": str(error)}, 400)
        except UnavailableError as error:
            return JSONResponse({"error": str(error)}, 503, headers={"retry-after": _RETRY_AFTER_S})
        return JSONResponse({"receipts": [receipt.to_json() for receipt in receipts]}, 202)

    async def show(request: Any) -> Any:
        stored = await asyncio.to_thread(gateway.store.get, request.path_params["message_id"])
        if stored is None:
            return JSONResponse({"error": "there is no message with this id"}, 404)
        return JSONResponse(messages_as_json([stored])[0])

    async def health(_request: Any) -> Any:
        counts = await asyncio.to_thread(gateway.store.counts)
        return JSONResponse({"messages": {str(state): count for state, count in counts.items()}})

    return Starlette(
        routes=[
            Route("/v1/days", take, methods=["POST"]),
            Route("/v1/days/{message_id}", show),
            Route("/health", health),
        ]
    )
