"""The embedded devnet, compared with direct calls of Clarinet's simnet: same contracts, same Node.js, costs tracked."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import threading
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING, Final

from benchmarks.measure import OURS, Peer, Scale, Work, no_time, numbered, require_same
from benchmarks.peers import SCRIPTS, NodeProcess
from der_client import Der, PrivateKey
from der_client.contracts.asset_verification import AssetKind
from der_client.devnet import Devnet, DevnetControl
from der_client.index import Follower
from der_client.nodejs import find_node
from der_client.project import installed_project
from der_client.stacks.clarity import UIntValue, encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.measure import Runner
    from benchmarks.peers import Peers
    from der_client.stacks.account import Account
    from der_client.stacks.contract.call import Call
    from der_client.stacks.transactions import Transaction

START_GOAL = 1.3
CLIENTS_GOAL = 0.4
ONE_CLIENT_GOAL = 0.2
SERVER_GOAL = 0.6
SNAPSHOT_GOAL_S = 0.06
LAG_GOAL_S = 1.0
HISTORY = 10_000
"""The number of transactions in the chain when snapshots are measured."""
_CLIENTS: Final = 8
_ROUNDS: Final = 7
_TURN_S: Final = 0.5
_BURST: Final = 500
_LAG_TURN_S: Final = 0.001
_STUCK_S: Final = 60.0
_HISTORY_STEP: Final = 1000
_FEE_USTX: Final = 1000
_PROJECT_PARTS: Final = ("Clarinet.toml", "contracts", "settings")
_LOCATION: Final = "9xj3ud"
_REGION: Final = "CO"
_CAPACITY_W: Final = 6000
_SLOT_SECONDS: Final = 900
_METADATA: Final = re.compile("0x[0-9a-f]{64}")
"""Metadata hashes in results. They are drawn at random, because no two assets may have the same."""


def works(_peers: Peers) -> Iterator[Work]:
    """Yield the start, then transactions, reads and snapshots of one devnet, whose history grows meanwhile."""
    with copied_project() as manifest:
        yield _start(manifest)
        with Devnet() as devnet, NodeProcess("simnet.js", str(manifest)) as simnet:
            yield from _of_devnet(devnet, simnet)


@contextmanager
def copied_project() -> Iterator[Path]:
    """Yield the manifest of a copy of the project, because the SDK writes files next to it."""
    with tempfile.TemporaryDirectory() as folder:
        for part in _PROJECT_PARTS:
            source = installed_project() / part
            if source.is_dir():
                shutil.copytree(source, Path(folder, part))
            else:
                shutil.copy(source, folder)
        yield Path(folder, "Clarinet.toml")


def _start(manifest: Path) -> Work:
    def start_devnet(times: int) -> float:
        seconds = 0.0
        for _ in range(times):
            started = time.perf_counter()
            devnet = Devnet()
            seconds += time.perf_counter() - started
            devnet.close()
        return seconds

    def start_simnet(_: int) -> None:
        command = [find_node(), str(SCRIPTS / "simnet-start.js"), str(manifest)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own script

    def check() -> None:
        with Devnet() as devnet:
            published = {contract.partition(".")[2] for contract in devnet.contracts}
        named = set(tomllib.loads(manifest.read_text())["contracts"])
        require_same("contracts after the start", {"the project": sorted(named), OURS: sorted(published & named)})

    return Work(
        "devnet: start to ready, contracts published",
        start_devnet,
        (Peer("initSimnet", numbered(start_simnet), Scale.TIME, START_GOAL),),
        check,
        rounds=5,
    )


def _of_devnet(devnet: Devnet, simnet: NodeProcess) -> Iterator[Work]:
    wallets = [devnet.accounts[f"wallet_{number}"] for number in range(1, _CLIENTS + 1)]
    ders = [Der.connect(devnet.url, wallet) for wallet in wallets]
    load = Load(devnet, simnet, ders[0])
    direct_call = simnet.work(
        "register an asset",
        {
            "senders": [wallet.address for wallet in wallets],
            "location": _LOCATION,
            "region": _REGION,
            "capacityW": _CAPACITY_W,
            "slotSeconds": _SLOT_SECONDS,
        },
    )
    direct_read = simnet.work("read an asset", {"sender": wallets[0].address, "assetId": 1})

    def check_calls() -> None:
        count = ders[0].assets.get_asset_count()
        receipt = register(ders[0]).send(fee_ustx=_FEE_USTX).wait()
        require_same("register an asset", {"expected": (count + 1, 1), OURS: (receipt.value, len(receipt.events))})
        direct = direct_call.result(0)
        require_same("register an asset", {"expected": ("(ok u", 1), "SDK": (direct["result"][:5], direct["events"])})

    def check_reads() -> None:
        contract, sender = ders[0].assets.contract_id, wallets[0].address
        asset = ders[0].client.call_read(contract, "get-asset", [UIntValue(1)], sender=sender)
        results = {OURS: str(asset), "SDK": direct_read.result(0)}
        require_same("read an asset", {who: _METADATA.sub("", result) for who, result in results.items()})

    for clients, goal in ((_CLIENTS, CLIENTS_GOAL), (1, ONE_CLIENT_GOAL)):
        yield Work(
            f"devnet: signed call to receipt, {clients} client{'s'[: clients - 1]}",
            _clients(ders[:clients]),
            (Peer("direct SDK call", direct_call.run, goal=goal),),
            check_calls,
            rounds=_ROUNDS,
            turn_s=_TURN_S,
        )
    yield Work(
        "devnet server: signed transactions",
        load.transactions,
        (Peer("direct SDK call", direct_call.run, goal=SERVER_GOAL),),
        check_calls,
        rounds=_ROUNDS,
        turn_s=_TURN_S,
    )
    yield Work(
        "devnet server: read-only calls",
        load.reads,
        (Peer("direct SDK call", direct_read.run, goal=SERVER_GOAL),),
        check_reads,
        rounds=_ROUNDS,
        turn_s=_TURN_S,
    )
    yield _lag(devnet, load)
    yield _snapshots(devnet, load)


def _lag(devnet: DevnetControl, load: Load) -> Work:
    """Return the measurement of an index's lag after many transactions, mined as fast as the devnet can."""

    def run(times: int) -> float:
        with tempfile.TemporaryDirectory() as folder, Follower(load.reader, Path(folder, "lag.sqlite")) as follower:
            follower.run_once()
            return sum(lag(follower) for _ in range(times))

    def lag(follower: Follower) -> float:
        stop, has_all, goal = threading.Event(), threading.Event(), devnet.block_height + _BURST
        thread = threading.Thread(
            target=follower.follow,
            args=(stop,),
            kwargs={"on_progress": lambda progress: has_all.set() if progress.height >= goal else None},
        )
        thread.start()
        try:
            load.transactions(_BURST)
            mined = time.perf_counter()
            in_time = has_all.wait(_STUCK_S)
            seconds = time.perf_counter() - mined
        finally:
            stop.set()
            thread.join()
        require_same("transactions in the index", {"expected": True, OURS: in_time})
        return seconds

    return Work(
        f"index: behind {_BURST} transactions at the devnet's full rate",
        run,
        (Peer("the clock", no_time, Scale.ADDED_S, LAG_GOAL_S),),
        lambda: None,
        rounds=_ROUNDS,
        turn_s=_LAG_TURN_S,
    )


