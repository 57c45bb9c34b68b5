"""The real side of the comparison: the contracts on a devnet, called by several people through the typed clients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, cast

from pydantic import BaseModel

from der_client import Der
from der_client.contracts.asset_verification import KeyClaim, Registration, ReviewedAsset
from der_client.contracts.grid_integration import FeedRecord
from der_client.contracts.market_participation import OfferedDay
from der_client.contracts.production_tracking import DayRecord, Leaf, ReviewedDay, Sibling, SignedDay
from der_client.contracts.settlement import Taking
from der_client.devnet import Devnet
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
from der_client.stacks.messages import structured_data_hash
from der_client.stacks.rpc import Client, RetryPolicy
from der_client.stacks.transactions import ContractCall, ContractPublish
from tests.model.merkle import Proof, Tree
from tests.model.outcome import Done, Failed, Outcome, Unsent
from tests.model.people import (
    BUYERS,
    CONTRACT_OWNER,
    DEVICE_KEYS,
    FUNDS_USTX,
    METERS,
    OPERATOR,
    ORDERS,
    OWNERS,
    PEOPLE,
    REGIONS,
    TOKEN,
    key_of,
)
from tests.model.plain_values import plain
from tests.model.reference.assets import Claim
from tests.model.reference.production import Signature
from tests.model.step import Step

START_TIME: Final = 20_819 * 86_400
"""The unix second at which 2027-01-01 begins (UTC)."""
FEE_USTX: Final = 60_000
"""The fee of each call, enough for the longest batch at 1 µSTX per byte."""
BLOCK_S: Final = 10
"""How many seconds a block adds to the devnet's clock."""
OBSERVER: Final = "model-observer"
PRINCIPAL_ARGUMENTS: Final = frozenset(
    {"who", "new_owner", "operator", "taker", "beneficiary", "buyer", "closer", "recipient", "to", "setter", "token"}
)
_PATIENT: Final = RetryPolicy(attempts=20, backoff_s=1)
"""Many retries, for long runs on a machine where the devnet is sometimes too busy to respond."""
_FUNDS_USTX: Final = 500_000_000_000
_FUNDS_TOKEN: Final = 10**15
_STAND_IN: Final = Path(__file__).parents[2] / "contracts" / "stand-ins" / f"{TOKEN}.clar"
_ITEMS: Final[dict[str, type[BaseModel]]] = {
    "register_assets": Registration,
    "verify_assets": ReviewedAsset,
    "record_batch": DayRecord,
    "record_days": SignedDay,
    "verify_days": ReviewedDay,
    "record_feeds": FeedRecord,
    "verify_feeds": FeedRecord,
    "create_offers": OfferedDay,
    "accept_offers": Taking,
}
"""The class of the items of a batch, by its function."""

AssetDays = Sequence[tuple[int, int]]


