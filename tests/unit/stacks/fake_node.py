"""A fake node that rejects, forgets, lags or disconnects on demand, which the embedded devnet cannot do."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
import responses

from der_client.stacks.address import split_principal
from der_client.stacks.network import DEVNET
from der_client.stacks.rpc import Client, RetryPolicy
from der_client.stacks.rpc.node import compute_txid
from der_client.stacks.transactions import ContractPublish, Transaction

URL = "http://127.0.0.1:3999"
QUICK = RetryPolicy(attempts=2, backoff_s=0.001, max_wait_s=0.01)
_MEMPOOL_LIMIT = 25


@dataclass
class FakeNode:
    """A node that accepts correctly signed transactions with a free nonce, and mines them at once or on request.

    Attributes:
        mines_at_once: Whether an accepted transaction is mined before the response.
        mines_when_looked_at: Whether each request for an account or a transaction first mines all waiting transactions.
        refusals: Responses to the next submissions, in order: a reason with data, an exception, or None to accept.
        outcome: Changes to the JSON of mined transactions.
        lag: How many requests for a transaction find nothing.
        network_id: The network id in ``/v2/info``.
        estimate: The status and the body of the fee estimate.
        rate: The body of the transfer fee rate.
        has_api: Whether it serves ``/extended``.
        rewinds: How often its chain was rewound; None if it is not an embedded devnet.
        on_refusal: Called before a rejection is returned.
        told_txid: The txid in the response to a submission, instead of the right one.
    """

    mines_at_once: bool = True
    mines_when_looked_at: bool = False
    refusals: list[Any] = field(default_factory=list)
    outcome: dict[str, Any] = field(default_factory=dict)
    lag: int = 0
    network_id: int = DEVNET.chain_id
    estimate: tuple[int, Any] = (400, "Fee estimation not supported on this node")
    rate: Any = 1
    has_api: bool = True
    rewinds: int | None = None
    told_txid: str | None = None
    on_refusal: Callable[[], object] = lambda: None
    posts: list[bytes] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    waiting: dict[str, Transaction] = field(default_factory=dict)
    mined: dict[str, Transaction] = field(default_factory=dict)
    dropped: dict[str, Transaction] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lock = threading.RLock()

    @contextmanager
    def running(self) -> Iterator[Client]:
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            for method in ("GET", "POST"):
                mock.add_callback(method, re.compile(f"{URL}/.*"), self._answer)
            yield Client(URL, retries=QUICK)

    def mine(self) -> None:
        with self._lock:
            for txid, transaction in list(self.waiting.items()):
                self._mine(txid, transaction)

    def forget(self) -> None:
        """Forget waiting and mined transactions, as after a restart without the mempool, or after a revert."""
        self.waiting.clear()
        self.mined.clear()

    def next_executed(self, address: str) -> int:
        return 1 + max((t.nonce for t in self.mined.values() if t.origin == address), default=-1)

    def _mine(self, txid: str, transaction: Transaction) -> None:
        self.mined[txid] = transaction
        self.waiting.pop(txid, None)
        if isinstance(transaction.payload, ContractPublish):
            self.sources[f"{transaction.origin}.{transaction.payload.name}"] = transaction.payload.code

    def _answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        with self._lock:
            path = str(request.path_url).partition("?")[0]
            self.asked.append(path)
            status, body = self._route(path, request.body)
        return status, {}, json.dumps(body)

    def _route(self, path: str, body: Any) -> tuple[int, Any]:
        *_, last = path.split("/")
        if path == "/v2/info":
            return 200, self._info()
        if path == "/devnet" and self.rewinds is not None:
            return 200, {"pid": 1, "rewinds": self.rewinds}
        if path == "/v2/transactions":
            return self._accept(body)
        if path == "/v2/fees/transaction":
            return self.estimate
        if path == "/v2/fees/transfer":
            return 200, self.rate
        if path.startswith("/v2/accounts/"):
            if self.mines_when_looked_at:
                self.mine()
            nonce = self.next_executed(last)
            return 200, {"balance": "0x" + "0" * 30 + "ff", "locked": "0x00", "unlock_height": 0, "nonce": nonce}
        if path.startswith("/v2/contracts/source/"):
            source = self.sources.get(".".join(path.split("/")[-2:]))
            return (404, "No contract source data found") if source is None else (200, self._source(source))
        if self.has_api and path.startswith("/extended/v2/blocks/"):
            return 200, self._block(1 if last == "latest" else int(last))
        if self.has_api and path.startswith("/extended/v1/tx/"):
            return self._look_up(last.removeprefix("0x"))
        if self.has_api and path.startswith("/extended/v1/address/") and path.endswith("/nonces"):
            return 200, self._nonces(path.split("/")[-2])
        return 404, {"error": "not found"}

    def _info(self) -> dict[str, Any]:
        return {
            "network_id": self.network_id,
            "server_version": "fake",
            "peer_version": 1,
            "stacks_tip_height": 1,
            "stacks_tip": "00" * 32,
            "stacks_tip_consensus_hash": "00" * 20,
            "burn_block_height": 1,
            "stable_burn_block_height": 1,
        }

    def _block(self, height: int) -> dict[str, Any]:
        return {
            "height": height,
            "hash": "0x" + "11" * 32,
            "parent_block_hash": "0x" + "00" * 32,
            "canonical": True,
            "block_time": 1_760_000_000,
            "burn_block_height": 1,
            "tx_count": 1,
        }

    def _source(self, source: str) -> dict[str, Any]:
        return {"source": source, "publish_height": 7}

    def _accept(self, raw: bytes) -> tuple[int, Any]:
        self.posts.append(raw)
        if self.refusals and (refusal := self.refusals.pop(0)) is not None:
            if isinstance(refusal, Exception):
                raise refusal
            self.on_refusal()
            reason, data = refusal
            return 400, {
                "error": "transaction rejected",
                "reason": reason,
                "reason_data": data,
                "txid": compute_txid(raw),
            }
        transaction = Transaction.decode(raw)
        transaction.verify()
        if transaction.txid not in self.waiting:
            at = self.next_executed(transaction.origin)
            taken = {t.nonce for t in self.waiting.values() if t.origin == transaction.origin}
            if transaction.nonce < at:
                data = {"expected": at, "actual": transaction.nonce, "principal": transaction.origin, "is_origin": True}
                return 400, {"reason": "BadNonce", "reason_data": data, "txid": transaction.txid}
            if transaction.nonce in taken:
                return 400, {"reason": "ConflictingNonceInMempool", "txid": transaction.txid}
            if len(taken) == _MEMPOOL_LIMIT:
                return 400, {"reason": "TooMuchChaining", "txid": transaction.txid}
            self.waiting[transaction.txid] = transaction
            if self.mines_at_once:
                self._mine(transaction.txid, transaction)
        return 200, self.told_txid or transaction.txid

    def _nonces(self, address: str) -> dict[str, Any]:
        executed = self.next_executed(split_principal(address)[0]) - 1
        is_told = executed >= 0  # without a mined transaction, the API lists no nonces
        waiting = [t.nonce for t in self.waiting.values() if t.origin == address]
        return {
            "last_executed_tx_nonce": executed if executed >= 0 else None,
            "last_mempool_tx_nonce": max(waiting, default=None),
            "possible_next_nonce": max([executed, *waiting]) + 1,
            "detected_missing_nonces": sorted({*range(executed + 1, max(waiting, default=0))} - {*waiting})
            if is_told
            else [],
            "detected_mempool_nonces": sorted(waiting)[:-1] if is_told else [],  # the last one is above
        }

    def _look_up(self, txid: str) -> tuple[int, Any]:
        if self.mines_when_looked_at:
            self.mine()
        transaction = self.mined.get(txid) or self.waiting.get(txid) or self.dropped.get(txid)
        if transaction is None or self.lag > 0:
            self.lag -= 1
            return 404, {"error": "could not find transaction by ID"}
        answer: dict[str, Any] = {
            "tx_id": f"0x{txid}",
            "tx_status": "pending",
            "tx_type": "token_transfer",
            "nonce": transaction.nonce,
            "fee_rate": str(transaction.fee),
            "sender_address": transaction.origin,
        }
        if txid in self.dropped:
            return 200, {**answer, "tx_status": "dropped_replace_by_fee"}
        if txid not in self.mined:
            return 200, answer
        return 200, {
            **answer,
            "tx_status": "success",
            "canonical": True,
            "block_hash": "0x" + "11" * 32,
            "block_height": 3,
            "block_time": 1_760_000_000,
            "burn_block_height": 2,
            "tx_result": {"hex": "0x0703", "repr": "(ok true)"},
            "events": [],
            "event_count": 0,
            "vm_error": None,
            **self.outcome,
        }
