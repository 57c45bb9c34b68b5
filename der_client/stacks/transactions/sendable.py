"""What a node refuses although it is well-formed, as far as that can be told without asking one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from der_client.stacks.address import check_network
from der_client.stacks.errors import EncodeError, InvalidValueError
from der_client.stacks.transactions.payloads import ContractCall, ContractPublish, TokenTransfer
from der_client.stacks.transactions.post_conditions import check_post_condition_network

if TYPE_CHECKING:
    from der_client.stacks.network import Network
    from der_client.stacks.transactions.transaction import Transaction


def check_sendable(transaction: Transaction, network: Network) -> None:
    """Refuses what no node takes into its mempool, and addresses of another network.

    Args:
        transaction: The transaction.
        network: Where it shall be sent.

    Raises:
        AddressError: If an address is of another network; the text names both.
        EncodeError: If no user can send the payload, or something else is given as a post-condition.
        InvalidValueError: If it is a transfer of 0, to oneself or with post-conditions.
    """
    for condition in transaction.post_conditions:
        check_post_condition_network(condition, network)
    payload = transaction.payload
    match payload:
        case ContractCall():
            check_network(payload.contract, network, "contract")
        case TokenTransfer():
            _check_transfer(payload, transaction, network)
        case ContractPublish():
            pass
        case _:
            raise EncodeError(
                f"payload: users send a TokenTransfer, ContractCall or ContractPublish, not {type(payload).__name__}"
            )


def _check_transfer(payload: TokenTransfer, transaction: Transaction, network: Network) -> None:
    check_network(payload.recipient.text, network, "recipient")
    if not payload.amount:
        raise InvalidValueError("amount: a transfer must be of 1 µSTX or more, not 0")
    if payload.recipient.text == transaction.origin:
        raise InvalidValueError(f"recipient: {transaction.origin} is the sender, and no node takes such a transfer")
    if transaction.post_conditions:
        raise InvalidValueError("post_conditions: a transfer takes none; its amount is all that moves")
