"""Random Clarity types and random values of them, for Hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

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

ADDRESSES = st.builds(c32_address, st.integers(0, 31), st.binary(min_size=20, max_size=20))
CONTRACT_NAMES = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_-]{0,39}", fullmatch=True)
CONTRACTS = st.builds("{}.{}".format, ADDRESSES, CONTRACT_NAMES)
PRINCIPALS = ADDRESSES | CONTRACTS
NAMES = st.from_regex(r"[a-zA-Z][a-zA-Z0-9\-_!?+<>=/*]{0,20}|[-+=/*]|[<>]=?", fullmatch=True)
ASCII_CHARACTERS = st.characters(min_codepoint=0x20, max_codepoint=0x7E) | st.sampled_from("\t\n\f\r")

_SCALARS: dict[ClarityType, st.SearchStrategy[ClarityValue]] = {
    INT: st.integers(-(2**127), 2**127 - 1).map(IntValue),
    UINT: st.integers(0, 2**128 - 1).map(UIntValue),
    BOOL: st.booleans().map(BoolValue),
    PRINCIPAL: PRINCIPALS.map(PrincipalValue),
}
_LENGTHS = st.integers(0, 40)
TYPES: st.SearchStrategy[ClarityType] = st.recursive(
    st.sampled_from(list(_SCALARS))
    | st.builds(BufferType, _LENGTHS)
    | st.builds(AsciiType, _LENGTHS)
    | st.builds(Utf8Type, _LENGTHS),
    lambda inner: st.one_of(
        st.builds(OptionalType, inner),
        st.builds(ResponseType, inner, inner),
        st.builds(ListType, inner, st.integers(0, 4)),
        st.dictionaries(NAMES, inner, min_size=1, max_size=4).map(TupleType),
    ),
    max_leaves=6,
)


def values_of(kind: ClarityType) -> st.SearchStrategy[ClarityValue]:
    """Return a strategy for the values of a type."""
    match kind:
        case BufferType():
            return st.binary(max_size=kind.length).map(BufferValue)
        case AsciiType():
            return st.text(ASCII_CHARACTERS, max_size=kind.length).map(AsciiValue)
        case Utf8Type():
            return st.text(max_size=kind.length).map(Utf8Value)
        case OptionalType():
            return st.just(NoneValue()) | values_of(kind.item).map(SomeValue)
        case ResponseType():
            return values_of(kind.ok).map(OkValue) | values_of(kind.error).map(ErrValue)
        case ListType():
            return st.lists(values_of(kind.item), max_size=kind.length).map(ListValue)
        case TupleType():
            return st.fixed_dictionaries({name: values_of(field) for name, field in kind.fields.items()}).map(
                TupleValue
            )
    return _SCALARS[kind]


VALUES: st.SearchStrategy[ClarityValue] = TYPES.flatmap(values_of)
