/** Reelkeeper gets no time, or no memory, while it uploads. */
import { describe, expect, it } from "vitest";

import { readRows } from "../../support/audit/rows.js";
import { waitFor } from "../../support/wait-for.js";
import { s3Scene } from "./scene.js";

/** Uploads are always under way, and end within seconds. */
const TOO_LITTLE = { LOCAL_RETENTION: "0s", ARCHIVE_MAX_BYTES_PER_SEC: "30000", ARCHIVE_READ_BACK_PERCENT: "100" };
const BLOCKED_MS = 30_000;
const ANSWER_WITHIN_MS = 2_000;
const PRELOADED = `--import=${new URL("../../support/starve.mjs", import.meta.url).pathname}`;

describe("an event loop that is blocked for 30 s while segments are uploaded", () => {
  it("answers nobody meanwhile, then goes on with its own leases, and nothing is lost or done twice (F17)", async () => {
    const { app, camera } = await uploadingScene({ NODE_OPTIONS: PRELOADED, STARVE: `block:${BLOCKED_MS}` });
    const known = (await app.createdFiles()).length;
    app.signal("SIGUSR2");
    // Red for whoever asks: a load balancer, Docker's health check.
    await waitFor("no answer to /ready", async () => !(await answers(`${app.url}/ready`)));
    await waitFor("MediaMTX to go on", async () => (await app.createdFiles()).length > known + 3);
    await camera.stop();
    expect((await app.audit(false)).violations).toEqual([]);
    await waitFor("the end of the block", () => answers(`${app.url}/ready`), { timeoutMs: 3 * BLOCKED_MS });

    // In the same process: nobody took its rows, and it takes none twice.
    const recordings = await app.drained();
    expect(recordings.filter(({ archive }) => archive !== "verified")).toEqual([]);
    await waitFor("all local copies to be released", async () =>
      (await app.recordings()).every(({ local }) => local === "released"),
    );
    const { violations, counted } = await app.audit();
    expect(violations).toEqual([]);
    expect(counted).toMatchObject({ verified: counted.created, removals: counted.created });
  });
});

describe("a process that runs out of memory while segments are uploaded", () => {
  it("ends, and the next start loses nothing and removes nothing without proof (F18)", async () => {
    const { app, camera } = await uploadingScene({
      NODE_OPTIONS: `${PRELOADED} --max-old-space-size=64`,
      STARVE: "memory",
    });
    const mediamtx = app.mediamtxPid();
    for (let death = 1; death <= 2; death += 1) {
      app.signal("SIGUSR2");
      await waitFor("the end of the process", () => app.hasEnded(), { timeoutMs: 60_000 });
      // What it said last may come after its end.
      const deaths = (): number => app.output().split("JavaScript heap out of memory").length - 1;
      await waitFor("its last words", () => deaths() === death);
      expect((await app.audit(false)).violations).toEqual([]);
      const { recordings } = await readRows(app.databaseFile);
      expect(recordings.length).toBeGreaterThan(0);
      await app.start();
      await waitFor("uploads to be under way again", async () =>
        (await app.recordings()).some(({ archive }) => archive === "uploading"),
      );
    }
    await camera.stop();
    await app.restart({ ARCHIVE_MAX_BYTES_PER_SEC: "0" });
    await app.drained();
    await waitFor("all local copies to be released", async () =>
      (await app.recordings()).every(({ local }) => local === "released"),
    );
    const { violations, counted } = await app.audit();
    expect(violations).toEqual([]);
    expect(counted.verified).toBe(counted.created);
    // MediaMTX did not notice the deaths; the restart above ended it in good order.
    expect(mediamtx).toBeDefined();
  });
});

/** A camera of small segments, at least one of which is being uploaded. */
async function uploadingScene(env: Readonly<Record<string, string>>) {
  const scene = await s3Scene({ env: { ...TOO_LITTLE, ...env } });
  await scene.addPath("cam1", { recordSegmentDuration: "1s" });
  const camera = await scene.startCamera("cam1");
  await waitFor("uploads to be under way", async () => {
    const recordings = await scene.app.recordings();
    return recordings.length > 3 && recordings.some(({ archive }) => archive === "uploading");
  });
  return { ...scene, camera };
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) }).catch(() => undefined);
  return response?.status === 200;
}
