/** Files that change under the steps, at the worst moments: nothing is proven that is not so, and nothing new is lost. */
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  renameSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import type { ObjectStore } from "../../../src/archive/object-store.js";
import { TRASH_FOLDER } from "../../../src/archive/release-local-copy.js";
import { noteSegment } from "../../../src/ingest/note-hook.js";
import { parsePathName } from "../../../src/core/path-name.js";
import type { Recording } from "../../../src/core/recording.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { type Bench, createBench, useBench } from "./bench.js";
import { footage, fragment, nameOf, oldNameOf, STREAM_A, STREAM_B, writeAt } from "./footage.js";

const START_US = Date.UTC(2026, 10, 20) * 1_000;
const CAM1 = parsePathName("cam1");
const FIRST = footage({ startUs: START_US, number: 0 });
const OTHER = footage({ startUs: START_US, number: 0, streamId: STREAM_B, seconds: 2 });

useBench();

let bench: Bench;
/** What happens right before the next call of the store. */
let before: { head?: () => void; put?: () => void };

beforeEach(() => {
  before = {};
});

function interfering(inner: ObjectStore): ObjectStore {
  const once = (call: "head" | "put"): void => {
    const hook = before[call];
    before = { ...before, [call]: undefined };
    hook?.();
  };
  return {
    ...inner,
    head: (...args) => {
      once("head");
      return inner.head(...args);
    },
    put: (...args) => {
      once("put");
      return inner.put(...args);
    },
  };
}

async function createInterfered(env: Record<string, string> = {}): Promise<void> {
  bench = await createBench({ env, wrapStore: interfering });
}

function inRecordDir(name: string): string {
  return path.join(bench.recordDir, name);
}

async function addSegment(name: string, content: Buffer): Promise<string> {
  await writeAt(bench.clock, inRecordDir(name), content, { agoSec: 100 });
  return inRecordDir(name);
}

async function onlyRow(): Promise<Recording> {
  const rows = await bench.rows();
  expect(rows).toHaveLength(1);
  return rows[0]!;
}

async function objectOf(row: Recording): Promise<Buffer> {
  return readFile(path.join(bench.bucketDir, row.objectKey!));
}

describe("a file that is still being written (F8)", () => {
  let clock: FakeClock;

  beforeEach(async () => {
    clock = createFakeClock(START_US);
    bench = await createBench({ clock });
  });

  it("is neither hashed nor uploaded until MediaMTX has finalised it, however long it takes", async () => {
    const file = inRecordDir(nameOf("cam1", START_US));
    await writeAt(clock, file, footage({ startUs: START_US, number: 0, seconds: 1, finalised: false }));
    for (let second = 1; second <= 70; second += 1) {
      if (second % 10 === 0) await bench.scan();
      await bench.drain();
      await clock.advance(1_000);
      await writeAt(clock, file, fragment(second), { append: true });
    }
    await bench.scan();
    await bench.drain();
    expect(await onlyRow()).toMatchObject({ local: "open", archive: "none", sha256: null, step: "settle" });
    expect(await readdir(bench.bucketDir).catch(() => [])).not.toContain("recordings");
    const whole = await readFile(file);
    footage({ startUs: START_US, number: 0, seconds: 71 }).copy(whole, 0, 0, 400);
    await writeAt(clock, file, whole);
    await clock.advance(31_000);
    await bench.drain();
    const row = await onlyRow();
    expect(row).toMatchObject({ local: "present", archive: "verified", partial: false });
    expect(row.endUs - row.startUs).toBe(71_000_000);
    expect((await objectOf(row)).equals(whole)).toBe(true);
  });

  it("is closed by a later segment of its path once it has been quiet for a moment (a kill -9 and a restart)", async () => {
    const torn = footage({ startUs: START_US, number: 0, seconds: 3, finalised: false });
    await writeAt(clock, inRecordDir(nameOf("cam1", START_US)), torn.subarray(0, -30));
    await bench.scan();
    await bench.drain();
    await clock.advance(3_000);
    expect(await onlyRow()).toMatchObject({ local: "open" });
    const next = footage({ startUs: clock.nowUs(), number: 0, streamId: STREAM_B, finalised: false, seconds: 1 });
    await writeAt(clock, inRecordDir(nameOf("cam1", clock.nowUs())), next);
    await bench.scan();
    await clock.advance(3_000);
    await bench.drain();
    const [first, second] = await bench.rows();
    expect(first).toMatchObject({ local: "present", archive: "verified", partial: true });
    expect(first!.endUs - first!.startUs).toBe(2_000_000);
    expect(second).toMatchObject({ local: "open", archive: "none" });
  });
});

