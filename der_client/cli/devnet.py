"""``der devnet``: run the embedded devnet until it is interrupted."""

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from der_client.cli.options import Json
from der_client.cli.output import output_console, print_json, print_table, progress_console

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from types import FrameType

    from der_client.devnet import Devnet

DEFAULT_PORT = 3999
_POLL_S = 0.25


def devnet(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes any free port.")] = DEFAULT_PORT,
    host: Annotated[
        str, typer.Option(help="The address to listen on. The default can be reached from this machine only.")
    ] = "127.0.0.1",
    contracts: Annotated[bool, typer.Option(help="Publish the contracts at the start.")] = True,
    start_time: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Chain time of the first block: unix seconds, a time such as 2026-06-01T12:00Z, or a day, which "
            "means its beginning, UTC. Default: now.",
            show_default=False,
        ),
    ] = None,
    block_interval: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=0,
            help="Seconds between blocks; 0 mines only on POST /devnet/mine. Default: each transaction at once.",
            show_default=False,
        ),
    ] = None,
    state_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep the chain in this file, and continue from it.", show_default=False),
    ] = None,
    project: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Clarinet project whose accounts and contracts to use. Default: this library's own.",
            show_default=False,
        ),
    ] = None,
    event_observer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST:PORT[=KEY,…]",
            help="Post events there, as a node does: all, or those of the keys. Can be given several times.",
            show_default=False,
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not print a line for each block and transaction.")] = False,
    as_json: Json = False,
) -> None:
    """Run the embedded devnet until Ctrl-C: a Stacks node's HTTP interface in front of Clarinet's VM.

    It prints a line for each block and each transaction. Its accounts are Clarinet's public test accounts: test money
    only.
    """
    from der_client.devnet import Devnet, DevnetError  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import DerClientError  # noqa: PLC0415

    moment = None if start_time is None else _parse_time(start_time)
    # An interrupt ends the start at once, also where a script's shell had it ignored.
    _on_stop(signal.default_int_handler)
    try:
        with progress_console().status("starting the devnet …"):
            running = Devnet(
                deploy_contracts=contracts,
                start_time=moment,
                block_interval_s=block_interval,
                port=port,
                host=host,
                state_file=state_file,
                project=project,
                event_observers=event_observer or (),
                block_log=None if quiet or as_json else _print_line,
            )
    except KeyboardInterrupt:
        raise typer.Exit from None
    except DevnetError as error:
        sentence = str(error).removeprefix("the devnet did not start: ")
        raise DevnetError(sentence.replace(" (port=)", "").replace(" (host=)", "")) from None  # options, not arguments
    # From here on it is only noted: an exception that a signal handler raises can be lost, e.g. in a finalizer.
    stopped = threading.Event()
    _on_stop(lambda *_: stopped.set())
    with running:
        try:
            _show(running, as_json=as_json)
            while not stopped.is_set():
                running.wait(_POLL_S)
        except DerClientError:
            # Ctrl-C in a terminal reaches the devnet's process too, which then ends before it is asked to.
            if not stopped.is_set():
                raise


def _print_line(line: str) -> None:
    output_console().print(line, markup=False, highlight=False, soft_wrap=True)


def _on_stop(handler: "Callable[[int, FrameType | None], object]") -> None:
    """Handle Ctrl-C and a service manager's stop in the same way."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


def _parse_time(text: str) -> "datetime | int":
    from der_client.cli.quantities import parse_moment  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    if text.isdecimal():
        return int(text)
    try:
        return parse_moment(text, "--start-time")
    except InvalidValueError as error:
        message = str(error).removeprefix("--start-time: ")
        raise typer.BadParameter(message, param_hint="--start-time") from None


def _show(running: "Devnet", *, as_json: bool) -> None:
    from der_client.stacks.rpc import Client  # noqa: PLC0415 -- `der --help` stays fast

    client = Client(running.url)
    accounts = [
        (account.name, account.address, client.account(account.address).balance_ustx)
        for account in running.accounts.values()
    ]
    if as_json:
        print_json(
            {
                "url": running.url,
                "accounts": [
                    {"name": name, "address": address, "balance_ustx": balance} for name, address, balance in accounts
                ],
                "contracts": list(running.contracts),
            }
        )
        return
    print_table("Accounts", ("name", "address", "balance µSTX"), accounts, left=("address",))
    console = output_console()
    console.print("Private keys (test money only)")
    for account in running.accounts.values():  # one line each, at 80 columns, too: they are there to be copied
        console.print(f"{account.name:<8}  {account.key.to_hex()}", markup=False, highlight=False, soft_wrap=True)
    if running.contracts:
        print_table("Contracts", ("contract",), [(contract_id,) for contract_id in running.contracts])
    where = "" if running.url.endswith(f":{DEFAULT_PORT}") else f" --url {running.url}"
    console.print(f"Commands know these names: der balance wallet_1{where}", markup=False)
    console.print(f"Listening on {running.url}, also for browsers  (Ctrl-C ends it)", markup=False)
