"""The typed clients read what the model contains after a part of the scenario."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from der_client import Der
from der_client.contracts.asset_verification import Role
from der_client.stacks.contract.annotations import day_of
from tests.model.chain import Chain
from tests.model.drawing.wrong_arguments import UINT_MAX
from tests.model.expectation import NOBODY, shown
from tests.model.people import PEOPLE, REGIONS
from tests.model.plain_values import bare
from tests.model.reference import Refused, System
from tests.model.scenarios import forward_with_a_shortfall
from tests.model.twin import Twin


@pytest.fixture(scope="module")
def told(twin: Twin) -> Iterator[Twin]:
    with twin.anchor():
        for action in forward_with_a_shortfall():
            twin.do(action)
        yield twin


@pytest.fixture
def der(told: Twin) -> Der:
    """The typed clients of one of the people."""
    assert isinstance(told.chain, Chain)
    return told.chain.views["alice"]


def held(things: Mapping[int, Any]) -> dict[int, Any]:
    return {key: shown(thing) for key, thing in things.items()}


def test_lists_equal_the_model(told: Twin, der: Der) -> None:
    system = told.system
    assert {key: bare(asset) for key, asset in der.list_assets().items()} == held(system.assets.assets)
    assert {key: bare(offer) for key, offer in der.list_offers().items()} == held(system.market.offers)
    assert {key: bare(payment) for key, payment in der.list_payments().items()} == held(system.settlement.payments)


def test_days_equal_the_model(told: Twin, der: Der) -> None:
    for (asset_id, day), row in told.system.production.days.items():
        found = der.production.get_day(asset_id, day_of(day))
        assert found is not None
        assert bare(found) == shown(row)
        book = der.market.get_day_book(asset_id, day_of(day))
        assert book is not None
        assert book.model_dump(exclude={"epoch"}) == shown(told.system.market.book(asset_id, day))
        for slot in (0, 89, 90, 95, 96, 127, 128, 10**9):
            recorded = bool(row.mask >> slot & 1) if slot < 128 else False
            assert der.production.is_slot_recorded(asset_id, day_of(day), slot) is recorded


def can_be_taken(system: System, offer_id: int, wh: int) -> bool:
    """Return whether the model lets anyone buy this much of an offer."""
    try:
        system.market.judge_fill(system.market.offers[offer_id].taker or NOBODY, offer_id, wh, wh)
    except Refused:
        return False
    return True


def test_quotes_equal_the_model(told: Twin, der: Der) -> None:
    for offer_id, offer in told.system.market.offers.items():
        before_wh = told.system.market.terms(offer, 0).before_wh
        for wh in {1, offer.open_wh, offer.open_wh + 1, UINT_MAX}:
            quote = der.market.quote(offer_id, wh)
            if not can_be_taken(told.system, offer_id, wh):
                assert quote is None
                continue
            assert quote is not None
            assert (quote.cost, quote.before_wh, quote.open_wh) == (
                offer.cost(wh),
                before_wh,
                offer.open_wh,
            )


def test_roles_and_operators_equal_the_model(told: Twin, der: Der) -> None:
    register = told.system.assets
    for name in PEOPLE:
        address = told.chain.addresses[name]
        for role in Role:
            for region in ("", *REGIONS):
                assert der.assets.has_role(role, address, region) is register.has_role(role, address, region)
        for asset_id, asset in register.assets.items():
            assert der.assets.can_operate(asset_id, address) is asset.may_trade(address)
