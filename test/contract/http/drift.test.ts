/** Where table, file and server disagree: told with three values, and decided either way. */
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";

import { listAudit } from "../../../src/catalog/audit.js";
import { findPath, listPaths } from "../../../src/catalog/paths.js";
import { parsePathName } from "../../../src/core/path-name.js";
import { ask, problemIn } from "../../support/http-ask.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";
import { dump } from "../../support/http-rows.js";

const SOURCE = "rtsp://admin:hunter2@10.0.0.7/1";
const DRIFT = "/api/v1/config/drift";

interface Shown {
  readonly where: string;
  readonly path: string | null;
  readonly setting: string;
  readonly table: string | null;
  readonly file: string | null;
  readonly server: string | null;
  readonly canTakeOver: readonly string[];
}

type Entries = Record<string, Record<string, unknown> | undefined>;
interface Config {
  readonly [setting: string]: unknown;
  logLevel: string;
  pathDefaults: Record<string, unknown>;
  paths: Entries;
}

const resolve = (http: HttpHarness, takeOver: readonly object[] = []) =>
  ask(http, `${DRIFT}/resolve`, { method: "POST", body: { takeOver } });
const settingsOf = async (http: HttpHarness, name: string) =>
  (await findPath(http.catalog, parsePathName(name)))?.settings;

async function withCamera(): Promise<HttpHarness> {
  const http = await httpForTest();
  const body = { name: "cam1", source: SOURCE, record: true, maxReaders: 5 };
  expect((await ask(http, "/api/v1/paths", { method: "POST", body })).status).toBe(201);
  return http;
}

/** As if somebody had edited the file. */
function editFile(http: HttpHarness, edit: (config: Config) => void): void {
  http.mediamtx.fileOf = (rendered) => {
    const config = parse(rendered) as Config;
    edit(config);
    return stringify(config);
  };
}

/** As MediaMTX answers, from what is rendered; `edit` is what somebody did with its API. */
async function runServer(http: HttpHarness, edit: (config: Config) => void = () => undefined): Promise<void> {
  let text = "";
  const { fileOf } = http.mediamtx;
  http.mediamtx.fileOf = (rendered) => fileOf((text = rendered));
  await ask(http, DRIFT);
  http.mediamtx.fileOf = fileOf;
  const config = parse(text) as Config;
  edit(config);
  const { pathDefaults, paths, ...global } = config;
  const entries = Object.entries(paths).map(([name, entry]) => ({ ...pathDefaults, ...entry, name }));
  http.mediamtx.server = { global, pathDefaults, paths: entries };
}

async function drift(http: HttpHarness): Promise<readonly Shown[]> {
  const answer = await ask(http, DRIFT);
  expect(answer.status).toBe(200);
  expect(answer.text).not.toContain("hunter");
  return (answer.json() as { items: Shown[] }).items;
}

