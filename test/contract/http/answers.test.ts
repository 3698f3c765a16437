/** Real answers of every route, held against the schemas that the route promises; no field more, no field less. */
import { createHash } from "node:crypto";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";

import { urlSecretOf } from "../../../src/access/caller.js";
import { insertExport } from "../../../src/catalog/exports.js";
import { insertPathEvent } from "../../../src/catalog/path-events.js";
import { recordRejectedFile } from "../../../src/catalog/rejected-files.js";
import { insertShare } from "../../../src/catalog/shares.js";
import { problemSchema } from "../../../src/contract/operation.js";
import { formatRfc3339, parseRfc3339 } from "../../../src/core/instant.js";
import { parsePathName } from "../../../src/core/path-name.js";
import type { Route } from "../../../src/http/route.js";
import { addFootage, fixtureFootage } from "../../support/footage.js";
import { ask, type Ask } from "../../support/http-ask.js";
import { finishExport } from "../../support/http-exports.js";
import { addThumbnail, jpegOf } from "../../support/http-thumbnails.js";
import { addFixture } from "../../support/http-footage.js";
import { HOOK_SECRET, type HttpHarness, MEDIAMTX_API, startHttp } from "../../support/http-harness.js";
import { addFile, addRow, at } from "../../support/http-rows.js";
import { fixture } from "../../unit/media/fixtures.js";

const NAME = parsePathName("site/gate");
const SEGMENT = { secret: HOOK_SECRET, path: "cam9", segmentPath: "/recordings/cam9/2026-11-20/1795132800-000000.mp4" };
const ID = "0190a000-0000-7000-8000-000000000001";
const FILM_ID = "0190a000-0000-7000-8000-000000000002";
const EXPORT_ID = "0190a000-0000-7000-8000-000000000004";
const SHARE_ID = "0190a000-0000-7000-8000-000000000005";
const SHARE_TOKEN = "t".repeat(43);
const STREAM_ID = "0190a000-0000-7000-8000-000000000003";
const FILM = "path=cam-with-film&from=2026-11-20T17:04:43Z&to=2026-11-20T17:04:47Z";
const PATH = {
  source: "rtsp://u:p4ss@10.0.0.7/1?token=abc",
  sourceFingerprint: "ab".repeat(32),
  sourceOnDemand: true,
  sourceOnDemandStartTimeout: "10s",
  sourceOnDemandCloseAfter: "1m",
  maxReaders: 0,
  useAbsoluteTimestamp: false,
  record: true,
  recordFormat: "fmp4",
  recordPartDuration: "1s",
  recordMaxPartSize: "50M",
  recordSegmentDuration: "1h",
  rtspTransport: "tcp",
  overridePublisher: true,
  enabled: false,
  archive: "none",
  localRetention: "1d",
  archiveRetention: "90d",
  labels: ["gate"],
};

let http: HttpHarness;

