/**
 * Bad input, for every field of every endpoint: refused as a problem that names the field and says what would be right,
 * without a change to any row.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";

import { parsePathName } from "../../../src/core/path-name.js";
import { insertPath } from "../../../src/catalog/paths.js";
import type { Route } from "../../../src/http/route.js";
import { ask, problemIn } from "../../support/http-ask.js";
import { HOOK_SECRET, type HttpHarness, startHttp } from "../../support/http-harness.js";
import { addRow, dump } from "../../support/http-rows.js";

let http: HttpHarness;
let before: Record<string, unknown[]>;
const ID = "0190a000-0000-7000-8000-000000000001";

beforeAll(async () => {
  http = await startHttp();
  await insertPath(http.catalog, {
    name: parsePathName("cam1"),
    settings: { source: "rtsp://admin:right@10.0.0.7/1" },
    enabled: true,
    archive: "all",
    localRetention: null,
    archiveRetention: null,
    labels: [],
  });
  await addRow(http.catalog, 1, { id: ID as never });
  before = await dump(http.catalog);
});
afterAll(async () => {
  expect(await dump(http.catalog)).toEqual(before);
  await http.close();
});

const HEADERS = { authorization: `Bearer ${HOOK_SECRET}` };
const keyOf = ({ method, path }: Route): string => `${method} ${path}`;
const urlOf = (route: Route): string =>
  route.path.replace("{id}", ID).replace("{name+}", "cam1").replace("{version}", "1");
/** Bodies that are right but for the field that a test makes wrong. */
const RIGHT: Readonly<Record<string, Record<string, unknown>>> = {
  "POST /api/v1/deletions/resume": { doubts: ["volume"] },
  "POST /api/v1/paths": { name: "cam2" },
  "POST /api/v1/config/preview": { changes: [{ action: "create", name: "cam2" }] },
  "POST /api/v1/config/rollback": { version: 1 },
  "POST /api/v1/config/drift/resolve": { takeOver: [] },
  "POST /api/v1/config/adopt": { yaml: "logLevel: info" },
  "POST /api/v1/exports": { path: "cam1", from: "2026-11-20T00:00:00Z", to: "2026-11-20T01:00:00Z" },
  "POST /api/v1/shares": {
    ...{ path: "cam1", from: "2026-11-20T00:00:00Z", to: "2026-11-20T01:00:00Z" },
    expiresAt: "2026-11-21T00:00:00Z",
  },
  "POST /api/v1/signed-urls": { url: "/api/v1/thumbnail.jpg?path=cam1" },
  "PATCH /api/v1/paths/{name+}": {},
  "PATCH /api/v1/paths": {},
  "POST /api/v1/login": { name: "anna", password: "a long password" },
  "POST /api/v1/login/refresh": {},
  "POST /api/v1/logout": {},
  "POST /api/v1/me/password": { current: "a long password", new: "a longer password" },
  "POST /api/v1/users": { name: "anna", role: "viewer", password: "a long password" },
  "PATCH /api/v1/users/{id}": {},
  "POST /api/v1/tokens": { name: "script", role: "viewer", paths: ["cam1"] },
  "POST /api/v1/config/bulk": { names: ["cam1"], patch: { labels: [] }, dryRun: true },
  "POST /api/v1/config/paths": { format: "csv", text: "name", dryRun: true },
  "POST /api/v1/publish-credentials": { path: "cam1" },
  "POST /api/v1/stream-tokens": { path: "cam1" },
  "POST /mediamtx/auth/{secret}": { action: "read", path: "cam1" },
  "POST /hooks/segment-create": { path: "cam1", segmentPath: "/recordings/cam1/2026-11-20/1795132800-000000.mp4" },
  "POST /hooks/segment-complete": { path: "cam1", segmentPath: "/recordings/cam1/2026-11-20/1795132800-000000.mp4" },
  "POST /hooks/ready": { path: "cam1" },
  "POST /hooks/not-ready": { path: "cam1" },
};
/** And the query that an endpoint cannot do without. */
const QUERY: Readonly<Record<string, string>> = {
  "PATCH /api/v1/paths": "?path=cam1",
  "DELETE /api/v1/paths": "?path=cam1",
};

