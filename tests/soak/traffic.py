"""Clients that send transactions like careful programs, and keep their own books."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from enum import Enum
from random import Random
from typing import TYPE_CHECKING, Final

from der_client.stacks.clarity import PrincipalValue, UIntValue
from der_client.stacks.errors import ConfirmationTimeoutError, NodeResponseError, NodeUnreachableError
from der_client.stacks.rpc import TransactionStatus
from der_client.stacks.transactions import (
    ORIGIN,
    ContractCall,
    FungibleCode,
    StxPostCondition,
    TokenTransfer,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.stacks.account import Account
    from der_client.stacks.transactions import PostCondition, UserPayload

FEE_USTX: Final = 1_000
_LONGEST_BURST: Final = 6
_LONGEST_PAYMENT_USTX: Final = 1_000
_PATIENCE_S: Final = 300.0


class Kind(Enum):
    """What a transaction does, and how it must end."""

    COUNT = ("count", TransactionStatus.SUCCESS)
    PAY = ("count-and-pay", TransactionStatus.SUCCESS)
    PAY_UNDECLARED = ("count-and-pay", TransactionStatus.ABORT_BY_POST_CONDITION)
    REFUSE = ("count-and-refuse", TransactionStatus.ABORT_BY_RESPONSE)
    CRASH = ("count-and-crash", TransactionStatus.ABORT_BY_RESPONSE)
    TRANSFER = ("", TransactionStatus.SUCCESS)

    def __init__(self, function: str, ends: TransactionStatus) -> None:
        self.function = function
        self.ends = ends


@dataclass
class Entry:
    """A transaction in the book of a client.

    Attributes:
        txid: The transaction's id.
        kind: What the transaction does.
        ustx: The amount that it moves if it succeeds, in µSTX.
        to: The recipient.
        answered: Whether the node has acknowledged it.
        block_hash: The block in which it was first seen mined; empty before that.
        status: Its status in that block.
    """

    txid: str
    kind: Kind
    ustx: int
    to: str
    answered: bool = False
    block_hash: str = ""
    status: TransactionStatus | None = None


@dataclass
class Walker:
    """A client that sends bursts of transactions, waits for their outcomes, and never gives up on one.

    Attributes:
        account: The client's account.
        others: The addresses that it pays.
        contract: The id of the ``world`` contract.
        random: The source of all randomness.
        pause_s: The average pause after a burst.
        book: All transactions that it sent, by nonce.
        outages: How often it could not reach the node.
    """

    account: Account
    others: Sequence[str]
    contract: str
    random: Random
    pause_s: float
    book: list[Entry] = field(default_factory=list)
    outages: int = 0

    def run(self, stop: threading.Event) -> None:
        """Send transactions until ``stop`` is set; return when all of them are mined."""
        while not stop.is_set():
            burst = [self._send() for _ in range(self.random.randint(1, _LONGEST_BURST))]
            for entry in burst:
                receipt = self.account.pending(entry.txid).wait_any(_PATIENCE_S, max_poll_s=0.2)
                entry.block_hash, entry.status = receipt.block_hash, receipt.status
            stop.wait(self.random.uniform(0, 2 * self.pause_s))

    def _send(self) -> Entry:
        kind = self.random.choice(list(Kind))
        ustx = self.random.randint(1, _LONGEST_PAYMENT_USTX)
        to = self.random.choice(self.others) if kind is Kind.TRANSFER else self.contract
        signed = self.account.sign(
            self.account.build(
                self._payload(kind, ustx, to),
                post_conditions=self._conditions(kind, ustx),
                nonce=len(self.book),
                fee_ustx=FEE_USTX,
            )
        )
        entry = Entry(signed.txid, kind, ustx, to)
        self.book.append(entry)
        deadline = time.monotonic() + _PATIENCE_S
        while not entry.answered:
            try:
                self.account.send(signed)
                entry.answered = True
            except (NodeUnreachableError, NodeResponseError, ConfirmationTimeoutError):
                self.outages += 1
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        return entry

    def _payload(self, kind: Kind, ustx: int, to: str) -> UserPayload:
        if kind is Kind.TRANSFER:
            return TokenTransfer(PrincipalValue(to), ustx)
        arguments = (UIntValue(ustx),) if kind in (Kind.PAY, Kind.PAY_UNDECLARED) else ()
        return ContractCall(self.contract, kind.function, arguments)

    def _conditions(self, kind: Kind, ustx: int) -> tuple[PostCondition, ...]:
        return (StxPostCondition(ORIGIN, FungibleCode.EQUAL, ustx),) if kind is Kind.PAY else ()
