"""A simulated chain: any number of plants, signed days and sales, with responses in the exact bytes of an API."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from der_client.contracts import CONTRACTS, settlement
from der_client.contracts import asset_verification as assets
from der_client.contracts import grid_integration as grid
from der_client.contracts import market_participation as market
from der_client.contracts import production_tracking as production
from der_client.stacks.clarity import encode
from der_client.stacks.contract.annotations import day_number_of
from der_client.stacks.contract.codecs import codec_for
from der_client.stacks.network import DEVNET
from der_client.stacks.rpc import api
from der_client.stacks.rpc.endpoint import HttpResponse
from der_client.stacks.rpc.responses import Block

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.stacks.contract.events import Event
    from der_client.stacks.rpc.endpoint import Endpoint
    from der_client.stacks.rpc.responses import ContractLogPage

DEPLOYER: Final = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"
OWNER: Final = "ST1SJ3DTE5DN7X54YDH5D64R3BCB6A2AG2ZQ8YPD5"
BUYER: Final = "ST2REHHS5J3CERCRBEPMGH7921Q6PYKAADT7JP2VB"
OFFICE: Final = "ST2JHG361ZXG51QTKY2NQCVBPPRRE2KZB1HR05NNC"
FIRST_DAY: Final = date(2025, 1, 1)
SLOTS: Final = 96
_DAYS_PER_CALL: Final = 20
_VERIFIED_PER_CALL: Final = 100
_OFFERS_PER_CALL: Final = 31
_DAY_WH: Final = 9_600
_PRICE: Final = 80_000
_CAPACITY_W: Final = 6_000
_NAMES: Final = {event: contract.name for contract in CONTRACTS for event in contract.event_classes}
_URL: Final = "http://localhost"


class SyntheticChain:
    """Blocks of one transaction each, with the methods of a client that an index uses.

    Args:
        plants: The number of plants.
        days: The number of days for which each plant is recorded, verified, sold and settled.

    Attributes:
        event_count: The number of events.
        last_day: The last day.
    """

    network = DEVNET
    salt = 0
    """A part of the hashes that differs in a fork."""

    def __init__(self, plants: int, days: int) -> None:
        self._logs: defaultdict[str, list[str]] = defaultdict(list)
        self._bodies: dict[str, bytes] = {}
        self._blocks: list[Block] = []
        self._answers: dict[tuple[str, int, int], bytes] = {}
        self.event_count = 0
        self.last_day = FIRST_DAY + timedelta(days=days - 1)
        self._next_id = 1
        self._start(plants)
        for number in range(days):
            self._day(FIRST_DAY + timedelta(days=number), plants)

    @property
    def der(self) -> Any:
        """The attributes of a connection that a follower uses."""
        return SimpleNamespace(client=self, deployer=DEPLOYER)

    def block(self, height_or_hash: int | str = "latest") -> Block:
        """Return a block; see ``Client.block``."""
        return self._blocks[-1] if height_or_hash == "latest" else self._blocks[int(height_or_hash) - 1]

    def contract_logs(self, contract_id: str, *, limit: int = 50, offset: int = 0) -> ContractLogPage:
        """Return a page of events; see ``Client.contract_logs``."""
        logs = self._logs[contract_id]
        end = len(logs) - offset
        results = ",".join(reversed(logs[max(0, end - limit) : end]))
        body = f'{{"total":{len(logs)},"results":[{results}],"next_cursor":null}}'.encode()
        return api.contract_logs(contract_id, limit=limit, offset=offset).read(HttpResponse(200, body, _URL))

    def run(self, endpoint: Endpoint[Any]) -> Any:
        """Return the response of an endpoint; see ``Client.run``."""
        return endpoint.read(HttpResponse(200, self._bodies[endpoint.request.path], _URL))

    def _start(self, plants: int) -> None:
        self._mine(
            assets.ContractDeployed(
                contract_owner=DEPLOYER,
                paused=False,
                seconds_per_day=86_400,
                max_capacity_w=10**12,
                max_price_ustx_per_kwh=10**15,
                days_between_changes=46,
                recording_days=30,
            )
        )
        self._mine(settlement.ContractDeployed(fee_bps=100, max_fee_bps=500, fee_notice_seconds=604_800))
        key = assets.DeviceKey(curve=assets.KeyCurve.SECP256K1, key=bytes(33))
        for number in range(1, plants + 1):
            self._plant(number, key)

    def _plant(self, number: int, key: assets.DeviceKey) -> None:
        self._mine(
            assets.AssetRegistered(
                asset_id=number,
                actor=OWNER,
                kind=assets.AssetKind.SOLAR,
                capacity_w=_CAPACITY_W,
                location="9xj3ud",
                region="CO",
                metadata_hash=bytes(32),
                slot_seconds=900,
                device_key=key,
                epoch=1,
                key_epoch=1,
                state=assets.AssetState.PENDING,
            ),
            assets.AssetVerified(
                asset_id=number,
                actor=OFFICE,
                capacity_w=_CAPACITY_W,
                device_key=key,
                verified_day=FIRST_DAY,
                key_from_day=FIRST_DAY,
                state=assets.AssetState.VERIFIED,
            ),
            grid.ConnectionRequested(
                asset_id=number,
                actor=OWNER,
                region="CO",
                export_limit_w=_CAPACITY_W,
                state=grid.ConnectionState.REQUESTED,
            ),
            grid.ConnectionApproved(
                asset_id=number,
                actor=OFFICE,
                export_limit_w=_CAPACITY_W,
                feed_metered=False,
                approved_day=FIRST_DAY,
                export_schedule=(grid.ExportCap(from_day=FIRST_DAY, cap_w=_CAPACITY_W),),
                state=grid.ConnectionState.CONNECTED,
            ),
        )

    def _day(self, day: date, plants: int) -> None:
        """Sell a day of all plants ahead, record it, verify it, and settle it."""
        numbers = range(1, plants + 1)
        first_id = self._next_id
        self._next_id += plants
        for part in _parts(numbers, _OFFERS_PER_CALL):
            self._mine(*(_offer(first_id + number - 1, number, day) for number in part))
            self._mine(*(event for number in part for event in _funded(first_id + number - 1, number, day)))
        for part in _parts(numbers, _DAYS_PER_CALL):
            whs = [_whs(number, day) for number in part]
            call = ("record-days", [_signed_days(part, day, whs)], _ok_list(len(part)))
            self._mine(*(_recorded(number, day) for number in part), call=call)
        for part in _parts(numbers, _VERIFIED_PER_CALL):
            self._mine(*(_verified(number, day) for number in part))
        for part in _parts(numbers, 25):
            self._mine(*(event for number in part for event in _settled(first_id + number - 1, number, day)))

    def _mine(self, *events: Event, call: tuple[str, list[bytes], bytes] | None = None) -> None:
        """Add a block with one transaction that prints these events."""
        height = len(self._blocks) + 1
        block_hash = hashlib.sha256(f"block {height} {self.salt}".encode()).hexdigest()
        parent = self._blocks[-1].hash if self._blocks else "00" * 32
        txid = hashlib.sha256(f"transaction {height} {self.salt}".encode()).hexdigest()
        moment = int(datetime.combine(FIRST_DAY, time(), UTC).timestamp()) + 60 * height
        self._blocks.append(Block(height, block_hash, datetime.fromtimestamp(moment, UTC), None, parent, height, 1))
        for index, event in enumerate(events):
            self._print(event, index, txid, height, moment)
        function, arguments, result = call or ("do", [], b"\x07\x03")
        transaction = {
            "tx_id": f"0x{txid}",
            "tx_index": 0,
            "sender_address": OFFICE,
            "fee_rate": "3000",
            "tx_status": "success",
            "tx_result": {"hex": f"0x{result.hex()}"},
            "block_height": height,
            "block_hash": f"0x{block_hash}",
            "parent_block_hash": f"0x{parent}",
            "block_time": moment,
            "burn_block_height": height,
            "contract_call": {
                "contract_id": f"{DEPLOYER}.production-tracking",
                "function_name": function,
                "function_args": [{"hex": f"0x{argument.hex()}"} for argument in arguments],
            },
            **{f"execution_cost_{name}": 10 for name in ("read_count", "read_length", "runtime")},
            **{f"execution_cost_{name}": 10 for name in ("write_count", "write_length")},
        }
        self._bodies[f"/extended/v2/blocks/{height}/transactions"] = json.dumps(
            {"total": 1, "results": [transaction]}
        ).encode()

    def _print(self, event: Event, index: int, txid: str, height: int, moment: int) -> None:
        self.event_count += 1
        contract_id = f"{DEPLOYER}.{_NAMES[type(event)]}"
        value = encode(codec_for(type(event)).encode(event, "event")).hex()
        self._logs[contract_id].append(
            f'{{"event_index":{index},"tx_id":"0x{txid}","block_height":{height},"block_time":{moment},'
            f'"contract_log":{{"contract_id":"{contract_id}","topic":"print","value":{{"hex":"0x{value}"}}}}}}'
        )


def _parts(numbers: range, size: int) -> list[range]:
    return [numbers[first : first + size] for first in range(0, len(numbers), size)]


def _whs(number: int, day: date) -> tuple[int, ...]:
    """Return the energy of a day's slots; its sum is the same every day, and so are all amounts that follow from it."""
    spread = (number * 7 + day.toordinal()) % 50
    return tuple(100 + (spread if slot % 2 else -spread) for slot in range(SLOTS))


