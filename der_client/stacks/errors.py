"""What can go wrong, from one root: every error names the offending value and says what to do.

The tree::

    DerClientError
    ├── InvalidValueError (ValueError)      a value that cannot be what it is given as; nothing was signed
    │   ├── EncodeError                     a Python or Clarity value that does not fit the Clarity type
    │   ├── DecodeError                     bytes that are not a valid encoding; carries the offset
    │   ├── LiteralError                    text that is not a Clarity literal; carries the offset
    │   ├── SourceError                     source of a contract that cannot be read; carries line and column
    │   ├── AddressError                    text that is not a valid address, or one of the other network
    │   ├── JobConflictError                a job's key is in the journal with another content
    │   ├── NonceConflictError              another transaction has this nonce; carries the nonce
    │   └── KeyFormatError                  a key, mnemonic or path that cannot be used (never shows it)
    ├── SigningError                        a transaction that cannot be signed so, or whose signature is wrong
    ├── NodeError                           the node: carries the URL
    │   ├── NodeUnreachableError            down, refused or too slow
    │   │   └── NothingSentError            no connection: nothing of the request can have arrived
    │   ├── NodeAnswerError                 an answer that is not what the endpoint promises
    │   ├── NotFoundError                   the node does not know the thing asked for
    │   └── TransactionRejectedError        refused by the mempool: carries reason and data
    ├── TransactionFailedError              mined, without the effect that was wanted: carries the txid
    │   ├── ContractError                   the contract answered (err uN)
    │   ├── PostConditionAbortedError       a post-condition was not met; rolled back
    │   ├── RuntimeAbortedError             a runtime error in the contract
    │   └── AnalysisFailedError             a contract that did not pass the analysis was not published
    ├── TransactionDroppedError             left the mempool without being mined
    ├── ConfirmationTimeoutError            the outcome is unknown: carries the txid and the signed bytes
    │   └── BroadcastUnknownError           sent, and nobody said in the node's own form whether it was taken
    ├── JournalError                        the journal of an outbox: of another network, newer, broken, full disk
    ├── CallReadError                       a read-only call that the node could not run
    ├── UnknownEventError               printed, and not an event that the contract's class declares (strict_events)
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
    """Return a value as a message names it: written, and cut where it gets long, whatever the value is.

    Args:
        value: Anything.
        write: What makes text of it.
    """
    try:
        text = write(value)
    except (ValueError, RecursionError):  # numbers of thousands of digits; things inside things without end
        return f"<{type(value).__name__}>"
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}… ({len(text)} characters)"


_SECRET: Final = re.compile(
    r"(?<![0-9a-zA-Z])(?:0x)?[0-9a-fA-F]{56,70}(?![0-9a-fA-F])"  # a private key, perhaps cut off
    r"|\bxprv[1-9A-HJ-NP-Za-km-z]{20,}"
    r"|\b[5KLc][1-9A-HJ-NP-Za-km-z]{50,51}\b"  # the same in a wallet's import format
)
_PHRASE: Final = re.compile(r"\b[a-z]{3,8}(?: [a-z]{3,8}){7,}\b")


def without_secrets(text: str) -> str:
    """Leave out what looks like a private key or a recovery phrase.

    Args:
        text: A message that repeats what somebody gave.
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
        """Make the error; where pytest runs, its report ends at the user's line."""
        if "_pytest" in sys.modules:
            _hide_own_frames()
        return super().__new__(cls, *args, **kwargs)

    # Exceptions are copied, and sent to other processes, by calling their class with the message alone.
    def __reduce__(self) -> tuple[Callable[..., DerClientError], tuple[Any, ...]]:
        return _restored, (type(self), self.args, self.__dict__)


def whole(write: Callable[[Any], str]) -> Callable[[Any], str]:
    """Decorate a ``__repr__``: of an object whose making failed it says so, instead of raising another error.

    Args:
        write: The method.
    """

    @wraps(write)
    def shown_as(made: Any) -> str:
        try:
            return write(made)
        except AttributeError:
            return f"<{type(made).__name__}, whose making failed>"

    return shown_as


def _restored(kind: type[DerClientError], arguments: tuple[Any, ...], attributes: dict[str, Any]) -> DerClientError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(attributes)
    return error


class InvalidValueError(DerClientError, ValueError):
    """A value that cannot be what it is given as. Nothing was signed or sent.

    A value in the wrong place may be a secret: what looks like a private key or a recovery phrase is not repeated.
    """

    _names_transactions = False  # whose ids look like private keys

    def __init__(self, message: str) -> None:
        super().__init__(message if self._names_transactions else without_secrets(message))


class EncodeError(InvalidValueError):
    """A value that does not fit the Clarity type it is meant for; the text names its path, value and limit."""


class DecodeError(InvalidValueError):
    """Bytes that are not a valid encoding.

    Attributes:
        offset: Where in the input the first wrong byte is.
    """

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(f"{message} (at byte {offset})")
        self.offset = offset


