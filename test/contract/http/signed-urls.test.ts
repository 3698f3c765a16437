/** URLs for players that can send no token: what they open, for how long, and what a playlist behind one names. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { formatRfc3339 } from "../../../src/core/instant.js";
import { parsePathPattern } from "../../../src/core/path-pattern.js";
import type { Principal } from "../../../src/core/principal.js";
import type { Recording } from "../../../src/core/recording.js";
import { AppError } from "../../../src/core/errors.js";
import { checkPlaylist } from "../../support/hls-check.js";
import { ask } from "../../support/http-ask.js";
import { addFixtures } from "../../support/http-footage.js";
import { type HttpHarness, startHttp } from "../../support/http-harness.js";

const SEC = 1_000_000;
const ANNA: Principal = {
  ...{ kind: "user", id: "anna", name: "anna", role: "viewer", scopes: [], range: null, sessionId: null },
};

let http: HttpHarness;
let recordings: Recording[];
/** As the catalog has her now. */
let anna: Principal | undefined;

beforeAll(async () => {
  http = await startHttp({
    identify: ({ authorization }) => {
      if (authorization === "Bearer anna" && anna !== undefined) return Promise.resolve(anna);
      return Promise.reject(new AppError({ kind: "unauthenticated", message: "who is that" }));
    },
    findPrincipal: (kind, id) => (kind === "user" && id === "anna" ? anna : undefined),
  });
  recordings = await addFixtures(http, "v1.20.1/h264-aac");
});
afterAll(() => http.close());

async function sign(url: string): Promise<{ readonly url: string; readonly expiresAt: string }> {
  anna = ANNA;
  const headers = { authorization: "Bearer anna" };
  const answer = await ask(http, "/api/v1/signed-urls", { method: "POST", headers, body: { url } });
  expect(answer.status, answer.text).toBe(201);
  return answer.json() as { url: string; expiresAt: string };
}

function ranged(route: string, more: Readonly<Record<string, string>> = {}): string {
  const fromUs = recordings[0]!.startUs;
  const range = { from: formatRfc3339(fromUs), to: formatRfc3339(fromUs + 6 * SEC) };
  return `/api/v1/${route}?${new URLSearchParams({ path: "cam1", ...range, ...more }).toString()}`;
}

const livesSec = ({ expiresAt }: { readonly expiresAt: string }): number =>
  (Date.parse(expiresAt) - http.catalog.clock.nowUs() / 1_000) / 1_000;

describe("a signed URL", () => {
  it("opens what it names without a token, a clip for 5 minutes, a playlist for an hour", async () => {
    for (const [url, sec] of [
      [ranged("clip.mp4"), 300],
      [`/api/v1/recordings/${recordings[0]!.id}/file`, 300],
      ["/api/v1/thumbnail.jpg?path=cam1", 300],
      [ranged("playlist.m3u8"), 3_600],
    ] as const) {
      expect((await ask(http, url)).status, url).toBe(401);
      const signed = await sign(url);
      expect(livesSec(signed)).toBeLessThanOrEqual(sec);
      expect(livesSec(signed)).toBeGreaterThan(sec - 2);
      for (const method of ["GET", "HEAD"]) expect((await ask(http, signed.url, { method })).status, url).toBe(200);
    }
  });

  it("is for media alone, and for what its maker may see", async () => {
    const refusals = ["/api/v1/recordings", "/api/v1/paths", "/metrics", "/api/v1/timeline?path=cam1"];
    for (const url of refusals) {
      const headers = { authorization: "Bearer anna" };
      const answer = await ask(http, "/api/v1/signed-urls", { method: "POST", headers, body: { url } });
      expect(answer.status, url).toBe(400);
    }
  });

  it("is refused once its maker may not look any more", async () => {
    const { url } = await sign(ranged("clip.mp4"));
    anna = { ...ANNA, scopes: [[parsePathPattern("cam1")]] };
    expect((await ask(http, url)).status).toBe(200);
    anna = { ...ANNA, scopes: [[parsePathPattern("cam2")]] };
    expect((await ask(http, url)).status).toBe(404);
    anna = undefined;
    expect((await ask(http, url)).status).toBe(401);
  });

  it("gives no more rights than to look, whatever its maker may", async () => {
    const { url } = await sign(ranged("clip.mp4"));
    anna = { ...ANNA, role: "admin" };
    for (const method of ["POST", "PATCH", "DELETE"]) {
      expect([401, 405]).toContain((await ask(http, url, { method })).status);
    }
    const signature = new URL(url, "http://x").search;
    expect((await ask(http, `/api/v1/recordings${signature}`)).status).toBe(401);
    expect((await ask(http, `/api/v1/paths${signature}`, { method: "DELETE" })).status).toBe(401);
  });

  it.each(["0", "1"])(
    "of a playlist names signed URLs that play and end with it (multivariant=%s)",
    async (multivariant) => {
      const { url } = await sign(ranged("playlist.m3u8", { multivariant }));
      const answer = await ask(http, url);
      const expires = new URL(url, "http://x").searchParams.get("expires");
      for (const line of answer.text.split("\n").filter((each) => each !== "" && !each.startsWith("#"))) {
        expect(new URL(line, "http://x").searchParams.get("expires")).toBe(expires);
      }
      const text = multivariant === "0" ? answer.text : (await ask(http, `/api/v1/${lastLine(answer.text)}`)).text;
      const load = async (uri: string, offset: number, size: number | undefined): Promise<Buffer> => {
        const headers = { range: `bytes=${offset}-${size === undefined ? "" : offset + size - 1}` };
        const part = await ask(http, `/api/v1/${uri}`, { headers });
        expect(part.status, part.text.slice(0, 200)).toBe(206);
        return part.bytes;
      };
      const playlist = await checkPlaylist(text, load);
      expect(playlist.sec).toBeGreaterThan(5);
      // Asked for again, its lines are what they were.
      expect((await ask(http, url)).text).toBe(answer.text);
    },
  );
});

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
