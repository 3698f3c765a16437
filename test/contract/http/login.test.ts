import { beforeAll, describe, expect, it } from "vitest";

import { insertUser, updateUser } from "../../../src/catalog/users.js";
import { REELKEEPER } from "../../../src/catalog/audit.js";
import type { PathPattern } from "../../../src/core/path-pattern.js";
import type { Role } from "../../../src/core/principal.js";
import type { User } from "../../../src/core/user.js";
import { cheapPasswords } from "../../support/cheap-passwords.js";
import { type HttpHarness, httpForTest, type HttpOptions } from "../../support/http-harness.js";

const PASSWORD = "correct horse battery staple";
const WRONG = "incorrect horse battery staple";
const MINUTE_US = 60_000_000;
/** One hash for all. */
let passwordHash = "";

interface Answered {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly cookies: readonly string[];
  readonly headers: Headers;
}

/** Routes that have answered well. */
const answered = new Set<string>();

/** As a browser: its page is ours, and it keeps cookies. */
class Client {
  readonly #http: HttpHarness;
  jar = new Map<string, string>();

  constructor(http: HttpHarness) {
    this.#http = http;
  }

  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answered> {
    const origin = `http://127.0.0.1:${this.#http.port}`;
    const cookie = [...this.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(`${origin}${path}`, {
      method,
      headers: {
        ...(method === "GET" ? {} : { "content-type": "application/json", origin, "sec-fetch-site": "same-origin" }),
        ...(cookie === "" ? {} : { cookie }),
        ...headers,
      },
      ...(method === "GET" ? {} : { body: JSON.stringify(body ?? {}) }),
    });
    const cookies = response.headers.getSetCookie();
    for (const line of cookies) {
      const [name = "", value = ""] = (line.split(";", 1)[0] ?? "").split("=");
      if (value === "") this.jar.delete(name);
      else this.jar.set(name, value);
    }
    const answer = (await response.json()) as Record<string, unknown>;
    this.#assertPromised(method, path, response.status, answer);
    return { status: response.status, body: answer, cookies, headers: response.headers };
  }

  /** Each answer is what its route promises, and nothing besides. */
  #assertPromised(method: string, target: string, status: number, answer: unknown): void {
    const path = target.split("?", 1)[0]?.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, "{id}");
    const route = this.#http.routes.find((each) => each.method === method && each.path === path);
    if (status >= 300) return;
    answered.add(`${method} ${path ?? ""}`);
    expect(route?.responses[status]?.schema?.parse(answer), `${method} ${target}`).toStrictEqual(answer);
  }

  login(name: string, password = PASSWORD): Promise<Answered> {
    return this.ask("POST", "/api/v1/login", { name, password });
  }
}

beforeAll(async () => {
  passwordHash = await cheapPasswords().hash(PASSWORD);
});

async function scene(options: HttpOptions = {}) {
  const http = await httpForTest({ login: true, ...options });
  const add = (name: string, role: Role, paths: readonly string[] = []): Promise<User> =>
    insertUser(http.catalog, { name, role, paths: paths as PathPattern[], passwordHash }, REELKEEPER);
  const admin = await add("root", "admin");
  const anna = await add("anna", "viewer", ["site-a/*"]);
  return { http, admin, anna, add, client: () => new Client(http) };
}

async function loggedIn(http: HttpHarness, name: string): Promise<Client> {
  const client = new Client(http);
  expect((await client.login(name)).status).toBe(200);
  return client;
}

