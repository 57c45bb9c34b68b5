"""``der demo``: a day of three plants on the embedded devnet, and an account of what happened."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from der_client.demo import DemoResult
    from der_client.devnet import DevnetControl


def demo(
    days: Annotated[int, typer.Option(min=1, max=40, help="How many days to run.")] = 1,
    url: Annotated[str, typer.Option(help="An embedded devnet that is running. Default: a new one.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
    serve: Annotated[
        bool, typer.Option("--serve", help="Then keep the devnet up, and show its plants in a browser, until Ctrl-C.")
    ] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Where the pages of --serve listen; 0 takes any free port.")
    ] = 8200,
) -> None:
    """Run a complete example on the embedded devnet: three plants, real meter data, sales, settlement, a claim."""
    from der_client.cli.demo_story import tell  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.devnet import Devnet, DevnetControl  # noqa: PLC0415

    with ExitStack() as running:
        devnet = running.enter_context(DevnetControl(url) if url else Devnet(deploy_contracts=False))
        result = play(devnet, days=days, quiet=as_json)
        if as_json:
            typer.echo(result.model_dump_json(indent=2))
        else:
            tell(result, url=devnet.url if url or serve else None)
        if serve:
            _serve(devnet, port)


def _serve(devnet: DevnetControl, port: int) -> None:
    """Show the devnet's plants in a browser, from an index of their own."""
    from tempfile import TemporaryDirectory  # noqa: PLC0415

    from der_client.cli.serve import interrupted, serve_index  # noqa: PLC0415
    from der_client.der import Der  # noqa: PLC0415

    with TemporaryDirectory(prefix="der-demo-") as folder, interrupted() as stop:
        der = Der.connect(devnet.url, deployer=devnet.deployer.address)
        serve_index(f"{folder}/index.sqlite", stop=stop, port=port, der=der)


def play(devnet: DevnetControl, *, days: int, quiet: bool = False) -> DemoResult:
    """Run the demo on a running devnet, with a progress bar on stderr, and return what happened.

    Args:
        devnet: The devnet; the contracts are published if they are not there.
        days: How many days, 1 to 40.
        quiet: Whether to leave out the bar.

    Raises:
        InvalidValueError: If the number of days is out of range.
        DerClientError: If something goes wrong, or the balances do not agree with the receipts.
    """
    from der_client.demo import run_demo  # noqa: PLC0415 -- heavy, and only this command needs it
    from der_client.project import deployment_plan  # noqa: PLC0415

    with _progress(shown=not quiet) as on_progress:
        return run_demo(devnet, deployment_plan(), days=days, on_progress=on_progress)


@contextmanager
def _progress(*, shown: bool) -> Iterator[Callable[[str, int, int], None]]:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (BarColumn(bar_width=30), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), disable=not shown, transient=True) as progress:
        task = progress.add_task("", total=1)

        def update(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total)

        yield update
