"""Every reason for rejecting a transaction that a request can provoke, with the node's ``reason_data``.

docs/devnet.md lists the reasons that no request can provoke ("Refusals").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from der_client.stacks.clarity import AsciiValue, PrincipalValue, TupleValue, UIntValue, encode
from der_client.stacks.network import DEVNET, MAINNET
from der_client.stacks.transactions import (
    AnchorMode,
    Coinbase,
    ContractCall,
    ContractPublish,
    MicroblockHeader,
    Payload,
    PoisonMicroblock,
    PostConditionMode,
    SingleSig,
    TenureChange,
    TenureChangeCause,
    TokenTransfer,
    Transaction,
)
from tests.conformance.prepared import CLARITY_VERSION, FEE_USTX, FUNDS_USTX, Prepared
from tests.conformance.shapes import Shape, Text

if TYPE_CHECKING:
    from tests.conformance.prepared import Actor

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SIGNATURE = slice(44, 109)
TRANSFER_BYTES = 180
MOST_AHEAD = 26  # 25 may wait, and the next one
MAINNET_ADDRESS = "SP000000000000000000002Q6VF78"
MESSAGE = {"message": str}


@dataclass(frozen=True)
class Rejection:
    """A transaction that a node rejects.

    Attributes:
        name: What is wrong with it; unique.
        build: Builds its bytes. The sender is ``newcomer``, whose nonce is 0, unless another sender is needed.
        reason: The node's name for it.
        data: The shape of ``reason_data``; ``None`` if there is none.
    """

    name: str
    build: Callable[[Prepared], bytes]
    reason: str
    data: Shape = None


def signed(sender: Actor, payload: Payload, **terms: Any) -> bytes:
    """Return the bytes of a signed transaction, without the checks of the client."""
    unsigned = Transaction(
        terms.get("version", DEVNET.transaction_version),
        terms.get("chain_id", DEVNET.chain_id),
        SingleSig(sender.key.public_key).condition(terms.get("nonce", 0), terms.get("fee", FEE_USTX)),
        None,
        AnchorMode.ON_CHAIN,
        PostConditionMode.DENY,
        terms.get("post_conditions", ()),
        payload,
    )
    return unsigned.sign(sender.key).encode()


def from_newcomer(payload: Callable[[Prepared], Payload], **terms: Any) -> Callable[[Prepared], bytes]:
    return lambda prepared: signed(prepared["newcomer"], payload(prepared), **terms)


def transfer(ustx: int = 1) -> Callable[[Prepared], Payload]:
    return lambda prepared: prepared.transfer(ustx)


def call(function: str, *arguments: Any) -> Callable[[Prepared], Payload]:
    return lambda prepared: prepared.call(function, *arguments)


def with_signature(change: Callable[[Prepared, bytes], bytes], **terms: Any) -> Callable[[Prepared], bytes]:
    """Return a builder of a transfer whose signature is changed."""

    def build(prepared: Prepared) -> bytes:
        raw = bytearray(signed(prepared["newcomer"], prepared.transfer(), **terms))
        raw[SIGNATURE] = change(prepared, bytes(raw[SIGNATURE]))
        return bytes(raw)

    return build


def high_s(_stage: Prepared, signature: bytes) -> bytes:
    """Return the other of the two mathematically valid signatures."""
    s = ORDER - int.from_bytes(signature[33:])
    return bytes((signature[0] ^ 1,)) + signature[1:33] + s.to_bytes(32)


def of_another_key(prepared: Prepared, _signature: bytes) -> bytes:
    return signed(prepared["caller"], prepared.transfer())[SIGNATURE]


def no_signature(_stage: Prepared, _signature: bytes) -> bytes:
    return bytes(65)


def to_oneself(prepared: Prepared) -> Payload:
    return TokenTransfer(PrincipalValue(prepared["newcomer"].address), 1)


def unsigned(payload: Callable[[Prepared], Payload]) -> Callable[[Prepared], bytes]:
    def build(prepared: Prepared) -> bytes:
        raw = bytearray(signed(prepared["newcomer"], payload(prepared)))
        raw[SIGNATURE] = bytes(65)
        return bytes(raw)

    return build


def tuple_out_of_order(prepared: Prepared) -> bytes:
    """Return a call whose tuple has its fields in the wrong order.

    A node decodes it, but checks the signature and the txid of its own encoding.
    """
    pair = TupleValue({"x": UIntValue(1), "Y": PrincipalValue(prepared["payee"].address)})
    ordered = encode(pair)
    head, first, second = ordered[:5], ordered[5 : 5 + 2 + 22], ordered[5 + 2 + 22 :]
    return signed(prepared["newcomer"], prepared.call("take-tuple", pair)).replace(ordered, head + second + first)


def sponsored_with_used_nonce(prepared: Prepared) -> bytes:
    return prepared.sponsored(prepared.call("peek"), sponsor="caller", nonce=1).encode()


def used_by_both(prepared: Prepared) -> bytes:
    return prepared.sponsored(prepared.call("peek"), sponsor="caller", nonce=0).encode()


def used_and_sponsor_ahead(prepared: Prepared) -> bytes:
    """Return a transaction with a nonce of the origin that was used by another one, which has the same fee.

    The other one is mined, but still in the mempool.
    """
    return prepared.sponsored(prepared.call("refuse"), sponsor="sponsor", nonce=0, sponsor_nonce=3).encode()


def sponsored_ahead(nonce: int) -> Callable[[Prepared], bytes]:
    """Return a builder of a transaction whose sponsor nonce is too far ahead.

    The next nonces are 1 (origin) and 0 (sponsor).
    """
    return lambda prepared: prepared.sponsored(
        prepared.call("peek"), sponsor="newcomer", nonce=nonce, sponsor_nonce=MOST_AHEAD + 1
    ).encode()


def sponsored_without_money(prepared: Prepared) -> bytes:
    return prepared.sponsored(prepared.call("peek"), sponsor="stranger", nonce=1).encode()


def header(sequence: int) -> MicroblockHeader:
    return MicroblockHeader(0, sequence, bytes(32), bytes(32), bytes(65))


def poison(_stage: Prepared) -> Payload:
    return PoisonMicroblock(header(1), header(2))


def tenure_change(_stage: Prepared) -> Payload:
    short, long = bytes(20), bytes(32)
    return TenureChange(short, short, short, long, 1, TenureChangeCause.BLOCK_FOUND, short)


def funds(ustx: int) -> str:
    """Return an amount in the node's format."""
    return f"0x{ustx:032x}"


