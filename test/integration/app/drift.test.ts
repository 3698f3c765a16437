/** mediamtx.yml and Control API changed by hand beside the real MediaMTX: told, and decided either way; commands adopt a file. */
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { expect, it, onTestFinished } from "vitest";
import { parse, parseDocument } from "yaml";

import { type App, startApp } from "../../support/app.js";
import { PATIENCE } from "../../support/patience.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait-for.js";
import { runCommand } from "../start/command.js";

const API_PASSWORD = "the-api-password";
const SOURCE = "rtsp://admin:canary-password@192.0.2.10:9/1";
/** The file is looked at twice a minute. */
const LOOK_MS = 60_000;
/** As soon on a busy machine: writing it once more does no harm. */
const QUICKLY = { timeoutMs: 2_000 / PATIENCE };

interface Shown {
  readonly path: string | null;
  readonly setting: string;
  readonly table: string | null;
  readonly file: string | null;
  readonly server: string | null;
}

const fileOf = (app: App): string => path.join(app.dataDir, "mediamtx", "mediamtx.yml");
const drift = async (app: App) => (await app.get<{ items: Shown[] }>("/api/v1/config/drift")).items;
const values = (items: readonly Shown[]) =>
  items.map((one) => [one.path, one.setting, one.table, one.file, one.server]);
const isApplied = async (app: App) => (await app.get<{ applied: boolean }>("/api/v1/config")).applied;

async function editFile(app: App, where: readonly string[], value: unknown): Promise<void> {
  const document = parseDocument(await readFile(fileOf(app), "utf8"));
  document.setIn(where, value);
  await writeFile(fileOf(app), document.toString());
}

async function patchByApi(app: App, name: string, body: object): Promise<void> {
  const authorization = `Basic ${Buffer.from(`reelkeeper:${API_PASSWORD}`).toString("base64")}`;
  const answer = await fetch(`${app.mediamtxApiUrl}/v3/config/paths/patch/${name}`, {
    ...{ method: "PATCH", headers: { authorization }, body: JSON.stringify(body) },
  });
  expect(answer.status).toBe(200);
}

async function alarms(app: App): Promise<{ readonly health: string | undefined; readonly metric: string | undefined }> {
  const { checks } = await app.get<{ checks: { name: string; status: string }[] }>("/api/v1/health/details");
  const metrics = String((await app.request("GET", "/metrics")).body);
  return {
    health: checks.find(({ name }) => name === "configuration")?.status,
    metric: /^reelkeeper_config_drift (\d+)$/m.exec(metrics)?.[1],
  };
}

it("tells what somebody changed past Reelkeeper, and makes it the path's own or undoes it", async () => {
  const app = await startApp({ directory: await tempDir(), env: { MEDIAMTX_API_PASSWORD: API_PASSWORD } });
  onTestFinished(() => app.close());
  await app.post("/api/v1/paths", { name: "cam1", source: SOURCE, maxReaders: 5 });
  await waitFor("the path to be applied", () => isApplied(app), { timeoutMs: LOOK_MS });
  expect(await drift(app)).toEqual([]);
  expect(await alarms(app)).toEqual({ health: "ok", metric: "0" });

  // Both by hand: MediaMTX reads the file anew.
  const bothSeven = [["cam1", "maxReaders", "5", "7", "7"]];
  await waitFor(
    "MediaMTX to run it",
    async () => {
      // It drops a change that comes just after its last reload.
      await editFile(app, ["paths", "cam1", "maxReaders"], 7);
      await waitFor("it to be read", async () => values(await drift(app)).join() === bothSeven.join(), QUICKLY);
      return true;
    },
    { timeoutMs: LOOK_MS },
  );
  await waitFor("the alarm", async () => (await alarms(app)).health === "fail", { timeoutMs: LOOK_MS });
  expect(Number((await alarms(app)).metric)).toBeGreaterThan(0);
  expect(values(await drift(app))).toEqual(bothSeven);
  await app.post("/api/v1/config/drift/resolve", { takeOver: [{ path: "cam1", from: "file" }] });
  await waitFor("agreement", async () => (await isApplied(app)) && (await drift(app)).length === 0);
  expect(await app.get("/api/v1/paths/cam1")).toMatchObject({ maxReaders: 7 });

  // By its API alone, which a reload would forget.
  await patchByApi(app, "cam1", { maxReaders: 9, source: SOURCE.replace("canary", "other") });
  const shown = "rtsp://admin:***@192.0.2.10:9/1";
  expect(values(await drift(app))).toEqual([
    ["cam1", "maxReaders", "7", "7", "9"],
    ["cam1", "source", shown, shown, shown],
  ]);
  await app.post("/api/v1/config/drift/resolve", {});
  await waitFor("what the table says", async () => (await drift(app)).length === 0, { timeoutMs: LOOK_MS });
  expect(await app.get("/api/v1/paths/cam1")).toMatchObject({ maxReaders: 7 });
  expect(parse(await readFile(fileOf(app), "utf8"))).toMatchObject({ paths: { cam1: { source: SOURCE } } });

  // What recordings rest on is put right without a question.
  await editFile(app, ["pathDefaults", "recordDeleteAfter"], "1h");
  await waitFor(
    "recordings to be safe again",
    async () => !(await readFile(fileOf(app), "utf8")).includes("1h") && (await drift(app)).length === 0,
    { timeoutMs: LOOK_MS },
  );
  await waitFor("it to be told", () => app.output().includes("changed by somebody else, and is put right"));
  expect(app.output()).not.toContain("canary-password");
});

it("adopts a mediamtx.yml by a command, beside the running server, which follows", async () => {
  const directory = await tempDir();
  const app = await startApp({ directory, env: { MEDIAMTX_API_PASSWORD: API_PASSWORD } });
  onTestFinished(() => app.close());
  const baseFile = app.installed.env["MEDIAMTX_BASE_CONFIG"] ?? "";
  const before = await readFile(baseFile, "utf8");
  const given = path.join(directory, "old.yml");
  const paths = ["paths:", `  gate: { source: "${SOURCE}", maxReaders: 4 } # the gate`, "  all_others:"];
  await writeFile(given, `# mine\n${before.replace(/^paths:[^]*$/m, "")}\n${paths.join("\n")}\n`);
  const dry = await runCommand(app.installed, ["config", "adopt", given]);
  expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining("gate  {") as string });
  expect(dry.stdout).not.toContain("canary-password");
  expect(await readFile(baseFile, "utf8")).toBe(before);
  expect(await runCommand(app.installed, ["config", "adopt", given, "--apply"])).toMatchObject({ code: 0, stderr: "" });
  expect(await readFile(baseFile, "utf8")).toContain("# mine");
  expect(await app.get("/api/v1/paths/gate")).toMatchObject({ maxReaders: 4 });
  await waitFor(
    "MediaMTX to run it",
    async () => {
      const config = parse(await readFile(fileOf(app), "utf8")) as { paths: Record<string, unknown> };
      return "gate" in config.paths && (await isApplied(app)) && (await drift(app)).length === 0;
    },
    { timeoutMs: LOOK_MS },
  );
  for (const [args, code] of [
    [["config", "adopt"], 2],
    [["config", "adopt", path.join(directory, "absent.yml")], 1],
  ] as const) {
    expect((await runCommand(app.installed, args)).code).toBe(code);
  }
});
