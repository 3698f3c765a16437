/** A MediaMTX that runs and answers nothing (F57): told, waited for, and nobody's reason to remove or forget anything. */
import { expect, it } from "vitest";

import type { z } from "zod";

import type { healthSchema } from "../../../src/contract/operation.js";
import { waitFor } from "../../support/wait-for.js";
import { type Scene, folderScene } from "./scene.js";

type Status = "ok" | "warn" | "fail";

it("is shown as not answering while it stands still, and as well again when it goes on; what was recorded stays (F57)", async () => {
  const scene = await folderScene({ env: { LOCAL_RETENTION: "1h" } });
  const { app } = scene;
  await scene.addPath("cam1", { recordSegmentDuration: "2s" });
  const camera = await scene.startCamera("cam1");
  await waitFor("three segments", async () => (await app.recordings()).length >= 3, { timeoutMs: 30_000 });
  await camera.stop();
  const before = await app.drained();
  const mediamtx = app.mediamtxPid();
  expect(mediamtx).toBeDefined();
  process.kill(mediamtx ?? 0, "SIGSTOP");
  try {
    await waitFor("health to tell", async () => (await statusOfMediaMtx(scene)) === "fail", { timeoutMs: 60_000 });
    expect(await app.drained()).toEqual(before);
  } finally {
    process.kill(mediamtx ?? 0, "SIGCONT");
  }
  await waitFor("health to be well again", async () => (await statusOfMediaMtx(scene)) === "ok", {
    timeoutMs: 60_000,
  });
  expect((await app.audit()).violations).toEqual([]);
});

async function statusOfMediaMtx({ app }: Scene): Promise<Status | undefined> {
  const { checks } = await app.get<z.infer<typeof healthSchema>>("/api/v1/health/details");
  return checks.find(({ name }) => name === "mediamtx")?.status;
}
