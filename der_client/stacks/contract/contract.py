"""The base of typed contract clients.

A contract is a class; its functions are declared methods::

    class Counter(Contract, name="counter", errors=CounterError):
        @read_only
        def get_count(self) -> UInt: ...

        @public
        def increment(self, by: UInt) -> UInt: ...
"""

from __future__ import annotations

from copy import copy
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from der_client.stacks.account import Account
from der_client.stacks.address import check_network, split_principal
from der_client.stacks.checks import check_kind, check_number
from der_client.stacks.clarity import encode
from der_client.stacks.clarity.wire import MAX_ARGUMENT_DEPTH
from der_client.stacks.contract.annotations import seconds_of
from der_client.stacks.contract.call import Call, Receipt
from der_client.stacks.contract.declared import (
    Constant,
    DataMap,
    DataVar,
    Declared,
    check_map_entry,
    public,
    read_only,
)
from der_client.stacks.contract.events import (
    EventRecord,
    read_record,
    require_known,
)
from der_client.stacks.contract.interface import differences
from der_client.stacks.contract.movements import AssetEvent
from der_client.stacks.contract.results import ContractResults
from der_client.stacks.errors import (
    AddressError,
    CallReadError,
    DeploymentError,
    EncodeError,
    InvalidValueError,
    NotFoundError,
    SigningError,
    shown,
    whole,
)
from der_client.stacks.outcome import outcome_of, read_outcome
from der_client.stacks.rpc import Client, node
from der_client.stacks.rpc import answers as rpc
from der_client.stacks.transactions import PostConditionMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from der_client.stacks.clarity import ClarityValue
    from der_client.stacks.rpc import ContractLogEvent, LogUpdate, TransactionReceipt
    from der_client.stacks.transactions import PostCondition

__all__ = ["Contract", "public", "read_only"]

R = TypeVar("R")
_OK: Final = b"\x07"
_ERR: Final = b"\x08"
_LAST_HEIGHT: Final = 2**64 - 1
_NONE: Final = b"\x09"
_SOME: Final = b"\x0a"


