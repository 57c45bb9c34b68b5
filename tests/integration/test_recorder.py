"""The recorder on the real devnet: what it records, drops, reports and refuses, and what it pays fees for."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest

from der_client import ContractError, Der, PrivateKey
from der_client.contracts.production_tracking import DayRecord, ProductionError
from der_client.readings import DayMessage, DayReadings, MeteredDay
from der_client.readings.slots import MAX_CAPACITY_W, RECORDING_DAYS, SECONDS_PER_DAY, TOLERANCE_PERCENT
from der_client.recorder import Conflict
from der_client.recorder.candidates import Admitted, OracleSum, Target
from der_client.recorder.chain_days import ChainDays
from der_client.recorder.outcomes import RecordingStatus
from der_client.recorder.recorder import Recorder
from der_client.stacks.account import FeePolicy
from der_client.stacks.errors import NodeUnreachableError, SigningError
from der_client.stacks.rpc import Client, RetryPolicy
from tests.integration.conftest import Parties, ReadyPlant, register, start_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.devnet import Devnet
    from der_client.recorder.recording_run import Admission, Entry

FULL = (1 << 96) - 1
R = RecordingStatus


@pytest.fixture
def relayer(parties: Parties) -> Recorder:
    return Recorder(parties.anyone)


@pytest.fixture
def oracle(parties: Parties) -> Recorder:
    return Recorder(parties.oracle)


@pytest.fixture
def plain(parties: Parties) -> int:
    """An asset without a meter key."""
    asset_id = register(parties, None)
    parties.registrar.assets.verify_asset(asset_id, 6000, None).send().wait()
    return asset_id


@pytest.fixture
def day(plant: ReadyPlant, devnet: Devnet) -> date:
    """A day that is over."""
    devnet.advance(to=start_of(plant.tomorrow + timedelta(days=1)))
    return plant.tomorrow


def message(parties: Parties, plant: ReadyPlant, day: date, start: int, *whs: int, key_epoch: int = 1) -> DayMessage:
    return DayMessage.sign(
        plant.meter_key,
        DayReadings(day, 900, start, whs),
        contract=parties.anyone.production.contract_id,
        asset_id=plant.asset_id,
        key_epoch=key_epoch,
        chain_id=parties.anyone.client.network.chain_id,
    )


def metered(day: date, *whs: int | None) -> MeteredDay:
    return MeteredDay(day, 900, (*whs, *[None] * (96 - len(whs))))


def nonce(der: Der) -> int:
    assert der.account is not None
    return der.client.account(der.account.address).nonce


def row(der: Der, asset_id: int, day: date) -> tuple[int, int] | None:
    found = der.production.get_day(asset_id, day)
    return None if found is None else (found.mask, found.wh)


class TestRelay:
    def test_a_message_is_recorded_and_its_repeat_dropped(
        self, parties: Parties, plant: ReadyPlant, day: date, relayer: Recorder
    ) -> None:
        signed = message(parties, plant, day, 10, 100, 200, 300)
        report = relayer.relay([signed])
        (recording,) = report.recordings
        assert (recording.status, recording.recorded_mask, recording.wh) == (R.RECORDED, 0b111 << 10, 600)
        assert recording.txids == report.txids
        assert row(parties.anyone, plant.asset_id, day) == (0b111 << 10, 600)
        info = parties.anyone.client.transaction(report.txids[0])
        assert info is not None
        assert report.fees_ustx == info.fee_ustx > 0

        before = nonce(parties.anyone)
        again = relayer.relay([signed])
        assert [(entry.status, entry.repeated_mask) for entry in again.recordings] == [(R.REPEATED, 0b111 << 10)]
        assert (again.txids, again.fees_ustx, again.problems) == ((), 0, ())
        assert nonce(parties.anyone) == before

    def test_signatures_with_low_and_high_s_are_relayed(
        self, parties: Parties, plant: ReadyPlant, day: date, relayer: Recorder
    ) -> None:
        """Some meters sign with a high s, which the contract accepts."""
        low = message(parties, plant, day, 10, 100, 200)
        order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
        other_s = (order - int.from_bytes(low.signature[32:64])).to_bytes(32)
        high = replace(low, signature=low.signature[:32] + other_s)
        parties.anyone.production.record_day(high.asset_id, high.day, high.start, high.whs, high.rs).simulate()
        report = relayer.relay([high, low])
        assert [entry.status for entry in report.recordings] == [R.RECORDED, R.REPEATED]
        assert len(report.txids) == 1

    def test_a_duplicate_in_one_call_is_paid_once(
        self, parties: Parties, plant: ReadyPlant, day: date, relayer: Recorder
    ) -> None:
        signed = message(parties, plant, day, 0, 1, 2, 3)
        report = relayer.relay([signed, message(parties, plant, day, 3, 4), signed])
        assert [entry.status for entry in report.recordings] == [R.RECORDED, R.RECORDED, R.REPEATED]
        assert len(report.txids) == 1

    def test_a_conflict_is_reported_and_not_paid_for(
        self, parties: Parties, plant: ReadyPlant, day: date, relayer: Recorder
    ) -> None:
        relayer.relay([message(parties, plant, day, 0, 100, 100)])
        before = nonce(parties.anyone)
        report = relayer.relay([message(parties, plant, day, 0, 100, 101), message(parties, plant, day, 2, 50)])
        conflicting, other = report.recordings
        assert (conflicting.status, conflicting.conflicts) == (R.CONFLICTING, (Conflict(0b11, 200, 201),))
        assert "slots 0-1: 200 Wh recorded, 201 Wh given" in conflicting.reason
        assert other.status is R.RECORDED
        assert nonce(parties.anyone) == before + 1
        assert report.problems == (conflicting,)

    def test_a_repeat_is_recognised_among_several_recordings(
        self, parties: Parties, plant: ReadyPlant, day: date, relayer: Recorder
    ) -> None:
        """The row has only the sum of both recordings; the events distinguish them."""
        first, second = message(parties, plant, day, 0, 100, 100), message(parties, plant, day, 2, 7)
        relayer.relay([first, second])
        again = relayer.relay([second, message(parties, plant, day, 0, 100, 99)])
        assert [entry.status for entry in again.recordings] == [R.REPEATED, R.CONFLICTING]

    def test_an_adjustment_is_not_a_conflict(
        self, parties: Parties, plant: ReadyPlant, day: date, relayer: Recorder
    ) -> None:
        signed = message(parties, plant, day, 0, 100, 100)
        relayer.relay([signed])
        parties.verifier.production.adjust_day(plant.asset_id, day, 200, 170).send().wait()
        assert [entry.status for entry in relayer.relay([signed]).recordings] == [R.REPEATED]
        corrected = message(parties, plant, day, 0, 100, 70)
        assert [entry.status for entry in relayer.relay([corrected]).recordings] == [R.REPEATED], (
            "what the day says now"
        )

    def test_a_part_of_a_recording_cannot_be_compared(
        self, parties: Parties, plant: ReadyPlant, day: date, relayer: Recorder
    ) -> None:
        relayer.relay([message(parties, plant, day, 0, 100, 100, 100)])
        part, overlapping = relayer.relay(
            [message(parties, plant, day, 1, 100), message(parties, plant, day, 2, 100, 5)]
        ).recordings
        assert (part.status, part.unchecked_mask) == (R.UNCHECKED, 0b10)
        assert "slots 1 of" in part.reason
        assert "known only as a sum with slots that are not given" in part.reason
        assert (overlapping.status, overlapping.error) == (R.REFUSED, ProductionError.ERR_SLOT_ALREADY_RECORDED)
        assert "let the meter sign only the missing ones" in overlapping.reason

    def test_messages_that_the_contract_would_refuse_cost_nothing(
        self, parties: Parties, plant: ReadyPlant, day: date, plain: int, relayer: Recorder
    ) -> None:
        before = nonce(parties.anyone)
        today = day + timedelta(days=1)
        good = message(parties, plant, day, 0, 100)
        cases = {
            ProductionError.ERR_ASSET_NOT_FOUND: replace(good, asset_id=99),
            ProductionError.ERR_NO_DEVICE_KEY: replace(good, asset_id=plain),
            ProductionError.ERR_SLOT_NOT_OVER: message(parties, plant, today, 0, 1, 1, 1, 1),
            ProductionError.ERR_IMPLAUSIBLE_ENERGY: message(parties, plant, day, 0, 1651),
            ProductionError.ERR_INVALID_SIGNATURE: replace(good, whs=(101,)),
        }
        report = relayer.relay(cases.values())
        assert [entry.error for entry in report.recordings] == list(cases)
        assert all(entry.status is R.REFUSED and entry.reason for entry in report.recordings)
        wrong = [
            message(parties, plant, day, 0, 100, key_epoch=2),
            replace(good, chain_id=1),
            replace(good, contract=f"{parties.anyone.deployer}.other"),
        ]
        reasons = [entry.reason for entry in relayer.relay(wrong).recordings]
        assert "key epoch 2" in reasons[0]
        assert "chain id 1," in reasons[1]
        assert ".other" in reasons[2]
        assert nonce(parties.anyone) == before

    def test_every_refusal_matches_the_contracts_error(
        self, parties: Parties, plant: ReadyPlant, day: date, plain: int, relayer: Recorder
    ) -> None:
        """The checks before sending are compared with simulated calls of the contract."""
        today = day + timedelta(days=1)
        old_day = day - timedelta(days=2)
        relayer.relay([message(parties, plant, day, 90, 1)])
        messages = [
            replace(message(parties, plant, day, 0, 100), asset_id=99),
            replace(message(parties, plant, day, 0, 100), asset_id=plain),
            message(parties, plant, old_day, 0, 1),
            message(parties, plant, today, 0, 1, 1, 1, 1),
            message(parties, plant, today + timedelta(days=1), 0, 1),
            message(parties, plant, day, 0, 2 * 1650),  # slot 90 has used 1 Wh of the limit for both slots
            message(parties, plant, day, 0, 2 * 1650 - 1),
            message(parties, plant, day, 89, 1, 1),
            message(parties, plant, day, 0, 100, key_epoch=2),
        ]
        for signed in messages:
            call = parties.anyone.production.record_day(
                signed.asset_id, signed.day, signed.start, signed.whs, signed.rs
            )
            try:
                call.simulate()
                answer = None
            except ContractError as error:
                answer = error.error
            (told,) = relayer.relay([signed]).recordings
            assert told.error == answer, told

    def test_the_recording_window_ends(
        self, parties: Parties, plant: ReadyPlant, devnet: Devnet, relayer: Recorder
    ) -> None:
        last = start_of(plant.tomorrow + timedelta(days=RECORDING_DAYS + 1))
        devnet.advance(to=last - timedelta(minutes=5))
        (in_time,) = relayer.relay([message(parties, plant, plant.tomorrow, 0, 100)]).recordings
        assert in_time.status is R.RECORDED
        devnet.advance(to=last)
        (late,) = relayer.relay([message(parties, plant, plant.tomorrow, 1, 100)]).recordings
        assert (late.status, late.error) == (R.REFUSED, ProductionError.ERR_RECORDING_CLOSED)

    def test_a_final_day_is_closed_but_repeats_are_recognised(
        self, parties: Parties, plant: ReadyPlant, day: date, relayer: Recorder
    ) -> None:
        signed = message(parties, plant, day, 0, 100)
        relayer.relay([signed])
        parties.verifier.production.verify_day(plant.asset_id, day, 1, 100).send().wait()
        same, more = relayer.relay([signed, message(parties, plant, day, 1, 100)]).recordings
        assert same.status is R.REPEATED
        assert (more.status, more.error) == (R.REFUSED, ProductionError.ERR_DAY_FINAL)

    def test_several_relayers_side_by_side(
        self, parties: Parties, plant: ReadyPlant, day: date, devnet: Devnet
    ) -> None:
        messages = [message(parties, plant, day, start, 10, 20) for start in range(0, 16, 2)]
        recorders = [
            Recorder(parties.anyone.with_account(devnet.accounts[name]))
            for name in ("wallet_2", "wallet_7", "wallet_8")
        ]
        statuses: list[RecordingStatus] = []
        begin = threading.Barrier(len(recorders))

        def relay(recorder: Recorder) -> None:
            begin.wait()
            statuses.extend(entry.status for entry in recorder.relay(messages).recordings)

        threads = [threading.Thread(target=relay, args=(recorder,)) for recorder in recorders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(statuses) == 24
        assert statuses.count(R.RECORDED) == 8
        assert statuses.count(R.REPEATED) == 16
        assert row(parties.anyone, plant.asset_id, day) == ((1 << 16) - 1, 8 * 30)

    def test_nothing_is_sent_without_funds_or_above_the_cap(
        self, parties: Parties, plant: ReadyPlant, day: date, devnet: Devnet
    ) -> None:
        messages = [message(parties, plant, day, 0, 1), message(parties, plant, day, 1, 1)]
        thrifty = Der.connect(devnet.url, devnet.accounts["wallet_7"], fee_policy=FeePolicy(max_fee_ustx=5))
        capped = Recorder(thrifty).relay(messages)
        assert [entry.status for entry in capped.recordings] == [R.NOT_RECORDED] * 2
        assert all("above the cap" in entry.reason for entry in capped.recordings)
        poor = Recorder(parties.anyone.with_account(PrivateKey.generate())).relay(messages)
        assert [entry.status for entry in poor.recordings] == [R.NOT_RECORDED] * 2
        assert all("NotEnoughFunds" in entry.reason for entry in poor.recordings)
        assert (capped.txids, poor.txids) == ((), ())


class TestSigning:
    def test_the_missing_part_is_signed_and_recorded(
        self, parties: Parties, plant: ReadyPlant, day: date, relayer: Recorder
    ) -> None:
        relayer.relay([message(parties, plant, day, 2, 30, 40)])
        readings = metered(day, 10, 20, 30, 40, 50, None, 70)
        (recording,) = relayer.sign_and_relay(plant.asset_id, [readings], plant.meter_key).recordings
        assert recording.status is R.RECORDED
        assert (recording.recorded_mask, recording.repeated_mask) == (0b1010011, 0b1100)
        assert len(recording.txids) == 1, "all runs of slots together"
        assert row(parties.anyone, plant.asset_id, day) == (0b1011111, 220)
        (again,) = relayer.sign_and_relay(plant.asset_id, [readings], plant.meter_key).recordings
        assert (again.status, again.repeated_mask, again.txids) == (R.REPEATED, 0b1011111, ())

    def test_a_conflict_stops_the_day(self, parties: Parties, plant: ReadyPlant, day: date, relayer: Recorder) -> None:
        relayer.relay([message(parties, plant, day, 0, 10)])
        (recording,) = relayer.sign_and_relay(plant.asset_id, [metered(day, 11, 20)], plant.meter_key).recordings
        assert (recording.status, recording.recorded_mask) == (R.CONFLICTING, 0)
        assert row(parties.anyone, plant.asset_id, day) == (1, 10)

    def test_another_key_is_refused(self, plant: ReadyPlant, day: date, relayer: Recorder) -> None:
        (refused,) = relayer.sign_and_relay(plant.asset_id, [metered(day, 1)], PrivateKey.generate()).recordings
        assert (refused.status, refused.error) == (R.REFUSED, ProductionError.ERR_INVALID_SIGNATURE)

    def test_readings_of_other_slots_are_refused(self, plant: ReadyPlant, day: date, relayer: Recorder) -> None:
        hourly = MeteredDay(day, 3600, (1,) * 24)
        (refused,) = relayer.sign_and_relay(plant.asset_id, [hourly], plant.meter_key).recordings
        assert (refused.status, refused.error) == (R.REFUSED, ProductionError.ERR_INVALID_SLOTS)
        assert "slots of 3600 s" in refused.reason


class TestOracle:
    def test_batches_of_many_days(self, plain: int, day: date, devnet: Devnet, oracle: Recorder) -> None:
        devnet.advance(to=start_of(day + timedelta(days=5)))
        days = [day + timedelta(days=number) for number in range(5)]
        readings = [(plain, metered(each, *range(96))) for each in days]
        report = oracle.record(readings, batch_size=2)
        assert [entry.status for entry in report.recordings] == [R.RECORDED] * 5
        assert len(report.txids) == 3
        assert report.recordings[0].txids == report.recordings[1].txids
        again = oracle.record(readings)
        assert [entry.status for entry in again.recordings] == [R.REPEATED] * 5
        assert again.txids == ()

    def test_more_items_than_fit_into_a_batch(self, parties: Parties, devnet: Devnet, oracle: Recorder) -> None:
        assets = [register(parties, None) for _ in range(7)]
        for asset_id in assets:
            parties.registrar.assets.verify_asset(asset_id, 6000, None).send().wait()
        first = parties.oracle.now().date()
        devnet.advance(to=start_of(first + timedelta(days=30)))
        items = [
            DayRecord(asset_id=asset_id, day=first + timedelta(days=number), mask=FULL, wh=number)
            for asset_id in assets
            for number in range(30)
        ]
        report = oracle.record(items)
        assert {entry.status for entry in report.recordings} == {R.RECORDED}
        assert len(report.txids) == 2
        assert row(parties.anyone, assets[-1], first + timedelta(days=29)) == (FULL, 29)

    def test_readings_of_one_day_go_into_one_item(
        self, parties: Parties, plain: int, day: date, oracle: Recorder
    ) -> None:
        sums = [DayRecord(asset_id=plain, day=day, mask=mask, wh=10) for mask in (0b1, 0b10, 0b1, 0b11, 0b110)]
        report = oracle.record(sums)
        assert [entry.status for entry in report.recordings] == [
            R.RECORDED,
            R.RECORDED,
            R.REPEATED,
            R.CONFLICTING,
            R.REFUSED,
        ]
        assert len(report.txids) == 1
        assert report.recordings[3].conflicts == (Conflict(0b11, 20, 10),)
        assert "slots 1 of" in report.recordings[4].reason
        assert row(parties.anyone, plain, day) == (0b11, 20)

    def test_separately_rounded_readings_are_recorded_separately(self, plain: int, day: date, oracle: Recorder) -> None:
        """They are then recognised as repeats if the same readings arrive together."""
        halves = [
            MeteredDay(day, 900, (1, *(None,) * 95), (3, *(None,) * 95), 2),
            MeteredDay(day, 900, (None, 1, *(None,) * 94), (None, 3, *(None,) * 94), 2),
        ]
        report = oracle.record([(plain, half) for half in halves])
        assert [entry.status for entry in report.recordings] == [R.RECORDED] * 2
        assert len(report.txids) == 2
        (again,) = oracle.record(
            [(plain, MeteredDay(day, 900, (1, 2, *(None,) * 94), (3, 3, *(None,) * 94), 2))]
        ).recordings
        assert (again.status, again.repeated_mask) == (R.REPEATED, 0b11)

    def test_the_missing_part_is_recorded(self, parties: Parties, plain: int, day: date, oracle: Recorder) -> None:
        parties.oracle.production.record_production(plain, day, 0b11, 30).send().wait()
        (recording,) = oracle.record([(plain, metered(day, 10, 20, 30))]).recordings
        assert (recording.status, recording.recorded_mask, recording.repeated_mask) == (R.RECORDED, 0b100, 0b11)
        assert row(parties.anyone, plain, day) == (0b111, 60)

    def test_a_metered_plant_is_left_to_its_meter(
        self, plant: ReadyPlant, plain: int, day: date, oracle: Recorder
    ) -> None:
        report = oracle.record([(plant.asset_id, metered(day, 1)), (plain, metered(day, 1))])
        assert [entry.status for entry in report.recordings] == [R.REFUSED, R.RECORDED]
        assert report.recordings[0].error is ProductionError.ERR_DEVICE_MUST_SIGN

    def test_an_account_that_is_not_an_oracle_pays_nothing(self, parties: Parties, plain: int, day: date) -> None:
        before = nonce(parties.anyone)
        (refused,) = Recorder(parties.anyone).record([(plain, metered(day, 1))]).recordings
        assert (refused.status, refused.error) == (R.REFUSED, ProductionError.ERR_NOT_ORACLE)
        assert nonce(parties.anyone) == before

    def test_a_failed_item_is_named_and_the_others_are_recorded(
        self, parties: Parties, plain: int, day: date, devnet: Devnet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another oracle records one of the days after the checks and before the batch."""
        devnet.advance(to=start_of(day + timedelta(days=3)))
        days = [day + timedelta(days=number) for number in range(3)]
        recorder = Recorder(parties.oracle)
        judge = recorder._judge

        def judge_slowly(entries: Sequence[Entry]) -> list[Admission]:
            admitted = judge(entries)
            monkeypatch.setattr(recorder, "_judge", judge)
            parties.oracle.production.record_production(plain, days[1], 0b1, 99).send().wait()
            return admitted

        monkeypatch.setattr(recorder, "_judge", judge_slowly)
        report = recorder.record([(plain, metered(each, 5)) for each in days])
        statuses = [entry.status for entry in report.recordings]
        failed = report.recordings[1]
        assert statuses == [R.RECORDED, R.CONFLICTING, R.RECORDED]
        assert failed.conflicts == (Conflict(0b1, 99, 5),)
        assert len(report.txids) == 1, "the contract answers for each item, so nothing goes again"
        assert report.fees_ustx > 0


