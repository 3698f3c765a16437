/**
 * Secrets that we make, hand out or are sent (passwords of users, sessions, tokens, shares, signatures, credentials of
 * publishers, what passes between us and a login provider, keys) are told once, to whom they are for: never again, and
 * neither in log, metrics, errors, commands, process arguments, database nor backup.
 */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { startOidcProvider } from "../../support/oidc-provider.js";
import { findSecrets } from "../../support/secret-forms.js";
import { backupIn, textOf, watchArguments } from "../../support/secret-places.js";
import {
  ADMIN_PASSWORD,
  CAM,
  outcomeOf,
  PASSWORD,
  setCredential,
  type StreamAuthScene,
  streamAuthScene,
} from "../../support/stream-auth.js";
import { waitFor } from "../../support/wait-for.js";
import { runCommand } from "./command.js";

const PUBLIC_URL = "http://cameras.example.org";
const CLIENT_SECRET = "canary-oidc-client-secret";
/** Sent to us by people, right or wrong. */
const TYPED = {
  "new password": "canary-new-password-of-anna",
  "password by command": "canary-password-by-command",
  "wrong password": "canary-wrong-password",
  "password in the name": "canary-password-in-the-name",
  "refused password": "canary-refused pässword",
  "password of a publisher": "canary-publisher-password",
  "wrong token": "rk_canary-wrong-token-0123456789",
};

class Secrets {
  readonly found: Record<string, string> = {};

  /** Of a JWT what no other one has. */
  add(name: string, value: string): void {
    const parts = /^eyJ[\w-]*\.([\w-]+)\.([\w-]+)$/.exec(value)?.slice(1) ?? [value];
    for (const [at, part] of parts.entries()) {
      expect(part.length, name).toBeGreaterThan(7);
      this.found[`${name}, ${String(Object.keys(this.found).length)}.${String(at)}`] = part;
    }
  }

  addCookies(response: Response): string {
    const pairs = response.headers.getSetCookie().map((line) => line.split(";", 1)[0] ?? "");
    for (const pair of pairs) {
      const [name = "", value = ""] = pair.split("=");
      if (value !== "") this.add(`cookie ${name}`, value);
    }
    return pairs.join("; ");
  }

  addQuery(url: string, name: string): void {
    this.add(`${name} of a URL`, new URL(url, PUBLIC_URL).searchParams.get(name) ?? "");
  }
}

interface Asked {
  readonly scene: StreamAuthScene;
  readonly secrets: Secrets;
  /** All that was answered but for what was handed out. */
  readonly texts: string[];
}

const sendJson = (body: unknown, headers: Readonly<Record<string, string>> = {}): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body),
});

/** By password, renewed, and by the provider: also with what is not good (any more). Gives the access tokens. */
async function logIn(asked: Asked, provider: Awaited<ReturnType<typeof startOidcProvider>>): Promise<string[]> {
  const { scene, secrets, texts } = asked;
  const { url } = scene.app;
  const anna = await fetch(`${url}/api/v1/login`, sendJson({ name: "anna", password: PASSWORD }));
  const cookie = secrets.addCookies(anna);
  const own = { cookie, "sec-fetch-site": "same-origin" };
  const renewed = await fetch(`${url}/api/v1/login/refresh`, sendJson({}, own));
  expect(renewed.status).toBe(200);
  secrets.addCookies(renewed);
  const { accessToken } = (await renewed.json()) as { accessToken: string };
  secrets.add("access token", accessToken);
  const authorization = `Bearer ${accessToken}`;
  const wrong = { current: TYPED["wrong password"], new: TYPED["new password"] };
  const right = { current: PASSWORD, new: TYPED["new password"] };
  for (const [target, body] of [
    ...[["me/password", wrong] as const, ["me/password", right] as const],
    ["login", { name: "anna", password: TYPED["wrong password"] }] as const,
    ["login", { name: TYPED["password in the name"], password: "x" }] as const,
    ["users", { name: "berta", role: "viewer", password: TYPED["refused password"] }] as const,
  ]) {
    texts.push(await textOf(await fetch(`${url}/api/v1/${target}`, sendJson(body, { authorization }))));
  }
  const begun = await fetch(`${url}/api/v1/login/oidc`, { redirect: "manual" });
  const attempt = secrets.addCookies(begun);
  const packed = /attempt=([\w-]+)/.exec(attempt)?.[1] ?? "";
  const { state, nonce, verifier } = JSON.parse(Buffer.from(packed, "base64url").toString()) as Record<string, string>;
  for (const [name, value] of Object.entries({ state, nonce, verifier })) secrets.add(name, value ?? "");
  const back = new URL(await provider.logIn(begun.headers.get("location") ?? "", "olga"));
  secrets.addQuery(back.href, "code");
  const callback = `${url}${back.pathname}${back.search}`;
  const olga = await fetch(callback, { headers: { cookie: attempt }, redirect: "manual" });
  const session = secrets.addCookies(olga);
  expect([olga.headers.get("location"), session]).toEqual([`${PUBLIC_URL}/`, expect.stringContaining("access=")]);
  // The code has been used; then the browser has forgotten; then the provider is gone.
  texts.push(await textOf(await fetch(callback, { headers: { cookie: attempt }, redirect: "manual" })));
  texts.push(await textOf(await fetch(callback, { redirect: "manual" })));
  await provider.stop();
  texts.push(await textOf(await fetch(callback, { headers: { cookie: attempt }, redirect: "manual" })));
  return [accessToken, /access=([^;]+)/.exec(session)?.[1] ?? ""];
}

