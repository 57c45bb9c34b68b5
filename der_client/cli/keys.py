"""``der keys``: encrypted key files in a folder."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from der_client.cli.completion import complete_own_key
from der_client.cli.options import Json, network_named
from der_client.cli.output import print_fields, print_json, print_table
from der_client.stacks.network import NETWORKS, Network

if TYPE_CHECKING:
    from der_client.stacks.keys import PrivateKey, PublicKey
    from der_client.stacks.secret import Secret

app = typer.Typer(help="Make, import and list encrypted key files; '--key NAME' signs with one.", no_args_is_help=True)


_MAX_SECRET_BYTES = 4000

WordCount = Literal["12", "15", "18", "21", "24"]


def _default_folder() -> Path:
    from der_client.cli.key_names import keys_folder  # noqa: PLC0415 -- `der --help` stays fast

    return keys_folder()


def _checked_name(name: str) -> str:
    from der_client.cli.profiles import NAME_RULE, is_name  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.secret_input import refuse_secret  # noqa: PLC0415

    refuse_secret(name, "NAME")
    if not is_name(name):
        raise typer.BadParameter(NAME_RULE)
    return name


Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of the key: letters, digits, - and _.", callback=_checked_name)
]
KnownName = Annotated[
    str,
    typer.Argument(metavar="NAME", help="Name of the key.", callback=_checked_name, autocompletion=complete_own_key),
]
Folder = Annotated[
    Path,
    typer.Option(
        "--dir", metavar="FOLDER", help="Where the key files are.", default_factory=_default_folder, show_default=False
    ),
]


@app.command("new")
def new_key(
    name: Name,
    *,
    folder: Folder,
    words: Annotated[WordCount, typer.Option("--words", help="Length of the mnemonic.")] = "24",
    show_mnemonic: Annotated[
        bool,
        typer.Option(
            "--show-mnemonic",
            help="Show the mnemonic once, on the terminal only. Without it, the file is the only copy of the key.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a new key, and keep it in an encrypted file. Its passphrase is asked for, or taken from DER_PASSPHRASE."""
    from der_client.cli.secret_input import (  # noqa: PLC0415 -- `der --help` stays fast
        forbid_core_dumps,
        has_terminal,
        show_on_terminal,
    )
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415
    from der_client.stacks.wallet import Wallet  # noqa: PLC0415

    if show_mnemonic and not has_terminal():
        raise InvalidValueError("--show-mnemonic: there is no terminal to show it on, and it is shown nowhere else")
    forbid_core_dumps()
    wallet = Wallet.generate(int(words))
    file = _save(folder, name, wallet.account(0))
    if show_mnemonic:
        show_on_terminal(f"\nThe mnemonic, shown this once; whoever has it has the key:\n\n{wallet.words()}\n\n")
    _print_key(name, file, as_json=as_json)


