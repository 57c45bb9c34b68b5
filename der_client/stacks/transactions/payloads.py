"""The payloads of users' transactions: sending STX, calling a contract, publishing a contract.

A payload object is always well-formed. Whether a node would accept it (a transfer of 0, for example) is checked when a
transaction is built, since a chain may contain payloads that a user cannot send.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from der_client.stacks.checks import check_kind, check_number
from der_client.stacks.clarity import ClarityValue, PrincipalValue, check_contract_name, encode, encode_principal
from der_client.stacks.clarity.decoding import (
    ACCOUNT_BYTES,
    LEAF_FORMATS,
    read_name,
    read_standard_principal,
    read_value,
    truncated,
)
from der_client.stacks.clarity.names import MAX_CONTRACT_NAME_LENGTH, is_contract_name
from der_client.stacks.clarity.shapes import MAX_SHAPED_BYTES, Shapes
from der_client.stacks.clarity.supertypes import TypeConflictError
from der_client.stacks.clarity.wire import CONTRACT, MAX_ARGUMENT_DEPTH, STANDARD
from der_client.stacks.errors import DecodeError, EncodeError, shown
from der_client.stacks.transactions.wire import (
    U64_MAX,
    canonical_contract,
    read_bytes,
    read_contract,
    read_count,
    read_number,
    write_contract,
    write_name,
)

MEMO_LENGTH: Final = 34
CLARITY_VERSIONS: Final = range(1, 7)
MAX_CODE_LENGTH: Final = 2 << 20  # the whole transaction's limit
_ARGUMENTS: Final = Shapes[tuple[ClarityValue, ...]](LEAF_FORMATS)
_CODE_CHARACTERS: Final = bytes(range(0x20, 0x7F)) + b"\t\n"

TRANSFER_TAG: Final = 0x00
PUBLISH_TAG: Final = 0x01
CALL_TAG: Final = 0x02
VERSIONED_PUBLISH_TAG: Final = 0x06


@dataclass(frozen=True, slots=True)
class TokenTransfer:
    """Sends STX.

    Attributes:
        recipient: The recipient: an account or a contract.
        amount: The amount in µSTX, 0 to 2⁶⁴ - 1.
        memo: Up to 34 bytes for the recipient; the wire form is padded with zero bytes, so trailing ones are ignored.

    Raises:
        EncodeError: If the recipient is not a principal value, its contract's name has over 40 characters, or the memo
            is not bytes or too long.
        InvalidValueError: If the amount is out of range.
    """

    recipient: PrincipalValue
    amount: int
    memo: bytes = b""

    def __post_init__(self) -> None:
        """Check the fields."""
        if not isinstance(self.recipient, PrincipalValue):
            raise EncodeError(f"recipient must be a PrincipalValue, got {type(self.recipient).__name__}")
        if self.recipient.contract_name is not None:
            check_contract_name(self.recipient.contract_name)
        check_number(self.amount, 0, U64_MAX, "amount (µSTX)")
        if not isinstance(self.memo, bytes):
            raise EncodeError(f"memo must be bytes, got {type(self.memo).__name__}; for text, use text.encode()")
        if len(self.memo) > MEMO_LENGTH:
            raise EncodeError(f"memo must be at most {MEMO_LENGTH} bytes, got {len(self.memo)}: {shown(self.memo)}")
        if self.memo.endswith(b"\x00"):
            object.__setattr__(self, "memo", self.memo.rstrip(b"\x00"))

    def encode(self) -> bytes:
        """Return the payload's bytes, its tag first."""
        recipient = encode_principal(self.recipient.value)
        return b"\x00" + recipient + self.amount.to_bytes(8) + self.memo.ljust(MEMO_LENGTH, b"\x00")


@dataclass(frozen=True)
class ContractCall:
    """Calls a public function of a contract.

    Attributes:
        contract: ``ADDRESS.name``.
        function: The function's name.
        arguments: Their values, in the order of the function's arguments.

    Raises:
        AddressError: If the contract's address is invalid.
        EncodeError: If the contract's or the function's name is invalid, or an argument is not a Clarity value.
    """

    contract: str
    function: str
    arguments: tuple[ClarityValue, ...] = ()

    def __post_init__(self) -> None:
        """Check the fields."""
        try:
            contract = _call_target(self.contract, self.function)[0]
        except TypeError:  # not hashable, so not in a cache
            check_kind(self.contract, str, "contract", error=EncodeError)
            check_kind(self.function, str, "function", error=EncodeError)
            raise
        if contract != self.contract:
            object.__setattr__(self, "contract", contract)
        if not isinstance(self.arguments, tuple):
            raise EncodeError(f"arguments must be a tuple of Clarity values, got {type(self.arguments).__name__}")
        for value in self.arguments:
            if not isinstance(value, ClarityValue):
                raise _no_clarity_value(self.arguments)

    def encode(self) -> bytes:
        """Return the payload's bytes, its tag first.

        Raises:
            EncodeError: If an argument is nested deeper than a node accepts, or a list in it has no type; the text
                names the argument.
        """
        target = _call_target(self.contract, self.function)[1]
        try:
            return b"".join((target, len(self.arguments).to_bytes(4), *map(_encode_argument, self.arguments)))
        except EncodeError:
            # Only now is the faulty one searched for.
            for index, value in enumerate(self.arguments):
                _check_argument(index, value)
            raise


