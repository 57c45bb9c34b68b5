"""Prints what the demo did: the people, the energy of the day, who got what and why, and what to look at next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from der_client.cli.bars import Bar, draw
from der_client.cli.output import print_table, print_wrapped, terminal_width
from der_client.cli.quantities import energy, fixed, kwh, power, stx
from der_client.stacks.errors import counted

if TYPE_CHECKING:
    from der_client.contracts.settlement import Payment
    from der_client.demo import DemoResult

SHOWN_PAYMENTS = 12
_SHOWN_SHORTFALLS = 3
_HOURS = 24


def tell(result: DemoResult, *, url: str | None) -> None:
    """Print what a run of the demo did.

    Args:
        result: What the demo did.
        url: The devnet, if it keeps running: what to do next depends on it.
    """
    _who(result)
    _day(result)
    _sales(result)
    _why_less(result)
    _besides(result)
    _money(result)
    _next(url)


def _heading(text: str) -> None:
    typer.echo(f"\n{text}")


def _say(text: str) -> None:
    print_wrapped(text, first="  ")


def _who(result: DemoResult) -> None:
    days = f"{result.first_day}" + ("" if result.days == 1 else f" and {counted(result.days - 1, 'more day')}")
    typer.echo(f"Three plants sell the energy of {days}, on a blockchain of their own.")
    typer.echo(f"{len(result.txids)} signed transactions; the plants' energy is real meter data.\n")
    print_table(
        "Who is who",
        ("account", "who", "does"),
        [(person.account, person.role, person.does) for person in result.people],
        left=("who", "does"),
    )


def _day(result: DemoResult) -> None:
    """Print the first day hour by hour, of the plant whose data is not scaled."""
    plant = result.plants[0]
    _heading(
        f"What the {plant.name} ({power(plant.capacity_w)}) produced on {result.first_day}, kWh in each hour (UTC)"
    )
    slots = plant.first_day_wh_by_slot
    per_hour = len(slots) // _HOURS
    hours = [slots[hour * per_hour : (hour + 1) * per_hour] for hour in range(_HOURS)]
    made = [(hour, sum(wh for wh in whs if wh is not None), None in whs) for hour, whs in enumerate(hours)]
    light = [hour for hour, wh, _ in made if wh]
    first, last = (min(light), max(light)) if light else (0, _HOURS - 1)
    bars = [
        Bar(f"{hour:02}:00", wh, kwh(wh), "data missing" if gap else "")
        for hour, wh, gap in made
        if first <= hour <= last
    ]
    for line in draw(bars, width=terminal_width() - 2):
        typer.echo(f"  {line}")


def _sales(result: DemoResult) -> None:
    typer.echo("")
    print_table(
        "Plants: energy expected per day, produced, sold and delivered, kWh",
        ("plant", "kW", "expected a day", "produced", "sold", "delivered"),
        [
            (
                f"{plant.asset_id} {plant.name}",
                fixed(plant.capacity_w, 3),
                *map(kwh, (plant.expected_wh, plant.produced_wh, plant.sold_wh, plant.delivered_wh)),
            )
            for plant in result.plants
        ],
    )
    _say("Whoever bought first gets their energy first. What is left of a verified day is sold on the spot market.")
    typer.echo("")
    payments = _payments(result)
    title = "Who bought" if len(payments) <= SHOWN_PAYMENTS else f"Who bought, the last {SHOWN_PAYMENTS}"
    print_table(
        f"{title}: energy in kWh, money in STX or USDCx",
        ("pay", "day", "plant", "buyer", "bought", "delivered", "paid", "back", ""),
        [
            (
                str(number),
                f"{payment.day:%m-%d}",
                str(payment.asset_id),
                _role(result, payment.buyer),
                kwh(payment.wh),
                kwh(payment.delivered_wh),
                *map(stx, (payment.payout, payment.refund)),
                "USDCx" if payment.token else "",
            )
            for number, payment in payments[-SHOWN_PAYMENTS:]
        ],
        left=("buyer", ""),
    )


def _payments(result: DemoResult) -> list[tuple[int, Payment]]:
    return list(zip(result.payment_ids, result.payments, strict=True))


def _role(result: DemoResult, address: str) -> str:
    return next((person.role for person in result.people if person.address == address), address)


def _why_less(result: DemoResult) -> None:
    """Print why some payments got less than they paid for: what was sold before them, and what was produced."""
    short = [(number, payment) for number, payment in _payments(result) if payment.delivered_wh < payment.wh]
    if not short:
        return
    _heading("Why some buyers got less than they bought")
    names = {plant.asset_id: plant.name for plant in result.plants}
    for number, payment in short[:_SHOWN_SHORTFALLS]:
        came_wh = payment.before_wh + payment.delivered_wh
        if not payment.delivered_wh:
            came_wh = sum(
                each.delivered_wh
                for _, each in _payments(result)
                if (each.asset_id, each.day, each.spot) == (payment.asset_id, payment.day, False)
            )
        currency = result.token_sale.symbol if payment.token else "STX"
        _say(
            f"Payment {number}: {energy(payment.before_wh)} of the {names[payment.asset_id]}'s {payment.day} were sold "
            f"to others before the {_role(result, payment.buyer)} bought {energy(payment.wh)}. Only {energy(came_wh)} "
            f"came, so {energy(payment.delivered_wh)} were left. It paid for these; {stx(payment.refund)} of "
            f"{stx(payment.cost)} {currency} went back: the contract does so by itself."
        )
    if len(short) > _SHOWN_SHORTFALLS:
        _say(f"{counted(len(short) - _SHOWN_SHORTFALLS, 'more payment')} got less for the same reason.")


def _besides(result: DemoResult) -> None:
    sale, ahead, claim = result.token_sale, result.month_ahead, result.claim
    _heading("What else happened")
    _say(
        f"The company bought {energy(sale.wh)} for {sale.symbol}, a token: {fixed(sale.locked, sale.decimals)} locked, "
        f"{fixed(sale.paid, sale.decimals)} for the seller, {fixed(sale.refunded, sale.decimals)} back. Both "
        "became credits, which seller and company withdrew."
    )
    calls = counted(ahead.calls, "transaction")
    _say(
        f"Plant {ahead.asset_id} offered {ahead.first_day} to {ahead.last_day} ahead, {energy(ahead.wh)} in "
        f"{len(ahead.offer_ids)} offers, by {calls} for {stx(ahead.fees_ustx)} STX. The company took "
        f"{energy(ahead.taken_wh)} of the first day."
    )
    _say(
        f"It claimed {energy(claim.wh)} of that for itself ({claim.purpose}): certificate {claim.claim_id}. Nobody can "
        "claim the same energy again."
    )


def _money(result: DemoResult) -> None:
    typer.echo("")
    print_table(
        "STX of each account before and after",
        ("account", "who", "before", "after", "change"),
        [
            (
                balance.name,
                _role_of_account(result, balance.name),
                *map(stx, (balance.before_ustx, balance.after_ustx)),
                stx(balance.change_ustx),
            )
            for balance in result.balances
        ],
        left=("who",),
    )
    _say(
        f"Buyers locked {stx(result.locked_ustx)} STX: {stx(result.paid_ustx)} went to the sellers, "
        f"{stx(result.refunded_ustx)} back, and {stx(result.fees_ustx)} is the contract's fee. Transactions cost "
        f"{stx(result.network_fees_ustx)}. Every account changed by exactly what the receipts say."
    )


def _role_of_account(result: DemoResult, account: str) -> str:
    return next((person.role for person in result.people if person.account == account), "the contract")


def _next(url: str | None) -> None:
    _heading("What next")
    ended = [
        ("der demo --serve", "then its plants in your browser"),
        ("der demo --days 7", "a week"),
        ("der devnet --no-contracts", "a chain that stays, in one terminal"),
        ("der demo --url http://127.0.0.1:3999", "this demo on that chain"),
        ("der --help", "all commands"),
    ]
    running = [
        (f"export DER_URL={url}", "this chain keeps running; look at it:"),
        ("der plants", "which plants there are"),
        ("der production", "the week as bars"),
        ("der offers", "what is for sale"),
        ("der buy 50kWh --key wallet_5", "buy some"),
        ("der statement wallet_2", "the solar company's books"),
        ("der certificates", "who claimed what"),
    ]
    for command, what in ended if url is None else running:
        typer.echo(f"  {command:<38} {what}")
