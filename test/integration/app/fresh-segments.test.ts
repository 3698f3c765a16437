/** From the close of a segment to its proof in the store, on every tested MediaMTX and store, with a real camera. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { beforeAll, describe, expect, it } from "vitest";

import type { RecordingView } from "../../../src/contract/recordings.js";
import { createTempDir, removeTempDir } from "../../support/temp-dir.js";
import type { TestedMediaMtxVersion } from "../../support/tools.js";
import { waitFor } from "../../support/wait-for.js";
import { openFolderScene, openS3Scene } from "./scene.js";
import { PATIENCE } from "../../support/patience.js";

type Case = readonly [TestedMediaMtxVersion, "folder" | "versitygw"];

const CASES: readonly Case[] = [
  ["1.21.0", "folder"],
  ["1.21.0", "versitygw"],
  ["1.19.3", "folder"],
  ["1.19.3", "versitygw"],
];
const SEGMENTS = 3;
const LISTED_WITHIN_MS = 2_000 * PATIENCE;
const PROVEN_WITHIN_MS = 5_000 * PATIENCE;
const LOOK_EVERY_MS = 50;
/** About 1 MiB in 4 s. */
const CAMERA = { audio: true, size: "640x480", fps: 15, bitrate: "2200k" } as const;

/** What was seen of one finished segment. */
interface Observed {
  readonly recording: RecordingView;
  /** From MediaMTX's last write to the file until the list showed it closed. */
  readonly listedAfterMs: number;
  readonly provenAfterMs: number;
  /** MTX_SEGMENT_DURATION. */
  readonly toldDurationSec: number;
  readonly fileSha256: string;
  readonly objectSha256: string;
  readonly streams: readonly FfprobeStream[];
}

interface FfprobeStream {
  readonly codec_name: string;
  readonly profile: string;
  readonly level: number;
  readonly width: number;
  readonly height: number;
  readonly avg_frame_rate: string;
  readonly sample_rate: string;
  readonly channels: number;
}

const observations = new Map<Case, readonly Observed[]>();

// Four servers and cameras side by side: a busier machine, and a quarter of the time.
beforeAll(async () => {
  await Promise.all(CASES.map(async (it) => observations.set(it, await observe(it))));
});

describe.each(CASES.map((it) => ({ version: it[0], store: it[1], it })))(
  "each segment of a camera on MediaMTX $version with the $store store",
  ({ it: which }) => {
    const observed = (): readonly Observed[] => observations.get(which) ?? [];

    it("is listed within 2 s of its last byte, and proven within 5 s", () => {
      expect(observed()).toHaveLength(SEGMENTS);
      for (const { listedAfterMs, provenAfterMs, recording } of observed()) {
        expect(recording.bytes).toBeGreaterThan(900_000);
        expect(listedAfterMs).toBeLessThanOrEqual(LISTED_WITHIN_MS);
        expect(provenAfterMs).toBeLessThanOrEqual(PROVEN_WITHIN_MS);
      }
    });

    it("is as long as MediaMTX says, to the millisecond", () => {
      for (const { recording, toldDurationSec } of observed()) {
        expect(Math.abs(recording.durationSec - toldDurationSec)).toBeLessThanOrEqual(0.001);
        expect(Math.abs((recording.mediaDurationSec ?? 0) - toldDurationSec)).toBeLessThanOrEqual(0.001);
        const spanMs = Date.parse(recording.endAt) - Date.parse(recording.startAt);
        expect(Math.abs(spanMs - toldDurationSec * 1_000)).toBeLessThanOrEqual(1);
      }
    });

    it("has the tracks that ffprobe finds", () => {
      for (const { recording, streams } of observed()) {
        const [video, audio] = streams;
        expect(streams.map(({ codec_name }) => codec_name)).toEqual(["h264", "aac"]);
        const level = (video?.level ?? 0).toString(16).padStart(2, "0");
        expect(video?.profile).toBe("Constrained Baseline");
        expect(recording.tracks).toEqual([
          {
            kind: "video",
            codec: `avc1.42c0${level}`,
            width: video?.width,
            height: video?.height,
            frameRate: expect.closeTo(CAMERA.fps, 1) as number,
          },
          {
            kind: "audio",
            codec: "mp4a.40.2",
            sampleRate: Number(audio?.sample_rate),
            channels: audio?.channels,
          },
        ]);
      }
    });

    it("follows the one before without a gap", () => {
      const recordings = observed().map(({ recording }) => recording);
      expect(new Set(recordings.map(({ streamId }) => streamId)).size).toBe(1);
      expect(recordings.map(({ segmentNumber }) => segmentNumber)).toEqual([0, 1, 2]);
      expect(recordings.map(({ gapBeforeSec }) => gapBeforeSec)).toEqual([null, 0, 0]);
      expect(recordings.every(({ partial, missingBefore }) => !partial && missingBefore === 0)).toBe(true);
    });

    it("lies in the store byte for byte, under the hash that is listed", () => {
      for (const { recording, fileSha256, objectSha256 } of observed()) {
        expect(fileSha256).toBe(recording.sha256);
        expect(objectSha256).toBe(recording.sha256);
      }
    });
  },
);

