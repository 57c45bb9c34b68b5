"""Options that several commands share, and the client that they name."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from der_client.stacks.rpc import Client

NetworkName = Literal["mainnet", "testnet", "devnet"]

Url = Annotated[
    str, typer.Option("--url", metavar="URL", help="Where a node with an API, or a devnet, serves /v2 and /extended.")
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key-file",
        "--key",
        metavar="FILE",
        help="File with the key that signs: hexadecimal, or an encrypted file of 'der keys'. "
        "Without one, DER_KEY in the environment (hexadecimal). A key itself is never an argument.",
        show_default=False,
    ),
]
NetworkOption = Annotated[
    NetworkName | None,
    typer.Option("--network", help="Which network the URL must be of. Default: the node is asked.", show_default=False),
]
MaxFee = Annotated[int, typer.Option("--max-fee", metavar="USTX", min=1, help="The most one transaction may cost.")]
TimeoutS = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=1, help="The longest wait for transactions to be mined.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")]

DEFAULT_MAX_FEE_USTX = 1_000_000
DEFAULT_TIMEOUT_S = 600.0


def open_client(url: str, network: NetworkName | None) -> "Client":
    """Make the client of a node, and make sure that it is up and on the right network.

    Args:
        url: The node.
        network: Which network it must be; the node is asked if not given.

    Raises:
        InvalidValueError: If the URL is none, or the node is on another network.
        NodeError: If the node is down or answers something else.
    """
    from der_client.stacks.network import DEVNET, MAINNET, TESTNET  # noqa: PLC0415 -- `der --help` stays fast
    from der_client.stacks.rpc import Client  # noqa: PLC0415

    networks = {known.name: known for known in (MAINNET, TESTNET, DEVNET)}
    client = Client(url, network=networks[network] if network else None)
    client.checked_network()
    return client
