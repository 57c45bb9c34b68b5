"""The prepared state: new accounts, a contract, and a transaction with each outcome.

Every run creates new accounts, so nonces and balances are known even on a node that has run for days. One of
Clarinet's public test accounts pays for them.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from der_client.stacks.clarity import AsciiValue, PrincipalValue, UIntValue
from der_client.stacks.keys import PrivateKey
from der_client.stacks.network import DEVNET
from der_client.stacks.transactions import (
    ORIGIN,
    ContractCall,
    ContractPublish,
    FungibleCode,
    PostCondition,
    PostConditionMode,
    StxPostCondition,
    TokenTransfer,
    Transaction,
    UserPayload,
)
from der_client.stacks.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conformance.node import Node

SETTINGS = Path(__file__).parents[2] / "settings" / "Devnet.toml"
PAYER = "wallet_8"
SOURCE = Path(__file__).with_name("prepared.clar").read_text()
# Every node with Nakamoto blocks (epoch 3.0) accepts this version.
CLARITY_VERSION = 3
FUNDS_USTX = 10_000_000
FEE_USTX = 5_000

FUNDED = (
    "newcomer",  # sends nothing that is accepted
    "publisher",
    "payee",
    "transferrer",
    "caller",
    "refused",
    "failed",
    "uncovered",
    "unsent",
    "minter",
    "waiting",
    "sponsor",
    "repeating",
    "attaching",
    "replacing",
    "skipping",
    "chaining",
    "outbidding",
    "trailing",
    "own_sponsor",
    "bound",
    "publishing",
    "announcing",
    "in a block",
    "outbid",
    "overbidding",
    "overloading",
)
PENNILESS = ("stranger", "sponsored", "faucet_customer")


@dataclass(frozen=True)
class Actor:
    """An account and its key."""

    key: PrivateKey

    @property
    def address(self) -> str:
        return self.key.address(DEVNET)

    def build(
        self,
        payload: UserPayload,
        *,
        nonce: int = 0,
        fee: int = FEE_USTX,
        post_conditions: Sequence[PostCondition] = (),
        mode: PostConditionMode = PostConditionMode.DENY,
    ) -> Transaction:
        """Build and sign a transaction: the account's first one, unless another nonce is given."""
        return Transaction.build(
            payload,
            public_key=self.key.public_key,
            network=DEVNET,
            nonce=nonce,
            fee=fee,
            post_conditions=post_conditions,
            mode=mode,
        ).sign(self.key)


def payer() -> Actor:
    mnemonic = tomllib.loads(SETTINGS.read_text())["accounts"][PAYER]["mnemonic"]
    return Actor(Wallet.from_mnemonic(mnemonic).account())


