/**
 * Our /playback beside a real MediaMTX on the same folder. They are equal but for this, on purpose:
 * - starts are those of the `mtxi` box where there is one (MediaMTX takes them from the file name), and in UTC;
 * - durations are those of the samples (MediaMTX: `mvhd`, which holds milliseconds): less than 1 ms apart;
 * - one bad file fails nothing (MediaMTX: 500 for all of the path), and archived footage is there;
 * - MPEG-TS is listed and played (MediaMTX: 500 and 400);
 * - an end before the start is refused (MediaMTX answers negative durations), a span of no length is left out.
 */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { formatRfc3339, parseRfc3339 } from "../../../src/core/instant.js";
import { parsePathName } from "../../../src/core/path-name.js";
import type { Recording } from "../../../src/core/recording.js";
import { ask } from "../../support/http-ask.js";
import { addFixtures } from "../../support/http-footage.js";
import { type HttpHarness, startHttp } from "../../support/http-harness.js";
import { createTempDir, removeTempDir } from "../../support/temp-dir.js";
import {
  freeMediaMtxPorts,
  type MediaMtxServer,
  quietMediaMtxConfig,
  startMediaMtx,
} from "../../support/mediamtx-server.js";

const FOLDERS = ["h264-aac", "h264-bframes", "h265-only", "killed", "mpegts"].flatMap((camera) => [
  `v1.14.0/${camera}`,
  `v1.20.1/${camera}`,
]);
const PLAYABLE = FOLDERS.filter((folder) => !folder.endsWith("mpegts"));
const run = promisify(execFile);
/** File names and `mtxi` differ by less; `mvhd` cuts to 1 ms. */
const NEAR_US = 2_000;
/**
 * A clip ends by the wall clock of each file (MediaMTX: by the time since the first file), and MediaMTX loses a frame
 * where its hidden frames before the start end.
 */
const MOST_FRAMES_APART = 2;
/** Ours ends by when pictures are shown, theirs by when they are decoded: the fixtures' encoders hold back up to three. */
const MOST_HELD_BACK = 3;
/** Until it is closed a file counts as long as its picture does; the sound may outlast it. */
const OUTLASTING_SEC = 0.5;

interface Entry {
  readonly start: string;
  readonly duration: number;
  readonly url: string;
}

let http: HttpHarness;
let directory: string;
let mediamtx: MediaMtxServer;
let theirs: string;
const rows = new Map<string, Recording[]>();

const cameraOf = (folder: string): string => folder.replaceAll("/", "_");

beforeAll(async () => {
  http = await startHttp();
  directory = await createTempDir();
  const cameras = FOLDERS.map((folder) => {
    const format = folder.endsWith("mpegts") ? "mpegts" : "fmp4";
    return `  ${cameraOf(folder)}:\n    recordFormat: ${format}`;
  });
  for (const folder of FOLDERS) {
    const changes = { path: parsePathName(cameraOf(folder)) };
    rows.set(folder, await addFixtures(http, folder, { changes }));
  }
  const ports = await freeMediaMtxPorts();
  const recordPath = `${http.recordDir}/%path/%Y-%m-%d_%H-%M-%S-%f`;
  const more = `pathDefaults:\n  recordPath: "${recordPath}"\n  recordDeleteAfter: 0s\npaths:\n${cameras.join("\n")}\n`;
  const config = quietMediaMtxConfig("1.21.0", ports, more);
  mediamtx = await startMediaMtx({ version: "1.21.0", directory, config, env: { TZ: "UTC" } });
  theirs = `http://127.0.0.1:${ports.playback}`;
});
afterAll(async () => {
  await mediamtx.stop();
  await http.close();
  await removeTempDir(directory);
});

async function listOf(base: string, query: Readonly<Record<string, string>>) {
  const answer = await fetch(`${base}?${new URLSearchParams(query).toString()}`);
  const body = await answer.json();
  return { status: answer.status, body, entries: answer.status === 200 ? (body as Entry[]) : [] };
}

const ourList = (query: Readonly<Record<string, string>>) =>
  listOf(`http://127.0.0.1:${http.port}/playback/list`, query);
const theirList = (query: Readonly<Record<string, string>>) => listOf(`${theirs}/list`, query);

