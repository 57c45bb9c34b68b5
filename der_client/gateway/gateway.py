"""Takes signed days from meters, and relays them until the chain has them."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from der_client.contracts.production_tracking import ProductionError
from der_client.gateway.store import MessageState
from der_client.readings.cbor import MAX_BYTES, decode_cbor, json_fields
from der_client.readings.signing import DayMessage
from der_client.recorder.candidates import SignedReadings, Target
from der_client.recorder.chain_days import ChainDays
from der_client.recorder.outcomes import RecordingStatus
from der_client.stacks.errors import CallReadError, DerClientError, NodeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.gateway.store import MessageStore, StoredMessage
    from der_client.recorder.outcomes import Recording
    from der_client.recorder.recorder import Contracts, Recorder

_LOG: Final = logging.getLogger(__name__)

MAX_MESSAGES: Final = 100
"""How many messages one delivery may have."""
_RELAYED_AT_ONCE: Final = 100
_RIGHT_SECONDS: Final = 60.0
"""How long an asset's key is cached before the chain is asked again."""
_MOST_RIGHTS: Final = 100_000
_AGAIN_S: Final = 30.0
_NOT_OVER_S: Final = 300.0
_NOT_YET: Final = frozenset({ProductionError.ERR_SLOT_NOT_OVER})
"""Refusals that pass with time."""


class RefusedError(DerClientError):
    """A delivery that is not accepted or acknowledged; sending it again unchanged is of no use."""


class UnavailableError(DerClientError):
    """A delivery that cannot be checked now; it is not acknowledged, and the meter has to send it again later."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message that the gateway has accepted: it is on disk.

    Attributes:
        id: The hash that the meter signed, in hexadecimal; it identifies the message.
        is_new: Whether it arrived for the first time.
        state: Its state so far.
    """

    id: str
    is_new: bool
    state: MessageState

    def to_json(self) -> dict[str, Any]:
        """Return it as fields of JSON."""
        return {"id": self.id, "new": self.is_new, "state": str(self.state)}


