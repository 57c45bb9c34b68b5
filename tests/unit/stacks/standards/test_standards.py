"""Token interfaces compared with a deployed contract, known tokens, and domains of signed messages."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from der_client.stacks.address import split_principal
from der_client.stacks.clarity import AsciiValue, TupleValue, UIntValue, encode
from der_client.stacks.contract import differences
from der_client.stacks.errors import InvalidValueError
from der_client.stacks.messages import message_domain, structured_data_hash
from der_client.stacks.network import DEVNET, MAINNET, TESTNET
from der_client.stacks.rpc import node
from der_client.stacks.rpc.endpoint import HttpResponse
from der_client.stacks.standards import SBTC, USDCX, MessageDomain, Sip009, Sip010, Sip013

EXAMPLES = Path(__file__).parents[3] / "vectors" / "rpc_examples"


def test_sbtc_is_a_fungible_token() -> None:
    example = json.loads((EXAMPLES / "contract-interface.example.json").read_text())["value"]
    answer = HttpResponse(200, json.dumps(example).encode(), "http://node", "application/json")
    interface = node.contract_interface("ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM.sbtc-token").read(answer)
    assert differences(Sip010, interface) == ()
    assert "get-owner is declared in Sip009, but not deployed" in differences(Sip009, interface)
    found = differences(Sip013, interface)
    assert "get-overall-supply is declared in Sip013, but not deployed" in found
    assert any(each.startswith("get-balance takes") for each in found)


def test_known_tokens_have_a_contract_per_network() -> None:
    for token in (SBTC, USDCX):
        for network in (MAINNET, TESTNET):
            address, name = split_principal(token.contract_id(network))
            assert address[:2] in ({"SM", "SP"} if network == MAINNET else {"ST"})
            assert token.asset_id(network) == f"{address}.{name}::{token.asset}"
    with pytest.raises(InvalidValueError, match="sBTC has no well-known contract on devnet, only on mainnet, testnet"):
        SBTC.contract_id(DEVNET)
    with pytest.raises(InvalidValueError, match=r"network.*Network, .*str"):
        SBTC.contract_id("mainnet")  # type: ignore[arg-type]


def test_a_domain_has_the_hashes_of_signed_messages() -> None:
    domain = MessageDomain.on(TESTNET, "Test App", "1.0.0")
    assert domain.to_clarity() == message_domain("Test App", "1.0.0", TESTNET)
    assert domain.hash == sha256(encode(domain.to_clarity())).digest()
    message = TupleValue({"a": UIntValue(1), "b": AsciiValue("x")})
    assert domain.message_hash(message) == structured_data_hash(domain.to_clarity(), message)


def test_the_hash_of_a_domain_matches_the_standards_vector() -> None:
    vectors = json.loads((EXAMPLES.parent / "sip018_and_messages.json").read_text())["structured_data_hash"]
    expected = next(vector["sha256"] for vector in vectors if "chain-id" in vector["cv"])
    assert MessageDomain.on(MAINNET, "Test App", "1.0.0").hash.hex() == expected
