"""The command line ``der``: one module per command, thin shells over what users can import."""

from __future__ import annotations


def main() -> None:
    """Run the command line with the arguments of this process."""
    # typer and the commands are loaded only where they are used, not with the package.
    from der_client.cli.app import app  # noqa: PLC0415

    app(prog_name="der")
