import { chmodSync, copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { path as bundledFfprobe } from "ffprobe-static";
import { describe, expect, it, onTestFinished } from "vitest";

import { type FfprobeSettings, findFfprobe, probeFile } from "../../../src/media/ffprobe.js";
import { PATIENCE } from "../../support/patience.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait-for.js";
import { FIXTURES, fixture } from "../../unit/media/fixtures.js";

const NEVER = new AbortController().signal;
const SYSTEM: FfprobeSettings = { configuredPath: null, env: process.env };
const TRACKS = [
  { kind: "video", id: 256, codec: "avc1.64000b", timescale: 90_000, widthPx: 320, heightPx: 180, frameRate: 10 },
  { kind: "audio", id: 257, codec: "mp4a.40.2", timescale: 90_000, sampleRateHz: 48_000, channels: 1 },
];

async function stub(script: string): Promise<FfprobeSettings> {
  const file = path.join(await tempDir(), "ffprobe");
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return { configuredPath: file, env: process.env };
}

function probeTs(settings: FfprobeSettings, signal = NEVER) {
  return probeFile(settings, { filePath: fixture("v1.20.1/mpegts").filePath, format: "mpegts" }, signal);
}

describe("ffprobe", () => {
  it.each(FIXTURES.filter(({ name }) => name.endsWith(".ts")))(
    "F66: reads $name, its last frame included",
    async (file) => {
      const { tracks, durationUs } = await probeFile(SYSTEM, { filePath: file.filePath, format: "mpegts" }, NEVER);
      expect(tracks).toEqual(TRACKS);
      // MediaMTX's figure for MPEG-TS lacks the last frame or two at 10 fps, or the audio that outlasts the video.
      const hookUs = (file.hookDurationSec ?? 0) * 1e6;
      expect(durationUs).toBeGreaterThanOrEqual(hookUs);
      expect(durationUs).toBeLessThanOrEqual(hookUs + 200_000);
    },
  );

  it.runIf(existsSync(bundledFfprobe))("reads the same with the old one of ffprobe-static", async () => {
    const bundled = { configuredPath: null, env: { PATH: "" } };
    expect(await findFfprobe(bundled)).toBe(bundledFfprobe);
    const { tracks, durationUs } = await probeTs(bundled);
    expect({ tracks, durationUs }).toEqual({ ...(await probeTs(SYSTEM)) });
  });

  it.each([
    "-version.ts",
    "with space.ts",
    "%03d.ts",
    "new\nline.ts",
    "concat:a|b.ts",
    "ünïcödé 摄像.ts",
    "'quoted\".ts",
    "-i.ts",
    "a?b#c.ts",
  ])("F49: reads a file named %j", async (name) => {
    const filePath = path.join(await tempDir(), name);
    copyFileSync(fixture("v1.20.1/mpegts").filePath, filePath);
    expect((await probeFile(SYSTEM, { filePath, format: "mpegts" }, NEVER)).tracks).toEqual(TRACKS);
  });

  it("says that garbage, text and an empty file are no media", async () => {
    const directory = await tempDir();
    const contents = {
      garbage: readFileSync(fixture("v1.20.1/h264-aac").filePath).subarray(3_000, 9_000),
      text: "no film\n",
      empty: "",
    };
    for (const [name, content] of Object.entries(contents)) {
      const filePath = path.join(directory, name);
      writeFileSync(filePath, content);
      for (const format of ["mpegts", "fmp4"] as const) {
        await expect(probeFile(SYSTEM, { filePath, format }, NEVER)).rejects.toMatchObject({ kind: "data-loss" });
      }
    }
  });

  it("does not take an absent file for one without media", async () => {
    const filePath = path.join(await tempDir(), "absent.ts");
    await expect(probeFile(SYSTEM, { filePath, format: "mpegts" }, NEVER)).rejects.toMatchObject({
      kind: "unavailable",
    });
  });

  it("F13: is unavailable, with a hint, when the configured ffprobe is missing", async () => {
    const settings = { configuredPath: "/nonexistent/ffprobe", env: process.env };
    await expect(probeTs(settings)).rejects.toMatchObject({
      kind: "unavailable",
      hint: expect.stringContaining("FFPROBE_PATH") as string,
    });
  });

  it.each([
    ["exits 139", "kill -SEGV $$", "ended by SIGSEGV"],
    ["exits 3", "exit 3", "exit code 3"],
    ["exits 1 without a word", "exit 1", "exit code 1"],
    ["writes 1 GB to stderr", "exec head -c 1000000000 /dev/zero >&2", "more than 1048576 bytes of output"],
    ["writes 1 GB to stdout", "exec head -c 1000000000 /dev/zero", "more than 1048576 bytes of output"],
    ["prints no JSON", "echo hello", "not the expected JSON"],
    ["prints other JSON", "echo '{\"streams\": 7}'", "not the expected JSON"],
  ])("F13: is unavailable when ffprobe %s", async (_what, script, message) => {
    await expect(probeTs(await stub(script))).rejects.toMatchObject({
      kind: "unavailable",
      message: expect.stringContaining(message) as string,
    });
  });

  it("F13: kills an ffprobe that hangs, even one that ignores SIGTERM", async () => {
    const pidFile = path.join(await tempDir(), "pid");
    const settings = await stub(`trap '' TERM INT HUP\necho $$ > ${pidFile}\nexec sleep 600`);
    // Long enough for it to begin.
    const timeoutMs = 500 * PATIENCE;
    await expect(probeTs({ ...settings, timeoutMs })).rejects.toMatchObject({
      kind: "unavailable",
      message: expect.stringContaining(`killed after ${timeoutMs} ms`) as string,
    });
    await waitFor("the process to be gone", () => !isAlive(Number(readFileSync(pidFile, "utf8"))));
  });

  it("ends ffprobe on abort", async () => {
    const pidFile = path.join(await tempDir(), "pid");
    const settings = await stub(`echo $$ > ${pidFile}\nexec sleep 600`);
    const abort = new AbortController();
    onTestFinished(() => abort.abort());
    const probing = expect(probeTs(settings, abort.signal)).rejects.toMatchObject({ kind: "cancelled" });
    const pid = await waitFor("ffprobe to run", () => Number(readFileSync(pidFile, "utf8")) || undefined);
    abort.abort();
    await probing;
    await waitFor("the process to be gone", () => !isAlive(pid));
  });

  it("passes no secret of our environment on", async () => {
    const envFile = path.join(await tempDir(), "env");
    const settings = await stub(`env > ${envFile}\nexit 3`);
    await expect(probeTs({ ...settings, env: { ...process.env, R2_SECRET_ACCESS_KEY: "hush" } })).rejects.toThrow(
      "exit code 3",
    );
    expect(readFileSync(envFile, "utf8")).toContain("PATH=");
    expect(readFileSync(envFile, "utf8")).not.toContain("hush");
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
