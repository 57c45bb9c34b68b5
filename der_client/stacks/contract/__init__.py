"""Typed clients of contracts: functions and events declared in Python, bound to a contract on a network."""

from der_client.stacks.contract.call import Call, Pending, Receipt
from der_client.stacks.contract.contract import Contract
from der_client.stacks.contract.declared import public, read_only
from der_client.stacks.contract.errors import ErrorCode
from der_client.stacks.contract.events import Event, EventRecord, UnknownEvent
from der_client.stacks.contract.interface import differences

__all__ = [
    "Call",
    "Contract",
    "ErrorCode",
    "Event",
    "EventRecord",
    "Pending",
    "Receipt",
    "UnknownEvent",
    "differences",
    "public",
    "read_only",
]
