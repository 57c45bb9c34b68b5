// Vitest's global setup: creates a temporary folder for the contract tests, and prints their coverage after the run.
// A run of all tests fails if a line or branch of a contract was never reached.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sumCoverage } from "./coverage.js";

export default function setup({ vitest, config }) {
  const folder = mkdtempSync(join(tmpdir(), "der contract tests "));
  process.env.DER_CONTRACT_TESTS = folder;
  return () => {
    const sums = sumCoverage(folder);
    rmSync(folder, { recursive: true, force: true });
    if (sums.length > 0) process.stdout.write(`${table(sums)}\n`);
    const ranAll = !vitest.filenamePattern?.length && !config.testNamePattern;
    const isCovered = sums.every(({ lines, branches }) => lines.missed.length + branches.missed.length === 0);
    if (!ranAll || isCovered) return;
    process.stderr.write("\nA contract has lines or branches that no test reaches, see above.\n");
    process.exitCode = 1;
  };
}

function table(sums) {
  const share = ({ total, missed }) => {
    const percent = ((100 * (total - missed.length)) / total).toFixed(1);
    return `${`${total - missed.length}/${total}`.padStart(9)} ${percent.padStart(5)} %`;
  };
  const rows = sums.map(({ contract, lines, branches }) => {
    const missed = [...new Set([...lines.missed, ...branches.missed])].sort((a, b) => a - b);
    const where = missed.length > 0 ? `   missed: ${ranges(missed)}` : "";
    return `${contract.padEnd(22)} ${share(lines)}  ${share(branches)}${where}`;
  });
  return ["", `Coverage of the contracts ${"lines".padStart(13)} ${"branches".padStart(18)}`, ...rows].join("\n");
}

// Returns "5, 8-10" for 5, 8, 9, 10; a long list is truncated.
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
