"""Views with plain names: the current state, for dashboards and for people who write SQL.

Each time is given twice, as unix seconds (``…_at``) and in readable form (``…_utc``); energy is also given in kWh.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_SQLITE: Final = {
    "moment": "strftime('%Y-%m-%dT%H:%M:%SZ', {0}, 'unixepoch')",
    "midnight": "CAST(strftime('%s', {0}) AS INTEGER)",
    "month": "strftime('%Y-%m-01', {0})",
    "slots": "JOIN json_each(r.slot_wh) AS j ON TRUE",
    "slot": "r.first_slot + j.key",
    "slot_wh": "j.value",
}
_POSTGRES: Final = {
    "moment": "to_timestamp({0})",
    "midnight": "CAST(extract(epoch FROM {0}) AS bigint)",
    "month": "CAST(date_trunc('month', {0}) AS date)",
    "slots": "CROSS JOIN LATERAL jsonb_array_elements_text(CAST(r.slot_wh AS jsonb)) WITH ORDINALITY"
    " AS j(value, place)",
    "slot": "CAST(r.first_slot + j.place - 1 AS integer)",
    "slot_wh": "CAST(j.value AS bigint)",
}


def create(connection: Connection) -> None:
    """Make the views.

    Args:
        connection: A transaction of a database with the index's tables.
    """
    words = _POSTGRES if connection.dialect.name == "postgresql" else _SQLITE
    for name, query in _queries(words).items():
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {query}")


def _queries(words: dict[str, str]) -> dict[str, str]:
    def moment(column: str) -> str:
        return words["moment"].format(column)

    now = "to_height IS NULL"
    first_slot_time = f"{words['midnight'].format('r.day')} + ({words['slot']}) * a.slot_seconds"
    return {
        "plants": f"""
            SELECT a.asset_id, a.kind, a.state, a.owner, a.operator, a.region, a.location, a.capacity_w,
                a.slot_seconds, a.device_key, c.state AS connection, c.export_limit_w, c.feed_metered,
                COALESCE(p.recorded_wh, 0) AS recorded_wh, COALESCE(p.verified_wh, 0) AS verified_wh,
                p.first_day, p.last_day
            FROM asset_history AS a
            LEFT JOIN connection_history AS c ON c.asset_id = a.asset_id AND c.{now}
            LEFT JOIN (
                SELECT asset_id, SUM(wh) AS recorded_wh,
                    SUM(CASE WHEN state = 'verified' THEN wh ELSE 0 END) AS verified_wh,
                    MIN(day) AS first_day, MAX(day) AS last_day
                FROM day_history WHERE {now} GROUP BY asset_id
            ) AS p ON p.asset_id = a.asset_id
            WHERE a.{now}""",
        "production_days": f"""
            SELECT d.asset_id, d.day, {words["midnight"].format("d.day")} AS day_at, d.state, d.mask, d.wh,
                d.wh / 1000.0 AS kwh, f.exported_wh, f.imported_wh, f.verified AS feed_verified,
                COALESCE(b.forward_funded_wh + b.spot_sold_wh, 0) AS sold_wh,
                COALESCE(b.retired_wh, 0) AS retired_wh
            FROM day_history AS d
            LEFT JOIN feed_history AS f ON f.asset_id = d.asset_id AND f.day = d.day AND f.{now}
            LEFT JOIN day_book_history AS b ON b.asset_id = d.asset_id AND b.day = d.day AND b.{now}
            WHERE d.{now}""",
        "production_months": f"""
            SELECT asset_id, {words["month"].format("day")} AS month, SUM(wh) AS wh, SUM(wh) / 1000.0 AS kwh,
                SUM(CASE WHEN state = 'verified' THEN wh ELSE 0 END) AS verified_wh, COUNT(*) AS days
            FROM day_history WHERE {now} GROUP BY asset_id, {words["month"].format("day")}""",
        "production_slots": f"""
            SELECT r.asset_id, r.day, {words["slot"]} AS slot, {first_slot_time} AS start_at,
                {moment(first_slot_time)} AS start_utc, {words["slot_wh"]} AS wh,
                {words["slot_wh"]} / 1000.0 AS kwh, r.signed, r.root_id, r.event_id
            FROM recordings AS r
            JOIN asset_history AS a ON a.asset_id = r.asset_id AND a.{now}
            {words["slots"]}""",
        "offers": f"""
            SELECT o.*, {moment("o.expires_at")} AS expires_utc, o.wh / 1000.0 AS kwh,
                {moment("b.time")} AS created_utc, e.txid AS created_txid
            FROM offer_history AS o
            JOIN events AS e ON e.offer_id = o.offer_id AND e.topic = 'offer-created'
            JOIN blocks AS b ON b.height = e.height
            WHERE o.{now}""",
        "open_offers": f"""
            SELECT o.* FROM offers AS o
            JOIN asset_history AS a ON a.asset_id = o.asset_id AND a.{now} AND a.epoch = o.epoch
            WHERE o.state IN ('pending', 'accepted') AND o.open_wh > 0
                AND o.expires_at > (SELECT MAX(time) FROM blocks)""",
        "payments": f"""
            SELECT p.*, p.wh / 1000.0 AS kwh, p.delivered_wh / 1000.0 AS delivered_kwh,
                f.txid AS funded_txid, {moment("g.time")} AS funded_utc,
                c.txid AS closed_txid, {moment("h.time")} AS closed_utc
            FROM payment_history AS p
            JOIN events AS f ON f.payment_id = p.payment_id AND f.topic = 'payment-funded'
            JOIN blocks AS g ON g.height = f.height
            LEFT JOIN events AS c ON c.payment_id = p.payment_id
                AND c.topic IN ('payment-settled', 'payment-refunded', 'payment-released')
            LEFT JOIN blocks AS h ON h.height = c.height
            WHERE p.{now}""",
        "certificates": f"""
            SELECT 'claim' AS kind, x.claim_id AS id, x.asset_id, x.day, x.mask, x.wh, x.wh / 1000.0 AS kwh,
                x.beneficiary, x.purpose, x.actor AS claimant, x.payment_id, e.txid, {moment("b.time")} AS claimed_utc
            FROM event_energy_claimed AS x
            JOIN events AS e ON e.id = x.event_id JOIN blocks AS b ON b.height = e.height
            UNION ALL
            SELECT 'retirement', x.retirement_id, x.asset_id, x.day, x.mask, x.wh, x.wh / 1000.0,
                x.beneficiary, x.purpose, x.actor, NULL, e.txid, {moment("b.time")}
            FROM event_energy_retired AS x
            JOIN events AS e ON e.id = x.event_id JOIN blocks AS b ON b.height = e.height""",
        "connections": f"SELECT * FROM connection_history WHERE {now}",
        "feeds": f"SELECT * FROM feed_history WHERE {now}",
        "day_books": f"SELECT * FROM day_book_history WHERE {now}",
        "credits": f"SELECT * FROM credit_history WHERE {now}",
        "ledgers": f"SELECT * FROM ledger_history WHERE {now}",
        "roles": f"SELECT * FROM role_history WHERE {now}",
        "settings": f"SELECT * FROM system_history WHERE {now}",
        "event_log": f"""
            SELECT e.*, b.time AS happened_at, {moment("b.time")} AS happened_utc
            FROM events AS e JOIN blocks AS b ON b.height = e.height""",
    }
