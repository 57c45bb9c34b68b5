"""Profiles: what is saved, what is never saved, and which setting takes precedence."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from der_client.cli.profiles import DEFAULT_URL, Profile, ProfileError, Profiles, Settings, profiles_file
from der_client.stacks.errors import InvalidValueError

if TYPE_CHECKING:
    from .conftest import RunDer

DEPLOYER = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"
SECRET = "753b7cc01a1a2e86221266a154af739463fce51219d97e4f856cd7200c3bd2a601"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DER_URL", raising=False)
    monkeypatch.delenv("DER_PROFILE", raising=False)


@pytest.fixture
def two_profiles() -> None:
    Profiles(
        {
            "home": Profile("http://home:3999", key="owner", database="home.db"),
            "test": Profile("https://api.testnet.hiro.so", DEPLOYER, "tester"),
        },
        "home",
    ).write()


class TestProfilesFile:
    def test_the_first_profile_is_in_use_and_the_file_is_private(self, der: RunDer) -> None:
        made = der("profile", "add", "home", "--url", "http://home:3999", "--key", "owner", "--json")
        assert json.loads(made.stdout)["current"] is True
        assert stat.S_IMODE(profiles_file().stat().st_mode) == 0o600
        assert Profiles.read() == Profiles({"home": Profile("http://home:3999", key="owner")}, "home")

    def test_a_key_that_is_not_found_is_noted(self, der: RunDer) -> None:
        made = der("profile", "add", "dev", "--url", "http://127.0.0.1:1", "--key", "nokey")
        assert made.exit_code == 0
        assert "note: --key: key 'nokey' not found" in made.stderr

    def test_a_deployer_that_is_no_address_is_rejected_by_its_option(self, der: RunDer) -> None:
        made = der("profile", "add", "dev", "--url", "http://127.0.0.1:1", "--deployer", "wallet_1")
        assert made.exit_code == 1
        assert "--deployer: 'wallet_1' is not a Stacks address" in made.stderr

    def test_values_with_special_characters_are_kept(self) -> None:
        odd = Profile("http://home:3999", DEPLOYER, 'C:\\keys\\ö "x".json', "postgresql://me@host/der?x='1'")
        Profiles({"a-1": odd}, "a-1").write()
        assert Profiles.read() == Profiles({"a-1": odd}, "a-1")

    @pytest.mark.usefixtures("two_profiles")
    def test_an_existing_profile_is_only_replaced_on_request(self, der: RunDer) -> None:
        refused = der("profile", "add", "test", "--url", "http://other:1")
        assert refused.exit_code == 1
        assert "already exists; change it with --replace" in refused.stderr
        assert der("profile", "add", "test", "--url", "http://other:1", "--replace").exit_code == 0
        assert Profiles.read().by_name["test"] == Profile("http://other:1")
        assert Profiles.read().current == "home"

    @pytest.mark.usefixtures("two_profiles")
    def test_a_profile_can_be_used_and_removed(self, der: RunDer) -> None:
        assert der("profile", "use", "test").exit_code == 0
        assert Profiles.read().current == "test"
        assert der("profile", "remove", "test").exit_code == 0
        assert (list(Profiles.read().by_name), Profiles.read().current) == (["home"], None)

    @pytest.mark.usefixtures("two_profiles")
    def test_profiles_are_listed_and_shown(self, der: RunDer) -> None:
        listed = json.loads(der("profile", "list", "--json").stdout)["profiles"]
        assert [(each["name"], each["current"]) for each in listed] == [("home", True), ("test", False)]
        assert "home (in use)" in der("profile", "list").stdout
        shown = der("profile", "show").stdout
        assert "http://home:3999" in shown
        assert json.loads(der("profile", "show", "test", "--json").stdout)["deployer"] == DEPLOYER

    @pytest.mark.usefixtures("two_profiles")
    def test_the_error_for_an_unknown_profile_lists_the_known_ones(self, der: RunDer) -> None:
        for command in (("use",), ("show",), ("remove",)):
            result = der("profile", *command, "hme")
            assert result.exit_code == 1
            assert result.stderr == (
                "error: profile 'hme' not found; there are: home, test. Make one with 'der profile add NAME'\n"
            )

    @pytest.mark.parametrize("content", ["[profile", "profile = 1", '[profile.a]\nurl = "http://a"\npassword = "x"'])
    def test_an_invalid_file_is_rejected(self, content: str) -> None:
        profiles_file().parent.mkdir(parents=True)
        profiles_file().write_text(content)
        with pytest.raises(ProfileError, match=str(profiles_file())):
            Profiles.read()


class TestNoSecrets:
    @pytest.mark.parametrize(
        "options",
        [
            ("--url", "http://h:1", "--key", SECRET),
            ("--url", "http://h:1", "--key", f"0x{SECRET}"),
            ("--url", "http://h:1", "--database", "postgresql://me:hunter2@host/der"),
        ],
    )
    def test_secrets_are_neither_saved_nor_shown(self, der: RunDer, options: tuple[str, ...]) -> None:
        result = der("profile", "add", "x", *options)
        assert result.exit_code == 1
        assert SECRET[:12] not in result.output
        assert "hunter2" not in result.output
        assert not profiles_file().exists()

    def test_a_line_break_is_rejected(self) -> None:
        with pytest.raises(InvalidValueError, match="key: expected a line of text"):
            Profile("http://h:1", key='x"\n[profile.evil]')


class TestPrecedence:
    def test_defaults_without_a_profile(self) -> None:
        assert Settings.of() == Settings(DEFAULT_URL, True, None, None, None, None)

    @pytest.mark.usefixtures("two_profiles")
    def test_the_profile_in_use_replaces_the_defaults(self) -> None:
        assert Settings.of() == Settings("http://home:3999", False, None, "owner", "home.db", "home")

    @pytest.mark.usefixtures("two_profiles")
    def test_the_variable_selects_another_profile(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DER_PROFILE", "test")
        assert Settings.of() == Settings("https://api.testnet.hiro.so", False, DEPLOYER, "tester", None, "test")

    @pytest.mark.usefixtures("two_profiles")
    def test_with_a_url_the_profile_in_use_is_ignored(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert Settings.of(url="http://x:1") == Settings("http://x:1", False, None, None, None, None)
        monkeypatch.setenv("DER_URL", "http://y:1")
        assert Settings.of() == Settings("http://y:1", False, None, None, None, None)

    @pytest.mark.usefixtures("two_profiles")
    def test_a_named_profile_comes_before_the_variables(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DER_URL", "http://y:1")
        monkeypatch.setenv("DER_PROFILE", "home")
        assert Settings.of(profile="test").url == "https://api.testnet.hiro.so"

    @pytest.mark.usefixtures("two_profiles")
    def test_options_come_before_a_named_profile(self) -> None:
        settings = Settings.of(profile="test", url="http://x:1", key="other", database="d.db")
        assert settings == Settings("http://x:1", False, DEPLOYER, "other", "d.db", "test")

    @pytest.mark.usefixtures("two_profiles")
    def test_an_unknown_profile_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DER_PROFILE", "gone")
        with pytest.raises(ProfileError, match="profile 'gone' not found; there are: home, test"):
            Settings.of()
