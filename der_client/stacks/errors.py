"""All errors, under one root: every error names the offending value and says what to do.

The tree::

    DerClientError
    ├── InvalidValueError (ValueError)      an invalid value; nothing was signed
    │   ├── EncodeError                     a Python or Clarity value that does not fit the Clarity type
    │   ├── DecodeError                     bytes that are not a valid encoding; carries the offset
    │   ├── LiteralError                    text that is not a Clarity literal; carries the offset
    │   ├── SourceError                     source of a contract that cannot be read; carries line and column
    │   ├── AddressError                    text that is not a valid address, or one of another network
    │   ├── JobConflictError                a job's key is in the journal with other content
    │   ├── NonceConflictError              another transaction has this nonce; carries the nonce
    │   └── KeyFormatError                  a key, mnemonic or path that cannot be used (never shows it)
    ├── SigningError                        a transaction that cannot be signed, or whose signature is wrong
    ├── NodeError                           the node: carries the URL
    │   ├── NodeUnreachableError            down, refused or too slow
    │   │   └── NothingSentError            no connection: nothing of the request can have arrived
    │   ├── NodeResponseError                 a response that is not what the endpoint promises
    │   ├── NotFoundError                   the node does not know what was asked for
    │   └── TransactionRejectedError        refused by the mempool: carries reason and data
    ├── TransactionFailedError              mined, without the effect that was wanted: carries the txid
    │   ├── ContractError                   the contract returned (err uN)
    │   ├── PostConditionAbortedError       a post-condition was not met; rolled back
    │   ├── RuntimeAbortedError             a runtime error in the contract
    │   └── AnalysisFailedError             a contract that did not pass the analysis was not published
    ├── TransactionDroppedError             left the mempool without being mined
    ├── ConfirmationTimeoutError            the outcome is unknown: carries the txid and the signed bytes
    │   └── BroadcastUnknownError           sent, but no response in the node's own form
    ├── JournalError                        an outbox's journal: for another network, newer, broken, full disk
    ├── CallReadError                       a read-only call that the node could not run
    ├── UnknownEventError               printed, but not an event that the contract's class declares (strict_events)
    ├── SimulationUnavailableError          only the devnet can simulate
    ├── TraceUnavailableError               only the devnet can trace
    ├── DeploymentError                     a plan that cannot be carried out as written
    └── MissingExtraError (ImportError)         a part of the library that needs an extra to be installed
"""

from __future__ import annotations

import re
import sys
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from der_client.stacks.unmet import UnmetPostCondition

_MOST_SHOWN: Final = 200
_LIBRARY: Final = __name__.partition(".")[0] + "."


def shown(value: object, write: Callable[[object], str] = repr) -> str:
    """Return any value as text for a message, shortened if it is long.

    Args:
        value: Anything.
        write: The function that makes text of it.
    """
    try:
        text = write(value)
    except (ValueError, RecursionError):  # numbers of thousands of digits; endless nesting
        return f"<{type(value).__name__}>"
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}… ({len(text)} characters)"