class Gateway:
    """Takes day messages, checks them, keeps them and relays them.

    Args:
        contracts: The contracts with the account that pays, e.g. ``Der.connect(url, account)``.
        recorder: A recorder with the same account, which relays.
        store: Where messages are kept.
    """

    def __init__(self, contracts: Contracts, recorder: Recorder, store: MessageStore) -> None:
        self._contracts = contracts
        self._recorder = recorder
        self._store = store
        production = contracts.production
        self._target = Target(production.contract_id, production.client.network.chain_id)
        self._checked: dict[tuple[int, bytes], float] = {}
        self._lock = Lock()

    @property
    def store(self) -> MessageStore:
        """Where messages are kept."""
        return self._store

    def take(self, data: bytes, *, source: str, is_cbor: bool | None = None) -> list[Receipt]:
        """Accept a delivery: a message, or a list of up to 100; all or none of it.

        Args:
            data: JSON or CBOR.
            source: How it arrived.
            is_cbor: Whether it is CBOR; by default, the first byte decides.

        Returns:
            One receipt for each message. When this returns, all of them are on disk.

        Raises:
            RefusedError: If it cannot be read, is for another contract, or its asset's meter did not sign it.
            UnavailableError: If the chain cannot be asked which key an asset has.
        """
        messages = self._read(data, is_cbor=is_cbor)
        for message in messages:
            self._check(message)
        added = self._store.add(messages, source)
        receipts = []
        for message, is_new in zip(messages, added, strict=True):
            stored = self._store.get(message.digest.hex())
            state = MessageState.WAITING if stored is None else stored.state
            receipts.append(Receipt(message.digest.hex(), is_new, state))
        return receipts

    def _read(self, data: bytes, *, is_cbor: bool | None) -> list[DayMessage]:
        if len(data) > MAX_BYTES * MAX_MESSAGES:
            raise RefusedError(f"the delivery has {len(data)} bytes; at most {MAX_BYTES * MAX_MESSAGES} are taken")
        if is_cbor is None:
            is_cbor = data.lstrip()[:1] not in {b"{", b"["}
        try:
            content = decode_cbor(data, max_bytes=MAX_BYTES * MAX_MESSAGES) if is_cbor else json.loads(data)
            items = content if isinstance(content, list) else [content]
            if not 1 <= len(items) <= MAX_MESSAGES:
                raise RefusedError(f"the delivery has {len(items)} messages; from 1 to {MAX_MESSAGES} are taken")
            return [DayMessage.from_fields(json_fields(item)).with_low_s() for item in items]
        except (ValueError, RecursionError) as error:
            raise RefusedError(f"the delivery cannot be read: {error}") from error

    def _check(self, message: DayMessage) -> None:
        """Check that the meter that is bound to the asset signed a message for this contract."""
        key = message.asset_id, message.digest + message.signature
        now = time.monotonic()
        with self._lock:
            if now - self._checked.get(key, -_RIGHT_SECONDS) < _RIGHT_SECONDS:
                return
        try:
            production = self._contracts.production
            chain = ChainDays(self._contracts.assets, production, [(message.asset_id, message.day)])
        except (NodeError, CallReadError) as error:
            raise UnavailableError(f"the chain cannot be asked now: {error}") from error
        refusal = SignedReadings.of(message).refusal(chain, self._target)
        if refusal is not None:
            raise RefusedError(refusal.reason)
        with self._lock:
            if len(self._checked) > _MOST_RIGHTS:
                self._checked.clear()
            self._checked[key] = now

    def relay(self) -> int:
        """Relay what is due, and store the results.

        Returns:
            How many messages were due.
        """
        due = self._store.due(_RELAYED_AT_ONCE)
        if not due:
            return 0
        try:
            report = self._recorder.relay([stored.message for stored in due])
        except (NodeError, CallReadError) as error:
            _LOG.warning("nothing was relayed, the chain cannot be read: %s", error)
            for stored in due:
                self._store.set_state(stored.id, MessageState.WAITING, str(error), again_in_s=_AGAIN_S)
            return len(due)
        for stored, recording in zip(due, report.recordings, strict=True):
            self._settle(stored, recording)
        return len(due)

    def _settle(self, stored: StoredMessage, recording: Recording) -> None:
        state, again_in_s = _state_of(recording)
        self._store.set_state(stored.id, state, recording.reason, recording.txids, again_in_s=again_in_s)
        message = stored.message
        log = _LOG.info if state in {MessageState.RECORDED, MessageState.WAITING} else _LOG.warning
        log(
            "asset %s, %s, slots from %s: %s%s",
            message.asset_id,
            message.day,
            message.start,
            state,
            f" ({recording.reason})" if recording.reason else "",
        )


def _state_of(recording: Recording) -> tuple[MessageState, float]:
    """Return the state to store, and when to try again."""
    match recording.status:
        case RecordingStatus.RECORDED | RecordingStatus.REPEATED:
            return MessageState.RECORDED, 0
        case RecordingStatus.CONFLICTING:
            return MessageState.CONFLICTING, 0
        case RecordingStatus.UNCHECKED:
            return MessageState.UNCHECKED, 0
        case RecordingStatus.REFUSED if recording.error in _NOT_YET:
            return MessageState.WAITING, _NOT_OVER_S
        case RecordingStatus.REFUSED:
            return MessageState.REFUSED, 0
        case _:
            return MessageState.WAITING, _AGAIN_S


def messages_as_json(stored: Sequence[StoredMessage]) -> list[dict[str, Any]]:
    """Return the state of messages, as fields of JSON."""
    return [
        {
            "id": each.id,
            "asset_id": each.message.asset_id,
            "day": each.message.day.isoformat(),
            "state": str(each.state),
            "reason": each.reason or None,
            "txids": list(each.txids),
        }
        for each in stored
    ]
