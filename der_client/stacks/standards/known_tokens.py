"""Ids of well-known tokens on each network. Compare them with the issuer's documentation before you move money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from der_client.stacks.errors import InvalidValueError
from der_client.stacks.network import Network, check_network_kind


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A fungible token (SIP-010) that is known by name.

    Attributes:
        symbol: Its symbol.
        asset: Its name in the contract, for post-conditions.
        decimals: How many digits of an amount are after the decimal point.
        contract_ids: ``ADDRESS.name`` by the name of the network.
    """

    symbol: str
    asset: str
    decimals: int
    contract_ids: Mapping[str, str]

    def contract_id(self, network: Network) -> str:
        """Return its contract on a network, for ``Sip010.at(client, SBTC.contract_id(client.network))``.

        Raises:
            InvalidValueError: If it has no well-known contract there.
        """
        check_network_kind(network)
        if network.name not in self.contract_ids:
            raise InvalidValueError(
                f"{self.symbol} has no well-known contract on {network.name}, only on {', '.join(self.contract_ids)}: "
                "give the id of the contract that represents it there"
            )
        return self.contract_ids[network.name]

    def asset_id(self, network: Network) -> str:
        """Return ``ADDRESS.name::asset``, its name in post-conditions.

        Raises:
            InvalidValueError: If it has no well-known contract there.
        """
        return f"{self.contract_id(network)}::{self.asset}"


SBTC: Final = KnownToken(
    "sBTC",
    "sbtc-token",
    8,
    {
        "mainnet": "SM3VDXK3WZZSA84XXFKAFAF15NNZX32CTSG82JFQ4.sbtc-token",
        "testnet": "ST1F7QA2MDF17S807EPA36TSS8AMEFY4KA9TVGWXT.sbtc-token",
    },
)
USDCX: Final = KnownToken(
    "USDCx",
    "usdcx-token",
    6,
    {
        "mainnet": "SP120SBRBQJ00MCWS7TM5R8WJNTTKD5K0HFRC2CNE.usdcx",
        "testnet": "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM.usdcx",
    },
)
