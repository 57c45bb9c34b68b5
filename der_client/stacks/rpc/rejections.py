"""Says why a node refuses a transaction, in plain words, and what may be done: ``reason`` and ``reason_data``.

Source: stacks-core ``POST /v2/transactions``. The data comes from outside: anything missing or invalid in it is left
    out of the sentence, never trusted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from der_client.stacks.rpc.fields import excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_BAD_TRAIT: Final = re.compile(r'BadTraitImplementation\("([\w?!<>=/*+-]{1,128})", "([\w?!<>=/*+-]{1,128})"\)')
PAYER: Final = "(payer)"
CALLED_CONTRACT: Final = "(contract)"
CALLED_FUNCTION: Final = "(function)"
"""Names under which what is known of the transaction itself is added to the node's ``reason_data``."""
_HEX_AMOUNT: Final = re.compile(r"0x[0-9a-fA-F]{1,32}")


class Cause(Enum):
    """What a reason depends on, so what may be done about it."""

    BYTES = "bytes"
    """The bytes themselves: no node can have accepted an earlier copy of them."""
    NONCE = "nonce"
    """Its nonce is used, or another transaction with it is waiting. Nodes also say so of one that they have already."""
    STATE = "state"
    """What the asked node knows; another node behind the same URL may have accepted a copy."""
    PASSING = "passing"
    """As STATE, but it passes by itself, so the outbox sends again later."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A reason to refuse a transaction.

    Attributes:
        cause: What it depends on.
        explanation: What it means and what to do: a sentence, or a function that makes it from the ``reason_data``.
    """

    cause: Cause
    explanation: str | Callable[[Mapping[str, Any]], str]


def cause_of(reason: str) -> Cause:
    """Return what a reason depends on; of one that this version does not know, nothing better is assumed than STATE."""
    known = REJECTIONS.get(reason)
    return Cause.STATE if known is None else known.cause


def explain_rejection(reason: str, data: Mapping[str, Any]) -> str:
    """Return what a reason means and what to do.

    Args:
        reason: The node's ``reason``, e.g. ``BadNonce``.
        data: The node's ``reason_data``; may be empty. What is known of the transaction may be added to it.
    """
    known = REJECTIONS.get(reason)
    if known is None:
        own = {name: value for name, value in data.items() if name not in (PAYER, CALLED_CONTRACT, CALLED_FUNCTION)}
        return f"a reason this version does not know; the node's data: {excerpt(repr(own))}"
    return known.explanation if isinstance(known.explanation, str) else known.explanation(data)


