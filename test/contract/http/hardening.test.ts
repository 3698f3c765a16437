/** What stands before every route. Requests come through a proxy on this machine, which says whom it speaks for. */
import { connect } from "node:net";

import { describe, expect, it, onTestFinished, vi } from "vitest";

import { listAudit } from "../../../src/catalog/audit.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";

const PUBLIC_URL = "https://cameras.example.org";
const WALL = "https://wall.example.org";

function ask(
  http: HttpHarness,
  target: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<Response> {
  const body = method === "POST" ? { body: JSON.stringify({ name: "nobody", password: "not-one" }) } : {};
  const json: Record<string, string> = method === "POST" ? { "content-type": "application/json" } : {};
  return fetch(`http://127.0.0.1:${http.port}${target}`, { method, headers: { ...json, ...headers }, ...body });
}

describe("every answer", () => {
  it.each(["/api/v1/paths", "/nothing", "/health"])("of %s keeps browsers from doing more with it", async (target) => {
    const { headers } = await ask(await httpForTest(), target);
    expect(Object.fromEntries(headers)).toMatchObject({
      "content-security-policy": "default-src 'none';frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "cross-origin-resource-policy": "same-origin",
      "cross-origin-opener-policy": "same-origin",
      "cache-control": "no-store",
    });
    expect(headers.get("x-powered-by")).toBeNull();
    expect(headers.get("strict-transport-security"), "plain HTTP, as far as we know").toBeNull();
  });

  it("asks for HTTPS ever after where that is our address, and says nothing of our neighbours", async () => {
    const http = await httpForTest({ hardening: { publicUrl: PUBLIC_URL } });
    expect((await ask(http, "/health")).headers.get("strict-transport-security")).toBe("max-age=15552000");
  });
});

describe("what never becomes a request", () => {
  const say = (http: HttpHarness, text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(http.port, "127.0.0.1", () => socket.write(text));
      let answer = "";
      socket.setEncoding("utf8").on("data", (part: string) => (answer += part));
      socket.on("error", reject).on("end", () => resolve(answer));
    });

  it.each([
    ["a long URL", `GET /health?${"x".repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    ["long headers", `GET /health HTTP/1.1\r\nHost: x\r\nCookie: ${"x".repeat(20_000)}\r\n\r\n`, 431],
    ["another protocol", "HELO example.org\r\n\r\n", 400],
  ])("%s is told why", async (_what, text, status) => {
    const [head = "", body = ""] = (await say(await httpForTest(), text)).split("\r\n\r\n");
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} .*application/problem\\+json`, "s"));
    expect(JSON.parse(body)).toMatchObject({ status, type: "urn:reelkeeper:problem:invalid-argument" });
  });
});

describe("pages elsewhere", () => {
  it("read nothing unless they are named", async () => {
    const http = await httpForTest();
    expect((await ask(http, "/api/v1/paths", { origin: WALL })).headers.get("access-control-allow-origin")).toBeNull();
    expect((await ask(http, "/api/v1/paths", { origin: WALL }, "OPTIONS")).status).toBe(405);
  });

  it("that are named read with a token of their own, never by a cookie", async () => {
    const http = await httpForTest({ hardening: { corsOrigins: [WALL] } });
    const preflight = await ask(
      ...([http, "/api/v1/paths"] as const),
      { origin: WALL, "access-control-request-method": "GET", "access-control-request-headers": "authorization" },
      "OPTIONS",
    );
    expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([204, WALL]);
    expect(preflight.headers.get("access-control-allow-headers")).toContain("Authorization");
    const { headers } = await ask(http, "/api/v1/paths", { origin: WALL });
    expect([headers.get("access-control-allow-origin"), headers.get("access-control-allow-credentials")]).toEqual([
      WALL,
      null,
    ]);
    expect(headers.get("access-control-expose-headers")).toContain("Content-Range");
    const other = await ask(http, "/api/v1/paths", { origin: `${WALL}.evil.example` });
    expect(other.headers.get("access-control-allow-origin")).toBeNull();
  });
});

describe("who asks too often", () => {
  const many = async (http: HttpHarness, address: string, times: number): Promise<number[]> => {
    const answers = Array.from({ length: times }, () => ask(http, "/health", { "x-forwarded-for": address }));
    return (await Promise.all(answers)).map(({ status }) => status);
  };

  it("waits, by address, and this machine never", async () => {
    // All of it within the ten seconds for which requests are counted, however long it takes.
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const http = await httpForTest({ hardening: { requestsPerSec: 1 } });
    expect((await many(http, "203.0.113.7", 12)).sort()).toEqual([...Array<number>(10).fill(200), 429, 429]);
    expect(await many(http, "203.0.113.8", 1)).toEqual([200]);
    expect(new Set(await many(http, "127.0.0.1", 15))).toEqual(new Set([200]));
    const refused = await ask(http, "/health", { "x-forwarded-for": "203.0.113.7" });
    expect(refused.headers.get("retry-after")).toBe("10");
    expect(await refused.json()).toMatchObject({ status: 429, hint: expect.stringContaining("RATE_LIMIT") as string });
  });

  it("cannot hide behind a made-up address where no proxy is trusted", async () => {
    const http = await httpForTest({ hardening: { requestsPerSec: 1, trustProxy: ["10.0.0.0/8"] } });
    const addresses = Array.from({ length: 20 }, (_, index) => `203.0.113.${String(index)}`);
    const statuses = await Promise.all(addresses.map((address) => many(http, address, 1)));
    // This machine is what all of them are, and it is never limited.
    expect(new Set(statuses.flat())).toEqual(new Set([200]));
    const login = await httpForTest({ login: true, hardening: { trustProxy: [] } });
    const tries = [];
    for (const address of addresses.slice(0, 6)) {
      tries.push((await ask(login, "/api/v1/login", { "x-forwarded-for": address }, "POST")).status);
    }
    expect(tries).toEqual([401, 401, 401, 401, 401, 429]);
  });
});

describe("behind a proxy", () => {
  it("the audit log tells of the client, not of the proxy", async () => {
    const http = await httpForTest({ login: true });
    await ask(http, "/api/v1/login", { "x-forwarded-for": "203.0.113.7, 127.0.0.1" }, "POST");
    const [note] = await listAudit(http.catalog, {}, { limit: 1 });
    expect(note).toMatchObject({ action: "login.fail", actor: { address: "203.0.113.7" } });
  });

  it("that rewrites the Host, our own page is known by PUBLIC_URL, and no other", async () => {
    const http = await httpForTest({ login: true, hardening: { publicUrl: PUBLIC_URL } });
    const from = async (origin: string): Promise<number> =>
      (await ask(http, "/api/v1/login", { origin, "sec-fetch-site": "same-origin" }, "POST")).status;
    expect([await from(PUBLIC_URL), await from(WALL)]).toEqual([401, 403]);
  });

  it("links name the address that PUBLIC_URL says", async () => {
    const http = await httpForTest({ hardening: { publicUrl: `${PUBLIC_URL}/reels` } });
    const response = await fetch(`http://127.0.0.1:${http.port}/api/v1/shares`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        ...{ path: "cam1", from: "2026-11-20T00:00:00Z", to: "2026-11-20T01:00:00Z" },
        expiresAt: new Date(http.catalog.clock.nowUs() / 1_000 + 3_600_000).toISOString(),
      }),
    });
    expect(((await response.json()) as { url: string }).url).toMatch(
      /^https:\/\/cameras\.example\.org\/reels\/share\//,
    );
  });
});
