"""The index that a command reads: the one of --database or the profile, else a file of its own, updated first."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from der_client.stacks.errors import InvalidValueError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from der_client.cli.options import OnHistory
    from der_client.index import Follower, Index, Progress
    from der_client.index.answers import Tip
    from der_client.stacks.rpc import Client

_LONG_BLOCKS = 2_000
_STALE_BLOCKS = 10


@contextmanager
def opened_index(on: OnHistory) -> Iterator[Index]:
    """Open the index of ``--database`` or the profile, or else the command's own file, updated first.

    Args:
        on: The options.

    Yields:
        The index.

    Raises:
        IndexDatabaseError: If it cannot be opened.
        InvalidValueError: If it is empty, or indexes other contracts.
        NodeError: If the node could not be reached.
    """
    from der_client.index import Index  # noqa: PLC0415 -- it loads SQLAlchemy

    place = on.settings.database or _own(on)
    with Index(place) as index:
        _check(on, index)
        yield index


def refuse_another_chain(follower: Follower, url: str) -> None:
    """Refuse to discard the index of another chain, as a follower would: the place or the URL may be a mistake.

    Args:
        follower: The follower, which has not begun.
        url: The node.

    Raises:
        InvalidValueError: If no block of the index is in the chain.
        NodeError: If the node could not be reached.
    """
    if follower.is_of_another_chain():
        raise InvalidValueError(
            f"--database {follower.place}: it indexes another chain than that of {url}; give another one, "
            "or discard its content with 'der index --rebuild'"
        )


def _check(on: OnHistory, index: Index) -> None:
    tip, place = index.tip(), index.place
    if tip is None:
        raise InvalidValueError(
            f"--database {place}: nothing is indexed yet; run 'der index --database {place}', and leave it running"
        )
    network = on.client.network
    if tip.network_id != network.chain_id:
        raise InvalidValueError(
            f"--database {place}: it indexes another network than that of {on.client.url}; give another one, or --url"
        )
    if tip.deployer != on.contracts_of:
        raise InvalidValueError(
            f"--database {place}: it indexes the contracts of {tip.deployer}, not those of {on.contracts_of}; "
            "give another one, or --deployer"
        )
    _say_if_old(on.client, tip, place)


def _say_if_old(client: Client, tip: Tip, place: str) -> None:
    """Print a note where the index does not say what is true now."""
    try:
        is_known = client.block(tip.height).hash == tip.block_hash
    except NotFoundError:
        is_known = False
    behind = client.block().height - tip.height if is_known else 0
    if not is_known:
        note = f"ends at block {tip.height:,}, which {client.url} does not have (any more)"
    elif behind > _STALE_BLOCKS:
        note = f"is {behind:,} blocks behind the chain (it ends at {tip.block_time:%Y-%m-%d %H:%M} UTC)"
    else:
        return
    typer.echo(f"the index {note}; 'der index --database {place}' brings it up to date", err=True)


def _own(on: OnHistory) -> Path:
    """Update the command's own index of these contracts, and return its path."""
    from der_client.cli.journals import journal_folder  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.index import Follower  # noqa: PLC0415
    from der_client.index.errors import IndexVersionError, LeaseHeldError  # noqa: PLC0415

    folder = journal_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The first block is part of the name, so that a new devnet at the same address gets a new file.
    file = folder / f"index-{on.client.block(1).hash[:12]}-{on.contracts_of}.sqlite"
    if not file.exists():
        on.der.check_deployed()

    def follow(*, rebuild: bool) -> None:
        with Follower(on.der, file, rebuild=rebuild) as follower:
            follower.run_once(_say)

    try:
        follow(rebuild=False)
    except IndexVersionError:
        follow(rebuild=True)
    except LeaseHeldError:
        pass  # another command is updating it
    return file


def _say(progress: Progress) -> None:
    """Print progress if indexing takes long."""
    if progress.tip_height - progress.height > _LONG_BLOCKS:
        typer.echo(f"indexing: block {progress.height:,} of {progress.tip_height:,}", err=True)
