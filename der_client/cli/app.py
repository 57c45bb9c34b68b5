"""The commands of ``der``, and how errors are shown: one line on stderr, never a traceback, exit code 1."""

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from der_client.cli.demo import demo
from der_client.cli.deploy import deploy
from der_client.cli.devnet import devnet
from der_client.cli.gateway import gateway
from der_client.cli.generate import generate
from der_client.cli.keeper import keeper
from der_client.cli.keys import app as keys
from der_client.cli.outbox import app as outbox
from der_client.cli.readings import app as readings
from der_client.cli.record import record
from der_client.cli.setup_roles import setup_roles
from der_client.stacks.errors import DerClientError


def _text(error: DerClientError) -> str:
    """What is wrong with meter data is said in options here, and in arguments by the library."""
    from der_client.readings.errors import MeterDataError  # noqa: PLC0415 -- `der --help` stays fast

    return error.for_command() if isinstance(error, MeterDataError) else str(error)


class _Commands(TyperGroup):
    """Shows errors that the library raises on purpose as their text; anything else is a bug and keeps its traceback."""

    def main(self, *args: Any, **extra: Any) -> Any:
        try:
            return super().main(*args, **extra)
        except DerClientError as error:
            typer.echo(f"error: {_text(error)}", err=True)
            sys.exit(1)


app = typer.Typer(
    cls=_Commands,
    help="Run solar, wind and batteries on the Stacks blockchain.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they could show local variables, and so secrets
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(demo)
app.command()(devnet)
app.command()(deploy)
app.command()(generate)
app.command("setup-roles")(setup_roles)
app.command()(keeper)
app.command()(record)
app.add_typer(outbox, name="outbox")
app.command()(gateway)
app.add_typer(readings, name="readings")
app.add_typer(keys, name="keys")


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 -- `der --help` stays fast

        typer.echo(f"der {version('der-client')}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Run solar, wind and batteries on the Stacks blockchain."""
