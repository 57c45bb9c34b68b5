"""The options that several commands share: which network, whose contracts, who signs, and how results are shown."""

import os
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import typer

from der_client.cli.completion import complete_key, complete_profile
from der_client.stacks.network import NETWORKS, Network

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from typer.models import OptionInfo

    from der_client.cli.key_names import AddressBook, Signer
    from der_client.cli.money import Currencies
    from der_client.cli.profiles import Settings
    from der_client.der import Der
    from der_client.stacks.account import Account
    from der_client.stacks.keys import PrivateKey
    from der_client.stacks.rpc import Client

_WHERE = "Where"
_WHO = "Who signs"
_HOW = "Output"


def network_named(name: str) -> Network:
    """Return a known network.

    Raises:
        BadParameter: If no network has this name.
    """
    if name not in NETWORKS:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(NETWORKS)}")
    return NETWORKS[name]


NetworkOption = Annotated[
    Network | None,
    typer.Option(
        "--network",
        parser=network_named,
        metavar="|".join(NETWORKS),
        help="The network that the node must be on. Default: the one that the node reports.",
        show_default=False,
        rich_help_panel=_WHERE,
    ),
]


def read_ustx(text: str) -> int:
    """Return an amount in µSTX: with its unit, or µSTX without one; 0 is allowed.

    Raises:
        BadParameter: If it is not an amount.
    """
    from der_client.cli.quantities import parse_stx  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415

    bare = str(text).strip()
    if re.fullmatch(r"[0-9]+", bare):
        return int(bare)
    try:
        return parse_stx(bare, "amount")
    except InvalidValueError as error:
        raise typer.BadParameter(str(error)) from None


def _max_fee(text: str) -> int:
    """Return a fee in µSTX, which is at least 1.

    Raises:
        BadParameter: If it is not such an amount.
    """
    fee = read_ustx(text)
    if fee < 1:
        raise typer.BadParameter("amount: must be more than 0, got 0")
    return fee


MaxFee = Annotated[
    int,
    typer.Option(
        "--max-fee",
        parser=_max_fee,
        metavar="AMOUNT",
        help="The highest fee of one transaction, such as 0.01STX; µSTX where no unit is given.",
        rich_help_panel=_WHO,
    ),
]
TimeoutS = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=1, help="The longest wait for transactions to be mined.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.", rich_help_panel=_HOW)]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV with a header row instead.", rich_help_panel=_HOW)]


def database_option(default: str) -> "OptionInfo":
    """Return the option for the index's place.

    Args:
        default: The default, in words for the help.
    """
    option: OptionInfo = typer.Option(
        "--database",
        metavar="PLACE",
        help=f"Where the index is: a file (SQLite), or postgresql://user:password@host/database. Default: {default}.",
        show_default=False,
        rich_help_panel=_WHERE,
    )
    return option


DEFAULT_MAX_FEE_USTX = 1_000_000
DEFAULT_TIMEOUT_S = 600.0


def open_client(url: str, network: Network | None) -> "Client":
    """Return a client of a node, after checking that the node is up and on the right network.

    Args:
        url: The node.
        network: The network that it must be on; by default, the one that it reports.

    Raises:
        InvalidValueError: If the URL is not one, or the node is on another network.
        NodeError: If the node is down or responds with something else.
    """
    from der_client.stacks.rpc import Client  # noqa: PLC0415 -- `der --help` stays fast

    client = Client(url, network=network)
    client.checked_network()
    return client


