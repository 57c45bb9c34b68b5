"""Clarinet projects: reads Clarinet.toml, and makes a plan for a project that has none.

Without a plan, the order is determined from the sources: a contract is published after those that it calls, and after
those whose traits it uses. Requirements come from the project's cache, ``.cache/requirements``, or else from their
network.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from der_client.stacks.address import canonical_principal, decode_c32_address, split_principal
from der_client.stacks.clarity import check_contract_name
from der_client.stacks.clarity.source import Kind, Source
from der_client.stacks.epochs import EPOCHS, epoch_named, order_of
from der_client.stacks.errors import DeploymentError, DerClientError, InvalidValueError
from der_client.stacks.network import TESTNET, networks_of_address
from der_client.stacks.plan import DeploymentPlan, PublishStep
from der_client.stacks.sources import (
    MAINNET_BOOT_ADDRESS,
    TESTNET_BOOT_ADDRESS,
    Fetch,
    FetchedContract,
    oldest_version,
    read_source,
)
from der_client.stacks.standard_traits import STANDARD_TRAITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MANIFEST: Final = "Clarinet.toml"
DEVNET_PLAN: Final = Path("deployments") / "default.devnet-plan.yaml"

_NEEDING: Final = frozenset(("contract-call?", "use-trait", "impl-trait"))
_CONTRACT: Final = re.compile(r"(?P<address>'?S[0-9A-HJKMNP-TV-Z]{20,41})?\.(?P<name>[a-zA-Z][a-zA-Z0-9_-]*)")


@dataclass(frozen=True, slots=True)
class ProjectContract:
    """A contract of a Clarinet project.

    Attributes:
        name: Its name.
        path: Its source, relative to the project's folder.
        clarity_version: 1 to 6; ``None`` for the newest of the epoch.
        epoch: Its epoch, such as ``2.4``; empty for the newest.
        deployer: The name of the account that publishes it.
    """

    name: str
    path: str
    clarity_version: int | None
    epoch: str
    deployer: str


@dataclass(frozen=True, slots=True)
class ClarinetProject:
    """The content of a project's Clarinet.toml.

    Attributes:
        root: The project's folder.
        contracts: Its contracts by name.
        requirements: The ids of other people's contracts that it needs.
        cache: The folder of what Clarinet has fetched.
    """

    root: Path
    contracts: Mapping[str, ProjectContract]
    requirements: tuple[str, ...]
    cache: Path

    @classmethod
    def read(cls, root: str | Path) -> ClarinetProject:
        """Read a project's Clarinet.toml.

        Args:
            root: The project's folder, or the file.

        Raises:
            DeploymentError: If it cannot be read, or has an impossible value.
        """
        folder = Path(root)
        file = folder if folder.name == MANIFEST else folder / MANIFEST
        try:
            content = tomllib.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise DeploymentError(f"{file} does not exist: {file.parent} is not a Clarinet project") from None
        except (OSError, UnicodeDecodeError) as error:
            raise DeploymentError(f"{file} cannot be read: {error}") from error
        except tomllib.TOMLDecodeError as error:
            raise DeploymentError(f"{file} is not valid TOML: {error}") from error
        project = _table(content, "project", file)
        contracts = {
            name: _read_contract(name, _table(_table(content, "contracts", file), name, file), file)
            for name in _table(content, "contracts", file)
        }
        cache = project.get("cache_dir", ".cache")
        return cls(file.parent, contracts, _read_requirements(project, file), file.parent / str(cache))

    def source(self, contract: ProjectContract) -> str:
        """Return the source of one of its contracts.

        Raises:
            DeploymentError: If it cannot be read, or is not ASCII.
        """
        where = f"{self.root / MANIFEST}: contract {contract.name}, path {contract.path!r}"
        try:
            return read_source(self.root / contract.path, self.root, where, outside_root=True)
        except UnicodeDecodeError as error:
            raise DeploymentError(f"{where}: byte {error.start} is not ASCII") from error

    def plan(
        self,
        addresses: Mapping[str, str],
        *,
        only: Iterable[str] | None = None,
        fetch: Fetch | None = None,
        left_out: dict[str, str] | None = None,
    ) -> DeploymentPlan:
        """Return a plan that publishes its contracts on a devnet or testnet, in the order that their sources require.

        Args:
            addresses: The accounts' addresses by name; ``deployer`` publishes contracts that name no other account.
            only: The names of contracts, if only these and those that they need are wanted.
            fetch: A function that returns a requirement that is not in the cache, by its id.
            left_out: If given, contracts whose source is not available, and those that need them, are left out of the
                plan and added here, with the reason.

        Raises:
            DeploymentError: If a source is not available, contracts need each other, or an account is not known.
        """
        names = self.contracts if only is None else only
        required = self.requirements if only is None else ()
        return _Planner(self, addresses, fetch, left_out).plan([*required, *(f".{name}" for name in names)])

    def cached_requirement(self, contract_id: str) -> tuple[Path, dict[str, Any]]:
        """Return where Clarinet stores a requirement, and its ``epoch`` and ``clarity_version`` there."""
        file = self.cache / "requirements" / f"{contract_id}.clar"
        try:
            notes = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return file, {}
        return file, notes if isinstance(notes, dict) else {}


def project_plan(root: str | Path, addresses: Mapping[str, str], *, fetch: Fetch | None = None) -> DeploymentPlan:
    """Return a project's devnet plan: its own, or else one made from its contracts.

    Args:
        root: The project's folder.
        addresses: The addresses of the devnet's accounts by name.
        fetch: A function that returns a requirement that is not in the cache, by its id.

    Raises:
        DeploymentError: If there is neither, or it cannot be carried out.
    """
    file = Path(root) / DEVNET_PLAN
    if file.is_file():
        return DeploymentPlan.read(file, root=root)
    return ClarinetProject.read(root).plan(addresses, fetch=fetch)


def public_api(principal: str) -> str:
    """Return a public API of an address's network, where Clarinet also finds requirements."""
    networks = networks_of_address(decode_c32_address(split_principal(principal)[0])[0])
    return networks[0].url if networks else TESTNET.url


