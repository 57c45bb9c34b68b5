"""``der generate``: write the Python module that declares a contract."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from der_client.cli.options import NetworkOption

if TYPE_CHECKING:
    from der_client.stacks.network import Network

_CONTRACT_ID = re.compile(r"S[0-9A-HJKMNP-TV-Z]{20,41}\.[a-zA-Z][a-zA-Z0-9_-]*\Z")


def generate(
    what: Annotated[
        str,
        typer.Argument(
            metavar="CONTRACT_ID|FILE|PROJECT",
            help="A contract on a network, a source file, or the folder of a Clarinet project.",
            show_default=False,
        ),
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="The file to write, or for a project, a package's folder. Default: standard output.",
            show_default=False,
        ),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if --output is out of date.")] = False,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="URL",
            help="The node to ask. Default: DER_URL, that of the profile in use, or the devnet on this machine if it "
            "has the contract; else a public API of the network of the contract's address.",
            show_default=False,
        ),
    ] = None,
    network: NetworkOption = None,
) -> None:
    """Write a Python module for a contract: its functions, storage, errors and events as typed declarations.

    A source file or a project is first published on an embedded devnet, with what it needs. The same contract always
    gives the same text.
    """
    from der_client.generation import write_files  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    is_package = Path(what).is_dir()
    if output is None and check:
        raise typer.BadParameter("--check compares with a file: give it with --output", param_hint="--check")
    if output is None and is_package:
        raise typer.BadParameter("a project needs several modules: give their folder with --output", param_hint="-o")
    if output is not None and not output.parent.is_dir():
        raise InvalidValueError(f"--output {output}: cannot be written: {output.parent} is not a folder")
    left_out: dict[str, str] = {}
    modules = _from_node(what, url, network) if _CONTRACT_ID.match(what) else _from_files(what, url, left_out)
    for name, reason in left_out.items():
        typer.echo(f"left out {name}: {reason}", err=True)
    if output is None:
        typer.echo(next(iter(modules.values())), nl=False)
        return
    changed = write_files(modules, output, is_package=is_package, check=check)
    if check and changed:
        for path in changed:
            typer.echo(f"not up to date: {path}", err=True)
        raise typer.Exit(1)
    for path in changed:
        typer.echo(f"wrote {path}", err=True)
    if left_out:
        raise typer.Exit(1)


def _from_node(contract_id: str, url: str | None, network: "Network | None") -> dict[str, str]:
    from der_client.cli.options import open_client  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.generation import module_of_deployed  # noqa: PLC0415

    return module_of_deployed(open_client(_node_of(contract_id, url), network), contract_id)


def _node_of(contract_id: str, url: str | None) -> str:
    """Return the URL of the node to ask: what options, environment or profile name, else one that has the contract."""
    from der_client.cli.profiles import Settings  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.clarinet import public_api  # noqa: PLC0415
    from der_client.stacks.errors import NodeError  # noqa: PLC0415
    from der_client.stacks.rpc import Client  # noqa: PLC0415

    settings = Settings.of(url=url)
    if not settings.is_default_url:
        return settings.url
    try:
        Client(settings.url).contract_interface(contract_id)
    except NodeError:  # no devnet runs on this machine, or it does not have this contract
        return public_api(contract_id)
    return settings.url


def _from_files(what: str, url: str | None, left_out: dict[str, str]) -> dict[str, str]:
    from der_client.generation import modules_of_file, modules_of_project  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    path = Path(what)
    if path.is_dir():
        return modules_of_project(path, requirements_url=url, left_out=left_out)
    if path.is_file():
        return modules_of_file(path, requirements_url=url)
    raise InvalidValueError(
        f"{what} is neither a contract's id (ADDRESS.name), nor a file, nor a folder; check the path or the id"
    )
