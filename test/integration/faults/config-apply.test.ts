/**
 * Kill -9 at each step of an edit and of a rollback: the file is the last good one or the new one, whole; rows and versions
 * agree; the next start makes the file what the rows say.
 */
import { spawn, type SpawnOptions } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { faultPointsInSource } from "../../support/pipeline/fault-points.js";
import { copyArmedProgram } from "../../support/pipeline/swept-process.js";
import { createTempDir, removeTempDir } from "../../support/temp-dir.js";

const ARMED_EDIT = fileURLToPath(new URL("../../support/pipeline/armed-edit.mjs", import.meta.url));
const ARMED_COMMAND = fileURLToPath(new URL("../../support/pipeline/armed-command.mjs", import.meta.url));
const points = (await faultPointsInSource()).filter((point) => /^(?:edit|config|files)\./.test(point));

let directory: string;
let program: string;
let cases = 0;
/** mediamtx.yml before and after. */
const texts: Record<"plain" | "edited", string> = { plain: "", edited: "" };

beforeAll(async () => {
  directory = await createTempDir();
  program = await copyArmedProgram(directory);
  texts.plain = (await run(path.join(directory, "plain"), "start")).text;
  await cp(path.join(directory, "plain"), path.join(directory, "edited"), { recursive: true });
  texts.edited = (await run(path.join(directory, "edited"), "edit")).text;
});
afterAll(() => removeTempDir(directory));

interface Ended {
  readonly code: number | string;
  /** That the rows render. */
  readonly text: string;
  readonly version: { readonly sha256: string; readonly version: number };
}

async function run(dataDir: string, what: "start" | "edit" | "rollback", point = ""): Promise<Ended> {
  const env = {
    ...{ ...process.env, NODE_NO_WARNINGS: "1", LOG_FORMAT: "json", PROGRAM: program, POINT: point, DATA_DIR: dataDir },
    ...{ MEDIAMTX_MODE: "external", MEDIAMTX_BASE_CONFIG: path.join(program, "mediamtx/base.yml") },
    // Paths in the file must not tell the cases apart.
    ...{ RECORD_DIR: path.join(directory, "recordings"), MEDIAMTX_HOOK_COMMAND: "/hook" },
    ...{ MEDIAMTX_API_PASSWORD: "api-password", MEDIAMTX_API_URL: "http://127.0.0.1:9" },
  };
  const { code, stdout, stderr } = await node([ARMED_EDIT, what], env);
  if (code !== 0 && point === "") throw new Error(stderr);
  const said = stdout === "" ? { text: "", version: { sha256: "", version: 0 } } : (JSON.parse(stdout) as Ended);
  return { ...said, code };
}

async function node(args: readonly string[], env: NonNullable<SpawnOptions["env"]>) {
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const code = await new Promise<number | string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode, signal) => resolve(exitCode ?? signal ?? ""));
  });
  return { code, stdout, stderr };
}

async function copyOf(state: "plain" | "edited"): Promise<string> {
  const dataDir = path.join(directory, `case-${String((cases += 1))}`);
  await cp(path.join(directory, state), dataDir, { recursive: true });
  return dataDir;
}

describe.each([
  ["edit", "plain", "edited"],
  ["rollback", "edited", "plain"],
] as const)("an %s", (what, before, after) => {
  // The file is written in the same way.
  const swept = what === "edit" ? points : points.filter((point) => point.startsWith("edit."));
  it.each(swept)("that is killed at %s leaves a good file, and rows and versions that agree (F56)", async (point) => {
    const dataDir = await copyOf(before);
    const file = path.join(dataDir, "mediamtx", "mediamtx.yml");
    expect((await run(dataDir, what, point)).code).toBe("SIGKILL");
    expect([texts[before], texts[after]]).toContain(await readFile(file, "utf8"));
    const started = await run(dataDir, "start");
    // Before its commit there is nothing of a change, after it all.
    expect(started.text).toBe(point.startsWith("edit.in-") ? texts[before] : texts[after]);
    expect(await readFile(file, "utf8")).toBe(started.text);
    expect(started.version.sha256).toBe(createHash("sha256").update(started.text).digest("hex"));
    await rm(dataDir, { recursive: true });
  });
});

describe("an adoption", () => {
  const GIVEN =
    "# mine\nlogLevel: warn\npaths:\n  gate: { source: rtsp://h/1, record: yes }\n  yard: { maxReaders: 3 }\n";

  it.each(["edit.in-rows", "edit.in-version", "adopt.after-rows", "adopt.after-base"])(
    "that is killed at %s loses no path, and is ended by the next",
    async (point) => {
      const own = path.join(directory, `adopted-${point}`);
      await mkdir(own);
      const [given, baseFile] = [path.join(own, "given.yml"), path.join(own, "base.yml")];
      await writeFile(given, GIVEN);
      await writeFile(baseFile, GIVEN);
      const env = {
        ...{ ...process.env, NODE_NO_WARNINGS: "1", PROGRAM: program, DATA_DIR: path.join(own, "data") },
        ...{ MEDIAMTX_MODE: "external", MEDIAMTX_BASE_CONFIG: baseFile, MEDIAMTX_API_URL: "http://127.0.0.1:9" },
      };
      const command = (args: readonly string[], at = "") => node([ARMED_COMMAND, ...args], { ...env, POINT: at });
      const adopt = ["config", "adopt", given, "--apply"];
      expect((await command(adopt, point)).code).toBe("SIGKILL");
      const { stdout } = await command(["config", "render"]);
      for (const text of ["gate", "yard", "rtsp://h/1"]) expect(stdout).toContain(text);
      expect(await command(adopt)).toMatchObject({ code: 0 });
      const base = await readFile(baseFile, "utf8");
      expect(base).toContain("# mine");
      expect(base).not.toContain("gate");
      const again = await command(adopt);
      expect(again.stdout).toContain("Are paths already:\n  gate\n  yard\n");
      expect(await readFile(baseFile, "utf8")).toBe(base);
    },
  );
});
