"""Profiles: url, deployer, key and database under one name, in a file in the user's home.

A profile holds no secret: a key is named, and its file is opened when something is signed.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from der_client.stacks.errors import DerClientError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_URL: Final = "http://127.0.0.1:3999"
"""Where ``der devnet`` listens."""
URL_VARIABLE: Final = "DER_URL"
PROFILE_VARIABLE: Final = "DER_PROFILE"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
NAME_RULE: Final = "a name has 1 to 64 letters, digits, - or _, and begins with a letter or digit"


class ProfileError(DerClientError):
    """A profile that does not exist, or a file of profiles that cannot be read or written."""


def config_folder() -> Path:
    """Return the folder of this program's settings: ``$XDG_CONFIG_HOME/der-client``, or in ``~/.config``."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    # Relative ones are to be ignored (XDG Base Directory Specification).
    config = Path(base) if Path(base).is_absolute() else Path.home() / ".config"
    return config / "der-client"


@dataclass(frozen=True)
class Profile:
    """What commands take from a profile unless an option says otherwise.

    Attributes:
        url: The node or API.
        deployer: The address that deployed the contracts; ``None`` where an embedded devnet says it.
        key: The name of the key that signs, or the path of its file.
        database: Where the index is: a file, or ``postgresql://user@host/database``.
    """

    url: str
    deployer: str | None = None
    key: str | None = None
    database: str | None = None

    def __post_init__(self) -> None:
        """Refuse a secret: the file must not contain any."""
        from der_client.cli.secret_input import refuse_secret  # noqa: PLC0415 -- it loads the key code

        for each in fields(self):
            value = getattr(self, each.name)
            if value is None:
                continue
            if not isinstance(value, str) or not value.isprintable() or not value:
                raise InvalidValueError(f"{each.name}: expected a line of text, got {value!r}")
            refuse_secret(value, f"--{each.name}")
        for name, address in (("url", self.url), ("database", self.database)):
            if address is not None and _has_password(address):
                raise InvalidValueError(
                    f"--{name}: it contains a password, and a profile holds no secrets; leave it out of the address "
                    "(Postgres takes it from PGPASSWORD or ~/.pgpass)"
                )


def _has_password(address: str) -> bool:
    try:
        return urlsplit(address).password is not None
    except ValueError:
        return False


@dataclass(frozen=True)
class Profiles:
    """All profiles, and which of them is the default.

    Attributes:
        by_name: The profiles.
        current: The name of the one that is used by default, if one is.
    """

    by_name: Mapping[str, Profile]
    current: str | None = None

    @classmethod
    def read(cls) -> Profiles:
        """Read the file; without one, there are no profiles.

        Raises:
            ProfileError: If it cannot be read.
        """
        file = profiles_file()
        try:
            content = tomllib.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls({})
        except (OSError, ValueError) as error:
            raise ProfileError(f"{file} cannot be read: {error}") from None
        entries = content.get("profile", {})
        if not isinstance(entries, dict):
            raise ProfileError(f"{file}: expected tables [profile.NAME]")
        current = content.get("current")
        return cls({name: _profile(file, name, entry) for name, entry in entries.items()}, current)

    def write(self) -> Path:
        """Replace the file, which only its owner can read, and return its path.

        Raises:
            ProfileError: If it cannot be written.
        """
        file = profiles_file()
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # A temporary file has mode 0600; a reader sees the old file or the new one, never half of it.
            with tempfile.NamedTemporaryFile(
                "w", dir=file.parent, prefix=f".{file.name}-", delete=False, encoding="utf-8"
            ) as new:
                new.write(self._text())
            Path(new.name).replace(file)
        except OSError as error:
            raise ProfileError(f"{file} cannot be written: {error.strerror}") from None
        return file

    def _text(self) -> str:
        lines = ["# Written by 'der profile'. No secrets belong here."]
        if self.current is not None:
            lines.append(f"current = {json.dumps(self.current)}")
        for name, profile in sorted(self.by_name.items()):
            lines += ["", f"[profile.{name}]"]
            # A printable string is written the same in JSON and in TOML.
            values = {key: value for key, value in asdict(profile).items() if value is not None}
            lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
        return "\n".join(lines) + "\n"

    def named(self, name: str) -> Profile:
        """Return a profile.

        Raises:
            ProfileError: If no profile has this name.
        """
        if name not in self.by_name:
            known = ", ".join(sorted(self.by_name)) or "none"
            raise ProfileError(f"profile {name!r} not found; there are: {known}. Make one with 'der profile add NAME'")
        return self.by_name[name]


def profiles_file() -> Path:
    """Return the path of the file of profiles."""
    return config_folder() / "profiles.toml"


def is_name(text: str) -> bool:
    """Return whether a profile or a key can have this name."""
    return _NAME.fullmatch(text) is not None


def _profile(file: Path, name: str, entry: Any) -> Profile:
    known = {each.name for each in fields(Profile)}
    if not isinstance(entry, dict) or not set(entry) <= known:
        raise ProfileError(f"{file}: profile {name!r} has {entry!r}; expected {', '.join(sorted(known))}")
    try:
        return Profile(**entry)
    except (InvalidValueError, TypeError) as error:
        raise ProfileError(f"{file}: profile {name!r}: {error}") from None


@dataclass(frozen=True)
class Settings:
    """Where a command works, and as whom: from its options, the environment, a profile, or the defaults.

    Attributes:
        url: The node or API.
        is_default_url: Whether it is only the default.
        deployer: The address that deployed the contracts, if it is known.
        key: The name or file of the key that signs, if one is named.
        database: Where the index is, if it is known.
        profile: The name of the profile that was used, if one was.
    """

    url: str
    is_default_url: bool
    deployer: str | None
    key: str | None
    database: str | None
    profile: str | None

    @classmethod
    def of(
        cls,
        *,
        profile: str | None = None,
        url: str | None = None,
        deployer: str | None = None,
        key: str | None = None,
        database: str | None = None,
    ) -> Settings:
        """Return the settings that result from options, environment and profile.

        Options come first, then a profile named by ``--profile``, then ``DER_URL``, then the profile that
        ``DER_PROFILE`` or ``der profile use`` names, then the devnet of this machine. A URL that was given without
        ``--profile`` makes profiles unused: their deployer and key belong to another network.

        Raises:
            ProfileError: If a profile does not exist, or the file cannot be read.
        """
        from_environment = None if profile else os.environ.get(URL_VARIABLE) or None
        used: str | None = profile
        found: Profile | None = None
        if profile:
            found = Profiles.read().named(profile)
        elif not url and not from_environment:
            used = os.environ.get(PROFILE_VARIABLE) or None
            profiles = Profiles.read()
            used = used or profiles.current
            found = profiles.named(used) if used else None
        address = url or from_environment or (found.url if found else None)
        return cls(
            url=address or DEFAULT_URL,
            is_default_url=address is None,
            deployer=deployer or (found.deployer if found else None),
            key=key or (found.key if found else None),
            database=database or (found.database if found else None),
            profile=used if found else None,
        )
