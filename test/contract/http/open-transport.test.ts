/** What is made of MPEG-TS that is still being written: clips, timespans and pieces in other codecs, of what is whole. */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

import { describe, expect, it } from "vitest";

import { formatRfc3339, parseRfc3339 } from "../../../src/core/instant.js";
import { parsePathName } from "../../../src/core/path-name.js";
import type { RecordingId } from "../../../src/core/recording.js";
import { decodeFragmentIndex } from "../../../src/media/fragment-index-codec.js";
import type { Fragment } from "../../../src/media/inspection.js";
import { GrowingFiles } from "../../../src/playback/growing-files.js";
import { addFixture, addInspected, inspected, type Placed } from "../../support/footage-rows.js";
import { ask, type Answered, problemIn } from "../../support/http-ask.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";
import { decodeWarnings, type ProbedPacket, probePackets, probeWarnings } from "../../support/media-probe.js";
import { tempDir } from "../../support/temp-dir.js";

const FORMATS = ["mp4", "fmp4"] as const;
/** Of MPEG-TS ticks. */
const US_PER_TICK = 1e6 / 90_000;
/** What MediaMTX puts into one PES packet of sound. */
const SOUND_SEC = 0.35;
/** As a hook makes the row, before anybody has looked into the file. */
const CLOSED = { local: "present", step: "inspect", media_duration_us: null, tracks: "[]" };
const OPEN = { ...CLOSED, local: "open", step: "settle", file_identity: null, bytes: 0 };

type State = Readonly<Record<string, unknown>>;

async function setState(http: HttpHarness, { recording: { id, startUs } }: Placed, state: State): Promise<void> {
  await http.catalog
    .db("recordings")
    .where({ id })
    .update({ ...state, end_us: startUs });
  await http.catalog.db("fragment_indexes").where({ recording_id: id }).delete();
}

async function fragmentsOf(http: HttpHarness, { recording: { id } }: Placed): Promise<readonly Fragment[]> {
  const row = (await http.catalog.db("fragment_indexes").where({ recording_id: id }).first()) as { data: Uint8Array };
  return decodeFragmentIndex(row.data).fragments;
}

interface Half {
  readonly closed: Placed;
  readonly open: Placed;
  /** Of the open file: where its first GOP, the only one that is whole, ends. */
  readonly wholeUntilUs: number;
}

/** A closed file, and one that is written as far as the middle of its second GOP and of a packet. */
async function halfWritten(http: HttpHarness): Promise<Half> {
  const [closed, open, later] = await addFixture(http, ["v1.20.1", "mpegts"]);
  const [, second] = await fragmentsOf(http, open!);
  await http.catalog.db("recordings").where({ id: later!.recording.id }).delete();
  truncateSync(open!.file, second!.offsetBytes + 188 * Math.floor(second!.sizeBytes / 188 / 2) + 100);
  await setState(http, open!, OPEN);
  const wholeUntilUs = open!.recording.startUs + Math.round((second!.startTicks ?? 0) * US_PER_TICK);
  return { closed: closed!, open: open!, wholeUntilUs };
}

interface Range {
  readonly path?: string;
  readonly fromUs: number;
  readonly toUs: number;
  readonly format: string;
}

function clipUrl({ path: camera = "mpegts", fromUs, toUs, format }: Range): string {
  const query = { path: camera, from: formatRfc3339(fromUs), to: formatRfc3339(toUs), format };
  return `/api/v1/clip.mp4?${new URLSearchParams(query).toString()}`;
}

/** Of a file with which neither ffmpeg nor ffprobe finds any fault. */
async function packetsOf(answer: Answered, name = "clip.mp4"): Promise<ProbedPacket[]> {
  expect(answer.status, answer.text.slice(0, 300)).toBe(200);
  const file = path.join(await tempDir(), name);
  writeFileSync(file, answer.bytes);
  expect(await probeWarnings(file)).toBe("");
  expect(await decodeWarnings(file)).toBe("");
  return probePackets(file);
}

const ofKind = (packets: readonly ProbedPacket[], kind: ProbedPacket["kind"]): ProbedPacket[] =>
  packets.filter((packet) => packet.kind === kind);
