"""The real side: the five contracts on a devnet, called through the typed clients by many people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, cast

from der_client import Der
from der_client.contracts.production_tracking import DayRecord, ReviewedDay
from der_client.devnet import Devnet
from der_client.readings.signing import sign_day
from der_client.stacks.account import Account
from der_client.stacks.clarity import (
    AsciiValue,
    BufferValue,
    ClarityValue,
    ListValue,
    PrincipalValue,
    TupleValue,
    UIntValue,
)
from der_client.stacks.contract.annotations import day_of, time_of
from der_client.stacks.contract.events import EventRecord
from der_client.stacks.errors import ContractError, InvalidValueError, TransactionFailedError
from der_client.stacks.transactions import ContractPublish
from tests.model.cast import CONTRACT_OWNER, DEVICE_KEYS, FUNDS_USTX, METERS, PEOPLE, REGIONS, key_of
from tests.model.plain import plain
from tests.model.reference.production import Signature
from tests.model.step import Step

START_TIME: Final = 20_819 * 86_400
"""Midnight UTC at which 2027-01-01 begins."""
FEE_USTX: Final = 60_000
"""Of each call: enough for the longest batch at 1 µSTX per byte."""
BLOCK_S: Final = 10
"""What a block adds to the devnet's clock."""
OBSERVER: Final = "model-observer"
PRINCIPAL_ARGUMENTS: Final = frozenset(
    {"who", "new_owner", "operator", "taker", "beneficiary", "buyer", "closer", "recipient"}
)
_FUNDS_USTX: Final = 500_000_000_000
_CURVE_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

AssetDays = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Done:
    """A call that succeeded, with its result."""

    value: Any


@dataclass(frozen=True)
class Failed:
    """A call that failed on chain.

    Attributes:
        name: The error's name, or what else went wrong.
        code: Its number; 0 if the contract gave none.
        index: The item of a batch.
    """

    name: str
    code: int
    index: int | None


@dataclass(frozen=True)
class Unsent:
    """A call that the client refused to send."""

    reason: str


Outcome = Done | Failed | Unsent


