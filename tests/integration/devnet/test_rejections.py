"""Every reason for which a node refuses a transaction, each provoked by a real one, with all that the answer says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from der_client.stacks.clarity import BoolValue, PrincipalValue, UIntValue
from der_client.stacks.network import DEVNET
from der_client.stacks.transactions import (
    Coinbase,
    ContractCall,
    ContractPublish,
    MicroblockHeader,
    PoisonMicroblock,
    TenureChange,
    TenureChangeCause,
    TokenTransfer,
    Transaction,
)

from .bench import AMPLE_FEE, Bench
from .test_admission import SIGNATURE_AT, raw_transaction, transfer

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS = Path(__file__).parents[3] / "docs" / "devnet.md"

#: All reasons that a node's answer may give (stacks-core, ``MemPoolRejection::into_json``).
REASONS = frozenset(
    (
        "Serialization",
        "Deserialization",
        "SignatureValidation",
        "EstimatorError",
        "BadFunctionArgument",
        "ServerFailureDatabase",
        "ServerFailureOther",
        "FeeTooLow",
        "BadNonce",
        "TooMuchChaining",
        "NotEnoughFunds",
        "TransferRecipientCannotEqualSender",
        "ContractAlreadyExists",
        "TransferAmountMustBePositive",
        "BadTransactionVersion",
        "NoSuchContract",
        "NoSuchPublicFunction",
        "ConflictingNonceInMempool",
        "PoisonMicroblocksDoNotConflict",
        "PoisonMicroblockHasUnknownPubKeyHash",
        "PoisonMicroblockIsInvalid",
        "BadAddressVersionByte",
        "NoCoinbaseViaMempool",
        "NoTenureChangeViaMempool",
        "TemporarilyBlacklisted",
        "ServerFailureNoSuchChainTip",
    )
)
MAINNET_ADDRESS = "SP000000000000000000002Q6VF78"


class Case(NamedTuple):
    """A transaction to refuse; `data` is what the answer says of the reason, `None` if nothing."""

    reason: str
    raw: Callable[[Bench], bytes]
    data: Callable[[Bench], Any]


def nothing(_bench: Bench) -> None:
    return None


def sponsored(bench: Bench, *, nonce: int, sponsor_nonce: int, fee: int = AMPLE_FEE) -> bytes:
    sender, sponsor = bench.account(1), bench.account(3)
    half = Transaction.build(
        transfer(bench), public_key=sender.key.public_key, network=DEVNET, nonce=nonce, fee=0, sponsored=True
    ).sign(sender.key)
    return half.sponsor(sponsor.key, nonce=sponsor_nonce, fee=fee).encode()


def used_nonce(bench: Bench) -> bytes:
    bench.transfer(bench.account(1), bench.account(2).address, 1)
    return bench.build(bench.account(1), transfer(bench), nonce=0).encode()


def used_nonce_of_the_sponsor(bench: Bench) -> bytes:
    bench.transfer(bench.account(3), bench.account(2).address, 1)
    return sponsored(bench, nonce=0, sponsor_nonce=0)


def used_by_the_origin(bench: Bench) -> bytes:
    bench.transfer(bench.account(1), bench.account(2).address, 1)
    return sponsored(bench, nonce=0, sponsor_nonce=0)


def used_by_both(bench: Bench) -> bytes:
    """The sponsor's is looked at first."""
    used_by_the_origin(bench)
    return used_nonce_of_the_sponsor(bench)


def used_by_the_origin_and_sponsor_ahead(bench: Bench) -> bytes:
    """The sponsor's nonce may come yet, so a node looks no further; but the origin's place is taken."""
    used_by_the_origin(bench)
    return sponsored(bench, nonce=0, sponsor_nonce=5)


def about(bench: Bench, number: int, expected: int, actual: int, **more: Any) -> dict[str, Any]:
    principal = bench.account(number).address
    return {"expected": expected, "actual": actual, "principal": principal, "is_origin": number == 1, **more}


def too_far(bench: Bench, number: int) -> dict[str, Any]:
    return about(bench, number, 26, 27, message="Nonce would exceed chaining limit in mempool")


