"""Parameters of URLs, read strictly, so that nothing else reaches a query; each refusal says what was expected."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Final

from fastapi import Path, Query, Request
from pydantic import BeforeValidator, Field

from der_client.stacks.address import canonical_principal
from der_client.stacks.errors import InvalidValueError
from der_client.web.errors import BadRequestError

MAX_ID: Final = 2**63 - 1
MAX_LIMIT: Final = 1000
FIRST_YEAR, LAST_YEAR = 2000, 2199
_DIGITS: Final = re.compile(r"[0-9]{1,19}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH: Final = re.compile(r"[0-9]{4}-[0-9]{2}")
_REGION: Final = re.compile(r"[ -~]{1,8}")


def _whole(value: Any) -> int:
    """Return a whole number in plain digits; not " 1", "+1", "1_0", "1.0" or "1e3", which Python or pydantic accept."""
    if isinstance(value, int):
        return value
    if not isinstance(value, str) or not _DIGITS.fullmatch(value):
        raise ValueError("expected a whole number")
    return int(value)


def _day(value: Any) -> date:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("expected a day such as 2026-07-01")
    return _in_range(_date(value, "expected a day such as 2026-07-01"))


def _month(value: Any) -> date:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not _MONTH.fullmatch(value):
        raise ValueError("expected a month such as 2026-07")
    return _in_range(_date(f"{value}-01", "expected a month such as 2026-07"))


def _date(text: str, expected: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(expected) from None


def _in_range(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"expected a year from {FIRST_YEAR} to {LAST_YEAR}")
    return day


def _principal(value: Any) -> str:
    try:
        return canonical_principal(str(value))
    except InvalidValueError:
        raise ValueError("expected a Stacks address, or ADDRESS.contract-name") from None


def _region(value: Any) -> str:
    if not isinstance(value, str) or not _REGION.fullmatch(value):
        raise ValueError("expected a region, 1 to 8 ASCII characters")
    return value


def _or_empty(read: Callable[[Any], Any]) -> BeforeValidator:
    """Treat what a form leaves empty as not given."""
    return BeforeValidator(lambda value: None if value in {"", None} else read(value))


Whole = BeforeValidator(_whole)
Id = Annotated[int, Whole, Path(ge=1, le=MAX_ID)]
OptionalId = Annotated[Annotated[int, Field(ge=1, le=MAX_ID)] | None, _or_empty(_whole), Query()]
Year = Annotated[Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)] | None, _or_empty(_whole), Query()]
Offset = Annotated[int, Whole, Query(ge=0, le=10_000_000)]
DayInPath = Annotated[date, BeforeValidator(_day), Path()]
Day = Annotated[date, BeforeValidator(_day), Query()]
OptionalDay = Annotated[date | None, _or_empty(_day), Query()]
OptionalMonth = Annotated[date | None, _or_empty(_month), Query(description="Such as 2026-07.")]
Month = Annotated[date, BeforeValidator(_month), Query(description="Such as 2026-07.")]
Party = Annotated[str, BeforeValidator(_principal), Query()]
OptionalParty = Annotated[str | None, _or_empty(_principal), Query()]
OptionalRegion = Annotated[str | None, _or_empty(_region), Query()]
Limit = Annotated[int, Whole, Query(ge=1, le=MAX_LIMIT, description="The most items on a page.")]
Cursor = Annotated[
    Annotated[int, Field(ge=0, le=MAX_ID)] | None,
    _or_empty(_whole),
    Query(description="Items after this one: `next` of the previous page."),
]
PartyInPath = Annotated[str, BeforeValidator(_principal), Path()]


def refuse_unknown(request: Request) -> None:
    """Refuse parameters that the route does not have, or that are repeated: ignoring them would return wrong sums.

    Raises:
        BadRequestError: If there is one; the sentence lists those of the route.
    """
    expected = [parameter.alias for parameter in request.scope["route"].dependant.query_params]
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in expected:
            raise BadRequestError(f"{name[:40]}: unknown parameter; expected {', '.join(expected) or 'none'}.")
        if given.count(name) > 1:
            raise BadRequestError(f"{name}: expected once, got {given.count(name)} times.")


def check_days(from_day: date, to_day: date, most: int, of_what: str = "") -> None:
    """Refuse a range of days, both ends included, that is reversed or too long.

    Args:
        from_day: The first day.
        to_day: The last day.
        most: How many are allowed.
        of_what: What is limited, for the sentence.

    Raises:
        BadRequestError: If the days are reversed, or too many.
    """
    days = (to_day - from_day).days + 1
    if days < 1:
        raise BadRequestError(f"to_day: {to_day} is before from_day, {from_day}.")
    if days > most:
        raise BadRequestError(f"from_day to to_day: expected 1 to {most} days{of_what}, got {days}.")
