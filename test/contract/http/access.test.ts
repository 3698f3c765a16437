/** Who may call what: every route there is, by every kind of caller. The table is made from the routes themselves. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { expressPath } from "../../../src/http/express-app.js";
import type { Route } from "../../../src/http/route.js";
import { parsePathName } from "../../../src/core/path-name.js";
import { ask, type Answered, type Ask, problemIn } from "../../support/http-ask.js";
import { HOOK_SECRET, type HttpHarness, startHttp } from "../../support/http-harness.js";
import { addFile, addRow } from "../../support/http-rows.js";

const ADMIN_TOKEN = "admin-token-of-the-tests";
const NOBODY = "00000000-0000-4000-8000-000000000000";
const CAMERA_PASSWORD = "camera-password";
const UNSAFE = new Set(["POST", "PATCH", "DELETE"]);

let open: HttpHarness;
let locked: HttpHarness;

beforeAll(async () => {
  open = await startHttp();
  locked = await startHttp({ adminToken: ADMIN_TOKEN });
});
afterAll(async () => {
  await open.close();
  await locked.close();
});

type Expected = "in" | 401 | 403;

interface Caller {
  readonly name: string;
  readonly of: "open" | "locked";
  readonly headers: (http: HttpHarness) => Record<string, string>;
  readonly field?: string;
  readonly expected: (route: Route) => Expected;
}

const isGuarded = ({ access }: Route): boolean => access !== "public" && access !== "hook";
const bearer = (token: string) => () => ({ authorization: `Bearer ${token}` });
const withoutSecret = ({ access }: Route): Expected => (access === "hook" ? 401 : "in");
const foreigner = (route: Route): Expected =>
  isGuarded(route) && UNSAFE.has(route.method) ? 403 : withoutSecret(route);
const withoutToken = ({ access }: Route): Expected => (access === "public" ? "in" : 401);

const CALLERS: readonly Caller[] = [
  { name: "this machine", of: "open", headers: () => ({}), expected: withoutSecret },
  {
    name: "this machine by name",
    of: "open",
    headers: ({ port }) => ({ host: `localhost:${port}` }),
    expected: withoutSecret,
  },
  {
    name: "our own page",
    of: "open",
    headers: ({ port }) => ({
      host: `127.0.0.1:${port}`,
      origin: `http://127.0.0.1:${port}`,
      "sec-fetch-site": "same-origin",
    }),
    expected: withoutSecret,
  },
  ...["evil.example", "127.0.0.1.evil.example:8080", "localhost@evil.example", "[::1].evil.example", "10.0.0.7"].map(
    (host): Caller => ({
      name: `a page under the foreign name ${host}`,
      of: "open",
      headers: () => ({ host }),
      expected: (route) => (isGuarded(route) ? 403 : withoutSecret(route)),
    }),
  ),
  ...["http://evil.example", "null", "http://127.0.0.1:1", "https://localhost"].map((origin): Caller => ({
    name: `a page of the origin ${origin}`,
    of: "open",
    headers: () => ({ origin }),
    expected: foreigner,
  })),
  ...["cross-site", "same-site"].map((site): Caller => ({
    name: `a ${site} request`,
    of: "open",
    headers: () => ({ "sec-fetch-site": site }),
    expected: foreigner,
  })),
  { name: "nobody", of: "locked", headers: () => ({}), expected: withoutToken },
  ...[
    "wrong-token-of-the-tests",
    ADMIN_TOKEN.slice(0, -1),
    `${ADMIN_TOKEN}x`,
    "__proto__",
    "constructor",
    "toString",
    "null",
    "undefined",
    "",
  ].map((token): Caller => ({
    name: `somebody with the token "${token}"`,
    of: "locked",
    headers: bearer(token),
    expected: withoutToken,
  })),
  {
    name: "somebody with the token by the wrong scheme",
    of: "locked",
    headers: () => ({ authorization: `Basic ${ADMIN_TOKEN}` }),
    expected: withoutToken,
  },
  {
    name: "somebody with the hook secret as token",
    of: "locked",
    headers: bearer(HOOK_SECRET),
    expected: ({ access }) => (access === "public" || access === "hook" ? "in" : 401),
  },
  {
    name: "the admin",
    of: "locked",
    headers: bearer(ADMIN_TOKEN),
    expected: ({ access }) => (access === "hook" ? 401 : "in"),
  },
  {
    name: "the admin from another origin, by another name",
    of: "locked",
    headers: () => ({
      authorization: `bearer ${ADMIN_TOKEN}`,
      host: "cameras.example",
      origin: "https://cameras.example",
    }),
    expected: ({ access }) => (access === "hook" ? 401 : "in"),
  },
  ...(["open", "locked"] as const).flatMap((of): Caller[] => [
    {
      name: "MediaMTX with the hook secret as field",
      of,
      headers: () => ({}),
      field: HOOK_SECRET,
      expected: (route) => (route.access === "hook" ? "in" : of === "open" ? "in" : withoutToken(route)),
    },
    ...["wrong-secret", "__proto__", "", HOOK_SECRET.toUpperCase()].map((field): Caller => ({
      name: `somebody with the hook secret "${field}" as field`,
      of,
      headers: () => ({}),
      field,
      expected: of === "open" ? withoutSecret : withoutToken,
    })),
  ]),
  {
    name: "MediaMTX with the hook secret as Bearer",
    of: "open",
    headers: bearer(HOOK_SECRET),
    expected: () => "in",
  },
];

/** Those that log in are open to everyone and refuse all the same: test/contract/http/login.test.ts. */
const routesOf = (of: Caller["of"]): readonly Route[] =>
  (of === "open" ? open : locked).routes.filter(({ path }) => !/^\/api\/v1\/login(\/refresh)?$/.test(path));

