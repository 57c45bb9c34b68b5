"""The state that an indexer derives from events alone, as the model represents it.

The rules are those of the library (``der_client.index.reducer``), so this tests them against the model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

from der_client.index.reducer import apply
from der_client.index.state import STX, SYSTEM, MemoryState, Row, RowKey
from der_client.stacks.contract.annotations import day_number_of
from der_client.stacks.contract.events import Event, EventRecord
from tests.model.expectation import shown
from tests.model.plain_values import bare_fields
from tests.model.reference import System
from tests.model.reference.market import Retirement
from tests.model.reference.settlement import Claim

Fields = dict[str, Any]
AssetDay = tuple[int, int]
_AS_THEY_ARE: Final = {
    "assets": "asset",
    "changes": "asset_change",
    "roots": "root",
    "connections": "connection",
    "offers": "offer",
    "payments": "payment",
}
"""Tables that are shown under another name, by number."""


class Index:
    """Keeps the state that events add up to.

    Args:
        records: All events, in order.
    """

    def __init__(self, records: Iterable[EventRecord]) -> None:
        self.state = MemoryState()
        for record in records:
            assert isinstance(record.event, Event), record
            apply(self.state, record.event)

    def shown(self) -> Fields:
        """Return the whole state, without ledgers and sums that are zero."""
        return shown_state(self.state.tables)


def shown_state(tables: Mapping[str, Mapping[RowKey, Row]]) -> Fields:
    """Return rows of state as the model represents them.

    Args:
        tables: The rows of each table, by their keys.
    """
    numbered = {
        name: {key[0]: bare_fields(row) for key, row in tables[table].items()} for name, table in _AS_THEY_ARE.items()
    }
    claimed = ("payment_id", "asset_id", "day", "mask", "wh", "beneficiary", "purpose")
    return numbered | {
        "system": _settings(tables["system"].get(SYSTEM, {})),
        "roles": set(tables["role"]),
        "days": _by_day(tables["day"]),
        "feeds": _by_day(tables["feed"]),
        "schedules": {
            key[0]: [(day_number_of(cap.from_day), cap.cap_w) for cap in row["export_schedule"]]
            for key, row in tables["export_schedule"].items()
        },
        "alerts": {key[0]: tuple(bare_fields(row).values()) for key, row in tables["alert"].items()},
        "tokens": {key[0] for key in tables["token"]},
        "claims": {key[0]: {name: bare_fields(row)[name] for name in claimed} for key, row in tables["claim"].items()},
        "retirements": {
            key[0]: {name: bare_fields(row)[name] for name in claimed[1:]} for key, row in tables["retirement"].items()
        },
        "retired_wh": {key: row["retired_wh"] for key, row in _by_day(tables["day_book"]).items() if row["retired_wh"]},
        "credits": {key: row["amount"] for key, row in tables["credit"].items()},
        "ledgers": {
            None if key[0] == STX else key[0]: row for key, row in tables["ledger"].items() if any(row.values())
        },
    }


def _settings(row: Row) -> Fields:
    fields = bare_fields(row)
    schedule = {name: fields.pop(name) for name in ("fee_bps", "next_fee_bps", "next_from")}
    return fields | {"fee_schedule": schedule}


def _by_day(rows: Mapping[RowKey, Row]) -> dict[AssetDay, Fields]:
    return {(asset_id, day_number_of(day)): bare_fields(row) for (asset_id, day), row in rows.items()}


def expected_index(system: System) -> Fields:
    """Return what the events must add up to according to the model."""
    register, money = system.assets, system.settlement
    retired: Counter[AssetDay] = Counter()
    for item in system.market.retirements:
        retired[item.asset_id, item.day] += item.wh
    owed = money.credits_given.copy()
    owed.subtract(money.credits_withdrawn)
    return {
        "system": {
            "proposed_contract_owner": register.proposed_contract_owner,
            "contract_owner": register.contract_owner,
            "paused": register.paused,
            "fee_schedule": money.fee_schedule,
        },
        "roles": register.roles,
        "assets": _rows(register.assets),
        "changes": _rows(register.changes),
        "days": _rows(system.production.days),
        "roots": _rows(system.production.roots),
        "connections": _rows(system.grid.connections),
        "schedules": system.grid.schedules,
        "feeds": _rows(system.grid.feeds),
        "alerts": system.grid.alerts,
        "offers": _rows(system.market.offers),
        "tokens": system.market.tokens,
        "payments": _rows(money.payments),
        "claims": {number: _claim(system, claim) for number, claim in enumerate(money.claims, 1)},
        "retirements": {number: _retirement(system, item) for number, item in enumerate(system.market.retirements, 1)},
        "credits": {key: owed[key] for key in owed if owed[key]},
        "retired_wh": retired,
        "ledgers": {token: money.ledger(token) for token in (None, *money.tokens) if any(money.ledger(token).values())},
    }


def _claim(system: System, claim: Claim) -> Fields:
    payment = system.settlement.payments[claim.payment_id]
    mask = system.production.days[payment.asset_id, payment.day].mask
    return asdict(claim) | {"asset_id": payment.asset_id, "day": payment.day, "mask": mask}


def _retirement(system: System, retirement: Retirement) -> Fields:
    mask = system.production.days[retirement.asset_id, retirement.day].mask
    return asdict(retirement) | {"mask": mask}


def _rows(things: dict[Any, Any]) -> dict[Any, Fields | None]:
    return {key: shown(thing) for key, thing in things.items()}
