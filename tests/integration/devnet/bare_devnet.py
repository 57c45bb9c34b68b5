"""A devnet that accepts arbitrary requests, and a contract with a function for every feature under test."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from der_client.devnet import Devnet, DevnetAccount
from der_client.stacks.clarity import ClarityValue, PrincipalValue, UIntValue
from der_client.stacks.network import DEVNET
from der_client.stacks.rpc import Client
from der_client.stacks.transactions import (
    ContractCall,
    ContractPublish,
    PostCondition,
    PostConditionMode,
    TokenTransfer,
    Transaction,
    UserPayload,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

PROBE = Path(__file__).with_name("probe.clar").read_text()
START = 1_800_000_000
AMPLE_FEE = 5_000


@dataclass
class BareDevnet:
    """A devnet, with methods that send arbitrary requests and transactions."""

    devnet: Devnet
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def probe(self) -> str:
        return f"{self.devnet.deployer.address}.probe"

    @property
    def client(self) -> Client:
        return Client(self.devnet.url, network=DEVNET)

    def account(self, number: int) -> DevnetAccount:
        return self.devnet.accounts[f"wallet_{number}"]

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.devnet.url + path, timeout=30)

    def post(self, path: str, json: object = None, data: bytes | None = None, kind: str = "") -> requests.Response:
        headers = {"content-type": kind} if kind else None
        return self.session.post(self.devnet.url + path, json=json, data=data, headers=headers, timeout=60)

    def json(self, path: str) -> Any:
        response = self.get(path)
        assert response.ok, response.text
        return response.json()

    def nonce(self, address: str) -> int:
        return int(self.json(f"/v2/accounts/{address}?proof=0")["nonce"])

    def balance(self, principal: str) -> int:
        return int(self.json(f"/v2/accounts/{principal}?proof=0")["balance"], 16)

    def build(
        self,
        sender: DevnetAccount,
        payload: UserPayload,
        *,
        nonce: int | None = None,
        fee: int = AMPLE_FEE,
        post_conditions: Sequence[PostCondition] = (),
        mode: PostConditionMode = PostConditionMode.DENY,
    ) -> Transaction:
        return Transaction.build(
            payload,
            public_key=sender.key.public_key,
            network=DEVNET,
            nonce=self.nonce(sender.address) if nonce is None else nonce,
            fee=fee,
            post_conditions=post_conditions,
            mode=mode,
        ).sign(sender.key)

    def submit(self, raw: bytes) -> requests.Response:
        return self.post("/v2/transactions", data=raw, kind="application/octet-stream")

    def send(self, sender: DevnetAccount, payload: UserPayload, **terms: Any) -> str:
        transaction = self.build(sender, payload, **terms)
        response = self.submit(transaction.encode())
        assert response.ok, response.text
        assert response.json() == transaction.txid
        return transaction.txid

    def receipt(self, txid: str) -> dict[str, Any]:
        return dict(self.json(f"/extended/v1/tx/0x{txid}"))

    def call(self, sender: DevnetAccount, function: str, *arguments: ClarityValue, **terms: Any) -> dict[str, Any]:
        return self.receipt(self.send(sender, ContractCall(self.probe, function, arguments), **terms))

    def transfer(self, sender: DevnetAccount, to: str, ustx: int, **terms: Any) -> dict[str, Any]:
        return self.receipt(self.send(sender, TokenTransfer(PrincipalValue(to), ustx), **terms))

    def read(self, function: str, *arguments: ClarityValue, sender: str | None = None) -> ClarityValue:
        return self.client.call_read(self.probe, function, arguments, sender=sender or self.devnet.deployer.address)

    def counter(self) -> int:
        value = self.read("get-counter")
        assert isinstance(value, UIntValue)
        return value.value

    def publish_probe(self) -> None:
        payload = ContractPublish("probe", PROBE, 4)
        txid = self.send(self.devnet.deployer, payload, fee=20_000, mode=PostConditionMode.ALLOW)
        assert self.receipt(txid)["tx_status"] == "success", self.receipt(txid)


def rejection(response: requests.Response) -> tuple[str, Any]:
    """Return a rejection's reason and its data."""
    assert response.status_code == 400, response.text
    body = response.json()
    assert body["error"] == "transaction rejected"
    assert len(body["txid"]) == 64
    return body["reason"], body.get("reason_data")
