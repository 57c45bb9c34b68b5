"""What the contracts' events add up to: each event changes a few rows of state. Pure: where rows are kept is another's.

Tables and their keys are those of `KEYS`. A row is a dict of the fields of the contracts' own models, without its key;
rows are never changed in place. The events suffice: all that the contracts' read-only functions tell is here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, TypeVar

from der_client.contracts import asset_verification as assets
from der_client.contracts import grid_integration as grid
from der_client.contracts import market_participation as market
from der_client.contracts import production_tracking as production
from der_client.contracts import settlement
from der_client.contracts.settlement import PaymentState
from der_client.stacks.contract.annotations import time_of
from der_client.stacks.contract.events import Event

Row = dict[str, Any]
RowKey = tuple[Any, ...]
E = TypeVar("E", bound=Event)

STX: Final = "STX"
"""How the ledger of STX is called where a token's id stands for the others."""
SYSTEM: Final[RowKey] = (1,)
"""The key of the one row of settings."""

KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "system": ("id",),
    "role": ("role", "principal", "region"),
    "asset": ("asset_id",),
    "asset_change": ("asset_id",),
    "day": ("asset_id", "day"),
    "root": ("root_id",),
    "connection": ("asset_id",),
    "export_schedule": ("asset_id",),
    "feed": ("asset_id", "day"),
    "alert": ("region",),
    "offer": ("offer_id",),
    "day_book": ("asset_id", "day"),
    "retirement": ("retirement_id",),
    "token": ("token",),
    "payment": ("payment_id",),
    "claim": ("claim_id",),
    "credit": ("party", "token"),
    "ledger": ("token",),
}
"""The tables of state, and what their rows are known by."""

_OPEN_BOOK: Final = ("forward_open_wh", "spot_open_wh")
_SUMS_OF_BOOK: Final = ("forward_open_wh", "forward_funded_wh", "spot_open_wh", "spot_sold_wh", "retired_wh")


class State(Protocol):
    """Where rows are kept."""

    def get(self, table: str, key: RowKey) -> Row | None:
        """Return a row, or ``None``."""

    def put(self, table: str, key: RowKey, row: Row) -> None:
        """Keep a row, in place of an older one."""

    def drop(self, table: str, key: RowKey) -> None:
        """Remove a row, if it is there."""


class MemoryState:
    """State in memory.

    Attributes:
        tables: The rows of each table by their keys.
    """

    def __init__(self) -> None:
        self.tables: dict[str, dict[RowKey, Row]] = {name: {} for name in KEYS}

    def get(self, table: str, key: RowKey) -> Row | None:
        """Return a row, or ``None``."""
        return self.tables[table].get(key)

    def put(self, table: str, key: RowKey, row: Row) -> None:
        """Keep a row, in place of an older one."""
        self.tables[table][key] = row

    def drop(self, table: str, key: RowKey) -> None:
        """Remove a row, if it is there."""
        self.tables[table].pop(key, None)


Handler = Callable[[State, Any], None]
_HANDLERS: Final[dict[type[Event], tuple[Handler, tuple[str, ...]]]] = {}


def apply(state: State, event: Event) -> None:
    """Change the state by an event.

    Args:
        state: As the events before left it.
        event: Any event of the five contracts.

    Raises:
        KeyError: If the event is not one of theirs.
    """
    _HANDLERS[type(event)][0](state, event)


def rows_read_by(event: Event) -> list[tuple[str, RowKey]]:
    """Return which rows `apply` will read that the event itself names, so that many can be loaded at once.

    Args:
        event: Any event of the five contracts.
    """
    return [(table, tuple(getattr(event, name) for name in KEYS[table])) for table in _HANDLERS[type(event)][1]]


def _on(*classes: type[Event], reads: tuple[str, ...] = ()) -> Callable[[Handler], Handler]:
    """Register a handler for classes of events.

    Args:
        *classes: Which.
        reads: The tables of which it reads the row that the event names.
    """

    def register(handler: Handler) -> Handler:
        for each in classes:
            _HANDLERS[each] = handler, reads
        return handler

    return register


