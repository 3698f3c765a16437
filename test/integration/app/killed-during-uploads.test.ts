/** Reelkeeper dies at random moments, again and again, while it uploads and releases. */
import { readdir } from "node:fs/promises";
import path from "node:path";

import { describe, expect, it } from "vitest";

import type { App } from "../../support/app.js";
import { readRows } from "../../support/audit/rows.js";
import { JUDGED_ONCE } from "../../support/patience.js";
import { createRandom, printedSeed } from "../../support/random.js";
import { waitFor } from "../../support/wait-for.js";
import { folderScene, s3Scene, type Scene } from "./scene.js";

const PATHS = ["cam1", "site/gate"];
/** Bytes per second at which the upload of a segment takes seconds. */
const SLOW = "25000";
/** 0: as fast as it goes, so that many rows are released at once. */
const RATES = [SLOW, "60000", "150000", "0"];
/** From the start of the process: some kills hit the start, most the work. */
const SHORTEST_LIFE_MS = 300;
const LONGEST_LIFE_MS = 3_500;
/** Every so many lives end in an upload, however busy the machine is. */
const UPLOADING_LIVES = 5;

describe("Reelkeeper, killed again and again during uploads", JUDGED_ONCE, () => {
  it.each([
    ["versitygw", "0s", 20],
    ["versitygw", "2s", 20],
    ["folder", "0s", 10],
  ] as const)(
    "loses nothing and removes nothing without proof: %s store, LOCAL_RETENTION=%s, %i kills (F14)",
    async (store, retention, kills) => {
      const env = { LOCAL_RETENTION: retention, ARCHIVE_READ_BACK_PERCENT: "20" };
      const scene = await (store === "folder" ? folderScene({ env }) : s3Scene({ env }));
      const { app } = scene;
      const cameras = await record(scene);
      const mediamtx = app.mediamtxPid();
      const { died, violated } = await killAgainAndAgain(scene, kills);
      await Promise.all(cameras.map((camera) => camera.stop()));
      await app.start();
      const recordings = await app.drained();
      await waitFor("all local copies to be released", async () =>
        (await app.recordings()).every(({ local }) => local === "released"),
      );

      // At the moment of each death, too.
      expect(violated).toEqual([]);
      // And the deaths met uploads; a put into a folder is one link, which no death can be counted on to meet.
      if (store !== "folder") expect(died.uploading).toBeGreaterThan(0);
      expect(app.mediamtxPid()).toBe(mediamtx);
      const created = await app.createdFiles();
      // More than a segment per path and kill would be: MediaMTX never stopped recording.
      expect(created.length).toBeGreaterThan(kills);
      const files = recordings.map(({ filePath }) => path.join(app.recordDir, filePath));
      expect(files.sort()).toEqual([...created].sort());
      expect(await segmentsIn(app.recordDir)).toEqual([]);
      const { violations, counted } = await app.audit();
      expect(violations).toEqual([]);
      expect(counted).toMatchObject({ created: created.length, verified: created.length, archived: created.length });
    },
  );
});

async function record({ addPath, startCamera }: Scene) {
  for (const name of PATHS) await addPath(name, { recordSegmentDuration: "1s" });
  return Promise.all(PATHS.map((name) => startCamera(name, { bitrate: "400k" })));
}

/** What was under way at the deaths, and what the auditor found broken there. */
async function killAgainAndAgain({ app }: Scene, times: number) {
  const random = createRandom(printedSeed());
  const died = { uploading: 0, trashed: 0 };
  const violated: string[] = [];
  for (let count = 0; count < times; count += 1) {
    await app.kill();
    const { recordings } = await readRows(app.databaseFile);
    if (await isUploading(app)) died.uploading += 1;
    if (recordings.some(({ local }) => local === "trashed")) died.trashed += 1;
    violated.push(...(await app.audit(false)).violations);
    const lifeMs = SHORTEST_LIFE_MS + random() * (LONGEST_LIFE_MS - SHORTEST_LIFE_MS);
    const rate = RATES[Math.floor(random() * RATES.length)] ?? "0";
    const endsInUpload = app.bucket.kind !== "folder" && count % UPLOADING_LIVES === 0;
    await app.launch({ ARCHIVE_MAX_BYTES_PER_SEC: endsInUpload ? SLOW : rate });
    if (endsInUpload) await waitFor("an upload", () => isUploading(app));
    else await new Promise((resolve) => setTimeout(resolve, lifeMs));
  }
  await app.kill();
  console.log("died with rows", died);
  return { died, violated };
}

async function isUploading({ databaseFile }: App): Promise<boolean> {
  const { recordings } = await readRows(databaseFile);
  return recordings.some(({ archive }) => archive === "uploading");
}

async function segmentsIn(directory: string): Promise<string[]> {
  return (await readdir(directory, { recursive: true })).filter((name) => name.endsWith(".mp4"));
}
