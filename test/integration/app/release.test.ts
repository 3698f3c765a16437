/** When a local copy goes, and what is written before it goes. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { readRows } from "../../support/audit/rows.js";
import { waitFor } from "../../support/wait-for.js";
import { folderScene, s3Scene, type Scene } from "./scene.js";
import { PATIENCE } from "../../support/patience.js";

const RETENTION_MS = 4_000;
/** Due rows are looked for at their time; the rest is the work itself. */
const LATE_MS = 3_000 * PATIENCE;

describe("the local copy of a proven segment", () => {
  it("stays as long as its path, else LOCAL_RETENTION, says, counted from the proof (F34)", async () => {
    const scene = await s3Scene({ env: { LOCAL_RETENTION: "1h" } });
    const { app } = scene;
    await recordOneSegmentEach(scene, { at_once: "0s", later: `${RETENTION_MS}ms`, default: null });
    const goneAtMs = new Map<string, number>();
    const provenWhenGone = new Map<string, string>();
    await waitFor(
      "two releases",
      async () => {
        for (const { path: name, filePath } of await app.recordings()) {
          if (goneAtMs.has(name) || existsSync(path.join(app.recordDir, filePath))) continue;
          goneAtMs.set(name, Date.now());
          const [recording] = await app.recordings({ path: name });
          provenWhenGone.set(name, recording?.archive ?? "");
        }
        return goneAtMs.size === 2;
      },
      { intervalMs: 20, timeoutMs: 20_000 },
    );

    expect(Object.fromEntries(provenWhenGone)).toEqual({ at_once: "verified", later: "verified" });
    const recordings = new Map((await app.recordings()).map((recording) => [recording.path, recording]));
    const goneAfterMs = (name: string): number =>
      (goneAtMs.get(name) ?? NaN) - Date.parse(recordings.get(name)?.verifiedAt ?? "");
    expect(goneAfterMs("at_once")).toBeLessThan(LATE_MS);
    expect(goneAfterMs("later")).toBeGreaterThanOrEqual(RETENTION_MS - 1);
    expect(goneAfterMs("later")).toBeLessThan(RETENTION_MS + LATE_MS);
    expect(recordings.get("default")).toMatchObject({ local: "present", archive: "verified" });
    expect((await app.audit(false)).violations).toEqual([]);
  });

  it("is announced, with the store's own proof, before anything happens to the file (F34)", async () => {
    const scene = await folderScene({ env: { LOCAL_RETENTION: "0s" } });
    const { app } = scene;
    // Where the trash should be, a file is: the removal gets as far as its announcement.
    const trash = path.join(app.recordDir, ".reelkeeper", "trash");
    await mkdir(path.dirname(trash), { recursive: true });
    await rm(trash, { recursive: true, force: true });
    await writeFile(trash, "");
    await recordOneSegmentEach(scene, { cam1: null });
    const announced = await waitFor("the announcement", async () => {
      const [recording] = await app.recordings();
      return recording?.local === "trashed" && recording;
    });

    const file = path.join(app.recordDir, announced.filePath);
    const { dev, ino, size, mtimeNs } = await stat(file, { bigint: true });
    const sha256 = createHash("sha256")
      .update(await readFile(file))
      .digest("hex");
    const { removals } = await readRows(app.databaseFile);
    expect(removals).toEqual([
      expect.objectContaining({
        recording_id: announced.id,
        what: "local",
        name: announced.filePath,
        file_identity: [dev, ino, size, mtimeNs].join(":"),
        bytes: Number(size),
        sha256,
      }),
    ]);
    expect(JSON.parse(removals[0]?.proof ?? "")).toMatchObject({ bytes: Number(size), sha256 });

    await rm(trash);
    await waitFor("the release", async () => (await app.recordings())[0]?.local === "released", { timeoutMs: 20_000 });
    expect(existsSync(file)).toBe(false);
    expect(await app.audit()).toMatchObject({ violations: [], counted: { archived: 1, removals: 1 } });
  });
});

/** Of each path: its localRetention. */
async function recordOneSegmentEach(
  { addPath, startCamera, app }: Scene,
  paths: Readonly<Record<string, string | null>>,
): Promise<void> {
  const names = Object.keys(paths);
  for (const name of names) {
    await addPath(name, { recordSegmentDuration: "1h", localRetention: paths[name] ?? null });
  }
  const cameras = await Promise.all(names.map((name) => startCamera(name)));
  await waitFor("a file each", async () => (await app.createdFiles()).length === names.length);
  await Promise.all(cameras.map((camera) => camera.stop()));
}
