import { defineConfig } from "vitest/config";

const REAL_PARTS_TIMEOUT_MS = 180_000;

/** unit: pure, seconds · contract: one suite per contract over every implementation · integration: real parts. */
export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    projects: [
      { extends: true, test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 10_000 } },
      {
        extends: true,
        test: {
          name: "contract",
          globalSetup: ["test/support/obtain-tools.ts"],
          include: ["test/contract/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: REAL_PARTS_TIMEOUT_MS,
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          globalSetup: ["test/support/build-dist.mjs", "test/support/obtain-tools.ts"],
          include: ["test/integration/**/*.test.ts"],
          testTimeout: REAL_PARTS_TIMEOUT_MS,
          hookTimeout: REAL_PARTS_TIMEOUT_MS,
          maxWorkers: 2,
          // After the others: these parts are timed, and Vitest wants one group per number of workers.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
