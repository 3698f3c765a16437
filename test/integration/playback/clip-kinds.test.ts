/** Clips of what MediaMTX seldom or never writes: other codecs, one track alone, other layouts of fragments, torn files. */
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

import { describe, expect, it } from "vitest";

import { formatRfc3339 } from "../../../src/core/instant.js";
import { SUBJECTS } from "../../contract/object-store-subjects.js";
import { addFootage, fixtureFootage } from "../../support/footage.js";
import { ask, problemIn } from "../../support/http-ask.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";
import { at } from "../../support/http-rows.js";
import { decodeWarnings, probePackets, probeWarnings } from "../../support/media-probe.js";
import { tempDir } from "../../support/temp-dir.js";

const run = promisify(execFile);
const FORMATS = ["mp4", "fmp4"] as const;
const SECONDS = 6;

const PICTURE = ["-f", "lavfi", "-i", `testsrc2=size=320x180:rate=10:duration=${SECONDS}`];
const TONE = ["-f", "lavfi", "-i", `sine=frequency=440:sample_rate=48000:duration=${SECONDS}`];
const H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-pix_fmt", "yuv420p"];
const FRAGMENTS = ["-frag_duration", "1000000"];
const MOOF_BASED = ["-movflags", "empty_moov+default_base_moof", ...FRAGMENTS];

const KINDS: Readonly<Record<string, readonly string[]>> = {
  "H.264 alone": [...PICTURE, ...H264, ...MOOF_BASED],
  "H.264 with B-frames and AAC": [...PICTURE, ...TONE, ...H264, "-bf", "2", "-c:a", "aac", ...MOOF_BASED],
  "offsets from the start of the file": [
    ...PICTURE,
    ...TONE,
    ...H264,
    "-c:a",
    "aac",
    "-movflags",
    "empty_moov",
    ...FRAGMENTS,
  ],
  "a fragment for each picture": [...PICTURE, ...H264, "-movflags", "empty_moov+frag_every_frame"],
  "Opus alone": [...TONE, "-c:a", "libopus", ...MOOF_BASED],
  "MP3 alone": [...TONE, "-c:a", "libmp3lame", ...MOOF_BASED],
  "H.265": [
    ...PICTURE,
    "-c:v",
    "libx265",
    "-preset",
    "ultrafast",
    "-x265-params",
    "log-level=error:keyint=10",
    "-tag:v",
    "hvc1",
    ...MOOF_BASED,
  ],
};

function urlOf(fromUs: number, toUs: number, format: string): string {
  return `/api/v1/clip.mp4?path=cam1&from=${formatRfc3339(fromUs)}&to=${formatRfc3339(toUs)}&format=${format}`;
}

async function clipFile(http: HttpHarness, url: string): Promise<string> {
  const answer = await ask(http, url);
  expect(answer.status, answer.text.slice(0, 300)).toBe(200);
  const file = path.join(await tempDir(), "clip.mp4");
  writeFileSync(file, answer.bytes);
  return file;
}

describe("a clip of", () => {
  it.each(Object.entries(KINDS).flatMap(([kind, args]) => FORMATS.map((format) => [kind, format, args] as const)))(
    "%s as %s holds the very packets of the recording",
    async (_kind, format, args) => {
      const file = path.join(await tempDir(), "source.mp4");
      await run("ffmpeg", ["-v", "error", ...args, "-f", "mp4", file]);
      const http = await httpForTest();
      await addFootage(http, [{ content: readFileSync(file), startUs: at(0) }]);
      const source = await probePackets(file);
      const hashesOf = (packets: typeof source, kind: string): string[] =>
        packets.filter((packet) => packet.kind === kind).map(({ hash }) => hash);
      const whole = await clipFile(http, urlOf(at(0), at(SECONDS + 5), format));
      const clip = await probePackets(whole);
      const audio = hashesOf(clip, "audio");
      expect(hashesOf(clip, "video")).toEqual(hashesOf(source, "video"));
      // Sound of before the first picture is not of the clip: ffmpeg's encoders begin with some.
      expect(audio).toEqual(hashesOf(source, "audio").slice(-audio.length || Infinity));
      expect(hashesOf(source, "audio").length - audio.length).toBeLessThanOrEqual(5);
      const middle = await clipFile(http, urlOf(at(2.5), at(4.5), format));
      for (const made of [whole, middle]) {
        expect(await probeWarnings(made)).toBe("");
        expect(await decodeWarnings(made)).toBe("");
      }
    },
  );

  it.each(FORMATS)("a file that was torn at any byte as %s holds its whole fragments", async (format) => {
    const [, footage] = fixtureFootage("v1.20.1/killed");
    if (footage === undefined) throw new Error("no fixture");
    for (const share of [0.4, 0.6, 0.9]) {
      const http = await httpForTest();
      const content = footage.content.subarray(0, Math.floor(footage.content.length * share));
      const [added] = await addFootage(http, [{ ...footage, content }]);
      const { startUs = 0 } = added?.recording ?? {};
      const made = await clipFile(http, urlOf(startUs, startUs + 60e6, format));
      const file = path.join(await tempDir(), "whole.mp4");
      writeFileSync(file, content.subarray(0, added?.inspection.wholeBytes));
      const pictures = (packets: Awaited<ReturnType<typeof probePackets>>) =>
        packets.filter(({ kind }) => kind === "video").map(({ hash }) => hash);
      expect(pictures(await probePackets(made))).toEqual(pictures(await probePackets(file)));
      expect(await decodeWarnings(made)).toBe("");
    }
  });

  it.each(FORMATS)("recordings that are in an S3 bucket only as %s is the same as of local ones", async (format) => {
    const [, open] = SUBJECTS.find(([name]) => name === "an S3 server") ?? [];
    if (open === undefined) throw new Error("no S3 server among the subjects");
    const subject = await open();
    try {
      const stored = await httpForTest({ store: () => subject.store });
      const local = await httpForTest();
      const footage = fixtureFootage("v1.20.1/h264-aac");
      const [first] = await addFootage(stored, footage, { archived: true, changes: { local: "released" } });
      await addFootage(local, footage);
      const startUs = first?.recording.startUs ?? 0;
      const url = urlOf(startUs + 3e6, startUs + 18e6, format);
      const answer = await ask(stored, url);
      expect(answer.status).toBe(200);
      expect(answer.bytes.equals((await ask(local, url)).bytes)).toBe(true);
      await subject.loseBucket();
      expect(problemIn(await ask(stored, url)).status).toBeGreaterThanOrEqual(500);
    } finally {
      await subject.close();
    }
  });
});
