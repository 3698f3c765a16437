/** H.264 and AAC made of what browsers cannot play: every frame, in its place, and no ffmpeg left behind. */
import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { promisify } from "node:util";

import { describe, expect, it } from "vitest";

import { formatRfc3339, parseRfc3339 } from "../../../src/core/instant.js";
import { parsePathName } from "../../../src/core/path-name.js";
import type { Recording } from "../../../src/core/recording.js";
import { findBrowser, startBrowser } from "../../support/browser.js";
import { addFixture, addInspected } from "../../support/footage-rows.js";
import { ask, problemIn } from "../../support/http-ask.js";
import { addFixtures } from "../../support/http-footage.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait-for.js";
import { fixture } from "../../unit/media/fixtures.js";

const run = promisify(execFile);
const RANGE = { from: "2026-11-20T17:00:00Z", to: "2026-11-20T18:00:00Z" };

function playlistUrl(more: Readonly<Record<string, string>> = {}): string {
  return `/api/v1/playlist.m3u8?${new URLSearchParams({ path: "cam1", ...RANGE, transcode: "h264", ...more }).toString()}`;
}

interface Piece {
  readonly uri: string;
  readonly durationSec: number;
  readonly recordingId: string;
}

function piecesIn(playlist: string): Piece[] {
  return [...playlist.matchAll(/#EXTINF:([\d.]+),\n(\S+)/g)].map(([, sec, uri = ""]) => ({
    ...{ uri, durationSec: Number(sec), recordingId: uri.split("/")[1] ?? "" },
  }));
}

interface Packet {
  readonly codec_type: string;
  readonly pts: number;
  readonly flags: string;
}

async function packetsOf(bytes: Buffer): Promise<Packet[]> {
  const file = path.join(await tempDir(), "piece.ts");
  writeFileSync(file, bytes);
  const args = ["-v", "error", "-show_entries", "packet=codec_type,pts,flags", "-of", "json", file];
  const { stdout } = await run("ffprobe", args, { maxBuffer: 1e8 });
  return (JSON.parse(stdout) as { packets: Packet[] }).packets;
}

async function streamsOf(bytes: Buffer): Promise<string[]> {
  const file = path.join(await tempDir(), "piece.ts");
  writeFileSync(file, bytes);
  const { stdout } = await run("ffprobe", [
    ...["-v", "error", "-show_entries", "stream=codec_name,profile,pix_fmt", "-of", "csv=p=0", file],
  ]);
  return [...new Set(stdout.split("\n"))].filter((line) => line !== "");
}

async function frameCountOf(file: string): Promise<number> {
  const { stdout } = await run("ffprobe", [
    ...["-v", "error", "-select_streams", "v", "-count_frames", "-show_entries", "stream=nb_read_frames"],
    ...["-of", "csv=p=0", file],
  ]);
  // Of MPEG-TS it is told twice, for the program and for the stream.
  return Number(stdout.split("\n")[0]);
}

async function piecesOf(http: HttpHarness, more = {}): Promise<(Piece & { readonly bytes: Buffer })[]> {
  const playlist = await ask(http, playlistUrl(more));
  expect(playlist.status, playlist.text).toBe(200);
  const pieces = [];
  for (const piece of piecesIn(playlist.text)) {
    const answer = await ask(http, `/api/v1/${piece.uri}`);
    expect([answer.status, answer.headers["content-type"]], answer.text.slice(0, 300)).toEqual([200, "video/mp2t"]);
    pieces.push({ ...piece, bytes: answer.bytes });
  }
  return pieces;
}

/** An ffmpeg that writes down that it began and waits for ever. */
async function hangingFfmpeg() {
  const directory = await tempDir();
  const file = path.join(directory, "ffmpeg");
  writeFileSync(file, `#!/bin/sh\necho > "${directory}/$$.run"\nexec sleep 600\n`);
  chmodSync(file, 0o755);
  const isAlive = (pid: number): boolean =>
    existsSync(`/proc/${String(pid)}`) && !readFileSync(`/proc/${String(pid)}/stat`, "utf8").includes(") Z ");
  const alive = (): number[] =>
    readdirSync(directory)
      .flatMap((name) => (name.endsWith(".run") ? [Number(name.slice(0, -4))] : []))
      .filter(isAlive);
  return { settings: { configuredPath: file, env: process.env }, alive };
}

function filesOf(folder: string, rows: readonly Recording[]): string[] {
  return rows.map(({ filePath }) => path.join(path.dirname(fixture(folder).filePath), path.basename(filePath)));
}

