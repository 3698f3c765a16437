/** An existing mediamtx.yml: paths become rows, the rest stays with its comments, commands never come along. */
import { readFile } from "node:fs/promises";

import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { listPaths } from "../../../src/catalog/paths.js";
import { ask, problemIn } from "../../support/http-ask.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";
import { dump } from "../../support/http-rows.js";

/** As it lies beside the executable of 1.21.0. */
const SAMPLE = new URL("../../fixtures/mediamtx/v1.21.0.golden", import.meta.url);

const GIVEN = `# The whole house
logLevel: warn # as the manual says
authInternalUsers:
  - user: any
    permissions: [{ action: publish }, { action: read }]
unheardOf: { of: [us] }

pathDefaults:
  # Long files
  recordSegmentDuration: 30m
  recordPath: /var/rec/%path/%Y
  recordDeleteAfter: 7d
  runOnInit:
  runOnReadRestart: no

paths:
  # The gate
  gate:
    source: rtsp://admin:hunter2@10.0.0.7/1
    sourceOnDemand: yes # seldom
    rtspTransport: tcp
    srtReadPassphrase: "0123456789" # of the gate
    whepBearerToken: "hunter2-token"
    # Not known to a row
    rpiCameraCamID: 1
    recordSegmentDuration: 48h
    recordDeleteAfter: 3d
  yard:
  site/a:
    record: on
    maxReaders: 3
  # Visitors
  "~^guest/":
    record: true
  all_others:
`;

interface Report {
  readonly dryRun: boolean;
  readonly create: readonly { readonly path: string; readonly settings: Record<string, unknown> }[];
  readonly unchanged: readonly string[];
  readonly kept: readonly { readonly where: string; readonly setting: string }[];
  readonly left: readonly { readonly where: string; readonly setting: string; readonly kind: string }[];
  readonly templates: string | null;
  readonly baseDiff: string;
  readonly diff: string;
}

const post = (http: HttpHarness, yaml: string, how: object = {}) =>
  ask(http, "/api/v1/config/adopt", { method: "POST", body: { yaml, ...how } });

async function adopt(http: HttpHarness, yaml: string, how: object = {}): Promise<Report> {
  const answer = await post(http, yaml, how);
  expect([answer.status, answer.text]).toMatchObject([200, expect.not.stringContaining("hunter2") as string]);
  return answer.json() as Report;
}

const told = (items: Report["left"]) => items.map(({ where, setting, kind }) => `${where} ${setting} ${kind}`);
const places = (items: Report["kept"]) => items.map(({ where, setting }) => `${where} ${setting}`.trim());

