/**
 * Clips of random ranges of what MediaMTX recorded, held against the packets that ffprobe finds in the recordings
 * themselves: the same, all of them, in the same places.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { joins } from "../../../src/core/continuity.js";
import { formatRfc3339, parseRfc3339 } from "../../../src/core/instant.js";
import { type AddedFootage, addFootage, fixtureFootage, type FootageOptions } from "../../support/footage.js";
import { ask, type Answered } from "../../support/http-ask.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";
import { decodeWarnings, type ProbedPacket, probePackets, probeWarnings } from "../../support/media-probe.js";
import { JUDGED_ONCE } from "../../support/patience.js";
import { createRandom, printedSeed } from "../../support/random.js";
import { tempDir } from "../../support/temp-dir.js";

const FOLDERS = ["v1.20.1/h264-aac", "v1.14.0/h264-aac", "v1.20.1/h264-bframes", "v1.20.1/h265-only", "v1.20.1/killed"];
const FORMATS = ["mp4", "fmp4"] as const;
const AAC_FRAME_SEC = 1_024 / 48_000;
/** MediaMTX cuts times to whole ticks, of 1/48000 s at most here. */
const TICK_SEC = 1 / 48_000 + 1e-6;

interface SourcePacket extends ProbedPacket {
  /** Number of the recording. */
  readonly segment: number;
  /** End of the recording by the wall clock. */
  readonly endUs: number;
  /** Decode time by the wall clock of its recording. */
  readonly atUs: number;
  /** Presentation time by the same. */
  readonly presentedUs: number;
}

/** What the recordings hold, oldest first. */
async function sourcePackets(added: readonly AddedFootage[]): Promise<SourcePacket[]> {
  const dir = await tempDir();
  const all: SourcePacket[] = [];
  for (const [segment, { content, inspection, recording }] of added.entries()) {
    const file = path.join(dir, `${String(segment)}.mp4`);
    writeFileSync(file, content.subarray(0, inspection.wholeBytes));
    for (const packet of await probePackets(file)) {
      all.push({
        ...packet,
        segment,
        endUs: recording.endUs,
        atUs: recording.startUs + Math.round(packet.dtsSec * 1e6),
        presentedUs: recording.startUs + Math.round(packet.ptsSec * 1e6),
      });
    }
  }
  return all;
}

interface Range {
  readonly fromUs: number;
  readonly toUs: number;
  readonly format: "mp4" | "fmp4";
  readonly gaps: "keep" | "close";
}

function clipUrl({ fromUs, toUs, format, gaps }: Range): string {
  return `/api/v1/clip.mp4?path=cam1&from=${formatRfc3339(fromUs)}&to=${formatRfc3339(toUs)}&format=${format}&gaps=${gaps}`;
}

/**
 * FFmpeg presents all pictures of a file later by as much as one of them is presented before it is decoded; MediaMTX writes
 * some so, by 1 ms. What ends so near to the end of a clip may be in it or not.
 */
const SHIFT_US = 2_000;

interface ExpectedVideo {
  /** In the order in which they are decoded, up to the last one that is shown before the end. */
  readonly pictures: readonly SourcePacket[];
  /** Those that follow, are decoded before it but shown later, and so may be there for what the fragment behind might hold. */
  readonly mayFollow: readonly SourcePacket[];
}

/** The pictures that belong into a clip, by the words of its description. */
function expectedVideo(source: readonly SourcePacket[], { fromUs, toUs }: Range): ExpectedVideo {
  const video = source.filter(({ kind }) => kind === "video");
  const keys = video.filter(({ isKey }) => isKey);
  const start =
    keys.findLast(({ atUs, endUs }) => atUs <= fromUs && fromUs < endUs) ?? keys.find(({ atUs }) => atUs > fromUs);
  if (start === undefined || start.atUs >= toUs) return { pictures: [], mayFollow: [] };
  const delayUs = start.presentedUs - start.atUs;
  const last = video.findLast(({ atUs }) => atUs < toUs)?.segment ?? 0;
  // No GOP that begins at the end, nor what of it is shown before its sync sample (H.265).
  const behind = video.findIndex(
    ({ segment, isKey, atUs }) => segment > last || (segment === last && isKey && atUs >= toUs),
  );
  const gops = video.slice(video.indexOf(start), behind < 0 ? undefined : behind);
  const untilUs = toUs - SHIFT_US;
  const end = gops.findLastIndex(({ segment, presentedUs }) => segment < last || presentedUs - delayUs < untilUs) + 1;
  const mayFollow = gops.slice(end).filter(({ atUs }) => atUs < toUs + delayUs + SHIFT_US);
  return { pictures: gops.slice(0, end), mayFollow };
}