class Chain:
    """The contracts.

    Args:
        devnet: With fresh contracts; without execution costs, so that a read has no limits.

    Attributes:
        addresses: Everybody's principal by name, contracts included.
    """

    def __init__(self, devnet: Devnet) -> None:
        self.devnet = devnet
        owner = Der.connect(devnet.url, devnet.deployer)
        self.views = {CONTRACT_OWNER: owner} | {name: owner.with_account(key_of(name)) for name in PEOPLE}
        self.addresses = {name: self._account(name).address for name in self.views}
        self.addresses["settlement"] = owner.settlement.contract_id
        self.addresses["observer"] = f"{owner.deployer}.{OBSERVER}"
        self._set_up()
        self._nonces = {name: self._account(name).next_nonce() for name in self.views}

    def _account(self, name: str) -> Account:
        return cast(Account, self.views[name].account)

    def _set_up(self) -> None:
        """Give everybody STX and publish the observer."""
        owner = self._account(CONTRACT_OWNER)
        for name in PEOPLE:
            owner.transfer(self.addresses[name], FUNDS_USTX.get(name, _FUNDS_USTX), fee_ustx=FEE_USTX).wait()
        source = Path(__file__).with_name("observer.clar").read_text()
        owner.submit(ContractPublish(OBSERVER, source, 4), fee_ustx=FEE_USTX).wait()

    @contextmanager
    def anchor(self) -> Iterator[None]:
        """A block after which everything is as it was before."""
        nonces = dict(self._nonces)
        try:
            with self.devnet.anchor():
                yield
        finally:
            self._nonces = nonces
            for name in self.views:
                self._account(name).forget_in_flight()

    def wait(self, until: int) -> None:
        """Let time pass until then, unix seconds."""
        self.devnet.advance(to=until)

    def send(self, step: Step) -> Outcome:
        """Call a function and wait for what comes of it."""
        arguments = {
            name: self._typed(step, name, value) for name, value in resolved(step.arguments, self.addresses).items()
        }
        function = getattr(getattr(self.views[step.actor], step.contract), step.function)
        try:
            pending = function(**arguments).send(nonce=self._nonces[step.actor], fee_ustx=FEE_USTX)
        except InvalidValueError as error:
            return Unsent(str(error))
        self._nonces[step.actor] += 1
        try:
            return Done(pending.wait().value)
        except ContractError as error:
            return Failed(str(error.name), error.code, error.index)
        except TransactionFailedError as error:
            return Failed(f"{type(error).__name__}: {error}", 0, None)

    def glance(self) -> dict[str, Any]:
        """Chain time and all balances."""
        return self._observe("glance", self._people)

    def look(
        self,
        asset_ids: Sequence[int] = (),
        days: AssetDays = (),
        offer_ids: Sequence[int] = (),
        payment_ids: Sequence[int] = (),
    ) -> dict[str, Any]:
        """All totals and balances, and up to 30 of each kind of thing, derived values too; names in snake case."""
        return self._observe(
            "look",
            self._people,
            ListValue(tuple(AsciiValue(region) for region in REGIONS)),
            ListValue(tuple(BufferValue(key) for key in DEVICE_KEYS)),
            _uints(asset_ids),
            ListValue(tuple(asset_day(*key) for key in days)),
            _uints(offer_ids),
            _uints(payment_ids),
        )

    def entry(self, contract: str, map_name: str, key: ClarityValue) -> Any:
        """What one of the contracts keeps under a key; ``None`` if nothing."""
        view = self.views[CONTRACT_OWNER]
        value = view.client.map_entry(getattr(view, contract).contract_id, map_name, key)
        return None if value is None else plain(value)

    def variable(self, contract: str, name: str) -> Any:
        """A variable of one of the contracts."""
        view = self.views[CONTRACT_OWNER]
        return plain(view.client.data_var(getattr(view, contract).contract_id, name))

    def events(self) -> list[EventRecord]:
        """Everything that the five contracts printed, in order."""
        view = self.views[CONTRACT_OWNER]
        contracts = (view.assets, view.production, view.grid, view.market, view.settlement)
        records = [record for contract in contracts for record in contract.events()]
        return sorted(records, key=lambda record: (record.block_height or 0, record.event_index))

    def _observe(self, function: str, *arguments: ClarityValue) -> dict[str, Any]:
        client = self.views[CONTRACT_OWNER].client
        return cast(dict[str, Any], plain(client.call_read(self.addresses["observer"], function, arguments)))

    @cached_property
    def _people(self) -> ListValue:
        return ListValue(tuple(PrincipalValue(address) for address in self.addresses.values()))

    def _typed(self, step: Step, name: str, value: Any) -> Any:
        """An argument as the typed client takes it."""
        match name:
            case "day":
                return day_of(value)
            case "expires_at" | "until":
                return time_of(value)
            case "signature":
                return self.sign(value)
            case "items":
                model = DayRecord if step.function == "record_batch" else ReviewedDay
                return [model(**item | {"day": day_of(item["day"])}) for item in value]
        return value

    def sign(self, signature: Signature) -> bytes:
        """A meter's signature on the wire."""
        raw = sign_day(
            METERS[signature.key],
            contract=self.views[CONTRACT_OWNER].production.contract_id,
            asset_id=signature.asset_id,
            day=day_of(signature.day),
            key_epoch=signature.key_epoch,
            start=signature.start,
            whs=signature.whs,
            chain_id=self.views[CONTRACT_OWNER].client.network.chain_id,
        )
        if signature.has_high_s:
            s = _CURVE_ORDER - int.from_bytes(raw[32:64])
            raw = raw[:32] + s.to_bytes(32) + bytes([raw[64] ^ 1])
        return raw if signature.is_whole else raw[:64]


def resolved(arguments: Mapping[str, Any], addresses: Mapping[str, str]) -> dict[str, Any]:
    """Arguments with principals for names."""
    return {
        key: addresses[value] if key in PRINCIPAL_ARGUMENTS and value is not None else value
        for key, value in arguments.items()
    }


def asset_day(asset_id: int, day: int) -> TupleValue:
    """The key of a day of an asset."""
    return TupleValue({"asset-id": UIntValue(asset_id), "day": UIntValue(day)})


def _uints(numbers: Sequence[int]) -> ListValue:
    return ListValue(tuple(UIntValue(number) for number in numbers))