def _snapshots(devnet: Devnet, load: Load) -> Work:
    def check() -> None:
        devnet.track_costs(False)
        while (missing := HISTORY - devnet.block_height) > 0:
            load.transactions(min(missing, _HISTORY_STEP))
        before = load.reader.assets.get_asset_count()
        with devnet.anchor():
            load.transactions(_CLIENTS)
        load.forget_nonces()
        require_same("revert", {"before": before, OURS: load.reader.assets.get_asset_count()})

    return Work(
        f"devnet: snapshot + revert after {HISTORY} transactions",
        numbered(lambda _: devnet.revert(devnet.snapshot())),
        (Peer("the clock", no_time, Scale.ADDED_S, SNAPSHOT_GOAL_S),),
        check,
    )


def register(der: Der) -> Call[int]:
    """Return the call that is measured."""
    return der.assets.register_asset(AssetKind.SOLAR, _CAPACITY_W, _LOCATION, _REGION, token_bytes(32), _SLOT_SECONDS)


def _clients(ders: Sequence[Der]) -> Runner:
    """Return a runner in which each client is a thread with its own account and connection."""

    def call_often(der: Der, times: int) -> None:
        for _ in range(times):
            register(der).send(fee_ustx=_FEE_USTX).wait()

    def run(times: int) -> float:
        shares = [len(range(place, times, len(ders))) for place in range(len(ders))]
        with ThreadPoolExecutor(len(ders)) as threads:
            started = time.perf_counter()
            list(threads.map(call_often, ders, shares))
            return time.perf_counter() - started

    return run


