/** The real parts that other tests stand on: each starts, does its work and leaves no process. */
import { readdir, stat } from "node:fs/promises";
import path from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { startCamera } from "../../support/camera.js";
import { freeMediaMtxPorts, quietMediaMtxConfig, startMediaMtx } from "../../support/mediamtx-server.js";
import { tempDir } from "../../support/temp-dir.js";
import { startS3Server } from "../../support/versitygw.js";
import { waitFor } from "../../support/wait-for.js";

it.each(["1.21.0", "1.19.3"] as const)("records what a camera publishes with MediaMTX %s", async (version) => {
  const directory = await tempDir();
  const more = [
    "paths:",
    "  all_others:",
    "    record: true",
    "    recordPath: ./recordings/%path/%Y-%m-%d_%H-%M-%S-%f",
    "    recordSegmentDuration: 1s",
  ].join("\n");
  const server = await startMediaMtx({
    version,
    directory,
    config: quietMediaMtxConfig(version, await freeMediaMtxPorts(), more),
  });
  onTestFinished(() => server.kill());
  const camera = await startCamera({ url: server.rtspUrl("cam1"), audio: true });
  onTestFinished(() => camera.stop());
  const files = await waitFor("two recorded segments", async () => {
    const names = await readdir(path.join(directory, "recordings", "cam1"));
    return names.length >= 2 ? names.sort() : undefined;
  });
  expect((await stat(path.join(directory, "recordings", "cam1", files[0]!))).size).toBeGreaterThan(1_000);
  await camera.stop();
  await server.stop();
  expect(server.child.process.exitCode).toBe(0);
});

it("serves a bucket over S3", async () => {
  const server = await startS3Server({ directory: await tempDir() });
  onTestFinished(() => server.stop());
  const response = await fetch(`${server.endpoint}/${server.bucket}`);
  expect(response.status).toBe(403);
  await server.stop();
  expect(server.child.process.exitCode ?? server.child.process.signalCode).not.toBeNull();
});