describe("a file that grows", () => {
  it("between its hash and its upload is hashed again: the proof is of what the store got (F9)", async () => {
    await createInterfered();
    const file = await addSegment(nameOf("cam1", START_US), FIRST);
    before = { put: () => appendFileSync(file, fragment(4)) };
    await bench.scan();
    await bench.drain();
    const row = await onlyRow();
    expect(row).toMatchObject({ local: "present", archive: "verified", bytes: FIRST.length + fragment(4).length });
    expect((await objectOf(row)).equals(await readFile(file))).toBe(true);
    expect(row.endUs - row.startUs).toBe(5_000_000);
  });

  it("after its proof is not removed by the old proof; what it is now goes into the store beside it (F9)", async () => {
    await createInterfered({ LOCAL_RETENTION: "1h" });
    const file = await addSegment(nameOf("cam1", START_US), FIRST);
    await bench.scan();
    await bench.drain();
    const firstKey = (await onlyRow()).objectKey!;
    // Not by append: the folder store may share the bytes of a name that cannot come again.
    const grown = Buffer.concat([FIRST, fragment(4)]);
    writeFileSync(`${file}.new`, grown);
    renameSync(`${file}.new`, file);
    await bench.makeDue();
    await bench.drain();
    const row = await onlyRow();
    expect(row).toMatchObject({ local: "present", archive: "verified", bytes: grown.length });
    expect(row.objectKey).not.toBe(firstKey);
    expect((await objectOf(row)).equals(grown)).toBe(true);
    expect((await readFile(path.join(bench.bucketDir, firstKey))).equals(FIRST)).toBe(true);
    expect((await readFile(file)).equals(grown)).toBe(true);
  });
});

describe("a file that goes or shrinks during its upload (F10)", () => {
  it("and is gone is listed as missing, and the rest goes on", async () => {
    await createInterfered();
    const file = await addSegment(nameOf("cam1", START_US), FIRST);
    before = {
      put: () => {
        unlinkSync(file);
      },
    };
    await bench.scan();
    await addSegment(nameOf("cam2", START_US), FIRST);
    await bench.scan();
    await bench.drain();
    expect(bench.scansAskedFor()).toBe(1);
    await bench.scan();
    const [gone, other] = await bench.rows();
    expect(gone).toMatchObject({ local: "missing", step: null });
    expect(gone!.archive).not.toBe("verified");
    expect(other).toMatchObject({ local: "present", archive: "verified" });
  });

  it("and is cut in the middle of the read is hashed again: no object holds a mixture", async () => {
    const big = footage({ startUs: START_US, number: 0, seconds: 40, sampleBytes: 10_000 });
    const half = Math.floor(big.length / 2);
    let cut = false;
    bench = await createBench({
      wrapStore: (inner) => ({
        ...inner,
        put: (key, source, options) =>
          inner.put(key, source, {
            ...options,
            onBytes: (bytes) => {
              if (!cut) truncateSync(source.filePath, half);
              cut = true;
              return options.onBytes?.(bytes);
            },
          }),
      }),
    });
    // A name that MediaMTX could give again is copied, not linked.
    await addSegment(oldNameOf("cam1", START_US), big);
    await bench.scan();
    await bench.drain();
    expect(cut).toBe(true);
    const row = await onlyRow();
    expect(row).toMatchObject({ local: "present", archive: "verified", bytes: half, partial: true });
    expect((await objectOf(row)).equals(big.subarray(0, half))).toBe(true);
  });
});

