"""An account on a node that rejects, forgets, lags or disconnects."""

from __future__ import annotations

import logging
import ssl
import sys
import threading
from collections.abc import Iterator
from functools import partial
from inspect import isclass
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from der_client.stacks import account as account_module
from der_client.stacks import fees, known_nonces, nonces
from der_client.stacks.account import Account, FeePolicy
from der_client.stacks.clarity import ErrValue, NoneValue, PrincipalValue, UIntValue, encode
from der_client.stacks.errors import (
    AddressError,
    ConfirmationTimeoutError,
    EncodeError,
    InvalidValueError,
    KeyFormatError,
    NodeUnreachableError,
    PostConditionAbortedError,
    RuntimeAbortedError,
    SigningError,
    TransactionDroppedError,
    TransactionFailedError,
    TransactionRejectedError,
)
from der_client.stacks.keys import PrivateKey
from der_client.stacks.network import DEVNET, MAINNET
from der_client.stacks.pending import PendingTransaction
from der_client.stacks.rpc import AsyncClient, Client
from der_client.stacks.transactions import (
    ORIGIN,
    ContractCall,
    FungibleCode,
    StxPostCondition,
    TokenTransfer,
    Transaction,
)

from .fake_node import URL, FakeNode

KEY = PrivateKey.from_hex("11" * 32 + "01")
OTHER = PrivateKey.from_hex("22" * 32 + "01").address(DEVNET)
MAINNET_ADDRESS = PrivateKey.from_hex("22" * 32 + "01").address(MAINNET)
LENGTH_OF_TRANSFER = 180


@pytest.fixture
def node() -> FakeNode:
    return FakeNode()


@pytest.fixture
def client(node: FakeNode) -> Iterator[Client]:
    with node.running() as client:
        yield client


@pytest.fixture
def account(client: Client) -> Account:
    return Account(KEY, client)


def sent(node: FakeNode) -> list[Transaction]:
    return [Transaction.decode(raw) for raw in node.posts]


def to_be_sponsored(key: PrivateKey) -> Transaction:
    return Transaction.build(
        TokenTransfer(PrincipalValue(OTHER), 1),
        public_key=key.public_key,
        network=DEVNET,
        nonce=0,
        fee=0,
        sponsored=True,
    )


class TestTransfer:
    def test_a_transfer_is_built_signed_sent_and_mined(self, node: FakeNode, account: Account) -> None:
        receipt = account.transfer(OTHER, 5_000, "lunch").wait()
        transaction = sent(node)[0]
        assert transaction.verify()
        assert transaction.payload == TokenTransfer(PrincipalValue(OTHER), 5_000, b"lunch")
        assert transaction.origin == account.address
        assert transaction.nonce == 0
        assert receipt.txid == transaction.txid
        assert receipt.fee_ustx == transaction.fee == LENGTH_OF_TRANSFER == len(node.posts[0])

    @pytest.mark.parametrize(
        ("to", "amount", "memo", "error", "words"),
        [
            (MAINNET_ADDRESS, 1, b"", AddressError, "mainnet"),
            ("nobody", 1, b"", AddressError, "nobody"),
            (OTHER, 0, b"", InvalidValueError, "amount"),
            (OTHER, -1, b"", InvalidValueError, "amount"),
            (OTHER, 1 << 64, b"", InvalidValueError, "amount"),
            (OTHER, 1, b"x" * 35, EncodeError, "34 bytes"),
            (OTHER, 1, "ü" * 18, EncodeError, "34 bytes"),
            (OTHER, 1, "\ud800", InvalidValueError, "not text in UTF-8"),
            (KEY.address(DEVNET), 1, b"", InvalidValueError, "sender|itself|oneself"),
        ],
    )
    def test_invalid_transfers_are_not_sent(
        self, node: FakeNode, account: Account, to: str, amount: int, memo: Any, error: type[Exception], words: str
    ) -> None:
        with pytest.raises(error, match=words):
            account.transfer(to, amount, memo)
        assert node.posts == []
        assert account.next_nonce() == 0

    def test_a_call_to_a_contract_of_another_network_is_rejected(self, node: FakeNode, account: Account) -> None:
        with pytest.raises(AddressError, match="mainnet"):
            account.submit(ContractCall(f"{MAINNET_ADDRESS}.x", "f"))
        assert node.posts == []


