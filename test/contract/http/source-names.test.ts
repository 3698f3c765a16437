/** Names in sources (SSRF): where they lead is looked up with each way to make or change a path. */
import { describe, expect, it } from "vitest";

import { listPaths } from "../../../src/catalog/paths.js";
import { AppError } from "../../../src/core/errors.js";
import { ask, problemIn } from "../../support/http-ask.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";

const METADATA = "rtsp://rebind.example.org/x";
const HERE = "http://here.example.org:9997/v3/config";

/** `names`: null for one that cannot be looked up now. */
async function scene(names: Readonly<Record<string, readonly string[] | null>>) {
  const http = await httpForTest();
  const asked: string[] = [];
  http.mediamtx.addressesOf = (name) => {
    asked.push(name);
    const addresses = names[name];
    if (addresses) return Promise.resolve(addresses);
    return Promise.reject(new AppError({ kind: "unavailable", message: `getaddrinfo EAI_AGAIN ${name}` }));
  };
  return { http, asked };
}

const NAMES = {
  "rebind.example.org": ["192.0.2.7", "169.254.169.254"],
  "here.example.org": ["::ffff:127.0.0.1"],
  "camera.example.org": ["192.0.2.8", "2001:db8::8"],
};

/** Each asks for a path with this source; those that keep what there is begin with `cam1`. */
const WAYS: readonly (readonly [string, (http: HttpHarness, source: string) => ReturnType<typeof ask>])[] = [
  ["POST paths", (http, source) => ask(http, "/api/v1/paths", { method: "POST", body: { name: "cam2", source } })],
  ["PATCH a path", (http, source) => ask(http, "/api/v1/paths/cam1", { method: "PATCH", body: { source } })],
  [
    "change of many",
    (http, source) => {
      const body = { names: ["cam1"], patch: { source }, dryRun: false };
      return ask(http, "/api/v1/config/bulk", { method: "POST", body });
    },
  ],
  [
    "import",
    (http, source) => {
      const body = { format: "csv", mode: "merge", text: `name,source\ncam2,${source}\n`, dryRun: false };
      return ask(http, "/api/v1/config/paths", { method: "POST", body });
    },
  ],
  [
    "preview",
    (http, source) => {
      const body = { changes: [{ action: "create", name: "cam2", settings: { source } }] };
      return ask(http, "/api/v1/config/preview", { method: "POST", body });
    },
  ],
  [
    "adopt",
    (http, source) => {
      const body = { yaml: `paths:\n  cam2:\n    source: "${source}"\n`, dryRun: false };
      return ask(http, "/api/v1/config/adopt", { method: "POST", body });
    },
  ],
];

describe.each(WAYS)("a source by %s", (_, send) => {
  it("is refused when one address of its name may be no source's", async () => {
    const { http } = await scene(NAMES);
    await ask(http, "/api/v1/paths", { method: "POST", body: { name: "cam1" } });
    const before = await listPaths(http.catalog);
    for (const [source, why] of [
      [METADATA, /rebind\.example\.org leads to 169\.254\.169\.254: .*link-local/],
      [HERE, /here\.example\.org leads to ::ffff:127\.0\.0\.1: .*own services/],
    ] as const) {
      const answer = await send(http, source);
      expect([answer.status, problemIn(answer).errors?.[0]?.message]).toEqual([400, expect.stringMatching(why)]);
      expect(problemIn(answer).errors?.[0]?.field).toMatch(/source|yaml/);
    }
    expect(await listPaths(http.catalog)).toEqual(before);
  });

  it("is taken when all are where cameras are, or by RTSP this machine, or nobody can tell", async () => {
    const { http } = await scene({ ...NAMES, "away.example.org": null });
    for (const source of [
      "rtsp://CAMERA.example.org/1",
      HERE.replace("http", "rtsp"),
      "rtsp://u:p@away.example.org/",
    ]) {
      await ask(http, "/api/v1/paths/cam1", { method: "DELETE" });
      await ask(http, "/api/v1/paths/cam2", { method: "DELETE" });
      await ask(http, "/api/v1/paths", { method: "POST", body: { name: "cam1" } });
      const answer = await send(http, source);
      expect(answer.status, answer.text).toBeLessThan(300);
    }
    expect(http.log).toContainEqual(
      expect.objectContaining({ level: "warn", message: expect.stringContaining("cannot be looked up") as string }),
    );
  });
});

