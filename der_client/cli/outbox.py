"""``der outbox``: the jobs in a journal: which wait, which failed and why, and what they cost."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from der_client.cli.journals import journal_folder
from der_client.cli.options import Json
from der_client.cli.output import print_json

if TYPE_CHECKING:
    from der_client.stacks.outbox import Entry, Journal

app = typer.Typer(
    help="Look at the jobs of the keeper, the recorder or your own program, in the journal that each of them "
    "keeps: which wait, which failed and why, and what they cost.",
    no_args_is_help=True,
)

Place = Annotated[
    str | None,
    typer.Option(
        "--journal",
        metavar="PLACE",
        help="The journal: a file, or postgresql://user@host/database. Default: the only one in "
        "~/.local/state/der-client.",
        show_default=False,
    ),
]
Key = Annotated[str, typer.Argument(metavar="KEY", help="The job's key, as 'der outbox list' shows it.")]


@app.command("list")
def list_jobs(
    *,
    journal: Place = None,
    state: Annotated[
        str | None,
        typer.Option(
            "--state",
            help="Only jobs in this state: queued, signed, sent, mined, 'given up', or failed.",
            metavar="STATE",
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="NUMBER", help="At most this many.")] = 1000,
    as_json: Json = False,
) -> None:
    """List jobs in the order in which they are done, with their outcome, and count them."""
    opened = _open(journal)
    entries = _entries(opened, state, limit)
    counts = opened.counts()
    if as_json:
        print_json({"jobs": [_json(entry) for entry in entries], "counts": {str(key): n for key, n in counts.items()}})
        return
    for entry in entries:
        typer.echo(_line(entry))
    paid = sum(entry.fee_paid_ustx or 0 for entry in entries)
    numbers = ", ".join(f"{number} {known}" for known, number in counts.items() if number) or "no jobs"
    typer.echo(f"{numbers} in {opened.name}; fees of those shown: {paid:,} µSTX")


@app.command()
def show(key: Key, *, journal: Place = None, as_json: Json = False) -> None:
    """Show all that is known of one job."""
    entry = _find(_open(journal), key)
    if as_json:
        print_json(_json(entry))
        return
    for name, value in _json(entry).items():
        if value not in (None, ""):
            typer.echo(f"{name:<14} {value}")


@app.command()
def retry(key: Key, *, journal: Place = None) -> None:
    """Queue a job again that was given up, or that was mined without success."""
    opened = _open(journal)
    entry = _find(opened, key)
    if not opened.retry(key):
        raise typer.BadParameter(f"job {key} is {_state(entry)}: only what failed can be tried again")
    typer.echo(f"{key} is queued again; run the command that sends it")


@app.command()
def cancel(key: Key, *, journal: Place = None) -> None:
    """Give up a job that is not signed yet."""
    opened = _open(journal)
    entry = _find(opened, key)
    if not opened.cancel(key):
        raise typer.BadParameter(f"job {key} is {_state(entry)}: only what is queued can be cancelled")
    typer.echo(f"{key} is cancelled")


def _open(place: str | None) -> "Journal":
    from pathlib import Path  # noqa: PLC0415 -- `der --help` stays fast

    from der_client.stacks.outbox import Journal  # noqa: PLC0415

    if place is None:
        known = sorted(journal_folder().glob("*.db"))
        if not known:
            raise typer.BadParameter(
                "no journal exists yet: 'der keeper' and 'der record' create one; or give --journal"
            )
        if len(known) > 1:  # plain lines, so that a path can be copied
            typer.echo("error: choose a journal with --journal; there are:", err=True)
            for path in known:
                typer.echo(f"  {path}", err=True)
            raise typer.Exit(2)
        place = str(known[0])
    if "://" not in place and not Path(place).is_file():
        raise typer.BadParameter(f"there is no journal {place}")
    return Journal(place)


def _find(journal: "Journal", key: str) -> "Entry":
    entry = journal.find(key)
    if entry is None:
        raise typer.BadParameter(f"there is no job {key} in {journal.name}; see 'der outbox list'")
    return entry


def _entries(journal: "Journal", state: str | None, limit: int) -> "list[Entry]":
    from der_client.stacks.outbox import JobState  # noqa: PLC0415 -- `der --help` stays fast

    if state == "failed":
        over = journal.entries(JobState.MINED, JobState.GIVEN_UP, limit=limit)
        return [entry for entry in over if not entry.is_success]
    if state is None:
        return journal.entries(limit=limit)
    if state not in {*JobState}:
        raise typer.BadParameter(f"--state is {', '.join(JobState)} or failed, not {state}")
    return journal.entries(JobState(state), limit=limit)


def _state(entry: "Entry") -> str:
    return f"{entry.state} ({entry.outcome})" if entry.outcome else str(entry.state)


def _line(entry: "Entry") -> str:
    parts = [f"{_state(entry):<22} {entry.key}"]
    if entry.txid:
        parts.append(entry.txid)
    if entry.block_height is not None:
        parts.append(f"block {entry.block_height}, {entry.fee_paid_ustx:,} µSTX")
    if entry.reason:
        parts.append(entry.reason.splitlines()[0])
    return "  ".join(parts)


def _json(entry: "Entry") -> dict[str, Any]:
    return {
        "key": entry.key,
        "state": str(entry.state),
        "outcome": None if entry.outcome is None else str(entry.outcome),
        "reason": entry.reason,
        "txid": entry.txid,
        "account": entry.account,
        "block_height": entry.block_height,
        "fee_ustx": entry.fee_paid_ustx,
        "attempts": entry.attempts,
        "result": None if entry.result is None else str(entry.result),
        "does": repr(entry.job.payload),
        "note": entry.note,
    }
