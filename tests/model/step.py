"""The actions of a run: calls, and waiting. They are concrete, so a run can be repeated, shortened and kept."""

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
        actor: The name of the caller.
        contract: ``assets``, ``production``, ``grid``, ``market``, ``settlement``, or ``stx`` for a plain transfer.
        function: The name of the function in Python.
        arguments: By Python name. Days are counted from 1970, times are unix seconds, people are given by name.
    """

    actor: str
    contract: str
    function: str
    arguments: dict[str, Any]

    def __repr__(self) -> str:
        """Return the Python that creates the step."""
        named = "".join(f", {name}={source(value)}" for name, value in self.arguments.items())
        return f'step({source(self.actor)}, "{self.contract}.{self.function}"{named})'


@dataclass(frozen=True)
class Wait:
    """A wait.

    Attributes:
        until: The time it ends, in unix seconds.
    """

    until: int

    def __repr__(self) -> str:
        """Return the Python that creates the wait."""
        return f"Wait({self.until})"


Action = Step | Wait


def source(value: Any) -> str:
    """Return the Python that creates an argument."""
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
    """Create a step: ``step("alice", "assets.retire_asset", asset_id=1)``."""
    contract, _, name = function.partition(".")
    return Step(actor, contract, name, arguments)
