"""The five contracts together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.model.reference.assets import Assets
from tests.model.reference.clock import Clock
from tests.model.reference.grid import Grid
from tests.model.reference.market import Market
from tests.model.reference.production import Production
from tests.model.reference.settlement import Settlement, Token


@dataclass(frozen=True)
class Stx:
    """STX transfers that bypass all contracts.

    Attributes:
        purses: The settlement, which holds all balances.
    """

    purses: Settlement

    def transfer(self, caller: str, recipient: str, amount_ustx: int) -> None:
        """Transfer STX; the settlement contract cannot refuse them."""
        self.purses.move(caller, recipient, amount_ustx)


@dataclass
class System:
    """The whole model; a deep copy of it is a snapshot."""

    clock: Clock
    assets: Assets
    production: Production
    grid: Grid
    market: Market
    settlement: Settlement

    @classmethod
    def deployed(
        cls,
        *,
        now: int,
        contract_owner: str,
        settlement: str,
        fee_bps: int,
        balances: dict[str, int],
        tokens: dict[str, dict[str, int]],
    ) -> System:
        """Return the system in its state right after the deployment.

        Args:
            now: Chain time, unix seconds.
            contract_owner: The principal that deployed the contracts.
            settlement: The principal of the settlement contract.
            fee_bps: The fee at deployment.
            balances: The STX balances by principal, µSTX.
            tokens: The balances by principal, for the contract of each token.
        """
        clock = Clock(now)
        assets = Assets(clock, contract_owner)
        production = Production(clock, assets)
        grid = Grid(clock, assets, production)
        market = Market(clock, assets, grid)
        purses = {token: Token(Counter(held)) for token, held in tokens.items()}
        money = Settlement(clock, assets, grid, market, settlement, fee_bps, dict(balances), purses)
        return cls(clock, assets, production, grid, market, money)

    @property
    def stx(self) -> Stx:
        """STX transfers that bypass all contracts."""
        return Stx(self.settlement)

    def call(self, contract: str, function: str, caller: str, arguments: dict[str, Any]) -> Any:
        """Call a public function.

        Args:
            contract: ``assets``, ``production``, ``grid``, ``market``, ``settlement``, or ``stx`` for a plain transfer.
            function: The name of the function.
            caller: The caller's principal.
            arguments: The arguments by name.

        Raises:
            Refused: If the call must fail.
        """
        return getattr(getattr(self, contract), function)(caller, **arguments)
