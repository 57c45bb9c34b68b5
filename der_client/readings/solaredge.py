"""SolarEdge: the JSON answers of its monitoring interface, as saved in files.

They are those of energy, energyDetails, power and powerDetails. Times are local times of the
site, at the start of each interval.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from der_client.readings.errors import MeterDataError
from der_client.readings.sources import Source, open_binary
from der_client.readings.table import TableFormat
from der_client.readings.table_reader import TableReader, require_polars

if TYPE_CHECKING:
    from der_client.readings.intervals import IntervalSeries

_SECONDS: Final = {"QUARTER_OF_AN_HOUR": 900, "HOUR": 3600}
_MOST_BYTES: Final = 1 << 28


def read_solaredge(source: Source, form: TableFormat) -> dict[str, IntervalSeries]:
    """Read the meters of an answer.

    Args:
        source: Path of a file, its content as bytes, or an open stream.
        form: ``time_zone`` is needed; what else counts is ``ambiguous``, ``from`` and ``to``.

    Returns:
        A series for each meter, such as ``"Production"``, ``"FeedIn"``.

    Raises:
        MeterDataError: If it is not such an answer, or something in it cannot be read or is not certain.
        OSError: If the file cannot be opened.
    """
    require_polars()
    with open_binary(source) as stream:
        data = stream.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise MeterDataError(f"the file has more than {_MOST_BYTES:,} bytes, which no answer of SolarEdge has")
    try:
        answer = json.loads(data, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MeterDataError(f"this is not JSON: {error}") from error
    body = next(iter(answer.values()), None) if isinstance(answer, dict) and len(answer) == 1 else answer
    if not isinstance(body, dict) or "timeUnit" not in body or not ("meters" in body or "values" in body):
        raise MeterDataError("this is not an answer of SolarEdge: expected timeUnit, unit, and meters or values")
    step = _SECONDS.get(str(body["timeUnit"]))
    if step is None:
        raise MeterDataError(
            f"the readings are of a {body['timeUnit']}: ask for timeUnit QUARTER_OF_AN_HOUR or HOUR", column="timeUnit"
        )
    meters = body.get("meters") or [{"type": "Production", "values": body.get("values")}]
    if not isinstance(meters, list):
        raise MeterDataError("meters must be a list")
    options: dict[str, Any] = {
        "time": "date", "values": "value", "unit": str(body.get("unit")), "interval_seconds": step, "nulls": "unknown",
        "time_zone": form.time_zone, "ambiguous": form.ambiguous, "from": form.from_, "to": form.to,
        "allow_rising": True,  # these are energies of intervals by definition
    }  # fmt: skip
    own = TableFormat(**options)
    return {str(meter.get("type")): _read(meter, own) for meter in map(_as_meter, meters)}


def _as_meter(meter: Any) -> dict[str, Any]:
    if not isinstance(meter, dict) or not isinstance(meter.get("values"), list):
        raise MeterDataError("each meter must have a list of values")
    return meter


def _read(meter: dict[str, Any], form: TableFormat) -> IntervalSeries:
    import polars as pl  # noqa: PLC0415 -- heavy, and an extra

    rows = []
    for entry in meter["values"]:
        if not isinstance(entry, dict) or not isinstance(entry.get("date"), str):
            raise MeterDataError("each value must have a date", value=str(entry)[:60])
        value = entry.get("value")
        if value is not None and not isinstance(value, Decimal):
            raise MeterDataError("expected a number", column="value", value=str(value))
        rows.append((entry["date"], "" if value is None else str(value)))
    reader = TableReader(form, ("date", "value"), _no_line)
    frame = pl.DataFrame(rows, schema={"0": pl.String, "1": pl.String}, orient="row")
    reader.feed(frame.with_columns(record=pl.int_range(frame.height, dtype=pl.Int64)))
    return reader.finish()


def _refuse_constant(name: str) -> None:
    raise MeterDataError(f"expected a number, got {name}")


def _no_line(_record: int) -> None:
    """JSON has no lines that a person would look for."""
