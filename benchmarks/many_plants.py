"""A year of many plants as an index would read it: invented, but in the form that the contracts print.

Plants of several kinds and regions record each day: most by their meter's signature, some by an oracle. Days are
verified, feeds metered, energy offered, bought, settled and claimed, in STX and in a token. On the last days, some of
this is still to be done. The same seed generates the same year.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from der_client.contracts import asset_verification as assets
from der_client.contracts import grid_integration as grid
from der_client.contracts import market_participation as market
from der_client.contracts import production_tracking as production
from der_client.contracts import settlement
from der_client.contracts.asset_verification import AssetKind, AssetState, DeviceKey, KeyCurve, Role
from der_client.contracts.grid_integration import ConnectionState, ExportCap
from der_client.contracts.market_participation import OfferState
from der_client.contracts.production_tracking import DayState
from der_client.contracts.settlement import PaymentState
from der_client.index.chain_data import ChainBlock, ChainTransaction, FilledBlock, Printed
from der_client.index.database import Database, write_about
from der_client.index.writer import Writer
from der_client.stacks.address import c32_address
from der_client.stacks.clarity import BoolValue, BufferValue, ListValue, OkValue, UIntValue, encode
from der_client.stacks.contract.annotations import day_number_of
from der_client.stacks.network import DEVNET

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from der_client.stacks.contract.events import Event

E = TypeVar("E", bound="Event")

SLOT_SECONDS: Final = 900
SLOTS: Final = 96
FEE_BPS: Final = 50
_EVENTS_PER_BATCH: Final = 2_000
_OK: Final = encode(OkValue(BoolValue(True)))
_REGIONS: Final = (("CO", "9xj3ud"), ("CA", "9q8yyk"), ("DE-TSO", "u33dc0"), ("DK1", "u4pru"))
_KINDS: Final = (AssetKind.SOLAR, AssetKind.SOLAR, AssetKind.WIND, AssetKind.SOLAR, AssetKind.HYDRO)
_PURPOSES: Final = ("electricity of our offices", "scope 2, market-based", "data centre", "trams")
_BUYERS: Final = 6


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts that a chain can contain; tests replace them with hostile ones.

    Attributes:
        region: Replaces every region, if given.
        location: Replaces every location, if given.
        purpose: Replaces every purpose, if given.
        reason: The reason for rejecting or disputing days.
    """

    region: str = ""
    location: str = ""
    purpose: str = ""
    reason: str = "meter was replaced that day"


@dataclass(slots=True)
class _Plant:
    asset_id: int
    kind: AssetKind
    owner: str
    capacity_w: int
    price: int
    is_signed: bool
    is_metered: bool
    region: str
    location: str
    forward: dict[date, list[settlement.PaymentFunded]] = field(default_factory=dict)


def address(name: str) -> str:
    """Return a test address for a name.

    Args:
        name: Any text.
    """
    return c32_address(26, hashlib.sha256(name.encode()).digest()[:20])


DEPLOYER: Final = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"
TOKEN: Final = f"{DEPLOYER}.usdcx"


