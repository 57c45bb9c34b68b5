"""The outcome of a call, read with its contract's declarations: the typed result, the events, the named error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from der_client.stacks.clarity import ErrValue, IntValue, UIntValue, decode, encode
from der_client.stacks.contract.declarations import ContractDeclaration
from der_client.stacks.contract.events import read_event, require_known
from der_client.stacks.errors import (
    ContractError,
    DecodeError,
    DerClientError,
    NodeResponseError,
    TransactionFailedError,
    UnexpectedResultError,
    shown,
)
from der_client.stacks.outcome import OutcomeKind
from der_client.stacks.rpc import responses as rpc

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from der_client.stacks.clarity import ClarityValue
    from der_client.stacks.contract.call import Declaration
    from der_client.stacks.contract.errors import ErrorCode
    from der_client.stacks.contract.events import Event, UnknownEvent
    from der_client.stacks.outcome import Outcome
    from der_client.stacks.rpc import Client

_OK: Final = b"\x07"
_ERR: Final = b"\x08"


def is_error(raw: bytes) -> bool:
    """Return whether an encoded result is ``(err …)``.

    Args:
        raw: The result's wire form.
    """
    return raw[:1] == _ERR


class ContractResults(ContractDeclaration):
    """The part of a bound contract that reads the outcomes of calls.

    Attributes:
        client: The node.
        contract_id: ``ADDRESS.name``.
    """

    client: Client
    contract_id: str
    _family: Mapping[str, type[ContractDeclaration]]
    """The classes of this contract and of those that it calls, by their ids."""

    def look_up(self, error: ErrorCode, arguments: Mapping[str, Any]) -> str:
        """Return details from the chain about an error of this contract, such as the state that forbids a call.

        A class overrides this to make its errors more informative; by default, there are no details.

        Args:
            error: One of the declared errors.
            arguments: The function's arguments, by the names of its parameters; empty if not known.
        """
        del error, arguments
        return ""

    def _require_result(self, declared: Declaration, outcome: Outcome) -> None:
        """Check that an outcome has a result to read, either ``(ok …)`` or ``(err …)``."""
        if outcome.kind is not OutcomeKind.CONTRACT_ERROR:
            where = f"{self.name}.{declared.name}"
            error = outcome.error(f"{where} (txid {outcome.txid})" if outcome.txid else where)
            if error is not None:
                raise error

    def _typed_events(self, events: Sequence[rpc.Event], txid: str) -> Iterator[Event | UnknownEvent]:
        for event in events:
            if isinstance(event, rpc.ContractLogEvent):
                member = self._family.get(event.contract_id)
                typed = read_event(event.raw_value, member.event_classes if member else ())
                if self.strict_events and member is not None:
                    require_known(typed, event.contract_id, txid)
                yield typed

    def _result(self, declared: Declaration, raw: bytes, txid: str, arguments: tuple[ClarityValue, ...]) -> Any:
        if is_error(raw):
            raise self._contract_error(declared, raw, txid, arguments)
        return self._decoded(declared, raw[1:] if raw[:1] == _OK else raw, txid)

    def _decoded(self, declared: Declaration, raw: bytes, txid: str = "") -> Any:
        try:
            return declared.signature.result.decode(raw)
        except DecodeError:
            wrong = f"returned {_shown_raw(raw)}, which is not of the type {declared.signature.result.type}"
            if txid:
                raise UnexpectedResultError(
                    f"{self.name}.{declared.name} was mined and succeeded (txid {txid}), but {wrong}; compare the "
                    "class with .differences(), and do not send the call again",
                    txid,
                    raw,
                ) from None
            raise NodeResponseError(
                f"{self.contract_id}.{declared.name} {wrong}; is another version of the contract deployed? Compare "
                "the class with .differences()",
                self.client.url,
            ) from None

    def _contract_error(
        self, declared: Declaration, raw: bytes, txid: str, arguments: tuple[ClarityValue, ...]
    ) -> TransactionFailedError:
        result = decode(raw)
        inner = result.value if isinstance(result, ErrValue) else result
        where = f"{self.name}.{declared.name}"
        suffix = f" (txid {txid})" if txid else ""
        if not isinstance(inner, UIntValue | IntValue):
            return TransactionFailedError(f"{where} returned {shown(result, str)}{suffix}", txid, inner)
        code = inner.value
        owner, error = self._find_error(code)
        described = f"{error.name} ({inner})" if error is not None else str(inner)
        detail = "" if error is None else self._looked_up(owner, error, declared, arguments)
        said = "; ".join(text for text in (error.reason if error else "", detail) if text)
        return ContractError(
            f"{where}: {described}{f': {said}' if said else ''}{suffix}",
            txid,
            contract=self.contract_id,
            function=declared.name,
            name=None if error is None else error.name,
            code=code,
            error=error,
            result=inner,
            detail=detail,
        )

    def _find_error(self, code: int) -> tuple[str, ErrorCode | None]:
        """Return the declared error of a code, and its contract: this one, else one that it calls."""
        members = {self.contract_id: type(self), **self._family}
        for contract_id, member in members.items():
            for error in (error for enum in member.error_codes for error in enum):
                if int(error) == code:
                    return contract_id, error
        return self.contract_id, None

    def _looked_up(
        self, contract_id: str, error: ErrorCode, declared: Declaration, arguments: tuple[ClarityValue, ...]
    ) -> str:
        """Return the details of an error from its contract; none if it cannot be read now."""
        member = self if contract_id == self.contract_id else self._member(contract_id)
        parameters = declared.signature.parameters if arguments else ()
        try:
            named = {
                name: codec.decode(encode(value)) for (_, name, codec), value in zip(parameters, arguments, strict=True)
            }
            return member.look_up(error, named)
        except DerClientError:
            return ""

    def _member(self, contract_id: str) -> ContractResults:
        """Return a contract that this one calls, to read from."""
        raise NotImplementedError


def _shown_raw(raw: bytes) -> str:
    """Return an encoded value as Clarity writes it; its bytes if they are not one."""
    try:
        return shown(decode(raw), str)
    except DecodeError:
        return shown(raw, lambda _: f"0x{raw.hex()}")
