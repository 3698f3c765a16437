/** When scans run: at start, at the interval, when asked; one at a time, and a failure is told and tried again. */
import { mkdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";

import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { type Catalog, closeCatalog, openCatalog } from "../../../src/catalog/catalog.js";
import { listRejectedFiles } from "../../../src/catalog/rejected-files.js";
import { Scanner } from "../../../src/ingest/scanner.js";
import { silentLogger } from "../../../src/platform/logger.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { SEALING } from "../../support/sealing.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait-for.js";

const INTERVAL_MS = 180_000;

let clock: FakeClock;
let catalog: Catalog;
let recordDir: string;
let scanner: Scanner;

beforeEach(async () => {
  clock = createFakeClock();
  recordDir = path.join(await tempDir(), "recordings");
  await mkdir(recordDir);
  catalog = await openCatalog({
    target: { kind: "sqlite", file: path.join(await tempDir({ inMemory: true }), "catalog.sqlite") },
    clock,
    nodeId: "node-1",
    sealing: SEALING,
  });
  onTestFinished(() => closeCatalog(catalog));
  scanner = new Scanner(
    {
      ...{ catalog, logger: silentLogger, recordDir, quietMs: 60_000 },
      wake: () => undefined,
      mayMarkMissing: () => Promise.resolve(true),
      decodeName: () => undefined,
      readHead: () => Promise.resolve(null),
      serverStartedAtUs: () => null,
    },
    INTERVAL_MS,
  );
});

async function rejected(): Promise<string[]> {
  return (await listRejectedFiles(catalog, 10)).map(({ filePath }) => filePath);
}

function finished(): Promise<number> {
  return waitFor("the scan to finish", () => scanner.state.finishedAtUs ?? undefined);
}

describe("the scanner", () => {
  it("scans at start and again at each interval", async () => {
    await writeFile(path.join(recordDir, "a.txt"), "");
    scanner.start();
    onTestFinished(() => scanner.stop());
    const firstUs = await finished();
    expect(await rejected()).toEqual(["a.txt"]);
    await writeFile(path.join(recordDir, "b.txt"), "");
    await waitFor("the scanner to sleep", () => clock.sleepers() === 1);
    await clock.advance(INTERVAL_MS - 1);
    expect(scanner.state.finishedAtUs).toBe(firstUs);
    await clock.advance(1);
    await waitFor("the next scan", () => (scanner.state.finishedAtUs ?? 0) > firstUs);
    expect(await rejected()).toEqual(["a.txt", "b.txt"]);
  });

  it("scans at once when asked", async () => {
    scanner.start();
    onTestFinished(() => scanner.stop());
    await finished();
    await writeFile(path.join(recordDir, "a.txt"), "");
    scanner.request();
    await waitFor("the scan that was asked for", async () => (await rejected()).length === 1);
    expect(clock.monotonicMs()).toBe(0);
  });

  it("tells a failure in its state, and the next scan clears it", async () => {
    await rename(recordDir, `${recordDir}.away`);
    expect((await scanner.scanOnce()).error).toContain("ENOENT");
    await rename(`${recordDir}.away`, recordDir);
    expect(await scanner.scanOnce()).toMatchObject({ error: null, running: false });
  });

  it("ends with the process: stop waits for the running scan to leave off", async () => {
    for (let number = 0; number < 50; number += 1) await mkdir(path.join(recordDir, String(number)));
    scanner.start();
    await scanner.stop();
    expect(scanner.state.running).toBe(false);
  });
});
