"""Computes the contracts' state from their events: each event changes a few rows. Pure: another module stores the rows.

The rules are in `der_client.index.rules`, a module for each contract. The events suffice: they give everything that the
contracts' read-only functions return.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from der_client.index.rules import assets, grid, market, production, settlement  # noqa: F401 - their rules
from der_client.index.state import HANDLERS, KEYS

if TYPE_CHECKING:
    from der_client.index.state import RowKey, State
    from der_client.stacks.contract.events import Event


def apply(state: State, event: Event) -> None:
    """Change the state by an event.

    Args:
        state: The state after the events before.
        event: Any event of the five contracts.

    Raises:
        KeyError: If no rule exists for the event.
    """
    HANDLERS[type(event)][0](state, event)


def rows_read_by(event: Event) -> list[tuple[str, RowKey]]:
    """Return the rows that `apply` will read and that the event itself names, so that many can be loaded at once.

    Args:
        event: Any event of the five contracts.
    """
    return [(table, tuple(getattr(event, name) for name in KEYS[table])) for table in HANDLERS[type(event)][1]]
