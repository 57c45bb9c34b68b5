"""``der call`` and ``der read``: any function of any contract, its arguments typed by the contract's interface."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from der_client.cli.completion import CONTRACTS, complete_contract
from der_client.cli.option_groups import grouped
from der_client.cli.options import Json, OnContracts, OnContractsSending
from der_client.cli.output import print_json, print_wrapped, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from der_client.stacks.rpc.responses import Simulation, TransactionInfo
    from der_client.stacks.transactions import ContractCall, PostCondition, PostConditionMode, Transaction

ContractArgument = Annotated[
    str,
    typer.Argument(
        metavar="CONTRACT",
        help="ADDRESS.name, a contract's name, or assets, production, grid, market, settlement.",
        autocompletion=complete_contract,
    ),
]
FunctionArgument = Annotated[
    str | None,
    typer.Argument(metavar="FUNCTION", help="Its name. Without one, all are listed.", show_default=False),
]
Arguments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ARGUMENTS",
        help="Written as their types require: 5, true, 0xff, text, none, an address or a key's name; the rest in "
        "Clarity syntax: "
        "'{amount: 5, to: none}', '(list 1 2)'.",
        show_default=False,
    ),
]


@grouped
def read(
    contract: ContractArgument,
    function: FunctionArgument = None,
    arguments: Arguments = None,
    *,
    on: OnContracts,
    as_json: Json = False,
) -> None:
    """Call a read-only function of any contract; nothing is signed or sent."""
    from der_client.cli.contract_arguments import read_arguments  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.contract_ids import contract_id, function_of, interface_of  # noqa: PLC0415

    wanted = contract_id(on, contract)
    interface = interface_of(on, wanted)
    if function is None:
        _list_functions(wanted, interface, "read_only", as_json=as_json)
        return
    declared = function_of(interface, wanted, function, "read_only", "call")
    values = read_arguments(declared, arguments or (), _principals(on))
    result = on.client.call_read(wanted, function, values)
    if as_json:
        print_json({"contract_id": wanted, "function": function, "result": str(result)})
    else:
        typer.echo(printable(str(result)))


@grouped
def call(
    contract: ContractArgument,
    function: FunctionArgument = None,
    arguments: Arguments = None,
    *,
    on: OnContractsSending,
    post_condition: Annotated[
        list[str] | None,
        typer.Option(
            "--post-condition",
            metavar="TEXT",
            help="What may move: 'me <= 1.5STX', 'WHO == 100 ADDRESS.contract::token', 'me sends "
            "ADDRESS.contract::token VALUE'. Repeatable. Anything else aborts. Default on an embedded "
            "devnet: exactly what moves in a trial run.",
            show_default=False,
        ),
    ] = None,
    allow_unlisted: Annotated[
        bool,
        typer.Option("--allow-unlisted", help="Also allow transfers that no post-condition names. Dangerous."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only try it, on an embedded devnet; nothing is signed or sent.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Call a public function of any contract: show it, ask, send it, and wait. An embedded devnet tries it first."""
    from der_client.cli.contract_arguments import read_arguments  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.contract_ids import contract_id, function_of, interface_of  # noqa: PLC0415
    from der_client.cli.event_text import event_lines  # noqa: PLC0415
    from der_client.cli.post_conditions import read_post_condition  # noqa: PLC0415
    from der_client.cli.sending import send_and_wait  # noqa: PLC0415
    from der_client.stacks.transactions import ContractCall, PostConditionMode  # noqa: PLC0415

    wanted = contract_id(on, contract)
    interface = interface_of(on, wanted)
    if function is None:
        _list_functions(wanted, interface, "public", as_json=as_json)
        return
    declared = function_of(interface, wanted, function, "public", "read")
    payload = ContractCall(wanted, function, read_arguments(declared, arguments or (), _principals(on)))
    given = [
        read_post_condition(text, lambda who: on.book.address(who, "--post-condition")) for text in post_condition or ()
    ]
    mode = PostConditionMode.ALLOW if allow_unlisted else PostConditionMode.DENY
    tried, conditions = _tried(on, payload, given, mode)
    if dry_run:
        _show_trial(on, tried, as_json=as_json)
        return
    transaction = on.account.build(payload, post_conditions=conditions, mode=mode)
    _confirm(on, payload, transaction, tried)
    receipt = send_and_wait(on.account.sign(transaction), on.account.send, lambda pending: pending.wait_any(on.timeout))
    _require_success(on, receipt)
    if as_json:
        from der_client.cli.tx import transaction_json  # noqa: PLC0415

        print_json(transaction_json(receipt, transaction))
        return
    typer.echo(f"result {printable(str(receipt.result))}")
    for line in event_lines(on, receipt.events):
        print_wrapped(line, first="  ")
    typer.echo(f"txid {receipt.txid}")


def _principals(on: OnContracts) -> "Callable[[str], str | None]":
    """Return a function that looks up names of keys and contracts; Clarity's own literals are not looked up."""
    from der_client.cli.contract_ids import contract_id  # noqa: PLC0415 -- `der --help` stays fast

    def principal(text: str) -> str | None:
        if text in on.book.by_name:
            return on.book.by_name[text]
        return contract_id(on, text) if text in CONTRACTS or text.startswith(".") else None

    return principal


