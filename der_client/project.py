"""Where the Clarinet project is: contracts, devnet, settings, deployment plan, npm lock.

In a checkout that is the checkout itself. An installed wheel carries a copy; since npm packages cannot travel in it,
the first use installs them beside a copy in the user's cache folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from der_client.installation import cache_folder, install_once
from der_client.nodejs import DevnetSetupError

_PACKAGE: Final = Path(__file__).resolve().parent
_CARRIED: Final = _PACKAGE / "_project"
"""Filled when the wheel is built; a checkout does not have it."""


def project_root() -> Path:
    """Return the folder with Clarinet.toml, contracts, deployments, settings and devnet."""
    return _CARRIED if _CARRIED.is_dir() else _PACKAGE.parent


def deployment_plan() -> Path:
    """Return the plan that publishes the five contracts."""
    return project_root() / "deployments" / "default.devnet-plan.yaml"


def installed_project() -> Path:
    """Return the project with its npm packages; an installed wheel fetches them on first use.

    Raises:
        DevnetSetupError: If the npm packages are missing and could not be installed.
    """
    root = project_root()
    if root == _CARRIED:
        return install_once(root, cache_folder())
    if not (root / "node_modules" / "@stacks" / "clarinet-sdk" / "package.json").exists():
        raise DevnetSetupError(
            f"the devnet's npm packages are not installed; install them with: make -C '{root}' setup "
            f"(or, with Node.js of your own: cd '{root}' && npm ci)"
        )
    return root