describe.each(["v1.20.1/h265-only", "v1.14.0/h265-only"])("%s, transcoded", (folder) => {
  it.each(["local", "archived"] as const)("from %s holds every frame, and its pieces join", async (where) => {
    const http = await httpForTest({ transcodingMost: 2 });
    const rows = await addFixtures(http, folder, { where });
    const pieces = await piecesOf(http);
    expect(new Set(pieces.map(({ recordingId }) => recordingId)).size).toBe(rows.length);
    for (const [index, row] of rows.entries()) {
      const own = pieces.filter(({ recordingId }) => recordingId === row.id);
      const packets: Packet[] = [];
      for (const { bytes } of own) {
        const [first, ...others] = (await packetsOf(bytes)).filter(({ codec_type: type }) => type === "video");
        // It can be decoded by itself.
        expect(first?.flags.startsWith("K")).toBe(true);
        packets.push(first!, ...others);
        expect(await streamsOf(bytes)).toEqual(["h264,Main,yuv420p"]);
      }
      expect(packets).toHaveLength(await frameCountOf(filesOf(folder, rows)[index]!));
      // No seam: each frame follows the one before as the camera sent it.
      const steps = packets.slice(1).map(({ pts }, at) => pts - packets[at]!.pts);
      expect(Math.min(...steps)).toBeGreaterThan(0);
      expect(Math.max(...steps)).toBeLessThan(90_000 / 2);
      const toldSec = own.reduce((sum, { durationSec }) => sum + durationSec, 0);
      const mediaSec = (packets.at(-1)!.pts - packets[0]!.pts) / 90_000;
      // The last frame's own length, and two frames by which its B-frames are shown later.
      expect(Math.abs(toldSec - mediaSec)).toBeLessThan(0.31);
    }
  });
});

/** As MediaMTX lays MPEG-TS out: PAT and PMT before each random access point. */
const H265_STREAM = [
  ...["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=10:duration=10"],
  ...["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=10"],
  ...["-c:v", "libx265", "-g", "20", "-pix_fmt", "yuv420p", "-preset", "ultrafast"],
  ...["-x265-params", "log-level=error:keyint=20:min-keyint=20:scenecut=0:bframes=2:open-gop=0", "-c:a", "aac"],
  ...["-mpegts_flags", "+pat_pmt_at_frames", "-f", "mpegts"],
];

describe("MPEG-TS with H.265, transcoded", () => {
  it("holds every frame in pieces that join, with its sound", async () => {
    const http = await httpForTest({ transcodingMost: 2 });
    const file = path.join(http.recordDir, "made", "2026-11-20_17-00-00-000000.ts");
    mkdirSync(path.dirname(file), { recursive: true });
    await run("ffmpeg", ["-v", "error", ...H265_STREAM, file]);
    await addInspected(http, "made/2026-11-20_17-00-00-000000.ts");
    const pieces = await piecesOf(http, { path: "made" });
    expect(pieces).toHaveLength(3);
    const video: number[] = [];
    let soundUntil: number | undefined;
    for (const { bytes } of pieces) {
      expect(await streamsOf(bytes)).toEqual(["h264,Main,yuv420p", "aac,LC"]);
      const packets = await packetsOf(bytes);
      const pictures = packets.filter(({ codec_type: type }) => type === "video");
      expect(pictures[0]?.flags.startsWith("K")).toBe(true);
      video.push(...pictures.map(({ pts }) => pts));
      const sound = packets.filter(({ codec_type: type }) => type === "audio").map(({ pts }) => pts);
      if (soundUntil !== undefined) expect(Math.abs(sound[0]! - soundUntil)).toBeLessThan(90_000 * 0.05);
      soundUntil = sound.at(-1)! + sound[1]! - sound[0]!;
    }
    expect(video).toHaveLength(100);
    const steps = video.slice(1).map((pts, at) => pts - video[at]!);
    expect(Math.max(...steps.map((step) => Math.abs(step - 9_000)))).toBeLessThan(10);
  });
});

