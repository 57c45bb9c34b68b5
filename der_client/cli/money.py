"""Amounts with their currency: STX, or a token's symbol and decimals. Each token is queried once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from der_client.cli.quantities import STX_DECIMALS, fixed
from der_client.stacks.errors import DerClientError

if TYPE_CHECKING:
    from der_client.stacks.rpc import Client

# A token chooses its symbol. One that is not a plain word, or looks like STX, is replaced by the contract's name.
_SYMBOL: Final = re.compile(r"(?!u?stx\Z)[A-Za-z0-9]{1,8}", re.IGNORECASE)
_MOST_DECIMALS: Final = 38


@dataclass(frozen=True)
class Currency:
    """What an amount is in.

    Attributes:
        token: The token's contract, ``ADDRESS.name``; ``None`` for STX.
        symbol: The symbol that people use for it.
        decimals: How many digits of an amount come after the point.
    """

    token: str | None
    symbol: str
    decimals: int

    def number(self, amount: int) -> str:
        """Write an amount in the smallest unit, without the symbol."""
        return fixed(amount, self.decimals)

    def text(self, amount: int) -> str:
        """Write an amount in the smallest unit, with the symbol."""
        return f"{self.number(amount)} {self.symbol}"


STX: Final = Currency(None, "STX", STX_DECIMALS)


@dataclass
class Currencies:
    """The currencies of a network, by the contract of the token.

    Attributes:
        client: The node.
    """

    client: Client
    _known: dict[str | None, Currency] = field(default_factory=lambda: {None: STX})

    def of(self, token: str | None) -> Currency:
        """Return the currency of a token's contract; STX for ``None``."""
        if token not in self._known:
            self._known[token] = self._asked(token)
        return self._known[token]

    def text(self, token: str | None, amount: int) -> str:
        """Write an amount with its symbol."""
        return self.of(token).text(amount)

    def _asked(self, token: str | None) -> Currency:
        from der_client.stacks.standards import Sip010  # noqa: PLC0415 -- only where there are tokens

        if token is None:
            return STX
        name = token.partition(".")[2]
        contract = Sip010.at(self.client, token)
        try:
            symbol, decimals = contract.get_symbol(), contract.get_decimals()
        except DerClientError:  # not a SIP-010 token: its smallest unit is all that is known
            return Currency(token, name, 0)
        is_plain = _SYMBOL.fullmatch(symbol) is not None
        return Currency(token, symbol if is_plain else name, min(decimals, _MOST_DECIMALS))
