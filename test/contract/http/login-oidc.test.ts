/** Logging in by a real OpenID provider, which is away at times, and whose answers come twice, late, or to the wrong browser. */
import { describe, expect, it, onTestFinished } from "vitest";

import { Oidc } from "../../../src/access/oidc.js";
import { listAudit, REELKEEPER } from "../../../src/catalog/audit.js";
import { findUser, insertUser, listUsers, updateUser } from "../../../src/catalog/users.js";
import { parseGroupRoles } from "../../../src/core/group-roles.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";
import { type OidcServer, startOidcProvider } from "../../support/oidc-provider.js";

const PUBLIC_URL = "https://cameras.example.org";
const CALLBACK = `${PUBLIC_URL}/api/v1/login/oidc/callback`;
const CLIENT = {
  clientId: "reelkeeper",
  clientSecret: "a secret of the client".replaceAll(" ", "-"),
  redirectUrl: CALLBACK,
};
const ROLES = "admins=admin; guards=operator:site-a/*,gate; staff=viewer:*";
const HOUR_US = 3_600_000_000;

interface Answer {
  readonly status: number;
  readonly location: string;
  readonly cookies: readonly string[];
}

/** A browser: cookies, and a name server that knows where PUBLIC_URL is. */
class Browser {
  readonly #http: HttpHarness;
  readonly jar = new Map<string, string>();

  constructor(http: HttpHarness) {
    this.#http = http;
  }

  async open(
    url: string,
    init: Omit<RequestInit, "headers"> & { readonly headers?: Record<string, string> } = {},
  ): Promise<Response> {
    const { pathname, search } = new URL(url, PUBLIC_URL);
    const response = await fetch(`http://127.0.0.1:${this.#http.port}${pathname}${search}`, {
      ...{ redirect: "manual", ...init },
      headers: { cookie: [...this.jar].map(([key, value]) => `${key}=${value}`).join("; "), ...init.headers },
    });
    for (const line of response.headers.getSetCookie()) {
      const [key = "", value = ""] = (line.split(";", 1)[0] ?? "").split("=");
      if (value === "") this.jar.delete(key);
      else this.jar.set(key, value);
    }
    return response;
  }

  async follow(url: string): Promise<Answer> {
    const response = await this.open(url);
    const location = response.headers.get("location") ?? "";
    return { status: response.status, location, cookies: response.headers.getSetCookie() };
  }

  async me(): Promise<Record<string, unknown>> {
    return (await (await this.open("/api/v1/me")).json()) as Record<string, unknown>;
  }

  refresh(): Promise<Response> {
    return this.open("/api/v1/login/refresh", {
      ...{ method: "POST", body: "{}" },
      headers: { "content-type": "application/json", "sec-fetch-site": "same-origin" },
    });
  }
}

async function scene(groupsIn: "id token" | "userinfo" = "id token") {
  const provider = await startOidcProvider({ ...CLIENT, groupsIn });
  onTestFinished(() => provider.stop());
  provider.people.set("anna", { preferred_username: "Anna", groups: ["guards", "staff"] });
  provider.people.set("eve", { preferred_username: "eve", groups: ["visitors"] });
  const oidc = new Oidc({ ...CLIENT, issuer: provider.issuer, scopes: "openid profile", groupsClaim: "groups" });
  const elsewhere = { provider: oidc, groupRoles: parseGroupRoles(ROLES), publicUrl: PUBLIC_URL };
  const http = await httpForTest({ login: true, elsewhere, hardening: { publicUrl: PUBLIC_URL } });
  return { provider, http, browser: new Browser(http) };
}

async function logIn(browser: Browser, provider: OidcServer, name: string, returnTo = "/"): Promise<Answer> {
  const begun = await browser.follow(`/api/v1/login/oidc?returnTo=${encodeURIComponent(returnTo)}`);
  return browser.follow(await provider.logIn(begun.location, name));
}

async function actions(http: HttpHarness): Promise<string[]> {
  const items = await listAudit(http.catalog, {}, { limit: 50 });
  return items.map(({ action, target }) => `${action} ${target}`).reverse();
}

