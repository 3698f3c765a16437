/**
 * Clips from MPEG-TS, held against what ffmpeg makes of the recordings themselves: the same packets, all of those of the
 * range, in the same places.
 */
import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import path from "node:path";
import { promisify } from "node:util";

import { describe, expect, it } from "vitest";

import { formatRfc3339, parseRfc3339 } from "../../../src/core/instant.js";
import type { Recording } from "../../../src/core/recording.js";
import { addFixture, addInspected, type Placed, VERSIONS } from "../../support/footage-rows.js";
import { ask, type Answered, problemIn } from "../../support/http-ask.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";
import { addFixtures } from "../../support/http-footage.js";
import { decodeWarnings, type ProbedPacket, probePackets, probeWarnings } from "../../support/media-probe.js";
import { JUDGED_ONCE } from "../../support/patience.js";
import { createRandom, printedSeed } from "../../support/random.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait-for.js";
import { isAlive, watchedFfmpeg } from "../../support/watched-ffmpeg.js";

const run = promisify(execFile);
const FORMATS = ["mp4", "fmp4"] as const;
const ROUNDS = 5;
/** What MediaMTX puts into one PES packet of sound. */
const SOUND_SEC = 0.35;
/** Files estimate the wall clock anew, and meet within this. */
const JOINT_SEC = 0.2;

interface SourcePacket extends ProbedPacket {
  readonly endUs: number;
  /** By the wall clock of its recording. */
  readonly atUs: number;
}

/** Of each recording alone, as ffmpeg puts it into an MP4. */
async function sourcePackets(placed: readonly Placed[]): Promise<SourcePacket[]> {
  const all: SourcePacket[] = [];
  for (const { file, recording } of placed) {
    const whole = path.join(await tempDir(), "whole.mp4");
    await run("ffmpeg", ["-v", "error", "-i", file, "-c", "copy", "-bsf:a", "aac_adtstoasc", whole]);
    const packets = await probePackets(whole);
    const first = packets.find(({ kind }) => kind === "video")?.ptsSec ?? 0;
    for (const packet of packets) {
      const atUs = recording.startUs + Math.round((packet.ptsSec - first) * 1e6);
      all.push({ ...packet, atUs, endUs: recording.endUs });
    }
  }
  return all;
}

interface Range {
  readonly path?: string;
  readonly fromUs: number;
  readonly toUs: number;
  readonly format: string;
  readonly gaps?: string;
}

function clipUrl({ path: camera = "mpegts", fromUs, toUs, format, gaps = "keep" }: Range): string {
  const query = { path: camera, from: formatRfc3339(fromUs), to: formatRfc3339(toUs), format, gaps };
  return `/api/v1/clip.mp4?${new URLSearchParams(query).toString()}`;
}

async function clipFile(answer: Answered): Promise<string> {
  expect(answer.status, answer.text.slice(0, 300)).toBe(200);
  const file = path.join(await tempDir(), "clip.mp4");
  writeFileSync(file, answer.bytes);
  return file;
}

const ofKind = <P extends ProbedPacket>(packets: readonly P[], kind: ProbedPacket["kind"]): P[] =>
  packets.filter((packet) => packet.kind === kind);
const hashes = (packets: readonly ProbedPacket[]): string[] => packets.map(({ hash }) => hash);

/** The pictures that belong into a clip, by the words of its description; no fixture has reordered ones. */
function expectedVideo(source: readonly SourcePacket[], { fromUs, toUs }: Range): SourcePacket[] {
  const video = ofKind(source, "video");
  const keys = video.filter(({ isKey }) => isKey);
  const start =
    keys.findLast(({ atUs, endUs }) => atUs <= fromUs && fromUs < endUs) ?? keys.find(({ atUs }) => atUs > fromUs);
  const last = video.findLast(({ atUs }) => atUs < toUs);
  return start === undefined || last === undefined ? [] : video.slice(video.indexOf(start), video.indexOf(last) + 1);
}

