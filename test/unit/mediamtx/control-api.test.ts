import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";

import { describe, expect, it } from "vitest";

import { type ControlApi, createControlApi } from "../../../src/mediamtx/control-api.js";
import { PATIENCE } from "../../support/patience.js";

const PASSWORD = "correct horse";
/** Who answers may be slow: a deadline of their own is only for who is to miss it. */
const PATIENT_MS = 30_000 * PATIENCE;
const signal = (): AbortSignal => new AbortController().signal;

async function withServer<T>(
  listener: RequestListener,
  use: (api: ControlApi) => Promise<T>,
  timeoutMs = PATIENT_MS,
): Promise<T> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    return await use(createControlApi({ baseUrl, user: "reelkeeper", password: PASSWORD, timeoutMs }));
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const answering =
  (answer: unknown, status = 200): RequestListener =>
  (_, response) => {
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(answer));
  };

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.unreachable("expected a failure"),
    (error: unknown) => error,
  );
}

describe("the Control API", () => {
  it("is asked with our user and password", async () => {
    const seen: (string | undefined)[] = [];
    const listener: RequestListener = (request, response) => {
      seen.push(request.headers.authorization);
      answering({ version: "v1.21.0", started: "2026-11-20T17:04:43Z" })(request, response);
    };
    const info = await withServer(listener, (api) => api.info(signal()));
    expect(info).toEqual({ version: "1.21.0", startedAt: "2026-11-20T17:04:43Z" });
    expect(seen).toEqual([`Basic ${Buffer.from(`reelkeeper:${PASSWORD}`).toString("base64")}`]);
  });

  it("reads paths of old and new versions alike", async () => {
    const old = { name: "a", confName: "all", ready: true, source: { type: "rtspSession", id: "1" }, tracks: ["H264"] };
    const current = {
      name: "b",
      confName: "b",
      ready: true,
      available: true,
      online: false,
      source: null,
      tracks: null,
    };
    const items = [
      { ...old, bytesReceived: 7 },
      { ...current, inboundBytes: 8, bytesReceived: 8, tracks2: [{ codec: "H264" }] },
    ];
    const paths = await withServer(answering({ itemCount: 2, pageCount: 1, items }), (api) => api.listPaths(signal()));
    expect(paths).toEqual([
      {
        name: "a",
        confName: "all",
        online: true,
        source: { type: "rtspSession", id: "1" },
        tracks: ["H264"],
        inboundBytes: 7,
      },
      { name: "b", confName: "b", online: false, source: null, tracks: [], inboundBytes: 8 },
    ]);
  });

  it("takes a path that pulls for online only once something comes", async () => {
    const pulling = { confName: "a", online: true, source: { type: "rtspSource", id: "" } };
    const items = [
      { ...pulling, name: "away", available: false, ready: false },
      { ...pulling, name: "there", available: true, ready: true },
      { ...pulling, name: "placeholder", available: true, ready: true, online: false },
    ];
    const paths = await withServer(answering({ itemCount: 3, pageCount: 1, items }), (api) => api.listPaths(signal()));
    expect(paths.map(({ name, online }) => [name, online])).toEqual([
      ["away", false],
      ["there", true],
      ["placeholder", false],
    ]);
  });

  it("reads lists of many pages, each name once", async () => {
    const listener: RequestListener = (request, response) => {
      const page = Number(new URL(request.url ?? "", "http://x").searchParams.get("page"));
      const items = page < 3 ? [{ name: `cam${page}` }, { name: `cam${page + 1}` }] : [];
      answering({ itemCount: 4, pageCount: 3, items })(request, response);
    };
    const paths = await withServer(listener, (api) => api.listPathConfigs(signal()));
    expect(paths.map(({ name }) => name)).toEqual(["cam0", "cam1", "cam2", "cam3"]);
  });

  it("takes an empty list for one without pages", async () => {
    const paths = await withServer(answering({ itemCount: 0, pageCount: 0, items: [] }), (api) =>
      api.listPaths(signal()),
    );
    expect(paths).toEqual([]);
  });

  it.each([401, 403])("says that the user is not allowed to for status %i", async (status) => {
    const error = await withServer(answering({}, status), (api) => failureOf(api.info(signal())));
    expect(error).toMatchObject({ kind: "permission-denied" });
  });

  it("lists who publishes and reads, by every protocol that is on, and ends one of them", async () => {
    const asked: string[] = [];
    const session = {
      id: "a",
      path: "cam1",
      state: "read",
      user: "anna",
      query: "x=1",
      created: "2026-11-20T17:04:43Z",
    };
    const items: Record<string, unknown[]> = {
      rtspsessions: [session, { ...session, id: "b", state: "idle" }, { ...session, id: "c", state: "publish" }],
      hlssessions: [
        { id: "d", path: "cam2", user: "", query: "", created: "2026-11-20T17:04:43.5Z", isCDN: false },
        { id: "e", path: "cam2", isCDN: true },
      ],
    };
    const listener: RequestListener = (request, response) => {
      asked.push(`${request.method ?? ""} ${request.url ?? ""}`);
      const kind = /^\/v3\/(\w+)\/list/.exec(request.url ?? "")?.[1] ?? "";
      if (request.method === "POST") answering({ status: "ok" })(request, response);
      else if (kind in items) answering({ pageCount: 1, items: items[kind] })(request, response);
      else answering("404 page not found", 404)(request, response);
    };
    await withServer(listener, async (api) => {
      const sessions = await api.listSessions(signal());
      expect(sessions.map(({ id, kind, action, user }) => [id, kind, action, user])).toEqual([
        ["a", "rtspsessions", "read", "anna"],
        ["c", "rtspsessions", "publish", "anna"],
        ["d", "hlssessions", "read", ""],
      ]);
      expect(sessions[2]?.createdAtUs).toBe(Date.UTC(2026, 10, 20, 17, 4, 43, 500) * 1_000);
      await api.kickSession({ kind: "rtspsessions", id: "a" }, signal());
    });
    expect(asked.at(-1)).toBe("POST /v3/rtspsessions/kick/a");
    expect(asked.filter((each) => each.includes("/list"))).toHaveLength(8);
    const gone = answering({ error: "not found" }, 404);
    await withServer(gone, (api) => api.kickSession({ kind: "rtspsessions", id: "a" }, signal()));
  });

  it.each<readonly [string, RequestListener]>([
    ["an error status", answering({ error: "x" }, 500)],
    ["no such route", answering({}, 404)],
    ["another shape", answering({ itemCount: 1, items: [{ name: 3 }] })],
    ["no JSON", (_, response) => response.end("<html>")],
    ["an endless answer", (_, response) => void response.end(Buffer.alloc(33 * 1024 * 1024, 32))],
    ["a cut connection", (request) => void request.socket.destroy()],
    [
      "a redirect, which it does not follow",
      (_, response) => void response.writeHead(302, { Location: "http://127.0.0.1:1/" }).end(),
    ],
  ])("is unavailable for %s (F57)", async (_, listener) => {
    const error = await withServer(listener, (api) => failureOf(api.listPaths(signal())));
    expect(error).toMatchObject({ kind: "unavailable" });
    expect((error as Error).message).not.toContain("ECONNREFUSED");
  });

  it("is unavailable after its deadline when nothing is answered, and keeps the password to itself (F57)", async () => {
    const startMs = performance.now();
    const error = await withServer(
      () => undefined,
      (api) => failureOf(api.globalConfig(signal())),
      500,
    );
    expect(error).toMatchObject({ kind: "unavailable" });
    expect(performance.now() - startMs).toBeLessThan(2_000 * PATIENCE);
    const everything = inspect(error, { depth: 20, showHidden: true });
    expect(everything).not.toContain(PASSWORD);
    expect(everything).not.toContain(Buffer.from(`reelkeeper:${PASSWORD}`).toString("base64"));
  });

  it("stops when told to", async () => {
    const stop = new AbortController();
    const error = await withServer(
      () => stop.abort(),
      (api) => failureOf(api.pathDefaults(stop.signal)),
    );
    expect(error).toMatchObject({ kind: "cancelled" });
  });
});
