"""What the events of ``production-tracking`` change: days and roots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from der_client.contracts import production_tracking as production
from der_client.index.state import State, change, fields_of, on

if TYPE_CHECKING:
    from der_client.stacks.contract.events import Event


@on(production.ContractDeployed)
def _deployed(_state: State, _event: Event) -> None:
    """Nothing of it is state: constants, which are in the event's own table."""


@on(production.ProductionRecorded, reads=("day",))
def _production_recorded(state: State, event: production.ProductionRecorded) -> None:
    state.put("day", (event.asset_id, event.day), {"state": event.state, "mask": event.day_mask, "wh": event.day_wh})


@on(production.DayVerified, production.DayRejected, production.DayDisputed, reads=("day",))
def _day_decided(state: State, event: production.DayVerified) -> None:
    state.put("day", (event.asset_id, event.day), {"state": event.state, "mask": event.mask, "wh": event.wh})


@on(production.DayAdjusted, reads=("day",))
def _day_adjusted(state: State, event: production.DayAdjusted) -> None:
    change(state, "day", (event.asset_id, event.day), {"state": event.state, "wh": event.day_wh})


@on(production.RootAnchored)
def _root_anchored(state: State, event: production.RootAnchored) -> None:
    state.put("root", (event.root_id,), fields_of(event, "root_id", "actor"))
