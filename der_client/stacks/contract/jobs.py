"""Calls of typed contracts as jobs of an outbox."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, TypeVar

from der_client.stacks.contract.call import Pending
from der_client.stacks.outbox import Job

if TYPE_CHECKING:
    from der_client.stacks.contract.call import Call
    from der_client.stacks.outbox import Outbox

R = TypeVar("R")
_LONGEST_NAME: Final = 150


def job_of(key: str, call: Call[Any], *, note: str = "") -> Job:
    """Make a job of a call, with its post-conditions, for the account that the contract is bound to.

    Args:
        key: The key that identifies its purpose.
        call: The call.
        note: Anything that the caller wants to store with it.

    Raises:
        SigningError: If the contract was opened without an account.
    """
    address = call.contract.require_account().address
    return Job(key, call.payload, call.post_conditions, account=address, note=note)


def unused_key(outbox: Outbox, name: str) -> str:
    """Return a key that the outbox has not used yet: the name, shortened if it is long, and the number of the attempt.

    Args:
        outbox: The outbox.
        name: What the job is for.
    """
    if len(name) > _LONGEST_NAME:
        name = f"{name[: _LONGEST_NAME - 17]}…{sha256(name.encode()).hexdigest()[:16]}"
    attempt = 1
    while outbox.find(key := f"{name}#{attempt}") is not None:
        attempt += 1
    return key


def pending_of(call: Call[R], txid: str) -> Pending[R]:
    """Return the transaction of a call that an outbox has sent, to read its typed receipt.

    Args:
        call: The call.
        txid: Its transaction.
    """
    return Pending(call, call.contract.require_account().pending(txid))