const hashes = (packets: readonly ProbedPacket[]): string[] => packets.map(({ hash }) => hash);
const endOf = (packets: readonly ProbedPacket[]): number =>
  Math.max(...packets.map(({ ptsSec, durationSec }) => ptsSec + durationSec));

interface Span {
  readonly start: string;
  readonly duration: number;
  readonly url: string;
}

async function spansOf(
  http: HttpHarness,
  camera = "mpegts",
): Promise<{ startUs: number; endUs: number; url: string }[]> {
  const answer = await ask(http, `/playback/list?path=${camera}`);
  if (answer.status === 404) return [];
  return (answer.json() as Span[]).map(({ start, duration, url }) => {
    const startUs = parseRfc3339(start);
    return { startUs, endUs: startUs + Math.round(duration * 1e6), url };
  });
}

describe("a clip", () => {
  it.each(FORMATS)("as %s goes to the end of the last whole GOP, with its sound", async (format) => {
    const known = await httpForTest();
    await addFixture(known, ["v1.20.1", "mpegts"]);
    const http = await httpForTest();
    const { closed, open, wholeUntilUs } = await halfWritten(http);
    for (const fromUs of [closed.recording.startUs + 2_500_000, open.recording.startUs + 700_000]) {
      const range = { fromUs, toUs: open.recording.startUs + 60e6, format };
      const answer = await ask(http, clipUrl(range));
      expect(answer.headers["reelkeeper-end"]).toBe(formatRfc3339(wholeUntilUs));
      const clip = await packetsOf(answer);
      const whole = await packetsOf(await ask(known, clipUrl({ ...range, toUs: wholeUntilUs })));
      expect(hashes(ofKind(clip, "video"))).toEqual(hashes(ofKind(whole, "video")));
      const sound = hashes(ofKind(clip, "audio"));
      expect(sound).toEqual(hashes(ofKind(whole, "audio")).slice(0, sound.length));
      expect(endOf(ofKind(clip, "video")) - endOf(ofKind(clip, "audio"))).toBeLessThan(SOUND_SEC);
    }
  });

  it("as mp4 takes a Range, and is longer when the file is", async () => {
    const http = await httpForTest();
    const { open } = await halfWritten(http);
    const { startUs } = open.recording;
    const target = clipUrl({ fromUs: startUs, toUs: startUs + 60e6, format: "mp4" });
    const whole = await ask(http, target);
    const part = await ask(http, target, { headers: { range: "bytes=1000-20999" } });
    expect([part.status, part.bytes.equals(whole.bytes.subarray(1_000, 21_000))]).toEqual([206, true]);
    const [, source] = await addFixture(await httpForTest(), ["v1.20.1", "mpegts"]);
    const [written, next] = [readFileSync(source!.file), readFileSync(source!.file)];
    // What comes then begins with PAT, PMT and a random access point, as any file does.
    writeFileSync(open.file, Buffer.concat([written, next.subarray(0, 3 * 188)]));
    expect((await ask(http, target)).bytes.length).toBeGreaterThan(whole.bytes.length);
  });

  it.each(FORMATS)(
    "as %s is of the whole file once it is closed, before anybody has looked into it",
    async (format) => {
      const [known, http] = [await httpForTest(), await httpForTest()];
      const [first, , third] = await addFixture(known, ["v1.20.1", "mpegts"]);
      for (const placed of await addFixture(http, ["v1.20.1", "mpegts"])) await setState(http, placed, CLOSED);
      const range = { fromUs: first!.recording.startUs + 2_500_000, toUs: third!.recording.startUs };
      const target = clipUrl({ ...range, format });
      expect((await ask(http, target)).bytes.equals((await ask(known, target)).bytes)).toBe(true);
    },
  );

  it("that begins where another format does has nothing to do with a file before, whose end nobody knows yet", async () => {
    const http = await httpForTest();
    const changes = { path: parsePathName("mixed") };
    const streams = await addFixture(http, ["v1.20.1", "mpegts"], changes);
    for (const placed of streams) await setState(http, placed, OPEN);
    const [first] = await addFixture(http, ["v1.20.1", "killed"], changes);
    const { startUs, endUs } = first!.recording;
    const clip = { path: "mixed", fromUs: startUs, toUs: endUs, format: "mp4" };
    expect((await ask(http, clipUrl(clip))).status).toBe(200);
    const over = { ...clip, fromUs: streams[2]!.recording.startUs };
    expect(problemIn(await ask(http, clipUrl(over)))).toMatchObject({
      status: 409,
      hint: expect.stringContaining(formatRfc3339(startUs)) as string,
    });
  });

  it("is not made, and no timespan listed, before one GOP is whole", async () => {
    const http = await httpForTest();
    const [first, ...others] = await addFixture(http, ["v1.20.1", "mpegts"]);
    for (const { recording } of others) await http.catalog.db("recordings").where({ id: recording.id }).delete();
    const [, second] = await fragmentsOf(http, first!);
    truncateSync(first!.file, second!.offsetBytes);
    await setState(http, first!, OPEN);
    const { startUs } = first!.recording;
    for (const format of FORMATS) {
      expect(problemIn(await ask(http, clipUrl({ fromUs: startUs, toUs: startUs + 60e6, format }))).status).toBe(404);
    }
    expect(await spansOf(http)).toEqual([]);
  });
});

