"""``der offers``: energy that is offered for sale."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from der_client.cli.option_groups import grouped
from der_client.cli.options import OnIndex, Shape
from der_client.cli.output import plain, print_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from der_client.contracts.market_participation import Offer
    from der_client.der import Der

_KEYS = (
    "offer_id",
    "asset_id",
    "day",
    "spot",
    "state",
    "is_open",
    "wh",
    "open_wh",
    "price_per_kwh",
    "token",
    "min_fill_wh",
    "expires_at",
    "seller",
    "maker",
    "taker",
)
PlantOption = Annotated[
    int | None, typer.Option("--plant", metavar="ID", min=1, help="Only of this plant.", show_default=False)
]
DayOption = Annotated[
    str | None,
    typer.Option("--day", metavar="DAY", help="Only of this day: 2026-07-01, tomorrow, +2.", show_default=False),
]


@grouped
def offers(
    *,
    on: OnIndex,
    every: Annotated[
        bool, typer.Option("--all", help="Also list offers that are sold out, expired or cancelled.")
    ] = False,
    mine: Annotated[bool, typer.Option("--mine", help="Only offers of --key.")] = False,
    plant: PlantOption = None,
    day: DayOption = None,
    shape: Shape,
) -> None:
    """List energy that is for sale now, the cheapest first."""
    from der_client.cli.plant_lists import require_plant  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.quantities import kwh, parse_day  # noqa: PLC0415

    wanted_day = None if day is None else parse_day(day, "--day", on.der.now().date())
    seller = on.address if mine else None
    read = _from_chain if on.settings.database is None else _from_index
    rows = [
        row
        for row in read(on, every=every)
        if plant in (None, row["asset_id"])
        and wanted_day in (None, row["day"])
        and (seller is None or seller in (row["seller"], row["maker"]))
    ]
    if not rows and plant is not None:
        require_plant(on.der, plant)
    if not every:
        rows.sort(key=lambda row: (row["token"] or "", row["price_per_kwh"], row["day"], row["offer_id"]))

    def table() -> None:
        if not rows:
            typer.echo("nothing is for sale" + ("" if every else "; 'der offers --all' shows what was"))
            return
        # With --all, the state takes the place of what matters only for open offers.
        more = ("state",) if every else ("kind", "expires (UTC)")
        print_table(
            "Offers" if every else "Open offers, the cheapest first",
            ("offer", "plant", "day", "open kWh", "price a kWh", "", *more, "seller"),
            [
                (
                    str(row["offer_id"]),
                    str(row["asset_id"]),
                    f"{row['day']:%m-%d}",
                    kwh(row["open_wh"]),
                    on.currencies.of(row["token"]).number(row["price_per_kwh"]),
                    on.currencies.of(row["token"]).symbol,
                    *([_state(row)] if every else [_kind(row), f"{row['expires_at']:%m-%d %H:%M}"]),
                    on.book.short(row["seller"]) + (f" for {on.book.short(row['taker'])}" if row["taker"] else ""),
                )
                for row in rows
            ],
            left=("kind", "", "seller", "state"),
        )

    shape.show("offers", rows, _KEYS, table)


def _from_chain(on: OnIndex, *, every: bool) -> list[dict[str, Any]]:
    der = on.der
    found = open_offers(der, der.now())
    return [
        {**{key: getattr(offer, key, None) for key in _KEYS}, "offer_id": number, "is_open": number in found}
        for number, offer in (der.list_offers() if every else found).items()
    ]


def _from_index(on: OnIndex, *, every: bool) -> list[dict[str, Any]]:
    from der_client.cli.own_index import opened_index  # noqa: PLC0415 -- `der --help` stays fast

    with opened_index(on) as index:
        found = index.offers(open=None if every else True)
    return [{key: getattr(row, key) for key in _KEYS} for row in found]


def _kind(row: dict[str, Any]) -> str:
    return "spot" if row["spot"] else "forward"


def _state(row: dict[str, Any]) -> str:
    """Return the offer's state; on the chain, an offer that has run out stays open until an account expires it."""
    stays = plain(row["state"])
    return stays if row["is_open"] or not row["open_wh"] or stays not in ("pending", "accepted") else "over"


def open_offers(der: "Der", now: "datetime") -> "Mapping[int, Offer]":
    """Return the offers that can be taken, by id: not expired, and with the plant's owner and operator unchanged.

    Args:
        der: The contracts.
        now: Chain time.
    """
    from der_client.cli.plant_lists import in_pages  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.contracts.market_participation import OfferState  # noqa: PLC0415

    likely = {
        number: offer
        for number, offer in der.list_offers().items()
        if offer.open_wh and offer.state in (OfferState.PENDING, OfferState.ACCEPTED) and offer.expires_at > now
    }
    assets = in_pages(sorted({offer.asset_id for offer in likely.values()}), der.assets.get_assets)
    return {number: offer for number, offer in likely.items() if assets[offer.asset_id].epoch == offer.epoch}
