"""Following a contract's events: each event once, in order, and an error when the position is lost."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from der_client.contracts.settlement import PaymentFunded
from der_client.keeper import feeds
from der_client.keeper.feeds import EventFeed, LostThreadError
from der_client.stacks.clarity import UIntValue, encode
from der_client.stacks.contract.events import UnknownEvent
from der_client.stacks.rpc.responses import ContractLogEvent


class FakeContract:
    """A contract that prints numbers."""

    contract_id = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM.settlement"

    def __init__(self) -> None:
        self.logs: list[ContractLogEvent] = []
        self.client = SimpleNamespace(contract_logs=self.page, iter_contract_logs=self.newest_first)
        self.read = 0

    def prints(self, *numbers: int) -> None:
        for number in numbers:
            raw = encode(UIntValue(number))
            self.logs.append(ContractLogEvent(self.contract_id, "print", raw, f"{number:064x}", 0))

    def page(self, _contract_id: str, *, limit: int) -> Any:
        return SimpleNamespace(events=tuple(self.logs[::-1][:limit]))

    def newest_first(self, _contract_id: str, *, per_page: int) -> Any:
        assert per_page <= 100
        for log in self.logs[::-1]:
            self.read += 1
            yield log


def feed_of(contract: Any) -> EventFeed:
    return EventFeed(contract, (PaymentFunded,))


def numbers(events: list[Any]) -> list[int]:
    return [event.value.value for event in events if isinstance(event, UnknownEvent)]


def test_each_event_is_read_once_oldest_first() -> None:
    contract = FakeContract()
    contract.prints(1, 2, 3)
    feed = feed_of(contract)
    feed.skip_to_end()
    assert feed.read_new() == []
    contract.prints(4, 5, 6)
    logs = feed.read_new()
    assert feed.read_new() == logs, "reading does not move on"
    assert numbers(feed.move_on(logs)) == [4, 5, 6]
    contract.read = 0
    assert feed.read_new() == []
    assert contract.read == 1, "not further back than it has seen"


def test_the_first_events_of_a_contract_are_read() -> None:
    contract = FakeContract()
    feed = feed_of(contract)
    feed.skip_to_end()
    contract.prints(1, 2)
    assert numbers(feed.move_on(feed.read_new())) == [1, 2]


def test_a_vanished_event_is_detected() -> None:
    contract = FakeContract()
    contract.prints(1, 2)
    feed = feed_of(contract)
    feed.skip_to_end()
    contract.logs.pop()
    contract.prints(3)
    with pytest.raises(LostThreadError):
        feed.read_new()


def test_too_many_new_events_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MAX_EVENTS", 5)
    contract = FakeContract()
    contract.prints(0)
    feed = feed_of(contract)
    feed.skip_to_end()
    contract.prints(*range(1, 6))
    assert len(feed.read_new()) == 5
    contract.prints(6)
    with pytest.raises(LostThreadError):
        feed.read_new()
