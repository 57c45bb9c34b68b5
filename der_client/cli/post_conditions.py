"""Post-conditions from a command line: ``me <= 1.5STX``, ``ST….pool == 100 ST….gold::gold``, ``me sends …::nft u7``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from der_client.cli.quantities import parse_stx, stx
from der_client.stacks.clarity.literals import parse
from der_client.stacks.errors import InvalidValueError
from der_client.stacks.transactions import (
    ORIGIN,
    FtPostCondition,
    FungibleCode,
    NftPostCondition,
    NonFungibleCode,
    StxPostCondition,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from der_client.stacks.transactions import PostCondition
    from der_client.stacks.transactions.post_conditions import Principal

_CODES: Final = {
    "==": FungibleCode.EQUAL,
    "=": FungibleCode.EQUAL,
    ">": FungibleCode.GREATER,
    ">=": FungibleCode.GREATER_EQUAL,
    "<": FungibleCode.LESS,
    "<=": FungibleCode.LESS_EQUAL,
}
_AMOUNT: Final = re.compile(r"(?P<who>\S+)\s*(?P<code><=|>=|==|=|<|>)\s*(?P<amount>.+)")
_TOKEN: Final = re.compile(r"(?P<number>[0-9][0-9_]*)\s+(?P<asset>\S+::\S+)")
_ITEM: Final = re.compile(r"(?P<who>\S+)\s+(?P<what>sends|keeps)\s+(?P<asset>\S+::\S+)\s+(?P<value>.+)")
FORM: Final = "WHO <= 1.5STX, WHO == 100 ADDRESS.contract::token, or WHO sends|keeps ADDRESS.contract::token VALUE"


def read_post_condition(text: str, address: Callable[[str], str]) -> PostCondition:
    """Read a post-condition.

    Args:
        text: See the module. ``me`` is who signs; the amount of a token is in its smallest unit.
        address: Returns the principal of a name or an address.

    Raises:
        InvalidValueError: If it is something else.
    """

    def principal(who: str) -> Principal:
        return ORIGIN if who == "me" else address(who)

    if item := _ITEM.fullmatch(text.strip()):
        fate = NonFungibleCode.SENT if item["what"] == "sends" else NonFungibleCode.NOT_SENT
        return NftPostCondition(principal(item["who"]), item["asset"], parse(item["value"]), fate)
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        raise InvalidValueError(f"--post-condition: expected {FORM}; got {text!r}")
    who, code = principal(found["who"]), _CODES[found["code"]]
    if token := _TOKEN.fullmatch(found["amount"].strip()):
        return FtPostCondition(who, token["asset"], code, int(token["number"].replace("_", "")))
    amount = found["amount"].strip()
    ustx = 0 if re.fullmatch(r"0\s*u?STX", amount, re.IGNORECASE) else parse_stx(amount, "--post-condition")
    return StxPostCondition(who, code, ustx)


def condition_text(condition: PostCondition, name: Callable[[str], str]) -> str:
    """Write a post-condition as it can be given again.

    Args:
        condition: The post-condition.
        name: Writes a principal.
    """
    who = "me" if condition.principal is ORIGIN else name(condition.principal)
    match condition:
        case StxPostCondition():
            return f"{who} {_sign(condition.code)} {stx(condition.amount)} STX"
        case FtPostCondition():
            return f"{who} {_sign(condition.code)} {condition.amount} {condition.asset}"
        case NftPostCondition():
            verb = "sends" if condition.code is NonFungibleCode.SENT else "keeps"
            return f"{who} {verb} {condition.asset} {condition.value}"
    return repr(condition)


def _sign(code: FungibleCode) -> str:
    return next(sign for sign, known in _CODES.items() if known is code)
