"""Which transactions the mempool accepts and rejects, with the node's reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

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
    encode,
)
from der_client.stacks.keys import PrivateKey
from der_client.stacks.network import DEVNET
from der_client.stacks.transactions import (
    ORIGIN,
    AnchorMode,
    ContractCall,
    ContractPublish,
    FungibleCode,
    Multisig,
    PostConditionMode,
    SingleSig,
    StxPostCondition,
    TokenTransfer,
    Transaction,
)

from .bare_devnet import AMPLE_FEE, BareDevnet, rejection

if TYPE_CHECKING:
    from der_client.devnet import DevnetAccount

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SIGNATURE_AT = 44


def transfer(bare: BareDevnet, ustx: int = 10, number: int = 2) -> TokenTransfer:
    return TokenTransfer(PrincipalValue(bare.account(number).address), ustx)


def raw_transaction(sender: DevnetAccount, payload: Any, **terms: Any) -> bytes:
    """Return the bytes of a signed transaction, without the checks of ``Transaction.build``."""
    unsigned = Transaction(
        terms.get("version", 0x80),
        terms.get("chain_id", 0x80000000),
        SingleSig(sender.key.public_key).condition(0, AMPLE_FEE),
        None,
        AnchorMode.ON_CHAIN,
        PostConditionMode.DENY,
        tuple(terms.get("post_conditions", ())),
        payload,
    )
    return unsigned.sign(sender.key).encode()


def test_duplicate_submission_returns_the_same_txid(bare: BareDevnet) -> None:
    transaction = bare.build(bare.account(1), transfer(bare))
    for _ in range(3):
        response = bare.submit(transaction.encode())
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("application/json")
        assert response.json() == transaction.txid
    assert bare.nonce(bare.account(1).address) == 1


def test_json_body_is_accepted(bare: BareDevnet) -> None:
    transaction = bare.build(bare.account(1), transfer(bare))
    response = bare.post("/v2/transactions", json={"tx": transaction.encode().hex()})
    assert response.json() == transaction.txid


def test_fee_below_one_microstx_per_byte_is_rejected(bare: BareDevnet) -> None:
    length = len(bare.build(bare.account(1), transfer(bare)).encode())
    enough = bare.build(bare.account(1), transfer(bare), fee=length)
    too_low = bare.build(bare.account(1), transfer(bare), fee=length - 1)
    assert rejection(bare.submit(too_low.encode())) == ("FeeTooLow", {"expected": length, "actual": length - 1})
    assert bare.submit(enough.encode()).ok


def test_nonce_that_is_too_far_ahead_is_rejected(bare: BareDevnet) -> None:
    sender = bare.account(1)
    assert bare.submit(bare.build(sender, transfer(bare), nonce=26).encode()).ok
    assert rejection(bare.submit(bare.build(sender, transfer(bare), nonce=27).encode()))[0] == "TooMuchChaining"


def test_amount_and_fee_above_the_balance_are_rejected(bare: BareDevnet) -> None:
    sender = bare.account(1)
    balance = bare.balance(sender.address)
    reason, data = rejection(bare.submit(bare.build(sender, transfer(bare, balance)).encode()))
    assert reason == "NotEnoughFunds"
    assert data == {"expected": f"0x{balance + AMPLE_FEE:032x}", "actual": f"0x{balance:032x}"}
    assert bare.submit(bare.build(sender, transfer(bare, balance - AMPLE_FEE)).encode()).ok
    assert bare.balance(sender.address) == 0


def test_account_without_money_cannot_pay_a_fee(bare: BareDevnet) -> None:
    key = PrivateKey.generate()
    transaction = Transaction.build(
        ContractCall(bare.probe, "increment", (UIntValue(1),)),
        public_key=key.public_key,
        network=DEVNET,
        nonce=0,
        fee=AMPLE_FEE,
    ).sign(key)
    reason, data = rejection(bare.submit(transaction.encode()))
    assert (reason, data["actual"]) == ("NotEnoughFunds", f"0x{0:032x}")


def test_signature_of_another_key_is_rejected(bare: BareDevnet) -> None:
    raw = bytearray(bare.build(bare.account(1), transfer(bare)).encode())
    other = bare.build(bare.account(2), transfer(bare, number=3), nonce=0).encode()
    raw[SIGNATURE_AT : SIGNATURE_AT + 65] = other[SIGNATURE_AT : SIGNATURE_AT + 65]
    assert rejection(bare.submit(bytes(raw)))[0] == "SignatureValidation"


@pytest.mark.parametrize("offset", [30, 38, 60, 115, 140, 150])
def test_any_changed_bit_invalidates_the_signature(bare: BareDevnet, offset: int) -> None:
    raw = bytearray(bare.build(bare.account(1), transfer(bare, (1 << 40) + 1)).encode())
    raw[offset] ^= 1
    response = bare.submit(bytes(raw))
    assert response.status_code == 400
    if response.headers["content-type"].startswith("application/json"):
        assert rejection(response)[0] == "SignatureValidation"


def test_high_s_signature_is_rejected(bare: BareDevnet) -> None:
    """The other of the two mathematically valid signatures."""
    raw = bytearray(bare.build(bare.account(1), transfer(bare)).encode())
    s = int.from_bytes(raw[SIGNATURE_AT + 33 : SIGNATURE_AT + 65])
    raw[SIGNATURE_AT + 33 : SIGNATURE_AT + 65] = (ORDER - s).to_bytes(32)
    raw[SIGNATURE_AT] ^= 1
    reason, data = rejection(bare.submit(bytes(raw)))
    assert reason == "SignatureValidation"
    assert "high-S" in data["message"]


def test_unsigned_transaction_is_rejected(bare: BareDevnet) -> None:
    sender = bare.account(1)
    unsigned = Transaction.build(
        transfer(bare), public_key=sender.key.public_key, network=DEVNET, nonce=0, fee=AMPLE_FEE
    )
    assert rejection(bare.submit(unsigned.encode()))[0] == "SignatureValidation"


def test_transfer_with_post_conditions_is_rejected(bare: BareDevnet) -> None:
    condition = StxPostCondition(ORIGIN, FungibleCode.EQUAL, 10)
    raw = raw_transaction(bare.account(1), transfer(bare), post_conditions=(condition,))
    assert rejection(bare.submit(raw))[0] == "SignatureValidation"


def test_call_of_an_unknown_contract_or_function_is_rejected(bare: BareDevnet) -> None:
    sender = bare.account(1)
    missing_contract = ContractCall(f"{sender.address}.nothing", "increment", ())
    assert rejection(bare.submit(bare.build(sender, missing_contract).encode())) == ("NoSuchContract", None)
    for function in ("nothing", "get-counter", "read-again"):
        payload = ContractCall(bare.probe, function, ())
        assert rejection(bare.submit(bare.build(sender, payload).encode())) == ("NoSuchPublicFunction", None)


GOOD: dict[str, ClarityValue] = {
    "a": IntValue(-5),
    "b": BoolValue(True),
    "c": BufferValue(b"\x01\x02\x03\x04"),
    "d": Utf8Value("añ😀bc"),
    "e": SomeValue(UIntValue(1)),
    "f": OkValue(UIntValue(1)),
    "g": ListValue((UIntValue(1), UIntValue(2), UIntValue(3))),
    "h": TupleValue({"x": UIntValue(1), "Y": PrincipalValue("ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM.probe")}),
}
UINTS = "SequenceType(ListType(ListTypeData { max_len: %d, entry_type: UIntType }))"
PAIR = 'TupleType(TupleTypeSignature { "Y": principal, "x": uint,})'
#: Values of other types, and the two types in the node's message: the function's and the value's.
BAD: list[tuple[str, ClarityValue, str]] = [
    ("a", UIntValue(5), "IntType, UIntType"),
    ("b", NoneValue(), "BoolType, OptionalType(NoType)"),
    (
        "c",
        BufferValue(bytes(5)),
        "SequenceType(BufferType(BufferLength(4))), SequenceType(BufferType(BufferLength(5)))",
    ),
    (
        "c",
        AsciiValue("abcd"),
        "SequenceType(BufferType(BufferLength(4))), SequenceType(StringType(ASCII(BufferLength(4))))",
    ),
    (
        "d",
        Utf8Value("sixsix"),
        "SequenceType(StringType(UTF8(StringUTF8Length(5)))), SequenceType(StringType(UTF8(StringUTF8Length(6))))",
    ),
    ("e", UIntValue(1), "OptionalType(UIntType), UIntType"),
    ("e", SomeValue(IntValue(1)), "UIntType, IntType"),
    ("f", UIntValue(1), "ResponseType((UIntType, BoolType)), UIntType"),
    ("f", OkValue(BoolValue(True)), "UIntType, BoolType"),
    ("f", ErrValue(UIntValue(1)), "BoolType, UIntType"),
    ("g", ListValue((UIntValue(1),) * 4), f"{UINTS % 3}, {UINTS % 4}"),
    ("g", ListValue((IntValue(1), IntValue(1))), "UIntType, IntType"),
    ("h", TupleValue({"x": UIntValue(1)}), f'{PAIR}, TupleType(TupleTypeSignature {{ "x": uint,}})'),
    ("h", TupleValue({"x": UIntValue(1), "Y": UIntValue(1)}), "PrincipalType, UIntType"),
    (
        "h",
        TupleValue({"x": UIntValue(1), "y": PrincipalValue("ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM")}),
        f'{PAIR}, TupleType(TupleTypeSignature {{ "x": uint, "y": principal,}})',
    ),
]


def test_every_kind_of_argument_is_accepted(bare: BareDevnet) -> None:
    receipt = bare.call(bare.account(1), "take-all", *GOOD.values())
    assert receipt["tx_status"] == "success"
    texts = [argument["repr"] for argument in receipt["contract_call"]["function_args"]]
    assert texts == [
        "-5",
        "true",
        "0x01020304",
        'u"añ😀bc"',
        "(some u1)",
        "(ok u1)",
        "(list u1 u2 u3)",
        "(tuple (Y 'ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM.probe) (x u1))",
    ]


@pytest.mark.parametrize(("name", "value", "types"), BAD)
def test_argument_of_the_wrong_type_is_rejected(bare: BareDevnet, name: str, value: ClarityValue, types: str) -> None:
    arguments = tuple((GOOD | {name: value}).values())
    sender = bare.account(1)
    reason, data = rejection(bare.submit(bare.build(sender, ContractCall(bare.probe, "take-all", arguments)).encode()))
    assert (reason, data) == ("BadFunctionArgument", {"message": f"TypeError({types})"})


TRAITS = """(use-trait other .probe.readable)
    (define-trait two ((look () (response uint uint)) (more (uint) (response bool bool))))
    (define-public (deep (all (list 3 <two>)) (one (optional <other>)) (text (string-utf8 5))) (ok u1))"""


def test_contract_for_a_trait_must_implement_it(bare: BareDevnet) -> None:
    deployer, sender = bare.devnet.deployer, bare.account(2)
    sources = {
        "traits": TRAITS,
        "look": "(define-public (look) (ok u9))",
        "both": "(define-read-only (look) (if true (ok u9) (err u9))) (define-public (more (n uint)) (ok true))",
        "unfit": "(define-public (look) (ok true))",
        "takes": "(define-public (look (n uint)) (ok n))",
        "nothing": "(define-public (other) (ok u1))",
    }
    for name, source in sources.items():
        txid = bare.send(deployer, ContractPublish(name, source, 4))
        assert bare.receipt(txid)["tx_status"] == "success", bare.receipt(txid)

    def contract(name: str) -> PrincipalValue:
        return PrincipalValue(f"{deployer.address}.{name}")

    def message(function: str, *arguments: ClarityValue, where: str = "probe") -> str | None:
        payload = ContractCall(f"{deployer.address}.{where}", function, arguments)
        response = bare.submit(bare.build(sender, payload).encode())
        if response.ok:
            return None
        reason, data = rejection(response)
        assert reason == "BadFunctionArgument"
        return str(data["message"])

    for name in ("unfit", "takes", "nothing"):
        assert message("look-through", contract(name)) == 'BadTraitImplementation("readable", "look")'
    assert message("look-through", contract("missing")) == f'NoSuchContract("{deployer.address}.missing")'
    assert message("look-through", contract("both")) is None
    assert message("look-through", contract("look")) is None
    text, none = Utf8Value("añ😀"), NoneValue()
    both = ListValue((contract("both"),) * 2)
    assert message("deep", both, SomeValue(contract("look")), text, where="traits") is None
    assert message("deep", ListValue(()), none, text, where="traits") is None
    unfit = message("deep", both, SomeValue(contract("unfit")), text, where="traits")
    assert unfit == 'BadTraitImplementation("readable", "look")'
    other = message("deep", ListValue((contract("look"),)), none, text, where="traits")
    assert other == 'BadTraitImplementation("two", "more")'
    simulation = bare.post(
        "/devnet/simulate",
        json={
            "sender": sender.address,
            "contract": bare.probe,
            "function": "look-through",
            "arguments": [encode(contract("unfit")).hex()],
        },
    )
    assert simulation.json()["reason"] == "BadFunctionArgument"


@pytest.mark.parametrize("count", [0, 2])
def test_wrong_number_of_arguments_is_rejected(bare: BareDevnet, count: int) -> None:
    payload = ContractCall(bare.probe, "increment", (UIntValue(1),) * count)
    assert rejection(bare.submit(bare.build(bare.account(1), payload).encode()))[0] == "BadFunctionArgument"


def test_tuple_with_keys_out_of_order_is_rejected(bare: BareDevnet) -> None:
    """A node hashes its own encoding, so the signature cannot match other bytes for the same value."""
    sorted_bytes = encode(GOOD["h"])
    y, x = sorted_bytes[5 : 5 + 2 + 28], sorted_bytes[5 + 2 + 28 :]
    raw = bare.build(bare.account(1), ContractCall(bare.probe, "take-all", tuple(GOOD.values()))).encode()
    assert sorted_bytes == sorted_bytes[:5] + y + x
    swapped = raw.replace(sorted_bytes, sorted_bytes[:5] + x + y)
    assert swapped != raw
    response = bare.submit(swapped)
    assert response.status_code == 400
    assert "out of order" in response.text


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-1],
        lambda raw: raw + b"\x00",
        lambda raw: raw[:6] + b"\x09" + raw[7:],
        lambda raw: raw[:5] + b"\x06" + raw[6:],
        lambda _raw: b"",
        lambda _raw: b"\x00",
        lambda raw: raw[:120],
    ],
)
def test_bytes_that_are_not_a_transaction_are_rejected(bare: BareDevnet, damage: Any) -> None:
    response = bare.submit(damage(bare.build(bare.account(1), transfer(bare)).encode()))
    assert response.status_code == 400
    assert response.headers["content-type"].startswith("text/plain")


def test_sponsored_transaction_is_paid_by_the_sponsor(bare: BareDevnet) -> None:
    sender, sponsor = bare.account(1), bare.account(3)
    before = bare.balance(sender.address), bare.balance(sponsor.address)
    half = Transaction.build(
        ContractCall(bare.probe, "increment", (UIntValue(1),)),
        public_key=sender.key.public_key,
        network=DEVNET,
        nonce=0,
        fee=0,
        sponsored=True,
    ).sign(sender.key)
    assert rejection(bare.submit(half.encode()))[0] == "SignatureValidation"
    full = half.sponsor(sponsor.key, nonce=0, fee=AMPLE_FEE)
    assert bare.submit(full.encode()).json() == full.txid
    receipt = bare.receipt(full.txid)
    assert receipt["tx_status"] == "success"
    assert receipt["sponsored"] is True
    assert receipt["sponsor_address"] == sponsor.address
    assert bare.balance(sender.address) == before[0]
    assert bare.balance(sponsor.address) == before[1] - AMPLE_FEE
    assert (bare.nonce(sender.address), bare.nonce(sponsor.address)) == (1, 1)


def sponsored_by_itself(bare: BareDevnet, payload: Any, *, nonce: int, sponsor_nonce: int) -> Transaction:
    sender = bare.account(1)
    half = Transaction.build(
        payload, public_key=sender.key.public_key, network=DEVNET, nonce=nonce, fee=0, sponsored=True
    ).sign(sender.key)
    return half.sponsor(sender.key, nonce=sponsor_nonce, fee=AMPLE_FEE)


def test_account_that_sponsors_itself(bare: BareDevnet) -> None:
    """Both nonces must be the account's next nonce, which goes up by one per transaction."""
    sender = bare.account(1)
    before = bare.balance(sender.address)
    for nonce in range(3):
        transaction = sponsored_by_itself(bare, transfer(bare, 7), nonce=nonce, sponsor_nonce=nonce)
        assert bare.submit(transaction.encode()).json() == transaction.txid
        assert bare.receipt(transaction.txid)["tx_status"] == "success"
    assert bare.nonce(sender.address) == 3
    assert bare.balance(sender.address) == before - 3 * (7 + AMPLE_FEE)
    all_of_it = transfer(bare, bare.balance(sender.address))
    reason, data = rejection(bare.submit(sponsored_by_itself(bare, all_of_it, nonce=3, sponsor_nonce=3).encode()))
    assert (reason, int(data["expected"], 16)) == ("NotEnoughFunds", all_of_it.amount + AMPLE_FEE)


