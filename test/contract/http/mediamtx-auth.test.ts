/** What MediaMTX asks us before it lets somebody publish, read, play back or use its API. */
import { randomUUID } from "node:crypto";

import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import { beforeAll, describe, expect, it } from "vitest";

import { hashOfRandom } from "../../../src/access/checked-passwords.js";
import { urlSecretOf } from "../../../src/access/caller.js";
import { newApiToken } from "../../../src/access/identity.js";
import { insertApiToken } from "../../../src/catalog/api-tokens.js";
import { REELKEEPER } from "../../../src/catalog/audit.js";
import { findPublishCredential, setPublishCredential } from "../../../src/catalog/publish-credentials.js";
import { insertUser, updateUser } from "../../../src/catalog/users.js";
import type { StreamRequest } from "../../../src/contract/mediamtx-auth.js";
import { parsePathName } from "../../../src/core/path-name.js";
import type { PathPattern } from "../../../src/core/path-pattern.js";
import type { Role } from "../../../src/core/principal.js";
import { cheapPasswords } from "../../support/cheap-passwords.js";
import { ask, type Answered } from "../../support/http-ask.js";
import { HOOK_SECRET, type HttpHarness, httpForTest, MEDIAMTX_API } from "../../support/http-harness.js";

const PASSWORD = "correct horse battery staple";
const CAMERA = "password-of-the-camera";
const URL = `/mediamtx/auth/${urlSecretOf(HOOK_SECRET)}`;
let passwordHash = "";

beforeAll(async () => {
  passwordHash = await cheapPasswords().hash(PASSWORD);
});

async function scene() {
  const http = await httpForTest({ login: true });
  const add = (name: string, role: Role, paths: readonly string[] = []) =>
    insertUser(http.catalog, { name, role, paths: paths as PathPattern[], passwordHash }, REELKEEPER);
  const admin = await add("admin", "admin");
  const anna = await add("anna", "viewer", ["site-a/*"]);
  const setCredential = (path: string, password = CAMERA) => {
    const credential = {
      path: parsePathName(path),
      id: randomUUID(),
      user: "camera",
      passwordHash: hashOfRandom(password),
    };
    return setPublishCredential(http.catalog, credential, REELKEEPER);
  };
  await setCredential("site-a/cam");
  const tokenOf = async (userId: string, paths: readonly string[], expiresAtUs: number | null = null) => {
    const { token, tokenHash } = newApiToken();
    const facts = { userId, name: "t", role: "viewer", paths: paths as PathPattern[], expiresAtUs, tokenHash } as const;
    await insertApiToken(http.catalog, facts, REELKEEPER);
    return token;
  };
  return { http, add, admin, anna, setCredential, tokenOf };
}

/** As MediaMTX 1.21.0 sends it: every field, empty where there is nothing; the token repeats the password. */
function askingFor(http: HttpHarness, changes: Partial<StreamRequest>): Promise<Answered> {
  const { password = "", token = password } = changes;
  const body = {
    ...{ ip: "192.0.2.1", user: "", action: "read", path: "site-a/cam", protocol: "rtsp", id: randomUUID(), query: "" },
    ...{ userAgent: "LibVLC/3.0", password, token },
    ...changes,
  };
  return ask(http, URL, { method: "POST", body });
}

async function statusOf(http: HttpHarness, changes: Partial<StreamRequest>): Promise<number> {
  const { status, text, headers } = await askingFor(http, changes);
  // Nothing says why, for MediaMTX logs what it is told.
  expect([text, headers["content-type"]]).toEqual(["", undefined]);
  return status;
}

const login = async (http: HttpHarness, name: string): Promise<{ accessToken: string; sessionId: string }> => {
  const answer = await ask(http, "/api/v1/login", { method: "POST", body: { name, password: PASSWORD } });
  const { accessToken, user } = answer.json() as { accessToken: string; user: { sessionId: string } };
  return { accessToken, sessionId: user.sessionId };
};

describe("the address that MediaMTX asks", () => {
  it("is one that holds its secret, or takes it as hooks do", async () => {
    const { http } = await scene();
    const body = { action: "api", ...MEDIAMTX_API };
    const post = (target: string, headers = {}) => ask(http, target, { method: "POST", body, headers });
    expect((await post(URL)).status).toBe(204);
    expect((await post("/mediamtx/auth/x", { authorization: `Bearer ${HOOK_SECRET}` })).status).toBe(204);
    for (const secret of ["x", HOOK_SECRET, urlSecretOf("another"), `${urlSecretOf(HOOK_SECRET)}x`]) {
      expect((await post(`/mediamtx/auth/${secret}`)).status).toBe(401);
    }
  });

  it("does not open the hooks by that secret", async () => {
    const { http } = await scene();
    const answer = await ask(http, "/hooks/ready", {
      method: "POST",
      body: { secret: urlSecretOf(HOOK_SECRET), path: "cam1" },
    });
    expect(answer.status).toBe(401);
  });
});

