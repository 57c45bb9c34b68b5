"""Keys and accounts by name: those of 'der keys', and the public test accounts of an embedded devnet."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from der_client.cli.profiles import config_folder, is_name
from der_client.cli.secret_input import KEY_VARIABLE, read_signing_key, refuse_secret
from der_client.stacks.errors import DerClientError, InvalidValueError, KeyFormatError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from der_client.devnet import DevnetAccount
    from der_client.stacks.keys import PrivateKey
    from der_client.stacks.network import Network

_SUFFIX: Final = ".json"


class UnknownKeyError(InvalidValueError):
    """There is no key of this name."""


def keys_folder() -> Path:
    """Return the folder of the key files of 'der keys'."""
    return config_folder() / "keys"


def key_file(name: str, folder: Path | None = None) -> Path:
    """Return where 'der keys' keeps a key."""
    return (folder or keys_folder()) / f"{name}{_SUFFIX}"


def key_files(folder: Path | None = None) -> list[Path]:
    """List the files of 'der keys'; none is opened."""
    return sorted((folder or keys_folder()).glob(f"*{_SUFFIX}"))


def key_names() -> list[str]:
    """List the names of the keys of 'der keys'; no file is opened."""
    return [file.stem for file in key_files()]


@dataclass(frozen=True)
class Signer:
    """The key that signs, by name; not opened yet.

    Attributes:
        text: What was given: the name of a key, or a file. ``None`` for ``DER_KEY`` in the environment.
        url: The node, which may be an embedded devnet with accounts of its own.
    """

    text: str | None
    url: str

    @property
    def is_known(self) -> bool:
        """Whether a key is named at all."""
        return self.text is not None or bool(os.environ.get(KEY_VARIABLE))

    def exists(self) -> bool:
        """Return whether there is such a key, file or account; nothing is opened."""
        try:
            found = self._found()
        except UnknownKeyError:
            return False
        return not isinstance(found, Path) or found.exists()

    def key(self) -> PrivateKey:
        """Open the key; a passphrase is asked for where its file is encrypted.

        Raises:
            KeyFormatError: If there is no key, or it is not valid; the message does not contain it.
            UnknownKeyError: If there is no key of this name.
        """
        found = self._found()
        return read_signing_key(found) if found is None or isinstance(found, Path) else found.key

    def address(self, network: Network) -> str:
        """Return the address on a network, without opening an encrypted file.

        Raises:
            KeyFormatError: If there is no key, or it is not valid.
            UnknownKeyError: If there is no key of this name.
        """
        from der_client.stacks.keystore import read_public_key  # noqa: PLC0415 -- `der --help` stays fast

        found = self._found()
        if isinstance(found, Path):
            try:
                return read_public_key(found).address(network)
            except (OSError, KeyFormatError):
                pass  # not an encrypted file: hexadecimal, or invalid, which reading it will report
        elif found is not None:
            return found.address
        return self.key().address(network)

    def _found(self) -> Path | DevnetAccount | None:
        """Return the file or the account; ``None`` for the environment."""
        if self.text is None:
            return None
        refuse_secret(self.text, "--key")
        named = is_name(self.text)
        if named and key_file(self.text).exists():
            return key_file(self.text)
        if not named or Path(self.text).exists():
            return Path(self.text)
        accounts = devnet_accounts(self.url)
        if self.text in accounts:
            return accounts[self.text]
        known = [*key_names(), *accounts]
        instead = f"there are: {', '.join(known)}" if known else "make one with 'der keys new NAME'"
        raise UnknownKeyError(f"--key: key {self.text!r} not found, neither as a name nor as a file; {instead}")


def devnet_accounts(url: str) -> Mapping[str, DevnetAccount]:
    """Return the public test accounts by name if the node is an embedded devnet; none if it is not, or is down."""
    from der_client.devnet import DevnetControl  # noqa: PLC0415 -- `der --help` stays fast

    try:
        accounts = DevnetControl(url).accounts
    except DerClientError:
        return {}
    return {name: account for name, account in accounts.items() if is_name(name)}


@dataclass(frozen=True)
class AddressBook:
    """Addresses by the user's names for them.

    Attributes:
        by_name: The addresses, on one network.
    """

    by_name: Mapping[str, str]

    @classmethod
    def open(cls, url: str, network: Network) -> AddressBook:
        """Open a book of the keys of 'der keys', and of the accounts if the node is an embedded devnet.

        Args:
            url: The node.
            network: Its network.
        """
        from der_client.stacks.keystore import read_public_key  # noqa: PLC0415 -- `der --help` stays fast

        book: dict[str, str] = {}
        if network.chain_id != 1:
            book |= {name: account.address for name, account in devnet_accounts(url).items()}
        for name in key_names():
            try:
                book[name] = read_public_key(key_file(name)).address(network)
            except (OSError, KeyFormatError):
                continue  # 'der keys list' says what is wrong with it
        return cls(book)

    def address(self, text: str, option: str) -> str:
        """Return the principal of a name or an address.

        Raises:
            InvalidValueError: If it is neither.
        """
        from der_client.stacks.address import canonical_principal  # noqa: PLC0415 -- `der --help` stays fast

        if text in self.by_name:
            return self.by_name[text]
        try:
            return canonical_principal(text)
        except InvalidValueError as error:
            if is_name(text) and not text.startswith("S"):
                known = ", ".join(self.by_name) or "none; make one with 'der keys new NAME'"
                raise InvalidValueError(
                    f"{option}: {text!r} is neither an address nor one of the names {known}"
                ) from None
            raise InvalidValueError(f"{option}: {error}") from None

    def name(self, principal: str) -> str | None:
        """Return the name of an address, if it has one."""
        return next((name for name, address in self.by_name.items() if address == principal), None)

    def full(self, principal: str) -> str:
        """Return an address in full, after its name if it has one: ``wallet_1 (ST1SJ3…)``."""
        name = self.name(principal)
        return f"{name} ({principal})" if name else principal

    def short(self, principal: str) -> str:
        """Return a name, or an address shortened for a table: ``ST2CY5…RK9AG``."""
        named = self.name(principal)
        if named is not None:
            return named
        address, dot, contract = principal.partition(".")
        return contract if dot else f"{address[:6]}…{address[-5:]}"
