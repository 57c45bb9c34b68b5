"""Prints what ``der record`` did: for each plant, or for a whole fleet."""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from der_client.cli.output import print_table, print_wrapped
from der_client.stacks.errors import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from der_client.cli.recording import PlantResult, Sent
    from der_client.recorder import Recording

NOT_AS_GIVEN = 3
"""Exit code: something is not on the chain as it is in the file."""
NOTHING_KNOWN = 4
"""Exit code: the file has readings, but no complete slot of a plant."""
OUTCOME_UNKNOWN = 5
"""Exit code: transactions were sent, and their outcome is not known yet."""
_MOST_REASONS = 5


class Details:
    """The report on each plant.

    Args:
        estimates: Whether estimates were recorded.
    """

    def __init__(self, *, estimates: bool) -> None:
        self._estimates = estimates
        self._results: list[PlantResult] = []
        self._txids: list[str] = []
        self._fees_ustx = 0
        self.exit_code = 0

    def add(self, results: "Sequence[PlantResult]", sent: "Sent") -> None:
        """Add the results of some plants."""
        self._results += results
        self._txids += sent.txids
        self._fees_ustx += sent.fees_ustx
        self.exit_code = max([self.exit_code, *map(_exit_code, results)])

    def fields(self) -> dict[str, Any]:
        """Return everything as values for JSON."""
        return {
            "recordings": [_fields(recording) for result in self._results for recording in result.recordings],
            "plants": [
                {
                    "asset_id": result.asset,
                    "known_slots": result.coverage.known_slots,
                    "unknown_slots": result.coverage.unknown_slots,
                    "estimated_slots": result.coverage.estimated_slots,
                    "days_without_a_slot": result.coverage.empty_days,
                    "reason": _for_command(result.coverage.reason) or None,
                    "notes": list(result.notes),
                }
                for result in self._results
            ],
            "txids": self._txids,
            "fees_ustx": self._fees_ustx,
        }

    def print(self, *, all_days: bool) -> None:
        """Print a table for each plant.

        Args:
            all_days: Whether to print a line for each day instead of each status.
        """
        for result in self._results:
            title = f"Production of asset {result.asset}"
            if all_days:
                columns = ("day", "slots", "Wh", "status", "recorded now")
                print_table(title, columns, [_day(each) for each in result.recordings])
            elif result.recordings:
                _Groups(result.recordings).print(title)
            else:
                typer.echo(title)
            for line in _remarks(result, estimates=self._estimates):
                print_wrapped(line)
        _print_costs(len(self._txids), self._fees_ustx)


@dataclass
class _Group:
    """The days of one status, together."""

    first: "date"
    last: "date"
    days: int = 0
    slots: int = 0
    wh: int = 0


class _Groups:
    """Days by their status."""

    def __init__(self, recordings: "Iterable[Recording]" = ()) -> None:
        self._by_status: dict[str, _Group] = {}
        for recording in recordings:
            self.add(recording)

    def add(self, recording: "Recording") -> None:
        """Count a day."""
        group = self._by_status.setdefault(str(recording.status), _Group(recording.day, recording.day))
        group.first, group.last = min(group.first, recording.day), max(group.last, recording.day)
        group.days += 1
        group.slots += recording.mask.bit_count()
        group.wh += recording.wh

    def days(self) -> dict[str, int]:
        """Return how many days each status has."""
        return {status: group.days for status, group in self._by_status.items()}

    def print(self, title: str) -> None:
        """Print a table with a line for each status."""
        rows = [
            (status, group.days, group.slots, group.wh, group.first, group.last)
            for status, group in self._by_status.items()
        ]
        print_table(title, ("status", "days", "slots", "Wh", "first day", "last day"), rows)


