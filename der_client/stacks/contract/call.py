"""The steps of a contract call, each usable by itself.

``call.simulate()`` → ``call.transaction()`` → ``.sign(key)`` → ``pending = call.send()`` →
``receipt = pending.wait()``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Protocol, TypeVar

from der_client.stacks.contract.movements import exact_conditions
from der_client.stacks.contract.showing import html_table
from der_client.stacks.contract.unsent import Unsent, use
from der_client.stacks.errors import SigningError, TraceUnavailableError, whole
from der_client.stacks.transactions import ContractCall, PostConditionMode, Transaction
from der_client.stacks.transactions.lazy import lazy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from der_client.stacks.account import Account, PendingTransaction
    from der_client.stacks.clarity import ClarityValue
    from der_client.stacks.contract.codecs import Signature
    from der_client.stacks.contract.events import Event, UnknownEvent
    from der_client.stacks.contract.movements import AssetEvent
    from der_client.stacks.rpc import AsyncClient, Client
    from der_client.stacks.rpc.responses import ExecutionCost, StxEvent, TransactionReceipt
    from der_client.stacks.rpc.trace import TransactionTrace
    from der_client.stacks.transactions import PostCondition

R = TypeVar("R")


class Declaration(Protocol):
    """A call's view of the declared function: its name in Clarity, the method, and the codecs."""

    name: str
    function: Callable[..., Any]

    @property
    def signature(self) -> Signature:
        """The codecs of parameters and result."""


class BoundContract(Protocol):
    """What a call and a declared function need from the contract: its id, the account, and the outcome of a call."""

    name: str
    contract_id: str

    def require_account(self) -> Account:
        """Return the account that signs."""

    def require_async_client(self) -> AsyncClient:
        """Return the client for an event loop."""

    def ask(self, declared: Any, arguments: tuple[ClarityValue, ...]) -> Any:
        """Read something."""

    async def ask_async(self, declared: Any, arguments: tuple[ClarityValue, ...]) -> Any:
        """Read something without blocking the event loop."""

    def simulate(
        self, call: Call[R], *, post_conditions: Sequence[PostCondition] | None, mode: PostConditionMode
    ) -> Receipt[R]:
        """Run a call without changing anything."""

    def receipt(self, declared: Any, info: TransactionReceipt, arguments: tuple[ClarityValue, ...]) -> Receipt[Any]:
        """Return the receipt of a mined call."""


@dataclass(frozen=True, slots=True)
class Receipt(Generic[R]):
    """The result of a successful call.

    Attributes:
        value: What the function returned in ``(ok …)``, typed.
        events: What the contracts printed, typed, in order.
        transfers: The STX that moved (besides the fee), in order.
        moved: Everything that moved (besides the fee): STX, fungible and non-fungible tokens, in order.
        txid: The transaction's id; empty for a simulation.
        fee_ustx: The fee that was paid, µSTX.
        cost: The execution cost; ``None`` where the API does not say.
        block_height: The block's height; ``None`` for a simulation.
        block_time: The block's time, UTC; ``None`` for a simulation.
        client: The node that it was read from; ``None`` for a simulation.
    """

    value: R
    events: tuple[Event | UnknownEvent, ...]
    transfers: tuple[StxEvent, ...]
    moved: tuple[AssetEvent, ...]
    txid: str
    fee_ustx: int
    cost: ExecutionCost | None
    block_height: int | None
    block_time: datetime | None
    client: Client | None = field(default=None, repr=False, compare=False)

    def trace(self) -> TransactionTrace:
        """Return what it did, call by call: places in the source, arguments, results and costs (embedded devnet only).

        Raises:
            TraceUnavailableError: If the node is not an embedded devnet, or this is the receipt of a simulation.
            NotFoundError: If the transaction is no longer in the chain.
        """
        if self.client is None:
            raise TraceUnavailableError("a simulation cannot be traced; send the call, and trace its receipt")
        return self.client.trace(self.txid)

    def _repr_html_(self) -> str:
        """Return a table, for notebooks."""
        return html_table("Receipt", {each.name: getattr(self, each.name) for each in fields(self) if each.repr})


