"""Result types of Clarity's own functions and keywords that do not depend on their arguments."""

from __future__ import annotations

from typing import Final

from der_client.stacks.clarity import (
    BOOL,
    INT,
    PRINCIPAL,
    UINT,
    AsciiType,
    BufferType,
    ClarityType,
    ListType,
    NoneType_,
    OptionalType,
    ResponseType,
    TupleType,
    Utf8Type,
)

_PRINCIPAL_PARTS: Final = TupleType(
    {"hash-bytes": BufferType(20), "name": OptionalType(AsciiType(40)), "version": BufferType(1)}
)
_STX_ACCOUNT: Final = TupleType({"locked": UINT, "unlock-height": UINT, "unlocked": UINT})
_POX_ADDRESSES: Final = TupleType(
    {"addrs": ListType(TupleType({"hashbytes": BufferType(32), "version": BufferType(1)}), 2), "payout": UINT}
)
_DONE: Final = ResponseType(BOOL, UINT)

KEYWORDS: Final[dict[str, ClarityType]] = {
    **dict.fromkeys(("true", "false", "is-in-regtest", "is-in-mainnet"), BOOL),
    **dict.fromkeys(("tx-sender", "contract-caller", "current-contract"), PRINCIPAL),
    **dict.fromkeys(
        (
            "block-height",
            "burn-block-height",
            "stacks-block-height",
            "tenure-height",
            "stacks-block-time",
            "stx-liquid-supply",
            "chain-id",
        ),
        UINT,
    ),
    "none": OptionalType(NoneType_()),
    "tx-sponsor?": OptionalType(PRINCIPAL),
}
FIXED: Final[dict[str, ClarityType]] = {
    **dict.fromkeys(
        (
            *("<", ">", "<=", ">=", "and", "or", "not", "is-eq", "is-none", "is-some", "is-ok", "is-err"),
            *("asserts!", "is-standard", "secp256k1-verify", "secp256r1-verify", "verify-merkle-proof"),
            *("map-set", "map-insert", "map-delete", "var-set"),
        ),
        BOOL,
    ),
    **dict.fromkeys(("to-int", "buff-to-int-le", "buff-to-int-be"), INT),
    **dict.fromkeys(
        (
            *("to-uint", "buff-to-uint-le", "buff-to-uint-be", "len", "ft-get-balance", "ft-get-supply"),
            "stx-get-balance",
        ),
        UINT,
    ),
    **dict.fromkeys(("ft-transfer?", "ft-mint?", "ft-burn?", "nft-transfer?", "nft-mint?", "nft-burn?"), _DONE),
    **dict.fromkeys(("stx-transfer?", "stx-transfer-memo?", "stx-burn?"), _DONE),
    **dict.fromkeys(("hash160",), BufferType(20)),
    **dict.fromkeys(("sha256", "keccak256", "sha512/256"), BufferType(32)),
    "sha512": BufferType(64),
    "int-to-ascii": AsciiType(40),
    "int-to-utf8": Utf8Type(40),
    "string-to-int?": OptionalType(INT),
    "string-to-uint?": OptionalType(UINT),
    "index-of": OptionalType(UINT),
    "index-of?": OptionalType(UINT),
    "secp256k1-recover?": ResponseType(BufferType(33), UINT),
    "principal-of?": ResponseType(PRINCIPAL, UINT),
    "principal-destruct?": ResponseType(_PRINCIPAL_PARTS, _PRINCIPAL_PARTS),
    "principal-construct?": ResponseType(PRINCIPAL, TupleType({"error_code": UINT, "value": OptionalType(PRINCIPAL)})),
    "contract-of": PRINCIPAL,
    "contract-hash?": ResponseType(BufferType(32), UINT),
    "stx-account": _STX_ACCOUNT,
    "nft-get-owner?": OptionalType(PRINCIPAL),
}
LIKE_FIRST: Final = frozenset(
    (
        *("+", "-", "*", "/", "mod", "pow", "sqrti", "log2", "xor", "bit-xor", "bit-and", "bit-or", "bit-not"),
        *("bit-shift-left", "bit-shift-right", "print", "filter"),
    )
)
BLOCK_PROPERTIES: Final[dict[str, ClarityType]] = {
    **dict.fromkeys(("time", "block-reward", "miner-spend-total", "miner-spend-winner"), UINT),
    **dict.fromkeys(("id-header-hash", "header-hash", "burnchain-header-hash", "vrf-seed"), BufferType(32)),
    "miner-address": PRINCIPAL,
    "pox-addrs": _POX_ADDRESSES,
}