describe("logging in", () => {
  it("gives the page cookies that no script, no other site and no plain connection gets", async () => {
    const { http } = await scene();
    const { status, body, cookies } = await new Client(http).login("anna");
    expect(status).toBe(200);
    expect(body["user"]).toMatchObject({ kind: "user", name: "anna", role: "viewer", paths: ["site-a/*"] });
    expect(cookies).toHaveLength(2);
    for (const cookie of cookies) {
      expect(cookie).toMatch(
        /^__Host-reelkeeper-(access|refresh)=[^;]{43,}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+; Secure$/,
      );
    }
  });

  it("knows the page again by its cookies, and a script by its access token", async () => {
    const { http } = await scene();
    const client = new Client(http);
    const { body } = await client.login("anna");
    expect((await client.ask("GET", "/api/v1/me")).body).toMatchObject({ name: "anna" });
    const authorization = `Bearer ${String(body["accessToken"])}`;
    expect((await new Client(http).ask("GET", "/api/v1/me", undefined, { authorization })).body["name"]).toBe("anna");
  });

  it.each(["anna", "nobody", "ANNA", "__proto__", "constructor", "toString", "anna' or '1'='1", ""])(
    "as %j with a wrong password is refused in the same words, at the same cost (CVE-2021-27228)",
    async (name) => {
      const { http } = await scene();
      let verified = 0;
      const { passwords } = http.deps.login;
      const verify = passwords.verify.bind(passwords);
      passwords.verify = (...given) => {
        verified += 1;
        return verify(...given);
      };
      const { status, body } = await new Client(http).login(name, WRONG);
      expect([status, body["detail"]]).toEqual([401, "name or password is wrong"]);
      expect(verified).toBe(1);
    },
  );

  it("is slowed for who guesses: five tries a minute for a name from an address, then the time to wait", async () => {
    const { http } = await scene();
    const client = new Client(http);
    for (let attempt = 0; attempt < 5; attempt += 1) expect((await client.login("anna", WRONG)).status).toBe(401);
    const refused = await client.login("anna");
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await client.login("root")).status).toBe(200);
    await http.catalog.clock.advance(60_001);
    expect((await client.login("anna")).status).toBe(200);
  });

  it("says what to do where a browser would drop the cookies", async () => {
    const { http } = await scene();
    const client = new Client(http);
    const headers = { origin: "http://cameras.example", host: "cameras.example" };
    const refused = await client.ask("POST", "/api/v1/login", { name: "anna", password: PASSWORD }, headers);
    // fetch sets the host itself, so the origin is another one here: refused either way, and before the password counts.
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect(client.jar.size).toBe(0);
  });

  it("with COOKIE_SECURE=false gives cookies without Secure, by other names", async () => {
    const { http } = await scene({ cookieSecure: false });
    const client = new Client(http);
    const { cookies } = await client.login("anna");
    for (const cookie of cookies) expect(cookie).toMatch(/^reelkeeper-.*SameSite=Strict; Max-Age=\d+$/);
    expect((await client.ask("GET", "/api/v1/me")).status).toBe(200);
  });

  it("leaves its tries and its successes in the audit log, never a password", async () => {
    const { http } = await scene();
    const admin = await loggedIn(http, "root");
    await new Client(http).login("anna", WRONG);
    const { body } = await admin.ask("GET", "/api/v1/audit?action=login");
    const items = body["items"] as { action: string; target: string; actor: { address: string } }[];
    expect(items.map(({ action, target }) => `${action} ${target}`)).toEqual([
      "login.fail user:anna",
      "login.password user:root",
    ]);
    expect(items[0]?.actor.address).toMatch(/127\.0\.0\.1$/);
    expect(JSON.stringify(body)).not.toContain(WRONG);
  });

  it("is off unless asked for", async () => {
    const { http } = await scene({ login: false });
    const client = new Client(http);
    expect((await client.ask("GET", "/api/v1/login/options")).body).toEqual({
      loginRequired: false,
      oidc: false,
      password: false,
    });
    expect((await client.login("anna")).status).toBe(409);
    expect((await client.ask("GET", "/api/v1/me")).body).toMatchObject({ kind: "machine", role: "admin" });
  });
});

