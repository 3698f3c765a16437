/** An ffmpeg that tells what it was started with, and hangs if it is to. */
import { execFile } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

import type { FfmpegSettings } from "../../src/media/ffmpeg.js";
import { PATIENCE } from "./patience.js";
import { tempDir } from "./temp-dir.js";

const run = promisify(execFile);

/** An ffmpeg that writes down its process id, its arguments and its input, and then is the real one or waits for ever. */
export async function watchedFfmpeg(then: "work" | "hang") {
  const directory = await tempDir();
  const file = path.join(directory, "ffmpeg");
  const { stdout } = await run("sh", ["-c", "command -v ffmpeg"]);
  const end = then === "hang" ? "exec sleep 600" : `tee "${directory}/$$.input" | "${stdout.trim()}" "$@"`;
  writeFileSync(
    file,
    `#!/bin/sh\necho "$@" > "${directory}/$$.tmp"\nmv "${directory}/$$.tmp" "${directory}/$$.args"\n${end}\n`,
  );
  chmodSync(file, 0o755);
  // It hangs until it is ended, not until its time is over.
  const settings: FfmpegSettings = { configuredPath: file, env: process.env, timeoutMs: 60_000 * PATIENCE };
  const pids = (): number[] =>
    readdirSync(directory).flatMap((name) => (name.endsWith(".args") ? [Number(name.slice(0, -5))] : []));
  return {
    settings,
    pids,
    argsOf: (pid: number) => readFileSync(path.join(directory, `${pid}.args`), "utf8"),
    inputOf: (pid: number) => readFileSync(path.join(directory, `${pid}.input`)),
  };
}

export function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
}
