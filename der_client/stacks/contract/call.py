"""The life of a contract call, one step at a time, each usable alone.

``call.simulate()`` → ``call.transaction()`` → ``.sign(key)`` → ``pending = call.send()`` →
``receipt = pending.wait()``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from der_client.stacks.address import check_network
from der_client.stacks.clarity import principals
from der_client.stacks.errors import SigningError
from der_client.stacks.transactions import ContractCall
from der_client.stacks.transactions.lazy import lazy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from der_client.stacks.account import PendingTransaction
    from der_client.stacks.clarity import ClarityValue
    from der_client.stacks.contract.contract import Contract
    from der_client.stacks.contract.declared import PublicFunction
    from der_client.stacks.contract.events import Event, UnknownEvent
    from der_client.stacks.network import Network
    from der_client.stacks.rpc.answers import ExecutionCost, StxEvent
    from der_client.stacks.transactions import PostCondition, Transaction

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Receipt(Generic[R]):
    """What a successful call did.

    Attributes:
        value: What the function returned in ``(ok …)``, typed.
        events: What the contracts printed, typed, in order.
        transfers: The STX that moved (besides the fee), in order.
        txid: The transaction's id; empty for a simulation.
        fee_ustx: The fee that was taken.
        cost: What the execution cost; ``None`` where the API does not say.
        block_height: Of the block; ``None`` for a simulation.
        block_time: Of the block, UTC; ``None`` for a simulation.
    """

    value: R
    events: tuple[Event | UnknownEvent, ...]
    transfers: tuple[StxEvent, ...]
    txid: str
    fee_ustx: int
    cost: ExecutionCost | None
    block_height: int | None
    block_time: datetime | None


class Pending(Generic[R]):
    """A call that was sent and whose outcome is awaited."""

    def __init__(self, call: Call[R], transaction: PendingTransaction) -> None:
        self._call = call
        self._transaction = transaction

    @property
    def txid(self) -> str:
        """The transaction's id, known before it was sent."""
        return self._transaction.txid

    def wait(self, timeout_s: float = 120.0, *, confirmations: int = 1) -> Receipt[R]:
        """Wait until the call is mined; safe to repeat after a time-out.

        Args:
            timeout_s: How long, in seconds.
            confirmations: How many blocks of the present fork must hold it: its own, and those on top of it.

        Raises:
            ContractError: the contract answered ``(err uN)``.
            PostConditionAbortedError: a post-condition was not met; its `sentence` and `unmet` say which.
            RuntimeAbortedError: the contract hit a runtime error.
            TransactionDroppedError: it left the mempool without being mined.
            ConfirmationTimeoutError: not mined in time; the outcome is unknown.
        """
        mined = self._transaction.wait_any(timeout_s, confirmations=confirmations)
        return self._call.contract.receipt(self._call.declared, mined)

    def __repr__(self) -> str:
        return f"Pending({self._call.declared.name}, txid={self.txid})"


class Call(Generic[R]):
    """A prepared call of a public function; nothing is signed or sent until asked for.

    Attributes:
        contract: The contract that is called.
        declared: The function.
        arguments: The arguments as Clarity values.
    """

    def __init__(
        self,
        contract: Contract,
        declared: PublicFunction[Any, R],
        arguments: tuple[ClarityValue, ...],
        moves: Callable[[], Sequence[PostCondition]] | None,
    ) -> None:
        self.contract = contract
        self.declared = declared
        self.arguments = arguments
        self._moves = moves

    @lazy
    def payload(self) -> ContractCall:
        """The call as a transaction's payload."""
        return ContractCall(self.contract.contract_id, self.declared.name, self.arguments)

    @cached_property
    def post_conditions(self) -> tuple[PostCondition, ...]:
        """What may move, worked out once; everything else aborts (deny mode)."""
        return tuple(self._moves()) if self._moves else ()

    def simulate(self) -> Receipt[R]:
        """Run the call on the present state without changing anything.

        Raises:
            SimulationUnavailableError: the node is no embedded devnet.
            ContractError, PostConditionAbortedError, RuntimeAbortedError: as the call itself would.
        """
        return self.contract.simulate(self)

    def transaction(self, *, nonce: int | None = None, fee_ustx: int | None = None) -> Transaction:
        """The unsigned transaction.

        Args:
            nonce: The account's next one if not given.
            fee_ustx: By the account's fee policy if not given.

        Raises:
            AddressError: an argument is an address of another network.
        """
        account = self.contract.require_account()
        self._check_principals(account.network)
        return account.build(self.payload, post_conditions=self.post_conditions, nonce=nonce, fee_ustx=fee_ustx)

    def _check_principals(self, network: Network) -> None:
        """Refuse principals of another network anywhere among the arguments: they would name nobody here."""
        for principal in principals(self.arguments):
            check_network(principal.text, network, f"argument of {self.declared.function.__name__}")

    def send(
        self, signed: Transaction | None = None, *, nonce: int | None = None, fee_ustx: int | None = None
    ) -> Pending[R]:
        """Sign with the account's key and send.

        Args:
            signed: A transaction of this call that was signed elsewhere; it is sent as it is.
            nonce: As for :meth:`transaction`.
            fee_ustx: As for :meth:`transaction`.

        Raises:
            TransactionRejectedError: the node refused it; nothing is in the mempool.
            NodeUnreachableError: no answer, and the node does not know the transaction.
        """
        account = self.contract.require_account()
        if signed is None:
            self._check_principals(account.network)
            sent = account.submit(self.payload, post_conditions=self.post_conditions, nonce=nonce, fee_ustx=fee_ustx)
            return Pending(self, sent)
        if signed.payload != self.payload:
            raise SigningError(f"the signed transaction is not this call of {self.declared.name}")
        return Pending(self, account.send(signed))

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}={value}"
            for (_, name, _), value in zip(self.declared.signature.parameters, self.arguments, strict=True)
        )
        return f"Call({self.contract.name}.{self.declared.name}({shown}))"
