"""What the shell completes: names of keys, profiles and contracts. Quick, and silent about errors."""

from contextlib import suppress
from typing import Final

CONTRACTS: Final = {
    "assets": "asset-verification",
    "production": "production-tracking",
    "grid": "grid-integration",
    "market": "market-participation",
    "settlement": "settlement",
}
"""The five contracts by the short names that commands also accept."""
_DEVNET_TIMEOUT_S = 0.5


def complete_profile(incomplete: str) -> list[str]:
    """Return the names of profiles."""
    from der_client.cli.profiles import Profiles  # noqa: PLC0415 -- only when the shell asks
    from der_client.stacks.errors import DerClientError  # noqa: PLC0415

    with suppress(DerClientError):
        return [name for name in sorted(Profiles.read().by_name) if name.startswith(incomplete)]
    return []


def complete_key(incomplete: str) -> list[str]:
    """Return the names of the keys of 'der keys', and of the accounts of a devnet on this machine."""
    from der_client.cli.key_names import key_names  # noqa: PLC0415 -- only when the shell asks

    return [name for name in dict.fromkeys([*key_names(), *_devnet_names()]) if name.startswith(incomplete)]


def complete_own_key(incomplete: str) -> list[str]:
    """Return the names of the keys of 'der keys'."""
    from der_client.cli.key_names import key_names  # noqa: PLC0415 -- only when the shell asks

    return [name for name in key_names() if name.startswith(incomplete)]


def complete_contract(incomplete: str) -> list[str]:
    """Return the names of the five contracts."""
    return [name for name in CONTRACTS.values() if name.startswith(incomplete)]


def _devnet_names() -> list[str]:
    from urllib.parse import urlsplit  # noqa: PLC0415 -- only when the shell asks

    import requests  # noqa: PLC0415

    from der_client.cli.profiles import Settings  # noqa: PLC0415
    from der_client.stacks.errors import DerClientError  # noqa: PLC0415

    with suppress(DerClientError, requests.RequestException, ValueError, TypeError, KeyError):
        url = Settings.of().url
        if urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1"):
            return []
        response = requests.get(f"{url.rstrip('/')}/devnet/accounts", timeout=_DEVNET_TIMEOUT_S)
        return [str(account["name"]) for account in response.json()]
    return []
