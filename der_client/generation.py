"""Generates modules for contracts on a network, in a file or in a Clarinet project.

Only a virtual machine knows the interface of a file's contracts, so they are published on an embedded devnet.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from der_client.devnet import Devnet
from der_client.project import project_root
from der_client.stacks.account import Account
from der_client.stacks.clarinet import MANIFEST, ClarinetProject, ProjectContract, References, fetcher
from der_client.stacks.epochs import EPOCHS, LATEST_EPOCH, order_of
from der_client.stacks.errors import (
    AnalysisFailedError,
    DeploymentError,
    InvalidValueError,
    TransactionFailedError,
    TransactionRejectedError,
)
from der_client.stacks.generate.from_node import read_contract
from der_client.stacks.generate.module import class_name, module_name, write_module
from der_client.stacks.network import DEVNET
from der_client.stacks.plan import PublishStep
from der_client.stacks.prepared import SETTINGS, prepare_plan, read_keys
from der_client.stacks.rpc import Client
from der_client.stacks.sources import FetchedContract
from der_client.stacks.transactions import ContractPublish, PostConditionMode, Transaction

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from der_client.stacks.plan import DeploymentPlan
    from der_client.stacks.prepared import PreparedPlan
    from der_client.stacks.sources import Fetch

_START_TIME: Final = 1_767_225_600
"""2026-01-01T00:00Z: nothing in a module depends on the day on which it is written."""


def module_of_deployed(client: Client, contract_id: str) -> dict[str, str]:
    """Write the module for a contract that is published.

    Args:
        client: The node.
        contract_id: ``ADDRESS.name``.

    Returns:
        The text, by the module's name.

    Raises:
        NodeError: If the node does not know the contract, or cannot be reached.
        InvalidValueError: If the id or the source cannot be read.
    """
    contract = read_contract(client, contract_id)
    return {module_name(contract.name): write_module(contract)}


def modules_of_project(
    root: str | Path, *, requirements_url: str | None = None, left_out: dict[str, str] | None = None
) -> dict[str, str]:
    """Write the modules for all contracts of a Clarinet project.

    Args:
        root: The project's folder.
        requirements_url: The node to ask for requirements that are not in the project's cache.
        left_out: If given, contracts whose source is not available, and those that need them, are left out and added
            here with the reason.

    Returns:
        The texts, by the modules' names.

    Raises:
        DeploymentError: If the project cannot be read, or a contract cannot be published.
    """
    project = ClarinetProject.read(root)
    return _modules(project, project.contracts, requirements_url, left_out)


def modules_of_file(file: str | Path, *, requirements_url: str | None = None) -> dict[str, str]:
    """Write the module for a source file.

    In a Clarinet project, the project determines what the file is. Elsewhere it is a contract by itself, and the
    contracts that it names are looked for in the same folder.

    Args:
        file: The source.
        requirements_url: The node to ask for other people's contracts that are not found locally.

    Returns:
        The text, by the module's name.

    Raises:
        DeploymentError: If the source cannot be read, or the contract cannot be published.
    """
    path = Path(file).resolve()
    if not path.is_file():
        raise InvalidValueError(f"{file} does not exist, or is not a file")
    project = _project_of(path)
    if project is not None:
        return _modules(*project, requirements_url)
    with tempfile.TemporaryDirectory() as cache:
        return _modules(_project_for(path, Path(cache)), [path.stem], requirements_url)


def write_files(modules: Mapping[str, str], output: Path, *, is_package: bool, check: bool = False) -> tuple[Path, ...]:
    """Write modules to their files, unless they are up to date.

    Args:
        modules: The texts, by the modules' names.
        output: The file, or for a package, the folder.
        is_package: Whether it is a package.
        check: Whether only to return which files would be written.

    Returns:
        The files that were or would be written.

    Raises:
        InvalidValueError: If a file cannot be read or written.
    """
    if is_package:
        texts = {output / f"{name}.py": text for name, text in modules.items()}
        texts[output / "__init__.py"] = '"""Contracts: written by ``der generate``."""\n'
    else:
        texts = dict.fromkeys([output], next(iter(modules.values())))
    try:
        changed = [path for path, text in texts.items() if not path.is_file() or path.read_text("utf-8") != text]
        for path in changed:
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(texts[path], encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValueError(f"{output} cannot be written: {error}") from error
    return tuple(sorted(changed))


def _near(folder: Path, fetch: Fetch) -> Fetch:
    """Look for others' contracts next to a file, as ``ADDRESS.name.clar`` or ``name.clar``, before asking a node."""

    def fetch_near(contract_id: str) -> FetchedContract:
        for file in (folder / f"{contract_id}.clar", folder / f"{contract_id.partition('.')[2]}.clar"):
            if file.is_file():
                return FetchedContract(file.read_text(encoding="ascii", errors="replace"))
        return fetch(contract_id)

    return fetch_near