describe("whoever wants to watch", () => {
  it("is refused without credentials, so that RTSP clients are asked for them", async () => {
    const { http } = await scene();
    expect(await statusOf(http, {})).toBe(401);
    expect(await statusOf(http, { action: "playback", protocol: "" })).toBe(401);
  });

  it("gets in by user and password, API token or access token, in whichever field a player has for it", async () => {
    const { http, anna, tokenOf } = await scene();
    const token = await tokenOf(anna.id, ["*"]);
    const { accessToken } = await login(http, "anna");
    for (const action of ["read", "playback"] as const) {
      expect(await statusOf(http, { action, user: "anna", password: PASSWORD })).toBe(204);
      for (const text of [token, accessToken]) {
        expect(await statusOf(http, { action, token: text })).toBe(204);
        expect(await statusOf(http, { action, user: "whoever", password: text })).toBe(204);
        expect(await statusOf(http, { action, query: `a=b&token=${text}` })).toBe(204);
        expect(await statusOf(http, { action, query: `jwt=${text}` })).toBe(204);
        expect(await statusOf(http, { action, query: `token=${text}&token=${text}` })).toBe(401);
      }
    }
  });

  it("sees the paths of their grants and no others, whoever they are", async () => {
    const { http, anna, admin, tokenOf } = await scene();
    const by = { user: "anna", password: PASSWORD };
    expect(await statusOf(http, { ...by, path: "site-a/absent" })).toBe(204);
    for (const path of ["site-b/cam", "site-a", "site-ab/cam", "", "../site-a/cam", "site-a/../site-b/cam"]) {
      expect([path, await statusOf(http, { ...by, path })]).toEqual([path, 401]);
    }
    const narrow = await tokenOf(admin.id, ["site-b/*"]);
    expect(await statusOf(http, { token: narrow, path: "site-b/cam" })).toBe(204);
    expect(await statusOf(http, { token: narrow, path: "site-a/cam" })).toBe(401);
    const wide = await tokenOf(anna.id, ["*"]);
    expect(await statusOf(http, { token: wide, path: "site-b/cam" })).toBe(401);
  });

  it("is refused at once when their password, grant, token, session or account is gone", async () => {
    const { http, anna, tokenOf } = await scene();
    const { accessToken, sessionId } = await login(http, "anna");
    const token = await tokenOf(anna.id, ["*"]);
    const all = async () => [
      await statusOf(http, { user: "anna", password: PASSWORD }),
      await statusOf(http, { token: accessToken }),
      await statusOf(http, { token }),
    ];
    expect(await all()).toEqual([204, 204, 204]);
    await updateUser(http.catalog, { id: anna.id, patch: { paths: [] }, keepSession: sessionId }, REELKEEPER);
    expect(await all()).toEqual([401, 401, 401]);
    const patch = {
      paths: ["site-a/*" as PathPattern],
      passwordHash: await cheapPasswords().hash("another password"),
    };
    await updateUser(http.catalog, { id: anna.id, patch, keepSession: null }, REELKEEPER);
    expect(await all()).toEqual([401, 401, 204]);
    await updateUser(http.catalog, { id: anna.id, patch: { disabled: true }, keepSession: null }, REELKEEPER);
    expect(await all()).toEqual([401, 401, 401]);
  });

  it("does not get in by a token that has run out", async () => {
    const { http, anna, tokenOf } = await scene();
    const token = await tokenOf(anna.id, ["*"], http.catalog.clock.nowUs() + 60_000_000);
    expect(await statusOf(http, { token })).toBe(204);
    await http.catalog.clock.advance(60_000);
    expect(await statusOf(http, { token })).toBe(401);
  });

  it("guesses 5 passwords a minute for a name, and then not even the right one is taken", async () => {
    const { http } = await scene();
    for (let each = 0; each < 5; each += 1) {
      expect(await statusOf(http, { user: "anna", password: `guess number ${each}` })).toBe(401);
    }
    expect(await statusOf(http, { user: "anna", password: PASSWORD })).toBe(401);
    expect(await statusOf(http, { user: "anna", password: PASSWORD, ip: "192.0.2.9" })).toBe(204);
    await http.catalog.clock.advance(60_000);
    expect(await statusOf(http, { user: "anna", password: PASSWORD })).toBe(204);
  });
});

