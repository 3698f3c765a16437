/**
 * Clips of random ranges over what a real MediaMTX records in many short segments, once interrupted: every picture of the
 * range and no other, by the hash of its pixels, at its time; and FFmpeg has nothing to say of the file.
 */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { RecordingView } from "../../../src/contract/recordings.js";
import { formatRfc3339, parseRfc3339 } from "../../../src/core/instant.js";
import type { Camera, CameraOptions } from "../../support/camera.js";
import { probePackets, probeWarnings } from "../../support/media-probe.js";
import { printedSeed } from "../../support/random.js";
import { waitFor } from "../../support/wait-for.js";
import { openFolderScene, type Scene } from "../app/scene.js";

const run = promisify(execFile);
const BIG = { maxBuffer: 64 << 20 };
const FRAME_SEC = 0.1;
const CAMERA = { fps: 10, gopSec: 1, audio: true } as const;
/** [path, its settings, its camera] */
const PATHS: readonly (readonly [string, Readonly<Record<string, unknown>>, Omit<CameraOptions, "url">])[] = [
  ["plain", {}, CAMERA],
  ["reordered", {}, { ...CAMERA, bFrames: 2 }],
  ["stream", { recordFormat: "mpegts" }, CAMERA],
];
const RUNS = 10;
const SEGMENTS_BEFORE = 4;
const SEGMENTS_AFTER = 2;

interface SourceFrame {
  /** When it is decoded, by the wall clock of its recording. */
  readonly atUs: number;
  /** When it is presented, by the same clock: as much later as the encoder needs for reordering. */
  readonly presentedUs: number;
  /** Number of the recording, and what is missing before that. */
  readonly segment: number;
  readonly gapBeforeSec: number;
  readonly endUs: number;
  readonly isKey: boolean;
  readonly hash: string;
}

let scene: Scene;

beforeAll(async () => {
  scene = await openFolderScene();
  for (const [name, settings] of PATHS) await scene.addPath(name, { recordSegmentDuration: "2s", ...settings });
  await record(SEGMENTS_BEFORE);
  await record(SEGMENTS_AFTER);
  await scene.app.drained();
});
afterAll(() => scene.close());

/** Of all paths together, until each has so many more. */
async function record(segments: number): Promise<void> {
  const before = await counts();
  const cameras: Camera[] = [];
  for (const [name, , options] of PATHS) {
    // MediaMTX may be starting still.
    cameras.push(await waitFor(`the camera of ${name}`, () => scene.startCamera(name, options).catch(() => undefined)));
  }
  const isEnough = async (): Promise<boolean> => {
    const now = await counts();
    return PATHS.every(([name]) => (now.get(name) ?? 0) > (before.get(name) ?? 0) + segments);
  };
  await waitFor("some segments", isEnough, { timeoutMs: 60_000 });
  for (const camera of cameras) await camera.stop();
}

async function counts(): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const file of await scene.app.createdFiles()) {
    const name = path.relative(scene.app.recordDir, file).split(path.sep)[0] ?? "";
    found.set(name, (found.get(name) ?? 0) + 1);
  }
  return found;
}

/** Of a file in the order in which they are shown. */
async function hashesOf(file: string): Promise<string[]> {
  const args = ["-v", "warning", "-xerror", "-i", `file:${file}`, "-map", "0:v", "-fps_mode", "passthrough"];
  const { stdout, stderr } = await run("ffmpeg", [...args, "-f", "framemd5", "-"], BIG);
  expect(stderr).toBe("");
  return stdout.split("\n").flatMap((line) => (line.startsWith("0,") ? [line.split(",").at(-1)!.trim()] : []));
}

/** FFmpeg tells times of pictures up to this much later: what ends so near to a clip's end may be in it or not. */
const SHIFT_US = 2_000;

/** Oldest first, in the order in which they are decoded. */
async function sourceOf(recordings: readonly RecordingView[]): Promise<SourceFrame[]> {
  const frames: SourceFrame[] = [];
  for (const [segment, recording] of recordings.entries()) {
    const file = path.join(scene.app.recordDir, recording.filePath);
    const packets = (await probePackets(file)).filter(({ kind }) => kind === "video");
    const shown = packets.toSorted((a, b) => a.ptsSec - b.ptsSec);
    const hashes = await hashesOf(file);
    expect(hashes).toHaveLength(packets.length);
    const startUs = parseRfc3339(recording.startAt);
    // Of MPEG-TS time goes on from file to file; of fMP4 it begins anew in each.
    const zeroSec = recording.format === "mpegts" ? (packets[0]?.ptsSec ?? 0) : 0;
    for (const packet of packets) {
      frames.push({
        atUs: startUs + Math.round((packet.dtsSec - zeroSec) * 1e6),
        presentedUs: startUs + Math.round((packet.ptsSec - zeroSec) * 1e6),
        ...{ segment, gapBeforeSec: recording.gapBeforeSec ?? 0, endUs: parseRfc3339(recording.endAt) },
        isKey: packet.isKey,
        hash: hashes[shown.indexOf(packet)] ?? "",
      });
    }
  }
  return frames;
}

