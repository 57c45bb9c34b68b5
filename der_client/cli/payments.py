"""``der payments``: what was bought, what is locked, paid and paid back, and what is due."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from der_client.cli.offers import PlantOption
from der_client.cli.option_groups import grouped
from der_client.cli.options import OnIndex, Shape
from der_client.cli.output import plain, print_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from der_client.contracts.settlement import Payment
    from der_client.der import Der

_KEYS = (
    "payment_id",
    "offer_id",
    "asset_id",
    "day",
    "spot",
    "state",
    "due",
    "buyer",
    "payee",
    "token",
    "wh",
    "delivered_wh",
    "before_wh",
    "price_per_kwh",
    "cost",
    "payout",
    "fee",
    "refund",
    "claimed_wh",
)


@grouped
def payments(
    *,
    on: OnIndex,
    due: Annotated[bool, typer.Option("--due", help="Only payments that can be settled or refunded now.")] = False,
    locked: Annotated[bool, typer.Option("--locked", help="Only payments that are still locked.")] = False,
    mine: Annotated[bool, typer.Option("--mine", help="Only payments to or from --key.")] = False,
    plant: PlantOption = None,
    shape: Shape,
) -> None:
    """List payments: energy taken and delivered, money locked, paid and paid back; --due for what can be settled."""
    from der_client.cli.plant_lists import require_plant  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.quantities import kwh  # noqa: PLC0415
    from der_client.contracts.settlement import PaymentState  # noqa: PLC0415

    party = on.address if mine else None
    read = _from_chain if on.settings.database is None else _from_index
    rows = [
        row
        for row in read(on, party, plant, only_locked=due or locked)
        if (row["due"] or not due) and (row["state"] is PaymentState.LOCKED or not locked)
    ]
    if not rows and plant is not None:
        require_plant(on.der, plant)

    def table() -> None:
        if not rows:
            typer.echo("nothing is due" if due else "nothing is locked" if locked else "no payments")
            return
        for token in dict.fromkeys(row["token"] for row in rows):
            currency = on.currencies.of(token)
            print_table(
                f"Payments in {currency.symbol}" + (", due: 'der settle' pays them out" if due else ""),
                ("payment", "plant", "day", "kWh", "delivered", "cost", "paid", "buyer", "state"),
                [
                    (
                        str(row["payment_id"]),
                        str(row["asset_id"]),
                        f"{row['day']:%m-%d}",
                        kwh(row["wh"]),
                        kwh(row["delivered_wh"]),
                        currency.number(row["cost"]),
                        currency.number(row["payout"]),
                        on.book.short(row["buyer"]),
                        "due" if row["due"] else plain(row["state"]),
                    )
                    for row in rows
                    if row["token"] == token
                ],
                left=("buyer", "state"),
            )

    shape.show("payments", rows, _KEYS, table)


def _from_chain(on: OnIndex, party: str | None, plant: int | None, *, only_locked: bool) -> list[dict[str, Any]]:
    from der_client.contracts.settlement import PaymentState  # noqa: PLC0415 -- `der --help` stays fast

    found = {
        number: payment
        for number, payment in on.der.list_payments().items()
        if plant in (None, payment.asset_id)
        and (party is None or party in (payment.buyer, payment.payee))
        and (payment.state is PaymentState.LOCKED or not only_locked)
    }
    due = due_payments(on.der, found)
    return [
        {**{key: getattr(payment, key, None) for key in _KEYS}, "payment_id": number, "due": due.get(number)}
        for number, payment in found.items()
    ]


def _from_index(on: OnIndex, party: str | None, plant: int | None, *, only_locked: bool) -> list[dict[str, Any]]:
    from der_client.cli.own_index import opened_index  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.contracts.settlement import PaymentState  # noqa: PLC0415

    state = PaymentState.LOCKED if only_locked else None
    with opened_index(on) as index:
        found = index.payments(party=party, state=state, asset_id=plant)
    return [{key: getattr(row, key) for key in _KEYS} for row in found]


def due_payments(der: "Der", payments: "Mapping[int, Payment]") -> dict[int, str]:
    """Return what anybody can do with locked payments now: ``settle`` or ``refund``, by id.

    Args:
        der: The contracts.
        payments: Payments by id.
    """
    from der_client.contracts.settlement import PaymentState  # noqa: PLC0415 -- `der --help` stays fast

    locked = {number: each for number, each in payments.items() if each.state is PaymentState.LOCKED}
    by_day: dict[tuple[int, date], str] = {}
    for asset_id, day in dict.fromkeys((each.asset_id, each.day) for each in locked.values()):
        if der.grid.get_deliverable(asset_id, day) is not None:
            by_day[asset_id, day] = "settle"
        elif der.grid.is_undeliverable(asset_id, day):
            by_day[asset_id, day] = "refund"
    found = {number: by_day.get((each.asset_id, each.day)) for number, each in locked.items()}
    return {number: action for number, action in found.items() if action is not None}