def test_a_key_as_text_is_rejected_and_not_shown(client: Client) -> None:
    with pytest.raises(KeyFormatError, match="takes a PrivateKey, not str") as caught:
        Account(KEY.to_hex(), client)  # type: ignore[arg-type]
    assert KEY.to_hex() not in str(caught.value)


class TestNetwork:
    def test_a_transaction_of_another_network_is_rejected(self, node: FakeNode, account: Account) -> None:
        other = Transaction.build(
            TokenTransfer(PrincipalValue(MAINNET_ADDRESS), 1),
            public_key=KEY.public_key,
            network=MAINNET,
            nonce=0,
            fee=180,
        )
        for use in (account.send, account.sign, account.sign_and_send):
            with pytest.raises(SigningError, match="chain id 1"):
                use(other)
        assert node.posts == []

    def test_a_transaction_of_another_account_is_rejected(self, node: FakeNode, account: Account) -> None:
        other = Account(PrivateKey.generate(), account.client)
        with pytest.raises(SigningError, match=account.address):
            other.sign_and_send(account.build(TokenTransfer(PrincipalValue(OTHER), 1)))
        assert node.posts == []

    def test_text_instead_of_a_transaction_is_rejected_and_not_shown(self, node: FakeNode, account: Account) -> None:
        secret: Any = "b" * 64
        for use in (account.send, account.sign_and_send, account.sponsor):
            with pytest.raises(InvalidValueError, match=r"^transaction must be Transaction, got str$"):
                use(secret)
        assert node.posts == []

    def test_an_unsigned_transaction_is_not_sent(self, node: FakeNode, account: Account) -> None:
        with pytest.raises(SigningError):
            account.send(account.build(TokenTransfer(PrincipalValue(OTHER), 1)))
        assert node.posts == []

    def test_a_client_with_the_wrong_network_is_rejected(self, node: FakeNode) -> None:
        with node.running():
            account = Account(KEY, Client(URL, network=MAINNET))
            with pytest.raises(InvalidValueError, match="network=mainnet"):
                account.transfer(MAINNET_ADDRESS, 1)
        assert node.posts == []


class TestSecrets:
    def test_the_key_is_never_shown(self, account: Account, caplog: Any) -> None:
        caplog.set_level(logging.DEBUG)
        assert "11111111" not in repr(account)
        pending = account.transfer(OTHER, 1)
        pending.wait()
        assert "11111111" not in caplog.text + repr(account) + repr(pending)
        assert pending.txid in caplog.text

    def test_repr_sends_no_request(self, node: FakeNode, account: Account) -> None:
        assert KEY.public_key.data.hex() in repr(account)
        assert node.asked == []


class Flat:
    """A custom fee policy that only has the methods of the protocol `Fees`, without a base class of the package."""

    def choose(self, client: Client, payload: bytes, length_bytes: int) -> int:  # noqa: ARG002
        return 4321

    def replace(self, fee_ustx: int, length_bytes: int, waited_s: float) -> int | None:  # noqa: ARG002
        return None

    def check(self, fee_ustx: int, length_bytes: int) -> None:  # noqa: ARG002
        if fee_ustx != 4321:
            raise InvalidValueError("the fee is flat")