def counted(number: int, what: str) -> str:
    """Return a number with what it counts: "1 day", "1,200 days"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def bytes_follow(count: int, what: str) -> str:
    """Return the words for bytes behind the end of something.

    Args:
        count: How many they are, at least 1.
        what: What has ended.
    """
    return f"1 byte follows {what}" if count == 1 else f"{count} bytes follow {what}"


_SECRET: Final = re.compile(
    r"(?<![0-9a-zA-Z])(?:0x)?[0-9a-fA-F]{56,70}(?![0-9a-fA-F])"  # a private key, perhaps cut off
    r"|\bxprv[1-9A-HJ-NP-Za-km-z]{20,}"
    r"|\b[5KLc][1-9A-HJ-NP-Za-km-z]{50,51}\b"  # the same in a wallet's import format
)
_PHRASE: Final = re.compile(r"\b[a-z]{3,8}(?: [a-z]{3,8}){7,}\b")


def without_secrets(text: str) -> str:
    """Leave out what looks like a private key or a recovery phrase.

    Args:
        text: A message that repeats a value from outside.
    """
    text = _SECRET.sub(lambda match: f"({len(match[0])} characters, perhaps a private key)", text)
    return _PHRASE.sub(lambda match: _hidden(match[0]), text)


def _hidden(words: str) -> str:
    found = words.split()
    if sum(word in _phrase_words() for word in found) < len(found) - 1:  # the last one may be cut off
        return words
    return f"({len(found)} words, perhaps a recovery phrase)"


@cache
def _phrase_words() -> frozenset[str]:
    from mnemonic import Mnemonic  # noqa: PLC0415 -- only where something looks like a phrase

    return frozenset(Mnemonic("english").wordlist)


class DerClientError(Exception):
    """The root of every error that this library raises on purpose."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Make the error; under pytest, its report ends at the user's line."""
        if "_pytest" in sys.modules:
            _hide_own_frames()
        return super().__new__(cls, *args, **kwargs)

    # Exceptions are copied, and sent to other processes, by calling their class with the message alone.
    def __reduce__(self) -> tuple[Callable[..., DerClientError], tuple[Any, ...]]:
        return _restored, (type(self), self.args, self.__dict__)


def whole(write: Callable[[Any], str]) -> Callable[[Any], str]:
    """Decorate a ``__repr__``: for an object whose construction failed, it says so instead of raising another error.

    Args:
        write: The method.
    """

    @wraps(write)
    def shown_as(made: Any) -> str:
        try:
            return write(made)
        except AttributeError:
            return f"<{type(made).__name__}, whose construction failed>"

    return shown_as


def _restored(kind: type[DerClientError], arguments: tuple[Any, ...], attributes: dict[str, Any]) -> DerClientError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(attributes)
    return error


class InvalidValueError(DerClientError, ValueError):
    """An invalid value. Nothing was signed or sent.

    A value in the wrong place may be a secret: what looks like a private key or a recovery phrase is not repeated.
    """

    _names_transactions = False  # its ids look like private keys

    def __init__(self, message: str) -> None:
        super().__init__(message if self._names_transactions else without_secrets(message))


class EncodeError(InvalidValueError):
    """A value that does not fit its Clarity type; the text names its path, value and limit."""


class DecodeError(InvalidValueError):
    """Bytes that are not a valid encoding.

    Attributes:
        offset: The offset of the first wrong byte in the input.
    """

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(f"{message} (at byte {offset})")
        self.offset = offset


class LiteralError(InvalidValueError):
    """Text that is not a Clarity literal.

    Attributes:
        offset: The character at which the problem is, from 0.
    """

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(f"{message} (at character {offset})")
        self.offset = offset


class SourceError(InvalidValueError):
    """Source of a contract that cannot be read.

    Attributes:
        line: The line of the problem, from 1.
        column: The column, from 1.
    """

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class AddressError(InvalidValueError):
    """Text that is not a valid address, or an address of another network."""


class NonceConflictError(InvalidValueError):
    """Another transaction of the account, on its way or waiting in the mempool, has the nonce; nothing was sent.

    Attributes:
        nonce: The nonce.
        txid: The other transaction; empty if it is not known which it is.
    """

    _names_transactions = True

    def __init__(self, message: str, nonce: int, txid: str = "") -> None:
        super().__init__(message)
        self.nonce = nonce
        self.txid = txid


class JobConflictError(InvalidValueError):
    """A job with this key but other content is in the journal; nothing was added.

    Attributes:
        key: The key.
    """

    def __init__(self, key: str) -> None:
        super().__init__(f"job {key} is in the journal with other content; a key is for one job: use another key")
        self.key = key


class KeyFormatError(InvalidValueError):
    """A private key, public key, mnemonic or derivation path that cannot be used. The text never shows a secret."""


class SigningError(DerClientError):
    """A transaction that cannot be signed with this key, or whose signatures are not valid."""


