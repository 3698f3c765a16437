/** `reelkeeper verify` beside a running server, with a real bucket. */
import { cp, open, readdir, rm, utimes } from "node:fs/promises";
import path from "node:path";

import { describe, expect, it, onTestFinished } from "vitest";

import type { RecordingView } from "../../../src/contract/recordings.js";
import { type InstalledApp, installApp } from "../../support/app-setup.js";
import { startChild } from "../../support/child.js";
import { tempDir } from "../../support/temp-dir.js";
import { startS3Server } from "../../support/versitygw.js";
import { waitFor } from "../../support/wait-for.js";
import { runCommand } from "./command.js";

const FIXTURES = path.resolve(import.meta.dirname, "../../fixtures/recordings/v1.20.1");
const FIXTURE_COUNT = 16;

async function addFixtures(recordDir: string): Promise<void> {
  await cp(FIXTURES, recordDir, { recursive: true });
  const hourAgo = Date.now() / 1e3 - 3_600;
  for (const entry of await readdir(recordDir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await utimes(path.join(entry.parentPath, entry.name), hourAgo, hourAgo);
  }
}

async function serve(installed: InstalledApp): Promise<void> {
  const child = await startChild(process.execPath, [installed.program, "serve"], {
    cwd: path.dirname(installed.dataDir),
    env: { ...process.env, ...installed.env },
  });
  onTestFinished(() => void child.stop("SIGKILL"));
}

async function archived(installed: InstalledApp): Promise<RecordingView[]> {
  const look = async (): Promise<RecordingView[] | undefined> => {
    const response = await fetch(`http://127.0.0.1:${installed.port}/api/v1/recordings?order=oldest&limit=2000`);
    const { items } = (await response.json()) as { items: RecordingView[] };
    const done = items.filter(({ archive, local }) => archive === "verified" && local === "present");
    return done.length === FIXTURE_COUNT ? items : undefined;
  };
  return waitFor("everything to be archived", look, { timeoutMs: 60_000, intervalMs: 100 });
}

async function flipLastByte(file: string): Promise<void> {
  const handle = await open(file, "r+");
  const { size } = await handle.stat();
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  await handle.write(Buffer.from([buffer[0]! ^ 1]), 0, 1, size - 1);
  await handle.close();
}

function jsonLines(stdout: string): Record<string, Record<string, unknown>>[] {
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, Record<string, unknown>>);
}

describe("verify", () => {
  it("tells what differs beside a running server, repairs it, and says when it cannot ask (F19, F24, F25)", async () => {
    const s3 = await startS3Server({ directory: await tempDir() });
    onTestFinished(() => s3.stop());
    const installed = await installApp({
      ...{ directory: await tempDir(), store: { server: s3 } },
      env: { MEDIAMTX_MODE: "external", RECORD_TIMEZONE: "UTC", QUIET_TIME: "1s" },
    });
    await addFixtures(path.join(installed.dataDir, "recordings"));
    await serve(installed);
    const [gone, flipped] = await archived(installed);
    const clean = await runCommand(installed, ["verify"]);
    expect(clean).toMatchObject({ code: 0, stderr: "" });
    expect(clean.stdout).toMatch(/^compared 16 rows with 17 files, 16 rows with 16 objects\n0 differences/);

    await rm(path.join(s3.bucketDir, gone!.objectKey!));
    await flipLastByte(path.join(s3.bucketDir, flipped!.objectKey!));
    const fast = await runCommand(installed, ["verify"]);
    expect(fast.code).toBe(1);
    expect(fast.stdout).toContain(`object-missing "${gone!.objectKey!}": the archived copy is gone`);
    expect(fast.stdout).not.toContain(flipped!.objectKey!);
    const full = await runCommand(installed, ["verify", "--full", "--repair", "--json"]);
    expect(full.code).toBe(0);
    const lines = jsonLines(full.stdout);
    expect(lines.flatMap(({ difference }) => (difference === undefined ? [] : [difference["kind"]])).sort()).toEqual([
      "object-differs",
      "object-missing",
    ]);
    expect(lines.at(-1)!["summary"]).toMatchObject({ filesRead: 16, objectsRead: 15, differences: 2, repaired: 2 });

    const now = await archived(installed);
    expect(now[1]!.objectKey).not.toBe(flipped!.objectKey);
    const after = await runCommand(installed, ["verify", "--full"]);
    expect(after).toMatchObject({ code: 0, stderr: "" });
    expect(after.stdout).toContain("1 objects are older versions");

    await s3.stop();
    const away = await runCommand(installed, ["verify"]);
    expect(away.code).toBe(2);
    expect(away.stdout).toMatch(/^cannot tell of objects: /m);
    expect(await runCommand(installed, ["scan", "--full"])).toMatchObject({ code: 2, stdout: "" });
  });
});
