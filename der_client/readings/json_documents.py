"""JSON documents of meter data: parsed exactly, never a float."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from der_client.readings.errors import MeterDataError
from der_client.readings.sources import open_binary

if TYPE_CHECKING:
    from der_client.readings.sources import Source

_MOST_BYTES: Final = 1 << 28


def read_json(source: Source) -> Any:
    """Read a document; its numbers become a ``Decimal`` each.

    Args:
        source: Path of a file, its content as bytes, or an open stream.

    Raises:
        MeterDataError: If it is not JSON, or larger than 256 MiB.
        OSError: If the file cannot be opened.
    """
    with open_binary(source) as stream:
        data = stream.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise MeterDataError(f"the file has more than {_MOST_BYTES:,} bytes: split it, or export the readings as CSV")
    try:
        return json.loads(data, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        if isinstance(error, MeterDataError):
            raise
        raise MeterDataError(f"this is not JSON: {error}") from error


def _refuse_constant(name: str) -> None:
    raise MeterDataError(f"expected a number, got {name}")
