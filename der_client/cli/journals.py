"""Where commands keep their journals by default."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from der_client.stacks.account import Account

JournalPlace = Annotated[
    str | None,
    typer.Option(
        "--journal",
        metavar="PLACE",
        help="The journal, in which transactions are recorded before they are sent: a file, or "
        "postgresql://user@host/database, which several hosts can share. Default: a file for this command, "
        "chain and account in ~/.local/state/der-client.",
        show_default=False,
    ),
]


def journal_folder() -> Path:
    """Return the default folder of journals: ``$XDG_STATE_HOME/der-client``, or in ``~/.local/state``."""
    given = os.environ.get("XDG_STATE_HOME", "")
    state = Path(given) if given.startswith("/") else Path.home() / ".local" / "state"
    return state / "der-client"


def default_journal(command: str, account: "Account", deployer: str = "") -> Path:
    """Return the default journal of a command, an account and its chain; make its folder if needed.

    Args:
        command: Such as ``keeper``.
        account: Who signs.
        deployer: Who deployed the contracts that the command calls, if it calls any.

    Raises:
        NodeError: If the node is down or responds with something else.
    """
    folder = journal_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = [command, account.client.block(1).hash[:12], deployer, account.address]
    return folder / f"{'-'.join(filter(None, names))}.db"
