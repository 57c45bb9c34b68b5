"""The cost of a call, and how many such calls fit into a tenure."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any, Final

from der_client.stacks.clarity import encode
from der_client.stacks.fees import MIN_USTX_PER_BYTE
from der_client.stacks.rpc.responses import ExecutionCost

if TYPE_CHECKING:
    from der_client.stacks.contract.call import Call
    from der_client.stacks.transactions import Transaction

# The total cost of the transactions of one tenure before it is extended: before epoch 4.0 (SIP-012), and in epoch 4.0,
# where reads are doubled.
BEFORE_EPOCH_4: Final = ExecutionCost(
    read_count=15_000,
    read_length_bytes=100_000_000,
    runtime=5_000_000_000,
    write_count=15_000,
    write_length_bytes=15_000_000,
)
EPOCH_4: Final = ExecutionCost(
    read_count=30_000,
    read_length_bytes=200_000_000,
    runtime=5_000_000_000,
    write_count=15_000,
    write_length_bytes=15_000_000,
)


@dataclass(frozen=True, slots=True)
class CallCost:
    """The cost of a successful call.

    Attributes:
        contract: The contract's name.
        function: The function's name.
        variant: Its case, such as ``96 slots``; empty if there is only one.
        cost: The five dimensions, as the VM counted them.
        argument_bytes: The length of the encoded arguments.
        transaction_bytes: The length of the whole transaction, including signature and post-conditions.
        readings: The number of meter readings that the call recorded; 0 if it does not record any.
    """

    contract: str
    function: str
    variant: str
    cost: ExecutionCost
    argument_bytes: int
    transaction_bytes: int
    readings: int = 0

    @classmethod
    def of(
        cls, call: Call[Any], transaction: Transaction, cost: ExecutionCost, variant: str, readings: int
    ) -> CallCost:
        """Return the cost of a call that was run by this transaction."""
        return cls(
            contract=call.contract.name,
            function=call.declared.name,
            variant=variant,
            cost=cost,
            argument_bytes=sum(len(encode(argument)) for argument in call.arguments),
            transaction_bytes=transaction.estimated_length,
            readings=readings,
        )

    @property
    def name(self) -> str:
        """Function and variant: ``record-day, 96 slots``."""
        return f"{self.function}, {self.variant}" if self.variant else self.function

    @property
    def counts(self) -> tuple[int, int]:
        """The counts of reads and writes: exact, and the same on every machine."""
        return self.cost.read_count, self.cost.write_count

    @property
    def floor_fee_ustx(self) -> int:
        """The minimum fee that a node accepts, µSTX."""
        return MIN_USTX_PER_BYTE * self.transaction_bytes

    def calls_per_tenure(self, limit: ExecutionCost) -> int:
        """Return how many such calls fit into a tenure, limited by the dimension that is used up first."""
        return min(
            most // used for most, used in zip(_dimensions(limit), _dimensions(self.cost), strict=True) if used > 0
        )

    def units_per_tenure(self, limit: ExecutionCost) -> int:
        """Return how many readings such calls record in a tenure; for calls that record none, the number of calls."""
        return self.calls_per_tenure(limit) * (self.readings or 1)


def _dimensions(cost: ExecutionCost) -> tuple[int, ...]:
    return astuple(cost)