/** What a GET cannot do without, for the fields that a test does not make wrong. */
const RIGHT_QUERY: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "GET /api/v1/timeline": { path: "cam1", from: "2026-11-20T00:00:00Z", to: "2026-11-21T00:00:00Z" },
  "GET /api/v1/days": { path: "cam1", month: "2026-11" },
  "GET /api/v1/clip.mp4": { path: "cam1", from: "2026-11-20T00:00:00Z", to: "2026-11-20T01:00:00Z" },
  "GET /api/v1/thumbnail.jpg": { path: "cam1", at: "2026-11-20T00:00:00Z" },
  "GET /api/v1/sprite.vtt": { path: "cam1", from: "2026-11-20T00:00:00Z", to: "2026-11-21T00:00:00Z" },
  "GET /api/v1/sprite.jpg": { path: "cam1", from: "2026-11-20T00:00:00Z", to: "2026-11-21T00:00:00Z" },
  "GET /api/v1/recordings/{id}/transcoded.ts": { from: "2026-11-20T17:00:00Z", to: "2026-11-20T17:01:00Z" },
  "GET /api/v1/playlist.m3u8": { path: "cam1", from: "2026-11-20T00:00:00Z", to: "2026-11-21T00:00:00Z" },
};
/** Fields that may be given several times. */
const LISTS: Readonly<Record<string, readonly string[]>> = {
  "GET /api/v1/recordings": ["path", "state"],
  "GET /api/v1/timeline": ["path"],
  "GET /api/v1/paths": ["label"],
};

/** Wrong whatever the field: no field of ours takes any of these. */
const NEVER_RIGHT: readonly unknown[] = [
  {},
  { toString: "x" },
  [[]],
  [{}],
  "\0",
  "a\0b",
  "../../etc/passwd",
  "a".repeat(5_000),
];
const NOT_A_STRING: readonly unknown[] = [7, true, []];
const ODD_NAMES: readonly unknown[] = [
  "",
  "/",
  "/a",
  "a/",
  "a//b",
  ".",
  "..",
  "a/../b",
  "a b",
  "é",
  "a?b",
  "%2e",
  "\\",
];
const ODD_DURATIONS: readonly unknown[] = ["", "7", "-1s", "1y", "1s ", "1s1d", "1e3s", "٣s", "999999d"];
const ODD_BOOLEANS: readonly unknown[] = ["true", 1, 0, "yes", ""];

const ASKS = "POST /mediamtx/auth/{secret}";