describe("adopting", () => {
  it("is a dry run unless told otherwise, and tells all of it", async () => {
    const http = await httpForTest();
    const [before, base] = [await dump(http.catalog), http.mediamtx.baseYaml];
    const report = await adopt(http, GIVEN);
    expect(report.create).toEqual([
      {
        path: "gate",
        settings: {
          ...{ source: "rtsp://admin:***@10.0.0.7/1", sourceOnDemand: true, rtspTransport: "tcp" },
          ...{ srtReadPassphrase: "***", whepBearerToken: "***" },
        },
      },
      { path: "yard", settings: {} },
      { path: "site/a", settings: { record: true, maxReaders: 3 } },
    ]);
    expect(places(report.kept)).toEqual([
      ...["global logLevel", "global authInternalUsers", "global unheardOf", "pathDefaults recordSegmentDuration"],
      ...["paths/gate rpiCameraCamID", "paths/gate recordSegmentDuration"],
      ...["paths/~^guest/ record", "paths/~^guest/", "paths/all_others"],
    ]);
    expect(told(report.left)).toEqual([
      ...["pathDefaults recordPath told", "pathDefaults recordDeleteAfter told", "paths/gate recordDeleteAfter told"],
    ]);
    expect(report).toMatchObject({ dryRun: true, unchanged: [], templates: null });
    expect(report.diff).toContain("-  recordDeleteAfter: 7d");
    expect(await dump(http.catalog)).toEqual(before);
    expect(http.mediamtx.baseYaml).toBe(base);
  });

  it("makes rows and a base that keeps comments and unknown keys, and a second time changes nothing", async () => {
    const http = await httpForTest();
    await adopt(http, GIVEN, { dryRun: false });
    expect((await listPaths(http.catalog)).map(({ name, settings }) => [name, settings])).toEqual([
      [
        "gate",
        {
          ...{ source: "rtsp://admin:hunter2@10.0.0.7/1", sourceOnDemand: true, rtspTransport: "tcp" },
          ...{ srtReadPassphrase: "0123456789", whepBearerToken: "hunter2-token" },
        },
      ],
      ["site/a", { record: true, maxReaders: 3 }],
      ["yard", {}],
    ]);
    const { baseYaml } = http.mediamtx;
    for (const kept of [
      "# The whole house",
      "# as the manual says",
      "# Long files",
      "# Visitors",
      "# Not known to a row",
    ]) {
      expect(baseYaml).toContain(kept);
    }
    expect(parse(baseYaml)).toEqual({
      ...{ logLevel: "warn", unheardOf: { of: ["us"] }, pathDefaults: { recordSegmentDuration: "30m" } },
      authInternalUsers: [{ user: "any", permissions: [{ action: "publish" }, { action: "read" }] }],
      paths: {
        gate: { rpiCameraCamID: 1, recordSegmentDuration: "48h" },
        ...{ "~^guest/": { record: true }, all_others: null },
      },
    });
    const versions = await http.deps.config.list({ limit: 9 });
    expect(versions.map(({ reason, summary }) => [reason, summary])).toEqual([
      ["adopt", "3 paths adopted, with the base"],
      ["adopt", "3 paths adopted"],
    ]);
    const before = await dump(http.catalog);
    const again = await adopt(http, GIVEN, { dryRun: false });
    expect(again).toMatchObject({ create: [], unchanged: ["gate", "yard", "site/a"], baseDiff: "" });
    expect(await dump(http.catalog)).toEqual(before);
  });

  it("tells in a dry run that the base may not be written, and what to do", async () => {
    const http = await httpForTest();
    http.mediamtx.isBaseOwn = false;
    const report = await adopt(http, GIVEN);
    expect(report.left.at(-1)).toMatchObject({
      where: "base",
      kind: "blocks",
      why: expect.stringMatching(/comes with/) as string,
    });
    expect(report.create).toHaveLength(3);
    expect(problemIn(await post(http, GIVEN, { dryRun: false })).status).toBe(409);
    expect(await listPaths(http.catalog)).toEqual([]);
  });

  it("leaves a path alone that is there with other settings, and says so", async () => {
    const http = await httpForTest();
    await ask(http, "/api/v1/paths", { method: "POST", body: { name: "site/a", maxReaders: 9 } });
    const report = await adopt(http, GIVEN, { dryRun: false });
    expect(report.create.map(({ path }) => path)).toEqual(["gate", "yard"]);
    expect(told(report.left)).toContain("paths/site/a  told");
    const rows = await listPaths(http.catalog);
    expect(rows.find(({ name }) => name === "site/a")?.settings).toEqual({ maxReaders: 9 });
  });

  it("never takes a command along, but a template that says the same", async () => {
    const http = await httpForTest();
    const yaml = [
      "runOnConnect: logger connected",
      "pathDefaults: { runOnReady: curl http://old/hook }",
      "paths:",
      "  cam1: { record: yes, runOnDemand: ffmpeg -i x, runOnDemandRestart: yes, runOnDemandCloseAfter: 20s }",
      "  '~^x': { runOnInit: touch /tmp/x }",
    ].join("\n");
    const before = await dump(http.catalog);
    const refused = problemIn(await post(http, yaml, { dryRun: false }));
    expect(refused).toMatchObject({ status: 409, detail: expect.stringContaining("global runOnConnect") as string });
    expect(await dump(http.catalog)).toEqual(before);
    const report = await adopt(http, yaml);
    expect(told(report.left)).toEqual([
      ...["global runOnConnect command", "pathDefaults runOnReady command", "paths/cam1 runOnDemand command"],
      "paths/~^x runOnInit command",
    ]);
    expect(parse(report.templates ?? "")).toMatchObject({ cam1: { runOnDemand: "ffmpeg -i x" } });

    const settings = { runOnDemand: "ffmpeg -i x", runOnDemandRestart: true, runOnDemandCloseAfter: "20s" };
    http.mediamtx.templatesOf.push({ id: "pull", description: "", settings });
    expect((await adopt(http, yaml)).create).toEqual([{ path: "cam1", settings: { template: "pull", record: true } }]);
    await adopt(http, yaml, { dryRun: false, leaveCommands: true });
    expect(http.mediamtx.baseYaml).not.toContain("runOn");
    expect((await listPaths(http.catalog)).map((row) => row.settings)).toEqual([{ template: "pull", record: true }]);
  });

  it.each([
    ["MediaMTX's old way to record", "record: yes", "global record"],
    [
      "old credentials of a path",
      "paths: { cam1: { publishUser: me, publishPass: hunter2 } }",
      "paths/cam1 publishUser",
    ],
    ["a file of the server", "logFile: /etc/cron.d/x", "global logFile"],
    ["a certificate's key", "rtspServerKey: /etc/shadow", "global rtspServerKey"],
    ["a film of the server", "paths: { cam1: { alwaysAvailableFile: /etc/x.mp4 } }", "paths/cam1 alwaysAvailableFile"],
  ])("is blocked by %s, which a request cannot solve", async (_, yaml, field) => {
    const http = await httpForTest();
    const before = await dump(http.catalog);
    const how = { dryRun: false, leaveCommands: true };
    const problem = problemIn(await post(http, yaml, how));
    expect(problem).toMatchObject({ status: 409, detail: expect.stringContaining(field) as string });
    expect(told((await adopt(http, yaml)).left).some((note) => note.startsWith(field) && note.endsWith("blocks"))).toBe(
      true,
    );
    expect(await dump(http.catalog)).toEqual(before);
  });

  it("is refused for what is no plain YAML, and when MediaMTX would refuse the result", async () => {
    const http = await httpForTest();
    for (const yaml of ["paths: [", "- a", "a: &x 1\nb: *x", "paths: { cam1: 7 }", "pathDefaults: []", "a: !!js x"]) {
      expect(problemIn(await post(http, yaml)).status).toBe(400);
    }
    expect(problemIn(await post(http, "authInternalUsers: x")).status).toBe(400);
  });

  it("takes the file that comes with MediaMTX, with all its comments", async () => {
    const http = await httpForTest();
    const report = await adopt(http, await readFile(SAMPLE, "utf8"), { dryRun: false });
    expect(report.create).toEqual([]);
    expect(report.left.every(({ kind }) => kind === "told")).toBe(true);
    expect(http.mediamtx.baseYaml.match(/^ *#/gm)?.length).toBeGreaterThan(300);
  });
});
