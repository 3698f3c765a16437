import { defineConfig } from "vitest/config";

const PART_TIMEOUT_MS = 30 * 60_000;

/** One part after the other: what is timed has the machine for itself. */
export default defineConfig({
  test: {
    root: new URL("../..", import.meta.url).pathname,
    globalSetup: ["test/support/build-dist.mjs", "test/support/obtain-tools.ts"],
    include: ["test/bench/*.bench.ts"],
    testTimeout: PART_TIMEOUT_MS,
    hookTimeout: PART_TIMEOUT_MS,
    fileParallelism: false,
    disableConsoleIntercept: true,
  },
});