beforeAll(async () => {
  http = await startHttp({ publicUrl: "https://media.example", transcodingMost: 1 });
  await addFile(http, 1, {
    content: Buffer.from("media"),
    archived: true,
    changes: {
      id: ID as never,
      path: NAME,
      position: { streamId: "0a5c1b1e-0000-4000-8000-00000000000a", segmentNumber: 7 },
      gapBeforeUs: 1_500_000,
      tracks: [
        { kind: "video", id: 1, codec: "hvc1.1.6", timescale: 90_000, widthPx: 320, heightPx: 180, frameRate: 24.97 },
        { kind: "audio", id: 2, codec: "mp4a.40.2", timescale: 48_000, sampleRateHz: 48_000, channels: 2 },
        { kind: "other", id: 3, codec: "klv", timescale: 1_000 },
      ],
    },
  });
  const film = { path: parsePathName("cam-with-film"), id: FILM_ID as never };
  const filmed = await addFixture(http, fixture("v1.20.1/h264-aac"), { changes: film });
  await addThumbnail(http, filmed, { atUs: parseRfc3339("2026-11-20T17:04:45Z"), jpeg: await jpegOf("red") });
  const stream = { path: parsePathName("cam-with-ts"), id: STREAM_ID as never };
  await addFixture(http, fixture("v1.20.1/mpegts"), { changes: stream });
  await addRow(http.catalog, 9, { step: "archive", error: "put: 503", attempts: 2, local: "present" });
  await addRow(http.catalog, 13, { startUs: at(13.5), endUs: at(13.5), mediaDurationUs: null, format: "mpegts" });
  await addFootage(http, fixtureFootage("v1.20.1/h264-aac"), { path: "cam8" });
  await recordRejectedFile(http.catalog, { filePath: "cam1/notes.mp4", reason: "a link", bytes: 7 });
  await insertPathEvent(http.catalog, { path: NAME, kind: "ready", atUs: at(3), sourceType: null, sourceId: null });
  await addExport();
  await addShare();
  http.scanner.state = { ...http.scanner.state, startedAtUs: at(1), finishedAtUs: at(2), error: "read: EIO" };
  http.stops.list = [{ doubt: "volume", sinceUs: at(4), message: "another disk", evidence: null }];
  http.health.scan = () => ({ error: "read: EIO", doubted: 0, finished: true });
  http.mediamtx.live = () => Promise.resolve(new Map([[NAME, { online: true, source: "rtspSession" }]]));
});
afterAll(() => http.close());

async function addExport(): Promise<void> {
  const request = { fromUs: at(0), toUs: at(60), format: "mp4", gaps: "keep", keepUs: 3_600_000_000 } as const;
  const { id } = await insertExport(http.catalog, { path: NAME, ...request });
  await finishExport(http, id);
  await http.catalog.db("exports").where({ id }).update({ id: EXPORT_ID });
}

async function addShare(): Promise<void> {
  const tokenHash = createHash("sha256").update(SHARE_TOKEN).digest("hex");
  const range = { fromUs: at(0), toUs: at(60), expiresAtUs: at(90_000) };
  const actor = { kind: "user", id: "u", name: "anna", address: null } as const;
  const { id } = await insertShare(http.catalog, { path: NAME, label: "for the police", tokenHash, ...range }, actor);
  await http.catalog.db("shares").where({ id }).update({ id: SHARE_ID });
}

const MEDIAMTX_AUTH = `/mediamtx/auth/${urlSecretOf(HOOK_SECRET)}`;
const RANGE = "from=2026-11-20T17:04:44Z&to=2026-11-20T17:04:50Z";

