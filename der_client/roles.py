"""Who has which role: read from a small TOML file, and granted on chain unless already held.

The file::

    [roles]                      # registrar, verifier, arbiter, oracle, pauser
    registrar = ["ST…"]

    [grid-operators]             # by region, of up to 8 ASCII characters
    NORTH = ["ST…"]

No role is ever revoked: roles that are not in the file stay with whoever has them.
"""

from __future__ import annotations

import logging
import time
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from der_client.contracts.asset_verification import Role
from der_client.stacks.address import check_network, split_principal
from der_client.stacks.clarity import AsciiType
from der_client.stacks.contract.jobs import job_of, pending_of, unused_key
from der_client.stacks.deployment_checks import finish_earlier_run
from der_client.stacks.errors import AddressError, DeploymentError, EncodeError, InvalidValueError
from der_client.stacks.outbox import JobState, Outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from der_client.der import Der
    from der_client.stacks.account import Account
    from der_client.stacks.contract.call import Call
    from der_client.stacks.outbox import Journal

_LOG: Final = logging.getLogger(__name__)
_MAX_FILE_BYTES: Final = 1 << 20
_SHOWN_LENGTH: Final = 80
_DEFAULT_TIMEOUT_S: Final = 600.0

_ROLES: Final = "roles"
_GRID_OPERATORS: Final = "grid-operators"
_NAMED_ROLES: Final = {role.name.lower(): role for role in Role if role is not Role.GRID_OPERATOR}
_REGION: Final = AsciiType(8)


class RolesFileError(InvalidValueError):
    """A roles file that cannot be used; nothing was granted.

    Attributes:
        file: The file.
        table: The table in it, or ``None`` if the whole file is meant.
        key: The key in the table, or ``None``.
        value: The value there, as text of at most 80 characters, or ``None``.
    """

    def __init__(
        self, problem: str, file: Path, *, table: str | None = None, key: str | None = None, value: object = None
    ) -> None:
        place = f"{file}" + (f", [{table}]" if table else "") + (f", {key}" if key is not None else "")
        super().__init__(f"{place}: {problem}")
        self.file = file
        self.table = table
        self.key = key
        self.value = None if value is None else _shown(value)


@dataclass(frozen=True, slots=True)
class Grant:
    """A role to grant.

    Attributes:
        role: The role.
        who: An address or a contract's id.
        region: A grid operator's region, 1 to 8 ASCII characters; empty for all other roles.
    """

    role: Role
    who: str
    region: str = ""

    @property
    def role_name(self) -> str:
        """The role for people: ``registrar``, ``grid-operator``."""
        return self.role.name.lower().replace("_", "-")

    def __str__(self) -> str:
        """Return it in words, for messages."""
        return f"{self.role_name}{self.region and f' {self.region}'}: {self.who}"


class GrantOutcome(StrEnum):
    """The outcome of a grant."""

    GRANTED = "granted"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class GrantReport:
    """A role that was granted, or was already held.

    Attributes:
        grant: Who has which role now.
        outcome: Whether it was granted now, or already held.
        txid: The transaction; ``None`` if it was held.
        block_height: The transaction's block; ``None`` if it was held.
        fee_ustx: What it cost; 0 if it was held.
    """

    grant: Grant
    outcome: GrantOutcome
    txid: str | None = None
    block_height: int | None = None
    fee_ustx: int = 0


@dataclass(frozen=True, slots=True)
class RolesReport:
    """The result of setting up roles.

    Attributes:
        contract_id: The contract that keeps the roles.
        steps: A report on each grant, in order.
    """

    contract_id: str
    steps: tuple[GrantReport, ...]

    @property
    def granted(self) -> tuple[Grant, ...]:
        """What was granted now."""
        return tuple(step.grant for step in self.steps if step.outcome is GrantOutcome.GRANTED)

    @property
    def held(self) -> tuple[Grant, ...]:
        """What was already held."""
        return tuple(step.grant for step in self.steps if step.outcome is GrantOutcome.HELD)

    @property
    def txids(self) -> tuple[str, ...]:
        """All transactions, in order."""
        return tuple(step.txid for step in self.steps if step.txid is not None)