/** Wrong for this field: [valid JSON values that the endpoint must refuse]. */
const WRONG: Readonly<Record<string, readonly unknown[]>> = {
  name: [...NOT_A_STRING, ...ODD_NAMES, "all", "all_others", "a".repeat(201)],
  "POST /api/v1/login name": [...NOT_A_STRING, "a".repeat(201)],
  "POST /api/v1/users name": [...NOT_A_STRING, "", "Anna", "a b", "-a", "_a", "a".repeat(65), "ä"],
  "POST /api/v1/tokens name": [...NOT_A_STRING, "", "a\u0007", "a\0b", "\ud800", "a".repeat(101)],
  "POST /api/v1/tokens expiresAt": [...NOT_A_STRING, "", "tomorrow", "2036-11-20"],
  "POST /api/v1/login password": [...NOT_A_STRING, "a".repeat(1_001)],
  user: [...NOT_A_STRING, "", "a b", "a:b", "a@b", "é", "a".repeat(65)],
  "POST /api/v1/publish-credentials password": [...NOT_A_STRING, "", "eleven-char", "twelve chars", "a".repeat(257)],
  ...Object.fromEntries(
    Object.entries({
      user: 512,
      password: 8_192,
      token: 8_192,
      ip: 64,
      path: 1_024,
      protocol: 32,
      id: 64,
      query: 16_384,
    })
      // What somebody tells MediaMTX of themselves may be any text.
      .map(([field, most]) => [`${ASKS} ${field}`, [...NOT_A_STRING, "a".repeat(most + 1)]]),
  ),
  action: [...NOT_A_STRING, "", "Read", "delete", "constructor"],
  yaml: [7, "", "paths: [", "[]", "a: *b", "paths: 7", "a".repeat(250_001)],
  leaveCommands: ODD_BOOLEANS,
  takeOver: [7, "cam1", [{ path: "cam1" }], [{ path: "a//b", from: "file" }], [{ path: "cam1", from: "table" }]],
  role: [...NOT_A_STRING, "", "root", "Admin", "constructor"],
  paths: ["cam1", [7], [""], ["cam*"], ["../*"], ["a", null], ["~^cam"], Array.from({ length: 501 }, () => "a")],
  password: [...NOT_A_STRING, "", "eleven-char", "a".repeat(257)],
  current: [...NOT_A_STRING, "a".repeat(1_001)],
  new: [...NOT_A_STRING, "", "eleven-char", "a".repeat(257)],
  disabled: ODD_BOOLEANS,
  path: [...NOT_A_STRING, ...ODD_NAMES, "a".repeat(201)],
  source: [
    ...NOT_A_STRING,
    "",
    "cam",
    "file:///etc/passwd",
    "exec:ffmpeg",
    "unix:///tmp/s",
    "javascript:alert(1)",
    "rtsp://",
    "rtsp://host:0/x",
    "rtsp://host:70000/x",
    "rtsp://host/%zz",
    "rtsp://host/x\nrunOnInit: reboot",
    "rtsp://user@host/x",
    "udp://239.0.0.1",
    "rtsp://u:***@host/x",
    "redirect",
  ],
  sourceFingerprint: [...NOT_A_STRING, "zz", "a".repeat(63), "a".repeat(65)],
  sourceOnDemand: ODD_BOOLEANS,
  sourceOnDemandStartTimeout: [...NOT_A_STRING, ...ODD_DURATIONS, "1ms", "25h"],
  sourceOnDemandCloseAfter: [...NOT_A_STRING, ...ODD_DURATIONS, "1ms", "25h"],
  maxReaders: ["7", -1, 1.5, 1e9, true, ""],
  useAbsoluteTimestamp: ODD_BOOLEANS,
  record: ODD_BOOLEANS,
  recordFormat: [...NOT_A_STRING, "mp4", "FMP4", "", "constructor", "__proto__"],
  recordPartDuration: [...NOT_A_STRING, ...ODD_DURATIONS, "1ms", "2m"],
  recordMaxPartSize: [...NOT_A_STRING, "", "50", "-1M", "50X", "1e9M"],
  recordSegmentDuration: [...NOT_A_STRING, ...ODD_DURATIONS, "0s", "10ms", "25h"],
  rtspTransport: [...NOT_A_STRING, "quic", "", "toString"],
  rtspAnyPort: ODD_BOOLEANS,
  rtspRangeType: [...NOT_A_STRING, "", "utc", "constructor"],
  rtspRangeStart: [...NOT_A_STRING, "", "now", "20261320T000000Z", "2026-08-12T12:00:00Z", "-1s", "$(reboot)"],
  rtspScale: [...NOT_A_STRING, "", "0", "0.0", "-0", "101", "1e3", "fast", "1\r\nX: y"],
  rtspUDPSourcePortRange: [
    [1024],
    [1024, 1024],
    [2000, 1999],
    [1, 2000],
    [1024, 65_536],
    ["1024", "2000"],
    "1024-2000",
  ],
  whepBearerToken: [...NOT_A_STRING, "two words", "line\r\nX: y", "é", "a".repeat(2_049), "***"],
  srtReadPassphrase: [
    ...NOT_A_STRING,
    "too short",
    "a".repeat(80),
    "tab\tin the words",
    "umlaut ä in words",
    "****",
    "***",
  ],
  srtPublishPassphrase: [
    ...NOT_A_STRING,
    "too short",
    "a".repeat(80),
    "tab\tin the words",
    "line\nin the words",
    "***",
  ],
  whepSTUNGatherTimeout: [...NOT_A_STRING, ...ODD_DURATIONS, "1ms", "25h"],
  whepHandshakeTimeout: [...NOT_A_STRING, ...ODD_DURATIONS, "1ms", "25h"],
  whepTrackGatherTimeout: [...NOT_A_STRING, ...ODD_DURATIONS, "1ms", "25h"],
  rtspDemuxMpegts: ODD_BOOLEANS,
  alwaysAvailable: ODD_BOOLEANS,
  alwaysAvailableTracks: [
    ...[[], "H264", ["H264"], [{ codec: "h264" }], [{ codec: "H264", sampleRate: 8_000 }], [{ codec: "MPEG4Audio" }]],
    [{ codec: "LPCM", sampleRate: 7_999, channelCount: 1 }],
    Array.from({ length: 9 }, () => ({ codec: "H264" })),
  ],
  alwaysAvailableRecorded: ODD_BOOLEANS,
  template: [...NOT_A_STRING, "", "A", "a b", "$(reboot)", "__proto__", "-x", "a".repeat(65)],
  overridePublisher: ODD_BOOLEANS,
  names: [...NOT_A_STRING, "cam1", ["a b"], [7], [null]],
  patch: [...NOT_A_STRING, { runOnInit: "reboot" }, { name: "b" }, { record: "yes" }, JSON.parse(`{"__proto__":7}`)],
  dryRun: ODD_BOOLEANS,
  text: [...NOT_A_STRING, ""],
  mode: [...NOT_A_STRING, "delete", ""],
  enabled: ODD_BOOLEANS,
  archive: [...NOT_A_STRING, "some", "", "constructor"],
  localRetention: [...NOT_A_STRING, ...ODD_DURATIONS, "36501d", "106751d"],
  archiveRetention: [...NOT_A_STRING, ...ODD_DURATIONS, "36501d", "106751d"],
  group: [7, true, [], "", "a".repeat(65), "\u0007", "\ud800", "a/../b"],
  labels: ["gate", [7], [""], [null], ["a".repeat(65)], Array.from({ length: 33 }, () => "a"), ["\u0007"], ["\ud800"]],
  segmentPath: [
    ...NOT_A_STRING,
    "",
    "/etc/passwd",
    "/recordings",
    "/recordings/",
    "/recordings/../etc/passwd",
    "/recordings/cam1/../../etc/passwd",
    "/recordings/cam1//x.mp4",
    "/recordings-of-others/cam1/2026-11-20/1795132800-000000.mp4",
    "cam1/2026-11-20/1795132800-000000.mp4",
    "../recordings/cam1/2026-11-20/1795132800-000000.mp4",
    "/recordings/cam1/2026-11-20/no-time.mp4",
    "/recordings/cam1/2026-11-20/1795132800-000000.mp4/x",
    "/recordings/%2e%2e/%2e%2e/etc/passwd",
    "/recordings/cam1/2026-11-20/1795132800-000000.exe",
    "file:///recordings/cam1/2026-11-20/1795132800-000000.mp4",
    "\\\\host\\recordings\\x.mp4",
  ],
  segmentDuration: [-1, 1e9, "x", "-1", "1e400", "0x10", " 1", true, []],
  sourceType: [...NOT_A_STRING, "a".repeat(65), "a\nb", "a\0b", "\ud800"],
  sourceId: [...NOT_A_STRING, "a".repeat(129), "a\nb", "a\0b"],
  doubts: ["volume", [], ["everything"], ["Volume"], [null], [["volume"]], Array.from({ length: 6 }, () => "volume")],
  changes: [
    ...[7, true, "create", {}, [], ["create"], [null], [{ action: "create" }], [{ name: "cam2" }]],
    ...[[{ action: "remove", name: "cam1" }], [{ action: "__proto__", name: "cam1" }]],
    ...[[{ action: "create", name: "../x" }], [{ action: "update", name: "cam1", settings: [] }]],
    [{ action: "delete", name: "cam1", settings: {} }],
    Array.from({ length: 1_001 }, () => ({ action: "delete", name: "cam1" })),
  ],
  rollbackTo: [0, -1, 1.5, "1", "", true, [1], {}, 2_000_000_001],
  version: [0, -1, 1.5, "1", "", true, [1], {}, 2_000_000_001],
  secret: [7, true, [HOOK_SECRET], "a".repeat(513)],
  from: [...NOT_A_STRING, "", "now", "2026-11-20", "2026-11-20T00:00:00", "2026-02-30T00:00:00Z"],
  to: [...NOT_A_STRING, "", "2026-11-20T00:00:00Z", "2026-11-19T00:00:00Z", "2026-11-21T00:00:00.000001Z"],
  format: [...NOT_A_STRING, "", "mkv", "FMP4", "constructor"],
  gaps: [...NOT_A_STRING, "", "none", "KEEP", "__proto__"],
  keep: [...NOT_A_STRING, ...ODD_DURATIONS, "59s", "91d"],
  label: [...NOT_A_STRING, "a".repeat(201), "a\u0007", "a\0b", "\ud800"],
  expiresAt: [...NOT_A_STRING, "", "tomorrow", "2020-11-20T17:04:00Z", "2036-11-20T00:00:00Z"],
  url: [
    ...[...NOT_A_STRING, "", "/", "/api/v1/recordings", "https://evil.example/api/v1/clip.mp4", "//evil.example/"],
    ...[
      "/api/v1/recordings/constructor/file",
      "/api/v1/../v1/clip.mp4",
      "api/v1/clip.mp4?path=cam1",
      "a".repeat(2_001),
    ],
  ],
};
/** Takes any text: only its length and its type can be wrong, and what no text may hold. */
const ANY_TEXT = new Set([
  ...["whepBearerToken", "srtReadPassphrase", "srtPublishPassphrase"],
  ...["secret", "sourceType", "sourceId", "label", "password", "current", "new"],
  ...["POST /api/v1/login name", "POST /api/v1/tokens name"],
  ...["user", "password", "token", "ip", "path", "protocol", "id", "query"].map((field) => `${ASKS} ${field}`),
]);
const TAKES_NULL = new Set([
  "localRetention",
  "archiveRetention",
  "group",
  "POST /api/v1/tokens expiresAt",
  `${ASKS} id`,
]);

