import { defineConfig } from "vitest/config";
import { BaseSequencer } from "vitest/node";

// Vitest begins with the largest files; this one is small, and takes as long as several others.
class LongestFirst extends BaseSequencer {
  async sort(files) {
    const isLongest = ({ moduleId }) => moduleId.endsWith("/rounding.test.js");
    const sorted = await super.sort(files);
    return [...sorted.filter(isLongest), ...sorted.filter((file) => !isLongest(file))];
  }
}

export default defineConfig({
  test: {
    include: ["tests/**/*.test.js"],
    // The VM is one WebAssembly instance a process, of some 300 MB.
    pool: "forks",
    poolOptions: { forks: { minForks: 1, maxForks: 2 } },
    sequence: { sequencer: LongestFirst },
    globalSetup: ["tests/contracts/global-setup.js"],
    // No test depends on speed; a busy machine is no failure.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // The SDK tells of the deployment plan that it wrote, and of every call that it aborts, which the tests expect.
    onConsoleLog: (line) => !/deployment plan|Runtime error while interpreting/.test(line),
  },
});