def fetcher(url: str | None = None) -> Fetch:
    """Return a function that asks a node for requirements.

    Args:
        url: The node; if not given, a public API of mainnet or testnet, depending on the requirement's address. The
            traits of the token standards are known without it.
    """

    def fetch(contract_id: str) -> FetchedContract:
        from der_client.stacks.rpc import Client  # noqa: PLC0415 -- only for requirements that are not in the cache

        if url is None and contract_id in STANDARD_TRAITS:
            return FetchedContract(STANDARD_TRAITS[contract_id])
        client = Client(url or public_api(contract_id))
        interface = client.contract_interface(contract_id)
        source = client.contract_source(contract_id).source
        return FetchedContract(source, interface.epoch or "", interface.clarity_version or "")

    return fetch


@dataclass(frozen=True, slots=True)
class References:
    """The contracts that a source names, ``.name`` or ``ADDRESS.name``.

    Attributes:
        called: Contracts of which it calls a function.
        needed: Contracts that must exist when it is published: those that it calls, passes on in calls, or whose traits
            it uses.
        named: The others, which are only principals.
    """

    called: frozenset[str]
    needed: frozenset[str]
    named: frozenset[str]

    @classmethod
    def of(cls, source: str) -> References:
        """Find them.

        Raises:
            SourceError: If the source cannot be read.
        """
        called: set[str] = set()
        needed: set[str] = set()
        named: set[str] = set()
        for top in Source.read(source).expressions:
            for expression in top.walk():
                calls = expression.head in _NEEDING
                for place, item in enumerate(expression.items):
                    match = _CONTRACT.match(item.text) if item.kind is Kind.ATOM else None
                    if match:
                        name = f"{(match['address'] or '').lstrip(chr(39))}.{match['name']}"
                        (needed if calls else named).add(name)
                        if place == 1 and expression.head == "contract-call?":
                            called.add(name)
        return cls(frozenset(called), frozenset(needed), frozenset(named - needed))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A contract to publish; the contracts that it needs first, and those that should come first if possible."""

    step: PublishStep
    needs: frozenset[str]
    likes: frozenset[str]
    has_epoch: bool = True


class _Planner:
    """Orders contracts by what they need."""

    def __init__(
        self,
        project: ClarinetProject,
        addresses: Mapping[str, str],
        fetch: Fetch | None,
        left_out: dict[str, str] | None,
    ) -> None:
        self._left_out = left_out
        self._project = project
        self._addresses = addresses
        self._fetch = fetch
        self._wanted: dict[str, _Wanted] = {}
        manifest = project.root / MANIFEST
        self._file = manifest if manifest.exists() else project.root

    def plan(self, keys: Iterable[str]) -> DeploymentPlan:
        waiting = sorted(keys, reverse=True)
        while waiting:
            key = waiting.pop()
            if key in self._wanted or key.removeprefix(".") in (self._left_out or ()):
                continue
            try:
                wanted = self._want(key)
            except DeploymentError as error:
                if self._left_out is None:
                    raise
                self._left_out[key.removeprefix(".")] = str(error)
                continue
            self._wanted[key] = wanted
            waiting.extend(sorted((wanted.needs | wanted.likes) - self._wanted.keys()))
        self._leave_out_what_needs_them()
        self._delay_to_epochs_of_needs()
        self._assign_senders()
        steps = [self._wanted[key].step for key in self._order()]
        return DeploymentPlan(
            name=f"The contracts of {self._project.root.name or self._file}",
            network="devnet",
            batches=_batches(steps),
            file=self._file,
            root=self._project.root,
        )

    def _leave_out_what_needs_them(self) -> None:
        """Leave out the contracts that need one that is left out."""
        left_out = self._left_out or {}
        missing = [name if "." in name else f".{name}" for name in left_out]
        while missing:
            gone = missing.pop()
            for key in [key for key, wanted in self._wanted.items() if gone in wanted.needs]:
                left_out[key.removeprefix(".")] = f"it needs {gone.removeprefix('.')}, which is left out"
                del self._wanted[key]
                missing.append(key)

    def _delay_to_epochs_of_needs(self) -> None:
        """Have contracts without an epoch of their own in the first one that has all that they need."""
        is_settled = False
        while not is_settled:
            is_settled = True
            for key, wanted in self._wanted.items():
                epochs = (self._wanted[need].step.epoch for need in wanted.needs if need in self._wanted)
                latest = max(epochs, key=_epoch_order, default=wanted.step.epoch)
                if not wanted.has_epoch and _epoch_order(latest) > _epoch_order(wanted.step.epoch):
                    self._wanted[key] = replace(wanted, step=replace(wanted.step, epoch=latest))
                    is_settled = False

    def _want(self, key: str) -> _Wanted:
        own = self._project.contracts.get(key[1:]) if key.startswith(".") else None
        if own is not None:
            source = self._project.source(own)
            sender = self._address(own.deployer, own.name)
            version, epoch = _terms(own.clarity_version, own.epoch, source)
            step = PublishStep(own.name, sender, own.path, version, 0, epoch=epoch)
            has_epoch = bool(own.epoch)
        else:
            step, source = self._requirement(key)
            has_epoch = bool(_noted_epoch(self._project.cached_requirement(key)[1]))
        try:
            references = References.of(source)
        except InvalidValueError as error:
            raise DeploymentError(f"{self._file}: contract {key.lstrip('.')}: {error}") from error
        siblings = {name for name in references.called if name.startswith(".") and key.startswith(".")}
        if missing := sorted(siblings - {f".{name}" for name in self._project.contracts}):
            raise DeploymentError(
                f"{self._file}: contract {key[1:]} calls {', '.join(missing)}, which does not exist: add it "
                f"to {MANIFEST}, or put its source, {missing[0][1:]}.clar, beside the file"
            )
        needs = frozenset(self._keys(key, references.needed))
        likes = frozenset(name for name in self._keys(key, references.named) if self._is_at_hand(name)) - needs
        return _Wanted(step, needs, likes, has_epoch)

    def _is_at_hand(self, key: str) -> bool:
        return key.startswith(".") or self._project.cached_requirement(key)[0].exists()

    def _keys(self, key: str, names: Iterable[str]) -> Iterable[str]:
        """Yield the keys of contracts that another one's source names, if they have to be published."""
        address = "" if key.startswith(".") else key.partition(".")[0]
        for each in names:
            whole = f"{address}{each}" if each.startswith(".") else each
            issuer, _, name = whole.partition(".")
            if whole == key or issuer in (MAINNET_BOOT_ADDRESS, TESTNET_BOOT_ADDRESS):
                continue
            if not issuer and name not in self._project.contracts:
                continue  # named but never used, or a mistake that the VM will report
            if issuer in self._addresses.values():
                if name in self._project.contracts and f".{name}" != key:
                    yield f".{name}"
                continue
            yield whole

    def _requirement(self, contract_id: str) -> tuple[PublishStep, str]:
        file, notes = self._project.cached_requirement(contract_id)
        where = f"{self._file}: requirement {contract_id}"
        if not file.exists():
            self._fetch_into_cache(contract_id, file, where)
            file, notes = self._project.cached_requirement(contract_id)
        try:
            source = read_source(file, self._project.root, where, outside_root=True)
        except UnicodeDecodeError as error:
            raise DeploymentError(f"{where}: byte {error.start} is not ASCII") from error
        name = contract_id.partition(".")[2]
        noted = str(notes.get("clarity_version", "")).removeprefix("Clarity")
        version, epoch = _terms(int(noted) if noted in set("123456") else None, _noted_epoch(notes), source)
        path = str(file.relative_to(self._project.root)) if file.is_relative_to(self._project.root) else str(file)
        step = PublishStep(name, "", path, version, 0, epoch=epoch, requirement=contract_id)
        return step, source

    def _fetch_into_cache(self, contract_id: str, file: Path, where: str) -> None:
        if self._fetch is None:
            raise DeploymentError(
                f"{where} is not in the project's cache, {file}: run 'clarinet requirements add {contract_id}' or "
                "'clarinet check' once, or put its source there"
            )
        try:
            fetched = self._fetch(contract_id)
        except DerClientError as error:
            raise DeploymentError(f"{where} is not in {file.parent}, and could not be fetched: {error}") from error
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(fetched.source.encode())
            file.with_suffix(".json").write_text(json.dumps(fetched.notes(), indent=2), encoding="utf-8")
        except OSError as error:
            raise DeploymentError(f"{where}: cannot be stored in {file.parent}: {error}") from error

    def _assign_senders(self) -> None:
        """Give each address with requirements an account that publishes no other contract of the same name.

        Contracts of one address stay together, since they may call each other as ``.name``.
        """
        taken = {(each.step.sender, each.step.contract_name) for each in self._wanted.values() if each.step.sender}
        issuers: dict[str, list[str]] = {}
        for key in sorted(self._wanted):
            if not key.startswith("."):
                issuers.setdefault(key.partition(".")[0], []).append(key)
        for issuer, keys in issuers.items():
            names = [key.partition(".")[2] for key in keys]
            free = (each for each in self._accounts() if not any((each, name) in taken for name in names))
            sender = next(free, None)
            if sender is None:
                raise DeploymentError(
                    f"{self._file}: the requirements of {issuer}, {', '.join(names)}, have names that every "
                    "account already publishes; add an account to settings/Devnet.toml"
                )
            taken.update((sender, name) for name in names)
            for key in keys:
                wanted = self._wanted[key]
                step = replace(wanted.step, sender=sender, remapped=((issuer, sender),))
                self._wanted[key] = replace(wanted, step=step)

    def _accounts(self) -> Iterable[str]:
        """Return the addresses of the accounts, the deployer's first."""
        names = sorted(self._addresses, key=lambda name: name != "deployer")
        return [self._addresses[name] for name in names]

    def _address(self, account: str, contract: str) -> str:
        try:
            return self._addresses[account]
        except KeyError:
            raise DeploymentError(
                f"{self._file}: contract {contract}: its deployer {account!r} is not one of the devnet's accounts: "
                f"{', '.join(self._addresses)}"
            ) from None

    def _order(self) -> list[str]:
        """Return an order in which each comes after those that it needs, otherwise by epoch, then by name."""
        left = dict(self._wanted)
        order: list[str] = []
        while left:
            ready = [key for key, wanted in left.items() if not (wanted.needs | wanted.likes) & left.keys()]
            ready = ready or [key for key, wanted in left.items() if not wanted.needs & left.keys()]
            if not ready:
                raise DeploymentError(f"{self._file}: {_circle(left)} need each other, so none can be published first")
            ready.sort(key=lambda key: (_epoch_order(left[key].step.epoch), key.startswith("."), key))
            first = _epoch_order(left[ready[0]].step.epoch)
            for key in ready:
                if _epoch_order(left[key].step.epoch) == first:
                    order.append(key)
                    del left[key]
        return order


