"""A contract call: built and signed through the typed client without requests to the node, and decoded."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import coincurve

from benchmarks import inputs
from benchmarks.measure import OURS, Peer, Work, each, numbered, require_same
from der_client.contracts import MarketParticipation
from der_client.stacks.account import Account
from der_client.stacks.network import DEVNET
from der_client.stacks.rpc import Client
from der_client.stacks.transactions import ContractCall, Transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.peers import Peers

BUILD_GOAL = 15
BARE_SIGNATURE_GOAL = 0.45
DECODE_GOAL = 8
_INFO = {
    "network_id": DEVNET.chain_id,
    "server_version": "benchmark",
    "peer_version": 1,
    "stacks_tip_height": 1,
    "stacks_tip": "00" * 32,
    "stacks_tip_consensus_hash": "00" * 20,
    "burn_block_height": 1,
    "stable_burn_block_height": 1,
}
"""The response to the only request of a client before its first transaction, which checks the network."""


def works(peers: Peers) -> Iterator[Work]:
    """Yield building with signing, and decoding."""
    client = Client(peers.serve({"GET /v2/info": _INFO}), network=DEVNET)
    market = MarketParticipation(client, inputs.DEPLOYER, Account(inputs.KEY, client))
    calls = inputs.RETIREMENTS

    def build(number: int) -> bytes:
        call = calls[number % len(calls)]
        return (
            market.retire_energy(call.asset_id, call.day, call.wh, call.beneficiary, "own use")
            .transaction(nonce=number, fee_ustx=inputs.FEE_USTX)
            .sign(inputs.KEY)
            .encode()
        )

    yield _building(build, market.contract_id, peers)
    yield _decoding([build(number) for number in range(len(calls))], peers)


def _building(build: Callable[[int], bytes], contract: str, peers: Peers) -> Work:
    js_build = peers.work(
        "stacks.js build",
        {
            "contract": contract,
            "functionName": "retire-energy",
            "fee": inputs.FEE_USTX,
            "senderKey": inputs.KEY.to_hex(),
            "calls": [
                {"assetId": call.asset_id, "day": call.day_number, "wh": call.wh, "beneficiary": call.beneficiary}
                for call in inputs.RETIREMENTS
            ],
        },
    )
    bare_key = coincurve.PrivateKey(bytes.fromhex(inputs.KEY.to_hex())[:32])
    digests = [sha256(bytes([number])).digest() for number in range(16)]

    def check() -> None:
        for number in range(len(inputs.RETIREMENTS)):
            raw = build(number)
            Transaction.decode(raw).verify()
            require_same("build + sign", {OURS: raw.hex(), "stacks.js": js_build.result(number)})

    return Work(
        "build + sign + serialize a 5-argument call",
        numbered(build),
        (
            Peer("stacks.js", js_build.run, goal=BUILD_GOAL),
            Peer(
                "coincurve signature",
                each(lambda digest: bare_key.sign_recoverable(digest, None), digests),
                goal=BARE_SIGNATURE_GOAL,
            ),
        ),
        check,
    )


def _decoding(transactions: list[bytes], peers: Peers) -> Work:
    given = {"transactions": [raw.hex() for raw in transactions]}
    js_decode = peers.work("stacks.js decode transaction", given)
    rust_decode = peers.work("Rust decode transaction", given)

    def check() -> None:
        for number, raw in enumerate(transactions):
            transaction = Transaction.decode(raw)
            call = transaction.payload
            ours = {
                "txid": transaction.txid,
                "function": call.function if isinstance(call, ContractCall) else None,
                "arguments": [str(value) for value in call.arguments] if isinstance(call, ContractCall) else None,
                "nonce": transaction.nonce,
            }
            require_same(
                "decode a transaction",
                {OURS: ours, "stacks.js": js_decode.result(number), "Rust codec": rust_decode.result(number)},
            )

    return Work(
        "decode that transaction, txid included",
        each(lambda raw: Transaction.decode(raw).txid, transactions),
        (Peer("stacks.js", js_decode.run, goal=DECODE_GOAL), Peer("Rust codec", rust_decode.run)),
        check,
    )