function fieldsOf(schema: z.ZodType | undefined): string[] {
  if (schema === undefined) return [];
  const { properties = {} } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return Object.keys(properties);
}

function wrongFor(route: Route, field: string): readonly unknown[] {
  const own = `${keyOf(route)} ${field}`;
  const known = WRONG[own] ?? WRONG[field];
  if (known === undefined)
    throw new Error(`the field "${field}" of ${keyOf(route)} has no wrong values here: add some`);
  const isAnyText = ANY_TEXT.has(field) || ANY_TEXT.has(own);
  const general = isAnyText ? NEVER_RIGHT.filter((value) => typeof value !== "string") : NEVER_RIGHT;
  const isPatch = route.method === "PATCH";
  return [...known, ...general, ...(isPatch || TAKES_NULL.has(field) || TAKES_NULL.has(own) ? [] : [null])];
}

describe.each(["POST", "PATCH"] as const)("a %s body", (method) => {
  it("is refused for each wrong value of each field, by the name of the field", async () => {
    let tried = 0;
    for (const route of http.routes.filter((each) => each.method === method && each.body !== undefined)) {
      const right = RIGHT[keyOf(route)];
      if (right === undefined) throw new Error(`${keyOf(route)} has no right body here: add one`);
      for (const field of fieldsOf(route.body)) {
        for (const value of wrongFor(route, field)) {
          const body = JSON.stringify({ ...right, [field]: value });
          const headers = { ...HEADERS, "content-type": "application/json" };
          const answer = await ask(http, urlOf(route) + (QUERY[keyOf(route)] ?? ""), { method, headers, body });
          const what = `${keyOf(route)} ${body.slice(0, 200)}`;
          expect(answer.status, what).toBe(400);
          const problem = problemIn(answer);
          expect(
            problem.errors?.map((error) => error.field.split(".")[0]),
            what,
          ).toContain(field);
          expect(
            problem.errors?.every(({ message }) => message.length > 5),
            what,
          ).toBe(true);
          expect(answer.text.length, what).toBeLessThan(2_000);
          tried += 1;
        }
      }
    }
    expect(tried).toBeGreaterThan(400);
  });

  it("of the wrong shape, type, charset, encoding or size is refused", async () => {
    for (const route of http.routes.filter((each) => each.method === method && each.body !== undefined)) {
      const target = urlOf(route) + (QUERY[keyOf(route)] ?? "");
      const statusOf = async (body: string | Buffer, type = "application/json", more = {}): Promise<number> => {
        const headers = { ...HEADERS, "content-type": type, ...more };
        return problemIn(await ask(http, target, { method, headers, body })).status;
      };
      for (const body of ["[]", '["a"]', "7", '"text"', "null", "true", "{", '{"a":1,}', "{'a':1}", "\xff", "\0"]) {
        expect(await statusOf(body), `${keyOf(route)} ${body}`).toBe(400);
      }
      for (const type of ["text/plain", "text/json", "multipart/form-data; boundary=x", "application/xml", ""]) {
        expect(await statusOf("{}", type), `${keyOf(route)} ${type}`).toBe(415);
      }
      expect(await statusOf("{}", "application/json; charset=klingon")).toBe(415);
      expect(await statusOf("{}", "application/json", { "content-encoding": "compress" })).toBe(415);
      const large = JSON.stringify({ path: "a".repeat(300 * 1_024) });
      expect(await statusOf(large)).toBe(413);
      if (route.form === true) expect(await statusOf(JSON.stringify({ path: "a".repeat(17 * 1_024) }))).toBe(413);
      const nothing = await ask(http, target, { method, headers: HEADERS });
      expect(problemIn(nothing)).toMatchObject({ status: 415, detail: expect.stringContaining("none") as string });
    }
  });

  it("with fields that are not known is refused by their names, also when they are named like parts of an object", async () => {
    for (const route of http.routes.filter((each) => each.method === method && each.body !== undefined)) {
      if (route.access === "hook") continue;
      for (const field of ["__proto__", "constructor", "toString", "hasOwnProperty", "runOnReady", "createdAt", ""]) {
        const body = `{${JSON.stringify(RIGHT[keyOf(route)]).slice(1, -1)}`;
        const text = `${body}${body === "{" ? "" : ","}${JSON.stringify(field)}:{"enabled":false}}`;
        const headers = { "content-type": "application/json" };
        const answer = await ask(http, urlOf(route) + (QUERY[keyOf(route)] ?? ""), { method, headers, body: text });
        expect(problemIn(answer), text).toMatchObject({ status: 400, errors: [{ field }] });
      }
    }
    expect(({} as Record<string, unknown>)["enabled"]).toBeUndefined();
  });
});

