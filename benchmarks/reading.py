"""Read-only calls: decoding results into models, and the whole round trip to a local server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

from benchmarks import inputs
from benchmarks.measure import OURS, Peer, Scale, Work, each, numbered, require_same
from der_client.contracts import MarketParticipation
from der_client.stacks.clarity import UIntValue, decode, encode
from der_client.stacks.network import DEVNET
from der_client.stacks.rpc import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.peers import Peers

TYPED_GOAL = 0.9
HTTP_GOAL = 1.2
_TIMEOUT_S = 30
_OFFER_ID = 3


def works(peers: Peers) -> Iterator[Work]:
    """Yield typed decoding, and reading over HTTP."""
    yield _typed_decoding()
    yield _over_http(peers)


def _typed_decoding() -> Work:
    answers = [encode(value) for value in inputs.OFFERS]
    codec = MarketParticipation.get_offer.signature.result

    def check() -> None:
        for value, raw in zip(inputs.OFFERS, answers, strict=True):
            offer = codec.decode(raw)
            results = {"the value": value, "untyped": decode(raw), f"{OURS}, encoded again": codec.encode(offer, "")}
            require_same("decode a read-only result", results)

    return Work(
        "decode a read-only result into its model",
        each(codec.decode, answers),
        (Peer("untyped decode", each(decode, answers), Scale.TIME, TYPED_GOAL),),
        check,
    )


def _over_http(peers: Peers) -> Work:
    path = f"/v2/contracts/call-read/{inputs.DEPLOYER}/market-participation/get-offer"
    answer = {"okay": True, "result": f"0x{encode(inputs.OFFERS[_OFFER_ID]).hex()}"}
    url = peers.serve({f"POST {path}": answer})
    market = MarketParticipation(Client(url, network=DEVNET), inputs.DEPLOYER)
    body = {"sender": inputs.DEPLOYER, "arguments": [encode(UIntValue(_OFFER_ID)).hex()]}
    session = requests.Session()

    def bare() -> str:
        response = session.post(url + path, json=body, timeout=_TIMEOUT_S)
        return str(response.json()["result"])

    def check() -> None:
        encoded = MarketParticipation.get_offer.signature.result.encode(market.get_offer(_OFFER_ID), "")
        require_same(
            "read-only call",
            {"the value": answer["result"], OURS: f"0x{encode(encoded).hex()}", "requests": bare()},
        )

    return Work(
        "read-only call, local server, connection kept",
        numbered(lambda _: market.get_offer(_OFFER_ID)),
        (Peer("bare requests", numbered(lambda _: bare()), Scale.TIME, HTTP_GOAL),),
        check,
    )