class NodeError(DerClientError):
    """An error of the node.

    Attributes:
        url: The address that was asked.
        status: HTTP status of the response; 0 if there was none.
        retry_after_s: Seconds after which the node wants to be asked again (Retry-After); ``None`` if it did not say.
    """

    def __init__(self, message: str, url: str, *, status: int = 0, retry_after_s: float | None = None) -> None:
        super().__init__(f"{message} [{url}]")
        self.url = url
        self.status = status
        self.retry_after_s = retry_after_s


class NodeUnreachableError(NodeError):
    """No response: the node is down, refused the connection, or took longer than the timeout."""


class NothingSentError(NodeUnreachableError):
    """No connection was made, so nothing of the request can have reached the node."""


class NodeResponseError(NodeError):
    """A response that is not what the endpoint promises: wrong status, no JSON, missing or invalid fields."""


class NotFoundError(NodeError):
    """The node does not know the contract, transaction or variable that was asked for."""


class TransactionRejectedError(NodeError):
    """The node refused the transaction; it was not put into the mempool.

    Attributes:
        reason: The node's own word, e.g. ``BadNonce`` (POST /v2/transactions).
        data: The node's ``reason_data``, as parsed JSON; empty if it gave none.
        txid: The transaction's id, hex without 0x.
    """

    def __init__(self, message: str, url: str, *, reason: str, data: dict[str, Any], txid: str) -> None:
        super().__init__(message, url)
        self.reason = reason
        self.data = data
        self.txid = txid


class TransactionFailedError(DerClientError):
    """The transaction was mined (fee and nonce are spent), but did not do what was wanted.

    Attributes:
        txid: The transaction's id, hex without 0x; empty for a read-only call or a simulation.
        result: The Clarity value of the ``(err …)`` that a contract returned, or ``None`` if it returned nothing.
    """

    def __init__(self, message: str, txid: str, result: Any = None) -> None:
        super().__init__(message)
        self.txid = txid
        self.result = result


class ContractError(TransactionFailedError):
    """The contract returned ``(err uN)``; nothing was changed except fee and nonce.

    Attributes:
        contract: The contract's id, ``ADDRESS.name``.
        function: The function that was called.
        name: The contract's own name for the error, e.g. ``ERR_NOT_OWNER``; ``None`` if it declares none for the code.
        code: The number in ``(err uN)``.
        error: The member of the contract's ``IntEnum`` of errors, or ``None``.
        detail: What the chain showed about it when the error was read, such as a state; empty if nothing.
    """

    def __init__(
        self,
        message: str,
        txid: str,
        *,
        contract: str,
        function: str,
        name: str | None,
        code: int,
        error: Any = None,
        result: Any = None,
        detail: str = "",
    ) -> None:
        super().__init__(message, txid, result)
        self.detail = detail
        self.contract = contract
        self.function = function
        self.name = name
        self.code = code
        self.error = error


class PostConditionAbortedError(TransactionFailedError):
    """More or less would have moved than the post-conditions allow; everything except fee and nonce was rolled back.

    Attributes:
        sentence: The node's own sentence about the condition that was not met; empty if it gave none.
        unmet: The same as fields (`der_client.stacks.unmet.UnmetPostCondition`): the asset, its owner, the condition
            and the amount; ``None`` if the sentence could not be read.
    """

    def __init__(self, message: str, txid: str, *, sentence: str = "", unmet: UnmetPostCondition | None = None) -> None:
        super().__init__(message, txid)
        self.sentence = sentence
        self.unmet = unmet


class RuntimeAbortedError(TransactionFailedError):
    """The contract hit a runtime error; everything except fee and nonce was rolled back."""


class AnalysisFailedError(TransactionFailedError):
    """A contract did not pass the analysis, so it was not published; only fee and nonce are spent.

    Attributes:
        finding: The node's own words on what is wrong with the source.
    """

    def __init__(self, message: str, txid: str, *, finding: str = "") -> None:
        super().__init__(message, txid)
        self.finding = finding