def _fields(event: Event, *left_out: str) -> Row:
    return {name: value for name, value in vars(event).items() if name not in left_out}


def _change(state: State, table: str, key: RowKey, changes: Mapping[str, Any]) -> Row:
    """Give a row the values that it has a field for."""
    row = _require(state, table, key)
    changed = row | {name: value for name, value in changes.items() if name in row}
    state.put(table, key, changed)
    return changed


def _require(state: State, table: str, key: RowKey) -> Row:
    row = state.get(table, key)
    if row is None:
        raise LookupError(f"an event changes {table} {key}, which no event before it has made")
    return row


# asset-verification


@_on(assets.ContractDeployed)
def _deployed(state: State, event: assets.ContractDeployed) -> None:
    settings = {"contract_owner": event.contract_owner, "proposed_contract_owner": None, "paused": event.paused}
    state.put("system", SYSTEM, settings | dict.fromkeys(("fee_bps", "next_fee_bps", "next_from")))


@_on(assets.ContractOwnerProposed)
def _owner_proposed(state: State, event: assets.ContractOwnerProposed) -> None:
    _change(state, "system", SYSTEM, {"proposed_contract_owner": event.new_owner})


@_on(assets.ContractOwnerAccepted)
def _owner_accepted(state: State, event: assets.ContractOwnerAccepted) -> None:
    _change(state, "system", SYSTEM, {"contract_owner": event.new_owner, "proposed_contract_owner": None})


@_on(assets.PausedSet)
def _paused_set(state: State, event: assets.PausedSet) -> None:
    _change(state, "system", SYSTEM, {"paused": event.paused})


@_on(assets.RoleSet)
def _role_set(state: State, event: assets.RoleSet) -> None:
    key = (event.role, event.who, event.region)
    if not event.granted:
        state.drop("role", key)
    elif state.get("role", key) is None:
        state.put("role", key, {})


@_on(assets.AssetRegistered)
def _asset_registered(state: State, event: assets.AssetRegistered) -> None:
    nothing = ("operator", "proposed_owner", "capacity_from_day", "key_from_day", "previous_device_key")
    later = dict.fromkeys((*nothing, "previous_key_from_day", "verified_day", "last_day"))
    zero = dict.fromkeys(("min_price_ustx_per_kwh", "proposal"), 0)
    own = {"owner": event.actor, "previous_capacity_w": event.capacity_w}
    state.put("asset", (event.asset_id,), _fields(event, "asset_id", "actor") | later | zero | own)


@_on(assets.AssetVerified, assets.AssetSuspended, assets.OperatorSet, reads=("asset",))
def _asset_changed(state: State, event: assets.AssetVerified) -> None:
    _change(state, "asset", (event.asset_id,), vars(event))


@_on(assets.AssetReinstated, reads=("asset",))
def _asset_reinstated(state: State, event: assets.AssetReinstated) -> None:
    _change(state, "asset", (event.asset_id,), {"state": event.state, "last_day": None})


@_on(assets.AssetRejected, reads=("asset",))
def _asset_rejected(state: State, event: assets.AssetRejected) -> None:
    _change(state, "asset", (event.asset_id,), {"state": event.state, "proposed_owner": None})


@_on(assets.AssetRetired, reads=("asset", "asset_change"))
def _asset_retired(state: State, event: assets.AssetRetired) -> None:
    changes = {"state": event.state, "last_day": event.last_day, "proposed_owner": None}
    _change(state, "asset", (event.asset_id,), changes)
    state.drop("asset_change", (event.asset_id,))


@_on(assets.ChangeRequested, reads=("asset_change",))
def _change_requested(state: State, event: assets.ChangeRequested) -> None:
    state.put("asset_change", (event.asset_id,), _fields(event, "asset_id", "actor"))