describe("drift", () => {
  it("is none where all say the same, also before the server answers", async () => {
    const http = await withCamera();
    expect(await drift(http)).toEqual([]);
    expect((await ask(http, DRIFT)).json()).toMatchObject({ serverError: "is not asked" });
    await runServer(http);
    expect((await ask(http, DRIFT)).json()).toEqual({ items: [], serverError: null, fileDiffers: false });
  });

  it("is none where only comments, order or spelling were edited, but the file is told of", async () => {
    const http = await withCamera();
    for (const edit of [
      (text: string) => `# by hand\n${text}`,
      (text: string) => stringify(Object.fromEntries(Object.entries(parse(text) as object).reverse())),
      (text: string) => text.replace("maxReaders: 5", 'maxReaders: "5" # five'),
    ]) {
      http.mediamtx.fileOf = edit;
      expect((await ask(http, DRIFT)).json()).toMatchObject({ items: [], fileDiffers: true });
    }
  });

  it("is also what somebody added inside of a value", async () => {
    const http = await withCamera();
    editFile(http, (config) => {
      for (const user of config["authInternalUsers"] as Record<string, unknown>[]) user["more"] = ["127.0.0.1"];
    });
    expect((await drift(http)).map(({ setting }) => setting)).toEqual(["authInternalUsers"]);
  });

  it("names path, setting and three values, secrets masked", async () => {
    const http = await withCamera();
    editFile(http, ({ paths }) => Object.assign(paths["cam1"]!, { maxReaders: 7, rtspTransport: "tcp" }));
    await runServer(http, ({ paths }) =>
      Object.assign(paths["cam1"]!, { maxReaders: 9, source: SOURCE.replace("hunter2", "hunter3") }),
    );
    const common = { where: "path", path: "cam1" };
    expect(await drift(http)).toEqual([
      { ...common, setting: "maxReaders", table: "5", file: "7", server: "9", canTakeOver: ["file", "server"] },
      { ...common, setting: "rtspTransport", table: "automatic", file: "tcp", server: null, canTakeOver: ["file"] },
      {
        ...{ ...common, setting: "source", table: "rtsp://admin:***@10.0.0.7/1" },
        ...{ file: "rtsp://admin:***@10.0.0.7/1", server: "rtsp://admin:***@10.0.0.7/1", canTakeOver: ["server"] },
      },
    ]);
  });

  it("tells of entries, defaults and global settings, which the table alone decides", async () => {
    const http = await withCamera();
    editFile(http, (config) => {
      config.logLevel = "debug";
      config.pathDefaults["recordDeleteAfter"] = "1h";
      config.paths["added"] = { source: SOURCE };
      config.paths["~^guest"] = {};
      delete config.paths["cam1"];
    });
    expect(
      (await drift(http)).map(({ where, path, setting, canTakeOver }) => [where, path, setting, canTakeOver]),
    ).toEqual([
      ["global", null, "logLevel", []],
      ["pathDefaults", null, "recordDeleteAfter", []],
      ["path", "added", "", ["file"]],
      ["path", "cam1", "", []],
      ["path", "~^guest", "", []],
    ]);
  });
});

