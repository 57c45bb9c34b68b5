"""Mnemonics and derivation, checked against BIP-32's and BIP-39's vectors and Clarinet's accounts."""

from __future__ import annotations

import json
import traceback
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from der_client.stacks.errors import KeyFormatError
from der_client.stacks.network import MAINNET, TESTNET
from der_client.stacks.wallet import Wallet

VECTORS = Path(__file__).parents[2] / "vectors"
ACCOUNTS: list[dict[str, Any]] = json.loads((VECTORS / "accounts.json").read_text())["devnet"]
BIP32: list[dict[str, Any]] = json.loads((VECTORS / "bip32.json").read_text())["vectors"]
ABANDON = "abandon " * 11 + "about"


def private_key_of(xprv: str) -> str:
    number = 0
    for letter in xprv:
        number = number * 58 + "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".index(letter)
    data = number.to_bytes(82)
    assert sha256(sha256(data[:78]).digest()).digest()[:4] == data[78:]
    return data[46:78].hex()


@pytest.mark.parametrize("vector", BIP32, ids=lambda vector: vector["seed"][:8])
def test_derivation_matches_the_bip32_vectors(vector: dict[str, Any]) -> None:
    wallet = Wallet.from_seed(bytes.fromhex(vector["seed"]))
    for path, xprv in vector["keys"].items():
        key = wallet.derive(path)
        assert key.to_hex() == private_key_of(xprv) + "01"
        assert wallet.derive(path.replace("H", "'")) == key


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account["name"])
def test_clarinets_mnemonics_have_the_known_keys(account: dict[str, Any]) -> None:
    wallet = Wallet.from_mnemonic(account["mnemonic"])
    for index, derived in enumerate(account["derived"]):
        key = wallet.account(index)
        assert key.to_hex() == derived["private_key"]
        assert key.address(MAINNET) == derived["address_mainnet"]
        assert key.address(TESTNET) == derived["address_testnet"]
        assert wallet.derive(derived["path"]) == key


@pytest.mark.parametrize(
    ("passphrase", "first_key"),
    [
        # Master keys derived by BIP-32 from the seeds of BIP-39's reference vectors.
        ("TREZOR", "cbedc75b0d6412c85c79bc13875112ef912fd1e756631b5a00330866f22ff184"),
        ("", "1837c1be8e2995ec11cda2b066151be2cfb48adf9e47b151d46adab3a21cdf67"),
    ],
)
def test_the_passphrase_opens_another_wallet(passphrase: str, first_key: str) -> None:
    assert Wallet.from_mnemonic(ABANDON, passphrase).derive("m").to_hex() == first_key + "01"


def test_white_space_and_capitals_are_ignored() -> None:
    wallet = Wallet.from_mnemonic("  Abandon\n" + " abandon\t" * 10 + "ABOUT ")
    assert wallet.words() == ABANDON
    assert wallet.account(0) == Wallet.from_mnemonic(ABANDON).account(0)


@pytest.mark.parametrize("count", [12, 15, 18, 21, 24])
def test_generated_wallets_can_be_opened_again(count: int) -> None:
    wallet = Wallet.generate(count)
    assert len(wallet.words().split()) == count
    assert Wallet.from_mnemonic(wallet.words()).account(0) == wallet.account(0)
    assert Wallet.generate(count).words() != wallet.words()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("", "not 0"),
        ("abandon " * 11, "not 11"),
        ("abandon " * 25, "not 25"),
        ("abandon " * 12, "checksum"),
        ("abandon " * 10 + "solarpanel about", "no. 11"),
    ],
)
def test_invalid_mnemonics_are_rejected_without_showing_them(words: str, reason: str) -> None:
    with pytest.raises(KeyFormatError, match=reason) as caught:
        Wallet.from_mnemonic(words)
    shown = "".join(traceback.format_exception(caught.value))
    assert "abandon abandon" not in shown
    assert "solarpanel" not in str(caught.value)


