"""Amounts as people write them are parsed and formatted exactly; unclear ones are rejected with an explanation."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der_client.cli.quantities import (
    energy,
    fixed,
    parse_amount,
    parse_day,
    parse_energy,
    parse_moment,
    parse_month,
    parse_price,
    parse_stx,
    power,
)
from der_client.stacks.errors import InvalidValueError

TODAY = date(2026, 7, 6)


@pytest.mark.parametrize(
    ("text", "wh"),
    [("50kWh", 50_000), ("50 kwh", 50_000), ("2.5MWh", 2_500_000), ("800Wh", 800), ("0.001kWh", 1), ("1_000 Wh", 1000)],
)
def test_energy_is_parsed(text: str, wh: int) -> None:
    assert parse_energy(text, "ENERGY") == wh


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("50", "no unit; expected Wh, kWh, MWh or GWh"),
        ("50kW", "is a power; expected an energy"),
        ("50STX", "the unit 'STX'; expected Wh"),
        ("-5kWh", "must be more than 0, got -5kWh"),
        ("0kWh", "must be more than 0"),
        ("0.0001kWh", "is not a whole number of Wh"),
        ("kWh", "expected a number with its unit"),
        ("1e3kWh", "expected Wh"),
        ("50,5kWh", "has a comma; write a decimal point: 50.5kWh"),
        ("1,000 kWh", "write a decimal point: 1.000 kWh, or without it: 1000 kWh"),
        ("nan kWh", "expected a number with its unit"),
        ("1" + "0" * 40 + "kWh", "more than the chain can hold"),
    ],
)
def test_unclear_energy_is_rejected(text: str, said: str) -> None:
    with pytest.raises(InvalidValueError, match="ENERGY: ") as caught:
        parse_energy(text, "ENERGY")
    assert said in str(caught.value)


def test_zero_is_allowed_where_nothing_is_a_choice() -> None:
    assert [parse_energy(text, "--max-ahead", or_zero=True) for text in ("0", "0kWh", "5Wh")] == [0, 0, 5]
    for text in ("-1kWh", "0STX"):
        with pytest.raises(InvalidValueError, match="--max-ahead: "):
            parse_energy(text, "--max-ahead", or_zero=True)


@given(st.integers(1, 2**100))
def test_energy_is_formatted_exactly(wh: int) -> None:
    assert parse_energy(energy(wh).replace(",", ""), "x") == wh


@given(st.integers(-(2**100), 2**100), st.integers(0, 18))
def test_fixed_point_numbers_are_exact(amount: int, decimals: int) -> None:
    text = fixed(amount, decimals).replace(",", "")
    assert Fraction(text) == Fraction(amount, 10**decimals)
    assert len(text.partition(".")[2]) == decimals


def test_money_and_prices_are_parsed() -> None:
    assert parse_stx("1.5STX", "x") == 1_500_000
    assert parse_stx("200 uSTX", "x") == 200
    assert parse_stx("200µSTX", "x") == 200
    assert parse_amount("1.5 USDCx", "x", "USDCx", 6) == parse_amount("1.5", "x", "USDCx", 6) == 1_500_000
    assert parse_price("0.083STX/kWh", "x") == parse_price("0.083 STX per kWh", "x") == 83_000
    assert parse_price("0.10USDCx", "x", "USDCx", 6) == 100_000
    for text, said in (
        ("1.5", "no unit; expected STX or uSTX"),
        ("0.0000001STX", "is not a whole number of µSTX"),
        ("0.5uSTX", "is not a whole number of µSTX"),
    ):
        with pytest.raises(InvalidValueError, match=said):
            parse_stx(text, "x")
    with pytest.raises(InvalidValueError, match="has the unit 'STX'; expected USDCx"):
        parse_amount("1STX", "x", "USDCx", 6)
    with pytest.raises(InvalidValueError, match="expected a price of a kWh"):
        parse_price("5kWh", "x")


def test_power_is_formatted() -> None:
    assert (power(6_000), power(6_500), power(240_000)) == ("6 kW", "6.5 kW", "240 kW")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-02-28", date(2026, 2, 28)),
        ("today", TODAY),
        ("Yesterday", date(2026, 7, 5)),
        ("tomorrow", date(2026, 7, 7)),
        ("+2", date(2026, 7, 8)),
        ("-6", date(2026, 6, 30)),
    ],
)
def test_days_are_parsed(text: str, day: date) -> None:
    assert parse_day(text, "--day", TODAY) == day


@pytest.mark.parametrize("text", ["2026-02-29", "7", "", "+99999", "now", "2026-07-01T00:00Z"])
def test_invalid_days_are_rejected(text: str) -> None:
    with pytest.raises(InvalidValueError, match="--day: expected a day such as 2026-07-06, today, tomorrow"):
        parse_day(text, "--day", TODAY)


def test_months_and_moments_are_parsed() -> None:
    assert parse_month(None, "x", TODAY) == parse_month("this", "x", TODAY) == date(2026, 7, 1)
    assert parse_month("last", "x", date(2026, 1, 31)) == date(2025, 12, 1)
    assert parse_month("2025-11", "x", TODAY) == date(2025, 11, 1)
    assert (
        parse_moment("2026-07-01", "x")
        == parse_moment("2026-07-01T02:00+02:00", "x")
        == datetime(2026, 7, 1, tzinfo=UTC)
    )
    with pytest.raises(InvalidValueError, match="expected a month such as 2026-07"):
        parse_month("2026-13", "--month", TODAY)
    with pytest.raises(InvalidValueError, match="has no time zone; for UTC write 2026-07-01T12:00Z"):
        parse_moment("2026-07-01T12:00", "--until")
