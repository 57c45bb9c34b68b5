"""Checks for transactions that are well-formed but that a node would refuse, without asking one.

Every way of building a transaction goes through here, so here it is checked that all addresses in it, including
arguments, belong to its network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from der_client.stacks.address import check_network
from der_client.stacks.clarity import principals
from der_client.stacks.errors import EncodeError, InvalidValueError
from der_client.stacks.transactions.payloads import ContractCall, ContractPublish, TokenTransfer
from der_client.stacks.transactions.post_conditions import check_post_condition_network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.stacks.clarity import ClarityValue
    from der_client.stacks.network import Network
    from der_client.stacks.transactions.accounts import Multisig, SingleSig
    from der_client.stacks.transactions.payload_types import UserPayload
    from der_client.stacks.transactions.post_conditions import PostCondition


def check_sendable(
    payload: UserPayload, post_conditions: Sequence[PostCondition], sender: SingleSig | Multisig, network: Network
) -> None:
    """Refuse what no node accepts into its mempool, and addresses of another network.

    Args:
        payload: What the transaction does.
        post_conditions: Its post-conditions.
        sender: Its sender.
        network: The network that it is for.

    Raises:
        AddressError: If an address belongs to another network; the text names both.
        EncodeError: If no user can send the payload, or something else is given as a post-condition.
        InvalidValueError: If it is a transfer of 0, to oneself or with post-conditions.
    """
    for condition in post_conditions:
        check_post_condition_network(condition, network)
    match payload:
        case ContractCall():
            check_network(payload.contract, network, "contract")
            check_principals(payload.arguments, network, f"argument of {payload.function}")
        case TokenTransfer():
            _check_transfer(payload, post_conditions, sender, network)
        case ContractPublish():
            pass
        case _:
            raise EncodeError(
                f"payload: users send a TokenTransfer, ContractCall or ContractPublish, not {type(payload).__name__}"
            )


def check_principals(values: Sequence[ClarityValue], network: Network, what: str) -> None:
    """Refuse principals of another network anywhere in Clarity values: they do not exist here.

    Args:
        values: The values.
        network: The network on which they will be used.
        what: Their name in the message.

    Raises:
        AddressError: If one belongs to another network; the text names both.
    """
    for principal in principals(values):
        check_network(principal.text, network, what)


def _check_transfer(
    payload: TokenTransfer, post_conditions: Sequence[PostCondition], sender: SingleSig | Multisig, network: Network
) -> None:
    check_network(payload.recipient.text, network, "recipient")
    if not payload.amount:
        raise InvalidValueError("amount: a transfer must be of 1 µSTX or more, not 0")
    origin = sender.address(network)
    if payload.recipient.text == origin:
        raise InvalidValueError(f"recipient: {origin} is the sender; nodes refuse a transfer to oneself")
    if post_conditions:
        raise InvalidValueError("post_conditions: a transfer cannot have any; only its amount moves")
