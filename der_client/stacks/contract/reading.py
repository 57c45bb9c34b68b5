"""The part of a bound contract that reads: functions, storage, events, and differences from its class.

The requests and their order are written once, as steps (`der_client.stacks.rpc.steps`); each method runs them on the
contract's `Client`, and its ``.aio`` on the `AsyncClient` of `with_async_client`.
"""

from __future__ import annotations

from contextlib import aclosing
from copy import copy
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from der_client.stacks.address import check_network
from der_client.stacks.checks import check_number
from der_client.stacks.clarity import decode, encode
from der_client.stacks.clarity.wire import MAX_ARGUMENT_DEPTH
from der_client.stacks.contract.annotations import seconds_of
from der_client.stacks.contract.declared import Constant, DataMap, DataVar, Declared, check_map_entry
from der_client.stacks.contract.events import EventRecord, read_record, require_known
from der_client.stacks.contract.forms import two_forms
from der_client.stacks.contract.interface import compared_constants, differences
from der_client.stacks.contract.results import ContractResults, is_error
from der_client.stacks.errors import (
    AddressError,
    CallReadError,
    DeploymentError,
    EncodeError,
    InvalidValueError,
    NotFoundError,
    shown,
)
from der_client.stacks.rpc import node
from der_client.stacks.rpc.logs import LogReader
from der_client.stacks.rpc.steps import ask

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator

    from der_client.stacks.account import Account
    from der_client.stacks.clarity import ClarityValue
    from der_client.stacks.rpc import AsyncClient, ContractInterface, ContractLogEvent, LogUpdate
    from der_client.stacks.rpc.methods import Methods
    from der_client.stacks.rpc.steps import Steps

R = TypeVar("R")
_LAST_HEIGHT: Final = 2**64 - 1
_NONE: Final = b"\x09"
_SOME: Final = b"\x0a"


