/** Many paths at once: all or nothing, told before it is done, and lists that come back as they went out. */
import { describe, expect, it } from "vitest";

import { AppError } from "../../../src/core/errors.js";
import { ask, problemIn } from "../../support/http-ask.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";
import { dump } from "../../support/http-rows.js";

type Body = Record<string, unknown>;

const SOURCE = "rtsp://admin:sEcret99@10.0.0.7/1";
const post = (http: HttpHarness, to: string, body: Body) => ask(http, `/api/v1/config/${to}`, { method: "POST", body });
const bulk = (http: HttpHarness, body: Body) => post(http, "bulk", body);
const put = (http: HttpHarness, format: string, text: string, more: Body = {}) =>
  post(http, "paths", { format, text, ...more });
const list = async (http: HttpHarness, format: string) =>
  (await ask(http, `/api/v1/config/paths?format=${format}`)).text;
const notes = (http: HttpHarness) =>
  http.catalog.db("audit").select("action", "target", "before_json", "after_json").orderBy("id") as Promise<Body[]>;

async function withPaths(...bodies: Body[]): Promise<HttpHarness> {
  const http = await httpForTest();
  for (const body of bodies) {
    const answer = await ask(http, "/api/v1/paths", { method: "POST", body });
    if (answer.status !== 201) throw new Error(answer.text);
  }
  http.mediamtx.applied = 0;
  return http;
}

describe("a change of many paths", () => {
  it("is one validation, one apply and a note for each path that changes", async () => {
    const http = await withPaths(
      { name: "a", source: SOURCE },
      { name: "b", maxReaders: 3 },
      { name: "c", record: true },
    );
    let validated = 0;
    http.mediamtx.validate = () => Promise.resolve(void (validated += 1));
    const answer = await bulk(http, { names: ["a", "b", "c"], patch: { record: true, maxReaders: null } });
    expect([answer.status, answer.json()]).toMatchObject([
      200,
      { dryRun: false, changed: ["a", "b"], unchanged: ["c"], created: [], removed: [], effects: null },
    ]);
    expect([validated, http.mediamtx.applied]).toEqual([1, 1]);
    expect((await ask(http, "/api/v1/paths/b")).json()).toMatchObject({
      record: true,
      effective: { maxReaders: { value: 0, from: "mediamtx" } },
    });
    const written = await notes(http);
    expect(written.slice(-3).map(({ action, target }) => [action, target])).toEqual([
      ["path.update", "a"],
      ["path.update", "b"],
      ["paths.update", "config"],
    ]);
    expect((await ask(http, "/api/v1/config/history?limit=1")).json()).toMatchObject({
      items: [{ reason: "edit", summary: "0 added, 2 changed, 0 removed" }],
    });
    expect(JSON.stringify(written)).not.toContain("sEcret99");
  });

  it("changes nothing when one path is unknown, when MediaMTX refuses, and when it is only asked for", async () => {
    const http = await withPaths({ name: "a" }, { name: "b" });
    const before = await dump(http.catalog);
    expect((await bulk(http, { names: ["a", "z"], patch: { record: true } })).status).toBe(404);
    expect((await bulk(http, { names: ["a"], patch: { sourceOnDemand: true } })).status).toBe(400);
    const dry = await bulk(http, { names: ["a", "b"], patch: { record: true, recordFormat: "mpegts" }, dryRun: true });
    expect(dry.json()).toMatchObject({
      changed: ["a", "b"],
      warnings: [
        { path: "a", field: "record" },
        { path: "b", field: "record" },
        { path: "a", field: "recordFormat" },
        { path: "b", field: "recordFormat" },
      ],
      effects: { diff: expect.stringContaining('recordFormat: "mpegts"') as string, reconnects: [] },
    });
    const cold = await bulk(http, { names: ["a", "b"], patch: { maxReaders: 1 }, dryRun: true });
    expect(cold.json()).toMatchObject({ effects: { reconnects: [{ path: "a" }, { path: "b" }] } });
    http.mediamtx.validate = () => Promise.reject(new AppError({ kind: "failed-precondition", message: "no" }));
    expect((await bulk(http, { names: ["a", "b"], patch: { record: true } })).status).toBe(409);
    expect(await dump(http.catalog)).toEqual(before);
    expect(http.mediamtx.applied).toBe(0);
  });

  it("writes none of them when somebody else changes one meanwhile", async () => {
    const http = await withPaths({ name: "a" }, { name: "b" });
    http.mediamtx.validate = async () => {
      http.mediamtx.validate = () => Promise.resolve();
      await ask(http, "/api/v1/paths/b", { method: "PATCH", body: { labels: ["x"] } });
    };
    expect((await bulk(http, { names: ["a", "b"], patch: { record: true } })).status).toBe(503);
    expect((await ask(http, "/api/v1/paths/a")).json()).not.toHaveProperty("record");
  });
});