describe("a session", () => {
  it("goes on by its refresh token, which changes each time", async () => {
    const { http } = await scene();
    const client = await loggedIn(http, "anna");
    await http.catalog.clock.advance(11 * 60_000);
    expect((await client.ask("GET", "/api/v1/me")).status).toBe(401);
    const before = client.jar.get("__Host-reelkeeper-refresh");
    expect((await client.ask("POST", "/api/v1/login/refresh")).status).toBe(200);
    expect(client.jar.get("__Host-reelkeeper-refresh")).not.toBe(before);
    expect((await client.ask("GET", "/api/v1/me")).status).toBe(200);
  });

  it("ends when a used refresh token comes again: two have it", async () => {
    const { http } = await scene();
    const client = await loggedIn(http, "anna");
    const thief = new Client(http);
    thief.jar = new Map(client.jar);
    await client.ask("POST", "/api/v1/login/refresh");
    await http.catalog.clock.advance(60_000);
    expect((await thief.ask("POST", "/api/v1/login/refresh")).status).toBe(401);
    expect(thief.jar.size).toBe(0);
    expect((await client.ask("GET", "/api/v1/me")).status).toBe(401);
  });

  it("survives two tabs that refresh at once", async () => {
    const { http } = await scene();
    const client = await loggedIn(http, "anna");
    const tab = new Client(http);
    tab.jar = new Map(client.jar);
    await client.ask("POST", "/api/v1/login/refresh");
    expect((await tab.ask("POST", "/api/v1/login/refresh")).status).toBe(200);
    expect((await tab.ask("GET", "/api/v1/me")).status).toBe(200);
    expect((await client.ask("GET", "/api/v1/me")).status).toBe(200);
  });

  it("ends at once by logging out, a ban, a new password, or by an admin, whoever has its tokens", async () => {
    const { http, anna } = await scene();
    const ends: ((client: Client) => Promise<unknown>)[] = [
      (client) => client.ask("POST", "/api/v1/logout"),
      () => updateUser(http.catalog, { id: anna.id, patch: { disabled: true } }, REELKEEPER),
      () => updateUser(http.catalog, { id: anna.id, patch: { passwordHash } }, REELKEEPER),
      async () => {
        const admin = await loggedIn(http, "root");
        const { body } = await admin.ask("GET", `/api/v1/sessions?user=${anna.id}`);
        const [session] = body["items"] as { id: string }[];
        return admin.ask("DELETE", `/api/v1/sessions/${session?.id ?? ""}`);
      },
    ];
    for (const end of ends) {
      await updateUser(http.catalog, { id: anna.id, patch: { disabled: false } }, REELKEEPER);
      await http.catalog.clock.advance(61_000);
      const client = await loggedIn(http, "anna");
      const stolen = new Client(http);
      stolen.jar = new Map(client.jar);
      await end(client);
      expect((await stolen.ask("GET", "/api/v1/me")).status).toBe(401);
      expect((await stolen.ask("POST", "/api/v1/login/refresh")).status).toBe(401);
    }
  });

  it("has what the user may now, not what they might when they logged in", async () => {
    const { http, anna } = await scene();
    const client = await loggedIn(http, "anna");
    await updateUser(
      http.catalog,
      { id: anna.id, patch: { role: "operator", paths: ["cam1" as PathPattern] } },
      REELKEEPER,
    );
    expect((await client.ask("GET", "/api/v1/me")).body).toMatchObject({ role: "operator", paths: ["cam1"] });
  });

  it("goes on while its own user changes the password; the others end", async () => {
    const { http } = await scene();
    const [here, elsewhere] = [await loggedIn(http, "anna"), await loggedIn(http, "anna")];
    const wrong = await here.ask("POST", "/api/v1/me/password", { current: WRONG, new: "another long password" });
    expect([wrong.status, JSON.stringify(wrong.body).includes(WRONG)]).toEqual([400, false]);
    const change = { current: PASSWORD, new: "another long password" };
    expect((await here.ask("POST", "/api/v1/me/password", change)).status).toBe(200);
    expect((await here.ask("GET", "/api/v1/me")).status).toBe(200);
    expect((await elsewhere.ask("GET", "/api/v1/me")).status).toBe(401);
  });

  it("is not made longer by a token of ours for something else, nor by one with a changed letter", async () => {
    const { http } = await scene();
    const client = await loggedIn(http, "anna");
    const token = client.jar.get("__Host-reelkeeper-access") ?? "";
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString("base64url");
    const [, payload = "", signature = ""] = token.split(".");
    for (const forged of [
      `${none}.${payload}.`,
      `${none}.${payload}.${signature}`,
      `${token.slice(0, -3)}${token.at(-3) === "A" ? "B" : "A"}${token.slice(-2)}`,
      "x",
      "",
    ]) {
      const authorization = `Bearer ${forged}`;
      expect((await new Client(http).ask("GET", "/api/v1/me", undefined, { authorization })).status).toBe(401);
    }
  });
});

describe("cookies of a page of somebody else (CVE-2023-45670)", () => {
  it.each([
    ["another origin", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
    ["a sister site", { "sec-fetch-site": "same-site" }],
    ["another port", { origin: "http://127.0.0.1:1", "sec-fetch-site": "same-site" }],
    ["a sandboxed frame", { origin: "null", "sec-fetch-site": "cross-site" }],
    ["a client that says nothing", { origin: "", "sec-fetch-site": "" }],
  ])("change nothing from %s", async (_, headers) => {
    const { http, anna } = await scene();
    const admin = await loggedIn(http, "root");
    const cookie = [...admin.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ""));
    for (const [method, path] of [
      ["DELETE", `/api/v1/users/${anna.id}`],
      ["POST", "/api/v1/scan"],
      ["POST", "/api/v1/logout"],
    ] as const) {
      const response = await fetch(`http://127.0.0.1:${http.port}${path}`, {
        method,
        headers: { cookie, "content-type": "application/json", ...given },
        body: "{}",
      });
      expect(response.status, `${method} ${path}`).toBe(403);
    }
    expect((await admin.ask("GET", `/api/v1/users/${anna.id}`)).status).toBe(200);
  });
});

