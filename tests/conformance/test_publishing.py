"""Which contracts can be published, the effects of publishing, and a call of a deeply nested function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from der_client.stacks.transactions import ContractCall, ContractPublish, PostConditionMode
from tests.conformance.case import get
from tests.conformance.prepared import CLARITY_VERSION

if TYPE_CHECKING:
    from tests.conformance.prepared import Prepared

MAINNET_BOOT = "SP000000000000000000002Q6VF78"
DEPTH = 60
FEE_USTX = 20_000
PAID_USTX = 11


def test_publishing_contracts(prepared: Prepared) -> None:
    """One account publishes all contracts, one after the other."""
    actor, paid = prepared["publishing"], prepared["publisher"].address
    before = int(prepared.node.account(paid)["balance"], 16)
    deep = f"(define-public (go) (ok {'(+ u1 ' * DEPTH}u1{')' * DEPTH}))"
    sources = {
        # The mainnet's boot contracts exist only on the mainnet.
        "mainnet": f"(define-public (go) (ok (contract-call? '{MAINNET_BOOT}.pox-4 get-pox-info)))",
        "unbalanced": "(define-public (go) (ok u1)",
        "deep": deep,
        # Top-level code runs as the publisher.
        "once": f"(stx-transfer? u{PAID_USTX} tx-sender '{paid})",
        "nothing": "",
    }
    for nonce, (name, code) in enumerate(sources.items()):
        published = actor.build(
            ContractPublish(name, code, CLARITY_VERSION), nonce=nonce, fee=FEE_USTX, mode=PostConditionMode.ALLOW
        )
        prepared.submit(name, published)
        prepared.node.wait_for_nonce(actor.address, nonce + 1)
    there = {
        name: prepared.node.send(get(f"/v2/contracts/source/{actor.address}/{name}?proof=0")).status_code
        for name in sources
    }
    assert there == {"mainnet": 404, "unbalanced": 404, "deep": 200, "once": 200, "nothing": 200}
    assert int(prepared.node.account(paid)["balance"], 16) == before + PAID_USTX
    call = actor.build(ContractCall(f"{actor.address}.deep", "go", ()), nonce=len(sources))
    prepared.submit("deep call", call)
    prepared.node.wait_for_nonce(actor.address, len(sources) + 1)
