"""``der serve``: the pages and the API over an index, until it is interrupted."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from der_client.cli.index import OnContractsAndIndex
from der_client.cli.option_groups import grouped
from der_client.cli.output import output_console
from der_client.cli.own_index import refuse_another_chain
from der_client.cli.patience import until_reachable

if TYPE_CHECKING:
    from types import FrameType

    from der_client.der import Der
    from der_client.index import Follower

DEFAULT_PORT = 8200


@grouped
def serve(
    *,
    on: OnContractsAndIndex,
    host: Annotated[
        str, typer.Option("--host", help="The address to listen on. The default can be reached from this machine only.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, help="Where to listen; 0 takes any free port.")
    ] = DEFAULT_PORT,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            metavar="NAME",
            help="Another host name that browsers may use, such as that of a proxy in front. "
            "Can be given several times.",
            show_default=False,
        ),
    ] = None,
    root_path: Annotated[
        str, typer.Option("--root-path", metavar="PATH", help="The path below which a proxy in front shows the pages.")
    ] = "",
    follow: Annotated[
        bool, typer.Option("--follow", help="Also keep the index up to date, as 'der index' does.")
    ] = False,
) -> None:
    """Show plants, production, market, money and certificates in a browser, from an index, until Ctrl-C.

    The pages and the API under /api only read, and need no key. They are up to date while 'der index' runs, or with
    --follow.
    """

    def connected() -> "Der":
        on.der.check_deployed()
        return on.der

    der = until_reachable(connected) if follow else None  # before Ctrl-C is only noted
    with interrupted() as stop:
        serve_index(
            on.place,
            stop=stop,
            host=host,
            port=port,
            allow_hosts=allow_host or (),
            root_path=root_path,
            der=der,
        )


def serve_index(
    place: str,
    *,
    stop: threading.Event,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    allow_hosts: "list[str] | tuple[()]" = (),
    root_path: str = "",
    der: "Der | None" = None,
) -> None:
    """Serve the pages of an index until ``stop`` is set, and print their address.

    Args:
        place: The index.
        stop: Set to end.
        host: The address to listen on.
        port: The port; 0 for any that is free.
        allow_hosts: More host names under which to serve them.
        root_path: The path below which a proxy shows the pages.
        der: The contracts that the index follows meanwhile, if it does.

    Raises:
        MissingExtraError: If a library of the extra is not installed.
        InvalidValueError: If the address cannot be used.
        IndexDatabaseError: If the index cannot be opened.
    """
    from der_client.index import Index  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.web.service import address_of, open_socket, serve  # noqa: PLC0415 -- an extra

    with open_socket(host, port) as listening, following(der, place, stop), Index(place) as index:
        output_console().print(f"Pages on {address_of(listening)}/  (Ctrl-C ends it)", markup=False, highlight=False)
        serve(index, listening, stop=stop, allow_hosts=allow_hosts, root_path=root_path)


@contextmanager
def following(der: "Der | None", place: str, stop: threading.Event) -> Iterator[None]:
    """Keep an index up to date in a thread of its own, for as long as the block lasts; catch up first.

    Args:
        der: The contracts that it follows; nothing is done if ``None``.
        place: The index.
        stop: Set to end; it is set when the block ends, too.
    """
    if der is None:
        yield
        return
    from der_client.index import Follower  # noqa: PLC0415 -- `der --help` stays fast

    der.check_deployed()
    with Follower(der, place) as follower:
        refuse_another_chain(follower, der.client.url)
        follower.run_once(stop=stop)
        thread = threading.Thread(target=_follow, args=(follower, stop), name="index")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def _follow(follower: "Follower", stop: threading.Event) -> None:
    """Keep up with the chain; if that fails for good, say so, and leave the pages as they are."""
    from der_client.stacks.errors import DerClientError  # noqa: PLC0415

    try:
        follower.follow(stop)
    except DerClientError as error:
        typer.echo(f"error: the index no longer follows the chain: {error}", err=True)


@contextmanager
def interrupted() -> Iterator[threading.Event]:
    """Set an event on Ctrl-C or a service manager's stop, instead of ending at once.

    Yields:
        The event.
    """
    stop = threading.Event()

    def note(_number: int, _frame: "FrameType | None") -> None:
        stop.set()

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