def read_roles(file: Path | str) -> tuple[Grant, ...]:
    """Read a roles file.

    Args:
        file: A TOML file, as this module describes it; UTF-8, with or without byte order mark.

    Returns:
        The grants, in the order of the file.

    Raises:
        RolesFileError: If the file cannot be read or contains an impossible grant; it names file, table, key and value.
    """
    path = Path(file)
    tables = _read_tables(path)
    unknown = [name for name in tables if name not in (_ROLES, _GRID_OPERATORS)]
    if unknown:
        raise RolesFileError(f"unknown; a roles file has [{_ROLES}] and [{_GRID_OPERATORS}]", path, table=unknown[0])
    grants = (
        *_read_table(path, _ROLES, tables.get(_ROLES, {}), _named_role),
        *_read_table(path, _GRID_OPERATORS, tables.get(_GRID_OPERATORS, {}), _grid_operator),
    )
    if not grants:
        raise RolesFileError(f"grants nothing; name somebody in [{_ROLES}] or [{_GRID_OPERATORS}]", path)
    return grants


def setup_roles(
    der: Der,
    roles: Path | str | Iterable[Grant],
    *,
    timeout_s: float = _DEFAULT_TIMEOUT_S,
    on_step: Callable[[GrantReport], None] | None = None,
    journal: Journal | Path | str | None = None,
) -> RolesReport:
    """Grant the roles that are not held yet.

    Everything is checked before the first transaction is sent. Granting is safe to repeat: the next run finishes one
    that was interrupted.

    Args:
        der: The contracts, connected with the account that owns them.
        roles: A roles file, or the grants.
        timeout_s: The longest wait for the transactions, in seconds.
        on_step: Called for each grant that was made or already held.
        journal: The outbox's journal: a path (SQLite), a URL (Postgres), or ``None`` for one in memory.

    Returns:
        What was granted and what was already held.

    Raises:
        RolesFileError: If the file cannot be used.
        AddressError: If an address belongs to another network.
        EncodeError: If a region is longer than 8 characters or not ASCII.
        SigningError: If something has to be granted and ``der`` has no account.
        DeploymentError: If the contracts are not deployed, something has to be granted and the account is not their
            owner, or the node refused a transaction.
        ContractError: If the contract refused; what was granted before stays.
        ConfirmationTimeoutError: If the transactions were not mined in time; run again.
        JournalError: If the journal cannot be used.
        NodeError: If the node is down or responds with something else.
    """
    grants = read_roles(roles) if isinstance(roles, (str, Path)) else tuple(roles)
    network = der.client.network
    for grant in grants:
        check_network(grant.who, network, grant.role_name)
    der.check_deployed(der.assets)
    steps: list[GrantReport] = []
    for step in _grant_all(der, grants, timeout_s, journal):
        _LOG.info("%s %s", step.outcome, step.grant)
        steps.append(step)
        if on_step is not None:
            on_step(step)
    return RolesReport(der.assets.contract_id, tuple(steps))


