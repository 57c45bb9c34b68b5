"""Meters report over HTTP and MQTT to a gateway that never loses an acknowledged message."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from der_client.contracts.asset_verification import DeviceKey, KeyClaim, KeyCurve
from der_client.devnet import Devnet
from der_client.gateway import Gateway, MessageState, MessageStore, RefusedError, UnavailableError
from der_client.gateway.mqtt import Broker
from der_client.gateway.service import open_socket, serve
from der_client.readings import Curve, DayMessage, DayReadings, sign_key_proof
from der_client.readings.cbor import to_cbor
from der_client.readings.signers import compressed
from der_client.recorder import Recorder
from der_client.stacks.errors import InvalidValueError
from der_client.stacks.keys import PrivateKey
from der_client.stacks.secret import Secret
from tests.integration.conftest import Parties, ReadyPlant, register, start_of

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
NEEDS_BROKER = pytest.mark.skipif(MOSQUITTO is None, reason="needs a broker: apt-get install mosquitto")


@pytest.fixture
def day(plant: ReadyPlant, devnet: Devnet) -> date:
    """A day that is over."""
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    return plant.tomorrow


def signed(
    parties: Parties, plant: ReadyPlant, day: date, start: int, *whs: int, key: PrivateKey | None = None
) -> DayMessage:
    production = parties.anyone.production
    return DayMessage.sign(
        key or plant.meter_key,
        DayReadings(day, 900, start, whs),
        contract=production.contract_id,
        asset_id=plant.asset_id,
        key_epoch=1,
        chain_id=production.client.network.chain_id,
    )


def recorded(parties: Parties, plant: ReadyPlant, day: date) -> tuple[int, int] | None:
    row = parties.anyone.production.get_day(plant.asset_id, day)
    return None if row is None else (row.mask, row.wh)


def until(is_so: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def gateway(parties: Parties, tmp_path: Path) -> Iterator[Gateway]:
    with MessageStore(tmp_path / "gateway.sqlite") as store:
        yield Gateway(parties.anyone, Recorder(parties.anyone), store)


@contextmanager
def served(gateway: Gateway, broker: Broker | None = None) -> Iterator[str]:
    """Serve the gateway over HTTP in a thread, and yield its URL."""
    stop: asyncio.Event | None = None
    loop = asyncio.new_event_loop()
    listening = open_socket("127.0.0.1", 0)
    begun = threading.Event()

    async def run() -> None:
        nonlocal stop
        stop = asyncio.Event()
        if broker is None:
            begun.set()
        await serve(gateway, listening=listening, broker=broker, interval_s=0.1, stop=stop, on_listening=begun.set)

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    assert begun.wait(60)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        assert stop is not None
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


class TestDeliveries:
    def test_a_delivery_is_checked_stored_once_and_relayed(
        self, parties: Parties, plant: ReadyPlant, day: date, gateway: Gateway
    ) -> None:
        first, second = signed(parties, plant, day, 0, 10, 20), signed(parties, plant, day, 4, 5)
        (receipt,) = gateway.take(first.to_json().encode(), source="test")
        assert (receipt.id, receipt.is_new, receipt.state) == (first.digest.hex(), True, MessageState.WAITING)
        both = f"[{first.to_json()}, {second.to_json()}]".encode()
        assert [each.is_new for each in gateway.take(both, source="test")] == [False, True]
        assert gateway.relay() == 2
        assert recorded(parties, plant, day) == (0b10011, 35)
        assert gateway.relay() == 0
        (again,) = gateway.take(to_cbor(first), source="test")
        assert (again.is_new, again.state) == (False, MessageState.RECORDED)

    @pytest.mark.parametrize(
        ("spoil", "told"),
        [
            (lambda text: text.replace('"start": 0', '"start": 1'), "differ from what the meter signed"),
            (lambda text: text.replace('"asset_id": 1', '"asset_id": 9999'), "asset 9999 is not found"),
            (lambda text: text.replace("production-tracking", "production-trackinG"), "signed for contract"),
            (lambda text: text.replace('"chain_id": 2147483648', '"chain_id": 1'), "signed for chain id 1"),
            (lambda text: text.replace('"key_epoch": 1', '"key_epoch": 2'), "signed for key epoch 2"),
            (lambda text: text[:-1], "cannot be read"),
            (lambda _: "[]", "0 messages"),
            (lambda text: f"[{','.join([text] * 101)}]", "101 messages"),
            (lambda _: "[" * 50_000, "cannot be read"),
            (lambda _: "x" * 900_000, "at most"),
        ],
    )
    def test_invalid_messages_are_rejected(
        self,
        parties: Parties,
        plant: ReadyPlant,
        day: date,
        gateway: Gateway,
        spoil: Callable[[str], str],
        told: str,
    ) -> None:
        message = signed(parties, plant, day, 0, 10)
        text = (
            message.to_json().replace(f'"asset_id": {plant.asset_id}', '"asset_id": 1')
            if "9999" in told
            else message.to_json()
        )
        with pytest.raises(RefusedError, match=told):
            gateway.take(spoil(text).encode(), source="test")
        assert gateway.store.counts()[MessageState.WAITING] == 0

    def test_a_message_signed_by_another_key_rejects_the_whole_list(
        self, parties: Parties, plant: ReadyPlant, day: date, gateway: Gateway
    ) -> None:
        good, bad = signed(parties, plant, day, 0, 1), signed(parties, plant, day, 1, 1, key=PrivateKey.generate())
        with pytest.raises(RefusedError, match="not by the bound device key"):
            gateway.take(f"[{good.to_json()}, {bad.to_json()}]".encode(), source="test")
        assert gateway.store.counts()[MessageState.WAITING] == 0

    def test_messages_that_cannot_be_checked_are_not_acknowledged(
        self, parties: Parties, plant: ReadyPlant, day: date, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from der_client.stacks.errors import NodeUnreachableError  # noqa: PLC0415

        def fail(*_arguments: Any) -> None:
            raise NodeUnreachableError("the node is down", url="http://down")

        with MessageStore(tmp_path / "s") as store:
            gateway = Gateway(parties.anyone, Recorder(parties.anyone), store)
            message = signed(parties, plant, day, 0, 10)
            monkeypatch.setattr("der_client.gateway.gateway.ChainDays", fail)
            with pytest.raises(UnavailableError, match="the node is down"):
                gateway.take(message.to_json().encode(), source="test")
            monkeypatch.undo()
            gateway.take(message.to_json().encode(), source="test")
            monkeypatch.setattr("der_client.recorder.recorder.ChainDays", fail)
            assert gateway.relay() == 1
            stored = store.get(message.digest.hex())
            assert stored is not None
            assert (stored.state, stored.reason) == (MessageState.WAITING, "the node is down [http://down]")

    def test_early_messages_wait_and_conflicting_ones_are_kept(
        self, parties: Parties, plant: ReadyPlant, day: date, gateway: Gateway
    ) -> None:
        early, first, other = (
            signed(parties, plant, day + timedelta(days=1), 90, 1),
            signed(parties, plant, day, 0, 10),
            signed(parties, plant, day, 0, 11),
        )
        for message in (early, first, other):
            gateway.take(message.to_json().encode(), source="test")
        gateway.relay()
        states = {message: gateway.store.get(message.digest.hex()) for message in (early, first, other)}
        assert [each.state for each in states.values() if each is not None] == [
            MessageState.WAITING,
            MessageState.RECORDED,
            MessageState.CONFLICTING,
        ]
        waiting, _, conflicting = states.values()
        assert waiting is not None
        assert conflicting is not None
        assert "is over at" in waiting.reason
        assert "10 Wh recorded, 11 Wh given" in conflicting.reason

    def test_a_meter_with_a_secure_element_on_p256(self, parties: Parties, devnet: Devnet, gateway: Gateway) -> None:
        chip = ec.generate_private_key(ec.SECP256R1())

        def sign(digest: bytes) -> bytes:
            return chip.sign(digest, ec.ECDSA(Prehashed(SHA256())))  # DER-encoded, as by a secure element

        key, seller = compressed(chip.public_key()), parties.seller.account
        assert seller is not None
        chain_id = parties.anyone.client.network.chain_id
        register_id = parties.seller.assets.contract_id
        proof = sign_key_proof(sign, contract=register_id, owner=seller.address, chain_id=chain_id, curve=Curve.P256)
        asset_id = register(parties, KeyClaim(curve=KeyCurve.P256, key=key, proof=proof))
        bound = DeviceKey(curve=KeyCurve.P256, key=key)
        parties.registrar.assets.verify_asset(asset_id, 6000, bound).send().wait()
        tomorrow = parties.anyone.now().date() + timedelta(days=1)
        devnet.advance(to=start_of(tomorrow + timedelta(days=1)))
        message = DayMessage.sign(
            sign,
            DayReadings(tomorrow, 900, 8, (30, 40)),
            contract=parties.anyone.production.contract_id,
            asset_id=asset_id,
            key_epoch=1,
            chain_id=chain_id,
            curve=Curve.P256,
        )
        gateway.take(to_cbor(message), source="test")
        gateway.relay()
        row = parties.anyone.production.get_day(asset_id, tomorrow)
        assert row is not None
        assert (row.mask, row.wh) == (0b11 << 8, 70)


class TestHttp:
    def test_json_and_cbor_can_be_posted_and_queried(
        self, parties: Parties, plant: ReadyPlant, day: date, gateway: Gateway
    ) -> None:
        with served(gateway) as url:
            first, second = signed(parties, plant, day, 0, 10, 20), signed(parties, plant, day, 4, 5)
            posted = requests.post(f"{url}/v1/days", data=first.to_json(), timeout=30)
            assert (posted.status_code, posted.json()["receipts"][0]["new"]) == (202, True)
            posted = requests.post(
                f"{url}/v1/days", data=to_cbor(second), headers={"content-type": "application/cbor"}, timeout=30
            )
            assert posted.status_code == 202
            until(lambda: recorded(parties, plant, day) == (0b10011, 35))
            shown = f"{url}/v1/days/{first.digest.hex()}"
            until(lambda: requests.get(shown, timeout=30).json()["state"] == "recorded")
            assert len(requests.get(shown, timeout=30).json()["txids"]) == 1
            assert requests.get(f"{url}/health", timeout=30).json()["messages"]["recorded"] == 2
            assert requests.get(f"{url}/v1/days/00", timeout=30).status_code == 404
            for body, status in ((b"{", 400), (b"x" * 900_000, 413), (b"\xff\xff", 400)):
                refused = requests.post(f"{url}/v1/days", data=body, timeout=30)
                assert refused.status_code == status
                assert refused.json()["error"]

    def test_an_occupied_address_is_reported(self) -> None:
        with open_socket("127.0.0.1", 0) as taken, pytest.raises(InvalidValueError, match="cannot be served on 127"):
            open_socket("127.0.0.1", taken.getsockname()[1])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker that keeps its sessions on disk."""
    assert MOSQUITTO is not None
    port = free_port()
    config = tmp_path / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n"
        f"persistence true\npersistence_location {tmp_path}/\n"
    )
    process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stderr=subprocess.DEVNULL)  # noqa: S603 -- a broker
    try:
        until(lambda: can_connect(port))
        yield Broker.of(f"mqtt://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait()


def can_connect(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def published(broker: Broker, topic: str, payload: bytes, *, wait_for: str | None = None) -> dict[str, Any] | None:
    """Publish as a meter does, with QoS 1, and return the receipt if ``wait_for`` is given."""
    import aiomqtt  # noqa: PLC0415

    async def run() -> dict[str, Any] | None:
        async with aiomqtt.Client(broker.host, broker.port) as client:
            if wait_for is not None:
                await client.subscribe(wait_for, qos=1)
            await client.publish(topic, payload, qos=1)
            if wait_for is None:
                return None
            async with asyncio.timeout(60):
                async for message in client.messages:
                    return dict(json.loads(bytes(message.payload)))
        return None

    return asyncio.run(run())


@NEEDS_BROKER
class TestMqtt:
    def test_a_meter_publishes_and_gets_a_receipt(
        self, parties: Parties, plant: ReadyPlant, day: date, gateway: Gateway, broker: Broker
    ) -> None:
        with served(gateway, broker):
            message = signed(parties, plant, day, 0, 10, 20)
            payload = message.to_json().encode()
            answer = published(broker, "der/days/meter-1", payload, wait_for="der/receipts/meter-1")
            assert answer is not None
            assert answer["receipts"][0]["id"] == message.digest.hex()
            refused = published(broker, "der/days/meter-2", b"{}", wait_for="der/receipts/meter-2")
            assert refused is not None
            assert "cannot be read" in refused["error"]
            in_cbor = to_cbor(signed(parties, plant, day, 4, 5))
            assert published(broker, "der/days/meter-3", in_cbor, wait_for="der/receipts/meter-3") is not None
            until(lambda: recorded(parties, plant, day) == (0b10011, 35))

    def test_messages_published_while_the_gateway_is_down_arrive_later(
        self, parties: Parties, plant: ReadyPlant, day: date, gateway: Gateway, broker: Broker
    ) -> None:
        with served(gateway, broker):
            pass  # this creates its session
        message = signed(parties, plant, day, 0, 10)
        published(broker, "der/days/b", message.to_json().encode())
        assert gateway.store.get(message.digest.hex()) is None
        with served(gateway, broker):
            until(lambda: recorded(parties, plant, day) == (0b1, 10))

    def test_a_message_is_acknowledged_only_after_it_is_stored(
        self,
        parties: Parties,
        plant: ReadyPlant,
        day: date,
        gateway: Gateway,
        broker: Broker,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        message = signed(parties, plant, day, 0, 10)
        begun = threading.Event()

        def take(*_arguments: Any, **_options: Any) -> list[Any]:
            begun.set()
            raise UnavailableError("the chain cannot be asked now")

        with served(gateway, broker):
            monkeypatch.setattr(gateway, "take", take)
            published(broker, "der/days/b", message.to_json().encode())
            assert begun.wait(60)
        monkeypatch.undo()
        with served(gateway, broker):  # the broker delivers it again
            until(lambda: recorded(parties, plant, day) == (0b1, 10))


def test_a_broker_url_must_not_contain_a_password() -> None:
    broker = Broker.of("mqtts://meter@broker.example", password="secret")
    assert (broker.host, broker.port, broker.tls, broker.username) == ("broker.example", 8883, True, "meter")
    assert "secret" not in repr(broker)
    assert isinstance(broker.password, Secret)
    assert broker.password.reveal() == "secret"
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(broker)
    with pytest.raises(InvalidValueError, match="DER_MQTT_PASSWORD") as caught:
        Broker.of("mqtt://meter:hidden@broker.example")
    assert "hidden" not in str(caught.value)
    for url in ("http://x", "mqtt://", "mqtt://x/path", "broker"):
        with pytest.raises(InvalidValueError, match="mqtt://host:1883"):
            Broker.of(url)


class TestCommand:
    def test_acknowledged_messages_survive_a_kill(
        self, parties: Parties, plant: ReadyPlant, day: date, devnet: Devnet, tmp_path: Path
    ) -> None:
        message = signed(parties, plant, day, 0, 10, 20)
        with der_gateway(devnet, tmp_path, "--interval", "3600") as (process, url):
            # The first round is over: nothing is relayed before the process is killed.
            until(lambda: requests.get(f"{url}/health", timeout=30).ok)
            posted = requests.post(f"{url}/v1/days", data=message.to_json(), timeout=30)
            assert posted.status_code == 202
            process.kill()
            process.wait()
        with der_gateway(devnet, tmp_path, "--interval", "0.2") as (process, url):
            until(lambda: recorded(parties, plant, day) == (0b11, 30))
            shown = f"{url}/v1/days/{message.digest.hex()}"
            until(lambda: requests.get(shown, timeout=30).json()["state"] == "recorded")
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0


@contextmanager
def der_gateway(devnet: Devnet, folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "der_client.cli", "gateway", "--url", devnet.url, "--port", "0"]
    with subprocess.Popen(  # noqa: S603 -- our own command
        [*command, "--store", str(folder / "gateway.sqlite"), *options],
        env={**os.environ, "DER_KEY": devnet.accounts["wallet_8"].key.to_hex()},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert "taking days on http://" in line, line + process.stderr.read()
            yield process, line.split(" on ")[1].split("/v1/days")[0]
        finally:
            process.kill()
