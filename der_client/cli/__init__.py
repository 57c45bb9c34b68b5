"""The command line ``der``: one module per command, thin shells over what users can import."""

from __future__ import annotations

import gc
from typing import Final

_OBJECTS_BETWEEN_COLLECTIONS: Final = 200_000


def main() -> None:
    """Run the command line with the arguments of this process."""
    # What is imported stays. At Python's own threshold of 700, looking through it for garbage again and again is a
    # sixth of a command's time.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    # typer and the commands are loaded only where they are used, not with the package.
    from der_client.cli.app import app  # noqa: PLC0415

    app(prog_name="der")
