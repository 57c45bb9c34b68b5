"""The outbox: each job is done exactly once, whatever the network does and whichever process dies."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from der_client.devnet import Devnet
from der_client.stacks import known_nonces
from der_client.stacks.account import Account, FeePolicy
from der_client.stacks.clarity import PrincipalValue
from der_client.stacks.errors import InvalidValueError, JobConflictError
from der_client.stacks.outbox import Entry, Job, JobState, Journal, Outbox, Progress, forks, lane
from der_client.stacks.outbox import outbox as rules
from der_client.stacks.outbox.lane import Lane
from der_client.stacks.outcome import OutcomeKind
from der_client.stacks.rpc import Client
from der_client.stacks.rpc.endpoint import Endpoint, Request
from der_client.stacks.rpc.rejections import REJECTIONS, Cause
from der_client.stacks.transactions import ContractCall, ContractPublish, TokenTransfer

from . import kinds
from .proxy import FaultProxy
from .replica import API_READS, NODE_READS, Lag
from .test_nonces import POST, now, received, sent_nonces

FEE = 1_000
LONG_S = 60.0
Open = Callable[..., Outbox]


def pay(payee: str, amount: int, key: str = "", **options: Any) -> Job:
    """Return a job that pays an amount; the amount identifies it among the payments."""
    return Job(key or f"pay/{amount}", TokenTransfer(PrincipalValue(payee), amount), **{"fee_ustx": FEE, **options})


@pytest.mark.parametrize(("given", "kind"), [("journal.sqlite", "str"), (object(), "object"), ([1], "int")])
def test_an_invalid_account_is_named_in_the_error(given: Any, kind: str) -> None:
    with pytest.raises(InvalidValueError, match=rf"^accounts must be Account, got {kind}; give one or several;"):
        Outbox(given)


PAYLOAD = TokenTransfer(PrincipalValue("ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"), 1)
FEW = r"must be TokenTransfer or ContractCall or ContractPublish, got"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"fee_ustx": 1.5}, r"fee_ustx: expected a whole number, got float 1\.5"),
        ({"fee_ustx": "300"}, "fee_ustx: expected a whole number, got str '300'"),
        ({"mode": 9}, "mode must be a member of PostConditionMode, got 9"),
        ({"payload": "x"}, f"payload {FEW} str"),
        ({"payload": TokenTransfer}, f"payload {FEW} type"),
        ({"account": 5}, r"account must be str, got int; give an address, such as account\.address"),
        ({"post_conditions": 5}, "post_conditions: must be a list of post-conditions, got int"),
        ({"post_conditions": "x"}, "post_conditions: must be a list of post-conditions, got str"),
        ({"note": 5}, "note must be str, got int"),
        ({"follows": "a/b"}, r"follows: must be a list of keys, got str 'a/b'; write \('a/b',\)"),
        ({"follows": [5]}, "follows must be str, got int; give a list of keys"),
    ],
)
def test_a_job_refuses_a_value_of_the_wrong_kind(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=f"^job bad: {message}"):
        Job("bad", **{"payload": PAYLOAD, **given})


def test_lists_in_a_job_become_tuples() -> None:
    job = Job("good", PAYLOAD, post_conditions=[], follows=["a", "b"])  # type: ignore[arg-type]
    assert (job.post_conditions, job.follows) == ((), ("a", "b"))


def test_something_else_than_a_job_is_refused(begin: Open, payee: str) -> None:
    outbox = begin()
    with pytest.raises(InvalidValueError, match=r"^job must be Job, got str"):
        outbox.do("a")  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match=r"^jobs: must be a list or a stream of Job, not Job"):
        next(outbox.run(pay(payee, 1)))  # type: ignore[arg-type]


def test_a_closed_outbox_writes_nothing(begin: Open, payee: str, place: Any) -> None:
    outbox = begin(place)
    outbox.close()
    for use in (outbox.step, lambda: outbox.add(pay(payee, 1)), lambda: outbox.do(pay(payee, 1))):
        with pytest.raises(InvalidValueError, match="this outbox is closed; open a new one"):
            use()
    outbox.close()


def test_a_postponement_and_a_lease_that_is_awaited_are_in_the_log(
    begin: Open, account: Account, payee: str, caplog: pytest.LogCaptureFixture, place: Any
) -> None:
    outbox = begin(place)
    entry = outbox.do(pay(payee, 10**17), timeout_s=0.5)
    assert entry.state is JobState.QUEUED
    (words,) = [record.message for record in caplog.records if "postponed" in record.message]
    assert words.startswith(f"job {entry.key} of {account.address} is postponed by 15 s: ")
    assert "NotEnoughFunds" in words
    if place is not None:
        for _ in begin(place, lease_s=0.3).rounds(timeout_s=0.5):
            pass
        assert caplog.text.count(f"another outbox uses {account.address}; its jobs wait") == 1


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disables waits that no test needs."""
    for module, name in ((forks, "_FORK_S"), (lane, "_RESOLVE_S"), (known_nonces, "LOST_S")):
        monkeypatch.setattr(module, name, 0.0)


