/** Holes that others had, tried here. Each test has the id of its lesson in its name (test/faults/lessons.ts). */
import { readdir, readFile } from "node:fs/promises";
import { connect } from "node:net";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { AppError } from "../../../src/core/errors.js";
import { parsePathName } from "../../../src/core/path-name.js";
import { parsePathPattern } from "../../../src/core/path-pattern.js";
import type { Principal } from "../../../src/core/principal.js";
import { ask, type Ask } from "../../support/http-ask.js";
import { addFixtures } from "../../support/http-footage.js";
import { HOOK_SECRET, type HttpHarness, startHttp } from "../../support/http-harness.js";
import { dump } from "../../support/http-rows.js";
import { PATIENCE } from "../../support/patience.js";

const SPAN = { from: "2026-11-20T17:04:44Z", to: "2026-11-20T17:04:50Z" };
const RANGE = new URLSearchParams(SPAN).toString();
const PROTOTYPE = ["__proto__", "constructor", "toString", "hasOwnProperty", "prototype", "valueOf"];
const ROLE = { name: "anna", range: null, sessionId: null } as const;
const ADMIN: Principal = { ...ROLE, kind: "user", id: "admin", role: "admin", scopes: [] };
const VIEWER: Principal = {
  ...ROLE,
  kind: "user",
  id: "viewer",
  role: "viewer",
  scopes: [[parsePathPattern("site-a/*")]],
};

let http: HttpHarness;
let id: string;

beforeAll(async () => {
  const known = new Map([
    ["Bearer admin", ADMIN],
    ["Bearer viewer", VIEWER],
  ]);
  http = await startHttp({
    identify: ({ authorization }) => {
      const who = known.get(authorization ?? "");
      if (who !== undefined) return Promise.resolve(who);
      return Promise.reject(new AppError({ kind: "unauthenticated", message: "who is that" }));
    },
  });
  const [first] = await addFixtures(http, "v1.20.1/h264-aac");
  await addFixtures(http, "v1.20.1/h264-aac", { changes: { path: parsePathName("site-a/cam") } });
  id = first!.id;
});
afterAll(() => http.close());

const asAdmin = (target: string, options: Ask = {}) =>
  ask(http, target, { ...options, headers: { ...options.headers, authorization: "Bearer admin" } });
const asViewer = (target: string) => ask(http, target, { headers: { authorization: "Bearer viewer" } });

