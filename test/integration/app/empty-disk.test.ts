/** A disk that is not mounted, or another one in its place, where the rows name more files than fit into the memory. */
import { writeFile } from "node:fs/promises";
import path from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { closeCatalog, openCatalog } from "../../../src/catalog/catalog.js";
import { systemClock } from "../../../src/platform/clock.js";
import { SEED, seedRows } from "../../bench/support/seed-rows.js";
import { startApp } from "../../support/app.js";
import { SEALING, SECRET_KEY_LINE } from "../../support/sealing.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait-for.js";

/** All of the first day, which is on disk. Whole rows of so many would need three times the heap. */
const FILES = 140_000;
const HEAP_MIB = 96;

interface ScanView {
  readonly finishedAt: string | null;
  readonly doubted: number;
  readonly missing: number;
}

it(`${FILES} files that are gone at once are doubted, with a heap of ${HEAP_MIB} MiB (F18, F45)`, async () => {
  const directory = await tempDir();
  const file = path.join(directory, "many.sqlite");
  const keyFile = path.join(directory, "secret-keys");
  await writeFile(keyFile, SECRET_KEY_LINE, { mode: 0o600 });
  const target = { kind: "sqlite", file } as const;
  const catalog = await openCatalog({ target, clock: systemClock, nodeId: SEED.nodeId, sealing: SEALING });
  await seedRows(catalog.db, FILES, () => undefined);
  await closeCatalog(catalog);
  const app = await startApp({
    directory,
    env: {
      ...{ DATABASE_URL: `sqlite:${file}`, NODE_ID: SEED.nodeId, SECRET_KEY_FILE: keyFile },
      NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}`,
    },
  });
  onTestFinished(() => app.close());
  const scan = await waitFor(
    "the first scan",
    async () => {
      const view = await app.get<ScanView>("/api/v1/scan");
      return view.finishedAt !== null && view;
    },
    { timeoutMs: 120_000, intervalMs: 200 },
  );
  expect(scan).toMatchObject({ doubted: FILES, missing: 0 });
});
