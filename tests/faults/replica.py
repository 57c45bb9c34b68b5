"""A lagging API or node: reads return the state from a few blocks or seconds earlier."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from der_client.stacks.errors import DerClientError
from der_client.stacks.transactions import Transaction

from .exchange import Ask, Reply

API_READS = frozenset({"nonces", "transactions", "logs", "blocks"})
NODE_READS = frozenset({"accounts", "node-transactions"})

_NOT_FOUND = Reply(404, b'{"error": "could not find it"}')
_READS = {
    "nonces": re.compile(r"/extended/v1/address/([^/]+)/nonces|/extended/v3/principals/([^/]+)/nonces"),
    "accounts": re.compile(r"/v2/accounts/([^/]+)"),
    "transactions": re.compile(r"/extended/v1/tx/([^/]+)|/extended/v3/transactions/([^/]+)(?:/events)?"),
    "node-transactions": re.compile(r"/v3/transaction/([^/]+)|/v2/transactions/unconfirmed/([^/]+)"),
    "logs": re.compile(r"/extended/v2/smart-contracts/([^/]+)/logs"),
    "blocks": re.compile(r"/extended/v2/blocks/(latest)"),
}
_OF_BLOCKS = frozenset(
    [
        "block_hash",
        "block_height",
        "block_time",
        "block_time_iso",
        "burn_block_height",
        "burn_block_time",
        "burn_block_time_iso",
        "canonical",
        "tx_result",
        "events",
        "event_count",
        "parent_block_hash",
        "parent_burn_block_time",
        "is_unanchored",
        "tx_index",
        "block",
        "bitcoin_block",
        "parent_block",
        "execution_cost",
        "result",
        "vm_error",
    ]
)


@dataclass(frozen=True)
class Lag:
    """How far a replica lags, and for which reads."""

    seconds: float = 0.0
    blocks: int = 0
    since: float | None = None
    """The monotonic time after which nothing is visible, for a replica that hangs."""
    reads: frozenset[str] = API_READS


@dataclass(frozen=True)
class _Posted:
    transaction: Transaction
    at: float
    height: int


class Replica:
    """What a proxy knows of the past, and the outdated responses that follow from it.

    Args:
        node: Sends a request to the node.
    """

    def __init__(self, node: Callable[[Ask], Reply]) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._posted: dict[str, _Posted] = {}
        self._tips: list[tuple[float, int]] = []

    def note(self, ask: Ask) -> None:
        """Record a posted transaction, and the current height of the chain."""
        height = self._height()
        if ask.method == "POST" and ask.path == "/v2/transactions":
            try:
                transaction = Transaction.decode(ask.body)
            except DerClientError:
                return
            with self._lock:
                self._posted.setdefault(transaction.txid, _Posted(transaction, time.monotonic(), height))
        with self._lock:
            if not self._tips or self._tips[-1][1] != height:
                self._tips.append((time.monotonic(), height))

    def answer(self, ask: Ask, lag: Lag) -> Reply | None:
        """Return the outdated response to a read; ``None`` if this read does not lag."""
        if ask.method != "GET":
            return None
        for read in lag.reads:
            if (match := _READS[read].fullmatch(ask.path)) is not None:
                subject = next(group for group in match.groups() if group)
                return getattr(self, f"_{read.replace('-', '_')}")(ask, subject, lag)  # type: ignore[no-any-return]
        return None

    # What was visible at that time

    def _moment(self, lag: Lag) -> float:
        now = time.monotonic() if lag.since is None else lag.since
        return now - lag.seconds

    def _horizon(self, lag: Lag) -> int:
        if lag.blocks:
            return self._height() - lag.blocks
        moment = self._moment(lag)
        with self._lock:
            seen = [height for at, height in self._tips if at <= moment]
            return seen[-1] if seen else (self._tips[0][1] if self._tips else self._height())

    def _is_posted(self, txid: str, lag: Lag) -> bool:
        posted = self._posted.get(txid)
        if posted is None:
            return False
        return posted.height <= self._horizon(lag) if lag.blocks else posted.at <= self._moment(lag)

    def _height(self) -> int:
        return int(self._json("/extended/v2/blocks/latest")["height"])

    def _json(self, target: str) -> Any:
        return json.loads(self._node(Ask("GET", target)).body)

    def _height_of(self, txid: str) -> int | None:
        """Return the height of the block that has a transaction now; ``None`` if it is not mined."""
        height = self._json(f"/extended/v1/tx/0x{txid}").get("block_height")
        return None if height is None else int(height)

    def _mined_since(self, height: int) -> list[dict[str, Any]]:
        return [
            transaction
            for later in range(height + 1, self._height() + 1)
            for transaction in self._json(f"/extended/v2/blocks/{later}/transactions?limit=200")["results"]
        ]

    def _next_nonce(self, address: str, lag: Lag) -> int:
        now = int(self._json(f"/v2/accounts/{address}?proof=0")["nonce"])
        later = self._mined_since(self._horizon(lag))
        return now - sum(address in (entry["sender_address"], entry.get("sponsor_address")) for entry in later)

    # Responses

    def _nonces(self, ask: Ask, address: str, lag: Lag) -> Reply:
        following = self._next_nonce(address, lag)
        with self._lock:
            known = list(self._posted.values())
        waiting = sorted(
            posted.transaction.nonce
            for posted in known
            if posted.transaction.origin == address
            and posted.transaction.nonce >= following
            and self._is_posted(posted.transaction.txid, lag)
        )
        executed = following - 1 if following else None
        last = waiting[-1] if waiting else None
        between = [] if executed is None or last is None else range(following, last)
        missing = [nonce for nonce in between if nonce not in waiting]
        pending = [nonce for nonce in between if nonce in waiting]
        possible = max(following, (last if last is not None else -1) + 1)
        if ask.path.startswith("/extended/v3"):
            return _json_reply(
                {
                    "next_nonce": possible,
                    "last_confirmed_nonce": executed,
                    "mempool": {"last_nonce": last, "pending_nonces": pending, "missing_nonces": missing},
                }
            )
        return _json_reply(
            {
                "last_executed_tx_nonce": executed,
                "last_mempool_tx_nonce": last,
                "possible_next_nonce": possible,
                "detected_missing_nonces": missing,
                "detected_mempool_nonces": pending,
            }
        )

    def _accounts(self, ask: Ask, address: str, lag: Lag) -> Reply:
        """Return the account with an outdated nonce but the current balance."""
        answer = json.loads(self._node(ask).body)
        return _json_reply({**answer, "nonce": self._next_nonce(address, lag)})

    def _transactions(self, ask: Ask, txid: str, lag: Lag) -> Reply:
        txid = txid.removeprefix("0x")
        height = self._height_of(txid)
        if height is not None and height <= self._horizon(lag):
            return self._node(ask)
        if not self._is_posted(txid, lag):
            return _NOT_FOUND
        reply = self._node(ask)
        answer = json.loads(reply.body)
        if height is None:
            return reply
        status = "status" if "status" in answer else "tx_status"
        kept = {name: value for name, value in answer.items() if name not in _OF_BLOCKS}
        received = {"receipt_time": 0, "receipt_block_height": 0, "replaced_by_tx_id": None}
        return _json_reply({**kept, **received, status: "pending"})

    def _node_transactions(self, ask: Ask, txid: str, lag: Lag) -> Reply:
        txid = txid.removeprefix("0x")
        height = self._height_of(txid)
        if height is not None and height <= self._horizon(lag):
            return self._node(ask)
        if ask.path.startswith("/v3") or not self._is_posted(txid, lag):
            return _NOT_FOUND
        posted = self._posted[txid]
        return _json_reply({"status": "Mempool", "tx": posted.transaction.encode().hex()})

    def _logs(self, ask: Ask, _contract_id: str, lag: Lag) -> Reply:
        answer = json.loads(self._node(ask).body)
        horizon = self._horizon(lag)
        results = [entry for entry in answer["results"] if entry["block_height"] <= horizon]
        hidden = len(answer["results"]) - len(results)
        return _json_reply({**answer, "results": results, "total": max(0, answer["total"] - hidden)})

    def _blocks(self, _ask: Ask, _reference: str, lag: Lag) -> Reply:
        return self._node(Ask("GET", f"/extended/v2/blocks/{self._horizon(lag)}"))


def _json_reply(value: Any) -> Reply:
    return Reply(200, json.dumps(value).encode())
