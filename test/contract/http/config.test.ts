/** The configuration as a whole: what a change would do, what it was, and back to that. */
import { describe, expect, it } from "vitest";

import { AppError } from "../../../src/core/errors.js";
import { parsePathName } from "../../../src/core/path-name.js";
import { findPath, listPaths } from "../../../src/catalog/paths.js";
import { ask, problemIn } from "../../support/http-ask.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";
import { dump } from "../../support/http-rows.js";

const SOURCE = "rtsp://admin:hunter2%20secret@10.0.0.7/stream?token=t0ken";
const SECRETS = ["hunter2", "t0ken", "api-password"];
const PREVIEW = "/api/v1/config/preview";

const post = (http: HttpHarness, target: string, body: unknown) => ask(http, target, { method: "POST", body });
const add = (http: HttpHarness, body: object) => post(http, "/api/v1/paths", body);
const patch = (http: HttpHarness, name: string, body: object) =>
  ask(http, `/api/v1/paths/${name}`, { method: "PATCH", body });
const factsOf = async (http: HttpHarness) =>
  (await listPaths(http.catalog)).map((row) => ({ ...row, createdAtUs: 0, updatedAtUs: 0 }));
const rendered = async (http: HttpHarness) => {
  const [newest] = await http.deps.config.list({ limit: 1 });
  return newest?.sha256;
};

interface Previewed {
  readonly yaml: string;
  readonly diff: string;
  readonly reconnects: readonly { readonly path: string; readonly reason: string }[];
  readonly warnings: readonly { readonly path: string; readonly field: string; readonly message: string }[];
}

async function preview(http: HttpHarness, ...changes: object[]): Promise<Previewed> {
  const answer = await post(http, PREVIEW, { changes });
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.json() as Previewed;
}

interface Version {
  readonly version: number;
  readonly author: string;
  readonly summary: string;
  readonly reason: string;
}

async function history(http: HttpHarness): Promise<readonly Version[]> {
  return ((await ask(http, "/api/v1/config/history")).json() as { items: Version[] }).items;
}

async function withCamera(): Promise<HttpHarness> {
  const http = await httpForTest();
  await add(http, { name: "cam1", source: SOURCE, record: true });
  return http;
}

