"""The first page: what needs doing, the figures, the power of the day, the latest events."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from der_client.web.attention import KINDS, grouped, headline, line, verdict
from der_client.web.charts.power_curves import power_by_step, power_chart
from der_client.web.errors import NotFoundError
from der_client.web.parameters import Offset, OptionalId

if TYPE_CHECKING:
    from der_client.index import Index
    from der_client.web.figures import Figures
    from der_client.web.rendering import Renderer

_SHOWN_PLANTS: Final = 8
_SHOWN_EVENTS: Final = 8
_PAGE: Final = 100


def overview_routes(index: Index, figures: Figures, renderer: Renderer) -> APIRouter:
    """Return the overview, and the lists of what needs doing to which it links."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def overview(request: Request) -> Response:
        shown = figures.overview()
        groups = grouped(shown.attention, shown.tip.block_time)
        plants = figures.plants()
        power_day = _last_day_with_power(shown.today, [plant.last_day for plant in plants])
        before = power_day - timedelta(days=1)
        loads, loads_before = figures.loads(power_day), figures.loads(before)
        return renderer.page(
            request,
            "overview.html",
            title="Overview",
            tip=shown.tip,
            overview=shown,
            groups=groups,
            verdict=verdict(groups),
            headline=headline(groups),
            money=figures.money(),
            due_payments=shown.due_payments,
            power_day=power_day,
            power_before=before,
            power_wh=loads.wh,
            power_before_wh=loads_before.wh,
            spread_wh=loads.spread_wh + loads_before.spread_wh,
            chart=power_chart(power_by_step(loads.slots), power_by_step(loads_before.slots)),
            plants=sorted(plants, key=lambda plant: (-plant.verified_wh, plant.asset_id))[:_SHOWN_PLANTS],
            events=index.events(limit=_SHOWN_EVENTS, newest_first=True),
        )

    @router.get("/attention/{kind}")
    def attention(request: Request, kind: str, asset_id: OptionalId = None, offset: Offset = 0) -> Response:
        spoken = KINDS.get(kind)
        if spoken is None:
            raise NotFoundError("No page has this address.")
        rows = [
            row
            for row in figures.attention()
            if str(row.kind) == kind and (asset_id is None or row.asset_id == asset_id)
        ]
        shown = [line(row) for row in rows[offset : offset + _PAGE]]
        base = {"asset_id": asset_id}
        return renderer.page(
            request,
            "attention.html",
            title=spoken.heading,
            heading=spoken.heading,
            explanation=spoken.explanation,
            rows=shown,
            has_amounts=any(each.amount for each in shown),
            has_deadlines=any(each.until for each in shown),
            kind=kind,
            previous=None if offset == 0 else base | {"offset": max(0, offset - _PAGE)},
            next=None if offset + _PAGE >= len(rows) else base | {"offset": offset + _PAGE},
        )

    return router


def _last_day_with_power(today: date, last_days: list[date | None]) -> date:
    """Return today, or the last day before with something recorded."""
    return min(today, max((day for day in last_days if day is not None), default=today))
