"""Plants and their production."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response

from der_client.index.answers import DayEnergy, Plant, PlantDetail
from der_client.index.table import Table, plain
from der_client.web.api.answers import Format, answer_list, answer_rows, json_response
from der_client.web.api.documents import one_row, page_of_rows
from der_client.web.parameters import Cursor, Day, Id, Limit, OptionalId, OptionalParty, OptionalRegion, check_days

if TYPE_CHECKING:
    from der_client.index import Index

_MOST_DAYS: Final = 366
_MOST_DAYS_OF_SLOTS: Final = 31


def add_plants(router: APIRouter, index: Index) -> None:
    """Add the endpoints of plants."""

    @router.get("/plants", responses=page_of_rows(Plant), summary="Plants, by their id.")
    def plants(
        owner: OptionalParty = None,
        region: OptionalRegion = None,
        after: Cursor = None,
        limit: Limit = 100,
        format: Format = "json",  # noqa: A002 - the name of the parameter
    ) -> Response:
        rows = index.plants(owner=owner, region=region)
        following = Table(Plant, (plant for plant in rows if after is None or plant.asset_id > after))
        return answer_list(
            lambda most: Table(Plant, following[:most]),
            name="plants",
            output=format,
            limit=limit,
            cursor=lambda plant: plant.asset_id,
        )

    @router.get(
        "/plants/{asset_id}",
        responses=one_row(PlantDetail),
        summary="One plant: registration, connection, export schedule, owners, operators and keys with their times.",
    )
    def plant(asset_id: Id) -> Response:
        return json_response(plain(index.plant(asset_id)))

    @router.get("/production", summary=_PRODUCTION, responses=page_of_rows(DayEnergy))
    def production(
        from_day: Day,
        to_day: Day,
        asset_id: OptionalId = None,
        by: Annotated[Literal["slot", "day", "month"], Query(description="What a row is.")] = "day",
        after: Cursor = None,
        limit: Limit = 1000,
        format: Format = "json",  # noqa: A002 - the name of the parameter
    ) -> Response:
        if by == "slot" and asset_id is None:
            check_days(from_day, to_day, _MOST_DAYS_OF_SLOTS, " for the slots of all plants")
        else:
            check_days(from_day, to_day, _MOST_DAYS)
        rows: Table[Any] = index.production(asset_id, from_day, to_day, by=by)
        return answer_rows(rows, name=f"production-{from_day}-{to_day}", output=format, limit=limit, after=after)


_PRODUCTION: Final = (
    "Energy by slot, day or month, of one plant or all. `wh` of a slot is null where only the sum of several is known. "
    "At most 366 days at once, 31 for the slots of all plants."
)
