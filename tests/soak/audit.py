"""Compares a node's responses with the books of its clients; asks the node directly, not through the client library."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import requests

from der_client.stacks.address import c32_address
from der_client.stacks.clarity import PrincipalValue, UIntValue, decode, encode
from tests.soak.traffic import FEE_USTX, Entry, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FEE_SINK: Final = c32_address(26, b"devnet fee sink".ljust(20, b"\0"))
_STAY: Final = (Kind.COUNT, Kind.PAY)


@dataclass
class Auditor:
    """Collects problems of a node.

    Attributes:
        url: The URL of the node.
        contract: The id of the ``world`` contract.
        problems: The problems found.
    """

    url: str
    contract: str
    problems: list[str] = field(default_factory=list)
    session: requests.Session = field(default_factory=requests.Session)

    def balance(self, principal: str) -> int:
        """Return the balance of a principal, in µSTX."""
        return int(self._get(f"/v2/accounts/{principal}?proof=0")["balance"], 16)

    def all_there(self, address: str, book: Iterable[tuple[int, Entry]]) -> None:
        """Check that acknowledged transactions are mined or pending, and those seen mined are still in their block.

        Args:
            address: The sender.
            book: The sender's transactions with their nonces.
        """
        for nonce, entry in book:
            if not entry.answered:
                continue
            answer = self.session.get(f"{self.url}/extended/v1/tx/0x{entry.txid}", timeout=60)
            if answer.status_code != 200:
                self.problems.append(f"{entry.txid} of {address} was answered and is lost")
                continue
            found = answer.json()
            if (found["nonce"], found["sender_address"]) != (nonce, address):
                self.problems.append(f"{entry.txid} is not the transaction {nonce} of {address}")
            if entry.block_hash:
                self._require(f"block of {entry.txid}", found.get("block_hash"), f"0x{entry.block_hash}")
                self._require(f"status of {entry.txid}", found["tx_status"], entry.status and entry.status.value)

    def all_done_once(self, books: Mapping[str, Sequence[Entry]], begin: Mapping[str, int]) -> None:
        """Check, once all is mined, that statuses, nonces, counters and balances match the books.

        Args:
            books: The transactions of each address, by nonce.
            begin: All balances at the beginning, in µSTX: of the clients, the contract and the fee sink.
        """
        expected = Counter(begin)
        for address, book in books.items():
            for nonce, entry in enumerate(book):
                self._require(f"status of {address}, nonce {nonce}", entry.status, entry.kind.ends)
                expected.subtract({address: FEE_USTX})
                expected.update({FEE_SINK: FEE_USTX})
                if entry.kind in (Kind.PAY, Kind.TRANSFER):
                    expected.subtract({address: entry.ustx})
                    expected.update({entry.to: entry.ustx})
            account = self._get(f"/v2/accounts/{address}?proof=0")
            self._require(f"nonce of {address}", account["nonce"], len(book))
            self._require(f"count of {address}", self._read("get-count", address), sum(e.kind in _STAY for e in book))
        for principal, ustx in expected.items():
            self._require(f"balance of {principal}", self.balance(principal), ustx)
            self._require(f"balance of {principal} in the VM", self._read("get-balance", principal), ustx)
        self._require("sum of all", sum(map(self.balance, begin)), sum(begin.values()))

    def _read(self, function: str, principal: str) -> int:
        address, name = self.contract.split(".")
        body = {"sender": address, "arguments": [f"0x{encode(PrincipalValue(principal)).hex()}"]}
        path = f"/v2/contracts/call-read/{address}/{name}/{function}"
        answer = self.session.post(self.url + path, json=body, timeout=60).json()
        value = decode(bytes.fromhex(answer["result"][2:]))
        assert isinstance(value, UIntValue)
        return value.value

    def _get(self, path: str) -> Any:
        answer = self.session.get(self.url + path, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def _require(self, what: str, found: object, expected: object) -> None:
        if found != expected:
            self.problems.append(f"{what}: {found} instead of {expected}")