describe("MediaMTX's own playback API", () => {
  it("lists the timespan to the end of the last whole GOP, and plays it", async () => {
    const http = await httpForTest();
    const { closed, open, wholeUntilUs } = await halfWritten(http);
    const [span, ...others] = await spansOf(http);
    expect([others, span!.startUs, Math.abs(span!.endUs - wholeUntilUs) <= 1]).toEqual([
      ...[[], closed.recording.startUs, true],
    ]);
    const { pathname, search } = new URL(span!.url);
    for (const format of FORMATS) {
      const video = ofKind(await packetsOf(await ask(http, `${pathname}${search}&format=${format}`)), "video");
      expect(video).toHaveLength(60);
    }
    const query = { path: "mpegts", start: formatRfc3339(open.recording.startUs), duration: "60" };
    const answer = await ask(http, `/playback/get?${new URLSearchParams(query).toString()}`);
    expect(ofKind(await packetsOf(answer), "video")).toHaveLength(20);
  });

  it("counts a file to its end whose closing was not noticed, once there is a newer one", async () => {
    const http = await httpForTest();
    const placed = await addFixture(http, ["v1.20.1", "mpegts"]);
    const closed = await spansOf(http);
    await setState(http, placed[1]!, OPEN);
    const opened = await spansOf(http);
    expect(opened.map(({ startUs, endUs }) => [startUs, endUs])).toEqual(
      closed.map(({ startUs, endUs }) => [startUs, endUs]),
    );
    const range = { fromUs: placed[1]!.recording.startUs, toUs: placed[2]!.recording.startUs, format: "fmp4" };
    expect(ofKind(await packetsOf(await ask(http, clipUrl(range))), "video")).toHaveLength(40);
  });
});

/** 17 MiB between the first two GOPs and the others: packets that say nothing. */
const FILLER = Buffer.alloc(188 * 96_000, Buffer.concat([Buffer.of(0x47, 0x1f, 0xff, 0x10), Buffer.alloc(184, 0xff)]));
const LONG = "long/2026-11-20_17-04-43-058956.ts";

/** The three files of a fixture as one: their clock goes on from each to the next. */
async function addLong(http: HttpHarness): Promise<Placed> {
  const parts = await addFixture(await httpForTest(), ["v1.20.1", "mpegts"]);
  const [first, ...others] = parts.map(({ file }) => readFileSync(file));
  mkdirSync(path.join(http.recordDir, "long"), { recursive: true });
  writeFileSync(path.join(http.recordDir, LONG), Buffer.concat([first!, FILLER, ...others]));
  return addInspected(http, LONG);
}