def _list_functions(contract: str, interface: Any, access: str, *, as_json: bool) -> None:
    functions = sorted((each for each in interface.functions.values() if each.access == access), key=lambda f: f.name)
    if as_json:
        print_json(
            {
                "contract_id": contract,
                "functions": [
                    {
                        "name": each.name,
                        "arguments": [{"name": a.name, "type": str(a.type)} for a in each.arguments],
                        "result": str(each.output),
                    }
                    for each in functions
                ],
            }
        )
        return
    typer.echo(f"{'Public' if access == 'public' else 'Read-only'} functions of {contract}")
    for each in functions:
        typer.echo(f"  {printable(each.name)}")
        for argument in each.arguments:
            print_wrapped(f"{argument.name}: {argument.type}", first="      ")


def _tried(
    on: OnContractsSending, payload: "ContractCall", conditions: "Sequence[PostCondition]", mode: "PostConditionMode"
) -> "tuple[Simulation | None, Sequence[PostCondition]]":
    """Try the call where that is possible; without conditions, take those that allow just what moved.

    Raises:
        DerClientError: If it would fail.
    """
    from der_client.stacks.contract.movements import AssetEvent, exact_conditions  # noqa: PLC0415 -- `der --help` is fast
    from der_client.stacks.errors import SimulationUnavailableError  # noqa: PLC0415
    from der_client.stacks.transactions import PostConditionMode  # noqa: PLC0415

    finds_out = not conditions and mode is PostConditionMode.DENY
    trial = on.account.build(payload, post_conditions=conditions, mode=PostConditionMode.ALLOW if finds_out else mode)
    try:
        tried = on.client.simulate(trial.encode())
    except SimulationUnavailableError:
        return None, conditions
    _require_trial(on, tried, payload)
    if not finds_out:
        return tried, conditions
    moved = [event for event in tried.events if isinstance(event, AssetEvent)]
    return tried, exact_conditions(moved, on.account.address)


def _require_success(on: OnContractsSending, receipt: "TransactionInfo") -> None:
    from der_client.cli.tx import error_meaning  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import DerClientError  # noqa: PLC0415
    from der_client.stacks.outcome import outcome_of, subject_of  # noqa: PLC0415

    error = outcome_of(receipt).error(subject_of(receipt))
    if error is not None:
        meaning = error_meaning(on, receipt.contract_id, receipt.result)
        raise DerClientError(f"{error}{f': {meaning}' if meaning else ''}")


def _require_trial(on: OnContractsSending, tried: "Simulation", payload: "ContractCall") -> None:
    """Pass if a call that was tried succeeded.

    Raises:
        DerClientError: If it did not; nothing was sent.
    """
    from der_client.cli.tx import error_meaning  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import DerClientError  # noqa: PLC0415
    from der_client.stacks.outcome import OutcomeKind, read_outcome  # noqa: PLC0415

    outcome = read_outcome(tried.status, tried.raw_result, tried.vm_error)
    match outcome.kind:
        case OutcomeKind.SUCCESS:
            return
        case OutcomeKind.CONTRACT_ERROR:
            meaning = error_meaning(on, payload.contract, outcome.result)
            what = f"would return {outcome.result}{f': {meaning}' if meaning else ''}"
        case OutcomeKind.POST_CONDITION:
            what = f"would not meet a post-condition: {outcome.text}"
        case _:
            what = f"would fail: {outcome.text or outcome.kind.value}"
    name = f"{payload.contract.partition('.')[2]}.{payload.function}"
    raise DerClientError(f"{name} {what}; nothing was sent")


def _confirm(
    on: OnContractsSending, payload: "ContractCall", transaction: "Transaction", tried: "Simulation | None"
) -> None:
    from der_client.cli.event_text import event_lines  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.post_conditions import condition_text  # noqa: PLC0415
    from der_client.cli.sending import Preview, confirm  # noqa: PLC0415
    from der_client.cli.tx import cost_text  # noqa: PLC0415
    from der_client.stacks.transactions import PostConditionMode  # noqa: PLC0415

    lines = [("function", f"{payload.contract}.{payload.function}")]
    lines += [("argument", str(value)) for value in payload.arguments]
    lines += [("may move", condition_text(each, on.book.short)) for each in transaction.post_conditions]
    if transaction.post_condition_mode is PostConditionMode.ALLOW:
        lines.append(("may move", "ANYTHING (--allow-unlisted)"))
    elif not transaction.post_conditions:
        lines.append(("may move", "nothing but the fee"))
    if tried is not None:
        lines.append(("tried", f"gives {tried.result}"))
        lines += [("", line) for line in event_lines(on, tried.events)]
        if tried.cost is not None:
            lines.append(("cost", cost_text(tried.cost)))
    confirm(on, transaction, Preview("This calls a contract:", lines))


def _show_trial(on: OnContractsSending, tried: "Simulation | None", *, as_json: bool) -> None:
    from dataclasses import asdict  # noqa: PLC0415 -- `der --help` stays fast

    from der_client.cli.event_text import event_lines  # noqa: PLC0415
    from der_client.cli.tx import cost_text  # noqa: PLC0415
    from der_client.stacks.errors import SimulationUnavailableError  # noqa: PLC0415

    if tried is None:
        raise SimulationUnavailableError("--dry-run: only an embedded devnet can try a call; nothing was sent")
    lines = event_lines(on, tried.events)
    if as_json:
        cost = None if tried.cost is None else asdict(tried.cost)
        print_json({"result": str(tried.result), "events": lines, "cost": cost})
        return
    typer.echo(f"would give {printable(str(tried.result))}")
    for line in lines:
        print_wrapped(line, first="  ")
    if tried.cost is not None:
        typer.echo(f"cost {cost_text(tried.cost)}")
