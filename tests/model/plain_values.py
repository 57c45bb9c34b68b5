"""Clarity values and typed values as plain Python, in the form that the model uses, and the differences between two."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel

from der_client.stacks.clarity import (
    ClarityValue,
    ListValue,
    NoneValue,
    SomeValue,
    TupleValue,
)
from der_client.stacks.contract.annotations import day_number_of, seconds_of
from der_client.stacks.contract.codecs import field_annotations


def plain(value: ClarityValue) -> Any:
    """Convert a value: a tuple to a dict (snake case), a list to a list, none to ``None``, others to their value."""
    if isinstance(value, TupleValue):
        return {name.replace("-", "_"): plain(field) for name, field in value.fields.items()}
    if isinstance(value, ListValue):
        return [plain(item) for item in value.items]
    if isinstance(value, SomeValue):
        return plain(value.value)
    if isinstance(value, NoneValue):
        return None
    return getattr(value, "value", None) if not hasattr(value, "text") else value.text


def bare(thing: BaseModel) -> dict[str, Any]:
    """Return the fields of a typed value or event as in its tuple: days and times as numbers, prices without a unit."""
    return bare_fields(thing.model_dump(include=set(field_annotations(type(thing)))))


def bare_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the fields of a typed value or event like ``bare``."""
    names = {"min_price_ustx_per_kwh": "min_price", "price_per_kwh": "price"}
    return {names.get(name, name): _bare_value(name, value) for name, value in fields.items()}


def _bare_value(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return seconds_of(value)
    if isinstance(value, date):
        return day_number_of(value)
    if isinstance(value, dict):
        return bare_fields(value)
    if isinstance(value, BaseModel):
        return bare(value)
    if isinstance(value, (list, tuple)):
        return [_bare_value(name, item) for item in value]
    return 0 if value is None and name.endswith("_day") and name != "last_day" else value


def difference(model: Any, chain: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    """Return the differences of two plain values: the path and both values."""
    if isinstance(model, dict) and isinstance(chain, dict) and model.keys() == chain.keys():
        return [found for key in model for found in difference(model[key], chain[key], f"{path}.{key}")]
    if isinstance(model, list) and isinstance(chain, list) and len(model) == len(chain):
        pairs = enumerate(zip(model, chain, strict=True))
        return [found for number, (one, other) in pairs for found in difference(one, other, f"{path}[{number}]")]
    return [] if model == chain else [(path, model, chain)]
