"""Lists too long for one call: split into calls, with their cost before anything is sent.

``series = market.offer_days(…)`` → ``series.cost()`` → ``pending = series.send()`` → ``outcomes = pending.wait()``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from der_client.stacks.contract.call import Call, Pending
from der_client.stacks.contract.unsent import Unsent, held
from der_client.stacks.errors import (
    BroadcastUnknownError,
    ConfirmationTimeoutError,
    ContractError,
    DerClientError,
    InvalidValueError,
    NodeResponseError,
    NotFoundError,
    SimulationUnavailableError,
    TransactionDroppedError,
    TransactionFailedError,
    whole,
)
from der_client.stacks.transactions import ORIGIN, StxPostCondition

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from der_client.stacks.contract import Contract
    from der_client.stacks.contract.annotations import Response
    from der_client.stacks.contract.errors import ErrorCode

I = TypeVar("I")  # noqa: E741 - an item


@dataclass(frozen=True, slots=True)
class SeriesCost:
    """The cost of a series of calls if it is sent now.

    Attributes:
        calls: How many transactions there are.
        fees_ustx: Their total fees, µSTX, by the account's fee policy.
        sends_ustx: The most that can leave the account besides the fees, µSTX, by the post-conditions.
        reads: How many reads they need in total, of the 15,000 (from epoch 4.0 on 30,000) of a tenure: simulated on an
            embedded devnet, elsewhere the node's estimate; ``None`` if it has none.
    """

    calls: int
    fees_ustx: int
    sends_ustx: int
    reads: int | None


@dataclass(frozen=True, slots=True)
class ItemOutcome(Generic[I]):
    """The outcome of one item.

    Attributes:
        item: The item.
        number: The id from the contract, such as the offer's or the payment's; ``None`` if there is an error.
        txid: The transaction with the item; empty if it was not sent.
        error: Why there is no number: the contract refused the item or the call, or the call was not sent, or not
            mined in time (`ConfirmationTimeoutError`: then the outcome is unknown, and `wait` may be called again).
    """

    item: I
    number: int | None
    txid: str
    error: DerClientError | None

    @property
    def is_ok(self) -> bool:
        """Whether it has a number."""
        return self.error is None


class CallSeries(Unsent, Generic[I]):
    """Calls for a list of any length; nothing is signed or sent before ``send``.

    Attributes:
        items: All items, in order.
        contract: The contract that is called.
    """

    def __init__(
        self,
        contract: Contract,
        items: Sequence[I],
        size: int,
        make: Callable[[Sequence[I]], Call[tuple[Response[int], ...]]],
    ) -> None:
        self.contract = contract
        self.items = tuple(items)
        self._size = size
        self._make = make
        self._is_used = False

    @property
    def parts(self) -> tuple[tuple[I, ...], ...]:
        """The items of each call."""
        return tuple(self.items[first : first + self._size] for first in range(0, len(self.items), self._size))

    @cached_property
    def calls(self) -> tuple[Call[tuple[Response[int], ...]], ...]:
        """The calls, to send them in another way, e.g. through an outbox; one id or error for each item.

        Raises:
            EncodeError: If an item cannot be encoded.
        """
        self._is_used = True
        return tuple(held(self._make(part)) for part in self.parts)

    def cost(self) -> SeriesCost:
        """Return what sending costs now, with each call computed as if it were the only one.

        Raises:
            SigningError: If the contract was opened without an account.
            InvalidValueError: If a fee would be above the cap.
            ContractError: If the contract would refuse a whole call (known on an embedded devnet).
            NodeError: If the node could not be reached.
        """
        self._is_used = True
        account = self.contract.require_account()
        reads = [self._reads(call) for call in self.calls]
        return SeriesCost(
            calls=len(self.calls),
            fees_ustx=sum(call.transaction(nonce=account.next_nonce()).fee for call in self.calls),
            sends_ustx=sum(
                condition.amount
                for call in self.calls
                for condition in call.post_conditions
                if isinstance(condition, StxPostCondition) and condition.principal == ORIGIN
            ),
            reads=None if None in reads else sum(number for number in reads if number is not None),
        )

    def _reads(self, call: Call[tuple[Response[int], ...]]) -> int | None:
        try:
            cost = call.simulate().cost
        except SimulationUnavailableError:
            pass
        else:
            return None if cost is None else cost.read_count
        try:
            estimate = self.contract.client.estimate_fee(call.payload.encode(), call.transaction().estimated_length)
        except (NodeResponseError, NotFoundError):
            return None
        return None if estimate is None else estimate.cost.read_count

    def send(self) -> PendingSeries[I]:
        """Sign and send all calls, one after the other, without waiting between them.

        If one of them cannot be sent, or it is unknown whether it was, none after it is sent; those before it are on
        their way, and `wait` returns outcomes for all.

        Raises:
            SigningError: If the contract was opened without an account.
            DerClientError: If the first call could not be sent.
        """
        self._is_used = True
        sent: list[Pending[tuple[Response[int], ...]]] = []
        error = None
        for call in self.calls:
            try:
                sent.append(call.send())
            except BroadcastUnknownError as problem:
                sent.append(Pending(call, self.contract.require_account().pending(problem.txid)))
                error = _unsent(problem)
                break
            except DerClientError as problem:
                if not sent:
                    raise
                error = _unsent(problem)
                break
        return PendingSeries(self, sent, error)

    @whole
    def __repr__(self) -> str:
        return f"CallSeries({self.contract.name}, {len(self.items)} items in {len(self.parts)} calls)"


class PendingSeries(Generic[I]):
    """Calls that were sent, to wait for.

    Attributes:
        pending: What was sent, in order: each can be waited for alone.
        error: Why the rest was not sent; ``None`` if all were sent.
    """

    def __init__(
        self, series: CallSeries[I], pending: Sequence[Pending[tuple[Response[int], ...]]], error: DerClientError | None
    ) -> None:
        self._series = series
        self.pending = tuple(pending)
        self.error = error

    def wait(self, timeout_s: float = 120.0) -> tuple[ItemOutcome[I], ...]:
        """Wait for all calls, and return the outcome of each item, in order. It may be called again.

        Args:
            timeout_s: How long for each call, in seconds.

        Raises:
            NodeError: If the node could not be reached.
        """
        outcomes: list[ItemOutcome[I]] = []
        for part, pending in zip(self._series.parts, self.pending, strict=False):
            try:
                answers = pending.wait(timeout_s).value
            except (TransactionFailedError, TransactionDroppedError, ConfirmationTimeoutError) as error:
                outcomes += [ItemOutcome(item, None, pending.txid, error) for item in part]
            else:
                outcomes += [
                    self._outcome(item, answer, pending.txid) for item, answer in zip(part, answers, strict=True)
                ]
        unsent = self._series.items[len(outcomes) :]
        return (*outcomes, *(ItemOutcome(item, None, "", self.error) for item in unsent))

    def _outcome(self, item: I, answer: Response[int], txid: str) -> ItemOutcome[I]:
        if answer.error_code is None:
            return ItemOutcome(item, answer.value, txid, None)
        return ItemOutcome(item, None, txid, self._refusal(item, answer.error_code, txid))

    def _refusal(self, item: I, code: int, txid: str) -> ContractError:
        contract, function = self._series.contract, self._series.calls[0].declared.name
        error = _known(contract, code)
        what = f"u{code}" if error is None else f"{error.name} (u{code}): {error.reason}"
        return ContractError(
            f"{contract.name}.{function}, {item!r}: {what} (txid {txid})",
            txid,
            contract=contract.contract_id,
            function=function,
            name=None if error is None else error.name,
            code=code,
            error=error,
        )

    @whole
    def __repr__(self) -> str:
        return (
            f"PendingSeries({self._series.contract.name}, {len(self.pending)} of {len(self._series.parts)} calls sent)"
        )


def _unsent(problem: DerClientError) -> DerClientError:
    error = DerClientError(f"not sent, because an earlier call failed: {problem}")
    error.__cause__ = problem
    return error


def _known(contract: Contract, code: int) -> ErrorCode | None:
    """Return the error of a code, from the contract or one that it calls."""
    errors = (error for member in type(contract).family() for enum in member.error_codes for error in enum)
    return next((error for error in errors if error == code), None)


def require_items(items: Sequence[I], name: str) -> Sequence[I]:
    """Refuse an empty list.

    Raises:
        InvalidValueError: If it is empty.
    """
    if not items:
        raise InvalidValueError(f"{name} is empty: there is nothing to send")
    return items
