"""``der buy``: take energy of an offer and lock its cost."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from der_client.cli.offers import DayOption, PlantOption
from der_client.cli.option_groups import grouped
from der_client.cli.options import Json, OnContractsSending
from der_client.cli.output import print_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from der_client.contracts.market_participation import Offer, Quote
    from der_client.stacks.contract.call import Call

_WEEK_DAYS = 7


@dataclass(frozen=True)
class _Choice:
    """An offer, and what taking it costs now."""

    offer_id: int
    offer: "Offer"
    quote: "Quote"


@grouped
def buy(
    energy: Annotated[str, typer.Argument(metavar="ENERGY", help="How much: 50kWh, 2.5MWh, 800Wh.")],
    *,
    on: OnContractsSending,
    offer: Annotated[
        int | None,
        typer.Option(
            "--offer", metavar="ID", min=1, help="Buy from this offer. Default: the cheapest.", show_default=False
        ),
    ] = None,
    plant: PlantOption = None,
    day: DayOption = None,
    max_price: Annotated[
        str | None,
        typer.Option(
            "--max-price",
            metavar="PRICE",
            help="The most a kWh may cost, in the offer's currency: 0.08STX.",
            show_default=False,
        ),
    ] = None,
    max_ahead: Annotated[
        str | None,
        typer.Option(
            "--max-ahead",
            metavar="ENERGY",
            help="The most energy that others may have bought before you, which is delivered first.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Buy energy: take the cheapest offer that has enough, and lock its cost until the energy is delivered.

    Energy of the same day that others bought before you is delivered first. The command shows how much that is, and the
    purchase fails if by then more is ahead of yours, or the price is higher. What is not delivered is paid back.
    """
    from der_client.cli.quantities import energy as energy_text  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.quantities import parse_energy  # noqa: PLC0415
    from der_client.cli.sending import Preview, send_call, sent  # noqa: PLC0415

    wh = parse_energy(energy, "ENERGY")
    choice = _chosen(on, wh, offer, plant, day, max_price, max_ahead)
    currency = on.currencies.of(choice.offer.token)
    taken, quote = choice.offer, choice.quote
    lines = [
        (
            "energy",
            f"{energy_text(wh)} of plant {taken.asset_id}, {taken.day} ({_kind(taken)}), offer {choice.offer_id}",
        ),
        ("price", f"{currency.text(taken.price_per_kwh)} per kWh"),
        ("amount", f"{currency.text(quote.cost)}, locked until the energy is delivered"),
        ("from", on.book.full(on.account.address)),
        ("to", f"settlement; then {on.book.full(taken.seller)} for what is delivered"),
        ("ahead", _ahead_text(on, choice)),
    ]
    receipt = send_call(on, _call(on, choice, wh), Preview("This buys energy:", lines))
    payment_id = receipt.value
    if as_json:
        print_json(
            {
                **sent(receipt),
                "payment_id": payment_id,
                "offer_id": choice.offer_id,
                "asset_id": taken.asset_id,
                "day": taken.day.isoformat(),
                "wh": wh,
                "cost": quote.cost,
                "token": taken.token,
                "before_wh": quote.before_wh,
            }
        )
        return
    bought = f"{energy_text(wh)} of plant {taken.asset_id}, {taken.day}, for {currency.text(quote.cost)}"
    typer.echo(f"payment {payment_id}: {bought}; txid {receipt.txid}")


def _kind(offer: "Offer") -> str:
    return "spot: delivered and paid at once" if offer.spot else "forward"


def _chosen(
    on: OnContractsSending,
    wh: int,
    offer: int | None,
    plant: int | None,
    day: str | None,
    max_price: str | None,
    max_ahead: str | None,
) -> _Choice:
    """Find the cheapest offer that has enough and meets the options.

    Raises:
        InvalidValueError: If there is none; the message says what there is.
    """
    from der_client.cli.quantities import energy, parse_energy  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    der = on.der
    found = _for_sale(on, plant, day) if offer is None else {offer: _offer(on, offer, plant, day)}
    if max_price is not None:
        found = _up_to(on, found, max_price, is_chosen=offer is not None)
    enough = {
        number: each for number, each in found.items() if each.open_wh >= wh >= min(each.min_fill_wh, each.open_wh)
    }
    if not enough:
        raise InvalidValueError(_too_little(found, wh))
    most_ahead = None if max_ahead is None else parse_energy(max_ahead, "--max-ahead", or_zero=True)
    least_ahead: int | None = None
    for number, each in sorted(enough.items(), key=lambda item: (item[1].price_per_kwh, item[1].day, item[0])):
        quote = der.market.quote(number, wh)
        if quote is None:
            continue
        if most_ahead is None or quote.before_wh <= most_ahead:
            return _Choice(number, each, quote)
        least_ahead = quote.before_wh if least_ahead is None else min(least_ahead, quote.before_wh)
    if least_ahead is not None:
        raise InvalidValueError(
            f"--max-ahead: in each offer that has enough, at least {energy(least_ahead)} is ahead of yours"
        )
    raise InvalidValueError(
        "nobody can take these offers now; 'der offers' lists them, and 'der plant' shows whether the plant may sell"
    )


def _day(on: OnContractsSending, text: str | None) -> "date | None":
    from der_client.cli.quantities import parse_day  # noqa: PLC0415 -- `der --help` stays fast

    return None if text is None else parse_day(text, "--day", on.der.now().date())


