"""Reads SolarEdge: JSON responses of its monitoring API, saved in files.

V1 (until November 2026): energy, energyDetails, power and powerDetails. Times are local times of the site, at the start
of each interval. V2: energy and power of a site, and telemetry of inverters and meters; times have an offset.

Sources: SolarEdge, "Monitoring Server API"; for V2, responses in the public tests of openHAB's binding and of
    SolarNetwork's client.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from der_client.readings.errors import MeterDataError
from der_client.readings.json_documents import read_json
from der_client.readings.quantities import Unit
from der_client.readings.row_places import RowPlaces
from der_client.readings.table import TableFormat
from der_client.readings.table_reader import TableReader, require_polars

if TYPE_CHECKING:
    from collections.abc import Iterable

    from der_client.readings.intervals import IntervalSeries
    from der_client.readings.sources import Source

_SECONDS: Final = {"QUARTER_OF_AN_HOUR": 900, "QUARTER_HOUR": 900, "HOUR": 3600}
_UNITS: Final = {unit.value.upper(): unit.value for unit in (Unit.W, Unit.KW, Unit.WH, Unit.KWH)}
"""V2 writes them in capitals."""
_DEVICES: Final = ("inverters", "meters")


def read_solaredge(source: Source, form: TableFormat) -> dict[str, IntervalSeries]:
    """Read the meters of a response.

    Args:
        source: Path of a file, its content as bytes, or an open stream.
        form: The format: ``time_zone`` is needed for V1; ``ambiguous``, ``from`` and ``to`` apply, too.

    Returns:
        A series for each meter, such as ``"Production"``, ``"FeedIn"``, or ``"7E12AB energy"`` of a device.

    Raises:
        MeterDataError: If it is not such a response, or something in it cannot be read or is ambiguous.
        OSError: If the file cannot be opened.
    """
    require_polars()
    response = read_json(source)
    if isinstance(response, dict) and ("resolution" in response or any(kind in response for kind in _DEVICES)):
        return _second_version(response, form)
    return _first_version(response, form)


def is_of_solaredge(document: Any) -> bool:
    """Return whether a JSON document looks like a response of this API."""
    if not isinstance(document, dict):
        return False
    body = next(iter(document.values()), None) if len(document) == 1 else document
    return (
        {"resolution", "values"} <= document.keys()
        or any(kind in document for kind in _DEVICES)
        or (isinstance(body, dict) and "timeUnit" in body)
    )


def _first_version(response: Any, form: TableFormat) -> dict[str, IntervalSeries]:
    body = next(iter(response.values()), None) if isinstance(response, dict) and len(response) == 1 else response
    if not isinstance(body, dict) or "timeUnit" not in body or not ("meters" in body or "values" in body):
        raise MeterDataError(
            "this is not a response of SolarEdge: expected timeUnit, unit, and meters or values (V1), or resolution, "
            "unit and values (V2)"
        )
    own = _table_format(body, form, step="timeUnit", time="date")
    meters = body.get("meters") or [{"type": "Production", "values": body.get("values")}]
    if not isinstance(meters, list):
        raise MeterDataError("meters must be a list")
    return {str(meter.get("type")): _read(meter["values"], own) for meter in map(_as_meter, meters)}


def _second_version(response: dict[str, Any], form: TableFormat) -> dict[str, IntervalSeries]:
    if "resolution" in response:
        return {"Production": _read_measurements(response, form)}
    return {
        f"{device} {name}": _read_measurements(measurements, form)
        for kind in _DEVICES
        for device, each in _items(response.get(kind, {}))
        for name, measurements in _items(each)
        if isinstance(measurements, dict) and str(measurements.get("unit", "")).upper() in _UNITS
    }


def _items(value: Any) -> Iterable[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise MeterDataError("expected devices with their measurements", value=str(value))
    return value.items()


def _read_measurements(response: dict[str, Any], form: TableFormat) -> IntervalSeries:
    return _read(_as_meter(response)["values"], _table_format(response, form, step="resolution", time="timestamp"))


def _table_format(response: dict[str, Any], form: TableFormat, *, step: str, time: str) -> TableFormat:
    length = response.get(step)
    seconds = _SECONDS.get(str(length))
    if seconds is None:
        known = "QUARTER_OF_AN_HOUR or HOUR" if step == "timeUnit" else "QUARTER_HOUR or HOUR"
        raise MeterDataError(f"each reading covers a {length}: ask for {step} {known}", column=step)
    unit = str(response.get("unit"))
    options: dict[str, Any] = {
        "time": time, "values": "value", "unit": _UNITS.get(unit.upper(), unit), "interval_seconds": seconds,
        "nulls": "unknown", "time_zone": form.time_zone, "ambiguous": form.ambiguous, "from": form.from_, "to": form.to,
        "allow_rising": True,  # these are energies of intervals by definition
    }  # fmt: skip
    return TableFormat(**options)


def _as_meter(meter: Any) -> dict[str, Any]:
    if not isinstance(meter, dict) or not isinstance(meter.get("values"), list):
        raise MeterDataError("each meter must have a list of values")
    return meter


def _read(values: list[Any], form: TableFormat) -> IntervalSeries:
    import polars as pl  # noqa: PLC0415 -- heavy, and an extra

    (time,) = form.time
    rows = []
    for entry in values:
        if not isinstance(entry, dict) or not isinstance(entry.get(time), str):
            raise MeterDataError(f"each value must have a {time}", value=str(entry)[:60])
        value = entry.get("value")
        if value is not None and not isinstance(value, Decimal):
            raise MeterDataError("expected a number", column="value", value=str(value))
        rows.append((entry[time], "" if value is None else str(value)))
    reader = TableReader(form, (time, "value"), RowPlaces("entry"))
    frame = pl.DataFrame(rows, schema={"0": pl.String, "1": pl.String}, orient="row")
    reader.feed(frame.with_columns(record=pl.int_range(frame.height, dtype=pl.Int64)))
    return reader.finish()
