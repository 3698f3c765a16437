/**
 * The programs that tests run for real, kept outside the tree: MediaMTX by the product's own way of getting it, and
 * versitygw, an S3 server, and rclone built with Go. Safe when several test workers ask at once.
 */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { findOrGetMediaMtx } from "../../src/mediamtx/binary.js";
import { withFileLock } from "../../src/mediamtx/file-lock.js";
import { runTool } from "../../src/mediamtx/run-command.js";
import { systemClock } from "../../src/platform/clock.js";
import type { Logger } from "../../src/platform/logger.js";

const BUILD_TIMEOUT_MS = 20 * 60_000;
const VERSITYGW = "github.com/versity/versitygw/cmd/versitygw@v1.8.0";
const RCLONE = "github.com/rclone/rclone@v1.75.1";
const SCHEMATHESIS = "4.32.5";
const RELEASES = "https://github.com/bluenviron/mediamtx/releases/download";

const CACHE_DIR = process.env["CACHE_DIR"] ?? path.join(os.homedir(), ".cache", "reelkeeper");
export type TestedMediaMtxVersion = "1.21.0" | "1.19.3";

const obtained = new Map<string, Promise<string>>();

/** The executable of exactly this version; what PATH and MEDIAMTX_BIN say does not count. */
export function mediamtxBinary(version: TestedMediaMtxVersion): Promise<string> {
  return once(`mediamtx ${version}`, async () => {
    const env = { ...process.env, PATH: pathWithout("mediamtx") };
    const found = await findOrGetMediaMtx(
      { log: stderrLogger, signal: AbortSignal.timeout(BUILD_TIMEOUT_MS) },
      { bin: null, version, cacheDir: CACHE_DIR, downloadUrl: process.env["MEDIAMTX_DOWNLOAD_URL"] ?? RELEASES, env },
    );
    return found.path;
  });
}

export function versitygwBinary(): Promise<string> {
  return goProgram("versitygw", VERSITYGW);
}

/** Only the bench needs it: the peer that uploads are held against. */
export function rcloneBinary(): Promise<string> {
  return goProgram("rclone", RCLONE);
}

/** Asks an API whatever its OpenAPI document allows and forbids; in a Python environment of its own. */
export function schemathesisBinary(): Promise<string> {
  return once("schemathesis", async () => {
    const directory = path.join(CACHE_DIR, "schemathesis", SCHEMATHESIS);
    const file = path.join(directory, "bin", "schemathesis");
    const signal = AbortSignal.timeout(BUILD_TIMEOUT_MS);
    const how = { env: process.env, signal, timeoutMs: BUILD_TIMEOUT_MS };
    await mkdir(path.dirname(directory), { recursive: true });
    await withFileLock(`${directory}.lock`, { clock: systemClock, signal, timeoutMs: BUILD_TIMEOUT_MS }, async () => {
      const done = path.join(directory, ".done");
      if (existsSync(done)) return;
      await rm(directory, { recursive: true, force: true });
      await runTool("python3", ["-m", "venv", directory], how);
      await runTool(path.join(directory, "bin", "pip"), ["install", "-q", `schemathesis==${SCHEMATHESIS}`], how);
      await writeFile(done, "");
    });
    return file;
  });
}

/** Built once for this machine; `module` ends in the version. */
function goProgram(name: string, module: string): Promise<string> {
  return once(name, async () => {
    const directory = path.join(CACHE_DIR, name);
    const version = module.slice(module.lastIndexOf("@v") + 2);
    const file = path.join(directory, `${name}-${version}-${process.platform}-${process.arch}`);
    if (existsSync(file)) return file;
    await mkdir(directory, { recursive: true });
    const signal = AbortSignal.timeout(BUILD_TIMEOUT_MS);
    await withFileLock(`${file}.lock`, { clock: systemClock, signal, timeoutMs: BUILD_TIMEOUT_MS }, async () => {
      if (existsSync(file)) return;
      stderrLogger.info(`building ${name} with Go, this takes a few minutes`);
      const temporary = path.join(directory, `.tmp-${randomUUID()}`);
      try {
        const env = { ...process.env, GOBIN: temporary, GOWORK: "off" };
        await runTool("go", ["install", module], { env, signal, timeoutMs: BUILD_TIMEOUT_MS });
        await rename(path.join(temporary, name), file);
      } finally {
        await rm(temporary, { recursive: true, force: true });
      }
    });
    return file;
  });
}

function once(key: string, obtain: () => Promise<string>): Promise<string> {
  const known = obtained.get(key);
  if (known !== undefined) return known;
  const started = obtain();
  obtained.set(key, started);
  return started;
}

/** PATH without the folders that hold this program. */
function pathWithout(program: string): string {
  const directories = (process.env["PATH"] ?? "").split(path.delimiter);
  return directories.filter((directory) => !existsSync(path.join(directory, program))).join(path.delimiter);
}

const say = (message: string, fields: object = {}): void => {
  process.stderr.write(`${message} ${JSON.stringify(fields)}\n`);
};
const stderrLogger: Logger = { debug: () => undefined, info: say, warn: say, error: say, child: () => stderrLogger };