describe("a transcoded playlist", () => {
  it.each(["v1.20.1/h264-aac", "v1.20.1/mpegts"])(
    "copies the H.264 of %s, and has AAC that goes on over pieces",
    async (folder) => {
      const http = await httpForTest({ transcodingMost: 2 });
      const rows = await addFixtures(http, folder);
      const pieces = await piecesOf(http);
      const files = filesOf(folder, rows);
      for (const [index, row] of rows.entries()) {
        const own = pieces.filter(({ recordingId }) => recordingId === row.id);
        const video = [];
        let soundUntil: number | undefined;
        for (const { bytes } of own) {
          const packets = await packetsOf(bytes);
          video.push(...packets.filter(({ codec_type: type }) => type === "video"));
          const sound = packets.filter(({ codec_type: type }) => type === "audio").map(({ pts }) => pts);
          // At most two frames of sound beside each other, and no hole.
          if (soundUntil !== undefined) expect(Math.abs(sound[0]! - soundUntil)).toBeLessThan(90_000 * 0.05);
          soundUntil = sound.at(-1)! + sound[1]! - sound[0]!;
        }
        expect(video).toHaveLength(await frameCountOf(files[index]!));
      }
      const playlist = await ask(http, playlistUrl());
      expect(playlist.headers).toMatchObject({
        "reelkeeper-codecs": "avc1.4d402a,mp4a.40.2",
        "reelkeeper-playable": "yes",
      });
      const multivariant = await ask(http, playlistUrl({ multivariant: "1" }));
      expect(multivariant.text).toContain("transcode=h264");
    },
  );

  it("goes on where the recording format changes", async () => {
    const http = await httpForTest({ transcodingMost: 2 });
    const changes = { path: parsePathName("mixed") };
    const streams = await addFixture(http, ["v1.20.1", "mpegts"], changes);
    const files = await addFixture(http, ["v1.20.1", "killed"], changes);
    const playlist = await ask(http, playlistUrl({ path: "mixed" }));
    expect(playlist.status, playlist.text).toBe(200);
    expect(playlist.headers["reelkeeper-format-changes-at"]).toBeUndefined();
    const named = new Set(piecesIn(playlist.text).map(({ recordingId }) => recordingId));
    expect(named).toEqual(new Set([...streams, ...files].map(({ recording }) => recording.id)));
  });

  it("is refused, and offered by no timeline, while it is switched off", async () => {
    const http = await httpForTest();
    const [row] = await addFixtures(http, "v1.20.1/h265-only");
    const timeline = `/api/v1/timeline?${new URLSearchParams({ path: "cam1", ...RANGE }).toString()}`;
    expect((await ask(http, timeline)).json()).toMatchObject({ transcoding: [] });
    expect(problemIn(await ask(http, playlistUrl()))).toMatchObject({
      status: 409,
      hint: expect.stringContaining("TRANSCODING=on") as string,
    });
    const [from, to] = [row!.startUs, row!.startUs + 1_000_000].map(formatRfc3339);
    const piece = `/api/v1/recordings/${row!.id}/transcoded.ts?${new URLSearchParams({ from: from!, to: to! }).toString()}`;
    expect(problemIn(await ask(http, piece)).status).toBe(409);
    const on = await httpForTest({ transcodingMost: 1 });
    expect((await ask(on, timeline)).json()).toMatchObject({ transcoding: ["h264"] });
  });

  it("has pieces inside of its range only, when it is asked for by a signed URL", async () => {
    const http = await httpForTest({ transcodingMost: 2 });
    const rows = await addFixtures(http, "v1.20.1/h265-only");
    const range = { from: formatRfc3339(rows[0]!.startUs + 700_000), to: formatRfc3339(rows[1]!.startUs + 700_000) };
    const signed = await ask(http, "/api/v1/signed-urls", { method: "POST", body: { url: playlistUrl(range) } });
    const { url } = signed.json() as { url: string };
    const playlist = await ask(http, url);
    expect(playlist.status, playlist.text).toBe(200);
    const uris = piecesIn(playlist.text).map(({ uri }) => uri);
    expect(uris.length).toBeGreaterThanOrEqual(2);
    for (const uri of uris) {
      const query = new URL(uri, "http://x/").searchParams;
      expect(parseRfc3339(query.get("from")!)).toBeGreaterThanOrEqual(parseRfc3339(range.from));
      expect(parseRfc3339(query.get("to")!)).toBeLessThanOrEqual(parseRfc3339(range.to));
      expect(query.get("signature")).not.toBeNull();
      expect((await ask(http, `/api/v1/${uri}`)).status).toBe(200);
      expect((await ask(http, `/api/v1/${uri.replace(/to=\d/, "to=3")}`)).status).toBe(401);
    }
  });
});