describe("names and ids", () => {
  it("e064024a3 b3ce4486b: no other spelling of a path opens it, and none of its neighbours", async () => {
    const spellings = [
      ...["cam1", "CAM1", "/cam1", "cam1/", "./cam1", "site-a/../cam1", "site-a/cam/../../cam1", "site-a//cam"],
      ...[
        "cam1%00",
        "cam1\0",
        "~^cam1$",
        "~.*",
        "*",
        "all",
        "all_others",
        "site-a",
        "site-a/",
        "site-a/*",
        "site-ab/cam",
      ],
    ];
    for (const path of spellings) {
      for (const target of [
        `/api/v1/clip.mp4?path=${encodeURIComponent(path)}&${RANGE}`,
        `/api/v1/playlist.m3u8?path=${encodeURIComponent(path)}&${RANGE}`,
        `/api/v1/thumbnail.jpg?path=${encodeURIComponent(path)}`,
        `/api/v1/timeline?path=site-a/cam,${encodeURIComponent(path)}&${RANGE}`,
        `/playback/list?path=${encodeURIComponent(path)}`,
        `/api/v1/clip.mp4?path=site-a/cam&path=${encodeURIComponent(path)}&${RANGE}`,
      ]) {
        expect([400, 404], target).toContain((await asViewer(target)).status);
      }
    }
    for (const spelled of ["site-a/cam", "site-a%2Fcam", "%73ite-a/cam"]) {
      expect((await asViewer(`/api/v1/clip.mp4?path=${spelled}&${RANGE}`)).status, spelled).toBe(200);
    }
  });

  it("CVE-2023-26035: ids and names of a wrong type are refused on every route", async () => {
    for (const value of [{}, { $ne: 1 }, { id: "cam1" }, ["cam1"], [["cam1"]], 1, 0, true, false, null, 1e99]) {
      for (const [route, more, field] of [
        ["/api/v1/exports", SPAN, "path"],
        ["/api/v1/shares", { ...SPAN, expiresAt: "2026-11-21T00:00:00Z" }, "path"],
        ["/api/v1/paths", {}, "name"],
        ["/api/v1/signed-urls", {}, "url"],
      ] as const) {
        const answer = await asAdmin(route, { method: "POST", body: { ...more, [field]: value } });
        expect(answer.status, `${route} ${JSON.stringify(value)}`).toBe(400);
      }
    }
    const odd = ["path[]=cam1", "path[$ne]=x", "path[0]=cam1", "path=cam1&path=cam2"];
    for (const query of odd) {
      for (const route of ["clip.mp4", "playlist.m3u8", "thumbnail.jpg"]) {
        const range = route === "thumbnail.jpg" ? "" : `&${RANGE}`;
        expect((await asAdmin(`/api/v1/${route}?${query}${range}`)).status, `${route} ${query}`).toBe(400);
      }
    }
    for (const odd of ["1", "1.0", "[object%20Object]", "{}", "null", "NaN", `${id}%20`, `${id},${id}`]) {
      expect((await asAdmin(`/api/v1/recordings/${odd}`)).status, odd).toBe(400);
    }
  });

  it("CVE-2021-27228: names of what every object has are no token, path, id or key", async () => {
    for (const name of PROTOTYPE) {
      for (const authorization of [`Bearer ${name}`, `Basic ${name}`]) {
        expect((await ask(http, "/api/v1/recordings", { headers: { authorization } })).status).toBe(401);
      }
      expect((await ask(http, `/share/${name}`)).status).toBe(404);
      for (const route of ["recordings", "exports", "shares"]) {
        const method = route === "shares" ? "DELETE" : "GET";
        expect((await asAdmin(`/api/v1/${route}/${name}`, { method })).status, `${route}/${name}`).toBe(400);
      }
      expect((await asAdmin(`/api/v1/paths/${name}`)).status).toBe(404);
      expect((await asAdmin(`/assets/${name}`)).status).not.toBe(200);
      const signed = `signedBy=user:${name}&expires=99999999999&signingKey=${name}&signature=${name}`;
      expect((await ask(http, `/api/v1/clip.mp4?path=cam1&${RANGE}&${signed}`)).status).toBe(401);
      expect((await asAdmin(`/api/v1/recordings?${name}=1`)).status).toBe(400);
      const body = `{"${name}":{"role":"admin"},"name":"x"}`;
      const headers = { "content-type": "application/json" };
      expect((await asAdmin("/api/v1/paths", { method: "POST", body, headers })).status).toBe(400);
    }
    expect(({} as { role?: string }).role).toBeUndefined();
  });

  it("CVE-2024-51482: SQL in any parameter is text", async () => {
    const before = await dump(http.catalog);
    const attempts = [
      "' or '1'='1",
      "cam1' --",
      "cam1'; drop table recordings; --",
      "cam1' union select password_hash from users --",
      "1) or sleep(5)#",
      "cam1' and (select randomblob(1000000000)) --",
      "'; select pg_sleep(5); --",
      '" or ""="',
      "cam1\\' or 1=1 --",
      "%27%20or%201=1",
      "cam1'/**/or/**/1=1",
    ];
    for (const text of attempts) {
      const encoded = encodeURIComponent(text);
      for (const target of [
        ...["path", "from", "to", "state", "order", "limit", "cursor", "total"].map(
          (field) => `/api/v1/recordings?${field}=${encoded}`,
        ),
        ...["path", "month", "zone"].map((field) => `/api/v1/days?path=cam1&month=2026-11&${field}=${encoded}`),
        `/api/v1/timeline?path=${encoded}&${RANGE}`,
        `/api/v1/thumbnail.jpg?path=cam1&width=${encoded}`,
        `/api/v1/recordings/${encoded}`,
        `/api/v1/exports/${encoded}`,
        `/api/v1/rejected-files?limit=${encoded}`,
        `/playback/list?path=${encoded}`,
      ]) {
        const startedMs = performance.now();
        expect([400, 404], target).toContain((await asAdmin(target)).status);
        expect(performance.now() - startedMs, target).toBeLessThan(2_000 * PATIENCE);
      }
    }
    expect(await dump(http.catalog)).toEqual(before);
  });
});