def test_self_sponsored_transaction_with_two_nonces_is_never_mined(bare: BareDevnet) -> None:
    """The transaction is accepted, but stays pending."""
    transaction = sponsored_by_itself(bare, transfer(bare), nonce=0, sponsor_nonce=1)
    assert bare.submit(transaction.encode()).ok
    bare.devnet.mine(3)
    assert bare.receipt(transaction.txid)["tx_status"] == "pending"
    assert bare.nonce(bare.account(1).address) == 0


def accounts_of_several_keys() -> list[SingleSig | Multisig]:
    keys = tuple(KEYS[number].public_key for number in range(3))
    return [
        SingleSig(keys[0], segwit=True),
        *(
            Multisig(keys, 2, segwit=segwit, sequential=sequential)
            for segwit in (False, True)
            for sequential in (False, True)
        ),
        Multisig(keys[:1], 1),
    ]


KEYS = [PrivateKey.from_hex(f"{number + 1:064x}01") for number in range(3)]


@pytest.mark.parametrize("account", accounts_of_several_keys(), ids=lambda account: str(account.hash_mode.name))
@pytest.mark.parametrize("signers", [(0, 1), (0, 2), (1, 2)])
def test_multisig_and_segwit_accounts(
    bare: BareDevnet, account: SingleSig | Multisig, signers: tuple[int, int]
) -> None:
    needed = signers if isinstance(account, Multisig) and account.required == 2 else (0,)
    address = account.address(DEVNET)
    bare.transfer(bare.account(1), address, 1_000_000)
    unsigned = Transaction.build(transfer(bare), account=account, network=DEVNET, nonce=0, fee=AMPLE_FEE)
    half = unsigned
    for number in needed[:-1]:
        half = half.sign(KEYS[number])
    assert bare.submit(half.encode()).status_code == 400
    full = half.sign(KEYS[needed[-1]])
    assert bare.submit(full.encode()).json() == full.txid
    assert bare.receipt(full.txid)["sender_address"] == address
    assert bare.balance(address) == 1_000_000 - 10 - AMPLE_FEE
    assert bare.nonce(address) == 1


def test_multisig_account_as_sponsor(bare: BareDevnet) -> None:
    account = Multisig(tuple(key.public_key for key in KEYS), 2)
    bare.transfer(bare.account(2), account.address(DEVNET), 1_000_000)
    sender = bare.account(1)
    half = Transaction.build(
        transfer(bare), public_key=sender.key.public_key, network=DEVNET, nonce=0, fee=0, sponsored=True
    ).sign(sender.key)
    full = half.with_sponsor(account, nonce=0, fee=AMPLE_FEE).sign(KEYS[0]).sign(KEYS[2])
    assert bare.submit(full.encode()).json() == full.txid
    assert bare.balance(account.address(DEVNET)) == 1_000_000 - AMPLE_FEE