def all_the_money(bench: Bench) -> bytes:
    balance = bench.balance(bench.account(1).address)
    return bench.build(bench.account(1), transfer(bench, balance)).encode()


def funds(needed: int, owned: int) -> dict[str, str]:
    return {"expected": f"0x{needed:032x}", "actual": f"0x{owned:032x}"}


def unaffordable_fee(bench: Bench) -> bytes:
    payload = ContractCall(bench.probe, "increment", (UIntValue(1),))
    return bench.build(bench.account(1), payload, fee=bench.balance(bench.account(1).address) + 1).encode()


def transfer_of_nothing(bench: Bench) -> bytes:
    zero = TokenTransfer.__new__(TokenTransfer)  # the constructor refuses it
    for name, value in (("recipient", PrincipalValue(bench.account(2).address)), ("amount", 0), ("memo", b"")):
        object.__setattr__(zero, name, value)
    return raw_transaction(bench.account(1), zero)


def to_oneself(bench: Bench) -> bytes:
    return raw_transaction(bench.account(1), TokenTransfer(PrincipalValue(bench.account(1).address), 5))


def same_nonce_and_fee(bench: Bench) -> bytes:
    first, second = (bench.build(bench.account(1), transfer(bench, ustx), nonce=1).encode() for ustx in (1, 2))
    assert bench.submit(first).ok
    return second


def call(bench: Bench, contract_id: str, function: str, *arguments: Any) -> bytes:
    return bench.build(bench.account(1), ContractCall(contract_id, function, arguments)).encode()


def poison(bench: Bench) -> bytes:
    headers = (MicroblockHeader(0, 1, bytes(32), bytes((root,)) * 32, bytes(65)) for root in (1, 2))
    return raw_transaction(bench.account(1), PoisonMicroblock(*headers))


def tenure_change(bench: Bench) -> bytes:
    short = bytes(20)
    payload = TenureChange(short, short, short, bytes(32), 1, TenureChangeCause.BLOCK_FOUND, short)
    return raw_transaction(bench.account(1), payload)


def broken_signature(raw: bytes) -> bytes:
    return raw[: SIGNATURE_AT + 40] + bytes((raw[SIGNATURE_AT + 40] ^ 1,)) + raw[SIGNATURE_AT + 41 :]


