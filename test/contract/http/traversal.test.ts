/**
 * More than a thousand ways to name a file that is none of a client's business, through every parameter that is or
 * becomes part of a name. Every call by which Node opens, reads, lists or looks at a file is watched: none leaves what
 * Reelkeeper serves.
 */
import fs from "node:fs";
import { mkdir, realpath, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { syncBuiltinESMExports } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { HOOK_SECRET, type HttpHarness, startHttp } from "../../support/http-harness.js";
import { addFile } from "../../support/http-rows.js";

const ID = "0190a000-0000-7000-8000-000000000001";
const CANARY = "canary: nobody may read this";
const agent = new Agent({ keepAlive: true, maxSockets: 8 });

let http: HttpHarness;
/** What may be opened. */
let roots: string[];
/** Not below any of them, with the canary in it. */
let secretFile: string;
let seen: string[] = [];
let restore: () => void;

beforeAll(async () => {
  http = await startHttp();
  await addFile(http, 1, { content: Buffer.from("media"), changes: { id: ID as never } });
  const base = path.dirname(http.recordDir);
  secretFile = path.join(base, "secret.txt");
  await writeFile(secretFile, CANARY);
  await mkdir(path.join(base, "recordings-of-others"));
  await writeFile(path.join(base, "recordings-of-others", "secret.mp4"), CANARY);
  const { projectDir } = http.deps;
  roots = [
    ...[http.recordDir, path.join(base, "bucket"), path.join(base, "thumbnails"), path.join(base, "exports")],
    ...[path.join(projectDir, "dist", "web"), path.join(projectDir, "src", "http", "page")],
    path.join(projectDir, "node_modules", "swagger-ui-dist"),
  ];
  roots = [...roots, ...(await Promise.all(roots.map((root) => realpath(root).catch(() => root))))];
  // What a first request loads is not what it opens.
  await send({ method: "PATCH", target: "/api/v1/paths/nobody" });
  restore = watchFiles();
});
afterAll(async () => {
  restore();
  agent.destroy();
  await http.close();
});

/** Each function of fs that takes a path first, and of fs.promises. Node's own modules get the same functions. */
function watchFiles(): () => void {
  const undo: (() => void)[] = [];
  for (const library of [fs, fs.promises] as unknown as Record<string, unknown>[]) {
    for (const [name, original] of Object.entries(library)) {
      if (typeof original !== "function" || /^[A-Z_]/.test(name)) continue;
      library[name] = function watched(this: unknown, ...given: unknown[]): unknown {
        const [first] = given;
        if (typeof first === "string" || Buffer.isBuffer(first)) seen.push(String(first));
        if (first instanceof URL) seen.push(fileURLToPath(first));
        return (original as (...all: unknown[]) => unknown).apply(this, given);
      };
      Object.assign(library[name] as object, original);
      undo.push(() => (library[name] = original));
    }
  }
  syncBuiltinESMExports();
  return () => {
    for (const step of undo) step();
    syncBuiltinESMExports();
  };
}

const isServed = (file: string): boolean =>
  roots.some((root) => path.resolve(file) === root || path.resolve(file).startsWith(`${root}/`));

const UPS = [
  "..",
  "%2e%2e",
  "%252e%252e",
  ".%2e",
  "%2e.",
  "..%00",
  "%c0%ae%c0%ae",
  "..;",
  "…",
  "%uff0e%uff0e",
  "....",
  ". .",
];
const SLASHES = ["/", "%2f", "%252f", "\\", "%5c", "%255c", "//", "%c0%af", "/./", "%2F"];
const GOALS = ["etc/passwd", "secret.txt", "recordings-of-others/secret.mp4"];

function payloads(): string[] {
  const found = new Set<string>();
  for (const up of UPS) {
    for (const slash of SLASHES) {
      for (const goal of GOALS) {
        for (const depth of [1, 3]) found.add(`${`${up}${slash}`.repeat(depth)}${goal.replaceAll("/", slash)}`);
        found.add(`cam1${slash}${up}${slash}${up}${slash}${goal}`);
      }
    }
  }
  const absolute = [
    secretFile,
    "/etc/passwd",
    "//etc/passwd",
    "\\\\host\\share\\x",
    "C:\\windows\\win.ini",
    "~/.ssh/id_rsa",
  ];
  const schemes = [
    "file://",
    "file:",
    "http://127.0.0.1/",
    "data:,",
    "php://filter/",
    "jar:",
    "\\\\?\\",
    "/proc/self/root",
  ];
  for (const goal of absolute) {
    for (const form of [
      goal,
      encodeURIComponent(goal),
      `${goal}%00.mp4`,
      `${goal}\0.mp4`,
      `${goal}?.mp4`,
      `${goal}#.mp4`,
    ]) {
      found.add(form);
      for (const scheme of schemes) found.add(`${scheme}${form}`);
    }
  }
  return [...found];
}

interface Place {
  readonly name: string;
  readonly ask: (payload: string) => { readonly method?: string; readonly target: string; readonly body?: unknown };
}

const inUrl = (name: string, before: string, after = "", method = "GET"): Place => ({
  name: `${method} ${before}{}${after}`,
  // As it is, but for what no request line can hold.
  ask: (payload) => ({ method, target: `${before}${payload.replaceAll(/[^!-~]/g, encodeURIComponent)}${after}` }),
});
const inQuery = (route: string, field: string, more = ""): Place => ({
  name: `GET ${route}?${field}=`,
  ask: (payload) => ({ target: `${route}?${field}=${encodeURIComponent(payload)}${more}` }),
});
const inBody = (route: string, field: string, more: object = {}, method = "POST"): Place => ({
  name: `${method} ${route} {${field}}`,
  ask: (payload) => ({ method, target: route, body: { ...more, [field]: payload } }),
});

const RANGE = "from=2026-11-20T00:00:00Z&to=2026-11-20T01:00:00Z";
const HOOK = { secret: HOOK_SECRET };
const SPAN = { from: "2026-11-20T00:00:00Z", to: "2026-11-20T01:00:00Z" };
const PLACES: readonly Place[] = [
  inUrl("page", "/"),
  inUrl("asset", "/assets/"),
  inUrl("docs", "/api/docs/"),
  inUrl("share", "/share/"),
  inUrl("share", "/share/", "/links"),
  inUrl("recording", "/api/v1/recordings/"),
  inUrl("file", "/api/v1/recordings/", "/file"),
  inUrl("media", "/api/v1/recordings/", "/media.mp4"),
  inUrl("export", "/api/v1/exports/", "/file"),
  inUrl("path", "/api/v1/paths/"),
  inUrl("path", "/api/v1/paths/", "", "PATCH"),
  inQuery("/api/v1/recordings", "path"),
  inQuery("/api/v1/recordings", "cursor"),
  inQuery("/api/v1/timeline", "path", `&${RANGE}`),
  inQuery("/api/v1/days", "path", "&month=2026-11"),
  inQuery("/api/v1/days", "zone", "&path=cam1&month=2026-11"),
  inQuery("/api/v1/playlist.m3u8", "path", `&${RANGE}`),
  inQuery("/api/v1/clip.mp4", "path", `&${RANGE}`),
  inQuery("/api/v1/clip.mp4", "zone", `&path=cam1&${RANGE}`),
  inQuery("/api/v1/thumbnail.jpg", "path"),
  inQuery("/playback/list", "path"),
  inQuery("/playback/get", "path", "&start=2026-11-20T00:00:00Z&duration=1"),
  inQuery("/api/v1/paths", "path"),
  inBody("/api/v1/paths", "name"),
  inBody("/api/v1/exports", "path", SPAN),
  inBody("/api/v1/shares", "path", { ...SPAN, expiresAt: "2026-11-21T00:00:00Z" }),
  inBody("/api/v1/signed-urls", "url"),
  inBody("/hooks/segment-create", "path", {
    ...HOOK,
    segmentPath: "/recordings/cam1/2026-11-20/1795132800-000000.mp4",
  }),
  inBody("/hooks/segment-complete", "segmentPath", { ...HOOK, path: "cam1" }),
  inBody("/hooks/ready", "path", HOOK),
];

function send({ method = "GET", target, body }: ReturnType<Place["ask"]>): Promise<{ status: number; text: string }> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    ...(target.startsWith("/hooks/") ? { authorization: `Bearer ${HOOK_SECRET}` } : {}),
    ...(payload === undefined && method !== "PATCH" ? {} : { "content-type": "application/json" }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: "127.0.0.1", port: http.port, method, path: target, headers, agent },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.once("end", () =>
          resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString("latin1") }),
        );
      },
    );
    outgoing.once("error", reject);
    outgoing.end(payload ?? (method === "PATCH" ? "{}" : undefined));
  });
}

