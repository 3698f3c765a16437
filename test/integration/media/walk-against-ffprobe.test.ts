import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

import { describe, expect, it } from "vitest";

import type { Inspection } from "../../../src/media/inspection.js";
import { tempDir } from "../../support/temp-dir.js";
import { FMP4_FIXTURES, fixture, inspectBytes, inspectFixture } from "../../unit/media/fixtures.js";

const run = promisify(execFile);

interface Packet {
  readonly stream_index: number;
  readonly dts: number;
  readonly duration: number;
  readonly flags: string;
}

interface FfprobeView {
  readonly streams: readonly { readonly index: number; readonly id: string; readonly time_base: string }[];
  readonly packets: readonly Packet[];
}

async function ffprobePackets(filePath: string): Promise<FfprobeView> {
  const show = ["-show_streams", "-show_packets", "-of", "json"];
  const { stdout } = await run("ffprobe", ["-v", "error", ...show, `file:${filePath}`], { maxBuffer: 64 << 20 });
  return JSON.parse(stdout) as FfprobeView;
}

function packetsOf(view: FfprobeView, trackId: number): readonly Packet[] {
  const stream = view.streams.find(({ id }) => Number(id) === trackId)!;
  return view.packets.filter((packet) => packet.stream_index === stream.index);
}

/** First sync sample of each fragment by ffprobe's packets, as the index has it. */
function expectSameSync(inspection: Inspection, packets: readonly Packet[]): void {
  for (const { startTicks, durationTicks, syncTicks } of inspection.fragments!.fragments) {
    if (startTicks === null) continue;
    const inside = packets.filter(({ dts }) => dts >= startTicks && dts < startTicks + durationTicks);
    expect(inside[0]?.dts).toBe(startTicks);
    expect(inside.find(({ flags }) => flags.startsWith("K"))?.dts ?? null).toBe(syncTicks);
  }
}

describe("header walk against ffprobe", () => {
  it.each(FMP4_FIXTURES)("finds the same tracks, sync samples and end in $name", async (file) => {
    const inspection = inspectFixture(file);
    const view = await ffprobePackets(file.filePath);
    expect(inspection.tracks.map(({ id }) => id)).toEqual(view.streams.map(({ id }) => Number(id)));
    let endUs = 0;
    for (const track of inspection.tracks) {
      const packets = packetsOf(view, track.id);
      expect(view.streams.find(({ id }) => Number(id) === track.id)?.time_base).toBe(`1/${track.timescale}`);
      const end = Math.max(...packets.map(({ dts, duration }) => dts + duration));
      endUs = Math.max(endUs, (end * 1e6) / track.timescale);
    }
    // The walk undoes MediaMTX's cutting of tfdt to whole ticks, which ffprobe takes as it stands: one tick of 48 kHz.
    expect(Math.abs(inspection.mediaDurationUs - endUs)).toBeLessThanOrEqual(22);
    expectSameSync(inspection, packetsOf(view, inspection.fragments!.mainTrackId));
  });

  it("sees the same in a fragmented file of another writer", async () => {
    const filePath = path.join(await tempDir(), "ffmpeg.mp4");
    const inputs = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=30000/1001", "-f", "lavfi", "-i", "sine", "-t", "8"];
    const codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-bf", "2", "-c:a", "aac", "-ac", "2"];
    const flags = ["-movflags", "empty_moov+default_base_moof+skip_trailer", "-frag_duration", "1000000"];
    await run("ffmpeg", ["-v", "error", ...inputs, ...codecs, ...flags, filePath]);
    const inspection = inspectBytes(readFileSync(filePath));
    const view = await ffprobePackets(filePath);
    const [video, audio] = inspection.tracks;
    expect(video).toMatchObject({ kind: "video", widthPx: 320, frameRate: 29.97 });
    expect(audio).toMatchObject({ kind: "audio", codec: "mp4a.40.2", sampleRateHz: 44_100, channels: 2 });
    const index = inspection.fragments!;
    // B-frames make ffprobe count from a negative first decode time; the index counts as `tfdt` does, from 0.
    const packets = packetsOf(view, 1);
    const syncs = packets.filter((packet) => packet.flags.startsWith("K")).map(({ dts }) => dts - packets[0]!.dts);
    expect(syncs).toHaveLength(5);
    const found = index.fragments.map(({ syncTicks }) => syncTicks).filter((ticks) => ticks !== null);
    expect(found).toEqual(syncs);
  });

  it("keeps of a torn file what ffprobe can decode of it", async () => {
    const bytes = readFileSync(fixture("v1.20.1/h264-aac").filePath).subarray(0, 50_000);
    const { wholeBytes, fragments } = inspectBytes(bytes);
    const filePath = path.join(await tempDir(), "whole.mp4");
    writeFileSync(filePath, bytes.subarray(0, wholeBytes));
    const { stderr } = await run("ffmpeg", ["-v", "warning", "-i", `file:${filePath}`, "-f", "null", "-"]);
    expect(stderr).toBe("");
    const last = fragments!.fragments.at(-1)!;
    const packets = packetsOf(await ffprobePackets(filePath), 1);
    expect(packets.at(-1)!.dts + packets.at(-1)!.duration).toBe(last.startTicks! + last.durationTicks);
  });
});
