/** The timeline of a real camera, MediaMTX and Reelkeeper: what is there, what is missing, and why. */
import { expect, it } from "vitest";
import type { z } from "zod";

import type { timelineSchema } from "../../../src/contract/timeline.js";
import type { App } from "../../support/app.js";
import type { Camera } from "../../support/camera.js";
import { waitFor } from "../../support/wait-for.js";
import { configured, folderScene, isRunning, type Scene } from "./scene.js";

type Spans = z.infer<typeof timelineSchema>["paths"][number]["spans"];

/** From the first recording to the end of the last one. */
async function timeline(app: App): Promise<Spans> {
  const recordings = await app.recordings({ order: "oldest" });
  const [from, to] = [recordings[0]!.startAt, recordings.at(-1)!.endAt];
  const query = new URLSearchParams({ path: "cam1", from, to }).toString();
  const { paths } = await app.get<z.infer<typeof timelineSchema>>(`/api/v1/timeline?${query}`);
  return paths[0]!.spans;
}

/** What each gap is by, one text for each; `/` where the cause changes. */
function gaps(spans: Spans): string[] {
  const words = spans.map((span) => (span.kind === "gap" ? `${span.cause}/` : " "));
  return words
    .join("")
    .split(/ +/)
    .filter((gap) => gap !== "")
    .map((gap) => gap.slice(0, -1));
}

/** Some segments of a camera that goes on; `end` ends it, or what it sends to. */
async function recordSome({ app, startCamera }: Scene, end: (camera: Camera) => Promise<unknown>): Promise<void> {
  const known = (await app.createdFiles()).length;
  // MediaMTX may be starting still.
  const camera = await waitFor("a camera", () => startCamera("cam1").catch(() => undefined));
  await waitFor("some segments", async () => (await app.createdFiles()).length > known + 2);
  await end(camera);
}

it("says of each gap whether the source, the recording or the server was away", async () => {
  const scene = await folderScene();
  const { app, addPath } = scene;
  await addPath("cam1", { recordSegmentDuration: "1s" });
  await recordSome(scene, (camera) => camera.stop());
  await recordSome(scene, async () => {
    const running = app.mediamtxPid() ?? 0;
    process.kill(running, "SIGKILL");
    await waitFor("another MediaMTX", () => app.mediamtxPid() !== running && isRunning(app.mediamtxPid()));
  });
  await recordSome(scene, () => app.stop());
  await app.start();
  await recordSome(scene, async (camera) => {
    const off = await app.request("PATCH", "/api/v1/paths/cam1", { record: false });
    expect(off.status).toBe(200);
    await configured(app, "cam1");
    await waitFor("MediaMTX to close the last segment", async () => {
      const { items } = await app.get<{ items: { local: string }[] }>("/api/v1/recordings?limit=2");
      return items.every(({ local }) => local === "present");
    });
    // In this order: nothing more is recorded of this camera.
    await camera.stop();
    await app.request("PATCH", "/api/v1/paths/cam1", { record: true });
    await configured(app, "cam1");
  });
  await recordSome(scene, (camera) => camera.stop());
  await app.drained();
  const found = await timeline(app);
  const [source, killed, stopped, off, ...others] = gaps(found);
  expect([source, killed, others]).toEqual(["source-offline", "server-down", []]);
  // An orderly stop takes the source away first, and it comes back after the server.
  expect(stopped).toMatch(/^(source-offline\/)?server-down(\/source-offline)?$/);
  expect(off).toMatch(/^recording-off(\/source-offline)?$/);
  const footage = found.filter(({ kind }) => kind === "footage");
  expect(footage.every((span) => span.kind === "footage" && span.where === "both")).toBe(true);
});