function boxTypes(bytes: Buffer): string[] {
  const types: string[] = [];
  for (let at = 0; at + 8 <= bytes.length; at += bytes.readUInt32BE(at))
    types.push(bytes.toString("latin1", at + 4, at + 8));
  return types;
}

function expectSameOrder(clip: readonly ProbedPacket[]): void {
  for (const kind of ["video", "audio"] as const) {
    const times = clip.filter((packet) => packet.kind === kind).map(({ dtsSec }) => dtsSec);
    expect(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0))).toBe(true);
  }
}

/** Which packets of the recordings the sound of a clip is: the same one after the other, nearest to where it begins. */
function expectedAudio(
  { source, added }: Scene,
  audio: readonly ProbedPacket[],
  startUs: number,
): { readonly packets: SourcePacket[]; readonly isFirst: boolean } {
  const all = source.filter(({ kind }) => kind === "audio");
  const [at = 0] = all
    .map((_packet, index) => index)
    .filter((index) => all[index]?.hash === audio[0]?.hash)
    .sort((a, b) => Math.abs((all[a]?.atUs ?? 0) - startUs) - Math.abs((all[b]?.atUs ?? 0) - startUs));
  const [before, first] = [all[at - 1], all[at]].map((packet) => added[packet?.segment ?? -1]);
  const isJoined =
    before !== undefined && first !== undefined && (before === first || joins(before.recording, first.recording));
  return { packets: all.slice(at, at + audio.length), isFirst: !isJoined };
}

function pairs(...lists: readonly (readonly [readonly ProbedPacket[], readonly SourcePacket[]])[]): Pair[] {
  return lists.flatMap(([clip, source]) =>
    clip.flatMap((packet, index) => (source[index] === undefined ? [] : [[packet, source[index]] as const])),
  );
}

type Pair = readonly [clip: ProbedPacket, source: SourcePacket];

/**
 * Where the media time of each recording begins on a time that all have in common: MediaMTX's own count in nanoseconds
 * where it wrote one, else frame after frame, and over a gap the wall clock or nothing.
 */
function zerosSec(scene: Scene, gaps: Range["gaps"]): number[] {
  const zeros: number[] = [];
  for (const [segment, { recording, content, inspection }] of scene.added.entries()) {
    const before = scene.added[segment - 1];
    const zero = zeros.at(-1) ?? 0;
    if (before === undefined) zeros.push(0);
    else if (!joins(before.recording, recording)) {
      const gapUs = recording.startUs - before.recording.endUs;
      zeros.push(zero + before.inspection.mediaDurationUs / 1e6 + (gaps === "keep" ? gapUs / 1e6 : 0));
    } else if (inspection.position !== null) zeros.push(zero + Number(dtsNs(content) - dtsNs(before.content)) / 1e9);
    else {
      const video = scene.source.filter(({ kind }) => kind === "video");
      const last = video.findLast((packet) => packet.segment === segment - 1);
      const first = video.find((packet) => packet.segment === segment);
      zeros.push(zero + (last?.dtsSec ?? 0) + (last?.durationSec ?? 0) - (first?.dtsSec ?? 0));
    }
  }
  return zeros;
}

/** Of `mtxi`: behind its type come version, stream id and number. */
function dtsNs(content: Buffer): bigint {
  return content.readBigInt64BE(content.indexOf("mtxi") + 4 + 4 + 16 + 8);
}

/** Pictures and sound stand exactly as far apart as they were recorded. */
function expectSameTimes(all: readonly Pair[], zeros: readonly number[]): void {
  const timeOf = (was: SourcePacket): number => (zeros[was.segment] ?? NaN) + was.dtsSec;
  const [first] = all;
  for (const [packet, was] of all) {
    const sinceFirst = packet.dtsSec - (first?.[0].dtsSec ?? NaN);
    expect(Math.abs(sinceFirst - (timeOf(was) - timeOf(first?.[1] ?? was)))).toBeLessThan(0.001);
  }
}