describe("routing", () => {
  const ODD = [
    "/%61pi/v1/recordings",
    "/api/v1/%72ecordings",
    "/api/v1/recordings/",
    "/API/V1/RECORDINGS",
    "//api/v1/recordings",
    "/api//v1/recordings",
    "/./api/v1/recordings",
    "/assets/../api/v1/recordings",
    "/assets/..%2fapi/v1/recordings",
    "/assets/%2e%2e/api/v1/recordings",
    "/share/..%2f..%2fapi/v1/recordings",
    "/health/../api/v1/recordings",
    "/health;/api/v1/recordings",
    "/health%3b/../api/v1/recordings",
    "/api/docs/..%5c..%5capi/v1/recordings",
    "/api/v1/openapi.json/../recordings",
    "/api/v1/recordings;public",
    "/api/v1/recordings%23",
    "/api/v1/recordings%3Flimit=1",
    "/metrics%20",
    "/%6detrics",
    "/METRICS",
    "http://127.0.0.1/api/v1/recordings",
    "http://evil.example/metrics",
  ];

  it("CVE-2026-34908 CVE-2026-22031: no spelling of a URL comes past its guard", async () => {
    for (const target of ODD) {
      for (const method of ["GET", "HEAD", "POST", "DELETE"]) {
        const answer = await ask(http, target, {
          method,
          headers: { "x-original-url": "/metrics", "x-rewrite-url": "/" },
        });
        expect([400, 401, 404, 405], `${method} ${target}`).toContain(answer.status);
        expect(answer.text).not.toContain("cam1");
      }
    }
  });

  it("9b453136: no answer leads elsewhere", async () => {
    const targets = [
      ...ODD,
      "//evil.example",
      "//evil.example/..",
      "/\\evil.example",
      "/%0d%0aLocation:%20//evil.example",
    ];
    for (const target of [...targets, "/share//evil.example", "/assets//evil.example/x.js"]) {
      for (const ask of [asAdmin, asViewer]) {
        const answer = await ask(target);
        expect(answer.headers.location, target).toBeUndefined();
        expect(String(answer.status), target).not.toMatch(/^3/);
      }
    }
  });

  it("aade2eed CVE-2024-29191: what comes in a URL or was stored never comes back as HTML", async () => {
    const script = "<script>alert(1)</script>";
    for (const target of [`/${script}`, `/assets/${script}`, `/share/${script}`, `/api/v1/recordings/${script}`]) {
      for (const url of [target, encodeURI(target), `${target}/`]) {
        const answer = await asAdmin(url.replaceAll(" ", "%20"));
        expect(answer.headers["content-type"], url).toMatch(/^application\/problem\+json/);
        expect(answer.headers["x-content-type-options"]).toBe("nosniff");
        expect(answer.headers["content-security-policy"]).toContain("default-src 'none'");
      }
    }
    const labels = [script, '"><img src=x onerror=alert(1)>'];
    await asAdmin("/api/v1/paths", { method: "POST", body: { name: "stored/xss", labels } });
    const shown = await asAdmin("/api/v1/paths/stored/xss");
    expect(shown.json()).toMatchObject({ labels });
    expect(shown.headers["content-type"]).toMatch(/^application\/json/);
  });
});

