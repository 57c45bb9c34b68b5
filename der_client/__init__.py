"""Run solar, wind and batteries on the Stacks blockchain from Python.

``Der`` ties the five contracts to a network and an account; ``Devnet`` runs them on this machine.
"""

from typing import TYPE_CHECKING

from der_client.der import Der
from der_client.stacks.account import Account, FeePolicy
from der_client.stacks.errors import ContractError, DerClientError
from der_client.stacks.keys import PrivateKey
from der_client.stacks.wallet import Wallet

if TYPE_CHECKING:
    from der_client.devnet import Devnet

__all__ = ["Account", "ContractError", "Der", "DerClientError", "Devnet", "FeePolicy", "PrivateKey", "Wallet"]


def __getattr__(name: str) -> object:
    """Load the devnet when it is first asked for: programs on a real network import faster without it."""
    if name == "Devnet":
        from der_client.devnet import Devnet  # noqa: PLC0415

        globals()[name] = Devnet
        return Devnet
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """All names, those that are not loaded yet included."""
    return sorted({*globals(), *__all__})
