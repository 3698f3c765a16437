/** Secrets are told to nobody: not by log, answers, metrics, process arguments, nor the environment of MediaMTX's hooks. */
import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { type App, startApp } from "../../support/app.js";
import { startCamera } from "../../support/camera.js";
import { tempDir } from "../../support/temp-dir.js";
import { startS3Server } from "../../support/versitygw.js";
import { waitFor } from "../../support/wait-for.js";

const CANARIES = {
  HOOK_SECRET: "canary-hook-secret-0123456789",
  ADMIN_TOKEN: "canary-admin-token-0123456789",
  MEDIAMTX_API_PASSWORD: "canary-api-password-0123456789",
};
const CAMERA_PASSWORD = "canary-camera-password";
const QUERY_TOKEN = "canary-query-token";
const ASKED = [
  ...["/health", "/ready", "/metrics", "/", "/api/docs"],
  ...[
    "recordings",
    "archive",
    "paths",
    "paths?path=secret-cam",
    "rejected-files",
    "health/details",
    "openapi.json",
  ].map((name) => `/api/v1/${name}`),
  ...["/api/v1/nowhere", "/api/v1/recordings?limit=x", "/api/v1/recordings/not-an-id"],
];

/** The arguments of every process on this machine that is of this app, by its directory. */
function commandLines(directory: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
      } catch {
        return "";
      }
    })
    .filter((line) => line.includes(directory) || line.includes("hook"));
}

async function answers(app: App): Promise<string> {
  const texts: string[] = [];
  for (const token of [CANARIES.ADMIN_TOKEN, "not-the-admin-token"]) {
    for (const target of ASKED) {
      const response = await fetch(app.url + target, { headers: { authorization: `Bearer ${token}` } });
      texts.push(`${target}\n${[...response.headers].join("\n")}\n${await response.text()}`);
    }
  }
  for (const secret of ["wrong", CANARIES.HOOK_SECRET]) {
    const body = new URLSearchParams({ secret, path: "cam1", segmentPath: "/elsewhere/x.mp4" });
    const response = await fetch(`${app.url}/hooks/segment-complete`, { method: "POST", body });
    texts.push(await response.text());
  }
  return texts.join("\n");
}

it("keeps every secret out of log, answers, metrics and process arguments, at level debug and when things fail", async () => {
  const directory = await tempDir();
  const server = await startS3Server({ directory: await tempDir() });
  onTestFinished(() => server.stop());
  const app = await startApp({ directory, store: { server }, env: { ...CANARIES, LOG_LEVEL: "debug" } });
  onTestFinished(() => app.close());
  const secrets = [...Object.values(CANARIES), CAMERA_PASSWORD, QUERY_TOKEN, server.secretAccessKey];
  const seenArguments = new Set<string>();
  const watch = setInterval(() => {
    for (const line of commandLines(directory)) seenArguments.add(line);
  }, 5);
  onTestFinished(() => clearInterval(watch));
  const headers = { "content-type": "application/json", authorization: `Bearer ${CANARIES.ADMIN_TOKEN}` };
  const source = `rtsp://admin:${CAMERA_PASSWORD}@127.0.0.1:9/stream?token=${QUERY_TOKEN}`;
  for (const settings of [
    { name: "secret-cam", source },
    { name: "cam1", record: true, recordSegmentDuration: "1s" },
  ]) {
    const response = await fetch(`${app.url}/api/v1/paths`, {
      method: "POST",
      headers,
      body: JSON.stringify(settings),
    });
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
  await camera.stop();
  await server.stop();
  const failed = await answers(app);
  expect(await app.stop()).toBe(0);
  clearInterval(watch);
  const places = {
    log: app.output(),
    answers: told + failed,
    arguments: [...seenArguments].join("\n"),
    "MediaMTX's hook settings": await readFile(path.join(app.dataDir, "mediamtx", "hook.env"), "utf8"),
  };
  expect(places.log).toContain("secret-cam");
  expect(places.arguments).toContain("hook.sh");
  expect(places.answers).toContain("rtsp://admin:***@127.0.0.1");
  for (const [place, text] of Object.entries(places)) {
    for (const secret of secrets) {
      const at = text.indexOf(secret);
      expect(at < 0 ? "" : `${place}: …${text.slice(Math.max(0, at - 200), at + secret.length)}…`).toBe("");
    }
  }
});
