/** The header walk of a segment of a minute and of an hour, warm, beside ffprobe on the same file. */
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";

import { expect, it } from "vitest";

import { inspectFile } from "../../src/media/inspect-file.js";
import { tempDir } from "../support/temp-dir.js";
import { below, IS_QUICK, type Line, percentile, report } from "./support/report.js";

const run = promisify(execFile);
const ROUNDS = 15;
const FRAGMENTED = "-movflags empty_moov+default_base_moof+skip_trailer -frag_duration 1000000 -f mp4".split(" ");
/** [what, times the minute is repeated, ms] */
const LENGTHS = IS_QUICK
  ? ([["60 s", 1, 1]] as const)
  : ([
      ["60 s", 1, 1],
      ["1 h", 60, 15],
    ] as const);

it("probes beside ffprobe", async () => {
  const directory = await tempDir();
  const minute = path.join(directory, "minute.mp4");
  const picture = "-f lavfi -i testsrc2=s=1280x720:r=25 -f lavfi -i sine=sample_rate=48000 -t 60".split(" ");
  const encoders = "-c:v libx264 -preset ultrafast -b:v 1900k -g 50 -sc_threshold 0 -pix_fmt yuv420p -c:a aac".split(
    " ",
  );
  await run("ffmpeg", ["-v", "error", ...picture, ...encoders, ...FRAGMENTED, minute]);
  const lines: Line[] = [];
  for (const [what, times, limitMs] of LENGTHS) {
    const file = path.join(directory, `${times}.mp4`);
    const loop = ["-stream_loop", String(times - 1), "-i", minute, "-c", "copy", ...FRAGMENTED, file];
    await run("ffmpeg", ["-v", "error", ...loop]);
    lines.push(...(await measure(what, file, limitMs)));
  }
  report("probe", lines);
});

async function measure(what: string, file: string, limitMs: number): Promise<Line[]> {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    ours.push(timed(() => expect(inspectFile({ filePath: file, format: "fmp4", hash: false }).refusal).toBeNull()));
    const startedMs = performance.now();
    await run("ffprobe", ["-v", "error", "-show_format", "-show_streams", "-of", "json", file]);
    theirs.push(performance.now() - startedMs);
  }
  const [walkMs, ffprobeMs] = [percentile(ours, 0.5), percentile(theirs, 0.5)];
  return [
    below(`segment of ${what}: walked`, walkMs, { value: limitMs, unit: "ms" }),
    { what: `segment of ${what}: walked`, value: walkMs, unit: "ms", against: { name: "ffprobe", value: ffprobeMs } },
  ];
}

function timed(work: () => void): number {
  const startedMs = performance.now();
  work();
  return performance.now() - startedMs;
}
