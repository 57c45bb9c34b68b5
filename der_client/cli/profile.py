"""``der profile``: networks, keys and databases under a name, so that commands need no options."""

from dataclasses import asdict
from typing import Annotated

import typer

from der_client.cli.completion import complete_key, complete_profile
from der_client.cli.options import Json
from der_client.cli.output import print_json, print_table

app = typer.Typer(
    help="Keep url, deployer, key and database under a name, so that commands need no options.", no_args_is_help=True
)

NewName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the profile: letters, digits, - and _.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the profile.", autocompletion=complete_profile)]


@app.command()
def add(
    name: NewName,
    *,
    url: Annotated[str, typer.Option("--url", metavar="URL", help="The URL of a node with an API, or of a devnet.")],
    deployer: Annotated[
        str | None,
        typer.Option("--deployer", metavar="ADDRESS", help="Who deployed the contracts.", show_default=False),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="NAME|FILE",
            help="Name or file of the key that signs; never the key itself.",
            show_default=False,
            autocompletion=complete_key,
        ),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            "--database",
            metavar="PLACE",
            help="Where 'der index' keeps what it reads: a file, or postgresql://user@host/database.",
            show_default=False,
        ),
    ] = None,
    use: Annotated[bool, typer.Option("--use", help="Make it the default profile.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a profile of this name.")] = False,
    as_json: Json = False,
) -> None:
    """Add a profile; the first one becomes the default."""
    from der_client.cli.key_names import Signer  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.profiles import NAME_RULE, Profile, Profiles, is_name  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415
    from der_client.stacks.rpc import Client  # noqa: PLC0415

    if not is_name(name):
        raise InvalidValueError(f"NAME: {NAME_RULE}, got {name!r}")
    Client(url).close()  # refuses what is not a base address
    made = Profile(url, None if deployer is None else _address(deployer), key, database)
    profiles = Profiles.read()
    if name in profiles.by_name and not replace:
        raise InvalidValueError(f"profile {name!r} already exists; change it with --replace, or choose another name")
    current = name if use or not profiles.by_name else profiles.current
    file = Profiles({**profiles.by_name, name: made}, current).write()
    if as_json:
        print_json({"name": name, **asdict(made), "current": current == name, "file": str(file)})
    else:
        used = "in use from now on" if current == name else f"use it with 'der profile use {name}'"
        typer.echo(f"profile {name} is in {file}; {used}")
    if key is not None and not Signer(key, url).exists():
        typer.echo(f"note: --key: key {key!r} not found; 'der keys list' shows those that exist", err=True)


def _address(deployer: str) -> str:
    """Return the deployer's address; a profile keeps no name of an account, since another devnet may lack it."""
    from der_client.stacks.address import canonical_principal  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    try:
        return canonical_principal(deployer)
    except InvalidValueError as error:
        raise InvalidValueError(f"--deployer: {error}") from None


@app.command("list")
def list_profiles(*, as_json: Json = False) -> None:
    """List the profiles, and which one is in use."""
    from der_client.cli.profiles import Profiles, profiles_file  # noqa: PLC0415 -- `der --help` stays fast

    profiles = Profiles.read()
    rows = [
        {"name": name, **asdict(profile), "current": name == profiles.current}
        for name, profile in sorted(profiles.by_name.items())
    ]
    if as_json:
        print_json({"profiles": rows})
    elif rows:
        columns = ("name", "url", "key", "database")
        shown = [
            (f"{row['name']} (in use)" if row["current"] else row["name"], *(row[each] for each in columns[1:]))
            for row in rows
        ]
        print_table(f"Profiles in {profiles_file()}", columns, shown, left=columns)
    else:
        typer.echo("no profiles; make one with: der profile add NAME --url URL")


@app.command()
def show(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Name of the profile. Default: the one in use.",
            autocompletion=complete_profile,
            show_default=False,
        ),
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Show a profile."""
    from der_client.cli.profiles import Profiles  # noqa: PLC0415 -- `der --help` stays fast

    profiles = Profiles.read()
    wanted = name or profiles.current
    if wanted is None:
        typer.echo("no profile is in use; choose one with: der profile use NAME", err=True)
        raise typer.Exit(1)
    fields = {"name": wanted, **asdict(profiles.named(wanted)), "current": wanted == profiles.current}
    if as_json:
        print_json(fields)
        return
    for field, value in fields.items():
        if value is not None:
            shown = ("no", "yes")[value] if isinstance(value, bool) else value
            typer.echo(f"{'in use' if field == 'current' else field:<10}{shown}")


@app.command()
def use(name: Name) -> None:
    """Make a profile the default, for commands where no option or variable names another."""
    from der_client.cli.profiles import Profiles  # noqa: PLC0415 -- `der --help` stays fast

    profiles = Profiles.read()
    profiles.named(name)
    Profiles(profiles.by_name, name).write()
    typer.echo(f"profile {name} is in use from now on")


@app.command()
def remove(name: Name) -> None:
    """Remove a profile; keys and databases stay."""
    from der_client.cli.profiles import Profiles  # noqa: PLC0415 -- `der --help` stays fast

    profiles = Profiles.read()
    profiles.named(name)
    rest = {known: profile for known, profile in profiles.by_name.items() if known != name}
    Profiles(rest, None if profiles.current == name else profiles.current).write()
    typer.echo(f"profile {name} was removed")