def _for_sale(on: OnContractsSending, plant: int | None, day: str | None) -> "dict[int, Offer]":
    """Return the offers in STX that this account can take.

    Raises:
        InvalidValueError: If there is none; the message says which condition no offer meets.
    """
    from der_client.cli.offers import open_offers  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.plant_lists import require_plant  # noqa: PLC0415
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    me, wanted_day = on.account.address, _day(on, day)
    if plant is not None:
        require_plant(on.der, plant)
    found = dict(open_offers(on.der, on.der.now()))
    of_plant = "" if plant is None else f" of plant {plant}"
    conditions: list[tuple[str, Callable[[Offer], bool]]] = [
        ("nothing is for sale now", lambda _: True),
        (f"--plant: nothing{of_plant} is for sale", lambda each: plant in (None, each.asset_id)),
        (f"--day: nothing of {wanted_day}{of_plant} is for sale", lambda each: wanted_day in (None, each.day)),
        ("all matching offers are for other buyers", lambda each: each.taker in (None, me)),
        ("all matching offers are your own", lambda each: me not in (each.seller, each.maker)),
        ("all matching offers are priced in tokens; choose one with --offer", lambda each: each.token is None),
    ]
    for nothing, fits in conditions:
        found = {number: each for number, each in found.items() if fits(each)}
        if not found:
            raise InvalidValueError(f"{nothing}; 'der offers' lists what is for sale")
    return found


def _offer(on: OnContractsSending, number: int, plant: int | None, day: str | None) -> "Offer":
    """Return an offer that this account can take.

    Raises:
        InvalidValueError: If it cannot; the message says why.
    """
    from der_client.cli.offers import open_offers  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    wanted_day = _day(on, day)
    offer = on.der.market.get_offer(number)
    if offer is None:
        raise InvalidValueError(f"--offer: offer {number} not found; 'der offers' lists those that are open")
    if plant not in (None, offer.asset_id) or wanted_day not in (None, offer.day):
        raise InvalidValueError(
            f"--offer: offer {number} is of plant {offer.asset_id}, {offer.day}; leave out --plant and --day"
        )
    if on.account.address in (offer.seller, offer.maker):
        raise InvalidValueError(f"--offer: offer {number} is your own; the seller cannot buy it")
    if offer.taker not in (None, on.account.address):
        raise InvalidValueError(f"--offer: offer {number} is only for {on.book.short(str(offer.taker))}")
    if number not in open_offers(on.der, on.der.now()):
        raise InvalidValueError(
            f"--offer: offer {number} cannot be bought (any more); 'der offers' lists those that are open"
        )
    return offer


def _up_to(
    on: OnContractsSending, offers: "Mapping[int, Offer]", max_price: str, *, is_chosen: bool
) -> "dict[int, Offer]":
    """Return the offers that cost no more than ``--max-price``, which is in their currency.

    Args:
        on: The options.
        offers: Offers in one currency; at least one.
        max_price: The option's text.
        is_chosen: Whether the only offer was chosen with ``--offer``.

    Raises:
        InvalidValueError: If the price is in another currency, or no offer is as cheap.
    """
    from der_client.cli.quantities import OtherCurrencyError, parse_price  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    number, cheapest = min(offers.items(), key=lambda item: item[1].price_per_kwh)
    currency = on.currencies.of(cheapest.token)
    try:
        most = parse_price(max_price, "--max-price", currency.symbol, currency.decimals)
    except OtherCurrencyError:
        if is_chosen:
            raise InvalidValueError(
                f"--max-price: offer {number} is priced in {currency.symbol}; give a price such as "
                f"0.08{currency.symbol}"
            ) from None
        raise InvalidValueError(
            f"--max-price: expected a price such as 0.08STX, got {max_price!r}; offers in tokens need --offer"
        ) from None
    found = {number: each for number, each in offers.items() if each.price_per_kwh <= most}
    if not found:
        costs = f"costs {currency.text(cheapest.price_per_kwh)} per kWh"
        what = f"offer {number}" if is_chosen else f"the cheapest matching offer, {number},"
        raise InvalidValueError(f"--max-price: {what} {costs}")
    return found


def _too_little(found: "Mapping[int, Offer]", wh: int) -> str:
    from der_client.cli.quantities import energy  # noqa: PLC0415 -- `der --help` stays fast

    most = max(found.items(), key=lambda item: item[1].open_wh)
    if most[1].open_wh < wh:
        return f"no offer has {energy(wh)}: the largest is offer {most[0]} with {energy(most[1].open_wh)}"
    least = min(found.items(), key=lambda item: item[1].min_fill_wh)
    smallest = energy(least[1].min_fill_wh)
    return f"{energy(wh)} is too little: the least that can be bought is {smallest}, from offer {least[0]}"


def _call(on: OnContractsSending, choice: _Choice, wh: int) -> "Call[int]":
    offer, before_wh = choice.offer, choice.quote.before_wh
    settlement = on.der.settlement
    if offer.token is None:
        return settlement.accept_and_fund(choice.offer_id, wh, wh, offer.price_per_kwh, before_wh)
    return settlement.accept_and_fund_with(offer.token, choice.offer_id, wh, wh, offer.price_per_kwh, before_wh)


def _ahead_text(on: OnContractsSending, choice: _Choice) -> str:
    """Return how much is delivered first and the plant's recent production: both show how likely delivery is."""
    from der_client.cli.plant_lists import day_range, production_days  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.quantities import energy  # noqa: PLC0415

    if choice.offer.spot:
        return "nothing: the day is verified, and this energy is left of it"
    before_wh = choice.quote.before_wh
    ahead = f"{energy(before_wh)} of that day is delivered to others first" if before_wh else "nothing of that day yet"
    today = on.der.now().date()
    days = day_range(today - timedelta(days=_WEEK_DAYS), today - timedelta(days=1))
    made: list[Any] = [each.wh for each in production_days(on.der, [choice.offer.asset_id], days).values()]
    if not made:
        return f"{ahead}; nothing is recorded for the plant's last week"
    return f"{ahead}; in the last week the plant produced {energy(min(made))} to {energy(max(made))} a day"
