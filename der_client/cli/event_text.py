"""Events in a line: what contracts printed, and what moved."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from der_client.stacks.rpc.responses import ContractLogEvent, FungibleTokenEvent, NonFungibleTokenEvent, StxEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.cli.key_names import AddressBook
    from der_client.cli.options import OnContracts
    from der_client.stacks.contract.events import Event, UnknownEvent
    from der_client.stacks.rpc.responses import Event as NodeEvent

# The event's name, or the plant and the day, show these already.
_LEFT_OUT = frozenset({"state", "actor"})


def topic_of(event: Event | UnknownEvent) -> str:
    """Return an event's name; empty for one that no class fits."""
    topic: str = getattr(event, "topic", "")
    return topic


def fields_of(event: Event | UnknownEvent) -> dict[str, Any]:
    """Return what a contract printed, by the names that Python has for it."""
    from der_client.stacks.contract.events import UnknownEvent  # noqa: PLC0415 -- `der --help` stays fast

    if isinstance(event, UnknownEvent):
        return {"value": str(event.value)}
    return {name: getattr(event, name) for name in type(event).model_fields}


def printed_text(event: Event | UnknownEvent, book: AddressBook) -> str:
    """Write what a contract printed: names with values, addresses short."""
    fields = fields_of(event)
    if set(fields) == {"value"}:
        return str(fields["value"])
    shown = {name: value for name, value in fields.items() if value not in (None, "") and name not in _LEFT_OUT}
    return ", ".join(f"{name.replace('_', ' ')} {_value_text(name, value, book)}" for name, value in shown.items())


def _value_text(name: str, value: Any, book: AddressBook) -> str:
    if isinstance(value, Enum):
        return value.name.lower().replace("_", " ")
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"0x{value[:4].hex()}…" if len(value) > 4 else f"0x{value.hex()}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        if "mask" in name:
            return f"{value.bit_count()} slots"
        return str(value) if name.endswith("_id") else f"{value:,}"
    if isinstance(value, tuple):
        return "; ".join(_value_text(name, each, book) for each in value) or "none"
    if hasattr(type(value), "model_fields"):
        fields = {each: getattr(value, each) for each in type(value).model_fields}
        return " ".join(_value_text(each, field, book) for each, field in fields.items())
    if isinstance(value, str) and value[:1] == "S" and len(value.partition(".")[0]) > 30:
        return book.short(value)
    return str(value)


def event_lines(on: OnContracts, events: Sequence[NodeEvent]) -> list[str]:
    """Write each event of a transaction in a line.

    Args:
        on: The options: names of addresses and tokens, and the contracts whose events have names.
        events: The events.
    """
    return [_event_text(on, event) for event in events]


def _event_text(on: OnContracts, event: NodeEvent) -> str:
    from der_client.cli.contract_ids import typed_contract  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.contract.events import read_event  # noqa: PLC0415

    match event:
        case StxEvent():
            amount = on.currencies.text(None, event.amount_ustx)
            return _movement(event.action, amount, event.sender, event.recipient, on.book)
        case FungibleTokenEvent():
            amount = on.currencies.text(event.asset_id.partition("::")[0], event.amount)
            return _movement(event.action, amount, event.sender, event.recipient, on.book)
        case NonFungibleTokenEvent():
            item = f"{event.asset_id.partition('::')[2]} {event.value}"
            return _movement(event.action, item, event.sender, event.recipient, on.book)
        case ContractLogEvent():
            contract = typed_contract(on, event.contract_id)
            printed = read_event(event.raw_value, () if contract is None else contract.event_classes)
            name = event.contract_id.partition(".")[2]
            return f"{name}: {topic_of(printed)} {printed_text(printed, on.book)}".replace("  ", " ")
    return f"{event.event_type}: {dict(event.data)}"


def _movement(action: str, what: str, sender: str, recipient: str, book: AddressBook) -> str:
    between = f"{f' from {book.short(sender)}' if sender else ''}{f' to {book.short(recipient)}' if recipient else ''}"
    return f"{action} {what}{between}"