CASES = [
    Case(
        "FeeTooLow",
        lambda bench: bench.build(bench.account(1), transfer(bench), fee=179).encode(),
        lambda _: {"expected": 180, "actual": 179},
    ),
    Case("BadNonce", used_nonce, lambda bench: about(bench, 1, 1, 0)),
    Case("BadNonce", used_nonce_of_the_sponsor, lambda bench: about(bench, 3, 1, 0)),
    Case("BadNonce", used_by_both, lambda bench: about(bench, 3, 1, 0)),
    Case("BadNonce", used_by_the_origin, lambda bench: about(bench, 1, 1, 0)),
    Case("ConflictingNonceInMempool", used_by_the_origin_and_sponsor_ahead, nothing),
    Case(
        "TooMuchChaining",
        lambda bench: bench.build(bench.account(1), transfer(bench), nonce=27).encode(),
        lambda bench: too_far(bench, 1),
    ),
    Case(
        "TooMuchChaining",
        lambda bench: sponsored(bench, nonce=26, sponsor_nonce=27),
        lambda bench: too_far(bench, 3),
    ),
    Case(
        "TooMuchChaining",
        lambda bench: sponsored(bench, nonce=27, sponsor_nonce=27),
        lambda bench: too_far(bench, 1),
    ),
    Case(
        "NotEnoughFunds",
        all_the_money,
        lambda bench: funds((own := bench.balance(bench.account(1).address)) + AMPLE_FEE, own),
    ),
    Case(
        "NotEnoughFunds",
        unaffordable_fee,
        lambda bench: funds((own := bench.balance(bench.account(1).address)) + 1, own),
    ),
    Case(
        "NotEnoughFunds",
        lambda bench: sponsored(bench, nonce=0, sponsor_nonce=0, fee=bench.balance(bench.account(3).address) + 1),
        lambda bench: funds((own := bench.balance(bench.account(3).address)) + 1, own),
    ),
    Case("TransferRecipientCannotEqualSender", to_oneself, lambda bench: {"recipient": bench.account(1).address}),
    Case("TransferAmountMustBePositive", transfer_of_nothing, nothing),
    Case(
        "BadAddressVersionByte",
        lambda bench: raw_transaction(bench.account(1), TokenTransfer(PrincipalValue(MAINNET_ADDRESS), 5)),
        nothing,
    ),
    Case(
        "BadAddressVersionByte",
        lambda bench: raw_transaction(bench.account(1), ContractCall(f"{MAINNET_ADDRESS}.pox", "f", ())),
        nothing,
    ),
    Case(
        "BadTransactionVersion",
        lambda bench: raw_transaction(bench.account(1), transfer(bench), version=0x00),
        nothing,
    ),
    Case(
        "SignatureValidation",
        lambda bench: raw_transaction(bench.account(1), transfer(bench), chain_id=1),
        lambda _: {"message": "invalid chain ID 1, this chain's is 2147483648"},
    ),
    Case("NoSuchContract", lambda bench: call(bench, f"{bench.probe}-2", "increment"), nothing),
    Case("NoSuchPublicFunction", lambda bench: call(bench, bench.probe, "get-counter"), nothing),
    Case(
        "BadFunctionArgument",
        lambda bench: call(bench, bench.probe, "increment"),
        lambda _: {"message": "IncorrectArgumentCount(1, 0)"},
    ),
    Case(
        "BadFunctionArgument",
        lambda bench: call(bench, bench.probe, "increment", BoolValue(True)),
        lambda _: {"message": "TypeError(UIntType, BoolType)"},
    ),
    Case(
        "ContractAlreadyExists",
        lambda bench: bench.build(bench.devnet.deployer, ContractPublish("probe", "(print 1)", 4)).encode(),
        lambda bench: {"contract_identifier": bench.probe},
    ),
    Case("ConflictingNonceInMempool", same_nonce_and_fee, nothing),
    Case("NoCoinbaseViaMempool", lambda bench: raw_transaction(bench.account(1), Coinbase(bytes(32))), nothing),
    Case("NoTenureChangeViaMempool", tenure_change, nothing),
    Case(
        "ServerFailureOther",
        poison,
        lambda _: {"message": "PoisonMicroblock transactions not accepted via mempool"},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.reason)
def test_refused(bench: Bench, case: Case) -> None:
    raw = case.raw(bench)
    tip, nonce = bench.devnet.block_height, bench.nonce(bench.account(1).address)
    response = bench.submit(raw)
    expected = {
        "txid": Transaction.decode(raw).txid,
        "error": "transaction rejected",
        "reason": case.reason,
        "reason_data": case.data(bench),
    }
    if expected["reason_data"] is None:
        del expected["reason_data"]
    assert (response.status_code, response.json()) == (400, expected)
    assert response.headers["content-type"].startswith("application/json")
    assert (bench.devnet.block_height, bench.nonce(bench.account(1).address)) == (tip, nonce)
    assert bench.get(f"/extended/v1/tx/{expected['txid']}").status_code == 404


@pytest.mark.parametrize("make", [to_oneself, transfer_of_nothing, poison], ids=lambda make: make.__name__)
def test_what_needs_no_signature_is_told_before_a_bad_one(bench: Bench, make: Callable[[Bench], bytes]) -> None:
    good = bench.submit(make(bench)).json()
    bad = bench.submit(broken_signature(make(bench))).json()
    assert bad["reason"] == good["reason"] != "SignatureValidation"


def test_signature_is_told_before_all_else(bench: Bench) -> None:
    for raw in (used_nonce(bench), call(bench, f"{bench.probe}-2", "f"), all_the_money(bench)):
        assert bench.submit(raw).json()["reason"] != "SignatureValidation"
        assert bench.submit(broken_signature(raw)).json()["reason"] == "SignatureValidation"


def test_docs_name_the_reasons_that_cannot_occur() -> None:
    """Together with those that are provoked here, they are all that a node has."""
    section = DOCS.read_text().partition("\n## Refusals\n")[2].partition("\n## ")[0]
    impossible = set(re.findall(r"`([A-Z]\w+)`", section.partition("cannot occur")[2])) & REASONS
    assert impossible == REASONS - {case.reason for case in CASES}
