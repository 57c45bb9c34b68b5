"""Parameters of URLs, read strictly, so that nothing else reaches a query; each refusal says what was expected."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Final

from fastapi import Path, Query
from pydantic import BeforeValidator, Field

from der_client.stacks.address import canonical_principal
from der_client.stacks.errors import InvalidValueError

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
