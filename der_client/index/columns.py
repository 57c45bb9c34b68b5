"""How values of the contracts are stored in SQL, on SQLite and Postgres: a column type for each kind of annotation.

Everything is exact and plain to read: whole numbers, ISO dates, lower-case names of states, hexadecimal.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, get_args, get_origin

from sqlalchemy import BigInteger, Boolean, Column, Date, Numeric, Text
from sqlalchemy.types import TypeDecorator, UserDefinedType

from der_client.contracts.asset_verification import DeviceKey, KeyCurve
from der_client.contracts.grid_integration import ExportCap
from der_client.contracts.units import DayOrNever
from der_client.stacks.contract.annotations import Day, Timestamp, seconds_of, time_of

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.types import TypeEngine

_LARGEST_INTEGER: Final = 2**63 - 1
_UINT_DIGITS: Final = 39
_AMOUNTS: Final = frozenset(
    {"amount", "cost", "credits", "escrow", "fee", "fees", "max_price", "payout", "price_per_kwh", "refund", "total_wh"}
    | {"max_price_ustx_per_kwh", "min_price_ustx_per_kwh"}
)
"""Fields that may have more than 63 bits; the contracts bound all others."""
_MASKS: Final = frozenset({"mask", "day_mask"})


class _AnyKind(UserDefinedType[Any]):
    """A column of SQLite without a type, which stores values as they are."""

    cache_ok = True

    def get_col_spec(self, **_options: Any) -> str:
        return ""


class Amount(TypeDecorator[int]):
    """A whole number of up to 128 bits: NUMERIC on Postgres; an INTEGER in SQLite, or digits where it is too large.

    The digits are padded with zeros, so that SQLite still sorts them correctly: text comes after integers.
    """

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type for a dialect."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(_AnyKind())
        return dialect.type_descriptor(Numeric(_UINT_DIGITS, 0))

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:
        """Return the value for the driver."""
        if value is not None and value > _LARGEST_INTEGER and dialect.name == "sqlite":
            return f"{value:0{_UINT_DIGITS}d}"
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:  # noqa: ARG002 - as SQLAlchemy calls it
        """Return a whole number."""
        return None if value is None else int(value)


class Moment(TypeDecorator[datetime]):
    """A time, kept as unix seconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - as above
        """Return unix seconds."""
        return None if value is None else seconds_of(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - as above
        """Return an aware datetime."""
        return None if value is None else time_of(value)


class Named(TypeDecorator[IntEnum]):
    """A member of an enumeration, kept as its name in lower case.

    Args:
        enum: The enumeration.
    """

    impl = Text
    cache_ok = True

    def __init__(self, enum: type[IntEnum]) -> None:
        super().__init__()
        self.enum = enum
        self._names = {member: member.name.lower() for member in enum}
        self._members = {name: member for member, name in self._names.items()}

    def process_bind_param(self, value: IntEnum | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - as above
        """Return the name."""
        return None if value is None else self._names[value]

    def process_result_value(self, value: str | None, dialect: Dialect) -> IntEnum | None:  # noqa: ARG002 - as above
        """Return the member."""
        return None if value is None else self._members[value]


class Mask(TypeDecorator[int]):
    """The slots of a day as 24 hexadecimal digits; slot 0 is the lowest bit."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - as above
        """Return hexadecimal digits."""
        return None if value is None else f"{value:024x}"

    def process_result_value(self, value: str | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - as above
        """Return the mask."""
        return None if value is None else int(value, 16)


class Hex(TypeDecorator[bytes]):
    """Bytes as hexadecimal digits."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - as above
        """Return hexadecimal digits."""
        return None if value is None else value.hex()

    def process_result_value(self, value: str | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002 - as above
        """Return the bytes."""
        return None if value is None else bytes.fromhex(value)


class Key(TypeDecorator[DeviceKey]):
    """A meter's public key as ``p256:02ab…``."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: DeviceKey | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - as above
        """Return the curve and hexadecimal digits."""
        return None if value is None else f"{value.curve.name.lower()}:{value.key.hex()}"

    def process_result_value(self, value: str | None, dialect: Dialect) -> DeviceKey | None:  # noqa: ARG002 - as above
        """Return the key."""
        if value is None:
            return None
        curve, _, digits = value.partition(":")
        return DeviceKey(curve=KeyCurve[curve.upper()], key=bytes.fromhex(digits))


class Caps(TypeDecorator[tuple[ExportCap, ...]]):
    """An export schedule as JSON: ``[["2026-07-01", 5000], …]``, W."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[ExportCap, ...] | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - as above
        """Return JSON."""
        return None if value is None else json.dumps([[cap.from_day.isoformat(), cap.cap_w] for cap in value])

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[ExportCap, ...] | None:  # noqa: ARG002 - as above
        """Return the caps."""
        if value is None:
            return None
        return tuple(ExportCap(from_day=date.fromisoformat(day), cap_w=cap_w) for day, cap_w in json.loads(value))


class Numbers(TypeDecorator[tuple[int, ...]]):
    """Whole numbers as a JSON list."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[int, ...] | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - as above
        """Return JSON."""
        return None if value is None else f"[{','.join(map(str, value))}]"

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[int, ...] | None:  # noqa: ARG002 - as above
        """Return the numbers."""
        return None if value is None else tuple(json.loads(value))


def column_for(name: str, annotation: Any, *, is_key: bool = False) -> Column[Any]:
    """Return the column for a field of a model or an event.

    Args:
        name: The field's name.
        annotation: Its annotation, as in `der_client.contracts`.
        is_key: Whether it is part of the primary key.
    """
    is_optional = type(None) in get_args(annotation) or annotation == DayOrNever
    return Column(name, _type_of(name, annotation), primary_key=is_key, nullable=is_optional and not is_key)


def _type_of(name: str, annotation: Any) -> TypeEngine[Any]:
    if annotation in (Day, DayOrNever):
        return Date()
    if annotation == Timestamp:
        return Moment()
    kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
    if type(None) in get_args(annotation):
        return _type_of(name, kinds[0])
    if annotation is bool:
        return Boolean()
    if annotation is DeviceKey:
        return Key()
    if isinstance(annotation, type) and issubclass(annotation, IntEnum):
        return Named(annotation)
    base = kinds[0] if kinds else annotation
    if get_origin(base) is tuple and get_args(base)[0] is ExportCap:
        return Caps()
    if base is int:
        return _number_type(name)
    if base is bytes:
        return Hex()
    if base is str:
        return Text()
    raise TypeError(f"no column is known for {name}: {annotation!r}")


def _number_type(name: str) -> TypeEngine[Any]:
    if name in _MASKS:
        return Mask()
    return Amount() if name in _AMOUNTS else BigInteger()


__all__ = [
    "Amount",
    "Caps",
    "Hex",
    "Key",
    "Mask",
    "Moment",
    "Named",
    "Numbers",
    "column_for",
]
