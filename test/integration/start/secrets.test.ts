/**
 * Secrets that people give are told to nobody: not by log, answers, metrics, exports, process arguments, the environment
 * of MediaMTX's hooks, the database or its backup; in no form that they may take. Those that we make:
 * issued-secrets.test.ts.
 */
import { readFile, stat } from "node:fs/promises";
import path from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { type App, startApp } from "../../support/app.js";
import { startCamera } from "../../support/camera.js";
import { findSecrets, formsOf } from "../../support/secret-forms.js";
import { backupIn, textOf, watchArguments } from "../../support/secret-places.js";
import { tempDir } from "../../support/temp-dir.js";
import { startS3Server } from "../../support/versitygw.js";
import { waitFor } from "../../support/wait-for.js";
import { runCommand } from "./command.js";

const CANARIES = {
  HOOK_SECRET: "canary-hook-secret-0123456789",
  ADMIN_TOKEN: "canary-admin-token-0123456789",
  ADMIN_PASSWORD: "canary-admin-password-0123456789",
  MEDIAMTX_API_PASSWORD: "canary-api-password-0123456789",
};
const DATABASE_URL = "postgres://reelkeeper:canary-of%2Fthe-database@127.0.0.1:9/none";
const DATABASE_SECRETS = {
  "password of the database": "canary-of/the-database",
  "as in the URL": "canary-of%2Fthe-database",
};
/** Of cameras: as people type them, and where cameras want them. */
const CAMERA_SECRETS = {
  "camera password": "canary-camera+pass=word",
  "later password": "canary-later-password",
  "refused password": "canary-refused-password",
  "query token": "canary-query-token",
  "password in the path": "canary-in-the-path",
  "SRT passphrase of readers": "canary 'read' passphrase",
  "SRT passphrase of publishers": "canary-publish-passphrase",
  "refused passphrase": "canary-é-refused-passphrase",
  "WHEP token": "canary-whep-bearer-token",
};
const [READ, PUBLISH, BAD] = [
  CAMERA_SECRETS["SRT passphrase of readers"],
  CAMERA_SECRETS["SRT passphrase of publishers"],
  CAMERA_SECRETS["refused passphrase"],
];
const SOURCE = `rtsp://admin:${CAMERA_SECRETS["camera password"]}@192.0.2.10:9/stream?token=${CAMERA_SECRETS["query token"]}`;
const LATER = SOURCE.replace(CAMERA_SECRETS["camera password"], CAMERA_SECRETS["later password"]);
const IN_PATH = `rtsp://192.0.2.10:9/user=admin_password=${CAMERA_SECRETS["password in the path"]}_channel=1.sdp`;
const ASKED = [
  ...["/health", "/ready", "/metrics", "/", "/api/docs"],
  ...[
    ...["recordings", "archive", "paths", "paths/secret-cam", "paths?path=secret-cam", "rejected-files"],
    ...["health/details", "openapi.json", "config", "config/history", "config/history/1", "config/history/2"],
    ...["paths/srt-cam", "paths/whep-cam", "config/history/3", "config/history/5", "config/drift"],
    ...["config/paths?format=csv", "config/paths?format=yaml", "config/settings", "config/templates"],
    ...["audit", "audit?action=path", "users", "me", "login/options"],
  ].map((name) => `/api/v1/${name}`),
  ...["/api/v1/nowhere", "/api/v1/recordings?limit=x", "/api/v1/recordings/not-an-id"],
];
const REFUSED = SOURCE.replace(CAMERA_SECRETS["camera password"], CAMERA_SECRETS["refused password"]);
/** Of these some are refused. */
const SENT: readonly (readonly [string, string, unknown])[] = [
  ["PATCH", "/api/v1/paths/secret-cam", { source: LATER }],
  ["PATCH", "/api/v1/paths/secret-cam", { source: `${REFUSED} x`, maxReaders: -1 }],
  ["PATCH", "/api/v1/paths/absent", { source: REFUSED }],
  ["POST", "/api/v1/paths", { name: "secret-cam", source: REFUSED }],
  ["POST", "/api/v1/paths", { name: REFUSED }],
  ["POST", "/api/v1/paths", { name: "cam9", [REFUSED]: REFUSED }],
  ["POST", "/api/v1/config/preview", { changes: [{ action: "create", name: "cam9", settings: { source: REFUSED } }] }],
  ["POST", "/api/v1/config/preview", { changes: [{ action: "update", name: "cam9", settings: { source: REFUSED } }] }],
  ["POST", "/api/v1/config/bulk", { names: ["secret-cam"], patch: { source: REFUSED }, dryRun: true }],
  [
    "POST",
    "/api/v1/config/paths",
    { format: "csv", mode: "merge", text: `name,source\ncam9,${REFUSED} x`, dryRun: true },
  ],
  [
    "POST",
    "/api/v1/config/paths",
    { format: "yaml", mode: "merge", text: `paths: {cam9: {source: "${REFUSED}"`, dryRun: true },
  ],
  ["PATCH", "/api/v1/paths/srt-cam", { srtReadPassphrase: BAD, whepBearerToken: BAD }],
  ["PATCH", "/api/v1/paths/srt-cam", { source: SOURCE, srtPublishPassphrase: PUBLISH }],
  ["PATCH", "/api/v1/paths/srt-cam", { srtReadPassphrase: `${READ}, later`, srtPublishPassphrase: "***" }],
  ["POST", "/api/v1/config/preview", { changes: [{ action: "update", name: "srt-cam", settings: { maxReaders: 7 } }] }],
  [
    "POST",
    "/api/v1/config/paths",
    { format: "csv", mode: "merge", text: `name,srtReadPassphrase\ncam9,${BAD}`, dryRun: true },
  ],
  [
    "POST",
    "/api/v1/config/adopt",
    { yaml: `paths: {cam9: {srtReadPassphrase: "${READ}"}}\n# srtReadPassphrase: ${READ}` },
  ],
  ["POST", "/api/v1/config/adopt", { yaml: `pathDefaults: {srtReadPassphrase: "${READ}"}\n# rtsp://u:${BAD}@h/` }],
  ["POST", "/api/v1/config/adopt", { yaml: `paths: {cam9: {srtReadPassphrase: ["${READ}"` }],
  ["POST", "/api/v1/config/rollback", { version: 99 }],
  ["POST", "/api/v1/login", { name: "admin", password: CANARIES.ADMIN_PASSWORD }],
  ["POST", "/api/v1/login", { name: "admin", password: `${CANARIES.ADMIN_PASSWORD}x` }],
  ["POST", "/api/v1/login", { name: CANARIES.ADMIN_PASSWORD, password: "x" }],
];