function urlOf(route: Route): string {
  return route.path.replace("{id}", NOBODY).replace("{name+}", "nobody/here");
}

function callAs(caller: Caller, route: Route): Promise<Answered> {
  const http = caller.of === "open" ? open : locked;
  const body = caller.field === undefined ? {} : { secret: caller.field };
  const options: Ask = {
    method: route.method,
    headers: caller.headers(http),
    ...(route.body === undefined ? {} : { body }),
  };
  return ask(http, urlOf(route), options);
}

describe("access", () => {
  it.each(CALLERS.map((caller) => [`${caller.name} (${caller.of})`, caller] as const))(
    "%s gets where it may, and nowhere else",
    async (_name, caller) => {
      const cells = await Promise.all(
        routesOf(caller.of).map(async (route) => {
          const { status } = await callAs(caller, route);
          return [`${route.method} ${route.path}`, status === 401 || status === 403 ? status : "in"] as const;
        }),
      );
      const expected = routesOf(caller.of).map(
        (route) => [`${route.method} ${route.path}`, caller.expected(route)] as const,
      );
      expect(Object.fromEntries(cells)).toEqual(Object.fromEntries(expected));
    },
  );

  it("covers a route of each kind", () => {
    const kinds = new Set(open.routes.map(({ access }) => access));
    expect([...kinds].sort()).toEqual(["admin", "hook", "operator", "public", "viewer"]);
    expect(open.routes.length).toBeGreaterThan(20);
  });

  it("refuses without a word on what was wrong", async () => {
    const [hook] = open.routes.filter(({ access }) => access === "hook");
    const answers = await Promise.all(
      [{}, { secret: "" }, { secret: "wrong" }, { secret: 7 }, { secret: [HOOK_SECRET] }, { path: "../x" }].map(
        (body) => ask(open, urlOf(hook!), { method: "POST", body }),
      ),
    );
    for (const answer of answers) expect(problemIn(answer).status).toBe(401);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers[0]?.headers["www-authenticate"]).toBe("Bearer");
  });
});

/** What Express holds, told apart by whether it answers a URL by itself. */
interface Layer {
  readonly route?: {
    readonly path: string;
    readonly methods: Record<string, boolean>;
    readonly stack: { readonly name: string; readonly handle: unknown }[];
  };
}