describe("names", () => {
  it("are looked up when the source changes, and at no other edit", async () => {
    const { http, asked } = await scene(NAMES);
    const source = "rtsp://camera.example.org/1";
    await ask(http, "/api/v1/paths", { method: "POST", body: { name: "cam1", source } });
    await ask(http, "/api/v1/paths/cam1", { method: "PATCH", body: { record: true, source } });
    await ask(http, "/api/v1/paths/cam1", { method: "PATCH", body: { source: "rtsp://192.0.2.9/1" } });
    expect(asked).toEqual(["camera.example.org"]);
    const { status } = await ask(http, "/api/v1/config/rollback", { method: "POST", body: { version: 2 } });
    expect([status, asked]).toEqual([200, ["camera.example.org", "camera.example.org"]]);
  });

  it("that lead elsewhere by now are refused by a rollback", async () => {
    const names: Record<string, readonly string[]> = { ...NAMES };
    const { http } = await scene(names);
    const source = "rtsp://camera.example.org/1";
    await ask(http, "/api/v1/paths", { method: "POST", body: { name: "cam1", source } });
    await ask(http, "/api/v1/paths/cam1", { method: "PATCH", body: { source: "publisher" } });
    names["camera.example.org"] = ["fe80::1%eth0"];
    const { items } = (await ask(http, "/api/v1/config/history")).json() as { items: { version: number }[] };
    const [, before] = items;
    const back = await ask(http, "/api/v1/config/rollback", { method: "POST", body: { version: before?.version } });
    expect([back.status, back.text]).toEqual([400, expect.stringContaining("link-local")]);
  });

  it("that cannot be looked up are told by previews and dry runs", async () => {
    const { http } = await scene({});
    const source = "rtsp://away.example.org/1";
    const preview = await ask(http, "/api/v1/config/preview", {
      method: "POST",
      body: { changes: [{ action: "create", name: "cam1", settings: { source } }] },
    });
    const list = { format: "csv", mode: "merge", text: `name,source\ncam1,${source}\n`, dryRun: true };
    const dryRun = await ask(http, "/api/v1/config/paths", { method: "POST", body: list });
    for (const answer of [preview, dryRun]) {
      expect((answer.json() as { warnings: unknown }).warnings).toContainEqual({
        ...{ path: "cam1", field: "source" },
        message: expect.stringMatching(/^away\.example\.org cannot be looked up now/) as string,
      });
    }
  });
});

describe("what a request adopts", () => {
  it.each([
    ["paths: { cam1: { source: 'http://169.254.169.254/latest' } }", "paths/cam1"],
    ["paths: { cam1: { source: 'http://169.254.169.254#@camera.example.org/' } }", "paths/cam1"],
    ["paths: { cam1: { source: 'http://user:p@ss@169.254.169.254:80?@camera.example.org/' } }", "paths/cam1"],
    ["paths: { cam1: { source: 'HTTP://１６９.254.169.254/' } }", "paths/cam1"],
    ["paths: { cam1: { source: 'http://[64:ff9b::7f00:1]/' } }", "paths/cam1"],
    ["paths: { '~^x': { source: 'rtsp://2852039166/' } }", "paths/~^x"],
    ["pathDefaults: { forward: [{ dest: 'whip://127.1:9997/x' }] }", "pathDefaults"],
    ["authHTTPAddress: http://localhost:9997/v3", "global"],
    ["paths: { cam1: { source: 'rtsp://u:***@10.0.0.7/' } }", "paths/cam1"],
    ["paths: { cam1: { srtReadPassphrase: '***' } }", "paths/cam1"],
  ])("may not be %s", async (yaml, where) => {
    const http = await httpForTest();
    const dryRun = await ask(http, "/api/v1/config/adopt", { method: "POST", body: { yaml } });
    expect((dryRun.json() as { left: unknown }).left).toContainEqual(
      expect.objectContaining({ where, kind: "blocks" }),
    );
    const done = await ask(http, "/api/v1/config/adopt", { method: "POST", body: { yaml, dryRun: false } });
    expect(done.status).toBe(409);
  });
});