def _circle(left: Mapping[str, _Wanted]) -> str:
    key = next(iter(left))
    seen: list[str] = []
    while key not in seen:
        seen.append(key)
        key = min(left[key].needs & left.keys())
    return ", ".join(name.lstrip(".") for name in seen[seen.index(key) :])


def _epoch_order(epoch: str) -> int:
    return order_of(epoch) if epoch else len(EPOCHS)


def _batches(steps: Iterable[PublishStep]) -> tuple[tuple[PublishStep, ...], ...]:
    """Group steps of the same epoch, in the same order."""
    batches: list[list[PublishStep]] = []
    for step in steps:
        if not batches or batches[-1][0].epoch != step.epoch:
            batches.append([])
        batches[-1].append(step)
    return tuple(map(tuple, batches))


def _terms(version: int | None, epoch: str, source: str) -> tuple[int | None, str]:
    """Return the version and epoch of a contract; its project may leave both out."""
    if version is None and not epoch:
        version = oldest_version(source)  # Clarinet uses version 1 then, and epoch 2.05
    if version is not None and not epoch:
        epoch = next(name for name, newest in EPOCHS.items() if newest >= version) if version > 1 else "2.05"
    if version is None and epoch:
        version = EPOCHS[epoch]
    return version, epoch


def _noted_epoch(notes: Mapping[str, Any]) -> str:
    digits = str(notes.get("epoch", "")).removeprefix("Epoch").replace("_", "")
    return next((epoch for epoch in EPOCHS if epoch.replace(".", "") == digits), "")


