/** One of the two processes dies without a word, the other goes on. */
import { execFile } from "node:child_process";
import { readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { describe, expect, it } from "vitest";

import type { App } from "../../support/app.js";
import { JUDGED_ONCE } from "../../support/patience.js";
import { waitFor } from "../../support/wait-for.js";
import { folderScene, isRunning, s3Scene, type Scene } from "./scene.js";

const CAMERA = { audio: true } as const;
const MISSED_SEGMENTS = 4;
const SOME_FRAGMENTS = 3;

describe("Reelkeeper, killed while MediaMTX records", JUDGED_ONCE, () => {
  it("takes the running MediaMTX over and archives every segment that it missed (F1)", async () => {
    const { app, addPath, startCamera } = await s3Scene();
    await addPath("cam1", { recordSegmentDuration: "1s" });
    const camera = await startCamera("cam1");
    await waitFor("a proven segment", async () => (await app.recordings({ state: "verified" })).length > 0);
    const mediamtx = app.mediamtxPid();
    await app.kill();
    const known = (await app.createdFiles()).length;
    const missed = await waitFor("MediaMTX to record alone", async () => {
      const files = (await app.createdFiles()).slice(known);
      return files.length > MISSED_SEGMENTS && files;
    });
    await app.start();

    expect(app.mediamtxPid()).toBe(mediamtx);
    expect(app.log().some(({ message, pid }) => message.includes("taken over") && pid === mediamtx)).toBe(true);
    expect(camera.child.process.exitCode).toBeNull();
    await camera.stop();
    const recordings = await app.drained();
    const verified = recordings.filter(({ archive }) => archive === "verified");
    expect(verified.map(({ filePath }) => path.join(app.recordDir, filePath))).toEqual(await app.createdFiles());
    expect(verified.length).toBeGreaterThan(missed.length);
    // Nothing was missed, and the list says so.
    expect(new Set(verified.map(({ streamId }) => streamId)).size).toBe(1);
    expect(
      verified.slice(1).filter(({ gapBeforeSec, missingBefore }) => gapBeforeSec !== 0 || missingBefore !== 0),
    ).toEqual([]);
    expect(await app.audit()).toMatchObject({ violations: [], counted: { created: verified.length } });
    expect(await app.stop()).toBe(0);
    expect(isRunning(mediamtx)).toBe(false);
  });
});

describe("MediaMTX, killed in the middle of a segment", JUDGED_ONCE, () => {
  it("is started again, and the torn file is archived with the length of its whole fragments (F7)", async () => {
    const scene = await folderScene();
    const { app, addPath, startCamera } = scene;
    await addPath("cam1", { recordSegmentDuration: "1h" });
    await startCamera("cam1", CAMERA);
    const torn = await someFragments(app);
    const before = app.mediamtxPid() ?? 0;
    process.kill(before, "SIGKILL");

    await waitFor("another MediaMTX", () => app.mediamtxPid() !== before && isRunning(app.mediamtxPid()));
    const camera = await reconnect(scene);
    await waitFor("a second segment", async () => (await app.createdFiles()).length > 1);
    await camera.stop();
    const [partial, whole] = await app.drained();
    expect(partial).toMatchObject({ partial: true, local: "present", archive: "verified", error: null });
    expect(path.join(app.recordDir, partial?.filePath ?? "")).toBe(torn);
    expect(partial?.durationSec).toBeCloseTo(await lengthOfPackets(torn), 3);
    expect(partial?.tracks.map(({ kind }) => kind).sort()).toEqual(["audio", "video"]);
    expect(whole).toMatchObject({ partial: false, archive: "verified" });
    expect(whole?.streamId).not.toBe(partial?.streamId);
    // What the camera saw meanwhile is missing, and the list says for how long.
    const holeSec = (Date.parse(whole?.startAt ?? "") - Date.parse(partial?.endAt ?? "")) / 1_000;
    expect(holeSec).toBeGreaterThan(0.5);
    expect(whole?.gapBeforeSec).toBeCloseTo(holeSec, 2);
    expect(await app.audit()).toMatchObject({ violations: [], counted: { created: 2, verified: 2 } });
    await expectHealthy(app);
  });

  it("leaves a fragment out that was only written in part, as after a power loss (F7)", async () => {
    const scene = await s3Scene();
    const { app, addPath, startCamera } = scene;
    await addPath("cam1", { recordSegmentDuration: "1h" });
    await startCamera("cam1", CAMERA);
    const torn = await someFragments(app);
    await waitFor("its row", async () => (await app.recordings({ state: "open" })).length > 0);
    await app.kill();
    const mediamtx = app.mediamtxPid() ?? 0;
    process.kill(mediamtx, "SIGKILL");
    await waitFor("MediaMTX to end", () => !isRunning(mediamtx));
    const wholeSec = await tearLastFragment(torn);
    await app.start();
    const camera = await reconnect(scene);
    await waitFor("a second segment", async () => (await app.createdFiles()).length > 1);
    await camera.stop();

    const [partial] = await app.drained();
    expect(partial).toMatchObject({ partial: true, archive: "verified", bytes: (await stat(torn)).size });
    expect(partial?.durationSec).toBeCloseTo(wholeSec, 3);
    expect(await app.audit()).toMatchObject({ violations: [], counted: { created: 2, verified: 2 } });
  });
});

/** As a camera does: again and again. */
function reconnect({ startCamera }: Scene) {
  return waitFor("the camera to reconnect", () => startCamera("cam1", CAMERA), {
    timeoutMs: 20_000,
    intervalMs: 500,
  });
}

/** By ffprobe: from the start of the file to the end of the last packet of any track. */
async function lengthOfPackets(file: string): Promise<number> {
  const entries = ["-show_entries", "packet=dts_time,duration_time", "-of", "csv=p=0"];
  const { stdout } = await promisify(execFile)("ffprobe", ["-v", "error", ...entries, file]);
  const ends = stdout
    .trim()
    .split("\n")
    .map((line) => {
      const [dts = "", duration = ""] = line.split(",");
      return Number(dts) + Number(duration);
    });
  return Math.max(...ends);
}

/** The first file, once it holds some fragments. */
function someFragments(app: App): Promise<string> {
  return waitFor("some fragments of a segment", async () => {
    const [file] = await app.createdFiles();
    return file !== undefined && moofsIn(await readFile(file)).length >= SOME_FRAGMENTS && file;
  });
}

/** Where the fragments begin. */
function moofsIn(bytes: Buffer): number[] {
  const moofs: number[] = [];
  for (let offset = 0; offset + 8 <= bytes.length; offset += Math.max(8, bytes.readUInt32BE(offset))) {
    if (bytes.toString("latin1", offset + 4, offset + 8) === "moof") moofs.push(offset);
  }
  return moofs;
}

/** Cuts the last `mdat` in half; the length of what lies before its `moof`. */
async function tearLastFragment(file: string): Promise<number> {
  const bytes = await readFile(file);
  const moofAt = moofsIn(bytes).at(-1) ?? 0;
  const whole = `${file}.whole`;
  await writeFile(whole, bytes.subarray(0, moofAt));
  const lengthSec = await lengthOfPackets(whole);
  await rm(whole);
  await truncate(file, (moofAt + bytes.readUInt32BE(moofAt) + bytes.length) >> 1);
  return lengthSec;
}

async function expectHealthy(app: App): Promise<void> {
  const { checks } = await app.get<{ checks: { status: string }[] }>("/api/v1/health/details");
  expect(checks.filter(({ status }) => status === "fail")).toEqual([]);
}
