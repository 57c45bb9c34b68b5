"""SIP-018 and plain messages, checked against the vectors of SIP-018 and of stacks.js."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.stacks.clarity import AsciiValue, TupleValue, UIntValue, decode
from der_client.stacks.errors import EncodeError, InvalidValueError, SigningError
from der_client.stacks.keys import PrivateKey, PublicKey
from der_client.stacks.messages import (
    message_domain,
    message_hash,
    recover_message,
    recover_structured_data,
    sign_message,
    sign_structured_data,
    structured_data_hash,
    verify_message,
    verify_structured_data,
)
from der_client.stacks.network import MAINNET, TESTNET

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors" / "sip018_and_messages.json").read_text())
KEY = PrivateKey.from_hex(VECTORS["signing"]["private_key"])
DOMAIN = message_domain("Test App", "1.0.0", MAINNET)
HELLO = AsciiValue("Hello World")


def test_structured_data_matches_sip_018() -> None:
    assert decode(bytes.fromhex(VECTORS["structured_data_hash"][2]["cv_hex"])) == DOMAIN
    assert structured_data_hash(DOMAIN, HELLO).hex() == VECTORS["message_hash"]["hash"]
    signature = sign_structured_data(KEY, DOMAIN, HELLO)
    assert signature.hex() == VECTORS["signing"]["signature_rsv"]
    assert recover_structured_data(DOMAIN, HELLO, signature).address(TESTNET) == VECTORS["signing"]["address"]
    assert verify_structured_data(KEY.public_key, DOMAIN, HELLO, signature)


def test_a_signature_is_invalid_for_another_domain_message_or_key() -> None:
    signature = sign_structured_data(KEY, DOMAIN, HELLO)
    for domain, message in (
        (message_domain("Test App", "1.0.0", TESTNET), HELLO),
        (message_domain("Test App", "1.0.1", MAINNET), HELLO),
        (message_domain("Other App", "1.0.0", MAINNET), HELLO),
        (DOMAIN, AsciiValue("Hello World!")),
    ):
        assert not verify_structured_data(KEY.public_key, domain, message, signature)
        assert recover_structured_data(domain, message, signature) != KEY.public_key
    assert not verify_structured_data(PrivateKey.generate().public_key, DOMAIN, HELLO, signature)


@pytest.mark.parametrize(
    "domain",
    [
        TupleValue({"name": AsciiValue("a"), "version": AsciiValue("1")}),
        TupleValue({"name": AsciiValue("a"), "version": UIntValue(1), "chain-id": UIntValue(1)}),
        HELLO,
    ],
)
def test_a_domain_needs_name_version_and_chain_id(domain: Any) -> None:
    with pytest.raises(EncodeError, match="domain"):
        structured_data_hash(domain, HELLO)


def test_a_domain_may_have_more_fields() -> None:
    domain = TupleValue({**DOMAIN.fields, "contract": AsciiValue("x")})
    assert structured_data_hash(domain, HELLO) != structured_data_hash(DOMAIN, HELLO)


def test_plain_messages_match_stacks_js() -> None:
    hello, action = VECTORS["plain_messages"]
    assert message_hash(hello["message"]) == sha256(bytes.fromhex(hello["encoded_hex"])).digest()
    for vector in (hello, action):
        assert message_hash(vector["message"]).hex() == vector["sha256"]
    signature = bytes.fromhex(action["signature_rsv"])
    key = PublicKey.from_hex(action["public_key"])
    assert recover_message(action["message"], signature) == key
    assert key.address(TESTNET) == action["address_testnet"]
    assert verify_message(key, action["message"], signature)
    assert not verify_message(key, action["message"] + " ", signature)


@pytest.mark.parametrize(
    ("length", "prefix"),
    [(0, "00"), (252, "fc"), (253, "fdfd00"), (65535, "fdffff"), (65536, "fe00000100")],
)
def test_the_length_is_hashed_before_the_text(length: int, prefix: str) -> None:
    expected = sha256(b"\x17Stacks Signed Message:\n" + bytes.fromhex(prefix) + b"a" * length).digest()
    assert message_hash("a" * length) == expected


@given(st.text(max_size=300))
def test_every_text_can_be_signed(text: str) -> None:
    if any(0xD800 <= ord(character) < 0xE000 for character in text):
        return
    signature = sign_message(KEY, text)
    assert recover_message(text, signature) == KEY.public_key
    assert verify_message(KEY.public_key, text, signature)


def test_messages_of_older_wallets_are_verified_but_not_signed() -> None:
    old = sha256(b"\x18Stacks Message Signing:\n" + b"\x05hello").digest()
    assert message_hash("hello", old_prefix=True) == old
    signature = KEY.sign_rsv(old)
    assert verify_message(KEY.public_key, "hello", signature)
    assert not verify_message(KEY.public_key, "hallo", signature)
    assert recover_message("hello", signature, old_prefix=True) == KEY.public_key
    assert recover_message("hello", signature) != KEY.public_key
    assert sign_message(KEY, "hello") == KEY.sign_rsv(message_hash("hello")) != signature


@pytest.mark.parametrize("signature", [b"", bytes(64), bytes(65), bytes(66)])
def test_malformed_signatures_do_not_verify_or_recover(signature: bytes) -> None:
    assert not verify_message(KEY.public_key, "hello", signature)
    with pytest.raises(SigningError):
        recover_message("hello", signature)


@pytest.mark.parametrize("signature", ["00" * 65, None, 65, list(bytes(65))])
def test_a_signature_must_be_bytes(signature: Any) -> None:
    reason = rf"signature must be bytes, got {type(signature).__name__}; .*fromhex"
    with pytest.raises(InvalidValueError, match=reason):
        verify_message(KEY.public_key, "hello", signature)
    with pytest.raises(InvalidValueError, match=reason):
        recover_message("hello", signature)
    with pytest.raises(InvalidValueError, match=reason):
        verify_structured_data(KEY.public_key, DOMAIN, HELLO, signature)
    with pytest.raises(InvalidValueError, match=reason):
        recover_structured_data(DOMAIN, HELLO, signature)


@pytest.mark.parametrize("key", [KEY, KEY.public_key, KEY.to_hex(), None])
def test_signing_needs_a_private_key_and_verifying_a_public_key(key: Any) -> None:
    reason = f"key must be P[a-z]+Key, got {type(key).__name__};.*from_hex"
    calls: list[Any] = []
    if key is not KEY:
        calls += [lambda: sign_message(key, "hello"), lambda: sign_structured_data(key, DOMAIN, HELLO)]
    if key is not KEY.public_key:
        calls += [
            lambda: verify_message(key, "hello", bytes(65)),
            lambda: verify_structured_data(key, DOMAIN, HELLO, bytes(65)),
        ]
    for call in calls:
        with pytest.raises(InvalidValueError, match=reason) as caught:
            call()
        assert KEY.to_hex() not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("ab\ud800", "text: character 3 is a lone surrogate"), (b"hello", "text must be str, got bytes; .*decode")],
)
def test_a_plain_message_must_be_text(text: Any, reason: str) -> None:
    with pytest.raises(InvalidValueError, match=reason):
        sign_message(KEY, text)
    with pytest.raises(InvalidValueError, match=reason):
        verify_message(KEY.public_key, text, bytes(65))


@pytest.mark.parametrize("network", ["devnet", None, 1])
def test_a_domain_needs_a_network_object(network: Any) -> None:
    with pytest.raises(InvalidValueError, match=f"network must be Network, got {type(network).__name__}; use DEVNET"):
        message_domain("Test App", "1.0.0", network)
