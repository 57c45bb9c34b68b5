"""Prepares a plan for the embedded devnet's start: signed transactions, with the epochs that they need."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from der_client.stacks.clarinet import MANIFEST, project_plan
from der_client.stacks.clarity import PrincipalValue
from der_client.stacks.clarity.source import Source
from der_client.stacks.epochs import EPOCHS, LATEST_EPOCH, has_at_block
from der_client.stacks.errors import DeploymentError, InvalidValueError
from der_client.stacks.network import DEVNET
from der_client.stacks.plan import CallStep, PublishStep, TransferStep
from der_client.stacks.sources import PlanSources
from der_client.stacks.transactions import ContractCall, PostConditionMode, TokenTransfer, Transaction
from der_client.stacks.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from der_client.stacks.keys import PrivateKey
    from der_client.stacks.plan import DeploymentPlan, Step
    from der_client.stacks.sources import Fetch
    from der_client.stacks.transactions import ContractPublish
    from der_client.stacks.transactions.payload_types import UserPayload

SETTINGS: Final = Path("settings") / "Devnet.toml"
_DEFAULT_PATH: Final = "m/44'/5757'/0'/0/0"
_LEAST_FEE_USTX: Final = 1_000
_LAST_WITH_AT_BLOCK: Final = [epoch for epoch in EPOCHS if has_at_block(epoch)][-1]


@dataclass(frozen=True, slots=True)
class PreparedStep:
    """A step of a plan that only has to be sent.

    Attributes:
        what: The message if it fails: its place in the plan, and what cannot be done.
        source: The origin of the source, if it publishes a contract.
        raw: The signed transaction.
        epoch: The epoch that it needs.
    """

    what: str
    source: str
    raw: bytes
    epoch: str


@dataclass(frozen=True, slots=True)
class PreparedPlan:
    """What the devnet does at its start.

    Attributes:
        steps: The steps, in order.
        epoch: The epoch to be in afterwards.
    """

    steps: tuple[PreparedStep, ...]
    epoch: str

    def to_json(self) -> dict[str, Any]:
        """Return it as the devnet reads it."""
        steps = [
            {"what": step.what, "from": step.source, "raw": step.raw.hex(), "epoch": step.epoch} for step in self.steps
        ]
        return {"steps": steps, "epoch": self.epoch}


def read_keys(settings: str | Path) -> dict[str, PrivateKey]:
    """Read the keys of the accounts of a project's ``settings/Devnet.toml``, by name. Public test keys only.

    Args:
        settings: The file.

    Raises:
        DeploymentError: If it cannot be read, or an account cannot be derived.
    """
    file = Path(settings)
    try:
        accounts = tomllib.loads(file.read_text(encoding="utf-8")).get("accounts", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DeploymentError(f"{file} cannot be read: {error}") from error
    keys = {}
    for name, account in accounts.items():
        try:
            keys[name] = Wallet.from_mnemonic(account["mnemonic"]).derive(account.get("derivation", _DEFAULT_PATH))
        except (InvalidValueError, KeyError, TypeError, AttributeError):
            # Without the reason, which could contain the mnemonic.
            raise DeploymentError(
                f"{file}, [accounts.{name}]: no key can be derived from its mnemonic and derivation"
            ) from None
    return keys


def prepare_plan(plan: DeploymentPlan, keys: Mapping[str, PrivateKey], *, fetch: Fetch | None = None) -> PreparedPlan:
    """Sign everything in a plan, for a new devnet.

    Args:
        plan: The plan.
        keys: The keys of the devnet's accounts by name.
        fetch: A function that returns a requirement whose file is missing, by its id.

    Raises:
        DeploymentError: If the plan cannot be carried out; the text names file and line.
    """
    by_address = {key.address(DEVNET): key for key in keys.values()}
    nonces = dict.fromkeys(by_address, 0)
    payloads = dict(PlanSources(plan, outside_root=True, any_line_ends=True, fetch=fetch).payloads())
    steps = []
    for step in plan.steps:
        where = plan.where(step)
        key = by_address.get(step.sender)
        if key is None:
            known = ", ".join(f"{name} {each.address(DEVNET)}" for name, each in keys.items())
            raise DeploymentError(
                f"{where}: the plan expects {step.sender} to send this, which is not an account of {SETTINGS}: "
                f"{known}; generate the plan again: clarinet deployments generate --devnet"
            )
        try:
            raw = _signed(_payload(step, payloads), key, nonces[step.sender])
        except InvalidValueError as error:
            raise DeploymentError(f"{where}: {error}") from error
        nonces[step.sender] += 1
        source = (step.path or step.url) if isinstance(step, PublishStep) else ""
        steps.append(PreparedStep(f"{where}: {_failure(step)}", source, raw, step.epoch or _epoch_for(payloads, step)))
    return PreparedPlan(tuple(steps), _epoch_after(payloads))


def _payload(step: Step, payloads: Mapping[PublishStep, ContractPublish]) -> UserPayload:
    match step:
        case PublishStep():
            return payloads[step]
        case CallStep():
            return ContractCall(step.contract_id, step.function_name, step.arguments)
    return TokenTransfer(PrincipalValue(step.recipient), step.amount_ustx, step.memo)


def _signed(payload: UserPayload, key: PrivateKey, nonce: int) -> bytes:
    is_transfer = isinstance(payload, TokenTransfer)
    unsigned = Transaction.build(
        payload,
        network=DEVNET,
        nonce=nonce,
        fee=0,
        public_key=key.public_key,
        # A plan has no post-conditions, so its steps may move anything.
        mode=PostConditionMode.DENY if is_transfer else PostConditionMode.ALLOW,
    )
    fee = max(_LEAST_FEE_USTX, len(unsigned.encode()))
    return unsigned.with_fee(fee).sign(key).encode()


def _failure(step: Step) -> str:
    match step:
        case PublishStep():
            return f"contract {step.contract_name} cannot be published"
        case CallStep():
            return f"the call of {step.contract_id}::{step.function_name} failed"
        case TransferStep():
            return f"the transfer to {step.recipient} failed"


def _epoch_for(payloads: Mapping[PublishStep, ContractPublish], step: Step) -> str:
    """Return the epoch for a step without one in the plan."""
    uses_at_block = isinstance(step, PublishStep) and _uses_at_block(payloads[step].code)
    return _LAST_WITH_AT_BLOCK if uses_at_block else LATEST_EPOCH


def _epoch_after(payloads: Mapping[PublishStep, ContractPublish]) -> str:
    """Return the epoch in which a project's contracts are used: the newest, unless they use something that it lacks."""
    epochs = [step.epoch for step in payloads if step.epoch]
    last = max(epochs, key=list(EPOCHS).index, default=LATEST_EPOCH)
    if has_at_block(last) and any(_uses_at_block(payload.code) for payload in payloads.values()):
        return last
    return LATEST_EPOCH


def _uses_at_block(code: str) -> bool:
    try:
        tops = Source.read(code).expressions
    except InvalidValueError:
        return False
    return any(expression.head == "at-block" for top in tops for expression in top.walk())


def prepare_project(root: str | Path, *, usual_settings: str | Path, fetch: Fetch | None = None) -> PreparedPlan:
    """Prepare what a Clarinet project publishes on its devnet, by its plan or, without one, by its Clarinet.toml.

    Args:
        root: The project's folder.
        usual_settings: The accounts of a project that has no ``settings/Devnet.toml``.
        fetch: A function that returns a requirement that is not in the project's cache, by its id.

    Raises:
        DeploymentError: If the project cannot be read or its plan cannot be carried out; the text says what to do.
    """
    settings = Path(root) / SETTINGS
    if not settings.is_file() and not (Path(root) / MANIFEST).is_file():
        raise DeploymentError(
            f"{root} is not a Clarinet project: {MANIFEST} does not exist, and {SETTINGS} does not exist"
        )
    keys = read_keys(settings if settings.is_file() else usual_settings)
    plan = project_plan(root, {name: key.address(DEVNET) for name, key in keys.items()}, fetch=fetch)
    return prepare_plan(plan, keys, fetch=fetch)
