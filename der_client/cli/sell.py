"""``der sell``: offer energy of a day."""

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from der_client.cli.completion import complete_key
from der_client.cli.option_groups import grouped
from der_client.cli.options import Json, OnContractsSending
from der_client.cli.output import print_json
from der_client.cli.plants import PlantArgument

if TYPE_CHECKING:
    from der_client.contracts.asset_verification import Asset


@grouped
def sell(
    plant: PlantArgument,
    energy: Annotated[str, typer.Argument(metavar="ENERGY", help="How much: 50kWh, or 'all' that is left of the day.")],
    *,
    on: OnContractsSending,
    day: Annotated[
        str, typer.Option("--day", metavar="DAY", help="The day of the energy: 2026-07-01, tomorrow, yesterday, +2.")
    ],
    price: Annotated[str, typer.Option("--price", metavar="PRICE", help="The price of a kWh: 0.08STX.")],
    smallest: Annotated[
        str | None,
        typer.Option(
            "--min",
            metavar="ENERGY",
            help="The least that may be bought at a time. Default: a tenth.",
            show_default=False,
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="TIME",
            help="When it expires: 2026-07-01T12:00Z. Default: when the day begins; a day from now if it is over.",
            show_default=False,
        ),
    ] = None,
    buyer: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="WHO",
            help="The only buyer: an address, or a key's name. Default: anybody.",
            show_default=False,
            autocompletion=complete_key,
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            metavar="CONTRACT",
            help="Sell for this SIP-010 token, ADDRESS.name, not STX.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Offer energy of a day that has not begun or is verified, up to what is left of it."""
    from der_client.cli.plant_lists import require_plant  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.quantities import energy as energy_text  # noqa: PLC0415
    from der_client.cli.quantities import parse_day, parse_energy, parse_moment, parse_price  # noqa: PLC0415
    from der_client.cli.sending import Preview, send_call, sent  # noqa: PLC0415
    from der_client.cli.transfer import token_id  # noqa: PLC0415
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    der = on.der
    now = der.now()
    sold_day = parse_day(day, "--day", now.date())
    asset = require_plant(der, plant)
    _require_seller(on, asset)
    wh = _energy(on, plant, sold_day, energy, now)
    currency = on.currencies.of(None if token is None else token_id(on, token))
    per_kwh = parse_price(price, "--price", currency.symbol, currency.decimals)
    min_fill = parse_energy(smallest, "--min") if smallest is not None else max(1, wh // 10)
    expires = parse_moment(until, "--until") if until is not None else _default_end(sold_day, now)
    taker = None if buyer is None else on.book.address(buyer, "--to")
    _check_terms(wh, min_fill, sold_day, expires, now)
    if taker in (asset.owner, on.account.address):
        raise InvalidValueError(f"--to: {on.book.short(taker)} is the seller, who cannot buy it")
    cost = -(-wh * per_kwh // 1000)
    lines = [
        ("energy", f"{energy_text(wh)} of plant {plant}, {sold_day}; {energy_text(min_fill)} or more at a time"),
        ("price", f"{currency.text(per_kwh)} per kWh, {currency.text(cost)} for all of it"),
        ("for", "anybody" if taker is None else on.book.full(taker)),
        ("paid to", on.book.full(asset.owner)),
        ("expires", f"{expires:%Y-%m-%d %H:%M}Z"),
        ("moves", "nothing but the fee"),
    ]
    call = der.market.create_offer(plant, sold_day, wh, per_kwh, min_fill, expires, taker, currency.token)
    receipt = send_call(on, call, Preview("This offers energy:", lines))
    if as_json:
        print_json(
            {
                **sent(receipt),
                "offer_id": receipt.value,
                "asset_id": plant,
                "day": sold_day.isoformat(),
                "wh": wh,
                "price_per_kwh": per_kwh,
                "token": currency.token,
                "expires_at": f"{expires:%Y-%m-%dT%H:%M:%SZ}",
            }
        )
        return
    typer.echo(f"offer {receipt.value}: {energy_text(wh)} of plant {plant}, {sold_day}; txid {receipt.txid}")


def _require_seller(on: OnContractsSending, asset: "Asset") -> None:
    from der_client.cli.plant_lists import is_owned  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    if not is_owned(asset, on.account.address):
        me, owner = on.book.short(on.account.address), on.book.short(asset.owner)
        raise InvalidValueError(
            f"plant {asset.asset_id} belongs to {owner}, and {me} is neither its owner nor its operator; choose "
            "another key with --key"
        )


def _energy(on: OnContractsSending, plant: int, day: date, text: str, now: datetime) -> int:
    """Return what is offered, Wh.

    Raises:
        InvalidValueError: If it is more than is left of the day.
    """
    from der_client.cli.quantities import energy, parse_energy  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    wanted = None if text == "all" else parse_energy(text, "ENERGY")
    left = on.der.market.get_available(plant, day)
    if not left:
        raise InvalidValueError(f"nothing is left of {day} of plant {plant}: {_why_nothing(on, plant, day, now)}")
    if wanted is not None and wanted > left:
        raise InvalidValueError(
            f"ENERGY: {energy(wanted)} is more than the {energy(left)} left of {day} of plant {plant}"
        )
    return wanted or left


def _why_nothing(on: OnContractsSending, plant: int, day: date, now: datetime) -> str:
    from der_client.contracts.production_tracking import DayState  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.index.available import MOST_FORWARD_DAYS  # noqa: PLC0415

    if day > now.date() + timedelta(days=MOST_FORWARD_DAYS):
        return f"energy can be sold at most {MOST_FORWARD_DAYS} days ahead"
    if day > now.date():
        return "all of it is offered or sold, or the plant is not verified and connected ('der plant' shows it)"
    made = on.der.production.get_day(plant, day)
    if made is None or made.state is not DayState.VERIFIED:
        return "the day has begun, and can be sold again when it is verified"
    return "all that was delivered is offered, sold or claimed"


def _check_terms(wh: int, min_fill: int, day: date, expires: datetime, now: datetime) -> None:
    """Check what the contract would reject without naming the option.

    Raises:
        InvalidValueError: If the smallest amount or the end does not fit.
    """
    from der_client.cli.quantities import energy  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    if min_fill > wh:
        raise InvalidValueError(f"--min: {energy(min_fill)} is more than the {energy(wh)} offered")
    begins = datetime.combine(day, time(), UTC)
    before = f" and no later than {begins:%Y-%m-%d %H:%M}Z, when the day begins" if begins > now else ""
    if expires <= now or (before and expires > begins):
        raise InvalidValueError(
            f"--until: must be after now ({now:%Y-%m-%d %H:%M}Z){before}, got {expires:%Y-%m-%d %H:%M}Z"
        )


def _default_end(day: date, now: datetime) -> datetime:
    begins = datetime.combine(day, time(), UTC)
    return begins if begins > now else now + timedelta(days=1)
