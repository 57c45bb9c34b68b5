"""Random values and transactions from a seed: many in little time, and the same ones every time."""

from __future__ import annotations

import string
from random import Random
from typing import TYPE_CHECKING, Any

from der_client.stacks.address import c32_address
from der_client.stacks.clarity import (
    BOOL,
    INT,
    PRINCIPAL,
    UINT,
    AsciiType,
    AsciiValue,
    BoolValue,
    BufferType,
    BufferValue,
    ClarityType,
    ClarityValue,
    ErrValue,
    IntValue,
    ListType,
    ListValue,
    NoneValue,
    OkValue,
    OptionalType,
    PrincipalValue,
    ResponseType,
    SomeValue,
    TupleType,
    TupleValue,
    UIntValue,
    Utf8Type,
    Utf8Value,
)
from der_client.stacks.keys import PrivateKey, PublicKey
from der_client.stacks.transactions import (
    ORIGIN,
    AnchorMode,
    Coinbase,
    ContractCall,
    ContractPublish,
    FieldSignature,
    FtPostCondition,
    FungibleCode,
    HashMode,
    MicroblockHeader,
    MultiSigCondition,
    NftPostCondition,
    NonFungibleCode,
    Payload,
    PoisonMicroblock,
    PostCondition,
    PostConditionMode,
    PoxCode,
    PoxPostCondition,
    SingleSigCondition,
    SpendingCondition,
    StakingPostCondition,
    StxPostCondition,
    TenureChange,
    TenureChangeCause,
    TokenTransfer,
    Transaction,
    UserPayload,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_ASCII = string.digits + string.ascii_letters + string.punctuation + " \t\n\r\f"
_UNICODE = "aZ\0\x7f\x80é߿ࠀ漢\ufeff\uffff😀\U0010ffff"
_NAME_START = string.ascii_letters
_NAME_REST = string.ascii_letters + string.digits + "-_!?+<>=/*"
_CODE = string.ascii_letters + string.digits + string.punctuation + " \t\n"
KEYS = [PrivateKey.from_bytes(bytes([number]) * 32 + b"\x01") for number in range(1, 6)]


class Generator:
    """Generates random values and transactions; the same seed generates the same ones."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - test data

    def number(self, bits: int) -> int:
        """Return a number with at most this many bits, more often near zero or near the limit than elsewhere."""
        number = self.random.getrandbits(self.random.randint(0, bits))
        return number if self.random.random() < 0.8 else (1 << bits) - 1 - number

    def text(self, alphabet: str, low: int, high: int) -> str:
        return "".join(self.random.choices(alphabet, k=self.random.randint(low, high)))

    def name(self) -> str:
        if self.random.random() < 0.05:
            return self.random.choice(["+", "-", "*", "/", "=", "<", ">", "<=", ">="])
        return self.text(_NAME_START, 1, 1) + self.text(_NAME_REST, 0, 6)

    def contract_name(self) -> str:
        return self.text(_NAME_START, 1, 1) + self.text(string.ascii_letters + string.digits + "-_", 0, 39)

    def address(self) -> str:
        return c32_address(self.random.choice([20, 21, 22, 26]), self.random.randbytes(20))

    def contract(self) -> str:
        return f"{self.address()}.{self.contract_name()}"

    def principal(self) -> str:
        return self.random.choice([self.address, self.contract])()

    def type(self, depth: int = 3) -> ClarityType:
        length = self.random.choice([0, 1, 5, 40])
        scalars = [INT, UINT, BOOL, PRINCIPAL, BufferType(length), AsciiType(length), Utf8Type(length)]
        if not depth or self.random.random() < 0.4:
            return self.random.choice(scalars)
        match self.random.randrange(4):
            case 0:
                return OptionalType(self.type(depth - 1))
            case 1:
                return ResponseType(self.type(depth - 1), self.type(depth - 1))
            case 2:
                return ListType(self.type(depth - 1), self.random.randint(0, 4))
        return TupleType({self.name(): self.type(depth - 1) for _ in range(self.random.randint(1, 4))})

    def value_of(self, kind: ClarityType) -> ClarityValue:
        if isinstance(kind, BufferType):
            return BufferValue(self.random.randbytes(self.random.randint(0, kind.length)))
        if isinstance(kind, AsciiType):
            return AsciiValue(self.text(_ASCII, 0, kind.length))
        if isinstance(kind, Utf8Type):
            return Utf8Value(self.text(_UNICODE, 0, kind.length))
        if isinstance(kind, OptionalType):
            return SomeValue(self.value_of(kind.item)) if self.random.random() < 0.5 else NoneValue()
        if isinstance(kind, ResponseType):
            is_ok = self.random.random() < 0.5
            return OkValue(self.value_of(kind.ok)) if is_ok else ErrValue(self.value_of(kind.error))
        if isinstance(kind, ListType):
            return ListValue(self.value_of(kind.item) for _ in range(self.random.randint(0, kind.length)))
        if isinstance(kind, TupleType):
            return TupleValue({name: self.value_of(field) for name, field in kind.fields.items()})
        scalars: dict[ClarityType, Callable[[], ClarityValue]] = {
            INT: lambda: IntValue(self.number(128) - (1 << 127)),
            UINT: lambda: UIntValue(self.number(128)),
            BOOL: lambda: BoolValue(self.random.random() < 0.5),
            PRINCIPAL: lambda: PrincipalValue(self.principal()),
        }
        return scalars[kind]()

    def value(self) -> ClarityValue:
        return self.value_of(self.type())

    def fungible_code(self) -> FungibleCode:
        return self.random.choice(list(FungibleCode))

    def post_condition(self) -> PostCondition:
        principal: Any = self.random.choice([lambda: ORIGIN, self.address, self.contract])()
        asset = f"{self.contract()}::{self.name()}"
        match self.random.randrange(5):
            case 0:
                return StxPostCondition(principal, self.fungible_code(), self.number(64))
            case 1:
                return FtPostCondition(principal, asset, self.fungible_code(), self.number(64))
            case 2:
                code = self.random.choice(list(NonFungibleCode))
                return NftPostCondition(principal, asset, self.value(), code)
            case 3:
                return StakingPostCondition(principal, self.fungible_code(), self.number(64))
        return PoxPostCondition(principal, self.random.choice(list(PoxCode)))

    def user_payload(self) -> UserPayload:
        match self.random.randrange(3):
            case 0:
                recipient = PrincipalValue(self.principal())
                return TokenTransfer(recipient, self.number(64), self.text(_ASCII, 0, 34).encode())
            case 1:
                arguments = tuple(self.value() for _ in range(self.random.randint(0, 4)))
                return ContractCall(self.contract(), self.name(), arguments)
        version = self.random.choice([None, 1, 2, 3, 4, 5, 6])
        return ContractPublish(self.contract_name(), self.text(_CODE, 0, 200), version)

    def system_payload(self) -> Payload:
        random = self.random
        match random.randrange(3):
            case 0:
                recipient = PrincipalValue(self.principal()) if random.random() < 0.5 else None
                return Coinbase(random.randbytes(32), recipient, random.choice([None, random.randbytes(80)]))
            case 1:
                return TenureChange(
                    random.randbytes(20),
                    random.randbytes(20),
                    random.randbytes(20),
                    random.randbytes(32),
                    self.number(32),
                    random.choice(list(TenureChangeCause)),
                    random.randbytes(20),
                )
        headers = [
            MicroblockHeader(0, 7, random.randbytes(32), random.randbytes(32), random.randbytes(65)) for _ in range(2)
        ]
        return PoisonMicroblock(*headers)

    def condition(self) -> SpendingCondition:
        random = self.random
        mode = random.choice(list(HashMode))
        compressed_only = mode.is_segwit
        common = (mode, random.randbytes(20), self.number(64), self.number(64))

        def compressed() -> bool:
            return compressed_only or random.random() < 0.7

        if mode.is_single_sig:
            return SingleSigCondition(*common, compressed(), random.choice([bytes(65), random.randbytes(65)]))
        fields: list[PublicKey | FieldSignature] = []
        for _ in range(random.randint(0, 4)):
            key = random.choice(KEYS).public_key
            if random.random() < 0.5:
                fields.append(FieldSignature(random.randbytes(65), compressed()))
            else:
                fields.append(key if compressed() else PublicKey(key.uncompressed_data))
        signed = sum(isinstance(field, FieldSignature) for field in fields)
        return MultiSigCondition(*common, tuple(fields), random.randint(signed, 15))

    def transaction(self) -> Transaction:
        """Return a random well-formed transaction with random signatures."""
        random = self.random
        is_system = random.random() < 0.3
        return Transaction(
            random.choice([0x00, 0x80]),
            random.choice([1, 0x80000000, self.number(32)]),
            self.condition(),
            random.choice([None, self.condition()]),
            AnchorMode.ON_CHAIN if is_system else random.choice(list(AnchorMode)),
            random.choice(list(PostConditionMode)),
            tuple(self.post_condition() for _ in range(random.choice([0, 0, 1, 3]))),
            self.system_payload() if is_system else self.user_payload(),
        )

    def damaged(self, data: bytes) -> bytes:
        """Return the data with one small fault."""
        place = self.random.randrange(len(data))
        match self.random.randrange(5):
            case 0:
                return data[:place]
            case 1:
                return data + self.random.randbytes(self.random.randint(1, 3))
            case 2:
                return data[:place] + data[place + 1 :]
            case 3:
                return data[:place] + self.random.randbytes(1) + data[place:]
        return data[:place] + bytes((data[place] ^ (1 << self.random.randrange(8)),)) + data[place + 1 :]
