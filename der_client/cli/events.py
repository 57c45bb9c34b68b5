"""``der events``: what contracts printed, oldest first."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from der_client.cli.completion import CONTRACTS, complete_contract
from der_client.cli.option_groups import grouped
from der_client.cli.options import OnHistory, Shape
from der_client.cli.output import plain, print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from der_client.stacks.contract import Contract
    from der_client.stacks.contract.events import EventRecord
    from der_client.stacks.rpc.responses import ContractLogEvent

_KEYS = ("block_height", "block_time", "txid", "event_index", "contract_id", "topic", "fields")
# Following begins with at least this many known events, so that a fork can be detected.
_ANCHOR = 100


@grouped
def events(
    contract: Annotated[
        str | None,
        typer.Argument(
            metavar="CONTRACT",
            help="ADDRESS.name, a contract's name, or assets, production, grid, market, settlement. Default: all five.",
            autocompletion=complete_contract,
            show_default=False,
        ),
    ] = None,
    *,
    on: OnHistory,
    topic: Annotated[
        str | None,
        typer.Option(
            "--topic", metavar="NAME", help="Only events of this name, such as offer-created.", show_default=False
        ),
    ] = None,
    plant: Annotated[
        int | None, typer.Option("--plant", metavar="ID", min=1, help="Only of this plant.", show_default=False)
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="NUMBER", min=1, help="How many events, counted from the last.")
    ] = 20,
    follow: Annotated[bool, typer.Option("--follow", help="Then show new events as they come, until Ctrl-C.")] = False,
    shape: Shape,
) -> None:
    """Show what contracts printed: the last events, oldest first."""
    from der_client.cli.contract_ids import contract_id  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.plant_lists import require_plant  # noqa: PLC0415

    def fits(record: "EventRecord") -> bool:
        return (topic is None or _topic(record) == topic) and (
            plant is None or getattr(record.event, "asset_id", None) == plant
        )

    wanted = None if contract is None else contract_id(on, contract)
    is_known = wanted is None or _is_indexed(on, wanted)
    if topic is not None and is_known:
        _check_topic(on, wanted, topic)
    if plant is not None and is_known:
        require_plant(on.der, plant)
    if follow:
        _follow(on, wanted, fits, limit, shape)
        return
    if on.settings.database is not None and is_known:
        records = _from_index(on, wanted, topic, plant, limit)
    else:
        records = _from_chain(on, wanted, fits, limit)
    rows = [_row(record) for record in records]
    shown = [(_when(record), record.contract_id, _text(on, record)) for record in records]

    def table() -> None:
        if not shown:
            typer.echo("no events; look at all with 'der events', or raise --limit")
            return
        lines = [(when, _name(source, on), text) for when, source, text in shown]
        print_table("Events", ("when (UTC)", "contract", "event"), lines, left=("contract", "event"))

    shape.show("events", rows, _KEYS, table)


def _is_indexed(on: OnHistory, contract: str) -> bool:
    address, _, name = contract.partition(".")
    return address == on.contracts_of and name in CONTRACTS.values()


def _from_index(
    on: OnHistory, contract: str | None, topic: str | None, plant: int | None, limit: int
) -> "Sequence[EventRecord]":
    from der_client.cli.own_index import opened_index  # noqa: PLC0415 -- `der --help` stays fast

    name = None if contract is None else contract.partition(".")[2]
    with opened_index(on) as index:
        return index.event_records(contract=name, topic=topic, asset_id=plant, limit=limit)


def _from_chain(
    on: OnHistory, contract: str | None, fits: "Callable[[EventRecord], bool]", limit: int
) -> "Sequence[EventRecord]":
    sources = _five(on) if contract is None else [_source(on, contract)]
    found = [record for source in sources for record in _last(source, fits, limit)]
    if len(sources) == 1:
        return found[::-1]
    places = _places(on, found)

    def place(record: "EventRecord") -> tuple[int, int, int]:
        return record.block_height or 0, places.get(record.txid, 0), record.event_index

    return sorted(found, key=place)[-limit:]


def _five(on: OnHistory) -> "list[Contract]":
    der = on.der
    return [der.assets, der.production, der.grid, der.market, der.settlement]


def _check_topic(on: OnHistory, contract: str | None, topic: str) -> None:
    """Check that one of the five contracts, or any of them, has an event of this name.

    Raises:
        InvalidValueError: If not.
    """
    from difflib import get_close_matches  # noqa: PLC0415 -- only here

    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    sources = [source for source in _five(on) if contract in (None, source.contract_id)]
    names = sorted({each.topic for source in sources for each in source.event_classes})
    if topic in names:
        return
    close = get_close_matches(topic, names, n=1)
    all_names = "'der events' shows events with their names" if contract is None else f"there are {', '.join(names)}"
    known = f"did you mean {close[0]}?" if close else all_names
    raise InvalidValueError(f"--topic: no event is called {topic!r}; {known}")


def _source(on: OnHistory, contract: str) -> "Contract":
    """Return a contract that is deployed."""
    from der_client.cli.contract_ids import interface_of, typed_contract  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.contract import Contract  # noqa: PLC0415

    interface_of(on, contract)
    return typed_contract(on, contract) or Contract.at(on.client, contract)


def _places(on: OnHistory, records: "Sequence[EventRecord]") -> dict[str, int]:
    """Return the places of transactions in blocks with several of them, which logs do not have."""
    from der_client.stacks.rpc import api  # noqa: PLC0415 -- `der --help` stays fast

    by_block: dict[int, set[str]] = {}
    for record in records:
        if record.block_height is not None:
            by_block.setdefault(record.block_height, set()).add(record.txid)
    places: dict[str, int] = {}
    for height, txids in by_block.items():
        first = 0
        while len(txids) > 1 and not txids <= places.keys():
            page = on.client.run(api.block_transactions(height, offset=first))
            if not page:
                break  # a fork has removed the block meanwhile
            places |= {each.txid: place for place, each in enumerate(page, first)}
            first += len(page)
    return places


def _last(source: "Contract", fits: "Callable[[EventRecord], bool]", limit: int) -> "Iterator[EventRecord]":
    """Yield the last events that match, newest first, and read no more pages than needed."""
    from der_client.stacks.contract.events import read_record  # noqa: PLC0415 -- `der --help` stays fast

    found = 0
    for log in source.client.iter_contract_logs(source.contract_id):
        record = read_record(log, source.event_classes)
        if fits(record):
            yield record
            found += 1
        if found == limit:
            return


def _follow(
    on: OnHistory, contract: str | None, fits: "Callable[[EventRecord], bool]", limit: int, shape: Shape
) -> None:
    from der_client.cli.output import print_json, printable  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    if shape.as_csv:
        raise InvalidValueError("--follow: --csv does not apply; --json prints an object for each event")
    if contract is None:
        raise InvalidValueError("--follow: name the contract to follow, such as market")
    try:
        for record in _last_and_new(_source(on, contract), fits, limit):
            if shape.as_json:
                print_json({key: plain(value) for key, value in _row(record).items()})
            else:
                typer.echo(printable(f"{_when(record)}  {_text(on, record)}"))
    except KeyboardInterrupt:
        raise typer.Exit from None


def _last_and_new(source: "Contract", fits: "Callable[[EventRecord], bool]", limit: int) -> "Iterator[EventRecord]":
    """Yield the last events that match, oldest first, and then new ones as they come."""
    from der_client.stacks.contract.events import read_record  # noqa: PLC0415 -- `der --help` stays fast

    logs: list[ContractLogEvent] = []
    found: list[EventRecord] = []
    for log in source.client.iter_contract_logs(source.contract_id):
        logs.append(log)
        record = read_record(log, source.event_classes)
        if len(found) < limit and fits(record):
            found.append(record)
        if len(found) == limit and len(logs) >= _ANCHOR:
            break
    yield from found[::-1]
    for update in source.client.stream_contract_logs(source.contract_id, history=True, known=logs[::-1]):
        record = read_record(update.event, source.event_classes)
        if not update.is_withdrawn and fits(record):
            yield record


def _topic(record: "EventRecord") -> str:
    from der_client.cli.event_text import topic_of  # noqa: PLC0415 -- `der --help` stays fast

    return topic_of(record.event)


def _row(record: "EventRecord") -> dict[str, Any]:
    from der_client.cli.event_text import fields_of  # noqa: PLC0415 -- `der --help` stays fast

    return {
        "block_height": record.block_height,
        "block_time": record.block_time,
        "txid": record.txid,
        "event_index": record.event_index,
        "contract_id": record.contract_id,
        "topic": _topic(record),
        "fields": fields_of(record.event),
    }


def _when(record: "EventRecord") -> str:
    return "" if record.block_time is None else f"{record.block_time:%Y-%m-%d %H:%M}"


def _name(contract: str, on: OnHistory) -> str:
    name = contract.partition(".")[2]
    return next((alias for alias, known in CONTRACTS.items() if known == name), on.book.short(contract))


def _text(on: OnHistory, record: "EventRecord") -> str:
    from der_client.cli.event_text import printed_text  # noqa: PLC0415 -- `der --help` stays fast

    topic = _topic(record)
    return f"{topic}: {printed_text(record.event, on.book)}" if topic else printed_text(record.event, on.book)
