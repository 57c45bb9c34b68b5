"""Every code block in README and docs works: Python blocks run, and commands are checked as far as possible offline."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import der_client
from der_client.devnet import Devnet
from tests.integration.commands import run

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LATE = datetime(2026, 7, 1, 23, 57, 45, tzinfo=UTC)
"""Shortly before midnight, which a page crosses between registering a plant and selling its energy of the next day."""
LANGUAGES = {"python", "sh", "text", "toml", "json", "clarity", "yaml", "mermaid", "sql"}


def blocks(page: Path, language: str) -> list[str]:
    return [code for found, code in BLOCK.findall(page.read_text()) if found == language]


def commands() -> list[list[str]]:
    lines = [line for page in PAGES for code in blocks(page, "sh") for line in code.replace("\\\n", " ").splitlines()]
    words = [shlex.split(line, comments=True) for line in lines]
    return [command for command in words if command]


class LateDevnet(Devnet):
    """A devnet that starts shortly before midnight by default, because readers start theirs at any time."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"start_time": LATE, **options})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_blocks_name_their_language(page: Path) -> None:
    assert {language for language, _ in BLOCK.findall(page.read_text())} <= LANGUAGES


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_python_blocks_run_in_order(page: Path, devnet: Devnet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(der_client, "Devnet", LateDevnet)
    names: dict[str, Any] = {"__name__": page.stem}
    tests: dict[str, Any] = {}
    for number, code in enumerate(blocks(page, "python")):
        if page.name == "README.md" and page.parent == ROOT:
            names = {"__name__": page.stem}  # readers may paste each of its blocks alone
        exec(compile(code, f"{page.name}, block {number + 1}", "exec", dont_inherit=True), names)  # noqa: S102
        tests |= {name: value for name, value in names.items() if name.startswith("test_")}
    for test in tests.values():
        test(devnet)


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_commands_exist_with_these_options(command: list[str]) -> None:
    while "=" in command[0]:
        command = command[1:]
    program, *arguments = command
    match Path(program).name:
        case "make":
            check = ["make", "--dry-run", *arguments]
        case "der":
            result = run(*arguments, "--help")
            assert result.exit_code == 0, result.output
            return
        case "npm":
            check = [sys.executable, "-c", NPM, "npm", "run", "--if-present", "no-such-script"]
            assert arguments in (["test"], ["ci"])
        case "clarinet" | "pip" | "cd" | "git" | "export" | "curl":
            return
        case "python" | "pytest":
            assert Path(ROOT, arguments[0]).exists() or arguments[0] == "-m"
            return
        case unknown:
            pytest.fail(f"no way to check {unknown!r}: teach this test")
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own docs
    assert done.returncode == 0, done.stderr


NPM = "import sys; from der_client.nodejs import main; sys.exit(main(sys.argv[1:]))"
