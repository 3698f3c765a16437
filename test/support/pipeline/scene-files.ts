/** The files of a scene: real segments where MediaMTX would have left them, and what must be true of them afterwards. */
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, utimes, writeFile } from "node:fs/promises";
import path from "node:path";

import { init, part, samples } from "../fmp4.js";
import type { S3Server } from "../versitygw.js";

/** What scene.mjs is told. */
export interface Scene {
  readonly env: Readonly<Record<string, string>>;
  readonly isFolder: boolean;
  /** A path whose local copies stay. */
  readonly kept: string;
  readonly hooked: string;
  /** Its hook comes before the file. */
  readonly late: { readonly name: string; readonly from: string; readonly to: string };
  /** Never finalised. */
  readonly open: string;
  readonly vanishing: string;
  readonly deleted: string;
  /** MediaMTX gives the name to another recording just when the first goes. */
  readonly taken: { readonly name: string; readonly from: string; readonly mark: string };
  readonly refusedMark: string;
  readonly rebuiltFile: string;
  readonly configFile: string;
  readonly configTexts: readonly string[];
}

const FIXTURES = path.resolve(import.meta.dirname, "../../fixtures/recordings/v1.20.1");
export const PREFIX = "recordings";
const LONG_AGO_SEC = 3_600;
const TIMESCALE = 90_000;

/** Where in the record directory each fixture lies. */
const PLACES = {
  hooked: ["cam1/2026-11-20_17-05-05-266944.mp4", "killed/2026-11-20_17-05-05-266944.mp4"],
  scanned: ["cam1/2026-11-20_17-05-09-219915.mp4", "killed/2026-11-20_17-05-09-219915.mp4"],
  open: ["cam1/2026-11-20_17-05-13-219392.mp4", "killed/2026-11-20_17-05-13-219392.mp4"],
  late: ["cam2/2026-11-20_17-04-42-722984.mp4", "h265-only/2026-11-20_17-04-42-722984.mp4"],
  taken: ["cam2/2026-11-20_17-04-48-374189.mp4", "h265-only/2026-11-20_17-04-48-374189.mp4"],
  vanishing: ["kept/2026-11-20_17-04-43-214874.mp4", "h264-bframes/2026-11-20_17-04-43-214874.mp4"],
  deleted: ["kept/2026-11-20_17-04-48-970355.mp4", "h264-bframes/2026-11-20_17-04-48-970355.mp4"],
  /** Of our own template: a folder store links it. */
  linked: ["cam3/2026-11-20/1795194283-022940.mp4", "h264-aac/2026-11-20_17-04-43-022940.mp4"],
} as const;
const TAKER = "h264-aac/2026-11-20_17-04-58-150970.mp4";

/** Seven megabytes: sent to S3 in two parts. */
const LARGE = { name: "cam4/2026-11-20_17-04-43-000000.mp4", seconds: 4, samplesPerSec: 10, sampleBytes: 180_000 };

export interface SceneFiles {
  readonly scene: Scene;
  readonly directory: string;
  readonly dataDir: string;
  readonly recordDir: string;
  /** Of the folder store, or of the server's bucket. */
  readonly bucketDir: string;
  /** SHA-256 of each segment by its name below the record directory. */
  readonly hashes: ReadonlyMap<string, string>;
  /** Of the segment that takes a name. */
  readonly takerHash: string;
}

/** Lays out a scene in `directory`, which must exist. With a server: in a bucket of its own. */
export async function layOutScene(directory: string, server?: S3Server): Promise<SceneFiles> {
  const recordDir = path.join(directory, "recordings");
  const hashes = new Map<string, string>();
  for (const [role, [name, fixture]] of Object.entries(PLACES)) {
    const file = role === "late" ? path.join(directory, "late.mp4") : path.join(recordDir, name);
    await mkdir(path.dirname(path.join(recordDir, name)), { recursive: true });
    await copyFile(path.join(FIXTURES, fixture), file);
    const sec = Date.now() / 1_000 - (role === "open" ? 0 : LONG_AGO_SEC);
    await utimes(file, sec, sec);
    hashes.set(name, await hashOf(file));
  }
  if (server !== undefined) {
    const file = path.join(recordDir, LARGE.name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, largeSegment());
    hashes.set(LARGE.name, await hashOf(file));
  }
  const dataDir = path.join(directory, "data");
  const bucketDir =
    server === undefined
      ? path.join(directory, "bucket")
      : path.join(path.dirname(server.bucketDir), path.basename(directory).toLowerCase());
  if (server !== undefined) await mkdir(bucketDir);
  const env = {
    ...{ DATA_DIR: dataDir, RECORD_DIR: recordDir, RECORD_TIMEZONE: "UTC", NODE_ID: "swept", R2_PREFIX: PREFIX },
    ...{ LOCAL_RETENTION: "0s", ARCHIVE_READ_BACK_PERCENT: "100", LOG_FORMAT: "json", LOG_LEVEL: "error" },
    ...(server === undefined ? inFolder(bucketDir) : inBucket(server, path.basename(bucketDir))),
  };
  const scene = describeScene(directory, { env, isFolder: server === undefined });
  const takerHash = await hashOf(scene.taken.from);
  return { scene, directory, dataDir, recordDir, bucketDir, hashes, takerHash };
}

function inFolder(bucketDir: string): Record<string, string> {
  return { STORAGE_MODE: "local", LOCAL_BUCKET_DIR: bucketDir };
}

function inBucket(server: S3Server, bucket: string): Record<string, string> {
  return {
    STORAGE_MODE: "r2",
    R2_ENDPOINT: server.endpoint,
    R2_BUCKET_NAME: bucket,
    R2_ACCESS_KEY_ID: server.accessKeyId,
    R2_SECRET_ACCESS_KEY: server.secretAccessKey,
    R2_REGION: "us-east-1",
  };
}

function describeScene(directory: string, store: Pick<Scene, "env" | "isFolder">): Scene {
  const inDirectory = (name: string): string => path.join(directory, name);
  const [late] = PLACES.late;
  return {
    ...store,
    kept: "kept",
    hooked: PLACES.hooked[0],
    late: { name: late, from: inDirectory("late.mp4"), to: path.join(inDirectory("recordings"), late) },
    open: PLACES.open[0],
    vanishing: PLACES.vanishing[0],
    deleted: PLACES.deleted[0],
    taken: { name: PLACES.taken[0], from: path.join(FIXTURES, TAKER), mark: inDirectory("taken") },
    refusedMark: inDirectory("refused"),
    rebuiltFile: inDirectory("rebuilt.sqlite"),
    configFile: inDirectory("mediamtx.yml"),
    configTexts: ["# old\n", "# new\n"],
  };
}

function largeSegment(): Buffer {
  const { seconds, samplesPerSec, sampleBytes } = LARGE;
  const durationTicks = TIMESCALE / samplesPerSec;
  const fragment = samples(samplesPerSec, durationTicks).map((sample) => ({ ...sample, sizeBytes: sampleBytes }));
  const parts = Array.from({ length: seconds }, (_, at) =>
    part({ tracks: [{ id: 1, tfdt: at * TIMESCALE, samples: fragment }] }),
  );
  return Buffer.concat([
    init({ tracks: [{ id: 1, timescale: TIMESCALE }], mvhdDurationMs: seconds * 1_000 }),
    ...parts,
  ]);
}

async function hashOf(file: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(file))
    .digest("hex");
}