async function answers(app: App): Promise<string> {
  const texts: string[] = [];
  const tell = async (target: string, response: Response) => texts.push(`${target} ${await textOf(response)}`);
  for (const token of [CANARIES.ADMIN_TOKEN, "not-the-admin-token"]) {
    const headers = { authorization: `Bearer ${token}` };
    for (const target of ASKED) await tell(target, await fetch(app.url + target, { headers }));
    for (const [method, target, body] of SENT) {
      const sent = { method, headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(body) };
      await tell(`${method} ${target}`, await fetch(app.url + target, sent));
    }
  }
  for (const secret of ["wrong", CANARIES.HOOK_SECRET]) {
    const body = new URLSearchParams({ secret, path: "cam1", segmentPath: "/elsewhere/x.mp4" });
    await tell("the hook", await fetch(`${app.url}/hooks/segment-complete`, { method: "POST", body }));
  }
  return texts.join("\n");
}

it("keeps every secret out of whatever leaves the process or is kept, at level debug and when things fail", async () => {
  const directory = await tempDir();
  const server = await startS3Server({ directory: await tempDir() });
  onTestFinished(() => server.stop());
  const env = { ...CANARIES, LOG_LEVEL: "debug", LOGIN: "required", COOKIE_SECURE: "false" };
  const app = await startApp({ directory, store: { server }, env });
  onTestFinished(() => app.close());
  const secrets = { ...CANARIES, ...CAMERA_SECRETS, ...DATABASE_SECRETS, R2_SECRET_ACCESS_KEY: server.secretAccessKey };
  const seenArguments = watchArguments(directory);
  const headers = { "content-type": "application/json", authorization: `Bearer ${CANARIES.ADMIN_TOKEN}` };
  for (const settings of [
    { name: "secret-cam", source: SOURCE },
    { name: "path-cam", source: IN_PATH },
    { name: "srt-cam", srtReadPassphrase: READ, srtPublishPassphrase: PUBLISH },
    { name: "whep-cam", source: "whep://192.0.2.10/cam", whepBearerToken: CAMERA_SECRETS["WHEP token"] },
    { name: "cam1", record: true, recordSegmentDuration: "1s" },
  ]) {
    const body = JSON.stringify(settings);
    const response = await fetch(`${app.url}/api/v1/paths`, { method: "POST", headers, body });
    expect(response.status).toBe(201);
  }
  await waitFor("MediaMTX to run with it", async () => {
    const response = await fetch(`${app.url}/api/v1/paths/cam1`, { headers });
    return ((await response.json()) as { config: { applied: boolean } }).config.applied;
  });
  const camera = await startCamera({ url: app.rtspUrl("cam1"), gopSec: 1 });
  await waitFor(
    "hooks to run and a segment to be proven",
    async () => {
      const response = await fetch(`${app.url}/api/v1/recordings?state=verified`, { headers });
      return ((await response.json()) as { items: unknown[] }).items.length > 2;
    },
    { timeoutMs: 30_000 },
  );
  const told = await answers(app);
  const commands = [["backup"], ["config", "render"], ["config", "diff"], ["rotate-secrets"], ["backup"]];
  const printed: string[] = [];
  for (const [args, changes] of [
    ...commands.map((one) => [one, {}] as const),
    // Where nobody answers.
    [["user", "list"], { DATABASE_URL }] as const,
  ]) {
    const { code, stdout, stderr, log } = await runCommand(app.installed, args, changes);
    printed.push(`${args.join(" ")}: ${String(code)}\n${stdout}${stderr}\n${log}`);
  }
  const backup = await backupIn(server.bucketDir);
  await camera.stop();
  await server.stop();
  const failed = await answers(app);
  const configFile = path.join(app.dataDir, "mediamtx", "mediamtx.yml");
  const config = await readFile(configFile, "utf8");
  expect((await stat(configFile)).mode & 0o777).toBe(0o600);
  expect(await app.stop()).toBe(0);
  const places = {
    log: app.output(),
    answers: told + failed,
    commands: printed.join("\n"),
    arguments: seenArguments(),
    "MediaMTX's hook settings": await readFile(path.join(app.dataDir, "mediamtx", "hook.env"), "utf8"),
    "MediaMTX's log": await app.mediamtxLog(),
    database: await readFile(app.databaseFile),
    backup,
  };
  expect(places.log).toContain("secret-cam");
  expect(places.arguments).toContain("hook.sh");
  expect(places.answers).toContain("rtsp://admin:***@192.0.2.10");
  expect(places.commands).toContain("user=admin_password=***_channel=1.sdp");
  expect(places.commands).toMatch(/user list: 1\n.*(?:ECONNREFUSED|127\.0\.0\.1:9)/s);
  expect(places.commands).toContain("sealed anew: 4 paths");
  expect(backup.includes("secret-cam")).toBe(true);
  expect(findSecrets(places, secrets)).toEqual([]);
  // MediaMTX itself has to know it, and the search finds what is there.
  for (const known of [LATER, PUBLISH, `${READ}, later`, CAMERA_SECRETS["WHEP token"]]) expect(config).toContain(known);
  expect(findSecrets({ config }, { later: CAMERA_SECRETS["later password"] })).toHaveLength(1);
  for (const form of formsOf("canary"))
    expect(findSecrets({ form: `..${form}..` }, { canary: "canary" })).not.toEqual([]);
});