class Contract(ContractResults):
    """A contract on a network, as one account sees it.

    A subclass names itself: ``class Counter(Contract, name="counter", errors=CounterError, events=(Counted,))``. One
    without a name is an interface that many contracts have: other classes inherit from it, and :meth:`at` binds it to
    any contract.

    Args:
        client: The node.
        deployer: The address that deployed the contract.
        account: Who signs; without one, only reading works.

    Attributes:
        name: The contract's name on chain; empty for an interface.
        contract_id: ``DEPLOYER.name``.
    """

    client: Client
    deployer: str
    account: Account | None
    contract_id: str

    def __init__(self, client: Client, deployer: str, account: Account | None = None) -> None:
        if not self.name:
            raise TypeError(
                f"{type(self).__name__} is an interface without a name: bind it to a contract by "
                f'{type(self).__name__}.at(client, "ADDRESS.name", account)'
            )
        address, name = split_principal(deployer)
        if name is not None:
            raise AddressError(
                f"deployer takes an address, not the contract {deployer!r}, which {type(self).__name__}.at(…) takes"
            )
        self._bind(client, address, self.name, account)

    @classmethod
    def at(
        cls, client: Client, contract_id: str, account: Account | None = None, *, strict_events: bool | None = None
    ) -> Self:
        """Bind the class to any contract that has these functions, whatever its name.

        Args:
            client: The node.
            contract_id: ``ADDRESS.name``.
            account: Who signs; without one, only reading works.
            strict_events: Whether something printed that no declared event fits is an error; as the class says if not
                given.

        Raises:
            AddressError: If the id is not one of a contract.
        """
        address, name = split_principal(contract_id)
        if name is None:
            raise AddressError(f"contract_id: {contract_id!r} is an address; a contract is given as ADDRESS.name")
        contract = cls.__new__(cls)
        contract._bind(client, address, name, account)  # noqa: SLF001 - of the same class
        if strict_events is not None:
            contract.strict_events = strict_events
        return contract

    def _bind(self, client: Client, address: str, name: str, account: Account | None) -> None:
        check_kind(client, Client, "client", "of an address, Client(url)")
        self.client = client
        self.deployer = address
        self.account = None if account is None else _checked_account(account)
        self.name = name
        self.contract_id = f"{address}.{name}"
        members = [member for callee in self.callees for member in callee.family() if member.name]
        self._family = {f"{address}.{member.name}": member for member in members} | {self.contract_id: type(self)}

    def with_account(self, account: Account) -> Self:
        """The same contract for another account."""
        contract = copy(self)
        contract.account = _checked_account(account)
        return contract

    def with_callees(self, *contracts: Contract) -> Self:
        """The same contract, with contracts of others that it calls: their errors and events are named, too.

        Args:
            *contracts: Bound ones, for instance ``Sip010.at(client, token_id)``.
        """
        contract = copy(self)
        others = {key: member for callee in contracts for key, member in callee._family.items()}  # noqa: SLF001
        contract._family = {**others, **self._family}  # noqa: SLF001 - of the same class
        return contract

    def require_account(self) -> Account:
        """The account that signs.

        Raises:
            SigningError: If the contract was opened without one.
        """
        if self.account is None:
            raise SigningError(f"{self.name} was opened without an account, so it can only be read: connect with one")
        return self.account

    def events(
        self,
        since: int | datetime | None = None,
        *,
        follow: bool = False,
        idle_s: float | None = None,
        on_withdrawn: Callable[[EventRecord], object] | None = None,
    ) -> Iterator[EventRecord]:
        """Everything the contract printed, typed, oldest first.

        Args:
            since: Only from this block height, or this block time (aware), on.
            follow: Go on with what is printed from now on, each event once, over cut connections and forks; see
                `Client.stream_contract_logs`.
            idle_s: With ``follow``: end after so many seconds without anything new; ``None`` for never.
            on_withdrawn: With ``follow``: called with an event, given before, that a fork took away. If it is mined
                again, it comes anew.

        Raises:
            InvalidValueError: If ``since`` is neither.
            UnknownEventError: If something was printed that no declared event fits, and ``strict_events`` is on.
            NodeError: If the API could not be read.
        """
        if since is not None:
            _check_since(since)
        newest_first: list[EventRecord] = []
        logs: list[ContractLogEvent] = []
        for log in self.client.iter_contract_logs(self.contract_id):
            logs.append(log)
            record = self._record(log)
            if since is not None:
                record = self._with_block(record)
                if _is_before(record, since):
                    break
            newest_first.append(record)
        if not follow:
            return reversed(newest_first)
        updates = self.client.stream_contract_logs(self.contract_id, history=True, known=logs[::-1], idle_s=idle_s)
        return self._followed(newest_first, updates, on_withdrawn)

    def _followed(
        self,
        newest_first: list[EventRecord],
        updates: Iterator[LogUpdate],
        on_withdrawn: Callable[[EventRecord], object] | None,
    ) -> Iterator[EventRecord]:
        yield from reversed(newest_first)
        for update in updates:
            record = self._record(update.event)
            if not update.is_withdrawn:
                yield record
            elif on_withdrawn is not None:
                on_withdrawn(record)

    def _record(self, log: ContractLogEvent) -> EventRecord:
        record = read_record(log, self.event_classes)
        if self.strict_events:
            require_known(record.event, record.contract_id, record.txid)
        return record

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

    def ask(self, declared: Declared[..., R], arguments: tuple[ClarityValue, ...]) -> R:
        """Read what a declared read-only function, variable, constant or map entry gives now.

        Raises:
            DeploymentError: If the contract is not deployed on this network.
            CallReadError: If the node could not run the function.
            NotFoundError: If the contract has no such variable or constant.
            ContractError: If the function answered ``(err uN)``.
            NodeAnswerError: If the result is not of the declared type.
        """
        value: R = (
            self._entry(declared, *arguments) if isinstance(declared, DataMap) else self._read(declared, arguments)
        )
        return value

    def _read(self, declared: Declared[..., Any], arguments: tuple[ClarityValue, ...]) -> Any:
        try:
            if isinstance(declared, DataVar):
                raw = self.client.run(node.data_var(self.contract_id, declared.name))
            elif isinstance(declared, Constant):
                raw = self.client.run(node.constant_val(self.contract_id, declared.name))
            else:
                sender = self.deployer if self.account is None else self.account.address
                encoded = [encode(argument, MAX_ARGUMENT_DEPTH) for argument in arguments]
                raw = self.client.run(node.call_read(self.contract_id, declared.name, encoded, sender=sender))
                return self._result(declared, raw, "", arguments)
        except (CallReadError, NotFoundError):
            self._require_deployed()
            raise
        return self._decoded(declared, raw)

    def _entry(self, declared: DataMap[..., Any], key: ClarityValue) -> Any:
        check_map_entry(declared)
        entry = self.client.run(node.map_entry(self.contract_id, declared.name, encode(key, MAX_ARGUMENT_DEPTH)))
        if entry is None:
            self._require_deployed()
        return self._decoded(declared, _NONE if entry is None else _SOME + entry)

    def _require_deployed(self) -> None:
        """Tell a contract that is not there from a node that fails.

        Raises:
            DeploymentError: If it is not there.
        """
        try:
            self.client.contract_interface(self.contract_id)
        except NotFoundError:
            hint = "deploy it first, or check the address that deployed it"
            try:
                check_network(self.deployer, self.client.network, "deployer")
            except AddressError as error:
                hint = str(error)
            raise DeploymentError(f"{self.contract_id} is not deployed at {self.client.url}: {hint}") from None

    def differences(self) -> tuple[str, ...]:
        """What differs between the class and the deployed contract, a sentence each; see `differences`.

        Raises:
            DeploymentError: If the contract is not deployed on this network.
            NodeError: If the node could not be asked.
        """
        self._require_deployed()
        return differences(type(self), self.client.contract_interface(self.contract_id))

    def simulate(
        self,
        call: Call[R],
        *,
        post_conditions: Sequence[PostCondition] | None = None,
        mode: PostConditionMode = PostConditionMode.DENY,
    ) -> Receipt[R]:
        """Run a call on the devnet without changing anything; see :meth:`Call.simulate`."""
        transaction = call.transaction(post_conditions=post_conditions, mode=mode)
        simulation = self.client.simulate(transaction.encode())
        outcome = read_outcome(simulation.status, simulation.raw_result, simulation.vm_error)
        self._require_result(call.declared, outcome)
        return Receipt(
            value=self._result(call.declared, simulation.raw_result, "", call.arguments),
            events=tuple(self._typed_events(simulation.events, "")),
            transfers=_stx_transfers(simulation.events),
            moved=_moved(simulation.events),
            txid="",
            fee_ustx=0,
            cost=simulation.cost,
            block_height=None,
            block_time=None,
        )

    def receipt(
        self, declared: Declared[..., R], info: TransactionReceipt, arguments: tuple[ClarityValue, ...] = ()
    ) -> Receipt[R]:
        """Turn the API's answer for a mined call into a typed receipt.

        Args:
            declared: The function.
            info: The API's answer.
            arguments: With what it was called, for what an error says of them.

        Raises:
            TransactionFailedError: it did not succeed; the subclass says why.
        """
        self._require_result(declared, outcome_of(info))
        return Receipt(
            value=self._result(declared, info.raw_result, info.txid, arguments),
            events=tuple(self._typed_events(info.events, info.txid)),
            transfers=_stx_transfers(info.events),
            moved=_moved(info.events),
            txid=info.txid,
            fee_ustx=info.fee_ustx,
            cost=info.cost,
            block_height=info.block_height,
            block_time=info.block_time,
            client=self.client,
        )

    def _member(self, contract_id: str) -> ContractResults:
        member = self._family[contract_id]
        return member.at(self.client, contract_id, self.account) if issubclass(member, Contract) else self

    @whole
    def __repr__(self) -> str:
        who = self.account.address if self.account else "nobody"
        return f"{type(self).__name__}({self.contract_id} as {who} at {self.client.url})"


def _checked_account(account: Account) -> Account:
    check_kind(account, Account, "account", "of a key, Account(key, client)")
    return account


def _stx_transfers(events: Sequence[rpc.Event]) -> tuple[rpc.StxEvent, ...]:
    return tuple(event for event in events if isinstance(event, rpc.StxEvent))


def _moved(events: Sequence[rpc.Event]) -> tuple[AssetEvent, ...]:
    return tuple(event for event in events if isinstance(event, AssetEvent))


def _check_since(since: object) -> None:
    if isinstance(since, datetime):
        try:
            seconds_of(since.replace(microsecond=0))
        except EncodeError as error:
            raise InvalidValueError(f"since: {error}") from None
    elif isinstance(since, int):
        check_number(since, 0, _LAST_HEIGHT, "since")
    else:
        raise InvalidValueError(
            "since: expected a block height, or a block time as a datetime with a time zone, got "
            f"{type(since).__name__} {shown(since, str)}"
        )


def _is_before(record: EventRecord, since: int | datetime) -> bool:
    if isinstance(since, datetime):
        return record.block_time is not None and record.block_time < since
    return record.block_height is not None and record.block_height < since
