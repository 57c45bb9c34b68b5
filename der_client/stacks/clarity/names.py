"""Names of Clarity things: variables, tuple keys, functions, contracts (stacks-core ``representations.rs``)."""

from __future__ import annotations

import re
from functools import lru_cache

from der_client.stacks.errors import EncodeError, shown

_CLARITY_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9\-_!?+<>=/*]*|[-+=/*]|[<>]=?")
_CONTRACT_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]*|__transient")

MAX_NAME_LENGTH = 128
MAX_CONTRACT_NAME_LENGTH = 40
"""A contract's name inside a transaction; inside a principal value the wire allows 128."""


def plain_text(text: str) -> str:
    """Return the text of a ``str`` or of a subclass, such as an enumeration's member, whose ``str()`` may differ."""
    return str.__str__(text)


def is_clarity_name(text: str) -> bool:
    """Return whether the text can name a variable, function, tuple key, map or asset."""
    return len(text) <= MAX_NAME_LENGTH and _CLARITY_NAME.fullmatch(text) is not None


def is_contract_name(text: str, max_length: int = MAX_NAME_LENGTH) -> bool:
    """Return whether the text can name a contract."""
    return len(text) <= max_length and _CONTRACT_NAME.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def check_clarity_name(text: str) -> str:
    """Return the name unchanged.

    Raises:
        EncodeError: If it cannot name anything in Clarity.
    """
    if not isinstance(text, str) or not is_clarity_name(text):
        raise EncodeError(
            f"{shown(text)} is not a Clarity name: a letter, then letters, digits or -_!?+<>=/*, "
            f"at most {MAX_NAME_LENGTH} characters"
        )
    # Not the original text: what is kept here is returned to all who ask for an equal one.
    return plain_text(text)


@lru_cache(maxsize=4096)
def check_contract_name(text: str) -> str:
    """Return the contract name unchanged.

    Raises:
        EncodeError: If no contract can have this name.
    """
    if not isinstance(text, str) or not is_contract_name(text, MAX_CONTRACT_NAME_LENGTH):
        raise EncodeError(
            f"{shown(text)} is not a contract name: a letter, then letters, digits, - or _, "
            f"at most {MAX_CONTRACT_NAME_LENGTH} characters"
        )
    return plain_text(text)
