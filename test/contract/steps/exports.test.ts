/** Exports of recordings that a real MediaMTX made, through the product's own clip writer and folder store. */
import { createHash } from "node:crypto";
import { cp, readdir, readFile, utimes } from "node:fs/promises";
import path from "node:path";

import { describe, expect, it, onTestFinished } from "vitest";

import type { ObjectStore } from "../../../src/archive/object-store.js";
import { findExport } from "../../../src/catalog/exports.js";
import { AppError } from "../../../src/core/errors.js";
import type { Export, ExportId, ExportState } from "../../../src/core/export.js";
import { parseRfc3339 } from "../../../src/core/instant.js";
import { isHousekeepingKey } from "../../../src/core/object-key.js";
import { parsePathName } from "../../../src/core/path-name.js";
import type { Exports } from "../../../src/playback/exports.js";
import { GrowingFiles } from "../../../src/playback/growing-files.js";
import type { PlaybackDeps } from "../../../src/playback/playback-deps.js";
import { writeClip } from "../../../src/playback/write-clip.js";
import { aborted } from "../../../src/platform/signals.js";
import { createExports } from "../../../src/wiring/create-exports.js";
import { createPlayback } from "../../../src/wiring/create-playback.js";
import { waitFor } from "../../support/wait-for.js";
import { type Bench, createBench, useBench } from "./bench.js";

const FIXTURE_DIR = path.resolve(import.meta.dirname, "../../fixtures/recordings/v1.20.1/h264-aac");
const REQUEST = {
  path: parsePathName("h264-aac"),
  fromUs: parseRfc3339("2026-11-20T17:04:45Z"),
  toUs: parseRfc3339("2026-11-20T17:05:03Z"),
  format: "mp4",
  gaps: "keep",
  keepUs: 3_600_000_000,
} as const;
const FFMPEG = { configuredPath: null, env: process.env };
const NOBODY = "00000000-0000-4000-8000-000000000000" as ExportId;

useBench();

interface Scene {
  readonly bench: Bench;
  readonly exports: Exports;
  readonly playback: PlaybackDeps;
  /** As another process on the same rows, after this one was stopped. */
  readonly again: () => Exports;
  readonly until: (id: ExportId, state: ExportState) => Promise<Export>;
  readonly objects: () => Promise<string[]>;
  readonly inTheMaking: () => Promise<string[]>;
}

interface SceneOptions {
  readonly wrapStore?: (inner: ObjectStore) => ObjectStore;
  readonly wrapPlayback?: (inner: PlaybackDeps) => PlaybackDeps;
  readonly assertMayRemove?: () => Promise<void>;
}

async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const bench = await createBench();
  const directory = path.join(bench.recordDir, "h264-aac");
  await cp(FIXTURE_DIR, directory, { recursive: true });
  for (const name of await readdir(directory)) await utimes(path.join(directory, name), 1.7e9, 1.7e9);
  await bench.scan();
  await bench.drain();
  await bench.stopWorker();
  const store = options.wrapStore?.(bench.store) ?? bench.store;
  const growing = new GrowingFiles(bench.recordDir, FFMPEG);
  const plain = createPlayback(bench.recordDir, { catalog: bench.catalog, store, ffmpeg: FFMPEG, growing });
  const playback = options.wrapPlayback?.(plain) ?? plain;
  const guard = { assertMayRemove: options.assertMayRemove ?? (() => Promise.resolve()) };
  const again = (): Exports => {
    const exports = createExports(bench.setup, { playback, store, guard, onBytes: () => () => undefined });
    onTestFinished(() => exports.stop());
    return exports;
  };
  const namesIn = (directoryName: string) => readdir(directoryName).catch(() => [] as string[]);
  return {
    bench,
    playback,
    again,
    exports: again(),
    until: (id, state) =>
      waitFor(`the export to be ${state}`, async () => {
        const job = await findExport(bench.catalog, id);
        return job?.state === state && job;
      }),
    objects: () => namesIn(path.join(bench.bucketDir, bench.setup.config.storage.prefix, "~exports")),
    inTheMaking: () => namesIn(path.join(bench.root, "exports")),
  };
}

