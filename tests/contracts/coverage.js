// Line coverage of the contracts: each test file takes down the lines its chains ran, the end of the run adds them up.
import { randomUUID } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const reports = process.env.DER_CONTRACT_COVERAGE;

// contract → line → times run, of this process
const hits = {};

/** Adds an lcov report to what this process has recorded. */
export function recordCoverage(lcov) {
  let lines;
  for (const record of lcov.split("\n")) {
    const [tag, value = ""] = record.split(/:(.*)/s);
    if (tag === "SF") lines = hits[basename(value, ".clar")] ??= {};
    else if (tag === "DA") {
      const [line, count] = value.split(",").map(Number);
      lines[line] = (lines[line] ?? 0) + count;
    }
  }
}

/** Leaves this process's hits for the end of the run. */
export function writeCoverage() {
  if (reports) writeFileSync(join(reports, `${randomUUID()}.json`), JSON.stringify(hits));
}

/** Of each contract of the folder's reports: lines that can run, and those that never did. */
export function sumCoverage(folder) {
  const sums = {};
  for (const file of readdirSync(folder)) {
    for (const [contract, lines] of Object.entries(JSON.parse(readFileSync(join(folder, file), "utf8")))) {
      const sum = (sums[contract] ??= {});
      for (const [line, count] of Object.entries(lines)) sum[line] = (sum[line] ?? 0) + count;
    }
  }
  return Object.entries(sums).map(([contract, lines]) => ({
    contract,
    lines: Object.keys(lines).length,
    missed: Object.keys(lines).filter((line) => lines[line] === 0).map(Number),
  }));
}
