"""A complete example: three plants, real meter data, sales, settlement and a claim, all by signed calls.

It uses only what any program can import, so it is also the longest example.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec

from der_client.contracts.asset_verification import AssetKind, DeviceKey, KeyClaim, KeyCurve, Role
from der_client.demo.chain import DemoChain
from der_client.demo.company import Company
from der_client.demo.participants import (
    AUTHORITY,
    COMMUNITY,
    COMPANY,
    CONTRACT_OWNER,
    GRID_OPERATOR,
    PLANTS,
    RELAYER,
    ROLES,
    UTILITY,
    Plant,
)
from der_client.demo.results import BalanceChange, DemoResult, Person, PlantResult
from der_client.readings import (
    NREL_SERF_EAST_CAPACITY_W,
    DayMessage,
    MeteredDay,
    metered_days,
    nrel_serf_east,
)
from der_client.readings.signers import compressed
from der_client.readings.signing import sign_key_proof
from der_client.stacks.account import Account
from der_client.stacks.deploy import deploy
from der_client.stacks.errors import DerClientError, InvalidValueError
from der_client.stacks.keys import PrivateKey

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from der_client.contracts.settlement import Payment
    from der_client.der import Der
    from der_client.devnet import DevnetControl
    from der_client.readings.signers import Signer

R = TypeVar("R")

MAX_DAYS = 40
SLOT_SECONDS = 900
REGION = "CO"
FULL_LOAD_HOURS = 4
"""What the sellers expect a summer day to yield, in hours at full power."""
COMPANY_PERCENT = 10
"""How much of the expected energy a company takes, for a token and ahead, %."""
MONTH_DAYS = 31
"""How many days are offered ahead in one call."""

EXPORTED_PERCENT = 97
"""How much of the field's production is exported; the rest is used on site."""


@dataclass
class _RunningPlant:
    """A plant that is registered."""

    plant: Plant
    asset_id: int
    meter_key: Signer
    key_epoch: int
    days: list[MeteredDay]

    @property
    def expected_wh(self) -> int:
        return self.plant.capacity_w * FULL_LOAD_HOURS


def run_demo(
    devnet: DevnetControl, plan: Path, *, days: int = 1, on_progress: Callable[[str, int, int], None] | None = None
) -> DemoResult:
    """Run the whole scenario on a devnet.

    Args:
        devnet: A running devnet; contracts that are already there with the same source are used.
        plan: The deployment plan of the five contracts.
        days: How many days, 1 to 40.
        on_progress: Called with the next step, how many steps are done, and how many there are.

    Raises:
        InvalidValueError: If the number of days is out of range.
        DerClientError: If something went wrong, or the balances do not agree with the receipts.
    """
    if not 1 <= days <= MAX_DAYS:
        raise InvalidValueError(f"days: expected 1 to {MAX_DAYS}, as long as the meter data last, got {days}")
    return _Demo(devnet, plan, days, on_progress or (lambda _what, _done, _all: None)).run()


