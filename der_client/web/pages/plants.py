"""Plants: the list, one plant with its year, one day of a plant slot by slot."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from der_client.readings.slots import RECORDING_DAYS, slots_per_day
from der_client.web.amounts import count
from der_client.web.attention import grouped, headline, verdict
from der_client.web.books import day_lines
from der_client.web.charts.heat_map import year_grid
from der_client.web.charts.slot_bars import day_chart
from der_client.web.errors import EmptyIndexError
from der_client.web.parameters import FIRST_YEAR, LAST_YEAR, DayInPath, Id, OptionalRegion, Year

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.contracts.grid_integration import ExportCap
    from der_client.index import Index
    from der_client.index.answers import Plant
    from der_client.web.figures import Figures
    from der_client.web.rendering import Renderer

_SHOWN_OFFERS: Final = 10
_SHOWN_EVENTS: Final = 12
_MOST_EVENTS: Final = 100


def plant_routes(index: Index, figures: Figures, renderer: Renderer) -> APIRouter:
    """Return the pages of plants."""
    router = APIRouter(include_in_schema=False)

    @router.get("/plants")
    def plants(request: Request, region: OptionalRegion = None) -> Response:
        everything = figures.plants()
        shown = [plant for plant in everything if region is None or plant.region == region]
        return renderer.page(
            request,
            "plants.html",
            title="Plants",
            plants=shown,
            capacity_w=sum(plant.capacity_w for plant in shown),
            regions=sorted({plant.region for plant in everything}),
            region=region,
            to_do=Counter(row.asset_id for row in figures.attention()),
        )

    @router.get("/plants/{asset_id}")
    def plant(request: Request, asset_id: Id, year: Year = None) -> Response:
        detail, tip = index.plant(asset_id), index.tip()
        if tip is None:
            raise EmptyIndexError
        today = tip.block_time.date()
        own = detail.plant
        registered = own.registered_at.date()
        years = _years(own, today)
        shown_year = year or (own.last_day or today).year
        days = index.production(asset_id, date(shown_year, 1, 1), date(shown_year, 12, 31), by="day")
        open_offers = index.offers(asset_id=asset_id, open=True)
        last_offers = index.offers(asset_id=asset_id, limit=_SHOWN_OFFERS, newest_first=True)
        groups = grouped(index.attention(asset_id=asset_id), tip.block_time)
        return renderer.page(
            request,
            "plant.html",
            title=f"Plant {asset_id}",
            tip=tip,
            plant=own,
            detail=detail,
            asset=detail.asset,
            connection=detail.connection,
            change=detail.change,
            schedule=detail.export_schedule,
            attention=groups,
            headline=headline(groups),
            verdict=verdict(groups),
            year=shown_year,
            years=sorted({*years, shown_year}, reverse=True),
            months=year_grid(shown_year, days, since=registered, until=today),
            has_days_before=registered > date(shown_year, 1, 1),
            sold_wh=sum(day.sold_wh for day in days),
            retired_wh=sum(day.retired_wh for day in days),
            open_offers=open_offers,
            open_wh=sum(offer.open_wh for offer in open_offers),
            offers=[*open_offers, *(offer for offer in last_offers if not offer.is_open)][:_SHOWN_OFFERS],
            events=index.events(asset_id=asset_id, limit=_SHOWN_EVENTS, newest_first=True),
        )

    @router.get("/plants/{asset_id}/days/{day}")
    def plant_day(request: Request, asset_id: Id, day: DayInPath) -> Response:
        detail, tip = index.plant(asset_id), index.tip()
        own = detail.plant
        total = slots_per_day(own.slot_seconds)
        known = next(iter(index.production(asset_id, day, day, by="day")), None)
        cap_w = _cap_on(detail.export_schedule, day)
        chart = day_chart(
            index.production(asset_id, day, day, by="slot"),
            day_wh=0 if known is None else known.wh,
            slot_seconds=own.slot_seconds,
            cap_w=cap_w,
        )
        today = None if tip is None else tip.block_time.date()
        return renderer.page(
            request,
            "plant_day.html",
            title=f"Plant {asset_id}, {day}",
            tip=tip,
            plant=own,
            day=day,
            before=day - timedelta(days=1),
            after=day + timedelta(days=1),
            known=known,
            slots_total=total,
            chart=chart,
            cap_w=cap_w,
            has_begun=today is not None and day <= today,
            missing_text=_missing_text(chart.gaps, day, today),
            book=next(iter(day_lines(index.day_books(asset_id, day, day))), None),
            payments=index.payments(asset_id=asset_id, day_from=day, day_to=day),
            certificates=index.certificates(asset_id=asset_id, from_day=day, to_day=day),
            events=index.events(asset_id=asset_id, day=day, limit=_MOST_EVENTS),
        )

    return router


def _years(plant: Plant, today: date) -> list[int]:
    first = (plant.first_day or today).year
    last = max((plant.last_day or today).year, today.year)
    return list(range(max(FIRST_YEAR, first), min(LAST_YEAR, last) + 1))


def _cap_on(schedule: Sequence[ExportCap], day: date) -> int | None:
    """Return the most power that could be exported on a day: from the last entry up to then."""
    caps = [entry.cap_w for entry in schedule if entry.from_day <= day]
    return caps[-1] if caps else None


def _missing_text(gaps: int, day: date, today: date | None) -> str:
    if not gaps:
        return "the day is complete"
    if today is None or day > today:
        return "the day has not begun"
    left = (day + timedelta(days=RECORDING_DAYS) - today).days
    return f"can be recorded for {count(left, 'day')}" if left > 0 else "can no longer be recorded"
