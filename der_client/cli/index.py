"""``der index``: keep the contracts' history and state in SQL, once or until it is interrupted."""

import signal
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from der_client.cli.option_groups import grouped
from der_client.cli.options import Json, OnContracts, database_option
from der_client.cli.output import print_json
from der_client.cli.own_index import refuse_another_chain
from der_client.cli.patience import until_reachable

if TYPE_CHECKING:
    from types import FrameType

    from der_client.der import Der
    from der_client.index import Progress

DEFAULT_DATABASE = "der-index.sqlite"


@dataclass(frozen=True, kw_only=True)
class OnContractsAndIndex(OnContracts):
    """Options of a command that follows the contracts into an index."""

    database: Annotated[str | None, database_option(f"the profile's, or {DEFAULT_DATABASE} in this folder")] = None

    @property
    def place(self) -> str:
        """Where the index is."""
        return self.settings.database or DEFAULT_DATABASE


@grouped
def index(
    *,
    on: OnContractsAndIndex,
    once: Annotated[bool, typer.Option("--once", help="Catch up with the chain, and exit.")] = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Discard the index, and build it again.")] = False,
    interval: Annotated[
        float,
        typer.Option(
            "--interval", metavar="SECONDS", min=0.05, help="How often to look for a new block if none is announced."
        ),
    ] = 1.0,
    as_json: Json = False,
) -> None:
    """Keep an index of the contracts up to date: plants, production, offers, payments and certificates in SQL.

    It only reads, so it needs no key. It can be killed at any time and continues where it stopped; it follows forks.
    Several can run on one database: one works, the others wait. Other commands and 'der serve' read it.
    """
    from der_client.index import Follower  # noqa: PLC0415 -- `der --help` stays fast

    def connected() -> "Der":
        on.der.check_deployed()
        return on.der

    der = connected() if once else until_reachable(connected)
    stop = threading.Event()
    _stop_on_signals(stop)
    shown = _Shown(as_json=as_json)
    with Follower(der, on.place, rebuild=rebuild) as follower:
        if once:
            refuse_another_chain(follower, der.client.url)
            shown.result(follower.run_once(shown.batch, stop=stop))
            return
        until_reachable(lambda: refuse_another_chain(follower, der.client.url))
        typer.echo(f"indexing the contracts of {der.deployer} in {follower.place} (Ctrl-C ends it)", err=True)
        follower.follow(stop, poll_s=interval, on_progress=shown.news)


class _Shown:
    """Prints progress on stderr, and results on stdout."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._height = -1

    def batch(self, progress: "Progress") -> None:
        """Show how far catching up is."""
        if progress.height < progress.tip_height:
            typer.echo(f"block {progress.height:,} of {progress.tip_height:,}: {progress.events:,} events", err=True)

    def result(self, progress: "Progress") -> None:
        """Show what was done."""
        if self._as_json:
            moment = progress.block_time
            print_json(
                {
                    "height": progress.height,
                    "block_time": None if moment is None else moment.isoformat(),
                    "tip_height": progress.tip_height,
                    "events": progress.events,
                    "transactions": progress.transactions,
                    "undone_from": progress.undone_from,
                }
            )
            return
        undone = "" if progress.undone_from is None else f", blocks from {progress.undone_from:,} on undone (a fork)"
        typer.echo(
            f"block {progress.height:,}: {progress.events:,} new events in {progress.transactions:,} transactions"
            f"{undone}"
        )

    def news(self, progress: "Progress") -> None:
        """Show what is new, if anything is."""
        if progress.events or progress.undone_from is not None:
            self.result(progress)


def _stop_on_signals(stop: threading.Event) -> None:
    """Let it finish its current batch on the first signal; a second one interrupts it."""

    def end(_number: int, _frame: "FrameType | None") -> None:
        stop.set()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