describe.each(["csv", "yaml"])("a list of paths as %s", (format) => {
  const ODD = [
    "=1+1",
    "+x",
    "-y",
    "@z",
    "'quoted",
    "'=both",
    'a "b", c',
    "no",
    "007",
    "2026-01-01",
    "a; b",
    "[x]",
    "ü\u2028",
  ];

  it("comes back as it went out, masks, formulas and all, and changes nothing", async () => {
    const http = await withPaths(
      {
        name: "cam/1",
        source: SOURCE,
        record: true,
        maxReaders: 7,
        sourceFingerprint: "",
        srtReadPassphrase: "=sEcret99'\"",
        whepBearerToken: "sEcret99",
        labels: ODD,
        group: "=cmd()",
      },
      { name: "no", archive: "none", localRetention: "7d", enabled: false, rtspUDPSourcePortRange: [2_000, 3_000] },
      {
        name: "1e3",
        alwaysAvailable: true,
        alwaysAvailableTracks: [{ codec: "G711", sampleRate: 8_000, channelCount: 1 }],
      },
    );
    const before = await dump(http.catalog);
    const text = await list(http, format);
    expect(text).not.toContain("sEcret99");
    if (format === "csv") expect(text).not.toMatch(/(^|,)"?[=+@]/m);
    const answer = await put(http, format, text, { mode: "replace" });
    expect(answer.json()).toMatchObject({ unchanged: ["1e3", "cam/1", "no"], changed: [], created: [], removed: [] });
    expect(await dump(http.catalog)).toEqual(before);
  });

  it("makes the same paths in another Reelkeeper", async () => {
    const one = await withPaths(
      { name: "a", record: true, labels: ODD, group: "-g" },
      { name: "b", recordFormat: "mpegts" },
    );
    const text = await list(one, format);
    const other = await httpForTest();
    expect((await put(other, format, text)).json()).toMatchObject({ created: ["a", "b"], errors: [] });
    expect(await list(other, format)).toBe(text);
    expect((await notes(other)).map(({ action }) => action)).toEqual(["path.create", "path.create", "paths.update"]);
  });

  it("leaves alone what it does not mention, unless it is to replace", async () => {
    const http = await withPaths({ name: "a" }, { name: "b" });
    const only = await list(await withPaths({ name: "a" }), format);
    expect((await put(http, format, only)).json()).toMatchObject({ removed: [] });
    expect((await put(http, format, only, { mode: "replace", dryRun: true })).json()).toMatchObject({ removed: ["b"] });
    expect((await ask(http, "/api/v1/paths/b")).status).toBe(200);
    expect((await put(http, format, only, { mode: "replace" })).json()).toMatchObject({ removed: ["b"] });
    expect((await ask(http, "/api/v1/paths/b")).status).toBe(404);
  });
});

describe("an error in a list", () => {
  const CSV = "name,record,runOnInit\n";

  it("names line, path and field, in a dry run and when it refuses all", async () => {
    const http = await httpForTest();
    const text = 'name,source,record,maxReaders\ncam1,,true,\n"../x",,maybe,\ncam3,exec:reboot,,many\n';
    const dry = await put(http, "csv", text, { dryRun: true });
    expect((dry.json() as { errors: Body[] }).errors.map(({ line, path, field }) => [line, path, field])).toEqual([
      [3, "../x", "name"],
      [3, "../x", "record"],
      [4, "cam3", "source"],
      [4, "cam3", "maxReaders"],
    ]);
    expect(problemIn(await put(http, "csv", text))).toMatchObject({
      status: 400,
      errors: [{ field: "line 3: name" }, {}, {}, {}],
    });
    expect((await ask(http, "/api/v1/paths")).json()).toMatchObject({ items: [] });
    const yaml = "paths:\n  cam1: {}\n  cam2:\n    runOnInit: reboot\n";
    expect((await put(http, "yaml", yaml, { dryRun: true })).json()).toMatchObject({
      created: ["cam1"],
      errors: [{ line: 3, path: "cam2", field: "runOnInit" }],
    });
  });

  it.each([
    ["csv", `${CSV}cam1,true,reboot\n`, 'no column is named "runOnInit"'],
    ["csv", "record\ntrue\n", "expected a column name"],
    ["csv", "name\ncam1\ncam1\n", 'line 3: the path "cam1" is there twice'],
    ["csv", 'name\n"cam1\n', "Quote"],
    ["csv", "name,record\ncam1\n", "Record"],
    ["yaml", "paths: { a: &x {}, b: *x }", "anchor"],
    ["yaml", "paths: { a: !!js/function {} }", "TAG_RESOLVE_FAILED"],
    ["yaml", "paths:\n  a: {}\n  a: {}\n", "line 3: DUPLICATE_KEY"],
    ["yaml", "paths: { a: { <<: {} } }", "merge key"],
    ["yaml", "- a", "no mapping of paths alone"],
    ["yaml", "paths: {}\nhooks: {}", "no mapping of paths alone"],
    ["yaml", "paths: { a: 7 }", "line 1: expected a mapping"],
    ["yaml", "paths: {}\n---\npaths: {}", "more than one document"],
  ])("in the whole of a %s text %j is told (CVE-2023-45672)", async (format, text, reason) => {
    const answer = problemIn(await put(await httpForTest(), format, text));
    expect([answer.status, answer.detail]).toEqual([400, expect.stringContaining(reason)]);
  });
});
