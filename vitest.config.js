import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.js"],
    // Each process has one WebAssembly instance of the VM, which takes about 300 MB.
    pool: "forks",
    poolOptions: { forks: { minForks: 1, maxForks: 2 } },
    globalSetup: ["tests/contracts/global-setup.js"],
    // No test depends on speed, so a busy machine must not fail tests.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Hides the SDK's messages about its deployment plan and about aborted calls, which the tests expect.
    onConsoleLog: (line) => !/deployment plan|Runtime error while interpreting/.test(line),
  },
});
