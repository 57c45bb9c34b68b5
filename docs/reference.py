"""Generate ``docs/contracts-reference.md`` from the comments in ``contracts/*.clar``: ``python docs/reference.py``."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "contracts-reference.md"
CONTRACTS = (
    "asset-verification",
    "production-tracking",
    "grid-integration",
    "market-participation",
    "settlement",
)

FUNCTION = re.compile(r"^((?:;; .*\n)*)\(define-(public|read-only) (?=\()", re.MULTILINE)
ERROR = re.compile(r"^\(define-constant (ERR_\w+) \(err u(\d+)\)\)(?: ;; (.*))?$", re.MULTILINE)


def _prose(comment: str) -> str:
    return " ".join(line.removeprefix(";;").strip() for line in comment.splitlines())


def _header(source: str) -> str:
    """Return the comment at the beginning of a contract."""
    lines = source[: source.index("\n\n")].splitlines()
    return "\n".join(line.removeprefix(";;").removeprefix(" ") for line in lines)


def _balanced(source: str, start: int) -> str:
    """Return the expression whose opening parenthesis is at a position."""
    depth = 0
    for end in range(start, len(source)):
        depth += {"(": 1, ")": -1}.get(source[end], 0)
        if depth == 0:
            return source[start : end + 1]
    raise ValueError(f"no expression ends after {source[start : start + 40]!r}")


def _functions(source: str, access: str) -> list[str]:
    shown = []
    for found in FUNCTION.finditer(source):
        comment, kind = found.groups()
        if kind == access:
            signature = re.sub(r"\s+", " ", _balanced(source, found.end()))
            for untidy, tidy in (("( ", "("), (" )", ")"), ("{ ", "{"), (", }", "}")):
                signature = signature.replace(untidy, tidy)
            prose = _prose(comment)
            shown.append(f"- `{signature}`" + (f"  \n  {prose}" if prose else ""))
    return shown


def build() -> str:
    """Return the text of the page."""
    parts = [
        "# Contract reference",
        "",
        "Made from the sources by `python docs/reference.py`; a test keeps it true.",
        "",
        "Overview: [the contracts](contracts.md).",
    ]
    for name in CONTRACTS:
        source = (ROOT / "contracts" / f"{name}.clar").read_text()
        parts += ["", f"## {name}", "", "```text", _header(source), "```", "", "### Public", ""]
        parts += _functions(source, "public")
        parts += ["", "### Read-only", ""]
        parts += _functions(source, "read-only")
        parts += ["", "### Errors", ""]
        parts += [
            f"- `{error}` u{code}" + (f": {meaning}" if meaning else "")
            for error, code, meaning in ERROR.findall(source)
        ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(build())