describe("a form of a hook", () => {
  it("with a field twice, with too many fields or of odd encoding is refused", async () => {
    const send = (body: string) =>
      ask(http, "/hooks/ready", {
        method: "POST",
        headers: { ...HEADERS, "content-type": "application/x-www-form-urlencoded" },
        body,
      });
    expect(problemIn(await send("path=cam1&path=cam2"))).toMatchObject({ status: 400, errors: [{ field: "path" }] });
    const many = Array.from({ length: 40 }, (_, index) => `f${index}=1`).join("&");
    expect(problemIn(await send(`path=cam1&${many}`)).status).toBe(413);
    expect(problemIn(await send("path=%zz")).status).toBe(400);
    expect(problemIn(await send("path[a]=cam1")).status).toBe(400);
    expect(problemIn(await send("__proto__[path]=cam1&constructor=1")).status).toBe(400);
  });
});

/** These answer as MediaMTX does, in its own words. */
const speaksMediaMtx = ({ path }: Route): boolean => path.startsWith("/playback/");

describe("query parameters", () => {
  const WRONG_QUERY: Readonly<Record<string, readonly string[]>> = {
    path: ["", "..", "/a", "a/", "a//b", "a b", "a\0", "é", "a".repeat(201), "%2e%2e", "cam1?x"],
    from: ["", "now", "2026-11-20", "2026-11-20T17:04:43", "2026-02-30T00:00:00Z", "0", "a".repeat(41), "\0"],
    to: ["", "1795132800", "2026-11-20T25:00:00Z", "2026-11-20T17:04:43+0100", "2026-11-20T17:04:43Z;drop table"],
    state: ["", "PRESENT", "constructor", "__proto__", "present,", "present;verified"],
    order: ["", "NEWEST", "random", "toString"],
    limit: ["", "0", "2001", "-1", "1.5", "1e2", "ten", "99999999999", "0x10", " 1"],
    cursor: ["", "x", "null", "W10", "WyJuZXdlc3QiLDEsIngiXQ", "a".repeat(201), "__proto__", "\0"],
    total: ["", "1", "TRUE", "yes"],
    group: ["", "a".repeat(65), "a\0", ".."],
    label: ["", "a".repeat(65), "a\0", "a,"],
    q: ["", "a".repeat(65), "a\0"],
    user: ["", "x", "anna", "__proto__"],
    actor: ["", "a".repeat(301)],
    action: ["", "a".repeat(301)],
    target: ["", "a".repeat(301)],
    search: ["", "a".repeat(301)],
    before: ["", "0", "-1", "x", "1.5", "1e2"],
    live: ["", "2", "TRUE", "yes", "__proto__"],
    transcode: ["", "on", "H264", "h265", "h264,h264", "__proto__"],
    multivariant: ["", "2", "TRUE", "yes", "constructor"],
    at: ["", "now", "2026-11-20", "2026-02-30T00:00:00Z", "\0"],
    width: ["", "0", "-1", "1.5", "wide", "99999999999"],
    tolerance: ["", "-1", "1.5", "5s", "3601", "1e2"],
    tiles: ["", "0", "-1", "301", "1.5", "all"],
    version: ["", "x", "0".repeat(31), "A".repeat(32), "0".repeat(33), "__proto__"],
    resolution: ["", "0", "-1", "1.5", "1e2", "60s", "31622401", "8", "\0"],
    format: ["", "MP4", "webm", "mp4,fmp4", "__proto__"],
    gaps: ["", "KEEP", "true", "constructor"],
    month: ["", "2026", "2026-13", "2026-00", "2026-1", "1969-12", "2026-11-01", "11-2026", "\0", "__proto__"],
    returnTo: [
      "",
      "page",
      "//evil.example",
      "/\\evil.example",
      "https://evil.example",
      "/?a\nb",
      "/..",
      `/?${"a".repeat(2_000)}`,
    ],
    zone: ["", "+01:00", "Berlin", "Europe/Berlin ", "../etc", "UTC\0", "__proto__", "constructor", "a".repeat(65)],
  };

  it("with wrong values are refused by name, with the value and what would be right", async () => {
    for (const route of http.routes.filter((each) => each.query !== undefined && each.body === undefined)) {
      if (speaksMediaMtx(route)) continue;
      for (const field of fieldsOf(route.query)) {
        // A page reads its own address, and shows what it cannot understand.
        const values = route.tag === "pages" ? ["a".repeat(2_001)] : WRONG_QUERY[field];
        if (values === undefined) throw new Error(`the parameter "${field}" has no wrong values here: add some`);
        for (const value of values) {
          const query = { ...RIGHT_QUERY[keyOf(route)], [field]: value };
          const target = `${urlOf(route)}?${new URLSearchParams(query).toString()}`;
          const answer = await ask(http, target, { method: route.method });
          expect(answer.status, `${route.method} ${target}`).toBe(400);
          const [first] = problemIn(answer).errors ?? [];
          expect(first?.field.split(".")[0], target).toBe(field);
        }
        if (LISTS[keyOf(route)]?.includes(field) !== true) {
          const others = Object.entries(RIGHT_QUERY[keyOf(route)] ?? {}).filter(([name]) => name !== field);
          const pairs: [string, string][] = [...others, [field, "1"], [field, "2"]];
          const twice = `${urlOf(route)}?${new URLSearchParams(pairs).toString()}`;
          expect(problemIn(await ask(http, twice, { method: route.method })), twice).toMatchObject({
            status: 400,
            errors: [{ field }],
          });
        }
      }
    }
    const limit = problemIn(await ask(http, "/api/v1/recordings?limit=ten")).errors;
    expect(limit).toEqual([{ field: "limit", message: 'expected an integer from 1 to 2000, got "ten"' }]);
  });

  it("that are not known are refused by name on every route", async () => {
    // A login provider adds what it likes.
    const isFree = (route: Route): boolean => speaksMediaMtx(route) || route.path.endsWith("/oidc/callback");
    for (const route of http.routes.filter((each) => !isFree(each))) {
      for (const field of ["nonsense", "__proto__", "constructor", "Path", ""]) {
        const body = route.body === undefined ? {} : { body: RIGHT[keyOf(route)] };
        const more = QUERY[keyOf(route)];
        const target = `${urlOf(route)}${more === undefined ? "?" : `${more}&`}${field}=1`;
        const answer = await ask(http, target, { method: route.method, headers: HEADERS, ...body });
        expect(answer.status, `${route.method} ${target}`).toBe(400);
        expect(problemIn(answer).errors, target).toContainEqual(expect.objectContaining({ field }));
      }
    }
  });
});

