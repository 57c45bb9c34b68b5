"""The contracts: their settings and roles, and what the settlement contract owes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from der_client.contracts.asset_verification import Role


@dataclass(frozen=True, slots=True)
class System:
    """The settings of the contracts.

    Attributes:
        contract_owner: Who owns them.
        proposed_contract_owner: Who is proposed as the next owner.
        paused: Whether new exposure is stopped.
        fee_bps: The fee of payments funded now, basis points; ``None`` before settlement is deployed.
        next_fee_bps: The announced fee.
        next_from: When the announced fee takes effect; ``None`` if none was announced.
        tokens: The tokens that offers may be priced in, besides STX.
    """

    contract_owner: str
    proposed_contract_owner: str | None
    paused: bool
    fee_bps: int | None
    next_fee_bps: int | None
    next_from: datetime | None
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role that an account holds.

    Attributes:
        role: The role.
        principal: Who has it.
        region: The region; empty for roles without one.
        since_height: The block that granted it.
    """

    role: Role
    principal: str
    region: str
    since_height: int


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """What the settlement contract owes in a token, or in µSTX.

    Attributes:
        token: The token; ``None`` for STX.
        escrow: Locked in payments.
        fees: Earned and not withdrawn.
        credits: The amount that parties can withdraw.
    """

    token: str | None
    escrow: int
    fees: int
    credits: int


@dataclass(frozen=True, slots=True)
class Credit:
    """What a party can withdraw of a token, in its smallest unit."""

    party: str
    token: str
    amount: int