class ContractReading(ContractResults):
    """The part of a bound contract that reads.

    Attributes:
        deployer: The address that deployed the contract.
        account: The account that signs, and whose view of the contract is read; ``None`` for the deployer's.
    """

    deployer: str
    account: Account | None
    _async_client: AsyncClient | None = None

    def with_async_client(self, node: AsyncClient) -> Self:
        """Return the same contract with a client for an event loop: its methods' ``.aio`` forms can be awaited.

        ``await contract.get_offer.aio(1)``, ``await contract.settle.aio(1).send()``,
        ``contract.events.aio(follow=True)``. The blocking methods stay as they are.

        Args:
            node: A client of the same node, for the event loop in which the methods are awaited.

        Raises:
            InvalidValueError: If it is not an AsyncClient, or is one of another URL.
        """
        from der_client.stacks.rpc.async_client import AsyncClient  # noqa: PLC0415 -- asyncio takes long to import

        if not isinstance(node, AsyncClient):
            raise InvalidValueError(f"node: expected an AsyncClient, got {type(node).__name__}")
        if node.url != self.client.url:
            raise InvalidValueError(f"node: expected an AsyncClient of {self.client.url}, got one of {node.url}")
        contract = copy(self)
        contract._async_client = node  # noqa: SLF001 - of the same class
        return contract

    def require_async_client(self) -> AsyncClient:
        """Return the client for an event loop.

        Raises:
            InvalidValueError: If the contract has none.
        """
        if self._async_client is None:
            raise InvalidValueError(
                f"{self.name} has no client for an event loop: use contract.with_async_client(AsyncClient(url))"
            )
        return self._async_client

    def ask(self, declared: Declared[..., R], arguments: tuple[ClarityValue, ...]) -> R:
        """Read the current value of a declared read-only function, variable, constant or map entry.

        Raises:
            DeploymentError: If the contract is not deployed on this network.
            CallReadError: If the node could not run the function.
            NotFoundError: If the contract has no such variable or constant.
            ContractError: If the function returned ``(err uN)``.
            NodeResponseError: If the result is not of the declared type.
        """
        return self._read_as(declared, self.client.follow(self._asked(self.client, declared, arguments)), arguments)

    async def ask_async(self, declared: Declared[..., R], arguments: tuple[ClarityValue, ...]) -> R:
        """Read as `ask` does, without blocking the event loop."""
        client = self.require_async_client()
        raw = await client.follow(self._asked(client, declared, arguments))
        if is_error(raw):  # its details may be read by the blocking client
            import asyncio  # noqa: PLC0415 -- slow to import; here it is already imported

            return await asyncio.to_thread(self._read_as, declared, raw, arguments)
        return self._read_as(declared, raw, arguments)

    def _read_as(self, declared: Declared[..., R], raw: bytes, arguments: tuple[ClarityValue, ...]) -> R:
        is_stored = isinstance(declared, DataVar | Constant | DataMap)
        value: R = self._decoded(declared, raw) if is_stored else self._result(declared, raw, "", arguments)
        return value

    def _asked(
        self, client: Methods, declared: Declared[..., Any], arguments: tuple[ClarityValue, ...]
    ) -> Steps[bytes]:
        encoded = [encode(argument, MAX_ARGUMENT_DEPTH) for argument in arguments]
        if isinstance(declared, DataMap):
            check_map_entry(declared)
            entry = yield from ask(node.map_entry(self.contract_id, declared.name, encoded[0]))
            if entry is None:
                yield from self._interface(client)
            return _NONE if entry is None else _SOME + entry
        try:
            if isinstance(declared, DataVar):
                return (yield from ask(node.data_var(self.contract_id, declared.name)))
            if isinstance(declared, Constant):
                return (yield from ask(node.constant_val(self.contract_id, declared.name)))
            sender = self.deployer if self.account is None else self.account.address
            return (yield from ask(node.call_read(self.contract_id, declared.name, encoded, sender=sender)))
        except (CallReadError, NotFoundError):
            yield from self._interface(client)
            raise

    def _interface(self, client: Methods) -> Steps[ContractInterface]:
        """Return the deployed contract's interface, distinguishing a contract that is not deployed from a failing node.

        Raises:
            DeploymentError: If the contract is not deployed.
        """
        try:
            return (yield from ask(node.contract_interface(self.contract_id)))
        except NotFoundError:
            hint = "deploy it first, or check the address that deployed it"
            try:
                check_network(self.deployer, (yield from client.network_steps()), "deployer")
            except AddressError as error:
                hint = str(error)
            raise DeploymentError(f"{self.contract_id} is not deployed at {client.url}: {hint}") from None

    def _compared(self, client: Methods) -> Steps[tuple[str, ...]]:
        interface = yield from self._interface(client)
        values = {}
        for name in compared_constants(type(self), interface):
            values[name] = decode((yield from ask(node.constant_val(self.contract_id, name))))
        return differences(type(self), interface, values)

    def _differences(self) -> tuple[str, ...]:
        """Return what differs between the class and the deployed contract, a sentence each; see `differences`.

        The error numbers and the declared values of constants are compared, too, with a request for each.

        Raises:
            DeploymentError: If the contract is not deployed on this network.
            NodeError: If the node could not be reached.
        """
        return self.client.follow(self._compared(self.client))

    async def _differences_async(self) -> tuple[str, ...]:
        client = self.require_async_client()
        return await client.follow(self._compared(client))

    differences = two_forms(_differences, _differences_async)

    def _events(
        self,
        since: int | datetime | None = None,
        *,
        follow: bool = False,
        idle_s: float | None = None,
        on_withdrawn: Callable[[EventRecord], object] | None = None,
    ) -> Iterator[EventRecord]:
        """Read everything the contract printed, typed, oldest first.

        Args:
            since: Only from this block height or block time (aware) on.
            follow: Continue with new events, each once, over lost connections and forks; see
                `Client.stream_contract_logs`.
            idle_s: With ``follow``: end after this many seconds without anything new; ``None`` for never.
            on_withdrawn: With ``follow``: called with an earlier event that a fork has removed. If it is mined again,
                it is yielded again.

        Raises:
            InvalidValueError: If ``since`` is neither of these.
            UnknownEventError: If no declared event fits what was printed, and ``strict_events`` is on.
            DeploymentError: If the contract is not deployed on this network.
            NodeError: If the API could not be read.
        """
        records, logs = self.client.follow(self._history(self.client, since))
        if not follow:
            return iter(records)
        updates = self.client.stream_contract_logs(self.contract_id, history=True, known=logs, idle_s=idle_s)
        return self._followed(records, updates, on_withdrawn)

    async def _events_async(
        self,
        since: int | datetime | None = None,
        *,
        follow: bool = False,
        idle_s: float | None = None,
        on_withdrawn: Callable[[EventRecord], object] | None = None,
    ) -> AsyncGenerator[EventRecord, None]:
        client = self.require_async_client()
        records, logs = await client.follow(self._history(client, since))
        for record in records:
            yield record
        if not follow:
            return
        updates = client.stream_contract_logs(self.contract_id, history=True, known=logs, idle_s=idle_s)
        async with aclosing(updates):
            async for update in updates:
                for record in self._updated(update, on_withdrawn):
                    yield record

    events = two_forms(_events, _events_async)

    def _followed(
        self,
        records: list[EventRecord],
        updates: Iterator[LogUpdate],
        on_withdrawn: Callable[[EventRecord], object] | None,
    ) -> Iterator[EventRecord]:
        yield from records
        for update in updates:
            yield from self._updated(update, on_withdrawn)

    def _updated(
        self, update: LogUpdate, on_withdrawn: Callable[[EventRecord], object] | None
    ) -> Iterator[EventRecord]:
        record = self._record(update.event)
        if not update.is_withdrawn:
            yield record
        elif on_withdrawn is not None:
            on_withdrawn(record)

    def _history(
        self, client: Methods, since: int | datetime | None
    ) -> Steps[tuple[list[EventRecord], list[ContractLogEvent]]]:
        """Return what was printed since then, typed and as in the API, oldest first."""
        if since is not None:
            _check_since(since)
        newest_first: list[EventRecord] = []
        logs: list[ContractLogEvent] = []
        reader = LogReader(self.contract_id)
        is_older = False
        while not (reader.is_done or is_older):
            for log in (yield from reader.next_page()):
                logs.append(log)
                record = self._record(log)
                if since is not None:
                    record = yield from _with_block(client, record)
                    if is_older := _is_before(record, since):
                        break
                newest_first.append(record)
        if not logs:
            yield from self._interface(client)
        return newest_first[::-1], logs[::-1]

    def _record(self, log: ContractLogEvent) -> EventRecord:
        record = read_record(log, self.event_classes)
        if self.strict_events:
            require_known(record.event, record.contract_id, record.txid)
        return record


def _with_block(client: Methods, record: EventRecord) -> Steps[EventRecord]:
    """Fill in the block of an event that came without one, as from some APIs."""
    if record.block_height is not None and record.block_time is not None:
        return record
    info = yield from client.transaction_steps(record.txid)
    if info is None:
        return record
    return EventRecord(
        record.event, record.contract_id, record.txid, record.event_index, info.block_height, info.block_time
    )


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
