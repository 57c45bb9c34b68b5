import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.js"],
    // The VM is one WebAssembly instance a process, of some 300 MB.
    pool: "forks",
    poolOptions: { forks: { minForks: 1, maxForks: 2 } },
    globalSetup: ["tests/contracts/global-setup.js"],
    // No test depends on speed; a busy machine is no failure.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // The SDK tells of the deployment plan that it wrote, and of every call that it aborts, which the tests expect.
    onConsoleLog: (line) => !/deployment plan|Runtime error while interpreting/.test(line),
  },
});