def _table(content: Mapping[str, Any], name: str, file: Path) -> Mapping[str, Any]:
    table = content.get(name, {})
    if not isinstance(table, dict):
        raise DeploymentError(f"{file}: {name} must be a table")
    return table


def _read_contract(name: str, table: Mapping[str, Any], file: Path) -> ProjectContract:
    where = f"{file}, [contracts.{name}]"
    try:
        check_contract_name(name)
    except InvalidValueError as error:
        raise DeploymentError(f"{where}: {error}") from error
    path = table.get("path")
    if not isinstance(path, str):
        raise DeploymentError(f"{where}: path must be the file of its source, got {path!r}")
    version = table.get("clarity_version")
    if version is not None and str(version) not in set("123456"):
        raise DeploymentError(f"{where}: clarity_version must be 1 to 6, got {version!r}")
    epoch = "" if table.get("epoch") is None else epoch_named(str(table["epoch"]))
    if epoch is None:
        raise DeploymentError(f"{where}: epoch {table['epoch']!r} is not known: {', '.join(EPOCHS)} are")
    return ProjectContract(
        name, path, None if version is None else int(version), epoch, str(table.get("deployer", "deployer"))
    )


def _read_requirements(project: Mapping[str, Any], file: Path) -> tuple[str, ...]:
    listed = project.get("requirements") or []
    found = []
    for entry in listed if isinstance(listed, list) else [listed]:
        contract_id = entry.get("contract_id") if isinstance(entry, dict) else entry
        try:
            found.append(canonical_principal(str(contract_id)))
        except InvalidValueError as error:
            raise DeploymentError(f"{file}: requirement {contract_id!r}: {error}") from error
    return tuple(found)