/** In order: later ones find what earlier ones made. */
const REQUESTS: readonly (readonly [route: string, target: string, body?: unknown])[] = [
  ["POST /api/v1/paths", "/api/v1/paths", { name: NAME, ...PATH }],
  ["POST /api/v1/paths", "/api/v1/paths", { name: "cam1" }],
  ["GET /api/v1/paths", "/api/v1/paths"],
  ["GET /api/v1/paths", `/api/v1/paths?path=${NAME}`],
  ["GET /api/v1/paths/{name+}", `/api/v1/paths/${NAME}`],
  ["PATCH /api/v1/paths/{name+}", `/api/v1/paths/${NAME}`, { maxReaders: 3 }],
  ["PATCH /api/v1/paths", `/api/v1/paths?path=${NAME}`, { labels: [] }],
  ["POST /api/v1/publish-credentials", "/api/v1/publish-credentials", { path: NAME }],
  ["POST /api/v1/publish-credentials", "/api/v1/publish-credentials", { path: NAME, password: "of-the-camera" }],
  ["GET /api/v1/publish-credentials", "/api/v1/publish-credentials"],
  ["DELETE /api/v1/publish-credentials", `/api/v1/publish-credentials?path=${NAME}`],
  ["GET /api/v1/config", "/api/v1/config"],
  [
    "POST /api/v1/config/preview",
    "/api/v1/config/preview",
    { changes: [{ action: "update", name: NAME, settings: { maxReaders: 4 } }] },
  ],
  ["POST /api/v1/config/preview", "/api/v1/config/preview", { rollbackTo: 1 }],
  ["GET /api/v1/config/history", "/api/v1/config/history"],
  ["GET /api/v1/config/paths", "/api/v1/config/paths?format=csv"],
  ["POST /api/v1/config/paths", "/api/v1/config/paths", { format: "csv", text: "name\nimported\n" }],
  ["POST /api/v1/config/bulk", "/api/v1/config/bulk", { names: ["imported"], patch: { maxReaders: 2 } }],
  ["POST /api/v1/config/adopt", "/api/v1/config/adopt", { yaml: "paths: { adopted: { runOnInit: x, record: yes } }" }],
  ["GET /api/v1/config/drift", "/api/v1/config/drift"],
  ["POST /api/v1/config/drift/resolve", "/api/v1/config/drift/resolve", {}],
  ["GET /api/v1/config/history/{version}", "/api/v1/config/history/1"],
  ["DELETE /api/v1/paths", "/api/v1/paths?path=cam1"],
  ["DELETE /api/v1/paths/{name+}", `/api/v1/paths/${NAME}`],
  ["GET /api/v1/recordings", "/api/v1/recordings"],
  ["GET /api/v1/recordings", "/api/v1/recordings?limit=1&total=true"],
  ["GET /api/v1/recordings", "/api/v1/recordings?path=nobody"],
  ["GET /api/v1/recordings/{id}", `/api/v1/recordings/${ID}`],
  ["GET /api/v1/timeline", `/api/v1/timeline?${FILM}`],
  ["GET /api/v1/timeline", `/api/v1/timeline?${FILM}&resolution=1`],
  ["GET /api/v1/days", "/api/v1/days?path=cam-with-film&month=2026-11&zone=Europe/Berlin"],
  ["GET /api/v1/playlist.m3u8", `/api/v1/playlist.m3u8?${FILM}`],
  ["GET /api/v1/recordings/{id}/media.mp4", `/api/v1/recordings/${FILM_ID}/media.mp4`],
  ["GET /api/v1/recordings/{id}/media.ts", `/api/v1/recordings/${STREAM_ID}/media.ts`],
  ["GET /api/v1/recordings/{id}/transcoded.ts", `/api/v1/recordings/${FILM_ID}/transcoded.ts?${RANGE}`],
  ["GET /playback/list", "/playback/list?path=cam-with-film"],
  ["GET /playback/get", "/playback/get?path=cam-with-film&start=2026-11-20T17:04:44Z&duration=1"],
  ["GET /api/v1/thumbnail.jpg", "/api/v1/thumbnail.jpg?path=cam-with-film"],
  ["GET /api/v1/sprite.vtt", `/api/v1/sprite.vtt?path=cam-with-film&${RANGE}`],
  ["GET /api/v1/sprite.jpg", `/api/v1/sprite.jpg?path=cam-with-film&${RANGE}`],
  ["GET /api/v1/recordings/{id}/file", `/api/v1/recordings/${ID}/file`],
  ["GET /api/v1/clip.mp4", `/api/v1/clip.mp4?path=cam8&${RANGE}`],
  ["GET /api/v1/clip.mp4", `/api/v1/clip.mp4?path=cam8&${RANGE}&format=fmp4`],
  [
    "POST /api/v1/exports",
    "/api/v1/exports",
    { path: "cam8", from: "2026-11-20T17:04:44Z", to: "2026-11-20T17:04:50Z" },
  ],
  ["GET /api/v1/exports", "/api/v1/exports"],
  ["GET /api/v1/exports/{id}", `/api/v1/exports/${EXPORT_ID}`],
  ["GET /api/v1/exports/{id}/file", `/api/v1/exports/${EXPORT_ID}/file`],
  ["DELETE /api/v1/exports/{id}", `/api/v1/exports/${EXPORT_ID}`],
  [
    "POST /api/v1/shares",
    "/api/v1/shares",
    { path: "cam8", from: "2026-11-20T17:04:44Z", to: "2026-11-20T17:04:50Z", expiresAt: formatRfc3339(at(90_000)) },
  ],
  ["GET /api/v1/shares", "/api/v1/shares"],
  ["GET /share/{token}/links", `/share/${SHARE_TOKEN}/links`],
  ["DELETE /api/v1/shares/{id}", `/api/v1/shares/${SHARE_ID}`],
  ["POST /api/v1/signed-urls", "/api/v1/signed-urls", { url: `/api/v1/clip.mp4?path=cam8&${RANGE}` }],
  ["GET /api/v1/config/settings", "/api/v1/config/settings"],
  ["GET /api/v1/config/templates", "/api/v1/config/templates"],
  ["GET /api/v1/archive", "/api/v1/archive"],
  ["GET /api/v1/rejected-files", "/api/v1/rejected-files"],
  ["GET /api/v1/deletions", "/api/v1/deletions"],
  ["POST /api/v1/deletions/resume", "/api/v1/deletions/resume", { doubts: ["volume"] }],
  ["GET /api/v1/scan", "/api/v1/scan"],
  ["POST /api/v1/scan", "/api/v1/scan"],
  ["GET /health", "/health"],
  ["GET /ready", "/ready"],
  ["GET /api/v1/health/details", "/api/v1/health/details"],
  ["GET /metrics", "/metrics"],
  ["POST /hooks/segment-create", "/hooks/segment-create", SEGMENT],
  ["POST /hooks/segment-complete", "/hooks/segment-complete", SEGMENT],
  ["POST /hooks/ready", "/hooks/ready", { secret: HOOK_SECRET, path: "cam9" }],
  ["POST /hooks/not-ready", "/hooks/not-ready", { secret: HOOK_SECRET, path: "cam9" }],
  ["POST /mediamtx/auth/{secret}", MEDIAMTX_AUTH, { action: "api", ...MEDIAMTX_API }],
  ["GET /.well-known/jwks.json", "/.well-known/jwks.json"],
  ["GET /api/v1/openapi.json", "/api/v1/openapi.json"],
  ["DELETE /api/v1/recordings/{id}", `/api/v1/recordings/${ID}`],
  ["POST /api/v1/config/rollback", "/api/v1/config/rollback", { version: 1 }],
];

