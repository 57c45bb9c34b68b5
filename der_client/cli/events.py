"""``der events``: what contracts printed, newest last."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from der_client.cli.completion import CONTRACTS, complete_contract
from der_client.cli.option_groups import grouped
from der_client.cli.options import OnContracts, Shape
from der_client.cli.output import plain, print_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from der_client.stacks.contract.events import EventRecord

_KEYS = ("block_height", "block_time", "txid", "event_index", "contract_id", "topic", "fields")


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
    on: OnContracts,
    topic: Annotated[
        str | None,
        typer.Option("--topic", metavar="NAME", help="Only these, such as offer-created.", show_default=False),
    ] = None,
    plant: Annotated[
        int | None, typer.Option("--plant", metavar="ID", min=1, help="Only of this plant.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="NUMBER", min=1, help="The last so many.")] = 20,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on with what is printed from now on, until Ctrl-C.")
    ] = False,
    shape: Shape,
) -> None:
    """Show what contracts printed: the last events, oldest first."""
    from der_client.cli.contract_ids import contract_id, interface_of, typed_contract  # noqa: PLC0415 -- as elsewhere
    from der_client.stacks.contract import Contract  # noqa: PLC0415
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    if contract is None:
        der = on.der
        sources: list[Contract] = [der.assets, der.production, der.grid, der.market, der.settlement]
    else:
        wanted = contract_id(on, contract)
        interface_of(on, wanted)
        sources = [typed_contract(on, wanted) or Contract.at(on.client, wanted)]

    def fits(record: "EventRecord") -> bool:
        return (topic is None or _topic(record) == topic) and (
            plant is None or getattr(record.event, "asset_id", None) == plant
        )

    if follow:
        if len(sources) > 1:
            raise InvalidValueError("--follow: name the contract to follow, such as market")
        _follow(on, sources[0], fits, shape)
        return
    records = [record for source in sources for record in _last(source, fits, limit)]
    records.sort(key=lambda record: (record.block_height or 0, record.txid, record.event_index))
    rows = [_row(record) for record in records[-limit:]]
    shown = [(_when(record), record.contract_id, _text(on, record)) for record in records[-limit:]]

    def table() -> None:
        if not shown:
            typer.echo("no events; look at all with 'der events', or raise --limit")
            return
        lines = [(when, _name(source, on), text) for when, source, text in shown]
        print_table("Events", ("when (UTC)", "contract", "event"), lines, left=("contract", "event"))

    shape.show("events", rows, _KEYS, table)


def _last(source: Any, fits: Any, limit: int) -> "Iterator[EventRecord]":
    """Yield the last events that fit, newest first; older pages are not asked for."""
    from der_client.stacks.contract.events import read_record  # noqa: PLC0415 -- `der --help` stays fast

    found = 0
    for log in source.client.iter_contract_logs(source.contract_id):
        record = read_record(log, source.event_classes)
        if fits(record):
            yield record
            found += 1
        if found == limit:
            return


def _follow(on: OnContracts, source: Any, fits: Any, shape: Shape) -> None:
    from der_client.cli.output import print_json, printable  # noqa: PLC0415 -- `der --help` stays fast

    try:
        for record in source.events(follow=True):
            if not fits(record):
                continue
            if shape.as_json:
                print_json({key: plain(value) for key, value in _row(record).items()})
            else:
                typer.echo(printable(f"{_when(record)}  {_text(on, record)}"))
    except KeyboardInterrupt:
        raise typer.Exit from None


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
        "fields": {name: _plain(value) for name, value in fields_of(record.event).items()},
    }


def _plain(value: Any) -> Any:
    from pydantic import BaseModel  # noqa: PLC0415 -- `der --help` stays fast

    return (
        {key: _plain(getattr(value, key)) for key in type(value).model_fields}
        if isinstance(value, BaseModel)
        else value
    )


def _when(record: "EventRecord") -> str:
    return "" if record.block_time is None else f"{record.block_time:%Y-%m-%d %H:%M}"


def _name(contract: str, on: OnContracts) -> str:
    name = contract.partition(".")[2]
    return next((alias for alias, known in CONTRACTS.items() if known == name), on.book.short(contract))


def _text(on: OnContracts, record: "EventRecord") -> str:
    from der_client.cli.event_text import printed_text  # noqa: PLC0415 -- `der --help` stays fast

    topic = _topic(record)
    return f"{topic}: {printed_text(record.event, on.book)}" if topic else printed_text(record.event, on.book)
