"""Reads Clarinet's deployment plans (``deployments/*.yaml``), with errors that name file, line and field.

A plan comes from outside: it is read without YAML's objects, and its paths must stay inside the project.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml

from der_client.stacks.address import canonical_principal
from der_client.stacks.clarity import check_clarity_name, check_contract_name, parse
from der_client.stacks.epochs import EPOCHS, epoch_named
from der_client.stacks.errors import DeploymentError, InvalidValueError, LiteralError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from der_client.stacks.clarity import ClarityValue

_MAX_PLAN_BYTES: Final = 4 << 20
_INTEGER: Final = re.compile(r"[0-9]{1,20}\Z")


@dataclass(frozen=True, slots=True)
class PublishStep:
    """A contract to publish (``contract-publish``, or ``requirement-publish`` for one from another network).

    Attributes:
        contract_name: Its name.
        sender: The address that the plan expects to publish it.
        path: Its source, relative to the project's root, as the plan writes it; empty if there is a ``url``.
        clarity_version: 1 to 6; ``None`` for the newest of the epoch.
        line: Its line in the plan.
        url: The address of its source, ``https://…``; empty if there is a ``path``.
        epoch: The epoch of its batch, such as ``2.4``; empty if the plan does not say.
        requirement: For a requirement: its original id, ``ADDRESS.name``.
        remapped: For a requirement: addresses in its source, and their replacements here.
    """

    contract_name: str
    sender: str
    path: str
    clarity_version: int | None
    line: int
    url: str = ""
    epoch: str = ""
    requirement: str = ""
    remapped: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TransferStep:
    """STX to send (``stx-transfer``).

    Attributes:
        sender: The address that the plan expects to pay.
        recipient: The recipient.
        amount_ustx: How many, in µSTX.
        memo: Up to 34 bytes.
        line: Its line in the plan.
        epoch: The epoch of its batch; empty if the plan does not say.
    """

    sender: str
    recipient: str
    amount_ustx: int
    memo: bytes
    line: int
    epoch: str = ""

    def __str__(self) -> str:
        return f"sends {self.amount_ustx} µSTX to {self.recipient}"


@dataclass(frozen=True, slots=True)
class CallStep:
    """A public function to call (``contract-call``).

    Attributes:
        contract_id: The contract, ``ADDRESS.name``.
        sender: The address that the plan expects to call.
        function_name: The plan's ``method``.
        arguments: The plan's ``parameters``, parsed from Clarity literals.
        line: Its line in the plan.
        epoch: The epoch of its batch; empty if the plan does not say.
    """

    contract_id: str
    sender: str
    function_name: str
    arguments: tuple[ClarityValue, ...]
    line: int
    epoch: str = ""

    def __str__(self) -> str:
        return f"calls {self.contract_id}::{self.function_name}"


Step = PublishStep | TransferStep | CallStep


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """What to do, in order; the steps of one batch are mined before those of the next begin.

    Attributes:
        name: The plan's own name.
        network: ``simnet``, ``devnet``, ``testnet`` or ``mainnet``, as Clarinet wrote it; ``devnet`` if it did not.
        batches: The steps.
        file: The plan.
        root: The project's folder, which paths start from.
    """

    name: str
    network: str
    batches: tuple[tuple[Step, ...], ...]
    file: Path
    root: Path

    @classmethod
    def read(cls, file: str | Path, *, root: str | Path | None = None) -> Self:
        """Read a plan.

        Args:
            file: The YAML file.
            root: The project's folder; if not given, the nearest folder above the plan with a ``Clarinet.toml``, or
                else the parent of the plan's folder.

        Raises:
            DeploymentError: If it cannot be read, or contains something that cannot be carried out.
        """
        path = Path(file)
        top = _Node.of_file(path)
        fields = top.mapping()
        batches = tuple(
            tuple(_read_step(step, _read_epoch(batch)) for step in batch.field("transactions").sequence())
            for batch in top.field("plan").field("batches").sequence()
        )
        return cls(
            name=fields["name"].text() if "name" in fields else path.stem,
            network=fields["network"].text() if "network" in fields else "devnet",
            batches=batches,
            file=path,
            root=Path(root) if root is not None else _find_root(path),
        )

    def where(self, step: Step) -> str:
        """Return the name of a step in errors: its file, and its line if it has one."""
        return f"{self.file}, line {step.line}" if step.line else str(self.file)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of all batches, in order."""
        return tuple(step for batch in self.batches for step in batch)