@app.command("import")
def import_key(
    name: Name,
    *,
    folder: Folder,
    account: Annotated[
        int, typer.Option("--account", min=0, max=2**31 - 1, help="Which account of a mnemonic: m/44'/5757'/0'/0/N.")
    ] = 0,
    mnemonic_passphrase: Annotated[
        bool,
        typer.Option(
            "--mnemonic-passphrase",
            help="The mnemonic has a passphrase (BIP-39): it is asked for, or taken from DER_MNEMONIC_PASSPHRASE.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Read a key (hexadecimal) or a mnemonic from standard input or a prompt, and keep it in an encrypted file."""
    from der_client.cli.secret_input import ask_mnemonic_passphrase  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import InvalidValueError, KeyFormatError  # noqa: PLC0415
    from der_client.stacks.keys import PrivateKey  # noqa: PLC0415
    from der_client.stacks.wallet import Wallet  # noqa: PLC0415

    secret = _read_secret()
    if len(secret.reveal().split()) > 1:
        key = Wallet.from_mnemonic(secret, ask_mnemonic_passphrase() if mnemonic_passphrase else "").account(account)
    elif mnemonic_passphrase:
        raise InvalidValueError("--mnemonic-passphrase: what was given is a key, not a mnemonic")
    else:
        try:
            key = PrivateKey.from_hex(secret)
        except KeyFormatError as error:
            raise KeyFormatError(f"{error}; or give a mnemonic of 12 or 24 words") from None
    _print_key(name, _save(folder, name, key), as_json=as_json)


@app.command("list")
def list_keys(*, folder: Folder, as_json: Json = False) -> None:
    """List the keys: names and addresses, nothing secret. The files are not opened."""
    from der_client.cli.key_names import key_files  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import KeyFormatError  # noqa: PLC0415
    from der_client.stacks.keystore import read_public_key  # noqa: PLC0415

    rows: list[dict[str, str]] = []
    for file in key_files(folder):
        try:
            rows.append({"name": file.stem, **_addresses(read_public_key(file)), "file": str(file)})
        except (KeyFormatError, OSError) as error:
            typer.echo(f"skipped: {error}", err=True)
    if as_json:
        print_json({"keys": rows})
    elif rows:
        networks = ("mainnet", "testnet")
        lines = [
            ("" if n else row["name"], network, row[network]) for row in rows for n, network in enumerate(networks)
        ]
        print_table(f"Keys in {folder}", ("name", "network", "address"), lines, left=("network", "address"))
    else:
        typer.echo(f"no keys in {folder}; make one with: der keys new NAME")


@app.command("address")
def show_address(
    name: KnownName,
    *,
    folder: Folder,
    network: Annotated[
        Network | None,
        typer.Option(
            "--network",
            parser=network_named,
            metavar="|".join(NETWORKS),
            help="Print only the address on this network.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print a key's addresses. The file is not opened."""
    from der_client.cli.key_names import key_file  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import KeyFormatError  # noqa: PLC0415
    from der_client.stacks.keystore import read_public_key  # noqa: PLC0415

    file = key_file(name, folder)
    try:
        key = read_public_key(file)
    except OSError as error:
        raise KeyFormatError(f"no key {name}: {file} cannot be read: {error.strerror}") from None
    if as_json:
        print_json({"name": name, **_addresses(key), "file": str(file)})
    elif network:
        typer.echo(key.address(network))
    else:
        for where, address in _addresses(key).items():
            typer.echo(f"{where}  {address}")


def _read_secret() -> "Secret[str]":
    from der_client.cli.secret_input import ask_secret, forbid_core_dumps  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415
    from der_client.stacks.secret import Secret  # noqa: PLC0415

    forbid_core_dumps()
    if sys.stdin.isatty():
        secret = ask_secret("Private key (hexadecimal) or mnemonic: ", "give it on standard input")
    else:
        secret = Secret(sys.stdin.buffer.read(_MAX_SECRET_BYTES).decode("utf-8", errors="replace"))
    if not secret.reveal().strip():
        raise InvalidValueError("nothing to import: give a private key (hexadecimal) or a mnemonic on standard input")
    return Secret(secret.reveal().strip())


def _save(folder: Path, name: str, key: "PrivateKey") -> Path:
    from der_client.cli.key_names import key_file  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.cli.secret_input import ask_passphrase  # noqa: PLC0415
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415
    from der_client.stacks.keystore import save_key  # noqa: PLC0415

    file = key_file(name, folder)
    if file.exists():  # save_key refuses it too, but only after a passphrase was typed twice
        raise InvalidValueError(f"{file} already exists, and a key is never overwritten; choose another name")
    try:
        save_key(file, key, ask_passphrase(f"for the new key file {file}", twice=True))
    except OSError as error:
        raise InvalidValueError(f"{file} cannot be written: {error.strerror}") from None
    return file


def _addresses(key: "PublicKey") -> dict[str, str]:
    """Return the key's addresses by network; networks with the same address are named once."""
    networks: dict[str, str] = {}
    for network in NETWORKS.values():
        networks.setdefault(key.address(network), network.name)
    return {name: address for address, name in networks.items()}


def _print_key(name: str, file: Path, *, as_json: bool) -> None:
    from der_client.stacks.keystore import read_public_key  # noqa: PLC0415 -- `der --help` stays fast

    addresses = _addresses(read_public_key(file))
    if as_json:
        print_json({"name": name, **addresses, "file": str(file)})
        return
    print_fields(f"Key {name}", [*addresses.items(), ("file", file)])