@pytest.fixture
def begin(account: Account, quick: None) -> Iterator[Open]:
    """A function that opens outboxes on the account through the proxy; they are closed at the end."""
    opened: list[Outbox] = []

    def begin(place: Any = None, *accounts: Account, **options: Any) -> Outbox:
        given = [Account(each._key, each.client) for each in accounts or (account,)]  # as in a new process
        opened.append(Outbox(given, place, **{"max_poll_s": 0.02, "look_s": 0.0, **options}))
        return opened[-1]

    yield begin
    for outbox in opened:
        outbox.close()


def with_cause(cause: Cause) -> list[str]:
    """Return the rejection reasons of nodes that have a cause."""
    return [reason for reason, rejection in REJECTIONS.items() if rejection.cause is cause]


def die(outbox: Outbox) -> None:
    """Stop an outbox like a killed process whose lease has ended."""
    outbox.journal.release(outbox._worker.owner)
    outbox._worker._renewed_at = float("inf")


def settle(chain: Devnet, outbox: Outbox, *jobs: Job) -> list[Progress]:
    """Run until all jobs are done, mining after each step, and return what happened."""
    happened: list[Progress] = []
    outbox.add(*jobs)
    deadline = time.monotonic() + LONG_S
    while outbox.journal.has_open():
        assert time.monotonic() < deadline, outbox.journal.entries()
        happened += outbox.step()
        chain.mine()
    return happened


def amounts(chain: Devnet, address: str) -> Counter[int]:
    """Return what an account has paid in mined transactions, according to the chain."""
    paid: Counter[int] = Counter()
    with Client(chain.url) as client:
        for height in range(1, chain.block_height + 1):
            answer = client.run(_transfers(height))
            paid.update(amount for sender, amount in answer if sender == address)
    return paid


def _transfers(height: int) -> Any:
    def read(answer: Any) -> list[tuple[str, int]]:
        return [
            (entry["sender_address"], int(entry["token_transfer"]["amount"]))
            for entry in answer.json()["results"]
            if entry["tx_type"] == "token_transfer"
        ]

    return Endpoint(Request("GET", f"/extended/v2/blocks/{height}/transactions", (("limit", "200"),)), read)


def states(outbox: Outbox) -> dict[str, JobState]:
    return {entry.key: entry.state for entry in outbox.journal.entries()}