describe("a name that gets other content between proof and unlink (F11)", () => {
  const name = nameOf("cam1", START_US);
  /** Of the row whose file is released. */
  let id: string;

  /** As MediaMTX does: another recorder, another segment, the same name. */
  function createAgain(file: string): void {
    writeFileSync(`${file}.new`, OTHER);
    utimesSync(`${file}.new`, 1_790_000_000, 1_790_000_000);
    renameSync(`${file}.new`, file);
  }

  async function releaseWhile(interfere: (file: string) => void): Promise<void> {
    await createInterfered({ LOCAL_RETENTION: "1h" });
    const file = await addSegment(name, FIRST);
    await bench.scan();
    await bench.drain();
    const row = await onlyRow();
    expect(row).toMatchObject({ archive: "verified", step: "release" });
    id = row.id;
    interfere(file);
    await bench.makeDue();
    await bench.drain();
  }

  async function expectBothKept(): Promise<void> {
    expect((await readFile(inRecordDir(name))).equals(OTHER)).toBe(true);
    await bench.scan();
    await bench.drain();
    const rows = await bench.rows();
    expect(rows.map(({ position }) => position!.streamId).sort()).toEqual([STREAM_A, STREAM_B]);
    expect(rows.every(({ archive }) => archive === "verified")).toBe(true);
    const contents = await Promise.all(rows.map(objectOf));
    for (const content of [FIRST, OTHER]) expect(contents.some((object) => object.equals(content))).toBe(true);
  }

  it("keeps the new content when it comes before the last HEAD, and the archived recording stays listed", async () => {
    await releaseWhile((file) => (before = { head: () => createAgain(file) }));
    await expectBothKept();
  });

  it("keeps the new content when it comes between the last look and the rename", async () => {
    await releaseWhile((file) => {
      let done = false;
      bench.catalog.db.on("query", ({ sql }: { sql: string }) => {
        if (done || !/^insert into .removals/.test(sql)) return;
        done = true;
        createAgain(file);
      });
    });
    await expectBothKept();
  });

  it("keeps the new content when a crash left the old one in the trash", async () => {
    await releaseWhile((file) => {
      bench.catalog.db.on("query", ({ sql }: { sql: string }) => {
        if (!/^insert into .removals/.test(sql)) return;
        const trash = path.join(bench.recordDir, TRASH_FOLDER);
        mkdirSync(trash, { recursive: true });
        renameSync(file, path.join(trash, `${id}.mp4`));
        createAgain(file);
      });
    });
    await expectBothKept();
    expect(await readdir(path.join(bench.recordDir, TRASH_FOLDER))).toEqual([]);
  });

  it("keeps the new content under its name alone when a crash left it there and in the trash", async () => {
    await releaseWhile((file) => {
      bench.catalog.db.on("query", ({ sql }: { sql: string }) => {
        if (!/^insert into .removals/.test(sql)) return;
        const trash = path.join(bench.recordDir, TRASH_FOLDER);
        mkdirSync(trash, { recursive: true });
        createAgain(file);
        linkSync(file, path.join(trash, `${id}.mp4`));
      });
    });
    await expectBothKept();
    expect(await readdir(path.join(bench.recordDir, TRASH_FOLDER))).toEqual([]);
  });
});

describe("two segments of the same name (F35)", () => {
  it("are both kept: MediaMTX's truncation of the first does not reach its object", async () => {
    await createInterfered();
    const name = oldNameOf("cam1", START_US);
    const file = await addSegment(name, FIRST);
    await bench.scan();
    await bench.drain();
    const first = await onlyRow();
    // O_TRUNC on the same inode, as MediaMTX creates it.
    writeFileSync(file, OTHER);
    await noteSegment(bench.ingest, "segment-complete", { path: CAM1, segmentPath: file });
    await bench.drain();
    const rows = await bench.rows();
    expect(rows).toHaveLength(2);
    const [old, young] = rows[0]!.id === first.id ? rows : rows.reverse();
    expect(old).toMatchObject({ local: "missing", archive: "verified", objectKey: first.objectKey });
    expect(young).toMatchObject({ local: "present", archive: "verified" });
    expect((await objectOf(old!)).equals(FIRST)).toBe(true);
    expect((await objectOf(young!)).equals(OTHER)).toBe(true);
  });
});

it("looks at a proven file again when only its times changed, and releases it by the same proof", async () => {
  await createInterfered({ LOCAL_RETENTION: "1h" });
  const file = await addSegment(nameOf("cam1", START_US), FIRST);
  await bench.scan();
  await bench.drain();
  const { objectKey, verifiedAtUs } = await onlyRow();
  utimesSync(file, 1_790_000_000, 1_790_000_000);
  await bench.scan();
  await bench.drain();
  expect(await onlyRow()).toMatchObject({ archive: "verified", objectKey, verifiedAtUs, step: "release" });
  await bench.makeDue();
  await bench.drain();
  expect(await onlyRow()).toMatchObject({ local: "released" });
  await expect(stat(file)).rejects.toMatchObject({ code: "ENOENT" });
});