class TestArguments:
    @pytest.mark.parametrize("given", [URL, None, AsyncClient])
    def test_a_client_is_needed(self, given: Any) -> None:
        with pytest.raises(InvalidValueError, match=r"must be Client, got .*; for a node.s URL, use Client\(url\)"):
            Account(KEY, given)

    @pytest.mark.parametrize(("given", "shown"), [(FeePolicy, "the class FeePolicy"), (5, "int")])
    def test_a_fee_policy_is_needed(self, client: Client, given: Any, shown: str) -> None:
        with pytest.raises(InvalidValueError, match=rf"fee_policy: must be an object .*, not {shown}: FeePolicy\(\)"):
            Account(KEY, client, fee_policy=given)

    def test_something_that_has_a_key_is_not_one(self, client: Client) -> None:
        with pytest.raises(KeyFormatError, match=r"takes a PrivateKey, not SimpleNamespace: use its \.key"):
            Account(SimpleNamespace(key=KEY), client)  # type: ignore[arg-type]

    def test_post_conditions_are_a_list(self, account: Account) -> None:
        condition = StxPostCondition(ORIGIN, FungibleCode.EQUAL, 1)
        with pytest.raises(InvalidValueError, match=r"^post_conditions: must be a list .*, got StxPostCondition"):
            account.submit(TokenTransfer(PrincipalValue(OTHER), 1), post_conditions=condition)  # type: ignore[arg-type]


class TestReplacing:
    def test_a_policy_that_raises_nothing_is_named(self, node: FakeNode, client: Client) -> None:
        node.mines_at_once = False
        account = Account(KEY, client, fee_policy=Flat())
        account.transfer(OTHER, 1)
        with pytest.raises(InvalidValueError, match="the fee policy offers no more than the 4321 µSTX"):
            account.transfer(OTHER, 2, nonce=0, replaces=True)

    def test_an_unknown_fee_must_be_outbid(self, node: FakeNode, client: Client, account: Account) -> None:
        node.mines_at_once = False
        account.transfer(OTHER, 1)
        with pytest.raises(InvalidValueError, match="give fee_ustx higher than the fee of the transaction to replace"):
            Account(KEY, client).transfer(OTHER, 2, nonce=0, replaces=True)
        assert len(node.posts) == 1


class TestFees:
    ESTIMATE: dict[str, Any] = {  # noqa: RUF012 - a constant of the tests
        "estimated_cost": {"read_count": 1, "read_length": 1, "runtime": 1, "write_count": 1, "write_length": 1},
        "estimations": [{"fee": 300}, {"fee": 2000}, {"fee": 9000}],
    }

    def fee(self, account: Account) -> int:
        return account.build(TokenTransfer(PrincipalValue(OTHER), 1)).fee

    def test_the_fee_is_the_middle_estimate(self, node: FakeNode, account: Account) -> None:
        node.estimate = (200, self.ESTIMATE)
        assert self.fee(account) == 2000

    def test_without_an_estimate_the_fee_follows_the_transfer_rate(self, node: FakeNode, account: Account) -> None:
        node.rate = 3
        assert self.fee(account) == 3 * LENGTH_OF_TRANSFER

    @pytest.mark.parametrize("rate", [0, "broken"])
    def test_the_fee_is_at_least_1_ustx_per_byte(self, node: FakeNode, account: Account, rate: Any) -> None:
        node.rate = rate
        assert self.fee(account) == LENGTH_OF_TRANSFER

    def test_an_invalid_estimate_is_ignored(self, node: FakeNode, account: Account) -> None:
        node.estimate = (200, {"estimations": "many"})
        assert self.fee(account) == LENGTH_OF_TRANSFER

    def test_an_estimate_above_the_cap_is_an_error(self, node: FakeNode, client: Client) -> None:
        node.estimate = (200, self.ESTIMATE)
        account = Account(KEY, client, fee_policy=FeePolicy(max_fee_ustx=1999))
        with pytest.raises(InvalidValueError, match=r"2000 µSTX, above the cap of 1999 µSTX.*FeePolicy"):
            account.transfer(OTHER, 1)
        assert node.posts == []
        assert account.next_nonce() == 0

    def test_a_given_fee_outside_the_bounds_is_rejected(self, account: Account) -> None:
        payload = TokenTransfer(PrincipalValue(OTHER), 1)
        assert account.build(payload, fee_ustx=777).fee == 777
        with pytest.raises(InvalidValueError, match="below 180 µSTX"):
            account.build(payload, fee_ustx=179)
        with pytest.raises(InvalidValueError, match="above the cap"):
            account.build(payload, fee_ustx=1_000_001)

    def test_a_policy_can_choose_fees_without_the_node(self, node: FakeNode, client: Client) -> None:
        node.rate = 50
        assert self.fee(Account(KEY, client, fee_policy=FeePolicy(asks_node=False))) == LENGTH_OF_TRANSFER
        assert not [path for path in node.asked if "fees" in path]

    def test_a_custom_fee_policy_is_used(self, node: FakeNode, client: Client) -> None:
        account = Account(KEY, client, fee_policy=Flat())
        account.transfer(OTHER, 1)
        assert [transaction.fee for transaction in sent(node)] == [4321]
        with pytest.raises(InvalidValueError, match="the fee is flat"):
            account.transfer(OTHER, 1, fee_ustx=4322)

    def test_the_accounts_module_exports_every_policy(self) -> None:
        classes = {name for name, kind in vars(fees).items() if isclass(kind) and kind.__module__ == fees.__name__}
        missing = classes - {*account_module.__all__}
        assert not missing, f"der_client/stacks/account.py does not export {sorted(missing)}"

    @pytest.mark.parametrize("cap", [0, "5", 1.5, True])
    def test_an_invalid_cap_is_rejected(self, cap: Any) -> None:
        with pytest.raises(InvalidValueError, match="max_fee_ustx"):
            FeePolicy(max_fee_ustx=cap)

    def test_a_fee_must_be_a_whole_number(self, account: Account) -> None:
        with pytest.raises(InvalidValueError, match=r"fee.*: expected a whole number, got str"):
            account.transfer(OTHER, 1, fee_ustx="500")  # type: ignore[arg-type]


