/** Files that MediaMTX removes although it is told not to: by its API, or by a person's hand. */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";

import { expect, it } from "vitest";

import type { App } from "../../support/app.js";
import { waitFor } from "../../support/wait-for.js";
import { proxyScene } from "./scene.js";

it("are missing, told one by one, and what was archived of them stays so (F58)", async () => {
  const { app, addPath, startCamera, proxy } = await proxyScene({ env: { LOCAL_RETENTION: "1h" } });
  await addPath("cam1", { recordSegmentDuration: "1s" });
  const camera = await startCamera("cam1");
  await waitFor("proven segments", async () => (await app.recordings({ state: "verified" })).length >= 3);
  await proxy.refuse();
  const proven = (await app.recordings({ state: "verified" })).length;
  await waitFor("unproven segments", async () => (await closed(app)).length >= proven + 4);
  await camera.stop();
  await waitFor("all segments to be closed", async () =>
    (await app.recordings()).every(({ local }) => local !== "open"),
  );

  const before = await app.recordings();
  const archived = before.find(({ archive }) => archive === "verified");
  const [unproven, byHand] = before.filter(({ archive }) => archive !== "verified");
  if (archived === undefined || unproven === undefined || byHand === undefined) throw new Error("too few segments");
  const places = [archived, unproven].map(({ id }) => before.findIndex((one) => one.id === id));
  await deleteByApi(app, places);
  await rm(path.join(app.recordDir, byHand.filePath));
  const gone = [archived, unproven, byHand];
  expect(gone.filter(({ filePath }) => existsSync(path.join(app.recordDir, filePath)))).toEqual([]);

  await app.post("/api/v1/scan", {});
  await waitFor("the three to be missing", async () => (await app.recordings({ state: "missing" })).length === 3);
  await proxy.accept();
  const after = await waitFor(
    "the others to be archived",
    async () => {
      const all = await app.recordings();
      return all.every(({ local, archive }) => local === "missing" || archive === "verified") && all;
    },
    { timeoutMs: 60_000 },
  );
  const byId = new Map<string, (typeof after)[number]>(after.map((one) => [one.id, one]));
  expect(byId.get(archived.id)).toMatchObject({ local: "missing", archive: "verified" });
  for (const { id } of [unproven, byHand]) {
    expect(byId.get(id)).toMatchObject({ local: "missing", error: expect.stringContaining("vanished") as string });
    expect(byId.get(id)?.archive).not.toBe("verified");
  }
  // Nothing else went with them, and no removal of ours is claimed for what others removed.
  expect(after.filter(({ id, local }) => local === "missing" && !gone.some((one) => one.id === id))).toEqual([]);
  const told = app.log().filter(({ level, message }) => level === "error" && message === "file vanished");
  expect(told.map(({ file }) => file).sort()).toEqual(gone.map(({ filePath }) => filePath).sort());
  const { counted, violations } = await app.audit(false);
  expect(counted.removals).toBe(0);
  expect(violations).toHaveLength(2);
  expect((await fetch(`${app.url}/api/v1/recordings/${archived.id}/file`)).status).toBe(200);
});

function closed(app: App) {
  return app.recordings().then((all) => all.filter(({ local }) => local === "present"));
}

/** As a person with MediaMTX's own API does; `places`: which of the path's segments, from the first. */
async function deleteByApi(app: App, places: readonly number[]): Promise<void> {
  const listed = await fetch(`${app.mediamtxApiUrl}/v3/recordings/get/cam1`);
  const { segments } = (await listed.json()) as { segments: { start: string }[] };
  for (const place of places) {
    const query = new URLSearchParams({ path: "cam1", start: segments[place]?.start ?? "" }).toString();
    const answer = await fetch(`${app.mediamtxApiUrl}/v3/recordings/deletesegment?${query}`, { method: "DELETE" });
    expect(answer.status).toBe(200);
  }
}
