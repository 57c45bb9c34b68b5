"""Measure the devnet's memory while its history grows: ``python -m benchmarks.memory --transactions 100000``.

Execution costs are not tracked, to finish sooner. After each step all garbage is collected, and the remaining memory is
split into the VM's own memory, its copies (the checkpoint that undoes transactions), and the main thread's.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console
from rich.table import Table

from benchmarks.devnet import Load, copied_project
from benchmarks.peers import SCRIPTS, NodeProcess
from der_client import Der
from der_client.devnet import DevnetControl
from der_client.nodejs import environment, find_node

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

_MIB: Final = 1 << 20
_STEPS: Final = 10


@dataclass(frozen=True, slots=True)
class Weight:
    """The devnet's memory at one moment, in bytes.

    Attributes:
        transactions: The number of transactions it has mined.
        resident: The memory of the process, according to the operating system.
        vm: The VM's own linear memory.
        copies: Copies of the VM's memory.
        rest: The main thread's own memory: the index of the history, the ledger, code.
    """

    transactions: int
    resident: int
    vm: int
    copies: int
    rest: int


class WeighedDevnet(DevnetControl):
    """A devnet that reports its memory; a context manager."""

    def __init__(self) -> None:
        script = str(SCRIPTS / "weighed-devnet.js")
        self._process = subprocess.Popen(  # noqa: S603 - our own script, without a shell
            [find_node(), script, "--until-stdin-closes", "--port", "0", "--no-costs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        super().__init__(json.loads(self._line())["url"])

    def weigh(self) -> Weight:
        """Let the devnet collect its garbage and report the remaining memory."""
        assert self._process.stdin is not None  # noqa: S101 - Popen was given pipes
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        used = json.loads(self._line())
        about = self._control("GET", "")
        vm, copies = about["vm_memory_bytes"], about["vm_copies_bytes"]
        return Weight(
            transactions=about["transactions"],
            resident=used["rss"],
            vm=vm,
            copies=copies,
            rest=used["heapUsed"] + used["external"],  # the VM and its copies are in a thread of their own
        )

    def _line(self) -> str:
        assert self._process.stdout is not None  # noqa: S101
        return self._process.stdout.readline()

    def __enter__(self) -> Self:
        """Return the devnet, which is already running."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the process."""
        self._process.communicate()
        super().__exit__(kind, error, traceback)


def weights(transactions: int) -> Iterator[Weight]:
    """Yield the devnet's memory at the start and after each tenth of the transactions."""
    with copied_project() as manifest, WeighedDevnet() as devnet, NodeProcess("simnet.js", str(manifest)) as sender:
        load = Load(devnet, sender, Der.connect(devnet.url, devnet.deployer))
        load.transactions(max(transactions // (_STEPS * 10), 1))  # warm-up: allocates what is allocated only once
        yield devnet.weigh()
        for _ in range(_STEPS):
            load.transactions(transactions // _STEPS)
            yield devnet.weigh()


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__.partition("\n")[0])
    parser.add_argument("--transactions", type=int, default=100_000, help="how many (%(default)s)")
    table = Table("transactions", "resident, MiB", "VM", "copies of it", "main thread")
    for weight in weights(parser.parse_args().transactions):
        sizes = (weight.resident, weight.vm, weight.copies, weight.rest)
        table.add_row(f"{weight.transactions:,}", *(f"{size / _MIB:.1f}" for size in sizes))
        sys.stderr.write(f"{weight}\n")
    Console(width=None if sys.stdout.isatty() else 100).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