describe("what comes in", () => {
  it("CVE-2025-62382: no route takes the name of a file of the server", async () => {
    const document = (await asAdmin("/api/v1/openapi.json")).text;
    const names = new Set<string>();
    const walk = (value: unknown, isInput: boolean): void => {
      if (typeof value !== "object" || value === null) return;
      for (const [key, inner] of Object.entries(value)) {
        if (isInput && key === "properties") for (const name of Object.keys(inner as object)) names.add(name);
        if (key === "parameters") for (const { name } of inner as { name: string }[]) names.add(name);
        walk(inner, isInput || key === "requestBody");
      }
    };
    walk((JSON.parse(document) as { paths: unknown }).paths, false);
    expect(names.size).toBeGreaterThan(20);
    const suspicious = [...names].filter((name) => /file|dir|folder|path|key|url|location/i.test(name)).sort();
    // A path is MediaMTX's, `file` of /assets/ is one that the page's manifest names, the rest is mapped into the
    // record directory or matched against routes. test/contract/http/traversal.test.ts tries them all.
    expect(suspicious.filter((name) => !["path", "paths", "file", "segmentPath", "url"].includes(name))).toEqual([]);
  });

  it("Node-Media-Server#689: a hook with a forged path writes nothing", async () => {
    const before = await dump(http.catalog);
    const forged = [
      "../x",
      "a/../../x",
      "/etc",
      "..",
      ".",
      "a//b",
      "a\0b",
      "a\\..\\b",
      "%2e%2e/x",
      "C:\\x",
      "a".repeat(201),
    ];
    for (const name of forged) {
      for (const kind of ["segment-create", "segment-complete", "ready", "not-ready"]) {
        const segment = kind.startsWith("segment")
          ? { segmentPath: `/recordings/${name}/2026-11-20/1795132800-000000.mp4` }
          : {};
        for (const path of [name, "cam1"].slice(0, kind.startsWith("segment") ? 2 : 1)) {
          const body = { secret: HOOK_SECRET, path, ...segment };
          const answer = await ask(http, `/hooks/${kind}`, { method: "POST", body });
          // A name that is a directory's own is no path; the file of another path is no segment of it.
          expect(answer.status, `${kind} ${JSON.stringify(body)}`).toBe(400);
        }
      }
    }
    expect(await dump(http.catalog)).toEqual(before);
  });

  it("caeccdce: bodies have a bound, told by their length or not", async () => {
    const long = "a".repeat(300_000);
    const json = { "content-type": "application/json" };
    for (const [target, method] of [
      ["/api/v1/paths", "POST"],
      ["/api/v1/exports", "POST"],
      ["/api/v1/shares", "POST"],
      ["/api/v1/signed-urls", "POST"],
      ["/api/v1/paths/cam1", "PATCH"],
      ["/hooks/segment-create", "POST"],
    ] as const) {
      const answer = await asAdmin(target, { method, body: JSON.stringify({ name: long }), headers: json });
      expect(answer.status, target).toBe(413);
      expect(await chunked(method, target, long.length * 4), target).toMatch(/^HTTP\/1\.1 413/);
    }
  });

  it("d15c14ec: whatever is secret is compared in constant time", async () => {
    const suspicious: string[] = [];
    for (const room of ["access", "http"]) {
      const directory = path.resolve(import.meta.dirname, "../../../src", room);
      for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
        const text = await readFile(path.join(entry.parentPath, entry.name), "utf8");
        for (const line of text.split("\n")) {
          const isCompared =
            /(secret|token|password|signature|mac|digest)\w* *[!=]==|[!=]== *\w*(secret|token|password|signature|mac|digest)/i;
          const isOfNone = /[!=]== *(undefined|null|"")|typeof/;
          if (isCompared.test(line) && !isOfNone.test(line)) suspicious.push(`${entry.name}: ${line.trim()}`);
        }
      }
    }
    expect(suspicious).toEqual([]);
  });
});

/** The first line of the answer to a body that does not tell its length. */
function chunked(method: string, target: string, bytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(http.port, "127.0.0.1");
    let text = "";
    socket.once("error", () => resolve(text));
    socket.once("close", () => resolve(text.split("\r\n", 1)[0] ?? ""));
    socket.setTimeout(20_000, () => reject(new Error("no answer")));
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (text.includes("\r\n")) socket.destroy();
    });
    const head = [`${method} ${target} HTTP/1.1`, "Host: 127.0.0.1", "Authorization: Bearer admin"];
    socket.write([...head, "Content-Type: application/json", "Transfer-Encoding: chunked", "", ""].join("\r\n"));
    const piece = "a".repeat(10_000);
    for (let sent = 0; sent < bytes; sent += piece.length) socket.write(`${piece.length.toString(16)}\r\n${piece}\r\n`);
    // What is too much is read and thrown away, and answered when it ends.
    socket.write("0\r\n\r\n");
  });
}