class TransactionDroppedError(DerClientError):
    """The transaction left the mempool without being mined.

    Attributes:
        txid: The transaction's id.
        status: The API's word, e.g. ``dropped_replace_by_fee``.
    """

    def __init__(self, message: str, txid: str, status: str) -> None:
        super().__init__(message)
        self.txid = txid
        self.status = status


class ConfirmationTimeoutError(DerClientError):
    """The transaction was sent, and its outcome is not known yet. Wait again with the same txid; never build it again.

    Attributes:
        txid: The transaction's id.
        raw: The signed transaction if it was sent from here, else empty; it is safe to send these bytes again.
    """

    def __init__(self, message: str, txid: str, raw: bytes = b"") -> None:
        super().__init__(message)
        self.txid = txid
        self.raw = raw


class BroadcastUnknownError(ConfirmationTimeoutError):
    """A transaction left this machine, and it is unknown whether a node accepted it.

    Only a refusal in the node's own form, or another mined transaction with the same nonce, shows that it was not
    accepted. Look up the txid, or send the identical bytes again; keep the nonce until the outcome is known.

    Attributes:
        retry_after_s: Seconds after which the node wants to be asked again (Retry-After); ``None`` if it did not say.
    """

    def __init__(self, message: str, txid: str, raw: bytes = b"", *, retry_after_s: float | None = None) -> None:
        super().__init__(message, txid, raw)
        self.retry_after_s = retry_after_s


class JournalError(DerClientError):
    """The journal of an outbox cannot be used. Everything that was sent is in it, and nothing in it is lost.

    Attributes:
        journal: Its place, without a password.
    """

    def __init__(self, message: str, journal: str) -> None:
        super().__init__(f"the journal {journal} {message}")
        self.journal = journal


class CallReadError(DerClientError):
    """A read-only call that the node could not run.

    Attributes:
        cause: The node's own text.
    """

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(message)
        self.cause = cause


class UnexpectedResultError(DerClientError):
    """A call was mined and succeeded, but its result is not of the declared type. Do not send it again.

    Attributes:
        txid: The transaction's id, hex without 0x.
        raw_result: The result, in the consensus encoding.
    """

    def __init__(self, message: str, txid: str, raw_result: bytes) -> None:
        super().__init__(message)
        self.txid = txid
        self.raw_result = raw_result


class UnknownEventError(DerClientError):
    """A contract printed something that fits none of its declared events, although the declaration is strict.

    Attributes:
        contract: The contract's id, ``ADDRESS.name``.
        txid: The transaction's id; empty for a simulation.
        value: What was printed, a Clarity value.
        reason: Why it did not fit.
    """

    def __init__(self, message: str, *, contract: str, txid: str, value: Any, reason: str) -> None:
        super().__init__(message)
        self.contract = contract
        self.txid = txid
        self.value = value
        self.reason = reason


class SimulationUnavailableError(DerClientError):
    """The node at this URL cannot simulate; only the embedded devnet can."""


class TraceUnavailableError(DerClientError):
    """The node at this URL cannot trace transactions; only the embedded devnet can."""


class DeploymentError(DerClientError):
    """A deployment plan that cannot be carried out as written."""


class MissingExtraError(DerClientError, ImportError):
    """A part of the library needs packages that only an extra installs.

    Attributes:
        extra: The extra's name.
    """

    def __init__(self, extra: str, package: str) -> None:
        super().__init__(f"the package {package} is not installed; install it with: pip install 'der-client[{extra}]'")
        self.extra = extra


def _hide_own_frames() -> None:
    """Mark the running modules of this library, so that pytest leaves their frames out of its report."""
    frame = sys._getframe(2)  # noqa: SLF001 - only the frames from here to the user's are walked
    while frame is not None:
        names = frame.f_globals
        if not str(names.get("__name__")).startswith(_LIBRARY):
            return
        names.setdefault("__tracebackhide__", _is_of_this_library)
        frame = frame.f_back  # type: ignore[assignment]


def _is_of_this_library(raised: Any) -> bool:
    """Return whether pytest reports an error of this library; any other is a bug in it, and shows all frames."""
    return isinstance(raised.value, DerClientError)
