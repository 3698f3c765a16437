/** The commands, as a person types them: what they print, how they end, what they refuse. */
import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { promisify } from "node:util";

import sqlite3 from "sqlite3";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";

import type { RecordingView } from "../../../src/contract/recordings.js";
import { type InstalledApp, installApp } from "../../support/app-setup.js";
import { type Child, startChild } from "../../support/child.js";
import { startMediaMtx } from "../../support/mediamtx-server.js";
import { tempDir } from "../../support/temp-dir.js";
import { startS3Server } from "../../support/versitygw.js";
import { waitFor } from "../../support/wait-for.js";
import { runCommand } from "./command.js";

const run = promisify(execFile);
const FIXTURES = path.resolve(import.meta.dirname, "../../fixtures/recordings/v1.20.1");
/** Files with names of segments below it; all of them are media. */
const FIXTURE_COUNT = 16;

let directory: string;
let installed: InstalledApp;

beforeEach(async () => {
  directory = await tempDir();
  installed = await installApp({ directory, env: { MEDIAMTX_MODE: "external", RECORD_TIMEZONE: "UTC" } });
});

function recordDir(): string {
  return path.join(installed.dataDir, "recordings");
}

/** Written an hour ago: nobody writes to them any more. */
async function addFixtures(): Promise<void> {
  await cp(FIXTURES, recordDir(), { recursive: true });
  await run("find", [recordDir(), "-type", "f", "-exec", "touch", "-d", "1 hour ago", "{}", "+"]);
}

async function addPath(settings: Readonly<Record<string, unknown>>): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${installed.port}/api/v1/paths`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(settings),
  });
  if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
}

/** In external mode, without a MediaMTX: what is on disk is indexed and archived all the same. */
async function serve(env: Readonly<Record<string, string>> = {}): Promise<Child> {
  const child = await startChild(process.execPath, [installed.program, "serve"], {
    cwd: directory,
    env: { ...process.env, ...installed.env, ...env },
  });
  onTestFinished(() => void child.stop("SIGKILL"));
  await waitFor(
    "Reelkeeper to be ready",
    async () => {
      if (child.process.exitCode !== null) throw new Error(child.output());
      return (await fetch(`http://127.0.0.1:${installed.port}/ready`)).ok;
    },
    { timeoutMs: 30_000 },
  );
  return child;
}

async function recordings(): Promise<RecordingView[]> {
  const response = await fetch(`http://127.0.0.1:${installed.port}/api/v1/recordings?order=oldest&limit=2000`);
  return ((await response.json()) as { items: RecordingView[] }).items;
}

function rowsOf(
  sql: string,
  file = path.join(installed.dataDir, "reelkeeper.sqlite"),
): Promise<Record<string, unknown>[]> {
  return new Promise((resolve, reject) => {
    const database = new sqlite3.Database(file, (opened) => {
      if (opened !== null) {
        reject(opened);
        return;
      }
      database.all(sql, (error, rows) => {
        database.close();
        if (error === null) resolve(rows as Record<string, unknown>[]);
        else reject(error);
      });
    });
  });
}

describe("scan", () => {
  it("brings the catalog in line with the folder, prints what it did, and does nothing the second time", async () => {
    await addFixtures();
    const first = await runCommand(installed, ["scan"]);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(first.stdout)).toMatchObject({ files: FIXTURE_COUNT + 1, recorded: FIXTURE_COUNT, rejected: 1 });
    const second = await runCommand(installed, ["scan"]);
    expect(JSON.parse(second.stdout)).toMatchObject({ recorded: 0, missing: 0, doubted: 0 });
    expect(await rowsOf("select count(*) as rows from recordings")).toEqual([{ rows: FIXTURE_COUNT }]);
  });

  it("answers 1 when so many files are gone that it believes nothing (F45)", async () => {
    await addFixtures();
    await runCommand(installed, ["scan"]);
    for (const name of await readdir(recordDir())) await rm(path.join(recordDir(), name), { recursive: true });
    const ended = await runCommand(installed, ["scan"]);
    expect(ended.code).toBe(1);
    expect(JSON.parse(ended.stdout)).toMatchObject({ missing: 0, doubted: FIXTURE_COUNT });
  });

  it("works with 128 file descriptors, however many folders there are (F52)", async () => {
    for (let camera = 0; camera < 150; camera += 1) {
      await cp(path.join(FIXTURES, "h265-only"), path.join(recordDir(), `cam${camera}`), { recursive: true });
    }
    const { stdout } = await run(
      "sh",
      ["-c", `ulimit -n 128 && exec "$0" "$1" scan`, process.execPath, installed.program],
      {
        env: { ...process.env, ...installed.env },
      },
    );
    expect(JSON.parse(stdout)).toMatchObject({ recorded: 300, rejected: 0 });
  });
});