class LiteralError(InvalidValueError):
    """Text that is not a Clarity literal.

    Attributes:
        offset: Which character of the text the problem is at, from 0.
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
    """A job with this key, and another content, is in the journal; nothing was added.

    Attributes:
        key: The key.
    """

    def __init__(self, key: str) -> None:
        super().__init__(f"job {key} is in the journal with another content; a key is for one thing: use another key")
        self.key = key


class KeyFormatError(InvalidValueError):
    """A private key, public key, mnemonic or derivation path that cannot be used. The text never shows a secret."""


class SigningError(DerClientError):
    """A transaction that cannot be signed with this key, or whose signatures do not verify."""


class NodeError(DerClientError):
    """Something about the node.

    Attributes:
        url: The address that was asked.
        status: HTTP status of the answer; 0 if there was none.
        retry_after_s: Seconds after which the node wants to be asked again (Retry-After); ``None`` if it did not say.
    """

    def __init__(self, message: str, url: str, *, status: int = 0, retry_after_s: float | None = None) -> None:
        super().__init__(f"{message} [{url}]")
        self.url = url
        self.status = status
        self.retry_after_s = retry_after_s


class NodeUnreachableError(NodeError):
    """No answer: the node is down, refused the connection, or took longer than the timeout."""


class NothingSentError(NodeUnreachableError):
    """No connection was made, so nothing of the request can have reached the node."""


class NodeAnswerError(NodeError):
    """An answer that is not what the endpoint promises: wrong status, no JSON, missing or odd fields."""


class NotFoundError(NodeError):
    """The node answered that it does not know the contract, transaction or variable asked for."""


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
        result: The Clarity value of the ``(err …)`` that a contract answered, or ``None`` if it answered nothing.
    """

    def __init__(self, message: str, txid: str, result: Any = None) -> None:
        super().__init__(message)
        self.txid = txid
        self.result = result


class ContractError(TransactionFailedError):
    """The contract answered ``(err uN)``; nothing was changed but fee and nonce.

    Attributes:
        contract: The contract's id, ``ADDRESS.name``.
        function: The function that was called.
        name: The contract's own name of the error, e.g. ``ERR_NOT_OWNER``; ``None`` if it declares none for the code.
        code: The number in ``(err uN)``.
        error: The member of the contract's ``IntEnum`` of errors, or ``None``.
        detail: What the chain said of it when the error was read, such as a state; empty if nothing.
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
    """More or less would have moved than the post-conditions allow; everything but fee and nonce was rolled back.

    Attributes:
        sentence: The node's own sentence on which condition was not met; empty if it gave none.
        unmet: The same as fields (`der_client.stacks.unmet.UnmetPostCondition`): which asset, whose, which condition,
            how much; ``None`` if the sentence could not be read.
    """

    def __init__(self, message: str, txid: str, *, sentence: str = "", unmet: UnmetPostCondition | None = None) -> None:
        super().__init__(message, txid)
        self.sentence = sentence
        self.unmet = unmet


class RuntimeAbortedError(TransactionFailedError):
    """The contract hit a runtime error; everything but fee and nonce was rolled back."""


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
    """The transaction was sent, and its outcome is not known yet. Wait again with the same txid; never build it anew.

    Attributes:
        txid: The transaction's id.
        raw: The signed transaction, where it was sent from here, else empty; to send these bytes again is safe.
    """

    def __init__(self, message: str, txid: str, raw: bytes = b"") -> None:
        super().__init__(message)
        self.txid = txid
        self.raw = raw


class BroadcastUnknownError(ConfirmationTimeoutError):
    """A transaction left this machine, and whether a node took it is not known.

    Only a refusal in the node's own form, or another transaction seen mined with the same nonce, shows that it was not
    taken. Look for the txid, or send the identical bytes again; keep the nonce until one of them answers.

    Attributes:
        retry_after_s: Seconds after which the node wants to be asked again (Retry-After); ``None`` if it did not say.
    """

    def __init__(self, message: str, txid: str, raw: bytes = b"", *, retry_after_s: float | None = None) -> None:
        super().__init__(message, txid, raw)
        self.retry_after_s = retry_after_s


class JournalError(DerClientError):
    """The journal of an outbox cannot be used; nothing was sent that is not in it, and nothing in it is lost.

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


class UnknownEventError(DerClientError):
    """A contract printed something that none of its declared events fits, where the declaration says it must.

    Attributes:
        contract: The contract's id, ``ADDRESS.name``.
        txid: The transaction's id; empty for a simulation.
        value: What was printed, a Clarity value.
        reason: What did not fit.
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
    """Mark the modules of this library that are running: pytest then leaves their frames out of its report."""
    frame = sys._getframe(2)  # noqa: SLF001 - the frames from here to the user's are all there is to walk
    while frame is not None:
        names = frame.f_globals
        if not str(names.get("__name__")).startswith(_LIBRARY):
            return
        names.setdefault("__tracebackhide__", _is_of_this_library)
        frame = frame.f_back  # type: ignore[assignment]


def _is_of_this_library(raised: Any) -> bool:
    """Return whether pytest reports an error of this library; any other is a bug in it, and shows all frames."""
    return isinstance(raised.value, DerClientError)
