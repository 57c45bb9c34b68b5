"""Which cases are known to end otherwise, on what kind of server, and why; README.md repeats it for people.

The cases say what a node of stacks-core 4.0 answers, with version 9 of the API. A pattern stands for all cases whose
names match it, or, where it begins with a slash, whose paths do.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from tests.conformance.node import Target

if TYPE_CHECKING:
    from collections.abc import Mapping

_NO_MERKLE_TREE = "the VM has no Merkle tree, so proofs are empty"
_V2_ONLY = "the API passes only /v2 on to its node; ask the node itself, with --api-url for the API"
_NO_API = "a node by itself has no API; give its address with --api-url"
_FAUCET = "the API's faucet needs a key in its settings"

DIFFERENCES: Mapping[Target, Mapping[str, str]] = {
    Target.EMBEDDED: {
        "accounts: proofs*": _NO_MERKLE_TREE,
        "source: proof by default": _NO_MERKLE_TREE,
        "map_entry: proof by default": _NO_MERKLE_TREE,
        "data_var: proof by default": _NO_MERKLE_TREE,
        "SignatureValidation: tuple out of order": "it names the disorder, as text; a node finds the signature wrong",
        "test_transfer_with_post_conditions": "it refuses at once what a node takes and never mines",
        "test_what_follows_a_transaction_is_ignored": "it insists on the bytes of one transaction and no more",
        "extended balances: turnover of tokens": "it keeps what is held of tokens, not what came and went",
        "extended blocks: Bitcoin's side, and costs": "it has no Bitcoin behind it, and adds up no costs of blocks",
    },
    Target.API: {
        "/v3/*": _V2_ONLY,
        "blocks: *": _V2_ONLY,
        "get-transaction": _V2_ONLY,
        "node-health": _V2_ONLY,
        "paths: nothing there either": _V2_ONLY,
        "extended faucet: 500 STX": _FAUCET,
    },
    Target.NODE: {
        "/extended*": _NO_API,
        "test_*_in_the_api": _NO_API,
    },
    Target.PAIR: {
        "extended faucet: 500 STX": _FAUCET,
    },
}


def reason_to_differ(target: Target, name: str, path: str = "") -> str | None:
    """Why a case ends otherwise there; ``None`` if it must not.

    Args:
        target: The kind of server.
        name: The case's name.
        path: The path that it asks for, if it is one request.
    """
    found = (reason for pattern, reason in DIFFERENCES[target].items() if matches(pattern, name, path))
    return next(found, None)


def matches(pattern: str, name: str, path: str) -> bool:
    """Whether a pattern is of a case."""
    return fnmatchcase(path if pattern.startswith("/") else name, pattern)
