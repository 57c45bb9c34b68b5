"""Reads what the contracts printed from a node's API: oldest first, block by block, on one fork.

Events are found in the API's logs of each contract, in pages. The API counts from the newest; from the total in each
response, the place counted from the oldest is computed, which only a fork can change. The transactions of each block in
which something was printed are read for their order, senders and arguments.

Everything that is read lies at or below one block, the tip when reading began. A fork in the meantime replaces that
block, so it is checked again before the results are used.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

from der_client.contracts import CONTRACTS
from der_client.index.chain_data import ChainBlock, ChainTransaction, FilledBlock, Printed
from der_client.stacks.contract.events import Event, read_event, require_known
from der_client.stacks.errors import NodeResponseError, NotFoundError
from der_client.stacks.rpc.api import with_cost
from der_client.stacks.rpc.endpoint import Endpoint, HttpResponse, Request
from der_client.stacks.rpc.fields import Hash, Unsigned, at, read_as

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from der_client.stacks.rpc import Client
    from der_client.stacks.rpc.responses import Block, ContractLogEvent

_LOGS_PER_PAGE: Final = 100
_TRANSACTIONS_PER_PAGE: Final = 50
_EVENTS_OF: Final = {contract.name: contract.event_classes for contract in CONTRACTS}


class ChainMovedError(Exception):
    """The chain changed while it was read; what was read is not valid."""


class Mark(NamedTuple):
    """How far the events of a contract are indexed.

    Attributes:
        printed: The number of events.
        last: The transaction of the last event, and its place there; ``None`` if there is none.
    """

    printed: int
    last: tuple[str, int] | None


class _Placed(NamedTuple):
    """A transaction and the block it is in."""

    block: ChainBlock
    transaction: ChainTransaction


class ChainReader:
    """Reads the blocks in which the contracts of one deployer printed something.

    Args:
        client: The node.
        deployer: The address that deployed the contracts.
    """

    def __init__(self, client: Client, deployer: str) -> None:
        self._client = client
        self._deployer = deployer
        self.contract_ids = {contract.name: f"{deployer}.{contract.name}" for contract in CONTRACTS}

    def tip(self) -> ChainBlock:
        """Return the newest block.

        Raises:
            NodeError: If the API could not be read.
        """
        return _chain_block(self._client.block("latest"))

    def block_at(self, height: int) -> ChainBlock | None:
        """Return the block at a height, or ``None`` if there is none (any more).

        Raises:
            NodeError: If the API could not be read.
        """
        try:
            return _chain_block(self._client.block(height))
        except NotFoundError:
            return None

    def hash_at(self, height: int) -> str | None:
        """Return the hash of the block at a height, or ``None`` if there is none (any more).

        Raises:
            NodeError: If the API could not be read.
        """
        block = self.block_at(height)
        return None if block is None else block.hash

    def require(self, block: ChainBlock) -> None:
        """Check that a block is still in the chain.

        Raises:
            ChainMovedError: If it is not.
            NodeError: If the API could not be read.
        """
        if self.hash_at(block.height) != block.hash:
            raise ChainMovedError(f"block {block.height} was {block.hash} but has been replaced")

    def blocks(self, marks: Mapping[str, Mark], tip: ChainBlock) -> Iterator[FilledBlock]:
        """Read the blocks after what is indexed, up to a tip.

        Args:
            marks: How far each contract is indexed, by its name.
            tip: The newest block when reading begins.

        Raises:
            ChainMovedError: If the chain changed; what was read since the tip was read is not valid.
            UnknownEventError: If a contract printed something that fits none of this library's event classes.
            NodeError: If the API could not be read.
        """
        logs = heapq.merge(*(self._logs(name, marks[name], tip.height) for name in self.contract_ids), key=_height_of)
        for height, of_block in groupby(logs, key=_height_of):
            yield self._filled(height, list(of_block))

    def _logs(self, name: str, mark: Mark, last_height: int) -> Iterator[ContractLogEvent]:
        """Yield a contract's logs after a mark, oldest first."""
        contract_id = self.contract_ids[name]
        # Read the last known one again first, to see that nothing before it has changed.
        position = max(0, mark.printed - 1)
        expected = mark.last
        total = self._client.contract_logs(contract_id, limit=1).total
        if total < mark.printed:
            raise ChainMovedError(f"{contract_id} has printed less than before")
        while position < total:
            page, total = self._page(contract_id, position, total)
            if expected is not None:
                first = page.pop(0)
                if (first.txid, first.event_index) != expected:
                    raise ChainMovedError(f"{contract_id} has printed something different before")
                expected, position = None, position + 1
            for log in page:
                if _height_of(log) > last_height:
                    return
                yield log
            position += len(page)

    def _page(self, contract_id: str, position: int, total: int) -> tuple[list[ContractLogEvent], int]:
        """Return the logs from a place on, counted from the oldest, and the total number."""
        found: dict[int, ContractLogEvent] = {}
        end = min(position + _LOGS_PER_PAGE, total)
        while position not in found:
            offset = max(0, total - end)
            page = self._client.contract_logs(contract_id, limit=end - position, offset=offset)
            if page.total < end or not page.events:
                raise ChainMovedError(f"{contract_id} has printed less than before")
            total = page.total
            first = (
                total - offset - len(page.events)
            )  # more may have been printed: then the page begins at a later place
            found |= enumerate(reversed(page.events), first)
            if position < first:
                end = min(first, end)  # what is missing is older; a response may contain less than was asked for
        return [self._placed(found[number]) for number in range(position, end_of(found, position))], total

    def _placed(self, log: ContractLogEvent) -> ContractLogEvent:
        """Fill in the block of a log that came without one, as from some APIs."""
        if log.block_height is not None:
            return log
        info = self._client.transaction_summary(log.txid)
        if info is None or info.block_height is None:
            raise ChainMovedError(f"transaction {log.txid} is not mined any more")
        return type(log)(
            log.contract_id, log.topic, log.raw_value, log.txid, log.event_index, info.block_height, info.block_time
        )

    def _filled(self, height: int, logs: list[ContractLogEvent]) -> FilledBlock:
        printed: dict[str, list[Printed]] = {}
        for log in sorted(logs, key=lambda log: log.event_index):
            printed.setdefault(log.txid, []).append(Printed(log.event_index, self._typed(log)))
        found: dict[str, _Placed] = {}
        offset = 0
        while len(found) < len(printed):
            page = self._client.run(_block_transactions(height, printed, offset))
            found |= page.ours
            offset += page.length
            if page.length == 0 or (len(found) < len(printed) and offset >= page.total):
                raise ChainMovedError(f"block {height} no longer has the transactions of its events")
        if len({placed.block.hash for placed in found.values()}) != 1:
            raise ChainMovedError(f"block {height} was replaced while it was read")
        ordered = sorted((placed.transaction for placed in found.values()), key=lambda each: each.tx_index)
        return FilledBlock(next(iter(found.values())).block, ordered)

    def _typed(self, log: ContractLogEvent) -> Event:
        event = read_event(log.raw_value, _EVENTS_OF[log.contract_id.partition(".")[2]])
        require_known(event, log.contract_id, log.txid)
        if not isinstance(event, Event):
            raise TypeError(event)
        return event


