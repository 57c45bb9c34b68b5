"""What a mined transaction did, call by call (``GET /devnet/trace/{txid}``, embedded devnet only)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Final

from der_client.stacks.errors import NotFoundError, TraceUnavailableError
from der_client.stacks.rpc.endpoint import Endpoint, HttpResponse, Request
from der_client.stacks.rpc.fields import Flag, Hash, Unsigned, at
from der_client.stacks.rpc.node import check_txid

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_SUCH_PATH: Final = frozenset({403, 404, 405, 501})


@dataclass(frozen=True, slots=True)
class TracedCall:
    """A call of a function, and everything that it called, except what ``map``, ``fold`` and ``filter`` called.

    Attributes:
        contract_id: The contract that was called.
        function: Its name.
        expression: The call in the source; empty for the outermost.
        line: The line of that; ``None`` for the outermost.
        column: The column of that; ``None`` for the outermost.
        caller_id: The contract of that; ``None`` for the outermost.
        arguments: Their values as Clarity text; ``None`` if there are none.
        result: Its result as Clarity text; ``None`` if the call did not return.
        events: What it printed and moved itself, as text.
        runtime: Its cost, including the calls that it made; ``None`` if the same expression was evaluated several
            times.
        calls: The calls that it made, in order.
    """

    contract_id: Annotated[str, at("contract")]
    function: str
    expression: str
    line: Annotated[Unsigned | None, at("at.line", default=None)]
    column: Annotated[Unsigned | None, at("at.column", default=None)]
    caller_id: Annotated[str | None, at("at.contract", default=None)]
    arguments: Annotated[str | None, at("args", default=None)]
    result: Annotated[str | None, at("result", default=None)]
    events: tuple[str, ...]
    runtime: Annotated[Unsigned | None, at("runtime", default=None)]
    calls: tuple[TracedCall, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class TransactionTrace:
    """What a transaction did; ``print`` it to see the calls with their places, arguments, results and costs.

    Attributes:
        txid: The transaction's id.
        block_height: Its block's height.
        status: Its outcome, such as ``success``.
        vm_error: The VM's error, if there was one.
        call: The call; ``None`` for transactions that are not contract calls.
        is_truncated: Whether it was too long to be shown in full.
    """

    txid: Annotated[Hash, at("tx_id")]
    block_height: Unsigned
    status: str
    vm_error: Annotated[str | None, at("vm_error", default=None)]
    call: Annotated[TracedCall | None, at("call", default=None)] = field(repr=False)
    is_truncated: Annotated[Flag, at("truncated")]

    def __str__(self) -> str:
        """Show the tree of calls."""
        head = f"{self.txid} in block {self.block_height}: {self.status}"
        lines = [] if self.call is None else list(_lines(self.call, 0))
        error = [] if self.vm_error is None else [self.vm_error.strip()]
        return "\n".join([head, *lines, *error, *(["… (truncated)"] if self.is_truncated else [])])


def _lines(call: TracedCall, depth: int) -> Iterator[str]:
    place = "" if call.line is None else f"  {(call.caller_id or '').partition('.')[2]}:{call.line}:{call.column}"
    cost = "" if call.runtime is None else f"  runtime {call.runtime}"
    name = f"{call.contract_id.partition('.')[2]}.{call.function}"
    indent = "  " * depth
    yield f"{indent}{name}({call.arguments or ''}){place}{cost}"
    yield from (f"{indent}  * {event}" for event in call.events)
    for inner in call.calls:
        yield from _lines(inner, depth + 1)
    yield f"{indent}= {'(did not return)' if call.result is None else call.result}"


@dataclass(frozen=True, slots=True)
class _Refused:
    error: str


def trace(txid: str) -> Endpoint[TransactionTrace]:
    """``GET /devnet/trace/{txid}``.

    Args:
        txid: The transaction's id, 64 hexadecimal digits.
    """
    return Endpoint(Request("GET", f"/devnet/trace/{check_txid(txid)}"), _read_trace)


def _read_trace(response: HttpResponse) -> TransactionTrace:
    if response.status in _NO_SUCH_PATH:
        if b"not in this chain" in response.body or b"not mined yet" in response.body:
            raise NotFoundError(response.read_any_status(_Refused).error, response.url)
        raise TraceUnavailableError(
            f"the node at {response.url} cannot trace; use the embedded devnet (der_client.Devnet) for it"
        )
    return response.read(TransactionTrace)
