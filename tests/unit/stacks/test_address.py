"""c32check addresses, principals and the mapping to Bitcoin, checked against stacks-core's vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.stacks.address import (
    c32_address,
    c32_encode,
    check_network,
    decode_c32_address,
    from_bitcoin_address,
    split_principal,
    to_bitcoin_address,
)
from der_client.stacks.errors import AddressError
from der_client.stacks.network import DEVNET, MAINNET, TESTNET

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors" / "addresses.json").read_text())
ADDRESS = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"
MAINNET_ADDRESS = "SP1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRCBGD7R"


@pytest.mark.parametrize("vector", VECTORS["c32_address"], ids=lambda vector: vector["address"])
def test_addresses_are_encoded_and_decoded(vector: dict[str, Any]) -> None:
    hash160 = bytes.fromhex(vector["hash160"])
    assert c32_address(vector["version"], hash160) == vector["address"]
    assert decode_c32_address(vector["address"]) == (vector["version"], hash160)


@pytest.mark.parametrize("vector", VECTORS["c32_encode"], ids=lambda vector: vector["hex"])
def test_bytes_are_encoded_as_c32_digits(vector: dict[str, str]) -> None:
    assert c32_encode(bytes.fromhex(vector["hex"])) == vector["c32"]


@pytest.mark.parametrize("text", VECTORS["normalize"]["inputs"])
def test_letters_mistaken_for_digits_are_accepted(text: str) -> None:
    expected = (VECTORS["normalize"]["version"], bytes.fromhex(VECTORS["normalize"]["hash160"]))
    assert decode_c32_address(text) == expected


@pytest.mark.parametrize("vector", VECTORS["bitcoin_mapping"], ids=lambda vector: vector["stacks"])
def test_addresses_are_converted_to_bitcoin_and_back(vector: dict[str, str]) -> None:
    assert to_bitcoin_address(vector["stacks"]) == vector["bitcoin"]
    assert from_bitcoin_address(vector["bitcoin"]) == vector["back"]


@given(st.integers(0, 31), st.binary(min_size=20, max_size=20))
def test_every_address_survives_the_round_trip(version: int, hash160: bytes) -> None:
    text = c32_address(version, hash160)
    assert decode_c32_address(text) == (version, hash160)
    assert decode_c32_address(text.lower()) == (version, hash160)


@given(st.integers(0, 40), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_every_single_wrong_digit_is_detected(place: int, digit: str) -> None:
    changed = ADDRESS[:place] + digit + ADDRESS[place + 1 :]
    if changed != ADDRESS:
        with pytest.raises(AddressError):
            decode_c32_address(changed)


@given(st.text(max_size=60))
def test_any_text_is_decoded_or_raises_an_address_error(text: str) -> None:
    try:
        version, hash160 = decode_c32_address(text)
    except AddressError:
        return
    assert decode_c32_address(c32_address(version, hash160)) == (version, hash160)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a Stacks address"),
        ("S", "not a Stacks address"),
        ("ST", "not a Stacks address"),
        ("1FzTxL9Mxnm2fdmnQEArfhzJHevwbvcH6d", "not a Stacks address"),
        (ADDRESS + "0" * 100_000, "not a Stacks address"),
        ("STé" + ADDRESS[3:], "not a Stacks address"),
        (ADDRESS[:-1], "checksum is wrong"),
        ("ST" + "Z" * 39, "does not contain 20 bytes"),
        ("SP0000000000000000000002Q6VF78", "does not contain 20 bytes"),
        (ADDRESS + "0", "not a Stacks address"),
        (ADDRESS[:-1] + "N", "checksum is wrong"),
        ("SP" + ADDRESS[2:], "checksum is wrong"),
        (7, "is text, not int"),
    ],
)
def test_invalid_addresses_are_rejected_with_a_reason(text: Any, reason: str) -> None:
    with pytest.raises(AddressError, match=reason) as caught:
        decode_c32_address(text)
    assert len(str(caught.value)) < 400


def test_invalid_versions_and_hashes_are_rejected() -> None:
    with pytest.raises(AddressError, match=r"32 is not in 0\.\.31"):
        c32_address(32, bytes(20))
    with pytest.raises(AddressError, match="not 19"):
        c32_address(26, bytes(19))


def test_principals_are_split_and_spelt_canonically() -> None:
    assert split_principal(ADDRESS) == (ADDRESS, None)
    assert split_principal(f"{ADDRESS.lower()}.my-contract_1") == (ADDRESS, "my-contract_1")
    assert split_principal(f"{ADDRESS}.__transient") == (ADDRESS, "__transient")
    assert split_principal(f"{ADDRESS}.{'a' * 128}")[1] == "a" * 128


@pytest.mark.parametrize("name", ["", "1a", "-a", "a b", "a.b", "a" * 129, "a\n", "é", "__other"])
def test_invalid_contract_names_are_rejected(name: str) -> None:
    with pytest.raises(AddressError, match="is not a contract name"):
        split_principal(f"{ADDRESS}.{name}")


def test_addresses_of_another_network_are_rejected_naming_both_networks() -> None:
    check_network(ADDRESS, TESTNET)
    check_network(f"{ADDRESS}.market", DEVNET)
    check_network(MAINNET_ADDRESS, MAINNET)
    with pytest.raises(AddressError, match=r"recipient: .* is an address of testnet/devnet, but is used on mainnet"):
        check_network(ADDRESS, MAINNET, "recipient")
    with pytest.raises(AddressError, match="is an address of mainnet, but is used on devnet"):
        check_network(MAINNET_ADDRESS, DEVNET)
    with pytest.raises(AddressError, match="no known network"):
        check_network(c32_address(0, bytes(20)), DEVNET)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "not a base58"),
        ("1FzTxL9Mxnm2fdmnQEArfhzJHevwbvcH6e", "checksum is wrong"),
        ("1FzTxL9Mxnm2fdmnQEArfhzJHevwbvcH", "in bytes is .*, not 25"),
        ("LVuDpNCSSj6pQ7t9Pv6d6sUkLKoqDEVUnJ", "version 48"),
        ("", "not a base58"),
        ("0" * 34, "not a base58"),
        (7, "not a base58"),
    ],
)
def test_invalid_bitcoin_addresses_are_rejected_with_a_reason(text: Any, reason: str) -> None:
    with pytest.raises(AddressError, match=reason):
        from_bitcoin_address(text)


def test_versions_without_a_bitcoin_counterpart_are_rejected() -> None:
    with pytest.raises(AddressError, match="no Bitcoin counterpart"):
        to_bitcoin_address(c32_address(0, bytes(20)))
