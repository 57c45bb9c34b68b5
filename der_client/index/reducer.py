"""What the contracts' events add up to: each event changes a few rows of state. Pure: where rows are kept is another's.

The rules are in `der_client.index.rules`, a module for each contract. The events suffice: all that the contracts'
read-only functions tell is here.
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
        state: As the events before left it.
        event: Any event of the five contracts.

    Raises:
        KeyError: If the event is not one of theirs.
    """
    HANDLERS[type(event)][0](state, event)


def rows_read_by(event: Event) -> list[tuple[str, RowKey]]:
    """Return which rows `apply` will read that the event itself names, so that many can be loaded at once.

    Args:
        event: Any event of the five contracts.
    """
    return [(table, tuple(getattr(event, name) for name in KEYS[table])) for table in HANDLERS[type(event)][1]]