@dataclass(frozen=True, slots=True)
class ContractPublish:
    """Publishes a contract under the sender's address.

    Attributes:
        name: The contract's name, 1-40 characters.
        code: Its source: printable ASCII, tab and line feed (no carriage return, nothing beyond ASCII).
        clarity_version: 1-6, or ``None`` for the newest in the network's epoch (the old form of the payload).

    Raises:
        EncodeError: If the name is invalid, or the code contains another character.
        InvalidValueError: If the version is unknown.
    """

    name: str
    code: str
    clarity_version: int | None = None

    def __post_init__(self) -> None:
        """Check the fields."""
        check_contract_name(self.name)
        if not isinstance(self.code, str) or len(self.code) > MAX_CODE_LENGTH:
            raise EncodeError(f"code must be text of at most {MAX_CODE_LENGTH} characters")
        bad = _first_bad_character(self.code.encode(errors="surrogatepass"))
        if bad is not None:
            line = self.code[:bad].count("\n") + 1
            raise EncodeError(
                f"code: character {self.code[bad]!r} in line {line} of {self.name} is not allowed; a contract "
                "may contain only printable ASCII, tabs and line feeds"
            )
        if self.clarity_version is not None:
            check_number(self.clarity_version, CLARITY_VERSIONS[0], CLARITY_VERSIONS[-1], "clarity_version")

    def encode(self) -> bytes:
        """Return the payload's bytes, its tag first."""
        tag = b"\x01" if self.clarity_version is None else bytes((VERSIONED_PUBLISH_TAG, self.clarity_version))
        name, code = self.name.encode(), self.code.encode()
        return b"".join((tag, bytes((len(name),)), name, len(code).to_bytes(4), code))


def read_transfer(data: bytes, offset: int) -> tuple[TokenTransfer, int]:
    """Read a transfer, starting after its tag.

    Args:
        data: The input.
        offset: Where the recipient starts.

    Returns:
        The payload and the offset behind it.

    Raises:
        DecodeError: If it is not well-formed.
    """
    recipient, offset = read_principal(data, offset)
    amount, offset = read_number(data, offset, 8, "the amount")
    memo, offset = read_bytes(data, offset, MEMO_LENGTH, "the memo")
    return TokenTransfer(recipient, amount, memo), offset


def read_call(data: bytes, offset: int) -> tuple[ContractCall, int]:
    """Read a contract call, starting after its tag.

    Args:
        data: The input.
        offset: Where the contract's address starts.

    Returns:
        The payload and the offset behind it.

    Raises:
        DecodeError: If it is not well-formed.
    """
    # The common part of calls of one function, and the length of their arguments.
    try:
        function_at = offset + ACCOUNT_BYTES + 1 + data[offset + ACCOUNT_BYTES]
        arguments_at = function_at + 5 + data[function_at]
        kind = data[offset:arguments_at], len(data) - arguments_at
    except IndexError:
        kind, arguments_at = (b"", -1), len(data)
    if (known := _ARGUMENTS.read(kind, data, arguments_at)) is not None:
        return _new_call(*_target_of(kind[0]), known), len(data)
    contract, offset = read_contract(data, offset)
    function, offset = read_name(data, offset)
    count, offset = read_count(data, offset, 1, "arguments")
    values = []
    for _ in range(count):
        value, offset = read_value(data, offset, MAX_ARGUMENT_DEPTH)
        values.append(value)
    arguments = tuple(values)
    if offset == len(data) and kind[1] <= MAX_SHAPED_BYTES:
        _ARGUMENTS.learn(kind, arguments)
    return _new_call(contract, function, arguments), offset


@lru_cache(maxsize=4096)
def _target_of(call: bytes) -> tuple[str, str]:
    """Return the contract and the function at the beginning of a call, which have been read before."""
    contract, offset = read_contract(call, 0)
    return contract, read_name(call, offset)[0]


def _new_call(contract: str, function: str, arguments: tuple[ClarityValue, ...]) -> ContractCall:
    """Return a call whose parts have already been checked."""
    call = object.__new__(ContractCall)
    _put_attributes(call, {"contract": contract, "function": function, "arguments": arguments})
    return call


_put_attributes: Final = ContractCall.__dict__["__dict__"].__set__


