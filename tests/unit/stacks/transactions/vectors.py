"""Transactions of third parties, and functions that read their inputs to build the same transactions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from der_client.stacks.clarity import (
    AsciiValue,
    BoolValue,
    BufferValue,
    ClarityValue,
    ErrValue,
    IntValue,
    ListValue,
    NoneValue,
    OkValue,
    PrincipalValue,
    SomeValue,
    TupleValue,
    UIntValue,
    Utf8Value,
)
from der_client.stacks.keys import PrivateKey
from der_client.stacks.network import DEVNET, MAINNET, TESTNET, Network
from der_client.stacks.transactions import (
    ORIGIN,
    ContractCall,
    ContractPublish,
    FtPostCondition,
    FungibleCode,
    NftPostCondition,
    NonFungibleCode,
    PostCondition,
    PostConditionMode,
    PoxCode,
    PoxPostCondition,
    StakingPostCondition,
    StxPostCondition,
    TokenTransfer,
    UserPayload,
)

_VECTORS = Path(__file__).parents[3] / "vectors"

REAL: list[dict[str, Any]] = json.loads((_VECTORS / "transactions_real.json").read_text())["transactions"]
ORACLE: list[dict[str, Any]] = json.loads((_VECTORS / "oracle_signed_txs.json").read_text())["vectors"]
BUILDER: list[dict[str, Any]] = json.loads((_VECTORS / "stacksjs_builder_signed_txs.json").read_text())["vectors"]
ADDRESSES: dict[str, Any] = json.loads((_VECTORS / "addresses.json").read_text())

KEYS = [
    PrivateKey.from_hex(account["private_key"])
    for account in json.loads((_VECTORS / "accounts.json").read_text())["devnet"]
]
SENDER = KEYS[0].address(DEVNET)
RECIPIENT = KEYS[1].address(DEVNET)

_FUNGIBLE_CODES = {
    "eq": FungibleCode.EQUAL,
    "gt": FungibleCode.GREATER,
    "gte": FungibleCode.GREATER_EQUAL,
    "lt": FungibleCode.LESS,
    "lte": FungibleCode.LESS_EQUAL,
}
_NON_FUNGIBLE_CODES = {
    "sent": NonFungibleCode.SENT,
    "not-sent": NonFungibleCode.NOT_SENT,
    "maybe-sent": NonFungibleCode.MAYBE_SENT,
}
_POX_CODES = {
    "will-perform": PoxCode.WILL_PERFORM,
    "will-not-perform": PoxCode.WILL_NOT_PERFORM,
    "may-perform": PoxCode.MAY_PERFORM,
}
_MODES = {"allow": PostConditionMode.ALLOW, "deny": PostConditionMode.DENY, "originator": PostConditionMode.ORIGINATOR}


def number(value: Any, default: int = 0) -> int:
    """Read a number as stacks.js writes it: 5, "5" or "5n"."""
    return default if value is None else int(str(value).rstrip("n"))


def network(value: Any) -> Network:
    """Read a network as stacks.js writes it: a name, an object, or None for mainnet."""
    if isinstance(value, dict):
        return MAINNET if value["chainId"] == 1 else TESTNET
    return MAINNET if value in (None, "mainnet") else TESTNET


def value(data: Any) -> ClarityValue:
    """Read a Clarity value as stacks.js writes it."""
    if data["type"] in _PLAIN:
        return _PLAIN[data["type"]]
    inner = data["value"]
    match data["type"]:
        case "uint":
            return UIntValue(number(inner))
        case "int":
            return IntValue(number(inner))
        case "buffer":
            return BufferValue(bytes.fromhex(inner))
        case "ascii":
            return AsciiValue(inner)
        case "utf8":
            return Utf8Value(inner)
        case "address" | "contract":
            return PrincipalValue(inner)
        case "some":
            return SomeValue(value(inner))
        case "ok":
            return OkValue(value(inner))
        case "err":
            return ErrValue(value(inner))
        case "list":
            return ListValue([value(item) for item in inner])
        case "tuple":
            return TupleValue({name: value(item) for name, item in inner.items()})
        case other:
            raise ValueError(other)


_PLAIN: dict[str, ClarityValue] = {"true": BoolValue(True), "false": BoolValue(False), "none": NoneValue()}


def post_condition(data: dict[str, Any]) -> PostCondition:
    """Read a post-condition as stacks.js writes it."""
    principal = ORIGIN if data["address"] == "origin" else data["address"]
    code = data["condition"]
    match data["type"]:
        case "stx-postcondition":
            return StxPostCondition(principal, _FUNGIBLE_CODES[code], number(data["amount"]))
        case "ft-postcondition":
            return FtPostCondition(principal, data["asset"], _FUNGIBLE_CODES[code], number(data["amount"]))
        case "nft-postcondition":
            return NftPostCondition(principal, data["asset"], value(data["assetId"]), _NON_FUNGIBLE_CODES[code])
        case "staking-postcondition":
            return StakingPostCondition(principal, _FUNGIBLE_CODES[code], number(data["amount"]))
        case "pox-postcondition":
            return PoxPostCondition(principal, _POX_CODES[code])
        case other:
            raise ValueError(other)


def mode(data: Any) -> PostConditionMode:
    """Read a post-condition mode as stacks.js writes it."""
    if data is None:
        return PostConditionMode.DENY
    return _MODES[data] if isinstance(data, str) else PostConditionMode(data)


def payload(inputs: dict[str, Any]) -> UserPayload:
    """Build the payload of a call of stacks.js."""
    if "recipient" in inputs:
        recipient = inputs["recipient"]
        text = recipient["value"] if isinstance(recipient, dict) else recipient
        return TokenTransfer(PrincipalValue(text), number(inputs["amount"]), inputs.get("memo", "").encode())
    if "functionName" in inputs:
        contract = f"{inputs['contractAddress']}.{inputs['contractName']}"
        arguments = tuple(value(argument) for argument in inputs["functionArgs"])
        return ContractCall(contract, inputs["functionName"], arguments)
    return ContractPublish(inputs["contractName"], inputs["codeBody"], inputs.get("clarityVersion"))


def common(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the other arguments of ``Transaction.build`` for a call of stacks.js."""
    return {
        "network": network(inputs.get("network")),
        "nonce": number(inputs.get("nonce")),
        "fee": number(inputs.get("fee")),
        "post_conditions": [post_condition(item) for item in inputs.get("postConditions", [])],
        "mode": mode(inputs.get("postConditionMode")),
        "sponsored": inputs.get("sponsored", False),
    }