describe("a URL", () => {
  const ODD_IDS = [
    "1",
    "constructor",
    "__proto__",
    "toString",
    `${ID}x`,
    ID.toUpperCase().replaceAll("-", ""),
    "' or 1=1 --",
    "{}",
    "é",
    "a".repeat(3_000),
  ];

  it.each(["", "/file"])("of a recording%s with an odd id is refused or not found", async (end) => {
    for (const id of ODD_IDS) {
      const answer = await ask(http, `/api/v1/recordings/${encodeURIComponent(id)}${end}`);
      expect(problemIn(answer), id.slice(0, 50)).toMatchObject({ status: 400, errors: [{ field: "id" }] });
    }
    const unknown = await ask(http, `/api/v1/recordings/00000000-0000-4000-8000-000000000000${end}`);
    expect(problemIn(unknown).status).toBe(404);
  });

  it("that climbs, hides a slash or cannot be decoded is refused, however it is written", async () => {
    for (const target of [
      "/api/v1/paths/../../etc/passwd",
      "/api/v1/paths/%2e%2e/%2e%2e/etc/passwd",
      "/api/v1/paths/..%2f..%2fetc%2fpasswd",
      "/api/v1/paths/site%2fgate",
      "/api/v1/paths/site%5cgate",
      "/api/v1/paths/cam1%00",
      "/api/v1/paths/%zz",
      "/api/v1/paths/%c0%ae%c0%ae/x",
      "/api/v1/paths/%252e%252e",
      "/api/v1/paths/site//gate",
      "/api/v1/paths/./cam1",
      "/api/v1/recordings/%2e%2e",
      "/api/v1/recordings/..%2f..%2fx/file",
      "/..%2f..%2fetc/passwd",
      "/assets/..%2fmanifest.json",
      "/api/docs/../../package.json",
    ]) {
      for (const method of ["GET", "DELETE"]) {
        expect(problemIn(await ask(http, target, { method })).status, `${method} ${target}`).toBe(400);
      }
    }
  });

  it("of a path that does not exist is not found, also for the names of an object's own parts", async () => {
    for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty", "no/such", "all_others"]) {
      for (const method of ["GET", "DELETE", "PATCH"]) {
        const body = method === "PATCH" ? { body: { record: true } } : {};
        for (const target of [`/api/v1/paths/${name}`, `/api/v1/paths?path=${name}`]) {
          expect(problemIn(await ask(http, target, { method, ...body })).status, `${method} ${target}`).toBe(404);
        }
      }
    }
  });

  it("that nothing is at is not found, and one for other methods says which", async () => {
    for (const target of ["/nothing", "/api/v1", "/api/v2/recordings", "/.git/config", "/package.json", "/data"]) {
      expect(problemIn(await ask(http, target)).status, target).toBe(404);
    }
    for (const route of http.routes) {
      const here = http.routes.filter(({ path }) => path === route.path).map(({ method }) => method);
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]) {
        if (here.some((known) => known === method)) continue;
        const answer = await ask(http, urlOf(route), { method, body: {} });
        expect(problemIn(answer).status, `${method} ${route.path}`).toBe(405);
        const allowed = (answer.headers.allow ?? "").split(", ");
        expect(allowed.filter((known) => known !== "HEAD").sort(), route.path).toEqual([...here].sort());
        expect(allowed.includes("HEAD")).toBe(here.includes("GET"));
      }
    }
  });

  it("that is too long, or with headers that are too long, is refused by the server itself", async () => {
    expect((await ask(http, `/api/v1/recordings?path=${"a".repeat(20_000)}`)).status).toBe(431);
    expect((await ask(http, "/health", { headers: { "x-long": "a".repeat(20_000) } })).status).toBe(431);
  });
});
