"""A devnet with an account for each role, and the list of the costs measured so far."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.costs.call_cost import CallCost
from der_client import Der, PrivateKey
from der_client.contracts.asset_verification import AssetKind, DeviceKey, KeyClaim, KeyCurve, Registration, Role
from der_client.contracts.production_tracking import SignedDay
from der_client.readings import DayMessage, DayReadings
from der_client.readings.signers import compressed
from der_client.readings.signing import sign_key_proof
from der_client.stacks.fees import FeePolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from der_client.devnet import DevnetControl
    from der_client.readings.signers import Signer
    from der_client.stacks.contract.call import Call, Receipt

R = TypeVar("R")

REGION: Final = "CA-N"
CAPACITY_W: Final = 100_000
PRICE_PER_KWH: Final = 100_000
NO_LIMIT: Final = 10**18
METER, SMALL_METER, SPARE_METER = (PrivateKey.from_bytes(bytes([number]) * 32 + b"\x01") for number in (1, 2, 3))
P256_METER = ec.derive_private_key(4, ec.SECP256R1())
SLOT_SECONDS: Final = 900


@dataclass(frozen=True)
class MeasuredChain:
    """The participants, and the measured costs.

    Attributes:
        devnet: The chain.
        contract_owner: The owner of the contracts.
        official: An account with every role that is not bound to a region.
        grid_operator: The grid operator of the region.
        seller: The owner of the plants.
        buyer: The buyer of energy.
        anyone: An account without a role.
        measured: The costs so far, in the order of the calls.
    """

    devnet: DevnetControl
    contract_owner: Der
    official: Der
    grid_operator: Der
    seller: Der
    buyer: Der
    anyone: Der
    measured: list[CallCost] = field(default_factory=list)

    @classmethod
    def open(cls, devnet: DevnetControl) -> MeasuredChain:
        """Create it from a devnet on which the contracts are deployed; no roles are granted yet."""
        owner = Der.connect(devnet.url, devnet.deployer, fee_policy=FeePolicy(asks_node=False))
        seller, official, grid_operator, buyer, anyone = (
            owner.with_account(devnet.accounts[f"wallet_{number}"]) for number in (1, 3, 4, 5, 8)
        )
        return cls(devnet, owner, official, grid_operator, seller, buyer, anyone)

    def grant_roles(self) -> None:
        """Grant every role to its account."""
        for role in Role:
            who, region = (self.grid_operator, REGION) if role is Role.GRID_OPERATOR else (self.official, "")
            self.run(self.contract_owner.assets.set_role(role, address(who), region, granted=True))

    def run(self, call: Call[R]) -> R:
        """Send a call that must succeed; return its value."""
        return call.send().wait().value

    def run_all(self, calls: Iterable[Call[Any]]) -> None:
        """Send many calls of one account and wait for the last only. The caller must check the others' effects."""
        pending = account = None
        for call in calls:
            pending, account = call.send(), call.contract.require_account()
        if pending is not None and account is not None:
            pending.wait()
            account.forget_in_flight()

    def measure(self, call: Call[R], variant: str = "", *, readings: int = 0) -> R:
        """Send a call that must succeed, and note its cost; return its value.

        Raises:
            RuntimeError: If the devnet does not track costs.
        """
        # Build it before it runs: post-conditions are computed from the state that the call will find.
        transaction = call.transaction()
        receipt: Receipt[R] = call.send().wait()
        if receipt.cost is None or receipt.cost.runtime == 0:
            raise RuntimeError(f"no cost of {call.declared.name} is known: switch costs on with track_costs(True)")
        self.measured.append(CallCost.of(call, transaction, receipt.cost, variant, readings))
        return receipt.value

    def register(self, meter: Signer | None = None, *, variant: str | None = None) -> int:
        """Register a plant of the seller; measure it if a variant is given."""
        call = self._registration(meter)
        return self.run(call) if variant is None else self.measure(call, variant)

    def registration(self, meter: Signer | None = None) -> Registration:
        """Return the data of a new plant of the seller."""
        return Registration(
            kind=AssetKind.SOLAR,
            capacity_w=CAPACITY_W,
            location="9q8yy",
            region=REGION,
            metadata_hash=secrets.token_bytes(32),
            slot_seconds=SLOT_SECONDS,
            device_key=self.claim(meter),
        )

    def claim(self, meter: Signer | None) -> KeyClaim | None:
        """Return a meter's key with its proof for the seller."""
        key = device_key(meter)
        if meter is None or key is None:
            return None
        assets = self.seller.assets
        proof = sign_key_proof(
            meter,
            contract=assets.contract_id,
            owner=address(self.seller),
            chain_id=self.seller.client.network.chain_id,
        )
        return KeyClaim(curve=key.curve, key=key.key, proof=proof)

    def _registration(self, meter: Signer | None) -> Call[int]:
        plant = self.registration(meter)
        return self.seller.assets.register_asset(**{name: getattr(plant, name) for name in Registration.model_fields})

    def add_verified(self, meter: Signer | None = None) -> int:
        """Add a verified plant."""
        asset_id = self.register(meter)
        self.run(self.official.assets.verify_asset(asset_id, CAPACITY_W, device_key(meter)))
        return asset_id

    def add_many_verified(self, count: int) -> range:
        """Add verified plants without a meter key; return their ids."""
        first = self.seller.assets.get_asset_count() + 1
        plants = range(first, first + count)
        self.run_all(self._registration(None) for _ in plants)
        self.run_all(self.official.assets.verify_asset(plant, CAPACITY_W, None) for plant in plants)
        return plants

    def add_connected(self, meter: Signer | None = None, *, feed_metered: bool = False) -> int:
        """Add a verified and connected plant."""
        asset_id = self.add_verified(meter)
        self.connect(asset_id, feed_metered=feed_metered)
        return asset_id

    def connect(self, asset_id: int, *, feed_metered: bool = False) -> None:
        """Connect a verified plant."""
        self.run(self.seller.grid.request_connection(asset_id, CAPACITY_W))
        self.run(self.grid_operator.grid.approve_connection(asset_id, CAPACITY_W, feed_metered))

    def offer(self, asset_id: int, day: date, wh: int, taker: str | None = None, token: str | None = None) -> Call[int]:
        """Return an offer of a day: open until the day begins, or for a day if it has already begun."""
        now = self.seller.now()
        expires_at = start_of(day) if now < start_of(day) else now + timedelta(days=1)
        return self.seller.market.create_offer(asset_id, day, wh, PRICE_PER_KWH, 1_000, expires_at, taker, token)

    def funding(self, offer_id: int, wh: int) -> Call[int]:
        """Return the purchase of energy of an offer."""
        return self.buyer.settlement.accept_and_fund(offer_id, wh, wh, NO_LIMIT, NO_LIMIT)

    def signed_day(self, asset_id: int, day: date, whs: Sequence[int], meter: Signer) -> SignedDay:
        """Return readings from the first slot on, signed by the plant's first meter key."""
        production = self.anyone.production
        message = DayMessage.sign(
            meter,
            DayReadings(day, SLOT_SECONDS, 0, tuple(whs)),
            contract=production.contract_id,
            asset_id=asset_id,
            key_epoch=1,
            chain_id=self.anyone.client.network.chain_id,
        )
        return SignedDay(asset_id=asset_id, day=day, start=0, whs=tuple(whs), signature=message.rs)

    def relay(self, signed: SignedDay) -> Call[bool]:
        """Return the recording of a single signed day."""
        return self.anyone.production.record_day(signed.asset_id, signed.day, 0, signed.whs, signed.signature)


def address(who: Der) -> str:
    """Return the address of a connection's account."""
    if who.account is None:
        raise ValueError(f"{who!r} has no account")
    return who.account.address


def device_key(meter: Signer | None) -> DeviceKey | None:
    """Return the key of a meter as the register stores it."""
    if isinstance(meter, PrivateKey):
        return DeviceKey(curve=KeyCurve.SECP256K1, key=compressed(meter.public_key))
    if isinstance(meter, ec.EllipticCurvePrivateKey):
        return DeviceKey(curve=KeyCurve.P256, key=compressed(meter.public_key()))
    return None


def start_of(day: date) -> datetime:
    """Return midnight UTC at which a day begins."""
    return datetime.combine(day, time(), UTC)