async function checkClip(answer: Answered, range: Range, source: readonly SourcePacket[]): Promise<void> {
  const file = await clipFile(answer);
  const expected = expectedVideo(source, range);
  const clip = await probePackets(file);
  const [video, audio] = [ofKind(clip, "video"), ofKind(clip, "audio")];
  expect(hashes(video), clipUrl(range)).toEqual(hashes(expected));
  const startUs = parseRfc3339(String(answer.headers["reelkeeper-start"]));
  expect(Math.abs(startUs - (expected[0]?.atUs ?? 0))).toBeLessThan(20);
  // Frame after frame, at the pace of the camera, also from file to file.
  for (const [index, packet] of video.entries()) {
    expect(packet.ptsSec - (video[0]?.ptsSec ?? 0)).toBeCloseTo(index / 10, 3);
  }
  const sound = ofKind(source, "audio");
  const from = sound.findIndex(({ hash }) => hash === audio[0]?.hash);
  expect(hashes(audio)).toEqual(hashes(sound.slice(from, from + audio.length)));
  const apart = (audio[0]?.ptsSec ?? 0) - (video[0]?.ptsSec ?? 0);
  const wasApart = ((sound[from]?.atUs ?? 0) - (expected[0]?.atUs ?? 0)) / 1e6;
  expect(Math.abs(apart - wasApart)).toBeLessThan(JOINT_SEC);
  expect(apart).toBeGreaterThan(-0.001);
  expect(apart).toBeLessThan(SOUND_SEC);
  const end = (packets: readonly ProbedPacket[]) => (packets.at(-1)?.ptsSec ?? 0) + (packets.at(-1)?.durationSec ?? 0);
  if (range.toUs < (source.at(-1)?.endUs ?? 0)) expect(Math.abs(end(audio) - end(video))).toBeLessThan(SOUND_SEC);
  expect(await probeWarnings(file)).toBe("");
  expect(await decodeWarnings(file)).toBe("");
}

const boxTypes = (bytes: Buffer): string[] => {
  const types: string[] = [];
  for (let at = 0; at + 8 <= bytes.length; at += bytes.readUInt32BE(at)) {
    types.push(bytes.toString("latin1", at + 4, at + 8));
  }
  return types;
};

describe.each(VERSIONS)("clips of random ranges of MPEG-TS by MediaMTX %s", JUDGED_ONCE, (version) => {
  const random = createRandom(printedSeed());

  it.each(FORMATS)("as %s hold every frame of the range and no other, where it belongs", async (format) => {
    const http = await httpForTest();
    const placed = await addFixture(http, [version, "mpegts"]);
    const source = await sourcePackets(placed);
    const startUs = placed[0]!.recording.startUs;
    const lengthUs = placed.at(-1)!.recording.endUs - startUs;
    for (let round = 0; round < ROUNDS; round += 1) {
      const fromUs = startUs + Math.floor(random() * lengthUs * 0.9);
      const range = { fromUs, toUs: fromUs + 200_000 + Math.floor(random() * lengthUs), format };
      const answer = await ask(http, clipUrl(range));
      await checkClip(answer, range, source);
      const types = boxTypes(answer.bytes);
      if (format === "mp4") expect(types).toEqual(["ftyp", "moov", "mdat"]);
      else expect(types.slice(0, 4)).toEqual(["ftyp", "moov", "moof", "mdat"]);
    }
  });
});

const PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=10:duration=8"];
const TONE = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=8"];
const GOP = ["-g", "20", "-pix_fmt", "yuv420p", "-preset", "ultrafast"];
const KINDS: Readonly<Record<string, readonly string[]>> = {
  "H.264 with B-frames and AAC": [...PICTURE, ...TONE, "-c:v", "libx264", ...GOP, "-bf", "2", "-c:a", "aac"],
  "H.264 alone": [...PICTURE, "-c:v", "libx264", ...GOP],
  "H.265 and Opus": [
    ...[...PICTURE, ...TONE, "-c:v", "libx265", ...GOP, "-x265-params", "log-level=error:keyint=20:bframes=0"],
    ...["-c:a", "libopus"],
  ],
  "AAC alone": [...TONE, "-c:a", "aac"],
  "MP3 alone": [...TONE, "-c:a", "libmp3lame"],
};

async function addMade(http: HttpHarness, args: readonly string[], name: string): Promise<Placed> {
  const file = path.join(http.recordDir, "made", name);
  mkdirSync(path.dirname(file), { recursive: true });
  const tables = ["-mpegts_flags", "+pat_pmt_at_frames", "-f", "mpegts"];
  await run("ffmpeg", ["-v", "error", ...args, ...tables, file]);
  return addInspected(http, `made/${name}`);
}

async function framesOf(file: string, kind: "v" | "a"): Promise<string[]> {
  const { stdout } = await run("ffmpeg", ["-v", "error", "-i", file, "-map", `0:${kind}`, "-f", "framemd5", "-"]);
  return stdout.split("\n").flatMap((line) => (/^\d/.test(line) ? [line.split(",").at(-1)!.trim()] : []));
}

