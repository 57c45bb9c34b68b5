"""Amounts, formatted for people."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.web import amounts
from der_client.web.tokens import money, money_in_column, short_principal

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
USDCX = "SP120SBRBQJ00MCWS7TM5R8WJNTTKD5K0HFRC2CNE.usdcx"


@pytest.mark.parametrize(
    ("wh", "text"),
    [
        (0, "0 Wh"),
        (999, "999 Wh"),
        (1_000, "1 kWh"),
        (1_234, "1.23 kWh"),
        (12_340, "12.3 kWh"),
        (123_456, "123 kWh"),
        (999_999, "1,000 kWh"),
        (1_250_000, "1.25 MWh"),
        (5_000_000_000_000, "5,000 GWh"),
        (-1_500, "\N{MINUS SIGN}1.5 kWh"),
    ],
)
def test_energy_has_a_suitable_unit(wh: int, text: str) -> None:
    assert amounts.energy(wh) == text.replace(" ", "\u202f")


@pytest.mark.parametrize(
    ("ustx", "text"),
    [(0, "0 STX"), (1, "0.000001 STX"), (1_250_000, "1.25 STX"), (10**18 + 1, "1,000,000,000,000.000001 STX")],
)
def test_stx_are_exact_without_trailing_zeros(ustx: int, text: str) -> None:
    assert money(ustx) == text.replace(" ", "\u202f")


def test_only_well_known_tokens_have_a_symbol() -> None:
    assert money(1_500_000, USDCX) == "1.5\u202fUSDCx"
    assert money(1_500_000, "SP000000000000000000002Q6VF78.usdcx") == "1,500,000\u202funits of SP000…6VF78.usdcx"


@given(st.integers(-(10**40), 10**40), st.integers(0, 18))
def test_decimals_are_exact(amount: int, decimals: int) -> None:
    text = amounts.decimal(amount, decimals).replace(",", "").replace("\N{MINUS SIGN}", "-")
    whole, _, fraction = text.partition(".")
    assert not fraction.endswith("0")
    assert int(whole + fraction.ljust(decimals, "0")) == amount


@given(st.integers(-(10**40), 10**40), st.integers(0, 18))
def test_amounts_in_a_column_have_all_decimals(amount: int, decimals: int) -> None:
    text = amounts.decimal(amount, decimals, in_column=True)
    assert text == "0" if amount == 0 else len(text.partition(".")[2]) == decimals
    digits = text.replace(",", "").replace("\N{MINUS SIGN}", "-").replace(".", "")
    assert int(digits) == amount


def test_money_in_a_column_has_its_sign_and_unit() -> None:
    assert money_in_column(1_500_000) == "1.500000\u202fSTX"
    assert money_in_column(-250_000) == "\N{MINUS SIGN}0.250000\u202fSTX"
    assert money_in_column(0, USDCX) == "0\u202fUSDCx"


@pytest.mark.parametrize(
    ("away", "text"),
    [
        (timedelta(seconds=30), "in 30 s"),
        (timedelta(hours=-3), "3 h ago"),
        (timedelta(days=43, hours=5), "in 43 days"),
        (timedelta(minutes=90), "in 90 min"),
    ],
)
def test_the_time_until_or_since_a_moment_is_shown(away: timedelta, text: str) -> None:
    assert amounts.from_now(NOW + away, NOW).replace("\u202f", " ") == text


def test_days_near_today_have_a_name() -> None:
    today = date(2026, 7, 1)
    assert [amounts.day_from(today + timedelta(days=number), today) for number in (-2, -1, 0, 1)] == [
        "2026-06-29",
        "yesterday",
        "today",
        "tomorrow",
    ]


def test_a_principal_is_shortened_but_its_contract_is_not() -> None:
    assert short_principal("ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM.usdcx") == "ST1PQ…PGZGM.usdcx"
