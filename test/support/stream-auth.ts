/** An app whose MediaMTX asks it who may, users and cameras of it, and what MediaMTX says to whoever comes. */
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { onTestFinished } from "vitest";

import { App } from "./app.js";
import { installApp } from "./app-setup.js";
import { type Child, startChild } from "./child.js";
import { freePorts } from "./free-port.js";
import { startMediaMtx } from "./mediamtx-server.js";
import { createTempDir, removeTempDir } from "./temp-dir.js";
import type { TestedMediaMtxVersion } from "./tools.js";
import { waitFor } from "./wait-for.js";

export const ADMIN_PASSWORD = "password-of-the-admin";
export const PASSWORD = "password-of-the-viewers";

interface Session {
  readonly id: string;
  readonly path: string;
  readonly user: string;
}

export interface StreamAuthScene {
  readonly app: App;
  /** As the admin; throws unless the answer is of 2xx. */
  readonly api: <T>(method: string, target: string, body?: unknown) => Promise<T>;
  /** Its id. */
  readonly addViewer: (name: string, paths: readonly string[]) => Promise<string>;
  readonly login: (name: string, password: string) => Promise<string>;
  /** Of somebody who has logged in. */
  readonly tokenFor: (accessToken: string, paths: readonly string[]) => Promise<{ id: string; token: string }>;
  /** For RTSP; `as`: `user:password`, `query`: with its question mark. */
  readonly rtspUrl: (pathName: string, as?: string, query?: string) => string;
  /** ffmpeg that reads until it is stopped or cut off; ended with the test. */
  readonly read: (url: string) => Promise<Child>;
  /** Ended with the test. */
  readonly publish: (url: string) => Promise<Child>;
  readonly hlsUrl: (pathName: string, query?: string) => string;
  readonly whepUrl: (pathName: string, query?: string) => string;
  readonly playbackUrl: (pathName: string) => string;
  /** The password of Reelkeeper's own user there, as it lies in its data directory. */
  readonly apiPassword: () => Promise<string>;
  /** For somebody who has logged in, where MediaMTX checks tokens. */
  readonly streamToken: (accessToken: string, pathName: string, action: "read" | "playback") => Promise<string>;
  /** Where MediaMTX asks us: as Reelkeeper asks. */
  readonly sessions: (kind: string) => Promise<readonly Session[]>;
}