class Prepared:
    """A node with everything that the cases read.

    Attributes:
        node: The node.
        actors: The accounts by their roles.
        sent: The transactions by their names.
        names: The values of the ``$name`` placeholders in the cases.
    """

    def __init__(self, node: Node) -> None:
        self.node = node
        self.payer = payer()
        self.actors = {role: Actor(PrivateKey.generate()) for role in (*FUNDED, *PENNILESS)}
        self.sent: dict[str, Transaction] = {}
        self.names: dict[str, Any] = {}

    @classmethod
    def prepare(cls, node: Node) -> Self:
        """Create the accounts, the contract and the transactions, and wait until they are on the chain."""
        prepared = cls(node)
        prepared._fund()
        prepared._publish()
        prepared._call()
        prepared._wait_for_api()
        prepared._name()
        return prepared

    def __getitem__(self, role: str) -> Actor:
        return self.actors[role]

    @property
    def contract(self) -> str:
        return f"{self['publisher'].address}.prepared"

    def transfer(self, ustx: int = 1) -> TokenTransfer:
        """Return a transfer to ``payee``, the account whose balance no case checks."""
        return TokenTransfer(PrincipalValue(self["payee"].address), ustx)

    def call(self, function: str, *arguments: Any) -> ContractCall:
        return ContractCall(self.contract, function, arguments)

    def sponsored(
        self, payload: UserPayload, *, sponsor: str = "sponsor", nonce: int = 0, sponsor_nonce: int = 0
    ) -> Transaction:
        """Return a signed transaction of an account without money; its sponsor pays the fee."""
        origin = self["sponsored"].key
        half = Transaction.build(
            payload, public_key=origin.public_key, network=DEVNET, nonce=nonce, fee=0, sponsored=True
        ).sign(origin)
        return half.sponsor(self[sponsor].key, nonce=sponsor_nonce, fee=FEE_USTX)

    def submit(self, name: str, transaction: Transaction) -> None:
        """Send a transaction, which must be accepted."""
        response = self.node.submit(transaction.encode())
        assert response.ok, f"{name}: {response.text}"
        assert response.json() == transaction.txid
        self.sent[name] = transaction

    def close(self) -> None:
        """Unblock the pending transactions, so that none remains."""
        self.submit("unblocking", self["waiting"].build(self.transfer()))

    def _fund(self) -> None:
        nonce = self.node.account(self.payer.address)["nonce"]
        for number, role in enumerate(FUNDED):
            payload = TokenTransfer(PrincipalValue(self[role].address), FUNDS_USTX)
            self.submit(f"funding {role}", self.payer.build(payload, nonce=nonce + number))
        self.node.wait_for_nonce(self.payer.address, nonce + len(FUNDED))

    def _publish(self) -> None:
        source = ContractPublish("prepared", SOURCE, CLARITY_VERSION)
        self.submit("publish", self["publisher"].build(source, mode=PostConditionMode.ALLOW))
        self.submit("transfer", self["transferrer"].build(self.transfer(5)))
        # It stays pending, because nonce 0 is missing.
        self.submit("pending", self["waiting"].build(self.transfer(), nonce=1))
        for role in ("publisher", "transferrer"):
            self.node.wait_for_nonce(self[role].address, 1)

    def _call(self) -> None:
        payee = PrincipalValue(self["payee"].address)
        calls = {
            "call": self["caller"].build(self.call("note", UIntValue(2), AsciiValue("second"))),
            "refuse": self["refused"].build(self.call("refuse")),
            "fail": self["failed"].build(self.call("fail", UIntValue(0))),
            # In deny mode, without a condition that allows the payment.
            "uncovered": self["uncovered"].build(self.call("pay", UIntValue(9), payee)),
            # It sends nothing and is refused, but a condition requires a payment.
            "unsent": self["unsent"].build(
                self.call("refuse"), post_conditions=(StxPostCondition(ORIGIN, FungibleCode.EQUAL, 100),)
            ),
            "mint": self["minter"].build(self.call("mint", UIntValue(5))),
            "sponsor": self.sponsored(self.call("peek")),
        }
        for name, transaction in calls.items():
            self.submit(name, transaction)
        for transaction in calls.values():
            self.node.wait_for_nonce(transaction.origin, 1)

    def _name(self) -> None:
        self.names |= {role: actor.address for role, actor in self.actors.items()}
        for name, transaction in self.sent.items():
            self.names |= {f"{name}_txid": transaction.txid, f"{name}_raw": transaction.encode().hex()}
        self.names |= {
            "contract": self.contract,
            "call_payload": self.sent["call"].payload.encode().hex(),
            "contract_path": self.contract.replace(".", "/"),
            "source": SOURCE,
            "funds": str(FUNDS_USTX),
            "funds_hex": f"0x{FUNDS_USTX:032x}",
            "fee": str(FEE_USTX),
            "left_after_a_fee": str(FUNDS_USTX - FEE_USTX),
            "left_after_a_fee_hex": f"0x{FUNDS_USTX - FEE_USTX:032x}",
        }

    def _wait_for_api(self) -> None:
        """Wait until the API shows all transactions, and store the block of the call."""
        if not self.node.has_api:
            return
        for name, transaction in self.sent.items():
            self.node.wait_for_api(transaction.txid, pending=name == "pending")
        call = self.node.wait_for_api(self.sent["call"].txid)
        self.names |= {"call_height": call["block_height"], "call_block_hash": call["block_hash"]}
