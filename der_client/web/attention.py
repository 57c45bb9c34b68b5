"""What needs doing, grouped by kind and said in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from der_client.readings.slots import RECORDING_DAYS, WINDOW_DAYS
from der_client.web.amounts import count, energy, from_now
from der_client.web.tokens import money

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from der_client.index.answers import Attention

_OF_MONEY: Final = "payment-due"
_URGENT_WITHIN: Final = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Kind:
    """The texts of a kind.

    Attributes:
        heading: The heading of its page.
        explanation: What has to be done, and by whom.
        one: The text for one of them: ``day waits …``.
        many: The text for several: ``days wait …``.
        always_urgent: Whether it is urgent whatever its deadline.
    """

    heading: str
    explanation: str
    one: str
    many: str
    always_urgent: bool = False


KINDS: Final = {
    "day-disputed": Kind(
        "Disputed days",
        "An arbiter decides them; until then, nothing is paid for them.",
        "day is disputed",
        "days are disputed",
        always_urgent=True,
    ),
    "readings-conflict": Kind(
        "Conflicting readings",
        "The grid meter counted more than the plant's own meter: correct one of them before they are verified.",
        "day has conflicting readings",
        "days have conflicting readings",
        always_urgent=True,
    ),
    "payment-due": Kind(
        "Payments that are due",
        "Anybody can settle or refund them now.",
        "payment can be closed",
        "payments can be closed",
    ),
    "day-unverified": Kind(
        "Days that wait for verification",
        f"A verifier decides them within {WINDOW_DAYS} days; what is not verified by then is refunded.",
        "day waits for verification",
        "days wait for verification",
    ),
    "slots-missing": Kind(
        "Days with missing slots",
        f"Readings can be recorded until {RECORDING_DAYS} days after the day.",
        "day lacks slots",
        "days lack slots",
    ),
    "feed-unverified": Kind(
        "Feeds that wait for verification",
        "Somebody other than the recorder verifies them.",
        "feed waits for verification",
        "feeds wait for verification",
    ),
    "offer-expiring": Kind(
        "Offers that expire soon",
        "What nobody takes by then can be offered again.",
        "offer expires soon",
        "offers expire soon",
    ),
    "offer-expired": Kind(
        "Expired offers that are still on the books",
        "Anybody can close them, which frees their energy.",
        "expired offer holds energy",
        "expired offers hold energy",
    ),
    "asset-pending": Kind(
        "Plants that wait for a registrar", "A registrar verifies or rejects them.", "plant is new", "plants are new"
    ),
    "connection-requested": Kind(
        "Requested grid connections",
        "The region's grid operator approves or rejects them.",
        "grid connection is requested",
        "grid connections are requested",
    ),
}
"""Every kind of the index, the most urgent first."""


@dataclass(frozen=True, slots=True)
class Group:
    """Everything of one kind that needs doing.

    Attributes:
        kind: Its name in URLs.
        number: How many there are.
        what: What they are, without the number.
        more: How much is at stake, and until when.
        is_urgent: Whether it should be done within three days.
    """

    kind: str
    number: int
    what: str
    more: str
    is_urgent: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that needs doing.

    Attributes:
        text: What to do, in a sentence.
        path: The page of its subject.
        asset_id: The plant, if it concerns one.
        day: The day of production, if it concerns one.
        amount: How much, in words.
        until: Its deadline.
    """

    text: str
    path: str
    asset_id: int | None
    day: date | None
    amount: str
    until: datetime | None


def grouped(rows: Iterable[Attention], now: datetime) -> list[Group]:
    """Return what needs doing by kind, the most urgent first.

    Args:
        rows: All rows.
        now: Chain time.
    """
    by_kind: dict[str, list[Attention]] = {}
    for row in rows:
        by_kind.setdefault(str(row.kind), []).append(row)
    known = {kind: place for place, kind in enumerate(KINDS)}
    return [_group(kind, by_kind[kind], now) for kind in sorted(by_kind, key=lambda kind: known.get(kind, len(known)))]


def verdict(groups: Iterable[Group]) -> str:
    """Return how urgent it is overall: ``good``, ``warn`` or ``bad``."""
    urgent = [group.is_urgent for group in groups]
    return "bad" if any(urgent) else "warn" if urgent else "good"


def headline(groups: Iterable[Group]) -> str:
    """Return how much needs doing, and how much of it soon: ``9 things need doing, 1 of them urgently``."""
    number = urgent = 0
    for group in groups:
        number += group.number
        urgent += group.number if group.is_urgent else 0
    text = f"{count(number, 'thing needs', 'things need')} doing"
    if urgent == number:
        return f"{text} urgently" if urgent else text
    return f"{text}, {urgent:,} of them urgently" if urgent else text


def line(row: Attention) -> Line:
    """Return one thing that needs doing in words, with the page that shows it."""
    path = f"/plants/{row.asset_id}" if row.day is None else f"/plants/{row.asset_id}/days/{row.day}"
    if row.payment_id is not None:
        path = f"/payments/{row.payment_id}"
    elif row.offer_id is not None:
        path = f"/offers/{row.offer_id}"
    amount = _amount(str(row.kind), row.amount, row.token, in_column=True)
    return Line(row.text, path, row.asset_id, row.day, amount, row.until)


def _group(kind: str, rows: list[Attention], now: datetime) -> Group:
    spoken = KINDS.get(kind) or Kind(kind, "", kind.replace("-", " "), kind.replace("-", " "))
    sums: dict[str | None, int] = {}
    for row in rows:
        token = row.token if kind == _OF_MONEY else None
        sums[token] = sums.get(token, 0) + (row.amount or 0)
    words = [_amount(kind, amount, token) for token, amount in sums.items() if amount]
    first = min((row.until for row in rows if row.until is not None), default=None)
    is_soon = first is not None and first - now < _URGENT_WITHIN
    if first is not None:
        words.append(f"first ends {from_now(first, now)}" if first > now else f"first ended {from_now(first, now)}")
    what = spoken.one if len(rows) == 1 else spoken.many
    is_urgent = spoken.always_urgent or (is_soon and kind in _WITH_A_WINDOW)
    return Group(kind, len(rows), what, ", ".join(words), is_urgent)


_WITH_A_WINDOW: Final = {"day-unverified", "slots-missing", "feed-unverified"}
"""Kinds for which energy or money is lost when their deadline passes."""


def _amount(kind: str, amount: int | None, token: str | None, *, in_column: bool = False) -> str:
    if amount is None:
        return ""
    if kind == _OF_MONEY:
        return money(amount, token, in_column=in_column)
    if kind == "slots-missing":
        return count(amount, "slot")
    if kind in {"asset-pending", "connection-requested"}:
        return ""
    return energy(amount)
