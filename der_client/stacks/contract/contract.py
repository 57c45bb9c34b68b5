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
from typing import TYPE_CHECKING, Self, TypeVar

from der_client.stacks.account import Account
from der_client.stacks.address import split_principal
from der_client.stacks.checks import check_kind
from der_client.stacks.contract.call import Call, Receipt
from der_client.stacks.contract.declared import Declared, public, read_only
from der_client.stacks.contract.movements import AssetEvent
from der_client.stacks.contract.reading import ContractReading
from der_client.stacks.errors import AddressError, SigningError, whole
from der_client.stacks.outcome import outcome_of, read_outcome
from der_client.stacks.rpc import Client
from der_client.stacks.rpc import responses as rpc
from der_client.stacks.transactions import PostConditionMode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.stacks.clarity import ClarityValue
    from der_client.stacks.contract.results import ContractResults
    from der_client.stacks.rpc import TransactionReceipt
    from der_client.stacks.transactions import PostCondition

__all__ = ["Contract", "public", "read_only"]

R = TypeVar("R")


class Contract(ContractReading):
    """A contract on a network, as one account sees it.

    A subclass names itself: ``class Counter(Contract, name="counter", errors=CounterError, events=(Counted,))``. One
    without a name is an interface that many contracts have: other classes inherit from it, and ``at`` binds it to
    any contract.

    Args:
        client: The node.
        deployer: The address that deployed the contract.
        account: The account that signs; without one, only reading works.

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
            account: The account that signs; without one, only reading works.
            strict_events: Whether it is an error if no declared event fits what was printed; by default, as in the
                class.

        Raises:
            AddressError: If the id is not a contract's.
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
        check_kind(client, Client, "client", "for an address, use Client(url)")
        self.client = client
        self.deployer = address
        self.account = None if account is None else _checked_account(account)
        self.name = name
        self.contract_id = f"{address}.{name}"
        members = [member for callee in self.callees for member in callee.family() if member.name]
        self._family = {f"{address}.{member.name}": member for member in members} | {self.contract_id: type(self)}

    def with_account(self, account: Account) -> Self:
        """Return the same contract for another account."""
        contract = copy(self)
        contract.account = _checked_account(account)
        return contract

    def with_callees(self, *contracts: Contract) -> Self:
        """Return the same contract with others' contracts that it calls, so that their errors and events are named.

        Args:
            *contracts: Bound contracts, for instance ``Sip010.at(client, token_id)``.
        """
        contract = copy(self)
        others = {key: member for callee in contracts for key, member in callee._family.items()}  # noqa: SLF001
        contract._family = {**others, **self._family}  # noqa: SLF001 - of the same class
        return contract

    def require_account(self) -> Account:
        """Return the account that signs.

        Raises:
            SigningError: If the contract was opened without one.
        """
        if self.account is None:
            raise SigningError(
                f"{self.name} was opened without an account, so it can only be read; pass account=, or use "
                ".with_account(…)"
            )
        return self.account

    def simulate(
        self,
        call: Call[R],
        *,
        post_conditions: Sequence[PostCondition] | None = None,
        mode: PostConditionMode = PostConditionMode.DENY,
    ) -> Receipt[R]:
        """Run a call on the devnet without changing anything; see ``Call.simulate``."""
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
            arguments: The arguments of the call, for error messages.

        Raises:
            TransactionFailedError: If it did not succeed; the subclass says why.
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
    check_kind(account, Account, "account", "for a key, use Account(key, client)")
    return account


def _stx_transfers(events: Sequence[rpc.Event]) -> tuple[rpc.StxEvent, ...]:
    return tuple(event for event in events if isinstance(event, rpc.StxEvent))


def _moved(events: Sequence[rpc.Event]) -> tuple[AssetEvent, ...]:
    return tuple(event for event in events if isinstance(event, AssetEvent))
