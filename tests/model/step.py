"""What can happen: a call, or time passing. Concrete, so that a run can be repeated, shortened and kept as a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

from der_client.contracts.asset_verification import DeviceKey
from tests.model.merkle import Proof, Tree
from tests.model.people import DEVICE_KEYS
from tests.model.reference.assets import Claim
from tests.model.reference.production import Signature


@dataclass(frozen=True)
class Step:
    """A call of a public function.

    Attributes:
        actor: The name of who calls.
        contract: ``assets``, ``production``, ``grid``, ``market``, ``settlement``, or ``stx`` for a plain transfer.
        function: Its name in Python.
        arguments: By Python name. Days are counted from 1970, times are unix seconds, people stand by name.
    """

    actor: str
    contract: str
    function: str
    arguments: dict[str, Any]

    def __repr__(self) -> str:
        """Python that makes it."""
        named = "".join(f", {name}={source(value)}" for name, value in self.arguments.items())
        return f'step({source(self.actor)}, "{self.contract}.{self.function}"{named})'


@dataclass(frozen=True)
class Wait:
    """Time passes.

    Attributes:
        until: Unix seconds.
    """

    until: int

    def __repr__(self) -> str:
        """Python that makes it."""
        return f"Wait({self.until})"


Action = Step | Wait


def source(value: Any) -> str:
    """Python that makes an argument."""
    match value:
        case IntEnum():
            return f"{type(value).__name__}.{value.name}"
        case DeviceKey() if value in DEVICE_KEYS:
            return f"DEVICE_KEYS[{DEVICE_KEYS.index(value)}]"
        case str():
            return f'"{value}"'
        case tuple() if len(value) > 2 and len(set(value)) == 1:
            return f"({source(value[0])},) * {len(value)}"
        case tuple():
            return f"({''.join(f'{source(item)}, ' for item in value)})"
        case list():
            return f"[{', '.join(map(source, value))}]"
        case Mapping():
            return f"{{{', '.join(f'{source(name)}: {source(item)}' for name, item in value.items())}}}"
        case Signature() | Claim() | Proof() | Tree():
            named = ", ".join(f"{field.name}={source(getattr(value, field.name))}" for field in fields(value))
            return f"{type(value).__name__}({named})"
    return repr(value)


def step(actor: str, function: str, /, **arguments: Any) -> Step:
    """Make a step: ``step("alice", "assets.retire_asset", asset_id=1)``."""
    contract, _, name = function.partition(".")
    return Step(actor, contract, name, arguments)
