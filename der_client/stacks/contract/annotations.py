"""How a Python annotation names a Clarity type: the vocabulary of typed contract clients.

====================================  =====================================================================
annotation                            Clarity type
====================================  =====================================================================
``bool``                              ``bool``
``UInt``, ``Int``                     ``uint``, ``int``
``Principal``                         ``principal``, as text
``Trait``                             a trait, ``<t>``: a contract that implements it, as the text ``ADDRESS.name``
``Annotated[bytes, BufferType(33)]``  ``(buff 33)``; likewise ``AsciiType(12)``, ``Utf8Type(40)`` over ``str``
``Timestamp``                         ``uint``: unix seconds, as an aware ``datetime`` in UTC
``Day``                               ``uint``: days since 1970-01-01, as a ``date``
an ``IntEnum``                        ``uint``
``X | None``                          ``(optional x)``
``Annotated[tuple[X, …], MaxLength(30)]``  ``(list 30 x)``; a parameter may also say ``Sequence[X]``
a pydantic model                      a tuple, ``snake_case`` fields for ``kebab-case`` names
``Response`` ``[X]``                  ``(response x uint)`` inside another value
``Annotated[ClarityValue, t]``        any type ``t``, as the Clarity value itself
====================================  =====================================================================

The last one is for what plain Python cannot distinguish: ``(optional (optional x))``, where ``None`` would have two
meanings, and a response inside another value whose error is not a ``uint``: ``Annotated[ClarityValue,
ResponseType(UINT, BOOL)]``. A model with such a field needs ``arbitrary_types_allowed=True`` in its ``ConfigDict``.

``Annotated[…, ClarityName("price")]`` names a field or parameter whose Python name is more specific than Clarity's, or
whose Clarity name is not valid in Python: ``ClarityName("amount?")``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, Generic, TypeVar

from der_client.stacks.clarity.names import check_clarity_name
from der_client.stacks.clarity.types import INT, PRINCIPAL, UINT, ClarityType, TraitType
from der_client.stacks.errors import EncodeError, shown

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DATE = _EPOCH.date()
_LAST_SECOND = int((datetime.max.replace(tzinfo=UTC, microsecond=0) - _EPOCH).total_seconds())
_EPOCH_ORDINAL = _EPOCH_DATE.toordinal()
_LAST_DAY = (date.max - _EPOCH_DATE).days


@dataclass(frozen=True, slots=True)
class ClarityName:
    """The name in Clarity, if it is not the Python name with hyphens.

    Raises:
        EncodeError: If nothing can have this name in Clarity.
    """

    name: str

    def __post_init__(self) -> None:
        """Check the name."""
        check_clarity_name(self.name)


@dataclass(frozen=True, slots=True)
class FromCall:
    """Marks a field of a model that is not in the tuple, but an argument of the read-only function, such as an id.

    ``asset_id: Annotated[int, FromCall("asset_id")] = 0`` is filled by every function that returns the model and has a
    parameter of that name, and by one that returns a list of them and has the list ``asset_ids``.

    Attributes:
        parameter: The parameter's name in Python; with an s for a list.
    """

    parameter: str


@dataclass(frozen=True, slots=True)
class MaxLength:
    """The declared maximum of a list."""

    length: int


@dataclass(frozen=True, slots=True)
class Conversion:
    """A Python type for a Clarity type, with a pair of conversion functions.

    Attributes:
        type: The Clarity type.
        to_clarity: From the Python value to a value for the Clarity type; raises EncodeError.
        from_clarity: From the plain value of the Clarity type to the Python value.
    """

    type: ClarityType
    to_clarity: Callable[[Any], Any]
    from_clarity: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Response(Generic[T]):
    """One ``(response x uint)`` among others, e.g. an item of a batch.

    Attributes:
        value: The value of ``(ok x)``, or ``None``.
        error_code: The number of ``(err uN)``, or ``None``.
    """

    value: T | None
    error_code: int | None

    @property
    def is_ok(self) -> bool:
        """Whether it was ``(ok x)``."""
        return self.error_code is None


def seconds_of(moment: datetime) -> int:
    """Return the unix seconds of an aware datetime.

    Raises:
        EncodeError: If it is naive, before 1970, or not on a whole second.
    """
    if not isinstance(moment, datetime):
        raise EncodeError(
            f"a time is given as a datetime with a time zone, not {type(moment).__name__} {shown(moment)}"
        )
    if moment.tzinfo is None:
        raise EncodeError(f"{moment.isoformat()} has no time zone: give it one, e.g. tzinfo=timezone.utc")
    if moment.microsecond:
        raise EncodeError(f"{moment.isoformat()} is not on a whole second: chain time has no fractions")
    seconds = (moment - _EPOCH) // timedelta(seconds=1)
    if seconds < 0:
        raise EncodeError(f"{moment.isoformat()} is before 1970, when chain time begins")
    return seconds


def time_of(seconds: int) -> datetime:
    """Return the UTC datetime of unix seconds; beyond the year 9999, the last second that Python knows."""
    return datetime.fromtimestamp(seconds if seconds < _LAST_SECOND else _LAST_SECOND, UTC)  # noqa: FURB136 - quicker


def day_number_of(day: date) -> int:
    """Return days since 1970-01-01 (UTC) of a date.

    Raises:
        EncodeError: If it is not a plain date (a datetime is ambiguous), or before 1970.
    """
    if isinstance(day, datetime) or not isinstance(day, date):
        raise EncodeError(f"a day is given as a datetime.date, not {type(day).__name__} {shown(day)}")
    number = (day - _EPOCH_DATE).days
    if number < 0:
        raise EncodeError(f"{day.isoformat()} is before 1970, when chain time begins")
    return number


@lru_cache(maxsize=4096)
def day_of(number: int) -> date:
    """Return the UTC date of a day number; beyond the year 9999, the last day that Python knows."""
    return date.fromordinal(_EPOCH_ORDINAL + min(number, _LAST_DAY))


UInt = Annotated[int, UINT]
Int = Annotated[int, INT]
Principal = Annotated[str, PRINCIPAL]
Trait = Annotated[str, TraitType()]
Timestamp = Annotated[datetime, Conversion(UINT, seconds_of, time_of)]
Day = Annotated[date, Conversion(UINT, day_number_of, day_of)]
