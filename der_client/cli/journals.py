"""Where commands keep their journals by default."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from der_client.der import Der

JournalPlace = Annotated[
    str | None,
    typer.Option(
        "--journal",
        metavar="PLACE",
        help="Where what is sent is written down before it is sent: a file, or postgresql://user@host/database, which "
        "several hosts can share. Default: a file for this command, chain and account in ~/.local/state/der-client.",
        show_default=False,
    ),
]


def journal_folder() -> Path:
    """The folder of journals that nobody named: ``$XDG_STATE_HOME/der-client``, or in ``~/.local/state``."""
    given = os.environ.get("XDG_STATE_HOME", "")
    state = Path(given) if given.startswith("/") else Path.home() / ".local" / "state"
    return state / "der-client"


def default_journal(command: str, der: "Der") -> Path:
    """The file for a command on the chain, with the contracts and the account of a connection.

    Args:
        command: Such as ``keeper``.
        der: The connection; it has an account.

    Raises:
        NodeError: If the node is down or answers something else.
    """
    folder = journal_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    address = der.settlement.require_account().address
    first = der.client.block(1).hash
    return folder / f"{command}-{first[:12]}-{der.settlement.deployer}-{address}.db"