describe("a preview", () => {
  it("changes nothing and shows no secret", async () => {
    const http = await withCamera();
    const before = await dump(http.catalog);
    const applied = http.mediamtx.applied;
    const answer = await post(http, PREVIEW, {
      changes: [
        { action: "create", name: "cam2", settings: { source: SOURCE.replace("hunter2", "hunter2bis") } },
        { action: "update", name: "cam1", settings: { recordSegmentDuration: "4s" } },
      ],
    });
    expect(answer.status).toBe(200);
    for (const secret of SECRETS) expect(answer.text).not.toContain(secret);
    expect(await dump(http.catalog)).toEqual(before);
    expect(http.mediamtx.applied).toBe(applied);
  });

  it("tells as a unified diff what the change adds", async () => {
    const http = await withCamera();
    const { diff, yaml } = await preview(http, { action: "update", name: "cam1", settings: { maxReaders: 7 } });
    expect(diff.split("\n").filter((line) => /^[+-] /.test(line))).toEqual(["+    maxReaders: 7"]);
    expect(yaml).toContain("# ours");
    expect(yaml).toContain("maxReaders: 7");
  });

  it.each([
    ["a record setting", { recordSegmentDuration: "4s" }, [], ["cam1"]],
    ["what MediaMTX has anyway", { rtspTransport: "automatic" }, [], []],
    ["a source's transport", { rtspTransport: "tcp" }, ["cam1"], []],
    ["a source's password", { source: SOURCE.replace("hunter2", "other") }, ["cam1"], []],
    ["what is not MediaMTX's affair", { labels: ["gate"] }, [], []],
    ["that it is off", { enabled: false }, ["cam1"], []],
  ])("says whom a change of %s cuts off", async (_, settings, reconnects, warned) => {
    const http = await withCamera();
    await add(http, { name: "cam2", record: true });
    const found = await preview(http, { action: "update", name: "cam1", settings });
    expect(found.reconnects.map(({ path }) => path)).toEqual(reconnects);
    expect(found.warnings.map(({ path }) => path)).toEqual(warned);
  });

  it("says that a camera goes which is removed, unless a pattern takes it as it is", async () => {
    const http = await withCamera();
    await add(http, { name: "pushed", record: true });
    const both = [
      { action: "delete", name: "cam1" },
      { action: "delete", name: "pushed" },
    ];
    expect((await preview(http, ...both)).reconnects.map(({ path }) => path)).toEqual(["cam1"]);
    http.mediamtx.baseYaml = "logLevel: info\n";
    expect((await preview(http, ...both)).reconnects.map(({ path }) => path)).toEqual(["cam1", "pushed"]);
  });

  it("tells what people seldom mean of what the change makes, not of what is so anyway", async () => {
    const http = await withCamera();
    const onDemand = await preview(http, { action: "update", name: "cam1", settings: { sourceOnDemand: true } });
    expect(onDemand.warnings).toMatchObject([{ path: "cam1", field: "sourceOnDemand" }]);
    await patch(http, "cam1", { sourceOnDemand: true });
    const { warnings } = await preview(http, { action: "create", name: "cam2", settings: {} });
    expect(warnings.map(({ path }) => path)).not.toContain("cam1");
  });

  it("of a rollback says what it would change and whom it cuts off, and changes nothing", async () => {
    const http = await withCamera();
    await patch(http, "cam1", { maxReaders: 3 });
    await add(http, { name: "cam2" });
    const before = await dump(http.catalog);
    const answer = await post(http, PREVIEW, { rollbackTo: 1 });
    expect(answer.status).toBe(200);
    const { diff, reconnects } = answer.json() as Previewed;
    expect(diff).toContain("-    maxReaders: 3");
    expect(reconnects.map(({ path }) => path)).toEqual(["cam1"]);
    expect(await dump(http.catalog)).toEqual(before);
    for (const secret of SECRETS) expect(answer.text).not.toContain(secret);
    expect(problemIn(await post(http, PREVIEW, { rollbackTo: 99 })).status).toBe(404);
    http.mediamtx.baseYaml = `${http.mediamtx.baseYaml}readTimeout: 7s\n`;
    expect(problemIn(await post(http, PREVIEW, { rollbackTo: 1 })).status).toBe(409);
  });

  it.each([{}, { rollbackTo: 1, changes: [{ action: "delete", name: "cam1" }] }])(
    "is of changes or of a rollback: not of %j",
    async (body) => {
      const http = await withCamera();
      expect(problemIn(await post(http, PREVIEW, body))).toMatchObject({ status: 400, errors: [{ field: "changes" }] });
    },
  );

  it("is refused as the change itself would be", async () => {
    const http = await withCamera();
    const refused = async (change: object) => problemIn(await post(http, PREVIEW, { changes: [change] })).status;
    expect(await refused({ action: "create", name: "cam1" })).toBe(409);
    expect(await refused({ action: "create", name: "all_others" })).toBe(400);
    expect(await refused({ action: "update", name: "absent", settings: {} })).toBe(404);
    expect(await refused({ action: "delete", name: "absent" })).toBe(404);
    expect(await refused({ action: "update", name: "cam1", settings: { runOnReady: "touch /tmp/x" } })).toBe(400);
    expect(await refused({ action: "update", name: "cam1", settings: { sourceOnDemand: 1 } })).toBe(400);
    http.mediamtx.validate = () =>
      Promise.reject(new AppError({ kind: "failed-precondition", message: "MediaMTX refuses" }));
    expect(await refused({ action: "update", name: "cam1", settings: { maxReaders: 1 } })).toBe(409);
  });
});

