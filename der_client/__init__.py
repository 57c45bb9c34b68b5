"""Run solar, wind and batteries on the Stacks blockchain from Python.

``Der`` ties the five contracts to a network and an account; ``Devnet`` runs them on this machine.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from der_client.der import Der
    from der_client.devnet import Devnet
    from der_client.stacks.account import Account, FeePolicy
    from der_client.stacks.contract import Contract
    from der_client.stacks.errors import ContractError, DerClientError
    from der_client.stacks.keys import PrivateKey
    from der_client.stacks.network import DEVNET, MAINNET, TESTNET
    from der_client.stacks.rpc import AsyncClient, Client
    from der_client.stacks.wallet import Wallet

__all__ = [
    "DEVNET",
    "MAINNET",
    "TESTNET",
    "Account",
    "AsyncClient",
    "Client",
    "Contract",
    "ContractError",
    "Der",
    "DerClientError",
    "Devnet",
    "FeePolicy",
    "PrivateKey",
    "Wallet",
]

_MODULES: Final = {
    "DEVNET": "der_client.stacks.network",
    "MAINNET": "der_client.stacks.network",
    "TESTNET": "der_client.stacks.network",
    "Account": "der_client.stacks.account",
    "AsyncClient": "der_client.stacks.rpc",
    "Client": "der_client.stacks.rpc",
    "Contract": "der_client.stacks.contract",
    "ContractError": "der_client.stacks.errors",
    "Der": "der_client.der",
    "DerClientError": "der_client.stacks.errors",
    "Devnet": "der_client.devnet",
    "FeePolicy": "der_client.stacks.account",
    "PrivateKey": "der_client.stacks.keys",
    "Wallet": "der_client.stacks.wallet",
}


def __getattr__(name: str) -> object:
    """Load what is asked for: the pytest plugin, which every run of pytest imports, needs none of it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return all names, those that are not loaded yet included."""
    return sorted({*globals(), *__all__})
