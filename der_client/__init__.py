"""Run solar, wind and batteries on the Stacks blockchain from Python.

``Der`` ties the five contracts to a network and an account; ``Devnet`` runs them on this machine.
"""

from der_client.der import Der
from der_client.devnet import Devnet
from der_client.stacks.account import Account, FeePolicy
from der_client.stacks.errors import ContractError, DerClientError
from der_client.stacks.keys import PrivateKey
from der_client.stacks.wallet import Wallet

__all__ = ["Account", "ContractError", "Der", "DerClientError", "Devnet", "FeePolicy", "PrivateKey", "Wallet"]
