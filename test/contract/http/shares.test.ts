/** Share links: what an outsider can see with one, and that it is nothing else. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { createUrlSigner } from "../../../src/access/signed-url.js";
import { findFragmentIndex } from "../../../src/catalog/fragment-indexes.js";
import { formatRfc3339 } from "../../../src/core/instant.js";
import { parsePathName } from "../../../src/core/path-name.js";
import type { Recording } from "../../../src/core/recording.js";
import { decodeFragmentIndex } from "../../../src/media/fragment-index-codec.js";
import { checkPlaylist } from "../../support/hls-check.js";
import { ask, type Answered, type Ask } from "../../support/http-ask.js";
import { addFixtures } from "../../support/http-footage.js";
import { type HttpHarness, startHttp, URL_KEY } from "../../support/http-harness.js";

const SEC = 1_000_000;
const signer = createUrlSigner([URL_KEY]);

let http: HttpHarness;
let recordings: Recording[];
/** Begins in the midst of the first recording, ends in the midst of the second one. */
let fromUs: number;
let toUs: number;
let share: { readonly id: string; readonly url: string };
let links: { readonly playlist: string; readonly clip: string; readonly picture: string };

beforeAll(async () => {
  http = await startHttp({ playbackArchive: "direct" });
  recordings = await addFixtures(http, "v1.20.1/h264-aac");
  await addFixtures(http, "v1.20.1/h264-aac", { changes: { path: parsePathName("cam2") } });
  await addFixtures(http, "v1.20.1/mpegts", { changes: { path: parsePathName("ts") } });
  fromUs = recordings[0]!.startUs + 1.5 * SEC;
  toUs = recordings[1]!.startUs + 1.5 * SEC;
});
afterAll(() => http.close());

beforeEach(async () => {
  const expiresAt = formatRfc3339(http.catalog.clock.nowUs() + 3_600 * SEC);
  const body = { path: "cam1", ...rangeOf(fromUs, toUs), label: "Gate <b>", expiresAt };
  const made = await ask(http, "/api/v1/shares", { method: "POST", body });
  expect(made.status, made.text).toBe(201);
  share = made.json() as typeof share;
  links = (await ask(http, `${tokenPath()}/links`)).json() as typeof links;
});

const rangeOf = (from: number, to: number) => ({ from: formatRfc3339(from), to: formatRfc3339(to) });
const tokenPath = (): string => new URL(share.url).pathname;

function target(route: string, query: Readonly<Record<string, string>> = {}): string {
  const text = new URLSearchParams(query).toString();
  return `/api/v1/${route}${text === "" ? "" : `?${text}`}`;
}

/** As if the share's own signature were on it: only the policy is left to refuse. */
function asShare(url: string, options: Ask = {}): Promise<Answered> {
  const expiresAtUs = http.catalog.clock.nowUs() + 60 * SEC;
  return ask(http, signer.sign(url, { kind: "share", id: share.id, expiresAtUs }), options);
}

/** 404 of another path, 403 of another time, 416 of other bytes. */
async function statusOf(url: string, options: Ask = {}): Promise<number> {
  return (await asShare(url, options)).status;
}

function media(recording: Recording, from = fromUs, to = toUs): string {
  return target(`recordings/${recording.id}/media.mp4`, rangeOf(from, to));
}

const bytes = (start: number, end: number | "") => ({ headers: { range: `bytes=${start}-${end}` } });

async function fragmentsOf(recording: Recording) {
  const data = await findFragmentIndex(http.catalog, recording.id);
  const { fragments, timescale, initBytes } = decodeFragmentIndex(data!);
  const usOf = (ticks: number | null) => (ticks === null ? null : recording.startUs + (ticks / timescale) * SEC);
  return {
    initBytes,
    fragments: fragments.map(({ offsetBytes, sizeBytes, startTicks, syncTicks }) => {
      return { start: offsetBytes, end: offsetBytes + sizeBytes, startUs: usOf(startTicks)!, syncUs: usOf(syncTicks) };
    }),
  };
}

