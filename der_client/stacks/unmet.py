"""Reads the post-condition that was not met from the node's own sentence.

Source: stacks-core, the ``vm_error`` of a transaction that a post-condition aborted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

STX: Final = "STX"
_STX_ASSET: Final = re.compile(r"[0-9A-Z]+\.__transient::STX")

_OWNED: Final = re.compile(
    r"Post-condition check failure on (?:(?P<kind>fungible|non-fungible) asset (?P<asset>\S+)|STX) "
    r"owned by (?P<owner>[0-9A-Z][\w.\-]*): (?P<expected>.*) (?P<code>[A-Z]\w+) "
    r"(?P<moved>\d+|\(sent \d+ value\(s\)\))",
    re.DOTALL,
)
_UNCHECKED: Final = re.compile(
    r"Post-condition check failure: (?P<kind>Fungible|Non-fungible) asset (?P<asset>\S+)(?: value (?P<value>.*))? "
    r"was moved by (?P<owner>[0-9A-Z][\w.\-]*) but not checked",
    re.DOTALL,
)
_STAKED: Final = re.compile(
    r"Post-condition check failure on STX staked by (?P<owner>[0-9A-Z][\w.\-]*): (?P<expected>\d+) (?P<code>[A-Z]\w+) "
    r"(?P<moved>\d+)"
)
_POX: Final = re.compile(
    r"Post-condition check failure on PoX action by (?P<owner>[0-9A-Z][\w.\-]*): (?P<code>[A-Z]\w+) performed=\w+"
)


@dataclass(frozen=True, slots=True)
class UnmetPostCondition:
    """What a transaction would have moved in violation of its post-conditions.

    Attributes:
        sentence: The node's own words.
        asset: ``STX``, ``staked STX``, ``PoX action``, or an asset id (``ADDRESS.contract::asset``).
        owner: The principal whose asset it is.
        code: The node's name of the condition, such as ``SentEq``; empty if no condition covered the asset.
        expected: The condition's amount, in the asset's smallest unit; ``None`` if it has none.
        moved: The amount that would have moved; ``None`` if the node does not say.
        token: The non-fungible token, as the node writes it; empty for other assets.
        is_uncovered: Whether the asset moved without being named by a post-condition.
    """

    sentence: str
    asset: str
    owner: str
    code: str = ""
    expected: int | None = None
    moved: int | None = None
    token: str = ""
    is_uncovered: bool = False


def plain_sentence(sentence: str) -> str:
    """Return a node's sentence with STX for the asset id that the node's virtual machine has for it."""
    return _STX_ASSET.sub(STX, sentence)


def read_unmet(sentence: str) -> UnmetPostCondition | None:
    """Read a node's sentence.

    Args:
        sentence: The ``vm_error`` of a transaction with the status ``abort_by_post_condition``.

    Returns:
        Its parts, or ``None`` if this version does not know its form.
    """
    if (match := _OWNED.fullmatch(sentence)) is not None:
        is_token = match["kind"] == "non-fungible"
        return UnmetPostCondition(
            sentence,
            match["asset"] or STX,
            match["owner"],
            match["code"],
            expected=_amount(match["expected"]) if not is_token else None,
            moved=_amount(match["moved"]),
            token=match["expected"] if is_token else "",
        )
    if (match := _UNCHECKED.fullmatch(sentence)) is not None:
        asset = STX if _STX_ASSET.fullmatch(match["asset"]) else match["asset"]
        return UnmetPostCondition(sentence, asset, match["owner"], token=match["value"] or "", is_uncovered=True)
    if (match := _STAKED.fullmatch(sentence)) is not None:
        return UnmetPostCondition(
            sentence,
            "staked STX",
            match["owner"],
            match["code"],
            expected=_amount(match["expected"]),
            moved=_amount(match["moved"]),
        )
    if (match := _POX.fullmatch(sentence)) is not None:
        return UnmetPostCondition(sentence, "PoX action", match["owner"], match["code"])
    return None


def _amount(digits: str) -> int | None:
    """Return a number of at most 39 digits, the length of Clarity's largest number."""
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 39 else None
