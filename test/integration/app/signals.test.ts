/** What operators and machines do to a process that uploads: SIGTERM, once and twice, and SIGSTOP. */
import { existsSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";

import type { App } from "../../support/app.js";
import { readRows } from "../../support/audit/rows.js";
import { waitFor } from "../../support/wait-for.js";
import { isRunning, s3Scene } from "./scene.js";
import { PATIENCE } from "../../support/patience.js";

/** Of a camera that gives about 45000 bytes per second: uploads are always under way, and the two end within seconds. */
const TOO_LITTLE = { ARCHIVE_MAX_BYTES_PER_SEC: "30000", ARCHIVE_MAX_CONCURRENCY: "2" };
/** An upload takes longer than anybody waits for. */
const FAR_TOO_LITTLE = { ARCHIVE_MAX_BYTES_PER_SEC: "1500" };
const ENOUGH = { ARCHIVE_MAX_BYTES_PER_SEC: "0" };
const STOPPED_WITHIN_MS = 16_000 * PATIENCE;
const FORCED_WITHIN_MS = 2_000 * PATIENCE;
const FROZEN_MS = 20_000;

describe("SIGTERM while segments are uploaded", () => {
  it("ends MediaMTX first, hears of its last segment and lets uploads end (F15)", async () => {
    const { app } = await uploadingScene({ ...TOO_LITTLE, LOCAL_RETENTION: "0s" });
    const mediamtx = app.mediamtxPid();
    const under = await app.recordings({ state: "uploading" });
    const exitCode = await timed(STOPPED_WITHIN_MS, () => app.stop());

    expect(exitCode).toBe(0);
    expect(isRunning(mediamtx)).toBe(false);
    const ends = app.log().map(({ message }) => message);
    expect(ends.filter((message) => /^(stopping|MediaMTX stopped|stopped)$/.test(message))).toEqual([
      "stopping",
      "MediaMTX stopped",
      "stopped",
    ]);
    const { recordings } = await readRows(app.databaseFile);
    const unproven = recordings.filter(({ archive }) => archive !== "verified");
    expect(unproven.map(({ archive }) => archive)).not.toContain("uploading");
    const underIds = new Set<string>(under.map(({ id }) => id));
    expect(unproven.filter(({ id }) => underIds.has(id))).toEqual([]);
    // The hook of the last segment was heard: every file has a row, and none counts as open.
    const files = recordings.map(({ file_path }) => path.join(app.recordDir, file_path));
    expect(files.sort()).toEqual((await app.createdFiles()).sort());
    expect(recordings.filter(({ local }) => local === "open" || local === "trashed")).toEqual([]);
    expect((await app.audit(false)).violations).toEqual([]);
    await expectAllProven(app);
  });

  it("abandons uploads that do not end within 10 s, and removes nothing of theirs (F15)", async () => {
    const { app } = await uploadingScene({ ...FAR_TOO_LITTLE, LOCAL_RETENTION: "0s" });
    const under = await app.recordings({ state: "uploading" });
    const exitCode = await timed(STOPPED_WITHIN_MS, () => app.stop());

    expect(exitCode).toBe(0);
    for (const { filePath } of under) expect(existsSync(path.join(app.recordDir, filePath))).toBe(true);
    expect((await app.audit(false)).violations).toEqual([]);
    await expectAllProven(app);
  });

  it("ends at once at the second signal, and the next start finds everything (F15)", async () => {
    const { app, camera } = await uploadingScene(FAR_TOO_LITTLE);
    app.signal("SIGTERM");
    await waitFor("the stop to begin", () => app.log().some(({ message }) => message === "stopping"));
    const exitCode = await timed(FORCED_WITHIN_MS, () => app.stop());

    expect(exitCode).not.toBe(0);
    // MediaMTX may go on, and record.
    await camera.stop();
    await expectAllProven(app);
  });
});

describe("SIGSTOP while segments are uploaded", () => {
  it("leaves everything consistent when the process goes on after 20 s (F16)", async () => {
    const { app, camera } = await uploadingScene({ ...TOO_LITTLE, LOCAL_RETENTION: "0s" });
    const known = (await app.createdFiles()).length;
    app.signal("SIGSTOP");
    const thawAtMs = performance.now() + FROZEN_MS;
    await waitFor("MediaMTX to go on", async () => (await app.createdFiles()).length > known + 3);
    await camera.stop();
    expect((await app.audit(false)).violations).toEqual([]);
    await waitFor("the end of the frost", () => performance.now() > thawAtMs, { timeoutMs: 2 * FROZEN_MS });
    app.signal("SIGCONT");
    // In the same process that was frozen.
    await app.drained();
    const { violations, counted } = await app.audit(false);
    expect(violations).toEqual([]);
    expect(counted.verified).toBe((await app.createdFiles()).length);
  });
});

/** A camera of small segments, at least one of which is being uploaded. */
async function uploadingScene(env: Readonly<Record<string, string>>) {
  const scene = await s3Scene({ env });
  await scene.addPath("cam1", { recordSegmentDuration: "1s" });
  const camera = await scene.startCamera("cam1");
  await waitFor("uploads to be under way", async () => {
    const recordings = await scene.app.recordings();
    return recordings.length > 3 && recordings.some(({ archive }) => archive === "uploading");
  });
  return { ...scene, camera };
}

async function timed<T>(withinMs: number, act: () => Promise<T>): Promise<T> {
  const startedAtMs = performance.now();
  const result = await act();
  expect(performance.now() - startedAtMs).toBeLessThan(withinMs);
  return result;
}

/** Starts it again, with nothing in its way. */
async function expectAllProven(app: App): Promise<void> {
  await app.start(ENOUGH);
  await app.drained();
  const { violations, counted } = await app.audit(false);
  expect(violations).toEqual([]);
  expect(counted.verified).toBe(new Set(await app.createdFiles()).size);
}
