"""``der settle``: pay for what is delivered, and refund what never can be."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from der_client.cli.option_groups import grouped
from der_client.cli.options import Json, OnContractsSending
from der_client.cli.output import print_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from der_client.contracts.settlement import Payment

_AT_ONCE = 25


@grouped
def settle(
    payments: Annotated[
        list[int] | None,
        typer.Argument(metavar="PAYMENTS", help="Which payments. Default: all that are due.", show_default=False),
    ] = None,
    *,
    on: OnContractsSending,
    as_json: Json = False,
) -> None:
    """Settle payments whose day is verified, and refund those whose day can never be delivered.

    Anybody may do this. It costs only the fee, and the money goes to the parties. 'der keeper' does it continuously.
    """
    from der_client.cli.payments import due_payments  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.contracts.settlement import PaymentState  # noqa: PLC0415

    der = on.der
    found = _wanted(on, payments) if payments else der.list_payments()
    locked = {number: each for number, each in found.items() if each.state is PaymentState.LOCKED}
    due = due_payments(der, locked)
    if payments:
        _require_due(found, due)
    done: list[dict[str, Any]] = []
    for action in ("settle", "refund"):
        numbers = [number for number, each in due.items() if each == action]
        for first in range(0, len(numbers), _AT_ONCE):
            part = numbers[first : first + _AT_ONCE]
            done += _carry_out(on, action, {number: locked[number] for number in part})
    if as_json:
        print_json({"payments": done})
        return
    for each in done:
        typer.echo(_line(on, each))
    if not done:
        typer.echo("nothing is due; 'der payments --locked' shows what is still locked")


def _wanted(on: OnContractsSending, numbers: "Sequence[int]") -> "dict[int, Payment]":
    from der_client.cli.plant_lists import in_pages  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    for number in numbers:
        if number < 1:
            raise InvalidValueError(f"PAYMENTS: expected numbers from 1 on, got {number}")
    found = in_pages(list(dict.fromkeys(numbers)), on.der.settlement.get_payments)
    missing = [number for number in numbers if number not in found]
    if missing:
        raise InvalidValueError(f"payment {missing[0]} not found; 'der payments' lists them")
    return found


def _require_due(found: "Mapping[int, Payment]", due: "Mapping[int, str]") -> None:
    from der_client.contracts.settlement import PaymentState  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    for number, payment in found.items():
        if payment.state is not PaymentState.LOCKED:
            raise InvalidValueError(f"payment {number} is already {payment.state.name.lower()}")
        if number not in due:
            raise InvalidValueError(
                f"payment {number} is not due: {payment.day} of plant {payment.asset_id} is not verified yet "
                "(nor its feed-in, if that is metered)"
            )


def _carry_out(on: OnContractsSending, action: str, part: "Mapping[int, Payment]") -> list[dict[str, Any]]:
    """Settle or refund up to 25 payments in one transaction; if one fails, only that one is undone."""
    from der_client.cli.sending import Preview, send_call, sent  # noqa: PLC0415 -- `der --help` stays fast

    settlement = on.der.settlement
    numbers = list(part)
    lines = [("payment", _preview(on, number, payment, action)) for number, payment in part.items()]
    call = settlement.settle_batch(numbers) if action == "settle" else settlement.refund_batch(numbers)
    what = "This pays out what was delivered:" if action == "settle" else "This refunds what cannot be delivered:"
    receipt = send_call(on, call, Preview(what, lines))
    after = dict(zip(numbers, settlement.get_payments(numbers), strict=True))
    results = []
    for number, response in zip(numbers, receipt.value, strict=True):
        payment = after[number]
        results.append(
            {
                **sent(receipt),
                "payment_id": number,
                "action": action,
                "error_code": response.error_code,
                **{
                    name: getattr(payment, name, None)
                    for name in ("token", "payee", "buyer", "delivered_wh", "payout", "fee", "refund")
                },
            }
        )
    return results


def _preview(on: OnContractsSending, number: int, payment: "Payment", action: str) -> str:
    from der_client.cli.quantities import energy  # noqa: PLC0415 -- `der --help` stays fast

    currency = on.currencies.of(payment.token)
    preview = on.der.settlement.preview_settlement(number) if action == "settle" else None
    if preview is None:
        return f"{number}: {currency.text(payment.cost)} back to {on.book.short(payment.buyer)}"
    payee, buyer = on.book.short(payment.payee), on.book.short(payment.buyer)
    return (
        f"{number}: {energy(preview.delivered_wh)} of {energy(payment.wh)} delivered; {currency.text(preview.payout)} "
        f"to {payee}, {currency.text(preview.refund)} back to {buyer}, fee {currency.text(preview.fee)}"
    )


def _line(on: OnContractsSending, done: "Mapping[str, Any]") -> str:
    if done["error_code"] is not None:
        return f"payment {done['payment_id']}: left as it is, since the contract returned u{done['error_code']}"
    currency = on.currencies.of(done["token"])
    return (
        f"payment {done['payment_id']}: {currency.text(done['payout'])} to {on.book.short(done['payee'])}, "
        f"{currency.text(done['refund'])} back to {on.book.short(done['buyer'])}; txid {done['txid']}"
    )