class Chain:
    """The contracts on a devnet.

    Args:
        devnet: A devnet with fresh contracts, and without execution costs, so that reads have no limit.

    Attributes:
        addresses: The principals of all people and contracts, by name.
    """

    def __init__(self, devnet: Devnet) -> None:
        self.devnet = devnet
        owner = Der.connect(Client(devnet.url, retries=_PATIENT), devnet.deployer)
        self.views = {CONTRACT_OWNER: owner} | {name: owner.with_account(key_of(name)) for name in PEOPLE}
        self.addresses = {name: self._account(name).address for name in self.views}
        self.addresses["settlement"] = owner.settlement.contract_id
        self.addresses[TOKEN] = f"{owner.deployer}.{TOKEN}"
        self.addresses["observer"] = f"{owner.deployer}.{OBSERVER}"
        self._set_up()
        self._nonces = {name: self._account(name).next_nonce() for name in self.views}

    def _account(self, name: str) -> Account:
        return cast(Account, self.views[name].account)

    def _set_up(self) -> None:
        """Fund all people with STX, publish the token and the observer, and mint tokens for the traders."""
        owner = self._account(CONTRACT_OWNER)
        for name in PEOPLE:
            owner.transfer(self.addresses[name], FUNDS_USTX.get(name, _FUNDS_USTX), fee_ustx=FEE_USTX).wait()
        owner.submit(ContractPublish(TOKEN, _STAND_IN.read_text(), 5), fee_ustx=FEE_USTX).wait()
        for name in (*OWNERS, OPERATOR, *BUYERS):
            mint = (UIntValue(_FUNDS_TOKEN), PrincipalValue(self.addresses[name]))
            owner.submit(ContractCall(self.addresses[TOKEN], "protocol-mint", mint), fee_ustx=FEE_USTX).wait()
        source = Path(__file__).with_name("observer.clar").read_text()
        owner.submit(ContractPublish(OBSERVER, source, 5), fee_ustx=FEE_USTX).wait()

    @contextmanager
    def anchor(self) -> Iterator[None]:
        """Restore the state of the chain when the block ends."""
        nonces = dict(self._nonces)
        try:
            with self.devnet.anchor():
                yield
        finally:
            self._nonces = nonces
            for name in self.views:
                self._account(name).forget_in_flight()

    def wait(self, until: int) -> None:
        """Let time pass until a unix second; do nothing if it is already past."""
        if until > self.glance()["time"]:
            self.devnet.advance(to=until)

    def send(self, step: Step) -> Outcome:
        """Call a function and wait for its outcome."""
        if step.contract == "stx":
            return self._transfer(step)
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
            return Failed(str(error.name), error.code)
        except TransactionFailedError as error:
            return Failed(f"{type(error).__name__}: {error}", 0)

    def _transfer(self, step: Step) -> Done:
        """Transfer STX directly, without any of the contracts."""
        to, amount_ustx = self.addresses[step.arguments["recipient"]], step.arguments["amount_ustx"]
        nonce = self._nonces[step.actor]
        self._account(step.actor).transfer(to, amount_ustx, nonce=nonce, fee_ustx=FEE_USTX).wait()
        self._nonces[step.actor] += 1
        return Done(None)

    def glance(self, holders: Sequence[str] = ()) -> dict[str, Any]:
        """Return the chain time, all STX balances, and the token balances of these principals."""
        return self._observe("glance", self._people, _principals(holders))

    def look(
        self,
        asset_ids: Sequence[int] = (),
        days: AssetDays = (),
        offer_ids: Sequence[int] = (),
        payment_ids: Sequence[int] = (),
        creditors: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Return all totals and balances, and up to 30 items of each kind with derived values; names in snake case."""
        return self._observe(
            "look",
            self._people,
            _principals(creditors),
            ListValue(tuple(AsciiValue(region) for region in REGIONS)),
            ListValue(tuple(BufferValue(device_key.key) for device_key in DEVICE_KEYS)),
            PrincipalValue(self.addresses[TOKEN]),
            _uints(asset_ids),
            ListValue(tuple(asset_day(*key) for key in days)),
            _uints(offer_ids),
            _uints(payment_ids),
        )

    def entry(self, contract: str, map_name: str, key: ClarityValue) -> Any:
        """Return an entry of a contract's map, or ``None``."""
        view = self.views[CONTRACT_OWNER]
        value = view.client.map_entry(getattr(view, contract).contract_id, map_name, key)
        return None if value is None else plain(value)

    def variable(self, contract: str, name: str) -> Any:
        """Return a variable of one of the contracts."""
        view = self.views[CONTRACT_OWNER]
        return plain(view.client.data_var(getattr(view, contract).contract_id, name))

    def events(self) -> list[EventRecord]:
        """Return all events of the five contracts, in order."""
        view = self.views[CONTRACT_OWNER]
        contracts = (view.assets, view.production, view.grid, view.market, view.settlement)
        records = [record for contract in contracts for record in contract.events()]
        return sorted(records, key=lambda record: (record.block_height or 0, record.event_index))

    def _observe(self, function: str, *arguments: ClarityValue) -> dict[str, Any]:
        client = self.views[CONTRACT_OWNER].client
        return cast(dict[str, Any], plain(client.call_read(self.addresses["observer"], function, arguments)))

    @cached_property
    def _people(self) -> ListValue:
        return _principals(list(self.addresses.values()))

    def _typed(self, step: Step, name: str, value: Any) -> Any:
        """Convert an argument for the typed client."""
        match name:
            case "days" | "items":
                model = _ITEMS[step.function]
                return [model(**{key: self._typed(step, key, field) for key, field in item.items()}) for item in value]
            case "leaf":
                return Leaf(**value | {"day": day_of(value["day"])})
        match value:
            case Signature():
                return self.sign(value)
            case Claim():
                return self.prove(value)
            case Tree():
                return value.root
            case Proof():
                return [Sibling(left=left, hash=digest) for left, digest in value.path]
            case int() if name in ("day", "from_day", "to_day"):
                return day_of(value)
            case int() if name in ("expires_at", "until"):
                return time_of(value)
        return value

    def sign(self, signature: Signature) -> bytes:
        """Return a meter's signature in the form that is sent."""
        production = self.views[CONTRACT_OWNER].production
        message = TupleValue(
            {
                "asset-id": UIntValue(signature.asset_id),
                "contract": PrincipalValue(production.contract_id),
                "day": UIntValue(signature.day),
                "key-epoch": UIntValue(signature.key_epoch),
                "start": UIntValue(signature.start),
                "whs": ListValue(tuple(UIntValue(wh) for wh in signature.whs)),
            }
        )
        raw = METERS[signature.key].sign(structured_data_hash(self._domain, message))
        if signature.has_high_s:
            raw = raw[:32] + (ORDERS[signature.key.curve] - int.from_bytes(raw[32:])).to_bytes(32)
        return raw if signature.is_whole else raw[:63]

    def prove(self, claim: Claim) -> KeyClaim:
        """Return a claimed key with its proof, in the form that is sent."""
        message = TupleValue(
            {
                "contract": PrincipalValue(self.views[CONTRACT_OWNER].assets.contract_id),
                "owner": PrincipalValue(self.addresses.get(claim.owner, claim.owner)),
            }
        )
        digest = structured_data_hash(self._domain, message)
        proof = bytes(64) if claim.signer is None else METERS[claim.signer].sign(digest)
        return KeyClaim(curve=claim.key.curve, key=claim.key.key, proof=proof)

    @cached_property
    def _domain(self) -> TupleValue:
        chain_id = self.views[CONTRACT_OWNER].client.network.chain_id
        name, version = AsciiValue("der-production"), AsciiValue("1")
        return TupleValue({"chain-id": UIntValue(chain_id), "name": name, "version": version})


def resolved(arguments: Mapping[str, Any], addresses: Mapping[str, str]) -> dict[str, Any]:
    """Replace names with principals in the arguments."""
    return {key: _resolved(key, value, addresses) for key, value in arguments.items()}


def _resolved(key: str, value: Any, addresses: Mapping[str, str]) -> Any:
    match value:
        case None:
            return None
        case Claim():
            return replace(value, owner=addresses[value.owner])
        case list() if key in ("items", "days"):
            return [resolved(item, addresses) for item in value]
    return addresses[value] if key in PRINCIPAL_ARGUMENTS else value


def asset_day(asset_id: int, day: int) -> TupleValue:
    """Return the map key of an asset's day."""
    return TupleValue({"asset-id": UIntValue(asset_id), "day": UIntValue(day)})


def _principals(addresses: Sequence[str]) -> ListValue:
    return ListValue(tuple(PrincipalValue(address) for address in addresses))


def _uints(numbers: Sequence[int]) -> ListValue:
    return ListValue(tuple(UIntValue(number) for number in numbers))