def _grant_all(
    der: Der, grants: Sequence[Grant], timeout_s: float, journal: Journal | Path | str | None
) -> Iterator[GrantReport]:
    """Grant what is not held, in order; report each when it is mined."""
    if all(_is_held(der, grant) for grant in grants):
        yield from (GrantReport(grant, GrantOutcome.HELD) for grant in grants)
        return
    account = _check_owner(der)
    with Outbox(account, journal, purpose=f"roles of {der.assets.contract_id}") as outbox:
        finish_earlier_run(outbox, timeout_s)
        calls: dict[str, tuple[Grant, Call[bool]]] = {}
        for grant in grants:
            if _is_held(der, grant):
                yield GrantReport(grant, GrantOutcome.HELD)
                continue
            call = der.assets.set_role(grant.role, grant.who, grant.region, granted=True)
            key = unused_key(outbox, f"grant/{grant.role_name}/{grant.region}/{grant.who}")
            outbox.add(job_of(key, call))
            calls[key] = grant, call
        deadline = time.monotonic() + timeout_s
        for entry in outbox.finish([*calls], timeout_s=timeout_s):
            grant, call = calls[entry.key]
            if entry.state is JobState.GIVEN_UP:
                raise DeploymentError(f"{grant} was not granted: {entry.reason}")
            receipt = pending_of(call, entry.txid).wait(max(0.0, deadline - time.monotonic()))
            yield GrantReport(grant, GrantOutcome.GRANTED, receipt.txid, receipt.block_height, receipt.fee_ustx)


def _is_held(der: Der, grant: Grant) -> bool:
    return der.assets.has_role(grant.role, grant.who, grant.region)


def _check_owner(der: Der) -> Account:
    account = der.assets.require_account()
    owner = der.assets.get_contract_owner()
    if account.address != owner:
        raise DeploymentError(
            f"roles of {der.assets.contract_id} are granted by the owner of the contracts, {owner}, but the account is "
            f"{account.address}; use the owner's key"
        )
    return account


def _read_tables(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise RolesFileError(f"the file has more than {_MAX_FILE_BYTES} bytes; a roles file is small", path)
        return tomllib.loads(
            path.read_text(encoding="utf-8-sig")
        )  # editors on Windows may begin it with a byte order mark
    except OSError as error:
        raise RolesFileError(f"cannot be read: {error.strerror}", path) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise RolesFileError(f"is not valid TOML: {error}", path) from error


def _read_table(
    path: Path, table: str, entries: object, role_of: Callable[[Path, str], tuple[Role, str]]
) -> Iterator[Grant]:
    if not isinstance(entries, dict):
        raise RolesFileError(f"must be a table, not {_shown(entries)}", path, table=table, value=entries)
    for key, members in entries.items():
        role, region = role_of(path, key)
        if not isinstance(members, list):
            problem = f'must be a list of addresses, as ["ST…"], not {_shown(members)}'
            raise RolesFileError(problem, path, table=table, key=key, value=members)
        seen: set[str] = set()
        for member in members:
            who = _read_member(path, table, key, member)
            if who in seen:
                raise RolesFileError(f"duplicate address {who}; remove one", path, table=table, key=key, value=member)
            seen.add(who)
            yield Grant(role, who, region)


def _named_role(path: Path, key: str) -> tuple[Role, str]:
    if key not in _NAMED_ROLES:
        problem = (
            f"is not a role of this table: expected one of {', '.join(_NAMED_ROLES)}; grid operators are "
            "listed by region in "
            f"[{_GRID_OPERATORS}]"
        )
        raise RolesFileError(problem, path, table=_ROLES, key=key)
    return _NAMED_ROLES[key], ""


def _grid_operator(path: Path, key: str) -> tuple[Role, str]:
    try:
        _REGION.from_python(key, "region")
    except EncodeError as error:
        raise RolesFileError(f"{error}", path, table=_GRID_OPERATORS, key=key) from error
    if not key:
        raise RolesFileError("a region must have 1 to 8 ASCII characters, got 0", path, table=_GRID_OPERATORS, key=key)
    return Role.GRID_OPERATOR, key


def _read_member(path: Path, table: str, key: str, member: object) -> str:
    if not isinstance(member, str):
        problem = f"expected an address as text, got {_shown(member)}"
        raise RolesFileError(problem, path, table=table, key=key, value=member)
    try:
        address, contract_name = split_principal(member)
    except AddressError as error:
        raise RolesFileError(f"{error}", path, table=table, key=key, value=member) from error
    return address if contract_name is None else f"{address}.{contract_name}"


def _shown(value: object) -> str:
    return repr(value)[:_SHOWN_LENGTH]