describe("the router", () => {
  it("holds nothing but routes of the registry, each behind its guard (default deny)", () => {
    const { stack } = (open.app as unknown as { readonly router: { readonly stack: Layer[] } }).router;
    const known = open.routes.map(({ method, path }) => `${method} ${expressPath(path)}`);
    const held = stack.flatMap(({ route }) =>
      route === undefined ? [] : Object.keys(route.methods).map((method) => `${method.toUpperCase()} ${route.path}`),
    );
    expect(held.sort()).toEqual(known.sort());
    // Headers (hardening.test.ts), the path of PUBLIC_URL (base-path.test.ts) and odd URLs before, "not found" and problems
    // after: none of them serves a folder or a file.
    expect(stack.filter(({ route }) => route === undefined)).toHaveLength(5);
    for (const { route } of stack) if (route !== undefined) expect(route.stack[0]?.name).toBe("guard");
  });

  it("has every method and path once", () => {
    const all = open.routes.map(({ method, path }) => `${method} ${path}`);
    expect(all).toEqual([...new Set(all)]);
  });
});

describe("secrets", () => {
  it("stand in no answer, whoever asks and however it fails", async () => {
    const url = `rtsp://admin:${CAMERA_PASSWORD}@10.0.0.7/1`;
    const body = { name: "secret/cam", source: url };
    await ask(locked, "/api/v1/paths", { method: "POST", body, headers: bearer(ADMIN_TOKEN)() });
    const path = parsePathName("secret/cam");
    await addRow(locked.catalog, 1, { path, error: `open ${url}: refused`, step: "archive" });
    const file = await addFile(locked, 2, { content: Buffer.from("media"), changes: { path } });
    locked.pace.lastError = `put to https://key:${CAMERA_PASSWORD}@bucket.example/x: 403`;
    locked.health.mediamtx = () => ({
      version: null as unknown as string,
      error: `ask http://user:${CAMERA_PASSWORD}@127.0.0.1:9997: refused`,
      configError: `path secret/cam: bad source ${url}`,
      pending: false,
      drift: [],
    });
    locked.scanner.state = { ...locked.scanner.state, error: `scan of ${url} failed` };
    locked.mediamtx.live = () => Promise.reject(new Error(`http://user:${CAMERA_PASSWORD}@127.0.0.1:9997 is away`));
    const wrong = { ...body, record: "yes", secret: HOOK_SECRET, token: ADMIN_TOKEN, segmentPath: 7 };
    for (const route of locked.routes) {
      for (const headers of [{}, bearer(ADMIN_TOKEN)(), bearer(HOOK_SECRET)()]) {
        const target = route.path.replace("{id}", file.id).replace("{name+}", path);
        // Not the deletion of what the others look at.
        const targets = route.method === "DELETE" ? [] : [target, `${target}?token=${ADMIN_TOKEN}`];
        for (const each of targets) {
          const sent = route.body === undefined ? {} : { body: wrong };
          const answer = await ask(locked, each, { method: route.method, headers, ...sent });
          const all = `${answer.text} ${JSON.stringify(answer.headers)}`;
          for (const secret of [ADMIN_TOKEN, HOOK_SECRET, CAMERA_PASSWORD]) {
            expect(all.includes(secret), `${route.method} ${each} shows ${secret}`).toBe(false);
          }
        }
      }
    }
  });

  it("stand in no refusal of the very field that holds them, however long or odd they are", async () => {
    const sources = [
      `rtsp://admin:${CAMERA_PASSWORD}-${"x".repeat(80)}@10.0.0.7/1 `,
      `rtsp://admin:${CAMERA_PASSWORD} with spaces@10.0.0.7/1`,
      `rtsp://admin:"${CAMERA_PASSWORD}'<>@10.0.0.7/1`,
      `rtsp://${"a".repeat(300)}:${CAMERA_PASSWORD}@10.0.0.7/ /1`,
      `rtsp://admin:${CAMERA_PASSWORD}@10.0.0.7:99999/1`,
      `exec:rtsp://admin:${CAMERA_PASSWORD}`,
      `http://10.0.0.7/video.cgi?user=admin&pwd=${CAMERA_PASSWORD}&x= `,
    ];
    for (const source of sources) {
      const answer = await ask(open, "/api/v1/paths", { method: "POST", body: { name: "cam1", source } });
      expect(problemIn(answer)).toMatchObject({ status: 400, errors: [{ field: "source" }] });
      expect(answer.text).not.toContain(CAMERA_PASSWORD);
    }
  });
});
