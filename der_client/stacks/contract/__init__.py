"""Typed clients of contracts: functions, storage and events declared in Python, bound to a contract on a network."""

from der_client.stacks.contract.annotations import (
    ClarityName,
    Day,
    FromCall,
    Int,
    MaxLength,
    Principal,
    Response,
    Timestamp,
    Trait,
    UInt,
)
from der_client.stacks.contract.call import Call, Pending, Receipt
from der_client.stacks.contract.contract import Contract
from der_client.stacks.contract.declared import constant, data_map, data_var, public, read_only
from der_client.stacks.contract.errors import Code, ErrorCode
from der_client.stacks.contract.events import Event, EventRecord, UnknownEvent
from der_client.stacks.contract.frames import Listing, to_pandas, to_polars
from der_client.stacks.contract.interface import differences
from der_client.stacks.contract.models import Model
from der_client.stacks.contract.unsent import UnsentCallWarning

__all__ = [
    "Call",
    "ClarityName",
    "Code",
    "Contract",
    "Day",
    "ErrorCode",
    "Event",
    "EventRecord",
    "FromCall",
    "Int",
    "Listing",
    "MaxLength",
    "Model",
    "Pending",
    "Principal",
    "Receipt",
    "Response",
    "Timestamp",
    "Trait",
    "UInt",
    "UnknownEvent",
    "UnsentCallWarning",
    "constant",
    "data_map",
    "data_var",
    "differences",
    "public",
    "read_only",
    "to_pandas",
    "to_polars",
]
