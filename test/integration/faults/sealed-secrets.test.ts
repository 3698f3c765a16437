/** Sealing what is plain and rotating the key, killed at each step: everything opens afterwards, and the next run ends it. */
import { spawn } from "node:child_process";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import knex from "knex";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { migrate, MIGRATIONS } from "../../../src/catalog/migrate.js";
import { readSecretKeys } from "../../../src/config/secret-keys.js";
import { createFakeClock } from "../../support/fake-clock.js";
import { faultPointsInSource } from "../../support/pipeline/fault-points.js";
import { copyArmedProgram } from "../../support/pipeline/swept-process.js";
import { createTempDir, removeTempDir } from "../../support/temp-dir.js";

const ARMED_COMMAND = fileURLToPath(new URL("../../support/pipeline/armed-command.mjs", import.meta.url));
const SECRET = "canary-camera-password";
const CAMERAS = ["cam1", "site-a/cam2"];
const points = await faultPointsInSource();
const startingWith = (...words: string[]) => points.filter((point) => words.some((word) => point.startsWith(word)));

let directory: string;
let program: string;
let cases = 0;

beforeAll(async () => {
  directory = await createTempDir();
  program = await copyArmedProgram(directory);
  await mkdir(path.join(directory, "plain"));
  await writePlainDatabase(path.join(directory, "plain", "reelkeeper.sqlite"));
  await cp(path.join(directory, "plain"), path.join(directory, "sealed"), { recursive: true });
  await run(path.join(directory, "sealed"), ["scan"]);
});
afterAll(() => removeTempDir(directory));

/** As the release before this one left it. */
async function writePlainDatabase(file: string): Promise<void> {
  const db = knex({ client: "sqlite3", connection: { filename: file }, useNullAsDefault: true });
  const known = MIGRATIONS.findIndex(({ name }) => name.endsWith("-sealed-settings"));
  await migrate(db, createFakeClock(), MIGRATIONS.slice(0, known));
  for (const name of CAMERAS) {
    const settings = JSON.stringify({ source: `rtsp://admin:${SECRET}@10.0.0.7/${name}`, record: true });
    const times = { created_at_us: 1, updated_at_us: 1 };
    await db("paths").insert({ name, settings, enabled: true, archive: "all", labels: "[]", ...times });
  }
  await db.destroy();
}

interface Ended {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

function run(dataDir: string, args: readonly string[], point?: string): Promise<Ended> {
  const env = {
    ...{ ...process.env, NODE_NO_WARNINGS: "1", LOG_FORMAT: "json", PROGRAM: program, POINT: point ?? "" },
    ...{ DATA_DIR: dataDir, MEDIAMTX_MODE: "external", MEDIAMTX_BASE_CONFIG: path.join(program, "mediamtx/base.yml") },
  };
  const child = spawn(process.execPath, [ARMED_COMMAND, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code: code ?? signal ?? "", stdout, stderr }));
  });
}

async function copyOf(state: "plain" | "sealed"): Promise<string> {
  const dataDir = path.join(directory, `case-${String((cases += 1))}`);
  await cp(path.join(directory, state), dataDir, { recursive: true });
  return dataDir;
}

const keyFileOf = (dataDir: string): string => path.join(dataDir, "secrets", "secret-keys");

/** What MediaMTX would be told. */
async function sourcesIn(dataDir: string): Promise<number> {
  const { stdout, code, stderr } = await run(dataDir, ["config", "render", "--with-secrets"]);
  if (code !== 0) throw new Error(stderr);
  return CAMERAS.filter((name) => stdout.includes(`rtsp://admin:${SECRET}@10.0.0.7/${name}`)).length;
}

async function expectNoPlainSecret(dataDir: string): Promise<void> {
  for (const end of ["", "-wal"]) {
    const file = await readFile(path.join(dataDir, `reelkeeper.sqlite${end}`)).catch(() => Buffer.alloc(0));
    expect(file.includes(SECRET)).toBe(false);
  }
}

describe("what an older release left in plain", () => {
  it.each(startingWith("migrate.", "seal.", "files."))(
    "is sealed by the start after one that was killed at %s",
    async (point) => {
      const dataDir = await copyOf("plain");
      expect((await run(dataDir, ["scan"], point)).code).toBe("SIGKILL");
      expect((await run(dataDir, ["scan"])).code).toBe(0);
      await expectNoPlainSecret(dataDir);
      expect(await sourcesIn(dataDir)).toBe(CAMERAS.length);
      await rm(dataDir, { recursive: true });
    },
  );
});

describe("a rotation", () => {
  it.each(startingWith("rotate.", "files."))(
    "killed at %s leaves all open, and is ended by the next",
    async (point) => {
      const dataDir = await copyOf("sealed");
      const [old] = readSecretKeys(keyFileOf(dataDir));
      expect((await run(dataDir, ["rotate-secrets"], point)).code).toBe("SIGKILL");
      expect(await sourcesIn(dataDir)).toBe(CAMERAS.length);
      const ended = await run(dataDir, ["rotate-secrets"]);
      expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining("2 paths") as string });
      const keys = readSecretKeys(keyFileOf(dataDir));
      expect(keys).toHaveLength(1);
      expect(keys[0].equals(old)).toBe(false);
      expect(readSecretKeys(`${keyFileOf(dataDir)}.retired`).some((key) => key.equals(old))).toBe(true);
      expect(await sourcesIn(dataDir)).toBe(CAMERAS.length);
      await rm(dataDir, { recursive: true });
    },
  );
});

describe("a start", () => {
  it("without the key file names it, makes no other and changes nothing", async () => {
    const dataDir = await copyOf("sealed");
    const before = await readFile(path.join(dataDir, "reelkeeper.sqlite"));
    const keys = await readFile(keyFileOf(dataDir));
    await rm(keyFileOf(dataDir));
    const refused = await run(dataDir, ["serve"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`the key file ${keyFileOf(dataDir)} is not there`);
    expect(await readFile(keyFileOf(dataDir)).catch(() => undefined)).toBeUndefined();
    expect((await readFile(path.join(dataDir, "reelkeeper.sqlite"))).equals(before)).toBe(true);
    await writeFile(keyFileOf(dataDir), keys);
    expect(await sourcesIn(dataDir)).toBe(CAMERAS.length);
  });

  it("with the key of another database names its file and changes nothing", async () => {
    const dataDir = await copyOf("sealed");
    const keys = await readFile(keyFileOf(dataDir), "utf8");
    await writeFile(keyFileOf(dataDir), `${Buffer.alloc(32, 9).toString("base64")}\n`);
    const refused = await run(dataDir, ["serve"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`the keys in ${keyFileOf(dataDir)} are not those`);
    await writeFile(keyFileOf(dataDir), `${Buffer.alloc(32, 9).toString("base64")}\n${keys}`);
    expect(await sourcesIn(dataDir)).toBe(CAMERAS.length);
  });
});
