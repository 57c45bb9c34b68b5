"""The synchronous client: a thin shell that runs endpoints over a pooled connection."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final, TypeVar

from der_client.stacks.errors import (
    NodeError,
)
from der_client.stacks.rpc.logs import MAX_PER_PAGE, LogReader
from der_client.stacks.rpc.methods import (
    DEFAULT_ANSWER_DEADLINE_S,
    DEFAULT_MAX_ANSWER_BYTES,
    DEFAULT_TIMEOUT_S,
    Methods,
    check_network_id,
    network_of,
)
from der_client.stacks.rpc.steps import Ask, Pause, Steps, repeated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType
    from typing import Self

    import requests

    from der_client.stacks.network import Network
    from der_client.stacks.rpc.answers import (
        ContractLogEvent,
    )
    from der_client.stacks.rpc.endpoint import Answer, Endpoint
    from der_client.stacks.rpc.retries import RetryPolicy

T = TypeVar("T")
_LOG: Final = logging.getLogger(__name__)


class Client(Methods):
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
        timeout: tuple[float, float] = DEFAULT_TIMEOUT_S,
        retries: RetryPolicy | None = None,
        headers: Mapping[str, str] | None = None,
        max_answer_bytes: int = DEFAULT_MAX_ANSWER_BYTES,
        answer_deadline_s: float = DEFAULT_ANSWER_DEADLINE_S,
        session: requests.Session | None = None,
    ) -> None:
        super().__init__(network, timeout, retries, max_answer_bytes, answer_deadline_s)
        # Not before it is needed: requests takes a fifth of the time that importing this library may take.
        from der_client.stacks.rpc.transport import Transport  # noqa: PLC0415

        self._transport = Transport(
            url,
            timeout_s=timeout,
            max_answer_bytes=max_answer_bytes,
            answer_deadline_s=answer_deadline_s,
            headers=headers or {},
            session=session,
        )

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
            self._network = network_of(self.info().network_id, self.url)
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
            check_network_id(network, self.info().network_id, self.url)
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
        until = None if within_s is None else time.monotonic() + within_s
        return endpoint.read(self._ask(Ask(endpoint.request, until, once=within_s is not None)))

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

    def __repr__(self) -> str:
        """The client's address; headers may hold a secret and are not shown."""
        return f"Client({self.url!r})"