describe("ffmpegs that transcode", () => {
  it("are as many as the server has set; others wait, or are told when to come back; a viewer that leaves ends its own", async () => {
    const ffmpeg = await hangingFfmpeg();
    const http = await httpForTest({ transcodingMost: 2, ffmpeg: ffmpeg.settings });
    await addFixtures(http, "v1.20.1/h265-only");
    const [piece] = piecesIn((await ask(http, playlistUrl())).text);
    const target = `http://127.0.0.1:${String(http.port)}/api/v1/${piece!.uri}`;
    const leave = new AbortController();
    // Two are at it, four wait, and one, whichever it is, is one too many.
    const viewers = Array.from({ length: 7 }, () => fetch(target, { signal: leave.signal }));
    const refused = await Promise.race(viewers);
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    await waitFor("two ffmpegs", () => ffmpeg.alive().length === 2);
    leave.abort();
    await Promise.allSettled(viewers);
    await waitFor("no ffmpeg", () => ffmpeg.alive().length === 0);
    // It does what it is there for: nobody must act.
    const told = http.log.filter(({ level }) => level === "error" || level === "warn");
    expect(new Set(told.map(({ level, fields }) => `${level} ${String(fields["err"])}`))).toEqual(
      new Set(["warn transcode: 2 are at it and 4 wait already"]),
    );
  });

  it("that are missing, or refuse what they get, are a clear answer", async () => {
    const none = await httpForTest({
      ...{ transcodingMost: 1, ffmpeg: { configuredPath: "/nowhere/ffmpeg", env: process.env } },
    });
    await addFixtures(none, "v1.20.1/h265-only");
    const [piece] = piecesIn((await ask(none, playlistUrl())).text);
    expect(problemIn(await ask(none, `/api/v1/${piece!.uri}`))).toMatchObject({
      status: 503,
      detail: expect.stringContaining("ffmpeg") as string,
    });
    const [from, to] = ["2020-01-01T00:00:00Z", "2020-01-01T00:00:01Z"];
    const elsewhere = `/api/v1/${piece!.uri.split("?")[0]!}?${new URLSearchParams({ from, to }).toString()}`;
    expect(problemIn(await ask(none, elsewhere)).status).toBe(404);
  });
});

/** Runs in the page: plays all of it fast. */
const PLAY = `async (source) => {
  const video = document.createElement("video");
  video.muted = true;
  document.body.append(video);
  const hls = new Hls({ enableWorker: false });
  const failures = [];
  // A busy machine may come to a stand, which is no hole: holes are counted.
  const stands = ["false bufferStalledError", "false bufferNudgeOnStall"];
  hls.on(Hls.Events.ERROR, (_name, { fatal, details }) => {
    const failure = fatal + " " + details;
    if (!stands.includes(failure)) failures.push(failure);
  });
  const loaded = new Promise((resolve) => hls.once(Hls.Events.LEVEL_LOADED, (_name, { details }) => resolve(details)));
  hls.loadSource(source);
  hls.attachMedia(video);
  const details = await loaded;
  video.playbackRate = 4;
  await video.play();
  await new Promise((resolve) => {
    const timer = setInterval(() => {
      if (!video.ended && video.currentTime < video.duration - 0.1 && !failures.some((one) => one.startsWith("true"))) return;
      clearInterval(timer);
      resolve();
    }, 50);
  });
  const { totalVideoFrames } = video.getVideoPlaybackQuality();
  const holes = [];
  for (let at = 1; at < video.buffered.length; at += 1) holes.push([video.buffered.end(at - 1), video.buffered.start(at)]);
  return { failures, durationSec: details.totalduration, atSec: video.currentTime, frames: totalVideoFrames, holes };
}`;

describe("Chromium", () => {
  it("plays H.265 whole when it is transcoded, without a hole", async () => {
    const browser = await startBrowser(findBrowser() ?? "no Chromium");
    try {
      const http = await httpForTest({ transcodingMost: 2 });
      await addFixtures(http, "v1.20.1/h265-only");
      const page = await browser.newPage();
      await page.send("Page.setBypassCSP", { enabled: true });
      await page.goto(`http://127.0.0.1:${String(http.port)}/`);
      expect(await page.evaluate(`MediaSource.isTypeSupported('video/mp4; codecs="hvc1.1.6.L60.90"')`)).toBe(false);
      const file = createRequire(import.meta.url).resolve("hls.js/dist/hls.min.js");
      await page.send("Runtime.evaluate", { expression: readFileSync(file, "utf8") });
      const played = await page.evaluate<{
        readonly failures: string[];
        readonly durationSec: number;
        readonly atSec: number;
        readonly frames: number;
        readonly holes: readonly (readonly [number, number])[];
      }>(`(${PLAY})(${JSON.stringify(playlistUrl())})`);
      expect([played.failures, played.holes]).toEqual([[], []]);
      expect(Math.abs(played.atSec - played.durationSec)).toBeLessThan(0.6);
      expect(played.frames).toBeGreaterThan(20);
    } finally {
      await browser.stop();
    }
  });
});