@dataclass(frozen=True, kw_only=True)
class OnChain:
    """Options of a command that talks to a node."""

    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            metavar="NAME",
            help="Take the options that are not given from this profile; see 'der profile'. Default: DER_PROFILE, "
            "or the one in use.",
            show_default=False,
            autocompletion=complete_profile,
            rich_help_panel=_WHERE,
        ),
    ] = None
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="URL",
            help="The URL of a node with an API, or of a devnet (it serves /v2 and /extended). Default: DER_URL, "
            "the profile's, or "
            "the devnet on this machine.",
            show_default=False,
            rich_help_panel=_WHERE,
        ),
    ] = None
    network: NetworkOption = None

    @cached_property
    def settings(self) -> "Settings":
        """The settings that result from options, environment and profile."""
        from der_client.cli.profiles import Settings  # noqa: PLC0415 -- `der --help` stays fast

        given = {name: getattr(self, name, None) for name in ("profile", "url", "deployer", "key", "database")}
        return Settings.of(**given)

    @cached_property
    def client(self) -> "Client":
        """The client of the node, which is up and on the right network.

        Raises:
            InvalidValueError: If the URL is not one, or the node is on another network.
            NodeError: If the node is down or responds with something else.
        """
        from der_client.stacks.errors import NodeUnreachableError  # noqa: PLC0415 -- `der --help` stays fast

        try:
            return open_client(self.settings.url, self.network)
        except NodeUnreachableError:
            if not self.settings.is_default_url:
                raise
            raise NodeUnreachableError(
                "no devnet is running on this machine: start one with 'der devnet', or name a node with "
                "--url, DER_URL or a profile",
                self.settings.url,
            ) from None

    @cached_property
    def book(self) -> "AddressBook":
        """Names of addresses: the keys of 'der keys', and the accounts of an embedded devnet."""
        from der_client.cli.key_names import AddressBook  # noqa: PLC0415 -- `der --help` stays fast

        return AddressBook.open(self.settings.url, self.client.network)

    @cached_property
    def currencies(self) -> "Currencies":
        """The currencies of amounts; each token is queried once for its symbol and decimals."""
        from der_client.cli.money import Currencies  # noqa: PLC0415 -- `der --help` stays fast

        return Currencies(self.client)


@dataclass(frozen=True, kw_only=True)
class OnContracts(OnChain):
    """Options of a command that reads the five contracts."""

    deployer: Annotated[
        str | None,
        typer.Option(
            "--deployer",
            metavar="ADDRESS",
            help="Who deployed the contracts. Default: the profile's, or what the embedded devnet says.",
            show_default=False,
            rich_help_panel=_WHERE,
        ),
    ] = None

    @cached_property
    def contracts_of(self) -> str:
        """The address that deployed the contracts.

        Raises:
            DeploymentError: If nothing says who deployed them.
        """
        from der_client.stacks.errors import DeploymentError, NotFoundError  # noqa: PLC0415 -- `der --help` stays fast
        from der_client.stacks.rpc import devnet  # noqa: PLC0415

        if self.settings.deployer is not None:
            return self.book.address(self.settings.deployer, "--deployer")
        try:
            return self.client.run(devnet.deployer())
        except NotFoundError:
            raise DeploymentError(
                f"{self.client.url} is not an embedded devnet: name the deployer of the contracts with "
                "--deployer ADDRESS, or in a profile"
            ) from None

    @cached_property
    def der(self) -> "Der":
        """The contracts, to be read."""
        from der_client.der import Der  # noqa: PLC0415 -- `der --help` stays fast

        return Der.connect(self.client, deployer=self.contracts_of)


@dataclass(frozen=True, kw_only=True)
class WithKey(OnChain):
    """Options of a command that names an account, and may sign as it."""

    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            "--key-file",
            metavar="NAME|FILE",
            help="The key that signs: a name of 'der keys', an account of the embedded devnet such as wallet_1, or a "
            "file (hexadecimal, or encrypted; ./NAME where a key has that name, too). Default: DER_KEY in the "
            "environment (hexadecimal), or the profile's. A key itself is never an argument.",
            show_default=False,
            autocompletion=complete_key,
            rich_help_panel=_WHO,
        ),
    ] = None

    @cached_property
    def signer(self) -> "Signer":
        """The key that signs, not opened yet: from --key or --profile, else ``DER_KEY``, else the profile in use."""
        from der_client.cli.key_names import Signer  # noqa: PLC0415 -- `der --help` stays fast
        from der_client.cli.secret_input import KEY_VARIABLE  # noqa: PLC0415

        is_named = self.key is not None or (self.profile is not None and self.settings.key is not None)
        in_environment = bool(os.environ.get(KEY_VARIABLE))
        return Signer(self.settings.key if is_named or not in_environment else None, self.settings.url)

    @cached_property
    def private_key(self) -> "PrivateKey":
        """The key that signs; a passphrase is asked for where its file is encrypted.

        Raises:
            KeyFormatError: If there is no key, or it is not valid.
            UnknownKeyError: If there is no key of this name.
        """
        from der_client.cli.key_names import UnknownKeyError  # noqa: PLC0415 -- `der --help` stays fast

        try:
            return self.signer.key()
        except UnknownKeyError:
            _ = self.client  # where the node is down, that is why: it may be a devnet that has this account
            raise

    @cached_property
    def address(self) -> str:
        """The address of the key, for a command that only reads; no passphrase is asked for.

        Raises:
            InvalidValueError: If there is no key.
            KeyFormatError: If it is not valid.
            UnknownKeyError: If there is no key of this name.
        """
        return self.address_for("--mine: whose? give --key NAME")

    def address_for(self, question: str) -> str:
        """Return the address of the key, for a command that only reads; no passphrase is asked for.

        Args:
            question: The error's text if there is no key.

        Raises:
            InvalidValueError: If there is no key.
            KeyFormatError: If it is not valid.
            UnknownKeyError: If there is no key of this name.
        """
        from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415 -- `der --help` stays fast

        if not self.signer.is_known:
            raise InvalidValueError(question)
        return self.signer.address(self.client.network)


