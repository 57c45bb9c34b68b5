"""Random transactions for Hypothesis: everything that the wire format allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from der_client.stacks.clarity import PrincipalValue
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
)
from tests.generators.clarity import CONTRACT_NAMES, CONTRACTS, NAMES, PRINCIPALS, VALUES
from tests.unit.stacks.transactions.vectors import KEYS

if TYPE_CHECKING:
    from der_client.stacks.keys import PublicKey

U64 = st.integers(0, 2**64 - 1)
HASH160 = st.binary(min_size=20, max_size=20)
POST_CONDITION_PRINCIPALS: Any = st.just(ORIGIN) | PRINCIPALS
ASSETS = st.builds("{}::{}".format, CONTRACTS, NAMES)
POST_CONDITIONS = st.one_of(
    st.builds(StxPostCondition, POST_CONDITION_PRINCIPALS, st.sampled_from(FungibleCode), U64),
    st.builds(FtPostCondition, POST_CONDITION_PRINCIPALS, ASSETS, st.sampled_from(FungibleCode), U64),
    st.builds(NftPostCondition, POST_CONDITION_PRINCIPALS, ASSETS, VALUES, st.sampled_from(NonFungibleCode)),
    st.builds(StakingPostCondition, POST_CONDITION_PRINCIPALS, st.sampled_from(FungibleCode), U64),
    st.builds(PoxPostCondition, POST_CONDITION_PRINCIPALS, st.sampled_from(PoxCode)),
)

USER_PAYLOADS = st.one_of(
    st.builds(TokenTransfer, PRINCIPALS.map(PrincipalValue), U64, st.binary(max_size=34)),
    st.builds(ContractCall, CONTRACTS, NAMES, st.lists(VALUES, max_size=4).map(tuple)),
    st.builds(
        ContractPublish,
        CONTRACT_NAMES,
        st.from_regex(r"[ -~\t\n]{0,60}", fullmatch=True),
        st.none() | st.integers(1, 6),
    ),
)
_HEADERS = st.builds(
    MicroblockHeader,
    st.integers(0, 255),
    st.integers(0, 3),
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=65, max_size=65),
)
ON_CHAIN_PAYLOADS: st.SearchStrategy[Payload] = st.one_of(
    st.builds(
        Coinbase,
        st.binary(min_size=32, max_size=32),
        st.none() | PRINCIPALS.map(PrincipalValue),
        st.none() | st.binary(min_size=80, max_size=80),
    ),
    st.tuples(_HEADERS, _HEADERS)
    .filter(lambda pair: pair[0] != pair[1] and pair[0].sequence == pair[1].sequence)
    .map(lambda pair: PoisonMicroblock(*pair)),
    st.builds(
        TenureChange,
        HASH160,
        HASH160,
        HASH160,
        st.binary(min_size=32, max_size=32),
        st.integers(0, 2**32 - 1),
        st.sampled_from(TenureChangeCause),
        HASH160,
    ),
)

_SIGNATURES = st.binary(min_size=65, max_size=65)


@st.composite
def _public_keys(draw: st.DrawFn, *, compressed_only: bool) -> PublicKey:
    key = draw(st.sampled_from(KEYS)).public_key
    if compressed_only or draw(st.booleans()):
        return key
    return type(key)(key.uncompressed_data)


@st.composite
def _multi_sig(draw: st.DrawFn) -> MultiSigCondition:
    hash_mode = draw(st.sampled_from([mode for mode in HashMode if not mode.is_single_sig]))
    compressed = st.just(value=True) if hash_mode.is_segwit else st.booleans()
    field = _public_keys(compressed_only=hash_mode.is_segwit) | st.builds(FieldSignature, _SIGNATURES, compressed)
    fields = tuple(draw(st.lists(field, max_size=5)))
    signed = sum(isinstance(item, FieldSignature) for item in fields) if hash_mode.is_sequential else 0
    return MultiSigCondition(
        hash_mode, draw(HASH160), draw(U64), draw(U64), fields, draw(st.integers(signed, 2**16 - 1))
    )


CONDITIONS: st.SearchStrategy[SpendingCondition] = st.one_of(
    st.builds(SingleSigCondition, st.just(HashMode.P2PKH), HASH160, U64, U64, st.booleans(), _SIGNATURES),
    st.builds(SingleSigCondition, st.just(HashMode.P2WPKH), HASH160, U64, U64, st.just(value=True), _SIGNATURES),
    _multi_sig(),
)


@st.composite
def transactions(draw: st.DrawFn) -> Transaction:
    """Draw any well-formed transaction; its signatures are random."""
    on_chain = draw(st.booleans())
    return Transaction(
        draw(st.sampled_from([0x00, 0x80])),
        draw(st.sampled_from([1, 0x80000000]) | st.integers(0, 2**32 - 1)),
        draw(CONDITIONS),
        draw(st.none() | CONDITIONS),
        AnchorMode.ON_CHAIN if on_chain else draw(st.sampled_from(AnchorMode)),
        draw(st.sampled_from(PostConditionMode)),
        tuple(draw(st.lists(POST_CONDITIONS, max_size=3))),
        draw(ON_CHAIN_PAYLOADS if on_chain else USER_PAYLOADS),
    )
