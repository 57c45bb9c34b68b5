import { defineConfig } from "vitest/config";
import { BaseSequencer } from "vitest/node";

// Vitest starts with the largest files. This file is small, but takes as long as several others.
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
    // Each process has one WebAssembly instance of the VM, which takes about 300 MB.
    pool: "forks",
    poolOptions: { forks: { minForks: 1, maxForks: 2 } },
    sequence: { sequencer: LongestFirst },
    globalSetup: ["tests/contracts/global-setup.js"],
    // No test depends on speed, so a busy machine must not fail tests.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Hides the SDK's messages about its deployment plan and about aborted calls, which the tests expect.
    onConsoleLog: (line) => !/deployment plan|Runtime error while interpreting/.test(line),
  },
});
