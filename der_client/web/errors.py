"""Errors of requests, each as one sentence; anything unexpected is a bug, which is logged here and not shown."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from der_client.index.errors import IndexDatabaseError, NotIndexedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI, Request
    from fastapi.responses import Response

    from der_client.web.rendering import Renderer

_LOG: Final = logging.getLogger(__name__)
_TITLES: Final = {400: "This address is not valid", 404: "Not found", 503: "The index cannot be read"}


class BadRequestError(HTTPException):
    """A part of a URL is not what is expected there; the sentence names it and what is expected."""

    def __init__(self, sentence: str) -> None:
        super().__init__(400, sentence)


class NotFoundError(HTTPException):
    """Something that a URL names is not in the index."""

    def __init__(self, sentence: str) -> None:
        super().__init__(404, sentence)


class EmptyIndexError(HTTPException):
    """The index has no block yet."""

    def __init__(self) -> None:
        super().__init__(503, "The index has no block yet; run der index to fill it.")


def answer_errors(app: FastAPI, renderer: Renderer) -> None:
    """Answer errors with a page, or JSON under ``/api``: one plain sentence, never a traceback.

    Args:
        app: The application.
        renderer: The renderer of pages.
    """

    def answer(request: Request, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
        if request.url.path.removeprefix(request.scope.get("root_path", "")).startswith("/api/"):
            return JSONResponse({"error": sentence}, status_code=status, headers=headers)
        title = _TITLES.get(status, "This did not work")
        return renderer.page(
            request, "error.html", status=status, headers=headers, title=title, sentence=sentence, tip=None
        )

    @app.exception_handler(HTTPException)
    def on_http(request: Request, error: HTTPException) -> Response:
        sentence = "No page has this address." if error.detail == "Not Found" else str(error.detail)
        return answer(request, error.status_code, sentence, error.headers)

    @app.exception_handler(RequestValidationError)
    def on_parameter(request: Request, error: RequestValidationError) -> Response:
        return answer(request, 400, " ".join(map(_sentence, error.errors())))

    @app.exception_handler(NotIndexedError)
    def on_not_indexed(request: Request, error: NotIndexedError) -> Response:
        return answer(request, 404, str(error))

    @app.exception_handler(IndexDatabaseError)
    def on_database(request: Request, error: IndexDatabaseError) -> Response:
        _LOG.exception("the index could not be read", exc_info=error)
        return answer(request, 503, "The index cannot be read now; see the log of der serve.")

    @app.exception_handler(Exception)
    def on_bug(request: Request, error: Exception) -> Response:
        _LOG.exception("a page failed", exc_info=error)
        return answer(request, 500, "This page failed; see the log of der serve.")


def _sentence(problem: Mapping[str, Any]) -> str:
    """Return an error of FastAPI as a sentence: the parameter, what was expected, and what was given."""
    name = str(problem["loc"][-1]) if problem["loc"] else "the request"
    got = problem.get("input")
    shown = f", got {got[:40]!r}" if isinstance(got, str) else ""
    text = str(problem["msg"]).removeprefix("Value error, ")
    return f"{name}: {text[:1].lower()}{text[1:]}{shown}."