describe("whoever wants to publish", () => {
  it("needs the credential of that path; nobody who may watch may publish", async () => {
    const { http, admin, tokenOf } = await scene();
    const by = { action: "publish", user: "camera", password: CAMERA } as const;
    expect(await statusOf(http, by)).toBe(204);
    expect(await statusOf(http, { ...by, path: "site-a/cam2" })).toBe(401);
    expect(await statusOf(http, { ...by, password: "wrong" })).toBe(401);
    expect(await statusOf(http, { ...by, user: "camera2" })).toBe(401);
    expect(await statusOf(http, { ...by, password: "" })).toBe(401);
    expect(await statusOf(http, { ...by, action: "read" })).toBe(401);
    expect(await statusOf(http, { action: "publish", user: "admin", password: PASSWORD })).toBe(401);
    expect(await statusOf(http, { action: "publish", token: await tokenOf(admin.id, ["*"]) })).toBe(401);
    expect(await statusOf(http, { action: "publish", ...MEDIAMTX_API })).toBe(401);
  });

  it("is refused with the one before as soon as it is rotated or removed, by API, audited, and told only once", async () => {
    const { http } = await scene();
    const { accessToken } = await login(http, "admin");
    const headers = { authorization: `Bearer ${accessToken}` };
    const by = { action: "publish", user: "camera", password: CAMERA } as const;
    const target = "/api/v1/publish-credentials";
    const set = async (body: object) => {
      const answer = await ask(http, target, { method: "POST", headers, body: { path: "site-a/cam", ...body } });
      expect(answer.status, answer.text).toBe(201);
      return answer.json() as { user: string; password: string | null };
    };
    const made = await set({});
    expect(made.password).toMatch(/^[\w-]{32}$/);
    expect(await statusOf(http, by)).toBe(401);
    expect(await statusOf(http, { ...by, password: made.password ?? "" })).toBe(204);
    const given = await set({ user: "door-7", password: "a-chosen-password" });
    expect(given).toMatchObject({ user: "door-7", password: null });
    expect(await statusOf(http, { ...by, password: made.password ?? "" })).toBe(401);
    expect(await statusOf(http, { ...by, user: "door-7", password: "a-chosen-password" })).toBe(204);
    const listed = await ask(http, target, { headers });
    expect((listed.json() as { items: unknown[] }).items).toMatchObject([{ path: "site-a/cam", user: "door-7" }]);
    await ask(http, `${target}?path=site-a/cam`, { method: "DELETE", headers });
    expect(await statusOf(http, { ...by, user: "door-7", password: "a-chosen-password" })).toBe(401);
    expect(http.streamSessions.changes).toBe(3);
    const audit = (await ask(http, "/api/v1/audit?action=publish-credential", { headers })).text;
    expect(JSON.parse(audit)).toMatchObject({
      items: [
        { action: "publish-credential.remove", target: "site-a/cam", before: { user: "door-7" } },
        { action: "publish-credential.set", before: { user: "camera" }, after: { user: "door-7" } },
        { action: "publish-credential.set", actor: { name: "admin" } },
        { actor: { name: "Reelkeeper" } },
      ],
    });
    const told = [audit, listed.text, JSON.stringify(http.log)].join();
    for (const secret of [made.password ?? "", "a-chosen-password", CAMERA]) expect(told).not.toContain(secret);
    expect(JSON.stringify(await http.catalog.db("audit"))).not.toMatch(/sha256:|argon2/);
  });
});

