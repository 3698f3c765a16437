/** Below a path of a host: what goes to browsers and programs, and which requests find their routes. */
import { describe, expect, it } from "vitest";

import { createReelkeeperClient } from "../../../src/client/client.js";
import { OWN_PLACES } from "../../../src/config/http.js";
import { formatRfc3339 } from "../../../src/core/instant.js";
import { ask } from "../../support/http-ask.js";
import { addFixtures } from "../../support/http-footage.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";

const HOST = "https://nvr.example.org";
const PUBLIC_URL = `${HOST}/site/reelkeeper`;
const SEC = 1_000_000;

function below(): Promise<HttpHarness> {
  return httpForTest({ hardening: { publicUrl: PUBLIC_URL } });
}

function get(http: HttpHarness, target: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${http.port}${target}`, { redirect: "manual" });
}

describe("below a path of a host", () => {
  it.each(["", "/site/reelkeeper"])("a request finds its route with the path %j in front", async (place) => {
    const http = await below();
    const found = await Promise.all(["/health", "/api/v1/paths?", "/"].map((each) => get(http, `${place}${each}`)));
    expect(found.map(({ status }) => status)).toEqual([200, 200, 200]);
    const odd = ["/../health", "/%2e%2e/health", "//health"].map((each) => ask(http, `${place}${each}`));
    for (const { status } of await Promise.all(odd)) expect([400, 404]).toContain(status);
  });

  it.each(["/site/reelkeeperx/health", "/site/health", "/reelkeeper/health"])(
    "%s is nothing of ours",
    async (target) => {
      expect((await get(await below(), target)).status).toBe(404);
    },
  );

  it.each([
    ["/site/reelkeeper", "/site/reelkeeper/"],
    ["/site/reelkeeper?path=cam1", "/site/reelkeeper/?path=cam1"],
    ["/api/docs/", "../docs"],
    ["/site/reelkeeper/api/docs/", "../docs"],
  ])("%s is sent on to %s", async (target, location) => {
    const { status, headers } = await get(await below(), target);
    expect([status, headers.get("location")]).toEqual([308, location]);
  });

  it("whole addresses begin with PUBLIC_URL", async () => {
    const http = await below();
    const [first] = await addFixtures(http, "v1.20.1/h264-aac");
    const list = (await (await get(http, "/playback/list?path=cam1")).json()) as { url: string }[];
    expect(list.map(({ url }) => url.startsWith(`${PUBLIC_URL}/playback/get?`))).not.toContain(false);
    expect(list.length).toBeGreaterThan(0);
    const share = await newShare(http, first!.startUs);
    expect(share.url).toMatch(/^https:\/\/nvr\.example\.org\/site\/reelkeeper\/share\/[\w-]{43}$/);
  });

  it("playlists and indexes of pictures name their parts from where they are", async () => {
    const http = await below();
    const [first] = await addFixtures(http, "v1.20.1/h264-aac");
    const range = `path=cam1&from=${formatRfc3339(first!.startUs)}&to=${formatRfc3339(first!.startUs + 8 * SEC)}`;
    for (const more of ["", "&multivariant=1"]) {
      const text = await (await get(http, `/api/v1/playlist.m3u8?${range}${more}`)).text();
      const uris = [
        ...text.split("\n").filter((line) => /^[^#]/.test(line)),
        ...(text.match(/(?<=URI=")[^"]+/g) ?? []),
      ];
      expect(uris.length, text).toBeGreaterThan(0);
      for (const uri of uris) expect(uri).toMatch(/^(recordings\/|playlist\.m3u8\?)/);
    }
  });

  it.each(["", "/site/reelkeeper"])("a signed URL opens what it signs, with the path %j in front", async (place) => {
    const http = await below();
    const [first] = await addFixtures(http, "v1.20.1/h264-aac");
    const { url } = await newShare(http, first!.startUs);
    const { playlist } = (await (await get(http, `${new URL(url).pathname}/links`)).json()) as { playlist: string };
    expect(playlist).toMatch(/^\/api\/v1\/playlist\.m3u8\?/);
    const answer = await get(http, `${place}${playlist}`);
    expect(answer.status).toBe(200);
    const [, media = "", bytes = ""] = /#EXT-X-MAP:URI="([^"]+)",BYTERANGE="(\d+)@0"/.exec(await answer.text()) ?? [];
    const range = { range: `bytes=0-${Number(bytes) - 1}` };
    expect((await ask(http, `${place}/api/v1/${media}`, { headers: range })).status).toBe(206);
  });

  it("pages and the document of the API name nothing by the root of the host", async () => {
    const http = await below();
    const { url } = await newShare(http, http.catalog.clock.nowUs());
    for (const target of ["/", "/api/docs", new URL(url).pathname]) {
      const html = await (await get(http, target)).text();
      const named = [...html.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, name = ""]) => name);
      expect(named.length, target).toBeGreaterThan(2);
      const found = await Promise.all(
        named.map((name) => get(http, new URL(name, `${HOST}${placed(target)}`).pathname)),
      );
      expect(found.map(({ status }) => status)).not.toContain(404);
      for (const name of named) expect(name).not.toMatch(/^\//);
    }
    const document = (await (await get(http, "/api/v1/openapi.json")).json()) as { servers: { url: string }[] };
    expect(document.servers).toEqual([{ url: "/site/reelkeeper" }]);
  });

  it("cookies belong to the host alone and are named after the path, so that another Reelkeeper there has its own", async () => {
    const http = await httpForTest({ login: true, hardening: { publicUrl: PUBLIC_URL } });
    const cookie =
      "reelkeeper-refresh.elsewhere=x; __Host-reelkeeper-refresh=x; __Host-reelkeeper-refresh.site.reelkeeper=y";
    const refresh = (value: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${http.port}/api/v1/login/refresh`, {
        method: "POST",
        headers: { "content-type": "application/json", cookie: value },
        body: "{}",
      });
    const ours = (await refresh(cookie)).headers.getSetCookie();
    expect(ours.map((line) => line.replace(/; HttpOnly.*/, ""))).toEqual([
      "__Host-reelkeeper-access.site.reelkeeper=; Path=/",
      "__Host-reelkeeper-refresh.site.reelkeeper=; Path=/",
    ]);
    const theirs = await refresh(cookie.split("; ", 2).join("; "));
    expect([theirs.status, theirs.headers.getSetCookie()]).toEqual([401, []]);
  });

  it("leaves to the neighbours whether they speak HTTPS", async () => {
    expect((await get(await below(), "/health")).headers.get("strict-transport-security")).toBeNull();
  });

  it("the client for programs asks below the path", async () => {
    const http = await below();
    const client = createReelkeeperClient({ baseUrl: `http://127.0.0.1:${http.port}/site/reelkeeper/` });
    expect((await client.GET("/api/v1/paths")).response.status).toBe(200);
  });

  it("no route of ours begins as PUBLIC_URL may", async () => {
    const { routes } = await below();
    const places = new Set(routes.map(({ path }) => path.split("/")[1] ?? ""));
    expect([...places].filter((place) => place !== "").sort()).toEqual([...OWN_PLACES].sort());
  });
});

/** As a proxy shows it. */
function placed(target: string): string {
  return target.startsWith("/site/reelkeeper") ? target : `/site/reelkeeper${target}`;
}

async function newShare(http: HttpHarness, fromUs: number): Promise<{ readonly url: string }> {
  const range = { from: formatRfc3339(fromUs), to: formatRfc3339(fromUs + 8 * SEC) };
  const expiresAt = formatRfc3339(http.catalog.clock.nowUs() + 3_600 * SEC);
  const body = { path: "cam1", ...range, expiresAt, label: "" };
  return (await ask(http, "/api/v1/shares", { method: "POST", body })).json() as { readonly url: string };
}