@dataclass(frozen=True, kw_only=True)
class OnContractsWithKey(OnContracts, WithKey):
    """Options of a command that reads the five contracts as one of its parties, such as a plant's owner."""


@dataclass(frozen=True, kw_only=True)
class OnHistory(OnContracts):
    """Options of a command that reads the five contracts' history: from an index, or where it can, from the chain."""

    database: Annotated[str | None, database_option("the profile's")] = None


@dataclass(frozen=True, kw_only=True)
class OnIndex(OnHistory, WithKey):
    """Options of a command that reads the five contracts' history as one of their parties."""


@dataclass(frozen=True, kw_only=True)
class AsAccount(WithKey):
    """Options of a command that signs and pays fees."""

    max_fee: MaxFee = DEFAULT_MAX_FEE_USTX

    @cached_property
    def account(self) -> "Account":
        """The account that signs."""
        return self._open(self.private_key)

    def account_of(self, key: str) -> "Account":
        """Open another key, named as --key is, with the same client and fee policy."""
        from der_client.cli.key_names import Signer  # noqa: PLC0415 -- `der --help` stays fast

        return self._open(Signer(key, self.settings.url).key())

    def _open(self, key: "PrivateKey") -> "Account":
        from der_client.cli.command_fees import CommandFees  # noqa: PLC0415 -- `der --help` stays fast
        from der_client.stacks.account import Account  # noqa: PLC0415

        return Account(key, self.client, fee_policy=CommandFees(max_fee_ustx=self.max_fee))


@dataclass(frozen=True, kw_only=True)
class Sending(AsAccount):
    """Options of a command that sends a transaction, and shows it first."""

    yes: Annotated[
        bool,
        typer.Option(
            "--yes",
            "-y",
            help="Send without asking, for scripts. What moves is still shown.",
            rich_help_panel=_WHO,
        ),
    ] = False
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout", metavar="SECONDS", min=1, help="The longest wait until it is mined.", rich_help_panel=_WHO
        ),
    ] = 180.0


@dataclass(frozen=True, kw_only=True)
class OnContractsAsAccount(OnContracts, AsAccount):
    """Options of a command that calls the five contracts."""

    @cached_property
    def der(self) -> "Der":
        """The contracts as the account sees them."""
        from der_client.der import Der  # noqa: PLC0415 -- `der --help` stays fast

        return Der.connect(self.client, self.account, deployer=self.contracts_of)


@dataclass(frozen=True, kw_only=True)
class OnContractsSending(OnContractsAsAccount, Sending):
    """Options of a command that calls the five contracts after it has shown what will move."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How a command shows its results."""

    as_json: Json = False
    as_csv: Csv = False

    def __post_init__(self) -> None:
        """Refuse two formats at once, before anything is read."""
        from der_client.stacks.errors import InvalidValueError  # noqa: PLC0415 -- `der --help` stays fast

        if self.as_json and self.as_csv:
            raise InvalidValueError("--json and --csv: give only one of them")

    @property
    def is_table(self) -> bool:
        """Whether it is a table, for a person."""
        return not self.as_json and not self.as_csv

    def show(
        self,
        name: str,
        rows: "Sequence[Mapping[str, Any]]",
        keys: "Sequence[str]",
        table: "Callable[[], None]",
        *,
        also: "Mapping[str, Any] | None" = None,
    ) -> None:
        """Print a list: a table for people, or its values as JSON or CSV.

        Args:
            name: What the list is called in JSON.
            rows: The values, by their names in JSON and CSV, which include the unit.
            keys: Those names, in order: the columns of CSV, also where there are no rows.
            table: Prints the table.
            also: Further fields of the JSON object.
        """
        from der_client.cli.output import plain, print_csv, print_json  # noqa: PLC0415 -- `der --help` stays fast

        if self.is_table:
            table()
            return
        values = [{key: plain(row.get(key)) for key in keys} for row in rows]
        if self.as_json:
            print_json({name: values, **{key: plain(value) for key, value in (also or {}).items()}})
        else:
            print_csv(keys, values)