async function checkClip(answer: Answered, range: Range, scene: Scene): Promise<void> {
  const { source } = scene;
  const file = path.join(await tempDir(), "clip.mp4");
  writeFileSync(file, answer.bytes);
  const { pictures, mayFollow } = expectedVideo(source, range);
  const clip = await probePackets(file);
  const video = clip.filter(({ kind }) => kind === "video");
  const expected = [...pictures, ...mayFollow.slice(0, Math.max(0, video.length - pictures.length))];
  expect(video.map(({ hash }) => hash)).toEqual(expected.map(({ hash }) => hash));
  expect(Number(answer.headers["reelkeeper-estimated-bytes"])).toBeGreaterThan(0);
  expect(Math.abs(parseRfc3339(String(answer.headers["reelkeeper-start"])) - (expected[0]?.atUs ?? 0))).toBeLessThan(
    20,
  );
  expectSameOrder(clip);
  const audio = clip.filter(({ kind }) => kind === "audio");
  const sound = expectedAudio(scene, audio, expected[0]?.atUs ?? 0);
  expect(audio.map(({ hash }) => hash)).toEqual(sound.packets.map(({ hash }) => hash));
  expectSameTimes(pairs([video, expected], [audio, sound.packets]), zerosSec(scene, range.gaps));
  if (audio[0] !== undefined && !sound.isFirst) {
    const lateSec = audio[0].ptsSec - (video[0]?.ptsSec ?? 0);
    expect(lateSec).toBeGreaterThanOrEqual(-TICK_SEC);
    expect(lateSec).toBeLessThan(AAC_FRAME_SEC + TICK_SEC);
  }
  const types = boxTypes(answer.bytes);
  if (range.format === "mp4") expect(types).toEqual(["ftyp", "moov", "mdat"]);
  else expect(types.slice(0, 4)).toEqual(["ftyp", "moov", "moof", "mdat"]);
  expect(await probeWarnings(file)).toBe("");
  expect(await decodeWarnings(file)).toBe("");
}

interface Scene {
  readonly http: HttpHarness;
  readonly added: readonly AddedFootage[];
  readonly source: readonly SourcePacket[];
}

async function sceneOf(folder: string, options: FootageOptions = {}): Promise<Scene> {
  const http = await httpForTest();
  const added = await addFootage(http, fixtureFootage(folder), options);
  return { http, added, source: await sourcePackets(added) };
}

describe("clips of random ranges", JUDGED_ONCE, () => {
  const random = createRandom(printedSeed());
  const ROUNDS = 4;

  it.each(FOLDERS.flatMap((folder) => FORMATS.map((format) => [folder, format] as const)))(
    "of %s as %s hold every frame of the range and no other, where it belongs",
    async (folder, format) => {
      const scene = await sceneOf(folder);
      const { http, added, source } = scene;
      const startUs = added[0]?.recording.startUs ?? 0;
      const lengthUs = (added.at(-1)?.recording.endUs ?? 0) - startUs;
      for (let round = 0; round < ROUNDS; round += 1) {
        const fromUs = startUs + Math.floor(random() * lengthUs * 0.9);
        const toUs = fromUs + 200_000 + Math.floor(random() * (lengthUs - (fromUs - startUs)));
        const range: Range = { fromUs, toUs, format, gaps: random() < 0.5 ? "keep" : "close" };
        const answer = await ask(http, clipUrl(range));
        if (answer.status === 404) expect(expectedVideo(source, range).pictures, clipUrl(range)).toEqual([]);
        else await checkClip(answer, range, scene);
      }
    },
  );

  it.each(FORMATS)("that begin with a recording have their first sound from the one before (%s)", async (format) => {
    const scene = await sceneOf("v1.20.1/h264-aac");
    const startUs = scene.added[1]?.recording.startUs ?? 0;
    // Also of what was asked for so late that the recording before is far from the range.
    for (const fromUs of [startUs, startUs + 1.5e6]) {
      const range: Range = { fromUs, toUs: fromUs + 2e6, format, gaps: "keep" };
      await checkClip(await ask(scene.http, clipUrl(range)), range, scene);
    }
  });
});