class _Loader(yaml.SafeLoader):
    """Accepts no aliases, by which a short file could contain millions of steps; Clarinet writes none."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*) are not allowed", mark)
        return super().compose_node(parent, index)


class _Node:
    """A part of the plan that knows its place."""

    __slots__ = ("_file", "_name", "_node")

    def __init__(self, node: yaml.Node, file: Path, name: str) -> None:
        self._node = node
        self._file = file
        self._name = name

    @classmethod
    def of_file(cls, file: Path) -> _Node:
        try:
            if file.stat().st_size > _MAX_PLAN_BYTES:
                raise DeploymentError(f"{file}: the plan is longer than {_MAX_PLAN_BYTES} bytes")
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DeploymentError(f"deployment plan {file} cannot be read: {error}") from error
        try:
            node = yaml.compose(text, Loader=_Loader)
        except (yaml.YAMLError, RecursionError) as error:
            raise DeploymentError(f"{file} is not valid YAML: {error}") from error
        if node is None:
            raise DeploymentError(f"{file} is empty; generate it with 'clarinet deployments generate'")
        return cls(node, file, "the plan")

    @property
    def line(self) -> int:
        return int(self._node.start_mark.line) + 1

    def error(self, problem: str) -> DeploymentError:
        return DeploymentError(f"{self._file}, line {self.line}: {self._name} {problem}")

    def mapping(self) -> dict[str, _Node]:
        if not isinstance(self._node, yaml.MappingNode):
            raise self.error("must be a mapping of fields")
        found: dict[str, _Node] = {}
        for key, value in self._node.value:
            name = str(key.value)
            if name in found:
                raise _Node(key, self._file, f"field {name!r}").error("is a duplicate")
            found[name] = _Node(value, self._file, f"field {name!r}")
        return found

    def field(self, name: str) -> _Node:
        fields = self.mapping()
        if name not in fields:
            raise self.error(f"lacks the field {name!r}")
        return fields[name]

    def sequence(self) -> list[_Node]:
        if not isinstance(self._node, yaml.SequenceNode):
            raise self.error("must be a list")
        return [_Node(item, self._file, f"{self._name}[{index}]") for index, item in enumerate(self._node.value)]

    def literal(self) -> ClarityValue:
        """Return a Clarity literal, which YAML may have read as a number or a boolean."""
        if not isinstance(self._node, yaml.ScalarNode):
            raise self.error('must be a Clarity literal; put it into quotes: "{ id: u4 }"')
        try:
            return parse(self._node.value)
        except LiteralError as error:
            raise self.error(
                f"is not a Clarity literal: {error} (a string needs quotes of its own within those of YAML: '\"text\"')"
            ) from error

    def text(self) -> str:
        if not isinstance(self._node, yaml.ScalarNode) or self._node.tag != "tag:yaml.org,2002:str":
            raise self.error("must be text")
        return str(self._node.value)

    def scalar(self) -> str:
        """Return text as it is written, whatever YAML makes of it: ``3.0`` is a number there."""
        if not isinstance(self._node, yaml.ScalarNode):
            raise self.error("must be text")
        return str(self._node.value)

    def addresses(self) -> tuple[tuple[str, str], ...]:
        """Return a mapping from addresses to addresses, as written."""
        if not isinstance(self._node, yaml.MappingNode):
            raise self.error("must be a mapping of addresses")
        return tuple(
            (
                _Node(key, self._file, f"an address in {self._name}").address(),
                _Node(value, self._file, self._name).address(),
            )
            for key, value in self._node.value
        )

    def integer(self, low: int, high: int) -> int:
        value = self._node.value if isinstance(self._node, yaml.ScalarNode) else None
        if not isinstance(value, str) or not _INTEGER.match(value) or not low <= int(value) <= high:
            raise self.error(f"must be an integer from {low} to {high}, not {value!r:.80}")
        return int(value)

    def named(self, kind: str, check: Callable[[str], str]) -> str:
        """Return text after ``check``, which may change it."""
        try:
            return check(self.text())
        except InvalidValueError as error:
            raise self.error(f"is not a {kind}: {error}") from error

    def principal(self) -> str:
        return self.named("principal", canonical_principal)

    def address(self) -> str:
        principal = self.principal()
        if "." in principal:
            raise self.error(f"must be an address, not the contract {principal}")
        return principal


def _read_epoch(batch: _Node) -> str:
    fields = batch.mapping()
    if "epoch" not in fields:
        return ""
    text = fields["epoch"].scalar()
    epoch = epoch_named(text)
    if epoch is None:
        raise fields["epoch"].error(f"is {text!r:.40}, which is not a known epoch: {', '.join(EPOCHS)} are")
    return epoch


def _read_step(node: _Node, epoch: str) -> Step:
    """Read a step in either form: its kind is a separate field or, in older plans, the name of its fields."""
    fields = node.mapping()
    if "transaction-type" in fields:
        kind, named, body = fields["transaction-type"].text(), fields["transaction-type"], node
    elif len(fields) == 1:
        ((kind, body),) = fields.items()
        named, fields = body, body.mapping()
    else:
        raise node.error("lacks the field 'transaction-type'")
    read = _STEPS.get(kind)
    if read is None:
        raise named.error(f"is {kind!r:.80}, which is not supported: {', '.join(_STEPS)} are; {_instead_of(kind)}")
    return read(body, fields, node.line, epoch)


def _instead_of(kind: str) -> str:
    """Return what to do about a step that is not supported."""
    if kind == "btc-transfer":
        return "send bitcoin with a Bitcoin wallet, and take the step out of the plan"
    return (
        "emulated-… steps are for simnet plans, so generate a plan for devnet, testnet or mainnet: "
        "clarinet deployments generate --devnet"
    )


def _read_publish(node: _Node, fields: dict[str, _Node], line: int, epoch: str) -> PublishStep:
    return PublishStep(
        contract_name=node.field("contract-name").named("contract name", check_contract_name),
        sender=node.field("expected-sender").address(),
        path=_read_path(node, fields),
        url=fields["url"].text() if "url" in fields else "",
        clarity_version=_read_clarity_version(fields),
        epoch=epoch,
        line=line,
    )


def _read_requirement(node: _Node, fields: dict[str, _Node], line: int, epoch: str) -> PublishStep:
    requirement = node.field("contract-id").principal()
    if "." not in requirement:
        raise node.field("contract-id").error(f"is an address, not a contract: {requirement}")
    remapped = fields["remap-principals"].addresses() if "remap-principals" in fields else ()
    return PublishStep(
        contract_name=requirement.partition(".")[2],
        sender=node.field("remap-sender").address(),
        path=_read_path(node, fields),
        url=fields["url"].text() if "url" in fields else "",
        clarity_version=_read_clarity_version(fields),
        epoch=epoch,
        line=line,
        requirement=requirement,
        remapped=remapped,
    )


def _read_path(node: _Node, fields: dict[str, _Node]) -> str:
    if "path" in fields and "url" in fields:
        raise node.error("has both the field 'path' and the field 'url'; leave one of them out")
    return "" if "url" in fields else node.field("path").text()


def _read_clarity_version(fields: dict[str, _Node]) -> int | None:
    return fields["clarity-version"].integer(1, 6) if "clarity-version" in fields else None


def _read_transfer(node: _Node, fields: dict[str, _Node], line: int, epoch: str) -> TransferStep:
    return TransferStep(
        sender=node.field("expected-sender").address(),
        recipient=node.field("recipient").principal(),
        amount_ustx=node.field("mstx-amount").integer(1, (1 << 64) - 1),
        memo=_read_memo(fields["memo"]) if "memo" in fields else b"",
        line=line,
        epoch=epoch,
    )


def _read_call(node: _Node, fields: dict[str, _Node], line: int, epoch: str) -> CallStep:
    contract_id = node.field("contract-id").principal()
    if "." not in contract_id:
        raise node.field("contract-id").error(f"is an address, not a contract: {contract_id}")
    return CallStep(
        contract_id=contract_id,
        sender=node.field("expected-sender").address(),
        function_name=node.field("method").named("function name", check_clarity_name),
        arguments=tuple(item.literal() for item in fields["parameters"].sequence()) if "parameters" in fields else (),
        line=line,
        epoch=epoch,
    )


_STEPS: Final[dict[str, Callable[[_Node, dict[str, _Node], int, str], Step]]] = {
    "contract-publish": _read_publish,
    "requirement-publish": _read_requirement,
    "contract-call": _read_call,
    "stx-transfer": _read_transfer,
}


def _read_memo(node: _Node) -> bytes:
    text = node.text()
    match = re.match(r"(?:0x((?:[0-9a-fA-F]{2}){0,34}))?\Z", text)
    if match is None:
        raise node.error(f"must be 0x and up to 34 bytes in hexadecimal, not {text!r:.80}")
    return bytes.fromhex(match[1] or "")


def _find_root(file: Path) -> Path:
    folder = file.resolve().parent
    for candidate in (folder, *folder.parents):
        if (candidate / "Clarinet.toml").is_file():
            return candidate
    return folder.parent
