"""Arguments that are wrong, or at the edge of what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import IntEnum
from random import Random
from typing import Any, Final, TypeVar

from der_client.contracts.asset_verification import DeviceKey, KeyCurve
from tests.model.merkle import Proof
from tests.model.people import CONTRACT_OWNER, DEVICE_KEYS, PEOPLE, REGIONS, TOKEN
from tests.model.reference import System
from tests.model.reference.assets import Claim
from tests.model.reference.clock import start_of
from tests.model.reference.production import Signature

T = TypeVar("T")

_PRINCIPALS: Final = frozenset(
    {"who", "new_owner", "operator", "taker", "beneficiary", "buyer", "closer", "recipient", "to", "setter"}
)

UINT_MAX: Final = 2**128 - 1
LAST_DAY: Final = 2_932_895
"""The last day whose end Python's ``date`` can represent: 9999-12-30."""
_EDGES: Final = (0, 1, 2, 96, 10**12, 10**12 + 1, 10**15, 10**15 + 1, 2**96 - 1, 2**96, 2**127, UINT_MAX)


class WrongArguments:
    """Draws wrong arguments.

    Args:
        random: The source of all randomness.
        system: The model.
    """

    def __init__(self, random: Random, system: System) -> None:
        self.random = random
        self.system = system

    def instead_of(self, name: str, value: Any, arguments: dict[str, Any]) -> Any:
        """Return another value for an argument, which the client can still encode.

        Args:
            name: The argument.
            value: The value that makes sense.
            arguments: All arguments, with values that make sense.
        """
        match name:
            case "day" | "from_day" | "to_day":
                return self._day(value)
            case "expires_at" | "until":
                return self._time(value, arguments)
            case "device_key":
                return self._device_key(value)
            case "path":
                return Proof(value.tree, self.random.randrange(len(value.tree.leaves)))
            case "whs_hash":
                return b"\x01" * 32
            case "root":
                return bytes(self._pick((0, 31, 32)))
            case "leaf":
                return self._item(value)
            case "token":
                # Elsewhere the token is a trait argument, which the node checks before it runs the contract.
                return self._pick(("observer", TOKEN)) if {"listed", "price_per_kwh"} & set(arguments) else value
            case "metadata_hash":
                return bytes(self._pick((0, 31)))
            case "region":
                return self._pick(("", "EAST", *REGIONS))
            case "location":
                return self._pick(("", "9xja"))
            case "reason" | "purpose":
                return ""
            case "slot_seconds":
                return self._pick((0, 1, 899, 900, 1800, 3600, 86_400, UINT_MAX))
            case _ if name in _PRINCIPALS:
                return self._pick((CONTRACT_OWNER, *PEOPLE, "settlement", "observer"))
            case "items" | "payment_ids" | "offer_ids" | "days":
                return self._list(value)
            case "whs":
                return self._readings(value)
            case "signature":
                return self._signature(value)
        return self._plain(value)

    def _plain(self, value: Any) -> Any:
        if isinstance(value, bool):
            return not value
        if isinstance(value, IntEnum):
            return self._pick(list(type(value)))
        return self._uint(value)

    def _uint(self, value: int) -> int:
        near = (value + 1, max(0, value - 1), 2 * value, value // 2)
        return min(self._pick((*near, *near, *_EDGES)), UINT_MAX)

    def _day(self, day: int) -> int:
        today = self.system.clock.today
        near = (day - 1, day + 1, today, today + 1, today - 1, today - 30, today - 31, today - 45, today - 46)
        return self._pick((*near, today + 366, today + 367, 0, LAST_DAY))

    def _time(self, time: int, arguments: dict[str, Any]) -> int:
        now = self.system.clock.now
        begins = start_of(arguments.get("day", 1))
        return self._pick((now, now + 9, now + 10, now + 11, begins - 1, begins, begins + 1, time + 1, 0))

    def _list(self, items: Sequence[Any]) -> list[Any]:
        """Repeat an item, remove all, or change one."""
        if not items:
            return []
        kind = self.random.randrange(4)
        if kind == 0:
            return []
        if kind == 1:
            return [*items, self._pick(items)]
        number = self.random.randrange(len(items))
        item = items[number]
        item = self._item(item) if isinstance(item, dict) else self._uint(item)
        return [*items[:number], item, *items[number + 1 :]]

    def _item(self, item: dict[str, Any]) -> dict[str, Any]:
        """Change one field of an item."""
        name = self._pick(list(item))
        return item | {name: self.instead_of(name, item[name], item)}

    def _device_key(self, value: DeviceKey | Claim | None) -> DeviceKey | Claim | None:
        """Return another key, a key that is too short, a claim with a wrong proof, or ``None``."""
        short = DeviceKey(curve=KeyCurve.P256, key=b"\x02" * 32)
        if isinstance(value, Claim):
            return self._pick(
                (None, replace(value, signer=None), replace(value, key=short), replace(value, owner="sam"))
            )
        return None if value is None else self._pick((None, short, *DEVICE_KEYS))

    def _readings(self, whs: tuple[int, ...]) -> tuple[int, ...]:
        return self._pick(((), whs[:-1], (*whs[1:], 10**9), (*whs[1:], UINT_MAX), (UINT_MAX,) * 2, (0,) * 96))

    def _signature(self, signature: Signature) -> Signature:
        return self._pick(
            (
                replace(signature, key=self._pick(DEVICE_KEYS)),
                replace(signature, asset_id=signature.asset_id + 1),
                replace(signature, day=signature.day - 1),
                replace(signature, key_epoch=signature.key_epoch - 1),
                replace(signature, key_epoch=signature.key_epoch + 1),
                replace(signature, start=0, whs=(7,)),
                replace(signature, is_whole=False),
            )
        )

    def _pick(self, things: Sequence[T]) -> T:
        return things[self.random.randrange(len(things))]