/** A camera that is let in, viewers that are and are not, until something is recorded and proven. */
async function stream({ scene, secrets }: Asked, mode: "http" | "jwt", tokens: readonly string[]): Promise<void> {
  const { api, publish, read, rtspUrl } = scene;
  await api("POST", "/api/v1/paths", { name: CAM, record: true, recordSegmentDuration: "1s" });
  const before = await setCredential(scene, CAM);
  const { user, password } = await setCredential(scene, CAM);
  for (const value of [before.password, password]) secrets.add("publish credential", value);
  const byToken = (token: string) => rtspUrl(CAM, "", `?token=${token}`);
  const camera = await publish(mode === "http" ? rtspUrl(CAM, `${user}:${password}`) : byToken(password));
  expect(await outcomeOf(camera)).toBe("flows");
  const made = mode === "http" ? tokens : await Promise.all(tokens.map((one) => scene.streamToken(one, CAM, "read")));
  if (mode === "jwt") for (const token of made) secrets.add("stream token", token);
  const wrong = mode === "http" ? rtspUrl(CAM, `anna:${TYPED["wrong password"]}`) : byToken(before.password);
  const comers = [...made.map(byToken), byToken(TYPED["wrong token"]), wrong];
  const outcomes = await Promise.all(comers.map(async (url) => outcomeOf(await read(url))));
  expect(outcomes).toEqual([...made.map(() => "flows"), "refused", "refused"]);
  await waitFor(
    "a recording to be proven",
    async () => (await api<{ items: unknown[] }>("GET", "/api/v1/recordings?state=verified")).items.length > 1,
    { timeoutMs: 30_000 },
  );
  await camera.stop();
}

/** Tokens, shares, signed URLs, each used; gives what to ask with. */
async function handOut({ scene, secrets }: Asked, access: string): Promise<string> {
  const { api, app } = scene;
  const { token } = await scene.tokenFor(access, [CAM]);
  secrets.add("API token", token);
  const [from, to] = [new Date(Date.now() - 3_600_000).toISOString(), new Date().toISOString()];
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const share = await api<{ url: string }>("POST", "/api/v1/shares", { path: CAM, from, to, expiresAt });
  const { pathname } = new URL(share.url, PUBLIC_URL);
  secrets.add("share token", pathname.split("/").at(-1) ?? "");
  expect((await fetch(app.url + pathname)).status).toBe(200);
  const links = (await (await fetch(`${app.url}${pathname}/links`)).json()) as Record<string, string>;
  const range = `path=${encodeURIComponent(CAM)}&from=${from}&to=${to}`;
  const signed = await api<{ url: string }>("POST", "/api/v1/signed-urls", { url: `/api/v1/playlist.m3u8?${range}` });
  for (const url of [links["playlist"], links["clip"], links["picture"], signed.url].map(String)) {
    secrets.addQuery(url, "signature");
    const response = await fetch(new URL(url, app.url));
    // Where the range begins there may be no picture yet.
    expect([200, 404], await response.text()).toContain(response.status);
    await fetch(new URL(url.replace("signature=", "signature=x"), app.url));
  }
  return token;
}

/** Everything that can be read without an id, by whoever may and may not. */
async function askAll({ scene, texts }: Asked, tokens: readonly string[]): Promise<void> {
  const { app } = scene;
  const document = (await (await fetch(`${app.url}/api/v1/openapi.json`)).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };
  const readable = Object.entries(document.paths).filter(([name, route]) => "get" in route && !name.includes("{"));
  expect(readable.length).toBeGreaterThan(30);
  const pages = ["/", "/metrics", "/api/v1/config/paths?format=csv", `/api/v1/timeline?path=${CAM}`];
  for (const token of tokens) {
    const headers = { authorization: `Bearer ${token}` };
    for (const target of [...readable.map(([name]) => name), ...pages]) {
      // Begins a login, which is told to whoever begins it.
      if (target === "/api/v1/login/oidc") continue;
      texts.push(await textOf(await fetch(app.url + target, { headers, redirect: "manual" })));
    }
  }
}