REJECTIONS = (
    Rejection(
        "FeeTooLow: 1 less than its bytes",
        from_newcomer(transfer(), fee=TRANSFER_BYTES - 1),
        "FeeTooLow",
        {"expected": TRANSFER_BYTES, "actual": TRANSFER_BYTES - 1},
    ),
    Rejection(
        "FeeTooLow: none", from_newcomer(transfer(), fee=0), "FeeTooLow", {"expected": TRANSFER_BYTES, "actual": 0}
    ),
    Rejection(
        "BadNonce: used",
        lambda prepared: signed(prepared["caller"], prepared.transfer()),
        "BadNonce",
        {"expected": 1, "actual": 0, "is_origin": True, "principal": "$caller"},
    ),
    Rejection(
        "BadNonce: used by the sponsor",
        sponsored_with_used_nonce,
        "BadNonce",
        {"expected": 1, "actual": 0, "is_origin": False, "principal": "$caller"},
    ),
    Rejection(
        "BadNonce: used by the origin of a sponsored one",
        lambda prepared: prepared.sponsored(prepared.call("peek"), sponsor="newcomer", nonce=0).encode(),
        "BadNonce",
        {"expected": 1, "actual": 0, "is_origin": True, "principal": "$sponsored"},
    ),
    Rejection(
        "BadNonce: used by both, of whom the sponsor comes first",
        used_by_both,
        "BadNonce",
        {"expected": 1, "actual": 0, "is_origin": False, "principal": "$caller"},
    ),
    Rejection(
        "ConflictingNonceInMempool: used, and the sponsor's lies ahead",
        used_and_sponsor_ahead,
        "ConflictingNonceInMempool",
    ),
    Rejection(
        "TooMuchChaining: too far ahead",
        from_newcomer(transfer(), nonce=MOST_AHEAD + 1),
        "TooMuchChaining",
        {
            "expected": MOST_AHEAD,
            "actual": MOST_AHEAD + 1,
            "is_origin": True,
            "principal": "$newcomer",
            "message": str,
        },
    ),
    Rejection(
        "TooMuchChaining: the sponsor too far ahead",
        sponsored_ahead(nonce=2),
        "TooMuchChaining",
        {
            "expected": MOST_AHEAD,
            "actual": MOST_AHEAD + 1,
            "is_origin": False,
            "principal": "$newcomer",
            "message": str,
        },
    ),
    Rejection(
        "TooMuchChaining: both too far ahead, of whom the origin comes first",
        sponsored_ahead(nonce=MOST_AHEAD + 2),
        "TooMuchChaining",
        {
            "expected": MOST_AHEAD + 1,
            "actual": MOST_AHEAD + 2,
            "is_origin": True,
            "principal": "$sponsored",
            "message": str,
        },
    ),
    Rejection(
        "NotEnoughFunds: for amount and fee",
        from_newcomer(transfer(FUNDS_USTX - FEE_USTX + 1)),
        "NotEnoughFunds",
        {"expected": funds(FUNDS_USTX + 1), "actual": funds(FUNDS_USTX)},
    ),
    Rejection(
        "NotEnoughFunds: for a fee",
        lambda prepared: signed(prepared["stranger"], prepared.call("peek")),
        "NotEnoughFunds",
        {"expected": funds(FEE_USTX), "actual": funds(0)},
    ),
    Rejection(
        "NotEnoughFunds: for the fee of a transfer, which is told with its amount",
        lambda prepared: signed(prepared["stranger"], prepared.transfer(7)),
        "NotEnoughFunds",
        {"expected": funds(FEE_USTX + 7), "actual": funds(0)},
    ),
    Rejection(
        "NotEnoughFunds: of the sponsor",
        sponsored_without_money,
        "NotEnoughFunds",
        {"expected": funds(FEE_USTX), "actual": funds(0)},
    ),
    Rejection("SignatureValidation: none", with_signature(no_signature), "SignatureValidation", MESSAGE),
    Rejection("SignatureValidation: of another key", with_signature(of_another_key), "SignatureValidation", MESSAGE),
    Rejection("SignatureValidation: high S", with_signature(high_s), "SignatureValidation", MESSAGE),
    Rejection(
        "SignatureValidation: chain id of another network",
        from_newcomer(transfer(), chain_id=MAINNET.chain_id),
        "SignatureValidation",
        MESSAGE,
    ),
    Rejection("SignatureValidation: tuple out of order", tuple_out_of_order, "SignatureValidation", MESSAGE),
    Rejection(
        "BadTransactionVersion: mainnet",
        from_newcomer(transfer(), version=MAINNET.transaction_version),
        "BadTransactionVersion",
    ),
    Rejection(
        "TransferRecipientCannotEqualSender: to oneself",
        from_newcomer(to_oneself),
        "TransferRecipientCannotEqualSender",
        {"recipient": "$newcomer"},
    ),
    Rejection("TransferAmountMustBePositive: nothing", from_newcomer(transfer(0)), "TransferAmountMustBePositive"),
    Rejection(
        "BadAddressVersionByte: transfer to mainnet",
        from_newcomer(lambda _: TokenTransfer(PrincipalValue(MAINNET_ADDRESS), 1)),
        "BadAddressVersionByte",
    ),
    Rejection(
        "BadAddressVersionByte: call on mainnet",
        from_newcomer(lambda _: ContractCall(f"{MAINNET_ADDRESS}.pox", "peek")),
        "BadAddressVersionByte",
    ),
    Rejection(
        "NoSuchContract: never published",
        from_newcomer(lambda prepared: ContractCall(f"{prepared['publisher'].address}.nothing", "peek")),
        "NoSuchContract",
    ),
    Rejection("NoSuchPublicFunction: unknown", from_newcomer(call("nothing")), "NoSuchPublicFunction"),
    Rejection("NoSuchPublicFunction: read-only", from_newcomer(call("get-counter")), "NoSuchPublicFunction"),
    Rejection(
        "NoSuchPublicFunction: private",
        from_newcomer(call("read-again", UIntValue(0), UIntValue(0))),
        "NoSuchPublicFunction",
    ),
    Rejection(
        "BadFunctionArgument: too few",
        from_newcomer(call("fail")),
        "BadFunctionArgument",
        {"message": "IncorrectArgumentCount(1, 0)"},
    ),
    Rejection(
        "BadFunctionArgument: too many",
        from_newcomer(call("peek", UIntValue(0))),
        "BadFunctionArgument",
        {"message": "IncorrectArgumentCount(0, 1)"},
    ),
    Rejection(
        "BadFunctionArgument: another type",
        from_newcomer(call("fail", AsciiValue("0"))),
        "BadFunctionArgument",
        {"message": "TypeError(UIntType, SequenceType(StringType(ASCII(BufferLength(1)))))"},
    ),
    Rejection(
        "BadFunctionArgument: too long",
        from_newcomer(call("note", UIntValue(0), AsciiValue("x" * 21))),
        "BadFunctionArgument",
        MESSAGE,
    ),
    Rejection(
        "BadFunctionArgument: missing contract for a trait",
        from_newcomer(
            lambda prepared: prepared.call("look-through", PrincipalValue(f"{prepared['payee'].address}.nothing"))
        ),
        "BadFunctionArgument",
        {"message": Text(r"NoSuchContract\(.*\)")},
    ),
    Rejection(
        "BadFunctionArgument: contract without the functions of a trait",
        from_newcomer(lambda prepared: prepared.call("look-through", PrincipalValue(prepared.contract))),
        "BadFunctionArgument",
        {"message": Text(r'BadTraitImplementation\("readable", "look"\)')},
    ),
    Rejection(
        "ContractAlreadyExists: once more",
        lambda prepared: signed(
            prepared["publisher"], ContractPublish("prepared", "(define-public (f) (ok u1))", CLARITY_VERSION), nonce=1
        ),
        "ContractAlreadyExists",
        {"contract_identifier": "$contract"},
    ),
    Rejection("NoCoinbaseViaMempool: coinbase", from_newcomer(lambda _: Coinbase(bytes(32))), "NoCoinbaseViaMempool"),
    Rejection("NoTenureChangeViaMempool: tenure change", from_newcomer(tenure_change), "NoTenureChangeViaMempool"),
    Rejection(
        "ServerFailureOther: poison microblock",
        from_newcomer(poison),
        "ServerFailureOther",
        MESSAGE,
    ),
    # The order of the checks, if several things are wrong.
    Rejection(
        "order: what it means before who signed",
        unsigned(to_oneself),
        "TransferRecipientCannotEqualSender",
        {"recipient": "$newcomer"},
    ),
    Rejection("order: nothing to transfer before who signed", unsigned(transfer(0)), "TransferAmountMustBePositive"),
    Rejection("order: poison microblock before who signed", unsigned(poison), "ServerFailureOther", MESSAGE),
    Rejection(
        "order: who signed before the nonce",
        with_signature(no_signature, nonce=MOST_AHEAD + 1),
        "SignatureValidation",
        MESSAGE,
    ),
    Rejection("order: who signed before the fee", with_signature(no_signature, fee=0), "SignatureValidation", MESSAGE),
    Rejection(
        "order: fee before nonce",
        lambda prepared: signed(prepared["caller"], prepared.transfer(), fee=0),
        "FeeTooLow",
        {"expected": TRANSFER_BYTES, "actual": 0},
    ),
    Rejection(
        "order: nonce before funds",
        from_newcomer(transfer(2 * FUNDS_USTX), nonce=MOST_AHEAD + 1),
        "TooMuchChaining",
        {
            "expected": MOST_AHEAD,
            "actual": MOST_AHEAD + 1,
            "is_origin": True,
            "principal": "$newcomer",
            "message": str,
        },
    ),
    Rejection(
        "order: funds before the contract",
        lambda prepared: signed(prepared["stranger"], ContractCall(f"{prepared['publisher'].address}.nothing", "peek")),
        "NotEnoughFunds",
        {"expected": funds(FEE_USTX), "actual": funds(0)},
    ),
)