class Pending(Generic[R]):
    """A call that was sent, to wait for."""

    def __init__(self, call: Call[R], transaction: PendingTransaction) -> None:
        self._call = call
        self._transaction = transaction

    @property
    def txid(self) -> str:
        """The transaction's id, known before it was sent."""
        return self._transaction.txid

    def wait(self, timeout_s: float = 120.0, *, confirmations: int = 1) -> Receipt[R]:
        """Wait until the call is mined; safe to repeat after a timeout.

        Args:
            timeout_s: How long, in seconds.
            confirmations: How many blocks of the current fork must contain it: its own, and those on top of it.

        Raises:
            ContractError: If the contract returned ``(err uN)``.
            PostConditionAbortedError: If a post-condition was not met; its `sentence` and `unmet` say which.
            RuntimeAbortedError: If the contract hit a runtime error.
            TransactionDroppedError: If it left the mempool without being mined.
            UnexpectedResultError: If it succeeded, but its result is not of the declared type.
            ConfirmationTimeoutError: If it was not mined in time; the outcome is unknown.
        """
        mined = self._transaction.wait_any(timeout_s, confirmations=confirmations)
        return self.read_receipt(mined)

    def read_receipt(self, mined: TransactionReceipt) -> Receipt[R]:
        """Turn the API's answer for the mined transaction into the typed receipt.

        Args:
            mined: The mined transaction, as from `transaction`.

        Raises:
            TransactionFailedError: As for `wait`.
        """
        return self._call.contract.receipt(self._call.declared, mined, self._call.arguments)

    @property
    def transaction(self) -> PendingTransaction:
        """The transaction itself: its signed bytes, and its current state in the API."""
        return self._transaction

    if not TYPE_CHECKING:  # type checkers should still report missing attributes

        def __getattr__(self, name: str) -> NoReturn:
            """Name the missing step when an attribute is requested that only a receipt has."""
            step = f"; it is an attribute of the receipt: .wait().{name}" if name in Receipt.__slots__ else ""
            raise AttributeError(f"a pending call has no attribute {name!r}{step}", name=name, obj=self)

    def __rich_repr__(self) -> Iterator[tuple[str, object]]:
        """Yield what rich shows."""
        yield "function", self._call.declared.name
        yield "txid", self.txid

    @whole
    def __repr__(self) -> str:
        return f"Pending({self._call.declared.name}, txid={self.txid})"

    def _repr_html_(self) -> str:
        """Return a table, for notebooks."""
        return html_table("Pending", {"function": self._call.declared.name, "txid": self.txid, "next": ".wait()"})