class TestExactlyOnce:
    def test_jobs_are_done_in_order_and_reported(
        self, chain: Devnet, account: Account, payee: str, begin: Open, place: Any
    ) -> None:
        outbox = begin(place)
        jobs = [pay(payee, amount) for amount in range(1, 31)]
        happened = settle(chain, outbox, *jobs)
        assert amounts(chain, account.address) == Counter(range(1, 31))
        assert states(outbox) == {job.key: JobState.MINED for job in jobs}
        for job in jobs:
            own = [progress for progress in happened if progress.key == job.key]
            assert [progress.state for progress in own] == [JobState.SENT, JobState.MINED]
            assert own[-1].outcome is OutcomeKind.SUCCESS
        entry = outbox.find("pay/7")
        assert isinstance(entry, Entry)
        assert entry.is_success
        assert entry.fee_paid_ustx == FEE
        assert entry.job.payload == TokenTransfer(PrincipalValue(payee), 7)
        assert entry.block_height is not None
        assert [entry.key for entry in outbox.journal.entries()] == [job.key for job in jobs]

    def test_a_key_is_paid_once_and_its_content_cannot_change(
        self, chain: Devnet, account: Account, payee: str, begin: Open, place: Any
    ) -> None:
        outbox = begin(place)
        job = pay(payee, 1, "rent/july")
        assert outbox.add(job, job) == 1
        settle(chain, outbox, job)
        settle(chain, outbox, job)
        assert outbox.do(job).state is JobState.MINED
        assert amounts(chain, account.address) == Counter([1])
        with pytest.raises(JobConflictError, match="rent/july is in the journal with other content"):
            outbox.add(pay(payee, 5), pay(payee, 2, "rent/july"))
        assert outbox.find("pay/5") is None

    def test_jobs_continue_after_a_restart(
        self, chain: Devnet, account: Account, payee: str, begin: Open, lasting_place: Any
    ) -> None:
        first = begin(lasting_place)
        jobs = [pay(payee, amount) for amount in range(1, 6)]
        first.add(*jobs)
        first.step()
        die(first)
        settle(chain, begin(lasting_place), *jobs)
        assert amounts(chain, account.address) == Counter(range(1, 6))

    @pytest.mark.parametrize("moment", ["record_signed", "_post", "record_turn", "_record_mined"])
    @pytest.mark.parametrize("is_after", [False, True])
    def test_jobs_continue_after_a_crash_at_any_moment(
        self,
        chain: Devnet,
        account: Account,
        payee: str,
        begin: Open,
        lasting_place: Any,
        moment: str,
        is_after: bool,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        outbox = begin(lasting_place)
        jobs = [pay(payee, amount) for amount in range(1, 6)]
        outbox.add(*jobs)
        owner: Any = Lane if moment == "_post" else Journal
        original = getattr(owner, moment)

        def dies(self: Any, *arguments: Any, **options: Any) -> Any:
            if is_after:
                original(self, *arguments, **options)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(owner, moment, dies)
            with pytest.raises(KeyboardInterrupt):
                settle(chain, outbox)
        die(outbox)
        settle(chain, begin(lasting_place), *jobs)
        assert amounts(chain, account.address) == Counter(range(1, 6))

    def test_two_outboxes_share_a_journal(
        self, chain: Devnet, payee: str, begin: Open, lasting_place: Any, client: Client
    ) -> None:
        """They also share two accounts; each account is used by only one of the outboxes."""
        accounts = [Account(chain.accounts[name].key, client) for name in ("wallet_1", "wallet_3")]
        first, second = begin(lasting_place, *accounts), begin(lasting_place, *reversed(accounts))
        jobs = [pay(payee, amount) for amount in range(1, 41)]
        first.add(*jobs)
        second.add(*jobs)
        deadline = time.monotonic() + LONG_S
        while first.journal.has_open():
            assert time.monotonic() < deadline
            first.step()
            second.step()
            chain.mine()
        paid = amounts(chain, accounts[0].address) + amounts(chain, accounts[1].address)
        assert paid == Counter(range(1, 41))
        assert not {*first._worker.lanes} & {*second._worker.lanes}

    def test_an_outbox_whose_lease_ended_signs_nothing(
        self, chain: Devnet, account: Account, payee: str, begin: Open, lasting_place: Any
    ) -> None:
        """Its process slept for too long, and another one took over the account."""
        sleeper, other = begin(lasting_place), begin(lasting_place)
        sleeper.step()
        sleeper.add(pay(payee, 1))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(time, "time", lambda clock=time.time: clock() + 3600)
            if "postgresql" in sleeper.journal.name:
                sleeper.journal.release(sleeper._worker.owner)  # a Postgres journal uses the server's clock
            other._worker.lease()
        assert [*other._worker.lanes] == [account.address]
        sleeper.step()
        assert sent_nonces(chain, account.address) == []
        if "postgresql" not in sleeper.journal.name:
            other.journal.lease(account.address, other._worker.owner, 1e6)
        settle(chain, other)
        assert amounts(chain, account.address) == Counter([1])


class TestLanes:
    def test_at_most_25_transactions_are_in_flight(
        self, chain: Devnet, account: Account, payee: str, begin: Open
    ) -> None:
        outbox = begin()
        outbox.add(*(pay(payee, amount) for amount in range(1, 61)))
        for _ in range(3):
            outbox.step()
        assert Counter(states(outbox).values()) == {JobState.SENT: 25, JobState.QUEUED: 35}
        settle(chain, outbox)
        assert amounts(chain, account.address) == Counter(range(1, 61))

    def test_a_job_can_name_its_account(self, chain: Devnet, payee: str, begin: Open, client: Client) -> None:
        accounts = [Account(chain.accounts[name].key, client) for name in ("wallet_1", "wallet_3")]
        outbox = begin(None, *accounts)
        jobs = [pay(payee, amount, account=accounts[amount % 2].address) for amount in range(1, 9)]
        settle(chain, outbox, *jobs)
        assert amounts(chain, accounts[1].address) == Counter([1, 3, 5, 7])
        with pytest.raises(InvalidValueError, match=f"needs account {payee}"):
            outbox.add(pay(payee, 100, account=payee))

    def test_jobs_that_follow_others(
        self, chain: Devnet, account: Account, payee: str, begin: Open, place: Any
    ) -> None:
        outbox = begin(place)
        source = "(define-public (refuse) (if true (err u7) (ok true)))"
        contract_id = f"{account.address}.refuser"
        settle(
            chain,
            outbox,
            Job("publish", ContractPublish("refuser", source, 3), fee_ustx=10_000),
            Job("call", ContractCall(contract_id, "refuse"), fee_ustx=10_000, follows=("publish",)),
            pay(payee, 1, follows=("publish",)),
            pay(payee, 2, follows=("call",)),
            pay(payee, 3, follows=("pay/2",)),
        )
        heights = {entry.key: entry.block_height for entry in outbox.journal.entries()}
        assert heights["publish"] < heights["pay/1"]  # type: ignore[operator]
        call, second, third = (outbox.find(key) for key in ("call", "pay/2", "pay/3"))
        assert call is not None
        assert (call.state, call.outcome, str(call.result)) == (JobState.MINED, OutcomeKind.CONTRACT_ERROR, "(err u7)")
        for entry, cause in ((second, "call"), (third, "pay/2")):
            assert entry is not None
            assert (entry.state, entry.reason) == (JobState.GIVEN_UP, f"it follows {cause}, which failed")
        with pytest.raises(InvalidValueError, match="follows nothing, which is not in the journal"):
            outbox.add(pay(payee, 9, follows=("nothing",)))
        assert amounts(chain, account.address) == Counter([1])

    def test_a_long_stream_of_jobs_is_read_in_batches(
        self, chain: Devnet, account: Account, payee: str, begin: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rules, "_BACKLOG", 10)
        outbox = begin()
        taken = 0

        def stream() -> Iterator[Job]:
            nonlocal taken
            for amount in range(1, 61):
                taken += 1
                yield pay(payee, amount)

        most = 0
        for _ in outbox.run(stream()):
            counts = outbox.journal.counts()
            most = max(most, counts[JobState.QUEUED] + counts[JobState.SIGNED] + counts[JobState.SENT])
            chain.mine()
        assert (taken, most <= 15) == (60, True)
        assert amounts(chain, account.address) == Counter(range(1, 61))


class TestLag:
    """The two ways in which payments get lost or are made twice without a journal."""

    def test_six_payments_after_restarts_behind_a_lagging_replica(
        self, chain: Devnet, proxy: FaultProxy, account: Account, payee: str, begin: Open, lasting_place: Any
    ) -> None:
        proxy.lag = Lag(since=now())
        for number in range(1, 7):
            outbox = begin(lasting_place)
            outbox.add(pay(payee, number, fee_ustx=FEE * number))
            for _ in range(3):
                outbox.step()
            die(outbox)
        proxy.lag = None
        settle(chain, begin(lasting_place))
        assert amounts(chain, account.address) == Counter(range(1, 7))

    def test_without_a_journal_payments_replace_each_other(
        self, chain: Devnet, proxy: FaultProxy, account: Account, payee: str
    ) -> None:
        proxy.lag = Lag(since=now())
        for number in range(1, 7):
            Account(account._key, account.client).transfer(payee, number, fee_ustx=FEE * number)
        chain.mine()
        assert amounts(chain, account.address) == Counter([6]), "what a journal is for"

    @pytest.mark.parametrize("reads", [API_READS, API_READS | NODE_READS])
    def test_a_payment_that_a_gateway_answered_is_made_once(
        self,
        chain: Devnet,
        proxy: FaultProxy,
        account: Account,
        payee: str,
        begin: Open,
        lasting_place: Any,
        reads: frozenset[str],
    ) -> None:
        before = received(chain, payee)
        proxy.lag = Lag(since=now(), reads=reads)
        proxy.on(*POST, kinds.reset_after, kinds.page(400), kinds.page(400))
        for _ in range(3):  # and the caller tries again, in a new process
            outbox = begin(lasting_place)
            outbox.add(pay(payee, 7, "rent/july"))
            for _ in range(5):
                outbox.step()
            die(outbox)
        proxy.lag = None
        settle(chain, begin(lasting_place), pay(payee, 7, "rent/july"))
        assert received(chain, payee) - before == 7
        assert amounts(chain, account.address) == Counter([7])

    def test_a_used_nonce_is_not_used_again_while_the_node_lags(
        self, chain: Devnet, proxy: FaultProxy, account: Account, payee: str, begin: Open, lasting_place: Any
    ) -> None:
        moment = now()
        first = begin(lasting_place)
        settle(chain, first, pay(payee, 1))
        die(first)
        proxy.lag = Lag(since=moment, reads=API_READS | NODE_READS)
        outbox = begin(lasting_place)
        outbox.add(pay(payee, 2))
        for _ in range(5):
            outbox.step()
        assert sent_nonces(chain, account.address) == [0, 1]
        proxy.lag = None
        settle(chain, outbox)
        assert amounts(chain, account.address) == Counter([1, 2])


class TestFaults:
    """Rejections, lost mempools, forks, and transactions of other programs."""

    def test_transactions_are_sent_again_if_the_mempool_was_lost(
        self, chain: Devnet, account: Account, payee: str, begin: Open, place: Any
    ) -> None:
        outbox = begin(place)
        snapshot = chain.snapshot()
        outbox.add(*(pay(payee, amount) for amount in range(1, 6)))
        outbox.step()
        txids = [entry.txid for entry in outbox.journal.entries()]
        chain.revert(snapshot)
        settle(chain, outbox)
        assert [entry.txid for entry in outbox.journal.entries()] == txids, "the same bytes"
        assert amounts(chain, account.address) == Counter(range(1, 6))

    def test_a_fork_is_reported_and_the_same_bytes_are_mined_again(
        self, chain: Devnet, account: Account, payee: str, begin: Open, place: Any
    ) -> None:
        outbox = begin(place)
        snapshot = chain.snapshot()
        settle(chain, outbox, *(pay(payee, amount) for amount in range(1, 4)))
        txids = [entry.txid for entry in outbox.journal.entries()]
        chain.revert(snapshot)
        chain.mine()
        happened = outbox.step()
        assert [progress.reason for progress in happened] == ["a fork took its block away"] * 3
        assert {*states(outbox).values()} == {JobState.SENT}
        settle(chain, outbox, pay(payee, 4))
        assert [entry.txid for entry in outbox.journal.entries()][:3] == txids
        assert amounts(chain, account.address) == Counter(range(1, 5))

    def test_a_fork_while_no_outbox_was_running(
        self, chain: Devnet, account: Account, payee: str, begin: Open, lasting_place: Any
    ) -> None:
        first = begin(lasting_place)
        snapshot = chain.snapshot()
        settle(chain, first, pay(payee, 1), pay(payee, 2))
        die(first)
        chain.revert(snapshot)
        again = begin(lasting_place)
        again.step()
        settle(chain, again)
        assert amounts(chain, account.address) == Counter([1, 2])

    def test_a_lagging_node_that_does_not_show_a_mined_transaction(
        self,
        chain: Devnet,
        proxy: FaultProxy,
        account: Account,
        payee: str,
        begin: Open,
        lasting_place: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The nonce of a mined job is not used for another one."""
        moment = now()
        first = begin(lasting_place)
        settle(chain, first, *(pay(payee, amount) for amount in (1, 2, 3)))
        die(first)
        proxy.lag = Lag(since=moment, reads=NODE_READS)
        shown = Lane.receipt
        with monkeypatch.context() as patch:
            patch.setattr(Lane, "receipt", lambda own, sent: None if sent.nonce == 1 else shown(own, sent))
            outbox = begin(lasting_place)
            outbox.add(pay(payee, 4))
            for _ in range(5):
                outbox.step()
            assert states(outbox)["pay/2"] is JobState.SENT
        proxy.lag = None
        settle(chain, outbox)
        assert amounts(chain, account.address) == Counter([1, 2, 3, 4])

    def test_a_nonce_used_by_another_program(
        self, chain: Devnet, account: Account, payee: str, begin: Open, place: Any
    ) -> None:
        """Another program with the same key replaces a payment, which is then signed again with the next nonce."""
        outbox = begin(place)
        outbox.add(pay(payee, 1), pay(payee, 2))
        outbox.step()
        other = Account(account._key, Client(chain.url))
        other.transfer(payee, 100, nonce=0, fee_ustx=9 * FEE, replaces=True)
        chain.mine()
        happened = settle(chain, outbox)
        assert any("another transaction" in progress.reason for progress in happened)
        assert amounts(chain, account.address) == Counter([1, 2, 100])

    def test_a_lagging_api_does_not_make_a_payment_count_as_replaced(
        self, chain: Devnet, proxy: FaultProxy, account: Account, payee: str, begin: Open
    ) -> None:
        outbox = begin()
        proxy.lag = Lag(since=now())  # the API shows nothing as mined, but the node's nonce goes up
        outbox.add(pay(payee, 1))
        outbox.step()
        chain.mine()
        for _ in range(5):
            outbox.step()
        assert states(outbox) == {"pay/1": JobState.SENT}
        proxy.lag = None
        settle(chain, outbox)
        assert amounts(chain, account.address) == Counter([1])

    def test_foreign_transactions_in_the_mempool(
        self, chain: Devnet, account: Account, payee: str, begin: Open
    ) -> None:
        Account(account._key, Client(chain.url)).transfer(payee, 100, fee_ustx=FEE)
        outbox = begin()
        settle(chain, outbox, pay(payee, 1), pay(payee, 2))
        assert amounts(chain, account.address) == Counter([1, 2, 100])

    def test_foreign_transactions_are_not_replaced(
        self, chain: Devnet, account: Account, payee: str, begin: Open
    ) -> None:
        """The outbox uses other nonces, although its transactions offer higher fees."""
        other = Account(account._key, Client(chain.url))
        for amount in (100, 101, 102):
            other.transfer(payee, amount, fee_ustx=FEE)
        outbox = begin()
        settle(chain, outbox, *(pay(payee, amount, fee_ustx=5 * FEE) for amount in (1, 2)))
        assert amounts(chain, account.address) == Counter([1, 2, 100, 101, 102])

    def test_transactions_of_an_earlier_run_are_finished(
        self, chain: Devnet, account: Account, payee: str, begin: Open, lasting_place: Any
    ) -> None:
        """This includes transactions that no journal knows. Jobs that the earlier run did not sign are given up."""
        other = Account(account._key, Client(chain.url))
        for amount in range(101, 105):
            other.transfer(payee, amount, fee_ustx=FEE)
        earlier = begin(lasting_place, max_in_flight=6)
        earlier.add(*(pay(payee, amount) for amount in range(1, 5)))
        earlier.step()
        die(earlier)
        outbox = begin(lasting_place)
        assert outbox.finish_earlier(timeout_s=0) == {account.address: (0, 1, 2, 3, 4, 5)}
        other_process = begin(lasting_place)
        assert other_process.finish_earlier(timeout_s=0) == {account.address: ()}
        chain.mine()
        assert outbox.finish_earlier(timeout_s=10) == {}
        assert amounts(chain, account.address) == Counter([101, 102, 103, 104, 1, 2])
        assert [*states(outbox).values()] == [JobState.MINED] * 2 + [JobState.GIVEN_UP] * 2

    def test_finish_works_in_order_until_a_job_fails(
        self, chain: Devnet, account: Account, payee: str, begin: Open
    ) -> None:
        outbox = begin()
        outbox.add(pay(payee, 1), pay(payee, 2, fee_ustx=10**9), pay(payee, 3), pay(payee, 4, follows=("pay/1",)))
        finished = outbox.finish([f"pay/{amount}" for amount in range(1, 5)], timeout_s=0.2)
        assert [(entry.key, entry.state) for entry in finished] == [
            ("pay/1", JobState.SENT),
            ("pay/2", JobState.GIVEN_UP),
            ("pay/3", JobState.SENT),
        ]
        settle(chain, outbox)
        assert amounts(chain, account.address) == Counter([1, 3])

    def test_foreign_transactions_that_the_api_does_not_show(
        self, chain: Devnet, proxy: FaultProxy, account: Account, payee: str, begin: Open
    ) -> None:
        proxy.lag = Lag(since=now())
        Account(account._key, Client(chain.url)).transfer(payee, 100, fee_ustx=FEE)
        outbox = begin()
        outbox.add(pay(payee, 1), pay(payee, 2))
        for _ in range(3):
            outbox.step()
        proxy.lag = None
        settle(chain, outbox)
        assert amounts(chain, account.address) == Counter([1, 2, 100])

    def test_a_job_that_the_node_always_rejects_is_given_up(
        self, chain: Devnet, account: Account, payee: str, begin: Open, place: Any
    ) -> None:
        outbox = begin(place)
        nobody = Job("call", ContractCall(f"{payee}.nobody", "f"), fee_ustx=FEE)
        settle(chain, outbox, pay(payee, 1), nobody, pay(payee, 2), pay(payee, 3))
        entry = outbox.find("call")
        assert entry is not None
        assert entry.state is JobState.GIVEN_UP
        assert "NoSuchContract" in entry.reason
        assert amounts(chain, account.address) == Counter([1, 2, 3])
        assert sent_nonces(chain, account.address) == [0, 1, 2], "no gap"

    @pytest.mark.parametrize("reason", with_cause(Cause.PASSING))
    def test_a_job_rejected_for_a_temporary_reason_is_sent_again(
        self,
        chain: Devnet,
        proxy: FaultProxy,
        account: Account,
        payee: str,
        begin: Open,
        monkeypatch: pytest.MonkeyPatch,
        reason: str,
    ) -> None:
        monkeypatch.setattr(lane, "_FIRST_BACKOFF_S", 0.0)
        outbox = begin()
        proxy.on(*POST, kinds.refuses(reason))
        settle(chain, outbox, pay(payee, 1), pay(payee, 2))
        assert {*states(outbox).values()} == {JobState.MINED}
        assert sent_nonces(chain, account.address) == [0, 1], "no gap"

    @pytest.mark.parametrize("reason", with_cause(Cause.BYTES))
    def test_a_job_rejected_for_its_content_is_given_up(
        self, chain: Devnet, proxy: FaultProxy, account: Account, payee: str, begin: Open, reason: str
    ) -> None:
        outbox = begin()
        proxy.on(*POST, kinds.refuses(reason))
        settle(chain, outbox, pay(payee, 1), pay(payee, 2))
        assert states(outbox) == {"pay/1": JobState.GIVEN_UP, "pay/2": JobState.MINED}
        assert sent_nonces(chain, account.address) == [0], "no gap"

    def test_a_job_that_cannot_be_built_is_given_up(
        self, chain: Devnet, account: Account, payee: str, begin: Open
    ) -> None:
        outbox = begin()
        settle(chain, outbox, pay(payee, 1), pay(payee, 2, fee_ustx=10**9), pay(payee, 3))
        entry = outbox.find("pay/2")
        assert entry is not None
        assert (entry.state, "above the cap" in entry.reason) == (JobState.GIVEN_UP, True)
        assert amounts(chain, account.address) == Counter([1, 3])

    def test_a_job_that_was_given_up_can_be_retried(
        self, chain: Devnet, account: Account, begin: Open, place: Any
    ) -> None:
        outbox = begin(place)
        contract_id = f"{account.address}.late"
        settle(chain, outbox, Job("call", ContractCall(contract_id, "f"), fee_ustx=10_000))
        source = "(define-public (f) (ok true))"
        settle(chain, outbox, Job("publish", ContractPublish("late", source, 3), fee_ustx=10_000))
        assert outbox.journal.retry("call")
        settle(chain, outbox)
        assert {*states(outbox).values()} == {JobState.MINED}
        assert not outbox.journal.retry("call"), "it is done"

    def test_a_job_that_is_not_signed_can_be_cancelled(
        self, chain: Devnet, account: Account, payee: str, begin: Open, place: Any
    ) -> None:
        outbox = begin(place)
        outbox.add(pay(payee, 1), pay(payee, 2, follows=("pay/1",)))
        outbox.step()
        assert not outbox.journal.cancel("pay/1")
        assert outbox.journal.cancel("pay/2")
        settle(chain, outbox)
        assert states(outbox) == {"pay/1": JobState.MINED, "pay/2": JobState.GIVEN_UP}
        assert amounts(chain, account.address) == Counter([1])

    def test_an_account_without_enough_money_waits(
        self, chain: Devnet, payee: str, begin: Open, client: Client
    ) -> None:
        key = chain.accounts["wallet_5"].key
        poor = Account(key, client)
        rest = client.account(poor.address).balance_ustx - 2 * FEE
        outbox = begin(None, poor)
        settle(chain, outbox, pay(payee, rest))
        outbox.add(pay(payee, 10**9, "too much"), pay(payee, 1))
        for _ in range(4):
            outbox.step()
        assert states(outbox)["too much"] is JobState.QUEUED
        entry = outbox.find("too much")
        assert entry is not None
        assert "NotEnoughFunds" in entry.reason
        assert outbox._worker.lanes[poor.address].held_until > time.monotonic()

    def test_fees_are_raised_up_to_the_cap(self, chain: Devnet, account: Account, payee: str, place: Any) -> None:
        account = Account(account._key, account.client, fee_policy=FeePolicy(max_fee_ustx=300, asks_node=False))
        outbox = Outbox(account, place, raise_fee_after_s=0.0, max_poll_s=0.02)
        try:
            outbox.add(pay(payee, 1, fee_ustx=None), pay(payee, 2, fee_ustx=None))
            fees = []
            for _ in range(4):
                outbox.step()
                entry = outbox.find("pay/1")
                assert entry is not None
                fees.append(chain_fee(chain, entry.txid))
            assert fees == [180, 225, 281, 281], "by a quarter, up to the cap"
            settle(chain, outbox)
            assert amounts(chain, account.address) == Counter([1, 2])
            first = outbox.find("pay/1")
            assert first is not None
            assert first.fee_paid_ustx == 281
        finally:
            outbox.close()

    def test_a_fee_is_not_raised_early_by_a_slow_clock(
        self, account: Account, payee: str, begin: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A journal on a server uses the server's clock, which may differ from this process's."""
        clock = Journal.now
        monkeypatch.setattr(Journal, "now", lambda journal: clock(journal) + 3600)
        outbox = begin(raise_fee_after_s=600.0)
        outbox.add(pay(payee, 1, fee_ustx=None))
        for _ in range(3):
            outbox.step()
        assert len(outbox.journal.live(account.address)) == 1, "no replacement"

    def test_fees_by_a_custom_policy(self, chain: Devnet, account: Account, payee: str) -> None:
        class InSteps:
            """Starts at 3 µSTX per byte and doubles twice."""

            def choose(self, client: Client, payload: bytes, length_bytes: int) -> int:
                assert (client, payload[0]) == (account.client, 0)
                return 3 * length_bytes

            def replace(self, fee_ustx: int, length_bytes: int, waited_s: float) -> int | None:
                assert (length_bytes, waited_s > 0) == (180, True)
                return 2 * fee_ustx if fee_ustx < 2_000 else None

            def check(self, fee_ustx: int, length_bytes: int) -> None:
                assert fee_ustx in (3 * length_bytes, 6 * length_bytes, 12 * length_bytes)

        own = Account(account._key, account.client, fee_policy=InSteps())
        with Outbox(own, raise_fee_after_s=0.0) as outbox:
            outbox.add(pay(payee, 1, fee_ustx=None))
            for _ in range(4):
                outbox.step()
            settle(chain, outbox)
            entry = outbox.find("pay/1")
        assert entry is not None
        assert entry.fee_paid_ustx == 2_160
        info = own.transfer(payee, 2).info()
        assert info is not None
        assert info.fee_ustx == 540

    def test_an_outbox_waits_for_a_node_that_is_down(
        self, chain: Devnet, proxy: FaultProxy, account: Account, payee: str, begin: Open, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr("der_client.stacks.outbox.lane._FIRST_BACKOFF_S", 0.0)
        outbox = begin()
        outbox.step()
        outbox.add(pay(payee, 1))
        proxy.always("GET", ".*", kinds.reset_before)
        proxy.always("POST", ".*", kinds.reset_before)
        for _ in range(3):
            outbox.step()
        proxy.clear()
        settle(chain, outbox)
        assert amounts(chain, account.address) == Counter([1])

    def test_retry_after_is_obeyed(self, proxy: FaultProxy, payee: str, begin: Open) -> None:
        outbox = begin()
        outbox.step()
        outbox.add(pay(payee, 1))
        proxy.always(*POST, kinds.busy(429, "3600"))
        for _ in range(5):
            outbox.step()
        assert len(proxy.asked(*POST)) == 1


def chain_fee(chain: Devnet, txid: str) -> int:
    with Client(chain.url) as client:
        info = client.transaction(txid)
    assert info is not None
    return info.fee_ustx


def test_a_nonce_that_is_free_again_leads_to_the_same_bytes(
    chain: Devnet, account: Account, payee: str, begin: Open, place: Any
) -> None:
    """A job was rejected for a nonce conflict; once the nonce is free again, its transaction is the same as before."""
    outbox = begin(place)
    outbox.step()
    other = Account(account._key, Client(chain.url))
    snapshot = chain.snapshot()
    other.transfer(payee, 100, fee_ustx=FEE)
    (used,) = outbox._worker.lanes.values()
    used.refresh = lambda: None  # type: ignore[method-assign]
    outbox.add(pay(payee, 1))
    outbox.step()
    chain.revert(snapshot)
    used.nonces.went_back()
    settle(chain, outbox)
    assert amounts(chain, account.address) == Counter([1])


def test_other_programs_leave_less_room_in_the_mempool(
    chain: Devnet, account: Account, payee: str, begin: Open
) -> None:
    """Transactions of another program fill the mempool between two reads of the account's nonces."""
    outbox = begin()
    outbox.step()
    other = Account(account._key, Client(chain.url))
    other.transfer(payee, 100, fee_ustx=FEE)
    chain.mine()
    for amount in range(101, 121):
        other.transfer(payee, amount, fee_ustx=FEE)
    settle(chain, outbox, *(pay(payee, amount) for amount in range(1, 31)))
    assert amounts(chain, account.address) == Counter([*range(1, 31), *range(100, 121)])
