"""The comparison can fail: a broken rule of the model, or an altered response, is detected.

The scenario is run once on the real contracts and their responses are recorded; the tests replay them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from der_client.contracts.asset_verification import DeviceKey, Role
from tests.model.index import Index
from tests.model.outcome import Done, Failed
from tests.model.recording import Exchange, Player, Recorder
from tests.model.reference import System, assets, clock, grid, market, production, settlement
from tests.model.reference.assets import Asset
from tests.model.reference.grid import Grid
from tests.model.reference.market import Market, Offer
from tests.model.reference.production import Production, Signature
from tests.model.reference.settlement import Settlement
from tests.model.scenarios import story
from tests.model.step import Action
from tests.model.twin import DisagreementError, Twin

UNCOMPARED = frozenset({"epoch", "forward_open_wh", "spot_open_wh"})
"""Fields of a response that sometimes have no meaning: see ``tests.model.expectation``."""

ALTERABLE = (Done, Failed, dict, int)


@dataclass
class Recording:
    """The scenario as it happened on the chain."""

    addresses: dict[str, str]
    start: System
    actions: list[Action]
    exchanges: list[Exchange]

    def play(self, exchanges: list[Exchange] | None = None) -> None:
        """Run the scenario on a model against the recorded responses."""
        player = Player(self.addresses, self.exchanges if exchanges is None else exchanges)
        twin = Twin(player, copy.deepcopy(self.start))
        for action in self.actions:
            twin.do(action)
        twin.compare_all()


@pytest.fixture(scope="module")
def recording(twin: Twin) -> Recording:
    recorder = Recorder(twin.chain)
    start = copy.deepcopy(twin.system)
    found = Recording(twin.chain.addresses, start, story(), recorder.exchanges)
    with twin.anchor():
        observed = Twin(recorder, copy.deepcopy(start))
        for action in found.actions:
            observed.do(action)
        observed.compare_all()
    return found


def test_the_recorded_scenario_replays_to_its_end(recording: Recording) -> None:
    recording.play()


def value(target: object, name: str, value: Any) -> Callable[[pytest.MonkeyPatch], None]:
    """Break a rule by setting a different value."""
    return lambda patch: patch.setattr(target, name, value)


def twist(target: type, name: str, twisted: Callable[..., Any]) -> Callable[[pytest.MonkeyPatch], None]:
    """Break a rule by changing what a function returns: ``twisted`` is called with the original and its arguments."""
    original = getattr(target, name)

    def put(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(target, name, lambda *args, **kwargs: twisted(original, *args, **kwargs))

    return put


def forget_locked(original: Any, self: Market, *key: int) -> Any:
    book = original(self, *key)
    return replace(book, forward_funded_wh=max(0, book.forward_funded_wh - 1))


def without_retired(original: Any, self: Market, *key: int) -> Any:
    return replace(original(self, *key), retired_wh=0)


def with_void_offers(original: Any, self: Market, *key: int) -> Any:
    offers = [offer for offer in self.offers.values() if (offer.asset_id, offer.day) == key]
    return replace(
        original(self, *key),
        forward_open_wh=sum(offer.open_wh for offer in offers if not offer.spot),
        spot_open_wh=sum(offer.open_wh for offer in offers if offer.spot),
    )


def with_present_fee(original: Any, self: Settlement, payment: Any) -> Any:
    return original(self, replace(payment, fee_bps=self.fee_bps))


def without_those_before(original: Any, self: Settlement, payment: Any) -> Any:
    return original(self, replace(payment, before_wh=0))


def with_fee_rounded_up(original: Any, self: Settlement, payment: Any) -> Any:
    shares = original(self, payment)
    if shares is None:
        return None
    more = -(-(shares.payout + shares.fee) * payment.fee_bps // 10_000) - shares.fee
    return replace(shares, fee=shares.fee + more, payout=shares.payout - more)


def keeping_the_operator(original: Any, self: assets.Assets, caller: str, asset_id: int, proposal: int) -> Any:
    operator = self.assets[asset_id].operator
    result = original(self, caller, asset_id, proposal)
    self.assets[asset_id].operator = operator
    return result


def of_any_proposal(original: Any, self: assets.Assets, caller: str, asset_id: int, proposal: int) -> Any:
    return original(self, caller, asset_id, self.assets[asset_id].proposal)


def of_any_epoch(original: Any, self: Signature, key: DeviceKey, *signed: Any) -> Any:
    asset_id, day, _, start, whs = signed
    return original(self, key, asset_id, day, self.key_epoch, start, whs)


def verifying_what_is_disputed(original: Any, self: Production, caller: str, **arguments: int) -> Any:
    self.assets.roles.add((Role.ARBITER, caller, ""))
    return original(self, caller, **arguments)


def of_the_present_key(original: Any, self: Asset, day: int) -> Any:
    return original(self, day) if day >= self.key_from_day else None


def whether_verified_or_not(_: Any, self: Grid, asset_id: int, day: int) -> Any:
    return self.feeds.get((asset_id, day))


def of_another_recorder(original: Any, self: Grid, caller: str, **reviewed: int) -> Any:
    feed = self.feeds.get((reviewed["asset_id"], reviewed["day"]))
    if feed is not None and feed.recorder == caller:
        feed.recorder = "somebody else"
    return original(self, caller, **reviewed)


def as_deliverable(_: Any, self: Grid, asset_id: int, day: int) -> Any:
    return self.deliverable_wh(asset_id, day)


def in_any_currency(
    original: Any, self: Settlement, caller: str, token: str | None, offer_id: int, *limits: int
) -> Any:
    offer = self.market.offers.get(offer_id)
    return original(self, caller, token if offer is None else offer.token, offer_id, *limits)


def without_earlier_claims(original: Any, self: Settlement, caller: str, **arguments: Any) -> Any:
    self.claims = [claim for claim in self.claims if claim.payment_id != arguments["payment_id"]]
    return original(self, caller, **arguments)


BROKEN_RULES = {
    "a meter may exceed its capacity by 11 %": lambda patch: patch.setattr(
        production, "is_plausible", lambda asset, day, mask, wh: _within(asset, day, mask, wh, 111)
    ),
    "a meter may not exceed its capacity": lambda patch: patch.setattr(
        production, "is_plausible", lambda asset, day, mask, wh: _within(asset, day, mask, wh, 100)
    ),
    "recorded for 29 days": value(production, "RECORDING_DAYS", 29),
    "recorded for 31 days": value(production, "RECORDING_DAYS", 31),
    "a key bound for 29 days after a retirement": value(assets, "RECORDING_DAYS", 29),
    "a key bound for 31 days after a retirement": value(assets, "RECORDING_DAYS", 31),
    "a window of 44 days": value(clock, "WINDOW_DAYS", 44),
    "a window of 46 days": value(clock, "WINDOW_DAYS", 46),
    "changes after 45 days": value(assets, "DAYS_BETWEEN_CHANGES", 45),
    "changes after 47 days": value(assets, "DAYS_BETWEEN_CHANGES", 47),
    "sold 365 days ahead": value(market, "MAX_FORWARD_DAYS", 365),
    "sold 367 days ahead": value(market, "MAX_FORWARD_DAYS", 367),
    "a fee of 501 points": value(settlement, "MAX_FEE_BPS", 501),
    "curtailed from anywhere": value(grid, "CONNECTED", None),
    "a cost rounded down": value(Offer, "cost", lambda self, wh: wh * self.price // 1000),
    "a fee rounded up": twist(Settlement, "shares", with_fee_rounded_up),
    "the fee of today": twist(Settlement, "shares", with_present_fee),
    "all delivered alike": twist(Settlement, "shares", without_those_before),
    "never refunded": value(Settlement, "is_refundable", lambda *_: False),
    "funded energy forgotten": twist(Market, "book", forget_locked),
    "retired energy sold": twist(Market, "book", without_retired),
    "void offers counted": twist(Market, "book", with_void_offers),
    "new capacity for old days": value(Asset, "capacity_on", lambda asset, *_: asset.capacity_w),
    "a key for old days": value(
        Asset, "key_on", lambda asset, *_: None if asset.device_key is None else (asset.device_key, asset.key_epoch)
    ),
    "a former key that is forgotten": twist(Asset, "key_on", of_the_present_key),
    "a key that anybody may claim": value(assets.Assets, "_judge_claim", lambda *_: None),
    "a plant that is registered twice": value(assets.Assets, "metadata_is_taken", lambda *_: False),
    "an open day that is rejected": value(Asset, "is_lost", lambda *_: True),
    "a feed that needs no verifier": twist(Grid, "verified_feed", whether_verified_or_not),
    "a recorder who verifies": twist(Grid, "verify_feed", of_another_recorder),
    "imports that are forgotten": twist(Grid, "retirable_wh", as_deliverable),
    "more than the export cap": value(Grid, "cap_on", lambda *_: 10**12),
    "a lower limit that is forgotten": value(Market, "_exceeds_cap", lambda *_: False),
    "a fee at once": value(settlement, "FEE_NOTICE_S", 0),
    "STX for a token": twist(Settlement, "_fund", in_any_currency),
    "claimed twice": twist(Settlement, "claim", without_earlier_claims),
    "lost money that waits": value(Grid, "is_undeliverable", lambda *_: False),
    "signatures of an old key": twist(Signature, "vouches", of_any_epoch),
    "nothing recorded once retired": value(Asset, "is_recordable", lambda asset, *_: asset.last_day is None),
    "an acceptance of any proposal": twist(assets.Assets, "accept_transfer", of_any_proposal),
    "an operator who stays": twist(assets.Assets, "accept_transfer", keeping_the_operator),
    "a verifier decides disputes": twist(Production, "verify_day", verifying_what_is_disputed),
    "offers never completed": value(market, "complete", lambda *_: None),
}


def _within(asset: Asset, day: int, mask: int, wh: int, percent: int) -> bool:
    return wh * 360_000 <= mask.bit_count() * asset.capacity_on(day) * asset.slot_seconds * percent


@pytest.mark.parametrize("rule", BROKEN_RULES)
def test_a_broken_rule_is_detected(recording: Recording, monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    BROKEN_RULES[rule](monkeypatch)
    with pytest.raises(DisagreementError):
        recording.play()


def test_an_altered_response_is_detected(recording: Recording) -> None:
    random = Random("altered")  # noqa: S311  # must be repeatable
    answered = [number for number, exchange in enumerate(recording.exchanges) if isinstance(exchange.answer, ALTERABLE)]
    for number in random.sample(answered, 150):
        answer = copy.deepcopy(recording.exchanges[number].answer)
        exchanges = list(recording.exchanges)
        exchanges[number] = Exchange(exchanges[number].question, altered(answer, random))
        try:
            recording.play(exchanges)
        except DisagreementError:
            continue
        pytest.fail(f"{exchanges[number].question}: {exchanges[number].answer} passes for {answer}")


def test_a_missing_event_is_detected(recording: Recording) -> None:
    (told,) = (exchange for exchange in recording.exchanges if exchange.question == ("events",))
    topics = [record.event.topic for record in told.answer if not record.event.topic.endswith("-deployed")]
    whole = Index(told.answer).shown()
    for topic in dict.fromkeys(topics):
        without = [record for record in told.answer if record.event.topic != topic]
        try:
            rest = Index(without).shown()
        except (AssertionError, LookupError):
            continue
        assert rest != whole, topic


def altered(answer: Any, random: Random) -> Any:
    """Return the response with one thing changed."""
    match answer:
        case Failed():
            return random.choice([Done(True), replace(answer, name="ERR_OTHER"), replace(answer, code=3)])
        case Done():
            return random.choice([Failed("ERR_OTHER", 1), replace(answer, value="other")])
        case dict():
            name = random.choice([name for name, item in answer.items() if name not in UNCOMPARED and item != []])
            return answer | {name: altered(answer[name], random)}
        case list():
            number = random.randrange(len(answer))
            return [*answer[:number], altered(answer[number], random), *answer[number + 1 :]]
        case None:
            return 0
        case bool():
            return not answer
        case int():
            return answer + 1
    return f"{answer}?"
