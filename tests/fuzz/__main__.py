"""Fuzz all targets, one after the other, and report: ``python -m tests.fuzz --runs 250000 --seconds 900``."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz import seeds
from tests.fuzz.targets import TARGETS

MEMORY_MIB = 768
INPUT_SECONDS = 10
LONGEST_INPUT = 4096


def main() -> int:
    """Run with the options of the command line; return the number of targets with a finding."""
    arguments = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    arguments.add_argument("--target", choices=TARGETS, action="append", help="only this one; may be given again")
    arguments.add_argument("--runs", type=int, default=250_000, help="inputs for each target (%(default)s)")
    arguments.add_argument("--seconds", type=int, default=900, help="at most so long for each target (%(default)s)")
    arguments.add_argument("--seed", type=int, default=1, help="of the fuzzer's random numbers (%(default)s)")
    options = arguments.parse_args()
    findings = [
        target
        for target in options.target or TARGETS
        if not fuzz(target, runs=options.runs, seconds=options.seconds, seed=options.seed)
    ]
    sys.stdout.write(f"findings in: {', '.join(findings)}\n" if findings else "no findings\n")
    return len(findings)


def fuzz(target: str, *, runs: int, seconds: int, seed: int) -> bool:
    """Fuzz one target in a separate process; return whether there were no findings."""
    with tempfile.TemporaryDirectory(prefix="der-fuzz-") as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for number, data in enumerate(seeds.of(target)):
            (corpus / f"seed-{number}").write_bytes(data)
        words = Path(folder) / "words"
        words.write_text("".join(f'"{_quoted(word)}"\n' for word in seeds.DICTIONARY))
        findings = Path(tempfile.gettempdir()) / f"der-fuzz-{target}-"
        start = time.monotonic()
        done = subprocess.run(  # noqa: S603 - our own module
            [
                sys.executable,
                "-m",
                "tests.fuzz.run",
                target,
                str(corpus),
                f"-runs={runs}",
                f"-max_total_time={seconds}",
                f"-seed={seed}",
                f"-dict={words}",
                f"-max_len={LONGEST_INPUT}",
                f"-timeout={INPUT_SECONDS}",
                f"-rss_limit_mb={MEMORY_MIB}",
                f"-artifact_prefix={findings}",
                "-print_final_stats=1",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        return _report(target, done, time.monotonic() - start)


def _report(target: str, done: subprocess.CompletedProcess[str], seconds: float) -> bool:
    output = done.stdout + done.stderr
    counts = {name: int(count) for name, count in re.findall(r"stat::(\w+):\s+(\d+)", output)}
    covered = re.findall(r"cov: (\d+)", output)
    sys.stdout.write(
        f"{target}: {counts.get('number_of_executed_units', 0)} inputs in {seconds:.0f} s, "
        f"{covered[-1] if covered else 0} edges, {counts.get('new_units_added', 0)} new kinds of input, "
        f"at most {counts.get('peak_rss_mb', 0)} MiB\n"
    )
    if done.returncode:
        # libFuzzer prints each finding with the exception, and the file that contains the input.
        sys.stdout.write(output[-6000:])
    sys.stdout.flush()
    return not done.returncode


def _quoted(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    sys.exit(main())
