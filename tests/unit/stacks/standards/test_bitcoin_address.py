"""Bitcoin addresses and the tuples that contracts store for them. Vectors: BIP-173, BIP-350, BIP-13 and BIP-341."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.stacks.bitcoin import HASH_LENGTHS, read_bitcoin_address, write_bitcoin_address
from der_client.stacks.clarity import parse
from der_client.stacks.contract.codecs import codec_for
from der_client.stacks.errors import AddressError
from der_client.stacks.network import DEVNET, MAINNET, TESTNET
from der_client.stacks.standards import BitcoinAddress

KEY_HASH = "751e76e8199196d454941c45d1b3a323f1433bd6"
SCRIPT_HASH = "1863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262"
TAPROOT = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"

ADDRESSES = [
    ("1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH", 0, KEY_HASH, MAINNET),
    ("mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r", 0, KEY_HASH, TESTNET),
    ("3P14159f73E4gFr7JterCCQh9QjiTjiZrG", 1, "e9c3dd0c07aac76179ebc76a6c78d4d67c6c160a", MAINNET),
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", 4, KEY_HASH, MAINNET),
    ("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", 4, KEY_HASH, TESTNET),
    ("bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3", 5, SCRIPT_HASH, MAINNET),
    ("tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", 5, SCRIPT_HASH, TESTNET),
    ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", 6, TAPROOT, MAINNET),
]


@pytest.mark.parametrize(("text", "version", "hashed", "network"), ADDRESSES)
def test_every_form_of_address_is_parsed_and_written(text: str, version: int, hashed: str, network: Any) -> None:
    address = BitcoinAddress.parse(text, network)
    assert (address.version[0], address.hashbytes.hex()) == (version, hashed)
    assert address.text(network) == text
    assert BitcoinAddress.parse(text.upper() if version >= 4 else text) == address


def test_a_devnet_uses_regtest_addresses() -> None:
    text = BitcoinAddress(version=b"\x04", hashbytes=bytes.fromhex(KEY_HASH)).text(DEVNET)
    assert text.startswith("bcrt1q")
    assert BitcoinAddress.parse(text, DEVNET).hashbytes.hex() == KEY_HASH


def test_an_address_encodes_to_the_tuple_of_a_contract() -> None:
    codec = codec_for(BitcoinAddress)
    assert str(codec.type) == "{hashbytes: (buff 32), version: (buff 1)}"
    address = BitcoinAddress.parse(ADDRESSES[3][0])
    assert codec.encode(address, "address") == parse(f"{{version: 0x04, hashbytes: 0x{KEY_HASH}}}")


NETWORKS = st.sampled_from([MAINNET, TESTNET, DEVNET])

BAD = [
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "checksum"),
    ("bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y", "SegWit version 1 and 40 bytes"),
    ("BC1QW508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "all of one case"),
    ("bc1rw5uspcuh", "checksum|SegWit version"),
    ("bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4", "expected the characters"),
    ("bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", "SegWit version 2 and 16 bytes"),
    ("bc1gmk9yu", "not a SegWit address"),
    ("1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMJ", "checksum"),
    ("ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9", "not a base58"),
    ("", "not a base58"),
    (5, "is text, not int"),
]


@pytest.mark.parametrize(("text", "reason"), BAD)
def test_invalid_addresses_are_rejected(text: Any, reason: str) -> None:
    with pytest.raises(AddressError, match=reason):
        read_bitcoin_address(text)


def test_an_address_of_another_network_is_rejected() -> None:
    with pytest.raises(AddressError, match="is a Bitcoin address on mainnet, but the network is testnet"):
        BitcoinAddress.parse(ADDRESSES[0][0], TESTNET)
    with pytest.raises(AddressError, match="on a test network, but the network is mainnet"):
        BitcoinAddress.parse(ADDRESSES[1][0], MAINNET)


@pytest.mark.parametrize(("version", "length", "reason"), [(7, 20, "0 to 6, got 7"), (5, 20, "has 32 bytes, got 20")])
def test_invalid_versions_and_lengths_are_rejected(version: int, length: int, reason: str) -> None:
    with pytest.raises(AddressError, match=reason):
        BitcoinAddress(version=bytes((version,)), hashbytes=bytes(length)).text(MAINNET)
    with pytest.raises(AddressError, match="version: expected one byte, got 0"):
        BitcoinAddress(version=b"", hashbytes=bytes(length)).text(MAINNET)


@given(
    st.sampled_from([0, 1, 4, 5, 6]), st.binary(min_size=32, max_size=32), st.sampled_from([MAINNET, TESTNET, DEVNET])
)
def test_written_addresses_are_read_back(version: int, data: bytes, network: Any) -> None:
    hashed = data[: HASH_LENGTHS[version]]
    script = read_bitcoin_address(write_bitcoin_address(version, hashed, network))
    assert (script.version, script.hash, script.is_mainnet) == (version, hashed, network == MAINNET)


@given(st.text(max_size=100))
def test_any_text_is_read_or_raises_an_address_error(text: str) -> None:
    try:
        read_bitcoin_address(text)
    except AddressError:
        return


@given(st.binary(max_size=60), st.sampled_from(["bc1", "tb1", "bcrt1"]))
def test_any_segwit_text_is_read_or_raises_an_address_error(data: bytes, prefix: str) -> None:
    try:
        read_bitcoin_address(prefix + "".join("qpzry9x8gf2tvdw0s3jn54khce6mua7l"[byte & 31] for byte in data))
    except AddressError:
        return
