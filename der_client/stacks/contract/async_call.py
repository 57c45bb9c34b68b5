"""The steps of a contract call in an event loop: what `Call` and `Pending` do, to be awaited.

Waiting runs in the event loop, for any number of calls. Signing and sending run in a worker thread, since the account,
which threads share, counts nonces and asks the node for them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

from der_client.stacks.contract.unsent import Unsent
from der_client.stacks.errors import TransactionDroppedError, whole
from der_client.stacks.pending import AsyncPendingTransaction
from der_client.stacks.transactions import PostConditionMode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.stacks.contract.call import Call, Pending, Receipt
    from der_client.stacks.rpc import AsyncClient
    from der_client.stacks.transactions import PostCondition, Transaction

R = TypeVar("R")


class AsyncPending(Generic[R]):
    """A call that was sent, to be awaited.

    Args:
        pending: The sent call.
        node: The client for the event loop.
    """

    def __init__(self, pending: Pending[R], node: AsyncClient) -> None:
        self._pending = pending
        self._node = node

    @property
    def txid(self) -> str:
        """The transaction's id, known before it was sent."""
        return self._pending.txid

    async def wait(self, timeout_s: float = 120.0, *, confirmations: int = 1) -> Receipt[R]:
        """Wait until the call is mined; arguments and errors are those of `Pending.wait`."""
        sent = self._pending.transaction
        try:
            mined = await AsyncPendingTransaction(self._node, sent.txid, raw=sent.raw).wait_any(
                timeout_s, confirmations=confirmations
            )
        except TransactionDroppedError:
            await asyncio.to_thread(sent.note_dropped)
            raise
        await asyncio.to_thread(sent.note_mined)
        # In a thread, since details of an error may be read from the chain.
        return await asyncio.to_thread(self._pending.read_receipt, mined)

    @whole
    def __repr__(self) -> str:
        return f"Async{self._pending!r}"


class AsyncCall(Unsent, Generic[R]):
    """A prepared call of a public function, to be sent from an event loop; until then nothing happens.

    Args:
        call: The call.
        node: The client for the event loop.

    Attributes:
        call: The call in its blocking form, with its payload and arguments.
    """

    def __init__(self, call: Call[R], node: AsyncClient) -> None:
        self.call = call
        self._node = node

    async def simulate(
        self,
        *,
        post_conditions: Sequence[PostCondition] | None = None,
        mode: PostConditionMode = PostConditionMode.DENY,
    ) -> Receipt[R]:
        """Run the call on the current state without changing anything; see `Call.simulate`."""
        return await asyncio.to_thread(self.call.simulate, post_conditions=post_conditions, mode=mode)

    async def tighten(self) -> AsyncCall[R]:
        """Return the same call with post-conditions that allow exactly what would move now; see `Call.tighten`."""
        return AsyncCall(await asyncio.to_thread(self.call.tighten), self._node)

    async def transaction(
        self,
        *,
        nonce: int | None = None,
        fee_ustx: int | None = None,
        post_conditions: Sequence[PostCondition] | None = None,
        mode: PostConditionMode = PostConditionMode.DENY,
    ) -> Transaction:
        """Return the unsigned transaction; see `Call.transaction`."""
        return await asyncio.to_thread(
            self.call.transaction, nonce=nonce, fee_ustx=fee_ustx, post_conditions=post_conditions, mode=mode
        )

    async def send(
        self,
        signed: Transaction | None = None,
        *,
        nonce: int | None = None,
        fee_ustx: int | None = None,
        post_conditions: Sequence[PostCondition] | None = None,
        mode: PostConditionMode = PostConditionMode.DENY,
        replaces: bool = False,
    ) -> AsyncPending[R]:
        """Sign with the account's key and send; arguments and errors are those of `Call.send`.

        Cancelling the task meanwhile does not stop the sending: the transaction may still arrive.
        """
        pending = await asyncio.to_thread(
            self.call.send,
            signed,
            nonce=nonce,
            fee_ustx=fee_ustx,
            post_conditions=post_conditions,
            mode=mode,
            replaces=replaces,
        )
        return AsyncPending(pending, self._node)

    @whole
    def __repr__(self) -> str:
        return f"Async{self.call!r}"
