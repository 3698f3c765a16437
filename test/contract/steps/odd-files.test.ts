/** Whatever lies below the record directory: it is indexed, quarantined or refused with a reason, and never followed. */
import { execFile } from "node:child_process";
import { mkdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { promisify } from "node:util";

import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { listRejectedFiles } from "../../../src/catalog/rejected-files.js";
import { noteSegment } from "../../../src/ingest/note-hook.js";
import { parsePathName } from "../../../src/core/path-name.js";
import { createFakeClock } from "../../support/fake-clock.js";
import { box, FTYP, u32, u64 } from "../../support/fmp4.js";
import { tempDir } from "../../support/temp-dir.js";
import { type Bench, createBench, useBench } from "./bench.js";
import { footage, nameOf, writeAt } from "./footage.js";

const run = promisify(execFile);
const START_US = Date.UTC(2026, 10, 20, 12) * 1_000;
const CAM1 = parsePathName("cam1");

useBench();

let bench: Bench;

beforeEach(async () => {
  bench = await createBench();
});

function inRecordDir(name: string): string {
  return path.join(bench.recordDir, name);
}

/** A good segment beside the odd ones: it must be archived whatever they are. */
async function addGoodSegment(): Promise<string> {
  const name = nameOf("cam1", START_US);
  await writeAt(bench.clock, inRecordDir(name), footage({ startUs: START_US, number: 0 }), { agoSec: 100 });
  return name;
}

async function expectGoodIsArchived(name: string): Promise<void> {
  const good = (await bench.rows()).find(({ filePath }) => filePath === name);
  expect(good).toMatchObject({ local: "present", archive: "verified", error: null });
}

/** By file path. */
async function rejected(): Promise<Record<string, string>> {
  const files = await listRejectedFiles(bench.catalog, 1_000);
  return Object.fromEntries(files.map(({ filePath, reason }) => [filePath, reason]));
}

const deep = Array.from({ length: 2_000 }).reduce<Buffer>((inner) => box("moov", inner), Buffer.alloc(0));
const NO_MEDIA: readonly (readonly [string, Buffer])[] = [
  ["an empty file", Buffer.alloc(0)],
  ["seven bytes", Buffer.from("1234567")],
  ["garbage", Buffer.alloc(100_000, 0xa5)],
  ["text", Buffer.from("#!/bin/sh\necho not a film\n".repeat(50))],
  ["a truncated moov", footage({ startUs: START_US, number: 0 }).subarray(0, 200)],
  ["a moov of 2^32-1 bytes", Buffer.concat([FTYP, u32(0xffffffff), Buffer.from("moov"), Buffer.alloc(64)])],
  ["a moov of 2^63 bytes", Buffer.concat([FTYP, u32(1), Buffer.from("moov"), u64(2n ** 63n), Buffer.alloc(64)])],
  ["two thousand nested boxes", Buffer.concat([FTYP, deep])],
  ["an init without one fragment", footage({ startUs: START_US, number: 0, seconds: 0 })],
  ["a first fragment that is torn", footage({ startUs: START_US, number: 0, seconds: 1 }).subarray(0, -20)],
];

describe("a file with a segment's name that is no media (F12)", () => {
  it("is quarantined with a reason, stays where it is, and is not looked at again", async () => {
    const good = await addGoodSegment();
    for (const [at, [, content]] of NO_MEDIA.entries()) {
      await writeAt(bench.clock, inRecordDir(nameOf(`odd${at}`, START_US)), content, { agoSec: 100 });
    }
    await bench.scan();
    await bench.drain();
    await expectGoodIsArchived(good);
    const rows = (await bench.rows()).filter(({ filePath }) => filePath !== good);
    expect(rows).toHaveLength(NO_MEDIA.length);
    for (const row of rows) {
      const [what, content] = NO_MEDIA[Number(row.path.slice(3))]!;
      expect({ what, local: row.local, archive: row.archive, step: row.step }).toEqual({
        ...{ what, local: "quarantined", archive: "none", step: null },
      });
      expect(row.error, what).toMatch(/^inspect .+: \w+/);
      expect((await readFile(inRecordDir(row.filePath))).equals(content)).toBe(true);
    }
    const again = await bench.scan();
    expect(again).toMatchObject({ recorded: 0, missing: 0, files: NO_MEDIA.length + 1 });
  });

  it("is quarantined as .ts too, where no header says what it is", async () => {
    const name = nameOf("cam1", START_US).replace(/mp4$/, "ts");
    await writeAt(bench.clock, inRecordDir(name), Buffer.alloc(50_000, 0xa5), { agoSec: 100 });
    await bench.scan();
    await bench.drain();
    const [row] = await bench.rows();
    expect(row).toMatchObject({ format: "mpegts", local: "quarantined", archive: "none", step: null });
    expect(row!.error).not.toBe("");
  });

  it("is looked at again when it was written seconds ago: a network disk may show it late", async () => {
    // It stands still: seconds stay seconds, and the next try comes by the test's hand alone.
    bench = await createBench({ clock: createFakeClock() });
    await writeAt(bench.clock, inRecordDir(nameOf("cam1", START_US)), "not yet whole");
    await noteSegment(bench.ingest, "segment-complete", {
      path: CAM1,
      segmentPath: inRecordDir(nameOf("cam1", START_US)),
    });
    await bench.drain();
    expect((await bench.rows())[0]).toMatchObject({ local: "present", step: "inspect", attempts: 1 });
    await writeAt(bench.clock, inRecordDir(nameOf("cam1", START_US)), footage({ startUs: START_US, number: 0 }));
    await bench.makeDue();
    await bench.drain();
    expect((await bench.rows())[0]).toMatchObject({ local: "present", archive: "verified", error: null });
  });
});

describe("a symbolic link (F47)", () => {
  /** A file outside whose access time tells whether anybody read it. */
  async function canary(directory: string, name: string): Promise<string> {
    const file = path.join(directory, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, footage({ startUs: START_US, number: 0 }));
    await forgetReads(file);
    return file;
  }

  /** With relatime a read is noted when the file was not read since its last change. */
  async function forgetReads(file: string): Promise<void> {
    await utimes(file, 1_000_000_000, 1_700_000_000);
  }

  async function wasRead(file: string): Promise<boolean> {
    return (await stat(file)).atimeMs !== 1_000_000_000_000;
  }

  it("to a file outside is refused and the file is never read", async () => {
    const outside = await canary(await tempDir(), "secret.mp4");
    const name = nameOf("cam1", START_US);
    await mkdir(path.dirname(inRecordDir(name)), { recursive: true });
    await symlink(outside, inRecordDir(name));
    const good = nameOf("cam2", START_US);
    await writeAt(bench.clock, inRecordDir(good), footage({ startUs: START_US, number: 0 }), { agoSec: 100 });
    await bench.scan();
    await bench.drain();
    expect(await wasRead(outside)).toBe(false);
    expect(await rejected()).toEqual({ [name]: "a symbolic link; links are never followed" });
    await expect(
      noteSegment(bench.ingest, "segment-complete", { path: CAM1, segmentPath: inRecordDir(name) }),
    ).rejects.toMatchObject({ kind: "invalid-argument" });
    expect(await wasRead(outside)).toBe(false);
    await expectGoodIsArchived(good);
    // The canary does sing.
    await readFile(outside);
    expect(await wasRead(outside)).toBe(true);
  });

  it("to a directory outside is never entered, by scan or hook", async () => {
    const directory = await tempDir();
    const outside = await canary(directory, nameOf("cam1", START_US).replace("cam1/", ""));
    await forgetReads(path.join(directory, "2026-11-20"));
    await symlink(directory, inRecordDir("cam1"));
    await bench.scan();
    await expect(
      noteSegment(bench.ingest, "segment-complete", {
        path: CAM1,
        segmentPath: inRecordDir(nameOf("cam1", START_US)),
      }),
    ).rejects.toMatchObject({ kind: "invalid-argument" });
    expect(await wasRead(outside)).toBe(false);
    expect(await wasRead(path.join(directory, "2026-11-20"))).toBe(false);
    expect(await bench.rows()).toEqual([]);
    expect(await rejected()).toMatchObject({ cam1: "a symbolic link; links are never followed" });
  });

  it("that takes the place of a recorded file is not followed either, and the row says why", async () => {
    const outside = await canary(await tempDir(), "secret.mp4");
    const name = await addGoodSegment();
    await bench.scan();
    await run("rm", [inRecordDir(name)]);
    await symlink(outside, inRecordDir(name));
    await bench.drain();
    expect(await wasRead(outside)).toBe(false);
    expect((await bench.rows())[0]).toMatchObject({ archive: "none", sha256: null });
    expect((await bench.rows())[0]!.error).toContain("link");
  });
});

describe("what is no regular file (F48)", () => {
  it("is refused with a reason, whatever its name, and nothing waits for it", async () => {
    const [fifo, socket, folder] = ["cam1", "cam2", "cam3"].map((camera) => nameOf(camera, START_US));
    for (const name of [fifo!, socket!, folder!]) await mkdir(path.dirname(inRecordDir(name)), { recursive: true });
    await run("mkfifo", [inRecordDir(fifo!)]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(inRecordDir(socket!), resolve));
    onTestFinished(() => void server.close());
    await mkdir(inRecordDir(folder!));
    const good = nameOf("cam4", START_US);
    await writeAt(bench.clock, inRecordDir(good), footage({ startUs: START_US, number: 0 }), { agoSec: 100 });
    expect(await bench.scan()).toMatchObject({ rejected: 3, recorded: 1 });
    await bench.drain();
    expect(await rejected()).toEqual({
      [fifo!]: "not a regular file (mode 10000)",
      [socket!]: "not a regular file (mode 140000)",
      [folder!]: "a directory with the name of a segment",
    });
    await expect(
      noteSegment(bench.ingest, "segment-complete", { path: CAM1, segmentPath: inRecordDir(fifo!) }),
    ).rejects.toMatchObject({ kind: "invalid-argument" });
    await expectGoodIsArchived(good);
  });
});

describe("odd names (F49)", () => {
  const ODD = [
    "with space.mp4",
    "100%.mp4",
    "a+b#c?.mp4",
    "line\nbreak.mp4",
    `quotes'".mp4`,
    "Überwachung 監視.mp4",
    "-version",
    "--help.mp4",
    `${"x".repeat(251)}.mp4`,
    ".hidden.mp4",
    "$(touch canary).mp4",
  ];

  it("that no recordPath gives are listed as they are, once, and never touched", async () => {
    const good = await addGoodSegment();
    for (const name of ODD) await writeAt(bench.clock, inRecordDir(`cam1/${name}`), "anything", { agoSec: 100 });
    await bench.scan();
    await bench.scan();
    await bench.drain();
    const known = await rejected();
    expect(Object.keys(known).sort()).toEqual(ODD.map((name) => `cam1/${name}`).sort());
    expect(new Set(Object.values(known))).toEqual(new Set(["the name is not of any known recordPath"]));
    expect(bench.log.filter(({ message }) => message.startsWith("file is no segment"))).toHaveLength(ODD.length);
    for (const name of ODD) expect(await readFile(inRecordDir(`cam1/${name}`), "utf8")).toBe("anything");
    await expectGoodIsArchived(good);
  });

  it("that a recordPath does give are indexed, archived and released under exactly that name", async () => {
    const template = `-Aufnahme ü+#'"&\n $x/%path/%s-%f`;
    bench = await createBench({ env: { IMPORT_RECORD_PATHS: template, LOCAL_RETENTION: "0s" } });
    const name = nameOf("cam1", START_US, template);
    const content = footage({ startUs: START_US, number: 0 });
    await writeAt(bench.clock, inRecordDir(name), content, { agoSec: 100 });
    await bench.scan();
    await bench.drain();
    const [row] = await bench.rows();
    expect(row).toMatchObject({ filePath: name, path: "cam1", local: "released", archive: "verified", error: null });
    expect(row!.objectKey).toMatch(/^[!-~]+$/);
    expect((await readFile(path.join(bench.bucketDir, row!.objectKey!))).equals(content)).toBe(true);
    await expect(stat(inRecordDir(name))).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("names that are not UTF-8 (F50)", () => {
  it("are listed once in a readable form, files and folders alike, and the scan goes on", async () => {
    const good = await addGoodSegment();
    const odd = (suffix: string): Buffer =>
      Buffer.concat([Buffer.from(`${bench.recordDir}/cam1/bad`), Buffer.from([0xff, 0xfe]), Buffer.from(suffix)]);
    await writeFile(odd(".mp4"), "anything");
    await mkdir(odd("-folder"));
    await writeFile(Buffer.concat([odd("-folder"), Buffer.from("/inside.mp4")]), "anything");
    await bench.scan();
    await bench.scan();
    await bench.drain();
    expect(await rejected()).toEqual({
      "cam1/bad\\xff\\xfe.mp4": "the name is not UTF-8",
      "cam1/bad\\xff\\xfe-folder": "the name is not UTF-8",
    });
    expect(bench.log.filter(({ message }) => message.startsWith("file is no segment"))).toHaveLength(2);
    await expectGoodIsArchived(good);
  });
});

it("forgets a refused file once it is gone", async () => {
  await writeAt(bench.clock, inRecordDir("cam1/note.txt"), "anything");
  await bench.scan();
  expect(Object.keys(await rejected())).toEqual(["cam1/note.txt"]);
  await run("rm", [inRecordDir("cam1/note.txt")]);
  await bench.scan();
  expect(await rejected()).toEqual({});
});
