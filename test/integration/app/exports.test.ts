/** An export by the whole product: asked for while the camera records, killed in the middle, taken and deleted. */
import { createHash } from "node:crypto";
import { execFile } from "node:child_process";
import { readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { expect, it } from "vitest";
import type { z } from "zod";

import type { exportSchema } from "../../../src/contract/exports.js";
import { waitFor } from "../../support/wait-for.js";
import { folderScene } from "./scene.js";

type ExportView = z.infer<typeof exportSchema>;

const run = promisify(execFile);

it("outlives a kill, decodes whole, and goes with its object when it is deleted", async () => {
  const { app, addPath, startCamera, directory } = await folderScene();
  await addPath("cam1", { recordSegmentDuration: "1s" });
  const camera = await startCamera("cam1", { audio: true });
  await waitFor("some segments", async () => (await app.createdFiles()).length > 5);
  await camera.stop();
  const recordings = await app.drained();
  const [from] = recordings.map(({ startAt }) => startAt).sort();
  const to = recordings
    .map(({ endAt }) => endAt)
    .sort()
    .at(-1);
  const asked = await app.request("POST", "/api/v1/exports", { path: "cam1", from, to });
  expect(asked.status).toBe(202);
  const { id } = asked.body as ExportView;
  await app.kill();
  await app.start();
  const look = () => app.get<ExportView>(`/api/v1/exports/${id}`);
  const done = await waitFor("the export", async () => {
    const job = await look();
    return job.state === "done" && job;
  });
  const answer = await fetch(`${app.url}/api/v1/exports/${id}/file`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  expect(createHash("sha256").update(bytes).digest("hex")).toBe(done.sha256);
  const file = path.join(directory, "result.mp4");
  await writeFile(file, bytes);
  const { stderr } = await run("ffmpeg", ["-v", "warning", "-xerror", "-i", file, "-f", "null", "-"]);
  expect(stderr).toBe("");
  const { stdout } = await run("ffprobe", ["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", file]);
  const wallSec = (Date.parse(done.endAt!) - Date.parse(done.startAt!)) / 1_000;
  expect(Math.abs(Number(stdout) - wallSec)).toBeLessThan(0.2);
  expect(wallSec).toBeGreaterThan(5);
  expect((await app.request("DELETE", `/api/v1/exports/${id}`)).status).toBe(202);
  const bucket = app.bucket as { readonly dir: string };
  const results = path.join(bucket.dir, "recordings", "~exports");
  await waitFor("the object to go", async () => (await readdir(results).catch(() => [])).length === 0);
  expect((await look()).state).toBe("deleted");
  expect(await app.audit()).toMatchObject({ violations: [] });
  expect(await app.stop()).toBe(0);
});
