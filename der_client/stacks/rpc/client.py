"""The synchronous client: a thin shell that runs endpoints over a pooled connection."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

from der_client.stacks.checks import check_seconds
from der_client.stacks.errors import NodeError, NodeUnreachableError, whole
from der_client.stacks.rpc.block_signals import BlockListener, BlockSignal
from der_client.stacks.rpc.logs import MAX_PER_PAGE, LogReader
from der_client.stacks.rpc.methods import (
    DEFAULT_ANSWER_DEADLINE_S,
    DEFAULT_MAX_ANSWER_BYTES,
    DEFAULT_TIMEOUT_S,
    Methods,
    own_headers,
)
from der_client.stacks.rpc.notices import CUT, Notice, check_subscription, reconnection_pauses_s
from der_client.stacks.rpc.steps import Ask, Listen, Steps, repeated
from der_client.stacks.rpc.watching import DEFAULT_POLL_S, BlockWatch, LogWatch

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    import requests

    from der_client.stacks.network import Network
    from der_client.stacks.rpc.api_socket import ApiSocket
    from der_client.stacks.rpc.endpoint import Endpoint, HttpResponse
    from der_client.stacks.rpc.responses import (
        ContractLogEvent,
    )
    from der_client.stacks.rpc.retries import RetryPolicy
    from der_client.stacks.rpc.watching import BlockUpdate, LogUpdate, Watch

T = TypeVar("T")
Update = TypeVar("Update")
_LOG: Final = logging.getLogger(__name__)


class Client(Methods):
    """Asks a node, and the API in front of it. Connections are pooled; one client serves several threads.

    Args:
        url: The base address that serves ``/v2`` and ``/extended``: an API, Clarinet's devnet, or the embedded devnet.
        network: The network behind it; asked for when first needed if not given.
        timeout: Seconds to connect, and the longest silence while a response is read, in seconds.
        retries: How often and how patiently failed requests are repeated, where repeating changes nothing.
        headers: Sent with each request, e.g. ``{"x-api-key": …}``; never shown in texts or logs.
        max_response_bytes: The longest response that is read.
        response_deadline_s: The longest time for one request, from connecting to the last byte of its response.
        session: A `requests.Session` whose proxies and TLS settings to use.

    Raises:
        InvalidValueError: If the URL or a limit makes no sense.
    """

    def __init__(
        self,
        url: str,
        *,
        network: Network | None = None,
        timeout: tuple[float, float] = DEFAULT_TIMEOUT_S,
        retries: RetryPolicy | None = None,
        headers: Mapping[str, str] | None = None,
        max_response_bytes: int = DEFAULT_MAX_ANSWER_BYTES,
        response_deadline_s: float = DEFAULT_ANSWER_DEADLINE_S,
        session: requests.Session | None = None,
    ) -> None:
        super().__init__(network, timeout, retries, max_response_bytes, response_deadline_s)
        self._own_headers = own_headers(headers)
        # Not before it is needed: importing requests takes a fifth of this library's limit for its import time.
        from der_client.stacks.rpc.transport import Transport  # noqa: PLC0415

        self._transport = Transport(
            url,
            timeout_s=timeout,
            max_response_bytes=max_response_bytes,
            response_deadline_s=response_deadline_s,
            headers=headers or {},
            session=session,
        )

    @property
    def url(self) -> str:
        """The base address, without a slash at the end."""
        return self._transport.url

    @property
    def network(self) -> Network:
        """The network: as given, or else from the node's ``network_id``.

        Raises:
            NodeError: If the node had to be asked and did not response properly.
        """
        return self.follow(self.network_steps())

    def checked_network(self) -> Network:
        """Return the network, after checking once that the node is really on it.

        Raises:
            InvalidValueError: If the client was given another network than the node's.
            NodeError: If the node did not response properly.
        """
        return self.follow(self.network_steps(checked=True))

    def run(self, endpoint: Endpoint[T], *, within_s: float | None = None) -> T:
        """Run any endpoint.

        Args:
            endpoint: What to ask.
            within_s: Ask only once, and wait at most this many seconds.

        Raises:
            NodeError: If the node is down, slow, or responds with something else than the endpoint promises.
        """
        until = None if within_s is None else self._until(within_s)
        return endpoint.read(self._ask(Ask(endpoint.request, until, once=within_s is not None)))

    def iter_contract_logs(self, contract_id: str, *, per_page: int = MAX_PER_PAGE) -> Iterator[ContractLogEvent]:
        """Iterate over everything that a contract printed, newest first, page by page on demand; each event once.

        Events that a fork moves or adds meanwhile are found, too; events that it removes may have been returned before.
        New events may be left out.

        Args:
            contract_id: ``ADDRESS.name``.
            per_page: Events per request, 2 to 100.

        Raises:
            NodeError: If the API could not be read.
        """
        reader = LogReader(contract_id, per_page)
        while not reader.is_done:
            yield from self.follow(reader.next_page())

    def stream_contract_logs(
        self,
        contract_id: str,
        *,
        history: bool = False,
        known: Sequence[ContractLogEvent] = (),
        poll_s: float = DEFAULT_POLL_S,
        idle_s: float | None = None,
    ) -> Generator[LogUpdate, None, None]:
        """Follow what a contract prints from now on: each event once, in order, over lost connections and forks.

        The API's WebSocket announces new events (extra ``stream``); without it, the API is polled.

        Args:
            contract_id: ``ADDRESS.name``.
            history: Whether to begin with everything that was printed so far, oldest first.
            known: Events that were already read, oldest first and without gaps; newer ones follow.
            poll_s: How often to poll without a WebSocket, in seconds.
            idle_s: End after this many seconds without anything new; ``None`` for never.

        Raises:
            NodeError: If the API cannot be read at the start; later, it is asked again until it responds.
        """
        return self._watched(LogWatch(contract_id, poll_s, idle_s, known), history=history or bool(known))

    def stream_blocks(
        self, *, poll_s: float = DEFAULT_POLL_S, idle_s: float | None = None
    ) -> Generator[BlockUpdate, None, None]:
        """Follow the blocks from now on: each once, in order, over lost connections, with those that forks replace.

        Args:
            poll_s: How often to poll without a WebSocket, in seconds.
            idle_s: End after this many seconds without a new block; ``None`` for never.

        Raises:
            NodeError: If the API cannot be read at the start; later, it is asked again until it responds.
        """
        return self._watched(BlockWatch(poll_s, idle_s), history=False)

    def listen_for_blocks(self) -> BlockListener:
        """Hear that there is a new block, without being told which; for programs that look for themselves.

        Returns:
            What is waited for; close it, or use it in a ``with`` block. It needs the extra ``stream``, and an API with
            a WebSocket; without, or while that is cut, it announces nothing.
        """
        return BlockListener(self.url, self._own_headers)

    def stream(self, event: str, *, idle_s: float | None = None, **parameters: str) -> Generator[Notice, None, None]:
        """Follow the API's announcements over its WebSocket (extra ``stream``), as they are.

        Announcements are missed while the connection is lost. It is made again, and a notice of the event ``cut``
        reports it; `stream_blocks` and `stream_contract_logs` miss nothing.

        Args:
            event: ``block``, ``mempool``, ``tx_update`` (tx_id=…), ``address_tx_update`` (address=…),
                ``address_balance_update`` (address=…), ``nft_event``, ``nft_asset_event`` (asset_identifier=…,
                value=…) or ``nft_collection_event`` (asset_identifier=…).
            idle_s: End after this many seconds without a notice; ``None`` for never.
            **parameters: The event's parameters.

        Raises:
            InvalidValueError: If there is no such event, or it takes other parameters.
            NodeError: If the API does not serve a WebSocket, or refuses the subscription.
            MissingExtraError: If the extra is not installed.
        """
        check_subscription(event, parameters)
        if idle_s is not None:
            check_seconds(idle_s, "idle_s")
        from der_client.stacks.rpc.api_socket import ApiSocket  # noqa: PLC0415 -- an extra

        first = ApiSocket(self.url, self._own_headers, event, parameters)
        return self._notices(first, event, parameters, idle_s)

    def _notices(
        self, socket: ApiSocket, event: str, parameters: Mapping[str, str], idle_s: float | None
    ) -> Generator[Notice, None, None]:
        again = type(socket)
        try:
            while True:
                try:
                    notice = socket.next_notice(idle_s)
                except NodeError as error:
                    socket.close()
                    socket = self._connected_again(again, event, parameters)
                    notice = Notice(CUT, {"reason": str(error)})
                if notice is None:
                    return
                yield notice
        finally:
            socket.close()

    def _connected_again(self, kind: type[ApiSocket], event: str, parameters: Mapping[str, str]) -> ApiSocket:
        for pause_s in reconnection_pauses_s():
            try:
                return kind(self.url, self._own_headers, event, parameters)
            except NodeUnreachableError as error:
                _LOG.info("connecting again failed, trying again in %.1f s: %s", pause_s, error)
                time.sleep(pause_s)
        raise AssertionError

    def _watched(self, watch: Watch[Update], *, history: bool) -> Generator[Update, None, None]:
        signal = BlockSignal(self.url, self._own_headers)  # before the first read, so that nothing is missed
        try:
            if not history:
                self.follow(watch.start())
        except BaseException:
            signal.close()
            raise
        return self._updates(watch, signal)

    def _updates(self, watch: Watch[Update], signal: BlockSignal) -> Generator[Update, None, None]:
        try:
            while not watch.is_over:
                yield from self.follow(watch.next_updates(), signal)
        finally:
            signal.close()

    def follow(self, steps: Steps[T], signal: BlockSignal | None = None) -> T:
        """Carry out steps: send what they ask for, and wait where they pause.

        Args:
            steps: What has to be done; see `der_client.stacks.rpc.steps`.
            signal: What announces new blocks to steps that listen for them.

        Raises:
            NodeError: If a request failed, and the steps do not handle that.
        """
        try:
            step = next(steps)
            while True:
                if isinstance(step, Ask):
                    try:
                        response = self._ask(step)
                    except NodeError as error:
                        step = steps.throw(error)
                    else:
                        step = steps.send(response)
                    continue
                if isinstance(step, Listen) and signal is not None:
                    signal.wait(step)
                else:
                    time.sleep(step.seconds)
                step = next(steps)
        except StopIteration as done:
            result: T = done.value
            return result

    def _ask(self, step: Ask) -> HttpResponse:
        if step.once:
            return self._transport.ask_once(step.request, step.until)
        return self.follow(repeated(step.request, self.retries, step.until))

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

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied or sent to another process: headers may hold a secret, and connections do not travel."""
        raise TypeError("a Client cannot be pickled or copied; make one from its URL in each process")

    @whole
    def __repr__(self) -> str:
        """Return the client's address; headers may hold a secret and are not shown."""
        return f"Client({self.url!r})"
