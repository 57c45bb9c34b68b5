"""Connections to the shared devnet, and a plant that is ready to sell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from secrets import token_bytes
from typing import TYPE_CHECKING

import pytest

from der_client import Der, PrivateKey
from der_client.contracts.asset_verification import AssetKind, DeviceKey, KeyClaim, KeyCurve, Role
from der_client.readings.signing import sign_key_proof

if TYPE_CHECKING:
    from pathlib import Path

    from der_client.devnet import Devnet

REGION = "CO"
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
"""The start time of devnets that tests start: no test crosses midnight, and all runs are alike."""


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let commands keep their journals, keys and profiles in the test's own folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("DER_URL", "DER_PROFILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def der(devnet: Devnet) -> Der:
    """A connection of the contracts' owner."""
    return Der.connect(devnet.url, devnet.deployer)


@dataclass(frozen=True)
class Parties:
    """One connection per party, each with the roles that it needs."""

    contract_owner: Der
    seller: Der
    buyer: Der
    other_buyer: Der
    registrar: Der
    verifier: Der
    arbiter: Der
    oracle: Der
    grid_operator: Der
    pauser: Der
    anyone: Der


@pytest.fixture
def parties(devnet: Devnet, der: Der) -> Parties:
    """All parties, with their roles granted."""
    return grant_roles(devnet, der)


def grant_roles(devnet: Devnet, der: Der) -> Parties:
    """Grant all roles as the contracts' owner, and return the parties."""
    accounts = devnet.accounts
    authority, operator = accounts["wallet_3"], accounts["wallet_4"]
    for role in (Role.REGISTRAR, Role.VERIFIER, Role.ARBITER, Role.ORACLE, Role.PAUSER):
        der.assets.set_role(role, authority.address, "", True).send().wait()
    der.assets.set_role(Role.GRID_OPERATOR, operator.address, REGION, True).send().wait()
    official = der.with_account(authority)
    return Parties(
        contract_owner=der,
        seller=der.with_account(accounts["wallet_1"]),
        buyer=der.with_account(accounts["wallet_5"]),
        other_buyer=der.with_account(accounts["wallet_6"]),
        registrar=official,
        verifier=official,
        arbiter=official,
        oracle=official,
        grid_operator=der.with_account(operator),
        pauser=official,
        anyone=der.with_account(accounts["wallet_8"]),
    )


@dataclass(frozen=True)
class ReadyPlant:
    """A verified and connected plant of 6 kW, and the first day for which it can sell in advance."""

    asset_id: int
    capacity_w: int
    meter_key: PrivateKey
    tomorrow: date


def register(parties: Parties, device_key: KeyClaim | None, capacity_w: int = 6000) -> int:
    """Register a plant of the seller and return its asset id."""
    documents = token_bytes(32)  # unique per plant
    call = parties.seller.assets.register_asset(
        AssetKind.SOLAR, capacity_w, "9xj3ud", REGION, documents, 900, device_key
    )
    return call.send().wait().value


def claimed(parties: Parties, meter_key: PrivateKey) -> KeyClaim:
    """Return a meter's key with a proof that the seller has the private key."""
    account = parties.seller.account
    assert account is not None
    proof = sign_key_proof(
        meter_key,
        contract=parties.seller.assets.contract_id,
        owner=account.address,
        chain_id=parties.seller.client.network.chain_id,
    )
    return KeyClaim(curve=KeyCurve.SECP256K1, key=meter_key.public_key.compressed_data, proof=proof)


def bound(meter_key: PrivateKey) -> DeviceKey:
    """Return a meter's key as a registrar binds it to a plant."""
    return DeviceKey(curve=KeyCurve.SECP256K1, key=meter_key.public_key.compressed_data)


@pytest.fixture
def plant(parties: Parties) -> ReadyPlant:
    """A verified and connected plant."""
    return make_plant(parties)


def make_plant(parties: Parties) -> ReadyPlant:
    """Register, verify and connect a plant."""
    meter_key = PrivateKey.generate()
    asset_id = register(parties, claimed(parties, meter_key))
    parties.registrar.assets.verify_asset(asset_id, 6000, bound(meter_key)).send().wait()
    parties.seller.grid.request_connection(asset_id, 6000).send().wait()
    parties.grid_operator.grid.approve_connection(asset_id, 6000, False).send().wait()
    return ReadyPlant(asset_id, 6000, meter_key, parties.seller.now().date() + timedelta(days=1))


def start_of(day: date) -> datetime:
    """Return the midnight (UTC) at which a day begins."""
    return datetime.combine(day, time(), UTC)
