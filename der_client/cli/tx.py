"""``der tx``: one transaction: its call, its result, what it printed and moved, and its cost."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from der_client.cli.option_groups import grouped
from der_client.cli.options import Json, OnContracts
from der_client.cli.output import plain, print_fields, print_json, print_wrapped, printable

if TYPE_CHECKING:
    from der_client.stacks.rpc.responses import ExecutionCost, TransactionInfo
    from der_client.stacks.transactions import Transaction


@grouped
def tx(
    txid: Annotated[str, typer.Argument(metavar="TXID", help="The transaction's id, with or without 0x.")],
    *,
    on: OnContracts,
    trace: Annotated[
        bool, typer.Option("--trace", help="Show the calls that it made, with places in the source (devnet only).")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show a transaction: its call, its outcome, what it printed and moved, and what it cost."""
    from der_client.cli.event_text import event_lines  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415
    from der_client.stacks.rpc.node import check_txid  # noqa: PLC0415

    wanted = check_txid(txid.removeprefix("0x"))
    info = on.client.transaction(wanted)
    if info is None:
        raise InvalidValueError(f"transaction not found at {on.client.url}; check the txid and the network")
    signed = _signed(on, info)
    if as_json:
        print_json(transaction_json(info, signed))
        return
    print_fields(f"Transaction {wanted}", _fields(on, info, signed))
    if info.events:
        typer.echo("Events")
    for number, line in enumerate(event_lines(on, info.events), 1):
        print_wrapped(line, first=f"  {number}  ")
    if trace:
        typer.echo(printable(str(on.client.trace(wanted)), keep="\n"))


def _signed(on: OnContracts, info: "TransactionInfo") -> "Transaction | None":
    """Return the transaction as it was signed; the API's response lacks parts of its payload. ``None`` if lost."""
    from der_client.stacks.errors import DerClientError  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.transactions import Transaction  # noqa: PLC0415

    try:
        if info.status.is_mined:
            return Transaction.decode(on.client.node_transaction(info.txid).raw)
        return Transaction.decode(on.client.unconfirmed_transaction(info.txid).raw)
    except DerClientError:
        return None


def _fields(on: OnContracts, info: "TransactionInfo", signed: "Transaction | None") -> list[tuple[str, object]]:
    from der_client.cli.post_conditions import condition_text  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.quantities import stx  # noqa: PLC0415
    from der_client.stacks.outcome import outcome_of  # noqa: PLC0415

    error = outcome_of(info).error("it")
    fields: list[tuple[str, object]] = [
        ("status", info.status.value),
        ("sender", on.book.full(info.sender)),
        ("nonce", str(info.nonce)),
        ("does", _what(on, info, signed)),
    ]
    if signed is not None and signed.post_conditions:
        shown = "; ".join(condition_text(each, on.book.short) for each in signed.post_conditions)
        fields.append(("allows", f"{shown} ({signed.post_condition_mode.name.lower()} mode)"))
    if info.result is not None:
        fields.append(("result", str(info.result)))
        meaning = error_meaning(on, info.contract_id, info.result)
        if meaning:
            fields.append(("error", meaning))
    if error is not None:
        fields.append(("failed", str(error)))
    fields.append(("fee", f"{stx(info.fee_ustx)} STX"))
    if info.block_time is not None:
        fields.append(("block", f"{info.block_height:,}, {info.block_time:%Y-%m-%d %H:%M:%S}Z"))
    if info.cost is not None:
        fields.append(("cost", cost_text(info.cost)))
    return fields


def cost_text(cost: "ExecutionCost") -> str:
    """Write what an execution cost."""
    return (
        f"runtime {cost.runtime:,}; reads {cost.read_count} ({cost.read_length_bytes:,} bytes); "
        f"writes {cost.write_count} ({cost.write_length_bytes:,} bytes)"
    )


def _what(on: OnContracts, info: "TransactionInfo", signed: "Transaction | None") -> str:
    from der_client.cli.quantities import stx  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.transactions import ContractCall, TokenTransfer  # noqa: PLC0415

    payload = None if signed is None else signed.payload
    match payload:
        case ContractCall():
            given = " ".join(str(argument) for argument in payload.arguments)
            return f"({payload.contract.partition('.')[2]}.{payload.function}{f' {given}' if given else ''})"
        case TokenTransfer():
            memo = f", memo {payload.memo.rstrip(bytes(1))!r}" if payload.memo.strip(bytes(1)) else ""
            return f"sends {stx(payload.amount)} STX to {on.book.short(payload.recipient.text)}{memo}"
    return f"{info.type} {info.contract_id or ''}".strip()


def error_meaning(on: OnContracts, contract_id: str | None, result: object) -> str:
    """Return what an error code of one of the five contracts means; empty for anything else."""
    from der_client.cli.contract_ids import typed_contract  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.clarity import ErrValue, UIntValue  # noqa: PLC0415

    if not isinstance(result, ErrValue) or not isinstance(result.value, UIntValue) or contract_id is None:
        return ""
    contract = typed_contract(on, contract_id)
    if contract is None:
        return ""
    codes = (code for member in type(contract).family() for enum in member.error_codes for code in enum)
    known = next((code for code in codes if int(code) == result.value.value), None)
    return "" if known is None else f"{known.name}, {known.reason}"


def transaction_json(info: "TransactionInfo", signed: "Transaction | None") -> dict[str, Any]:
    """Return a transaction as values for JSON."""
    from dataclasses import asdict, is_dataclass  # noqa: PLC0415 -- `der --help` stays fast

    from der_client.stacks.transactions import ContractCall  # noqa: PLC0415

    payload = None if signed is None else signed.payload
    arguments = [str(each) for each in payload.arguments] if isinstance(payload, ContractCall) else None
    events = []
    for event in info.events:
        fields: dict[str, Any] = asdict(event) if is_dataclass(event) else {}
        if "raw_value" in fields:
            fields["value"] = str(event.value)  # type: ignore[union-attr]
            del fields["raw_value"]
        events.append({"kind": type(event).__name__, **fields})
    return {
        name: plain(value)
        for name, value in {
            "txid": info.txid,
            "status": info.status.value,
            "type": info.type,
            "sender": info.sender,
            "nonce": info.nonce,
            "fee_ustx": info.fee_ustx,
            "contract_id": info.contract_id,
            "function": info.function,
            "arguments": arguments,
            "result": None if info.result is None else str(info.result),
            "block_height": info.block_height,
            "block_time": info.block_time,
            "cost": None if info.cost is None else asdict(info.cost),
            "vm_error": info.vm_error,
            "events": events,
        }.items()
    }