describe("rebuild", () => {
  it.each(["folder", "bucket"])(
    "brings all rows back from the record directory and the %s, twice the same",
    async (kind) => {
      if (kind === "bucket") {
        const server = await startS3Server({ directory: await tempDir() });
        onTestFinished(() => server.stop());
        installed = await installApp({
          ...{ directory: await tempDir(), store: { server } },
          env: { MEDIAMTX_MODE: "external", RECORD_TIMEZONE: "UTC" },
        });
      }
      await addFixtures();
      const retention = { LOCAL_RETENTION: "24h", QUIET_TIME: "1s", ARCHIVE_READ_BACK_PERCENT: "100" };
      const server = await serve(retention);
      await addPath({ name: "h264-bframes", localRetention: "0s" });
      const known = await waitFor(
        "everything to be archived, one camera to be released",
        async () => {
          const items = await recordings();
          const done = items.filter((item) => item.archive === "verified").length === FIXTURE_COUNT;
          return done && items.filter((item) => item.local === "released").length === 2 ? items : undefined;
        },
        { timeoutMs: 60_000, intervalMs: 200 },
      );
      expect(await server.stop("SIGTERM")).toBe(0);
      for (const name of await readdir(installed.dataDir)) {
        if (name.startsWith("reelkeeper.sqlite")) await rm(path.join(installed.dataDir, name));
      }
      const first = await runCommand(installed, ["rebuild"]);
      expect(first).toMatchObject({ code: 0, stderr: "" });
      expect(JSON.parse(first.stdout)).toMatchObject({
        bucket: { inserted: FIXTURE_COUNT, adopted: 0, completed: 0, foreign: 0 },
      });
      const second = await runCommand(installed, ["rebuild"]);
      expect(JSON.parse(second.stdout)).toMatchObject({
        bucket: { objects: FIXTURE_COUNT, inserted: 0, adopted: 0, completed: 0, foreign: 0 },
        recordDirectory: { recorded: 0, missing: 0 },
      });
      const again = await serve(retention);
      const rebuilt = await waitFor(
        "the same list",
        async () => {
          const items = await recordings();
          const atRest = items.every(({ archive, local }) => archive === "verified" && local !== "open");
          return atRest && items.length === FIXTURE_COUNT ? items : undefined;
        },
        { timeoutMs: 60_000 },
      );
      const seen = (items: RecordingView[]) => items.map((item) => ({ ...item, verifiedAt: null }));
      expect(seen(rebuilt)).toEqual(seen(known));
      await again.stop("SIGTERM");
    },
  );
});

