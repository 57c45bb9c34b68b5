"""Who takes part in the demo, and with which plants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from der_client.readings import NREL_SERF_EAST_CAPACITY_W

# Who does what, by the names of the devnet's accounts.
CONTRACT_OWNER: Final = "deployer"
LABORATORY: Final = "wallet_1"
SOLAR_COMPANY: Final = "wallet_2"
AUTHORITY: Final = "wallet_3"
GRID_OPERATOR: Final = "wallet_4"
UTILITY: Final = "wallet_5"
COMMUNITY: Final = "wallet_6"
RELAYER: Final = "wallet_7"
COMPANY: Final = "wallet_8"

ROLES: Final = {
    CONTRACT_OWNER: ("contract owner", "publishes the contracts, grants roles, lists a token"),
    LABORATORY: ("laboratory", "owns a roof with solar panels, and sells its energy"),
    SOLAR_COMPANY: ("solar company", "owns a school's roof and a field; sells their energy"),
    AUTHORITY: ("authority", "verifies plants, and what they produced"),
    GRID_OPERATOR: ("grid operator", "connects plants, meters what the field feeds in"),
    UTILITY: ("utility", "buys a day ahead, first in line"),
    COMMUNITY: ("community", "buys a day ahead, second in line, and what is left"),
    RELAYER: ("relayer", "records readings on the chain, settles; anyone may"),
    COMPANY: ("company", "buys for a token, and claims what it bought"),
}
"""The name and the task of each account."""


@dataclass(frozen=True)
class Plant:
    """A plant of the demo: the measured one, or other days of its data scaled to another capacity.

    Attributes:
        name: Its name, for people.
        owner: The devnet's account that owns it.
        capacity_w: Rated power, W.
        first_data_day: The first day of the data that it uses.
        feed_metered: Whether the grid operator meters what it exports.
        utility_percent: How much of the expected energy the utility buys ahead, %.
        community_percent: The same for the community, after the utility.
        price_ustx_per_kwh: The price of its energy, µSTX per kWh.
        p256_meter: Whether its meter signs on P-256, as most secure elements do, and not on secp256k1.
    """

    name: str
    owner: str
    capacity_w: int
    first_data_day: int
    feed_metered: bool
    utility_percent: int
    community_percent: int
    price_ustx_per_kwh: int
    p256_meter: bool = False


PLANTS: Final = (
    Plant("SERF East roof", LABORATORY, NREL_SERF_EAST_CAPACITY_W, 0, False, 60, 40, 83_333),
    Plant("school roof", SOLAR_COMPANY, 48_000, 30, False, 70, 0, 75_000, p256_meter=True),
    Plant("solar field", SOLAR_COMPANY, 240_000, 60, True, 50, 0, 61_001),
)
