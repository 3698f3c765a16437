/** The store is away while MediaMTX records: nothing is removed, everybody can see it, and later everything drains. */
import { existsSync } from "node:fs";

import { describe, expect, it } from "vitest";

import type { App } from "../../support/app.js";
import { waitFor } from "../../support/wait-for.js";
import { proxyScene } from "./scene.js";

const MISSED_SEGMENTS = 4;
/** The store's own idle limit is 30 s; an answer must come soon after. */
const HANG_IS_TOLD_WITHIN_MS = 40_000;
/** What the client may keep for the next requests, after those that hung. */
const IDLE_CONNECTIONS = 12;

interface ArchiveStatus {
  readonly backlog: { readonly segments: number; readonly bytes: number; readonly oldestUnarchivedAt: string | null };
  readonly lastError: string | null;
  readonly errors: readonly { readonly id: string; readonly error: string; readonly attempts: number }[];
}

describe("a store that is away while a camera records", () => {
  it("keeps every file, tells so, and drains when connections are taken again (F19)", async () => {
    const { app, proxy, camera } = await recordingScene();
    await proxy.refuse();
    await expectTold(app, /ECONNREFUSED/);
    await proxy.accept();
    await camera.stop();
    await expectDrained(app);
  });

  it("keeps every file, tells so, frees its sockets, and drains after the store hung (F20)", async () => {
    const { app, proxy, camera } = await recordingScene();
    proxy.inject({ fault: { kind: "hang-before-body" } });
    await expectTold(app, /no answer within/);
    proxy.reset();
    await camera.stop();
    await expectDrained(app);
    await waitFor("sockets to be freed", () => proxy.openConnections() <= IDLE_CONNECTIONS, { timeoutMs: 60_000 });
  });
});

/** Local copies go at once after their proof, so that a wrong one would be seen. */
async function recordingScene() {
  const scene = await proxyScene({ env: { LOCAL_RETENTION: "0s" } });
  await scene.addPath("cam1", { recordSegmentDuration: "1s" });
  const camera = await scene.startCamera("cam1");
  await waitFor("a proven segment", async () => (await scene.app.recordings({ state: "verified" })).length > 0);
  return { ...scene, camera };
}

async function expectTold(app: App, error: RegExp): Promise<void> {
  const before = new Set((await app.recordings({ state: "verified" })).map(({ id }) => id));
  const status = await waitFor(
    "the backlog and the error to be shown",
    async () => {
      const shown = await app.get<ArchiveStatus>("/api/v1/archive");
      const isTold = shown.lastError !== null && shown.errors.length > 0;
      return isTold && shown.backlog.segments >= MISSED_SEGMENTS && shown;
    },
    { timeoutMs: HANG_IS_TOLD_WITHIN_MS },
  );
  expect(status.lastError).toMatch(error);
  expect(status.backlog.bytes).toBeGreaterThan(0);
  expect(status.errors[0]).toMatchObject({ error: expect.stringMatching(error) as string });
  const { checks } = await app.get<{ checks: { name: string; status: string; message: string }[] }>(
    "/api/v1/health/details",
  );
  expect(checks[0]).toMatchObject({ name: "store", status: "fail", message: expect.stringMatching(error) as string });

  // Indexed all the same, with nothing removed.
  const waiting = await waitFor("the missed segments to be indexed", async () => {
    const recordings = await app.recordings();
    // What was on its way when the store went is proven all the same.
    const missed = recordings.filter(
      ({ id, local, archive }) => !before.has(id) && local !== "open" && archive !== "verified",
    );
    return missed.filter(({ durationSec }) => durationSec > 0).length >= MISSED_SEGMENTS && missed;
  });
  expect(waiting[0]?.startAt).toBe(status.backlog.oldestUnarchivedAt);
  expect(waiting.filter(({ local }) => local !== "present")).toEqual([]);
  expect((await app.audit(false)).violations).toEqual([]);
}

async function expectDrained(app: App): Promise<void> {
  const recordings = await app.drained();
  expect(recordings.filter(({ archive }) => archive !== "verified")).toEqual([]);
  await waitFor("all local copies to be released", async () =>
    (await app.recordings()).every(({ local }) => local === "released"),
  );
  const created = await app.createdFiles();
  expect(created.filter((file) => existsSync(file))).toEqual([]);
  expect(await app.audit()).toMatchObject({ violations: [], counted: { verified: created.length } });
  const status = await app.get<ArchiveStatus>("/api/v1/archive");
  expect(status).toMatchObject({ lastError: null, backlog: { segments: 0, bytes: 0, oldestUnarchivedAt: null } });
}