interface Expected {
  /** What is shown in the range and since its sync sample, in the order in which it is shown. */
  readonly shown: readonly SourceFrame[];
  /** What may be shown as well. */
  readonly near: readonly SourceFrame[];
  /** What is shown later, and may be there because it is decoded earlier than one of those. */
  readonly references: readonly SourceFrame[];
}

/** A clip is shown from its first picture on: the wall clock of its recording's beginning is that of its first picture. */
function expectedOf(source: readonly SourceFrame[], fromUs: number, toUs: number): Expected {
  const keys = source.filter(({ isKey }) => isKey);
  const start =
    keys.findLast(({ atUs, endUs }) => atUs <= fromUs && fromUs < endUs) ?? keys.find(({ atUs }) => atUs > fromUs);
  const last = source.findLast(({ atUs }) => atUs < toUs);
  if (start === undefined || last === undefined || start.atUs >= toUs) return { shown: [], near: [], references: [] };
  const delayUs = start.presentedUs - start.atUs;
  // Files that join may seem to overlap by the wall clock.
  const frames = source
    .slice(source.indexOf(start))
    .filter(({ segment }) => segment <= last.segment)
    .toSorted((a, b) => a.segment - b.segment || a.presentedUs - b.presentedUs);
  const isShown =
    (untilUs: number) =>
    ({ segment, presentedUs, isKey, atUs }: SourceFrame): boolean =>
      segment < last.segment || (presentedUs - delayUs < untilUs && !(isKey && atUs >= toUs));
  const [surely, perhaps] = [isShown(toUs - SHIFT_US), isShown(toUs + SHIFT_US)];
  return {
    shown: frames.filter(surely),
    near: frames.filter((frame) => perhaps(frame) && !surely(frame)),
    references: frames.filter((frame) => !surely(frame) && !frame.isKey && frame.atUs < toUs + delayUs),
  };
}

describe.each(PATHS.map(([name]) => name))("clips of what MediaMTX recorded as %s", (name) => {
  it("hold every picture of the range and no other, at its time", async () => {
    const recordings = await scene.app.recordings({ path: name, order: "oldest" });
    expect(recordings.length).toBeGreaterThanOrEqual(SEGMENTS_BEFORE + SEGMENTS_AFTER);
    const source = await sourceOf(recordings);
    const [firstUs, lastUs] = [source[0]!.atUs - 1e6, source.at(-1)!.atUs + 1e6];
    const instant = fc.integer({ min: firstUs, max: lastUs });
    const format = fc.constantFrom("mp4", "fmp4");
    const gaps = fc.constantFrom("keep", "close");
    const property = fc.asyncProperty(instant, instant, format, gaps, async (one, other, as, holes) => {
      const [fromUs, toUs] = [Math.min(one, other), Math.max(one, other) + 1];
      const query = { path: name, from: formatRfc3339(fromUs), to: formatRfc3339(toUs), format: as, gaps: holes };
      const answer = await fetch(`${scene.app.url}/api/v1/clip.mp4?${new URLSearchParams(query).toString()}`);
      const bytes = Buffer.from(await answer.arrayBuffer());
      const { shown, near, references } = expectedOf(source, fromUs, toUs);
      if (answer.status === 404) {
        expect(shown).toEqual([]);
        return;
      }
      expect(answer.status, bytes.toString("utf8", 0, 300)).toBe(200);
      const file = path.join(scene.directory, "clip.mp4");
      await writeFile(file, bytes);
      const hashes = await hashesOf(file);
      expect(hashes.slice(0, shown.length)).toEqual(shown.map(({ hash }) => hash));
      // An mp4 hides what is only there for others; without an edit list that cannot be said.
      const late = new Set([...near, ...(as === "mp4" ? [] : references)].map(({ hash }) => hash));
      expect(hashes.slice(shown.length).filter((hash) => !late.has(hash))).toEqual([]);
      expect(await probeWarnings(file)).toBe("");
      const video = (await probePackets(file)).filter(({ kind }) => kind === "video");
      const times = video.map(({ ptsSec }) => ptsSec).sort((one, other) => one - other);
      // The only picture is one that may be there.
      if (shown.length === 0) return;
      const lastsSec = times[shown.length - 1]! - times[0]!;
      const { sec, hasGap } = lengthOf(shown, holes);
      // What comes after a gap comes after the sound before it.
      expect(Math.abs(lastsSec - sec)).toBeLessThan(2 * FRAME_SEC + (hasGap ? 0.5 : 0));
      if (recordings[0]!.format === "fmp4") {
        const startUs = parseRfc3339(answer.headers.get("reelkeeper-start") ?? "");
        expect(Math.abs(startUs - shown[0]!.atUs)).toBeLessThan(50);
      }
    });
    await fc.assert(property, { numRuns: RUNS, seed: printedSeed() });
  });
});

/** From the first frame to the last: frame after frame, with what is missing in between or without. */
function lengthOf(shown: readonly SourceFrame[], gaps: string): { readonly sec: number; readonly hasGap: boolean } {
  let sec = 0;
  let hasGap = false;
  for (const [index, frame] of shown.entries()) {
    const before = shown[index - 1];
    if (before === undefined) continue;
    const missingSec = before.segment === frame.segment ? 0 : frame.gapBeforeSec;
    hasGap ||= missingSec > 0;
    sec += FRAME_SEC + (gaps === "keep" ? missingSec : 0);
  }
  return { sec, hasGap };
}
