"""What the state tables of an index contain, and what the contracts' read-only functions return for the same items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from der_client import Der
from der_client.contracts.units import AssetDay
from der_client.index import Index
from der_client.index.schema import HISTORY_TABLES, fields_of_state
from der_client.index.state import KEYS, STX, SYSTEM, Row, RowKey
from der_client.index.versions import holds_at
from der_client.stacks.contract.codecs import field_annotations
from tests.model.plain_values import difference

Tables = dict[str, dict[RowKey, Row]]
_PAGE = 30


def stored_state(index: Index, as_of: int | None = None) -> Tables:
    """Return all rows of state, as of a block or now."""
    with index.connection() as connection:
        tables: Tables = {}
        for name, history in HISTORY_TABLES.items():
            rows = connection.execute(history.select().where(holds_at(history, as_of))).mappings().all()
            keyed = {
                tuple(row[part] for part in KEYS[name]): {field: row[field] for field in fields_of_state(name)}
                for row in rows
            }
            assert len(keyed) == len(rows), f"{name}: two rows hold at once"
            tables[name] = keyed
    return tables


def contracts_state(der: Der, tables: Tables) -> Tables:
    """Return the state of all items in the tables, as the contracts report it.

    Items that could have a row but have none are also read, so that a missing row is found as well as an extra one.
    """
    said: Tables = {name: {} for name in ("asset", "offer", "payment", "root", "day", "feed", "connection", "day_book")}
    counted: list[tuple[str, int, Callable[[Any], Any]]] = [
        ("asset", der.assets.get_asset_count(), der.assets.get_assets),
        ("connection", der.assets.get_asset_count(), der.grid.get_connections),
        ("offer", der.market.get_offer_count(), der.market.get_offers),
        ("payment", der.settlement.get_payment_count(), der.settlement.get_payments),
    ]
    for name, count, get in counted:
        said[name] = _read(get, [(number,) for number in range(1, count + 1)], lambda key: key[0])
    roots = range(1, der.production.get_root_count() + 1)
    said["root"] = {(number,): _row(der.production.get_root(number)) for number in roots}
    days = _all_days(tables)
    by_day: list[tuple[str, Callable[[Any], Any]]] = [
        ("day", der.production.get_days),
        ("feed", der.grid.get_feeds),
        ("day_book", der.market.get_day_books),
    ]
    for name, get in by_day:
        said[name] = _read(get, days, lambda key: AssetDay(asset_id=key[0], day=key[1]))
    said["export_schedule"] = {
        key: {"export_schedule": caps} for key in said["asset"] if (caps := der.grid.get_export_schedule(key[0]))
    }
    said["ledger"] = {key: _ledger(der, key[0]) for key in tables["ledger"]}
    said["credit"] = {key: {"amount": der.settlement.get_credit(*key)} for key in tables["credit"]}
    said["token"] = {key: {} for key in tables["token"] if der.market.is_token_listed(key[0])}
    said["role"] = {key: {} for key in tables["role"] if der.assets.has_role(*key)}
    schedule = der.settlement.get_fee_schedule()
    said["system"] = {
        SYSTEM: {
            "contract_owner": der.assets.get_contract_owner(),
            "proposed_contract_owner": der.assets.get_proposed_contract_owner(),
            "paused": der.assets.is_paused(),
            **_row(schedule),
        }
    }
    return said


def require_same(expected: Any, found: Any, what: str = "") -> None:
    """Fail where an index differs from the expected values."""
    differences = difference(expected, found, what)
    assert not differences, "\n".join(f"{path}: expected {one}, index {other}" for path, one, other in differences)


def require_what_contracts_say(der: Der, place: Path | str) -> None:
    """Fail unless every state table of an index contains what the contracts return."""
    with Index(place) as index:
        tables = stored_state(index)
    for name, rows in contracts_state(der, tables).items():
        require_same(rows, tables[name], name)


def _read(get: Callable[[Any], Any], keys: Sequence[RowKey], argument: Callable[[RowKey], Any]) -> dict[RowKey, Row]:
    found: dict[RowKey, Row] = {}
    for first in range(0, len(keys), _PAGE):
        page = keys[first : first + _PAGE]
        answers = get([argument(key) for key in page])
        found |= {key: _row(answer) for key, answer in zip(page, answers, strict=True) if answer is not None}
    return found


def _row(answer: Any) -> Row:
    return {name: getattr(answer, name) for name in field_annotations(type(answer))}


def _all_days(tables: Tables) -> list[RowKey]:
    days: set[tuple[int, date]] = set()
    sources: Iterable[tuple[Any, ...]] = [*tables["day"], *tables["feed"], *tables["day_book"]]
    days |= {(key[0], key[1]) for key in sources}
    days |= {(row["asset_id"], row["day"]) for row in tables["offer"].values()}
    return sorted(days)


def _ledger(der: Der, token: str) -> Row:
    return _row(der.settlement.get_ledger(None if token == STX else token))
