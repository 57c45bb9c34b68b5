"""The base of typed contract clients.

A contract is a class; its functions are declared methods::

    class Counter(Contract, name="counter", errors=CounterError):
        @read_only
        def get_count(self) -> UInt: ...

        @public
        def increment(self, by: UInt) -> UInt: ...
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, TypeVar

from der_client.stacks.account import Account
from der_client.stacks.address import split_principal
from der_client.stacks.checks import check_kind
from der_client.stacks.clarity import ErrValue, UIntValue, check_contract_name, decode, encode
from der_client.stacks.clarity.wire import MAX_ARGUMENT_DEPTH
from der_client.stacks.contract.call import Call, Receipt
from der_client.stacks.contract.declared import DeclaredFunction, public, read_only
from der_client.stacks.contract.events import Event, EventRecord, UnknownEvent, read_event, read_record
from der_client.stacks.errors import (
    AddressError,
    ContractError,
    DecodeError,
    NodeAnswerError,
    SigningError,
    TransactionFailedError,
    shown,
)
from der_client.stacks.outcome import OutcomeKind, outcome_of, read_outcome
from der_client.stacks.rpc import answers as rpc
from der_client.stacks.rpc import node

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from der_client.stacks.clarity import ClarityValue
    from der_client.stacks.contract.errors import ErrorCode
    from der_client.stacks.outcome import Outcome
    from der_client.stacks.rpc import Client, TransactionReceipt

__all__ = ["Contract", "public", "read_only"]

R = TypeVar("R")
_ERR: Final = b"\x08"


class Contract:
    """A contract on a network, as one account sees it.

    A subclass names itself: ``class Counter(Contract, name="counter", errors=CounterError, events=(Counted,))``.

    Args:
        client: The node.
        deployer: The address that deployed the contract.
        account: Who signs; without one, only reading works.

    Attributes:
        contract_id: ``DEPLOYER.name``.
    """

    name: ClassVar[str]
    errors: ClassVar[type[ErrorCode] | None]
    event_models: ClassVar[Mapping[str, type[Event]]]
    callees: ClassVar[tuple[type[Contract], ...]]
    functions: ClassVar[Mapping[str, DeclaredFunction[..., Any]]]
    client: Client
    deployer: str
    account: Account | None
    contract_id: str

    def __init_subclass__(
        cls,
        *,
        name: str,
        errors: type[ErrorCode] | None = None,
        events: Sequence[type[Event]] = (),
        callees: Sequence[type[Contract]] = (),
    ) -> None:
        """Declare a contract.

        Args:
            name: Its name on chain.
            errors: Its error codes.
            events: What it prints.
            callees: The contracts of the same deployer that it calls, whose errors and events reach the caller.

        Raises:
            TypeError: Two methods declare the same function, or one has a name that this class needs for itself.
        """
        super().__init_subclass__()
        functions = _functions_of(cls)
        cls.name = check_contract_name(name)
        cls.errors = errors
        cls.event_models = {event.topic: event for event in events}
        cls.callees = tuple(callees)
        cls.functions = functions

    def __init__(self, client: Client, deployer: str, account: Account | None = None) -> None:
        address, name = split_principal(deployer)
        if name is not None:
            raise AddressError(f"deployer takes an address, not the contract {deployer!r}")
        if account is not None:
            check_kind(account, Account, "account", "of a key, Account(key, client)")
        self.client = client
        self.deployer = address
        self.account = account
        self.contract_id = f"{address}.{self.name}"
        self._family = {f"{address}.{member.name}": member for member in self.family()}

    @classmethod
    def family(cls) -> Iterator[type[Contract]]:
        """This contract and all that it calls, directly or not."""
        yield cls
        for callee in cls.callees:
            yield from callee.family()

    def with_account(self, account: Account) -> Self:
        """The same contract for another account."""
        return type(self)(self.client, self.deployer, account)

    def require_account(self) -> Account:
        """The account that signs.

        Raises:
            SigningError: the contract was opened without one.
        """
        if self.account is None:
            raise SigningError(f"{self.name} was opened without an account, so it can only be read: connect with one")
        return self.account

    def events(self, since: int | datetime | None = None) -> Iterator[EventRecord]:
        """Everything the contract printed, typed, oldest first.

        Args:
            since: Only from this block height, or this block time (aware), on.

        Raises:
            NodeError: the API could not be read.
        """
        newest_first: list[EventRecord] = []
        for log in self.client.iter_contract_logs(self.contract_id):
            record = read_record(log, self.event_models)
            if since is not None:
                record = self._with_block(record)
                if _is_before(record, since):
                    break
            newest_first.append(record)
        return reversed(newest_first)

    def _with_block(self, record: EventRecord) -> EventRecord:
        """Fill in the block of an event that came without it: some APIs list logs so."""
        if record.block_height is not None and record.block_time is not None:
            return record
        info = self.client.transaction(record.txid)
        if info is None:
            return record
        return EventRecord(
            record.event, record.contract_id, record.txid, record.event_index, info.block_height, info.block_time
        )

    def ask(self, declared: DeclaredFunction[..., R], arguments: tuple[ClarityValue, ...]) -> R:
        """Run a read-only function on the node and decode its result.

        Raises:
            CallReadError: the node could not run it.
            ContractError: it answered ``(err uN)``.
            NodeAnswerError: the result is not of the declared type.
        """
        sender = self.deployer if self.account is None else self.account.address
        encoded = [encode(argument, MAX_ARGUMENT_DEPTH) for argument in arguments]
        raw = self.client.run(node.call_read(self.contract_id, declared.name, encoded, sender=sender))
        return self._result(declared, raw, txid="")

    def simulate(self, call: Call[R]) -> Receipt[R]:
        """Run a call on the devnet without changing anything; see :meth:`Call.simulate`."""
        simulation = self.client.simulate(call.transaction().encode())
        outcome = read_outcome(simulation.status, simulation.raw_result, simulation.vm_error)
        self._require_result(call.declared, outcome)
        return Receipt(
            value=self._result(call.declared, simulation.raw_result, txid=""),
            events=tuple(self._typed_events(simulation.events)),
            transfers=_stx_transfers(simulation.events),
            txid="",
            fee_ustx=0,
            cost=simulation.cost,
            block_height=None,
            block_time=None,
        )

    def receipt(self, declared: DeclaredFunction[..., R], info: TransactionReceipt) -> Receipt[R]:
        """Turn the API's answer for a mined call into a typed receipt.

        Raises:
            TransactionFailedError: it did not succeed; the subclass says why.
        """
        self._require_result(declared, outcome_of(info))
        return Receipt(
            value=self._result(declared, info.raw_result, info.txid),
            events=tuple(self._typed_events(info.events)),
            transfers=_stx_transfers(info.events),
            txid=info.txid,
            fee_ustx=info.fee_ustx,
            cost=info.cost,
            block_height=info.block_height,
            block_time=info.block_time,
        )

    def _require_result(self, declared: DeclaredFunction[..., Any], outcome: Outcome) -> None:
        """Let pass what has a result to read, be it ``(ok …)`` or ``(err …)``."""
        if outcome.kind is not OutcomeKind.CONTRACT_ERROR:
            where = f"{self.name}.{declared.name}"
            error = outcome.error(f"{where} (txid {outcome.txid})" if outcome.txid else where)
            if error is not None:
                raise error

    def _typed_events(self, events: Sequence[rpc.Event]) -> Iterator[Event | UnknownEvent]:
        for event in events:
            if isinstance(event, rpc.ContractLogEvent):
                member = self._family.get(event.contract_id)
                yield read_event(event.raw_value, member.event_models if member else {})

    def _result(self, declared: DeclaredFunction[..., R], raw: bytes, txid: str) -> R:
        if raw[:1] == _ERR:
            raise self._contract_error(declared.name, raw, txid)
        try:
            value: R = declared.signature.result.decode(raw[1:] if raw[:1] == b"\x07" else raw)
        except DecodeError as error:
            raise NodeAnswerError(
                f"{self.contract_id} {declared.name} answered 0x{raw[:64].hex()}, which is no "
                f"{declared.signature.result.type}: {error}; is another version of the contract deployed?",
                self.client.url,
            ) from None
        return value

    def _contract_error(self, function: str, raw: bytes, txid: str) -> TransactionFailedError:
        result = decode(raw)
        inner = result.value if isinstance(result, ErrValue) else result
        suffix = f" (txid {txid})" if txid else ""
        if not isinstance(inner, UIntValue):
            return TransactionFailedError(f"{self.name}.{function} answered {shown(result, str)}{suffix}", txid, inner)
        error, index = self._find_error(inner.value)
        code = inner.value if index is None else inner.value // 1000
        described = f"{error.name} (u{code})" if error is not None else f"u{code}"
        item = f" at item {index}" if index is not None else ""
        return ContractError(
            f"{self.name}.{function}: {described}{item}{f': {error.reason}' if error else ''}{suffix}",
            txid,
            contract=self.contract_id,
            function=function,
            name=None if error is None else error.name,
            code=code,
            index=index,
            error=error,
            result=inner,
        )

    def _find_error(self, code: int) -> tuple[ErrorCode | None, int | None]:
        """The error that a code stands for, and the item of an all-or-nothing batch (code · 1000 + index)."""
        enums = [member.errors for member in self._family.values() if member.errors is not None]
        for candidate, index in ((code, None), (code // 1000, code % 1000)):
            for enum in enums:
                for error in enum:
                    if error == candidate:
                        return error, index
        return None, None

    def __repr__(self) -> str:
        who = self.account.address if self.account else "nobody"
        return f"{type(self).__name__}({self.contract_id} as {who} at {self.client.url})"


def _functions_of(contract: type[Contract]) -> dict[str, DeclaredFunction[..., Any]]:
    """The functions that a class declares, by Clarity name."""
    functions: dict[str, DeclaredFunction[..., Any]] = {}
    for attribute, function in vars(contract).items():
        if not isinstance(function, DeclaredFunction):
            continue
        if attribute in vars(Contract) or attribute in Contract.__annotations__:
            raise TypeError(
                f"{contract.__name__}.{attribute}: Contract itself has something of this name; call the method "
                f'{attribute}_ and declare it with name="{function.name}"'
            )
        if function.name in functions:
            raise TypeError(f"{contract.__name__} declares {function.name} twice")
        functions[function.name] = function
    return functions


def _stx_transfers(events: Sequence[rpc.Event]) -> tuple[rpc.StxEvent, ...]:
    return tuple(event for event in events if isinstance(event, rpc.StxEvent))


def _is_before(record: EventRecord, since: int | datetime) -> bool:
    if isinstance(since, datetime):
        return record.block_time is not None and record.block_time < since
    return record.block_height is not None and record.block_height < since