describe("config", () => {
  it("render prints the very mediamtx.yml that serve writes, passwords only when asked", async () => {
    const server = await serve();
    await addPath({ name: "cam1", record: true, recordSegmentDuration: "4s" });
    const file = path.join(installed.dataDir, "mediamtx", "mediamtx.yml");
    // Nobody answers here, and the publisher gives a server ten seconds to say that it runs the last change.
    const written = await waitFor(
      "the path to be written",
      async () => {
        const text = await readFile(file, "utf8");
        return text.includes("cam1") ? text : undefined;
      },
      { timeoutMs: 30_000 },
    );
    const whole = await runCommand(installed, ["config", "render", "--with-secrets"]);
    expect(whole).toMatchObject({ code: 0, stderr: "", stdout: written });
    const masked = written.replaceAll(/pass: "sha256:[^"]+"/g, 'pass: "***"');
    expect(masked).not.toBe(written);
    const ended = await runCommand(installed, ["config", "render"]);
    expect(ended).toMatchObject({ code: 0, stderr: "", stdout: masked });
    expect(parse(ended.stdout)).toMatchObject({
      pathDefaults: { recordDeleteAfter: "0s" },
      paths: { cam1: { record: true, recordSegmentDuration: "4s" } },
    });
    const password = (await readFile(path.join(installed.dataDir, "secrets", "mediamtx-api-password"), "utf8")).trim();
    expect(ended.stdout).not.toContain(password);
    await server.stop("SIGTERM");
  });

  it("diff says nothing while MediaMTX runs that, names each setting that differs, and says when it cannot ask", async () => {
    const unreachable = await runCommand(installed, ["config", "diff"]);
    expect(unreachable).toMatchObject({ code: 1, stdout: "" });
    expect(unreachable.stderr.split("\n")).toHaveLength(1);
    expect(unreachable.stderr).toMatch(/^reelkeeper: /);
    const server = await serve();
    const configDir = path.join(installed.dataDir, "mediamtx");
    await waitFor("the configuration", async () => (await stat(path.join(configDir, "mediamtx.yml"))).isFile());
    const mediamtx = await startMediaMtx({ version: "1.21.0", directory: configDir });
    onTestFinished(() => mediamtx.kill());
    expect(await runCommand(installed, ["config", "diff"])).toMatchObject({ code: 0, stdout: "", stderr: "" });
    // It would put right what is changed now.
    await server.stop("SIGTERM");
    const password = (await readFile(path.join(installed.dataDir, "secrets", "mediamtx-api-password"), "utf8")).trim();
    const changed = await fetch(`${mediamtx.apiUrl}/v3/config/pathdefaults/patch`, {
      method: "PATCH",
      headers: { authorization: `Basic ${Buffer.from(`reelkeeper:${password}`).toString("base64")}` },
      body: JSON.stringify({ recordDeleteAfter: "1h" }),
    });
    expect(changed.status).toBe(200);
    const different = await runCommand(installed, ["config", "diff"]);
    expect(different.code).toBe(1);
    expect(different.stdout).toMatch(/^pathDefaults recordDeleteAfter: expected .*, MediaMTX runs .*1h.*\n$/);
  });
});

describe("wrong usage", () => {
  it.each(["frobnicate", "config", "config rendr", "scan everything", "serve --bogus", "--help"])(
    "%s ends with 2 and shows the usage, and nothing was touched",
    async (line) => {
      const ended = await runCommand(installed, line.split(" "));
      expect(ended).toMatchObject({ code: 2, stdout: "" });
      expect(ended.stderr).toMatch(/^Usage: reelkeeper COMMAND/);
      await expect(stat(installed.dataDir)).rejects.toMatchObject({ code: "ENOENT" });
    },
  );
});