class Summary:
    """The report on a fleet, all plants together; its size does not grow with the fleet."""

    def __init__(self) -> None:
        self._groups = _Groups()
        self._reasons: list[str] = []
        self._counts: Counter[str] = Counter()
        self.exit_code = 0

    def add(self, results: "Sequence[PlantResult]", sent: "Sent") -> None:
        """Add the results of some plants."""
        self.exit_code = max([self.exit_code, *map(_exit_code, results)])
        self._counts.update({"transactions": len(sent.txids), "fees": sent.fees_ustx, "plants": len(results)})
        for result in results:
            self._counts["unknown"] += result.coverage.unknown_slots
            if result.coverage.reason:
                self._note(f"asset {result.asset}: nothing to record: {_for_command(result.coverage.reason)}")
            for recording in result.recordings:
                self._groups.add(recording)
                if recording.reason and not recording.is_on_chain:
                    reason = _for_command(recording.reason)
                    self._note(f"asset {recording.asset_id}, {recording.day} {recording.status}: {reason}")

    def fields(self) -> dict[str, Any]:
        """Return everything as values for JSON."""
        return {"statuses": self._groups.days(), **self._counts}

    def print(self, *, all_days: bool) -> None:  # noqa: ARG002 -- as Details
        """Print one table for all plants."""
        self._groups.print(f"Production of {counted(self._counts['plants'], 'plant')}")
        for reason in self._reasons:
            print_wrapped(reason)
        if (more := self._counts["reasons"] - len(self._reasons)) > 0:
            typer.echo(f"… and {more:,} more: --all-days or --json lists them")
        if self._counts["unknown"]:
            typer.echo(f"left out: {counted(self._counts['unknown'], 'slot')} incomplete in the file")
        _print_costs(self._counts["transactions"], self._counts["fees"])

    def _note(self, reason: str) -> None:
        self._counts["reasons"] += 1
        if len(self._reasons) < _MOST_REASONS:
            self._reasons.append(reason)


def _exit_code(result: "PlantResult") -> int:
    statuses = {str(recording.status) for recording in result.problems}
    if not result.coverage.known_slots:
        return NOTHING_KNOWN
    if not statuses:
        return 0
    return OUTCOME_UNKNOWN if statuses == {"pending"} else NOT_AS_GIVEN


def _fields(recording: "Recording") -> dict[str, Any]:
    return {
        "asset_id": recording.asset_id,
        "day": recording.day.isoformat(),
        "slots": recording.mask.bit_count(),
        "wh": recording.wh,
        "status": str(recording.status),
        "recorded_slots": recording.recorded_mask.bit_count(),
        "error": None if recording.error is None else recording.error.name,
        "reason": _for_command(recording.reason) or None,
        "txids": list(recording.txids),
    }


def _print_costs(transactions: int, fees_ustx: int) -> None:
    typer.echo(f"{counted(transactions, 'transaction')}, {fees_ustx:,} µSTX fees")


def _day(recording: "Recording") -> tuple[object, ...]:
    recorded = recording.recorded_mask.bit_count()
    return (recording.day, recording.mask.bit_count(), recording.wh, recording.status, recorded)


def _remarks(result: "PlantResult", *, estimates: bool) -> "Iterable[str]":
    """Return why some days are not on the chain, and what was left out of the file."""
    reasons = [recording for recording in result.problems if recording.reason]
    for recording in reasons[:_MOST_REASONS]:
        yield f"{recording.day} {recording.status}: {_for_command(recording.reason)}"
    if len(reasons) > _MOST_REASONS:
        yield f"… and {counted(len(reasons) - _MOST_REASONS, 'more day')}: --all-days or --json lists them"
    coverage = result.coverage
    left_out = []
    if coverage.unknown_slots:
        left_out.append(f"{counted(coverage.unknown_slots, 'slot')} incomplete in the file")
    if coverage.empty_days:
        left_out.append(f"{counted(coverage.empty_days, 'day')} without a complete slot")
    if left_out:
        yield f"left out: {', '.join(left_out)}"
    if coverage.estimated_slots:
        what = "recorded as well" if estimates else "left out; --estimates records them"
        yield f"estimates: {counted(coverage.estimated_slots, 'slot')}, {what}"
    for note in result.notes:
        yield f"note: {note}"
    if coverage.reason:
        yield f"nothing to record: {_for_command(coverage.reason)}"


def _for_command(reason: str) -> str:
    from der_client.readings import MeterDataError  # noqa: PLC0415 -- `der --help` stays fast

    return MeterDataError(reason).for_command()
