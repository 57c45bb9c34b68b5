"""Transactions: their payloads and post-conditions, the accounts that sign them, their bytes.

>>> call = ContractCall(f"{deployer}.market", "cancel-offer", (UIntValue(7),))
>>> tx = Transaction.build(call, public_key=key.public_key, network=DEVNET, nonce=3, fee=400)
>>> client.send(tx.sign(key).encode())
"""

from der_client.stacks.transactions.accounts import Multisig, SingleSig
from der_client.stacks.transactions.codes import (
    AnchorMode,
    FungibleCode,
    HashMode,
    NonFungibleCode,
    PostConditionMode,
    PoxCode,
    TenureChangeCause,
)
from der_client.stacks.transactions.conditions import (
    NO_SPONSOR,
    FieldSignature,
    MultiSigCondition,
    SingleSigCondition,
    SpendingCondition,
)
from der_client.stacks.transactions.payload_types import Payload, UserPayload
from der_client.stacks.transactions.payloads import ContractCall, ContractPublish, TokenTransfer
from der_client.stacks.transactions.post_conditions import (
    ORIGIN,
    FtPostCondition,
    NftPostCondition,
    PostCondition,
    PoxPostCondition,
    StakingPostCondition,
    StxPostCondition,
)
from der_client.stacks.transactions.system_payloads import (
    Coinbase,
    MicroblockHeader,
    PoisonMicroblock,
    TenureChange,
)
from der_client.stacks.transactions.transaction import MAX_TRANSACTION_LENGTH, Transaction

__all__ = [
    "MAX_TRANSACTION_LENGTH",
    "NO_SPONSOR",
    "ORIGIN",
    "AnchorMode",
    "Coinbase",
    "ContractCall",
    "ContractPublish",
    "FieldSignature",
    "FtPostCondition",
    "FungibleCode",
    "HashMode",
    "MicroblockHeader",
    "MultiSigCondition",
    "Multisig",
    "NftPostCondition",
    "NonFungibleCode",
    "Payload",
    "PoisonMicroblock",
    "PostCondition",
    "PostConditionMode",
    "PoxCode",
    "PoxPostCondition",
    "SingleSig",
    "SingleSigCondition",
    "SpendingCondition",
    "StakingPostCondition",
    "StxPostCondition",
    "TenureChange",
    "TenureChangeCause",
    "TokenTransfer",
    "Transaction",
    "UserPayload",
]