describe("a start that is refused", () => {
  /** Code 1, nothing on stdout, one line that a person understands. */
  async function refusal(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    const ended = await runCommand(installed, args, env);
    expect(ended).toMatchObject({ code: 1, stdout: "" });
    expect(ended.stderr.split("\n")).toHaveLength(1);
    return ended.stderr;
  }

  it.each<[string, string, string]>([
    ["PORT", "http", "an integer"],
    ["LOCAL_RETENTION", "soon", "a duration"],
    ["STORAGE_MODE", "tape", "local or r2"],
    ["R2_ENDPOINT", "http://storage.example", "https"],
    ["MEDIAMTX_VERSION", "1.15.0", "1.18.1"],
    ["IMPORT_RECORD_PATHS", "%path/no-time-in-it", "%path"],
    ["IMPORT_RECORD_PATHS", "/absolute/%path/%s", "%path"],
    ["RECORD_TIMEZONE", "Mars/Olympus", "zone"],
  ])("by %s=%s names the variable, its value and what is accepted", async (name, value, accepted) => {
    const line = await refusal(["serve"], { [name]: value });
    expect(line).toContain(`${name}="${value}"`);
    expect(line).toContain(accepted);
  });

  it("by a short secret does not show it", async () => {
    const line = await refusal(["serve"], { ADMIN_TOKEN: "short-canary" });
    expect(line).toContain("ADMIN_TOKEN=***");
    expect(line).not.toContain("canary");
  });

  it("by HOST=0.0.0.0 without ADMIN_TOKEN says so", async () => {
    const line = await refusal(["serve"], { HOST: "0.0.0.0" });
    expect(line).toMatch(/HOST.*ADMIN_TOKEN/);
  });

  it("by a taken PORT says which, and what to do", async () => {
    const server = createServer().listen(installed.port, "127.0.0.1");
    onTestFinished(() => void server.close());
    const line = await refusal(["serve"]);
    expect(line).toContain(String(installed.port));
    expect(line).toContain("PORT");
  });

  it("by a database of a newer Reelkeeper changes nothing in it (F62)", async () => {
    await runCommand(installed, ["scan"]);
    await rowsOf("insert into migrations (name, applied_at_us) values ('9999-from-the-future', 1)");
    const before = await rowsOf("select * from migrations");
    for (const command of ["serve", "scan", "rebuild"]) expect(await refusal([command])).toContain("newer Reelkeeper");
    expect(await rowsOf("select * from migrations")).toEqual(before);
  });

  it.each([
    ["its data directory", {}],
    ["its record directory", { DATA_DIR: "other-data" }],
  ])("because another one has %s leaves the other one alone (F53)", async (_what, env: Record<string, string>) => {
    const server = await serve();
    const other = { ...env, RECORD_DIR: recordDir(), PORT: "0" };
    for (const command of ["serve", "scan", "rebuild"]) {
      expect(await refusal([command], other)).toContain("another Reelkeeper is running here");
    }
    expect((await fetch(`http://127.0.0.1:${installed.port}/ready`)).status).toBe(200);
    await server.stop("SIGKILL");
    // The lock of a killed process is no lock.
    expect((await runCommand(installed, ["scan"])).code).toBe(0);
  });

  it("by a record directory that is a link into nothing says what is wrong", async () => {
    await mkdir(installed.dataDir, { recursive: true });
    await symlink(path.join(directory, "nowhere"), recordDir());
    expect(await refusal(["scan"])).toMatch(/recordings/);
  });
});

describe("what lies in DATA_DIR", () => {
  it("is readable by its owner alone where it holds secrets: tokens, camera passwords", async () => {
    await mkdir(installed.dataDir, { recursive: true });
    await run("chmod", ["755", installed.dataDir]);
    const server = await serve();
    const modeOf = async (name: string): Promise<string> => {
      return ((await stat(path.join(installed.dataDir, name))).mode & 0o777).toString(8);
    };
    expect(await modeOf("secrets")).toBe("700");
    for (const name of await readdir(path.join(installed.dataDir, "secrets"))) {
      expect([name, await modeOf(`secrets/${name}`)]).toEqual([name, "600"]);
    }
    for (const name of await readdir(installed.dataDir)) {
      if (name.startsWith("reelkeeper.sqlite")) expect([name, await modeOf(name)]).toEqual([name, "600"]);
    }
    await waitFor("the configuration", async () => (await modeOf("mediamtx/mediamtx.yml")) !== "");
    expect(await modeOf("mediamtx/hook-secret")).toBe("600");
    expect(await modeOf("mediamtx/mediamtx.yml")).toBe("640");
    await server.stop("SIGTERM");
  });

  it("takes a secret from a file, and refuses one that is given twice", async () => {
    const file = path.join(directory, "token");
    await writeFile(file, "a-token-from-a-file\n");
    const server = await serve({ ADMIN_TOKEN_FILE: file });
    const ask = (token: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${installed.port}/api/v1/recordings`, { headers: { authorization: `Bearer ${token}` } });
    expect((await ask("a-token-from-a-file")).status).toBe(200);
    expect((await ask("another-token-altogether")).status).toBe(401);
    await server.stop("SIGTERM");
    const twice = await runCommand(installed, ["serve"], { ADMIN_TOKEN_FILE: file, ADMIN_TOKEN: "a-token-from-env" });
    expect(twice.code).toBe(1);
    expect(twice.stderr).toContain("ADMIN_TOKEN and ADMIN_TOKEN_FILE are both set");
  });
});