export interface StreamAuthOptions {
  /** Default: 1.21.0. */
  readonly version?: TestedMediaMtxVersion;
  /** A MediaMTX that Reelkeeper does not start, with the configuration that it writes. */
  readonly isExternal?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

export async function streamAuthScene(
  mode: "http" | "jwt",
  { version = "1.21.0", isExternal = false, env = {} }: StreamAuthOptions = {},
): Promise<StreamAuthScene> {
  const directory = await createTempDir();
  onTestFinished(() => removeTempDir(directory));
  const [hls = 0, webrtc = 0, webrtcUdp = 0] = await freePorts(3);
  const installed = await installApp({
    directory,
    version,
    env: { LOGIN: "required", COOKIE_SECURE: "false", ADMIN_PASSWORD, MEDIAMTX_AUTH: mode, ...env },
  });
  const ours = `http://127.0.0.1:${installed.port}`;
  const external = isExternal ? { MEDIAMTX_MODE: "external", MEDIAMTX_AUTH_URL: ours } : {};
  const baseFile = path.join(directory, "base.yml");
  // At level debug MediaMTX tells every request as it came, with its token.
  const base = (await readFile(baseFile, "utf8"))
    .replace("logLevel: debug", "logLevel: info")
    .replace("hls: false", `hls: true\nhlsAddress: 127.0.0.1:${hls}\nhlsAlwaysRemux: true`)
    .replace(
      "webrtc: false",
      `webrtc: true\nwebrtcAddress: 127.0.0.1:${webrtc}\nwebrtcLocalUDPAddress: 127.0.0.1:${webrtcUdp}`,
    );
  await writeFile(baseFile, `${base}\npaths:\n  all_others:\n    record: true\n`);
  const app = new App(undefined, { ...installed, env: { ...installed.env, ...external } });
  onTestFinished(() => app.close());
  await app.start();
  if (isExternal) {
    const server = await startMediaMtx({ version, directory: path.join(app.dataDir, "mediamtx") });
    onTestFinished(() => server.stop());
  }
  return createScene(app, { hls, webrtc });
}

async function createScene(app: App, ports: { readonly hls: number; readonly webrtc: number }) {
  const ask = async <T>(token: string, method: string, target: string, body?: unknown): Promise<T> => {
    const response = await fetch(app.url + target, {
      method,
      headers: {
        ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${target} answers ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  };
  const login = async (name: string, password: string): Promise<string> =>
    (await ask<{ accessToken: string }>("", "POST", "/api/v1/login", { name, password })).accessToken;
  const admin = await login("admin", ADMIN_PASSWORD);
  const { rtsp, api, playback } = app.installed.mediamtxPorts;
  const apiPassword = async (): Promise<string> =>
    (await readFile(path.join(app.dataDir, "secrets", "mediamtx-api-password"), "utf8")).trim();
  return {
    app,
    api: <T>(method: string, target: string, body?: unknown) => ask<T>(admin, method, target, body),
    addViewer: async (name, paths) =>
      (await ask<{ id: string }>(admin, "POST", "/api/v1/users", { name, role: "viewer", paths, password: PASSWORD }))
        .id,
    login,
    tokenFor: (accessToken, paths) =>
      ask(accessToken, "POST", "/api/v1/tokens", { name: randomBytes(4).toString("hex"), role: "viewer", paths }),
    rtspUrl: (pathName, as = "", query = "") =>
      `rtsp://${as === "" ? "" : `${as}@`}127.0.0.1:${rtsp}/${pathName}${query}`,
    // By default ffmpeg gives up where five seconds of a stream do not tell what it is.
    read: (url) => runFfmpeg(["-analyzeduration", "60M", "-rtsp_transport", "tcp", "-i", url, "-f", "null", "-"]),
    publish: (url) =>
      runFfmpeg([
        ...["-re", "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=10", "-c:v", "libx264", "-preset", "ultrafast"],
        ...["-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "10", "-b:v", "100k"],
        ...["-f", "rtsp", "-rtsp_transport", "tcp", url],
      ]),
    hlsUrl: (pathName, query = "") => `http://127.0.0.1:${ports.hls}/${pathName}/index.m3u8${query}`,
    whepUrl: (pathName, query = "") => `http://127.0.0.1:${ports.webrtc}/${pathName}/whep${query}`,
    playbackUrl: (pathName) => `http://127.0.0.1:${playback}/list?path=${encodeURIComponent(pathName)}`,
    apiPassword,
    sessions: async (kind) => {
      const headers = { authorization: basic("reelkeeper", await apiPassword()) };
      const response = await fetch(`http://127.0.0.1:${api}/v3/${kind}/list`, { headers });
      return ((await response.json()) as { items: Session[] }).items;
    },
    streamToken: async (accessToken, pathName, action) =>
      (await ask<{ token: string }>(accessToken, "POST", "/api/v1/stream-tokens", { path: pathName, action })).token,
  } satisfies StreamAuthScene;
}

export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

async function runFfmpeg(args: readonly string[]): Promise<Child> {
  const quiet = ["-hide_banner", "-nostdin", "-loglevel", "error", "-stats", "-stats_period", "0.2"];
  const child = await startChild("ffmpeg", [...quiet, ...args]);
  onTestFinished(async () => {
    await child.stop("SIGKILL");
  });
  return child;
}

/** Whether frames go through it, or it has been refused. */
export function outcomeOf(child: Child): Promise<"flows" | "refused"> {
  return waitFor(
    "ffmpeg to send or receive frames, or to be refused",
    () => {
      if (/frame=\s*[1-9]/.test(child.output())) return "flows";
      if (child.process.exitCode === null) return undefined;
      if (/401|Unauthorized|authorization failed/i.test(child.output())) return "refused";
      throw new Error(`ffmpeg ended: ${child.output()}`);
    },
    { timeoutMs: 30_000, intervalMs: 50 },
  );
}

/** Resolves when MediaMTX has cut it off. */
export async function cutOff(child: Child): Promise<void> {
  await waitFor("ffmpeg to be cut off", () => child.process.exitCode !== null, { timeoutMs: 30_000, intervalMs: 50 });
}

/** The camera of these tests, in the grant of one viewer and not of another. */
export const CAM = "site-a/cam";

interface Made {
  readonly user: string;
  readonly password: string;
}

export function setCredential({ api }: StreamAuthScene, pathName: string): Promise<Made> {
  return api<Made>("POST", "/api/v1/publish-credentials", { path: pathName });
}

interface Sent {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export async function statusOf(url: string, authorization?: string, sent: Sent = { method: "GET" }): Promise<number> {
  const headers = { ...sent.headers, ...(authorization === undefined ? {} : { authorization }) };
  const response = await fetch(url, { ...sent, headers });
  await response.arrayBuffer();
  return response.status;
}

/** As a player of HLS: what the playlist names, by the session that MediaMTX gave. */
export async function hlsMediaUrl(url: string, authorization?: string): Promise<string> {
  const response = await fetch(url, { headers: authorization === undefined ? {} : { authorization } });
  const line = (await response.text()).split("\n").find((each) => each !== "" && !each.startsWith("#"));
  if (!response.ok || line === undefined) throw new Error(`HLS answers ${response.status}`);
  return new URL(line, response.url).href;
}

/** An offer to receive H.264 that no peer stands behind: enough for a session to begin. */
const WHEP_OFFER = [
  ...["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0"],
  ...["m=video 9 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0", "a=rtcp:9 IN IP4 0.0.0.0", "a=ice-ufrag:abcd"],
  ...["a=ice-pwd:abcdefghijklmnopqrstuvwx", "a=setup:actpass", "a=mid:0", "a=recvonly", "a=rtcp-mux"],
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => "AB").join(":")}`,
  ...["a=rtpmap:96 H264/90000", "a=rtcp-fb:96 nack", "a=rtcp-fb:96 nack pli"],
  ...["a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", ""],
].join("\r\n");

export const offer: Sent = { method: "POST", headers: { "content-type": "application/sdp" }, body: WHEP_OFFER };