describe("users", () => {
  it("are added, changed and removed by admins alone, and told of in the audit log", async () => {
    const { http } = await scene();
    const admin = await loggedIn(http, "root");
    const user = { name: "bert", role: "operator", paths: ["site-b/*", "cam1"], password: PASSWORD };
    const made = await admin.ask("POST", "/api/v1/users", user);
    expect([made.status, made.body["paths"]]).toEqual([201, ["cam1", "site-b/*"]]);
    expect(JSON.stringify(made.body)).not.toContain("argon2");
    expect((await admin.ask("POST", "/api/v1/users", user)).status).toBe(409);
    const url = `/api/v1/users/${String(made.body["id"])}`;
    expect((await admin.ask("PATCH", url, { role: "viewer" })).body).toMatchObject({ name: "bert", role: "viewer" });
    const viewer = await loggedIn(http, "anna");
    for (const [method, path] of [
      ["GET", "/api/v1/users"],
      ["DELETE", url],
      ["GET", "/api/v1/audit"],
    ] as const) {
      expect((await viewer.ask(method, path)).status, path).toBe(403);
    }
    expect((await admin.ask("DELETE", url)).status).toBe(200);
    const { body } = await admin.ask("GET", "/api/v1/audit?target=user:bert");
    expect(
      (body["items"] as { action: string; actor: { name: string } }[]).map((item) => [item.action, item.actor.name]),
    ).toEqual([
      ["user.delete", "root"],
      ["user.update", "root"],
      ["user.create", "root"],
    ]);
  });

  it("never lose their last admin", async () => {
    const { http, admin: row, add } = await scene();
    const admin = await loggedIn(http, "root");
    const url = `/api/v1/users/${row.id}`;
    for (const patch of [{ disabled: true }, { role: "operator" }]) {
      expect((await admin.ask("PATCH", url, patch)).status).toBe(409);
    }
    expect((await admin.ask("DELETE", url)).status).toBe(409);
    expect((await admin.ask("GET", "/api/v1/me")).status).toBe(200);
    await add("second", "admin");
    expect((await admin.ask("PATCH", url, { role: "operator" })).status).toBe(200);
  });

  it.each([
    [{ name: "Bert" }, "name"],
    [{ name: "__proto__" }, "name"],
    [{ name: "a b" }, "name"],
    [{ name: "" }, "name"],
    [{ role: "root" }, "role"],
    [{ paths: ["cam*"] }, "paths.0"],
    [{ paths: ["a", "../*"] }, "paths.1"],
    [{ paths: "cam1" }, "paths"],
    [{ password: "short-secret".slice(0, 11) }, "password"],
    [{ admin: true }, "admin"],
  ])("with %j are refused by the field's name", async (change, field) => {
    const { http } = await scene();
    const admin = await loggedIn(http, "root");
    const user = { name: "bert", role: "viewer", paths: [], password: PASSWORD, ...change };
    const { status, body } = await admin.ask("POST", "/api/v1/users", user);
    expect(status).toBe(400);
    expect((body["errors"] as { field: string }[]).map(({ field: name }) => name)).toEqual([field]);
    expect(JSON.stringify(body)).not.toContain("short-secre");
  });
});