describe("a clip of MPEG-TS", () => {
  it.each(Object.entries(KINDS).flatMap(([kind, args]) => FORMATS.map((format) => [kind, format, args] as const)))(
    "of %s as %s holds the very frames of the recording",
    async (_kind, format, args) => {
      const http = await httpForTest();
      const { file, recording } = await addMade(http, args, "2026-11-20_17-00-00-000000.ts");
      const range = { path: "made", fromUs: recording.startUs, toUs: recording.endUs + 1e6, format };
      const whole = await clipFile(await ask(http, clipUrl(range)));
      const hasPicture = recording.tracks.some(({ kind }) => kind === "video");
      const source = await framesOf(file, hasPicture ? "v" : "a");
      const frames = await framesOf(whole, hasPicture ? "v" : "a");
      if (hasPicture) expect(frames).toEqual(source);
      else expect(Math.abs(frames.length - source.length)).toBeLessThanOrEqual(1);
      const middle = { ...range, fromUs: recording.startUs + 3e6, toUs: recording.startUs + 5e6 };
      const cut = await clipFile(await ask(http, clipUrl(middle)));
      if (hasPicture)
        expect(await framesOf(cut, "v")).toEqual(source.slice(20, 20 + (await framesOf(cut, "v")).length));
      for (const made of [whole, cut]) {
        expect(await probeWarnings(made)).toBe("");
        expect(await decodeWarnings(made)).toBe("");
      }
    },
  );

  it.each(FORMATS)("goes over a reconnect as %s, with the gap kept or closed", async (format) => {
    const http = await httpForTest();
    const placed = await addFixture(http, ["v1.20.1", "mpegts"]);
    const name = "2026-11-20_17-05-30-000000.ts";
    copyFileSync(placed[0]!.file, path.join(path.dirname(placed[0]!.file), name));
    const after = await addInspected(http, `mpegts/${name}`);
    const gapSec = (after.recording.startUs - placed.at(-1)!.recording.endUs) / 1e6;
    for (const [gaps, expected] of [
      ["keep", gapSec],
      ["close", 0],
    ] as const) {
      const [fromUs, toUs] = [placed[2]!.recording.startUs, after.recording.endUs];
      const file = await clipFile(await ask(http, clipUrl({ fromUs, toUs, format, gaps })));
      const video = ofKind(await probePackets(file), "video");
      const steps = video.slice(1).map(({ ptsSec }, index) => ptsSec - (video[index]?.ptsSec ?? 0));
      expect(video).toHaveLength(60);
      expect(Math.max(...steps)).toBeGreaterThan(expected);
      expect(Math.max(...steps)).toBeLessThan(expected + 0.3);
      expect(steps.filter((step) => Math.abs(step - 0.1) > 0.002).length).toBeLessThanOrEqual(1);
      expect(await decodeWarnings(file)).toBe("");
    }
  });

  it.each(FORMATS)("is the same from the store as from disk, with an index and without (%s)", async (format) => {
    const clips: Buffer[] = [];
    for (const [where, indexed] of [
      ["local", true],
      ["archived", true],
      ["local", false],
    ] as const) {
      const http = await httpForTest();
      const rows = await addFixtures(http, "v1.20.1/mpegts", { where });
      if (!indexed) await http.catalog.db("fragment_indexes").delete();
      const { startUs } = rows[0]!;
      const answer = await ask(http, clipUrl({ path: "cam1", fromUs: startUs, toUs: startUs + 6e6, format }));
      expect(answer.status, answer.text.slice(0, 300)).toBe(200);
      clips.push(answer.bytes);
    }
    expect(clips.every((clip) => clip.equals(clips[0]!))).toBe(true);
  });

  it("as mp4 has a length, an ETag and ranges; of fmp4 HEAD tells about how long it is", async () => {
    const ffmpeg = await watchedFfmpeg("work");
    const http = await httpForTest({ ffmpeg: ffmpeg.settings });
    const placed = await addFixture(http, ["v1.20.1", "mpegts"]);
    const range = { fromUs: placed[0]!.recording.startUs + 1e6, toUs: placed[2]!.recording.endUs };
    const target = clipUrl({ ...range, format: "mp4" });
    const whole = await ask(http, target);
    const head = await ask(http, target, { method: "HEAD" });
    expect([head.headers["content-length"], head.headers.etag]).toEqual([
      String(whole.bytes.length),
      whole.headers.etag,
    ]);
    const headBytes = whole.bytes.indexOf("mdat") + 4;
    for (const [start, end] of [
      [0, 99],
      [headBytes - 10, headBytes + 50_000],
      [whole.bytes.length - 100, whole.bytes.length - 1],
    ] as const) {
      const part = await ask(http, target, { headers: { range: `bytes=${start}-${end}` } });
      expect([part.status, part.bytes.equals(whole.bytes.subarray(start, end + 1))]).toEqual([206, true]);
    }
    // Laid out once; media was sent for the whole and for two of the ranges.
    expect(ffmpeg.pids()).toHaveLength(1 + 3);
    const fragmented = clipUrl({ ...range, format: "fmp4" });
    const estimate = Number((await ask(http, fragmented, { method: "HEAD" })).headers["reelkeeper-estimated-bytes"]);
    expect((await ask(http, fragmented)).bytes.length / estimate).toBeGreaterThan(0.5);
  });

  it.each(FORMATS)("needs an ffmpeg, and says so (%s)", async (format) => {
    const http = await httpForTest({ ffmpeg: { configuredPath: null, env: { PATH: "/nowhere" } } });
    const [first] = await addFixture(http, ["v1.20.1", "mpegts"]);
    const { startUs, endUs } = first!.recording;
    const problem = problemIn(await ask(http, clipUrl({ fromUs: startUs, toUs: endUs, format })));
    expect(problem).toMatchObject({ status: 503, hint: expect.stringContaining("install ffmpeg") as string });
  });

  it("ends its ffmpeg when the viewer leaves, and gives everything back", async () => {
    const ffmpeg = await watchedFfmpeg("hang");
    const http = await httpForTest({ ffmpeg: ffmpeg.settings });
    const [first] = await addFixture(http, ["v1.20.1", "mpegts"]);
    const { startUs, endUs } = first!.recording;
    const target = clipUrl({ fromUs: startUs, toUs: endUs, format: "fmp4" });
    const viewer = request({ host: "127.0.0.1", port: http.port, path: target });
    viewer.once("error", () => undefined);
    viewer.end();
    await waitFor("the ffmpeg", () => ffmpeg.pids().some(isAlive));
    viewer.destroy();
    await waitFor("its end", () => !ffmpeg.pids().some(isAlive));
  });

  it.each(FORMATS)("waits while as many are remuxed as may be, or is told when to come back (%s)", async (format) => {
    const ffmpeg = await watchedFfmpeg("hang");
    const http = await httpForTest({ ffmpeg: ffmpeg.settings, remuxesMost: 2 });
    const [first] = await addFixture(http, ["v1.20.1", "mpegts"]);
    const { startUs, endUs } = first!.recording;
    const target = `http://127.0.0.1:${String(http.port)}${clipUrl({ fromUs: startUs, toUs: endUs, format })}`;
    const leave = new AbortController();
    const viewers = Promise.allSettled(Array.from({ length: 3 }, () => fetch(target, { signal: leave.signal })));
    await waitFor("two ffmpegs", () => ffmpeg.pids().filter(isAlive).length === 2);
    const refused = await waitFor("one to be refused", async () => {
      const answer = await fetch(target, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined);
      return answer?.status === 503 && answer;
    });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ detail: "remux MPEG-TS: 2 are at it and 1 wait already" });
    expect(ffmpeg.pids()).toHaveLength(2);
    leave.abort();
    await viewers;
    await waitFor("no ffmpeg", () => !ffmpeg.pids().some(isAlive));
    const told = http.log.filter(({ level }) => level === "error" || level === "warn");
    expect(new Set(told.map(({ level, message }) => `${level} ${message}`))).toEqual(
      new Set(["warn request refused, too many at once"]),
    );
  });

  it("is refused where the format changes, and the answer says when", async () => {
    const http = await httpForTest();
    const changes = { path: "mixed" as Recording["path"] };
    const streams = await addFixture(http, ["v1.20.1", "mpegts"], changes);
    const files = await addFixture(http, ["v1.20.1", "killed"], changes);
    const [fromUs, toUs] = [streams[0]!.recording.startUs, files.at(-1)!.recording.endUs];
    const problem = problemIn(await ask(http, clipUrl({ path: "mixed", fromUs, toUs, format: "mp4" })));
    const changeUs = files[0]!.recording.startUs;
    expect([problem.status, problem.detail.includes(formatRfc3339(changeUs))]).toEqual([409, true]);
    for (const part of [
      { fromUs, toUs: changeUs },
      { fromUs: changeUs, toUs },
    ]) {
      expect((await ask(http, clipUrl({ path: "mixed", ...part, format: "mp4" }))).status).toBe(200);
    }
  });
});
