"""Roles files: how they are read, and the errors for invalid ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from der_client.contracts.asset_verification import Role
from der_client.roles import Grant, RolesFileError, read_roles

A = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"
B = "ST1SJ3DTE5DN7X54YDH5D64R3BCB6A2AG2ZQ8YPD5"
EXAMPLE = Path(__file__).parents[3] / "examples" / "roles.toml"


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "roles.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_roles_and_regions_keep_the_order_of_the_file(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        f"""
        [grid-operators]
        CO = ["{B}"]
        NORTH-01 = ["{A}.control-room"]
        [roles]
        verifier = ["{A}", "{B}"]
        registrar = ["{A}"]
        oracle = []
        """,
    )
    assert read_roles(file) == (
        Grant(Role.VERIFIER, A),
        Grant(Role.VERIFIER, B),
        Grant(Role.REGISTRAR, A),
        Grant(Role.GRID_OPERATOR, B, "CO"),
        Grant(Role.GRID_OPERATOR, f"{A}.control-room", "NORTH-01"),
    )


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    file = write(tmp_path, f'\ufeff[roles]\narbiter = ["{A}"]')
    assert read_roles(file) == (Grant(Role.ARBITER, A),)


def test_the_example_names_every_role() -> None:
    assert {grant.role for grant in read_roles(EXAMPLE)} == set(Role)


def test_addresses_are_converted_to_canonical_spelling(tmp_path: Path) -> None:
    assert read_roles(write(tmp_path, f'[roles]\narbiter = ["{A.lower()}"]')) == (Grant(Role.ARBITER, A),)


@pytest.mark.parametrize(
    ("text", "table", "key", "value", "problem"),
    [
        ("", None, None, None, "grants nothing"),
        ("[roles]", None, None, None, "grants nothing"),
        ("[roles", None, None, None, "is not valid TOML"),
        (f'[role]\nverifier = ["{A}"]', "role", None, None, "unknown"),
        ('roles = "verifier"', "roles", None, "'verifier'", "must be a table"),
        (
            f'[roles]\nverifer = ["{A}"]',
            "roles",
            "verifer",
            None,
            "expected one of registrar, verifier, arbiter, oracle, pauser",
        ),
        (
            f'[roles]\ngrid_operator = ["{A}"]',
            "roles",
            "grid_operator",
            None,
            "are listed by region in [grid-operators]",
        ),
        (f'[roles]\nverifier = "{A}"', "roles", "verifier", f"'{A}'", "must be a list of addresses"),
        ("[roles]\nverifier = [7]", "roles", "verifier", "7", "got 7"),
        (f'[roles]\nverifier = ["{A[:-1]}X"]', "roles", "verifier", f"'{A[:-1]}X'", "checksum is wrong"),
        ('[roles]\nverifier = [""]', "roles", "verifier", "''", "is not a Stacks address"),
        (f'[roles]\npauser = ["{A}", "{A.lower()}"]', "roles", "pauser", f"'{A.lower()}'", "duplicate address"),
        (f'[grid-operators]\n"" = ["{A}"]', "grid-operators", "", None, "1 to 8 ASCII characters"),
        (f'[grid-operators]\nNORTHWEST = ["{A}"]', "grid-operators", "NORTHWEST", None, "at most 8"),
        (f'[grid-operators]\n"Zürich" = ["{A}"]', "grid-operators", "Zürich", None, "region"),
        (f'[grid-operators.CO]\nwho = ["{A}"]', "grid-operators", "CO", f"{{'who': ['{A}']}}", "must be a list"),
    ],
)
def test_the_error_for_an_invalid_file_names_the_place_and_problem(
    tmp_path: Path, text: str, table: str | None, key: str | None, value: str | None, problem: str
) -> None:
    file = write(tmp_path, text)
    with pytest.raises(RolesFileError) as caught:
        read_roles(file)
    error = caught.value
    assert (error.file, error.table, error.key, error.value) == (file, table, key, value)
    place = f"{file}" + (f", [{table}]" if table else "") + (f", {key}" if key is not None else "")
    assert f"{error}".startswith(f"{place}: ")
    assert problem in f"{error}"
    assert (
        value is None
        or value.strip("'") in f"{error}".replace("ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM", A)
        or (problem == "duplicate address" and A in f"{error}")
    )


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(RolesFileError, match="cannot be read: No such file"):
        read_roles(tmp_path / "none.toml")


def test_a_binary_file_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "roles.toml"
    file.write_bytes(b"\xff\xfe[roles]")
    with pytest.raises(RolesFileError, match="is not valid TOML"):
        read_roles(file)


def test_an_oversized_file_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(RolesFileError, match="more than 1048576 bytes"):
        read_roles(write(tmp_path, "#" * (1 << 20) + "\n"))


def test_long_values_are_shortened_in_errors(tmp_path: Path) -> None:
    with pytest.raises(RolesFileError) as caught:
        read_roles(write(tmp_path, f'roles = "{"x" * 5000}"'))
    assert len(f"{caught.value}") < 300
