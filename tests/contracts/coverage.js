// Coverage of the contracts: each test file records what its chains executed, and the end of the run adds it up.
import { randomUUID } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

// The hits of this process: contract → {lines: line → times run, branches: "line branch" → times taken}.
const hits = {};

const add = (counts, place, count) => (counts[place] = (counts[place] ?? 0) + count);

/** Adds an lcov report to what this process has recorded. */
export function recordCoverage(lcov) {
  let contract;
  for (const record of lcov.split("\n")) {
    const [tag, value = ""] = record.split(/:(.*)/s);
    const fields = value.split(",");
    if (tag === "SF") contract = hits[basename(value, ".clar")] ??= { lines: {}, branches: {} };
    else if (tag === "DA") add(contract.lines, fields[0], Number(fields[1]));
    // A branch of a line that was never reached counts as "-".
    else if (tag === "BRDA") add(contract.branches, fields.slice(0, 3).join(" "), Number(fields[3]) || 0);
  }
}

/** Saves this process's hits for the end of the run. */
export function writeCoverage() {
  writeFileSync(join(process.env.DER_CONTRACT_TESTS, `${randomUUID()}.json`), JSON.stringify(hits));
}

/** Adds up the reports in the folder; returns {contract, lines, branches} of each contract, with totals and misses. */
export function sumCoverage(folder) {
  const sums = {};
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
    for (const [contract, counts] of Object.entries(JSON.parse(readFileSync(join(folder, file), "utf8")))) {
      const sum = (sums[contract] ??= { lines: {}, branches: {} });
      for (const kind of ["lines", "branches"]) {
        for (const [place, count] of Object.entries(counts[kind])) add(sum[kind], place, count);
      }
    }
  }
  const share = (counts) => ({
    total: Object.keys(counts).length,
    // A missed branch is reported by its line.
    missed: Object.keys(counts)
      .filter((place) => counts[place] === 0)
      .map((place) => Number(place.split(" ")[0])),
  });
  return Object.entries(sums).map(([contract, { lines, branches }]) => ({
    contract,
    lines: share(lines),
    branches: share(branches),
  }));
}
