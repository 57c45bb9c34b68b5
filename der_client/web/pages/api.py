"""The API's endpoints as a page, from their OpenAPI description."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from der_client.web.rendering import Renderer

_OPENAPI: Final = "/api/openapi.json"


@dataclass(frozen=True, slots=True)
class ShownParameter:
    """A parameter of an endpoint: its name, purpose, values in words, and whether it is required."""

    name: str
    description: str
    values: str
    required: bool


@dataclass(frozen=True, slots=True)
class ShownRoute:
    """An endpoint: its path, result and parameters, and a link to try it if no parameter is required."""

    path: str
    summary: str
    parameters: list[ShownParameter]
    example: str | None


def api_page_routes(app: FastAPI, renderer: Renderer) -> APIRouter:
    """Return the page that lists the API's endpoints.

    Args:
        app: The application whose OpenAPI description is shown.
        renderer: What renders pages.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/api")
    def api(request: Request) -> Response:
        routes = [_shown(path, methods["get"]) for path, methods in app.openapi()["paths"].items()]
        return renderer.page(request, "api.html", title="API", routes=routes)

    return router


def _shown(path: str, operation: Mapping[str, Any]) -> ShownRoute:
    parameters = [
        ShownParameter(
            each["name"],
            each.get("description", ""),
            _values(each["schema"]),
            each.get("required", False),
        )
        for each in operation.get("parameters", ())
    ]
    is_open = not any(each.required for each in parameters)
    words = operation.get("description") or operation.get("summary", "")
    return ShownRoute(path, words, parameters, path if is_open else None)


def _values(schema: Mapping[str, Any]) -> str:
    """Return the values that a parameter may have, in words."""
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    words = " or ".join(" | ".join(map(str, kind["enum"])) if "enum" in kind else _kind(kind) for kind in kinds)
    default = schema.get("default")
    return words if default is None else f"{words}, by default {default}"


def _kind(schema: Mapping[str, Any]) -> str:
    names = {"integer": "whole number", "string": "text"}
    if schema.get("format") == "date":
        return "day such as 2026-07-01"
    text = names.get(schema.get("type", ""), schema.get("type", ""))
    low, high = schema.get("minimum"), schema.get("maximum")
    return text if high is None or high > 10**9 else f"{text}, {low} to {high}"
