"""What the events of ``market-participation`` change: offers, day books, retirements and tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from der_client.contracts import market_participation as market
from der_client.index.state import Row, State, change, fields_of, on, require

if TYPE_CHECKING:
    from der_client.stacks.contract.events import Event

_OPEN_BOOK: Final = ("forward_open_wh", "spot_open_wh")
_SUMS_OF_BOOK: Final = ("forward_open_wh", "forward_funded_wh", "spot_open_wh", "spot_sold_wh", "retired_wh")


@on(market.ContractDeployed)
def _deployed(_state: State, _event: Event) -> None:
    """Nothing of it is state: constants, which are in the event's own table."""


@on(market.OfferCreated, reads=("day_book",))
def _offer_created(state: State, event: market.OfferCreated) -> None:
    new = {"maker": event.actor, "fills": 0, "unsettled_fills": 0}
    state.put("offer", (event.offer_id,), fields_of(event, "offer_id", "actor") | new)
    book = _book(state, event.asset_id, event.day, event.epoch)
    side = "spot_open_wh" if event.spot else "forward_open_wh"
    state.put("day_book", (event.asset_id, event.day), book | {side: book[side] + event.wh})


@on(market.OfferAccepted, reads=("offer", "day_book"))
def _offer_accepted(state: State, event: market.OfferAccepted) -> None:
    offer = change(state, "offer", (event.offer_id,), fields_of(event, "wh"))
    book = _book(state, event.asset_id, event.day, offer["epoch"])
    if offer["spot"]:
        moved = {"spot_open_wh": book["spot_open_wh"] - event.wh, "spot_sold_wh": book["spot_sold_wh"] + event.wh}
    else:
        moved = {
            "forward_open_wh": book["forward_open_wh"] - event.wh,
            "forward_funded_wh": event.before_wh + event.wh,
        }
    state.put("day_book", (event.asset_id, event.day), book | moved)


@on(market.OfferFillClosed, reads=("offer",))
def _offer_fill_closed(state: State, event: market.OfferFillClosed) -> None:
    changes = {"unsettled_fills": event.unsettled_fills, "state": event.state}
    change(state, "offer", (event.offer_id,), changes)


@on(market.OfferCancelled, market.OfferRejected, market.OfferExpired, reads=("offer", "day_book"))
def _offer_closed(state: State, event: market.OfferClosed) -> None:
    offer = change(state, "offer", (event.offer_id,), {"open_wh": event.open_wh, "state": event.state})
    book = _book(state, event.asset_id, event.day, offer["epoch"])
    if book["epoch"] == offer["epoch"]:  # the open sums of a newer epoch do not include this offer
        side = "spot_open_wh" if offer["spot"] else "forward_open_wh"
        state.put("day_book", (event.asset_id, event.day), book | {side: book[side] - event.closed_wh})


@on(market.EnergyRetired, reads=("asset", "day_book"))
def _energy_retired(state: State, event: market.EnergyRetired) -> None:
    kept = {"claimant": event.actor}
    left_out = ("retirement_id", "actor", "day_retired_wh")
    state.put("retirement", (event.retirement_id,), fields_of(event, *left_out) | kept)
    epoch = require(state, "asset", (event.asset_id,))["epoch"]
    book = _book(state, event.asset_id, event.day, epoch)
    state.put("day_book", (event.asset_id, event.day), book | {"retired_wh": event.day_retired_wh})


def _book(state: State, asset_id: int, day: Any, epoch: int) -> Row:
    """Return the book of a day for an epoch: the open sums of an older epoch are zero."""
    book = state.get("day_book", (asset_id, day))
    if book is None:
        return {"epoch": epoch} | dict.fromkeys(_SUMS_OF_BOOK, 0)
    return book | {"epoch": epoch} | dict.fromkeys(_OPEN_BOOK, 0) if book["epoch"] < epoch else book


@on(market.TokenSet)
def _token_set(state: State, event: market.TokenSet) -> None:
    if not event.listed:
        state.drop("token", (event.token,))
    elif state.get("token", (event.token,)) is None:
        state.put("token", (event.token,), {})