def test_checks_before_sending_match_the_contracts_errors(
    parties: Parties, plain: int, plant: ReadyPlant, day: date, devnet: Devnet
) -> None:
    """Random items of an oracle are checked and simulated on days in every state."""
    devnet.advance(to=start_of(day + timedelta(days=1)) + timedelta(hours=7))
    days = [day + timedelta(days=number) for number in (-2, -1, 0, 1, 2)]
    for each, mask, wh in ((days[1], 0b1111, 4000), (days[2], 0b1 << 40, 1), (days[3], 0b11, 0)):
        parties.oracle.production.record_production(plain, each, mask, wh).send().wait()
    parties.verifier.production.verify_day(plain, days[1], 0b1111, 4000).send().wait()
    random = Random(4)  # noqa: S311 -- no secret
    target = Target(parties.oracle.production.contract_id, parties.oracle.client.network.chain_id)
    seen = set()
    for _ in range(150):
        mask = random.choice([random.getrandbits(6) + 1, 1 << random.randrange(96), FULL, 0b1111])
        wh = random.choice([0, 1, 4000, 1650 * mask.bit_count(), 1650 * mask.bit_count() + 1])
        item = DayRecord(
            asset_id=random.choice([plain, plain, plant.asset_id, 99]), day=random.choice(days), mask=mask, wh=wh
        )
        call = parties.oracle.production.record_production(item.asset_id, item.day, item.mask, item.wh)
        try:
            call.simulate()
            answer = None
        except ContractError as error:
            answer = error.error
        candidate = OracleSum.of(item)
        verdict = candidate.judge(ChainDays(parties.oracle.assets, parties.oracle.production, [candidate.key]), target)
        told = None if isinstance(verdict, Admitted) else verdict.error
        seen.add(answer)
        if isinstance(verdict, Admitted) or verdict.error is not None:
            assert told == answer, (item, verdict)
        else:
            assert answer in (ProductionError.ERR_SLOT_ALREADY_RECORDED, ProductionError.ERR_DAY_FINAL), (item, verdict)
    assert len(seen) >= 7, seen


