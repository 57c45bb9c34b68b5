"""The asynchronous client: the methods of `Client`, to be awaited."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

from der_client.stacks.checks import check_seconds
from der_client.stacks.errors import NodeError, NodeUnreachableError, whole
from der_client.stacks.rpc.async_block_signals import AsyncBlockSignal
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
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from der_client.stacks.network import Network
    from der_client.stacks.rpc.api_socket import AsyncApiSocket
    from der_client.stacks.rpc.endpoint import Endpoint, HttpResponse
    from der_client.stacks.rpc.responses import ContractLogEvent
    from der_client.stacks.rpc.retries import RetryPolicy
    from der_client.stacks.rpc.watching import BlockUpdate, LogUpdate, Watch

T = TypeVar("T")
Update = TypeVar("Update")
_LOG: Final = logging.getLogger(__name__)
__all__: Final = ["AsyncClient"]


class AsyncClient(Methods):
    """Asks a node, and the API in front of it, from one event loop. Needs the extra ``async`` (``der-client[async]``).

    It has all methods of `Client`, to be awaited: ``await client.transaction(txid)``.

    Args:
        url: The base address that serves ``/v2`` and ``/extended``.
        network: The network behind it; if not given, the node is asked when it is first needed.
        timeout: Seconds to connect, and the longest silence while a response is read, in seconds.
        retries: How often and how patiently failed requests are repeated, if repeating them is safe.
        headers: Headers of each request, e.g. ``{"x-api-key": …}``; never shown in texts or logs.
        max_response_bytes: The longest response that is read.
        response_deadline_s: The longest time for one request, from connecting to the last byte of its response.

    Raises:
        InvalidValueError: If the URL or a limit is not valid.
        MissingExtraError: If the extra is not installed.
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
    ) -> None:
        super().__init__(network, timeout, retries, max_response_bytes, response_deadline_s)
        self._own_headers = own_headers(headers)
        from der_client.stacks.rpc.async_transport import AsyncTransport  # noqa: PLC0415 -- an extra

        self._transport = AsyncTransport(
            url,
            timeout_s=timeout,
            max_response_bytes=max_response_bytes,
            response_deadline_s=response_deadline_s,
            headers=headers or {},
        )

    @property
    def url(self) -> str:
        """The base address, without a slash at the end."""
        return self._transport.url

    async def network(self) -> Network:
        """Return the network: as given, or else from the node's ``network_id``; if it was given, it is checked once.

        Raises:
            InvalidValueError: If the client was given another network than the node's.
            NodeError: If the node did not response properly.
        """
        return await self.follow(self.network_steps(checked=True))

    async def run(self, endpoint: Endpoint[T], *, within_s: float | None = None) -> T:
        """Run any endpoint.

        Args:
            endpoint: What to ask.
            within_s: Ask only once, and for no longer than this many seconds.

        Raises:
            NodeError: If the node is down or slow, or its response is not what the endpoint promises.
        """
        until = None if within_s is None else self._until(within_s)
        return endpoint.read(await self._ask(Ask(endpoint.request, until, once=within_s is not None)))

    async def iter_contract_logs(
        self, contract_id: str, *, per_page: int = MAX_PER_PAGE
    ) -> AsyncGenerator[ContractLogEvent, None]:
        """Iterate over everything that a contract printed, newest first; see `Client.iter_contract_logs`.

        Args:
            contract_id: ``ADDRESS.name``.
            per_page: Events per request, 2 to 100.
        """
        reader = LogReader(contract_id, per_page)
        while not reader.is_done:
            for event in await self.follow(reader.next_page()):
                yield event

    def stream_contract_logs(
        self,
        contract_id: str,
        *,
        history: bool = False,
        known: Sequence[ContractLogEvent] = (),
        poll_s: float = DEFAULT_POLL_S,
        idle_s: float | None = None,
    ) -> AsyncGenerator[LogUpdate, None]:
        """Follow what a contract prints; see `Client.stream_contract_logs`. It begins with the first step."""
        return self._watched(LogWatch(contract_id, poll_s, idle_s, known), history=history or bool(known))

    def stream_blocks(
        self, *, poll_s: float = DEFAULT_POLL_S, idle_s: float | None = None
    ) -> AsyncGenerator[BlockUpdate, None]:
        """Follow the blocks; see `Client.stream_blocks`. It begins with the first step."""
        return self._watched(BlockWatch(poll_s, idle_s), history=False)

    async def stream(
        self, event: str, *, idle_s: float | None = None, **parameters: str
    ) -> AsyncGenerator[Notice, None]:
        """Follow what the API announces over its WebSocket (extra ``stream``); see `Client.stream`.

        It begins with the first step: ``async for notice in client.stream("mempool")``.
        """
        check_subscription(event, parameters)
        if idle_s is not None:
            check_seconds(idle_s, "idle_s")
        from der_client.stacks.rpc.api_socket import AsyncApiSocket  # noqa: PLC0415 -- an extra

        socket = await AsyncApiSocket.open(self.url, self._own_headers, event, parameters)
        try:
            while True:
                try:
                    async with asyncio.timeout(idle_s):
                        notice = await socket.next_notice()
                except TimeoutError:
                    return
                except NodeError as error:
                    await socket.close()
                    socket = await self._connected_again(event, parameters)
                    notice = Notice(CUT, {"reason": str(error)})
                yield notice
        finally:
            await socket.close()

    async def _connected_again(self, event: str, parameters: Mapping[str, str]) -> AsyncApiSocket:
        from der_client.stacks.rpc.api_socket import AsyncApiSocket  # noqa: PLC0415 -- an extra

        for pause_s in reconnection_pauses_s():
            try:
                return await AsyncApiSocket.open(self.url, self._own_headers, event, parameters)
            except NodeUnreachableError as error:
                _LOG.info("connecting again failed, trying again in %.1f s: %s", pause_s, error)
                await asyncio.sleep(pause_s)
        raise AssertionError

    async def _watched(self, watch: Watch[Update], *, history: bool) -> AsyncGenerator[Update, None]:
        signal = AsyncBlockSignal(self.url, self._own_headers)
        await signal.connect()
        try:
            if not history:
                await self.follow(watch.start())
            while not watch.is_over:
                for update in await self.follow(watch.next_updates(), signal):
                    yield update
        finally:
            await signal.close()

    async def follow(self, steps: Steps[T], signal: AsyncBlockSignal | None = None) -> T:
        """Carry out steps: send their requests, and wait where they pause.

        Args:
            steps: The steps; see `der_client.stacks.rpc.steps`.
            signal: What announces new blocks to steps that listen for them.

        Raises:
            NodeError: If a request failed, and the steps do not handle that.
        """
        try:
            step = next(steps)
            while True:
                if isinstance(step, Ask):
                    try:
                        response = await self._ask(step)
                    except NodeError as error:
                        step = steps.throw(error)
                    else:
                        step = steps.send(response)
                    continue
                if isinstance(step, Listen) and signal is not None:
                    await signal.wait(step)
                else:
                    await asyncio.sleep(step.seconds)
                step = next(steps)
        except StopIteration as done:
            result: T = done.value
            return result

    async def _ask(self, step: Ask) -> HttpResponse:
        if step.once:
            return await self._transport.ask_once(step.request, step.until)
        return await self.follow(repeated(step.request, self.retries, step.until))

    async def close(self) -> None:
        """Close the pooled connections."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        """Use the client in an ``async with`` block, which closes it."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the client."""
        await self.close()

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied or sent to another process: headers may contain a secret, and connections stay here."""
        raise TypeError("an AsyncClient cannot be pickled or copied; make one from its URL in each process")

    @whole
    def __repr__(self) -> str:
        """Return the client's address; headers may contain a secret and are not shown."""
        return f"AsyncClient({self.url!r})"
