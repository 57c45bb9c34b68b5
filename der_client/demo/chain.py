"""The accounts that take part in the demo, and books of what their receipts say."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from der_client.der import Der
from der_client.stacks.rpc import Client
from der_client.stacks.rpc.responses import FungibleTokenEvent

if TYPE_CHECKING:
    from der_client.devnet import DevnetControl
    from der_client.stacks.contract.call import Call, Receipt

R = TypeVar("R")


@dataclass
class Books:
    """What the receipts say: transactions, and what every account gained or lost."""

    txids: list[str] = field(default_factory=list)
    changes_ustx: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    token_changes: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    network_fees_ustx: int = 0

    def fee(self, txid: str, address: str, fee_ustx: int) -> None:
        """Enter a transaction that moved nothing but its fee."""
        self.txids.append(txid)
        self.changes_ustx[address] -= fee_ustx
        self.network_fees_ustx += fee_ustx

    def add(self, address: str, receipt: Receipt[Any]) -> None:
        """Enter a call of an address, and all that it moved."""
        self.fee(receipt.txid, address, receipt.fee_ustx)
        for transfer in receipt.transfers:
            self.changes_ustx[transfer.sender] -= transfer.amount_ustx
            self.changes_ustx[transfer.recipient] += transfer.amount_ustx
        for moved in receipt.moved:
            if isinstance(moved, FungibleTokenEvent):
                self.token_changes[moved.sender] -= moved.amount
                self.token_changes[moved.recipient] += moved.amount


class DemoChain:
    """The devnet of the demo: its accounts, the contracts as each account sees them, and the books.

    Attributes:
        client: The node.
        accounts: Who takes part, by name.
        der: The contracts as their owner sees them.
        books: What the receipts say.
    """

    def __init__(self, devnet: DevnetControl, contract_owner: str) -> None:
        self.client = Client(devnet.url)
        self.accounts = {name: account for name, account in devnet.accounts.items() if name != "faucet"}
        self.books = Books()
        deployer = self.accounts[contract_owner]
        self.der = Der.connect(self.client, deployer, deployer=deployer.address)

    def as_(self, name: str) -> Der:
        """Return the contracts as an account sees them."""
        return self.der.with_account(self.accounts[name])

    def do(self, call: Call[R]) -> R:
        """Send a call, wait for it, and enter its receipt."""
        return self.run(call).value

    def run(self, call: Call[R]) -> Receipt[R]:
        """Send a call, wait for it, enter its receipt, and return it."""
        receipt = call.send().wait()
        self.books.add(call.contract.require_account().address, receipt)
        return receipt
