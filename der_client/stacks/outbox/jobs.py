"""What an outbox does: a job is a key and a transaction's content; an entry is the journal's record of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, cast, get_args

from der_client.stacks.checks import check_enum, check_items, check_kind, check_number
from der_client.stacks.clarity import decode
from der_client.stacks.errors import InvalidValueError
from der_client.stacks.outcome import OutcomeKind
from der_client.stacks.transactions import PostCondition, PostConditionMode
from der_client.stacks.transactions.payload_types import UserPayload, read_payload
from der_client.stacks.transactions.post_conditions import read_post_conditions

if TYPE_CHECKING:
    from der_client.stacks.clarity import ClarityValue

MAX_KEY_LENGTH: Final = 200
_UINT64_MAX: Final = (1 << 64) - 1
_PAYLOADS: Final = get_args(UserPayload)
_POST_CONDITIONS: Final = get_args(PostCondition)
_FIRST_RETRY_S: Final = 15.0
_MAX_RETRY_S: Final = 3600.0


class JobState(StrEnum):
    """The state of a job."""

    QUEUED = "queued"
    """Waits for its turn, for a job that it follows, or for the next attempt."""
    SIGNED = "signed"
    """Its transaction is in the journal; it may have been sent, or not."""
    SENT = "sent"
    """A node accepted its transaction, or may have accepted it."""
    MINED = "mined"
    """Its transaction is in a block; see its outcome."""
    GIVEN_UP = "given up"
    """It will not be done; see its reason."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be done for it."""
        return self in (JobState.MINED, JobState.GIVEN_UP)


OPEN: Final = (JobState.QUEUED, JobState.SIGNED, JobState.SENT)
"""The states of a job that is not over."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done on the chain, at most once.

    Attributes:
        key: Its purpose, such as ``settle/31``. A job with a given key is done once, whoever adds it.
        payload: What the transaction does.
        post_conditions: What must be true of what it moves.
        mode: How to treat assets that no post-condition names.
        fee_ustx: The fee, in µSTX; by the account's fee policy if not given.
        account: The address that signs it; any of the outbox's accounts if empty.
        follows: Keys of jobs that must be mined successfully before it.
        note: Whatever the caller wants to keep with it.

    Raises:
        InvalidValueError: If the key is empty or longer than 200 characters, it follows itself, or a value is not of
            the kind that is said here.
    """

    key: str
    payload: UserPayload
    post_conditions: tuple[PostCondition, ...] = ()
    mode: PostConditionMode = PostConditionMode.DENY
    fee_ustx: int | None = None
    account: str = ""
    follows: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what could not be stored, or not be read again."""
        if not isinstance(self.key, str) or not 1 <= len(self.key) <= MAX_KEY_LENGTH or not self.key.isprintable():
            raise InvalidValueError(
                f"a job's key must have 1 to {MAX_KEY_LENGTH} printable characters: {self.key!r:.80}"
            )
        of = f"job {self.key}: "
        check_kind(self.payload, _PAYLOADS, f"{of}payload", "give what the transaction does, such as call.payload")
        conditions = check_items(self.post_conditions, _POST_CONDITIONS, f"{of}post_conditions", "post-conditions")
        object.__setattr__(self, "post_conditions", conditions)
        check_enum(self.mode, PostConditionMode, f"{of}mode")
        if self.fee_ustx is not None:
            check_number(self.fee_ustx, 0, _UINT64_MAX, f"{of}fee_ustx")
        check_kind(self.account, str, f"{of}account", "give an address, such as account.address")
        object.__setattr__(self, "follows", check_items(self.follows, str, f"{of}follows", "keys"))
        check_kind(self.note, str, f"{of}note")
        if self.key in self.follows:
            raise InvalidValueError(f"job {self.key} follows itself; name other jobs in follows=")

    @property
    def body(self) -> bytes:
        """Payload, post-conditions and mode as bytes, as the journal stores them."""
        conditions = b"".join(condition.encode() for condition in self.post_conditions)
        head = bytes([self.mode]) + len(self.post_conditions).to_bytes(2)
        return head + conditions + self.payload.encode()


def retry_s(failures: int) -> float:
    """Return the seconds until the next attempt after this many failures: 15 s to an hour."""
    return min(_FIRST_RETRY_S * 2.0**failures, _MAX_RETRY_S)


@dataclass(frozen=True, slots=True)
class Entry:
    """A job in the journal.

    Attributes:
        id: Its number in the journal; jobs are done in this order.
        key: Its key.
        body: What it does (`Job.body`).
        state: Its state.
        account: The address that signs it; empty if any may sign it and none has.
        fee_ustx: The fee that the job was given, in µSTX; ``None`` if by policy.
        note: The caller's note.
        txid: Its latest transaction; empty before it is signed.
        outcome: Its outcome, once it is mined.
        reason: Why it was given up, or why the last attempt failed.
        block_height: Its block's height; ``None`` unless mined.
        fee_paid_ustx: The fee that was paid, µSTX; ``None`` unless mined.
        raw_result: What the transaction returned; empty unless mined.
        attempts: How many attempts have failed.
        not_before: When the next attempt is due, by the journal's clock (unix seconds).
    """

    id: int
    key: str
    body: bytes
    state: JobState
    account: str
    fee_ustx: int | None
    note: str
    txid: str
    outcome: OutcomeKind | None
    reason: str
    block_height: int | None
    fee_paid_ustx: int | None
    raw_result: bytes
    attempts: int
    not_before: float

    @property
    def job(self) -> Job:
        """The job, without what it follows.

        Raises:
            InvalidValueError: If the journal's bytes cannot be read.
        """
        try:
            mode = PostConditionMode(self.body[0])
            conditions, at = read_post_conditions(self.body, 3, int.from_bytes(self.body[1:3]))
            payload, _ = read_payload(self.body, at)
        except (ValueError, IndexError) as error:
            raise InvalidValueError(f"job {self.key} cannot be read from the journal: {error}") from error
        return Job(
            self.key,
            cast("UserPayload", payload),
            conditions,
            mode,
            self.fee_ustx,
            self.account,
            note=self.note,
        )

    @property
    def is_success(self) -> bool:
        """Whether it is mined and successful."""
        return self.outcome is OutcomeKind.SUCCESS

    @property
    def result(self) -> ClarityValue | None:
        """What the transaction returned; ``None`` unless mined."""
        return decode(self.raw_result) if self.raw_result else None


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction of a job that is not known to be mined.

    Attributes:
        txid: Its id.
        job_id: The job.
        key: The job's key.
        account: The address that signed it.
        nonce: Its nonce.
        fee_ustx: The fee it offers, in µSTX.
        raw: The signed bytes.
        was_taken: Whether a node said that it accepted it.
        signed_at: When it was signed, by the journal's clock (unix seconds).
        height: The height of the chain then.
    """

    txid: str
    job_id: int
    key: str
    account: str
    nonce: int
    fee_ustx: int
    raw: bytes
    was_taken: bool
    signed_at: float
    height: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Something that happened to a job.

    Attributes:
        key: The job.
        state: Its state now.
        txid: Its transaction; empty if it has none.
        outcome: Its outcome, if it is mined.
        reason: Why it was given up or postponed.
        wait_s: The time until its next attempt, if it was postponed, in seconds.
    """

    key: str
    state: JobState
    txid: str = ""
    outcome: OutcomeKind | None = None
    reason: str = ""
    wait_s: float = 0.0