class Call(Unsent, Generic[R]):
    """A prepared call of a public function; nothing is signed or sent until you ask for it.

    Attributes:
        contract: The contract that is called.
        declared: The function.
    """

    def __init__(
        self,
        contract: BoundContract,
        declared: Declaration,
        arguments: tuple[ClarityValue, ...],
        moves: Callable[[], Sequence[PostCondition]] | None,
    ) -> None:
        self.contract = contract
        self.declared = declared
        self._arguments = arguments
        self._moves = moves
        self._is_used = False

    @property
    def arguments(self) -> tuple[ClarityValue, ...]:
        """The arguments as Clarity values."""
        self._is_used = True
        return self._arguments

    @lazy
    def payload(self) -> ContractCall:
        """Return the call as a transaction's payload."""
        self._is_used = True
        return ContractCall(self.contract.contract_id, self.declared.name, self.arguments)

    @cached_property
    def post_conditions(self) -> tuple[PostCondition, ...]:
        """What may move, computed once; anything else aborts (deny mode)."""
        self._is_used = True
        return tuple(self._moves()) if self._moves else ()

    @use
    def simulate(
        self,
        *,
        post_conditions: Sequence[PostCondition] | None = None,
        mode: PostConditionMode = PostConditionMode.DENY,
    ) -> Receipt[R]:
        """Run the call on the current state without changing anything.

        Args:
            post_conditions: Conditions instead of those that the function declares.
            mode: How to treat assets that no post-condition names.

        Raises:
            SimulationUnavailableError: If the node is not an embedded devnet.
            ContractError, PostConditionAbortedError, RuntimeAbortedError: As the call itself would raise.
        """
        return self.contract.simulate(self, post_conditions=post_conditions, mode=mode)

    def tighten(self) -> Call[R]:
        """Return the same call with post-conditions that allow exactly what moves in a simulation now.

        Raises:
            SimulationUnavailableError: If the node is not an embedded devnet.
            ContractError, RuntimeAbortedError: As the call itself would raise.
        """
        moved = self.simulate(post_conditions=(), mode=PostConditionMode.ALLOW).moved
        conditions = exact_conditions(moved, self.contract.require_account().address)
        return Call(self.contract, self.declared, self.arguments, lambda: conditions)

    @use
    def transaction(
        self,
        *,
        nonce: int | None = None,
        fee_ustx: int | None = None,
        post_conditions: Sequence[PostCondition] | None = None,
        mode: PostConditionMode = PostConditionMode.DENY,
    ) -> Transaction:
        """Return the unsigned transaction.

        Args:
            nonce: The account's next one if not given.
            fee_ustx: By the account's fee policy if not given.
            post_conditions: Conditions instead of those that the function declares.
            mode: How to treat assets that no post-condition names.

        Raises:
            AddressError: If an argument is an address of another network.
        """
        account = self.contract.require_account()
        return account.build(
            self.payload, post_conditions=self._conditions(post_conditions), mode=mode, nonce=nonce, fee_ustx=fee_ustx
        )

    def _conditions(self, given: Sequence[PostCondition] | None) -> Sequence[PostCondition]:
        return self.post_conditions if given is None else given

    @use
    def send(
        self,
        signed: Transaction | None = None,
        *,
        nonce: int | None = None,
        fee_ustx: int | None = None,
        post_conditions: Sequence[PostCondition] | None = None,
        mode: PostConditionMode = PostConditionMode.DENY,
        replaces: bool = False,
    ) -> Pending[R]:
        """Sign with the account's key and send.

        Args:
            signed: A transaction of this call that was signed elsewhere; it is sent as it is, without other arguments.
            nonce: As for ``transaction``.
            fee_ustx: As for ``transaction``.
            post_conditions: As for ``transaction``.
            mode: As for ``transaction``.
            replaces: Whether to replace the transaction with the same nonce that is on its way; give ``nonce``, too.

        Raises:
            SigningError: If the signed transaction is not for this call.
            TransactionRejectedError: If the node refused it; nothing is in the mempool.
            NodeUnreachableError: If there is no answer, and the node does not know the transaction.
        """
        account = self.contract.require_account()
        if signed is None:
            sent = account.submit(
                self.payload,
                post_conditions=self._conditions(post_conditions),
                mode=mode,
                nonce=nonce,
                fee_ustx=fee_ustx,
                replaces=replaces,
            )
            return Pending(self, sent)
        if isinstance(signed, Transaction) and signed.payload != self.payload:
            raise SigningError(f"the signed transaction is not this call of {self.declared.name}")
        return Pending(self, account.send(signed, replaces=replaces))

    if not TYPE_CHECKING:  # type checkers should still report missing attributes

        def __getattr__(self, name: str) -> NoReturn:
            """Name the missing steps when an attribute is requested that only a sent call or a receipt has."""
            self._is_used = True  # the error says what is missing
            step = ""
            if name == "wait":
                step = "; it was not sent: .send().wait()"
            elif name in Receipt.__slots__:
                step = f"; it is an attribute of the receipt: .send().wait().{name}"
            raise AttributeError(f"a call has no attribute {name!r}{step}", name=name, obj=self)

    def __rich_repr__(self) -> Iterator[tuple[str, object]]:
        """Yield what rich shows."""
        self._is_used = True
        yield "function", f"{self.contract.contract_id}.{self.declared.name}"
        for name, value in self._named_arguments():
            yield name, str(value)

    def _named_arguments(self) -> Iterator[tuple[str, ClarityValue]]:
        parameters = self.declared.signature.parameters
        return ((name, value) for (_, name, _), value in zip(parameters, self._arguments, strict=True))

    @whole
    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value}" for name, value in self._named_arguments())
        return f"Call({self.contract.name}.{self.declared.name}({shown}))"

    def _repr_html_(self) -> str:
        """Return a table, for notebooks."""
        self._is_used = True
        rows = {"contract": self.contract.contract_id, "function": self.declared.name, **dict(self._named_arguments())}
        return html_table("Call", {**rows, "next": ".simulate() or .send()"})