def _recorded(number: int, day: date) -> Event:
    mask = (1 << SLOTS) - 1
    return production.ProductionRecorded(
        asset_id=number,
        day=day,
        actor=OFFICE,
        signed=True,
        mask=mask,
        wh=_DAY_WH,
        day_mask=mask,
        day_wh=_DAY_WH,
        root_id=None,
        state=production.DayState.RECORDED,
    )


def _verified(number: int, day: date) -> Event:
    mask = (1 << SLOTS) - 1
    state = production.DayState.VERIFIED
    return production.DayVerified(asset_id=number, day=day, actor=OFFICE, mask=mask, wh=_DAY_WH, state=state)


def _offer(offer_id: int, number: int, day: date) -> Event:
    return market.OfferCreated(
        offer_id=offer_id,
        asset_id=number,
        day=day,
        actor=OWNER,
        spot=False,
        seller=OWNER,
        wh=_DAY_WH,
        open_wh=_DAY_WH,
        price_per_kwh=_PRICE,
        min_fill_wh=100,
        expires_at=datetime.combine(day, time(), UTC),
        taker=None,
        token=None,
        epoch=1,
        state=market.OfferState.PENDING,
    )


def _funded(offer_id: int, number: int, day: date) -> list[Event]:
    common: dict[str, Any] = {"offer_id": offer_id, "asset_id": number, "day": day, "actor": BUYER, "wh": _DAY_WH}
    return [
        market.OfferAccepted(
            **common, before_wh=0, open_wh=0, fills=1, unsettled_fills=1, state=market.OfferState.ACCEPTED
        ),
        settlement.PaymentFunded(
            **common,
            payment_id=offer_id,
            spot=False,
            payee=OWNER,
            token=None,
            claimable=True,
            before_wh=0,
            price_per_kwh=_PRICE,
            fee_bps=100,
            cost=_DAY_WH * _PRICE // 1000,
            state=settlement.PaymentState.LOCKED,
        ),
    ]


