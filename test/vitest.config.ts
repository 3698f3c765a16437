import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

import { ONCE_MORE, PATIENCE } from "./support/patience.js";

/** The soak takes ten minutes beside the others; begun last, everything would wait for it. */
class SoakFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isSoak = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith("/soak.test.ts");
    const sorted = await super.sort(files);
    return [...sorted.filter(isSoak), ...sorted.filter((file) => !isSoak(file))];
  }
}

const REAL_PARTS_TIMEOUT_MS = 180_000 * PATIENCE;

/** unit: pure, seconds · contract: one suite per contract over every implementation · integration: real parts. */
export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    // By itself Vitest would leave one of two processors idle.
    maxWorkers: 2,
    sequence: { sequencer: SoakFirst },
    projects: [
      { extends: true, test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 10_000 * PATIENCE } },
      {
        extends: true,
        test: {
          name: "contract",
          globalSetup: ["test/support/obtain-tools.ts"],
          include: ["test/contract/**/*.test.ts"],
          testTimeout: 60_000 * PATIENCE,
          retry: ONCE_MORE,
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
          retry: ONCE_MORE,
          hookTimeout: REAL_PARTS_TIMEOUT_MS,
          // After the others: these parts start whole programs.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
