"""The synchronous client: a thin shell that runs endpoints over a pooled connection."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from der_client.stacks.clarity import ClarityValue, decode, encode
from der_client.stacks.clarity.wire import MAX_ARGUMENT_DEPTH
from der_client.stacks.errors import (
    InvalidValueError,
    NodeAnswerError,
    NodeError,
    NotFoundError,
    shown,
)
from der_client.stacks.network import DEVNET, MAINNET, TESTNET, Network
from der_client.stacks.rpc import api, devnet, node
from der_client.stacks.rpc import broadcast as sending
from der_client.stacks.rpc.logs import MAX_PER_PAGE, LogReader
from der_client.stacks.rpc.retries import RetryPolicy
from der_client.stacks.rpc.steps import Ask, Pause, Steps, repeated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    import requests

    from der_client.stacks.rpc.answers import (
        AccountInfo,
        Balances,
        Block,
        BlockPage,
        ContractInterface,
        ContractLogEvent,
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
    from der_client.stacks.rpc.endpoint import Answer, Endpoint

T = TypeVar("T")
_LOG: Final = logging.getLogger(__name__)
_DEFAULT_TIMEOUT_S: Final = (5.0, 30.0)
_DEFAULT_ANSWER_DEADLINE_S: Final = 120.0
# The largest legitimate answers are contract interfaces, sources and pages of events: a few MB at most.
_DEFAULT_MAX_ANSWER_BYTES: Final = 32 << 20


class Client:
    """Asks a node, and the API in front of it. Connections are pooled; one client serves several threads.

    Args:
        url: The base address that serves ``/v2`` and ``/extended``: an API, Clarinet's devnet, or the embedded devnet.
        network: The network behind it; asked for when first needed if not given.
        timeout: Seconds to connect, and the longest silence while an answer is read, in seconds.
        retries: How often and how patiently failed requests are repeated, where repeating changes nothing.
        headers: Sent with each request, e.g. ``{"x-api-key": …}``; never shown in texts or logs.
        max_answer_bytes: The longest answer that is read.
        answer_deadline_s: The longest time that one request may take, from connecting to the last byte of its answer.
        session: A `requests.Session` whose proxies and TLS settings shall be used.

    Raises:
        InvalidValueError: If the URL or a limit makes no sense.
    """

    def __init__(
        self,
        url: str,
        *,
        network: Network | None = None,
        timeout: tuple[float, float] = _DEFAULT_TIMEOUT_S,
        retries: RetryPolicy | None = None,
        headers: Mapping[str, str] | None = None,
        max_answer_bytes: int = _DEFAULT_MAX_ANSWER_BYTES,
        answer_deadline_s: float = _DEFAULT_ANSWER_DEADLINE_S,
        session: requests.Session | None = None,
    ) -> None:
        if not isinstance(timeout, tuple | list) or len(timeout) != 2:
            raise InvalidValueError(f"timeout is two numbers of seconds, (to connect, of silence), not {timeout!r}")
        if min(*timeout, max_answer_bytes, answer_deadline_s) <= 0:
            raise InvalidValueError("timeout, max_answer_bytes and answer_deadline_s must be more than 0")
        if network is not None and not isinstance(network, Network):
            raise InvalidValueError(f"network is a Network, e.g. MAINNET, not {type(network).__name__} {network!r}")
        # Not before it is needed: requests takes a fifth of the time that importing this library may take.
        from der_client.stacks.rpc.transport import Transport  # noqa: PLC0415

        self._transport = Transport(
            url,
            timeout_s=timeout,
            retries=retries or RetryPolicy(),
            max_answer_bytes=max_answer_bytes,
            answer_deadline_s=answer_deadline_s,
            headers=headers or {},
            session=session,
        )
        self._network = network
        self._network_is_checked = False

    @property
    def url(self) -> str:
        """The base address, without a slash at the end."""
        return self._transport.url

    @property
    def network(self) -> Network:
        """The network: as given, or else as the node's ``network_id`` says.

        Raises:
            NodeError: If the node had to be asked and did not answer properly.
        """
        if self._network is None:
            self._network = self._network_of(self.info().network_id)
            self._network_is_checked = True
        return self._network

    def checked_network(self) -> Network:
        """The network, after making sure once that the node is really on it.

        Raises:
            InvalidValueError: If the client was given another network than the node's.
            NodeError: If the node did not answer properly.
        """
        network = self.network
        if not self._network_is_checked:
            network_id = self.info().network_id
            if network_id != network.chain_id:
                raise InvalidValueError(
                    f"the node at {self.url} is on network {network_id}, but network={network.name} "
                    f"(chain id {network.chain_id}) was given; correct the URL or the network"
                )
            self._network_is_checked = True
        return network

    def run(self, endpoint: Endpoint[T], *, within_s: float | None = None) -> T:
        """Run any endpoint.

        Args:
            endpoint: What to ask.
            within_s: Ask only once, and for no longer than so many seconds.

        Raises:
            NodeError: If the node is down, slow, or answers something else than the endpoint promises.
        """
        return endpoint.read(self._ask(Ask(endpoint.request, within_s)))

    def info(self) -> NodeInfo:
        """The node and the tip of its chain."""
        return self.run(node.info())

    def health(self) -> NodeHealth:
        """How far the node is behind its peers."""
        return self.run(node.health())

    def pox(self) -> PoxInfo:
        """Proof of transfer: cycles, thresholds and epochs."""
        return self.run(node.pox())

    def account(self, principal: str, *, tip: str | None = None) -> AccountInfo:
        """Balance and nonce of a principal; zeros if the network has never seen it."""
        return self.run(node.account(principal, tip=tip))

    def transfer_fee_rate(self) -> int:
        """The node's fee rate for transfers, in µSTX per byte."""
        return self.run(node.transfer_fee_rate())

    def estimate_fee(self, payload: bytes, length_bytes: int) -> FeeEstimate | None:
        """The node's fee estimate, or ``None`` if it has none.

        Args:
            payload: The encoded payload.
            length_bytes: The length of the whole signed transaction.
        """
        return self.run(node.fee_estimate(payload, length_bytes))

    def contract_interface(self, contract_id: str, *, tip: str | None = None) -> ContractInterface:
        """A contract's functions, variables, maps and tokens with their types."""
        return self.run(node.contract_interface(contract_id, tip=tip))

    def contract_source(self, contract_id: str, *, tip: str | None = None) -> ContractSource:
        """A contract's source code."""
        return self.run(node.contract_source(contract_id, tip=tip))

    def call_read(
        self,
        contract_id: str,
        function: str,
        arguments: Sequence[ClarityValue] = (),
        *,
        sender: str | None = None,
        tip: str | None = None,
    ) -> ClarityValue:
        """Call a read-only function.

        Args:
            contract_id: ``ADDRESS.name``.
            function: Its name.
            arguments: Clarity values.
            sender: What ``tx-sender`` shall be; the contract's deployer if not given.
            tip: A block id, or ``latest``.

        Raises:
            CallReadError: If the node could not run it.
            NodeError: If the node is down or answers something else.
        """
        return self._run_value(node.call_read(contract_id, function, _encoded(arguments), sender=sender, tip=tip))

    def map_entry(
        self, contract_id: str, map_name: str, key: ClarityValue, *, tip: str | None = None
    ) -> ClarityValue | None:
        """An entry of a contract's map, or ``None`` if there is none."""
        endpoint = node.map_entry(contract_id, map_name, encode(key, MAX_ARGUMENT_DEPTH), tip=tip)
        answer = self._ask(Ask(endpoint.request))
        value = endpoint.read(answer)
        return None if value is None else _decode_answer(value, answer.url)

    def data_var(self, contract_id: str, variable: str, *, tip: str | None = None) -> ClarityValue:
        """The value of a contract's data variable."""
        return self._run_value(node.data_var(contract_id, variable, tip=tip))

    def constant_val(self, contract_id: str, constant: str, *, tip: str | None = None) -> ClarityValue:
        """The value of a contract's constant."""
        return self._run_value(node.constant_val(contract_id, constant, tip=tip))

    def node_transaction(self, txid: str) -> NodeTransaction:
        """A mined transaction as the node keeps it; `transaction` tells more."""
        return self.run(node.transaction(txid))

    def unconfirmed_transaction(self, txid: str) -> UnconfirmedTransaction:
        """A transaction in the node's mempool."""
        return self.run(node.unconfirmed_transaction(txid))

    def transaction(self, txid: str, *, within_s: float | None = None) -> TransactionInfo | None:
        """A transaction with all its events, or ``None`` if the API has never seen it.

        Args:
            txid: Its id.
            within_s: Ask only once, and for no longer than so many seconds.
        """
        try:
            info = self.run(api.transaction(txid), within_s=within_s)
        except NotFoundError:
            return None
        while len(info.events) < info.event_count:
            more = self.run(api.transaction(txid, event_offset=len(info.events)), within_s=within_s).events
            if not more:
                break  # the block was replaced meanwhile; the next look tells its new events
            info = replace(info, events=info.events + more)
        return info

    def nonces(self, principal: str) -> Nonces:
        """Which nonces of a principal are mined, waiting, and next."""
        return self.run(api.nonces(principal))

    def balances(self, principal: str) -> Balances:
        """STX and tokens of a principal."""
        return self.run(api.balances(principal))

    def block(self, height_or_hash: int | str = "latest") -> Block:
        """A block by height, hash, or the latest, whose time is the chain's time."""
        return self.run(api.block(height_or_hash))

    def blocks(self, limit: int = 20, offset: int = 0) -> BlockPage:
        """Blocks, newest first."""
        return self.run(api.blocks(limit, offset))

    def contract_logs(
        self, contract_id: str, *, limit: int = 50, offset: int = 0, cursor: str | None = None
    ) -> ContractLogPage:
        """A page of what a contract printed, newest first."""
        return self.run(api.contract_logs(contract_id, limit=limit, offset=offset, cursor=cursor))

    def iter_contract_logs(self, contract_id: str, *, per_page: int = MAX_PER_PAGE) -> Iterator[ContractLogEvent]:
        """Iterate over all that a contract printed, newest first, page by page as it is consumed; each event once.

        What a fork moves while it is read is found all the same; what is printed meanwhile may be left out.

        Args:
            contract_id: ``ADDRESS.name``.
            per_page: Events per request, 2 to 100.

        Raises:
            NodeError: If the API could not be read.
        """
        reader = LogReader(contract_id, per_page)
        while not reader.is_done:
            yield from self.follow(reader.next_page())

    def simulate(self, raw: bytes) -> Simulation:
        """What a signed transaction would do now (embedded devnet only).

        Raises:
            SimulationUnavailableError: On any other node.
            TransactionRejectedError: If it would be refused.
        """
        return self.run(devnet.simulate_transaction(raw))

    def simulate_call(
        self, contract_id: str, function: str, arguments: Sequence[ClarityValue] = (), *, sender: str
    ) -> Simulation:
        """What a call of a public function would do now (embedded devnet only).

        Raises:
            SimulationUnavailableError: On any other node.
            TransactionRejectedError: If it would be refused.
        """
        return self.run(devnet.simulate_call(contract_id, function, _encoded(arguments), sender=sender))

    def send(self, raw: bytes) -> str:
        """Send a signed transaction.

        After a failure that leaves open whether the transaction arrived, its id is looked up; only if the node does not
        know it, the identical bytes are sent again. Nothing is ever signed here.

        Args:
            raw: The encoded signed transaction.

        Returns:
            Its id, hexadecimal without 0x.

        Raises:
            TransactionRejectedError: A node refused it in its own words; it is not in the mempool.
            NodeUnreachableError: No connection was made: nothing was sent.
            BroadcastUnknownError: Nobody knows whether it arrived, whatever was answered instead; it carries the txid
                to look for, and the bytes. Sending the identical bytes again is safe, signing anew is not.
        """
        return self.follow(sending.send(raw, self._transport.retries))

    def broadcast(self, raw: bytes) -> str:
        """Send a signed transaction once, without looking for it and without sending it again.

        Args:
            raw: The encoded signed transaction.

        Returns:
            Its id, hexadecimal without 0x: the node took it, or had it already.

        Raises:
            TransactionRejectedError: The node refused these bytes.
            NothingSentError: No connection was made.
            BroadcastUnknownError: Anything else; nobody knows whether it arrived.
        """
        return self.follow(sending.broadcast(raw))

    def follow(self, steps: Steps[T]) -> T:
        """Carry out steps: send what they ask for, and wait where they pause.

        Args:
            steps: What has to be done; see `der_client.stacks.rpc.steps`.

        Raises:
            NodeError: Whatever the steps leave unhandled.
        """
        try:
            step = next(steps)
            while True:
                if isinstance(step, Pause):
                    time.sleep(step.seconds)
                    step = next(steps)
                    continue
                try:
                    answer = self._ask(step)
                except NodeError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as done:
            result: T = done.value
            return result

    def _ask(self, step: Ask) -> Answer:
        if step.once or step.within_s is not None:
            return self._transport.ask_once(step.request, within_s=step.within_s)
        return self.follow(repeated(step.request, self._transport.retries))

    def close(self) -> None:
        """Close the pooled connections; the client opens new ones if it is used again."""
        self._transport.close()

    def __enter__(self) -> Self:
        """Use the client in a ``with`` block, which closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the client."""
        self.close()

    def __repr__(self) -> str:
        """The client's address; headers may hold a secret and are not shown."""
        return f"Client({self.url!r})"

    def _run_value(self, endpoint: Endpoint[bytes]) -> ClarityValue:
        answer = self._ask(Ask(endpoint.request))
        return _decode_answer(endpoint.read(answer), answer.url)

    def _network_of(self, network_id: int) -> Network:
        if network_id == MAINNET.chain_id:
            return MAINNET
        if network_id == TESTNET.chain_id:
            return DEVNET if self._transport.is_local else TESTNET
        raise NodeAnswerError(
            f"the node is on network {network_id}, which is neither mainnet (1) nor testnet (2147483648); "
            "give Client(network=Network(…)) with its versions",
            self.url,
        )


def _encoded(arguments: Sequence[ClarityValue]) -> list[bytes]:
    if isinstance(arguments, ClarityValue):
        raise InvalidValueError(
            f"arguments is a sequence of Clarity values, not one of them: [{shown(arguments, str)}]"
        )
    return [encode(value, MAX_ARGUMENT_DEPTH) for value in arguments]


def _decode_answer(data: bytes, url: str) -> ClarityValue:
    try:
        return decode(data)
    except InvalidValueError as error:
        raise NodeAnswerError(f"the answer is no valid Clarity value: {error}; use another node", url) from error