class Load:
    """Requests that are prepared, then sent by a Node.js program as fast as they are answered.

    Args:
        devnet: The devnet that receives the requests.
        sender: The process that sends them.
        reader: The contracts, to check the effects.
    """

    def __init__(self, devnet: DevnetControl, sender: NodeProcess, reader: Der) -> None:
        self.reader = reader
        self._url = devnet.url
        self._sender = sender
        keys = [PrivateKey.from_bytes(bytes([number]) * 32 + b"\x01") for number in range(1, _CLIENTS + 1)]
        self._ders = [reader.with_account(key) for key in keys]
        for key in keys:
            devnet.fund(key.address(reader.client.network))
        self._nonces = [0] * _CLIENTS

    def transactions(self, times: int) -> float:
        """Send transactions, those of one account on each connection; return the seconds."""
        queues: list[list[str]] = [[] for _ in self._ders]
        for place in (number % _CLIENTS for number in range(times)):
            queues[place].append(self._signed(place).encode().hex())
        before = self.reader.assets.get_asset_count()
        seconds = self._send("/v2/transactions", "application/octet-stream", queues)
        registered = self.reader.assets.get_asset_count() - before
        require_same("transactions under load", {"sent": times, "executed": registered})
        return seconds

    def reads(self, times: int) -> float:
        """Read an asset many times; return the seconds."""
        contract, deployer = self.reader.assets.contract_id, self.reader.deployer
        body = json.dumps({"sender": deployer, "arguments": [encode(UIntValue(1)).hex()]}).encode().hex()
        queues = [[body] * len(range(place, times, _CLIENTS)) for place in range(_CLIENTS)]
        path = f"/v2/contracts/call-read/{contract.replace('.', '/')}/get-asset"
        return self._send(path, "application/json", queues)

    def forget_nonces(self) -> None:
        """Read the accounts' nonces again, after a revert of the chain."""
        self._nonces = [der.client.account(account_of(der).address).nonce for der in self._ders]

    def _signed(self, place: int) -> Transaction:
        nonce = self._nonces[place]
        self._nonces[place] += 1
        der = self._ders[place]
        return account_of(der).sign(register(der).transaction(nonce=nonce, fee_ustx=_FEE_USTX))

    def _send(self, path: str, content_type: str, queues: list[list[str]]) -> float:
        answer = self._sender.do(
            "load", {"url": self._url, "path": path, "contentType": content_type, "queues": queues}
        )
        require_same("answers under load", {"expected": {"200": sum(map(len, queues))}, OURS: answer["statuses"]})
        return float(answer["seconds"])


def account_of(der: Der) -> Account:
    """Return the account of a connection; in benchmarks, each connection has one."""
    assert der.account is not None  # noqa: S101
    return der.account