@_on(assets.ChangeApproved, reads=("asset", "asset_change"))
def _change_approved(state: State, event: assets.ChangeApproved) -> None:
    _change(state, "asset", (event.asset_id,), vars(event))
    state.drop("asset_change", (event.asset_id,))


@_on(assets.ChangeRefused, reads=("asset_change",))
def _change_refused(state: State, event: assets.ChangeRefused) -> None:
    state.drop("asset_change", (event.asset_id,))


@_on(assets.TransferProposed, reads=("asset",))
def _transfer_proposed(state: State, event: assets.TransferProposed) -> None:
    _change(state, "asset", (event.asset_id,), {"proposed_owner": event.new_owner, "proposal": event.proposal})


@_on(assets.TransferCancelled, reads=("asset",))
def _transfer_cancelled(state: State, event: assets.TransferCancelled) -> None:
    _change(state, "asset", (event.asset_id,), {"proposed_owner": None})


@_on(assets.TransferAccepted, reads=("asset", "asset_change"))
def _transfer_accepted(state: State, event: assets.TransferAccepted) -> None:
    nobody = {"operator": None, "min_price_ustx_per_kwh": 0, "proposed_owner": None}
    changes = {"owner": event.new_owner, "proposal": event.proposal, "epoch": event.epoch}
    _change(state, "asset", (event.asset_id,), nobody | changes)
    state.drop("asset_change", (event.asset_id,))


# production-tracking


@_on(production.ContractDeployed, grid.ContractDeployed, market.ContractDeployed)
def _settings_only(_state: State, _event: Event) -> None:
    """Nothing of these is state: constants, which are in the events' own tables."""


@_on(production.ProductionRecorded, reads=("day",))
def _production_recorded(state: State, event: production.ProductionRecorded) -> None:
    state.put("day", (event.asset_id, event.day), {"state": event.state, "mask": event.day_mask, "wh": event.day_wh})


@_on(production.DayVerified, production.DayRejected, production.DayDisputed, reads=("day",))
def _day_decided(state: State, event: production.DayVerified) -> None:
    state.put("day", (event.asset_id, event.day), {"state": event.state, "mask": event.mask, "wh": event.wh})


@_on(production.DayAdjusted, reads=("day",))
def _day_adjusted(state: State, event: production.DayAdjusted) -> None:
    _change(state, "day", (event.asset_id, event.day), {"state": event.state, "wh": event.day_wh})


@_on(production.RootAnchored)
def _root_anchored(state: State, event: production.RootAnchored) -> None:
    state.put("root", (event.root_id,), _fields(event, "root_id", "actor"))


# grid-integration


@_on(grid.ConnectionRequested, reads=("connection",))
def _connection_requested(state: State, event: grid.ConnectionRequested) -> None:
    undecided = {"feed_metered": False, "approved_day": None}
    state.put("connection", (event.asset_id,), _fields(event, "asset_id", "actor") | undecided)


@_on(grid.ConnectionRejected, reads=("connection",))
def _connection_rejected(state: State, event: grid.ConnectionRejected) -> None:
    _change(state, "connection", (event.asset_id,), {"state": event.state})


@_on(
    grid.ConnectionApproved,
    grid.ConnectionStatusSet,
    grid.ExportLimitSet,
    reads=("connection", "export_schedule"),
)
def _connection_changed(state: State, event: grid.ConnectionApproved) -> None:
    _change(state, "connection", (event.asset_id,), vars(event))
    state.put("export_schedule", (event.asset_id,), {"export_schedule": event.export_schedule})


@_on(grid.ConnectionWithdrawn, reads=("connection",))
def _connection_withdrawn(state: State, event: grid.ConnectionWithdrawn) -> None:
    state.drop("connection", (event.asset_id,))