class _Demo:
    """One run."""

    def __init__(
        self, devnet: DevnetControl, plan: Path, days: int, on_progress: Callable[[str, int, int], None]
    ) -> None:
        self._devnet = devnet
        self._plan = plan
        self._days = days
        self._on_progress = on_progress
        self._chain = DemoChain(devnet, CONTRACT_OWNER)
        self._company = Company(self._chain, CONTRACT_OWNER, COMPANY)
        self._offer_ids: list[int] = []
        self._payment_ids: list[int] = []
        self._locked: defaultdict[date, list[int]] = defaultdict(list)
        self._plants: list[_RunningPlant] = []

    def run(self) -> DemoResult:
        before = self._balances()
        # Its energy is sold at noon on the day before. The next noon: late in the day, too little time is left.
        first_day = (self._chain.der.now() + timedelta(hours=12)).date() + timedelta(days=1)
        steps: list[tuple[str, Callable[[], None]]] = [
            ("deploying the contracts", self._deploy),
            ("granting roles", self._grant_roles),
            ("publishing a token", self._company.list_token),
            ("registering and connecting the plants", lambda: self._register_plants(first_day)),
        ]
        steps += [
            (f"{first_day}: selling forward", partial(self._sell_forward, first_day)),
            ("selling in a token, and a month ahead", partial(self._sell_to_company, first_day)),
        ]
        for number in range(self._days):
            day = first_day + timedelta(days=number)
            next_day = day + timedelta(days=1)
            if number + 1 < self._days:
                steps.append((f"{next_day}: selling forward", partial(self._sell_forward, next_day)))
            steps += [
                (f"{day}: metering", partial(self._meter, day, number)),
                (f"{day}: settling", partial(self._settle, day)),
                (f"{day}: selling the rest on the spot", partial(self._sell_spot, day)),
            ]
        steps.append(("withdrawing credits, claiming energy", self._company.withdraw_and_claim))
        for done, (what, step) in enumerate(steps):
            self._on_progress(what, done, len(steps))
            step()
        self._on_progress("checking the balances", len(steps), len(steps))
        return self._result(first_day, before)

    def _deploy(self) -> None:
        account = Account(self._chain.accounts[CONTRACT_OWNER].key, self._chain.client)
        for step in deploy(self._plan, account).steps:
            if step.txid is not None:
                self._chain.books.fee(step.txid, account.address, step.fee_ustx)

    def _grant_roles(self) -> None:
        owner = self._chain.as_(CONTRACT_OWNER).assets
        grants = (
            (Role.REGISTRAR, AUTHORITY, ""),
            (Role.VERIFIER, AUTHORITY, ""),
            (Role.GRID_OPERATOR, GRID_OPERATOR, REGION),
        )
        for role, name, region in grants:
            if not owner.has_role(role, self._chain.accounts[name].address, region):
                self._chain.do(owner.set_role(role, self._chain.accounts[name].address, region, True))

    def _register_plants(self, first_day: date) -> None:
        authority, operator = self._chain.as_(AUTHORITY), self._chain.as_(GRID_OPERATOR)
        registered = self._chain.der.assets.get_asset_count()
        for number, plant in enumerate(PLANTS, registered + 1):
            owner = self._chain.as_(plant.owner)
            meter_key = ec.generate_private_key(ec.SECP256R1()) if plant.p256_meter else PrivateKey.generate()
            device_key = DeviceKey(
                curve=KeyCurve.P256 if plant.p256_meter else KeyCurve.SECP256K1,
                key=compressed(meter_key.public_key if isinstance(meter_key, PrivateKey) else meter_key.public_key()),
            )
            proof = sign_key_proof(
                meter_key,
                contract=owner.assets.contract_id,
                owner=self._chain.accounts[plant.owner].address,
                chain_id=self._chain.client.network.chain_id,
            )
            asset_id = self._chain.do(
                owner.assets.register_asset(
                    AssetKind.SOLAR,
                    plant.capacity_w,
                    "9xj3ud",
                    REGION,
                    sha256(f"{plant.name}, asset {number}".encode()).digest(),
                    SLOT_SECONDS,
                    KeyClaim(curve=device_key.curve, key=device_key.key, proof=proof),
                )
            )
            self._chain.do(authority.assets.verify_asset(asset_id, plant.capacity_w, device_key))
            self._chain.do(owner.grid.request_connection(asset_id, plant.capacity_w))
            self._chain.do(operator.grid.approve_connection(asset_id, plant.capacity_w, plant.feed_metered))
            asset = owner.assets.get_asset(asset_id)
            if asset is None:
                raise DerClientError(f"asset {asset_id} was registered, but the node does not know it")
            series = (
                nrel_serf_east()
                .without_first_days(plant.first_data_day)
                .scaled(from_capacity_w=NREL_SERF_EAST_CAPACITY_W, to_capacity_w=plant.capacity_w)
                .starting_on_day(first_day)
            )
            readings = metered_days(series, slot_seconds=SLOT_SECONDS)
            days = [next(readings) for _ in range(self._days)]
            self._plants.append(_RunningPlant(plant, asset_id, meter_key, asset.key_epoch, days))

    def _sell_forward(self, day: date) -> None:
        """Sell at noon on the day before: buyers take offers, one offer is declined, one is cancelled."""
        ends = _start_of(day)
        self._devnet.advance(to=max(ends - timedelta(hours=12), self._chain.der.now()))
        for running in self._plants:
            seller = self._chain.as_(running.plant.owner)
            sold_percent = running.plant.utility_percent + running.plant.community_percent
            offer_id = self._offer(seller, running, day, running.expected_wh * sold_percent // 100, ends, None)
            for buyer, percent in (
                (UTILITY, running.plant.utility_percent),
                (COMMUNITY, running.plant.community_percent),
            ):
                if percent:
                    payment_id = self._take(buyer, offer_id, running.expected_wh * percent // 100)
                    self._locked[day].append(payment_id)
        community = self._chain.as_(COMMUNITY)
        roof, field_plant = self._plants[0], self._plants[-1]
        taker = self._chain.accounts[COMMUNITY].address
        declined = self._offer(self._chain.as_(roof.plant.owner), roof, day, roof.expected_wh // 10, ends, taker)
        self._chain.do(community.market.reject_offer(declined))
        owner = self._chain.as_(field_plant.plant.owner)
        taken_back = self._offer(owner, field_plant, day, field_plant.expected_wh // 10, ends, None)
        self._chain.do(owner.market.cancel_offer(taken_back))

    def _sell_to_company(self, day: date) -> None:
        """Sell energy of the day to the company for a token, and one day of a month that is offered ahead."""
        roof, field_plant = self._plants[1], self._plants[2]
        wh = roof.expected_wh * COMPANY_PERCENT // 100
        paid = self._company.buy_for_tokens(
            roof.plant.owner, roof.asset_id, day, wh, roof.plant.price_ustx_per_kwh, _start_of(day)
        )
        wh = field_plant.expected_wh * COMPANY_PERCENT // 100
        month = {day + timedelta(days=number): wh for number in range(MONTH_DAYS)}
        ahead = self._company.buy_ahead(
            field_plant.plant.owner, field_plant.asset_id, month, field_plant.plant.price_ustx_per_kwh
        )
        self._offer_ids += [paid.offer_id, *ahead.offer_ids]
        self._payment_ids += [paid.payment_id, ahead.payment_id]
        self._locked[day] += [paid.payment_id, ahead.payment_id]

    def _offer(
        self, seller: Der, running: _RunningPlant, day: date, wh: int, expires_at: datetime, taker: str | None
    ) -> int:
        price = running.plant.price_ustx_per_kwh
        offer_id = self._chain.do(
            seller.market.create_offer(running.asset_id, day, wh, price, max(1, wh // 10), expires_at, taker)
        )
        self._offer_ids.append(offer_id)
        return offer_id

    def _take(self, buyer: str, offer_id: int, wh: int) -> int:
        offer, quote = self._chain.der.market.get_offer(offer_id), self._chain.der.market.quote(offer_id, wh)
        if offer is None or quote is None:
            raise DerClientError(f"{wh} Wh of offer {offer_id} cannot be taken")
        settlement = self._chain.as_(buyer).settlement
        payment_id = self._chain.do(settlement.accept_and_fund(offer_id, wh, wh, offer.price_per_kwh, quote.before_wh))
        self._payment_ids.append(payment_id)
        return payment_id

    def _meter(self, day: date, number: int) -> None:
        """Let the day pass: meters sign, anyone relays, the authority verifies, the grid operator meters the feed."""
        self._devnet.advance(to=_start_of(day + timedelta(days=1)))
        relayer, authority, operator = (
            self._chain.as_(RELAYER),
            self._chain.as_(AUTHORITY),
            self._chain.as_(GRID_OPERATOR),
        )
        for running in self._plants:
            metered = running.days[number]
            for readings in metered.runs():
                message = DayMessage.sign(
                    running.meter_key,
                    readings,
                    contract=self._chain.der.production.contract_id,
                    asset_id=running.asset_id,
                    key_epoch=running.key_epoch,
                    chain_id=self._chain.client.network.chain_id,
                )
                self._chain.do(
                    relayer.production.record_day(message.asset_id, message.day, message.start, message.whs, message.rs)
                )
            recorded = relayer.production.get_day(running.asset_id, day)
            if recorded is None or recorded.wh != metered.wh:
                raise DerClientError(f"asset {running.asset_id}, {day}: metered {metered.wh} Wh, recorded {recorded}")
            self._chain.do(authority.production.verify_day(running.asset_id, day, recorded.mask, recorded.wh))
            if running.plant.feed_metered:
                exported_wh = metered.wh * EXPORTED_PERCENT // 100
                self._chain.do(operator.grid.record_feed(running.asset_id, day, exported_wh, 0))
                self._chain.do(authority.grid.verify_feed(running.asset_id, day, exported_wh, 0))

    def _settle(self, day: date) -> None:
        """Settle all payments of the day at once, as the relayer; anybody may do this."""
        payment_ids = self._locked.pop(day)
        outcomes = self._chain.do(self._chain.as_(RELAYER).settlement.settle_batch(payment_ids))
        for payment_id, outcome in zip(payment_ids, outcomes, strict=True):
            if not outcome.is_ok:
                raise DerClientError(f"payment {payment_id} was not settled: u{outcome.error_code}")

    def _sell_spot(self, day: date) -> None:
        """Sell what is left of the day on the spot market."""
        for running in self._plants:
            available_wh = self._chain.der.market.get_available(running.asset_id, day)
            if available_wh:
                expires_at = self._chain.der.now() + timedelta(days=1)
                offer_id = self._offer(
                    self._chain.as_(running.plant.owner), running, day, available_wh, expires_at, None
                )
                self._take(COMMUNITY, offer_id, available_wh)

    def _balances(self) -> dict[str, tuple[str, int]]:
        principals = {name: account.address for name, account in self._chain.accounts.items()}
        principals["settlement"] = self._chain.der.settlement.contract_id
        return {name: (who, self._chain.client.account(who).balance_ustx) for name, who in principals.items()}

    def _result(self, first_day: date, before: dict[str, tuple[str, int]]) -> DemoResult:
        balances = [
            BalanceChange(
                name=name,
                address=address,
                before_ustx=before[name][1],
                after_ustx=after_ustx,
                expected_change_ustx=self._chain.books.changes_ustx[address],
            )
            for name, (address, after_ustx) in self._balances().items()
        ]
        for balance in balances:
            if balance.change_ustx != balance.expected_change_ustx:
                raise DerClientError(
                    f"{balance.name} changed by {balance.change_ustx} µSTX, but its receipts say "
                    f"{balance.expected_change_ustx}: did somebody else use this devnet meanwhile?"
                )
        assets, offers, payments = (
            self._chain.der.list_assets(),
            self._chain.der.list_offers(),
            self._chain.der.list_payments(),
        )
        own_payments = [payments[number] for number in self._payment_ids]
        in_stx = [payment for payment in own_payments if payment.token is None]
        plants = [self._plant_result(running, own_payments) for running in self._plants]
        return DemoResult(
            days=self._days,
            first_day=first_day,
            produced_wh=sum(plant.produced_wh for plant in plants),
            sold_wh=sum(payment.wh for payment in own_payments),
            delivered_wh=sum(payment.delivered_wh for payment in own_payments),
            locked_ustx=sum(payment.cost for payment in in_stx),
            paid_ustx=sum(payment.payout for payment in in_stx),
            refunded_ustx=sum(payment.refund for payment in in_stx),
            fees_ustx=sum(payment.fee for payment in in_stx),
            network_fees_ustx=self._chain.books.network_fees_ustx,
            txids=self._chain.books.txids,
            people=[
                Person(account=name, address=self._chain.accounts[name].address, role=role, does=does)
                for name, (role, does) in ROLES.items()
            ],
            plants=plants,
            balances=balances,
            token_sale=self._company.token_sale(),
            month_ahead=self._company.month_ahead(),
            claim=self._company.claim(),
            asset_ids=[running.asset_id for running in self._plants],
            assets=[assets[running.asset_id] for running in self._plants],
            offer_ids=self._offer_ids,
            offers=[offers[number] for number in self._offer_ids],
            payment_ids=self._payment_ids,
            payments=own_payments,
        )

    def _plant_result(self, running: _RunningPlant, payments: list[Payment]) -> PlantResult:
        total = self._chain.der.production.get_total_production(running.asset_id)
        own = [payment for payment in payments if payment.asset_id == running.asset_id]
        return PlantResult(
            name=running.plant.name,
            asset_id=running.asset_id,
            owner=running.plant.owner,
            capacity_w=running.plant.capacity_w,
            price_ustx_per_kwh=running.plant.price_ustx_per_kwh,
            expected_wh=running.expected_wh,
            first_day_wh_by_slot=list(running.days[0].wh_by_slot),
            produced_wh=total.recorded_wh,
            verified_wh=total.verified_wh,
            sold_wh=sum(payment.wh for payment in own),
            delivered_wh=sum(payment.delivered_wh for payment in own),
        )


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
