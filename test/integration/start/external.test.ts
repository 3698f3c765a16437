/**
 * The two containers of docker-compose.yml as two processes: environment, command, user and mounts are taken from that
 * file; only where mounts and ports lie is the test's. The hook has busybox and nothing else, as in MediaMTX's image.
 */
import { execFile } from "node:child_process";
import { chmod, chown, copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { describe, expect, it, onTestFinished } from "vitest";

import type { RecordingView } from "../../../src/contract/recordings.js";
import { installApp } from "../../support/app-setup.js";
import { startCamera } from "../../support/camera.js";
import { type Child, startChild } from "../../support/child.js";
import { tempDir } from "../../support/temp-dir.js";
import { mediamtxBinary } from "../../support/tools.js";
import { waitFor } from "../../support/wait-for.js";
import { type ComposeService, placer, readCompose } from "./compose.js";
import { PATIENCE } from "../../support/patience.js";

const run = promisify(execFile);
const ADMIN_TOKEN = "a-token-of-the-tests";
const LISTED_WITHIN_MS = 2_000 * PATIENCE;
const WATCHED_WITHIN_MS = 5_000 * PATIENCE;

interface Stack {
  readonly reelkeeper: Child;
  readonly mediamtx: Child;
  readonly configFile: string;
  readonly rtspUrl: string;
  readonly recordDir: string;
  readonly bucketDir: string;
  list(): Promise<RecordingView[]>;
  /** Segments that a hook told of, by the metrics. */
  hooksHeard(): Promise<number>;
}

interface User {
  readonly uid?: number;
  readonly gid?: number;
}

/** As Docker would: the user of the compose file, when the tests run as root. */
function userOf({ user }: ComposeService): User {
  const [uid = 0, gid = 0] = user.split(":").map(Number);
  return process.getuid?.() === 0 ? { uid, gid } : {};
}

async function startStack(more: Readonly<Record<string, string>> = {}): Promise<Stack> {
  const { services } = readCompose({ ADMIN_TOKEN });
  const [ours, theirs] = [services["reelkeeper"]!, services["mediamtx"]!];
  const directory = await tempDir();
  await chmod(directory, 0o755);
  const volumes: Record<string, string> = {};
  for (const name of new Set(
    [ours, theirs].flatMap((service) => service.volumes.map((volume) => volume.split(":")[0]!)),
  )) {
    volumes[name] = path.join(directory, name);
    await mkdir(volumes[name]);
    const { uid, gid } = userOf(ours);
    if (uid !== undefined && gid !== undefined) await chown(volumes[name], uid, gid);
  }
  const { program, port, mediamtxPorts, env } = await installApp({ directory });
  const base = path.join(directory, "base.yml");
  const segments = "pathDefaults:\n  record: true\n  recordSegmentDuration: 1s\npaths:\n  all_others:\n";
  await writeFile(base, `${await readFile(env["MEDIAMTX_BASE_CONFIG"]!, "utf8")}${segments}`);
  const here = {
    volumes,
    addresses: { "reelkeeper:8080": `127.0.0.1:${port}`, "mediamtx:9997": `127.0.0.1:${mediamtxPorts.api}` },
  };
  const place = placer(ours, here);
  const placed = Object.entries(ours.environment).map(([name, value]) => [name, place(value)]);
  const reelkeeper = await startChild(process.execPath, [program, "serve"], {
    cwd: directory,
    ...userOf(ours),
    env: {
      ...{ PATH: process.env["PATH"], HOME: directory, NODE_ENV: "production" },
      ...(Object.fromEntries(placed) as Record<string, string>),
      ...{ PORT: String(port), MEDIAMTX_BASE_CONFIG: base, ...more },
    },
  });
  onTestFinished(() => void reelkeeper.stop("SIGKILL"));
  await waitForHealth(reelkeeper, ours, port);
  const placeTheirs = placer(theirs, here);
  const [configFile = ""] = (theirs.command ?? []).map(placeTheirs);
  const mediamtx = await startChild(await binaryIn(directory), [configFile], {
    cwd: directory,
    ...userOf(theirs),
    env: {
      PATH: await busyboxIn(directory),
      REELKEEPER_URL: placeTheirs(String(theirs.environment["REELKEEPER_URL"])),
    },
  });
  onTestFinished(() => void mediamtx.stop("SIGKILL"));
  const get = async (target: string): Promise<Response> => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    const response = await fetch(`http://127.0.0.1:${port}${target}`, { headers });
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    return response;
  };
  return {
    ...{ reelkeeper, mediamtx, configFile, rtspUrl: `rtsp://127.0.0.1:${mediamtxPorts.rtsp}/cam1` },
    ...{ recordDir: volumes["recordings"]!, bucketDir: path.join(volumes["data"]!, "bucket") },
    list: async () => {
      const response = await get("/api/v1/recordings?order=oldest&limit=1000");
      return ((await response.json()) as { items: RecordingView[] }).items;
    },
    hooksHeard: async () => {
      const counter = /^reelkeeper_hook_duration_seconds_count\{kind="segment-complete",result="accepted"\} (\d+)$/m;
      return Number(counter.exec(await (await get("/metrics")).text())?.[1] ?? 0);
    },
  };
}