describe("tokens that MediaMTX checks by itself", () => {
  it("open one path for a minute, to whom it is open, and say who asked by what", async () => {
    const { http, anna, tokenOf } = await scene();
    const { accessToken, sessionId } = await login(http, "anna");
    const apiToken = await tokenOf(anna.id, ["*"]);
    const { keys } = (await ask(http, "/.well-known/jwks.json")).json() as JSONWebKeySet;
    expect(Object.keys(keys[0] ?? {}).sort()).toEqual(["alg", "crv", "kid", "kty", "use", "x"]);
    const made = async (bearer: string, body: object) => {
      const headers = { authorization: `Bearer ${bearer}` };
      return ask(http, "/api/v1/stream-tokens", { method: "POST", headers, body });
    };
    for (const [bearer, subject] of [
      [accessToken, `session:${sessionId}`],
      [apiToken, expect.stringMatching(/^token:[0-9a-f-]{36}$/) as string],
    ] as const) {
      const { token } = (await made(bearer, { path: "site-a/cam" })).json() as { token: string };
      const currentDate = new Date(http.catalog.clock.nowUs() / 1_000);
      const { payload } = await jwtVerify(token, createLocalJWKSet({ keys }), { currentDate });
      const permissions = [{ action: "read", path: "site-a/cam" }];
      expect(payload).toMatchObject({ sub: subject, mediamtx_permissions: permissions });
      expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60);
      // Neither a login nor an answer to MediaMTX where it asks each time.
      expect((await ask(http, "/api/v1/me", { headers: { authorization: `Bearer ${token}` } })).status).toBe(401);
      expect(await statusOf(http, { token })).toBe(401);
    }
    expect((await made(accessToken, { path: "site-b/cam" })).status).toBe(404);
    expect((await made(accessToken, { path: "site-a/cam", action: "publish" })).status).toBe(400);
  });

  it("are what cameras have for a password then, each of one path, and no other password is taken", async () => {
    const http = await httpForTest({ streamAuth: "jwt" });
    const post = (body: object) => ask(http, "/api/v1/publish-credentials", { method: "POST", body });
    expect((await post({ path: "cam1", password: "a-chosen-password" })).status).toBe(409);
    const { password } = (await post({ path: "cam1" })).json() as { password: string };
    const { keys } = (await ask(http, "/.well-known/jwks.json")).json() as JSONWebKeySet;
    const { payload } = await jwtVerify(password, createLocalJWKSet({ keys }));
    expect(payload).toMatchObject({ mediamtx_permissions: [{ action: "publish", path: "cam1" }] });
    expect(payload.exp).toBeUndefined();
    const credential = await findPublishCredential(http.catalog, parsePathName("cam1"));
    expect(payload.sub).toBe(`publisher:${credential?.id ?? ""}`);
    // FFmpeg takes no URL of RTSP that is longer than 4096 characters, and none of RTMP that is longer than 1024.
    expect(password.length).toBeLessThan(600);
    expect(await statusOf(http, { action: "publish", path: "cam1", user: "camera", password })).toBe(401);
  });
});

describe("MediaMTX's own API, metrics and profiles", () => {
  it("are Reelkeeper's by its password; metrics also for who sees all, profiles for admins", async () => {
    const { http, add } = await scene();
    await add("bert", "viewer", ["*"]);
    const people = ["admin", "anna", "bert"].map((user) => ({ user, password: PASSWORD }));
    const callers = [MEDIAMTX_API, ...people, { ...MEDIAMTX_API, password: "api-passwore" }, {}];
    const matrix: Record<string, number[]> = {};
    for (const action of ["api", "metrics", "playback", "pprof"] as const) {
      matrix[action] = [];
      for (const by of callers) matrix[action].push(await statusOf(http, { ...by, action, path: "", protocol: "" }));
    }
    expect(matrix).toEqual({
      api: [204, 401, 401, 401, 401, 401],
      metrics: [204, 204, 401, 204, 401, 401],
      playback: [204, 401, 401, 401, 401, 401],
      pprof: [401, 204, 401, 401, 401, 401],
    });
  });
});

describe("sessions that are let in", () => {
  it("are noted with who is behind them, others not", async () => {
    const { http, anna } = await scene();
    const [read, publish, refused] = [randomUUID(), randomUUID(), randomUUID()];
    await askingFor(http, { user: "anna", password: PASSWORD, id: read });
    await askingFor(http, { action: "publish", user: "camera", password: CAMERA, id: publish });
    await askingFor(http, { action: "publish", user: "camera", password: "wrong", id: refused });
    await askingFor(http, { action: "playback", user: "anna", password: PASSWORD, id: null });
    expect([...http.streamSessions.noted.keys()]).toEqual([read, publish]);
    expect(http.streamSessions.noted.get(read)).toEqual({ kind: "password", userId: anna.id, passwordHash });
    expect(http.streamSessions.noted.get(publish)).toMatchObject({ kind: "publisher" });
  });

  it("are looked at again after each change of users, sessions and tokens", async () => {
    const { http, anna } = await scene();
    const admin = { authorization: `Bearer ${(await login(http, "admin")).accessToken}` };
    const own = await login(http, "anna");
    const annas = { authorization: `Bearer ${own.accessToken}` };
    const steps: readonly [string, string, object, unknown?][] = [
      ["PATCH", `/api/v1/users/${anna.id}`, admin, { paths: ["site-b/*"] }],
      ["POST", "/api/v1/me/password", annas, { current: PASSWORD, new: "a password of anna's" }],
      ["POST", "/api/v1/logout", annas, {}],
      ["DELETE", `/api/v1/users/${anna.id}`, admin],
    ];
    for (const [index, [method, target, headers, body]] of steps.entries()) {
      const answer = await ask(http, target, {
        method,
        headers: { ...headers },
        ...(body === undefined ? {} : { body }),
      });
      expect([target, answer.status, http.streamSessions.changes]).toEqual([target, 200, index + 1]);
    }
  });
});
