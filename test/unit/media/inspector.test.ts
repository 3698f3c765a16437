import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { Inspector } from "../../../src/media/inspector.js";
import { systemClock } from "../../../src/platform/clock.js";
import { compileInspectionWorker } from "../../support/compiled-worker.js";
import { createTempDir, removeTempDir, tempDir } from "../../support/temp-dir.js";
import { fixture, inspectFixture } from "./fixtures.js";
import { PATIENCE } from "../../support/patience.js";

const NEVER = new AbortController().signal;
const MEDIA = `{"streams":[{"index":0,"id":"0x100","codec_type":"video","codec_name":"h264","profile":"High","level":11,
"width":320,"height":180,"avg_frame_rate":"10/1","time_base":"1/90000"}],"format":{"duration":"4.000000"}}`;
const NO_MEDIA = '{"error":{"code":-1094995529,"string":"Invalid data found when processing input"}}';

let directory: string;
let workerUrl: URL;

beforeAll(async () => {
  directory = await createTempDir();
  workerUrl = await compileInspectionWorker(directory);
}, 30_000 * PATIENCE);

afterAll(() => removeTempDir(directory));

/** An inspector whose ffprobe is this shell script. */
async function startInspector(script: string): Promise<{ inspector: Inspector; at: (name: string) => string }> {
  const files = await tempDir();
  const ffprobe = path.join(files, "ffprobe");
  writeFileSync(ffprobe, `#!/bin/sh\n${script}\n`);
  chmodSync(ffprobe, 0o755);
  const settings = { configuredPath: ffprobe, env: { PATH: "/usr/bin:/bin" } };
  const inspector = new Inspector({ clock: systemClock, ffprobe: settings, workerUrl });
  inspector.start();
  onTestFinished(() => inspector.stop());
  return { inspector, at: (name) => path.join(files, name) };
}

const answer = (json: string, code = 0): string => `cat <<'END'\n${json}\nEND\nexit ${code}`;

describe("Inspector", () => {
  it("gives the inspection, hashes and identity of a segment from its worker thread", async () => {
    const { inspector } = await startInspector("exit 1");
    const file = fixture("v1.20.1/h264-aac");
    const result = await inspector.inspect({ filePath: file.filePath, format: "fmp4", hash: true }, NEVER);
    expect(result.inspection).toEqual(inspectFixture(file));
    expect(result.hashes?.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(result.identity).toMatch(/^\d+:\d+:61716:\d+$/);
    const unhashed = await inspector.inspect({ filePath: file.filePath, format: "fmp4", hash: false }, NEVER);
    expect(unhashed).toEqual({ ...result, hashes: null });
  });

  it("F66: asks ffprobe about MPEG-TS and adds the hashes", async () => {
    const { inspector } = await startInspector(answer(MEDIA));
    const { filePath } = fixture("v1.20.1/mpegts");
    const { inspection, hashes } = await inspector.inspect({ filePath, format: "mpegts", hash: true }, NEVER);
    expect(inspection).toMatchObject({
      mediaDurationUs: 4_000_000,
      finalised: true,
      fragments: expect.objectContaining({ mainTrackId: 256, initBytes: 0 }) as unknown,
      wholeBytes: 67_116,
    });
    expect(inspection.tracks).toMatchObject([{ id: 256, codec: "avc1.64000b", frameRate: 10 }]);
    expect(hashes?.md5).toMatch(/^[0-9a-f]{32}$/);
  });

  it("counts only the whole packets of a torn MPEG-TS file", async () => {
    const { inspector, at } = await startInspector(answer(MEDIA));
    writeFileSync(at("torn.ts"), readFileSync(fixture("v1.20.1/mpegts").filePath).subarray(0, 1_000));
    const { inspection } = await inspector.inspect({ filePath: at("torn.ts"), format: "mpegts", hash: true }, NEVER);
    expect(inspection).toMatchObject({ finalised: false, wholeBytes: 940 });
  });

  it("F12: asks ffprobe about what the walk refuses, and believes either answer", async () => {
    const garbage = "garbage, or an MP4 of another kind";
    const yes = await startInspector(answer(MEDIA));
    writeFileSync(yes.at("a.mp4"), garbage);
    const { inspection, hashes } = await yes.inspector.inspect(
      { filePath: yes.at("a.mp4"), format: "fmp4", hash: true },
      NEVER,
    );
    expect(inspection).toMatchObject({ mediaDurationUs: 4_000_000, finalised: false, fragments: null });
    expect(hashes).not.toBeNull();
    const no = await startInspector(answer(NO_MEDIA, 1));
    writeFileSync(no.at("a.mp4"), garbage);
    await expect(
      no.inspector.inspect({ filePath: no.at("a.mp4"), format: "fmp4", hash: true }, NEVER),
    ).rejects.toMatchObject({
      kind: "data-loss",
      message: expect.stringContaining("expected ftyp: not an MP4 file") as string,
      hint: expect.stringContaining("Invalid data found") as string,
    });
  });

  it("does not ask about an empty file, or about one without a whole fragment", async () => {
    const { inspector, at } = await startInspector(answer(MEDIA));
    writeFileSync(at("empty.mp4"), "");
    writeFileSync(at("empty.ts"), "");
    writeFileSync(at("torn.mp4"), readFileSync(fixture("v1.20.1/h264-aac").filePath).subarray(0, 5_000));
    for (const [name, format] of [
      ["empty.mp4", "fmp4"],
      ["empty.ts", "mpegts"],
      ["torn.mp4", "fmp4"],
    ] as const) {
      await expect(inspector.inspect({ filePath: at(name), format, hash: true }, NEVER)).rejects.toMatchObject({
        kind: "data-loss",
      });
    }
  });

  it("F9: notices a file that changes while ffprobe looks at it", async () => {
    const { inspector, at } = await startInspector(
      `for arg; do case "$arg" in file:*) printf x >> "\${arg#file:}";; esac; done\n${answer(MEDIA)}`,
    );
    writeFileSync(at("a.ts"), readFileSync(fixture("v1.20.1/mpegts").filePath));
    await expect(
      inspector.inspect({ filePath: at("a.ts"), format: "mpegts", hash: true }, NEVER),
    ).rejects.toMatchObject({
      kind: "failed-precondition",
    });
  });

  it("carries errors across the thread boundary with kind and hint", async () => {
    const { inspector, at } = await startInspector("exit 1");
    const inspect = (name: string) => inspector.inspect({ filePath: at(name), format: "fmp4", hash: true }, NEVER);
    await expect(inspect("absent.mp4")).rejects.toMatchObject({ name: "AppError", kind: "not-found" });
    await expect(inspect(".")).rejects.toMatchObject({
      kind: "invalid-argument",
      hint: expect.stringContaining("only regular files") as string,
    });
  });
});
