"""The content of the wheel: everything that the devnet needs, and no npm packages."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from der_client.nodejs import DevnetSetupError
from der_client.project import installed_project, project_root

ROOT = Path(__file__).parents[2]
CARRIED = "der_client/_project/"


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")))
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_contains_the_devnets_project(names: set[str]) -> None:
    carried = {name.removeprefix(CARRIED) for name in names if name.startswith(CARRIED)}
    devnet = {path.relative_to(ROOT).as_posix() for path in (ROOT / "devnet").rglob("*") if path.is_file()}
    assert {Path(name).suffix for name in devnet} == {".js", ".ts", ".html", ".css", ".svg"}
    contracts = {path.relative_to(ROOT).as_posix() for path in (ROOT / "contracts").glob("*.clar")}
    assert carried == {
        "Clarinet.toml",
        "contracts/stand-ins/usdcx.clar",  # the token that buyers in the demo pay with
        "deployments/default.devnet-plan.yaml",
        "package.json",
        "package-lock.json",
        "settings/Devnet.toml",
        *devnet,
        *(name for name in contracts if not name.endswith(".tests.clar")),
    }


def test_the_wheel_contains_the_package_with_its_data_and_types(names: set[str]) -> None:
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "der_client").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert package <= names
    assert "der_client/py.typed" in names


def test_the_wheel_contains_no_npm_packages_or_tests(names: set[str]) -> None:
    assert not [name for name in names if "node_modules" in name or name.startswith(("tests/", "benchmarks/"))]


def test_a_checkout_is_used_as_the_project() -> None:
    assert project_root() == installed_project() == ROOT


def test_the_error_for_missing_npm_packages_names_the_install_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("der_client.project._PACKAGE", tmp_path / "der_client")
    with pytest.raises(DevnetSetupError, match=r"npm packages are not installed.*make -C '.*' setup"):
        installed_project()
