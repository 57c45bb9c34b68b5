"""Rules that hold at any time, whatever happened before; checked on the model, which equals the chain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from der_client.contracts.market_participation import OfferState
from der_client.contracts.production_tracking import DayState
from der_client.contracts.settlement import PaymentState
from tests.model.reference import Payment, System


def broken_invariants(system: System) -> list[str]:
    """Return the rules that are broken, in words."""
    return [*_money(system), *_energy(system), *_offers(system)]


def _money(system: System) -> Iterator[str]:
    money = system.settlement
    for token in (None, *money.tokens):
        owed = sum(money.ledger(token).values())
        balance = money.balance(money.address, token)
        if balance < owed if token is None else balance != owed:
            yield f"the contract holds {balance} of {token or 'STX'}, and owes {owed}"
    if min(money.balances.values()) < 0 or any(min(held.balances.values()) < 0 for held in money.tokens.values()):
        yield f"somebody has less than nothing: {money.balances} {money.tokens}"
    for number, payment in money.payments.items():
        shares = payment.payout + payment.fee + payment.refund
        if shares != (0 if payment.state is PaymentState.LOCKED else payment.cost):
            yield f"payment {number} of {payment.cost} was shared out as {shares}"
        can_settle, can_refund = money.shares(payment) is not None, money.is_refundable(payment)
        if payment.state is PaymentState.LOCKED and can_settle and can_refund:
            yield f"payment {number} can be settled and refunded"
        claimed = sum(claim.wh for claim in money.claims if claim.payment_id == number)
        if not claimed == payment.claimed_wh <= payment.delivered_wh:
            yield f"{claimed} Wh of payment {number} are claimed, of {payment.delivered_wh} that were delivered"


def _energy(system: System) -> Iterator[str]:
    fills: dict[tuple[int, int], list[Payment]] = defaultdict(list)
    for payment in system.settlement.payments.values():
        fills[payment.asset_id, payment.day].append(payment)
    for key in {*fills, *((item.asset_id, item.day) for item in system.market.retirements)}:
        yield from _energy_of_day(system, key, fills[key])
    for (asset_id, day), row in system.production.days.items():
        asset = system.assets.assets[asset_id]
        most_ws = row.mask.bit_count() * asset.capacity_on(day) * asset.slot_seconds
        if row.wh * 3600 * 100 > most_ws * 110:
            yield f"asset {asset_id} made {row.wh} Wh on day {day}, more than it can"


def _energy_of_day(system: System, key: tuple[int, int], fills: list[Payment]) -> Iterator[str]:
    """Check that no energy is sold twice and that all deliverable energy is delivered, first funded first."""
    forward = sorted((fill for fill in fills if not fill.spot), key=lambda fill: fill.before_wh)
    funded = 0
    for fill in forward:
        if fill.before_wh != funded:
            yield f"a fill of {key} has {fill.before_wh} Wh before it, but {funded} were funded"
        funded += fill.wh
    verified = system.production.state(*key) is DayState.VERIFIED
    deliverable = system.grid.deliverable_wh(*key)
    delivered = sum(fill.delivered_wh for fill in forward)
    sold = sum(fill.delivered_wh for fill in fills if fill.spot)
    retired = sum(item.wh for item in system.market.retirements if (item.asset_id, item.day) == key)
    if not verified and delivered + sold + retired:
        yield f"{delivered + sold + retired} Wh of {key} are used up, and the day is not verified"
    if deliverable is None:
        return
    promised = min(funded, deliverable)
    if promised + sold + retired > deliverable:
        yield f"of {deliverable} Wh of {key}, {promised} are promised, {sold} sold and {retired} retired"
    connection = system.grid.connections.get(key[0])
    if fills and (connection is None or not 0 < connection.approved_day <= key[1]):
        yield f"energy of {key} was sold, and there was no connection to deliver it"
    settled = all(fill.state is PaymentState.SETTLED for fill in forward)
    if delivered > promised or (settled and delivered != promised):
        yield f"{delivered} Wh of {key} were delivered, of {promised} that can be"


def _offers(system: System) -> Iterator[str]:
    for number, offer in system.market.offers.items():
        fills = [fill for fill in system.settlement.payments.values() if fill.offer_id == number]
        locked = sum(fill.state is PaymentState.LOCKED for fill in fills)
        if (offer.fills, offer.unsettled_fills) != (len(fills), locked):
            counted = f"{offer.fills} fills, {offer.unsettled_fills} of them unsettled"
            yield f"offer {number} counts {counted}; there are {len(fills)} and {locked}"
        if sum(fill.wh for fill in fills) + offer.open_wh > offer.wh:
            yield f"of the {offer.wh} Wh of offer {number} more were sold or are open"
        if (offer.state is OfferState.COMPLETED) != (bool(fills) and offer.open_wh == 0 and locked == 0):
            left = f"{offer.open_wh} Wh open and {locked} of {len(fills)} fills locked"
            yield f"offer {number} is {offer.state.name} with {left}"