/** By the very command of the compose file, its port aside. */
async function waitForHealth(child: Child, service: ComposeService, port: number): Promise<void> {
  const [, command = "", ...args] = service.healthcheck.test;
  expect(command).toBe("node");
  await waitFor(
    "the health check of docker-compose.yml",
    async () => {
      if (child.process.exitCode !== null) throw new Error(child.output());
      await run(
        process.execPath,
        args.map((arg) => arg.replace("127.0.0.1:8080", `127.0.0.1:${port}`)),
      );
      return true;
    },
    { timeoutMs: 30_000, intervalMs: 200 },
  );
}

/** Where every user may run it. */
async function binaryIn(directory: string): Promise<string> {
  const binary = path.join(directory, "mediamtx-binary");
  await copyFile(await mediamtxBinary("1.21.0"), binary);
  await chmod(binary, 0o755);
  return binary;
}

/** A directory that holds the programs of busybox and nothing else. */
async function busyboxIn(directory: string): Promise<string> {
  const programs = path.join(directory, "busybox");
  await mkdir(programs);
  const { stdout } = await run("sh", ["-c", "command -v busybox"]);
  await run(stdout.trim(), ["--install", "-s", programs]);
  return programs;
}

function hasEnded(recording: RecordingView): boolean {
  return recording.local !== "open";
}

describe("docker-compose.yml, as two processes", () => {
  it("records, tells by the hook, archives, and loses nothing when MediaMTX is stopped first", async () => {
    const stack = await startStack();
    expect(await readFile(stack.configFile, "utf8")).toContain("runOnRecordSegmentComplete");
    const camera = await startCamera({ url: stack.rtspUrl, gopSec: 1, fps: 10 });
    onTestFinished(() => camera.stop());
    await waitFor(
      "three segments to be proven",
      async () => (await stack.list()).filter(({ archive }) => archive === "verified").length >= 3,
      { timeoutMs: 30_000 },
    );
    expect(await stack.mediamtx.stop("SIGTERM", 30_000)).toBe(0);
    const stoppedMs = performance.now();
    // Every segment that was open when MediaMTX ended was told of before it ended.
    await waitFor("no open segment", async () => (await stack.list()).every(hasEnded), { timeoutMs: LISTED_WITHIN_MS });
    expect(performance.now() - stoppedMs).toBeLessThan(LISTED_WITHIN_MS);
    const all = await waitFor(
      "all to be proven",
      async () => {
        const recordings = await stack.list();
        return recordings.every(({ archive }) => archive === "verified") ? recordings : undefined;
      },
      { timeoutMs: 10_000 },
    );
    for (const { filePath, objectKey, path: name, partial } of all) {
      expect([name, partial]).toEqual(["cam1", false]);
      const [file, object] = await Promise.all([
        readFile(path.join(stack.recordDir, filePath)),
        readFile(path.join(stack.bucketDir, objectKey!)),
      ]);
      expect(object.equals(file)).toBe(true);
    }
    // One that waits too long for its answer says it again.
    expect(await stack.hooksHeard()).toBeGreaterThanOrEqual(all.length);
    expect(stack.mediamtx.output()).not.toContain("reelkeeper hook:");
    expect(stack.reelkeeper.output()).not.toContain(ADMIN_TOKEN);
    expect(await stack.reelkeeper.stop("SIGTERM", 30_000)).toBe(0);
  });

  it("without hooks the watch alone lists a segment within seconds of its closing", async () => {
    const stack = await startStack({ MEDIAMTX_HOOK_COMMAND: "none", SCAN_INTERVAL: "1h" });
    expect(await readFile(stack.configFile, "utf8")).not.toContain("hook");
    const camera = await startCamera({ url: stack.rtspUrl, gopSec: 1, fps: 10 });
    onTestFinished(() => camera.stop());
    await waitFor(
      "a segment to be proven",
      async () => (await stack.list()).some(({ archive }) => archive === "verified"),
      {
        timeoutMs: 20_000,
      },
    );
    await camera.stop();
    await stack.mediamtx.stop("SIGTERM", 30_000);
    await waitFor(
      "all segments to be proven",
      async () => {
        const recordings = await stack.list();
        const { stdout } = await run("find", [stack.recordDir, "-name", "*.mp4", "-printf", "%P\n"]);
        const isListed =
          recordings
            .map(({ filePath }) => filePath)
            .sort()
            .join("\n") === stdout.trim().split("\n").sort().join("\n");
        return isListed && recordings.length > 1 && recordings.every(({ archive }) => archive === "verified");
      },
      { timeoutMs: WATCHED_WITHIN_MS },
    );
    expect(await stack.hooksHeard()).toBe(0);
  });
});