@pytest.mark.parametrize("count", [0, 11, 13, 25])
def test_invalid_numbers_of_words_are_rejected(count: int) -> None:
    with pytest.raises(KeyFormatError, match=f"not {count}"):
        Wallet.generate(count)


@pytest.mark.parametrize("length", [0, 15, 65])
def test_seeds_of_invalid_length_are_rejected(length: int) -> None:
    with pytest.raises(KeyFormatError, match=f"not {length}"):
        Wallet.from_seed(bytes(length))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "44'/0",
        "m/",
        "m//0",
        "m/-1",
        "m/0x1",
        "m/2147483648",
        "m/2147483648'",
        "m/1''",
        "m/a",
        "m/0\n",
        "m" + "/0" * 256,
    ],
)
def test_invalid_paths_are_rejected(path: str) -> None:
    with pytest.raises(KeyFormatError):
        Wallet.from_mnemonic(ABANDON).derive(path)


@pytest.mark.parametrize("index", [-1, 1 << 31])
def test_account_indexes_out_of_range_are_rejected(index: int) -> None:
    with pytest.raises(KeyFormatError, match="index"):
        Wallet.from_mnemonic(ABANDON).account(index)


@pytest.mark.parametrize("index", ["0", True, False, 1.0, None])
def test_account_indexes_must_be_whole_numbers(index: Any) -> None:
    with pytest.raises(KeyFormatError, match=f"index: expected a whole number, got .*{index}"):
        Wallet.from_mnemonic(ABANDON).account(index)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((None,), "words must be str, got NoneType"),
        ((ABANDON.split(),), "words must be str, got list"),
        ((ABANDON + " \ud800",), "words: contains a lone surrogate"),
        ((ABANDON, None), "passphrase must be str, got NoneType"),
        ((ABANDON, "SECRET\udcff"), "passphrase: contains a lone surrogate"),
        ((ABANDON, b"SECRET"), "passphrase must be str, got bytes"),
    ],
)
def test_mnemonics_and_passphrases_must_be_text(arguments: Any, reason: str) -> None:
    with pytest.raises(KeyFormatError, match=reason) as caught:
        Wallet.from_mnemonic(*arguments)
    assert "abandon" not in str(caught.value)
    assert "SECRET" not in "".join(traceback.format_exception_only(caught.value))


@pytest.mark.parametrize("seed", ["a" * 32, None, 32])
def test_seeds_must_be_bytes(seed: Any) -> None:
    with pytest.raises(KeyFormatError, match=rf"seed is 16 to 64 bytes, got {type(seed).__name__};.*fromhex"):
        Wallet.from_seed(seed)


@pytest.mark.parametrize("path", [None, 0, b"m/0"])
def test_paths_must_be_text(path: Any) -> None:
    with pytest.raises(KeyFormatError, match=rf"path must be str, got {type(path).__name__}; e\.g\. m/44'"):
        Wallet.from_mnemonic(ABANDON).derive(path)


def test_a_wallet_does_not_show_its_mnemonic() -> None:
    wallet = Wallet.from_mnemonic(ABANDON)
    assert "abandon" not in repr(wallet) + str(wallet)
    with pytest.raises(KeyFormatError, match="no mnemonic"):
        Wallet.from_seed(bytes(16)).words()


def test_the_constructor_takes_only_a_seed_and_says_what_to_use_for_words() -> None:
    with pytest.raises(KeyFormatError, match=r"got str; for words, use Wallet\.from_mnemonic"):
        Wallet(ABANDON)  # type: ignore[arg-type]
    with pytest.raises(KeyFormatError, match="has 16 to 64 bytes, not 1"):
        Wallet(b"x")


def test_a_number_of_words_given_as_text_is_refused() -> None:
    with pytest.raises(KeyFormatError, match="24 words, not str '24'"):
        Wallet.generate("24")  # type: ignore[arg-type]
