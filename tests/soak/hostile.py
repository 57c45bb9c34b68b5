"""Publishes and calls pathological contracts while another client sends transfers.

Every transfer must be mined, the memory must stay bounded, and no request may end in a server error except 503.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from itertools import cycle, islice
from math import inf
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

import requests

from der_client.devnet import Devnet, DevnetAccount
from der_client.stacks.clarity import BufferValue, ClarityValue, PrincipalValue
from der_client.stacks.network import DEVNET
from der_client.stacks.transactions import ContractCall, ContractPublish, PostConditionMode, TokenTransfer, Transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from der_client.stacks.transactions import UserPayload

_TIMEOUT_S: Final = 120
_GIVE_UP_S: Final = 180
_DOUBLINGS: Final = 40


def _nested(opening: str, core: str, closing: str, depth: int) -> str:
    return opening * depth + core + closing * depth


def _doubling(levels: int) -> str:
    functions = [f"(define-private (f{level}) (+ (f{level - 1}) (f{level - 1})))" for level in range(1, levels + 1)]
    return "\n".join(["(define-private (f0) u1)", *functions, f"(define-public (go) (ok (f{levels})))"])


def pathological(random: Random, rounds: int | None) -> Iterator[tuple[str, tuple[ClarityValue, ...]]]:
    """Yield sources with a function ``go``, and its arguments: every kind in each round, each time in another size."""
    fold = (
        "(define-private (one (byte (buff 1)) (n uint)) {body})\n"
        "(define-public (go (l (buff 400000))) (ok (fold one l u0)))"
    )
    for round_number in islice(cycle(range(1, 6)), rounds):
        size = round_number * random.randrange(500, 20_000)
        many = (BufferValue(bytes(size)),)
        deep = random.randrange(10, 140)
        yield f"(define-public (go) (ok {_nested('(+ u1 ', 'u1', ')', deep)}))", ()
        yield f"(define-public (go) (ok {_nested('{a: ', 'u1', '}', deep % 40 + 1)}))", ()
        yield f"(define-public (go) (ok {_nested('(list ', 'u1', ')', deep % 40 + 1)}))", ()
        yield f"(define-public (go) (ok {_nested('(some ', 'u1', ')', deep % 40 + 1)}))", ()
        yield _doubling(random.randrange(8, _DOUBLINGS)), ()
        yield fold.format(body="(begin (print {n: n, l: 0x" + "00" * 200 + "}) (+ n u1))"), many
        yield "(define-data-var v uint u0)\n" + fold.format(body="(begin (var-set v n) (+ n (var-get v)))"), many
        yield (
            "(define-map m uint (buff 1000))\n"
            + fold.format(body="(begin (map-set m n 0x" + "11" * 1000 + ") (+ n u1))"),
            many,
        )
        yield (
            (
                "(define-private (one (byte (buff 1)) (big (buff 500000))) (begin (print big) big))\n"
                "(define-public (go (big (buff 500000)))\n"
                f"  (begin (fold one 0x{'00' * random.randrange(2, 60)} big) (ok u1)))"
            ),
            (BufferValue(bytes(400_000)),),
        )
        yield "(define-public (go) (ok (/ u1 u0)))", ()
        yield "(define-public (go) (ok (unwrap-panic (if true none (some u1)))))", ()
        yield "(define-public (go) (ok u1)" * random.randrange(2, 50), ()
        yield ")" * size, ()
        yield "(" * size, ()
        yield f"(define-constant big 0x{'00' * (size % 20_000)})\n" * 3 + "(define-public (go) (ok big))", ()
        yield (
            "(define-fungible-token t)\n" + fold.format(body="(begin (is-ok (ft-mint? t u1 tx-sender)) (+ n u1))"),
            many,
        )
        yield (
            "(define-private (x) (sha512 0x00))\n" + fold.format(body=f"(begin (sha512 0x{'00' * 10_000}) (+ n u1))"),
            many,
        )
        yield f"(define-public (go) (ok (list {'u1 ' * (size % 30_000)})))", ()
        yield "(print tx-sender)" * (size % 5_000), ()


@dataclass
class Sender:
    """An account that counts its nonces itself instead of reading them from the node."""

    url: str
    account: DevnetAccount
    report: Report
    nonce: int = 0
    session: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str) -> requests.Response | None:
        """Return the response to a GET request; ``None`` if the devnet was busy."""
        return self._asked("GET", path)

    def send(self, payload: UserPayload, fee: int) -> str:
        """Send a transaction, with retries while the devnet is busy, and return its txid."""
        transaction = Transaction.build(
            payload,
            public_key=self.account.key.public_key,
            network=DEVNET,
            nonce=self.nonce,
            fee=fee,
            mode=PostConditionMode.ALLOW if isinstance(payload, ContractPublish) else PostConditionMode.DENY,
        ).sign(self.account.key)
        deadline = time.monotonic() + _GIVE_UP_S
        while time.monotonic() < deadline:
            answer = self._asked("POST", "/v2/transactions", transaction.encode())
            if answer is not None and answer.ok:
                return transaction.txid
            if answer is not None:
                raise AssertionError(f"refused: {answer.text[:300]}")
        raise AssertionError(f"transaction {transaction.txid} was not accepted in {_GIVE_UP_S} s")

    def settle(self, txid: str) -> str:
        """Wait until a transaction is mined or dropped, and return its status; only a mined one uses its nonce."""
        deadline = time.monotonic() + _GIVE_UP_S
        while time.monotonic() < deadline:
            answer = self.get(f"/extended/v1/tx/{txid}?event_limit=1")
            status = answer.json()["tx_status"] if answer is not None and answer.ok else "pending"
            if status != "pending":
                self.nonce += not status.startswith("dropped")
                self.report.count(status)
                return str(status)
            time.sleep(0.05)
        raise AssertionError(f"transaction {txid} was still pending after {_GIVE_UP_S} s")

    def _asked(self, method: str, path: str, body: bytes | None = None) -> requests.Response | None:
        headers = {"content-type": "application/octet-stream"} if body is not None else {}
        answer = self.session.request(method, self.url + path, data=body, headers=headers, timeout=_TIMEOUT_S)
        if answer.status_code == 503:
            time.sleep(0.2)
            return None
        if answer.status_code >= 500:
            self.report.problem(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer


@dataclass
class Report:
    """The results of a run.

    Attributes:
        statuses: How many transactions ended with each status.
        transfers: How many transfers were mined.
        problems: The problems found.
        peak_bytes: The peak memory of the devnet's process.
    """

    statuses: dict[str, int] = field(default_factory=dict)
    transfers: int = 0
    problems: list[str] = field(default_factory=list)
    peak_bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count(self, status: str) -> None:
        """Count a transaction that ended with this status."""
        with self._lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1

    def problem(self, text: str) -> None:
        """Note a problem."""
        with self._lock:
            self.problems.append(text)


def run(
    seconds: float = inf,
    *,
    rounds: int | None = None,
    seed: int = 1,
    tell: Callable[[str], object] = lambda _line: None,
) -> Report:
    """Publish and call pathological contracts, with cost tracking on and off, while another client sends transfers.

    Args:
        seconds: How long to run.
        rounds: How often to use each kind of contract; ``None`` repeats them until the time is up.
        seed: The seed of all randomness.
        tell: Called with lines about the progress.
    """
    report = Report()
    stop = threading.Event()
    with Devnet(deploy_contracts=False) as devnet:
        accounts = devnet.accounts
        attacker = Sender(devnet.url, accounts["wallet_1"], report)
        friend = Sender(devnet.url, accounts["wallet_2"], report)
        recipient = PrincipalValue(accounts["wallet_3"].address)
        status = Path(f"/proc/{requests.get(f'{devnet.url}/devnet', timeout=_TIMEOUT_S).json()['pid']}/status")

        def transfer() -> None:
            try:
                while not stop.is_set():
                    outcome = friend.settle(friend.send(TokenTransfer(recipient, 1), 1_000))
                    if outcome != "success":
                        report.problem(f"a transfer ended as {outcome}")
                    report.transfers += 1
                    _look(friend, attacker.account.address)
            except Exception as error:  # noqa: BLE001 -- reported at the end
                report.problem(f"the client of the transfers gave up: {error!r}")

        thread = threading.Thread(target=transfer)
        thread.start()
        try:
            deadline = time.monotonic() + seconds
            for number, (code, arguments) in enumerate(pathological(Random(seed), rounds)):  # noqa: S311 -- repeatable
                if time.monotonic() > deadline or not thread.is_alive():
                    break
                devnet.track_costs(number % 3 != 0)
                name = f"c{number}"
                published = attacker.settle(attacker.send(ContractPublish(name, code, 4), len(code) + 1_000))
                if published == "success" and "(define-public (go" in code:
                    call = ContractCall(f"{attacker.account.address}.{name}", "go", arguments)
                    attacker.settle(attacker.send(call, 500_000))
                    attacker.get(f"/extended/v2/smart-contracts/{attacker.account.address}.{name}/logs?limit=100")
                report.peak_bytes = max(report.peak_bytes, _resident(status))
                tell(f"{number + 1} contracts, {report.transfers} transfers, {report.peak_bytes >> 20} MiB")
        finally:
            stop.set()
            thread.join()
        if friend.nonce != report.transfers:
            report.problem(f"{report.transfers} transfers were mined, but {friend.nonce} nonces used")
    return report


def _look(sender: Sender, other: str) -> None:
    """Make the requests of other users meanwhile."""
    for path in (f"/v2/accounts/{other}?proof=0", "/extended/v2/blocks?limit=5", "/v2/info", "/devnet"):
        answer = sender.get(path)
        if answer is not None and not answer.ok:
            sender.report.problem(f"{path}: {answer.status_code} {answer.text[:300]}")


def _resident(status: Path) -> int:
    if not status.exists():
        return 0
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    return int(lines["VmRSS"].split()[0]) << 10