class ManyPlants:
    """Generates the blocks of a year of plants.

    Args:
        plants: The number of plants.
        days: The number of days that they record.
        last_day: The last day that is over.
        texts: Texts to use instead of the usual ones.
        mishaps: The share of days that are rejected or disputed.
        seed: The seed of all randomness.
    """

    def __init__(
        self,
        plants: int = 40,
        days: int = 365,
        *,
        last_day: date = date(2026, 6, 30),
        texts: Texts | None = None,
        mishaps: float = 0.003,
        seed: int = 1,
    ) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - nothing is secret
        self._count, self._days, self._last = plants, days, last_day
        self._texts, self._mishaps = texts or Texts(), mishaps
        self._height = 0
        self._hash = "00" * 32
        self._ids: defaultdict[str, int] = defaultdict(int)
        self._offers: dict[int, market.OfferCreated] = {}
        self._settled: list[settlement.PaymentSettled] = []
        self._claimed: defaultdict[int, int] = defaultdict(int)
        self._plants: list[_Plant] = []
        self._transactions: list[ChainTransaction] = []
        self._official, self._operator, self._oracle = (address(name) for name in ("authority", "grid", "oracle"))

    def blocks(self) -> Iterator[FilledBlock]:
        """Yield the blocks in order."""
        first = self._last - timedelta(days=self._days - 1)
        yield from self._beginning(first - timedelta(days=20))
        for number in range(self._days):
            yield from self._day(first + timedelta(days=number), self._days - 1 - number)
        yield from self._today(self._last + timedelta(days=1))

    def _block(self, moment: datetime) -> FilledBlock:
        self._height += 1
        parent, self._hash = self._hash, hashlib.sha256(f"block {self._height}".encode()).hexdigest()
        block = ChainBlock(self._height, self._hash, moment, parent, 800_000 + self._height)
        made, self._transactions = tuple(self._transactions), []
        numbered = (replace(each, tx_index=number) for number, each in enumerate(made))
        return FilledBlock(block, tuple(numbered))

    def _call(
        self, sender: str, contract: str, function: str, *events: Event, arguments: tuple[bytes, ...] = ()
    ) -> None:
        self._ids["tx"] += 1
        txid = hashlib.sha256(f"tx {self._ids['tx']}".encode()).hexdigest()
        printed = tuple(Printed(number, event) for number, event in enumerate(events))
        contract_id = f"{DEPLOYER}.{contract}"
        self._transactions.append(
            ChainTransaction(txid, 0, sender, contract_id, function, arguments, "success", _OK, 3_000, None, printed)
        )

    def _next(self, name: str) -> int:
        self._ids[name] += 1
        return self._ids[name]

    def _beginning(self, day: date) -> Iterator[FilledBlock]:
        deployed: tuple[Event, ...] = (
            _made(
                assets.ContractDeployed,
                contract_owner=DEPLOYER,
                paused=False,
                seconds_per_day=86_400,
                max_capacity_w=10**12,
                max_price_ustx_per_kwh=10**15,
                days_between_changes=46,
                recording_days=30,
            ),
            _made(
                production.ContractDeployed, recording_days=30, window_days=45, tolerance_percent=110, max_leaves=2**24
            ),
            _made(grid.ContractDeployed, window_days=45),
            _made(market.ContractDeployed, max_forward_days=366, max_price=10**15, max_wh=10**15),
            _made(settlement.ContractDeployed, fee_bps=FEE_BPS, max_fee_bps=500, fee_notice_seconds=604_800),
        )
        for event in deployed:
            self._call(DEPLOYER, "", "deploy", event)
        self._call(
            DEPLOYER,
            "settlement",
            "set-token",
            _made(market.TokenSet, token=TOKEN, listed=True, actor=DEPLOYER),
        )
        for role, who in (
            (Role.REGISTRAR, self._official),
            (Role.VERIFIER, self._official),
            (Role.ORACLE, self._oracle),
        ):
            self._call(
                DEPLOYER,
                "asset-verification",
                "set-role",
                _made(assets.RoleSet, actor=DEPLOYER, role=role, who=who, region="", granted=True),
            )
        yield self._block(_at(day, 8))
        for _ in range(self._count):
            self._register(day)
        yield self._block(_at(day, 9))

    def _register(self, day: date) -> None:
        number = self._next("asset")
        region, location = _REGIONS[number % len(_REGIONS)]
        kind = _KINDS[number % len(_KINDS)]
        plant = _Plant(
            number,
            kind,
            address(f"owner {number % max(1, self._count // 3)}"),
            self._chance.choice((6_000, 9_900, 30_000, 250_000, 2_000_000)),
            self._chance.randrange(40_000, 140_000, 500),
            number % 5 != 0,
            number % 4 == 0,
            self._texts.region or region,
            self._texts.location or location,
        )
        self._plants.append(plant)
        key = DeviceKey(curve=KeyCurve.SECP256K1, key=b"\x02" + hashlib.sha256(f"meter {number}".encode()).digest())
        key_or_none = key if plant.is_signed else None
        same: dict[str, Any] = {"asset_id": number, "capacity_w": plant.capacity_w, "device_key": key_or_none}
        registered = _made(
            assets.AssetRegistered,
            actor=plant.owner,
            kind=kind,
            location=plant.location,
            region=plant.region,
            metadata_hash=hashlib.sha256(f"documents {number}".encode()).digest(),
            slot_seconds=SLOT_SECONDS,
            epoch=1,
            key_epoch=1,
            state=AssetState.PENDING,
            **same,
        )
        self._call(plant.owner, "asset-verification", "register-asset", registered)
        verified = _made(
            assets.AssetVerified,
            actor=self._official,
            verified_day=day,
            key_from_day=day,
            state=AssetState.VERIFIED,
            **same,
        )
        self._call(self._official, "asset-verification", "verify-asset", verified)
        limit = plant.capacity_w if number % 3 else plant.capacity_w * 7 // 10
        requested = _made(
            grid.ConnectionRequested,
            asset_id=number,
            actor=plant.owner,
            region=plant.region,
            export_limit_w=limit,
            state=ConnectionState.REQUESTED,
        )
        self._call(plant.owner, "grid-integration", "request-connection", requested)
        approved = _made(
            grid.ConnectionApproved,
            asset_id=number,
            actor=self._operator,
            export_limit_w=limit,
            feed_metered=plant.is_metered,
            approved_day=day,
            export_schedule=(ExportCap(from_day=day, cap_w=limit),),
            state=ConnectionState.CONNECTED,
        )
        self._call(self._operator, "grid-integration", "approve-connection", approved)

    def _day(self, day: date, left: int) -> Iterator[FilledBlock]:
        """Generate a day: sold the day before, recorded the next morning, verified and settled the next noon."""
        for plant in self._plants:
            self._sell_ahead(plant, day)
        yield self._block(_at(day - timedelta(days=1), 12))
        after = day + timedelta(days=1)
        recorded = {plant.asset_id: self._record(plant, day, left) for plant in self._plants}
        yield self._block(_at(after, 1))
        if left < 2:  # the last days are not verified yet
            return
        for plant in self._plants:
            self._verify(plant, day, recorded[plant.asset_id])
        yield self._block(_at(after, 12))
        if left >= 3:
            for plant in self._plants:
                self._settle(plant, day, recorded[plant.asset_id])
            yield self._block(_at(after, 13))

    def _sell_ahead(self, plant: _Plant, day: date) -> None:
        wh = plant.capacity_w * 3 // 2
        in_token = plant.asset_id % 7 == 0
        offer = self._offer(plant, day, wh, _at(day, 0), TOKEN if in_token else None)
        before = open_taken = 0
        for fill in range(1, self._chance.choice((1, 1, 2)) + 1):
            taken = wh * self._chance.choice((30, 40, 50)) // 100
            open_taken += taken
            self._take(plant, offer, taken, before, wh - open_taken, fill)
            before += taken

    def _offer(self, plant: _Plant, day: date, wh: int, expires_at: datetime, token: str | None) -> market.OfferCreated:
        offer = _made(
            market.OfferCreated,
            offer_id=self._next("offer"),
            asset_id=plant.asset_id,
            day=day,
            actor=plant.owner,
            spot=False,
            seller=plant.owner,
            wh=wh,
            open_wh=wh,
            price_per_kwh=plant.price,
            min_fill_wh=wh // 10,
            expires_at=expires_at,
            taker=None,
            token=token,
            epoch=1,
            state=OfferState.PENDING,
        )
        self._offers[offer.offer_id] = offer
        self._call(plant.owner, "market-participation", "create-offer", offer)
        return offer

    def _take(
        self, plant: _Plant, offer: market.OfferCreated, wh: int, before_wh: int, open_wh: int, fills: int
    ) -> None:
        buyer = address(f"buyer {self._chance.randrange(_BUYERS)}")
        named: dict[str, Any] = {
            "offer_id": offer.offer_id,
            "asset_id": plant.asset_id,
            "day": offer.day,
            "actor": buyer,
            "wh": wh,
            "before_wh": before_wh,
        }
        accepted = _made(
            market.OfferAccepted,
            open_wh=open_wh,
            fills=fills,
            unsettled_fills=fills,
            state=OfferState.ACCEPTED,
            **named,
        )
        funded = _made(
            settlement.PaymentFunded,
            payment_id=self._next("payment"),
            spot=False,
            payee=plant.owner,
            token=offer.token,
            claimable=True,
            price_per_kwh=offer.price_per_kwh,
            fee_bps=FEE_BPS,
            cost=-(-wh * offer.price_per_kwh // 1000),
            state=PaymentState.LOCKED,
            **named,
        )
        plant.forward.setdefault(offer.day, []).append(funded)
        self._call(buyer, "settlement", "accept-and-fund", accepted, funded)

    def _record(self, plant: _Plant, day: date, left: int) -> tuple[int, int]:
        """Record a day, with a gap now and then, more often on the last days; return its mask and energy."""
        start, length = 0, SLOTS
        if self._chance.random() < (0.25 if left < 5 else 0.01):
            start, length = self._chance.choice(((0, 60), (30, 66), (12, 70)))
        return self._record_slots(plant, day, start, length)

    def _record_slots(self, plant: _Plant, day: date, start: int, length: int) -> tuple[int, int]:
        whs = _slots(plant.kind, plant.capacity_w, day, self._chance)[start : start + length]
        mask, wh = ((1 << length) - 1) << start, sum(whs)
        event = _made(
            production.ProductionRecorded,
            asset_id=plant.asset_id,
            day=day,
            actor=plant.owner if plant.is_signed else self._oracle,
            signed=plant.is_signed,
            mask=mask,
            wh=wh,
            day_mask=mask,
            day_wh=wh,
            root_id=None,
            state=DayState.RECORDED,
        )
        if not plant.is_signed:
            self._call(self._oracle, "production-tracking", "record-production", event)
            return mask, wh
        arguments = (
            UIntValue(plant.asset_id),
            UIntValue(day_number_of(day)),
            UIntValue(start),
            ListValue(map(UIntValue, whs)),
            BufferValue(bytes(64)),
        )
        encoded = tuple(map(encode, arguments))
        self._call(plant.owner, "production-tracking", "record-day", event, arguments=encoded)
        return mask, wh

    def _verify(self, plant: _Plant, day: date, recorded: tuple[int, int]) -> None:
        mask, wh = recorded
        same: dict[str, Any] = {"asset_id": plant.asset_id, "day": day, "actor": self._official, "mask": mask, "wh": wh}
        chance = self._chance.random()
        if chance < self._mishaps / 5:
            event: Event = _made(production.DayDisputed, reason=self._texts.reason, state=DayState.DISPUTED, **same)
            self._call(self._official, "production-tracking", "dispute-day", event)
            return
        if chance < self._mishaps:
            event = _made(production.DayRejected, reason=self._texts.reason, state=DayState.REJECTED, **same)
            self._call(self._official, "production-tracking", "reject-day", event)
            return
        event = _made(production.DayVerified, state=DayState.VERIFIED, **same)
        self._call(self._official, "production-tracking", "verify-day", event)
        if not plant.is_metered:
            return
        exported = {"asset_id": plant.asset_id, "day": day, "exported_wh": wh * 97 // 100, "imported_wh": 120}
        fed = _made(grid.FeedRecorded, actor=self._operator, replaced=False, **exported)
        self._call(self._operator, "grid-integration", "record-feed", fed)
        if (self._last - day).days > 4:
            confirmed = _made(grid.FeedVerified, actor=self._official, **exported)
            self._call(self._official, "grid-integration", "verify-feed", confirmed)

    def _settle(self, plant: _Plant, day: date, recorded: tuple[int, int]) -> None:
        mask, deliverable = recorded
        payments = plant.forward.pop(day, [])
        self._expire(payments)
        if self._chance.random() < 0.002 or (plant.is_metered and (self._last - day).days <= 4):
            return  # remains due, or waits for its feed
        for number, funded in enumerate(payments):
            delivered = max(0, min(funded.wh, deliverable - funded.before_wh))
            gross = delivered * funded.price_per_kwh // 1000
            fee = gross * funded.fee_bps // 10_000
            closed: dict[str, Any] = {
                "offer_id": funded.offer_id,
                "asset_id": funded.asset_id,
                "day": funded.day,
                "actor": self._official,
            }
            settled = _made(
                settlement.PaymentSettled,
                payment_id=funded.payment_id,
                buyer=funded.actor,
                payee=funded.payee,
                token=funded.token,
                cost=funded.cost,
                delivered_wh=delivered,
                payout=gross - fee,
                fee=fee,
                refund=funded.cost - gross,
                state=PaymentState.SETTLED,
                **closed,
            )
            fill = _made(
                market.OfferFillClosed,
                open_wh=0,
                unsettled_fills=len(payments) - number - 1,
                state=OfferState.COMPLETED if number == len(payments) - 1 else OfferState.ACCEPTED,
                **closed,
            )
            self._call(self._official, "settlement", "settle", fill, settled)
            if delivered and self._chance.random() < 0.12:
                self._claim(settled, delivered, mask)

    def _expire(self, payments: list[settlement.PaymentFunded]) -> None:
        """Expire what was not sold of an offer."""
        last = payments[-1]
        offer = self._offers.pop(last.offer_id)
        closed_wh = offer.wh - sum(payment.wh for payment in payments)
        if closed_wh > 0:
            expired = _made(
                market.OfferExpired,
                offer_id=last.offer_id,
                asset_id=last.asset_id,
                day=last.day,
                actor=self._official,
                closed_wh=closed_wh,
                open_wh=0,
                state=OfferState.ACCEPTED,
            )
            self._call(self._official, "market-participation", "expire-offer", expired)

    def _claim(self, settled: settlement.PaymentSettled, wh: int, mask: int) -> None:
        claimed = _made(
            settlement.EnergyClaimed,
            claim_id=self._next("claim"),
            payment_id=settled.payment_id,
            asset_id=settled.asset_id,
            day=settled.day,
            mask=mask,
            actor=settled.buyer,
            wh=wh,
            beneficiary=settled.buyer,
            purpose=self._texts.purpose or self._chance.choice(_PURPOSES),
            claimed_wh=wh,
        )
        self._call(settled.buyer, "settlement", "claim", claimed)

    def _today(self, day: date) -> Iterator[FilledBlock]:
        """Generate today until the afternoon: some slots are recorded, the days ahead offered, an operator set."""
        for plant in self._plants:
            for ahead in range(1, 8 if plant.asset_id % 3 else 2):
                self._sell_ahead(plant, day + timedelta(days=ahead))
        yield self._block(_at(day, 9))
        for plant in self._plants:
            if plant.is_signed:
                self._record_slots(plant, day, 0, 56)
        moving = self._plants[0]
        named = _made(
            assets.OperatorSet,
            asset_id=moving.asset_id,
            actor=moving.owner,
            operator=address("operator"),
            min_price_ustx_per_kwh=50_000,
            epoch=2,
        )
        self._call(moving.owner, "asset-verification", "set-operator", named)
        yield self._block(_at(day, 14))


def fill(place: str | Path, blocks: Iterable[FilledBlock]) -> int:
    """Write blocks into a new index, like a follower.

    Args:
        place: A path (SQLite) or a URL.
        blocks: The blocks, in order.

    Returns:
        The number of events.
    """
    database, writer = Database(place, writable=True), Writer()
    with database.transaction("be written") as connection:
        for name, value in {"network": str(DEVNET.chain_id), "deployer": DEPLOYER}.items():
            write_about(connection, name, value)
    count = 0
    batch: list[FilledBlock] = []
    for filled in blocks:
        batch.append(filled)
        size = sum(len(transaction.printed) for each in batch for transaction in each.transactions)
        if size >= _EVENTS_PER_BATCH:
            _write(database, writer, batch)
            count += size
            batch = []
    _write(database, writer, batch)
    database.close()
    return count + sum(len(transaction.printed) for each in batch for transaction in each.transactions)


def _write(database: Database, writer: Writer, batch: list[FilledBlock]) -> None:
    with database.transaction("be written") as connection:
        writer.write(connection, batch)


def _made(event: type[E], /, **values: Any) -> E:
    """Create an event without validation, because its values are known to be valid."""
    made: Any = event.model_construct(**values)
    return made  # type: ignore[no-any-return]


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), UTC)


def _slots(kind: AssetKind, capacity_w: int, day: date, chance: random.Random) -> list[int]:
    """Return the energy of each slot: the sun's arc over the year, slowly changing wind, almost constant water."""
    full = capacity_w * SLOT_SECONDS // 3600
    if kind is AssetKind.SOLAR:
        season = 0.62 + 0.33 * math.cos((day.timetuple().tm_yday - 172) / 365 * 2 * math.pi)
        length = 9 + 6 * season
        sky = chance.choice((0.25, 0.55, 0.8, 0.95, 1.0))
        return [_sun(full * season * sky, slot / 4 - 12, length, chance) for slot in range(SLOTS)]
    level = chance.uniform(0.05, 0.85) if kind is AssetKind.WIND else 0.55
    swing = 0.3 if kind is AssetKind.WIND else 0.03
    phase = chance.uniform(0, 6)
    return [int(full * min(1, max(0, level + swing * math.sin(phase + slot / 14)))) for slot in range(SLOTS)]


def _sun(peak: float, hours_from_noon: float, length: float, chance: random.Random) -> int:
    if abs(hours_from_noon) >= length / 2:
        return 0
    return int(peak * math.cos(hours_from_noon / length * math.pi) * chance.uniform(0.85, 1.0))