describe("a path-like parameter (CVE-2026-55488, b3ce4486b)", () => {
  it("is watched: what is served shows, and what is not would", async () => {
    seen = [];
    expect((await send({ target: `/api/v1/recordings/${ID}/file` })).text).toBe("media");
    expect(seen.some((file) => file.startsWith(http.recordDir))).toBe(true);
    expect(seen.filter((file) => !isServed(file))).toEqual([]);
    seen = [];
    fs.readFileSync(secretFile);
    expect(new Set(seen.filter((file) => !isServed(file)))).toEqual(new Set([secretFile]));
  });

  it("is tried in more than 1,000 ways, and there are more than 15 of them", () => {
    expect(payloads().length).toBeGreaterThan(1_000);
    expect(PLACES.length).toBeGreaterThan(15);
  });

  it.each(PLACES.map((place) => [place.name, place] as const))(
    "%s opens nothing outside of the roots",
    async (_name, place) => {
      seen = [];
      const all = payloads();
      const workers = Array.from({ length: 8 }, async (_value, worker) => {
        for (let at = worker; at < all.length; at += 8) {
          const asked = place.ask(all[at]!);
          const { status, text } = await send(asked);
          const what = `${asked.target.slice(0, 200)} ${JSON.stringify(asked.body ?? null).slice(0, 200)}`;
          // Nothing breaks on it; without a built page there is none to answer with.
          if (!text.includes("read the built page")) expect(status, what).toBeLessThan(500);
          expect(text, what).not.toContain(CANARY);
          expect(text, what).not.toContain("root:x:");
        }
      });
      await Promise.all(workers);
      expect([...new Set(seen)].filter((file) => !isServed(file))).toEqual([]);
    },
  );
});
