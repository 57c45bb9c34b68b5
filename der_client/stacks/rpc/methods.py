"""The methods for a node and its API, written once for all clients.

A method yields steps (`der_client.stacks.rpc.steps`). On a `Client` it is called and returns the result; on an
`AsyncClient` it is awaited.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import wraps
from inspect import signature
from types import CoroutineType, MethodType
from typing import TYPE_CHECKING, Any, Concatenate, Final, Generic, ParamSpec, Protocol, TypeVar, overload
from urllib.parse import urlsplit

from der_client.stacks.checks import check_kind, check_number, check_seconds
from der_client.stacks.clarity import ClarityValue, decode, encode
from der_client.stacks.clarity.wire import MAX_ARGUMENT_DEPTH
from der_client.stacks.errors import InvalidValueError, NodeResponseError, shown
from der_client.stacks.network import NETWORKS, Network, networks_of_chain
from der_client.stacks.rpc import api, devnet, node, trace
from der_client.stacks.rpc import broadcast as sending
from der_client.stacks.rpc.api_versions import ApiVersions
from der_client.stacks.rpc.retries import RetryPolicy
from der_client.stacks.rpc.steps import Ask, Steps, ask

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from typing import Self

    from der_client.stacks.blocks import NakamotoBlock
    from der_client.stacks.rpc.endpoint import Endpoint
    from der_client.stacks.rpc.responses import (
        AccountInfo,
        Balances,
        Block,
        BlockPage,
        ContractInterface,
        ContractLogPage,
        ContractSource,
        FeeEstimate,
        NodeHealth,
        NodeInfo,
        NodeTransaction,
        Nonces,
        PoxInfo,
        Simulation,
        TransactionInfo,
        UnconfirmedTransaction,
    )
    from der_client.stacks.rpc.trace import TransactionTrace

_MOST_SILENCE_S: Final = 1e9  # what sockets take
DEFAULT_TIMEOUT_S: Final = (5.0, 30.0)
DEFAULT_ANSWER_DEADLINE_S: Final = 120.0
# The largest legitimate responses are contract interfaces, sources and pages of events: a few MB at most.
DEFAULT_MAX_ANSWER_BYTES: Final = 32 << 20
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
P = ParamSpec("P")
T = TypeVar("T")


class Synchronous(Protocol):
    """A client that carries out steps and returns their result."""

    def follow(self, steps: Steps[T]) -> T:
        """Carry out steps."""


class Asynchronous(Protocol):
    """A client that carries out steps when it is awaited."""

    async def follow(self, steps: Steps[T]) -> T:
        """Carry out steps."""


class asked(Generic[P, T]):  # noqa: N801 -- a decorator
    """Decorates a method that yields steps: on a client it becomes a method that carries them out.

    Args:
        steps: The method.
    """

    def __init__(self, steps: Callable[Concatenate[Any, P], Steps[T]]) -> None:
        self.__doc__ = steps.__doc__

        @wraps(steps)
        def call(client: Any, *arguments: P.args, **options: P.kwargs) -> T:
            result: T = client.follow(steps(client, *arguments, **options))
            if isinstance(result, CoroutineType):  # the warning about a missing await names it
                result.__qualname__ = f"{type(client).__name__}.{steps.__name__}"
            return result

        # For people: the result, not the steps to it.
        returns = str(steps.__annotations__["return"]).removeprefix("Steps[").removesuffix("]")
        call.__annotations__ = {**steps.__annotations__, "return": returns}
        call.__signature__ = signature(steps).replace(return_annotation=returns)  # type: ignore[attr-defined]
        self._call = call

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: Synchronous, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: Asynchronous, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, client: Any, owner: type) -> Any:
        """Bind to a client."""
        return self._call if client is None else MethodType(self._call, client)


class Methods:
    """The methods of any client; see `Client` and `AsyncClient`.

    Args:
        network: The network, if it is known.
        timeout: Seconds to connect, and the longest silence.
        retries: How failed requests are repeated.
        max_response_bytes: The longest response that is read.
        response_deadline_s: How long one request may take, or one method that needs several requests.

    Attributes:
        retries: How failed requests are repeated.
    """

    def __init__(
        self,
        network: Network | None,
        timeout: tuple[float, float],
        retries: RetryPolicy | None,
        max_response_bytes: int,
        response_deadline_s: float,
    ) -> None:
        if not isinstance(timeout, tuple | list) or len(timeout) != 2:
            raise InvalidValueError(f"timeout is two numbers of seconds, (to connect, of silence), not {timeout!r}")
        for seconds in timeout:
            check_seconds(seconds, "timeout", may_be_zero=False, most=_MOST_SILENCE_S)
        check_seconds(response_deadline_s, "response_deadline_s", may_be_zero=False)
        check_number(max_response_bytes, 1, None, "max_response_bytes")
        if network is not None and not isinstance(network, Network):
            raise InvalidValueError(f"network is a Network, e.g. MAINNET, got {shown(network)}")
        if retries is not None:
            check_kind(retries, RetryPolicy, "retries", "for a number, use RetryPolicy(attempts=…)")
        self.retries = retries or RetryPolicy()
        self._deadline_s = response_deadline_s
        self._api = ApiVersions()
        self._network = network
        self._network_is_checked = False

    @property
    def url(self) -> str:
        """The base address, without a slash at the end."""
        raise NotImplementedError

    def network_steps(self, *, checked: bool = False) -> Steps[Network]:
        """Return the network, as given, or else from the node's ``network_id``.

        Args:
            checked: Whether to check once that the node is on the network that was given.

        Raises:
            InvalidValueError: If the client was given another network than the node's.
            NodeError: If the node had to be asked and did not response properly.
        """
        if self._network is None or (checked and not self._network_is_checked):
            network_id = (yield from ask(node.info())).network_id
            if self._network is None:
                self._network = network_of(network_id, self.url)
            check_network_id(self._network, network_id, self.url)
            self._network_is_checked = True
        return self._network

    def transaction_steps(self, txid: str, within_s: float | None = None) -> Steps[TransactionInfo | None]:
        """As `transaction`, as a part of other steps."""
        return self._api.transaction(txid, self._until(within_s), once=within_s is not None)

    def _until(self, within_s: float | None) -> float:
        return time.monotonic() + (self._deadline_s if within_s is None else check_seconds(within_s, "within_s"))

    @asked
    def info(self) -> Steps[NodeInfo]:
        """Return the node and the tip of its chain."""
        return ask(node.info())

    @asked
    def health(self) -> Steps[NodeHealth]:
        """Return how far the node is behind its peers."""
        return ask(node.health())

    @asked
    def pox(self) -> Steps[PoxInfo]:
        """Return the state of proof of transfer: cycles, thresholds and epochs."""
        return ask(node.pox())

    @asked
    def account(self, principal: str, *, tip: str | None = None) -> Steps[AccountInfo]:
        """Return balance and nonce of a principal; zeros if the network has never seen it.

        Args:
            principal: The address, of an account or a contract.
            tip: As of which block: its id (index block hash), or ``latest``; the tip of the chain if not given.

        Raises:
            AddressError: If it is not an address.
            NodeError: If the node is down or responds with something else.
        """
        return ask(node.account(principal, tip=tip))

    @asked
    def transfer_fee_rate(self) -> Steps[int]:
        """Return the node's fee rate for transfers, in µSTX per byte."""
        return ask(node.transfer_fee_rate())

    @asked
    def estimate_fee(self, payload: bytes, length_bytes: int) -> Steps[FeeEstimate | None]:
        """Return the node's fee estimate, or ``None`` if it has none.

        Args:
            payload: The encoded payload.
            length_bytes: The length of the whole signed transaction.
        """
        return ask(node.fee_estimate(payload, length_bytes))

    @asked
    def contract_interface(self, contract_id: str, *, tip: str | None = None) -> Steps[ContractInterface]:
        """Return a contract's functions, variables, maps and tokens with their types.

        Args:
            contract_id: ``ADDRESS.name``.
            tip: As of which block: its id (index block hash), or ``latest``; the tip of the chain if not given.

        Raises:
            NotFoundError: If there is no such contract.
            NodeError: If the node is down or responds with something else.
        """
        return ask(node.contract_interface(contract_id, tip=tip))

    @asked
    def contract_source(self, contract_id: str, *, tip: str | None = None) -> Steps[ContractSource]:
        """Return a contract's source code.

        Args:
            contract_id: ``ADDRESS.name``.
            tip: As of which block: its id (index block hash), or ``latest``; the tip of the chain if not given.

        Raises:
            NotFoundError: If there is no such contract.
            NodeError: If the node is down or responds with something else.
        """
        return ask(node.contract_source(contract_id, tip=tip))

    @asked
    def call_read(
        self,
        contract_id: str,
        function: str,
        arguments: Sequence[ClarityValue] = (),
        *,
        sender: str | None = None,
        tip: str | None = None,
    ) -> Steps[ClarityValue]:
        """Call a read-only function.

        Args:
            contract_id: ``ADDRESS.name``.
            function: Its name.
            arguments: Clarity values.
            sender: The ``tx-sender``; the contract's deployer if not given.
            tip: As of which block: its id (index block hash), or ``latest``; the tip of the chain if not given.

        Raises:
            CallReadError: If the node could not run it.
            NodeError: If the node is down or responds with something else.
        """
        return _value(node.call_read(contract_id, function, _encoded(arguments), sender=sender, tip=tip))

    @asked
    def map_entry(
        self, contract_id: str, map_name: str, key: ClarityValue, *, tip: str | None = None
    ) -> Steps[ClarityValue | None]:
        """Return an entry of a contract's map, or ``None`` if there is none.

        It is ``None``, too, if there is no such contract or map, or the map's keys have another type: the node does not
        distinguish these. `contract_interface` shows a contract's maps with their types.

        Args:
            contract_id: ``ADDRESS.name``.
            map_name: The map's name.
            key: The key, a Clarity value.
            tip: As of which block: its id (index block hash), or ``latest``; the tip of the chain if not given.

        Raises:
            NodeError: If the node is down or responds with something else.
        """
        endpoint = node.map_entry(contract_id, map_name, encode(key, MAX_ARGUMENT_DEPTH), tip=tip)
        response = yield Ask(endpoint.request)
        value = endpoint.read(response)
        return None if value is None else _decode_response(value, response.url)

    @asked
    def data_var(self, contract_id: str, variable: str, *, tip: str | None = None) -> Steps[ClarityValue]:
        """Return the value of a contract's data variable.

        Args:
            contract_id: ``ADDRESS.name``.
            variable: Its name.
            tip: As of which block: its id (index block hash), or ``latest``; the tip of the chain if not given.

        Raises:
            NotFoundError: If there is no such contract or variable.
            NodeError: If the node is down or responds with something else.
        """
        return _value(node.data_var(contract_id, variable, tip=tip))

    @asked
    def constant_val(self, contract_id: str, constant: str, *, tip: str | None = None) -> Steps[ClarityValue]:
        """Return the value of a contract's constant.

        Args:
            contract_id: ``ADDRESS.name``.
            constant: Its name.
            tip: As of which block: its id (index block hash), or ``latest``; the tip of the chain if not given.

        Raises:
            NotFoundError: If there is no such contract or constant.
            NodeError: If the node is down or responds with something else.
        """
        return _value(node.constant_val(contract_id, constant, tip=tip))

    @asked
    def node_transaction(self, txid: str) -> Steps[NodeTransaction]:
        """Return a mined transaction as the node keeps it; `transaction` has more."""
        return ask(node.transaction(txid))

    @asked
    def node_block(self, height_or_id: int | str) -> Steps[NakamotoBlock]:
        """Return a whole block as the node keeps it: header, signatures and transactions; `block` is what the API says.

        Args:
            height_or_id: Its height, or its id (index block hash).

        Raises:
            NotFoundError: If the node does not know it, or it is of epoch 2.
            NodeResponseError: If the response is not a block, or another one.
        """
        return ask(node.block(height_or_id))

    @asked
    def unconfirmed_transaction(self, txid: str) -> Steps[UnconfirmedTransaction]:
        """Return a transaction in the node's mempool."""
        return ask(node.unconfirmed_transaction(txid))

    @asked
    def transaction(self, txid: str, *, within_s: float | None = None) -> Steps[TransactionInfo | None]:
        """Look up a transaction, with all its events.

        Args:
            txid: Its id.
            within_s: Ask for nothing twice, and for no longer than this many seconds in total.

        Returns:
            The API's data on it, or ``None`` if it has never seen it.

        Raises:
            NodeError: If the API could not be asked.
        """
        return self.transaction_steps(txid, within_s)

    @asked
    def transaction_summary(self, txid: str) -> Steps[TransactionInfo | None]:
        """Look up a transaction without its events, which takes one request.

        Args:
            txid: Its id.

        Returns:
            The API's data on it, or ``None`` if it has never seen it; ``events`` may be empty.

        Raises:
            NodeError: If the API could not be asked.
        """
        return self._api.summary(txid, self._until(None))

    @asked
    def is_known(self, txid: str) -> Steps[bool]:
        """Find out whether the API or the node has a transaction, waiting or mined.

        Raises:
            NodeUnreachableError: If one of them did not response.
        """
        return sending.is_known(txid, self._api)

    @asked
    def nonces(self, principal: str) -> Steps[Nonces]:
        """Return which nonces of an account are mined, waiting, and next.

        Raises:
            NotFoundError: If the node has no API.
            NodeError: If it could not be asked.
        """
        return self._api.nonces(principal)

    @asked
    def balances(self, principal: str) -> Steps[Balances]:
        """Return STX and tokens of a principal.

        Raises:
            NotFoundError: If the node has no API.
            NodeError: If it could not be asked.
        """
        return self._api.balances(principal, self._until(None))

    @asked
    def block(self, height_or_hash: int | str = "latest") -> Steps[Block]:
        """Return a block by height, hash, or the latest, whose time is the chain's time.

        Args:
            height_or_hash: Its height, its hash, or ``latest``.

        Raises:
            NotFoundError: If the API does not know it.
            NodeError: If the API could not be asked.
        """
        return ask(api.block(height_or_hash))

    @asked
    def blocks(self, limit: int = 20, offset: int = 0) -> Steps[BlockPage]:
        """Return blocks, newest first."""
        return ask(api.blocks(limit, offset))

    @asked
    def contract_logs(
        self, contract_id: str, *, limit: int = 50, offset: int = 0, cursor: str | None = None
    ) -> Steps[ContractLogPage]:
        """Return a page of what a contract printed, newest first; ``iter_contract_logs`` reads all pages.

        Args:
            contract_id: ``ADDRESS.name``.
            limit: How many events; 1 to 100.
            offset: How many of the newest to skip.
            cursor: Where to begin, from the previous page; ``offset`` counts from there.

        Raises:
            NodeError: If the API could not be asked.
        """
        return ask(api.contract_logs(contract_id, limit=limit, offset=offset, cursor=cursor))

    @asked
    def simulate(self, raw: bytes) -> Steps[Simulation]:
        """Return what a signed transaction would do now (embedded devnet only).

        Args:
            raw: The encoded transaction.

        Raises:
            SimulationUnavailableError: On any other node.
            TransactionRejectedError: If it would be refused.
        """
        return ask(devnet.simulate_transaction(raw))

    @asked
    def simulate_call(
        self, contract_id: str, function: str, arguments: Sequence[ClarityValue] = (), *, sender: str
    ) -> Steps[Simulation]:
        """Return what a call of a public function would do now (embedded devnet only).

        Args:
            contract_id: ``ADDRESS.name``.
            function: Its name.
            arguments: Clarity values.
            sender: The ``tx-sender``.

        Raises:
            SimulationUnavailableError: On any other node.
            TransactionRejectedError: If it would be refused.
        """
        return ask(devnet.simulate_call(contract_id, function, _encoded(arguments), sender=sender))

    @asked
    def trace(self, txid: str) -> Steps[TransactionTrace]:
        """Return what a mined transaction did, call by call (embedded devnet only).

        Args:
            txid: Its id.

        Raises:
            NotFoundError: If it is not in the chain (yet, or any more).
            TraceUnavailableError: On any other node.
        """
        return ask(trace.trace(txid))

    @asked
    def send(self, raw: bytes) -> Steps[str]:
        """Send a signed transaction.

        After a failure that leaves open whether the transaction arrived, its id is looked up; only if the node does not
        know it, the identical bytes are sent again. Nothing is ever signed here.

        Args:
            raw: The encoded signed transaction.

        Returns:
            Its id, hexadecimal without 0x.

        Raises:
            SigningError: If it lacks signatures; nothing was sent.
            TransactionRejectedError: If a node refused it in the node's own form; it is not in the mempool.
            NodeUnreachableError: If no connection was made: nothing was sent.
            BroadcastUnknownError: If it is unknown whether it arrived, whatever the response was; the error carries the
                txid to look up, and the bytes. Sending the identical bytes again is safe; signing again is not.
        """
        return sending.send(raw, self.retries, self._api)

    @asked
    def broadcast(self, raw: bytes) -> Steps[str]:
        """Send a signed transaction once, without looking it up and without sending it again.

        Args:
            raw: The encoded signed transaction.

        Returns:
            Its id, hexadecimal without 0x: the node accepted it, or already had it.

        Raises:
            SigningError: If it lacks signatures; nothing was sent.
            TransactionRejectedError: If the node refused these bytes.
            NothingSentError: If no connection was made.
            BroadcastUnknownError: If the response is anything else; it is unknown whether it arrived.
        """
        return sending.broadcast(raw)