describe("a long file", () => {
  it("is read at its end alone for its last seconds, and all of it for those before", async () => {
    const http = await httpForTest();
    const long = await addLong(http);
    const closed = await fragmentsOf(http, long);
    expect(closed).toHaveLength(5);
    const { recording } = long;
    const growing = new GrowingFiles(http.recordDir, { configuredPath: null, env: process.env });
    const late = await growing.lookFrom(recording, recording.startUs + 7e6);
    // The end begins behind the tables of the third GOP.
    expect(late?.index.fragments).toEqual(closed.slice(2, 4));
    expect(late?.endedIndex.fragments).toEqual(closed.slice(2));
    expect(late?.tracks.map(({ kind }) => kind)).toEqual(["video", "audio"]);
    expect((await growing.lookFrom(recording, recording.startUs + 5e6))?.index.fragments).toEqual(closed.slice(0, 4));
    await setState(http, long, OPEN);
    const answer = await ask(http, clipUrl({ ...rangeOf(recording.startUs, 6.5, 60), path: "long", format: "mp4" }));
    expect(parseRfc3339(String(answer.headers["reelkeeper-start"]))).toBe(recording.startUs + 6e6);
    expect(ofKind(await packetsOf(answer), "video")).toHaveLength(20);
  });
});

/** Its tables name both tracks from the first packet on. */
const LATE_SOUND = [
  ...["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=10:duration=4"],
  ...["-itsoffset", "2", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=2"],
  ...["-c:v", "libx264", "-g", "5", "-pix_fmt", "yuv420p", "-preset", "ultrafast", "-c:a", "aac"],
  ...["-mpegts_flags", "+pat_pmt_at_frames", "-f", "mpegts"],
];

describe("sound that begins after the picture", () => {
  it("is known once it has begun", async () => {
    const directory = await tempDir();
    const whole = path.join(directory, "whole.ts");
    await promisify(execFile)("ffmpeg", ["-v", "error", ...LATE_SOUND, whole]);
    const bytes = readFileSync(whole);
    const { fragments } = (await inspected(whole)).fragments!;
    const growing = new GrowingFiles(directory, { configuredPath: null, env: process.env });
    const file = { id: "growing" as RecordingId, filePath: "growing.ts", format: "mpegts", startUs: 0 } as const;
    writeFileSync(path.join(directory, file.filePath), bytes.subarray(0, fragments[2]!.offsetBytes));
    const kinds = async () => (await growing.look(file))?.tracks.map(({ kind }) => kind);
    expect(await kinds()).toEqual(["video", "other"]);
    writeFileSync(path.join(directory, file.filePath), bytes);
    expect(await kinds()).toEqual(["video", "audio"]);
  });
});

function rangeOf(startUs: number, fromSec: number, toSec: number): { fromUs: number; toUs: number } {
  return { fromUs: startUs + fromSec * 1e6, toUs: startUs + toSec * 1e6 };
}

describe("a transcoded playlist", () => {
  async function textOf(http: HttpHarness, more: Readonly<Record<string, string>>): Promise<string> {
    const range = { path: "long", from: "2026-11-20T17:00:00Z", to: "2026-11-20T18:00:00Z", transcode: "h264" };
    const answer = await ask(http, `/api/v1/playlist.m3u8?${new URLSearchParams({ ...range, ...more }).toString()}`);
    expect(answer.status, answer.text).toBe(200);
    return answer.text;
  }

  const urisIn = (text: string): string[] => text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

  it("grows with the file, in pieces that hold every frame and whose sound goes on", async () => {
    const http = await httpForTest({ transcodingMost: 1 });
    const long = await addLong(http);
    await setState(http, long, OPEN);
    const live = await textOf(http, { live: "1" });
    const now = urisIn(await textOf(http, {}));
    // Four GOPs are whole; behind the second piece lies none of its sound yet.
    expect([urisIn(live), now.length]).toEqual([now.slice(0, 1), 2]);
    let soundUntilSec: number | undefined;
    for (const uri of now) {
      const packets = await packetsOf(await ask(http, `/api/v1/${uri}`), "piece.ts");
      expect(ofKind(packets, "video")).toHaveLength(40);
      const sound = ofKind(packets, "audio").map(({ ptsSec }) => ptsSec);
      if (soundUntilSec !== undefined) expect(Math.abs(sound[0]! - soundUntilSec)).toBeLessThan(0.05);
      soundUntilSec = sound.at(-1)! + sound[1]! - sound[0]!;
    }
    await setState(http, long, CLOSED);
    const closed = await textOf(http, { live: "1" });
    expect([closed.startsWith(live), urisIn(closed).length]).toEqual([true, 3]);
  });
});