function spansOf(entries: readonly Entry[]): { startUs: number; endUs: number }[] {
  return entries.map(({ start, duration }) => {
    const startUs = parseRfc3339(start);
    return { startUs, endUs: startUs + Math.round(duration * 1e6) };
  });
}

/** The same timespans, as near as a file name and `mvhd` let them be. */
function expectSame(ours: readonly Entry[], others: readonly Entry[], what: string): void {
  const [mine, their] = [spansOf(ours), spansOf(others)];
  const told = `${what}: ${JSON.stringify(ours)} beside ${JSON.stringify(others)}`;
  expect(mine.length, told).toBe(their.length);
  for (const [index, { startUs, endUs }] of mine.entries()) {
    expect(Math.abs(startUs - their[index]!.startUs), told).toBeLessThanOrEqual(NEAR_US);
    expect(Math.abs(endUs - their[index]!.endUs), told).toBeLessThanOrEqual(NEAR_US);
  }
}

interface ClipAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly frames: readonly string[];
}

/** Of `/get`: status, and the video frames as hashes of their pixels. */
async function clipOf(base: string, query: Readonly<Record<string, string>>): Promise<ClipAnswer> {
  const answer = await fetch(`${base}?${new URLSearchParams(query).toString()}`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (answer.status !== 200)
    return { status: answer.status, body: JSON.parse(bytes.toString()) as unknown, frames: [] };
  const file = path.join(directory, `${randomUUID()}.mp4`);
  writeFileSync(file, bytes);
  const { stdout } = await run("ffmpeg", [
    // MediaMTX's mp4 hides what comes before the start by an edit list.
    ...[
      "-v",
      "error",
      "-ignore_editlist",
      "1",
      "-i",
      file,
      "-map",
      "0:v:0",
      "-vsync",
      "passthrough",
      "-f",
      "framemd5",
      "-",
    ],
  ]);
  const lines = stdout.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return { status: 200, body: null, frames: lines.map((line) => line.split(",").at(-1)?.trim() ?? "") };
}

const ourClip = (query: Readonly<Record<string, string>>) =>
  clipOf(`http://127.0.0.1:${http.port}/playback/get`, query);
const theirClip = (query: Readonly<Record<string, string>>) => clipOf(`${theirs}/get`, query);

describe("the clip beside MediaMTX's", () => {
  it.each(PLAYABLE)("of %s has the same frames, of one file, of several, and up to a break", async (folder) => {
    const all = rows.get(folder)!;
    const first = all[0]!.startUs;
    const mostApart = MOST_FRAMES_APART + (/bframes|h265/.test(folder) ? MOST_HELD_BACK : 0);
    for (const [offsetSec, duration] of [
      [0.5, "1"],
      [2.7, "1.5"],
      [1.1, "6.2"],
      [3.3, "60"],
      [-2, "4"],
    ] as const) {
      for (const format of ["", "fmp4", "mp4"]) {
        const start = formatRfc3339(first + Math.round(offsetSec * 1e6));
        const query = { path: cameraOf(folder), start, duration, format };
        const [ours, their] = [await ourClip(query), await theirClip(query)];
        const told = JSON.stringify({ query, ours: ours.frames.length, their: their.frames.length, body: ours.body });
        expect([ours.status, their.status], told).toEqual([200, 200]);
        expect(their.frames.length, told).toBeGreaterThan(5);
        const common = ours.frames.filter((frame) => their.frames.includes(frame));
        expect(
          their.frames.filter((frame) => ours.frames.includes(frame)),
          told,
        ).toEqual(common);
        expect(ours.frames.length - common.length, told).toBeLessThanOrEqual(mostApart);
        expect(their.frames.length - common.length, told).toBeLessThanOrEqual(mostApart);
      }
    }
  });
});

describe("the clip", () => {
  it.each<[string, Readonly<Record<string, string>>, number]>([
    ["in a gap, though footage follows in the range", { start: "2026-11-20T17:04:57.5Z", duration: "5" }, 404],
    ["behind everything", { start: "2027-01-01T00:00:00Z", duration: "5" }, 404],
    ["before everything", { start: "2020-01-01T00:00:00Z", duration: "5" }, 404],
    ["without a start", { duration: "5" }, 400],
    ["without a duration", { start: "2026-11-20T17:04:45Z" }, 400],
    ["of a duration that is no number", { start: "2026-11-20T17:04:45Z", duration: "long" }, 400],
    ["of another format", { start: "2026-11-20T17:04:45Z", duration: "1", format: "avi" }, 400],
    ["of a path that leads elsewhere", { path: "../etc", start: "2026-11-20T17:04:45Z", duration: "1" }, 400],
  ])("%s is refused with the status of MediaMTX, in the same form", async (_what, query, status) => {
    const whole = { path: "v1.20.1_h264-aac", ...query };
    const [ours, their] = [await ourClip(whole), await theirClip(whole)];
    expect([ours.status, their.status]).toEqual([status, status]);
    const form = { status: "error", error: expect.any(String) as string };
    expect([ours.body, their.body]).toEqual([form, form]);
  });

  it.each(["0", "-1", "NaN", "Infinity", "1e400", "86401", "0x10", "25h"])(
    "of %s seconds is refused",
    async (duration) => {
      const answer = await ourClip({ path: "v1.20.1_h264-aac", start: "2026-11-20T17:04:45Z", duration });
      expect([answer.status, JSON.stringify(answer.body)]).toEqual([400, expect.stringContaining("duration")]);
    },
  );

  it("as mp4 has its tables in front and takes a Range, as fmp4 neither", async () => {
    const [row] = rows.get("v1.20.1/h264-aac")!;
    const query = { path: "v1.20.1_h264-aac", start: formatRfc3339(row!.startUs), duration: "5" };
    const urlOf = (format: string): string => `/playback/get?${new URLSearchParams({ ...query, format }).toString()}`;
    const whole = await ask(http, urlOf("mp4"));
    expect([whole.status, whole.headers["accept-ranges"]]).toEqual([200, "bytes"]);
    expect([whole.bytes.includes("moof"), whole.bytes.indexOf("moov")]).toEqual([false, expect.any(Number)]);
    expect(whole.bytes.indexOf("moov")).toBeLessThan(whole.bytes.indexOf("mdat"));
    const part = await ask(http, urlOf("mp4"), { headers: { range: "bytes=1000-20999" } });
    expect([part.status, part.bytes.equals(whole.bytes.subarray(1_000, 21_000))]).toEqual([206, true]);
    const behind = await ask(http, urlOf("mp4"), { headers: { range: "bytes=99999999-" } });
    expect(behind.status).toBe(416);
    const fragmented = await ask(http, urlOf("fmp4"), { headers: { range: "bytes=1000-20999" } });
    expect([fragmented.status, fragmented.headers["accept-ranges"]]).toEqual([200, "none"]);
  });

  it("takes the URLs of the list as they are, and a Go duration", async () => {
    const { entries } = await ourList({ path: "v1.14.0_h264-bframes" });
    const url = new URL(entries[0]!.url);
    const whole = await clipOf(`${url.origin}${url.pathname}`, Object.fromEntries(url.searchParams));
    expect([whole.status, whole.frames.length]).toEqual([200, 98]);
    const query = { path: "v1.14.0_h264-bframes", start: entries[0]!.start };
    const [go, sec] = [await ourClip({ ...query, duration: "1.5s" }), await ourClip({ ...query, duration: "1.5" })];
    expect([go.status, go.frames]).toEqual([200, sec.frames]);
  });
});

describe("the list beside MediaMTX's", () => {
  it.each(PLAYABLE)("has the same timespans of %s: none joined or split otherwise", async (folder) => {
    const query = { path: cameraOf(folder) };
    const [ours, their] = [await ourList(query), await theirList(query)];
    expect([ours.status, their.status]).toEqual([200, 200]);
    expect(ours.entries.length).toBe(folder.endsWith("h264-aac") ? 2 : 1);
    expectSame(ours.entries, their.entries, folder);
  });

  it.each(PLAYABLE)("has the same timespans of %s for whatever start and end", async (folder) => {
    const all = rows.get(folder)!;
    const first = all[0]!.startUs;
    const lengthUs = all.at(-1)!.endUs - first;
    const edges = all.flatMap(({ startUs, endUs }) => [startUs, endUs]);
    // Not within a hair of an edge, where a millisecond decides.
    const instant = fc
      .integer({ min: -5_000_000, max: lengthUs + 5_000_000 })
      .map((offset) => first + offset)
      .filter((us) => edges.every((edge) => Math.abs(edge - us) > NEAR_US));
    const range = fc.record({ start: fc.option(instant), end: fc.option(instant) });
    await fc.assert(
      fc.asyncProperty(range, async ({ start, end }) => {
        fc.pre(start === null || end === null || start < end);
        const query = {
          path: cameraOf(folder),
          ...(start === null ? {} : { start: formatRfc3339(start) }),
          ...(end === null ? {} : { end: formatRfc3339(end) }),
        };
        const [ours, their] = [await ourList(query), await theirList(query)];
        const told = JSON.stringify({ query, ours: ours.body, their: their.body });
        expect(ours.status, told).toBe(their.status);
        expect([200, 404]).toContain(ours.status);
        if (ours.status !== 200) expect(ours.body, told).toEqual(their.body);
        expectSame(ours.entries, their.entries, told);
      }),
      { numRuns: 40 },
    );
  });

  it.each(PLAYABLE)("has the same timespans of %s that begin and end where one file meets the next", async (folder) => {
    const all = rows.get(folder)!;
    for (const [index, { startUs }] of all.entries()) {
      const endUs = index === 0 ? startUs : all[index - 1]!.endUs;
      if (Math.abs(endUs - startUs) < 4 * NEAR_US) continue;
      const middle = formatRfc3339(Math.round((endUs + startUs) / 2));
      for (const query of [{ start: middle }, { end: middle }].map((bound) => ({ path: cameraOf(folder), ...bound }))) {
        const [ours, their] = [await ourList(query), await theirList(query)];
        expect([ours.status, ours.entries.length], JSON.stringify(query)).toEqual([their.status, their.entries.length]);
        expectSame(ours.entries, their.entries, JSON.stringify(query));
      }
    }
  });

  it.each<[string, Readonly<Record<string, string>>, number]>([
    ["no path", {}, 400],
    ["a path that leads elsewhere", { path: "../etc" }, 400],
    ["a start that is no instant", { path: "v1.20.1_h264-aac", start: "yesterday" }, 400],
    ["an end without a zone", { path: "v1.20.1_h264-aac", end: "2026-11-20T17:05:00" }, 400],
    ["a start behind everything", { path: "v1.20.1_h264-aac", start: "2027-01-01T00:00:00Z" }, 404],
    ["an end before everything", { path: "v1.20.1_h264-aac", end: "2020-01-01T00:00:00Z" }, 404],
  ])("refuses %s with the same status, in the same form", async (_what, query, status) => {
    const [ours, their] = [await ourList(query), await theirList(query)];
    expect([ours.status, their.status]).toEqual([status, status]);
    const form = { status: "error", error: expect.any(String) as string };
    expect([ours.body, their.body]).toEqual([form, form]);
  });

  it.each(["v1.14.0/mpegts", "v1.20.1/mpegts"])("lists and plays %s, which MediaMTX refuses", async (folder) => {
    const path = cameraOf(folder);
    const [ours, their] = [await ourList({ path }), await theirList({ path })];
    expect([ours.status, their.status]).toEqual([200, 500]);
    const all = rows.get(folder)!;
    expect(ours.entries.map(({ start }) => start)).toEqual([formatRfc3339(all[0]!.startUs)]);
    expect(spansOf(ours.entries)[0]?.endUs).toBeCloseTo(all.at(-1)!.endUs, -1);
    const query = { path, start: ours.entries[0]!.start, duration: "5" };
    expect((await theirClip(query)).status).toBe(400);
    for (const format of ["fmp4", "mp4"]) {
      const clip = await ask(http, `/playback/get?${new URLSearchParams({ ...query, format }).toString()}`);
      expect([clip.status, clip.headers["content-type"]], clip.text.slice(0, 200)).toEqual([200, "video/mp4"]);
      const file = `${directory}/of-ts.mp4`;
      writeFileSync(file, clip.bytes);
      const decode = ["-v", "warning", "-xerror", "-i", file, "-map", "0:v", "-f", "framemd5", "-"];
      const { stdout, stderr } = await run("ffmpeg", decode);
      const frames = stdout.split("\n").filter((line) => line.startsWith("0,")).length;
      expect([Math.abs(frames - 50) <= MOST_FRAMES_APART, stderr], `${frames} frames`).toEqual([true, ""]);
    }
  });

  it("knows no path that has no footage, as MediaMTX knows none that is not configured", async () => {
    const query = { path: "nobody" };
    expect([(await ourList(query)).status, (await theirList(query)).status]).toEqual([404, 400]);
  });

  it("refuses an end before the start, where MediaMTX answers a negative duration", async () => {
    const [row] = rows.get("v1.20.1/h264-aac")!;
    const [early, late] = [row!.startUs + 1_000_000, row!.startUs + 3_000_000].map(formatRfc3339);
    const query = { path: "v1.20.1_h264-aac", start: late!, end: early! };
    expect((await theirList(query)).entries[0]?.duration).toBeLessThan(0);
    expect((await ourList(query)).status).toBe(400);
  });

  it("takes the first of repeated parameters and minds no unknown one", async () => {
    const target = "?path=v1.20.1_h264-aac&path=nobody&extra=1&jwt=x";
    const [ours, their] = [await ask(http, `/playback/list${target}`), await fetch(`${theirs}/list${target}`)];
    expect([ours.status, their.status]).toEqual([200, 200]);
  });

  it("points at ourselves by the name that we were called by, over HTTPS where a proxy says so", async () => {
    const target = "/playback/list?path=v1.14.0_h264-aac";
    const urlOf = async (headers: Readonly<Record<string, string>>): Promise<string> =>
      ((await ask(http, target, { headers })).json() as Entry[])[0]!.url;
    const plain = new URL(await urlOf({}));
    expect(plain.origin).toBe(`http://127.0.0.1:${http.port}`);
    expect([plain.pathname, plain.searchParams.get("path")]).toEqual(["/playback/get", "v1.14.0_h264-aac"]);
    const { entries } = await theirList({ path: "v1.14.0_h264-aac" });
    const their = new URL(entries[0]!.url);
    expect([...plain.searchParams.keys()]).toEqual([...their.searchParams.keys()]);
    expect(new URL(await urlOf({ "x-forwarded-proto": "https" })).protocol).toBe("https:");
    expect(new URL(await urlOf({ "x-forwarded-proto": "javascript" })).protocol).toBe("http:");
  });

  it.each([
    ["v1.20.1/killed", "2026-11-20_17-05-13", 2],
    ["v1.14.0/killed", "2026-11-20_17-05-43", 1],
  ] as const)("counts the file of %s that is being written, as MediaMTX does", async (folder, name, index) => {
    const row = rows.get(folder)![index]!;
    expect(row.filePath).toContain(name);
    const query = { path: cameraOf(folder) };
    const [closed, their] = [await ourList(query), await theirList(query)];
    // As the hook makes it, before anybody has looked into the file.
    const open = { local: "open", step: "settle", end_us: row.startUs, stream_id: null, segment_number: null };
    await http.catalog.db("recordings").where({ id: row.id }).update(open);
    await http.catalog.db("fragment_indexes").where({ recording_id: row.id }).delete();
    const opened = await ourList(query);
    expect(opened.entries.length).toBe(closed.entries.length);
    expect(Math.abs(opened.entries[0]!.duration - their.entries[0]!.duration)).toBeLessThan(OUTLASTING_SEC);
    const start = formatRfc3339(row.startUs + 500_000);
    const [ours, others] = [
      await ourClip({ ...query, start, duration: "1" }),
      await theirClip({ ...query, start, duration: "1" }),
    ];
    expect([ours.status, others.status]).toEqual([200, 200]);
    expect(ours.frames.slice(0, -MOST_FRAMES_APART)).toEqual(
      others.frames.slice(0, ours.frames.length - MOST_FRAMES_APART),
    );
  });

  it("is there when a bad file fails all of MediaMTX's, with archived footage, and without what is nowhere", async () => {
    const folder = "v1.20.1/h264-bframes";
    const query = { path: cameraOf(folder) };
    const before = await ourList(query);
    writeFileSync(path.join(http.recordDir, cameraOf(folder), "2026-11-20_17-05-00-000000.mp4"), "");
    expect((await theirList(query)).status).toBe(500);
    expect(await ourList(query)).toEqual(before);
    const archived = { local: "released", archive: "verified", object_key: "k" };
    await http.catalog.db("recordings").where(query).update(archived);
    expect(await ourList(query)).toEqual(before);
    await http.catalog.db("recordings").where(query).update({ archive: "expired" });
    expect((await ourList(query)).status).toBe(404);
  });
});
