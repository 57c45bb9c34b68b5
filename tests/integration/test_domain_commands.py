"""The commands of an energy manager on the demo's chain; the output of each command is compared with the chain."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from der_client import Der
from der_client.cli.quantities import energy
from der_client.contracts.asset_verification import Asset, AssetKind, Role
from der_client.demo import run_demo
from der_client.devnet import Devnet
from der_client.index import Follower, Index
from der_client.project import deployment_plan
from der_client.stacks.rpc import TransactionReceipt
from tests.integration.commands import WIDTH, answer, failure, rows, run, table
from tests.integration.conftest import NOON
from tests.postgres import MISSING, find_programs, running

if TYPE_CHECKING:
    from collections.abc import Iterator

DAYS = 2


@pytest.fixture(scope="module")
def told() -> Iterator[Devnet]:
    """A devnet on which the demo was run."""
    with Devnet(deploy_contracts=False, start_time=NOON) as devnet:
        run_demo(devnet, deployment_plan(), days=DAYS)
        yield devnet


@pytest.fixture(autouse=True)
def devnet(told: Devnet, monkeypatch: pytest.MonkeyPatch) -> Iterator[Devnet]:
    monkeypatch.setenv("DER_URL", told.url)
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    monkeypatch.delenv("DER_KEY", raising=False)
    with told.anchor():
        yield told


@pytest.fixture
def der(devnet: Devnet) -> Der:
    return Der.connect(devnet.url, devnet.deployer, deployer=devnet.deployer.address)


class TestPlants:
    def test_all_plants(self, der: Der) -> None:
        listed = answer("plants")["plants"]
        assets = der.list_assets()
        assert [each["asset_id"] for each in listed] == list(assets)
        today = der.now().date()
        for each in listed:
            asset = assets[each["asset_id"]]
            assert (each["owner"], each["capacity_w"]) == (asset.owner, asset.capacity_w)
            days = [der.production.get_day(each["asset_id"], today - timedelta(days=back)) for back in range(1, 8)]
            assert each["last_7_days_wh"] == sum(day.wh for day in days if day is not None) > 0

    def test_own_plants(self) -> None:
        assert [each["asset_id"] for each in rows("plants", "--mine", "--key", "wallet_2")] == ["2", "3"]
        shown = table("plants", "--mine", "--key", "wallet_1")
        assert "wallet_1" in shown
        assert "wallet_2" not in shown
        assert "leave out --mine" in table("plants", "--mine", "--key", "wallet_5")
        assert table("plants", "--region", "XX") == "no plants in region XX; leave out --region to see all\n"

    def test_one_plant(self, der: Der) -> None:
        one = answer("plant", 3)
        assert one["recorded_wh"] == der.production.get_total_production(3).recorded_wh
        assert one["grid"]["feed_metered"] is True
        assert len(one["last_7_days"]) == DAYS
        shown = table("plant", 3)
        assert "connected, exports up to 240 kW, feed metered" in shown
        assert shown.count("nothing recorded") == 7 - DAYS

    def test_an_unknown_plant_is_reported(self) -> None:
        assert failure("plant", 9) == "plant 9 not found; there are plants 1 to 3 ('der plants' lists them)"


class TestProduction:
    def test_a_week_of_all_plants(self, der: Der) -> None:
        made = answer("production")["production"]
        assert sum(each["wh"] for each in made) == sum(
            der.production.get_total_production(i).recorded_wh for i in (1, 2, 3)
        )
        assert {each["state"] for each in made} == {"verified"}
        shown = table("production")
        assert shown.count("█") > 10
        assert shown.count("3 plants without data") == 7 - DAYS

    def test_bars_are_to_scale(self) -> None:
        lines = table("production", 1, "--days", DAYS).splitlines()[1 : DAYS + 1]
        lengths = [line.count("█") for line in lines]
        whs = [each["wh"] for each in answer("production", 1, "--days", DAYS)["production"]]
        assert max(lengths) == lengths[whs.index(max(whs))]
        assert abs(lengths[0] * whs[1] - lengths[1] * whs[0]) <= max(whs)  # they differ by at most one character

    def test_a_day_without_readings(self, devnet: Devnet) -> None:
        devnet.advance(seconds=86_400)
        assert "nothing recorded" in table("production", 1, "--days", "1")

    def test_invalid_days_are_rejected(self) -> None:
        assert "--until: expected a day such as" in failure("production", 1, "--until", "2026-02-30")

    def test_options_without_an_effect_are_rejected(self) -> None:
        for option in ("--days", "--until"):
            said = failure("production", 1, "--day", "yesterday", option, 3)
            assert said.startswith("--day: --days and --until do not apply")
        assert failure("production", 1, "--mine", "--key", "wallet_1").startswith("PLANT: --mine does not apply")
        said = failure("certificates", "--from", "2026-07-03", "--to", "2026-07-02")
        assert said == "--from: 2026-07-03 is after --to 2026-07-02"
        assert failure("statement", "wallet_2", "--folder", "x", "--sums").startswith("--folder: --sums, ")


class TestOffers:
    def test_open_offers_can_be_bought(self, der: Der) -> None:
        listed = answer("offers")["offers"]
        assert listed
        assert all(der.market.quote(each["offer_id"], each["open_wh"]) is not None for each in listed)
        closed = {each["offer_id"] for each in answer("offers", "--all")["offers"]} - {
            each["offer_id"] for each in listed
        }
        assert closed
        now = der.now()
        for number in closed:
            offer = der.market.get_offer(number)
            assert offer is not None
            assert not offer.open_wh or offer.expires_at <= now or offer.state not in (1, 2)
        prices = [each["price_per_kwh"] for each in listed]
        assert prices == sorted(prices)

    def test_void_offers_are_not_open(self, der: Der, devnet: Devnet) -> None:
        owner = der.with_account(devnet.accounts["wallet_2"])
        before = len(answer("offers", "--plant", 3)["offers"])
        owner.assets.set_operator(3, devnet.accounts["wallet_5"].address, 0).send().wait()
        assert before > 0
        assert answer("offers", "--plant", 3)["offers"] == []

    def test_offers_of_a_day_and_own_offers(self) -> None:
        assert {each["day"] for each in rows("offers", "--day", "+2")} == {"2026-07-07"}
        assert rows("offers", "--mine", "--key", "wallet_1") == []
        assert "nothing is for sale" in table("offers", "--mine", "--key", "wallet_1")
        listed = table("offers", "--all").splitlines()[3:]
        assert len(listed) == len(rows("offers", "--all"))  # one line each

    @pytest.mark.parametrize("command", ["offers", "payments", "certificates", "events"])
    def test_lists_of_an_unknown_plant_are_rejected(self, command: str) -> None:
        assert failure(command, "--plant", 9).startswith("plant 9 not found; there are plants 1 to 3")


class TestBuying:
    def test_buying_the_cheapest_offer_shows_the_energy_ahead(self, der: Der, devnet: Devnet) -> None:
        terms = ("--day", "tomorrow", "--min", "1kWh", "--key", "wallet_2", "--yes")
        for price in ("0.9STX", "0.01STX", "0.5STX"):
            answer("sell", 2, "60kWh", "--price", price, *terms)
        cheapest = answer("offers")["offers"][0]
        assert cheapest["price_per_kwh"] == 10_000
        bought = answer("buy", "50kWh", "--key", "wallet_5", "--yes")
        payment = der.settlement.get_payment(bought["payment_id"])
        assert payment is not None
        assert (payment.wh, payment.buyer) == (50_000, devnet.accounts["wallet_5"].address)
        assert payment.price_per_kwh == cheapest["price_per_kwh"]
        assert (payment.cost, payment.before_wh) == (bought["cost"], bought["before_wh"])
        again = run("buy", "10kWh", "--offer", bought["offer_id"], "--key", "wallet_6", "--yes")
        assert "50 kWh of that day is delivered to others first" in " ".join(again.stderr.split())

    def test_a_purchase_needs_confirmation(self, der: Der) -> None:
        before = der.settlement.get_payment_count()
        result = run("buy", "50kWh", "--key", "wallet_5")
        assert result.exit_code == 1
        assert "3.050050 STX, locked" in result.stderr
        assert "send without asking with --yes" in result.stderr
        assert der.settlement.get_payment_count() == before

    def test_confirmation_at_a_terminal(self, der: Der, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("der_client.cli.sending._has_terminal", lambda: True)
        before = der.settlement.get_payment_count()
        refused = run("buy", "50kWh", "--key", "wallet_5", stdin="n\n")
        assert (refused.exit_code, der.settlement.get_payment_count()) == (1, before)
        assert "nothing was sent" in refused.stderr
        accepted = run("buy", "50kWh", "--key", "wallet_5", stdin="y\n")
        assert (accepted.exit_code, der.settlement.get_payment_count()) == (0, before + 1)

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["50"], "ENERGY: '50' has no unit; expected Wh, kWh, MWh or GWh, such as 50kWh"),
            (["50kW"], "ENERGY: 50kW is a power; expected an energy, such as 50kWh"),
            (["-5kWh"], "ENERGY: must be more than 0, got -5kWh"),
            (["0.0001kWh"], "ENERGY: 0.0001kWh is not a whole number of Wh"),
            (["5MWh"], "no offer has 5 MWh: the largest is offer "),
            (["1Wh"], "1 Wh is too little: the least that can be bought is "),
            (["50kWh", "--offer", "99"], "--offer: offer 99 not found; 'der offers' lists those that are open"),
            (["50kWh", "--offer", "1"], "--offer: offer 1 cannot be bought (any more)"),
            (["50kWh", "--max-price", "0.01STX"], "--max-price: the cheapest matching offer, 10, costs 0.061001 STX"),
            (["50kWh", "--max-price", "0.01USDCx"], "--max-price: expected a price such as 0.08STX, got '0.01USDCx'"),
            (["50kWh", "--plant", "9"], "plant 9 not found; there are plants 1 to 3"),
            (["50kWh", "--plant", "1"], "--plant: nothing of plant 1 is for sale"),
            (["50kWh", "--day", "+300"], "--day: nothing of 2027-05-01 is for sale"),
            (["50kWh", "--offer", "10", "--day", "+2"], "--offer: offer 10 is of plant 3, 2026-07-06; leave out"),
            (["50kWh", "--max-price", "5kWh"], "--max-price: '5kWh': expected a price of a kWh, such as 0.083STX"),
        ],
    )
    def test_invalid_purchases_are_rejected(self, arguments: list[str], said: str) -> None:
        assert failure("buy", *arguments, "--key", "wallet_5").startswith(said)

    def test_sellers_cannot_buy_their_own_offers(self) -> None:
        number = answer("offers")["offers"][0]["offer_id"]
        assert "is your own; the seller cannot buy it" in failure(
            "buy", "50kWh", "--offer", number, "--key", "wallet_2"
        )
        assert failure("buy", "50kWh", "--key", "wallet_2").startswith("all matching offers are your own")

    def test_the_highest_price_is_in_the_currency_of_the_offer(self) -> None:
        terms = ("--day", "tomorrow", "--price", "0.08USDCx", "--token", ".usdcx", "--min", "1kWh", "--yes")
        sold = answer("sell", 2, "60kWh", *terms, "--key", "wallet_2")
        number = sold["offer_id"]
        buy = ("buy", "10kWh", "--offer", number, "--key", "wallet_8", "--max-price")
        expected = f"--max-price: offer {number} is priced in USDCx; give a price such as 0.08USDCx"
        assert failure(*buy, "0.08STX") == failure(*buy, "1USDX") == expected
        assert failure(*buy, "0.079999USDCx") == f"--max-price: offer {number} costs 0.080000 USDCx per kWh"
        assert answer(*buy, "0.08USDCx", "--yes")["cost"] == 800_000

    def test_the_energy_ahead_can_be_limited(self) -> None:
        bought = answer("buy", "50kWh", "--key", "wallet_5", "--yes")
        said = failure("buy", "20kWh", "--offer", bought["offer_id"], "--max-ahead", "10kWh", "--key", "wallet_6")
        assert said == "--max-ahead: in each offer that has enough, at least 50 kWh is ahead of yours"
        assert answer("buy", "20kWh", "--max-ahead", "0", "--key", "wallet_6", "--yes")["before_wh"] == 0


class TestSelling:
    def test_selling_all_available_energy(self, der: Der) -> None:
        day = der.now().date() + timedelta(days=1)
        left = der.market.get_available(2, day)
        sold = answer("sell", 2, "all", "--day", "tomorrow", "--price", "0.08STX/kWh", "--key", "wallet_2", "--yes")
        offer = der.market.get_offer(sold["offer_id"])
        assert offer is not None
        assert (offer.wh, offer.day, offer.price_per_kwh, offer.taker) == (left, day, 80_000, None)
        assert der.market.get_available(2, day) == 0
        said = failure("sell", 2, "1kWh", "--day", "tomorrow", "--price", "0.08STX", "--key", "wallet_2")
        assert said.startswith(f"nothing is left of {day} of plant 2: all of it is offered or sold")

    def test_selling_to_one_buyer_for_a_token(self, der: Der, devnet: Devnet) -> None:
        arguments = ("--day", "tomorrow", "--price", "0.10USDCx", "--token", ".usdcx", "--to", "wallet_8")
        sold = answer("sell", 2, "30kWh", *arguments, "--min", "10kWh", "--key", "wallet_2", "--yes")
        offer = der.market.get_offer(sold["offer_id"])
        assert offer is not None
        assert (offer.price_per_kwh, offer.min_fill_wh) == (100_000, 10_000)
        assert offer.taker == devnet.accounts["wallet_8"].address
        bought = answer("buy", "10kWh", "--offer", sold["offer_id"], "--key", "wallet_8", "--yes")
        payment = der.settlement.get_payment(bought["payment_id"])
        assert payment is not None
        assert (payment.token, payment.cost) == (offer.token, 1_000_000)
        assert "1.000000" in table("payments", "--locked")

    def test_a_token_transfer_above_the_balance_is_rejected(self, devnet: Devnet) -> None:
        address = devnet.accounts["wallet_7"].address
        said = failure("transfer", "1000", "wallet_5", "--token", "usdcx", "--key", "wallet_7", "--yes")
        assert said == f"wallet_7 ({address}) has 0.000000 USDCx, which is less than 1,000.000000 USDCx"
        assert (
            "USDCx" in answer("transfer", "1", "wallet_5", "--token", "usdcx", "--key", "wallet_8", "--yes")["amount"]
        )

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ([9, "1kWh"], "plant 9 not found; there are plants 1 to 3"),
            ([1, "1kWh"], "plant 1 belongs to wallet_1, and wallet_2 is neither its owner nor its operator"),
            ([2, "90MWh"], "ENERGY: 90 MWh is more than the "),
            ([2, "1kWh", "--day", "yesterday"], "nothing is left of 2026-07-04 of plant 2: all that was delivered"),
            ([2, "1kWh", "--day", "today"], "nothing is left of 2026-07-05 of plant 2: the day has begun"),
            (
                [2, "1kWh", "--day", "+400"],
                "nothing is left of 2027-08-09 of plant 2: energy can be sold at most 366 days",
            ),
            ([2, "1kWh", "--min", "2kWh"], "--min: 2 kWh is more than the 1 kWh offered"),
            ([2, "1kWh", "--until", "2026-07-01"], "--until: must be after now (2026-07-05 "),
            ([2, "1kWh", "--until", "2026-07-07"], "--until: must be after now (2026-07-05 "),
            ([2, "1kWh", "--to", "wallet_2"], "--to: wallet_2 is the seller"),
            (
                [2, "1kWh", "--token", "nope"],
                "--token: contract ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM.nope not found",
            ),
            ([2, "1kWh", "--price", "-1STX"], "--price: must be more than 0, got -1STX"),
            ([2, "1kWh", "--price", "0.08"], "--price: '0.08' has no unit"),
            ([2, "1kWh", "--to", "nobody"], "--to: 'nobody' is neither an address nor one of the names deployer"),
        ],
    )
    def test_invalid_offers_are_rejected(self, arguments: list[object], said: str) -> None:
        defaults = [("--day", "tomorrow"), ("--price", "0.08STX")]
        given = [word for option in defaults if option[0] not in arguments for word in option]
        assert failure("sell", *arguments, *given, "--key", "wallet_2").startswith(said)


class TestStatements:
    def test_lines_and_sums_match_the_chain(self, der: Der, devnet: Devnet) -> None:
        seller = devnet.accounts["wallet_2"].address
        own = {number: each for number, each in der.list_payments().items() if each.payee == seller}
        lines = rows("statement", "wallet_2", "--month", "2026-07")
        assert {int(line["payment_id"]) for line in lines} == set(own)
        for line in lines:
            payment = own[int(line["payment_id"])]
            assert int(line["amount"]) == payment.payout
            assert (line["counterparty"], line["token"] or None) == (payment.buyer, payment.token)
            receipt = der.client.transaction(line["funded_txid"])
            assert isinstance(receipt, TransactionReceipt)
            assert receipt.block_time.strftime("%Y-%m-%dT%H:%M:%SZ") == line["funded_at"]
        sums = rows("statement", "wallet_2", "--month", "2026-07", "--sums")
        for row in sums:
            of_buyer = [
                each
                for each in own.values()
                if each.buyer == row["counterparty"] and (each.token or "") == row["token"]
            ]
            assert int(row["payments"]) == len(of_buyer)
            assert int(row["amount"]) == sum(each.payout for each in of_buyer)
            assert int(row["fee"]) == sum(each.fee for each in of_buyer)

    def test_a_buyer_pays_for_delivered_energy(self, der: Der, devnet: Devnet) -> None:
        buyer = devnet.accounts["wallet_6"].address
        own = [each for each in der.list_payments().values() if each.buyer == buyer]
        found = answer("statement", "--key", "wallet_6", "--month", "2026-07")
        assert sum(each["amount"] for each in found["lines"]) == sum(each.refund - each.cost for each in own) < 0
        assert found["problems"] == []
        shown = run("statement", "--key", "wallet_6", "--month", "2026-07")
        assert f"{len(own)} payments agree" in shown.stderr
        assert max(map(len, shown.stdout.splitlines())) <= WIDTH

    def test_one_file_for_each_buyer(self, tmp_path: Path) -> None:
        result = run("statement", "wallet_2", "--month", "2026-07", "--folder", tmp_path / "books")
        assert result.exit_code == 0
        files = sorted((tmp_path / "books").iterdir())
        assert [file.name for file in files] == [f"statement-2026-07-wallet_{number}.csv" for number in (5, 6, 8)]
        only = rows("statement", "wallet_2", "--month", "2026-07", "--with", "wallet_6")
        assert list(csv.DictReader(files[1].open())) == only

    def test_differences_from_the_chain_are_reported(self, der: Der, tmp_path: Path) -> None:
        database = tmp_path / "old.sqlite"
        with Follower(der, database) as follower:
            follower.run_once()
        bought = answer("buy", "50kWh", "--key", "wallet_5", "--yes")
        result = run("statement", "wallet_5", "--month", "2026-07", "--database", database)
        assert result.exit_code == 1
        assert f"differs from the chain: payment {bought['payment_id']} is missing" in result.stderr
        assert run("statement", "wallet_5", "--month", "2026-07").exit_code == 0

    def test_an_index_that_is_empty_or_of_other_contracts_is_rejected(
        self, der: Der, devnet: Devnet, tmp_path: Path
    ) -> None:
        database = tmp_path / "index.sqlite"
        with Follower(der, database) as follower:
            assert "nothing is indexed yet" in failure("statement", "wallet_5", "--database", database)
            follower.run_once()
        said = failure("statement", "wallet_5", "--database", database, "--deployer", "wallet_1")
        other = devnet.accounts["wallet_1"].address
        assert f"it indexes the contracts of {der.deployer}, not those of {other}; give another one" in said

    def test_a_month_without_payments(self) -> None:
        assert "neither bought nor sold energy of 2026-06" in table("statement", "wallet_2", "--month", "last")
        assert "--month: expected a month such as" in failure("statement", "wallet_2", "--month", "2026-13")


class TestHistory:
    def test_certificates_are_listed(self, devnet: Devnet) -> None:
        (one,) = answer("certificates")["certificates"]
        assert one["beneficiary"] == devnet.accounts["wallet_8"].address
        assert (one["kind"], one["beneficiary_name"], one["slots"]) == ("claim", "wallet_8", "0-95")
        assert "electricity of our" in table("certificates")
        assert "no energy was claimed" in table("certificates", "--for", "wallet_1")

    def test_the_hours_of_a_day(self, der: Der) -> None:
        slots = rows("production", 1, "--day", "2026-07-03")
        made = der.production.get_day(1, date(2026, 7, 3))
        assert made is not None
        assert sum(int(slot["wh"]) for slot in slots) == made.wh
        lines = table("production", 1, "--day", "2026-07-03").splitlines()
        assert [line[:5] for line in lines[1:-1]] == [f"{hour:02}:00" for hour in range(24)]
        noon = sum(int(slot["wh"]) for slot in slots if slot["start"].startswith("2026-07-03T12"))
        assert lines[13].endswith(f"{noon / 1000:.3f}")
        assert lines[-1] == f"in total {energy(made.wh)}"

    def test_the_total_of_a_day_includes_sums_of_slots(self, der: Der, devnet: Devnet) -> None:
        for role in (Role.REGISTRAR, Role.ORACLE):
            der.assets.set_role(role, devnet.deployer.address, "", True).send().wait()
        owner = der.with_account(devnet.accounts["wallet_2"])
        registering = owner.assets.register_asset(AssetKind.WIND, 6_000, "9xj3ud", "CO", bytes(32), 3600)
        number = registering.send().wait().value
        der.assets.verify_asset(number, 6_000, None).send().wait()
        day = der.now().date() + timedelta(days=1)
        devnet.advance(seconds=2 * 86_400)
        der.production.record_production(number, day, 0b111, 300).send().wait()
        der.production.record_production(number, day, 0b1000, 50).send().wait()
        shown = table("production", number, "--day", day).splitlines()
        assert shown[-1] == "in total 350 Wh, of which 300 Wh are known only as a sum of slots"


class TestIndex:
    @pytest.fixture
    def database(self, der: Der, devnet: Devnet, tmp_path: Path) -> Path:
        """An index of the demo's chain after further transactions."""
        assert answer("buy", "50kWh", "--key", "wallet_5", "--yes")["payment_id"]
        owner = der.with_account(devnet.accounts["wallet_2"])
        owner.assets.set_operator(3, devnet.accounts["wallet_5"].address, 70_000).send().wait()
        owner.assets.register_asset(AssetKind.WIND, 6_000, "9xj3ud", "CO", bytes(32), 3600).send().wait()
        database = tmp_path / "index.sqlite"
        with Follower(der, database) as follower:
            follower.run_once()
        return database

    @pytest.mark.parametrize(
        "arguments",
        [
            ["payments"],
            ["payments", "--locked"],
            ["payments", "--due"],
            ["payments", "--mine", "--key", "wallet_6"],
            ["payments", "--plant", 1],
            ["offers"],
            ["offers", "--all"],
            ["offers", "--mine", "--key", "wallet_2", "--day", "+2"],
            ["plants"],
            ["plants", "--mine", "--key", "wallet_5"],
            ["plants", "--region", "CO"],
            ["production"],
            ["production", "--mine", "--key", "wallet_2", "--days", 3],
            ["production", 1, "--until", "2026-07-03"],
            ["events"],
            ["events", "--limit", 1000],
            ["events", "market", "--limit", 7],
            ["events", "--plant", 2, "--limit", 5],
            ["events", "--topic", "energy-claimed"],
        ],
        ids=lambda arguments: " ".join(map(str, arguments)),
    )
    def test_lists_from_the_index_match_the_chain(self, database: Path, arguments: list[object]) -> None:
        assert rows(*arguments, "--database", database) == rows(*arguments)
        assert answer(*arguments, "--database", database) == answer(*arguments)
        assert table(*arguments, "--database", database) == table(*arguments)

    @pytest.mark.parametrize("number", [1, 2, 3, 4])
    def test_a_plant_from_the_index_matches_the_chain(self, database: Path, number: int) -> None:
        assert answer("plant", number, "--database", database) == answer("plant", number)
        assert table("plant", number, "--database", database) == table("plant", number)

    def test_available_energy_matches_the_chain(self, der: Der, database: Path) -> None:
        today = der.now().date()
        days = [today + timedelta(days=number) for number in (-3, -2, -1, 0, 1, 2, 366, 367)]
        with Index(database) as index:
            for number in (1, 2, 3, 4, 9):
                found = [index.available(number, day) for day in days]
                assert found == [der.market.get_available(number, day) for day in days]

    def test_an_unknown_plant_is_reported(self, database: Path) -> None:
        for command in ("plant", "production"):
            said = failure(command, 9, "--database", database)
            assert said == failure(command, 9) == "plant 9 not found; there are plants 1 to 4 ('der plants' lists them)"

    def test_other_contracts_are_read_from_the_chain(self, der: Der, database: Path) -> None:
        token = f"{der.deployer}.usdcx"
        assert answer("events", token, "--database", database) == answer("events", token)

    def test_an_index_that_is_behind_is_reported(self, devnet: Devnet, database: Path) -> None:
        assert "behind" not in run("plants", "--database", database).stderr
        devnet.mine(11)
        said = " ".join(run("plants", "--database", database).stderr.split())
        assert "the index is 11 blocks behind the chain" in said
        assert f"'der index --database {database}' brings it up to date" in said

    def test_an_index_of_another_fork_is_reported(self, devnet: Devnet, database: Path) -> None:
        height = devnet.block_height
        devnet.reorg(2)
        said = " ".join(run("plants", "--database", database).stderr.split())
        assert f"the index ends at block {height:,}, which {devnet.url} does not have (any more)" in said

    def test_an_index_of_another_network_is_rejected(self, der: Der, database: Path) -> None:
        with Follower(der, database)._database.transaction("be written") as connection:
            connection.exec_driver_sql("UPDATE about SET value = '1' WHERE name = 'network'")
        said = failure("plants", "--database", database)
        assert f"it indexes another network than that of {der.client.url}; give another one, or --url" in said

    def test_a_password_is_not_shown(self, der: Der) -> None:
        if find_programs() is None:
            pytest.skip(MISSING)
        with running() as url:
            place = url.replace("postgres@", "postgres:hush@")
            Follower(der, place).close()
            said = failure("plants", "--database", place)
            assert "nothing is indexed yet" in said
            assert "hush" not in said

    def test_a_missing_index_is_reported(self, tmp_path: Path) -> None:
        assert str(tmp_path / "none.sqlite") in failure("payments", "--database", tmp_path / "none.sqlite")