async function observe([version, store]: Case): Promise<Observed[]> {
  const hooks = await createTempDir();
  const open = store === "folder" ? openFolderScene : openS3Scene;
  const scene = await open({ version, env: { MEDIAMTX_HOOK_COMMAND: `sh "${hooks}/told.sh"` } });
  try {
    const { app } = scene;
    // Writes down what MediaMTX says, and hands it on to the hook that is there without it.
    const hook = path.join(app.dataDir, "mediamtx", "hook.sh");
    const script = `echo "$1 $MTX_SEGMENT_DURATION $MTX_SEGMENT_PATH" >>"${hooks}/told"\nexec sh "${hook}" "$1"\n`;
    await writeFile(path.join(hooks, "told.sh"), script);
    await scene.addPath("cam1", { recordSegmentDuration: "4s" });
    await scene.startCamera("cam1", CAMERA);
    const presentAtMs = new Map<string, number>();
    const provenAtMs = new Map<string, number>();
    const look = async (): Promise<RecordingView[] | undefined> => {
      const recordings = await app.recordings({ path: "cam1" });
      const nowMs = Date.now();
      for (const { id, local, archive } of recordings) {
        if (local === "present" && !presentAtMs.has(id)) presentAtMs.set(id, nowMs);
        if (archive === "verified" && !provenAtMs.has(id)) provenAtMs.set(id, nowMs);
      }
      return provenAtMs.size >= SEGMENTS ? recordings.slice(0, SEGMENTS) : undefined;
    };
    const within = { timeoutMs: 60_000, intervalMs: LOOK_EVERY_MS };
    const recordings = await waitFor(`${SEGMENTS} proven segments`, look, within);
    // What is proven may be known by the hook of the next segment.
    const told = await waitFor("what MediaMTX says of each", async () => {
      const text = await readFile(path.join(hooks, "told"), "utf8");
      const isTold = ({ filePath }: RecordingView) => !isNaN(toldDuration(text, path.join(app.recordDir, filePath)));
      return recordings.every(isTold) && text;
    });
    return await Promise.all(
      recordings.map(async (recording): Promise<Observed> => {
        const file = path.join(app.recordDir, recording.filePath);
        const { mtimeMs } = await stat(file);
        return {
          recording,
          listedAfterMs: (presentAtMs.get(recording.id) ?? Infinity) - mtimeMs,
          provenAfterMs: (provenAtMs.get(recording.id) ?? Infinity) - mtimeMs,
          toldDurationSec: toldDuration(told, file),
          fileSha256: await sha256Of(file),
          objectSha256: await sha256Of(path.join(app.bucket.dir, recording.objectKey ?? "")),
          streams: await probe(file),
        };
      }),
    );
  } catch (error) {
    process.stderr.write(scene.app.dump());
    throw error;
  } finally {
    await scene.close();
    await removeTempDir(hooks);
  }
}

function toldDuration(told: string, file: string): number {
  const line = told.split("\n").find((text) => text.startsWith("segment-complete ") && text.endsWith(` ${file}`));
  return Number(line?.split(" ")[1]);
}

async function sha256Of(file: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(file))
    .digest("hex");
}

/** Video first. */
async function probe(file: string): Promise<FfprobeStream[]> {
  const { stdout } = await promisify(execFile)("ffprobe", ["-v", "error", "-of", "json", "-show_streams", file]);
  const { streams } = JSON.parse(stdout) as { streams: (FfprobeStream & { codec_type: string })[] };
  return streams.sort((left, right) => (left.codec_type < right.codec_type ? 1 : -1));
}