/** Whatever lies in DATA_DIR/secrets: keys and passwords that the first start made. */
async function addKept({ scene, secrets }: Asked): Promise<void> {
  const directory = path.join(scene.app.dataDir, "secrets");
  for (const name of await readdir(directory)) {
    const text = await readFile(path.join(directory, name), "utf8");
    const values =
      text.startsWith("{") || text.startsWith("[") ? privateParts(JSON.parse(text)) : text.trim().split("\n");
    expect(values, name).not.toEqual([]);
    for (const value of values) secrets.add(name, value);
  }
}

/** Texts below names that hold secrets of keys; what JWKs publish is not among them. */
function privateParts(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    typeof inner === "string" && /^(?:d|k|key|secret)$/.test(name) ? [inner] : privateParts(inner),
  );
}

it.each(["http", "jwt"] as const)("tells no secret of its own twice, with MEDIAMTX_AUTH=%s", async (mode) => {
  const redirectUrl = `${PUBLIC_URL}/api/v1/login/oidc/callback`;
  const provider = await startOidcProvider({ clientId: "reelkeeper", clientSecret: CLIENT_SECRET, redirectUrl });
  onTestFinished(() => provider.stop());
  provider.people.set("olga", { preferred_username: "olga", groups: ["guards"] });
  const env = {
    ...{ LOG_LEVEL: "debug", PUBLIC_URL, OIDC_ISSUER: provider.issuer, OIDC_CLIENT_ID: "reelkeeper" },
    ...{ OIDC_CLIENT_SECRET: CLIENT_SECRET, OIDC_ROLES: "guards=operator:*" },
  };
  const scene = await streamAuthScene(mode, { env });
  const { app } = scene;
  const seenArguments = watchArguments(app.dataDir);
  const asked: Asked = { scene, secrets: new Secrets(), texts: [] };
  const { secrets } = asked;
  for (const [name, value] of Object.entries({ ...TYPED, ADMIN_PASSWORD, PASSWORD, CLIENT_SECRET })) {
    secrets.add(name, value);
  }
  await addKept(asked);
  await scene.addViewer("anna", ["site-a/*"]);
  const access = await logIn(asked, provider);
  await stream(asked, mode, access);
  const token = await handOut(asked, access[1] ?? "");
  const byAdmin = await scene.login("admin", ADMIN_PASSWORD);
  secrets.add("access token", byAdmin);
  await askAll(asked, [byAdmin, ...access, token, TYPED["wrong token"]]);
  const printed: string[] = [];
  const commands = [["user", "list"], ["config", "render"], ["config", "diff"], ["rotate-secrets"], ["backup"]];
  const byCommand = ["user", "set-password", "anna", "--password-stdin"];
  for (const args of [byCommand, ...commands]) {
    const ended = await runCommand(app.installed, args, {}, `${TYPED["password by command"]}\n`);
    printed.push(`${args.join(" ")}: ${String(ended.code)}\n${ended.stdout}${ended.stderr}\n${ended.log}`);
  }
  await addKept(asked);
  const environment = await readFile(`/proc/${String(app.mediamtxPid())}/environ`, "latin1");
  const config = await readFile(path.join(app.dataDir, "mediamtx", "mediamtx.yml"), "utf8");
  const [, urlSecret] = /\/mediamtx\/auth\/([\w-]+)/.exec(config) ?? [];
  if (mode === "http") secrets.add("where MediaMTX asks", urlSecret ?? "");
  expect(await app.stop()).toBe(0);
  const places = {
    log: app.output(),
    answers: asked.texts.join("\n"),
    commands: printed.join("\n"),
    arguments: seenArguments(),
    "MediaMTX's environment": environment,
    "MediaMTX's hook settings": await readFile(path.join(app.dataDir, "mediamtx", "hook.env"), "utf8"),
    "MediaMTX's log": await app.mediamtxLog(),
    database: await readFile(app.databaseFile),
    backup: await backupIn(path.join(app.dataDir, "bucket")),
  };
  expect(places.log).toContain("a login by the provider failed");
  expect(places.answers).toContain("publish-credential.set");
  expect(places.commands).toContain("anna");
  expect(places.arguments).toContain("hook.sh");
  expect(places.backup.includes("olga")).toBe(true);
  expect(Object.keys(secrets.found).length).toBeGreaterThan(40);
  expect(findSecrets(places, secrets.found)).toEqual([]);
});
