"""What a node refuses although it is well-formed, as far as that can be told without asking one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from der_client.stacks.address import check_network
from der_client.stacks.errors import EncodeError, InvalidValueError
from der_client.stacks.transactions.payloads import ContractCall, ContractPublish, TokenTransfer
from der_client.stacks.transactions.post_conditions import check_post_condition_network

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from der_client.stacks.network import Network
    from der_client.stacks.transactions.payload_types import Payload
    from der_client.stacks.transactions.post_conditions import PostCondition


def check_sendable(
    payload: Payload, post_conditions: Sequence[PostCondition], origin: Callable[[], str], network: Network
) -> None:
    """Refuse what no node takes into its mempool, and addresses of another network.

    Args:
        payload: What the transaction does.
        post_conditions: Its post-conditions.
        origin: Gives the address of the account that it is of; worked out only where it matters.
        network: The network to which it is to be sent.

    Raises:
        AddressError: If an address is of another network; the text names both.
        EncodeError: If no user can send the payload, or something else is given as a post-condition.
        InvalidValueError: If it is a transfer of 0, to oneself or with post-conditions.
    """
    for condition in post_conditions:
        check_post_condition_network(condition, network)
    match payload:
        case ContractCall():
            check_network(payload.contract, network, "contract")
        case TokenTransfer():
            _check_transfer(payload, post_conditions, origin(), network)
        case ContractPublish():
            pass
        case _:
            raise EncodeError(
                f"payload: users send a TokenTransfer, ContractCall or ContractPublish, not {type(payload).__name__}"
            )


def _check_transfer(
    payload: TokenTransfer, post_conditions: Sequence[PostCondition], origin: str, network: Network
) -> None:
    check_network(payload.recipient.text, network, "recipient")
    if not payload.amount:
        raise InvalidValueError("amount: a transfer must be of 1 µSTX or more, not 0")
    if payload.recipient.text == origin:
        raise InvalidValueError(f"recipient: {origin} is the sender, and no node takes such a transfer")
    if post_conditions:
        raise InvalidValueError("post_conditions: a transfer takes none; its amount is all that moves")