def _value(endpoint: Endpoint[bytes]) -> Steps[ClarityValue]:
    response = yield Ask(endpoint.request)
    return _decode_response(endpoint.read(response), response.url)


def _encoded(arguments: Sequence[ClarityValue]) -> list[bytes]:
    if isinstance(arguments, ClarityValue):
        raise InvalidValueError(
            f"arguments is a sequence of Clarity values, not one of them: [{shown(arguments, str)}]"
        )
    return [encode(value, MAX_ARGUMENT_DEPTH) for value in arguments]


def _decode_response(data: bytes, url: str) -> ClarityValue:
    try:
        return decode(data)
    except InvalidValueError as error:
        raise NodeResponseError(f"the response is not a valid Clarity value: {error}; use another node", url) from error


def own_headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Return a copy of the headers that were given to a client.

    Raises:
        InvalidValueError: If they are not names with values.
    """
    if headers is not None:
        check_kind(headers, Mapping, "headers", 'e.g. {"x-api-key": …}')
    return dict(headers or {})


def network_of(network_id: int, url: str) -> Network:
    """Find the network by the id that a node gives.

    Args:
        network_id: The node's ``network_id``.
        url: The node's URL; on this machine, it is a devnet.

    Raises:
        NodeResponseError: If it is not a known one.
    """
    is_local = urlsplit(url).hostname in LOOPBACK
    found = networks_of_chain(network_id)
    for network in found:
        if (urlsplit(network.url).hostname in LOOPBACK) == is_local:
            return network
    if not found:
        known = ", ".join(f"{network.name} ({network.chain_id})" for network in NETWORKS.values())
        raise NodeResponseError(
            f"the node is on network {network_id}, which is not one of {known}; give Client(network=Network(…)) with "
            "its versions",
            url,
        )
    return found[0]


def check_network_id(network: Network, network_id: int, url: str) -> None:
    """Refuse a network that is not the node's.

    Args:
        network: The network that was given.
        network_id: The node's ``network_id``.
        url: The node's URL.

    Raises:
        InvalidValueError: If they differ.
    """
    if network_id != network.chain_id:
        raise InvalidValueError(
            f"the node at {url} is on network {network_id}, but network={network.name} "
            f"(chain id {network.chain_id}) was given; correct the URL or the network"
        )
