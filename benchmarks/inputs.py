"""The inputs of all measurements: the same for all peers and in each run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from der_client import PrivateKey
from der_client.stacks.clarity import (
    AsciiValue,
    BoolValue,
    BufferValue,
    ClarityValue,
    ListValue,
    NoneValue,
    PrincipalValue,
    SomeValue,
    TupleValue,
    UIntValue,
)
from der_client.stacks.network import DEVNET

_VARIANTS: Final = 16
_FIRST_DAY: Final = date(2026, 1, 1)
_EPOCH: Final = date(1970, 1, 1)

KEY: Final = PrivateKey.from_bytes(bytes(range(1, 33)) + b"\x01")
ADDRESSES: Final = tuple(
    PrivateKey.from_bytes(bytes([number]) * 32 + b"\x01").address(DEVNET) for number in range(1, _VARIANTS + 1)
)
DEPLOYER: Final = ADDRESSES[0]
FEE_USTX: Final = 1000


@dataclass(frozen=True, slots=True)
class Retirement:
    """The arguments of ``retire-energy``."""

    asset_id: int
    day: date
    wh: int
    beneficiary: str

    @property
    def day_number(self) -> int:
        """The day as a number, as in Clarity."""
        return (self.day - _EPOCH).days


RETIREMENTS: Final = tuple(
    Retirement(number + 1, _FIRST_DAY + timedelta(days=number), 1000 * number + 7, address)
    for number, address in enumerate(ADDRESSES)
)

TUPLES: Final[tuple[ClarityValue, ...]] = tuple(
    TupleValue(
        {
            "asset-id": UIntValue(number),
            "connected": BoolValue(number % 2 == 0),
            "day": UIntValue(20_454 + number),
            "meter-hash": BufferValue(bytes([number]) * 32),
            "owner": PrincipalValue(address),
            "region": AsciiValue(f"CO-{number}"),
            "wh": UIntValue(24_072 * number),
        }
    )
    for number, address in enumerate(ADDRESSES)
)
"""Tuples of 7 fields, with the types that contracts use most."""

LISTS: Final[tuple[ClarityValue, ...]] = tuple(
    ListValue(
        TupleValue(
            {
                "asset-id": UIntValue(200 * number + place),
                "day": UIntValue(20_454 + place),
                "owner": PrincipalValue(ADDRESSES[place % len(ADDRESSES)]),
                "wh": UIntValue(24_072 * place),
            }
        )
        for place in range(200)
    )
    for number in range(4)
)
"""Lists of 200 tuples with 4 fields."""

OFFERS: Final[tuple[ClarityValue, ...]] = tuple(
    SomeValue(
        TupleValue(
            {
                "asset-id": UIntValue(number),
                "day": UIntValue(20_454 + number),
                "spot": BoolValue(number % 2 == 0),
                "seller": PrincipalValue(seller),
                "maker": PrincipalValue(maker),
                "wh": UIntValue(30_000),
                "open-wh": UIntValue(30_000 - 1000 * number),
                "price": UIntValue(83_333),
                "min-fill-wh": UIntValue(1000),
                "expires-at": UIntValue(1_790_000_000 + number),
                "taker": SomeValue(PrincipalValue(maker)) if number % 2 else NoneValue(),
                "token": NoneValue() if number % 2 else SomeValue(PrincipalValue(f"{maker}.usdcx")),
                "epoch": UIntValue(1),
                "state": UIntValue(1 + number % 6),
                "fills": UIntValue(number),
                "unsettled-fills": UIntValue(number % 3),
            }
        )
    )
    for number, (seller, maker) in enumerate(zip(ADDRESSES, reversed(ADDRESSES), strict=True))
)
"""Results of ``get-offer``."""
