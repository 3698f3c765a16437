/** The parts of `npm run bench` that take seconds in their quick size still work. What they measure is not judged. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { startChild } from "../../support/child.js";
import { PATIENCE } from "../../support/patience.js";
import { tempDir } from "../../support/temp-dir.js";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const PARTS = ["hooks", "lists", "mediamtx-list", "probe"];
const REPORTS = ["hooks", "lists-postgres", "lists-sqlite", "mediamtx-list", "probe"];
/** About 45 s on a machine that does nothing else. */
const TEST_TIMEOUT_MS = 120_000 * PATIENCE;

it(
  `runs ${PARTS.join(", ")} and writes down what they measured`,
  async () => {
    const directory = await tempDir();
    const vitest = path.join(ROOT, "node_modules", "vitest", "vitest.mjs");
    const config = path.join(ROOT, "test", "bench", "vitest.config.ts");
    const child = await startChild(
      process.execPath,
      [vitest, "run", "--config", config, ...PARTS.map((part) => `test/bench/${part}`)],
      { cwd: ROOT, env: { ...process.env, BENCH_QUICK: "1", BENCH_DIR: directory } },
    );
    onTestFinished(() => void child.stop("SIGKILL"));
    expect(await child.exited, child.output()).toBe(0);
    expect((await readdir(directory)).sort()).toEqual(REPORTS.map((part) => `${part}.json`));
    for (const part of REPORTS) {
      const lines = JSON.parse(await readFile(path.join(directory, `${part}.json`), "utf8")) as { value: number }[];
      expect(lines.length).toBeGreaterThan(0);
      expect(lines.filter(({ value }) => !Number.isFinite(value))).toEqual([]);
    }
  },
  TEST_TIMEOUT_MS,
);
