import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { expect, it, onTestFinished } from "vitest";

import { DemoCamera } from "../../../src/mediamtx/demo-camera.js";
import { systemClock } from "../../../src/platform/clock.js";
import { type Logger, silentLogger } from "../../../src/platform/logger.js";
import { freeMediaMtxPorts, quietMediaMtxConfig, startMediaMtx } from "../../support/mediamtx-server.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait-for.js";
import { writeProgram } from "./release-server.js";

function demoCamera(rtspPort: number, env: NodeJS.ProcessEnv = process.env) {
  const warnings: string[] = [];
  const log: Logger = {
    ...silentLogger,
    warn: (message, fields) => void warnings.push(`${message} ${JSON.stringify(fields)}`),
  };
  const camera = new DemoCamera({ log, clock: systemClock }, { rtspPort, env });
  onTestFinished(() => camera.stop());
  return { camera, warnings };
}

async function processesThatHold(text: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "command="]);
  return stdout.split("\n").filter((line) => line.includes(text));
}

it("publishes H.264 and AAC, comes back when its ffmpeg is killed, and leaves no process", async () => {
  const ports = await freeMediaMtxPorts();
  const config = quietMediaMtxConfig("1.21.0", ports, "paths:\n  all_others:");
  const server = await startMediaMtx({ version: "1.21.0", directory: await tempDir(), config });
  onTestFinished(() => server.kill());
  const publisher = async (): Promise<{ id: string; tracks: string[] } | undefined> => {
    const response = await fetch(`${server.apiUrl}/v3/paths/get/demo`);
    const path = (await response.json()) as { ready?: boolean; tracks?: string[]; source?: { id: string } };
    if (path.ready !== true || path.source === undefined) return undefined;
    return { id: path.source.id, tracks: path.tracks ?? [] };
  };
  const { camera } = demoCamera(ports.rtsp);
  expect(await camera.start()).toBe(true);
  const first = await waitFor("the path demo", publisher);
  expect(first.tracks).toEqual(["H264", "MPEG-4 Audio"]);
  const { stdout } = await promisify(execFile)("pgrep", ["-f", `^[^ ]*ffmpeg .*:${ports.rtsp}/demo$`]);
  process.kill(Number(stdout.trim()), "SIGKILL");
  await waitFor("another publisher", async () => {
    const now = await publisher();
    return now !== undefined && now.id !== first.id;
  });
  await camera.stop();
  expect(await processesThatHold(`:${ports.rtsp}/demo`)).toEqual([]);
});

it("says why its ffmpeg ended before it tries again", async () => {
  const bin = await tempDir();
  await writeProgram(`${bin}/ffmpeg`, "#!/bin/sh\necho 'Unknown encoder libx264' >&2\nexit 1\n");
  const { camera, warnings } = demoCamera(1, { PATH: `${bin}:/bin:/usr/bin` });
  await camera.start();
  await waitFor("the reason", () => warnings.length > 0);
  expect(warnings[0]).toContain('{"reason":"Unknown encoder libx264","pauseMs":1000}');
});

it("is left out with one line in the log when there is no ffmpeg", async () => {
  const { camera, warnings } = demoCamera(1, { PATH: "/nowhere" });
  expect(await camera.start()).toBe(false);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain("ffmpeg is not on PATH");
});