describe("the history", () => {
  it("has each change with author, summary and diff, and no secret", async () => {
    const http = await withCamera();
    await patch(http, "cam1", { maxReaders: 3 });
    await ask(http, "/api/v1/paths/cam1", { method: "DELETE" });
    const versions = await history(http);
    expect(versions.map(({ summary, reason }) => [summary, reason])).toEqual([
      ["cam1 removed", "edit"],
      ["cam1: maxReaders changed", "edit"],
      ["cam1 added", "edit"],
    ]);
    expect(versions.every(({ author }) => author.length > 0)).toBe(true);
    const shown = await ask(http, `/api/v1/config/history/${String(versions[1]?.version)}`);
    expect((shown.json() as Previewed).diff).toContain("+    maxReaders: 3");
    expect((shown.json() as { diffToNow: string }).diffToNow).toContain("-    maxReaders: 3");
    for (const secret of SECRETS) expect(shown.text).not.toContain(secret);
  });

  it("is told page by page", async () => {
    const http = await withCamera();
    for (const maxReaders of [1, 2, 3, 4]) await patch(http, "cam1", { maxReaders });
    const seen: number[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const answer = await ask(http, `/api/v1/config/history?limit=2${query}`);
      const page = answer.json() as { items: Version[]; next: string | null };
      seen.push(...page.items.map(({ version }) => version));
      cursor = page.next;
    }
    expect(seen).toEqual([5, 4, 3, 2, 1]);
  });

  it("keeps passwords sealed in the database, and out of the audit log", async () => {
    const http = await withCamera();
    const rows = JSON.stringify([await http.catalog.db("config_versions"), await http.catalog.db("audit")]);
    for (const secret of SECRETS) expect(rows).not.toContain(secret);
    expect(await http.catalog.db("audit").where({ action: "path.create", target: "cam1" })).toHaveLength(1);
  });

  it("has every change of admins who edit at once, each version with those before it", async () => {
    const http = await withCamera();
    await add(http, { name: "cam2" });
    const edits = [1, 2, 3, 4, 5].flatMap((maxReaders) => [
      patch(http, "cam1", { maxReaders }),
      patch(http, "cam2", { labels: [String(maxReaders)] }),
      patch(http, "cam2", { maxReaders: maxReaders + 100 }),
    ]);
    expect((await Promise.all(edits)).map(({ status }) => status)).toEqual(edits.map(() => 200));
    expect(await history(http)).toHaveLength(17);
    const [cam1, cam2] = await listPaths(http.catalog);
    const [newest] = await history(http);
    const { yaml } = (await ask(http, `/api/v1/config/history/${String(newest?.version)}`)).json() as Previewed;
    expect(yaml).toContain(`maxReaders: ${String(cam1?.settings["maxReaders"])}\n`);
    expect(yaml).toContain(`maxReaders: ${String(cam2?.settings["maxReaders"])}\n`);
  });

  it("keeps no more than the last 500", async () => {
    const http = await withCamera();
    for (let each = 0; each < 505; each += 1) await patch(http, "cam1", { maxReaders: each });
    expect(await http.catalog.db("config_versions").select("version")).toHaveLength(500);
    expect(problemIn(await ask(http, "/api/v1/config/history/1")).status).toBe(404);
  });

  it("begins a version at a start only when the configuration is another one", async () => {
    const http = await withCamera();
    await http.deps.config.noteStart();
    expect(await history(http)).toHaveLength(1);
    const shown = async () => (await ask(http, "/api/v1/config/history/1")).json();
    expect(await shown()).toMatchObject({ sameBase: true, baseDiff: "" });
    http.mediamtx.baseYaml = "logLevel: debug\n";
    await http.deps.config.noteStart();
    expect((await history(http))[0]).toMatchObject({ reason: "start", author: "Reelkeeper" });
    const baseDiff = expect.stringContaining("-logLevel: debug") as string;
    expect(await shown()).toMatchObject({ sameBase: false, baseDiff });
  });
});

describe("a rollback", () => {
  it("makes the rows and the exact YAML what they were, as a version of its own", async () => {
    const http = await withCamera();
    await add(http, { name: "cam2", record: false, labels: ["x"], localRetention: "2d" });
    const wanted = await rendered(http);
    const rows = await factsOf(http);
    await patch(http, "cam1", { source: "publisher", record: false });
    await ask(http, "/api/v1/paths/cam2", { method: "DELETE" });
    await add(http, { name: "cam3" });
    expect(await rendered(http)).not.toBe(wanted);
    const applied = http.mediamtx.applied;
    const answer = await post(http, "/api/v1/config/rollback", { version: 2 });
    expect([answer.status, answer.json()]).toEqual([200, { version: 6, exact: true }]);
    expect(await rendered(http)).toBe(wanted);
    expect(await factsOf(http)).toEqual(rows);
    expect(http.mediamtx.applied).toBe(applied + 1);
    expect((await history(http))[0]).toMatchObject({ version: 6, reason: "rollback", summary: "back to version 2" });
    expect(await http.catalog.db("audit").where({ action: "config.rollback" })).toHaveLength(1);
  });

  it("changes nothing when MediaMTX refuses the result", async () => {
    const http = await withCamera();
    await patch(http, "cam1", { maxReaders: 3 });
    http.mediamtx.validate = () =>
      Promise.reject(new AppError({ kind: "failed-precondition", message: "MediaMTX refuses" }));
    const before = await dump(http.catalog);
    expect(problemIn(await post(http, "/api/v1/config/rollback", { version: 1 })).status).toBe(409);
    expect(await dump(http.catalog)).toEqual(before);
    expect(await history(http)).toHaveLength(2);
  });

  it("is refused while the base is another one, and shows what to put back", async () => {
    const http = await withCamera();
    await patch(http, "cam1", { maxReaders: 3 });
    const base = http.mediamtx.baseYaml;
    http.mediamtx.baseYaml = `${base}readTimeout: 7s\n`;
    const answer = await post(http, "/api/v1/config/rollback", { version: 1 });
    expect(problemIn(answer).status).toBe(409);
    expect(answer.text).toContain("-readTimeout: 7s");
    expect((await findPath(http.catalog, parsePathName("cam1")))?.settings["maxReaders"]).toBe(3);
    http.mediamtx.baseYaml = base;
    expect((await post(http, "/api/v1/config/rollback", { version: 1 })).status).toBe(200);
  });

  it("finds no version that there is not", async () => {
    const http = await withCamera();
    for (const version of [2, 999]) {
      expect(problemIn(await post(http, "/api/v1/config/rollback", { version })).status).toBe(404);
    }
    for (const version of [0, -1, 1.5, "1", null, "__proto__"]) {
      expect(problemIn(await post(http, "/api/v1/config/rollback", { version })).status).toBe(400);
    }
  });
});
