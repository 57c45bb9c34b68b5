// Vitest global setup: gathers the coverage of all contract test files and prints it at the end of the run.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sumCoverage } from "./coverage.js";

export default function setup() {
  const folder = mkdtempSync(join(tmpdir(), "der-coverage-"));
  process.env.DER_CONTRACT_COVERAGE = folder;
  return () => {
    const sums = sumCoverage(folder);
    rmSync(folder, { recursive: true, force: true });
    if (sums.length > 0) process.stdout.write(`${table(sums)}\n`);
  };
}

function table(sums) {
  const rows = sums.map(({ contract, lines, missed }) => {
    const share = ((100 * (lines - missed.length)) / lines).toFixed(1);
    const where = missed.length > 0 ? `  missed: ${ranges(missed)}` : "";
    return `${contract.padEnd(22)} ${`${lines - missed.length}/${lines}`.padStart(9)} ${share.padStart(6)} %${where}`;
  });
  return ["", "Line coverage of the contracts", ...rows].join("\n");
}

// "5, 8-10" for 5, 8, 9, 10; a long list is cut short.
function ranges(lines, most = 12) {
  const found = [];
  for (const line of lines) {
    const last = found.at(-1);
    if (last && line === last.end + 1) last.end = line;
    else found.push({ start: line, end: line });
  }
  const texts = found.map(({ start, end }) => (start === end ? `${start}` : `${start}-${end}`));
  return texts.length > most ? `${texts.slice(0, most).join(", ")}, …` : texts.join(", ");
}
