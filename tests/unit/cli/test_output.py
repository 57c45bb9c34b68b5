"""Text from other people reaches a terminal, a spreadsheet or a JSON reader only in a harmless form."""

from __future__ import annotations

import csv
import io
import json

import pytest

from der_client.cli.output import print_csv, print_fields, print_json, print_table, print_transactions, printable

HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202etxt\r\n\x7f[red]x[/red]"
HARMFUL = ("\x1b", "\x07", "\x9b", "\u202e", "\r", "\x7f")


def test_control_characters_are_escaped() -> None:
    shown = printable(HOSTILE)
    assert shown.isprintable()
    assert shown.startswith(r"\x1b[2J\x1b]0;owned\x07\x9b31m\u202etxt\r\n\x7f")
    assert printable("Größe: 5 µSTX …") == "Größe: 5 µSTX …"


@pytest.mark.parametrize("how", ["table", "fields", "transactions"])
def test_terminal_output_has_no_control_characters(how: str, capsys: pytest.CaptureFixture[str]) -> None:
    if how == "fields":
        print_fields(HOSTILE, [("location", HOSTILE)])
    elif how == "table":
        print_table(HOSTILE, ("id", "location"), [(1, HOSTILE)])
    else:
        print_transactions([("ab" * 32, HOSTILE)])
    shown = capsys.readouterr().out
    assert not any(harmful in shown for harmful in HARMFUL)
    assert "[red]x[/red]" in shown


def test_json_has_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"location": HOSTILE, "price": "5 µSTX"})
    shown = capsys.readouterr().out
    assert not any(harmful in shown for harmful in HARMFUL)
    assert json.loads(shown) == {"location": HOSTILE, "price": "5 µSTX"}
    assert "µ" in shown


def test_values_with_several_parts_are_json_in_csv(capsys: pytest.CaptureFixture[str]) -> None:
    print_csv(("fields",), [{"fields": {"token": None, "whs": [1, 2], "note": "=1\x9b"}}])
    shown = capsys.readouterr().out
    assert "\x9b" not in shown
    (row,) = csv.DictReader(io.StringIO(shown))
    assert json.loads(row["fields"]) == {"token": None, "whs": [1, 2], "note": "=1\x9b"}


def test_csv_has_no_control_characters_or_formulas(capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[dict[str, object]] = [
        {"id": 1, "purpose": "=HYPERLINK(1)", "x": -5},
        {"id": 2, "purpose": HOSTILE},
        {"id": 3, "ok": True},
    ]
    print_csv(("id", "purpose", "x", "ok"), rows)
    shown = capsys.readouterr().out
    assert not any(harmful in shown for harmful in HARMFUL)
    assert list(csv.reader(io.StringIO(shown))) == [
        ["id", "purpose", "x", "ok"],
        ["1", "'=HYPERLINK(1)", "-5", ""],
        ["2", printable(HOSTILE), "", ""],
        ["3", "", "", "true"],
    ]