const keyOf = ({ method, path }: Route): string => `${method} ${path}`;

describe("every route", () => {
  it("has a request here, pages aside", () => {
    const asked = new Set(REQUESTS.map(([route]) => route));
    // Those of users want somebody who has logged in: test/contract/http/login.test.ts.
    const elsewhere = ["pages", "login", "users"];
    const missing = http.routes
      .filter((route) => !asked.has(keyOf(route)) && !elsewhere.includes(route.tag))
      .map(keyOf)
      // Nor is it for this machine as such: test/contract/http/mediamtx-auth.test.ts.
      .filter((key) => key !== "POST /api/v1/stream-tokens");
    expect(missing).toEqual([]);
  });

  it("answers what it promises, and nothing besides", async () => {
    for (const [key, target, body] of REQUESTS) {
      const route = http.routes.find((candidate) => keyOf(candidate) === key);
      const options: Ask = { method: key.split(" ")[0] ?? "", ...(body === undefined ? {} : { body }) };
      const answer = await ask(http, target, options);
      const promised = route?.responses[answer.status];
      expect(answer.status, `${key} ${answer.text.slice(0, 300)}`).toBeLessThan(300);
      expect(promised, `${key} does not promise ${answer.status}`).toBeDefined();
      const type = answer.headers["content-type"];
      if (answer.status === 204) {
        expect([type, answer.text], key).toEqual([undefined, ""]);
        continue;
      }
      if (promised?.schema === undefined) {
        const [mediaType = "nothing"] = [promised?.mediaType ?? []].flat();
        expect(type, key).toMatch(new RegExp(`^${mediaType}`));
        continue;
      }
      expect(type, key).toBe("application/json; charset=utf-8");
      // A parse drops what the schema does not know, so equality means that there was nothing of the kind.
      expect(promised.schema.parse(answer.json()), key).toStrictEqual(answer.json());
    }
  });

  it("fails as a problem document", async () => {
    for (const target of ["/nothing", "/api/v1/recordings?limit=x", `/api/v1/recordings/${ID}x`, "/api/v1/paths/no"]) {
      const { json } = await ask(http, target);
      expect(problemSchema.parse(json())).toStrictEqual(json());
    }
    const post = await ask(http, "/health", { method: "POST" });
    expect(problemSchema.parse(post.json())).toStrictEqual(post.json());
  });
});

