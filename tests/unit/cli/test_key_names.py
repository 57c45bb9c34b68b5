"""Keys by name: where they are found, and that their address needs no passphrase."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from der_client.cli.completion import complete_key, complete_profile
from der_client.cli.key_names import AddressBook, Signer, UnknownKeyError, key_file, keys_folder
from der_client.cli.options import WithKey
from der_client.cli.profiles import Profile, Profiles
from der_client.stacks.errors import InvalidValueError, KeyFormatError
from der_client.stacks.keys import PrivateKey
from der_client.stacks.keystore import save_key
from der_client.stacks.network import TESTNET

if TYPE_CHECKING:
    from pathlib import Path

KEY = PrivateKey.from_hex("753b7cc01a1a2e86221266a154af739463fce51219d97e4f856cd7200c3bd2a601")
OTHER = PrivateKey.from_hex("7287ba251d44a4d3fd9276c88ce34c5c52a038955511cccaf77e61068649c17801")
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("DER_URL", "DER_PROFILE", "DER_KEY"):
        monkeypatch.delenv(name, raising=False)
    keys_folder().mkdir(parents=True)
    save_key(key_file("owner"), KEY, "correct horse")


def test_a_key_is_found_by_its_name() -> None:
    assert Signer("owner", NOWHERE).key() == KEY


def test_the_address_of_a_key_needs_no_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DER_PASSPHRASE", "wrong")
    assert Signer("owner", NOWHERE).address(TESTNET) == KEY.address(TESTNET)


def test_a_key_name_precedes_a_file_name_but_not_a_path(tmp_path: Path) -> None:
    (tmp_path / "owner").write_text(OTHER.to_hex())
    (tmp_path / "other").write_text(OTHER.to_hex())
    assert Signer("owner", NOWHERE).key() == KEY
    assert Signer("./owner", NOWHERE).key() == OTHER
    assert Signer("other", NOWHERE).address(TESTNET) == OTHER.address(TESTNET)


def test_the_key_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DER_KEY", OTHER.to_hex())
    assert Signer(None, NOWHERE).address(TESTNET) == OTHER.address(TESTNET)


def test_the_error_for_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(
        UnknownKeyError, match="key 'ownr' not found, neither as a name nor as a file; there are: owner"
    ):
        Signer("ownr", NOWHERE).key()


def test_a_missing_path_is_reported_as_a_key_file() -> None:
    with pytest.raises(KeyFormatError, match=r"key file keys/x\.json: cannot be read"):
        Signer("keys/x.json", NOWHERE).key()


def test_a_secret_in_place_of_a_name_is_rejected_and_not_shown() -> None:
    with pytest.raises(KeyFormatError, match="looks like a key") as caught:
        Signer(KEY.to_hex(), NOWHERE).key()
    assert KEY.to_hex()[:12] not in str(caught.value)


class TestPrecedence:
    @pytest.fixture(autouse=True)
    def _profiles(self) -> None:
        Profiles({"a": Profile(NOWHERE, key="in-a"), "b": Profile(NOWHERE, key="in-b")}, "a").write()

    def test_the_option_comes_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DER_KEY", "x")
        assert WithKey(key="given", profile="b").signer.text == "given"

    def test_a_named_profile_comes_before_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DER_KEY", "x")
        assert WithKey(profile="b").signer.text == "in-b"

    def test_the_environment_comes_before_the_profile_in_use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DER_KEY", "x")
        assert WithKey().signer.text is None

    def test_the_profile_in_use_comes_last(self) -> None:
        assert WithKey().signer.text == "in-a"

    def test_with_another_url_the_profiles_key_is_not_used(self) -> None:
        assert WithKey(url="http://x:1").signer.text is None


class TestAddressBook:
    def test_names_and_addresses_are_resolved(self) -> None:
        book = AddressBook({"owner": KEY.address(TESTNET)})
        assert book.address("owner", "--to") == KEY.address(TESTNET)
        assert book.address(OTHER.address(TESTNET), "--to") == OTHER.address(TESTNET)
        assert book.short(KEY.address(TESTNET)) == "owner"
        assert len(book.short(OTHER.address(TESTNET))) == 12

    def test_an_unknown_name_is_rejected(self) -> None:
        with pytest.raises(InvalidValueError, match="--to: 'ownr' is neither an address nor one of the names owner"):
            AddressBook({"owner": KEY.address(TESTNET)}).address("ownr", "--to")

    def test_a_mistyped_address_is_rejected(self) -> None:
        wrong = KEY.address(TESTNET)[:-1] + "0"
        with pytest.raises(InvalidValueError, match="--to: "):
            AddressBook({}).address(wrong, "--to")


def test_shell_completion_completes_keys_and_profiles() -> None:
    Profiles({"home": Profile(NOWHERE), "test": Profile(NOWHERE)}, "home").write()
    assert complete_key("ow") == ["owner"]
    assert complete_key("x") == []
    assert complete_profile("t") == ["test"]