def read_publish(data: bytes, offset: int) -> tuple[ContractPublish, int]:
    """Read a contract without a Clarity version, starting after its tag.

    Args:
        data: The input.
        offset: Where the name's length is.

    Returns:
        The payload and the offset behind it.

    Raises:
        DecodeError: If it is not well-formed.
    """
    name, code, offset = _read_contract_body(data, offset)
    return ContractPublish(name, code), offset


def read_versioned_publish(data: bytes, offset: int) -> tuple[ContractPublish, int]:
    """Read a contract with its Clarity version, starting after its tag.

    Args:
        data: The input.
        offset: Where the version is.

    Returns:
        The payload and the offset behind it.

    Raises:
        DecodeError: If it is not well-formed.
    """
    version, end = read_number(data, offset, 1, "the Clarity version")
    if version not in CLARITY_VERSIONS:
        raise DecodeError(f"{version} is not a Clarity version; known are 1 to {CLARITY_VERSIONS[-1]}", offset)
    name, code, end = _read_contract_body(data, end)
    return ContractPublish(name, code, version), end


def read_principal(data: bytes, offset: int) -> tuple[PrincipalValue, int]:
    """Read a principal with its Clarity tag; unlike in a value, a contract's name has at most 40 characters.

    Args:
        data: The input.
        offset: Where the tag is.

    Returns:
        The principal and the offset after it.

    Raises:
        DecodeError: If there is no principal.
    """
    tag, body = read_number(data, offset, 1, "the type of a principal")
    if tag == STANDARD:
        text, end = read_standard_principal(data, body)
    elif tag == CONTRACT:
        text, end = read_contract(data, body)
    else:
        raise DecodeError(f"{tag:02x} is not a principal; expected 05 or 06", offset)
    return PrincipalValue(text), end


def _read_contract_body(data: bytes, offset: int) -> tuple[str, str, int]:
    length, start = read_number(data, offset, 1, "the length of the contract's name")
    raw, end = read_bytes(data, start, length, "the contract's name")
    name = raw.decode("latin-1")
    if not is_contract_name(name, MAX_CONTRACT_NAME_LENGTH):
        raise DecodeError(f"{name!r} is not a contract name of 1 to {MAX_CONTRACT_NAME_LENGTH} characters", start)
    size, start = read_number(data, end, 4, "the length of the code")
    if size > len(data) - start:
        raise truncated(data, start, size, "the code")
    code = data[start : start + size]
    bad = _first_bad_character(code)
    if bad is not None:
        raise DecodeError(
            f"{code[bad]:02x} is not allowed in code: printable ASCII, tab and line feed only", start + bad
        )
    return name, code.decode("ascii"), start + size


def _first_bad_character(code: bytes) -> int | None:
    """Find the first character that is not allowed in code; up to there, each byte is a character."""
    if not code.translate(None, _CODE_CHARACTERS):
        return None
    return next(place for place, byte in enumerate(code) if byte not in _CODE_CHARACTERS)


@lru_cache(maxsize=4096)
def _call_target(contract: str, function: str) -> tuple[str, bytes]:
    """Check contract and function; return the contract's canonical id and a call's bytes up to the arguments."""
    return canonical_contract(contract), b"\x02" + write_contract(contract) + write_name(function)


def _encode_argument(value: ClarityValue) -> bytes:
    return encode(value, MAX_ARGUMENT_DEPTH)


def _check_argument(index: int, value: ClarityValue) -> None:
    """Refuse an argument that cannot be encoded; the text names it."""
    try:
        _encode_argument(value)
    except TypeConflictError as error:
        # Its text starts with the path within the value.
        raise EncodeError(f"arguments[{index}]{str(error).removeprefix('value')}") from None
    except EncodeError as error:
        raise EncodeError(f"arguments[{index}]: {error}") from None


_CLARITY_FOR: Final[dict[type, str]] = {
    bool: "BoolValue(…)",
    int: "UIntValue(…) or IntValue(…)",
    str: "PrincipalValue(…), AsciiValue(…) or Utf8Value(…)",
    bytes: "BufferValue(…)",
    bytearray: "BufferValue(…)",
    type(None): "NoneValue()",
    list: "ListValue([…])",
    tuple: "ListValue([…])",
    dict: "TupleValue({…})",
}


def _no_clarity_value(arguments: tuple[Any, ...]) -> EncodeError:
    """Return the error for an argument that is not a Clarity value; it does not show the value."""
    index, value = next((place, value) for place, value in enumerate(arguments) if not isinstance(value, ClarityValue))
    instead = next((text for kind, text in _CLARITY_FOR.items() if isinstance(value, kind)), "one such as UIntValue(1)")
    return EncodeError(f"arguments[{index}] must be a Clarity value, got {type(value).__name__}; write {instead}")
