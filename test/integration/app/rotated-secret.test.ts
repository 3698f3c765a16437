/** The key of the store changes in the file that holds it, while Reelkeeper runs. */
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { expect, it } from "vitest";

import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait-for.js";
import { s3Scene } from "./scene.js";

const MISSED_SEGMENTS = 3;

interface Health {
  readonly checks: readonly { readonly name: string; readonly status: string; readonly message: string }[];
}

it("is refused, told and kept waiting for, and the new key works without a restart (F28)", async () => {
  const secretFile = path.join(await tempDir(), "secret");
  // The scene's server has this one.
  const secret = "testsecret123";
  await writeFile(secretFile, `${secret}\n`);
  const env = { R2_SECRET_ACCESS_KEY: "", R2_SECRET_ACCESS_KEY_FILE: secretFile, LOCAL_RETENTION: "0s" };
  const { app, addPath, startCamera, server } = await s3Scene({ env });
  expect(server.secretAccessKey).toBe(secret);
  await addPath("cam1", { recordSegmentDuration: "1s" });
  const camera = await startCamera("cam1");
  await waitFor("a proven segment", async () => (await app.recordings({ state: "verified" })).length > 0);
  const { pid } = app;

  for (const change of [() => writeFile(secretFile, "revoked\n"), () => rm(secretFile)]) {
    await change();
    const before = (await app.createdFiles()).length;
    await waitFor("more segments", async () => (await app.createdFiles()).length > before + MISSED_SEGMENTS);
    await waitFor("the refusal to be told", async () => {
      const { checks } = await app.get<Health>("/api/v1/health/details");
      return checks.some(({ name, status }) => name === "store" && status === "fail");
    });
    expect((await app.audit(false)).violations).toEqual([]);
  }
  await camera.stop();
  await writeFile(secretFile, `${secret}\n`);

  await app.drained();
  await waitFor("all local copies to be released", async () =>
    (await app.recordings()).every(({ local }) => local === "released"),
  );
  const { violations, counted } = await app.audit();
  expect(violations).toEqual([]);
  expect(counted.verified).toBe(counted.created);
  expect(app.pid).toBe(pid);
});