describe("login by a provider", () => {
  it("sends the browser there with PKCE, state and nonce, and lets it in with what its first group opens", async () => {
    const { provider, http, browser } = await scene();
    expect(await (await browser.open("/api/v1/login/options")).json()).toMatchObject({ oidc: true, password: true });
    const begun = await browser.follow("/api/v1/login/oidc?returnTo=/%3Fpath%3Dgate%23/account");
    const asked = new URL(begun.location);
    expect(begun.status).toBe(302);
    expect(asked.origin).toBe(provider.issuer);
    expect(Object.fromEntries(asked.searchParams)).toMatchObject({
      ...{ response_type: "code", client_id: "reelkeeper", redirect_uri: CALLBACK },
      ...{ code_challenge_method: "S256", scope: "openid profile" },
    });
    for (const each of ["state", "nonce", "code_challenge"]) {
      expect(asked.searchParams.get(each)?.length, each).toBeGreaterThan(30);
    }
    expect(begun.cookies.join()).toMatch(
      /^__Host-reelkeeper-attempt=\S+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600; Secure$/,
    );
    const ended = await browser.follow(await provider.logIn(begun.location, "anna"));
    expect(ended.location).toBe(`${PUBLIC_URL}/?path=gate#/account`);
    expect([...browser.jar.keys()].sort()).toEqual(["__Host-reelkeeper-access", "__Host-reelkeeper-refresh"]);
    expect(await browser.me()).toMatchObject({
      kind: "user",
      name: "anna",
      role: "operator",
      paths: ["gate", "site-a/*"],
    });
    expect(await actions(http)).toEqual(["user.create user:anna", "login.oidc user:anna"]);
  });

  it("asks the userinfo for groups that the ID token does not hold", async () => {
    const { provider, browser } = await scene("userinfo");
    await logIn(browser, provider, "anna");
    expect(await browser.me()).toMatchObject({ name: "anna", role: "operator" });
  });

  it("keeps a user to their groups of the day, and never makes them somebody of the same name", async () => {
    const { provider, http, browser } = await scene();
    const local = { name: "anna", role: "admin", paths: [], passwordHash: null } as const;
    await insertUser(http.catalog, local, REELKEEPER);
    await logIn(browser, provider, "anna");
    const me = await browser.me();
    expect(me).toMatchObject({ role: "operator" });
    expect(me["name"]).toMatch(/^anna-[0-9a-f]{8}$/);
    provider.people.set("anna", { preferred_username: "Anna", groups: ["staff"] });
    const again = new Browser(http);
    await logIn(again, provider, "anna");
    expect(await again.me()).toMatchObject({ id: me["id"], role: "viewer", paths: ["*"] });
    expect(await listUsers(http.catalog)).toHaveLength(2);
  });

  it("refuses whom no group opens anything, and who is disabled, and tells the audit log", async () => {
    const { provider, http, browser } = await scene();
    expect((await logIn(browser, provider, "eve")).location).toBe(`${PUBLIC_URL}/?loginError=permission-denied`);
    expect(await listUsers(http.catalog)).toEqual([]);
    await insertUser(http.catalog, { name: "root", role: "admin", paths: [], passwordHash: null }, REELKEEPER);
    await logIn(browser, provider, "anna");
    const anna = await findUser(http.catalog, { name: "anna" });
    await updateUser(http.catalog, { id: anna!.id, patch: { disabled: true } }, REELKEEPER);
    const other = new Browser(http);
    expect((await logIn(other, provider, "anna")).location).toContain("loginError=permission-denied");
    expect([...other.jar.keys(), (await browser.open("/api/v1/me")).status]).toEqual([401]);
    expect((await actions(http)).filter((line) => line.startsWith("login.fail"))).toEqual([
      "login.fail user:eve",
      "login.fail user:anna",
    ]);
  });

  it("takes an answer once, from the browser that asked, with the state that was sent", async () => {
    const { provider, http, browser } = await scene();
    const denied = { status: 302, location: `${PUBLIC_URL}/?loginError=permission-denied` };
    const begun = await browser.follow("/api/v1/login/oidc");
    const answer = await provider.logIn(begun.location, "anna");
    expect(await new Browser(http).follow(answer), "a browser that began no login").toMatchObject(denied);
    const thief = new Browser(http);
    await thief.follow("/api/v1/login/oidc");
    expect(await thief.follow(answer), "a browser that began another login").toMatchObject(denied);
    expect(await browser.follow(answer.replace(/state=[^&]+/, "state=x")), "another state").toMatchObject(denied);
    expect(await browser.follow(answer), "its cookie is gone with the first answer").toMatchObject(denied);
    const fresh = new Browser(http);
    const begunAgain = await fresh.follow("/api/v1/login/oidc");
    const attempt = new Map(fresh.jar);
    const good = await provider.logIn(begunAgain.location, "anna");
    expect((await fresh.follow(good)).location).toBe(`${PUBLIC_URL}/`);
    const replayer = new Browser(http);
    for (const [key, value] of attempt) replayer.jar.set(key, value);
    expect(await replayer.follow(good), "a code that was used").toMatchObject(denied);
    const refused = `${CALLBACK}?error=access_denied&state=x`;
    await replayer.follow("/api/v1/login/oidc");
    expect(await replayer.follow(refused), "the provider's no").toMatchObject(denied);
    expect(replayer.jar.has("__Host-reelkeeper-access")).toBe(false);
  });

  it("says that the provider is away, before and after, and is well when it is back", async () => {
    const { provider, http, browser } = await scene();
    const away = { location: `${PUBLIC_URL}/?loginError=unavailable` };
    const begun = await browser.follow("/api/v1/login/oidc");
    const answer = await provider.logIn(begun.location, "anna");
    await provider.stop();
    expect(await browser.follow(answer)).toMatchObject(away);
    const oidc = new Oidc({ ...CLIENT, issuer: provider.issuer, scopes: "openid", groupsClaim: "groups" });
    await expect(oidc.begin()).rejects.toThrow(/does not answer as one/);
    expect((await http.catalog.db("sessions").select("id")) as unknown[]).toEqual([]);
  });

  it("ends twelve hours later, however often it is renewed", async () => {
    const { provider, http, browser } = await scene();
    await logIn(browser, provider, "anna");
    await http.catalog.clock.advance((11 * HOUR_US) / 1_000);
    expect((await browser.refresh()).status).toBe(200);
    await http.catalog.clock.advance((2 * HOUR_US) / 1_000);
    expect((await browser.refresh()).status).toBe(401);
  });

  it.each(["//evil.example", "/\\evil.example", "https://evil.example", "/?a\nb", "/../evil"])(
    "does not return to %j",
    async (to) => {
      const { browser } = await scene();
      const response = await browser.open(`/api/v1/login/oidc?returnTo=${encodeURIComponent(to)}`);
      expect([response.status, ((await response.json()) as { detail: string }).detail]).toEqual([
        400,
        expect.stringContaining("returnTo"),
      ]);
    },
  );

  it("is not there without a provider", async () => {
    const http = await httpForTest({ login: true });
    expect((await new Browser(http).open("/api/v1/login/oidc")).status).toBe(409);
  });
});
