"""The pages of an index of a real chain show what its contracts return."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from der_client import Der, Devnet
from der_client.demo import DemoResult, run_demo
from der_client.index import Follower
from der_client.project import deployment_plan
from der_client.web.amounts import energy, exact_energy
from der_client.web.tokens import money
from tests.browser.served import pages_of
from tests.integration.conftest import NOON

if TYPE_CHECKING:
    from playwright.sync_api import Page


@dataclass(frozen=True)
class Demo:
    """The chain of the demo, its results, and the URL of its pages."""

    der: Der
    result: DemoResult
    url: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    place = tmp_path_factory.mktemp("demo") / "index.sqlite"
    with Devnet(deploy_contracts=False, start_time=NOON) as devnet:
        result = run_demo(devnet, deployment_plan(), days=1)
        der = Der.connect(devnet.url, deployer=devnet.deployer.address)
        with Follower(der, place) as follower:
            follower.run_once()
        with pages_of(place) as url:
            yield Demo(der, result, url)


def test_energy_and_money_equal_the_contracts(page: Page, demo: Demo) -> None:
    page.goto(demo.url)
    figures = page.inner_text("#figures")
    totals = [demo.der.production.get_total_production(asset_id) for asset_id in demo.result.asset_ids]
    assert energy(sum(total.verified_wh for total in totals)) in figures
    assert money(demo.der.settlement.get_ledger().escrow) in figures
    assert money(demo.result.paid_ustx) in figures
    page.goto(f"{demo.url}/money")
    sums = page.inner_text("#sums")
    for amount in (demo.result.paid_ustx, demo.result.fees_ustx, demo.result.refunded_ustx):
        assert money(amount) in sums


def test_a_plant_page_equals_the_contracts(page: Page, demo: Demo) -> None:
    for asset_id in demo.result.asset_ids:
        page.goto(f"{demo.url}/plants/{asset_id}")
        asset = demo.der.assets.get_asset(asset_id)
        assert asset is not None
        assert asset.location in page.inner_text(".head")
        assert page.locator(f'#facts a[title="{asset.owner}"]').count() > 0
        assert asset.metadata_hash.hex() in page.inner_text("#facts")
        total = demo.der.production.get_total_production(asset_id)
        assert energy(total.recorded_wh) in page.inner_text("#figures")


def test_the_slots_of_a_day_add_up_to_the_recorded_energy(wide_page: Page, demo: Demo) -> None:
    day = demo.result.first_day
    for asset_id in demo.result.asset_ids:
        recorded = demo.der.production.get_day(asset_id, day)
        assert recorded is not None
        wide_page.goto(f"{demo.url}/plants/{asset_id}/days/{day}")
        wide_page.locator("#slot-table summary").click()
        cells = wide_page.locator("#slot-table tbody td:nth-child(2)").all_inner_texts()
        assert len(cells) == 96
        assert sum(int(cell.removesuffix(" Wh").replace(",", "")) for cell in cells) == recorded.wh


def test_a_payment_and_its_certificate_equal_the_contracts(wide_page: Page, demo: Demo) -> None:
    claim = demo.result.claim
    payment = demo.der.settlement.get_payment(claim.payment_id)
    assert payment is not None
    wide_page.goto(f"{demo.url}/payments/{claim.payment_id}")
    text = wide_page.inner_text("main")
    for amount in (payment.cost, payment.payout, payment.fee, payment.refund):
        assert money(amount, payment.token) in text
    assert exact_energy(payment.delivered_wh) in text
    wide_page.goto(f"{demo.url}/certificates")
    text = wide_page.inner_text("#list")
    assert claim.purpose in text
    assert exact_energy(claim.wh) in text