def test_without_its_events_a_day_is_compared_as_a_whole_or_not_at_all(
    parties: Parties, plain: int, day: date, oracle: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("der_client.recorder.chain_days.MAX_EVENTS", 0)
    oracle.record([DayRecord(asset_id=plain, day=day, mask=0b1, wh=5)])
    oracle.record([DayRecord(asset_id=plain, day=day, mask=0b10, wh=6)])
    whole, part, slots = (
        oracle.record([reading]).recordings[0]
        for reading in (
            DayRecord(asset_id=plain, day=day, mask=0b11, wh=11),
            DayRecord(asset_id=plain, day=day, mask=0b1, wh=6),
            (plain, metered(day, 5)),
        )
    )
    assert (whole.status, part.status, slots.status) == (R.REPEATED, R.UNCHECKED, R.UNCHECKED)
    assert (whole.reason, part.reason) == ("", slots.reason)
    assert "slots 0 of" in part.reason
    assert "or not at all" in part.reason


def test_an_unreachable_node_is_an_error_before_anything_is_sent(
    parties: Parties, plant: ReadyPlant, day: date, devnet: Devnet
) -> None:
    dead = Client("http://127.0.0.1:1", retries=RetryPolicy(attempts=1))
    der = Der.connect(dead, devnet.accounts["wallet_7"], deployer=devnet.deployer.address)
    with pytest.raises(NodeUnreachableError):
        Recorder(der).relay([message(parties, plant, day, 0, 1)])


def test_an_account_is_needed(devnet: Devnet) -> None:
    with pytest.raises(SigningError, match="pass account="):
        Recorder(Der.connect(devnet.url))


def test_slot_and_window_constants_match_the_contracts(der: Der) -> None:
    """The constants in ``readings.slots`` must have the same values as those of the contracts."""
    for name, ours in (
        ("RECORDING_DAYS", RECORDING_DAYS),
        ("TOLERANCE_PERCENT", TOLERANCE_PERCENT),
        ("SECONDS_PER_DAY", SECONDS_PER_DAY),
    ):
        assert der.client.constant_val(der.production.contract_id, name).value == ours
    largest = der.client.constant_val(der.assets.contract_id, "MAX_CAPACITY_W")
    assert largest.value == MAX_CAPACITY_W
