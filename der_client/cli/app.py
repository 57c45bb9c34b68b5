"""The commands of ``der``, and how errors are shown: one line on stderr, never a traceback, exit code 1."""

import re
import sys
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from der_client.cli.help_texts import tidy
from der_client.cli.output import printable
from der_client.stacks.errors import ConfirmationTimeoutError, DerClientError

_NEGATIVE: Final = re.compile(r"-[0-9.]")
# Panel of `der --help`: the commands in it, each with the module and the name of its function or of its own commands.
COMMANDS: Final[dict[str, dict[str, str]]] = {
    "Plants, market and money": {
        "plants": "plants:plants",
        "plant": "plant:plant",
        "production": "production:production",
        "offers": "offers:offers",
        "sell": "sell:sell",
        "buy": "buy:buy",
        "payments": "payments:payments",
        "settle": "settle:settle",
        "statement": "statement:statement",
        "certificates": "certificates:certificates",
    },
    "Any contract, any account": {
        "balance": "balance:balance",
        "transfer": "transfer:transfer",
        "tx": "tx:tx",
        "events": "events:events",
        "read": "calls:read",
        "call": "calls:call",
        "console": "console:console",
    },
    "Services": {
        "index": "index:index",
        "serve": "serve:serve",
        "keeper": "keeper:keeper",
        "record": "record:record",
        "gateway": "gateway:gateway",
        "outbox": "outbox:app",
        "certificate": "certificate:certificate",
        "verify-certificate": "certificate:verify_certificate",
    },
    "Set up": {
        "demo": "demo:demo",
        "devnet": "devnet:devnet",
        "profile": "profile:app",
        "keys": "keys:app",
        "deploy": "deploy:deploy",
        "setup-roles": "setup_roles:setup_roles",
        "generate": "generate:generate",
        "readings": "readings:app",
    },
}


def _text(error: DerClientError) -> str:
    """Return an error's text; one about meter data names options of commands, not arguments of functions."""
    from der_client.readings.errors import MeterDataError  # noqa: PLC0415 -- `der --help` stays fast

    if isinstance(error, ConfirmationTimeoutError):
        from der_client.stacks.pending import WAIT_AGAIN  # noqa: PLC0415

        return str(error).replace(WAIT_AGAIN, f"look at it with 'der tx {error.txid}'")
    return error.for_command() if isinstance(error, MeterDataError) else str(error)


def _plain(message: str) -> str:
    """Return what is wrong with an argument without the words of the library that found it."""
    message = message.removeprefix("Value error, ").partition(", unable to parse")[0]
    return message.replace("Input should be", "must be")


class _Commands(TyperGroup):
    """Loads a command's module only when the command is used, since each imports much that the others do not need.

    Shows errors that the library raises on purpose as their text; anything else is a bug and keeps its traceback.
    """

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        # Names only, for suggestions; get_command loads the module.
        names: Any = dict.fromkeys(self.list_commands(None))
        self.commands = names

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 -- as typer calls it
        return [name for panel in COMMANDS.values() for name in panel]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        for panel, commands in COMMANDS.items():
            if cmd_name in commands:
                return _load(cmd_name, panel, commands[cmd_name])
        return None

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = _plain(error.message)
            raise

    def main(self, *args: Any, **extra: Any) -> Any:
        try:
            return super().main(*args, **extra)
        except DerClientError as error:
            typer.echo(f"error: {printable(_text(error))}", err=True)
            sys.exit(1)


class _Command(TyperCommand):
    """Reads ``-5kWh`` as a negative amount, not as an option, so that the command can say what is wrong with it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [f" {each}" if _NEGATIVE.match(each) else each for each in args])


def _load(name: str, panel: str, place: str) -> Any:
    module, _, attribute = place.partition(":")
    found = getattr(import_module(f"der_client.cli.{module}"), attribute)
    if isinstance(found, typer.Typer):
        command: Any = typer.main.get_group(found)
        command.name, command.rich_help_panel = name, panel
        return tidy(command)
    alone = typer.Typer(add_completion=False)
    alone.command(name, cls=_Command, rich_help_panel=panel)(found)
    return tidy(typer.main.get_command(alone))


app = typer.Typer(
    cls=_Commands,
    help="Run solar, wind and batteries on the Stacks blockchain.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they could show local variables, and so secrets
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