/** Reads of recordings wait until they are let go. */
function gate() {
  let letGo: () => void = () => undefined;
  let isOpen = false;
  const open = new Promise<void>((resolve) => (letGo = resolve)).then(() => void (isOpen = true));
  const counted = { now: 0, most: 0 };
  const wrapPlayback = (inner: PlaybackDeps): PlaybackDeps => ({
    ...inner,
    openReader: async (recording, signal) => {
      counted.now += 1;
      counted.most = Math.max(counted.most, counted.now);
      try {
        if (!isOpen) await Promise.race([open, aborted(signal)]);
        signal.throwIfAborted();
        return await inner.openReader(recording, signal);
      } finally {
        counted.now -= 1;
      }
    },
  });
  return { wrapPlayback, letGo: () => letGo(), counted };
}

describe("an export", () => {
  it.each(["mp4", "fmp4"] as const)(
    "is the %s clip of its range in the store, hashed, and nothing on disk",
    async (format) => {
      const { bench, exports, playback, until, objects, inTheMaking } = await openScene();
      await exports.start();
      const { id } = await exports.submit({ ...REQUEST, format });
      const done = await until(id, "done");
      const clip = await writeClip(playback, { ...REQUEST, format }, new AbortController().signal);
      const chunks: Buffer[] = [];
      for await (const chunk of clip.stream as AsyncIterable<Buffer>) chunks.push(chunk);
      const expected = Buffer.concat(chunks);
      const object = await readFile(path.join(bench.bucketDir, done.objectKey!));
      expect(object.equals(expected)).toBe(true);
      expect(done).toMatchObject({
        bytes: expected.length,
        writtenBytes: expected.length,
        sha256: createHash("sha256").update(expected).digest("hex"),
        startUs: clip.startUs,
        endUs: clip.endUs,
        attempts: 1,
        error: null,
      });
      expect(done.expiresAtUs! - bench.clock.nowUs()).toBeGreaterThan(3_500_000_000);
      expect(done.expiresAtUs! - bench.clock.nowUs()).toBeLessThanOrEqual(3_600_000_000);
      expect(await objects()).toHaveLength(1);
      expect(await inTheMaking()).toEqual([]);
      // Neither a rebuild nor verify takes it for a recording.
      expect(isHousekeepingKey(bench.setup.config.storage.prefix, done.objectKey!)).toBe(true);
    },
  );

  it("is made two at once, and the others in their turn", async () => {
    const { wrapPlayback, letGo, counted } = gate();
    const { exports, until } = await openScene({ wrapPlayback });
    await exports.start();
    const jobs: Export[] = [];
    for (let index = 0; index < 5; index += 1) jobs.push(await exports.submit(REQUEST));
    await waitFor("two at work", () => counted.now === 2);
    await until(jobs[0]!.id, "running");
    await until(jobs[1]!.id, "running");
    for (const { id } of jobs.slice(2)) await until(id, "queued");
    expect(counted.most).toBe(2);
    letGo();
    for (const { id } of jobs) await until(id, "done");
  });

  it("begins again when a restart interrupts it", async () => {
    const { wrapPlayback, letGo, counted } = gate();
    const { exports, again, until, objects, inTheMaking } = await openScene({ wrapPlayback });
    await exports.start();
    const { id } = await exports.submit(REQUEST);
    await waitFor("it to be at work", () => counted.now === 1);
    await exports.stop();
    await until(id, "running");
    expect(await inTheMaking()).toEqual([]);
    letGo();
    await again().start();
    expect(await until(id, "done")).toMatchObject({ attempts: 2, error: null });
    expect(await objects()).toHaveLength(1);
  });

  it("begins again when it died between the object and its row, and keeps one object", async () => {
    const { bench, playback, exports, until, objects } = await openScene();
    await exports.start();
    const { id } = await exports.submit(REQUEST);
    await until(id, "done");
    await exports.stop();
    await bench.catalog.db("exports").update({ state: "running", sha256: null, bytes: null });
    const next = createExports(bench.setup, {
      playback,
      store: bench.store,
      guard: { assertMayRemove: () => Promise.reject(new Error("nothing is to be removed")) },
      onBytes: () => () => undefined,
    });
    onTestFinished(() => next.stop());
    await next.start();
    expect(await until(id, "done")).toMatchObject({ attempts: 2 });
    expect(await objects()).toHaveLength(1);
  });

  it("ends when it is cancelled, waiting or at work, and leaves nothing behind", async () => {
    const { wrapPlayback, letGo, counted } = gate();
    const { bench, exports, until, objects, inTheMaking } = await openScene({ wrapPlayback });
    await exports.start();
    const jobs = [];
    for (let index = 0; index < 3; index += 1) jobs.push(await exports.submit(REQUEST));
    const [first, second, waiting] = jobs as [Export, Export, Export];
    await waitFor("two at work", () => counted.now === 2);
    expect(await exports.cancel(first.id)).toMatchObject({ state: "cancelled" });
    // The other one of the two takes the place: cancel it while it waits.
    await exports.cancel(waiting.id);
    letGo();
    await until(second.id, "done");
    await waitFor("nothing to be at work", () => counted.now === 0);
    expect(await findExport(bench.catalog, first.id)).toMatchObject({ state: "cancelled", sha256: null });
    expect(await findExport(bench.catalog, waiting.id)).toMatchObject({ state: "cancelled", sha256: null });
    await waitFor("what was in the making to go", async () => (await inTheMaking()).length === 0);
    expect(await objects()).toHaveLength(1);
    await expect(exports.cancel(NOBODY)).rejects.toMatchObject({ kind: "not-found" });
  });

  it("that is deleted or expired loses its object, but not while deletions are stopped", async () => {
    let stopped = true;
    const assertMayRemove = async (): Promise<void> => {
      await Promise.resolve();
      if (stopped) throw new AppError({ kind: "failed-precondition", message: "deletions are stopped" });
    };
    const { bench, exports, until, objects } = await openScene({ assertMayRemove });
    await exports.start();
    const [one, other] = [await exports.submit(REQUEST), await exports.submit(REQUEST)];
    await until(one.id, "done");
    await until(other.id, "done");
    expect(await exports.cancel(one.id)).toMatchObject({ state: "deleted" });
    await waitFor("the removal to be refused", () => bench.log.some(({ message }) => message.includes("stay for now")));
    expect(await objects()).toHaveLength(2);
    stopped = false;
    await bench.catalog.db("exports").where({ id: other.id }).update({ expires_at_us: bench.clock.nowUs() });
    await exports.cancel(one.id);
    await until(other.id, "expired");
    await waitFor("both objects to go", async () => (await objects()).length === 0);
    expect(await findExport(bench.catalog, one.id)).toMatchObject({ state: "deleted", objectKey: null });
  });

  it("is tried again when the store fails, and says why meanwhile", async () => {
    let failures = 1;
    const wrapStore = (inner: ObjectStore): ObjectStore => ({
      ...inner,
      put: async (...args) => {
        if ((failures -= 1) >= 0) throw new AppError({ kind: "unavailable", message: "the store is away" });
        await inner.put(...args);
      },
    });
    const { exports, until, objects } = await openScene({ wrapStore });
    await exports.start();
    const { id } = await exports.submit(REQUEST);
    expect((await until(id, "queued")).state).toBe("queued");
    expect(await until(id, "done")).toMatchObject({ attempts: 2, error: null });
    expect(await objects()).toHaveLength(1);
  });

  it("fails for good where there is no footage", async () => {
    const { bench, exports, until } = await openScene();
    await exports.start();
    const { id } = await exports.submit({ ...REQUEST, path: parsePathName("nobody") });
    expect((await until(id, "failed")).error).toContain("no footage");
    expect(bench.log.filter(({ message }) => message === "export failed")).toHaveLength(1);
  });

  it("is refused when a hundred wait already", async () => {
    const { exports } = await openScene();
    for (let index = 0; index < 100; index += 1) await exports.submit(REQUEST);
    await expect(exports.submit(REQUEST)).rejects.toMatchObject({ kind: "resource-exhausted" });
  });
});