def test_events_of_a_block_are_in_the_order_of_its_transactions(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with Devnet(block_interval_s=0, track_costs=False) as devnet:
        monkeypatch.setenv("DER_URL", devnet.url)
        der = Der.connect(devnet.url, devnet.deployer)
        accounts = [devnet.accounts[f"wallet_{number}"] for number in range(1, 8)]
        calls = [
            der.with_account(account).assets.register_asset(
                AssetKind.WIND, 6_000, "9xj3ud", "CO", bytes([number]) * 32, 3600
            )
            for number, account in enumerate(accounts)
        ]
        sent = [call.send() for call in calls]
        devnet.mine()
        assert len({each.wait().block_height for each in sent}) == 1
        with Follower(der, tmp_path / "index.sqlite") as follower:
            follower.run_once()
        for arguments in ([], ["--limit", 3], ["assets"], ["--database", tmp_path / "index.sqlite"]):
            numbers = [each["fields"].get("asset_id") for each in answer("events", *arguments)["events"]]
            assert numbers[-3:] == [5, 6, 7]


class TestHostileTexts:
    def test_control_characters_are_escaped_on_the_terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The contract rejects such texts, but a dishonest node could return them."""
        read = Der.list_assets

        def lying(der: Der) -> dict[int, Asset]:
            hostile = {"region": "\x1b[31m", "location": "[bold]\x9b2J"}
            return {number: asset.model_copy(update=hostile) for number, asset in read(der).items()}

        monkeypatch.setattr(Der, "list_assets", lying)
        for arguments in (["plants"], ["plants", "--json"], ["plants", "--csv"]):
            shown = run(*arguments).stdout
            assert "\x1b" not in shown
            assert "\x9b" not in shown
        assert "\\x1b" in run("plants").stdout
        assert json.loads(run("plants", "--json").stdout)["plants"][0]["location"] == "[bold]\x9b2J"