describe("resolving it", () => {
  it("by the table changes no row, and has everything applied again", async () => {
    const http = await withCamera();
    editFile(http, ({ paths }) => Object.assign(paths["cam1"]!, { maxReaders: 7 }));
    const before = await listPaths(http.catalog);
    const applied = http.mediamtx.applied;
    expect((await resolve(http)).json()).toEqual({ dryRun: false, takenOver: [], warnings: [], effects: null });
    expect(await listPaths(http.catalog)).toEqual(before);
    expect(http.mediamtx.applied).toBe(applied + 1);
    const [note] = await listAudit(http.catalog, { action: "drift.resolve" }, { limit: 1 });
    expect(JSON.stringify(note?.before)).toContain("maxReaders");
  });

  it("takes over what is named, as an edit with a version and an audit note", async () => {
    const http = await withCamera();
    const later = SOURCE.replace("hunter2", "hunter3");
    editFile(http, ({ paths }) => {
      Object.assign(paths["cam1"]!, { maxReaders: 7, rtspTransport: "tcp" });
      paths["added"] = { source: SOURCE, record: true, recordDeleteAfter: "0s" };
    });
    await runServer(http, ({ paths }) => Object.assign(paths["cam1"]!, { source: later }));
    const answer = await resolve(http, [
      { path: "cam1", from: "file", settings: ["rtspTransport"] },
      { path: "added", from: "file" },
    ]);
    expect(answer.json()).toMatchObject({ takenOver: ["added", "cam1"] });
    expect(await settingsOf(http, "cam1")).toEqual({
      ...{ source: SOURCE, record: true, maxReaders: 5, rtspTransport: "tcp" },
    });
    expect(await settingsOf(http, "added")).toEqual({ source: SOURCE, record: true });
    await resolve(http, [{ path: "cam1", from: "server", settings: ["source"] }]);
    expect(await settingsOf(http, "cam1")).toMatchObject({ source: later });
    const [newest, before] = await http.deps.config.list({ limit: 2 });
    expect(newest).toMatchObject({
      reason: "adopt",
      summary: "taken over from the server: 0 added, 1 changed, 0 removed",
    });
    expect(before).toMatchObject({
      reason: "adopt",
      summary: "taken over from the file: 1 added, 1 changed, 0 removed",
    });
    expect(JSON.stringify(await dump(http.catalog))).not.toContain("hunter");
  });

  it("takes some of a path from the file and some from the server, as one change", async () => {
    const http = await withCamera();
    editFile(http, ({ paths }) => Object.assign(paths["cam1"]!, { rtspTransport: "tcp" }));
    await runServer(http, ({ paths }) => Object.assign(paths["cam1"]!, { maxReaders: 9 }));
    const both = [
      { path: "cam1", from: "file", settings: ["rtspTransport"] },
      { path: "cam1", from: "server", settings: ["maxReaders"] },
    ];
    expect((await resolve(http, both)).json()).toMatchObject({ takenOver: ["cam1"] });
    expect(await settingsOf(http, "cam1")).toMatchObject({ rtspTransport: "tcp", maxReaders: 9 });
    const [newest] = await http.deps.config.list({ limit: 1 });
    expect(newest?.summary).toBe("taken over from the file and the server: 0 added, 1 changed, 0 removed");
  });

  it("tells in a dry run what it would write and whom it would cut off, and changes nothing", async () => {
    const http = await withCamera();
    await ask(http, "/api/v1/paths", { method: "POST", body: { name: "cam2", record: true } });
    const edit = ({ paths }: Config) => {
      Object.assign(paths["cam1"]!, { maxReaders: 7 });
      Object.assign(paths["cam2"]!, { record: false });
    };
    editFile(http, edit);
    await runServer(http, edit);
    const before = await dump(http.catalog);
    const applied = http.mediamtx.applied;
    const dry = async (...takeOver: object[]) => {
      const answer = await ask(http, `${DRIFT}/resolve`, { method: "POST", body: { takeOver, dryRun: true } });
      expect([answer.status, answer.text]).toMatchObject([200, expect.not.stringContaining("hunter") as string]);
      return answer.json() as {
        readonly takenOver: readonly string[];
        readonly effects: { readonly diff: string; readonly reconnects: readonly { readonly path: string }[] };
      };
    };
    const byTable = await dry();
    expect(byTable.takenOver).toEqual([]);
    // Recording begins and ends under a running path.
    expect(byTable.effects.reconnects.map(({ path }) => path)).toEqual(["cam1"]);
    expect(byTable.effects.diff).toMatch(/^-\s+maxReaders: 7$/m);
    const byFile = await dry({ path: "cam1", from: "file" }, { path: "cam2", from: "file" });
    expect(byFile).toMatchObject({ takenOver: ["cam1", "cam2"], effects: { reconnects: [] } });
    expect(byFile.effects.diff).not.toContain("maxReaders: 5");
    http.mediamtx.server = null;
    expect((await dry()).effects.reconnects.map(({ path }) => path)).toEqual(["cam1"]);
    expect(await dump(http.catalog)).toEqual(before);
    expect(http.mediamtx.applied).toBe(applied);
  });

  it("takes over that a setting is gone", async () => {
    const http = await withCamera();
    await ask(http, "/api/v1/paths/cam1", { method: "PATCH", body: { rtspScale: "2" } });
    editFile(http, ({ paths }) => delete paths["cam1"]!["rtspScale"]);
    await resolve(http, [{ path: "cam1", from: "file" }]);
    expect(await settingsOf(http, "cam1")).toEqual({ source: SOURCE, record: true, maxReaders: 5 });
  });

  it("changes nothing when one of it is refused", async () => {
    const http = await withCamera();
    editFile(http, ({ paths }) => {
      Object.assign(paths["cam1"]!, { maxReaders: -7, runOnInit: "touch /tmp/x", rtspTransport: "tcp" });
      paths["added"] = { runOnDemand: "touch /tmp/x" };
    });
    const before = await dump(http.catalog);
    const refused = async (...takeOver: object[]) => problemIn(await resolve(http, takeOver));
    const fine = { path: "cam1", from: "file", settings: ["rtspTransport"] };
    expect(await refused(fine, { path: "cam1", from: "file", settings: ["maxReaders"] })).toMatchObject({
      status: 400,
    });
    expect(await refused(fine, { path: "added", from: "file" })).toMatchObject({
      status: 400,
      detail: expect.stringContaining("runOnDemand is a command") as string,
    });
    for (const takeOver of [
      { path: "cam1", from: "file", settings: ["runOnInit"] },
      { path: "cam1", from: "file", settings: ["record"] },
      { path: "cam1", from: "server" },
      { path: "absent", from: "file" },
    ]) {
      expect(await refused(fine, takeOver)).toMatchObject({ status: 404 });
    }
    expect(await dump(http.catalog)).toEqual(before);
  });
});