class TestNonces:
    def test_nonces_are_consecutive_while_transactions_are_in_flight(self, node: FakeNode, account: Account) -> None:
        node.mines_at_once = False
        pending = [account.transfer(OTHER, 1) for _ in range(5)]
        assert [transaction.nonce for transaction in sent(node)] == [0, 1, 2, 3, 4]
        node.mine()
        for each in pending:
            each.wait(1)
        account.transfer(OTHER, 1)
        assert sent(node)[-1].nonce == 5

    def test_nonces_are_requested_only_once_while_in_flight(
        self, node: FakeNode, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(nonces, "_TRUSTED_S", 1e9)
        node.mines_at_once = False
        for _ in range(5):
            account.transfer(OTHER, 1)
        assert len([path for path in node.asked if path.startswith("/extended/v1") and path.endswith("/nonces")]) == 1

    def test_threads_get_different_nonces(
        self, node: FakeNode, account: Account, request: pytest.FixtureRequest
    ) -> None:
        request.addfinalizer(partial(sys.setswitchinterval, sys.getswitchinterval()))
        sys.setswitchinterval(1e-6)
        node.mines_at_once = False
        threads = [threading.Thread(target=lambda: account.transfer(OTHER, 1)) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(transaction.nonce for transaction in sent(node)) == list(range(16))

    def test_nonces_used_by_another_program_with_the_same_key_are_seen(self, client: Client, account: Account) -> None:
        account.transfer(OTHER, 1).wait()
        Account(KEY, client).transfer(OTHER, 2).wait()
        assert account.next_nonce() == 2

    def test_the_nonce_of_a_rejected_transaction_is_free_again(self, node: FakeNode, account: Account) -> None:
        node.refusals = [("NotEnoughFunds", {"expected": "0x01", "actual": "0x00"})]
        with pytest.raises(TransactionRejectedError):
            account.transfer(OTHER, 1)
        account.transfer(OTHER, 1)
        assert [transaction.nonce for transaction in sent(node)] == [0, 0]

    def test_a_gap_is_filled_first(self, node: FakeNode, account: Account) -> None:
        node.mines_at_once = False
        first = account.build(TokenTransfer(PrincipalValue(OTHER), 1), nonce=0)
        second = account.build(TokenTransfer(PrincipalValue(OTHER), 2), nonce=1)
        account.sign_and_send(second)
        node.refusals = [("FeeTooLow", {"expected": 2, "actual": 1})]
        with pytest.raises(TransactionRejectedError):
            account.sign_and_send(first)
        assert account.next_nonce() == 0
        account.transfer(OTHER, 3)
        account.transfer(OTHER, 4)
        assert [transaction.nonce for transaction in sent(node)] == [1, 0, 0, 2]

    @pytest.mark.parametrize(
        ("reason", "following"), [("BadNonce", 7), ("ConflictingNonceInMempool", 2), ("BadNonce without data", 2)]
    )
    def test_a_nonce_that_the_node_reports_as_used_is_not_retried(
        self, node: FakeNode, account: Account, reason: str, following: int
    ) -> None:
        node.mines_at_once = False
        account.transfer(OTHER, 1)
        data = {"expected": 7, "actual": 1, "principal": account.address}
        node.refusals = [(reason.partition(" ")[0], data if following == 7 else {})]
        with pytest.raises(TransactionRejectedError):
            account.transfer(OTHER, 2)
        assert account.next_nonce() == following

    def test_a_nonce_in_a_rejection_about_another_account_is_ignored(self, node: FakeNode, account: Account) -> None:
        node.refusals = [("BadNonce", {"expected": 7, "actual": 0, "principal": OTHER, "is_origin": True})]
        with pytest.raises(TransactionRejectedError):
            account.transfer(OTHER, 2)
        assert account.next_nonce() == 1

    def test_the_nonce_stays_reserved_if_the_outcome_is_unknown(self, node: FakeNode, account: Account) -> None:
        node.refusals = [requests.ReadTimeout("slow")] * 2
        with pytest.raises(ConfirmationTimeoutError):
            account.transfer(OTHER, 1)
        assert node.posts[0] == node.posts[1]
        assert account.next_nonce() == 1

    def test_a_lost_nonce_is_reused_once_later_transactions_wait_for_it(
        self, node: FakeNode, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        node.mines_at_once = False
        node.refusals = [requests.ReadTimeout("slow")] * 2
        with pytest.raises(ConfirmationTimeoutError) as caught:
            account.transfer(OTHER, 1)
        assert caught.value.raw == node.posts[0]
        account.transfer(OTHER, 2)
        monkeypatch.setattr(nonces, "_TRUSTED_S", 0.0)
        assert account.next_nonce() == 2  # the first transaction may still arrive
        monkeypatch.setattr(known_nonces, "LOST_S", 0.0)
        assert account.next_nonce() == 0
        account.transfer(OTHER, 3)
        assert account.next_nonce() == 2

    def test_a_gap_of_another_program_is_reported_and_filled_later(
        self, node: FakeNode, account: Account, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        other = Account(KEY, account.client)
        other.transfer(OTHER, 1).wait()
        node.mines_at_once = False
        other.submit(TokenTransfer(PrincipalValue(OTHER), 1), nonce=2)
        assert account.next_nonce() == 3
        assert f"nonce 1 of {account.address} is missing" in caplog.text
        monkeypatch.setattr(known_nonces, "LOST_S", 0.0)
        assert account.next_nonce() == 1

    def test_the_nonce_of_an_unwatched_dropped_transaction_becomes_free(
        self, node: FakeNode, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        node.mines_at_once = False
        account.transfer(OTHER, 1)
        node.dropped = dict(node.waiting)
        node.forget()
        monkeypatch.setattr(nonces, "_TRUSTED_S", 0.0)
        assert account.next_nonce() == 1
        monkeypatch.setattr(known_nonces, "LOST_S", 0.0)
        assert account.next_nonce() == 0

    def test_without_the_api_a_forgotten_nonce_stays_reserved(
        self, node: FakeNode, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        node.mines_at_once, node.has_api = False, False
        account.transfer(OTHER, 1)
        monkeypatch.setattr(nonces, "_TRUSTED_S", 0.0)
        monkeypatch.setattr(known_nonces, "LOST_S", 0.0)
        assert account.next_nonce() == 1

    def test_a_reserved_nonce_cannot_be_used_by_another_transaction(self, node: FakeNode, account: Account) -> None:
        built = account.build(TokenTransfer(PrincipalValue(OTHER), 1))
        build = account.build

        def interrupted(*arguments: Any, **options: Any) -> Transaction:
            with pytest.raises(InvalidValueError, match="nonce 0 is being used by another transaction"):
                account.sign_and_send(built)
            return build(*arguments, **options)

        account.build = interrupted  # type: ignore[method-assign]
        account.transfer(OTHER, 2)
        assert [transaction.payload.amount for transaction in sent(node)] == [2]  # type: ignore[union-attr]

    def test_the_nonce_of_a_replaced_transaction_is_not_free(self, node: FakeNode, account: Account) -> None:
        node.mines_at_once = False
        first = account.transfer(OTHER, 1)
        replacement = account.build(TokenTransfer(PrincipalValue(OTHER), 2), nonce=0, fee_ustx=500)
        node.dropped = dict(node.waiting)
        node.forget()
        account.sign_and_send(replacement, replaces=True)
        node.waiting.clear()  # like an API that lags
        with pytest.raises(TransactionDroppedError, match="another transaction has its nonce"):
            first.wait(1)
        assert account.next_nonce() == 1

    def test_the_nonce_is_free_if_nothing_was_sent(self, node: FakeNode, account: Account) -> None:
        account.next_nonce()
        node.refusals = [requests.ConnectTimeout("down")] * 2
        with pytest.raises(NodeUnreachableError):
            account.transfer(OTHER, 1)
        assert account.next_nonce() == 0

    @pytest.mark.parametrize(
        ("problem", "expected"),
        [
            (ssl.SSLCertVerificationError("self-signed certificate"), 0),
            (ssl.SSLError("bad record mac"), 1),  # the request may have arrived before the failure
        ],
    )
    def test_a_tls_error_frees_the_nonce_only_if_nothing_was_sent(
        self, node: FakeNode, account: Account, problem: ssl.SSLError, expected: int
    ) -> None:
        account.next_nonce()
        error = requests.exceptions.SSLError("wrapped")
        error.__cause__ = problem
        node.refusals = [error] * 2
        with pytest.raises(
            ConfirmationTimeoutError if expected else NodeUnreachableError, match="no secure connection"
        ):
            account.transfer(OTHER, 1)
        assert account.next_nonce() == expected

    def test_a_second_transaction_with_the_same_nonce_is_rejected(self, node: FakeNode, account: Account) -> None:
        node.mines_at_once = False
        first = account.build(TokenTransfer(PrincipalValue(OTHER), 1))
        second = account.build(TokenTransfer(PrincipalValue(OTHER), 2))
        pending = account.sign_and_send(first)
        with pytest.raises(InvalidValueError, match=f"nonce 0 is in use by transaction {pending.txid}"):
            account.sign_and_send(second)
        assert len(node.posts) == 1

    def test_a_rejected_replacement_leaves_the_first_in_flight(self, node: FakeNode, account: Account) -> None:
        node.mines_at_once = False
        node.has_api = False  # so that only the account itself knows what is in flight
        account.transfer(OTHER, 1)
        replacement = account.build(TokenTransfer(PrincipalValue(OTHER), 2), nonce=0)
        with pytest.raises(TransactionRejectedError, match="higher fee"):
            account.sign_and_send(replacement, replaces=True)
        assert account.next_nonce() == 1

    def test_the_same_transaction_may_be_sent_twice(self, node: FakeNode, account: Account) -> None:
        signed = account.sign(account.build(TokenTransfer(PrincipalValue(OTHER), 1)))
        assert account.send(signed).txid == account.send(signed).txid
        assert len(node.mined) == 1

    def test_nonces_are_found_without_the_api(self, node: FakeNode, account: Account) -> None:
        node.has_api = False
        account.transfer(OTHER, 1)
        node.mine()
        assert account.next_nonce() == 1

    def test_nonces_restart_after_a_devnet_was_rewound(self, node: FakeNode, account: Account) -> None:
        node.rewinds = 0
        account.transfer(OTHER, 1).wait()
        node.forget()
        node.rewinds = 1
        assert account.next_nonce() == 0

    def test_nonces_restart_after_a_rewind_of_unwatched_transactions(
        self, node: FakeNode, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(nonces, "_TRUSTED_S", 0.0)
        node.rewinds = 0
        account.transfer(OTHER, 1)
        node.forget()
        assert account.next_nonce() == 1  # the node may only lag
        node.rewinds = 1
        assert account.next_nonce() == 0

    def test_nonces_restart_after_this_process_rewound_the_devnet(self, node: FakeNode, account: Account) -> None:
        account.transfer(OTHER, 1)
        node.forget()
        nonces.chain_went_back("http://elsewhere")
        assert account.next_nonce() == 1
        nonces.chain_went_back(account.client.url)
        assert account.next_nonce() == 0

    @pytest.mark.parametrize("rewinds", [None, 3])
    def test_nonces_of_mined_transactions_are_not_reused_unless_requested(
        self, node: FakeNode, account: Account, rewinds: int | None
    ) -> None:
        node.rewinds = rewinds
        account.transfer(OTHER, 1).wait()
        node.forget()  # a lagging API or node looks the same
        assert account.next_nonce() == 1
        account.forget_in_flight()
        assert account.next_nonce() == 0

    def test_nonces_restart_after_unmined_transactions_were_forgotten(
        self, node: FakeNode, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        node.mines_at_once = False
        account.transfer(OTHER, 1)
        account.transfer(OTHER, 1)
        node.forget()
        assert account.next_nonce() == 2  # an API may lag
        monkeypatch.setattr(nonces, "_TRUSTED_S", 0.0)
        monkeypatch.setattr(known_nonces, "LOST_S", 0.0)
        assert account.next_nonce() == 0

    def test_nonces_restart_on_request(self, node: FakeNode, account: Account) -> None:
        node.mines_at_once = False
        account.transfer(OTHER, 1)
        node.forget()
        account.forget_in_flight()
        assert account.next_nonce() == 0


class TestSponsor:
    def test_a_sponsor_pays_the_fee_of_another_account(self, node: FakeNode, account: Account) -> None:
        origin = PrivateKey.generate()
        unsigned = to_be_sponsored(origin)
        account.sponsor(unsigned.sign(origin)).wait()
        transaction = sent(node)[0]
        assert transaction.sponsor_address == account.address
        assert transaction.fee == len(node.posts[0])

    def test_a_sponsored_transaction_without_its_sponsor_is_not_sent(self, node: FakeNode, account: Account) -> None:
        unsigned = to_be_sponsored(KEY)
        with pytest.raises(SigningError, match=r"sponsor's signature.*Account\.sponsor\(\)"):
            account.sign_and_send(unsigned)
        assert node.posts == []

    def test_a_used_nonce_of_the_origin_does_not_affect_the_sponsors(self, node: FakeNode, account: Account) -> None:
        node.mines_at_once = False
        origin = PrivateKey.generate()
        signed = to_be_sponsored(origin).sign(origin)
        node.refusals = [("BadNonce", {"expected": 1, "actual": 0, "principal": signed.origin, "is_origin": True})]
        node.on_refusal = lambda: account.submit(TokenTransfer(PrincipalValue(OTHER), 1), nonce=1)
        with pytest.raises(TransactionRejectedError):
            account.sponsor(signed)
        assert account.next_nonce() == 0

    def test_sponsoring_a_plain_transaction_is_rejected(self, account: Account) -> None:
        signed = account.sign(account.build(TokenTransfer(PrincipalValue(OTHER), 1)))
        with pytest.raises(SigningError, match="not sponsored"):
            account.sponsor(signed)
        assert account.next_nonce() == 0


class TestWaiting:
    def test_waiting_survives_a_lagging_api(self, node: FakeNode, account: Account) -> None:
        node.lag = 5
        assert account.transfer(OTHER, 1).wait(5).status == "success"

    def test_waiting_later_needs_only_the_txid(self, client: Client, account: Account) -> None:
        txid = account.transfer(OTHER, 1).txid
        assert PendingTransaction(client, f"0x{txid}").wait(1).txid == txid
        assert account.pending(txid).wait(1).txid == txid
        with pytest.raises(InvalidValueError):
            account.pending("no txid")

    @pytest.mark.parametrize(("known", "words"), [(True, "still waiting in the mempool"), (False, "does not know it")])
    def test_a_timeout_reports_whether_the_node_knows_the_transaction(
        self, node: FakeNode, account: Account, known: bool, words: str
    ) -> None:
        node.mines_at_once = False
        pending = account.transfer(OTHER, 1)
        if not known:
            node.forget()
        with pytest.raises(ConfirmationTimeoutError, match=words) as caught:
            pending.wait(0.02)
        assert caught.value.txid == pending.txid
        assert "do not build it again" in str(caught.value)

    def test_a_timeout_reports_the_last_failed_request(self, node: FakeNode, account: Account) -> None:
        pending = account.transfer(OTHER, 1)
        node.outcome = {"tx_status": "odd"}
        with pytest.raises(ConfirmationTimeoutError, match="the last request failed"):
            pending.wait(0.02)
        node.outcome = {}
        assert pending.wait(1).status == "success"

    def test_a_transaction_in_an_orphaned_block_does_not_count(self, node: FakeNode, account: Account) -> None:
        node.outcome = {"canonical": False}
        with pytest.raises(ConfirmationTimeoutError):
            account.transfer(OTHER, 1).wait(0.02)

    def test_a_dropped_transaction_is_an_error_and_frees_its_nonce(self, node: FakeNode, account: Account) -> None:
        node.mines_at_once = False
        pending = account.transfer(OTHER, 1)
        node.dropped = dict(node.waiting)
        node.forget()
        with pytest.raises(TransactionDroppedError) as caught:
            pending.wait(1)
        assert caught.value.status == "dropped_replace_by_fee"
        assert caught.value.txid == pending.txid
        assert account.next_nonce() == 0

    @pytest.mark.parametrize(
        ("outcome", "error", "words"),
        [
            ({"tx_status": "abort_by_post_condition"}, PostConditionAbortedError, "post-conditions allow"),
            ({"tx_status": "abort_by_response", "vm_error": "DivisionByZero"}, RuntimeAbortedError, "DivisionByZero"),
            (
                {"tx_status": "abort_by_response", "vm_error": "UnwrapFailure", "tx_result": ErrValue(NoneValue())},
                RuntimeAbortedError,
                "UnwrapFailure",
            ),
            # A node describes a runtime error in vm_error; without it, the contract itself returned the error.
            (
                {"tx_status": "abort_by_response", "tx_result": ErrValue(NoneValue())},
                TransactionFailedError,
                r"returned \(err none\)",
            ),
            ({"tx_status": "abort_by_response", "tx_result": ErrValue(UIntValue(101))}, TransactionFailedError, "u101"),
            (
                {
                    "tx_status": "abort_by_post_condition",
                    "vm_error": "Post-condition check failure",
                    "tx_result": ErrValue(UIntValue(102)),
                },
                TransactionFailedError,
                "u102",
            ),
            ({"tx_status": "problematic_skipped"}, TransactionFailedError, "problematic"),
        ],
    )
    def test_each_failure_raises_its_error(
        self, node: FakeNode, account: Account, outcome: dict[str, Any], error: type[TransactionFailedError], words: str
    ) -> None:
        if "tx_result" in outcome:
            outcome = {**outcome, "tx_result": {"hex": "0x" + encode(outcome["tx_result"]).hex(), "repr": ""}}
        node.outcome = outcome
        pending = account.transfer(OTHER, 1)
        with pytest.raises(error, match=words) as caught:
            pending.wait(1)
        assert type(caught.value) is error
        assert caught.value.txid == pending.txid
        assert pending.wait_any(1).status == outcome["tx_status"]
        assert account.next_nonce() == 1


def test_the_balance_is_read(account: Account) -> None:
    assert account.balance_ustx() == 255


def test_a_node_that_returns_another_txid_is_reported(node: FakeNode, account: Account) -> None:
    node.mines_at_once = False
    node.told_txid = "00" * 32
    node.lag = 1
    with pytest.raises(ConfirmationTimeoutError, match="do not use this URL"):
        account.transfer(OTHER, 1)
