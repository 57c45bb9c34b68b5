"""Known differences: cases that have another result on some kinds of servers, and why; README.md lists them, too.

The cases have the responses of a node of stacks-core 4.0 and of version 9 of the API. A pattern that begins with a
slash matches the paths of cases; any other pattern matches their names.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from tests.conformance.node import Target

if TYPE_CHECKING:
    from collections.abc import Mapping

_NO_MERKLE_TREE = "the VM has no Merkle tree, so proofs are empty"
_V2_ONLY = "the API forwards only /v2 to its node; use the node's own URL, with --api-url for the API"
_NO_API = "a node has no API of its own; give the API's address with --api-url"
_FAUCET = "the API's faucet needs a key in its settings"

DIFFERENCES: Mapping[Target, Mapping[str, str]] = {
    Target.EMBEDDED: {
        "accounts: proofs*": _NO_MERKLE_TREE,
        "source: proof by default": _NO_MERKLE_TREE,
        "map_entry: proof by default": _NO_MERKLE_TREE,
        "data_var: proof by default": _NO_MERKLE_TREE,
        "SignatureValidation: tuple out of order": (
            "it reports the wrong order as text; a node reports an invalid signature"
        ),
        "test_transfer_with_post_conditions": "it refuses the transfer at once; a node accepts it, but never mines it",
        "test_what_follows_a_transaction_is_ignored": "it accepts only the bytes of exactly one transaction",
        "extended balances: turnover of tokens": "it keeps the balances of tokens, not the amounts sent and received",
        "extended blocks: Bitcoin's side, and costs": "it has no Bitcoin chain, and does not sum the costs of blocks",
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
    """Return why a case may have another result there, or ``None`` if it must not.

    Args:
        target: The kind of server.
        name: The case's name.
        path: The path of its request, if it has only one.
    """
    found = (reason for pattern, reason in DIFFERENCES[target].items() if matches(pattern, name, path))
    return next(found, None)


def matches(pattern: str, name: str, path: str) -> bool:
    """Return whether a pattern matches a case."""
    return fnmatchcase(path if pattern.startswith("/") else name, pattern)
