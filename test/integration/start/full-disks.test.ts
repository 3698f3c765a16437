/** Where the log goes, and where temporary files go, may be full to the last byte: the work goes on. */
import { execFile } from "node:child_process";
import { appendFile, cp, readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { describe, expect, it, onTestFinished } from "vitest";

import { type InstalledApp, installApp } from "../../support/app-setup.js";
import { startChild } from "../../support/child.js";
import { tempDir } from "../../support/temp-dir.js";
import { emptyDisk, fillDisk, mountTmpfs } from "../../support/tmpfs.js";
import { waitFor } from "../../support/wait-for.js";
import { runCommand } from "./command.js";

const run = promisify(execFile);
const FIXTURES = path.resolve(import.meta.dirname, "../../fixtures/recordings/v1.20.1/h265-only");
const PAGE_BYTES = 4_096;
const PATIENTLY = { timeoutMs: 60_000, intervalMs: 200 };

/** In external mode, without a MediaMTX; its log is appended to the file. */
async function serve(installed: InstalledApp, logFile: string, env: Readonly<Record<string, string>> = {}) {
  const script = 'exec "$0" "$1" serve 2>>"$2"';
  const child = await startChild("sh", ["-c", script, process.execPath, installed.program, logFile], {
    env: { ...process.env, ...installed.env, ...env },
  });
  onTestFinished(() => void child.stop("SIGKILL"));
  await waitFor("Reelkeeper to be ready", async () => (await ask(installed, "/ready")).ok, PATIENTLY);
  return child;
}

function ask({ port }: InstalledApp, target: string, method = "GET"): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${target}`, { method });
}

/** Two segments, written an hour ago; resolves when both are proven. */
async function archive(installed: InstalledApp, camera: string): Promise<void> {
  const directory = path.join(installed.dataDir, "recordings", camera);
  await cp(FIXTURES, directory, { recursive: true });
  await run("find", [directory, "-type", "f", "-exec", "touch", "-d", "1 hour ago", "{}", "+"]);
  await ask(installed, "/api/v1/scan", "POST");
  await waitFor(
    "both to be proven",
    async () => {
      const response = await ask(installed, `/api/v1/recordings?path=${camera}&state=verified`);
      return ((await response.json()) as { items: unknown[] }).items.length === 2;
    },
    PATIENTLY,
  );
}

describe("a full disk is survived and left without a restart, and nothing is lost, when it holds", () => {
  it("the log: lines are lost and counted, the work goes on (F44)", async () => {
    const installed = await installApp({
      ...{ directory: await tempDir(), env: { MEDIAMTX_MODE: "external", RECORD_TIMEZONE: "UTC", LOG_LEVEL: "debug" } },
    });
    const disk = await tempDir();
    await mountTmpfs(disk, "256k");
    const logFile = path.join(disk, "reelkeeper.log");
    const child = await serve(installed, logFile);
    await fillDisk(disk);
    // The log has the rest of its last page yet.
    await expect(appendFile(logFile, "\n".padStart(PAGE_BYTES))).rejects.toMatchObject({ code: "ENOSPC" });
    await archive(installed, "cam1");
    await emptyDisk(disk);
    // Something to tell.
    await archive(installed, "cam2");
    const lost = await waitFor(
      "the log to go on",
      async () => /.*"message":"[^"]*lost[^"]*".*/.exec(await readFile(logFile, "utf8"))?.[0],
      PATIENTLY,
    );
    expect(JSON.parse(lost)).toMatchObject({ level: "warn" });
    expect(await child.stop("SIGTERM")).toBe(0);
  });

  it("temporary files: nothing of the work needs them, a backup of the database neither (F37)", async () => {
    const disk = await tempDir();
    await mountTmpfs(disk, "64k");
    await fillDisk(disk);
    const env = { MEDIAMTX_MODE: "external", RECORD_TIMEZONE: "UTC", TMPDIR: disk, SQLITE_TMPDIR: disk };
    const installed = await installApp({ directory: await tempDir(), env });
    const child = await serve(installed, "/dev/null");
    await archive(installed, "cam1");
    expect(await runCommand(installed, ["backup"])).toMatchObject({ code: 0, stderr: "" });
    expect(await child.stop("SIGTERM")).toBe(0);
  });
});
