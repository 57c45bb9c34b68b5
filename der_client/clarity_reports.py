"""Reports on the contracts under test: merged LCOV files, and tables of coverage and costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@dataclass
class _File:
    functions: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Line and number of calls of each function."""
    lines: dict[int, int] = field(default_factory=dict)
    """Number of calls of each line."""


def merged_lcov(reports: Iterable[str]) -> str:
    """Merge reports in LCOV's format, such as those of several processes.

    Args:
        reports: Reports of the devnet (``GET /devnet/coverage``).

    Returns:
        One report.
    """
    files = _read(reports)
    return "".join(f"{line}\n" for name in sorted(files) for line in _record(name, files[name]))


def summary_table(lcov: str) -> str:
    """Return how much of each file was reached.

    Args:
        lcov: A report in LCOV's format.

    Returns:
        Lines of text, one per file.
    """
    files = _read([lcov])
    rows = [
        (name, _share(file.lines.values()), _share(calls for _, calls in file.functions.values()))
        for name, file in sorted(files.items())
    ]
    return _table(("file", "lines", "functions"), rows)


def cost_table(profiles: Iterable[dict[str, Any]]) -> str:
    """Return what each function cost, the most expensive first.

    Args:
        profiles: Results of ``Devnet.profile``.

    Returns:
        Lines of text, one per function that was called.
    """
    spent: dict[str, tuple[int, int]] = {}
    for profile in profiles:
        for contract_id, contract in profile.items():
            for name, one in contract["functions"].items():
                key = f"{contract_id.partition('.')[2]}.{name}"
                calls, total = spent.get(key, (0, 0))
                spent[key] = (calls + one["calls"], total + one["total"])
    dearest = sorted(spent.items(), key=lambda item: (-item[1][1], item[0]))
    rows = [(name, f"{calls:,}", f"{total / max(calls, 1):,.0f}", f"{total:,}") for name, (calls, total) in dearest]
    return _table(("function", "calls", "mean", "total"), rows)


def _read(reports: Iterable[str]) -> dict[str, _File]:
    files: dict[str, _File] = {}
    file = _File()
    for line in (line for report in reports for line in report.splitlines()):
        kind, _, rest = line.partition(":")
        first, _, second = rest.partition(",")
        if kind == "SF":
            file = files.setdefault(rest, _File())
        elif kind == "FN":
            file.functions.setdefault(second, (int(first), 0))
        elif kind == "FNDA":
            at, calls = file.functions[second]
            file.functions[second] = (at, calls + int(first))
        elif kind == "DA":
            file.lines[int(first)] = file.lines.get(int(first), 0) + int(second)
    return files


def _record(name: str, file: _File) -> Iterator[str]:
    yield from ("TN:", f"SF:{name}")
    yield from (f"FN:{at},{function}" for function, (at, _) in file.functions.items())
    yield from (f"FNDA:{calls},{function}" for function, (_, calls) in file.functions.items())
    yield f"FNF:{len(file.functions)}"
    yield f"FNH:{sum(calls > 0 for _, calls in file.functions.values())}"
    yield from (f"DA:{line},{calls}" for line, calls in sorted(file.lines.items()))
    yield f"LF:{len(file.lines)}"
    yield f"LH:{sum(calls > 0 for calls in file.lines.values())}"
    yield "end_of_record"


def _share(counts: Iterable[int]) -> str:
    reached = [count > 0 for count in counts]
    percent = f"{100 * sum(reached) / len(reached):.0f} %" if reached else "-"
    return f"{sum(reached)} of {len(reached)} ({percent})"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]

    def line(row: tuple[str, ...]) -> str:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        return "  ".join(cells).rstrip() + "\n"

    return "".join(line(row) for row in (head, *rows))