def _shown(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return "?" if value is None else excerpt(str(value), 160)


def _hex_amount(data: Mapping[str, Any], name: str) -> str:
    """Return an amount that the node writes as ``0x`` and 32 digits; ``?`` for anything else."""
    value = data.get(name)
    if type(value) is str and _HEX_AMOUNT.fullmatch(value):
        return str(int(value, 16))
    return str(value) if type(value) is int and 0 <= value < 1 << 128 else "?"


def _fee_too_low(data: Mapping[str, Any]) -> str:
    return (
        f"its fee is {_shown(data, 'actual')} µSTX, the node requires at least {_shown(data, 'expected')}; "
        "build it again with a higher fee"
    )


def _bad_nonce(data: Mapping[str, Any]) -> str:
    return (
        f"its nonce is {_shown(data, 'actual')}, the {_role(data)} {_shown(data, 'principal')} is at "
        f"{_shown(data, 'expected')}; if the key was used elsewhere, build it again with the next nonce"
    )


def _too_much_chaining(data: Mapping[str, Any]) -> str:
    return (
        f"too many transactions of the {_role(data)} {_shown(data, 'principal')} are waiting: its nonce is "
        f"{_shown(data, 'actual')}, and the highest that may wait now is {_shown(data, 'expected')}; "
        "wait until some are mined"
    )


def _role(data: Mapping[str, Any]) -> str:
    return "sponsor" if data.get("is_origin") is False else "account"


def _not_enough_funds(data: Mapping[str, Any]) -> str:
    account = f"the account {_shown(data, PAYER)}" if PAYER in data else "the account"
    return (
        f"it needs {_hex_amount(data, 'expected')} µSTX (amount and fee), {account} has "
        f"{_hex_amount(data, 'actual')}; fund the account or send less"
    )


def _no_such_contract(data: Mapping[str, Any]) -> str:
    contract = f"the contract {_shown(data, CALLED_CONTRACT)}" if CALLED_CONTRACT in data else "the contract it calls"
    return (
        f"{contract} is not on this network (or its publication is not mined yet); check the address, the name and the "
        "network"
    )


def _no_such_function(data: Mapping[str, Any]) -> str:
    if CALLED_FUNCTION not in data:
        return "the contract has no public function of this name; check name and contract version"
    return (
        f"{_shown(data, CALLED_CONTRACT)} has no public function {_shown(data, CALLED_FUNCTION)}; check name and "
        "contract version"
    )


def _own_words(sentence: str) -> Callable[[Mapping[str, Any]], str]:
    def explain(data: Mapping[str, Any]) -> str:
        return f"{sentence} The node says: {_shown(data, 'message')}" if data.get("message") else sentence

    return explain


_UNFIT: Final = _own_words(
    "the arguments do not fit the function's signature; compare them with the contract's interface."
)


def _bad_argument(data: Mapping[str, Any]) -> str:
    unfit = _BAD_TRAIT.match(str(data.get("message")))
    if unfit is None:
        return _UNFIT(data)
    return (
        f"a contract among the arguments does not implement the trait {unfit[1]}: its function {unfit[2]} is missing "
        "or takes or returns other types"
    )


_REPORT: Final = "please report it with the transaction"
REJECTIONS: Final[Mapping[str, Rejection]] = {
    "FeeTooLow": Rejection(Cause.STATE, _fee_too_low),
    "BadNonce": Rejection(Cause.NONCE, _bad_nonce),
    "TooMuchChaining": Rejection(Cause.PASSING, _too_much_chaining),
    "NotEnoughFunds": Rejection(Cause.STATE, _not_enough_funds),
    "ConflictingNonceInMempool": Rejection(
        Cause.NONCE,
        "another transaction with this nonce is waiting; wait for it, or send this one again with a higher "
        "fee to replace the other",
    ),
    "ContractAlreadyExists": Rejection(
        Cause.STATE,
        lambda data: (
            f"the contract {_shown(data, 'contract_identifier')} already exists; publish it under another name"
        ),
    ),
    "NoSuchContract": Rejection(Cause.STATE, _no_such_contract),
    "NoSuchPublicFunction": Rejection(Cause.STATE, _no_such_function),
    "BadFunctionArgument": Rejection(Cause.STATE, _bad_argument),
    "SignatureValidation": Rejection(
        Cause.STATE,
        _own_words(
            "its signature is not valid here; was it built for another network (chain id), or does it use a feature "
            "that this network's epoch does not have?"
        ),
    ),
    "BadTransactionVersion": Rejection(
        Cause.BYTES, "it was built for another network; build it for this node's network"
    ),
    "BadAddressVersionByte": Rejection(
        Cause.BYTES, "it contains an address of another network; use addresses of this node's network"
    ),
    "TransferRecipientCannotEqualSender": Rejection(
        Cause.BYTES,
        lambda data: f"sender and recipient are the same, {_shown(data, 'recipient')}; send to another account",
    ),
    "TransferAmountMustBePositive": Rejection(Cause.BYTES, "the amount is 0; send at least 1 µSTX"),
    "TemporarilyBlacklisted": Rejection(
        Cause.PASSING, "the node refuses it for a while; send the same bytes again later"
    ),
    "EstimatorError": Rejection(
        Cause.PASSING, _own_words("the node could not estimate its cost; try again later or use another node.")
    ),
    "Serialization": Rejection(Cause.BYTES, _own_words(f"the node could not encode it again; {_REPORT}.")),
    "Deserialization": Rejection(Cause.BYTES, _own_words(f"the node could not decode it; {_REPORT}.")),
    "ServerFailureNoSuchChainTip": Rejection(
        Cause.PASSING, "the node lost its view of the chain; try again later or use another node"
    ),
    "ServerFailureDatabase": Rejection(
        Cause.PASSING, _own_words("the node's database failed; try again later or use another node.")
    ),
    "ServerFailureOther": Rejection(Cause.PASSING, _own_words("the node failed; try again later or use another node.")),
    "PoisonMicroblocksDoNotConflict": Rejection(
        Cause.STATE, "the microblock headers it reports do not conflict; it cannot be sent"
    ),
    "PoisonMicroblockHasUnknownPubKeyHash": Rejection(
        Cause.STATE, "the key of the microblocks it reports is unknown; it cannot be sent"
    ),
    "PoisonMicroblockIsInvalid": Rejection(Cause.STATE, "the microblocks it reports are invalid; it cannot be sent"),
    "NoCoinbaseViaMempool": Rejection(
        Cause.BYTES, "only miners make coinbase transactions, in their own blocks; it cannot be sent"
    ),
    "NoTenureChangeViaMempool": Rejection(
        Cause.BYTES, "only miners make tenure changes, in their own blocks; it cannot be sent"
    ),
}
"""All reasons that a node may give (stacks-core, ``MemPoolRejection::into_json``)."""
