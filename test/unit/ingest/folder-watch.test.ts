/** The watch over a real directory: what it sees, how soon, and where it does not look. */
import { watch } from "node:fs";
import { appendFile, mkdir, rename, symlink, writeFile } from "node:fs/promises";
import path from "node:path";

import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { FolderWatch } from "../../../src/ingest/folder-watch.js";
import { silentLogger } from "../../../src/platform/logger.js";
import { type Clock, systemClock } from "../../../src/platform/clock.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait-for.js";

let recordDir: string;
let seen: string[];

beforeEach(async () => {
  recordDir = await tempDir();
  seen = [];
});

interface WatchOptions {
  readonly hooksAreAlive?: () => boolean;
  readonly clock?: Clock;
}

async function startWatch(options: WatchOptions = {}): Promise<void> {
  const watch = new FolderWatch({
    recordDir,
    logger: silentLogger,
    clock: options.clock ?? systemClock,
    hooksAreAlive: options.hooksAreAlive ?? (() => false),
    onFile: (filePath) => {
      seen.push(filePath);
      return Promise.resolve();
    },
  });
  await watch.start();
  onTestFinished(() => watch.stop());
}

/** How long a file was left alone is told by the test, however slow the machine; how old folders are is not. */
function standingClock() {
  const clock = createFakeClock();
  return { ...clock, nowUs: () => systemClock.nowUs() };
}

/** Resolves once all who watch the folder have been told of what `change` does. */
async function noticed(folder: string, change: () => Promise<void>): Promise<void> {
  let tell: () => void = () => undefined;
  const told = new Promise<void>((resolve) => (tell = resolve));
  const witness = watch(path.join(recordDir, folder), () => tell());
  onTestFinished(() => witness.close());
  await change();
  await told;
}

/** Time goes on until the watch tells of it. */
function leftAlone(clock: FakeClock, name: string): Promise<true> {
  return waitFor("the file", async () => {
    await clock.advance(50);
    return seen.includes(name);
  });
}

/** The watch looks every tenth of a second whether a file was left alone. */
function aLook(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 150));
}

async function write(name: string): Promise<void> {
  await mkdir(path.dirname(path.join(recordDir, name)), { recursive: true });
  await writeFile(path.join(recordDir, name), "media");
}

describe("the watch", () => {
  it("tells of a file once it was left alone for a moment, and not before", async () => {
    await mkdir(path.join(recordDir, "cam1"));
    const clock = standingClock();
    await startWatch({ clock });
    for (let round = 0; round < 5; round += 1) {
      await noticed("cam1", () => appendFile(path.join(recordDir, "cam1", "a.mp4"), "media"));
      await clock.advance(200);
      await aLook();
      expect(seen).toEqual([]);
    }
    await leftAlone(clock, "cam1/a.mp4");
    expect(seen).toEqual(["cam1/a.mp4"]);
  });

  it("sees files in folders that are made later, several deep at once", async () => {
    await startWatch();
    await write("site/gate/2026-11-20/1-0.mp4");
    await write("site/gate/2026-11-21/2-0.ts");
    const both = ["site/gate/2026-11-20/1-0.mp4", "site/gate/2026-11-21/2-0.ts"];
    await waitFor("both files", () => both.every((name) => seen.includes(name)));
    await write("site/gate/2026-11-21/3-0.mp4");
    await waitFor("the third", () => seen.includes("site/gate/2026-11-21/3-0.mp4"));
  });

  it("sees a file that was moved in", async () => {
    await mkdir(path.join(recordDir, "cam1"));
    await write("elsewhere.tmp");
    await startWatch();
    await rename(path.join(recordDir, "elsewhere.tmp"), path.join(recordDir, "cam1", "a.mp4"));
    await waitFor("the file", () => seen.includes("cam1/a.mp4"));
  });

  it("says nothing of what is no segment, nor of our own folder", async () => {
    await mkdir(path.join(recordDir, ".reelkeeper", "trash"), { recursive: true });
    await startWatch();
    await write(".reelkeeper/trash/x.mp4");
    await write("cam1/note.txt");
    await write("cam1/a.mp4");
    await waitFor("the segment", () => seen.includes("cam1/a.mp4"));
    // Told twice where its making and its bytes came apart.
    expect(new Set(seen)).toEqual(new Set(["cam1/a.mp4"]));
  });

  it("follows no link that leads out of the record directory (F47)", async () => {
    const outside = await tempDir();
    await writeFile(path.join(outside, "before.mp4"), "media");
    await startWatch();
    await symlink(outside, path.join(recordDir, "link"));
    await write("cam1/first.mp4");
    await waitFor("a file that is made later", () => seen.includes("cam1/first.mp4"));
    await writeFile(path.join(outside, "after.mp4"), "media");
    await write("cam1/second.mp4");
    await waitFor("another", () => seen.includes("cam1/second.mp4"));
    expect(seen.filter((name) => name.startsWith("link/"))).toEqual([]);
  });

  it("waits longer while hooks do come, which tell the same", async () => {
    await mkdir(path.join(recordDir, "cam1"));
    let alive = true;
    const clock = standingClock();
    await startWatch({ hooksAreAlive: () => alive, clock });
    await noticed("cam1", () => write("cam1/a.mp4"));
    await clock.advance(1_000);
    await aLook();
    expect(seen).toEqual([]);
    alive = false;
    await leftAlone(clock, "cam1/a.mp4");
  });
});