@_on(grid.FeedRecorded, reads=("feed",))
def _feed_recorded(state: State, event: grid.FeedRecorded) -> None:
    feed = {"exported_wh": event.exported_wh, "imported_wh": event.imported_wh}
    state.put("feed", (event.asset_id, event.day), feed | {"recorder": event.actor, "verified": False})


@_on(grid.FeedVerified, reads=("feed",))
def _feed_verified(state: State, event: grid.FeedVerified) -> None:
    _change(state, "feed", (event.asset_id, event.day), {"verified": True})


@_on(grid.RegionAlertSet)
def _region_alert_set(state: State, event: grid.RegionAlertSet) -> None:
    state.put("alert", (event.region,), {"level": event.level, "until": event.until})


# market-participation


@_on(market.OfferCreated, reads=("day_book",))
def _offer_created(state: State, event: market.OfferCreated) -> None:
    new = {"maker": event.actor, "fills": 0, "unsettled_fills": 0}
    state.put("offer", (event.offer_id,), _fields(event, "offer_id", "actor") | new)
    book = _book(state, event.asset_id, event.day, event.epoch)
    side = "spot_open_wh" if event.spot else "forward_open_wh"
    state.put("day_book", (event.asset_id, event.day), book | {side: book[side] + event.wh})


@_on(market.OfferAccepted, reads=("offer", "day_book"))
def _offer_accepted(state: State, event: market.OfferAccepted) -> None:
    offer = _change(state, "offer", (event.offer_id,), _fields(event, "wh"))
    book = _book(state, event.asset_id, event.day, offer["epoch"])
    if offer["spot"]:
        moved = {"spot_open_wh": book["spot_open_wh"] - event.wh, "spot_sold_wh": book["spot_sold_wh"] + event.wh}
    else:
        moved = {
            "forward_open_wh": book["forward_open_wh"] - event.wh,
            "forward_funded_wh": event.before_wh + event.wh,
        }
    state.put("day_book", (event.asset_id, event.day), book | moved)


@_on(market.OfferFillClosed, reads=("offer",))
def _offer_fill_closed(state: State, event: market.OfferFillClosed) -> None:
    changes = {"unsettled_fills": event.unsettled_fills, "state": event.state}
    _change(state, "offer", (event.offer_id,), changes)


@_on(market.OfferCancelled, market.OfferRejected, market.OfferExpired, reads=("offer", "day_book"))
def _offer_closed(state: State, event: market.OfferClosed) -> None:
    offer = _change(state, "offer", (event.offer_id,), {"open_wh": event.open_wh, "state": event.state})
    book = _book(state, event.asset_id, event.day, offer["epoch"])
    if book["epoch"] == offer["epoch"]:  # the open sums of a newer epoch hold nothing of this offer
        side = "spot_open_wh" if offer["spot"] else "forward_open_wh"
        state.put("day_book", (event.asset_id, event.day), book | {side: book[side] - event.closed_wh})


@_on(market.EnergyRetired, reads=("asset", "day_book"))
def _energy_retired(state: State, event: market.EnergyRetired) -> None:
    kept = {"claimant": event.actor}
    left_out = ("retirement_id", "actor", "day_retired_wh")
    state.put("retirement", (event.retirement_id,), _fields(event, *left_out) | kept)
    epoch = _require(state, "asset", (event.asset_id,))["epoch"]
    book = _book(state, event.asset_id, event.day, epoch)
    state.put("day_book", (event.asset_id, event.day), book | {"retired_wh": event.day_retired_wh})


def _book(state: State, asset_id: int, day: Any, epoch: int) -> Row:
    """Return the book of a day as it counts in an epoch: the open sums of an older one are zero."""
    book = state.get("day_book", (asset_id, day))
    if book is None:
        return {"epoch": epoch} | dict.fromkeys(_SUMS_OF_BOOK, 0)
    return book | {"epoch": epoch} | dict.fromkeys(_OPEN_BOOK, 0) if book["epoch"] < epoch else book


