"""``der balance, transfer, tx, events, read, call, console``, on the five contracts and on a third-party one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from der_client.stacks.account import Account
from der_client.stacks.rpc import Client
from der_client.stacks.transactions import ContractPublish
from tests.integration.commands import WIDTH, answer, failure, run, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from der_client import Der
    from der_client.devnet import Devnet
    from der_client.stacks.rpc.watching import LogUpdate

SOURCE = """
(define-fungible-token gold)
(define-map notes uint { to: (optional principal), text: (string-utf8 40), tags: (list 3 uint) })
(define-public (mint (amount uint)) (ft-mint? gold amount tx-sender))
(define-public (send (amount uint) (to principal)) (ft-transfer? gold amount tx-sender to))
(define-public (pay (ustx uint) (to principal)) (stx-transfer? ustx tx-sender to))
(define-public (note (id uint) (new { to: (optional principal), text: (string-utf8 40), tags: (list 3 uint) }))
  (begin (print { event: "noted", id: id, note: new }) (ok (map-set notes id new))))
(define-read-only (echo (a int) (b bool) (c (buff 4)) (d (string-ascii 9)) (e (optional uint)) (f principal))
  { a: a, b: b, c: c, d: d, e: e, f: f })
(define-public (refuse) (err u77))
(define-public (break) (ok (/ u1 u0)))
"""


@pytest.fixture(autouse=True)
def vault(devnet: Devnet, der: Der, monkeypatch: pytest.MonkeyPatch) -> str:
    """A third-party contract, in which wallet_2 has some gold."""
    monkeypatch.setenv("DER_URL", devnet.url)
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    monkeypatch.delenv("DER_KEY", raising=False)
    owner = Account(devnet.accounts["wallet_2"].key, der.client)
    owner.submit(ContractPublish("vault", SOURCE, 4)).wait()
    answer("call", "wallet_2.vault", "mint", "1000", "--key", "wallet_2", "--yes")
    return f"{owner.address}.vault"


class TestReading:
    def test_arguments_by_their_types(self, devnet: Devnet) -> None:
        address = devnet.accounts["wallet_5"].address
        arguments = ("-5", "true", "0x00ff", "free text"[:9], "none", "wallet_5")
        found = answer("read", "wallet_2.vault", "echo", *arguments)["result"]
        assert found == (f'(tuple (a -5) (b true) (c 0x00ff) (d "free text") (e none) (f {address}))')
        assert "(e (some u7))" in answer("read", "wallet_2.vault", "echo", *arguments[:4], "7", address)["result"]
        assert (
            "(e (some u7))" in answer("read", "wallet_2.vault", "echo", *arguments[:4], "(some u7)", address)["result"]
        )

    @pytest.mark.parametrize(
        ("place", "text", "said"),
        [
            (0, "x", "a: expected int, got 'x'"),
            (1, "yes", "b: expected bool, got 'yes'"),
            (2, "0xfff", "c: expected (buff 4), got '0xfff'"),
            (2, "0xffffffffff", "c: expected (buff 4), got '0xffffffffff'"),
            (3, "much too long", "d"),
            (4, "-7", "e: expected (optional uint), got '-7'"),
            (5, "nobody", "f: expected principal, got 'nobody'"),
        ],
    )
    def test_arguments_that_do_not_fit_are_rejected(self, place: int, text: str, said: str) -> None:
        arguments = ["-5", "true", "0x00ff", "text", "none", "wallet_5"]
        arguments[place] = text
        assert failure("read", "wallet_2.vault", "echo", *arguments).startswith(said)

    def test_functions_are_listed_and_checked(self, vault: str) -> None:
        assert "echo" in table("read", "wallet_2.vault")
        assert "to: principal" in table("call", "wallet_2.vault")
        assert failure("read", "wallet_2.vault", "ech") == f"{vault} has no read-only function 'ech'; it has: echo"
        assert failure("read", "wallet_2.vault", "mint", "1") == f"mint of {vault} is not read-only: use 'der call'"
        assert "not found at" in failure("read", "wallet_2.volt", "echo")
        assert "expected 6 arguments, got 1" in failure("read", "wallet_2.vault", "echo", "1")

    def test_the_five_contracts_have_short_names(self, der: Der) -> None:
        assert answer("read", "market", "get-offer-count")["result"] == "u0"
        assert answer("read", "settlement", "get-fee-bps")["contract_id"] == der.settlement.contract_id


class TestCalling:
    def test_post_conditions_come_from_the_simulation(self, devnet: Devnet) -> None:
        to = devnet.accounts["wallet_5"].address
        shown = run("call", "wallet_2.vault", "send", "300", "wallet_5", "--key", "wallet_2")
        assert shown.exit_code == 1
        assert "may move me == 300" in " ".join(shown.stderr.split())
        assert "send without asking with --yes" in shown.stderr
        done = answer("call", "wallet_2.vault", "send", "300", to, "--key", "wallet_2", "--yes")
        assert (done["status"], done["result"]) == ("success", "(ok true)")
        balances = Client(devnet.url).balances(to)
        assert list(balances.fungible_tokens.values()) == [300]

    def test_given_post_conditions_are_used(self, vault: str) -> None:
        pay = ("call", "wallet_2.vault", "pay", "5000", "wallet_5", "--key", "wallet_2", "--yes")
        assert "would not meet a post-condition" in failure(*pay, "--post-condition", "me <= 0.004STX")
        assert answer(*pay, "--post-condition", "me <= 5000uSTX")["status"] == "success"
        send = ("call", "wallet_2.vault", "send", "300", "wallet_5", "--key", "wallet_2", "--yes")
        assert "would not meet" in failure(*send, "--post-condition", f"me == 299 {vault}::gold")
        assert answer(*send, "--post-condition", f"wallet_2 == 300 {vault}::gold")["status"] == "success"
        assert "would not meet" in failure(*send, "--post-condition", "me <= 1STX")  # deny mode
        assert answer(*send, "--post-condition", "me <= 1STX", "--allow-unlisted")["status"] == "success"
        assert "--post-condition: expected WHO <= 1.5STX" in failure(*send, "--post-condition", "me")

    def test_tuples_and_lists(self) -> None:
        note = '{to: none, text: u"grün", tags: (list 1 2)}'
        done = answer("call", "wallet_2.vault", "note", "7", note, "--key", "wallet_5", "--yes")
        assert done["result"] == "(ok true)"
        said = failure("call", "wallet_2.vault", "note", "7", '{to: none, text: "x"}', "--key", "wallet_5")
        assert "lacks tags" in said

    def test_calls_that_would_fail_are_not_sent(self, devnet: Devnet) -> None:
        client, address = Client(devnet.url), devnet.accounts["wallet_5"].address
        nonce = client.account(address).nonce
        assert failure("call", "wallet_2.vault", "refuse", "--key", "wallet_5", "--yes") == (
            "vault.refuse would return (err u77); nothing was sent"
        )
        assert "would fail" in failure("call", "wallet_2.vault", "break", "--key", "wallet_5", "--yes")
        assert "ERR_OFFER_NOT_FOUND, no offer has this id" in failure(
            "call", "market", "cancel-offer", "9", "--key", "wallet_5", "--yes"
        )
        assert client.account(address).nonce == nonce

    def test_a_dry_run(self, devnet: Devnet) -> None:
        before = Client(devnet.url).block().height
        tried = answer("call", "wallet_2.vault", "pay", "5000", "wallet_5", "--key", "wallet_2", "--dry-run")
        assert tried["result"] == "(ok true)"
        assert tried["events"] == ["transfer 0.005000 STX from wallet_2 to wallet_5"]
        assert Client(devnet.url).block().height == before


class TestMoney:
    def test_a_transfer(self, devnet: Devnet) -> None:
        client, to = Client(devnet.url), devnet.accounts["wallet_5"].address
        before = client.account(to).balance_ustx
        sent = answer("transfer", "1.5STX", "wallet_5", "--key", "wallet_2", "--memo", "for tea", "--yes")
        assert client.account(to).balance_ustx == before + 1_500_000
        shown = " ".join(table("tx", sent["txid"]).split())
        assert "sends 1.500000 STX to wallet_5, memo b'for tea'" in shown
        assert "transfer 1.500000 STX from wallet_2 to wallet_5" in shown

    def test_a_transfer_needs_confirmation(self, devnet: Devnet) -> None:
        client, to = Client(devnet.url), devnet.accounts["wallet_5"].address
        before = client.account(to).balance_ustx
        result = run("transfer", "1.5STX", "wallet_5", "--key", "wallet_2")
        assert result.exit_code == 1
        assert re.search(r"amount +1\.500000 STX\n +to +wallet_5 \(", result.stderr)
        assert re.search(r"fee +0\.\d{6} STX", result.stderr)
        assert client.account(to).balance_ustx == before

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("1.5", "wallet_5"), "AMOUNT: '1.5' has no unit; expected STX or uSTX, such as 1.5STX"),
            (("5kWh", "wallet_5"), "AMOUNT: '5kWh' has the unit 'kWh'; expected STX or uSTX"),
            (("-1STX", "wallet_5"), "AMOUNT: must be more than 0, got -1STX"),
            (("0.0000001STX", "wallet_5"), "AMOUNT: 0.0000001STX is not a whole number of µSTX"),
            (("1STX", "walet_5"), "RECIPIENT: 'walet_5' is neither an address nor one of the names deployer"),
            (("1000000000STX", "wallet_5"), "wallet_2 ("),
            (
                ("1", "wallet_5", "--token", "nope"),
                "--token: contract ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM.nope not",
            ),
            (
                ("1", "wallet_5", "--token", "wallet_2.vault"),
                "--token: ST2CY5V39NHDPWSXMW9QDT3HC3GD6Q6XX4CFRK9AG.vault is",
            ),
        ],
    )
    def test_invalid_transfers_are_rejected(self, arguments: tuple[str, ...], said: str) -> None:
        assert failure("transfer", *arguments, "--key", "wallet_2").startswith(said)

    def test_balances(self, devnet: Devnet, vault: str) -> None:
        held = {each["currency"]: each for each in answer("balance", "wallet_2")["balances"]}
        address = devnet.accounts["wallet_2"].address
        assert held["STX"]["amount"] == Client(devnet.url).account(address).balance_ustx
        assert (held["vault"]["amount"], held["vault"]["token"]) == (1000, vault)
        assert "STX" in table("balance", "settlement")
        assert table("balance", "--key", "wallet_2") == table("balance", "wallet_2")
        assert failure("balance") == failure("statement") == "whose? give WHO, or --key NAME"
        assert failure("offers", "--mine") == "--mine: whose? give --key NAME"


class TestLookups:
    def test_a_transaction_that_failed(self, devnet: Devnet, der: Der) -> None:
        other = der.with_account(devnet.accounts["wallet_5"])
        pending = other.assets.set_paused(True).send()
        devnet.mine()
        shown = " ".join(table("tx", pending.txid).split())
        assert "status abort_by_response" in shown
        assert "ERR_NOT_PAUSER, only a pauser may do this" in shown

    def test_an_unknown_transaction_is_reported(self) -> None:
        assert failure("tx", "ab" * 32).startswith("transaction not found at ")
        assert "expected 64 hexadecimal digits" in failure("tx", "abc")

    def test_events(self, devnet: Devnet) -> None:
        run("call", "wallet_2.vault", "note", "7", '{to: none, text: "x", tags: (list)}', "--key", "wallet_5", "--yes")
        (one,) = answer("events", "wallet_2.vault")["events"]
        assert 'event "noted"' in one["fields"]["value"]
        owner = devnet.accounts["wallet_1"].name
        answer(
            "call", "assets", "register-asset", "1", "6000", "9xj3ud", "CO", "0x" + "01" * 32, "900", "none",
            "--key", owner, "--yes",
        )  # fmt: skip
        (registered,) = answer("events", "assets", "--topic", "asset-registered")["events"]
        assert registered["fields"]["capacity_w"] == 6000
        assert "capacity w 6,000" in " ".join(table("events", "assets", "--plant", 1).split())
        assert len(answer("events", "--limit", 2)["events"]) == 2
        assert "not found" in failure("events", "nothing")
        assert failure("events", "--topic", "asset-register").endswith(
            "is called 'asset-register'; did you mean asset-registered?"
        )
        assert "there are asset-registered, " in failure("events", "assets", "--topic", "nope")
        assert failure("events", "--plant", 9).startswith("plant 9 not found; there are plants 1 to 1")
        assert failure("events", "assets", "--follow", "--csv").startswith("--follow: --csv does not apply")

    def test_following_begins_with_the_last_events(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def note(number: int) -> None:
            text = '{to: none, text: u"", tags: (list)}'
            answer("call", "wallet_2.vault", "note", number, text, "--key", "wallet_2", "--yes")

        for number in (1, 2, 3):
            note(number)
        stream = Client.stream_contract_logs

        def one_more(client: Client, *arguments: Any, **options: Any) -> Iterator[LogUpdate]:
            note(4)
            yield next(stream(client, *arguments, **options))

        monkeypatch.setattr(Client, "stream_contract_logs", one_more)
        lines = run("events", "wallet_2.vault", "--follow", "--limit", 2).stdout.splitlines()
        assert [re.findall(r"\(id u(.)\)", line) for line in lines] == [["2"], ["3"], ["4"]]

    def test_console(self, devnet: Devnet) -> None:
        result = run("console", "--key", "wallet_1", stdin="print(der.account.address, der.market.get_offer_count())\n")
        assert f"{devnet.accounts['wallet_1'].address} 0" in result.stdout
