import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";

import { describe, expect, it, onTestFinished } from "vitest";

import { runsWithConfig } from "../../../src/mediamtx/process-identity.js";
import type { Clock } from "../../../src/platform/clock.js";
import { startCamera } from "../../support/camera.js";
import { startChild } from "../../support/child.js";
import { PATIENCE } from "../../support/patience.js";
import { waitFor } from "../../support/wait-for.js";
import { writeProgram } from "./release-server.js";
import { type Place, preparePlace, supervise } from "./supervisor-fixture.js";

const READY_MS = 10_000 * PATIENCE;
const ready = (): AbortSignal => AbortSignal.timeout(READY_MS);

const RECORDING = [
  "paths:",
  "  all_others:",
  "    record: true",
  "    recordPath: ./recordings/%path/%Y-%m-%d_%H-%M-%S-%f",
  "    recordSegmentDuration: 1s",
].join("\n");

describe("a MediaMTX that runs", () => {
  it("is started, answers, and leaves no process and no pid file when it is stopped", async () => {
    const place = await preparePlace();
    const { supervisor, starts, exits, options } = supervise(place);
    const { pid, adopted } = await supervisor.start();
    await supervisor.waitUntilReady(ready());
    expect(adopted).toBe(false);
    expect(await runsWithConfig(pid, options.configFile)).toBe(true);
    expect(supervisor.status()).toMatchObject({ state: "running", process: { pid }, restarts: 0 });
    await supervisor.stop();
    expect(await runsWithConfig(pid, options.configFile)).toBe(false);
    expect(existsSync(options.pidFile)).toBe(false);
    expect(supervisor.status()).toMatchObject({ state: "stopped", process: undefined });
    // An end that was asked for is none to report.
    expect([starts.length, exits.length]).toEqual([1, 0]);
    expect(await readFile(options.logFile, "utf8")).toContain("waiting for running hooks");
  });

  it("is started again after kill -9, and both ends of that are told", async () => {
    const place = await preparePlace();
    const { supervisor, starts, exits } = supervise(place);
    const first = await supervisor.start();
    await supervisor.waitUntilReady(ready());
    process.kill(first.pid, "SIGKILL");
    const second = await waitFor("the second start", () => starts[1]);
    await supervisor.waitUntilReady(ready());
    expect(second.pid).not.toBe(first.pid);
    expect(second.startedAtUs).toBeGreaterThan(first.startedAtUs);
    expect(exits).toMatchObject([{ signal: "SIGKILL", exitCode: null }]);
    expect(supervisor.status()).toMatchObject({ state: "running", restarts: 1 });
  });

  it("gets none of the variables that beat its configuration, and a warning names them", async () => {
    const place = await preparePlace();
    const env = { ...process.env, MTX_APIADDRESS: "127.0.0.1:1", HOOK_SECRET: "0123456789abcdef" };
    const { supervisor, warnings } = supervise(place, { options: { env } });
    const { pid } = await supervisor.start();
    await supervisor.waitUntilReady(ready());
    expect(warnings).toContainEqual(expect.stringContaining('{"names":["MTX_APIADDRESS"]}'));
    const seen = (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0");
    expect(seen).toContain("REELKEEPER_URL=http://127.0.0.1:1");
    expect(seen.filter((entry) => /^(MTX_|RTSP_|HOOK_SECRET)/.test(entry))).toEqual([]);
  });

  it("is killed when it does not end within the grace", async () => {
    const place = await preparePlace();
    const bin = path.join(place.directory, "stubborn");
    await writeProgram(bin, "#!/bin/sh\ntrap '' TERM INT\nwhile :; do sleep 0.1; done\n");
    const { supervisor, warnings } = supervise(place, { options: { bin, stopGraceMs: 200 } });
    const { pid } = await supervisor.start();
    await waitFor("the program to ignore signals", async () =>
      // SigIgn is a bit mask; 15 (SIGTERM) is bit 14.
      /SigIgn:\s*[0-9a-f]*[4-7c-f][0-9a-f]{3}\n/.test(await readFile(`/proc/${pid}/status`, "utf8")),
    );
    await supervisor.stop();
    expect(warnings).toContainEqual(expect.stringContaining("MediaMTX does not stop and is killed"));
    expect(await runsWithConfig(pid, place.options.configFile)).toBe(false);
  });
});

describe("a MediaMTX that outlives a killed Reelkeeper", () => {
  async function startAndKillSupervisor(place: Place): Promise<number> {
    const script = new URL("supervised.mjs", import.meta.url).pathname;
    const child = await startChild(process.execPath, [script, JSON.stringify(place.options), String(place.ports.api)]);
    onTestFinished(() => void child.stop("SIGKILL"));
    const pid = await waitFor("the child to supervise", () => /^supervising (\d+)$/m.exec(child.output())?.[1]);
    await child.stop("SIGKILL");
    return Number(pid);
  }

  it("goes on recording and is taken over by the next one, which stops it", async () => {
    const place = await preparePlace(RECORDING);
    const pid = await startAndKillSupervisor(place);
    const camera = await startCamera({ url: `rtsp://127.0.0.1:${place.ports.rtsp}/cam1` });
    onTestFinished(() => camera.stop());
    await waitFor("a segment recorded by nobody's child", async () => {
      const files = await readdir(path.join(place.directory, "recordings", "cam1"));
      return files.length >= 2;
    });
    const { supervisor, starts, exits } = supervise(place);
    expect(await supervisor.start()).toMatchObject({ pid, adopted: true });
    await supervisor.waitUntilReady(ready());
    expect(starts).toMatchObject([{ pid, adopted: true }]);
    expect(camera.child.process.exitCode).toBeNull();
    await supervisor.stop();
    expect(await runsWithConfig(pid, place.options.configFile)).toBe(false);
    expect(exits).toEqual([]);
  });

  it("is started anew when it crashes after it was taken over", async () => {
    const place = await preparePlace();
    const pid = await startAndKillSupervisor(place);
    const { supervisor, starts, exits } = supervise(place);
    await supervisor.start();
    process.kill(pid, "SIGKILL");
    const next = await waitFor("the start of another", () => starts[1]);
    expect(next.adopted).toBe(false);
    expect(exits).toHaveLength(1);
    await supervisor.waitUntilReady(ready());
  });

  it("is replaced when it runs with other settings", async () => {
    const place = await preparePlace();
    const pid = await startAndKillSupervisor(place);
    const { supervisor } = supervise(place, { options: { extraEnv: { REELKEEPER_URL: "http://127.0.0.1:2" } } });
    const start = await supervisor.start();
    expect(start.adopted).toBe(false);
    expect(start.pid).not.toBe(pid);
    expect(await runsWithConfig(pid, place.options.configFile)).toBe(false);
    await supervisor.waitUntilReady(ready());
  });

  it.each([
    [
      "names a process of another program",
      (): string => JSON.stringify({ pid: process.pid, startedAtUs: 1, fingerprint: "x" }),
    ],
    ["is torn", (): string => '{"pid":12'],
    ["holds something else", (): string => "12\n"],
  ])("is not looked for by a pid file that %s", async (_what, content) => {
    const place = await preparePlace();
    await writeFile(place.options.pidFile, content());
    const { supervisor } = supervise(place);
    expect(await supervisor.start()).toMatchObject({ adopted: false });
    await supervisor.waitUntilReady(ready());
  });
});

describe("a MediaMTX that cannot start", () => {
  it("is refused with its own reason and a hint when a port is taken", async () => {
    const place = await preparePlace();
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(place.ports.rtsp, "127.0.0.1", resolve));
    onTestFinished(() => void taken.close());
    const { supervisor } = supervise(place);
    await supervisor.start();
    const failing = supervisor.waitUntilReady(ready());
    const address = `127.0.0.1:${place.ports.rtsp}`;
    await expect(failing).rejects.toMatchObject({
      kind: "failed-precondition",
      message: `start MediaMTX: it ended with exit code 1: listen tcp ${address}: bind: address already in use`,
      hint: expect.stringMatching(`^${address} is in use: .*MEDIAMTX_MODE=external`) as string,
    });
  });

  it("is refused with its own reason when its configuration is wrong", async () => {
    const place = await preparePlace("nope: 1");
    const { supervisor } = supervise(place);
    await supervisor.start();
    await expect(supervisor.waitUntilReady(ready())).rejects.toThrow(/exit code 1: json: unknown field "nope"/);
  });

  it("is refused at once when the binary is no program", async () => {
    const place = await preparePlace();
    const bin = path.join(place.directory, "folder");
    await mkdir(bin);
    await expect(supervise(place, { options: { bin } }).supervisor.start()).rejects.toMatchObject({
      kind: "failed-precondition",
    });
  });

  it("leaves no process that nobody could find again when the pid file cannot be written", async () => {
    const place = await preparePlace();
    const pidFile = path.join(place.directory, "absent", "mediamtx.pid");
    await expect(supervise(place, { options: { pidFile } }).supervisor.start()).rejects.toThrow(/^start /);
    await waitFor("the process to be gone", async () => {
      const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
      const running = await Promise.all(pids.map((pid) => runsWithConfig(Number(pid), place.options.configFile)));
      return !running.includes(true);
    });
  });

  it("is tried again after 1, 2, 4 … 30 seconds", async () => {
    expect(await pausesOf({ livedMs: 0, count: 7 })).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  it("is tried again after 1 second when it ran for a minute", async () => {
    expect(await pausesOf({ livedMs: 61_000, count: 3 })).toEqual([1_000, 1_000, 1_000]);
  });
});

/** The pauses between the starts of a program that ends at once, under a clock that says how long it lived. */
async function pausesOf({ livedMs, count }: { livedMs: number; count: number }): Promise<number[]> {
  const place = await preparePlace();
  const bin = path.join(place.directory, "short-lived");
  await writeProgram(bin, "#!/bin/sh\nexit 1\n");
  const pausesMs: number[] = [];
  let nowMs = 0;
  const clock: Clock = {
    nowUs: () => 1,
    monotonicMs: () => (nowMs += livedMs),
    sleep: (ms, signal) => {
      pausesMs.push(ms);
      // The last pause lasts until the supervisor is stopped.
      if (pausesMs.length < count) return Promise.resolve();
      return new Promise((resolve) => signal?.addEventListener("abort", () => resolve()));
    },
  };
  const { supervisor } = supervise(place, { options: { bin }, clock });
  await supervisor.start();
  await waitFor("all pauses", () => pausesMs.length === count);
  await supervisor.stop();
  return pausesMs;
}