describe("API tokens", () => {
  async function tokenOf(client: Client, facts: Record<string, unknown>): Promise<{ id: string; token: string }> {
    const { status, body } = await client.ask("POST", "/api/v1/tokens", { name: "script", role: "viewer", ...facts });
    expect(status).toBe(201);
    return body as unknown as { id: string; token: string };
  }

  it("are told once, open what was asked for, and end at once when revoked", async () => {
    const { http } = await scene();
    const anna = await loggedIn(http, "anna");
    const { id, token } = await tokenOf(anna, { paths: ["site-a/gate"] });
    expect(token).toMatch(/^rk_[\w-]{43}$/);
    const script = new Client(http);
    const headers = { authorization: `Bearer ${token}` };
    const me = await script.ask("GET", "/api/v1/me", undefined, headers);
    expect(me.body).toMatchObject({ kind: "token", name: "anna's token script", paths: ["site-a/gate"] });
    const { body } = await anna.ask("GET", "/api/v1/tokens");
    expect((body["items"] as { lastUsedAt: string | null }[])[0]?.lastUsedAt).not.toBeNull();
    expect(JSON.stringify(body)).not.toContain(token);
    await anna.ask("DELETE", `/api/v1/tokens/${id}`);
    expect((await script.ask("GET", "/api/v1/me", undefined, headers)).status).toBe(401);
  });

  it("are never more than their owner, then or now", async () => {
    const { http, anna: row } = await scene();
    const anna = await loggedIn(http, "anna");
    expect((await anna.ask("POST", "/api/v1/tokens", { name: "x", role: "admin", paths: ["*"] })).status).toBe(403);
    for (const paths of [["*"], ["site-b/*"], ["site-a"], []]) {
      expect((await anna.ask("POST", "/api/v1/tokens", { name: "x", role: "viewer", paths })).status).toBe(400);
    }
    const { token } = await tokenOf(anna, { paths: ["site-a/*"] });
    const headers = { authorization: `Bearer ${token}` };
    const script = new Client(http);
    const timeline = "/api/v1/days?path=site-a/gate&month=2026-11";
    expect((await script.ask("GET", timeline, undefined, headers)).status).toBe(200);
    await updateUser(http.catalog, { id: row.id, patch: { paths: ["site-b/*" as PathPattern] } }, REELKEEPER);
    expect((await script.ask("GET", timeline, undefined, headers)).status).toBe(404);
    await updateUser(http.catalog, { id: row.id, patch: { disabled: true } }, REELKEEPER);
    expect((await script.ask("GET", "/api/v1/me", undefined, headers)).status).toBe(401);
  });

  it("expire", async () => {
    const { http } = await scene();
    const anna = await loggedIn(http, "anna");
    const expiresAt = new Date(http.catalog.clock.nowUs() / 1_000 + 60_000).toISOString();
    const { token } = await tokenOf(anna, { paths: ["site-a/*"], expiresAt });
    const headers = { authorization: `Bearer ${token}` };
    expect((await new Client(http).ask("GET", "/api/v1/me", undefined, headers)).status).toBe(200);
    await http.catalog.clock.advance(MINUTE_US / 1_000 + 1);
    expect((await new Client(http).ask("GET", "/api/v1/me", undefined, headers)).status).toBe(401);
  });

  it("of others are not there", async () => {
    const { http } = await scene();
    const { id } = await tokenOf(await loggedIn(http, "root"), { paths: ["*"] });
    const anna = await loggedIn(http, "anna");
    expect((await anna.ask("DELETE", `/api/v1/tokens/${id}`)).status).toBe(404);
    expect((await anna.ask("GET", "/api/v1/tokens")).body).toEqual({ items: [] });
  });

  it.each(["rk_", "rk___proto__", "rk_constructor", "toString", "__proto__", "constructor"])(
    "%j is none (CVE-2021-27228)",
    async (token) => {
      const { http } = await scene();
      const headers = { authorization: `Bearer ${token}` };
      expect((await new Client(http).ask("GET", "/api/v1/me", undefined, headers)).status).toBe(401);
    },
  );
});

describe("the audit log", () => {
  it("is read in pages, by actor, action, target and time", async () => {
    const { http } = await scene();
    const admin = await loggedIn(http, "root");
    for (let number = 0; number < 5; number += 1)
      await admin.ask("POST", "/api/v1/tokens", {
        ...{ name: `t${String(number)}`, role: "viewer", paths: ["*"] },
      });
    const seen: number[] = [];
    let next: number | null | undefined;
    do {
      const before = next === undefined ? "" : `&before=${String(next)}`;
      const { body } = await admin.ask("GET", `/api/v1/audit?action=token.create&actor=root&limit=2${before}`);
      seen.push(...(body["items"] as { id: number }[]).map(({ id }) => id));
      next = body["next"] as number | null;
    } while (next !== null);
    expect(seen).toHaveLength(5);
    expect(seen).toEqual([...seen].sort((a, b) => b - a));
    const future = new Date(http.catalog.clock.nowUs() / 1_000 + 1_000).toISOString();
    expect((await admin.ask("GET", `/api/v1/audit?from=${future}`)).body["items"]).toEqual([]);
  });
});

it("every route of users and logging in has answered here", async () => {
  const { http } = await scene();
  const root = await loggedIn(http, "root");
  await root.ask("GET", "/api/v1/users");
  const routes = http.routes.filter(({ tag }) => tag === "login" || tag === "users");
  // login-oidc.test.ts
  for (const target of ["/api/v1/login/oidc", "/api/v1/login/oidc/callback"]) answered.add(`GET ${target}`);
  expect(routes.map(({ method, path }) => `${method} ${path}`).filter((route) => !answered.has(route))).toEqual([]);
});
