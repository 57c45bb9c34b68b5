"""Values and transactions in the form in which ``oracle.mjs`` shows how the other libraries read them."""

from __future__ import annotations

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
from der_client.stacks.keys import PublicKey
from der_client.stacks.transactions import (
    ORIGIN,
    Coinbase,
    ContractCall,
    ContractPublish,
    FieldSignature,
    FtPostCondition,
    NftPostCondition,
    Payload,
    PoisonMicroblock,
    PostCondition,
    PoxPostCondition,
    SingleSigCondition,
    SpendingCondition,
    StakingPostCondition,
    StxPostCondition,
    TenureChange,
    TokenTransfer,
    Transaction,
)


def of_value(value: ClarityValue) -> list[Any]:
    match value:
        case IntValue():
            return ["int", str(value.value)]
        case UIntValue():
            return ["uint", str(value.value)]
        case BoolValue():
            return ["bool", value.value]
        case BufferValue():
            return ["buffer", value.value.hex()]
        case AsciiValue():
            return ["ascii", value.value]
        case Utf8Value():
            return ["utf8", value.value]
        case PrincipalValue():
            return ["principal", value.value]
        case NoneValue():
            return ["none"]
        case SomeValue():
            return ["some", of_value(value.value)]
        case OkValue():
            return ["ok", of_value(value.value)]
        case ErrValue():
            return ["err", of_value(value.value)]
        case ListValue():
            return ["list", [of_value(item) for item in value]]
        case TupleValue():
            return ["tuple", {name: of_value(item) for name, item in value.fields.items()}]
    raise TypeError(value)


def of_transaction(transaction: Transaction) -> dict[str, Any]:
    sponsor = transaction.sponsor_condition
    return {
        "version": transaction.version,
        "chain": transaction.chain_id,
        "origin": _of_condition(transaction.origin_condition),
        "sponsor": None if sponsor is None else _of_condition(sponsor),
        "anchor": transaction.anchor_mode,
        "mode": transaction.post_condition_mode,
        "conditions": [_of_post_condition(condition) for condition in transaction.post_conditions],
        "payload": _of_payload(transaction.payload),
    }


def _of_condition(condition: SpendingCondition) -> list[Any]:
    common = [condition.hash_mode, condition.signer.hex(), str(condition.nonce), str(condition.fee)]
    if isinstance(condition, SingleSigCondition):
        return [*common, 0 if condition.compressed else 1, condition.signature.hex()]
    return [*common, [_of_field(field) for field in condition.fields], condition.required]


def _of_field(field: PublicKey | FieldSignature) -> list[Any]:
    if isinstance(field, FieldSignature):
        return ["signature", 0 if field.compressed else 1, field.signature.hex()]
    return ["key", 0 if field.is_compressed else 1, field.compressed_data.hex()]


def _of_post_condition(condition: PostCondition) -> list[Any]:
    principal = "origin" if condition.principal is ORIGIN else condition.principal
    match condition:
        case StxPostCondition():
            return ["stx", principal, condition.code, str(condition.amount)]
        case FtPostCondition():
            return ["ft", principal, condition.asset, condition.code, str(condition.amount)]
        case NftPostCondition():
            return ["nft", principal, condition.asset, of_value(condition.value), condition.code]
        case StakingPostCondition():
            return ["staking", principal, condition.code, str(condition.amount)]
        case PoxPostCondition():
            return ["pox", principal, condition.code]


def _of_payload(payload: Payload) -> list[Any]:
    match payload:
        case TokenTransfer():
            return ["transfer", payload.recipient.value, str(payload.amount), payload.memo.ljust(34, b"\x00").hex()]
        case ContractCall():
            return ["call", payload.contract, payload.function, [of_value(argument) for argument in payload.arguments]]
        case ContractPublish():
            return ["publish", payload.clarity_version, payload.name, payload.code]
        case PoisonMicroblock():
            return ["poison", payload.header_1.encode().hex(), payload.header_2.encode().hex()]
        case TenureChange():
            return [
                "tenure change",
                payload.tenure_consensus_hash.hex(),
                payload.previous_tenure_consensus_hash.hex(),
                payload.burn_view_consensus_hash.hex(),
                payload.previous_tenure_end.hex(),
                payload.previous_tenure_blocks,
                payload.cause,
                payload.public_key_hash.hex(),
            ]
        case Coinbase():
            recipient = None if payload.recipient is None else payload.recipient.value
            return ["coinbase", payload.content.hex(), recipient, payload.vrf_proof and payload.vrf_proof.hex()]
