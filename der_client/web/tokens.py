"""Amounts of money with the name of their token.

Anybody can publish a contract called ``usdcx``, so a symbol and decimals are shown only if the whole contract id is
well known.
"""

from __future__ import annotations

from typing import Final

from der_client.stacks.standards import SBTC, USDCX
from der_client.web.amounts import NARROW_SPACE, STX_DECIMALS, decimal

_KNOWN: Final = {contract: token for token in (SBTC, USDCX) for contract in token.contract_ids.values()}


def money(amount: int, token: str | None = None, *, in_column: bool = False) -> str:
    """Return an amount, exactly: in STX, in a well-known token, or in the smallest unit of another.

    Args:
        amount: In the token's smallest unit, or µSTX.
        token: The token's contract; ``None`` for STX.
        in_column: Whether it is in a column: then all decimals are shown.
    """
    known = None if token is None else _KNOWN.get(token)
    if token is not None and known is None:
        return f"{decimal(amount, 0)}{NARROW_SPACE}units of {token_name(token)}"
    decimals, symbol = (STX_DECIMALS, "STX") if known is None else (known.decimals, known.symbol)
    return f"{decimal(amount, decimals, in_column=in_column)}{NARROW_SPACE}{symbol}"


def money_in_column(amount: int, token: str | None = None) -> str:
    """Return an amount for a column of a table; see ``money``."""
    return money(amount, token, in_column=True)


def token_name(token: str | None) -> str:
    """Return the name of a token: its symbol if it is well known, else its contract, shortened."""
    if token is None:
        return "STX"
    known = _KNOWN.get(token)
    return short_principal(token) if known is None else known.symbol


def short_principal(principal: str) -> str:
    """Return a principal shortened for a table: ``ST1PQ…PGZGM.usdcx``."""
    address, dot, name = principal.partition(".")
    return f"{address[:5]}…{address[-5:]}{dot}{name}" if len(address) > 12 else principal