describe("a share link", () => {
  it("plays its range, to the fragment, by URLs alone", async () => {
    const answer = await ask(http, links.playlist);
    expect(answer.status, answer.text).toBe(200);
    const playlist = await checkPlaylist(answer.text, async (uri, offset, size) => {
      const part = await ask(http, `/api/v1/${uri}`, bytes(offset, size === undefined ? "" : offset + size - 1));
      expect(part.status, part.text.slice(0, 200)).toBe(206);
      return part.bytes;
    });
    const first = playlist.segments[0]!;
    const last = playlist.segments.at(-1)!;
    expect(first.wallSec * SEC).toBeLessThanOrEqual(fromUs);
    expect(first.wallSec * SEC).toBeGreaterThan(fromUs - 2.2 * SEC);
    expect((last.wallSec + last.sec) * SEC).toBeGreaterThan(toUs - 1.1 * SEC);
    // The last fragment begins before the end, and is about a second long.
    expect((last.wallSec + last.sec) * SEC).toBeLessThan(toUs + 1.1 * SEC);
    const asked = await ask(http, target("playlist.m3u8", { path: "cam1", ...rangeOf(fromUs, toUs) }));
    expect(asked.text).not.toContain("signature");
  });

  it("opens exactly the fragments of its range, and of the GOP in which it begins", async () => {
    for (const recording of recordings.slice(0, 3)) {
      const { fragments, initBytes } = await fragmentsOf(recording);
      const syncBefore = Math.max(...fragments.map(({ syncUs }) => (syncUs !== null && syncUs <= fromUs ? syncUs : 0)));
      const firstOpen = fragments.findIndex(
        ({ syncUs }) => syncUs !== null && (syncBefore === 0 || syncUs === syncBefore),
      );
      const expected = fragments.map(
        ({ startUs }, at) => startUs < toUs && at >= firstOpen && recording.endUs > fromUs,
      );
      const got: boolean[] = [];
      for (const { start, end } of fragments) {
        const answer = await asShare(media(recording), bytes(start, end - 1));
        expect([206, 404, 416]).toContain(answer.status);
        got.push(answer.status === 206);
        if (answer.status === 206) expect(answer.bytes.length).toBe(end - start);
      }
      expect(got).toEqual(expected);
      const isAny = expected.includes(true);
      expect(await statusOf(media(recording), bytes(0, initBytes - 1))).toBe(isAny ? 206 : 404);
    }
    const { fragments } = await fragmentsOf(recordings[1]!);
    expect(fragments.length).toBeGreaterThan(2);
  });

  it("sends no byte beyond them, however it is asked", async () => {
    const [recording] = recordings;
    const { fragments, initBytes } = await fragmentsOf(recordings[1]!);
    const lastOpen = fragments.filter(({ startUs }) => startUs < toUs).at(-1)!;
    const url = media(recordings[1]!);
    const open = await asShare(url, bytes(lastOpen.start, ""));
    expect([open.status, open.bytes.length]).toEqual([206, lastOpen.end - lastOpen.start]);
    const long = await asShare(url, bytes(lastOpen.start, 999_999_999));
    expect([long.status, long.bytes.length]).toEqual([206, lastOpen.end - lastOpen.start]);
    const tricked = await asShare(url, { headers: { range: `bytes=0-${initBytes - 1}`, "if-range": '"other"' } });
    expect([tricked.status, tricked.bytes.length]).toEqual([206, initBytes]);
    for (const range of ["bytes=-5", "bytes=0-1,5-9", "bytes=", "items=0-5", `bytes=${lastOpen.end}-`, "bytes=5-1"]) {
      expect(await statusOf(url, { headers: { range } }), range).toBe(416);
    }
    expect(await statusOf(url)).toBe(416);
    const head = await asShare(url, { method: "HEAD" });
    expect([head.status, head.bytes.length]).toEqual([200, 0]);
    // All of a file, or all of its range, is another time.
    for (const whole of [`recordings/${recording!.id}/media.mp4`, `recordings/${recording!.id}/file`]) {
      expect(await statusOf(target(whole))).toBe(403);
    }
  });

  it("is refused for any other time, path or route", async () => {
    const wide = rangeOf(fromUs - SEC, toUs);
    const late = rangeOf(fromUs, toUs + 1);
    for (const route of ["playlist.m3u8", "clip.mp4"]) {
      for (const range of [wide, late]) expect(await statusOf(target(route, { path: "cam1", ...range }))).toBe(403);
      for (const path of ["cam2", "nobody"]) {
        expect(await statusOf(target(route, { path, ...rangeOf(fromUs, toUs) }))).toBe(404);
      }
    }
    const picture = (query: Record<string, string>) => statusOf(target("thumbnail.jpg", query));
    expect(await picture({ path: "cam1", at: formatRfc3339(fromUs - 1) })).toBe(403);
    expect(await picture({ path: "cam1", at: formatRfc3339(toUs) })).toBe(403);
    expect(await picture({ path: "cam1" })).toBe(403);
    expect(await picture({ path: "cam2", at: formatRfc3339(fromUs) })).toBe(404);
    expect(await statusOf(media(recordings[0]!, fromUs - SEC, toUs), bytes(0, 9))).toBe(403);
    expect(await statusOf(media(recordings[0]!, fromUs, toUs + 1), bytes(0, 9))).toBe(403);
    const harness = await ask(http, "/api/v1/recordings?path=cam2");
    const [other] = (harness.json() as { items: Recording[] }).items;
    expect(await statusOf(media(other!), bytes(0, 9))).toBe(404);
  });

  it("opens the clip and the picture of its range", async () => {
    const clip = await ask(http, links.clip);
    expect(clip.status, clip.text.slice(0, 200)).toBe(200);
    expect(clip.headers["content-type"]).toBe("video/mp4");
    expect((await ask(http, links.picture, { method: "HEAD" })).status).toBe(200);
    const actions = (await http.catalog.db("audit").where({ actor_kind: "share", actor_id: share.id })) as object[];
    expect(actions).toMatchObject([{ action: "clip.download", target: "cam1", actor_name: "Gate <b>" }]);
  });

  it("is over at once when it is revoked, and when its time is over", async () => {
    expect((await ask(http, links.playlist)).status).toBe(200);
    const revoked = await ask(http, `/api/v1/shares/${share.id}`, { method: "DELETE" });
    expect(revoked.json()).toMatchObject({ id: share.id, revokedAt: expect.any(String) as string });
    for (const url of Object.values(links).filter((each) => each.startsWith("/"))) {
      expect((await ask(http, url)).status, url).toBe(401);
    }
    expect((await ask(http, `${tokenPath()}/links`)).status).toBe(404);
    expect((await ask(http, tokenPath())).status).toBe(404);
    const again = await ask(http, `/api/v1/shares/${share.id}`, { method: "DELETE" });
    expect(again.json()).toEqual(revoked.json());
    const notes = (await http.catalog
      .db("audit")
      .where({ target: `share:${share.id}` })
      .orderBy("id")) as object[];
    expect(notes.map((note) => (note as { action: string }).action)).toEqual(["share.create", "share.revoke"]);
    expect(JSON.stringify(notes)).not.toContain(tokenPath().split("/").at(-1));
  });

  it("is over when its time is, though its URLs would last longer", async () => {
    await http.catalog.clock.advance(3_590_000);
    const late = (await ask(http, `${tokenPath()}/links`)).json() as typeof links;
    expect((await ask(http, late.playlist)).status).toBe(200);
    await http.catalog.clock.advance(10_000);
    expect((await ask(http, late.playlist)).status).toBe(401);
    expect(await statusOf(target("playlist.m3u8", { path: "cam1", ...rangeOf(fromUs, toUs) }))).toBe(401);
    expect((await ask(http, `${tokenPath()}/links`)).status).toBe(404);
  });

  it("counts how often its page was opened, and says what became of it in one voice", async () => {
    const opened = await ask(http, tokenPath());
    if (opened.status === 503) return; // No page was built here; a browser opens one elsewhere.
    await ask(http, tokenPath(), { method: "HEAD" });
    const listed = (await ask(http, "/api/v1/shares")).json() as { items: { id: string; opened: number }[] };
    expect(listed.items.find(({ id }) => id === share.id)?.opened).toBe(1);
    expect(opened.headers["content-security-policy"]).toContain("default-src 'none'");
    const words = new Set<string>();
    for (const token of ["x".repeat(43), "constructor", "__proto__", "a", "%25", share.id]) {
      const answer = await ask(http, `/share/${token}`);
      expect(answer.status, token).toBe(404);
      words.add(answer.text);
    }
    expect(words.size).toBe(1);
  });

  it("tells nothing of what is around a gap", async () => {
    const lastUs = recordings.at(-1)!.endUs;
    const [from, to] = [lastUs + 3_600 * SEC, lastUs + 3_660 * SEC];
    const expiresAt = formatRfc3339(http.catalog.clock.nowUs() + 3_600 * SEC);
    const body = { path: "cam1", ...rangeOf(from, to), expiresAt };
    const { url } = (await ask(http, "/api/v1/shares", { method: "POST", body })).json() as { url: string };
    const { clip, picture, playlist } = (await ask(http, `${new URL(url).pathname}/links`)).json() as typeof links;
    for (const each of [clip, picture, playlist]) {
      const answer = await ask(http, each);
      expect(answer.status, each).toBe(404);
      expect(answer.text).not.toContain(formatRfc3339(lastUs).slice(0, 19));
    }
  });

  it("shows of MPEG-TS the GOPs of the range, and what cannot be cut only where all of it is in the range", async () => {
    const [first] = (await http.catalog.db("recordings").where({ path: "ts" }).orderBy("start_us")) as {
      id: string;
      start_us: number;
      end_us: number;
    }[];
    const made = async (to: number) => {
      const expiresAt = formatRfc3339(http.catalog.clock.nowUs() + 3_600 * SEC);
      const body = { path: "ts", ...rangeOf(first!.start_us, to), expiresAt };
      const { url } = (await ask(http, "/api/v1/shares", { method: "POST", body })).json() as { url: string };
      const { playlist } = (await ask(http, `${new URL(url).pathname}/links`)).json() as typeof links;
      return ask(http, playlist);
    };
    const cut = await made(first!.start_us + 1.5 * SEC);
    const [, size, at] = /#EXT-X-BYTERANGE:(\d+)@(\d+)/.exec(cut.text) ?? [];
    const media = /recordings\S+/.exec(cut.text)?.[0] ?? "";
    const whole = await ask(http, target(media), { headers: { range: "bytes=0-" } });
    expect([at, whole.status, String(whole.bytes.length)]).toEqual(["0", 206, size]);
    expect((await ask(http, target(media), { headers: { range: `bytes=${size ?? ""}-` } })).status).toBe(416);
    await http.catalog.db("fragment_indexes").where({ recording_id: first!.id }).delete();
    expect((await made(first!.end_us)).text).toContain(first!.id);
    expect((await made(first!.end_us - 1)).text).not.toContain(first!.id);
  });
});