@_on(market.TokenSet)
def _token_set(state: State, event: market.TokenSet) -> None:
    if not event.listed:
        state.drop("token", (event.token,))
    elif state.get("token", (event.token,)) is None:
        state.put("token", (event.token,), {})


# settlement


@_on(settlement.ContractDeployed)
def _settlement_deployed(state: State, event: settlement.ContractDeployed) -> None:
    schedule = {"fee_bps": event.fee_bps, "next_fee_bps": event.fee_bps, "next_from": time_of(0)}
    _change(state, "system", SYSTEM, schedule)


@_on(settlement.FeeBpsSet)
def _fee_bps_set(state: State, event: settlement.FeeBpsSet) -> None:
    _change(state, "system", SYSTEM, vars(event))


@_on(settlement.PaymentFunded)
def _payment_funded(state: State, event: settlement.PaymentFunded) -> None:
    open_shares = dict.fromkeys(("delivered_wh", "payout", "fee", "refund", "claimed_wh"), 0)
    state.put(
        "payment", (event.payment_id,), _fields(event, "payment_id", "actor") | open_shares | {"buyer": event.actor}
    )
    _move(state, event.token, escrow=event.cost)


@_on(settlement.PaymentSettled, settlement.PaymentRefunded, settlement.PaymentReleased, reads=("payment",))
def _payment_closed(state: State, event: settlement.PaymentClosed) -> None:
    row = _require(state, "payment", (event.payment_id,))
    if row["state"] != PaymentState.LOCKED:
        raise LookupError(f"payment {event.payment_id} is closed twice")
    _change(state, "payment", (event.payment_id,), vars(event))
    owed = event.payout + event.refund if event.token is not None else 0
    _move(state, event.token, escrow=-event.cost, fees=event.fee, credits_=owed)
    if event.token is not None:
        _credit(state, event.payee, event.token, event.payout)
        _credit(state, event.buyer, event.token, event.refund)


@_on(settlement.PaymentAssigned, reads=("payment",))
def _payment_assigned(state: State, event: settlement.PaymentAssigned) -> None:
    _change(state, "payment", (event.payment_id,), {"buyer": event.to})


@_on(settlement.EnergyClaimed, reads=("payment",))
def _energy_claimed(state: State, event: settlement.EnergyClaimed) -> None:
    _change(state, "payment", (event.payment_id,), {"claimed_wh": event.claimed_wh})
    claim = _fields(event, "claim_id", "actor", "claimed_wh") | {"claimant": event.actor}
    state.put("claim", (event.claim_id,), claim)


@_on(settlement.CreditWithdrawn)
def _credit_withdrawn(state: State, event: settlement.CreditWithdrawn) -> None:
    _credit(state, event.actor, event.token, -event.amount)
    _move(state, event.token, credits_=-event.amount)


@_on(settlement.FeesWithdrawn)
def _fees_withdrawn(state: State, event: settlement.FeesWithdrawn) -> None:
    _move(state, event.token, fees=-event.amount)


@_on(settlement.SurplusWithdrawn)
def _surplus_withdrawn(_state: State, _event: settlement.SurplusWithdrawn) -> None:
    """A surplus is not kept: it is what the contract's balance is above its ledger."""


def _credit(state: State, party: str, token: str, amount: int) -> None:
    """Add to what somebody can withdraw; nobody has a row of 0."""
    key = (party, token)
    total = (state.get("credit", key) or {"amount": 0})["amount"] + amount
    if total:
        state.put("credit", key, {"amount": total})
    else:
        state.drop("credit", key)


def _move(state: State, token: str | None, *, escrow: int = 0, fees: int = 0, credits_: int = 0) -> None:
    """Change what the contract owes in STX or a token."""
    key = (token or STX,)
    row = state.get("ledger", key) or {"escrow": 0, "fees": 0, "credits": 0}
    changed = {"escrow": row["escrow"] + escrow, "fees": row["fees"] + fees, "credits": row["credits"] + credits_}
    state.put("ledger", key, changed)
