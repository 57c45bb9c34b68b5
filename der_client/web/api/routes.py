"""The endpoints of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Depends

from der_client.web.api.answers import Problem
from der_client.web.api.certificates import add_certificates
from der_client.web.api.lists import add_lists
from der_client.web.api.plants import add_plants
from der_client.web.api.statements import add_statements
from der_client.web.parameters import refuse_unknown

if TYPE_CHECKING:
    from der_client.index import Index

_PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"model": Problem, "description": "The request is not valid, or names something that does not exist."},
    "5XX": {"model": Problem, "description": "The index cannot be read now."},
}


def api_routes(index: Index) -> APIRouter:
    """Return the API.

    Args:
        index: The index to query.
    """
    router = APIRouter(prefix="/api", responses=_PROBLEMS, dependencies=[Depends(refuse_unknown)])
    for add in (add_plants, add_lists, add_statements, add_certificates):
        add(router, index)
    return router