def _modules(
    project: ClarinetProject,
    names: Iterable[str],
    requirements_url: str | None,
    left_out: dict[str, str] | None = None,
) -> dict[str, str]:
    settings = project.root / SETTINGS
    keys = read_keys(settings if settings.is_file() else project_root() / SETTINGS)
    fetch = _near(project.root, fetcher(requirements_url))
    wanted = sorted(names)
    addresses = {name: key.address(DEVNET) for name, key in keys.items()}
    plan = project.plan(addresses, only=wanted, fetch=fetch, left_out=left_out)
    wanted = [name for name in wanted if name not in (left_out or ())]
    prepared = prepare_plan(plan, keys, fetch=fetch)
    senders = _senders(plan)
    with Devnet(deploy_contracts=False, start_time=_START_TIME, project=project.root) as devnet:
        client = Client(devnet.url)
        accounts = {key.address(DEVNET): Account(key, client) for key in keys.values()}
        of_any_version = {name for name, contract in project.contracts.items() if contract.clarity_version is None}
        _publish(devnet, prepared, accounts, of_any_version, left_out)
        wanted = [name for name in wanted if name not in (left_out or ())]
        return {
            module_name(name): write_module(
                read_contract(
                    client,
                    f"{senders[name]}.{name}",
                    callees=_callees(project, name, wanted),
                    origin=project.contracts[name].path,
                )
            )
            for name in wanted
        }


def _publish(
    devnet: Devnet,
    prepared: PreparedPlan,
    accounts: Mapping[str, Account],
    of_any_version: Container[str],
    left_out: dict[str, str] | None,
) -> None:
    """Publish one contract after another, and if wanted, leave out those that the virtual machine refuses."""
    for step in prepared.steps:
        transaction = Transaction.decode(step.raw, DEVNET)
        payload = transaction.payload
        if not isinstance(payload, ContractPublish):
            continue
        versions = [(step.epoch, payload.clarity_version)]
        if payload.name in of_any_version:
            versions += _newer_versions(*versions[0])
        try:
            _publish_in_first(devnet, accounts[transaction.origin], payload, transaction.fee, versions)
        except (TransactionRejectedError, TransactionFailedError) as error:
            if left_out is None:
                raise DeploymentError(f"{step.what}: {error}") from error
            left_out[payload.name] = str(error)
    if devnet.epoch != prepared.epoch:
        devnet.enter_epoch(prepared.epoch)


def _publish_in_first(
    devnet: Devnet,
    account: Account,
    payload: ContractPublish,
    fee_ustx: int,
    versions: Iterable[tuple[str, int | None]],
) -> None:
    """Publish a contract in the first version of Clarity whose analysis it passes.

    Raises:
        AnalysisFailedError: If it passes none; what the first one says.
    """
    first: AnalysisFailedError | None = None
    for epoch, version in versions:
        if devnet.epoch != epoch:
            devnet.enter_epoch(epoch)
        versioned = replace(payload, clarity_version=version)
        try:
            account.submit(versioned, mode=PostConditionMode.ALLOW, fee_ustx=fee_ustx).wait()
        except AnalysisFailedError as error:
            first = first or error
        else:
            return
    if first is not None:
        raise first


def _newer_versions(epoch: str, version: int | None) -> Iterator[tuple[str, int]]:
    """Yield the versions of Clarity after one, each with the first epoch that has it and is not before another."""
    for newer in range((version or 0) + 1, EPOCHS[LATEST_EPOCH] + 1):
        first = next(name for name, newest in EPOCHS.items() if newest >= newer)
        yield max(epoch, first, key=order_of), newer


def _senders(plan: DeploymentPlan) -> dict[str, str]:
    steps = [step for step in plan.steps if isinstance(step, PublishStep) and not step.requirement]
    return {step.contract_name: step.sender for step in steps}


def _callees(project: ClarinetProject, name: str, written: Iterable[str]) -> dict[str, str]:
    """Return the modules and classes of those contracts in a project that one of them calls."""
    own = project.contracts[name]
    needed = References.of(project.source(own)).called
    called = [each for each in written if f".{each}" in needed and project.contracts[each].deployer == own.deployer]
    return {module_name(each): class_name(each) for each in called if each != name}


def _project_of(path: Path) -> tuple[ClarinetProject, list[str]] | None:
    """Return the project that a file is in, and its name there; ``None`` if it is in none."""
    folder = next((folder for folder in path.parents if (folder / MANIFEST).is_file()), None)
    if folder is None:
        return None
    project = ClarinetProject.read(folder)
    names = [name for name, contract in project.contracts.items() if (folder / contract.path).resolve() == path]
    return (project, names[:1]) if names else None


def _project_for(path: Path, cache: Path) -> ClarinetProject:
    """Return a project just for a file: the contracts of its folder, and a cache that is gone afterwards."""
    files = {source.stem: source for source in sorted(path.parent.glob("*.clar"))}
    files[path.stem] = path
    contracts = {name: ProjectContract(name, file.name, None, "", "deployer") for name, file in files.items()}
    return ClarinetProject(path.parent, contracts, (), cache)