def end_of(found: Mapping[int, object], position: int) -> int:
    """Return the place after the last of a run of consecutive ones from a place on."""
    while position in found:
        position += 1
    return position


def _height_of(log: ContractLogEvent) -> int:
    if log.block_height is None:
        raise NodeResponseError(f"the event of {log.txid} has no block", "")
    return log.block_height


def _chain_block(block: Block) -> ChainBlock:
    return ChainBlock(block.height, block.hash, block.block_time, block.parent_block_hash, block.burn_block_height)


class _BlockPage(NamedTuple):
    """Transactions of a block.

    Attributes:
        ours: The transactions that were asked for, by their ids.
        length: How many there were on the page.
        total: How many the block has.
    """

    ours: dict[str, _Placed]
    length: int
    total: int


def _block_transactions(height: int, wanted: Mapping[str, list[Printed]], offset: int) -> Endpoint[_BlockPage]:
    """``GET /extended/v2/blocks/{height}/transactions``, with arguments and results.

    Args:
        height: Of the block.
        wanted: What was printed, by wanted transaction.
        offset: How many to skip.
    """
    query = (("limit", str(_TRANSACTIONS_PER_PAGE)), ("offset", str(offset)))
    request = Request("GET", f"/extended/v2/blocks/{height}/transactions", query)
    return Endpoint(request, partial(_read_transactions, wanted))


@dataclass(frozen=True, slots=True)
class _Listed:
    total: Unsigned
    results: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    txid: Annotated[Hash, at("tx_id")]


def _read_transactions(wanted: Mapping[str, list[Printed]], response: HttpResponse) -> _BlockPage:
    if response.status == 404:
        return _BlockPage({}, 0, 0)
    page = response.read(_Listed)
    ours = {}
    for item in page.results:
        txid = read_as(_Entry, item, response.url).txid
        if txid in wanted:
            block = read_as(ChainBlock, item, response.url)
            transaction = read_as(ChainTransaction, with_cost(item), response.url)
            ours[txid] = _Placed(block, replace(transaction, printed=wanted[txid]))
    return _BlockPage(ours, len(page.results), page.total)
