"""Where the Clarinet project is: contracts, devnet, settings, deployment plan, npm lock.

In a checkout that is the checkout itself. An installed wheel carries a copy; since npm packages cannot travel in it,
the first use installs them beside a copy in the user's cache folder.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Final

from der_client.nodejs import DevnetSetupError, run_npm

_PACKAGE: Final = Path(__file__).resolve().parent
_CARRIED: Final = _PACKAGE / "_project"
"""Filled by the wheel's build; a checkout has none."""


def project_root() -> Path:
    """The folder with Clarinet.toml, contracts, deployments, settings and devnet."""
    return _CARRIED if _CARRIED.is_dir() else _PACKAGE.parent


def deployment_plan() -> Path:
    """The plan that publishes the five contracts."""
    return project_root() / "deployments" / "default.devnet-plan.yaml"


def installed_project() -> Path:
    """The project with its npm packages; an installed wheel fetches them on first use.

    Raises:
        DevnetSetupError: the npm packages are not there, and could not be installed.
    """
    root = project_root()
    if root == _CARRIED:
        return _install_once(root, _cache_folder())
    if not (root / "node_modules" / "@stacks" / "clarinet-sdk" / "package.json").exists():
        raise DevnetSetupError(
            f"the devnet's npm packages are not installed; install them with: make -C '{root}' setup "
            f"(or, with Node.js of your own: cd '{root}' && npm ci)"
        )
    return root


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "der-client"


def _install_once(source: Path, cache: Path) -> Path:
    """Copy the project to a folder named by its content and install its npm packages there, once for all processes."""
    target = cache / _content_hash(source)
    if target.is_dir():
        return target
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not target.is_dir():
                with tempfile.TemporaryDirectory(dir=cache) as temporary:
                    copy = Path(temporary) / "project"
                    shutil.copytree(source, copy)
                    run_npm(["ci", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error"], copy)
                    copy.rename(target)
    except OSError as error:
        raise DevnetSetupError(
            f"the devnet's files could not be set up in {cache}: {error}; "
            "make the folder writable, or set XDG_CACHE_HOME to one that is"
        ) from error
    return target


def _content_hash(folder: Path) -> str:
    digest = sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]
