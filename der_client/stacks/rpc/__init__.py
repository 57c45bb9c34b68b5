"""Access to a Stacks node and the API in front of it: endpoints as values, typed responses, a synchronous client."""

from typing import TYPE_CHECKING, Any

from der_client.stacks.rpc.client import Client
from der_client.stacks.rpc.endpoint import Endpoint, HttpResponse, Request
from der_client.stacks.rpc.notices import Notice
from der_client.stacks.rpc.responses import (
    AccountInfo,
    ArgumentInterface,
    Balances,
    Block,
    BlockPage,
    ContractInterface,
    ContractLogEvent,
    ContractLogPage,
    ContractSource,
    Epoch,
    Event,
    ExecutionCost,
    FeeEstimate,
    FunctionInterface,
    FungibleTokenEvent,
    MapInterface,
    MinedNonce,
    NodeHealth,
    NodeInfo,
    NodeTransaction,
    Nonces,
    NonFungibleTokenEvent,
    NonFungibleTokenInterface,
    OtherEvent,
    PoxCycle,
    PoxInfo,
    Simulation,
    StxEvent,
    TransactionInfo,
    TransactionReceipt,
    TransactionStatus,
    UnconfirmedTransaction,
    VariableInterface,
)
from der_client.stacks.rpc.retries import RetryPolicy
from der_client.stacks.rpc.watching import BlockUpdate, LogUpdate

if TYPE_CHECKING:
    from der_client.stacks.rpc.async_client import AsyncClient

__all__ = [
    "AccountInfo",
    "ArgumentInterface",
    "AsyncClient",
    "Balances",
    "Block",
    "BlockPage",
    "BlockUpdate",
    "Client",
    "ContractInterface",
    "ContractLogEvent",
    "ContractLogPage",
    "ContractSource",
    "Endpoint",
    "Epoch",
    "Event",
    "ExecutionCost",
    "FeeEstimate",
    "FunctionInterface",
    "FungibleTokenEvent",
    "HttpResponse",
    "LogUpdate",
    "MapInterface",
    "MinedNonce",
    "NodeHealth",
    "NodeInfo",
    "NodeTransaction",
    "NonFungibleTokenEvent",
    "NonFungibleTokenInterface",
    "Nonces",
    "Notice",
    "OtherEvent",
    "PoxCycle",
    "PoxInfo",
    "Request",
    "RetryPolicy",
    "Simulation",
    "StxEvent",
    "TransactionInfo",
    "TransactionReceipt",
    "TransactionStatus",
    "UnconfirmedTransaction",
    "VariableInterface",
]


def __getattr__(name: str) -> Any:
    """Import the asynchronous client when it is first used: asyncio is slow to import."""
    if name != "AsyncClient":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from der_client.stacks.rpc.async_client import AsyncClient  # noqa: PLC0415

    return AsyncClient