const TYPES = new Set(["object", "array", "string", "number", "integer", "boolean", "null"]);

/** What JSON Schema 2020-12 asks of the keywords that we use; throws at an unknown one. */
const KEYWORDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  type: (value) => [value].flat().every((type) => TYPES.has(type as string)),
  properties: (value) => typeof value === "object" && value !== null && Object.values(value).every(isSchema),
  required: (value) => Array.isArray(value) && value.every((name) => typeof name === "string"),
  additionalProperties: isSchema,
  propertyNames: isSchema,
  items: isSchema,
  anyOf: (value) => Array.isArray(value) && value.length > 0 && value.every(isSchema),
  allOf: (value) => Array.isArray(value) && value.length > 0 && value.every(isSchema),
  oneOf: (value) => Array.isArray(value) && value.length > 0 && value.every(isSchema),
  not: isSchema,
  enum: (value) => Array.isArray(value) && value.length > 0 && new Set(value).size === value.length,
  const: () => true,
  default: () => true,
  examples: Array.isArray,
  description: (value) => typeof value === "string" && value !== "",
  format: (value) => typeof value === "string",
  pattern: (value) => new RegExp(value as string, "u").source !== "",
  minLength: isCount,
  maxLength: isCount,
  minItems: isCount,
  maxItems: isCount,
  minimum: (value) => typeof value === "number",
  maximum: (value) => typeof value === "number",
  id: (value) => typeof value === "string",
  $ref: (value) => typeof value === "string" && value.startsWith("#/components/schemas/"),
};

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0;
}

function isSchema(schema: unknown): boolean {
  if (typeof schema === "boolean") return true;
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return false;
  const { properties = {}, required = [] } = schema as { properties?: object; required?: string[] };
  for (const name of required) if (!Object.hasOwn(properties, name)) throw new Error(`requires unknown "${name}"`);
  for (const [keyword, value] of Object.entries(schema)) {
    const check = KEYWORDS[keyword];
    if (check === undefined) throw new Error(`the keyword "${keyword}" is not of JSON Schema`);
    if (!check(value)) throw new Error(`${keyword}: ${JSON.stringify(value)}`);
  }
  return true;
}

describe("the schemas of the document", () => {
  it("are well-formed JSON Schema 2020-12", async () => {
    const document = z
      .object({ components: z.object({ schemas: z.record(z.string(), z.unknown()) }) })
      .parse((await ask(http, "/api/v1/openapi.json")).json());
    const named = Object.values(document.components.schemas);
    const inline: unknown[] = [];
    const collect = (node: unknown): void => {
      if (typeof node !== "object" || node === null) return;
      for (const [key, value] of Object.entries(node)) {
        if (key === "schema") inline.push(value);
        else collect(value);
      }
    };
    collect((await ask(http, "/api/v1/openapi.json")).json());
    expect(named.length).toBeGreaterThan(5);
    expect(inline.length).toBeGreaterThan(40);
    for (const schema of [...named, ...inline]) expect(isSchema(schema)).toBe(true);
  });
});