def _settled(offer_id: int, number: int, day: date) -> list[Event]:
    common: dict[str, Any] = {"offer_id": offer_id, "asset_id": number, "day": day, "actor": OFFICE}
    cost = _DAY_WH * _PRICE // 1000
    return [
        settlement.PaymentSettled(
            **common,
            payment_id=offer_id,
            buyer=BUYER,
            payee=OWNER,
            token=None,
            cost=cost,
            delivered_wh=_DAY_WH,
            payout=cost - cost // 100,
            fee=cost // 100,
            refund=0,
            state=settlement.PaymentState.SETTLED,
        ),
        market.OfferFillClosed(**common, open_wh=0, unsettled_fills=0, state=market.OfferState.COMPLETED),
    ]


def _signed_days(numbers: range, day: date, whs: Sequence[tuple[int, ...]]) -> bytes:
    """Return the list of signed days as the argument of a call."""
    items = [_signed_day(number, day, of_slots) for number, of_slots in zip(numbers, whs, strict=True)]
    return b"\x0b" + len(items).to_bytes(4) + b"".join(items)


def _signed_day(number: int, day: date, whs: tuple[int, ...]) -> bytes:
    fields = {
        "asset-id": _uint(number),
        "day": _uint(day_number_of(day)),
        "signature": b"\x02" + (64).to_bytes(4) + bytes(64),
        "start": _uint(0),
        "whs": b"\x0b" + len(whs).to_bytes(4) + b"".join(map(_uint, whs)),
    }
    named = b"".join(bytes((len(name),)) + name.encode() + value for name, value in fields.items())
    return b"\x0c" + len(fields).to_bytes(4) + named


def _uint(number: int) -> bytes:
    return b"\x01" + number.to_bytes(16)


def _ok_list(count: int) -> bytes:
    return b"\x07\x0b" + count.to_bytes(4) + b"\x07\x03" * count
