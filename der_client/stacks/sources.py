"""Sources of a plan's contracts: from files, the web or a node, with addresses remapped as in the plan."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from der_client.stacks.clarity.source import Kind, Source
from der_client.stacks.epochs import EPOCHS
from der_client.stacks.errors import DeploymentError, DerClientError, InvalidValueError
from der_client.stacks.plan import PublishStep
from der_client.stacks.transactions import ContractPublish

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from der_client.stacks.clarity.source import Expression
    from der_client.stacks.plan import DeploymentPlan

MAINNET_BOOT_ADDRESS: Final = "SP000000000000000000002Q6VF78"
TESTNET_BOOT_ADDRESS: Final = "ST000000000000000000002AMW42H"
_MAX_SOURCE_BYTES: Final = 2 << 20
_TIMEOUT_S: Final = 30.0
_WITH_ADDRESS: Final = re.compile(r"\bS[0-9A-HJKMNP-TV-Z]{25,40}\b(?:\.[a-zA-Z](?:[a-zA-Z0-9_-]*[a-zA-Z0-9_])?)?")

# Names by the version of Clarity that introduced them.
_SINCE: Final[dict[int, frozenset[str]]] = {
    5: frozenset(("secp256r1-verify",)),
    4: frozenset(
        ("stacks-block-time", "current-contract", "contract-hash?", "as-contract?", "restrict-assets?", "to-ascii?")
    ),
    3: frozenset(("stacks-block-height", "tenure-height", "get-stacks-block-info?", "get-tenure-info?")),
    2: frozenset(
        (
            *("tx-sponsor?", "chain-id", "is-in-mainnet", "slice?", "element-at?", "index-of?", "replace-at?"),
            *("principal-construct?", "principal-destruct?", "to-consensus-buff?", "from-consensus-buff?"),
            *("is-standard", "stx-account", "stx-transfer-memo?", "string-to-int?", "string-to-uint?"),
            *("int-to-ascii", "int-to-utf8", "buff-to-int-le", "buff-to-int-be", "buff-to-uint-le"),
            *("buff-to-uint-be", "bit-and", "bit-or", "bit-not", "bit-xor", "bit-shift-left", "bit-shift-right"),
            "get-burn-block-info?",
        )
    ),
}


@dataclass(frozen=True, slots=True)
class FetchedContract:
    """A contract from another network.

    Attributes:
        source: Its source.
        epoch: Its epoch as named by the node: ``Epoch24``; empty if the node does not say.
        clarity_version: Its version as named by the node: ``Clarity2``; empty if the node does not say.
    """

    source: str
    epoch: str = ""
    clarity_version: str = ""

    def notes(self) -> dict[str, str]:
        """Return the metadata that Clarinet stores next to the source in its cache."""
        notes = {"epoch": self.epoch, "clarity_version": self.clarity_version}
        return {name: value for name, value in notes.items() if value}


Fetch = Callable[[str], FetchedContract]
"""Returns a contract from another network by its id; raises a DerClientError if it cannot."""


class PlanSources:
    """The contracts that a plan publishes.

    Args:
        plan: The plan.
        sender: The account that publishes everything instead of the plan's senders, if any.
        outside_root: Whether sources may lie outside the project's folder.
        any_line_ends: Whether lines may end in CR LF, as written by editors on Windows; they are published with LF.
        fetch: Gives a requirement whose file is missing, by its id.
    """

    def __init__(
        self,
        plan: DeploymentPlan,
        *,
        sender: str | None = None,
        outside_root: bool = False,
        any_line_ends: bool = False,
        fetch: Fetch | None = None,
    ) -> None:
        self._plan = plan
        self._sender = sender
        self._outside_root = outside_root
        self._any_line_ends = any_line_ends
        self._fetch = fetch

    def payloads(self) -> Iterator[tuple[PublishStep, ContractPublish]]:
        """Yield the payload of each contract, in the order of the plan.

        Raises:
            DeploymentError: If a source is not available, is outside the project, or contains forbidden characters.
        """
        remapped: dict[str, str] = {}
        for step in self._plan.steps:
            if isinstance(step, PublishStep):
                if step.requirement:
                    remapped[step.requirement] = f"{self._sender or step.sender}.{step.contract_name}"
                yield step, self._payload(step, remapped)

    def _payload(self, step: PublishStep, remapped: Mapping[str, str]) -> ContractPublish:
        where = f"{self._plan.where(step)}: contract {step.contract_name}, {step.url or f'path {step.path!r}'}"
        try:
            code = self._source(step, where)
        except UnicodeDecodeError as error:
            raise DeploymentError(
                f"{where}: byte {error.start} is not ASCII; Clarity sources may contain only printable ASCII, "
                "tabs and line feeds"
            ) from error
        if self._any_line_ends:
            code = code.replace("\r\n", "\n")
        addresses = {old: self._sender or new for old, new in step.remapped}
        if self._plan.network != "mainnet":
            code = remap(code, {**remapped}, {MAINNET_BOOT_ADDRESS: TESTNET_BOOT_ADDRESS, **addresses})
        version = step.clarity_version
        if version is None:
            version = EPOCHS[step.epoch] if step.epoch else oldest_version(code)
        try:
            return ContractPublish(step.contract_name, code, version)
        except InvalidValueError as error:
            raise DeploymentError(f"{where}: {error}") from error

    def _source(self, step: PublishStep, where: str) -> str:
        if step.url:
            return _download(step.url, where).decode("ascii")
        path = self._plan.root / step.path
        if step.requirement and self._fetch is not None and not path.exists():
            try:
                return self._fetch(step.requirement).source
            except DerClientError as error:
                raise DeploymentError(
                    f"{where}: the file does not exist, and {step.requirement} could not be fetched: {error}; "
                    "put its source there, or run 'clarinet requirements add'"
                ) from error
        return read_source(path, self._plan.root, where, outside_root=self._outside_root)


def read_source(path: Path, root: Path, where: str, *, outside_root: bool = False) -> str:
    """Read a source within a project's folder.

    Args:
        path: The file.
        root: The folder.
        where: What to call it in errors.
        outside_root: Whether it may be outside the folder.

    Raises:
        DeploymentError: If it cannot be read or is outside.
        UnicodeDecodeError: If it is not ASCII.
    """
    try:
        resolved = path.resolve(strict=True)
        if not outside_root and not resolved.is_relative_to(root.resolve()):
            raise DeploymentError(
                f"{where} is outside the project's folder {root}; move the file into it, or allow it with "
                "outside_root=True"
            )
        if resolved.stat().st_size > _MAX_SOURCE_BYTES:
            raise DeploymentError(f"{where}: the source is longer than {_MAX_SOURCE_BYTES} bytes")
        # As bytes: text mode would silently turn CR LF into LF, and a different source would be published.
        return resolved.read_bytes().decode("ascii")
    except FileNotFoundError:
        raise DeploymentError(f"{where}: {path} does not exist") from None
    except OSError as error:
        raise DeploymentError(f"{where}: cannot be read: {error}") from error


def remap(source: str, contracts: Mapping[str, str], addresses: Mapping[str, str]) -> str:
    """Replace addresses in a source.

    Args:
        source: The source.
        contracts: Ids of contracts, ``ADDRESS.name``, and their ids here.
        addresses: Addresses, and their replacements, alone or before the name of a contract that is not in
            ``contracts``.
    """

    def replaced(match: re.Match[str]) -> str:
        whole = match[0]
        if whole in contracts:
            return contracts[whole]
        address, dot, name = whole.partition(".")
        return f"{addresses.get(address, address)}{dot}{name}"

    return _WITH_ADDRESS.sub(replaced, source)


def oldest_version(source: str) -> int | None:
    """Return the oldest version of Clarity that has all names that a source uses but does not define itself.

    Args:
        source: The source.

    Returns:
        The version; ``None`` if the source cannot be read.
    """
    try:
        tops = Source.read(source).expressions
    except InvalidValueError:
        return None
    used: set[str] = set()
    own: set[str] = set()  # a version that has such a name itself would refuse the definition
    for expression in (expression for top in tops for expression in top.walk()):
        used.update(item.text for item in _values_in(expression))
        own.update(_bound_by(expression))
    used -= own
    return next((version for version, names in _SINCE.items() if used & names), 1)


def _values_in(expression: Expression) -> Iterable[Expression]:
    """Return the parts of an expression that are evaluated, or types: not the keys of a tuple."""
    if expression.kind is Kind.TUPLE:
        return expression.items[1::2]
    return expression.items[:1] + expression.items[2:] if expression.head == "get" else expression.items


def _bound_by(expression: Expression) -> Iterator[str]:
    """Yield the names that an expression defines: of a definition, its parameters, or the variables of a ``let``."""
    if len(expression.items) < 2:
        return
    second = expression.items[1]
    if expression.head.startswith("define-"):
        yield second.head or second.text
        yield from (parameter.head for parameter in second.items[1:])
    elif expression.head == "let":
        yield from (variable.head for variable in second.items)


def _download(url: str, where: str) -> bytes:
    import requests  # noqa: PLC0415 -- few plans need it

    if urlsplit(url).scheme not in ("http", "https"):
        raise DeploymentError(f"{where}: a URL must begin with https:// or http://; a file is given as path")
    try:
        with requests.get(url, timeout=_TIMEOUT_S, stream=True) as response:
            if response.status_code != requests.codes.ok:
                raise DeploymentError(f"{where}: the server responded with status {response.status_code}")
            body = b"".join(_limited(response.iter_content(1 << 16), where))
    except requests.RequestException as error:
        raise DeploymentError(f"{where}: cannot be fetched: {error}") from error
    return body


def _limited(chunks: Iterator[bytes], where: str) -> Iterator[bytes]:
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > _MAX_SOURCE_BYTES:
            raise DeploymentError(f"{where}: the source is longer than {_MAX_SOURCE_BYTES} bytes")
        yield chunk
